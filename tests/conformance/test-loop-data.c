/* SPDX-License-Identifier: MIT */
/* What a source calls and with what data, when these are destroyed, and how a context's end takes
 * its sources along. */
#include <fcntl.h>
#include <poll.h>

#include "loop.h"

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

/* --- L31: the data's end ---------------------------------------------------------------------- */

static bool record_and_go (void *letter)
{
    record_letter (letter);
    eddy_source_destroy (eddy_main_current_source ());
    record_letter ("-");
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L31_data_of_the_running_source_outlive_the_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *first = eddy_idle_source_new (), *second = eddy_idle_source_new ();
    eddy_source_set_callback (first, record_and_go, "a", record_destroy);
    eddy_source_set_callback (second, record_once, "b", record_destroy);
    ck_assert_uint_ne (eddy_source_attach (first, context), 0);
    ck_assert_uint_ne (eddy_source_attach (second, context), 0);
    ck_assert (eddy_context_iteration (context, false));
    /* Right after the dispatch, not at the end of the pass. */
    ck_assert_str_eq (record.text, "a-abb");
    eddy_unref (first);
    eddy_unref (second);
    ck_assert_str_eq (record.text, "a-abb");
    eddy_test_context_end (context);
}

static void *destroy_from_thread (void *source)
{
    eddy_source_destroy (source);
    return NULL;
}

EDDY_TEST (L31_data_of_an_attached_source_go_at_once)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < 2; i++) {
        EddySource *source = i == 0 ? eddy_idle_source_new () : eddy_timeout_source_new (LOOP_MS);
        eddy_source_set_callback (source, record_once, "x", record_destroy);
        ck_assert_uint_ne (eddy_source_attach (source, context), 0);
        eddy_context_pending (context);
        if (i == 0)
            eddy_source_destroy (source);
        else
            loop_elsewhere (destroy_from_thread, source);
        ck_assert_uint_eq (record.length, (size_t) i + 1);
        eddy_unref (source);
    }
    eddy_context_iteration (context, false);
    ck_assert_str_eq (record.text, "xx");
    eddy_test_context_end (context);
}

EDDY_TEST (L31_data_of_a_source_never_attached_go_with_it)
{
    EddySource *source = eddy_timeout_source_new (LOOP_MS);
    eddy_source_set_callback (source, record_once, "x", record_destroy);
    eddy_source_destroy (source);
    ck_assert_uint_eq (record.length, 0);
    eddy_unref (source);
    ck_assert_str_eq (record.text, "x");
}

typedef struct Reentry {
    EddyContext *context;
    EddySource *other;
    int calls;
} Reentry;

/* No lock is held: whatever it calls, it does not hang. */
static void call_everything (void *data)
{
    Reentry *reentry = data;
    EddySource *added = eddy_idle_source_new ();
    reentry->calls++;
    eddy_source_set_callback (added, record_once, "n", NULL);
    uint64_t id = eddy_source_attach (added, reentry->context);
    ck_assert_uint_ne (id, 0);
    EddySource *found = eddy_context_find_source_by_id (reentry->context, id);
    ck_assert_ptr_eq (found, added);
    eddy_unref (found);
    eddy_unref (added);
    eddy_source_destroy (reentry->other);
    eddy_context_wakeup (reentry->context);
    eddy_context_iteration (reentry->context, false);
}

EDDY_TEST (L31_no_lock_is_held_meanwhile)
{
    EddyContext *context = eddy_test_context_begin ();
    Reentry reentry = { .context = context };
    reentry.other = loop_attach (eddy_idle_source_new (), 0, record_again, "o");
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_once, &reentry, call_everything);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    eddy_source_destroy (source);
    ck_assert_int_eq (reentry.calls, 1);
    ck_assert_str_eq (record.text, "n");
    ck_assert (eddy_source_is_destroyed (reentry.other));
    eddy_unref (reentry.other);
    eddy_unref (source);
    eddy_test_context_end (context);
}

/* --- L32, L33: the callback ------------------------------------------------------------------- */

EDDY_TEST (L32_callback_is_replaced_while_attached)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_again, "a", record_destroy);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "a");
    eddy_source_set_callback (source, record_again, "b", record_destroy);
    ck_assert_str_eq (record.text, "aa");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "aab");
    eddy_source_destroy (source);
    ck_assert_str_eq (record.text, "aabb");
    eddy_unref (source);
    eddy_test_context_end (context);
}

static bool replace_self (void *letter)
{
    record_letter (letter);
    eddy_source_set_callback (eddy_main_current_source (), record_again, "b", record_destroy);
    /* Still in use. */
    record_letter ("-");
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L32_replaced_in_its_own_dispatch)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, replace_self, "a", record_destroy);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "a-a");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "a-ab");
    loop_drop (source);
    ck_assert_str_eq (record.text, "a-abb");
    eddy_test_context_end (context);
}

EDDY_TEST (L33_no_callback_warns_and_removes)
{
    EddyContext *context = eddy_test_context_begin ();
    int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    EddySource *sources[] = { eddy_idle_source_new (), eddy_timeout_source_new (0),
                              eddy_fd_source_new (fd, POLLIN) };
    loop_catch_messages ();
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        ck_assert_uint_ne (eddy_source_attach (sources[i], context), 0);
        while (!eddy_source_is_destroyed (sources[i]))
            eddy_context_iteration (context, true);
        ck_assert_int_eq (loop_count_messages (), 1);
        eddy_unref (sources[i]);
    }
    ck_assert (!eddy_context_iteration (context, false));
    close (fd);
    eddy_test_context_end (context);
}

/* A dispatch hook that needs none gets a callback that does nothing. */
static bool dispatch_without_callback (EddySource *source, EddySourceFunc callback, void *data)
{
    eddy_source_set_ready_time (source, -1);
    record_letter ("d");
    return callback == NULL || callback (data);
}

static const EddySourceFuncs without_callback_funcs = { .dispatch = dispatch_without_callback };

EDDY_TEST (L33_source_of_ones_own_may_do_without)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *bare = eddy_source_new (&without_callback_funcs, 0);
    EddySource *dummy = eddy_source_new (&without_callback_funcs, 0);
    eddy_source_set_dummy_callback (dummy);
    eddy_source_set_ready_time (bare, 0);
    eddy_source_set_ready_time (dummy, 0);
    ck_assert_uint_ne (eddy_source_attach (bare, context), 0);
    ck_assert_uint_ne (eddy_source_attach (dummy, context), 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "dd");
    ck_assert (!eddy_source_is_destroyed (bare));
    ck_assert (!eddy_source_is_destroyed (dummy));
    loop_drop (bare);
    loop_drop (dummy);
    eddy_test_context_end (context);
}

/* --- L34: finalize ---------------------------------------------------------------------------- */

typedef struct Letter {
    const char *letter;
    EddySource **others; /* that its end destroys and gives up */
    int n_others;
} Letter;

static void finalize_letter (EddySource *source)
{
    Letter *letter = eddy_source_get_data (source);
    if (letter->letter != NULL)
        record_letter (letter->letter);
    for (int i = 0; i < letter->n_others; i++) {
        EddySource *other = letter->others[i];
        letter->others[i] = NULL;
        if (other != NULL && other != source)
            loop_drop (other);
    }
}

static const EddySourceFuncs letter_funcs = { .dispatch = loop_plain_dispatch,
                                              .finalize = finalize_letter };

static EddySource *letter_source_new (const char *letter)
{
    EddySource *source = eddy_source_new (&letter_funcs, sizeof (Letter));
    Letter *data = eddy_source_get_data (source);
    ck_assert_ptr_null (data->letter);
    ck_assert_ptr_null (data->others);
    ck_assert_int_eq (data->n_others, 0);
    data->letter = letter;
    return source;
}

EDDY_TEST (L34_finalize_runs_once)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_unref (letter_source_new ("a"));
    ck_assert_str_eq (record.text, "a");
    EddySource *source = letter_source_new ("b");
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    eddy_source_destroy (source);
    eddy_context_iteration (context, false);
    ck_assert_str_eq (record.text, "a");
    eddy_ref (source);
    eddy_unref (source);
    eddy_source_destroy (source);
    eddy_unref (source);
    ck_assert_str_eq (record.text, "ab");
    source = letter_source_new ("c");
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    eddy_unref (source);
    ck_assert_str_eq (record.text, "ab");
    eddy_test_context_end (context);
    ck_assert_str_eq (record.text, "abc");
}

/* --- L35: the context's end ------------------------------------------------------------------- */

EDDY_TEST (L35_freed_context_destroys_its_sources)
{
    EddyContext *context = eddy_context_new ();
    EddySource *source = eddy_timeout_source_new (1000 * LOOP_MS);
    eddy_source_set_callback (source, record_once, "x", record_destroy);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    ck_assert (!eddy_context_iteration (context, false));
    eddy_unref (context);
    ck_assert (eddy_source_is_destroyed (source));
    ck_assert_str_eq (record.text, "x");
    eddy_unref (source);
    ck_assert_str_eq (record.text, "x");
}

EDDY_TEST (L35_selected_sources_are_not_dispatched_any_more)
{
    EddyContext *context = eddy_context_new ();
    struct pollfd fd = { .fd = -1 };
    int64_t timeout_ns;
    int priority;
    EddySource *source = letter_source_new ("f");
    eddy_source_set_callback (source, record_once, "x", NULL);
    eddy_source_set_ready_time (source, 0);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    eddy_unref (source);
    ck_assert (eddy_context_acquire (context));
    ck_assert (eddy_context_prepare (context, &priority));
    ck_assert_int_eq (eddy_context_query (context, priority, &timeout_ns, &fd, 1), 1);
    ck_assert (eddy_context_check (context, priority, &fd, 1));
    eddy_context_release (context);
    ck_assert_uint_eq (record.length, 0);
    eddy_unref (context);
    ck_assert_str_eq (record.text, "f");
}

enum { CLUSTER = 5 };

/* Sources of which one's end destroys others; all end with their context, or one before it. */
static void end_cluster (int destroyer, bool context_first, bool dispatched)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *others[CLUSTER];
    record_clear ();
    for (int i = 0; i < CLUSTER; i++) {
        others[i] = letter_source_new (&letters[i]);
        eddy_source_set_callback (others[i], record_once, "+", NULL);
        eddy_source_set_ready_time (others[i], dispatched && i == destroyer ? 0 : -1);
        ck_assert_uint_ne (eddy_source_attach (others[i], context), 0);
    }
    EddySource *source = others[destroyer];
    Letter *data = eddy_source_get_data (source);
    data->others = others;
    data->n_others = CLUSTER;
    /* The others belong to the destroyer from here on, and it to the context. */
    if (!context_first && !dispatched)
        eddy_source_destroy (source);
    eddy_unref (source);
    ck_assert (eddy_context_iteration (context, false) == dispatched);
    eddy_test_context_end (context);
    for (int i = 0; i < CLUSTER; i++) {
        ck_assert_ptr_null (others[i]);
        ck_assert_ptr_nonnull (strchr (record.text, letters[i]));
    }
    ck_assert_uint_eq (record.length, CLUSTER + (dispatched ? 1 : 0));
}

EDDY_TEST (L35_finalizers_destroy_others_in_every_order)
{
    for (int destroyer = 0; destroyer < CLUSTER; destroyer++) {
        end_cluster (destroyer, true, false);
        end_cluster (destroyer, false, false);
        end_cluster (destroyer, false, true);
    }
}

/* A chain: the end of each takes the next one along. */
EDDY_TEST (L35_chain_of_finalizers)
{
    for (int backwards = 0; backwards <= 1; backwards++) {
        EddyContext *context = eddy_context_new ();
        EddySource *chain[CLUSTER], *next[CLUSTER];
        record_clear ();
        for (int i = 0; i < CLUSTER; i++)
            chain[i] = letter_source_new (&letters[i]);
        for (int i = 0; i < CLUSTER; i++) {
            Letter *data = eddy_source_get_data (chain[i]);
            next[i] = i + 1 < CLUSTER ? eddy_ref (chain[i + 1]) : NULL;
            data->others = &next[i];
            data->n_others = 1;
        }
        for (int i = 0; i < CLUSTER; i++) {
            EddySource *source = chain[backwards ? CLUSTER - 1 - i : i];
            ck_assert_uint_ne (eddy_source_attach (source, context), 0);
            eddy_unref (source);
        }
        eddy_unref (context);
        ck_assert_uint_eq (record.length, CLUSTER);
    }
}

typedef struct Race {
    EddySource **sources;
    int n_sources;
    int first;
    pthread_barrier_t *barrier;
} Race;

static void *destroy_many (void *data)
{
    Race *race = data;
    pthread_barrier_wait (race->barrier);
    for (int i = 0; i < race->n_sources; i++) {
        EddySource *source = race->sources[(race->first + i) % race->n_sources];
        eddy_source_destroy (source);
        eddy_unref (source);
    }
    return NULL;
}

static atomic_int n_finalized;

/* The private data are the next source, which the end of this one destroys and gives up. */
static void count_finalize (EddySource *source)
{
    EddySource **next = eddy_source_get_data (source);
    atomic_fetch_add (&n_finalized, 1);
    if (*next != NULL)
        loop_drop (*next);
}

static const EddySourceFuncs counting_funcs = { .dispatch = loop_plain_dispatch,
                                                .finalize = count_finalize };

static void end_together (int round, bool linked)
{
    enum { THREADS = 2, SOURCES = 16 };
    EddyContext *context = eddy_context_new ();
    EddySource *sources[SOURCES];
    pthread_barrier_t barrier;
    pthread_t threads[THREADS];
    Race races[THREADS];
    pthread_barrier_init (&barrier, NULL, THREADS + 1);
    for (int i = 0; i < SOURCES; i++) {
        sources[i] = eddy_source_new (&counting_funcs, sizeof (EddySource *));
        if (linked && i > 0)
            *(EddySource **) eddy_source_get_data (sources[i]) = eddy_ref (sources[i - 1]);
        ck_assert_uint_ne (eddy_source_attach (sources[i], context), 0);
        for (int reference = 1; reference < THREADS; reference++)
            eddy_ref (sources[i]);
    }
    if (round % 2 == 1)
        eddy_context_iteration (context, false);
    for (int i = 0; i < THREADS; i++) {
        races[i] = (Race){ sources, SOURCES, i * 7 + round, &barrier };
        threads[i] = loop_thread (destroy_many, &races[i]);
    }
    pthread_barrier_wait (&barrier);
    eddy_unref (context);
    for (int i = 0; i < THREADS; i++)
        loop_join (threads[i]);
    pthread_barrier_destroy (&barrier);
    int finalized = atomic_exchange (&n_finalized, 0);
    ck_assert_int_eq (finalized, SOURCES);
}

EDDY_TEST (L35_context_and_sources_end_at_once_in_threads)
{
    int rounds = eddy_test_sanitized () ? 100 : 500;
    for (int round = 0; round < rounds; round++)
        end_together (round, false);
}

EDDY_TEST (L35_finalizers_and_threads_destroy_at_once)
{
    int rounds = eddy_test_sanitized () ? 100 : 500;
    for (int round = 0; round < rounds; round++)
        end_together (round, true);
}
