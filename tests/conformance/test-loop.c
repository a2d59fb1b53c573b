/* SPDX-License-Identifier: MIT */
/*
 * Contexts, sources, main loops: what is dispatched, when, where.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "context.h"

static int64_t now_ns (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* What ran, as text: each callback adds its letter. */
typedef struct Record {
    char text[64];
    size_t length;
} Record;

static Record record;

static bool record_once (void *letter)
{
    record.text[record.length++] = *(const char *) letter;
    return false;
}

static bool record_again (void *letter)
{
    return !record_once (letter);
}

static EddySource *attach (EddySource *source, int priority, EddySourceFunc function, void *data)
{
    ck_assert_ptr_nonnull (source);
    eddy_source_set_callback (source, function, data, NULL);
    eddy_source_set_priority (source, priority);
    ck_assert (eddy_source_attach (source, NULL));
    return source;
}

static void drop (EddySource *source)
{
    eddy_source_destroy (source);
    eddy_unref (source);
}

EDDY_TEST (L2_most_urgent_level_only)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *late = attach (eddy_idle_source_new (), EDDY_PRIORITY_LOW, record_once, "c");
    EddySource *soon = attach (eddy_idle_source_new (), EDDY_PRIORITY_DEFAULT, record_once, "a");
    EddySource *same = attach (eddy_idle_source_new (), EDDY_PRIORITY_DEFAULT, record_once, "b");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "ab");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "abc");
    ck_assert (!eddy_context_iteration (context, false));
    drop (late);
    drop (soon);
    drop (same);
    eddy_test_context_end (context);
}

EDDY_TEST (L2_less_urgent_source_starves)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *always = attach (eddy_idle_source_new (), 0, record_again, "x");
    EddySource *never = attach (eddy_idle_source_new (), 1, record_once, "y");
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_context_iteration (context, true));
    ck_assert_str_eq (record.text, "xxxxx");
    drop (always);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "xxxxxy");
    drop (never);
    eddy_test_context_end (context);
}

static bool destroy_source (void *source)
{
    eddy_source_destroy (source);
    record_once ("d");
    return true;
}

EDDY_TEST (L29_destroyed_in_the_same_pass_is_not_dispatched)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *victim = eddy_idle_source_new ();
    EddySource *killer = attach (eddy_idle_source_new (), 0, destroy_source, victim);
    attach (victim, 0, record_once, "v");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "d");
    ck_assert (eddy_source_is_destroyed (victim));
    eddy_unref (victim);
    drop (killer);
    eddy_test_context_end (context);
}

static void count_destroy (void *count)
{
    ++*(int *) count;
}

static bool return_false (void *data)
{
    (void) data;
    return false;
}

EDDY_TEST (L31_callback_data_are_destroyed_once)
{
    EddyContext *context = eddy_test_context_begin ();
    int destroyed = 0;
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, return_false, &destroyed, count_destroy);
    ck_assert (eddy_source_attach (source, context));
    ck_assert_int_eq (destroyed, 0);
    eddy_context_iteration (context, false);
    ck_assert_int_eq (destroyed, 1);
    ck_assert (eddy_source_is_destroyed (source));
    eddy_unref (source);
    source = eddy_timeout_source_new (1000000000);
    eddy_source_set_callback (source, return_false, &destroyed, count_destroy);
    eddy_unref (source);
    ck_assert_int_eq (destroyed, 2);
    eddy_test_context_end (context);
}

EDDY_TEST (L35_freed_context_destroys_its_sources)
{
    int destroyed = 0;
    EddyContext *context = eddy_context_new ();
    EddySource *source = eddy_timeout_source_new (1000000000);
    eddy_source_set_callback (source, return_false, &destroyed, count_destroy);
    ck_assert (eddy_source_attach (source, context));
    ck_assert (!eddy_context_iteration (context, false));
    eddy_unref (context);
    ck_assert (eddy_source_is_destroyed (source));
    ck_assert_int_eq (destroyed, 1);
    eddy_unref (source);
}

EDDY_TEST (L41_timeout_is_never_early)
{
    EddyContext *context = eddy_test_context_begin ();
    int64_t begin = now_ns ();
    EddySource *second = attach (eddy_timeout_source_new (20000000), 0, record_once, "2");
    EddySource *first = attach (eddy_timeout_source_new (10000000), 0, record_once, "1");
    EddySource *never = attach (eddy_timeout_source_new (INT64_MAX), 0, record_once, "n");
    while (record.length < 2)
        eddy_context_iteration (context, true);
    ck_assert_str_eq (record.text, "12");
    ck_assert_int_ge (now_ns () - begin, 20000000);
    drop (first);
    drop (second);
    drop (never);
    eddy_test_context_end (context);
}

EDDY_TEST (L8_wakeup_is_sticky)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_context_iteration (context, false);
    eddy_context_wakeup (context);
    ck_assert (!eddy_context_iteration (context, true));
    eddy_test_context_end (context);
}

static void *wake_from_thread (void *context)
{
    eddy_context_wakeup (context);
    return NULL;
}

EDDY_TEST (L8_wakeup_from_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    pthread_t thread;
    pthread_create (&thread, NULL, wake_from_thread, context);
    ck_assert (!eddy_context_iteration (context, true));
    pthread_join (thread, NULL);
    eddy_test_context_end (context);
}

/* --- invoke ---------------------------------------------------------------------------------- */

typedef struct Invoked {
    pthread_t thread;
    int calls;
} Invoked;

static bool note_thread (void *data)
{
    Invoked *invoked = data;
    invoked->thread = pthread_self ();
    return ++invoked->calls < 3;
}

static void *invoke_from_thread (void *data)
{
    void **arguments = data;
    eddy_context_invoke (arguments[0], note_thread, arguments[1]);
    return NULL;
}

EDDY_TEST (L22_invoke_from_another_thread_runs_in_the_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    Invoked invoked = { .calls = 0 };
    void *arguments[] = { context, &invoked };
    pthread_t thread;
    pthread_create (&thread, NULL, invoke_from_thread, arguments);
    while (invoked.calls == 0)
        eddy_context_iteration (context, true);
    pthread_join (thread, NULL);
    ck_assert_int_eq (invoked.calls, 3);
    ck_assert (pthread_equal (invoked.thread, pthread_self ()));
    eddy_test_context_end (context);
}

static bool invoke_inside (void *data)
{
    Invoked *invoked = data;
    EddyContext *here = eddy_context_ref_thread_default ();
    eddy_context_invoke (here, note_thread, invoked);
    ck_assert_int_eq (invoked->calls, 3);
    eddy_unref (here);
    return false;
}

EDDY_TEST (L22_invoke_inside_the_loop_is_at_once)
{
    EddyContext *context = eddy_test_context_begin ();
    Invoked invoked = { .calls = 0 };
    EddySource *source = attach (eddy_idle_source_new (), 0, invoke_inside, &invoked);
    eddy_context_iteration (context, false);
    ck_assert_int_eq (invoked.calls, 3);
    drop (source);
    eddy_test_context_end (context);
}

/* --- main loop -------------------------------------------------------------------------------- */

static bool quit_loop (void *loop)
{
    ck_assert (eddy_main_loop_is_running (loop));
    eddy_main_loop_quit (loop);
    return false;
}

EDDY_TEST (L13_quit_ends_the_run)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    EddySource *source = attach (eddy_idle_source_new (), 0, quit_loop, loop);
    eddy_main_loop_run (loop);
    ck_assert (!eddy_main_loop_is_running (loop));
    drop (source);
    eddy_unref (loop);
    eddy_test_context_end (context);
}

EDDY_TEST (L11_quit_before_run_ends_the_next_run)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    eddy_main_loop_quit (loop);
    eddy_main_loop_run (loop);
    eddy_unref (loop);
    eddy_test_context_end (context);
}

static void *quit_from_thread (void *loop)
{
    eddy_main_loop_quit (loop);
    return NULL;
}

EDDY_TEST (L13_quit_from_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    pthread_t thread;
    pthread_create (&thread, NULL, quit_from_thread, loop);
    eddy_main_loop_run (loop);
    pthread_join (thread, NULL);
    eddy_unref (loop);
    eddy_test_context_end (context);
}

/* --- nesting ---------------------------------------------------------------------------------- */

static bool iterate_inside (void *context)
{
    record_once ("(");
    eddy_context_iteration (context, false);
    record_once (")");
    return false;
}

EDDY_TEST (L39_nested_pass_goes_on_where_the_outer_stopped)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *outer = attach (eddy_idle_source_new (), 0, iterate_inside, context);
    EddySource *inner = attach (eddy_idle_source_new (), 0, record_once, "i");
    while (record.length < 3)
        eddy_context_iteration (context, false);
    ck_assert_str_eq (record.text, "(i)");
    drop (outer);
    drop (inner);
    eddy_test_context_end (context);
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *acquire_from_thread (void *context)
{
    return (void *) (uintptr_t) eddy_context_acquire (context);
}

EDDY_TEST (L17_context_has_one_owner)
{
    EddyContext *context = eddy_test_context_begin ();
    pthread_t thread;
    void *acquired = NULL;
    ck_assert (eddy_context_is_owner (context));
    pthread_create (&thread, NULL, acquire_from_thread, context);
    pthread_join (thread, &acquired);
    ck_assert_ptr_null (acquired);
    eddy_context_iteration (context, false);
    ck_assert (eddy_context_acquire (context));
    eddy_context_release (context);
    ck_assert (eddy_context_is_owner (context));
    eddy_test_context_end (context);
}

/* It lives as long as the process, and keeps its fd: so in a process of its own. */
EDDY_TEST (L20_default_context_is_one)
{
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        EddyContext *context = eddy_context_ref_thread_default ();
        bool same = context == eddy_context_default () && context == eddy_context_default ();
        eddy_unref (context);
        _exit (same && !eddy_context_iteration (NULL, false) ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (status, 0);
}

static void *run_in_thread (void *data)
{
    EddyContext *context = data;
    record.length = 0;
    ck_assert (eddy_context_push_thread_default (context));
    EddySource *source = attach (eddy_idle_source_new (), 0, record_once, "t");
    ck_assert (eddy_context_iteration (context, true));
    drop (source);
    eddy_context_pop_thread_default (context);
    return NULL;
}

EDDY_TEST (L17_context_moves_to_another_thread)
{
    EddyContext *context = eddy_context_new ();
    pthread_t thread;
    run_in_thread (context);
    pthread_create (&thread, NULL, run_in_thread, context);
    pthread_join (thread, NULL);
    run_in_thread (context);
    eddy_unref (context);
}

static void *attach_from_thread (void *context)
{
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_once, "f", NULL);
    ck_assert (eddy_source_attach (source, context));
    eddy_unref (source);
    source = eddy_timeout_source_new (0);
    eddy_source_set_callback (source, record_once, "g", NULL);
    ck_assert (eddy_source_attach (source, context));
    eddy_source_destroy (source);
    eddy_unref (source);
    return NULL;
}

EDDY_TEST (L26_attach_and_destroy_from_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    pthread_t thread;
    pthread_create (&thread, NULL, attach_from_thread, context);
    while (record.length == 0)
        eddy_context_iteration (context, true);
    pthread_join (thread, NULL);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_str_eq (record.text, "f");
    eddy_test_context_end (context);
}

/* --- signals ---------------------------------------------------------------------------------- */

static int former_calls;

static void former_handler (int number)
{
    (void) number;
    former_calls++;
}

EDDY_TEST (L51_signal_is_told_once_and_its_handler_comes_back)
{
    EddyContext *context = eddy_test_context_begin ();
    signal (SIGUSR1, former_handler);
    EddySource *first = attach (eddy_signal_source_new (SIGUSR1), 0, record_again, "1");
    EddySource *second = attach (eddy_signal_source_new (SIGUSR1), 0, record_again, "2");
    raise (SIGUSR1);
    raise (SIGUSR1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "12");
    drop (first);
    raise (SIGUSR1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_str_eq (record.text, "122");
    ck_assert_int_eq (former_calls, 0);
    drop (second);
    raise (SIGUSR1);
    ck_assert_int_eq (former_calls, 1);
    eddy_test_context_end (context);
}

EDDY_TEST (L51_signal_that_cannot_be_watched)
{
    EddyContext *context = eddy_test_context_begin ();
    int numbers[] = { 0, -1, 4000, SIGKILL, SIGSEGV };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        EddySource *source = eddy_signal_source_new (numbers[i]);
        if (source != NULL)
            ck_assert (!eddy_source_attach (source, context));
        eddy_unref (source);
    }
    eddy_context_iteration (context, false);
    eddy_test_context_end (context);
}

static void *signal_the_process (void *data)
{
    (void) data;
    kill (getpid (), SIGUSR2);
    return NULL;
}

EDDY_TEST (L51_signal_wakes_a_sleeping_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = attach (eddy_signal_source_new (SIGUSR2), 0, record_again, "s");
    pthread_t thread;
    pthread_create (&thread, NULL, signal_the_process, NULL);
    while (record.length == 0)
        eddy_context_iteration (context, true);
    pthread_join (thread, NULL);
    drop (source);
    eddy_test_context_end (context);
}

/* --- fork ------------------------------------------------------------------------------------- */

static void *read_in_child (void *data, EddyError **error)
{
    char byte;
    int *fd = data;
    eddy_fd_read (*fd, &byte, 1, 0, NULL, error);
    return NULL;
}

EDDY_TEST (L54_child_of_a_fork_gets_an_error)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_context_iteration (context, false);
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        EddyError *error = NULL;
        eddy_log_set_handler (NULL, NULL);
        EddyContext *own = eddy_context_new ();
        int fd = 0;
        EddyFuture *fiber = eddy_spawn (own, read_in_child, &fd, NULL);
        bool done = eddy_block_on_complete (own, fiber, &error);
        _exit (!done && eddy_error_get_errno (error) == ECHILD ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (status, 0);
    eddy_test_context_end (context);
}
