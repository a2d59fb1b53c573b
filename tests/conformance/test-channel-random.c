/* SPDX-License-Identifier: MIT */
/*
 * Random sends, receives, selects, cancels and closes on a few channels, beside a model that is a
 * list of messages and a list of those who wait. After each step the context runs until it is idle,
 * so that all that is left to chance is which of several ready cases a select takes.
 */
#include "context.h"

enum { CHANNELS = 3, CASES = 4, OPS = 120, ROUNDS = 60 };

typedef enum Outcome { WAITS, HAPPENED, CLOSED, CANCELLED } Outcome;

/* A send or receive, which has one case, or a select. */
typedef struct Op {
    bool is_select;
    int n_cases;
    bool sends[CASES];
    int channel[CASES];
    intptr_t message[CASES]; /* to be sent, or received */
    EddySelectCase cases[CASES];
    EddyChannel *on;
    EddyFuture *fiber;
    /* What has become of it, and what the model says. */
    Outcome found, expected;
    int found_case, expected_case;
    intptr_t found_message, expected_message;
} Op;

typedef struct World {
    EddyContext *context;
    uint32_t random;
    size_t capacity[CHANNELS];
    EddyChannel *channels[CHANNELS];
    intptr_t kept[CHANNELS][8];
    size_t n_kept[CHANNELS];
    bool closed[CHANNELS];
    Op ops[OPS];
    int n_ops;
    intptr_t last_message;
} World;

static int world_choose (World *world, int n)
{
    world->random = world->random * 1103515245 + 12345;
    return (int) (world->random >> 8) % n;
}

/* --- the fibers ------------------------------------------------------------------------------- */

static Outcome op_select (Op *op, EddyError **error)
{
    op->found_case = eddy_select (op->cases, (size_t) op->n_cases, NULL, error);
    if (op->found_case < 0)
        return CANCELLED;
    op->found_message = (intptr_t) op->cases[op->found_case].message;
    return op->cases[op->found_case].is_closed ? CLOSED : HAPPENED;
}

static Outcome op_send_or_receive (Op *op, EddyError **error)
{
    if (!op->sends[0])
        op->found_message = (intptr_t) eddy_channel_receive (op->on, NULL, error);
    else if (eddy_channel_send (op->on, (void *) op->message[0], NULL, error))
        op->found_message = op->message[0];
    return *error == NULL ? HAPPENED : CLOSED;
}

static void *op_run (void *data, EddyError **error)
{
    Op *op = data;
    EddyError *failure = NULL;
    (void) error;
    Outcome outcome = op->is_select ? op_select (op, &failure) : op_send_or_receive (op, &failure);
    op->found = failure != NULL && eddy_error_is_cancelled (failure) ? CANCELLED : outcome;
    eddy_clear_error (&failure);
    return NULL;
}

/* --- the model -------------------------------------------------------------------------------- */

static void op_expect (Op *op, Outcome outcome, int number, intptr_t message)
{
    op->expected = outcome;
    op->expected_case = number;
    op->expected_message = message;
}

/* The first who waits to send to, or receive from, a channel; which case of it is in *number. */
static Op *world_find_waiter (World *world, int channel, bool sends, int *number)
{
    for (int i = 0; i < world->n_ops; i++)
        for (int j = 0; j < world->ops[i].n_cases && world->ops[i].expected == WAITS; j++)
            if (world->ops[i].channel[j] == channel && world->ops[i].sends[j] == sends) {
                *number = j;
                return &world->ops[i];
            }
    return NULL;
}

/* Lets the first sender who waits go on; his message, or 0. */
static intptr_t world_take_sender (World *world, int channel)
{
    int number;
    Op *sender = world_find_waiter (world, channel, true, &number);
    if (sender == NULL)
        return 0;
    op_expect (sender, HAPPENED, number, sender->message[number]);
    return sender->message[number];
}

static bool world_is_ready (World *world, const Op *op, int number)
{
    int channel = op->channel[number], other;
    bool has_room = op->sends[number] ? world->n_kept[channel] < world->capacity[channel]
                                      : world->n_kept[channel] > 0;
    return world->closed[channel] || has_room ||
           world_find_waiter (world, channel, !op->sends[number], &other) != NULL;
}

static void world_send (World *world, Op *op, int number)
{
    int channel = op->channel[number], other;
    intptr_t message = op->message[number];
    op_expect (op, world->closed[channel] ? CLOSED : HAPPENED, number, message);
    if (world->closed[channel])
        return;
    Op *receiver = world_find_waiter (world, channel, false, &other);
    if (receiver != NULL)
        op_expect (receiver, HAPPENED, other, message);
    else
        world->kept[channel][world->n_kept[channel]++] = message;
}

static void world_receive (World *world, Op *op, int number)
{
    int channel = op->channel[number];
    size_t *n_kept = &world->n_kept[channel];
    intptr_t *kept = world->kept[channel];
    if (*n_kept == 0) {
        intptr_t message = world_take_sender (world, channel);
        op_expect (op, message != 0 ? HAPPENED : CLOSED, number, message);
        return;
    }
    op_expect (op, HAPPENED, number, kept[0]);
    memmove (kept, kept + 1, --*n_kept * sizeof *kept);
    intptr_t message = world_take_sender (world, channel);
    if (message != 0)
        kept[(*n_kept)++] = message;
}

/* An op has begun; of several ready cases it has taken one. */
static void world_begin (World *world, Op *op)
{
    int n_ready = 0, last = 0;
    for (int i = 0; i < op->n_cases; i++)
        if (world_is_ready (world, op, i)) {
            last = i;
            n_ready++;
        }
    if (n_ready == 0)
        return;
    if (n_ready > 1) {
        ck_assert_int_ne (op->found, WAITS);
        ck_assert (world_is_ready (world, op, op->found_case));
        last = op->found_case;
    }
    if (op->sends[last])
        world_send (world, op, last);
    else
        world_receive (world, op, last);
}

static void world_close (World *world, int channel)
{
    int number;
    Op *op;
    world->closed[channel] = true;
    while ((op = world_find_waiter (world, channel, true, &number)) != NULL ||
           (op = world_find_waiter (world, channel, false, &number)) != NULL)
        op_expect (op, CLOSED, number, op->message[number]);
}

/* --- a step ----------------------------------------------------------------------------------- */

static void world_run_out (World *world)
{
    while (eddy_context_iteration (world->context, /* may_block= */ false))
        ;
}

static void step_begin (World *world)
{
    Op *op = &world->ops[world->n_ops];
    *op = (Op){ .is_select = world_choose (world, 3) == 0, .n_cases = 1, .fiber = NULL };
    if (op->is_select)
        op->n_cases = 1 + world_choose (world, CASES);
    for (int i = 0; i < op->n_cases; i++) {
        op->sends[i] = world_choose (world, 2) == 0;
        op->channel[i] = world_choose (world, CHANNELS);
        op->on = world->channels[op->channel[i]];
        op->message[i] = op->sends[i] ? ++world->last_message : 0;
        op->cases[i] = op->sends[i]
                           ? (EddySelectCase) EDDY_SELECT_SEND (op->on, (void *) op->message[i])
                           : (EddySelectCase) EDDY_SELECT_RECEIVE (op->on);
    }
    op->fiber = eddy_spawn (world->context, op_run, op, NULL);
    world_run_out (world);
    world_begin (world, op);
    world->n_ops++;
}

static void step_cancel (World *world)
{
    if (world->n_ops == 0)
        return;
    Op *op = &world->ops[world_choose (world, world->n_ops)];
    eddy_future_cancel (op->fiber);
    if (op->expected == WAITS)
        op_expect (op, CANCELLED, -1, 0);
}

static void step_close (World *world)
{
    int channel = world_choose (world, CHANNELS);
    if (world_choose (world, 12) > 0)
        return;
    eddy_channel_close (world->channels[channel]);
    world_close (world, channel);
}

static void world_check (World *world)
{
    for (int i = 0; i < world->n_ops; i++) {
        const Op *op = &world->ops[i];
        ck_assert_int_eq (op->found, op->expected);
        if (op->expected == HAPPENED)
            ck_assert_int_eq (op->found_message, op->expected_message);
        if (op->is_select && op->expected != WAITS)
            ck_assert_int_eq (op->found_case, op->expected_case);
    }
    for (int i = 0; i < CHANNELS; i++)
        ck_assert_uint_eq (eddy_channel_get_length (world->channels[i]), world->n_kept[i]);
}

static void world_live (World *world, uint32_t seed)
{
    world->random = seed;
    for (int i = 0; i < CHANNELS; i++) {
        world->capacity[i] = (size_t) i * (size_t) (1 + world_choose (world, 3));
        world->channels[i] = eddy_channel_new (world->capacity[i], NULL);
    }
    while (world->n_ops < OPS) {
        int what = world_choose (world, 10);
        if (what == 0)
            step_cancel (world);
        else if (what == 1)
            step_close (world);
        else
            step_begin (world);
        world_run_out (world);
        world_check (world);
    }
}

static void world_end (World *world)
{
    for (int i = 0; i < world->n_ops; i++)
        eddy_future_cancel (world->ops[i].fiber);
    world_run_out (world);
    for (int i = 0; i < world->n_ops; i++) {
        ck_assert (eddy_future_is_complete (world->ops[i].fiber));
        eddy_unref (world->ops[i].fiber);
    }
    for (int i = 0; i < CHANNELS; i++)
        eddy_unref (world->channels[i]);
}

EDDY_TEST (D_channel_and_select_as_a_model_says)
{
    static World world;
    EddyContext *context = eddy_test_context_begin ();
    for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
        world = (World){ .context = context };
        world_live (&world, seed);
        world_end (&world);
    }
    eddy_test_context_end (context);
}
