/* SPDX-License-Identifier: MIT */
/*
 * Starting programs: which fds, signals and folder the child begins with, and who failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/process-private.h"
#include "sys/spawn-private.h"
#include "test.h"

extern char **environ;

/* Starts a shell with what `spawn` says; returns its exit status. */
static int run_shell (EddySysSpawn *spawn, const char *script)
{
    const char *programs[] = { "/bin/sh", NULL };
    char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup (script), NULL };
    siginfo_t info;
    spawn->programs = programs;
    spawn->argv = argv;
    spawn->environment = environ;
    ck_assert_int_eq (eddy__sys_spawn (spawn), 0);
    free (argv[2]);
    ck_assert_int_gt (spawn->pid, 0);
    ck_assert_int_eq (eddy__sys_waitid_pidfd (spawn->pidfd, &info, WEXITED), 0);
    ck_assert_int_eq (info.si_pid, spawn->pid);
    ck_assert_int_eq (info.si_code, CLD_EXITED);
    close (spawn->pidfd);
    return info.si_status;
}

/* What the shell writes to its stdout, up to the size of `answer`. */
static void ask_shell (EddySysSpawn *spawn, const char *script, char *answer, size_t size)
{
    EddySysSpawnFd fds[] = { { 0, 0 }, { -1, 1 }, { 2, 2 } };
    int ends[2];
    ck_assert_int_eq (pipe2 (ends, O_CLOEXEC), 0);
    fds[1].source = ends[1];
    spawn->fds = fds;
    spawn->n_fds = 3;
    ck_assert_int_eq (run_shell (spawn, script), 0);
    close (ends[1]);
    ssize_t count = read (ends[0], answer, size - 1);
    ck_assert_int_ge (count, 0);
    answer[count] = '\0';
    close (ends[0]);
}

EDDY_TEST (spawn_runs)
{
    EddySysSpawn spawn = { .folder = NULL };
    ck_assert_int_eq (run_shell (&spawn, "exit 7"), 7);
}

EDDY_TEST (spawn_tells_what_is_missing)
{
    const char *none[] = { "/nowhere/at/all", NULL };
    const char *refused[] = { "/etc/passwd", "/nowhere/at/all", NULL };
    const char *later[] = { "/nowhere/at/all", "/bin/true/no-folder", "/bin/true", NULL };
    char *argv[] = { (char[]){ "true" }, NULL };
    EddySysSpawn spawn = { .programs = none, .argv = argv, .environment = environ };
    ck_assert_int_eq (eddy__sys_spawn (&spawn), -ENOENT);
    ck_assert_int_eq (spawn.step, EDDY_SYS_SPAWN_PROGRAM);
    spawn.programs = refused;
    ck_assert_int_eq (eddy__sys_spawn (&spawn), -EACCES);
    spawn.programs = later;
    ck_assert_int_eq (run_shell (&(EddySysSpawn){ .folder = "/" }, "exit 0"), 0);
    ck_assert_int_eq (eddy__sys_spawn (&spawn), 0);
    siginfo_t info;
    ck_assert_int_eq (eddy__sys_waitid_pidfd (spawn.pidfd, &info, WEXITED), 0);
    close (spawn.pidfd);
    spawn.folder = "/nowhere/at/all";
    ck_assert_int_eq (eddy__sys_spawn (&spawn), -ENOENT);
    ck_assert_int_eq (spawn.step, EDDY_SYS_SPAWN_FOLDER);
    EddySysSpawnFd closed = { 999, 1 };
    spawn.fds = &closed;
    spawn.n_fds = 1;
    ck_assert_int_eq (eddy__sys_spawn (&spawn), -EBADF);
    ck_assert_int_eq (spawn.step, EDDY_SYS_SPAWN_FD);
    ck_assert_int_eq (waitpid (-1, NULL, WNOHANG), -1);
    ck_assert_int_eq (errno, ECHILD); /* none of them is a zombie */
}

EDDY_TEST (spawn_begins_in_a_folder)
{
    char answer[64];
    ask_shell (&(EddySysSpawn){ .folder = "/usr" }, "pwd", answer, sizeof answer);
    ck_assert_str_eq (answer, "/usr\n");
}

EDDY_TEST (spawn_hands_over_nothing_else)
{
    char answer[256], before[256];
    /* ls itself opens the folder as the first free fd. */
    ask_shell (&(EddySysSpawn){ .folder = NULL }, "ls /proc/self/fd", before, sizeof before);
    for (int i = 0; i < 200; i++)
        ck_assert_int_ge (dup (0), 0); /* without close-on-exec */
    ask_shell (&(EddySysSpawn){ .folder = NULL }, "ls /proc/self/fd", answer, sizeof answer);
    ck_assert_str_eq (answer, before);
    ck_assert_str_eq (answer, "0\n1\n2\n3\n");
    ask_shell (&(EddySysSpawn){ .inherits_fds = true }, "ls /proc/self/fd | wc -l", answer,
               sizeof answer);
    ck_assert_int_ge (strtol (answer, NULL, 10), 200);
    for (int fd = 3; fd < 300; fd++)
        if (fcntl (fd, F_GETFD) == 0)
            close (fd);
}

/* Two fds change places, and a third has a number far up. */
EDDY_TEST (spawn_maps_fds_in_any_order)
{
    int ends[3][2];
    EddySysSpawnFd fds[6] = { { 0, 0 }, { 1, 1 }, { 2, 2 } };
    EddySysSpawn spawn = { .fds = fds, .n_fds = 6 };
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq (pipe2 (ends[i], O_CLOEXEC), 0);
    fds[3] = (EddySysSpawnFd){ ends[0][1], ends[1][1] };
    fds[4] = (EddySysSpawnFd){ ends[1][1], ends[0][1] };
    fds[5] = (EddySysSpawnFd){ ends[2][1], 77 };
    char script[128];
    snprintf (script, sizeof script,
              "exec 3>&-; printf a >/proc/self/fd/%d; printf b >/proc/self/fd/%d; printf c "
              ">/proc/self/fd/77",
              ends[1][1], ends[0][1]);
    ck_assert_int_eq (run_shell (&spawn, script), 0);
    for (int i = 0; i < 3; i++) {
        char found = '?';
        ck_assert_int_eq (read (ends[i][0], &found, 1), 1);
        ck_assert_int_eq (found, "abc"[i]);
        close (ends[i][0]);
        close (ends[i][1]);
    }
}

static void handler (int number)
{
    (void) number;
}

/* Handled signals have their default, ignored ones are ignored, none is blocked. */
EDDY_TEST (spawn_leaves_signals_behind)
{
    char answer[4096];
    sigset_t blocked;
    signal (SIGUSR1, handler);
    signal (SIGUSR2, SIG_IGN);
    sigemptyset (&blocked);
    sigaddset (&blocked, SIGTERM);
    sigprocmask (SIG_BLOCK, &blocked, NULL);
    ask_shell (&(EddySysSpawn){ .folder = NULL }, "cat /proc/self/status", answer, sizeof answer);
    ck_assert_ptr_nonnull (strstr (answer, "SigBlk:\t0000000000000000\n"));
    ck_assert_ptr_nonnull (strstr (answer, "SigCgt:\t0000000000000000\n"));
    unsigned long ignored = strtoul (strstr (answer, "SigIgn:\t") + 8, NULL, 16);
    ck_assert_uint_eq (ignored >> (SIGUSR2 - 1) & 1, 1);
    sigset_t now;
    sigprocmask (SIG_BLOCK, NULL, &now);
    ck_assert_int_eq (sigismember (&now, SIGTERM), 1);
    ck_assert_int_eq (sigismember (&now, SIGINT), 0);
}

EDDY_TEST (spawn_leads_a_group)
{
    EddySysSpawn spawn = { .process_group = true };
    ck_assert_int_eq (run_shell (&spawn, "test $(ps -o pgid= -p $$) = $$"), 0);
}
