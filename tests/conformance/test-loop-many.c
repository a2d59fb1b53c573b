/* SPDX-License-Identifier: MIT */
/* Tens of thousands of sources, from one thread and from many. */
#include "loop.h"

static int count_of (int plain)
{
    return eddy_test_sanitized () ? plain / 10 : plain;
}

static bool count_call (void *count)
{
    ++*(int *) count;
    return EDDY_SOURCE_REMOVE;
}

static void add_find_remove (bool same_priority)
{
    EddyContext *context = eddy_test_context_begin ();
    int n = count_of (30000), calls = 0;
    uint64_t *ids = calloc ((size_t) n, sizeof *ids);
    ck_assert_ptr_nonnull (ids);
    for (int i = 0; i < n; i++) {
        ids[i] = eddy_timeout_add_full (same_priority ? 0 : i % 1000 - 500,
                                        i % 2 == 0 ? INT64_MAX : 0, count_call, &calls, NULL);
        ck_assert_uint_ne (ids[i], 0);
    }
    for (int i = 0; i < n; i++) {
        EddySource *source = eddy_context_find_source_by_id (context, ids[i]);
        ck_assert_ptr_nonnull (source);
        ck_assert_uint_eq (eddy_source_get_id (source), ids[i]);
        eddy_unref (source);
    }
    /* Two of three go, by an order that is not theirs. */
    for (int i = n - 1; i >= 0; i--)
        if (i % 3 != 0)
            ck_assert (eddy_source_remove (ids[i]));
    loop_pass_time (LOOP_MS);
    loop_drain (context);
    int left = 0, due = 0;
    for (int i = 0; i < n; i += 3) {
        EddySource *source = eddy_context_find_source_by_id (context, ids[i]);
        ck_assert (source != NULL || i % 2 == 1);
        left += source != NULL;
        due += i % 2 == 1;
        eddy_unref (source);
    }
    ck_assert_int_eq (calls, due);
    ck_assert_int_eq (left + due, (n + 2) / 3);
    free (ids);
    eddy_test_context_end (context);
}

EDDY_TEST (L53_tens_of_thousands_of_sources)
{
    add_find_remove (true);
}

EDDY_TEST (L53_tens_of_thousands_of_many_priorities)
{
    add_find_remove (false);
}

/* --- From many threads at once ---------------------------------------------------------------- */

enum { THREADS = 4 };

typedef struct Adder {
    EddyContext *context;
    pthread_barrier_t *barrier;
    int n;
    int destroyed; /* before anybody could dispatch them */
    atomic_int *calls;
    atomic_int *ended;
} Adder;

static bool count_shared_call (void *data)
{
    Adder *adder = data;
    atomic_fetch_add (adder->calls, 1);
    return EDDY_SOURCE_REMOVE;
}

static void count_shared_end (void *data)
{
    Adder *adder = data;
    atomic_fetch_add (adder->ended, 1);
}

/* Idle ones that run, and timers of which half are destroyed again: found by id, or held. */
static void *add_many (void *data)
{
    Adder *adder = data;
    pthread_barrier_wait (adder->barrier);
    for (int i = 0; i < adder->n; i++) {
        bool is_far = i % 2 == 1;
        EddySource *source = is_far ? eddy_timeout_source_new (INT64_MAX) : eddy_idle_source_new ();
        eddy_source_set_priority (source, i % 7);
        eddy_source_set_callback (source, count_shared_call, adder, count_shared_end);
        uint64_t id = eddy_source_attach (source, adder->context);
        ck_assert_uint_ne (id, 0);
        if (is_far) {
            EddySource *found = eddy_context_find_source_by_id (adder->context, id);
            ck_assert_ptr_eq (found, source);
            eddy_unref (found);
            if (i % 4 == 1)
                eddy_source_destroy (source);
            adder->destroyed += i % 4 == 1;
        }
        eddy_unref (source);
    }
    return NULL;
}

EDDY_TEST (L53_from_many_threads_at_once)
{
    EddyContext *context = eddy_test_context_begin ();
    Adder adders[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    atomic_int calls = 0, ended = 0;
    int n = count_of (10000), wanted = THREADS * (n / 2), destroyed = 0;
    pthread_barrier_init (&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        adders[i] = (Adder){ context, &barrier, n, 0, &calls, &ended };
        threads[i] = loop_thread (add_many, &adders[i]);
    }
    while (atomic_load (&calls) < wanted)
        eddy_context_iteration (context, true);
    for (int i = 0; i < THREADS; i++) {
        loop_join (threads[i]);
        destroyed += adders[i].destroyed;
    }
    loop_drain (context);
    ck_assert_int_eq (atomic_load (&calls), wanted);
    ck_assert_int_eq (atomic_load (&ended), wanted + destroyed);
    eddy_test_context_end (context);
    ck_assert_int_eq (atomic_load (&ended), THREADS * n);
    pthread_barrier_destroy (&barrier);
}
