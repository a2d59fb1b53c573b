/* SPDX-License-Identifier: MIT */
/*
 * uv-spawn one|batch N: what processes-spawn does, with uv_spawn().
 *
 * Why it is the fair way: who has ended is replaced by the next at once, in its callback, so that
 * as many as asked for are under way all the time; the handles are used again when they are closed.
 */
#include <uv.h>

#include "../bench-spawn.h"

static uint64_t spawn_left, spawn_good;
static bool spawn_failed;
static uv_process_t spawn_places[SPAWN_AT_ONCE];

static void spawn_next (uv_process_t *place);

static void spawn_closed (uv_handle_t *handle)
{
    spawn_next ((uv_process_t *) (void *) handle);
}

static void spawn_exited (uv_process_t *place, int64_t status, int signal_number)
{
    if (status == 0 && signal_number == 0)
        spawn_good++;
    uv_close ((uv_handle_t *) place, spawn_closed);
}

static void spawn_next (uv_process_t *place)
{
    static char program[] = SPAWN_PROGRAM;
    char *argv[] = { program, NULL };
    uv_stdio_container_t stdio[3];
    if (spawn_failed || spawn_left == 0)
        return;
    spawn_left--;
    for (int fd = 0; fd < 3; fd++) {
        stdio[fd].flags = UV_INHERIT_FD;
        stdio[fd].data.fd = fd;
    }
    const uv_process_options_t options = {
        .exit_cb = spawn_exited, .file = program, .args = argv, .stdio_count = 3, .stdio = stdio
    };
    int answer = uv_spawn (uv_default_loop (), place, &options);
    if (answer != 0) {
        fprintf (stderr, "uv-spawn: %s\n", uv_strerror (answer));
        spawn_failed = true;
    }
}

static bool spawn_run (uint64_t count, unsigned at_once)
{
    spawn_left = count;
    spawn_good = 0;
    for (unsigned i = 0; i < at_once; i++)
        spawn_next (&spawn_places[i]);
    uv_run (uv_default_loop (), UV_RUN_DEFAULT);
    return !spawn_failed && spawn_good == count;
}

int main (int argc, char **argv)
{
    return bench_spawn_measure ("uv-spawn", argc, argv, spawn_run);
}
