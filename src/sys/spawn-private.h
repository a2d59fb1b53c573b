/* SPDX-License-Identifier: MIT */
/*
 * Starting a program in a child process. The child shares our memory until it runs the program or
 * fails, and only its own thread of ours waits for that: what went wrong is told by the child
 * itself, exactly, and no memory is copied.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* An fd of ours, and the number that the child has it by. */
typedef struct EddySysSpawnFd {
    int source;
    int target;
} EddySysSpawnFd;

/* Which step of a spawn failed. */
typedef enum EddySysSpawnStep {
    EDDY_SYS_SPAWN_FORK, /* no child was made */
    EDDY_SYS_SPAWN_FD,   /* an fd could not be handed over */
    EDDY_SYS_SPAWN_FOLDER,
    EDDY_SYS_SPAWN_GROUP,
    EDDY_SYS_SPAWN_PROGRAM
} EddySysSpawnStep;

/* What is to be started. All of it is read by the child; nothing is changed but the answers. */
typedef struct EddySysSpawn {
    /* Paths of the program, tried in this order while there is none at one; ends with NULL. */
    const char *const *programs;
    char *const *argv;
    char *const *environment;
    const char *folder; /* to begin in; NULL: ours */
    /* What the child has open; a target may be another one's source. Scratch of the call. */
    EddySysSpawnFd *fds;
    size_t n_fds;
    bool inherits_fds;  /* those too that are open in us without close-on-exec */
    bool process_group; /* the child leads one of its own */
    /* Answers */
    EddySysSpawnStep step; /* that failed */
    pid_t pid;
    int pidfd;
} EddySysSpawn;

/* Starts it; 0 or -errno of `step`, and then there is no child. Signals that we handle have their
 * default in the child, those that we ignore are ignored, and none is blocked. */
int eddy__sys_spawn (EddySysSpawn *spawn);
