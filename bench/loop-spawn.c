/* SPDX-License-Identifier: MIT */
/*
 * loop-spawn one|batch N: what processes-spawn does, in one thread by posix_spawn(3) and waitid(2):
 * one after the other, or 64 started and then all of them waited for.
 */
#include <spawn.h>
#include <sys/wait.h>

#include "bench-spawn.h"

extern char **environ;

static bool loop_start (void)
{
    static char program[] = SPAWN_PROGRAM;
    char *const argv[] = { program, NULL };
    pid_t pid;
    return posix_spawn (&pid, program, NULL, NULL, argv, environ) == 0;
}

/* Waits for the next to end. */
static bool loop_wait (void)
{
    siginfo_t info;
    return waitid (P_ALL, 0, &info, WEXITED) == 0 && info.si_code == CLD_EXITED &&
           info.si_status == 0;
}

static bool loop_run (uint64_t count, unsigned at_once)
{
    bool right = true;
    for (uint64_t i = 0; right && i < count; i += at_once) {
        for (unsigned k = 0; right && k < at_once; k++)
            right = loop_start ();
        for (unsigned k = 0; right && k < at_once; k++)
            right = loop_wait ();
    }
    return right;
}

int main (int argc, char **argv)
{
    return bench_spawn_measure ("loop-spawn", argc, argv, loop_run);
}
