/* SPDX-License-Identifier: MIT */
/*
 * gio-spawn one|batch N: what processes-spawn does, with g_subprocess_newv() and
 * g_subprocess_wait_check_async().
 *
 * Why it is the fair way: GIO's own asynchronous calls on one main loop; who has ended is replaced
 * by the next at once, in its callback.
 */
#include <gio/gio.h>

#include "../bench-spawn.h"

typedef struct {
    uint64_t left;
    uint64_t good;
    unsigned under_way;
    gboolean failed;
} SpawnRun;

static void spawn_next (SpawnRun *run);

static void spawn_tell (SpawnRun *run, GError *error)
{
    g_printerr ("gio-spawn: %s\n", error->message);
    g_error_free (error);
    run->failed = TRUE;
}

static void spawn_ended (GObject *source, GAsyncResult *result, void *data)
{
    SpawnRun *run = data;
    GError *error = NULL;
    if (g_subprocess_wait_check_finish (G_SUBPROCESS (source), result, &error))
        run->good++;
    else
        spawn_tell (run, error);
    run->under_way--;
    spawn_next (run);
}

static void spawn_next (SpawnRun *run)
{
    static const char *const argv[] = { SPAWN_PROGRAM, NULL };
    GError *error = NULL;
    if (run->failed || run->left == 0)
        return;
    run->left--;
    GSubprocess *subprocess = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDIN_INHERIT, &error);
    if (subprocess == NULL) {
        spawn_tell (run, error);
        return;
    }
    run->under_way++;
    g_subprocess_wait_check_async (subprocess, NULL, spawn_ended, run);
    g_object_unref (subprocess);
}

static bool spawn_run (uint64_t count, unsigned at_once)
{
    SpawnRun run = { .left = count };
    for (unsigned i = 0; i < at_once; i++)
        spawn_next (&run);
    while (run.under_way > 0)
        g_main_context_iteration (NULL, TRUE);
    return !run.failed && run.good == count;
}

int main (int argc, char **argv)
{
    return bench_spawn_measure ("gio-spawn", argc, argv, spawn_run);
}
