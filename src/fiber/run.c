/* SPDX-License-Identifier: MIT */
/* eddy_run: a program's main function as a fiber. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "loop/source-private.h"
#include "sys/signal-private.h"
#include "sys/process-private.h"

typedef struct Run {
    int (*function) (int argc, char **argv, void *data);
    int argc;
    char **argv;
    void *data;
    int status;
    int signal_number; /* the first that came; 0: none */
    EddyFuture *fiber;
} Run;

static void *run_main (void *data, EddyError **error)
{
    Run *run = data;
    (void) error;
    run->status = run->function (run->argc, run->argv, run->data);
    return NULL;
}

/* The first signal asks the program to end; a second one ends it, as if nobody had caught it. */
static void run_signalled (Run *run, int signal_number)
{
    if (run->signal_number == 0) {
        run->signal_number = signal_number;
        eddy_future_cancel (run->fiber);
        return;
    }
    struct sigaction action = { .sa_handler = SIG_DFL };
    eddy__sys_sigaction (signal_number, &action, NULL);
    eddy__sys_kill (eddy__sys_getpid (), signal_number);
}

static bool run_interrupted (void *data)
{
    run_signalled (data, SIGINT);
    return true;
}

static bool run_terminated (void *data)
{
    run_signalled (data, SIGTERM);
    return true;
}

/* Watches one signal, unless the program was told to ignore it (as under nohup). */
static EddySource *run_watch (Run *run, int signal_number, EddySourceFunc function)
{
    struct sigaction former;
    if (eddy__sys_sigaction (signal_number, NULL, &former) == 0 && former.sa_handler == SIG_IGN)
        return NULL;
    EddySource *source = eddy_signal_source_new (signal_number);
    if (source == NULL)
        return NULL;
    eddy_source_set_callback (source, function, run, NULL);
    eddy_source_set_priority (source, EDDY_PRIORITY_HIGH);
    eddy_source_attach (source, NULL);
    return source;
}

static void run_unwatch (EddySource *source)
{
    if (source == NULL)
        return;
    eddy_source_destroy (source);
    eddy_unref (source);
}

int eddy_run_full (int (*function) (int argc, char **argv, void *data), int argc, char **argv,
                   void *data, const EddyFiberOptions *options)
{
    EDDY__EXPECT (function != NULL && !eddy_in_fiber (), 1);
    static const EddyFiberOptions usual = { .name = "main" };
    Run run = { function, argc, argv, data, .status = 1 };
    EddyError *error = NULL;
    EddySource *interrupt = run_watch (&run, SIGINT, run_interrupted);
    EddySource *terminate = run_watch (&run, SIGTERM, run_terminated);
    run.fiber = eddy_spawn_full (NULL, run_main, &run, NULL, options == NULL ? &usual : options,
                                 EDDY_PLACE);
    if (!eddy_block_on_complete (NULL, run.fiber, &error))
        fprintf (stderr, "eddy_run: %s\n", eddy_error_get_message (error));
    eddy_clear_error (&error);
    eddy_clear (&run.fiber);
    run_unwatch (interrupt);
    run_unwatch (terminate);
    /* A program that was interrupted reports what that made fail, and returns the usual failure. */
    if (run.signal_number != 0 && (run.status == EXIT_SUCCESS || run.status == EXIT_FAILURE))
        return 128 + run.signal_number;
    return run.status;
}

/* What eddy_run() is given: a function without data. */
typedef struct RunPlain {
    int (*function) (int argc, char **argv);
} RunPlain;

static int run_plain (int argc, char **argv, void *data)
{
    const RunPlain *plain = data;
    return plain->function (argc, argv);
}

int eddy_run (int (*function) (int argc, char **argv), int argc, char **argv)
{
    EDDY__EXPECT (function != NULL, 1);
    RunPlain plain = { function };
    return eddy_run_full (run_plain, argc, argv, &plain, NULL);
}
