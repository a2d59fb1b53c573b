/* SPDX-License-Identifier: MIT */
/*
 * processes-spawn one|batch N: starts programs and waits for their ends, one at a time or 64 at
 * once; prints nanoseconds each. Fibers start the next one until there is none. The limit beside it
 * is `loop-spawn`, the peers are `gio-spawn` and `uv-spawn`; in all of them the child has the
 * stdin, stdout and stderr of the parent, and no other fd.
 */
#include <eddy/eddy.h>

#include "bench-spawn.h"

typedef struct SpawnRun {
    uint64_t left;
    uint64_t good;
} SpawnRun;

static void *spawn_work (void *data, EddyError **error)
{
    static const char *const argv[] = { SPAWN_PROGRAM, NULL };
    SpawnRun *run = data;
    while (run->left > 0) {
        run->left--;
        EddySubprocess *subprocess =
            eddy_subprocess_newv (argv, EDDY_SUBPROCESS_FLAGS_STDIN_INHERIT, NULL, error);
        bool done = subprocess != NULL && eddy_subprocess_wait_check (subprocess, NULL, error);
        eddy_unref (subprocess);
        if (!done)
            return NULL;
        run->good++;
    }
    return NULL;
}

static bool spawn_run (uint64_t count, unsigned at_once)
{
    SpawnRun run = { count, 0 };
    EddyError *error = NULL;
    EddyGroup *group = eddy_group_new ();
    bool done = group != NULL;
    for (unsigned i = 0; done && i < at_once; i++)
        done = eddy_group_spawn (group, spawn_work, &run, NULL, &error);
    done = group != NULL && eddy_group_wait (group, done ? &error : NULL) && done;
    eddy_unref (group);
    if (!done)
        fprintf (stderr, "processes-spawn: %s\n",
                 error != NULL ? eddy_error_get_message (error) : "no memory");
    eddy_unref (error);
    return done && run.good == count;
}

static int spawn_main (int argc, char **argv)
{
    return bench_spawn_measure ("processes-spawn", argc, argv, spawn_run);
}

int main (int argc, char **argv)
{
    return eddy_run (spawn_main, argc, argv);
}
