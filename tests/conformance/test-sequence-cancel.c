/* SPDX-License-Identifier: MIT */
/*
 * Every sequence, asked by a fiber that is cancelled at each point it comes to. Another fiber then
 * asks for the rest, or the sequence is dropped: no item is lost, and none is left.
 */
#include "sequences.h"

enum { ITEMS = 4, MOST = 32 };

typedef struct Run Run;
struct Run {
    EddySequence *(*make) (Run *run);
    void (*record) (Run *run, void *item);
    bool drops;
    bool shares; /* another fiber, which is not cancelled, asks at the same time */
    bool fails;  /* after some items */
    bool in_any_order;
    int expected;
    Numbers numbers[2];
    EddySequence *sequence;
    EddySequence *shared;
    int got[MOST];
    int n;
    int failures;
    bool ended;
};

/* ---- the two fibers -------------------------------------------------------------------------- */

static void run_ask (Run *run, EddySequence *sequence, EddyError **error)
{
    void *item;
    while ((item = eddy_sequence_next (sequence, NULL, error)) != NULL) {
        ck_assert_int_lt (run->n, MOST);
        ck_assert_int_eq (run->failures, 0);
        run->record (run, item);
    }
    run->ended = run->ended || *error == NULL;
    if (!eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA))
        return;
    /* From here on there is only the end. */
    eddy_clear_error (error);
    ck_assert_int_eq (run->failures++, 0);
    run_ask (run, sequence, error);
}

static void *ask_for_rest (void *data, EddyError **error)
{
    Run *run = data;
    run_ask (run, run->sequence, error);
    eddy_clear (&run->sequence);
    return NULL;
}

static void *ask_beside (void *data, EddyError **error)
{
    Run *run = data;
    run_ask (run, run->shared, error);
    eddy_clear (&run->shared);
    return NULL;
}

static void *ask_for_all (void *data, EddyError **error)
{
    Run *run = data;
    run->sequence = run->make (run);
    ck_assert_ptr_nonnull (run->sequence);
    if (run->shares) {
        run->shared = eddy_ref (run->sequence);
        eddy_spawn_detached (NULL, ask_beside, run, NULL);
    }
    run_ask (run, run->sequence, error);
    if (*error != NULL && !run->drops)
        eddy_spawn_detached (NULL, ask_for_rest, run, NULL);
    else
        eddy_clear (&run->sequence);
    return NULL;
}

static int compare_numbers (const void *first, const void *second)
{
    return *(const int *) first - *(const int *) second;
}

static void check_run (void *data, bool cancelled, uint32_t point)
{
    Run *run = data;
    ck_assert_ptr_null (run->sequence);
    ck_assert_int_eq (items_alive, 0);
    if (run->in_any_order)
        qsort (run->got, (size_t) run->n, sizeof *run->got, compare_numbers);
    bool is_part = run->fails || run->drops;
    for (int i = 0; i < run->n && !(is_part && run->in_any_order); i++)
        ck_assert_msg (run->got[i] == i + 1, "point %d: item %d is %d", (int) point, i + 1,
                       run->got[i]);
    if (!cancelled || !run->drops || run->shares) {
        ck_assert (run->ended);
        if (run->fails)
            ck_assert_int_eq (run->failures, 1);
        else
            ck_assert_int_eq (run->n, run->expected);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq (run->numbers[i].begun, run->numbers[i].ended);
        run->numbers[i].begun = run->numbers[i].ended = 0;
    }
    run->n = run->failures = 0;
    run->ended = false;
}

static void record_number (Run *run, void *item)
{
    run->got[run->n++] = item_take (item);
}

static void expect_nothing_lost (Run run)
{
    for (int drops = 0; drops < 2; drops++) {
        EddyTestCancelReport report;
        run.drops = drops != 0;
        bool good = eddy_test_cancel_everywhere (ask_for_all, &run, check_run, &report);
        ck_assert_msg (good, "%s", report.failure);
        ck_assert_uint_ge (report.cancelled, ITEMS);
    }
}

/* ---- one kind after the other ---------------------------------------------------------------- */

static EddySequence *make_numbers (Run *run)
{
    run->numbers[0] = (Numbers){ .first = 1, .last = ITEMS, .pause_ns = 1000 };
    return numbers_new (&run->numbers[0]);
}

EDDY_TEST (D_sequence_cancel_generator)
{
    expect_nothing_lost ((Run){ .make = make_numbers, .record = record_number, .expected = ITEMS });
}

EDDY_TEST (D_sequence_cancel_turns)
{
    expect_nothing_lost ((Run){ .make = make_numbers,
                                .record = record_number,
                                .shares = true,
                                .in_any_order = true,
                                .expected = ITEMS });
}

/* Waits, and fails when that is cancelled: the same item comes again. */
static void *map_slowly (void *item, void *data, EddyError **error)
{
    (void) data;
    if (!eddy_fiber_sleep (1000, error))
        return NULL;
    return item_new (item_take (item));
}

static bool choose_slowly (void *item, void *data, EddyError **error)
{
    (void) data;
    return eddy_fiber_sleep (1000, error) && *(int *) item > 0;
}

static EddySequence *make_map (Run *run)
{
    return eddy_sequence_map (make_numbers (run), map_slowly, NULL, NULL, item_destroy);
}

EDDY_TEST (D_sequence_cancel_map)
{
    expect_nothing_lost ((Run){ .make = make_map, .record = record_number, .expected = ITEMS });
}

static EddySequence *make_filter (Run *run)
{
    return eddy_sequence_filter (make_numbers (run), choose_slowly, NULL, NULL);
}

EDDY_TEST (D_sequence_cancel_filter)
{
    expect_nothing_lost ((Run){ .make = make_filter, .record = record_number, .expected = ITEMS });
}

/* A function that cannot fail: the item has come when the fiber is cancelled already. */
static void *map_stubbornly (void *item, void *data, EddyError **error)
{
    (void) data, (void) error;
    eddy_fiber_yield ();
    return item;
}

static EddySequence *make_stubborn_map (Run *run)
{
    return eddy_sequence_map (make_numbers (run), map_stubbornly, NULL, NULL, item_destroy);
}

EDDY_TEST (D_sequence_cancel_late)
{
    expect_nothing_lost (
        (Run){ .make = make_stubborn_map, .record = record_number, .expected = ITEMS });
}

static EddySequence *make_take (Run *run)
{
    run->numbers[0] = (Numbers){ .first = 1, .last = 100, .pause_ns = 1000 };
    return eddy_sequence_take (numbers_new (&run->numbers[0]), ITEMS);
}

EDDY_TEST (D_sequence_cancel_take)
{
    expect_nothing_lost ((Run){ .make = make_take, .record = record_number, .expected = ITEMS });
}

static EddySequence *make_chunks (Run *run)
{
    return eddy_sequence_chunks (make_numbers (run), 3);
}

static void record_chunk (Run *run, void *item)
{
    EddyChunk *chunk = item;
    size_t length = eddy_chunk_get_length (chunk);
    for (size_t i = 0; i < length; i++)
        record_number (run, eddy_chunk_take (chunk, i));
    ck_assert_uint_eq (length, run->n == ITEMS ? ITEMS % 3 : 3);
    eddy_unref (chunk);
}

EDDY_TEST (D_sequence_cancel_chunks)
{
    expect_nothing_lost ((Run){ .make = make_chunks, .record = record_chunk, .expected = ITEMS });
}

static EddySequence *make_merge (Run *run)
{
    run->numbers[1] = (Numbers){ .first = ITEMS + 1, .last = 2 * ITEMS };
    EddySequence *sequences[2] = { make_numbers (run), numbers_new (&run->numbers[1]) };
    return eddy_sequence_merge (sequences, 2, item_destroy);
}

EDDY_TEST (D_sequence_cancel_merge)
{
    expect_nothing_lost ((Run){
        .make = make_merge, .record = record_number, .in_any_order = true, .expected = 2 * ITEMS });
}

/* One of the inputs fails: that is told once, whoever hears it, and is the end. */
static EddySequence *make_failing_merge (Run *run)
{
    run->numbers[1] = (Numbers){ .first = ITEMS + 1, .last = ITEMS + 2, .fails = true };
    EddySequence *sequences[2] = { make_numbers (run), numbers_new (&run->numbers[1]) };
    return eddy_sequence_take (eddy_sequence_merge (sequences, 2, item_destroy), 100);
}

EDDY_TEST (D_sequence_cancel_failing_merge)
{
    expect_nothing_lost ((Run){
        .make = make_failing_merge, .record = record_number, .fails = true, .in_any_order = true });
}

static void *answer_slowly (void *data, EddyError **error)
{
    eddy_fiber_sleep (1000, error);
    return data;
}

static void *start_answer (void *item, void *data, EddyError **error)
{
    intptr_t number = item_take (item);
    (void) data, (void) error;
    return eddy_spawn_local (answer_slowly, (void *) number, NULL);
}

static EddySequence *make_buffered (Run *run)
{
    return eddy_sequence_buffered (
        eddy_sequence_map (make_numbers (run), start_answer, NULL, NULL, eddy_destroy), 2);
}

static void record_future (Run *run, void *item)
{
    EddyError *error = NULL;
    ck_assert (eddy_future_is_complete (item));
    run->got[run->n++] = (int) (intptr_t) eddy_await (item, &error);
    ck_assert_ptr_null (error);
    eddy_unref (item);
}

EDDY_TEST (D_sequence_cancel_buffered)
{
    expect_nothing_lost (
        (Run){ .make = make_buffered, .record = record_future, .expected = ITEMS });
}

/* All that it is to give is the last item; quiet comes with the end only. */
static EddySequence *make_debounce (Run *run)
{
    return eddy_sequence_debounce (make_numbers (run), INT64_C (3600) * 1000000000);
}

static void record_last (Run *run, void *item)
{
    ck_assert_int_eq (item_take (item), ITEMS);
    run->got[run->n++] = 1;
}

EDDY_TEST (D_sequence_cancel_debounce)
{
    expect_nothing_lost ((Run){ .make = make_debounce, .record = record_last, .expected = 1 });
}

static EddySequence *make_timeout (Run *run)
{
    return eddy_sequence_timeout (make_numbers (run), INT64_C (3600) * 1000000000);
}

EDDY_TEST (D_sequence_cancel_timeout)
{
    expect_nothing_lost ((Run){ .make = make_timeout, .record = record_number, .expected = ITEMS });
}

/* Ticks are skipped by number, and never told twice. */
static EddySequence *make_interval (Run *run)
{
    (void) run;
    return eddy_sequence_take (eddy_sequence_new_interval (100000), ITEMS);
}

static void record_tick (Run *run, void *item)
{
    static intptr_t latest;
    intptr_t tick = (intptr_t) item;
    ck_assert (run->n == 0 ? tick >= 1 : tick > latest);
    latest = tick;
    run->n++;
    run->got[run->n - 1] = run->n;
}

EDDY_TEST (D_sequence_cancel_interval)
{
    expect_nothing_lost ((Run){ .make = make_interval, .record = record_tick, .expected = ITEMS });
}

/* Messages of a channel, whose sender is never cancelled. */
static void *send_numbers (void *data, EddyError **error)
{
    EddyChannel *channel = data;
    for (int i = 1; i <= ITEMS; i++) {
        void *item = item_new (i);
        eddy_fiber_yield ();
        if (!eddy_channel_send (channel, item, NULL, error))
            item_destroy (item);
    }
    eddy_channel_close (channel);
    return NULL;
}

static EddySequence *make_messages (Run *run)
{
    /* Room for all: the sender is not to wait for a sequence that is dropped. */
    EddyChannel *channel = eddy_channel_new (ITEMS, item_destroy);
    (void) run;
    eddy_spawn_detached (NULL, send_numbers, eddy_ref (channel), eddy_destroy);
    EddySequence *sequence = eddy_sequence_new_channel (channel);
    eddy_unref (channel);
    return sequence;
}

EDDY_TEST (D_sequence_cancel_messages)
{
    expect_nothing_lost (
        (Run){ .make = make_messages, .record = record_number, .expected = ITEMS });
}

/* Through everything at once. */
static EddySequence *make_all (Run *run)
{
    EddySequence *first = eddy_sequence_filter (make_map (run), choose_slowly, NULL, NULL);
    run->numbers[1] = (Numbers){ .first = ITEMS + 1, .last = 2 * ITEMS };
    EddySequence *inputs[2] = { eddy_sequence_timeout (first, INT64_MAX),
                                eddy_sequence_take (numbers_new (&run->numbers[1]), 100) };
    return eddy_sequence_take (eddy_sequence_merge (inputs, 2, item_destroy), 2 * ITEMS);
}

EDDY_TEST (D_sequence_cancel_all_together)
{
    expect_nothing_lost ((Run){
        .make = make_all, .record = record_number, .in_any_order = true, .expected = 2 * ITEMS });
}
