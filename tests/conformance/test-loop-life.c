/* SPDX-License-Identifier: MIT */
/* A source's life: attach, find, destroy, in order and from other threads. */
#include "loop.h"

static int compare_ids (const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *) left, b = *(const uint64_t *) right;
    return a < b ? -1 : a > b;
}

/* --- L24, L25: attach ------------------------------------------------------------------------- */

/* Each id differs from all before it, whether their sources live on or not. */
EDDY_TEST (L24_ids_are_never_used_again)
{
    enum { N = 2000 };
    EddyContext *context = eddy_context_new ();
    EddySource *kept[N];
    uint64_t ids[N];
    for (int i = 0; i < N; i++) {
        EddySource *source = eddy_idle_source_new ();
        ids[i] = eddy_source_attach (source, context);
        ck_assert_uint_ne (ids[i], 0);
        ck_assert_uint_eq (eddy_source_get_id (source), ids[i]);
        kept[i] = i % 3 == 0 ? source : NULL;
        if (kept[i] == NULL)
            loop_drop (source);
    }
    qsort (ids, N, sizeof ids[0], compare_ids);
    for (int i = 1; i < N; i++)
        ck_assert_uint_ne (ids[i], ids[i - 1]);
    for (int i = 0; i < N; i++)
        if (kept[i] != NULL)
            loop_drop (kept[i]);
    eddy_unref (context);
}

EDDY_TEST (L24_context_keeps_its_sources)
{
    EddyContext *context = eddy_test_context_begin ();
    uint64_t id = eddy_idle_add (record_again, "i");
    EddySource *found = eddy_context_find_source_by_id (context, id);
    ck_assert_ptr_nonnull (found);
    eddy_unref (found);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "ii");
    ck_assert (eddy_source_remove (id));
    ck_assert (!eddy_context_iteration (context, false));
    eddy_test_context_end (context);
}

EDDY_TEST (L25_source_is_attached_once)
{
    EddyContext *context = eddy_test_context_begin (), *other = eddy_context_new ();
    EddySource *source = eddy_idle_source_new ();
    ck_assert_ptr_null (eddy_source_get_context (source));
    eddy_source_set_callback (source, record_once, "i", NULL);
    uint64_t id = eddy_source_attach (source, context);
    ck_assert_uint_ne (id, 0);
    loop_catch_messages ();
    ck_assert_uint_eq (eddy_source_attach (source, context), 0);
    ck_assert_uint_eq (eddy_source_attach (source, other), 0);
    ck_assert_int_eq (loop_count_messages (), 2);
    ck_assert_ptr_eq (eddy_source_get_context (source), context);
    ck_assert_uint_eq (eddy_source_get_id (source), id);
    ck_assert (!eddy_context_iteration (other, false));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "i");
    eddy_unref (source);
    eddy_unref (other);
    eddy_test_context_end (context);
}

EDDY_TEST (L25_destroyed_source_is_not_attached)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_once, "i", NULL);
    eddy_source_destroy (source);
    loop_catch_messages ();
    ck_assert_uint_eq (eddy_source_attach (source, context), 0);
    ck_assert (!eddy_context_iteration (context, false));
    eddy_unref (source);
    source = loop_attach (eddy_idle_source_new (), 0, record_once, "j");
    eddy_source_destroy (source);
    ck_assert_uint_eq (eddy_source_attach (source, context), 0);
    ck_assert (!eddy_context_iteration (context, false));
    eddy_unref (source);
    eddy_test_context_end (context);
}

/* --- L26: from other threads ------------------------------------------------------------------ */

typedef struct Attaching {
    EddyContext *context;
    pid_t thread;
} Attaching;

static void *attach_while_it_sleeps (void *data)
{
    Attaching *attaching = data;
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_once, "f", NULL);
    loop_wait_asleep (attaching->thread);
    ck_assert_uint_ne (eddy_source_attach (source, attaching->context), 0);
    eddy_unref (source);
    source = eddy_timeout_source_new (0);
    eddy_source_set_callback (source, record_once, "g", NULL);
    ck_assert_uint_ne (eddy_source_attach (source, attaching->context), 0);
    eddy_source_destroy (source);
    eddy_unref (source);
    return NULL;
}

EDDY_TEST (L26_attach_wakes_the_owner)
{
    EddyContext *context = eddy_test_context_begin ();
    Attaching attaching = { context, gettid () };
    EddySource *far = loop_attach (eddy_timeout_source_new (INT64_MAX), 0, record_once, "n");
    for (size_t i = 1; i <= 10; i++) {
        pthread_t thread = loop_thread (attach_while_it_sleeps, &attaching);
        loop_run_until (context, i);
        loop_join (thread);
    }
    loop_drain (context);
    ck_assert_str_eq (record.text, "ffffffffff");
    loop_drop (far);
    eddy_test_context_end (context);
}

static void *attach_a_nearer_deadline (void *data)
{
    Attaching *attaching = data;
    EddySource *source = eddy_timeout_source_new (LOOP_MS);
    eddy_source_set_callback (source, record_once, "t", NULL);
    loop_wait_asleep (attaching->thread);
    ck_assert_uint_ne (eddy_source_attach (source, attaching->context), 0);
    eddy_unref (source);
    return NULL;
}

EDDY_TEST (L26_nearer_deadline_shortens_the_wait)
{
    EddyContext *context = eddy_test_context_begin ();
    Attaching attaching = { context, gettid () };
    EddySource *far = loop_attach (eddy_timeout_source_new (INT64_MAX), 0, record_once, "n");
    pthread_t thread = loop_thread (attach_a_nearer_deadline, &attaching);
    loop_run_until (context, 1);
    loop_join (thread);
    ck_assert_str_eq (record.text, "t");
    loop_drop (far);
    eddy_test_context_end (context);
}

/* --- L27 to L30: destroy ---------------------------------------------------------------------- */

EDDY_TEST (L27_destroy_is_final_and_may_be_repeated)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_name (source, "victim");
    eddy_source_set_callback (source, record_once, "d", record_destroy);
    uint64_t id = eddy_source_attach (source, context);
    ck_assert (!eddy_source_is_destroyed (source));
    for (int i = 0; i < 3; i++) {
        eddy_source_destroy (source);
        ck_assert (eddy_source_is_destroyed (source));
        ck_assert_ptr_null (eddy_context_find_source_by_id (context, id));
        ck_assert_ptr_null (eddy_context_find_source_by_user_data (context, "d"));
    }
    ck_assert (!eddy_context_iteration (context, false));
    /* The data were destroyed once; the caller's reference is as good as before. */
    ck_assert_str_eq (record.text, "d");
    ck_assert_str_eq (eddy_source_get_name (source), "victim");
    ck_assert_uint_eq (eddy_source_get_id (source), id);
    eddy_unref (source);
    eddy_test_context_end (context);
}

static void *destroy_from_thread (void *source)
{
    eddy_source_destroy (source);
    eddy_source_destroy (source);
    ck_assert (eddy_source_is_destroyed (source));
    return NULL;
}

EDDY_TEST (L27_destroy_from_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *idle = loop_attach (eddy_idle_source_new (), 0, record_again, "i");
    EddySource *timer = loop_attach (eddy_timeout_source_new (0), 0, record_again, "t");
    ck_assert (eddy_context_iteration (context, false));
    record_clear ();
    loop_elsewhere (destroy_from_thread, idle);
    loop_elsewhere (destroy_from_thread, timer);
    ck_assert_ptr_null (eddy_context_find_source_by_id (context, eddy_source_get_id (idle)));
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_uint_eq (record.length, 0);
    eddy_unref (idle);
    eddy_unref (timer);
    eddy_test_context_end (context);
}

typedef struct Running {
    EddySource *source;
    sem_t entered;
    sem_t destroyed;
    int data_destroyed;
    int calls;
} Running;

static void *destroy_the_running (void *data)
{
    Running *running = data;
    loop_sem_wait (&running->entered);
    eddy_source_destroy (running->source);
    sem_post (&running->destroyed);
    return NULL;
}

static bool wait_for_own_end (void *data)
{
    Running *running = data;
    running->calls++;
    sem_post (&running->entered);
    loop_sem_wait (&running->destroyed);
    ck_assert (eddy_source_is_destroyed (running->source));
    ck_assert_int_eq (running->data_destroyed, 0);
    return EDDY_SOURCE_CONTINUE;
}

static void note_data_destroyed (void *data)
{
    ((Running *) data)->data_destroyed++;
}

/* Did destroy wait for the callback, which waits for it, this would hang. */
EDDY_TEST (L28_destroy_does_not_wait_for_the_dispatch)
{
    EddyContext *context = eddy_test_context_begin ();
    Running running = { .source = eddy_idle_source_new () };
    sem_init (&running.entered, 0, 0);
    sem_init (&running.destroyed, 0, 0);
    eddy_source_set_callback (running.source, wait_for_own_end, &running, note_data_destroyed);
    ck_assert_uint_ne (eddy_source_attach (running.source, context), 0);
    pthread_t thread = loop_thread (destroy_the_running, &running);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_eq (running.data_destroyed, 1);
    loop_join (thread);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (running.calls, 1);
    eddy_unref (running.source);
    eddy_test_context_end (context);
}

static bool destroy_source (void *source)
{
    eddy_source_destroy (source);
    record_letter ("d");
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L29_destroyed_in_the_same_pass_is_not_dispatched)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *victim = eddy_idle_source_new ();
    EddySource *killer = loop_attach (eddy_idle_source_new (), 0, destroy_source, victim);
    loop_attach (victim, 0, record_once, "v");
    EddySource *third = loop_attach (eddy_idle_source_new (), 0, record_once, "t");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "dt");
    ck_assert (eddy_source_is_destroyed (victim));
    eddy_unref (victim);
    loop_drop (killer);
    loop_drop (third);
    eddy_test_context_end (context);
}

static bool destroy_source_elsewhere (void *source)
{
    loop_elsewhere (destroy_from_thread, source);
    record_letter ("d");
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L29_destroyed_meanwhile_by_another_thread_is_not_dispatched)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *victims[] = { eddy_idle_source_new (), eddy_timeout_source_new (0) };
    for (int i = 0; i < 2; i++)
        eddy_unref (loop_attach (eddy_idle_source_new (), 0, destroy_source_elsewhere, victims[i]));
    for (int i = 0; i < 2; i++)
        loop_attach (victims[i], 0, record_once, "v");
    ck_assert (eddy_context_iteration (context, false));
    loop_drain (context);
    ck_assert_str_eq (record.text, "dd");
    eddy_unref (victims[0]);
    eddy_unref (victims[1]);
    eddy_test_context_end (context);
}

static bool destroy_self (void *letter)
{
    record_letter (letter);
    eddy_source_destroy (eddy_main_current_source ());
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L30_return_value_decides)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *once = loop_attach (eddy_idle_source_new (), 0, record_once, "o");
    EddySource *again = loop_attach (eddy_idle_source_new (), 0, record_again, "a");
    EddySource *self = loop_attach (eddy_idle_source_new (), 0, destroy_self, "s");
    for (int i = 0; i < 3; i++)
        ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "oasaa");
    ck_assert (eddy_source_is_destroyed (once));
    ck_assert (eddy_source_is_destroyed (self));
    ck_assert (!eddy_source_is_destroyed (again));
    loop_drop (once);
    loop_drop (again);
    loop_drop (self);
    eddy_test_context_end (context);
}

/* --- L36: removal by id and by data ----------------------------------------------------------- */

EDDY_TEST (L36_removal_of_an_unknown_id_warns)
{
    EddyContext *context = eddy_test_context_begin ();
    uint64_t id = eddy_idle_add (record_once, "i");
    loop_catch_messages ();
    ck_assert (!eddy_source_remove (id + 1000));
    ck_assert_int_eq (loop_count_messages (), 1);
    ck_assert (eddy_source_remove (id));
    ck_assert_int_eq (loop_count_messages (), 0);
    ck_assert (!eddy_source_remove (id));
    ck_assert_int_eq (loop_count_messages (), 1);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_uint_eq (record.length, 0);
    eddy_test_context_end (context);
}

EDDY_TEST (L36_removal_by_user_data_removes_one)
{
    EddyContext *context = eddy_test_context_begin ();
    int first = 0, second = 0;
    for (int i = 0; i < 3; i++)
        ck_assert_uint_ne (eddy_idle_add (record_once, &first), 0);
    ck_assert_uint_ne (eddy_timeout_add (INT64_MAX, record_once, &second), 0);
    loop_catch_messages ();
    for (int i = 0; i < 3; i++) {
        EddySource *found = eddy_context_find_source_by_user_data (context, &first);
        ck_assert_ptr_nonnull (found);
        eddy_unref (found);
        ck_assert (eddy_source_remove_by_user_data (&first));
    }
    ck_assert (!eddy_source_remove_by_user_data (&first));
    ck_assert (eddy_source_remove_by_user_data (&second));
    ck_assert (!eddy_source_remove_by_user_data (&second));
    ck_assert_int_eq (loop_count_messages (), 0);
    ck_assert (!eddy_context_iteration (context, false));
    eddy_test_context_end (context);
}
