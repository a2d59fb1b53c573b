/* SPDX-License-Identifier: MIT */
/* EddyMainLoop: run and quit, in callbacks and from threads, and who may run. */
#include "loop.h"

static bool quit_loop (void *loop)
{
    ck_assert (eddy_main_loop_is_running (loop));
    eddy_main_loop_quit (loop);
    record_letter ("q");
    return EDDY_SOURCE_REMOVE;
}

/* --- L11: quit first -------------------------------------------------------------------------- */

EDDY_TEST (L11_quit_before_run_ends_the_next_run)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    ck_assert_ptr_eq (eddy_main_loop_get_context (loop), context);
    eddy_main_loop_quit (loop);
    eddy_main_loop_run (loop);
    ck_assert (!eddy_main_loop_is_running (loop));
    eddy_context_iteration (context, false);
    eddy_unref (loop);
    eddy_test_context_end (context);
}

/* It ends that one run, and only once. */
EDDY_TEST (L11_run_after_the_ended_one_is_whole)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    eddy_main_loop_quit (loop);
    eddy_main_loop_quit (loop);
    eddy_main_loop_run (loop);
    ck_assert_uint_eq (record.length, 0);
    for (size_t i = 1; i <= 3; i++) {
        eddy_unref (loop_attach (eddy_idle_source_new (), 0, quit_loop, loop));
        eddy_main_loop_run (loop);
        ck_assert_uint_eq (record.length, i);
        ck_assert (!eddy_main_loop_is_running (loop));
    }
    eddy_unref (loop);
    eddy_test_context_end (context);
}

/* --- L12, L13: quit in a callback and from elsewhere ------------------------------------------ */

EDDY_TEST (L12_rest_of_the_pass_runs_after_quit)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    EddySource *sources[] = {
        loop_attach (eddy_idle_source_new (), 0, record_again, "a"),
        loop_attach (eddy_idle_source_new (), 0, quit_loop, loop),
        loop_attach (eddy_idle_source_new (), 0, record_again, "b"),
        loop_attach (eddy_idle_source_new (), 1, record_again, "n"),
    };
    eddy_main_loop_run (loop);
    ck_assert_str_eq (record.text, "aqb");
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        loop_drop (sources[i]);
    eddy_unref (loop);
    eddy_test_context_end (context);
}

typedef struct Queued {
    EddyMainLoop *loop;
    pid_t waits; /* the thread to wait for */
    atomic_int thread;
    pthread_t dispatched_on;
    sem_t began;
} Queued;

static void *quit_from_thread (void *data)
{
    Queued *queued = data;
    loop_wait_asleep (queued->waits);
    eddy_main_loop_quit (queued->loop);
    return NULL;
}

EDDY_TEST (L13_quit_wakes_the_run)
{
    EddyContext *context = eddy_test_context_begin ();
    Queued queued = { .loop = eddy_main_loop_new (context), .waits = gettid () };
    for (int i = 0; i < 20; i++) {
        pthread_t thread = loop_thread (quit_from_thread, &queued);
        eddy_main_loop_run (queued.loop);
        loop_join (thread);
        ck_assert (!eddy_main_loop_is_running (queued.loop));
    }
    eddy_unref (queued.loop);
    eddy_test_context_end (context);
}

static void *quit_at_any_time (void *loop)
{
    eddy_main_loop_quit (loop);
    return NULL;
}

/* Whenever it comes, before the run or in it, no quit is lost. */
EDDY_TEST (L13_quit_is_never_lost)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    for (int i = 0; i < (eddy_test_sanitized () ? 100 : 500); i++) {
        pthread_t thread = loop_thread (quit_at_any_time, loop);
        eddy_main_loop_run (loop);
        loop_join (thread);
    }
    eddy_unref (loop);
    eddy_test_context_end (context);
}

static void *run_queued (void *data)
{
    Queued *queued = data;
    atomic_store (&queued->thread, gettid ());
    sem_post (&queued->began);
    eddy_main_loop_run (queued->loop);
    ck_assert (!eddy_context_is_owner (eddy_main_loop_get_context (queued->loop)));
    return NULL;
}

static pthread_t begin_queued (Queued *queued)
{
    sem_init (&queued->began, 0, 0);
    pthread_t thread = loop_thread (run_queued, queued);
    loop_sem_wait (&queued->began);
    loop_wait_asleep (atomic_load (&queued->thread));
    return thread;
}

/* A run that waits for another thread to give the context up ends by quit, too. */
EDDY_TEST (L13_quit_ends_a_run_in_the_queue)
{
    EddyContext *context = eddy_test_context_begin ();
    Queued queued = { .loop = eddy_main_loop_new (context) };
    EddySource *source = loop_attach (eddy_idle_source_new (), 0, record_once, "i");
    pthread_t thread = begin_queued (&queued);
    ck_assert (eddy_context_is_owner (context));
    eddy_main_loop_quit (queued.loop);
    loop_join (thread);
    ck_assert_uint_eq (record.length, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "i");
    loop_drop (source);
    eddy_unref (queued.loop);
    eddy_test_context_end (context);
}

/* --- L14: ownership --------------------------------------------------------------------------- */

static bool note_and_quit (void *data)
{
    Queued *queued = data;
    queued->dispatched_on = pthread_self ();
    eddy_main_loop_quit (queued->loop);
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L14_run_waits_for_the_owner_then_takes_over)
{
    EddyContext *context = eddy_context_new ();
    Queued queued = { .loop = eddy_main_loop_new (context) };
    ck_assert (eddy_context_acquire (context));
    pthread_t thread = begin_queued (&queued);
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, note_and_quit, &queued, NULL);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    queued.dispatched_on = pthread_self ();
    eddy_context_release (context);
    loop_join (thread);
    ck_assert (pthread_equal (queued.dispatched_on, thread));
    ck_assert (eddy_source_is_destroyed (source));
    eddy_unref (source);
    eddy_unref (queued.loop);
    eddy_unref (context);
}

/* Several wait; each gets its turn when the one before it has quit. */
EDDY_TEST (L14_queued_runs_follow_each_other)
{
    enum { RUNS = 4 };
    EddyContext *context = eddy_context_new ();
    Queued queued[RUNS];
    pthread_t threads[RUNS];
    memset (queued, 0, sizeof queued);
    ck_assert (eddy_context_acquire (context));
    for (int i = 0; i < RUNS; i++) {
        queued[i].loop = eddy_main_loop_new (context);
        threads[i] = begin_queued (&queued[i]);
    }
    eddy_context_release (context);
    for (int i = RUNS - 1; i >= 0; i--) {
        eddy_main_loop_quit (queued[i].loop);
        loop_join (threads[i]);
        eddy_unref (queued[i].loop);
    }
    ck_assert (eddy_context_acquire (context));
    eddy_context_release (context);
    eddy_unref (context);
}

static bool run_nested (void *data)
{
    EddyMainLoop *loop = eddy_main_loop_new (data);
    record_letter ("(");
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, quit_loop, loop));
    eddy_main_loop_run (loop);
    record_letter (")");
    eddy_unref (loop);
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L14_run_inside_a_run_of_the_owner)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, run_nested, context));
    eddy_unref (loop_attach (eddy_idle_source_new (), 1, quit_loop, loop));
    eddy_main_loop_run (loop);
    ck_assert_str_eq (record.text, "(q)q");
    eddy_unref (loop);
    eddy_test_context_end (context);
}

/* --- L15: no run inside prepare and check ----------------------------------------------------- */

static bool in_prepare;

static void iterate_in_hook (EddySource *source)
{
    EddyContext *context = eddy_source_get_context (source);
    EddyMainLoop *loop = eddy_main_loop_new (context);
    ck_assert (!eddy_context_iteration (context, true));
    ck_assert_int_ge (loop_count_messages (), 1);
    eddy_main_loop_run (loop);
    ck_assert_int_ge (loop_count_messages (), 1);
    eddy_unref (loop);
    record_letter ("h");
}

static bool hook_prepare (EddySource *source, int64_t *timeout_ns)
{
    *timeout_ns = 0;
    if (in_prepare)
        iterate_in_hook (source);
    return false;
}

static bool hook_check (EddySource *source)
{
    if (!in_prepare)
        iterate_in_hook (source);
    return false;
}

static bool hook_dispatch (EddySource *source, EddySourceFunc callback, void *data)
{
    (void) source, (void) callback, (void) data;
    return EDDY_SOURCE_CONTINUE;
}

static const EddySourceFuncs hook_funcs = { .prepare = hook_prepare,
                                            .check = hook_check,
                                            .dispatch = hook_dispatch };

static void expect_refusal (void)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_source_new (&hook_funcs, 0);
    EddySource *idle = loop_attach (eddy_idle_source_new (), 0, record_once, "i");
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    loop_catch_messages ();
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "hi");
    loop_drop (idle);
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L15_iteration_inside_prepare_is_refused)
{
    in_prepare = true;
    expect_refusal ();
}

EDDY_TEST (L15_iteration_inside_check_is_refused)
{
    in_prepare = false;
    expect_refusal ();
}

/* --- L16: life -------------------------------------------------------------------------------- */

static bool quit_and_drop (void *data)
{
    EddyMainLoop **loop = data;
    eddy_main_loop_quit (*loop);
    eddy_clear (loop);
    record_letter ("d");
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L16_run_keeps_its_loop_alive)
{
    EddyContext *context = eddy_context_new ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, quit_and_drop, &loop, NULL);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    eddy_unref (source);
    /* The loop has the last reference to the context. */
    eddy_unref (context);
    eddy_main_loop_run (loop);
    ck_assert_ptr_null (loop);
    ck_assert_str_eq (record.text, "d");
}
