/* SPDX-License-Identifier: MIT */
/* Sequences of what comes from outside: ticks, signals, messages. */
#include <errno.h>

#include "base/object-private.h"
#include "sync/channel-private.h"
#include "sequence/sequence-private.h"

/* --- ticks ------------------------------------------------------------------------------------ */

typedef struct Interval {
    int64_t start_ns;
    int64_t interval_ns;
    int64_t latest; /* tick that was told */
    EddyFiberWait *wait;
} Interval;

static const EddyWaitKind interval_wait_kind = { .what = "a tick" };

/* When the tick after the latest one comes. */
static int64_t interval_deadline (const Interval *interval)
{
    int64_t deadline_ns;
    if (__builtin_mul_overflow (interval->latest + 1, interval->interval_ns, &deadline_ns) ||
        __builtin_add_overflow (deadline_ns, interval->start_ns, &deadline_ns))
        return INT64_MAX - 1;
    return deadline_ns;
}

static void *interval_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Interval *interval = eddy_sequence_get_data (sequence);
    for (;;) {
        int64_t passed_ns = eddy__context_read_clock (sequence->context) - interval->start_ns;
        if (passed_ns / interval->interval_ns > interval->latest) {
            interval->latest = passed_ns / interval->interval_ns;
            return (void *) (intptr_t) interval->latest;
        }
        int answer =
            eddy__sequence_wait (&interval->wait, cancellable, interval_deadline (interval),
                                 &interval_wait_kind, sequence);
        if (answer < 0 && answer != -ETIMEDOUT)
            return eddy__sequence_fail_wait (sequence, answer, cancellable, error);
    }
}

static const EddySequenceFuncs interval_funcs = { .next = interval_next };

EddySequence *eddy_sequence_new_interval (int64_t interval_ns)
{
    EDDY__EXPECT (interval_ns > 0, NULL);
    EddySequence *sequence = eddy_sequence_new (&interval_funcs, sizeof (Interval), NULL);
    if (sequence == NULL)
        return NULL;
    Interval *interval = eddy_sequence_get_data (sequence);
    interval->start_ns = eddy_get_monotonic_time_ns ();
    interval->interval_ns = interval_ns;
    return sequence;
}

/* --- signals ---------------------------------------------------------------------------------- */

typedef struct Signal {
    EddySource *source;
    int number;
    bool arrived;
    EddyFiberWait *wait;
} Signal;

static const EddyWaitKind signal_wait_kind = { .what = "a signal" };

static bool signal_arrived (void *data)
{
    Signal *self = data;
    self->arrived = true;
    eddy__sequence_wake (self->wait);
    return EDDY_SOURCE_CONTINUE;
}

static void *signal_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Signal *self = eddy_sequence_get_data (sequence);
    int answer = 0;
    while (!self->arrived && answer == 0)
        answer =
            eddy__sequence_wait (&self->wait, cancellable, INT64_MAX, &signal_wait_kind, sequence);
    if (!self->arrived)
        return eddy__sequence_fail_wait (sequence, answer, cancellable, error);
    self->arrived = false;
    return (void *) (intptr_t) self->number;
}

static void signal_dispose (EddySequence *sequence)
{
    Signal *self = eddy_sequence_get_data (sequence);
    if (self->source != NULL)
        eddy_source_destroy (self->source);
    eddy_clear (&self->source);
}

static const EddySequenceFuncs signal_funcs = { .next = signal_next, .dispose = signal_dispose };

EddySequence *eddy_sequence_new_signal (int signal_number)
{
    EddySequence *sequence = eddy_sequence_new (&signal_funcs, sizeof (Signal), NULL);
    if (sequence == NULL)
        return NULL;
    Signal *self = eddy_sequence_get_data (sequence);
    self->number = signal_number;
    self->source = eddy_signal_source_new (signal_number);
    if (self->source != NULL) {
        eddy_source_set_callback (self->source, signal_arrived, self, NULL);
        if (eddy_source_attach (self->source, sequence->context) != 0)
            return sequence;
    }
    return eddy_unref (sequence);
}

/* --- messages --------------------------------------------------------------------------------- */

typedef struct Messages {
    EddyChannel *channel;
} Messages;

static void *messages_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Messages *messages = eddy_sequence_get_data (sequence);
    EddyError *failure = NULL;
    void *message = eddy_channel_receive (messages->channel, cancellable, &failure);
    if (eddy_error_matches (failure, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED))
        eddy_clear_error (&failure);
    if (failure != NULL) { /* it was cancelled, or memory is out: the channel is open */
        eddy_sequence_go_on (sequence);
        eddy_error_take (error, failure);
    }
    return message;
}

static void messages_dispose (EddySequence *sequence)
{
    Messages *messages = eddy_sequence_get_data (sequence);
    eddy_clear (&messages->channel);
}

static const EddySequenceFuncs messages_funcs = { .next = messages_next,
                                                  .dispose = messages_dispose };

EddySequence *eddy_sequence_new_channel (EddyChannel *channel)
{
    EDDY__EXPECT (channel != NULL, NULL);
    EddySequence *sequence =
        eddy_sequence_new (&messages_funcs, sizeof (Messages), channel->destroy);
    if (sequence == NULL)
        return NULL;
    Messages *messages = eddy_sequence_get_data (sequence);
    messages->channel = eddy_ref (channel);
    return sequence;
}
