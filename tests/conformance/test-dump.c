/* SPDX-License-Identifier: MIT */
/*
 * eddy_context_dump: who is told, and what of him. Deadlocks are in test-deadlock.c.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dump.h"
#include "loop.h"

/* --- fibers ----------------------------------------------------------------------------------- */

static void *dump_in_fiber (void *data, EddyError **error)
{
    char **text = data;
    EddyFuture *sleeper = spawn_named ("sleeper", sleep_long, NULL);
    EddyFuture *cancelled = spawn_named ("cancelled", sleep_long, NULL);
    eddy_fiber_yield ();
    eddy_future_cancel (cancelled);
    EddyFuture *fresh = spawn_named ("has\nlines", sleep_long, NULL);
    *text = dump_text (NULL);
    eddy_future_cancel (sleeper);
    eddy_future_cancel (fresh);
    eddy_await (sleeper, NULL);
    eddy_await (cancelled, NULL);
    eddy_await (fresh, NULL);
    eddy_unref (sleeper);
    eddy_unref (cancelled);
    eddy_unref (fresh);
    (void) error;
    return data;
}

EDDY_TEST (D_dump_tells_every_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    char *text = NULL;
    EddyFuture *fiber = spawn_named ("who dumps", dump_in_fiber, &text);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, NULL), &text);
    eddy_unref (fiber);
    expect_line (text, "fiber 'who dumps' (", "test-dump.c:", ": running, age ");
    expect_line (text, "fiber 'sleeper' (", ": parked under 0.1 s, age under 0.1 s",
                 ", waits for a timer");
    expect_line (text, "fiber 'cancelled' (", ": ready, age ", ", cancelled");
    expect_line (text, "fiber 'has?lines' (", ": new, age ", NULL);
    expect_line (text, "context 0x", " of thread ", ", engine ");
    expect_line (text, "  in all 4 fibers, 0 tasks, 0 operations", NULL, NULL);
    expect_no_line (text, "deadlock", NULL);
    free (text);
    eddy_test_context_end (context);
}

EDDY_TEST (D_dump_tells_how_long_a_fiber_has_been_waiting)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *fiber = spawn_named ("patient", sleep_long, NULL);
    while (eddy_context_iteration (context, false))
        ;
    struct timespec while_ = { 0, 450000000 };
    nanosleep (&while_, NULL);
    char *text = dump_text (context);
    const char *age = strstr (text, ", age about ");
    ck_assert_msg (age != NULL, "no age:\n%s", text);
    double seconds = strtod (age + strlen (", age about "), NULL);
    ck_assert_msg (seconds >= 0.4 && seconds < 5, "%g s, not 0.45", seconds);
    expect_line (text, "'patient'", "parked about 0.", NULL);
    free (text);
    end_fiber (context, fiber);
    eddy_test_context_end (context);
}

/* --- tasks and operations --------------------------------------------------------------------- */

static void do_nothing (void *source_object, EddyAsyncResult *result, void *user_data)
{
    (void) source_object;
    (void) result;
    (void) user_data;
}

static void *read_one (void *data, EddyError **error)
{
    char byte;
    (void) eddy_fd_read (*(int *) data, &byte, 1, -1, NULL, error);
    return NULL;
}

static void *gate_call (void *data, EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    (void) error;
    gate_pass (data);
    return data;
}

EDDY_TEST (D_dump_tells_tasks_and_operations)
{
    EddyContext *context = eddy_test_context_begin ();
    Gate gate = GATE_INIT;
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    EddyFuture *reader = spawn_named ("reader", read_one, &fds[0]);
    EddyFuture *waiting = eddy_fd_wait_future (fds[0], POLLIN, 0, NULL);
    EddyFuture *call = eddy_run_blocking_future (gate_call, &gate, NULL, 0, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, do_nothing, NULL);
    eddy_task_set_name (task, "a task");
    EddyTask *gone = eddy_task_new (NULL, NULL, do_nothing, NULL);
    eddy_task_set_static_name (gone, "gone");
    eddy_task_return_boolean (gone, true);
    eddy_task_unref (gone);
    while (eddy_context_iteration (context, false))
        ;
    gate_await (&gate);
    char *text = dump_text (context);
    expect_line (text, "fiber 'reader'", "waits for an operation: read of fd ", NULL);
    expect_line (text, "operation 'eddy_fd_wait'", ", age under 0.1 s", ", poll of fd ");
    expect_line (text, "operation 'eddy_run_blocking'", ": on a worker", NULL);
    expect_line (text, "task 'a task' (", "test-dump.c:", ": to be returned, age under 0.1 s");
    expect_line (text, "  in all 1 fibers, 1 tasks, 2 operations", NULL, NULL);
    expect_no_line (text, "gone", NULL);
    free (text);
    gate_open (&gate);
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    ck_assert_int_eq (write (fds[1], "x", 1), 1);
    ck_assert (eddy_block_on_complete (context, waiting, NULL));
    ck_assert (eddy_block_on_complete (context, reader, NULL));
    ck_assert (eddy_block_on_complete (context, call, NULL));
    eddy_unref (waiting);
    eddy_unref (reader);
    eddy_unref (call);
    close (fds[0]);
    close (fds[1]);
    while (eddy_context_iteration (context, false))
        ;
    eddy_test_context_end (context);
}

static void *make_task (void *data)
{
    EddyTask **task = data;
    *task = eddy_task_new (NULL, NULL, do_nothing, NULL);
    eddy_task_set_static_name (*task, "a foreign one");
    return NULL;
}

/* In the default context, whose fds stay open. */
static void dump_foreign_task (void)
{
    EddyTask *task;
    pthread_t thread;
    ck_assert_int_eq (pthread_create (&thread, NULL, make_task, &task), 0);
    pthread_join (thread, NULL);
    char *text = dump_text (eddy_context_default ());
    expect_line (text, "task 'a foreign one' (", "test-dump.c:", NULL);
    free (text);
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    while (eddy_context_iteration (NULL, false))
        ;
    text = dump_text (NULL);
    expect_no_line (text, "a foreign one", NULL);
    free (text);
}

EDDY_TEST (D_dump_tells_tasks_that_other_threads_made)
{
    loop_in_child (dump_foreign_task);
}

/* --- other threads ---------------------------------------------------------------------------- */

EDDY_TEST (D_dump_asks_other_threads)
{
    Runner runner;
    pthread_t thread = runner_begin (&runner);
    EddyContext *idle = eddy_context_new ();
    EddyFuture *unrun = eddy_spawn (idle, sleep_long, NULL, NULL);
    char *text = dump_text (NULL);
    expect_line (text, "fiber 'of another thread'", NULL, NULL);
    expect_line (text, "context 0x", " of no thread, engine none:", NULL);
    expect_line (text, "fiber 'eddy_test_D_dump_asks_other_threads'", ": new, age ", NULL);
    expect_no_line (text, "stuck", NULL);
    free (text);
    text = dump_text (runner.context);
    expect_line (text, "fiber 'of another thread'", "waits for a timer", NULL);
    expect_line (text, "eddy: process ", ", 1 contexts", NULL);
    free (text);
    eddy_future_cancel (unrun);
    eddy_unref (unrun);
    while (eddy_context_iteration (idle, false))
        ;
    eddy_unref (idle);
    runner_end (&runner, thread);
}

static void runner_block (EddyPost *post)
{
    gate_pass (&((Runner *) (void *) ((char *) post - offsetof (Runner, post)))->gate);
}

/* Nobody catches any of the real-time signals. */
static void expect_no_handlers (void)
{
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
        struct sigaction action;
        ck_assert_int_eq (sigaction (number, NULL, &action), 0);
        ck_assert (action.sa_handler == SIG_DFL);
    }
}

EDDY_TEST (D_dump_tells_what_a_stuck_thread_is_doing)
{
    Runner runner;
    pthread_t thread = runner_begin (&runner);
    runner.post.run = runner_block;
    ck_assert (eddy_context_post (runner.context, &runner.post));
    gate_await (&runner.gate);
    char *text = dump_text (NULL);
    expect_line (text, "context 0x", " of thread ", ", stuck: it did not come by for 200 ms:");
    expect_line (text, "    #2 ", NULL, NULL);
    expect_no_line (text, "of another thread", NULL);
    free (text);
    expect_no_handlers ();
    gate_open (&runner.gate);
    /* The question that came too late does no harm. */
    text = dump_text (NULL);
    expect_line (text, "fiber 'of another thread'", NULL, NULL);
    expect_no_line (text, "stuck", NULL);
    free (text);
    runner_end (&runner, thread);
}

static void *block_in_fiber (void *data, EddyError **error)
{
    (void) error;
    gate_pass (data);
    return NULL;
}

EDDY_TEST (D_dump_names_the_fiber_of_a_stuck_thread)
{
    Runner runner;
    pthread_t thread = runner_begin (&runner);
    EddyFiberOptions options = { .name = "stubborn" };
    EddyFuture *fiber =
        eddy_spawn_full (runner.context, block_in_fiber, &runner.gate, NULL, &options, EDDY_PLACE);
    gate_await (&runner.gate);
    char *text = dump_text (runner.context);
    expect_line (text, "  fiber 'stubborn' (", "test-dump.c:", ": running");
    free (text);
    gate_open (&runner.gate);
    eddy_unref (fiber);
    runner_end (&runner, thread);
}

static void runner_dump (EddyPost *post)
{
    Runner *runner = (Runner *) (void *) ((char *) post - offsetof (Runner, post));
    gate_pass (&runner->gate);
    runner->text = dump_text (NULL);
}

EDDY_TEST (D_dump_by_two_threads_at_once)
{
    Runner runners[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        threads[i] = runner_begin (&runners[i]);
        runners[i].post.run = runner_dump;
        ck_assert (eddy_context_post (runners[i].context, &runners[i].post));
    }
    for (int i = 0; i < 2; i++)
        gate_await (&runners[i].gate);
    for (int i = 0; i < 2; i++)
        gate_open (&runners[i].gate);
    for (int i = 0; i < 2; i++) {
        runner_end (&runners[i], threads[i]);
        ck_assert_uint_eq (count_words (runners[i].text, "'of another thread'"), 2);
        ck_assert_uint_eq (count_words (runners[i].text, "stuck"), 0);
        free (runners[i].text);
    }
}

/* --- where it is written ---------------------------------------------------------------------- */

EDDY_TEST (D_dump_fails_where_it_cannot_be_written)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    eddy_context_iteration (context, false);
    ck_assert (!eddy_context_dump (context, -1, &error));
    ck_assert_ptr_nonnull (error);
    eddy_clear_error (&error);
    ck_assert_int_eq (pipe (fds), 0);
    close (fds[0]);
    ck_assert (!eddy_context_dump (context, fds[1], &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BROKEN_PIPE);
    close (fds[1]);
    eddy_test_context_end (context);
}

/* Reads a pipe to its end, in pieces that fit to nothing. */
static void *drain_pipe (void *data)
{
    size_t *len = calloc (1, sizeof *len);
    char piece[777];
    ssize_t n;
    while ((n = read (*(int *) data, piece, sizeof piece)) > 0)
        *len += (size_t) n;
    return len;
}

EDDY_TEST (D_dump_waits_for_a_pipe_that_is_full)
{
    enum { FIBERS = 2000 };
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *fibers[FIBERS];
    int fds[2];
    pthread_t thread;
    void *len;
    for (int i = 0; i < FIBERS; i++)
        fibers[i] = spawn_named ("one of many", sleep_long, NULL);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_int_eq (pipe2 (fds, O_NONBLOCK), 0);
    ck_assert_int_eq (fcntl (fds[0], F_SETFL, 0), 0);
    ck_assert_int_eq (pthread_create (&thread, NULL, drain_pipe, &fds[0]), 0);
    ck_assert (eddy_context_dump (context, fds[1], NULL));
    close (fds[1]);
    pthread_join (thread, &len);
    ck_assert_uint_gt (*(size_t *) len, FIBERS * strlen ("  fiber 'one of many'"));
    free (len);
    close (fds[0]);
    for (int i = 0; i < FIBERS; i++)
        end_fiber (context, fibers[i]);
    eddy_test_context_end (context);
}

EDDY_TEST (D_dump_at_a_signal)
{
    int fd = memfd_create ("stderr", MFD_CLOEXEC);
    int former = dup (STDERR_FILENO);
    ck_assert_int_eq (setenv ("EDDY_DUMP_SIGNAL", "SIGUSR2", 1), 0);
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *fiber = spawn_named ("asleep", sleep_long, NULL);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_int_eq (dup2 (fd, STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq (kill (getpid (), SIGUSR2), 0);
    const struct timespec moment = { 0, 1000000 };
    char *text = read_all (fd);
    for (int i = 0; strstr (text, "in all 1 fibers") == NULL; i++) {
        ck_assert_int_lt (i, 1000);
        free (text);
        eddy_context_iteration (context, false);
        nanosleep (&moment, NULL);
        text = read_all (fd);
    }
    ck_assert_int_eq (dup2 (former, STDERR_FILENO), STDERR_FILENO);
    expect_line (text, "fiber 'asleep'", "waits for a timer", NULL);
    free (text);
    close (former);
    close (fd);
    end_fiber (context, fiber);
    eddy_test_context_end (context);
}

typedef struct ComeAndGo {
    int n_dumps; /* relaxed: nothing but the dump itself orders the two threads */
    bool done;
} ComeAndGo;

/* Each one is dumped as it is made, and once more as it goes. */
static void *make_contexts (void *data)
{
    ComeAndGo *self = data;
    for (int i = 0; i < 20; i++) {
        int before = __atomic_load_n (&self->n_dumps, __ATOMIC_RELAXED);
        EddyContext *context = eddy_context_new ();
        while (__atomic_load_n (&self->n_dumps, __ATOMIC_RELAXED) < before + 2)
            sched_yield ();
        eddy_unref (context);
    }
    __atomic_store_n (&self->done, true, __ATOMIC_RELAXED);
    return NULL;
}

EDDY_TEST (D_dump_while_contexts_come_and_go)
{
    ComeAndGo self = { .done = false };
    pthread_t thread;
    ck_assert_int_eq (pthread_create (&thread, NULL, make_contexts, &self), 0);
    while (!__atomic_load_n (&self.done, __ATOMIC_RELAXED)) {
        free (dump_text (NULL));
        __atomic_add_fetch (&self.n_dumps, 1, __ATOMIC_RELAXED);
    }
    ck_assert_int_eq (pthread_join (thread, NULL), 0);
}

EDDY_TEST_TIMEOUT (D_dump_of_a_hundred_thousand_fibers, 60)
{
    long n = eddy_test_reduced (100000, 2000, "fibers");
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture **fibers = calloc ((size_t) n, sizeof *fibers);
    struct timespec begin, end;
    for (long i = 0; i < n; i++)
        fibers[i] = spawn_named ("one of many", sleep_long, NULL);
    while (eddy_context_iteration (context, false))
        ;
    clock_gettime (CLOCK_MONOTONIC, &begin);
    char *text = dump_text (NULL);
    clock_gettime (CLOCK_MONOTONIC, &end);
    double seconds =
        (double) (end.tv_sec - begin.tv_sec) + (double) (end.tv_nsec - begin.tv_nsec) / 1e9;
    ck_assert_msg (eddy_test_sanitized () || seconds < 1, "it took %.2f s", seconds);
    ck_assert_uint_eq (count_words (text, "\n  fiber 'one of many'"), (unsigned) n);
    free (text);
    for (long i = 0; i < n; i++)
        end_fiber (context, fibers[i]);
    free (fibers);
    eddy_test_context_end (context);
}
