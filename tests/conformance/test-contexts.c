/* SPDX-License-Identifier: MIT */
/*
 * Contexts and what is attached to them: ids, passes by hand, invocations, threads.
 * A test that holds Eddy to a point of GLib's contract begins with the point's number.
 */
#include "sources.h"

/* --- ids, names, priorities ------------------------------------------------------------------- */

EDDY_TEST (L24_ids_are_never_used_again)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_again, "x", NULL);
    ck_assert_uint_eq (eddy_source_get_id (source), 0);
    ck_assert_ptr_null (eddy_source_get_context (source));
    uint64_t id = eddy_source_attach (source, context);
    ck_assert_uint_ne (id, 0);
    ck_assert_uint_eq (eddy_source_get_id (source), id);
    ck_assert_ptr_eq (eddy_source_get_context (source), context);
    EddySource *found = eddy_context_find_source_by_id (context, id);
    ck_assert_ptr_eq (found, source);
    eddy_unref (found);
    found = eddy_context_find_source_by_user_data (context, "x");
    eddy_unref (found);
    eddy_source_destroy (source);
    ck_assert_ptr_null (eddy_context_find_source_by_id (context, id));
    eddy_unref (source);
    uint64_t next = eddy_idle_add (record_again, "y");
    ck_assert_uint_ne (next, id);
    ck_assert_ptr_null (eddy_context_find_source_by_id (context, id));
    ck_assert (eddy_source_remove (next));
    ck_assert_ptr_null (eddy_context_find_source_by_user_data (context, &context));
    ck_assert (!eddy_source_remove_by_user_data (&context));
    eddy_log_set_handler (count_message, NULL);
    ck_assert (!eddy_source_remove (next));
    eddy_log_set_handler (NULL, NULL);
    ck_assert_int_eq (n_messages, 1);
    iterate (context);
    eddy_test_context_end (context);
}

EDDY_TEST (L25_source_is_attached_once)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_idle_source_new ();
    eddy_log_set_handler (count_message, NULL);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    ck_assert_uint_eq (eddy_source_attach (source, context), 0);
    drop (source);
    source = eddy_idle_source_new ();
    eddy_source_destroy (source);
    ck_assert_uint_eq (eddy_source_attach (source, context), 0);
    eddy_unref (source);
    eddy_log_set_handler (NULL, NULL);
    ck_assert_int_eq (n_messages, 2);
    iterate (context);
    eddy_test_context_end (context);
}

EDDY_TEST (L3_priority_is_changed_while_attached)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *sources[3];
    const char *letters[] = { "a", "b", "c" };
    for (int i = 0; i < 3; i++) {
        sources[i] = eddy_idle_source_new ();
        eddy_source_set_callback (sources[i], record_once, (void *) (uintptr_t) letters[i], NULL);
        eddy_source_attach (sources[i], context);
    }
    eddy_source_set_priority (sources[0], EDDY_PRIORITY_LOW);
    eddy_source_set_priority (sources[2], EDDY_PRIORITY_HIGH);
    ck_assert_int_eq (eddy_source_get_priority (sources[2]), EDDY_PRIORITY_HIGH);
    while (iterate (context))
        ;
    ck_assert_str_eq (record.text, "cba");
    for (int i = 0; i < 3; i++)
        eddy_unref (sources[i]);
    eddy_test_context_end (context);
}

EDDY_TEST (L24_source_has_a_name)
{
    EddySource *source = eddy_idle_source_new ();
    char name[] = "dynamic";
    ck_assert_ptr_null (eddy_source_get_name (source));
    eddy_source_set_name (source, name);
    name[0] = 'D';
    ck_assert_str_eq (eddy_source_get_name (source), "dynamic");
    eddy_source_set_static_name (source, name);
    ck_assert_ptr_eq (eddy_source_get_name (source), name);
    eddy_source_set_name (source, NULL);
    ck_assert_ptr_null (eddy_source_get_name (source));
    eddy_source_set_name (source, "again");
    eddy_unref (source);
}

EDDY_TEST (L21_sources_in_a_line)
{
    EddyContext *context = eddy_test_context_begin ();
    int dropped = 0;
    eddy_idle_add_once (record_only, "1");
    eddy_idle_add_full (EDDY_PRIORITY_HIGH, record_once, "0", NULL);
    eddy_timeout_add (0, record_once, "t");
    eddy_timeout_add_once (0, record_only, "u");
    eddy_timeout_add_full (EDDY_PRIORITY_LOW, 0, record_once, "v", NULL);
    uint64_t signal_id = eddy_signal_add (SIGUSR1, record_once, "s");
    ck_assert_uint_ne (signal_id, 0);
    ck_assert_uint_eq (eddy_signal_add (SIGKILL, record_once, "k"), 0);
    raise (SIGUSR1);
    while (iterate (context))
        ;
    ck_assert_uint_eq (record.length, 6);
    ck_assert_ptr_nonnull (strchr (record.text, 's'));
    ck_assert_int_eq (record.text[0], '0');
    uint64_t id = eddy_idle_add_full (0, record_once, &dropped, count_up);
    ck_assert (eddy_source_remove (id));
    ck_assert_int_eq (dropped, 1);
    eddy_test_context_end (context);
}

/* --- the context ------------------------------------------------------------------------------ */

EDDY_TEST (L20_thread_default)
{
    ck_assert_ptr_null (eddy_context_get_thread_default ());
    EddyContext *context = eddy_test_context_begin ();
    ck_assert_ptr_eq (eddy_context_get_thread_default (), context);
    iterate (context);
    eddy_test_context_end (context);
    ck_assert_ptr_null (eddy_context_get_thread_default ());
}

EDDY_TEST (L5_pass_by_hand)
{
    EddyContext *context = eddy_test_context_begin ();
    struct pollfd fds[1];
    Pipe pair;
    int priority = 0;
    int64_t timeout_ns = 0;
    pipe_open (&pair);
    ck_assert (!eddy_context_prepare (context, &priority));
    ck_assert_int_eq (priority, INT_MAX);
    EddySource *timer = own_letter ("t");
    eddy_source_attach (timer, context);
    eddy_source_set_ready_time (timer, eddy_get_monotonic_time_ns () + 1000000);
    ck_assert (!eddy_context_prepare (context, NULL));
    int n = eddy_context_query (context, priority, &timeout_ns, fds, 1);
    ck_assert_int_ge (timeout_ns, 0);
    ck_assert_int_le (timeout_ns, 1000000);
    eddy_fd_add (pair.fds[0], POLLIN, pipe_ready, &pair);
    pipe_put (&pair, 1);
    while (pair.calls == 0 || record.length == 0) {
        eddy_context_prepare (context, &priority);
        n = eddy_context_query (context, priority, &timeout_ns, fds, 1);
        struct timespec time = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
        ppoll (fds, (nfds_t) n, timeout_ns < 0 ? NULL : &time, NULL);
        if (eddy_context_check (context, priority, fds, n))
            eddy_context_dispatch (context);
    }
    drop (timer);
    eddy_source_remove_by_user_data (&pair);
    pipe_close (&pair);
    eddy_test_context_end (context);
}

EDDY_TEST (L7_pending_dispatches_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    ck_assert (!eddy_context_pending (context));
    uint64_t id = eddy_idle_add (record_again, "x");
    ck_assert (eddy_context_pending (context));
    ck_assert_str_eq (record.text, "");
    eddy_source_remove (id);
    ck_assert (!eddy_context_pending (context));
    eddy_test_context_end (context);
}

static void post_run (EddyPost *post)
{
    record_letter ((char) ('0' + post->priority));
}

static void *post_from_thread (void *data)
{
    void **arguments = data;
    ck_assert (eddy_context_post (arguments[0], arguments[1]));
    return NULL;
}

EDDY_TEST (D_post_runs_in_the_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyPost posts[3] = { { .run = post_run, .priority = 1 },
                          { .run = post_run, .priority = 0 },
                          { .run = post_run, .priority = 2 } };
    void *arguments[] = { context, &posts[2] };
    pthread_t thread;
    ck_assert (eddy_context_post (context, &posts[0]));
    ck_assert (eddy_context_post (context, &posts[1]));
    pthread_create (&thread, NULL, post_from_thread, arguments);
    while (record.length < 3)
        eddy_context_iteration (context, true);
    pthread_join (thread, NULL);
    ck_assert_ptr_nonnull (strstr (record.text, "0"));
    ck_assert (strchr (record.text, '0') < strchr (record.text, '1'));
    eddy_test_context_end (context);
}

static bool invoked_again (void *count)
{
    return ++*(int *) count < 3;
}

EDDY_TEST (L22_invoke_full)
{
    EddyContext *context = eddy_test_context_begin ();
    int count = 0;
    eddy_idle_add_full (EDDY_PRIORITY_DEFAULT, record_once, "d", NULL);
    eddy_context_invoke_full (context, EDDY_PRIORITY_LOW, invoked_again, &count, count_up);
    ck_assert (iterate (context));
    ck_assert_int_eq (count, 0);
    ck_assert (iterate (context));
    ck_assert_int_eq (count, 4);
    eddy_context_invoke_full (context, EDDY_PRIORITY_LOW, invoked_again, &count, count_up);
    eddy_test_context_end (context); /* dropped uncalled */
    ck_assert_int_eq (count, 5);
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *run_loop (void *loop)
{
    eddy_main_loop_run (loop);
    return NULL;
}

static bool quit_this (void *loop)
{
    record_letter ('q');
    eddy_main_loop_quit (loop);
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L14_run_waits_for_the_context)
{
    EddyContext *context = eddy_context_new ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    pthread_t thread;
    ck_assert_ptr_eq (eddy_main_loop_get_context (loop), context);
    ck_assert (eddy_context_acquire (context));
    pthread_create (&thread, NULL, run_loop, loop);
    while (!eddy_main_loop_is_running (loop))
        sched_yield ();
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, quit_this, loop, NULL);
    eddy_source_attach (source, context);
    ck_assert_str_eq (record.text, "");
    eddy_context_release (context);
    pthread_join (thread, NULL);
    ck_assert_str_eq (record.text, "q");
    eddy_unref (source);
    eddy_unref (loop);
    eddy_unref (context);
}

EDDY_TEST (L13_quit_ends_a_run_that_waits_for_the_context)
{
    EddyContext *context = eddy_context_new ();
    EddyMainLoop *loop = eddy_main_loop_new (context);
    pthread_t thread;
    ck_assert (eddy_context_acquire (context));
    pthread_create (&thread, NULL, run_loop, loop);
    while (!eddy_main_loop_is_running (loop))
        sched_yield ();
    eddy_main_loop_quit (loop);
    pthread_join (thread, NULL);
    ck_assert (!eddy_main_loop_is_running (loop));
    eddy_context_release (context);
    eddy_unref (loop);
    eddy_unref (context);
}

EDDY_TEST (L31_source_of_a_context_that_nobody_has_goes_at_once)
{
    EddyContext *context = eddy_context_new ();
    int finalized = 0, dropped = 0;
    EddySource *source = own_new (&own_funcs);
    ((Own *) eddy_source_get_data (source))->finalized = &finalized;
    eddy_source_set_callback (source, record_once, &dropped, count_up);
    eddy_source_attach (source, context);
    eddy_source_set_priority (source, 3);
    eddy_source_set_ready_time (source, 0);
    eddy_source_destroy (source);
    ck_assert_int_eq (dropped, 1);
    eddy_unref (source);
    ck_assert_int_eq (finalized, 1);
    eddy_unref (context);
}

enum { THREADS = 4, ROUNDS = 5000 };

static void *attach_and_remove (void *data)
{
    EddyContext *context = data;
    EddySource *kept[8] = { NULL };
    unsigned rounds = eddy_test_sanitized () ? ROUNDS / 10 : ROUNDS;
    for (unsigned i = 0; i < rounds; i++) {
        EddySource *source = i % 2 == 0 ? eddy_idle_source_new () : eddy_timeout_source_new (1000);
        eddy_source_set_dummy_callback (source);
        uint64_t id = eddy_source_attach (source, context);
        ck_assert_uint_ne (id, 0);
        EddySource *found = eddy_context_find_source_by_id (context, id);
        ck_assert_ptr_eq (found, source);
        eddy_source_set_ready_time (found, i % 3 == 0 ? -1 : 0);
        eddy_unref (found);
        EddySource **place = &kept[i % 8];
        if (*place != NULL)
            drop (*place);
        *place = source;
    }
    for (int i = 0; i < 8; i++)
        if (kept[i] != NULL)
            drop (kept[i]);
    eddy_context_wakeup (context);
    return NULL;
}

EDDY_TEST (L53_many_sources_from_many_threads)
{
    EddyContext *context = eddy_test_context_begin ();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create (&threads[i], NULL, attach_and_remove, context);
    for (int i = 0; i < THREADS; i++) {
        while (pthread_tryjoin_np (threads[i], NULL) != 0)
            for (int j = 0; j < 100; j++)
                iterate (context);
    }
    while (iterate (context))
        ;
    eddy_test_context_end (context);
}

EDDY_TEST (L53_many_sources)
{
    enum { N = 20000 };
    EddyContext *context = eddy_test_context_begin ();
    uint64_t *ids = malloc (N * sizeof *ids);
    for (int i = 0; i < N; i++)
        ids[i] = eddy_idle_add_full (i % 7, record_again, ids + i, NULL);
    for (int i = 0; i < N; i++)
        ck_assert (eddy_source_remove (ids[(i * 7919) % N]));
    ck_assert (!iterate (context));
    free (ids);
    eddy_test_context_end (context);
}

static void *destroy_all (void *data)
{
    EddySource **sources = data;
    for (int i = 0; sources[i] != NULL; i++)
        drop (sources[i]);
    return NULL;
}

EDDY_TEST (L35_context_freed_while_others_destroy_its_sources)
{
    for (int round = 0; round < 50; round++) {
        EddyContext *context = eddy_context_new ();
        EddySource *sources[41] = { NULL };
        pthread_t thread;
        for (int i = 0; i < 40; i++) {
            sources[i] = i % 2 == 0 ? eddy_idle_source_new () : eddy_timeout_source_new (1000);
            eddy_source_set_dummy_callback (sources[i]);
            eddy_source_attach (sources[i], context);
        }
        if (round % 2 == 0)
            iterate (context);
        pthread_create (&thread, NULL, destroy_all, sources);
        eddy_unref (context);
        pthread_join (thread, NULL);
    }
}
