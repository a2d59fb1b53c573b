/* SPDX-License-Identifier: MIT */
/*
 * What fibers may ask of the one door to malloc, once a thread is warm: nothing to wait, one record
 * to begin. Records that come from a thread's own lists are counted, too.
 */
#include <unistd.h>

#include "base/alloc-private.h"
#include "context.h"
#include "faults.h"

enum { ROUNDS = 1000 };

static long budget_asked;

static int budget_count (size_t size, void *data)
{
    (void) size;
    (void) data;
    budget_asked++;
    return 0;
}

/* Runs the fiber once to warm up, and then once more; returns what that asked for. Asserts that it
 * had no mapping made nor changed. */
static long budget_of (EddyFiberFunc function, void *data)
{
    EddyContext *context = eddy_test_context_begin ();
    ck_assert_ptr_nonnull (eddy_test_run_fiber (context, function, data));
    eddy_test_count_calls ();
    budget_asked = 0;
    eddy__alloc_set_fault (budget_count, NULL);
    void *value = eddy_test_run_fiber (context, function, data);
    long asked = budget_asked;
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert_ptr_nonnull (value);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_MMAP), 0);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_MPROTECT), 0);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_MADVISE), 0);
    eddy_test_no_faults ();
    eddy_test_context_end (context);
    return asked;
}

/* Each of the functions below is a fiber itself: that is the 1 of the budgets. */

static void *increment (void *data, EddyError **error)
{
    (void) error;
    return (char *) data + 1;
}

/* One at a time: each is spawned on the stack of the one before. */
static void *spawn_one_by_one (void *data, EddyError **error)
{
    char *value = data;
    for (int i = 0; i < ROUNDS; i++) {
        EDDY_AUTO (EddyFuture) fiber = eddy_spawn_local (increment, value, NULL);
        value = eddy_await (fiber, error);
    }
    return value == (char *) data + ROUNDS ? data : NULL;
}

EDDY_TEST (a_spawn_asks_for_one_record_and_its_await_for_none)
{
    char data[ROUNDS + 1];
    ck_assert_int_eq (budget_of (spawn_one_by_one, data), 1 + ROUNDS);
}

static void *yield_and_increment (void *data, EddyError **error)
{
    for (int i = 0; i < 10; i++)
        eddy_fiber_yield ();
    return increment (data, error);
}

/* Many at once, each of which lets others run: each needs a stack of its own. */
static void *spawn_many (void *data, EddyError **error)
{
    EddyFuture *fibers[ROUNDS];
    int n_right = 0;
    for (int i = 0; i < ROUNDS; i++)
        fibers[i] = eddy_spawn_local (yield_and_increment, data, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        n_right += eddy_await (fibers[i], error) == (char *) data + 1;
        eddy_unref (fibers[i]);
    }
    return n_right == ROUNDS ? data : NULL;
}

EDDY_TEST (a_thousand_spawns_on_warm_stacks_ask_for_one_record_each)
{
    char data[2];
    ck_assert_int_eq (budget_of (spawn_many, data), 1 + ROUNDS);
}

/* In a group: its own record is one more. */
static void *spawn_in_group (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    for (int i = 0; i < ROUNDS; i++)
        if (!eddy_group_spawn (group, yield_and_increment, data, NULL, error))
            return NULL;
    return eddy_group_wait (group, error) ? data : NULL;
}

EDDY_TEST (a_thousand_spawns_in_a_group_ask_for_one_record_each)
{
    char data[2];
    ck_assert_int_eq (budget_of (spawn_in_group, data), 1 + 1 + ROUNDS);
}

typedef struct Pipes {
    int there[2];
    int back[2];
} Pipes;

/* Until there are no more bytes. */
static void *answer_bytes (void *data, EddyError **error)
{
    Pipes *pipes = data;
    char byte;
    while (eddy_fd_read (pipes->there[0], &byte, 1, -1, NULL, error) == 1 && byte != 0)
        if (eddy_fd_write (pipes->back[1], &byte, 1, -1, NULL, error) != 1)
            return NULL;
    return data;
}

/* Both ends wait for each byte of the other. */
static void *ask_bytes (void *data, EddyError **error)
{
    Pipes *pipes = data;
    EDDY_AUTO (EddyFuture) answers = eddy_spawn_local (answer_bytes, pipes, NULL);
    char byte = 1;
    for (int i = 0; i < ROUNDS && byte == 1; i++) {
        if (eddy_fd_write (pipes->there[1], &byte, 1, -1, NULL, error) != 1)
            return NULL;
        byte = 0;
        if (eddy_fd_read (pipes->back[0], &byte, 1, -1, NULL, error) != 1)
            return NULL;
    }
    char end = 0;
    if (eddy_fd_write (pipes->there[1], &end, 1, -1, NULL, error) != 1)
        return NULL;
    return byte == 1 ? eddy_await (answers, error) : NULL;
}

EDDY_TEST (awaited_operations_ask_for_nothing)
{
    Pipes pipes;
    ck_assert_int_eq (pipe (pipes.there), 0);
    ck_assert_int_eq (pipe (pipes.back), 0);
    ck_assert_int_eq (budget_of (ask_bytes, &pipes), 1 + 1);
    for (int i = 0; i < 2; i++) {
        close (pipes.there[i]);
        close (pipes.back[i]);
    }
}

static void *sleep_shortly (void *data, EddyError **error)
{
    for (int i = 0; i < 20; i++)
        if (!eddy_fiber_sleep (1000, error))
            return NULL;
    return data;
}

EDDY_TEST (sleeps_ask_for_nothing)
{
    int data;
    ck_assert_int_eq (budget_of (sleep_shortly, &data), 1);
}

/* --- waiting for each other ------------------------------------------------------------------- */

typedef struct Table {
    EddyMutex *mutex;
    EddyRWLock *lock;
    EddySemaphore *semaphore;
    EddyCondition *condition;
    bool mine; /* whose turn it is */
} Table;

/* Everything is awaited, for the other one has it. */
static bool share_table (Table *table, bool mine, EddyError **error)
{
    if (!eddy_rw_lock_writer_lock (table->lock, NULL, error))
        return false;
    eddy_fiber_yield ();
    eddy_rw_lock_writer_unlock (table->lock);
    if (!eddy_semaphore_acquire (table->semaphore, 2, NULL, error))
        return false;
    eddy_fiber_yield ();
    eddy_semaphore_release (table->semaphore, 2);
    if (!eddy_mutex_lock (table->mutex, NULL, error))
        return false;
    while (table->mine != mine)
        if (!eddy_condition_wait (table->condition, table->mutex, NULL, error))
            break;
    table->mine = !mine;
    eddy_condition_signal (table->condition);
    eddy_mutex_unlock (table->mutex);
    return *error == NULL;
}

static void *share_second (void *data, EddyError **error)
{
    for (int i = 0; i < ROUNDS; i++)
        if (!share_table (data, /* mine= */ false, error))
            return NULL;
    return data;
}

static void *share_first (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) second = eddy_spawn_local (share_second, data, NULL);
    for (int i = 0; i < ROUNDS; i++)
        if (!share_table (data, /* mine= */ true, error))
            return NULL;
    return eddy_await (second, error);
}

EDDY_TEST (waits_for_each_other_ask_for_nothing)
{
    Table table = { eddy_mutex_new (), eddy_rw_lock_new (), eddy_semaphore_new (2),
                    eddy_condition_new (), true };
    ck_assert_int_eq (budget_of (share_first, &table), 1 + 1);
    eddy_unref (table.mutex);
    eddy_unref (table.lock);
    eddy_unref (table.semaphore);
    eddy_unref (table.condition);
}

static void *wait_in_shields (void *data, EddyError **error)
{
    for (int i = 0; i < ROUNDS; i++) {
        EDDY_SHIELD (-1)
        eddy_fiber_yield ();
        EDDY_SHIELD (INT64_C (1000000000))
        if (!eddy_fiber_sleep (0, error))
            return NULL;
    }
    return data;
}

EDDY_TEST (shields_ask_for_nothing)
{
    int data = 0;
    ck_assert_int_eq (budget_of (wait_in_shields, &data), 1);
}

/* --- sequences -------------------------------------------------------------------------------- */

/* Yields its data again and again. */
static bool budget_generate (EddyGenerator *generator, void *data, EddyError **error)
{
    for (int i = 0; i < ROUNDS; i++)
        if (!eddy_generator_yield (generator, data, error))
            return false;
    return true;
}

static void *budget_map (void *item, void *data, EddyError **error)
{
    (void) data;
    (void) error;
    return item;
}

/* To its end, or, which is to cost the same, only its first item. */
static void *ask_sequence (void *data, EddyError **error)
{
    EddySequence *generator = eddy_sequence_new_generator (budget_generate, data, NULL, NULL);
    EddySequence *mapped = eddy_sequence_map (generator, budget_map, NULL, NULL, NULL);
    EddySequence *sequence = eddy_sequence_merge (&mapped, 1, NULL);
    void *item = data;
    int n = 0;
    for (; item == data && n < *(int *) data; n++)
        item = eddy_sequence_next (sequence, NULL, error);
    eddy_unref (sequence);
    return n == *(int *) data ? data : NULL;
}

EDDY_TEST (an_item_of_a_sequence_asks_for_nothing)
{
    int one = 1, all = ROUNDS;
    long for_one = budget_of (ask_sequence, &one);
    ck_assert_int_eq (budget_of (ask_sequence, &all), for_one);
    /* Three sequences, the fibers of two of them, and this one; and the error by which the
     * generator hears that it is dropped. */
    ck_assert_int_eq (for_one, 3 + 2 + 1 + 2);
}

/* --- between fibers --------------------------------------------------------------------------- */

static void *send_numbers (void *data, EddyError **error)
{
    for (int i = 0; i < ROUNDS; i++)
        if (!eddy_channel_send (data, data, NULL, error))
            return NULL;
    return data;
}

/* As many as are sent, from a fiber of its own; every other one by a select. */
static void *receive_numbers (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) sender = eddy_spawn_local (send_numbers, data, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        EddySelectCase cases[] = { EDDY_SELECT_RECEIVE (NULL), EDDY_SELECT_RECEIVE (data) };
        bool received = i % 2 == 0 ? eddy_channel_receive (data, NULL, error) == data
                                   : eddy_select (cases, 2, NULL, error) == 1;
        if (!received)
            return NULL;
    }
    return eddy_await (sender, error);
}

EDDY_TEST (messages_ask_for_nothing)
{
    static const size_t capacities[] = { 0, 1, 128, 2 * ROUNDS };
    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        EddyChannel *channel = eddy_channel_new (capacities[i], NULL);
        ck_assert_int_eq (budget_of (receive_numbers, channel), 1 + 1);
        eddy_unref (channel);
    }
}

/* Each holds it while the other comes for it. */
static void *lock_and_yield (void *data, EddyError **error)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (!eddy_mutex_lock (data, NULL, error))
            return NULL;
        eddy_fiber_yield ();
        eddy_mutex_unlock (data);
    }
    return data;
}

static void *lock_in_turn (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) other = eddy_spawn_local (lock_and_yield, data, NULL);
    return lock_and_yield (data, error) == data ? eddy_await (other, error) : NULL;
}

EDDY_TEST (locks_of_mutexes_ask_for_nothing)
{
    EddyMutex *mutex = eddy_mutex_new ();
    ck_assert_int_eq (budget_of (lock_and_yield, mutex), 1);
    ck_assert_int_eq (budget_of (lock_in_turn, mutex), 1 + 1);
    eddy_unref (mutex);
}
