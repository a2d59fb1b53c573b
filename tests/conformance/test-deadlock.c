/* SPDX-License-Identifier: MIT */
/*
 * Dumps name deadlocks: circles of fibers that wait for each other, planted here.
 */
#include "dump.h"

/* --- circles ---------------------------------------------------------------------------------- */

typedef struct Pair {
    EddyFuture *fibers[3];
    bool sleeps; /* one of them */
} Pair;

static void *await_second (void *data, EddyError **error)
{
    Pair *pair = data;
    eddy_fiber_yield ();
    return eddy_await (pair->fibers[1], error);
}

static void *await_first (void *data, EddyError **error)
{
    Pair *pair = data;
    eddy_fiber_yield ();
    if (pair->sleeps)
        eddy_fiber_sleep (LONG_NS, error);
    else
        return eddy_await (pair->fibers[0], error);
    return NULL;
}

static void *await_behind (void *data, EddyError **error)
{
    eddy_fiber_yield ();
    return eddy_await (((Pair *) data)->fibers[0], error);
}

/* Each is kept until nobody waits for it any more. */
static void pair_end (Pair *pair, EddyContext *context, int n)
{
    for (int i = 0; i < n; i++)
        eddy_future_cancel (pair->fibers[i]);
    for (int i = 0; i < n; i++)
        eddy_block_on (context, pair->fibers[i], NULL);
    for (int i = 0; i < n; i++)
        eddy_unref (pair->fibers[i]);
}

static char *dump_pair (EddyContext *context, bool sleeps)
{
    Pair pair = { .sleeps = sleeps };
    pair.fibers[0] = spawn_named ("left", await_second, &pair);
    pair.fibers[1] = spawn_named ("right", await_first, &pair);
    pair.fibers[2] = spawn_named ("behind", await_behind, &pair);
    while (eddy_context_iteration (context, false))
        ;
    char *text = dump_text (context);
    pair_end (&pair, context, 3);
    return text;
}

EDDY_TEST (D_dump_names_a_deadlock_of_joins)
{
    EddyContext *context = eddy_test_context_begin ();
    char *text = dump_pair (context, /* sleeps= */ false);
    ck_assert_uint_eq (count_words (text, "\ndeadlock: "), 1);
    expect_line (text, "deadlock: 'left' (", " waits for a future from 'right' (",
                 ", which waits for a future from 'left' (");
    expect_line (text, "fiber 'behind'", "waits for a future from 'left'", ", deadlocked");
    ck_assert_uint_eq (count_words (text, ", deadlocked"), 3);
    free (text);
    eddy_test_context_end (context);
}

EDDY_TEST (D_dump_names_no_deadlock_where_somebody_can_go_on)
{
    EddyContext *context = eddy_test_context_begin ();
    char *text = dump_pair (context, /* sleeps= */ true);
    ck_assert_uint_eq (count_words (text, "deadlock: "), 0);
    expect_line (text, "fiber 'left'", "waits for a future from 'right'", NULL);
    expect_line (text, "fiber 'right'", "waits for a timer", NULL);
    expect_line (text, "fiber 'behind'", "waits for a future from 'left'", NULL);
    free (text);
    eddy_test_context_end (context);
}

static void *await_all (void *data, EddyError **error)
{
    Pair *pair = data;
    EddyFuture *inputs[] = { eddy_ref (pair->fibers[1]) };
    eddy_fiber_yield ();
    EddyFuture *all[] = { eddy_future_all (inputs, 1) };
    EDDY_AUTO (EddyFuture) settled = eddy_future_all_settled (all, 1);
    eddy_await_complete (settled, error);
    return NULL;
}

EDDY_TEST (D_dump_looks_through_futures_of_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    Pair pair = { .sleeps = false };
    pair.fibers[0] = spawn_named ("left", await_all, &pair);
    pair.fibers[1] = spawn_named ("right", await_first, &pair);
    while (eddy_context_iteration (context, false))
        ;
    char *text = dump_text (context);
    expect_line (text, "deadlock: 'left' (", " waits for a future '", "from 'right' (");
    free (text);
    pair_end (&pair, context, 2);
    while (eddy_context_iteration (context, false))
        ;
    eddy_test_context_end (context);
}

/* Two mutexes, taken in either order. */
typedef struct Mutexes {
    EddyMutex *mutexes[2];
    unsigned n_held;    /* atomic */
    unsigned n_holders; /* that there will be */
} Mutexes;

static void mutexes_init (Mutexes *self)
{
    *self = (Mutexes){ .n_holders = 2 };
    for (int i = 0; i < 2; i++) {
        self->mutexes[i] = eddy_mutex_new ();
        eddy_mutex_set_name (self->mutexes[i], i == 0 ? "first" : "second");
    }
}

static void mutexes_clear (Mutexes *self)
{
    for (int i = 0; i < 2; i++)
        eddy_unref (self->mutexes[i]);
}

static void *take_both (Mutexes *self, int first, EddyError **error)
{
    if (!eddy_mutex_lock (self->mutexes[first], NULL, error))
        return NULL;
    __atomic_add_fetch (&self->n_held, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n (&self->n_held, __ATOMIC_SEQ_CST) < self->n_holders)
        eddy_fiber_yield ();
    if (eddy_mutex_lock (self->mutexes[1 - first], NULL, error))
        eddy_mutex_unlock (self->mutexes[1 - first]);
    eddy_mutex_unlock (self->mutexes[first]);
    return NULL;
}

static void *take_first_and_second (void *data, EddyError **error)
{
    return take_both (data, 0, error);
}

static void *take_second_and_first (void *data, EddyError **error)
{
    return take_both (data, 1, error);
}

EDDY_TEST (D_dump_names_a_deadlock_of_mutexes)
{
    EddyContext *context = eddy_test_context_begin ();
    Mutexes mutexes;
    mutexes_init (&mutexes);
    EddyFuture *left = spawn_named ("left", take_first_and_second, &mutexes);
    EddyFuture *right = spawn_named ("right", take_second_and_first, &mutexes);
    while (eddy_context_iteration (context, false))
        ;
    char *text = dump_text (context);
    expect_line (text, "deadlock: 'left' (", " waits for a mutex 'second' from 'right' (",
                 ", which waits for a mutex 'first' from 'left' (");
    free (text);
    end_fiber (context, left);
    eddy_block_on (context, right, NULL);
    text = dump_text (context);
    ck_assert_uint_eq (count_words (text, "deadlock: "), 0);
    free (text);
    eddy_unref (right);
    mutexes_clear (&mutexes);
    eddy_test_context_end (context);
}

typedef struct Channels {
    EddyChannel *there;
    EddyChannel *back;
} Channels;

static void *receive_then_send (EddyChannel *from, EddyChannel *to, EddyError **error)
{
    /* Each has used both ends once, so that it is known who they are. */
    void *message = eddy_channel_receive (from, NULL, error);
    if (message == NULL || !eddy_channel_send (to, message, NULL, error))
        return NULL;
    return eddy_channel_receive (from, NULL, error);
}

static void *answer_channel (void *data, EddyError **error)
{
    Channels *channels = data;
    return receive_then_send (channels->there, channels->back, error);
}

static void *ask_channel (void *data, EddyError **error)
{
    Channels *channels = data;
    if (!eddy_channel_send (channels->there, data, NULL, error) ||
        eddy_channel_receive (channels->back, NULL, error) == NULL)
        return NULL;
    return eddy_channel_receive (channels->back, NULL, error);
}

EDDY_TEST (D_dump_names_a_deadlock_of_channels)
{
    EddyContext *context = eddy_test_context_begin ();
    Channels channels = { eddy_channel_new (0, NULL), eddy_channel_new (0, NULL) };
    eddy_channel_set_name (channels.there, "there");
    eddy_channel_set_name (channels.back, "back");
    EddyFuture *asker = spawn_named ("asker", ask_channel, &channels);
    EddyFuture *answerer = spawn_named ("answerer", answer_channel, &channels);
    while (eddy_context_iteration (context, false))
        ;
    char *text = dump_text (context);
    expect_line (text, "deadlock: 'asker' (",
                 "waits for a message of a channel 'back' from "
                 "'answerer' (",
                 "waits for a message of a channel 'there' from 'asker' (");
    free (text);
    end_fiber (context, asker);
    end_fiber (context, answerer);
    eddy_unref (channels.there);
    eddy_unref (channels.back);
    eddy_test_context_end (context);
}

static void *await_data (void *data, EddyError **error)
{
    eddy_fiber_yield ();
    return eddy_await (*(EddyFuture **) data, error);
}

/* Its child waits for it to end. */
static void *wait_for_group (void *data, EddyError **error)
{
    EddyGroup *group = eddy_group_new ();
    EddyFiberOptions options = { .name = "child" };
    ck_assert (eddy_group_spawn_full (group, await_data, data, NULL, &options, EDDY_PLACE, error));
    eddy_group_wait (group, error);
    eddy_unref (group);
    return NULL;
}

EDDY_TEST (D_dump_names_a_deadlock_with_a_group)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *parent;
    parent = spawn_named ("parent", wait_for_group, &parent);
    while (eddy_context_iteration (context, false))
        ;
    char *text = dump_text (context);
    expect_line (text, "deadlock: 'parent' (", "waits for a group from 'child' (",
                 "waits for a future from 'parent' (");
    free (text);
    end_fiber (context, parent);
    eddy_test_context_end (context);
}

EDDY_TEST (D_dump_names_a_deadlock_of_several_threads)
{
    EddyFiberOptions options[] = { { .name = "here" }, { .name = "there" } };
    EddyFiberFunc functions[] = { take_first_and_second, take_second_and_first };
    EddyFuture *fibers[2];
    Runner runners[2];
    pthread_t threads[2];
    Mutexes mutexes;
    EddyContext *context = eddy_test_context_begin ();
    eddy_context_iteration (context, false);
    mutexes_init (&mutexes);
    for (int i = 0; i < 2; i++) {
        threads[i] = runner_begin (&runners[i]);
        fibers[i] = eddy_spawn_full (runners[i].context, functions[i], &mutexes, NULL, &options[i],
                                     EDDY_PLACE);
    }
    /* Until both wait. */
    char *text = dump_text (NULL);
    for (int i = 0; strstr (text, "deadlock: ") == NULL; i++) {
        ck_assert_int_lt (i, 100);
        free (text);
        text = dump_text (NULL);
    }
    expect_line (text, "deadlock: 'here' (", " waits for a mutex 'second' from 'there' (",
                 ", which waits for a mutex 'first' from 'here' (");
    free (text);
    /* Of one alone it is not known who the other one is. */
    text = dump_text (runners[0].context);
    expect_line (text, "fiber 'here'", "waits for a mutex 'second' from somebody not listed here",
                 NULL);
    ck_assert_uint_eq (count_words (text, "deadlock: "), 0);
    free (text);
    eddy_future_cancel (fibers[0]);
    for (int i = 0; i < 2; i++)
        ck_assert_msg (eddy_block_on (context, fibers[i], NULL) == NULL, "it has no value");
    for (int i = 0; i < 2; i++) {
        eddy_unref (fibers[i]);
        runner_end (&runners[i], threads[i]);
    }
    mutexes_clear (&mutexes);
    eddy_test_context_end (context);
}

/* --- who has ended ---------------------------------------------------------------------------- */

static void *send_one (void *data, EddyError **error)
{
    ck_assert (eddy_channel_send (data, data, NULL, error));
    return NULL;
}

static void *receive_two (void *data, EddyError **error)
{
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_nonnull (eddy_channel_receive (data, NULL, error));
    return NULL;
}

static void *lock_and_leave (void *data, EddyError **error)
{
    ck_assert (eddy_mutex_lock (data, NULL, error));
    return NULL;
}

static void *lock_and_unlock (void *data, EddyError **error)
{
    ck_assert (eddy_mutex_lock (data, NULL, error));
    eddy_mutex_unlock (data);
    return NULL;
}

/* Runs a fiber to its end, and has the next one, which gets its memory, wait for what it had used:
 * somebody else will end that. Returns the one that waits. */
static EddyFuture *wait_after (EddyContext *context, EddyFiberFunc former, EddyFiberFunc waiter,
                               void *data)
{
    EDDY_AUTO (EddyFuture) first = eddy_spawn (context, former, data, NULL);
    eddy_block_on (context, first, NULL);
    eddy_clear (&first);
    EddyFuture *second = eddy_spawn (context, waiter, data, NULL);
    while (eddy_context_iteration (context, false))
        ;
    char *text = dump_text (context);
    expect_no_line (text, "deadlock: ", NULL);
    free (text);
    return second;
}

EDDY_TEST (D_dump_takes_nobody_for_one_who_has_ended)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyChannel) channel = eddy_channel_new (1, NULL);
    EDDY_AUTO (EddyMutex) mutex = eddy_mutex_new ();
    EddyFuture *receives = wait_after (context, send_one, receive_two, channel);
    EddyFuture *locks = wait_after (context, lock_and_leave, lock_and_unlock, mutex);
    ck_assert (eddy_channel_try_send (channel, channel, NULL));
    eddy_mutex_unlock (mutex);
    eddy_block_on (context, receives, NULL);
    eddy_block_on (context, locks, NULL);
    eddy_unref (receives);
    eddy_unref (locks);
    eddy_test_context_end (context);
}
