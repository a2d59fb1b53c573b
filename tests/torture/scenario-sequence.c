/* SPDX-License-Identifier: MIT */
/*
 * Sequences: generators and everything that is made of them, asked to the end, cancelled, dropped.
 */
#include <signal.h>
#include <stdlib.h>

#include "torture.h"

enum { ITEMS = 9 };

/* ---- Items --------------------------------------------------------------------------------- */

/* Each is one of these, which says whether somebody has it. */
typedef struct Items {
    bool alive[ITEMS + 1]; /* by number, from 1 */
    int n_alive;
    int made; /* generators */
    int begun;
    int ended;
    int destroyed; /* their data */
} Items;

/* Items find their list by themselves. */
static Items *items;

static void *item_new (int number)
{
    torture_require (!items->alive[number]);
    items->alive[number] = true;
    items->n_alive++;
    return &items->alive[number];
}

static int item_take (void *item)
{
    ptrdiff_t number = (bool *) item - items->alive;
    torture_require (number >= 1 && number <= ITEMS && items->alive[number]);
    items->alive[number] = false;
    items->n_alive--;
    return (int) number;
}

static void item_destroy (void *item)
{
    item_take (item);
}

static bool items_generate (EddyGenerator *generator, void *data, EddyError **error)
{
    (void) data;
    items->begun++;
    bool good = true;
    for (int i = 1; good && i <= ITEMS; i++) {
        if (i % 3 == 0)
            good = eddy_fiber_sleep (1000, error);
        good = good && eddy_generator_yield (generator, item_new (i), error);
    }
    items->ended++;
    return good;
}

static void items_destroyed (void *data)
{
    (void) data;
    items->destroyed++;
}

static EddySequence *items_new (void)
{
    items->made++;
    return eddy_sequence_new_generator (items_generate, NULL, items_destroyed, item_destroy);
}

/* ---- Asking -------------------------------------------------------------------------------- */

typedef struct Asking {
    EddySequence *(*make) (void);
    int (*count) (void *item); /* gives the item up: how many were in it */
    int expected;
    int dropped_after; /* 0: asked to the end */
    int n;
} Asking;

static void asking_step (void *data)
{
    Asking *asking = data;
    EddyError *error = NULL;
    EddySequence *sequence = torture_made ("a sequence", asking->make ());
    if (sequence == NULL)
        return;
    for (int tries = 0; asking->dropped_after == 0 || asking->n < asking->dropped_after;) {
        void *item = eddy_sequence_next (sequence, NULL, &error);
        if (item != NULL) {
            asking->n += asking->count (item);
            continue;
        }
        bool has_ended = eddy_sequence_has_ended (sequence);
        if (error == NULL)
            torture_require (has_ended && asking->n == asking->expected);
        else
            torture_error ("asking a sequence", &error);
        /* Where an error is not the end, nothing is lost, and memory may be there again. */
        if (has_ended || ++tries == 3)
            break;
    }
    eddy_unref (sequence);
}

static void torture_asking (Asking asking)
{
    Items all = { .n_alive = 0 };
    items = &all;
    torture_begin ();
    torture_await (asking_step, &asking);
    torture_require (torture_was_hit () || asking.dropped_after != 0 ||
                     asking.n == asking.expected);
    torture_require (all.n_alive == 0);
    torture_require (all.begun == all.ended && all.destroyed == all.made);
}

static int count_item (void *item)
{
    item_take (item);
    return 1;
}

/* ---- Kinds --------------------------------------------------------------------------------- */

TORTURE_SCENARIO (sequence_generator)
{
    torture_asking ((Asking){ items_new, count_item, ITEMS, 0, 0 });
}

TORTURE_SCENARIO (sequence_generator_dropped)
{
    torture_asking ((Asking){ items_new, count_item, ITEMS, 4, 0 });
}

static void *map_same (void *item, void *data, EddyError **error)
{
    (void) data;
    return eddy_fiber_sleep (1000, error) ? item : NULL;
}

static bool filter_odd (void *item, void *data, EddyError **error)
{
    (void) data, (void) error;
    return ((bool *) item - items->alive) % 2 != 0;
}

static EddySequence *make_mapped (void)
{
    return eddy_sequence_take (
        eddy_sequence_map (eddy_sequence_filter (items_new (), filter_odd, NULL, NULL), map_same,
                           NULL, NULL, item_destroy),
        4);
}

TORTURE_SCENARIO (sequence_map_filter_take)
{
    torture_asking ((Asking){ make_mapped, count_item, 4, 0, 0 });
}

static EddySequence *make_chunks (void)
{
    return eddy_sequence_chunks (items_new (), 4);
}

static int count_chunk (void *item)
{
    int length = (int) eddy_chunk_get_length (item);
    eddy_unref (item);
    return length;
}

TORTURE_SCENARIO (sequence_chunks)
{
    torture_asking ((Asking){ make_chunks, count_chunk, ITEMS, 0, 0 });
}

TORTURE_SCENARIO (sequence_chunks_dropped)
{
    torture_asking ((Asking){ make_chunks, count_chunk, ITEMS, 4, 0 });
}

/* Ticks among the items: numbers that are no items of the list. */
static int count_merged (void *item)
{
    bool is_item = (bool *) item > items->alive && (bool *) item <= items->alive + ITEMS;
    return is_item ? count_item (item) : 1;
}

static void destroy_merged (void *item)
{
    (void) count_merged (item);
}

static EddySequence *make_merged (void)
{
    EddySequence *inputs[2] = { items_new (),
                                eddy_sequence_take (eddy_sequence_new_interval (1000), 3) };
    return eddy_sequence_timeout (eddy_sequence_merge (inputs, 2, destroy_merged),
                                  INT64_C (3600) * 1000000000);
}

TORTURE_SCENARIO (sequence_merge)
{
    torture_asking ((Asking){ make_merged, count_merged, ITEMS + 3, 0, 0 });
}

TORTURE_SCENARIO (sequence_merge_dropped)
{
    torture_asking ((Asking){ make_merged, count_merged, ITEMS + 3, 5, 0 });
}

static void *answer_run (void *data, EddyError **error)
{
    (void) eddy_fiber_sleep (1000, error);
    return data;
}

static void *answer_start (void *item, void *data, EddyError **error)
{
    (void) data, (void) error;
    item_take (item);
    return eddy_spawn_local (answer_run, items, NULL);
}

static int count_future (void *item)
{
    EddyError *error = NULL;
    torture_require (eddy_future_is_complete (item));
    if (!eddy_await_complete (item, &error))
        torture_error ("an answer", &error);
    eddy_unref (item);
    return 1;
}

static EddySequence *make_buffered (void)
{
    return eddy_sequence_buffered (
        eddy_sequence_map (items_new (), answer_start, NULL, NULL, eddy_destroy), 3);
}

TORTURE_SCENARIO (sequence_buffered)
{
    torture_asking ((Asking){ make_buffered, count_future, ITEMS, 0, 0 });
}

TORTURE_SCENARIO (sequence_buffered_dropped)
{
    torture_asking ((Asking){ make_buffered, count_future, ITEMS, 2, 0 });
}

/* All but the last one are given up. */
static EddySequence *make_debounced (void)
{
    return eddy_sequence_debounce (items_new (), INT64_C (3600) * 1000000000);
}

TORTURE_SCENARIO (sequence_debounce)
{
    torture_asking ((Asking){ make_debounced, count_item, 1, 0, 0 });
}

/* ---- Signals and messages ------------------------------------------------------------------ */

static EddySequence *make_signals (void)
{
    EddySequence *sequence = eddy_sequence_new_signal (SIGUSR1);
    if (sequence != NULL)
        raise (SIGUSR1);
    return sequence;
}

static int count_number (void *item)
{
    torture_require ((intptr_t) item == SIGUSR1);
    return 1;
}

TORTURE_SCENARIO (sequence_signal)
{
    torture_asking ((Asking){ make_signals, count_number, 1, 1, 0 });
}

static EddySequence *make_messages (void)
{
    EddyError *error = NULL;
    EddyChannel *channel = eddy_channel_new (ITEMS, item_destroy);
    for (int i = 1; channel != NULL && i <= ITEMS; i++)
        torture_require (eddy_channel_try_send (channel, item_new (i), &error));
    EddySequence *sequence = channel == NULL ? NULL : eddy_sequence_new_channel (channel);
    if (channel != NULL)
        eddy_channel_close (channel);
    eddy_unref (channel);
    return sequence;
}

TORTURE_SCENARIO (sequence_channel)
{
    torture_asking ((Asking){ make_messages, count_item, ITEMS, 0, 0 });
}

/* ---- By a plain thread --------------------------------------------------------------------- */

TORTURE_SCENARIO (sequence_blocking)
{
    Items all = { .n_alive = 0 };
    EddyError *error = NULL;
    items = &all;
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    EddySequence *sequence = torture_made ("a sequence", items_new ());
    for (int i = 1; sequence != NULL && i <= 3; i++) {
        void *item = eddy_sequence_next (sequence, NULL, &error);
        if (item != NULL)
            item_take (item);
        else if (error != NULL)
            torture_error ("asking a sequence", &error);
        else
            torture_require (torture_has_failed () && eddy_sequence_has_ended (sequence));
    }
    eddy_unref (sequence);
    torture_run_out (context);
    torture_end ();
    torture_require (all.n_alive == 0 && all.begun == all.ended && all.destroyed == all.made);
    torture_context_end (context);
}
