/* SPDX-License-Identifier: MIT */
/*
 * Sequences made of sequences: map, filter, take, chunks, merge, buffered, debounce, timeout.
 */
#include "sequences.h"

/* ---- map and filter -------------------------------------------------------------------------- */

typedef struct Doubling {
    int calls;
    int destroyed;
    int fails_at; /* 0: never */
} Doubling;

/* Twice the number; multiples of 4 are left out. */
static void *make_double (void *item, void *data, EddyError **error)
{
    Doubling *doubling = data;
    doubling->calls++;
    if (*(int *) item == doubling->fails_at) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA, "as the test wants");
        return NULL;
    }
    int number = item_take (item);
    return number % 4 == 0 ? NULL : item_new (2 * number);
}

static void doubling_destroy (void *data)
{
    ((Doubling *) data)->destroyed++;
}

static bool is_odd (void *item, void *data, EddyError **error)
{
    int *fails_at = data;
    if (fails_at != NULL && *(int *) item == *fails_at)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA, "as the test wants");
    return *(int *) item % 2 != 0;
}

static void *map_numbers (void *data, EddyError **error)
{
    Doubling *doubling = data;
    Numbers numbers = { .first = 1, .last = 5 };
    EDDY_AUTO (EddySequence)
    sequence = eddy_sequence_map (numbers_new (&numbers), make_double, doubling, doubling_destroy,
                                  item_destroy);
    (void) error;
    expect_next (sequence, 2);
    expect_next (sequence, 4);
    if (doubling->fails_at == 0) {
        expect_next (sequence, 6);
        expect_next (sequence, 10);
    } else {
        expect_failure (sequence, EDDY_IO_ERROR_INVALID_DATA);
    }
    expect_next (sequence, 0);
    ck_assert_int_eq (doubling->destroyed, 1);
    ck_assert_int_eq (items_alive, 0);
    yield_until (&numbers.ended);
    return NULL;
}

EDDY_TEST (D_sequence_map)
{
    Doubling doubling = { .calls = 0 };
    run_alone (map_numbers, &doubling);
    ck_assert_int_eq (doubling.calls, 5);
}

EDDY_TEST (D_sequence_map_fails)
{
    Doubling doubling = { .fails_at = 3 };
    run_alone (map_numbers, &doubling);
    ck_assert_int_eq (doubling.calls, 3);
}

static void *filter_numbers (void *data, EddyError **error)
{
    Numbers numbers = { .first = 1, .last = 6 };
    EDDY_AUTO (EddySequence)
    sequence = eddy_sequence_filter (numbers_new (&numbers), is_odd, data, NULL);
    (void) error;
    expect_next (sequence, 1);
    expect_next (sequence, 3);
    if (data == NULL)
        expect_next (sequence, 5);
    else
        expect_failure (sequence, EDDY_IO_ERROR_INVALID_DATA);
    expect_next (sequence, 0);
    ck_assert_int_eq (items_alive, 0);
    yield_until (&numbers.ended);
    return NULL;
}

EDDY_TEST (D_sequence_filter)
{
    int fails_at = 4;
    run_alone (filter_numbers, NULL);
    run_alone (filter_numbers, &fails_at);
}

EDDY_TEST (D_sequence_adapters_pass_null_on)
{
    Doubling doubling = { .calls = 0 };
    EddySequence *none[1] = { NULL };
    ck_assert_ptr_null (
        eddy_sequence_map (NULL, make_double, &doubling, doubling_destroy, item_destroy));
    ck_assert_int_eq (doubling.destroyed, 1);
    ck_assert_ptr_null (eddy_sequence_filter (NULL, is_odd, &doubling, doubling_destroy));
    ck_assert_int_eq (doubling.destroyed, 2);
    ck_assert_ptr_null (eddy_sequence_take (NULL, 1));
    ck_assert_ptr_null (eddy_sequence_chunks (NULL, 1));
    ck_assert_ptr_null (eddy_sequence_merge (none, 1, NULL));
    ck_assert_ptr_null (eddy_sequence_buffered (NULL, 1));
    ck_assert_ptr_null (eddy_sequence_debounce (NULL, 1));
    ck_assert_ptr_null (eddy_sequence_timeout (NULL, 1));
}

/* ---- take ------------------------------------------------------------------------------------ */

static void *take_numbers (void *data, EddyError **error)
{
    Numbers *numbers = data;
    EDDY_AUTO (EddySequence) sequence = eddy_sequence_take (numbers_new (numbers), 2);
    EDDY_AUTO (EddySequence) nothing = eddy_sequence_take (numbers_new (numbers), 0);
    EDDY_AUTO (EddySequence) all = eddy_sequence_take (numbers_new (numbers), 100);
    (void) error;
    expect_next (sequence, 1);
    expect_next (sequence, 2);
    /* Let go of already. */
    yield_until (&numbers->ended);
    expect_next (sequence, 0);
    expect_next (nothing, 0);
    ck_assert_int_eq (numbers->begun, 1);
    for (int i = 1; i <= 4; i++)
        expect_next (all, i);
    expect_next (all, 0);
    return NULL;
}

EDDY_TEST (D_sequence_take)
{
    Numbers numbers = { .first = 1, .last = 4 };
    run_alone (take_numbers, &numbers);
    ck_assert_int_eq (numbers.destroyed, 3);
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static void expect_chunk (EddySequence *sequence, int first, size_t length)
{
    EddyError *error = NULL;
    EddyChunk *chunk = eddy_sequence_next (sequence, NULL, &error);
    ck_assert_ptr_null (error);
    ck_assert_ptr_nonnull (chunk);
    ck_assert_uint_eq (eddy_chunk_get_length (chunk), length);
    for (size_t i = 0; i < length; i++)
        ck_assert_int_eq (*(int *) eddy_chunk_get (chunk, i), first + (int) i);
    ck_assert_int_eq (item_take (eddy_chunk_take (chunk, 0)), first);
    ck_assert_ptr_null (eddy_chunk_get (chunk, 0));
    eddy_unref (chunk);
}

static void *chunk_numbers (void *data, EddyError **error)
{
    Numbers *numbers = data;
    EDDY_AUTO (EddySequence) sequence = eddy_sequence_chunks (numbers_new (numbers), 3);
    (void) error;
    expect_chunk (sequence, 1, 3);
    expect_chunk (sequence, 4, 3);
    if (numbers->last == 7)
        expect_chunk (sequence, 7, 1);
    if (numbers->fails)
        expect_failure (sequence, EDDY_IO_ERROR_INVALID_DATA);
    expect_next (sequence, 0);
    return NULL;
}

EDDY_TEST (D_sequence_chunks)
{
    Numbers even = { .first = 1, .last = 6 };
    Numbers odd = { .first = 1, .last = 7 };
    Numbers failing = { .first = 1, .last = 7, .fails = true };
    Numbers failing_even = { .first = 1, .last = 6, .fails = true };
    run_alone (chunk_numbers, &even);
    run_alone (chunk_numbers, &odd);
    run_alone (chunk_numbers, &failing);
    run_alone (chunk_numbers, &failing_even);
}

/* Too much memory is asked for: that loses nothing, but is no end of errors. */
static void *chunk_too_many (void *data, EddyError **error)
{
    Numbers numbers = { .first = 1, .last = 1 };
    EDDY_AUTO (EddySequence) sequence = eddy_sequence_chunks (numbers_new (&numbers), SIZE_MAX);
    (void) data, (void) error;
    expect_failure (sequence, EDDY_IO_ERROR_NO_MEMORY);
    ck_assert (!eddy_sequence_has_ended (sequence));
    return NULL;
}

EDDY_TEST (D_sequence_chunk_without_memory)
{
    run_alone (chunk_too_many, NULL);
}

/* ---- merge ----------------------------------------------------------------------------------- */

enum { MERGED = 3, EACH = 5 };

/* All items come, those of each in order, and none is passed over. */
static void *merge_numbers (void *data, EddyError **error)
{
    Numbers numbers[MERGED];
    EddySequence *sequences[MERGED];
    int latest[MERGED] = { 0 };
    (void) data;
    for (int i = 0; i < MERGED; i++) {
        numbers[i] = (Numbers){ .first = 100 * i + 1, .last = 100 * i + EACH, .pause_ns = -1 };
        sequences[i] = numbers_new (&numbers[i]);
    }
    EDDY_AUTO (EddySequence) merged = eddy_sequence_merge (sequences, MERGED, item_destroy);
    for (int n = 0; n < MERGED * EACH; n++) {
        int number = item_take (eddy_sequence_next (merged, NULL, error));
        ck_assert_ptr_null (*error);
        ck_assert_int_eq (number % 100, ++latest[number / 100]);
        ck_assert_int_le (latest[number / 100], n / MERGED + 1);
    }
    expect_next (merged, 0);
    return NULL;
}

EDDY_TEST (D_sequence_merge)
{
    run_alone (merge_numbers, NULL);
}

static void *merge_nothing (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence) merged = eddy_sequence_merge (NULL, 0, NULL);
    (void) data, (void) error;
    expect_next (merged, 0);
    return NULL;
}

EDDY_TEST (D_sequence_merge_of_nothing)
{
    run_alone (merge_nothing, NULL);
}

/* The others are cancelled, and what they offer is given up. */
static void *merge_failing (void *data, EddyError **error)
{
    Numbers *numbers = data;
    EddySequence *sequences[2] = { numbers_new (&numbers[0]), numbers_new (&numbers[1]) };
    EDDY_AUTO (EddySequence) merged = eddy_sequence_merge (sequences, 2, item_destroy);
    EddyError *failure = NULL;
    int n = 0;
    (void) error;
    for (void *item; (item = eddy_sequence_next (merged, NULL, &failure)) != NULL; n++)
        item_destroy (item);
    ck_assert_int_ge (n, 2);
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_INVALID_DATA);
    expect_next (merged, 0);
    return NULL;
}

EDDY_TEST (D_sequence_merge_ends_with_the_first_error)
{
    Numbers numbers[2] = { { .first = 1, .last = 1000000 },
                           { .first = 1, .last = 2, .fails = true } };
    run_alone (merge_failing, numbers);
    ck_assert_int_eq (numbers[0].ended, 1);
    ck_assert_int_lt (numbers[0].made, 10);
}

/* ---- buffered -------------------------------------------------------------------------------- */

typedef struct Work {
    int running;
    int most;
    int done;
} Work;

typedef struct Piece {
    Work *work;
    int number;
} Piece;

/* Each takes shorter than the one before it. */
static void *work_on (void *data, EddyError **error)
{
    Piece *piece = data;
    Work *work = piece->work;
    work->running++;
    if (work->running > work->most)
        work->most = work->running;
    bool slept = eddy_fiber_sleep (1000000 / piece->number, error);
    work->running--;
    if (!slept)
        return NULL;
    work->done++;
    if (piece->number == 3)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA, "three is bad");
    return (void *) (intptr_t) piece->number;
}

static void *answer_same (void *data, EddyError **error)
{
    (void) eddy_fiber_sleep (1000, error);
    return data;
}

static void *start_work (void *item, void *data, EddyError **error)
{
    Piece *piece = malloc (sizeof *piece);
    (void) error;
    *piece = (Piece){ data, item_take (item) };
    return eddy_spawn_local (work_on, piece, free);
}

static EddySequence *works_new (Numbers *numbers, Work *work, size_t n)
{
    return eddy_sequence_buffered (
        eddy_sequence_map (numbers_new (numbers), start_work, work, NULL, eddy_destroy), n);
}

static void *buffer_work (void *data, EddyError **error)
{
    Work *work = data;
    Numbers numbers = { .first = 1, .last = 7 };
    EDDY_AUTO (EddySequence) sequence = works_new (&numbers, work, 3);
    for (int i = 1; i <= 7; i++) {
        EddyFuture *future = eddy_sequence_next (sequence, NULL, error);
        EddyError *failure = NULL;
        ck_assert_ptr_nonnull (future);
        ck_assert (eddy_future_is_complete (future));
        void *answer = eddy_await (future, &failure);
        ck_assert_int_eq ((int) (intptr_t) answer, i == 3 ? 0 : i);
        if (i == 3)
            eddy_test_expect_error (&failure, EDDY_IO_ERROR_INVALID_DATA);
        eddy_unref (future);
    }
    expect_next (sequence, 0);
    return NULL;
}

EDDY_TEST (D_sequence_buffered)
{
    Work work = { .most = 0 };
    run_alone (buffer_work, &work);
    ck_assert_int_eq (work.most, 3);
    ck_assert_int_eq (work.done, 7);
    ck_assert_int_eq (work.running, 0);
}

static void *drop_buffered (void *data, EddyError **error)
{
    Numbers numbers = { .first = 2, .last = 1000000 };
    EddySequence *sequence = works_new (&numbers, data, 4);
    eddy_unref (eddy_sequence_next (sequence, NULL, error));
    eddy_unref (sequence);
    yield_until (&numbers.ended);
    return NULL;
}

EDDY_TEST (D_sequence_buffered_is_dropped)
{
    Work work = { .most = 0 };
    run_alone (drop_buffered, &work);
    ck_assert_int_eq (work.running, 0);
    ck_assert_int_le (work.most, 4);
}

/* Futures of other threads. */
static void *start_on_pool (void *item, void *data, EddyError **error)
{
    intptr_t number = item_take (item);
    (void) error;
    return eddy_pool_spawn (data, answer_same, (void *) number, NULL);
}

static void *buffer_pool (void *data, EddyError **error)
{
    Numbers numbers = { .first = 1, .last = 20 };
    EddyPool *pool = eddy_pool_new (2, error);
    EDDY_AUTO (EddySequence)
    sequence = eddy_sequence_buffered (
        eddy_sequence_map (numbers_new (&numbers), start_on_pool, pool, NULL, eddy_destroy), 4);
    (void) data;
    ck_assert_ptr_nonnull (pool);
    for (int i = 1; i <= 20; i++) {
        EddyFuture *future = eddy_sequence_next (sequence, NULL, error);
        ck_assert_ptr_nonnull (future);
        ck_assert_int_eq ((int) (intptr_t) eddy_await (future, error), i);
        eddy_unref (future);
    }
    expect_next (sequence, 0);
    ck_assert (eddy_pool_close (pool, NULL, error));
    eddy_unref (pool);
    return NULL;
}

EDDY_TEST (D_sequence_buffered_futures_of_a_pool)
{
    run_alone (buffer_pool, NULL);
}

/* ---- debounce -------------------------------------------------------------------------------- */

enum { QUIET_NS = 20000000 };

/* Three at once, then quiet for long, then three more, then the end. */
static bool generate_bursts (EddyGenerator *generator, void *data, EddyError **error)
{
    const bool *fails = data;
    for (int i = 1; i <= 6; i++) {
        if (i == 4 && !eddy_fiber_sleep (20 * (int64_t) QUIET_NS, error))
            return false;
        if (!eddy_generator_yield (generator, item_new (i), error))
            return false;
    }
    if (*fails)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA, "as the test wants");
    return !*fails;
}

static void *debounce_bursts (void *data, EddyError **error)
{
    bool *fails = data;
    EDDY_AUTO (EddySequence)
    sequence = eddy_sequence_debounce (
        eddy_sequence_new_generator (generate_bursts, fails, NULL, item_destroy), QUIET_NS);
    (void) error;
    expect_next (sequence, 3);
    expect_next (sequence, 6);
    if (*fails)
        expect_failure (sequence, EDDY_IO_ERROR_INVALID_DATA);
    expect_next (sequence, 0);
    return NULL;
}

EDDY_TEST (D_sequence_debounce)
{
    bool fails = false;
    run_alone (debounce_bursts, &fails);
    fails = true;
    run_alone (debounce_bursts, &fails);
}

/* ---- timeout --------------------------------------------------------------------------------- */

typedef struct Gate {
    bool open;
} Gate;

/* Waits before the second item for as long as it takes. */
static bool generate_late (EddyGenerator *generator, void *data, EddyError **error)
{
    const Gate *gate = data;
    if (!eddy_generator_yield (generator, item_new (1), error))
        return false;
    while (!gate->open)
        if (!eddy_fiber_sleep (100000, error))
            return false;
    return eddy_generator_yield (generator, item_new (2), error);
}

/* Also through adapters, for which it is not the end either. */
static void *time_out (void *data, EddyError **error)
{
    Gate gate = { .open = false };
    EDDY_AUTO (EddySequence)
    sequence = eddy_sequence_timeout (
        eddy_sequence_new_generator (generate_late, &gate, NULL, item_destroy), 5000000);
    (void) error;
    if (data != NULL)
        sequence = eddy_sequence_merge (&sequence, 1, item_destroy);
    sequence = eddy_sequence_take (sequence, 10);
    expect_next (sequence, 1);
    expect_failure (sequence, EDDY_IO_ERROR_TIMED_OUT);
    expect_failure (sequence, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (!eddy_sequence_has_ended (sequence));
    gate.open = true;
    EddyError *failure = NULL;
    void *item = eddy_sequence_next (sequence, NULL, &failure);
    while (item == NULL) { /* a machine that is busy may take longer */
        eddy_test_expect_error (&failure, EDDY_IO_ERROR_TIMED_OUT);
        item = eddy_sequence_next (sequence, NULL, &failure);
    }
    ck_assert_int_eq (item_take (item), 2);
    expect_next (sequence, 0);
    return NULL;
}

EDDY_TEST (D_sequence_timeout)
{
    int merged = 1;
    run_alone (time_out, NULL);
    run_alone (time_out, &merged);
}
