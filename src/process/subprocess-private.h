/* SPDX-License-Identifier: MIT */
/* A child and what is known of it. */
#pragma once

#include <eddy/subprocess.h>

#include "base/list-private.h"
#include "base/lock-private.h"

/* What the kernel knows a child by; it outlives the object where that goes first. */
typedef struct EddyChild {
    EddyList member; /* of the orphans */
    pid_t maker;     /* the process whose child it is */
    pid_t pid;
    int pidfd; /* -1: no child was made */
} EddyChild;

struct EddySubprocess {
    EddyObject object;
    EddyChild *child;
    EddyLock lock; /* of the three below */
    bool has_ended;
    int status;            /* then; as waitpid(2) gives it, -1: unknown */
    int64_t kill_grace_ns; /* below 0: a cancel leaves the child alone */
    bool leads_group;
    char identifier[16];
    EddyOutputStream *stdin_pipe;
    EddyInputStream *stdout_pipe;
    EddyInputStream *stderr_pipe;
    char name[]; /* for messages */
};

/* subprocess.c */

/* Makes the object before there is a child, so that none is made that nobody could be told of. NULL
 * when memory is out. */
EddySubprocess *eddy__subprocess_new (const char *name);
/* It has its child now. */
void eddy__subprocess_set_child (EddySubprocess *subprocess, pid_t pid, int pidfd);
/* Reaps the child if it has ended; whether it has. Any thread. */
bool eddy__subprocess_reap (EddySubprocess *subprocess);
/* The same for one whose pidfd has been seen readable. */
void eddy__subprocess_reap_ended (EddySubprocess *subprocess);
/* Sends a signal to the child, or to its whole group where it leads one. */
void eddy__subprocess_end (EddySubprocess *subprocess, int number);

/* wait.c */

/* A wait for it was cut short: ends it, and waits for that, where a cancel is to. */
void eddy__subprocess_end_cancelled (EddySubprocess *subprocess);

/* launcher.c */

/* The value of a variable among strings up to a NULL; NULL where it is not among them. */
const char *eddy__environment_find (const char *const *environment, const char *variable);

/* launch.c */

/* How a child begins. */
typedef struct EddyLaunch {
    EddySubprocessFlags flags;
    const char *const *environment; /* NULL: ours */
    const char *folder;             /* NULL: ours */
    const char *paths[3];           /* of stdin, stdout, stderr; NULL: the flags say */
    int fds[3];                     /* likewise; -1 */
    const struct EddySysSpawnFd *more_fds;
    size_t n_more_fds;
    bool process_group;
} EddyLaunch;

EddySubprocess *eddy__launch (const EddyLaunch *launch, const char *const *argv,
                              EddyCancellable *cancellable, EddyError **error);

/* orphans.c: sees to it that a child whose object has gone is reaped when it ends. Takes it. */
void eddy__orphans_add (EddyChild *child);
