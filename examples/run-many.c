/* SPDX-License-Identifier: MIT */
/* Runs many commands of the shell, some at once, and tells of each what it wrote and how it ended.
 *
 *   run-many [-j N] COMMAND...
 *
 * It shows a group with a limit; children that are talked to in straight lines, so that outputs
 * never mix; and one Ctrl-C that ends all of them. Each command leads a process group of its own:
 * the terminal's Ctrl-C comes to this program alone, which asks the whole groups to end, and kills
 * those that have not after GRACE_NS. The exit status is 0 when every command ended well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

#define GRACE_NS INT64_C (2000000000)

typedef struct Runs {
    size_t n_good, n_bad, n_stopped;
    EddySubprocessLauncher *launcher;
} Runs;

typedef struct Run {
    Runs *all;
    const char *command;
} Run;

static void run_show (const Run *self, EddySubprocessOutput *output, EddySubprocess *subprocess)
{
    EddyBytes *text = eddy_subprocess_output_get_stdout (output);
    bool is_good = eddy_subprocess_get_successful (subprocess);
    if (is_good)
        printf ("== %s\n", self->command);
    else if (eddy_subprocess_get_if_exited (subprocess))
        printf ("== %s (exit status %d)\n", self->command,
                eddy_subprocess_get_exit_status (subprocess));
    else
        printf ("== %s (ended by a signal)\n", self->command);
    fwrite (eddy_bytes_get_data (text), 1, eddy_bytes_get_size (text), stdout);
    fflush (stdout);
    *(is_good ? &self->all->n_good : &self->all->n_bad) += 1;
}

/* A fiber of the group. What goes wrong with one command ends no other: it is told here. */
static void *run_command (void *data, EddyError **error)
{
    const Run *self = data;
    const char *const argv[] = { "sh", "-c", self->command, NULL };
    EddyError *failure = NULL;
    (void) error;
    EDDY_AUTO (EddySubprocessOutput) output = NULL;
    EDDY_AUTO (EddySubprocess)
    subprocess = eddy_subprocess_launcher_spawnv (self->all->launcher, argv, NULL, &failure);
    if (subprocess != NULL) {
        eddy_subprocess_set_kill_on_cancel (subprocess, GRACE_NS);
        output = eddy_subprocess_communicate (subprocess, NULL, 0, NULL, &failure);
    }
    if (output != NULL) {
        run_show (self, output, subprocess);
    } else if (eddy_error_is_cancelled (failure)) {
        self->all->n_stopped++;
    } else {
        fprintf (stderr, "run-many: %s: %s\n", self->command, eddy_error_get_message (failure));
        self->all->n_bad++;
    }
    eddy_clear_error (&failure);
    return NULL;
}

static void run_all (Runs *all, Run *runs, size_t n_runs, unsigned at_once)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    if (group != NULL)
        eddy_group_set_limit (group, at_once);
    for (size_t i = 0; group != NULL && i < n_runs && error == NULL; i++)
        if (!eddy_group_spawn (group, run_command, &runs[i], NULL, &error))
            break;
    if (group != NULL)
        (void) eddy_group_wait (group, NULL); /* all have told what went wrong */
    if (error != NULL && !eddy_error_is_cancelled (error))
        fprintf (stderr, "run-many: %s\n", eddy_error_get_message (error));
    eddy_clear_error (&error);
    all->n_stopped = n_runs - all->n_good - all->n_bad; /* those too that never began */
}

static int run_commands (char **commands, size_t n_commands, unsigned at_once)
{
    Runs all = { .launcher = eddy_subprocess_launcher_new (EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                                           EDDY_SUBPROCESS_FLAGS_STDERR_MERGE) };
    Run *runs = calloc (n_commands, sizeof *runs);
    if (runs == NULL || all.launcher == NULL) {
        fputs ("run-many: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    eddy_subprocess_launcher_set_process_group (all.launcher, true);
    for (size_t i = 0; i < n_commands; i++)
        runs[i] = (Run){ &all, commands[i] };
    run_all (&all, runs, n_commands, at_once);
    printf ("%zu good, %zu bad, %zu stopped\n", all.n_good, all.n_bad, all.n_stopped);
    free (runs);
    eddy_unref (all.launcher);
    return all.n_good == n_commands ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run (int argc, char **argv)
{
    long at_once = 4;
    int first = 1;
    if (argc > 2 && strcmp (argv[1], "-j") == 0) {
        char *end;
        at_once = strtol (argv[2], &end, 10);
        first = *end != '\0' || at_once < 1 || at_once > 1000 ? argc : 3;
    }
    if (first >= argc) {
        fputs ("usage: run-many [-j N] COMMAND...\n", stderr);
        return 2;
    }
    return run_commands (argv + first, (size_t) (argc - first), (unsigned) at_once);
}

int main (int argc, char **argv)
{
    return eddy_run (run, argc, argv);
}
