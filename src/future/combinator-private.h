/* SPDX-License-Identifier: MIT */
/* What futures made of futures have in common.
 *
 *   made ──► begun: inputs are watched ──► turns: each for what has ended since the last ──► done
 *
 * All of it happens on the home thread; whoever makes or cancels one elsewhere posts it there. What
 * tells of an input's end queues a turn, and the program's functions run in turns only. So nothing
 * that ends calls what waits for it, and a chain of any length needs no stack. It is done in the
 * first turn that finds nothing under way. */
#pragma once

#include <eddy/combinators.h>

#include "future/mirror-private.h"

typedef struct EddyCombinator EddyCombinator;

/* A future that a combinator waits for, and from then on has. */
typedef struct EddyInput EddyInput;
struct EddyInput {
    EddyAnywhere watch;
    EddyFuture *future; /* a handle */
    EddyCombinator *combinator;
    EddyInput *next; /* among those that have ended since the last turn */
    bool pending;
    bool shielded; /* it is not cancelled */
};

/* What kind of combinator it is. Each of the functions may be NULL. */
typedef struct EddyCombinatorKind {
    const char *name;
    bool keeps_inputs; /* they can be got when it is done */
    bool awaits_time;  /* it is not done before its time, unless it is cancelled */
    /* An input has ended; may run the program's functions. */
    void (*ended) (EddyCombinator *combinator, EddyInput *input);
    /* Nothing is under way any more: puts the answer into the future. */
    void (*answer) (EddyCombinator *combinator, EddyValue *value, EddyError **error);
} EddyCombinatorKind;

struct EddyCombinator {
    EddyFuture future;
    const EddyCombinatorKind *kind;
    EddyEntry turn;       /* its beginning, its turns; in the end its end */
    EddyEntry cancel;     /* a cancel, on its way home */
    uint8_t cancel_asked; /* atomic */
    bool begun;
    bool ending;
    bool cancelled;
    bool queued;     /* a turn is */
    bool in_turn;    /* in which a function of the program's may iterate the context */
    bool look_again; /* a turn came in the middle of another one */
    bool timed_out;
    bool holds_itself; /* nobody else has it */
    size_t size;       /* of the whole */
    EddyTimer timer;
    int64_t deadline_ns; /* INT64_MAX: none */
    /* Of a kind that runs a function of the program's: */
    union {
        EddyFutureFunc next;
        EddyFutureMapFunc map;
        EddyAsyncReadyCallback callback;
    } function;
    void *data;
    void (*destroy) (void *data);
    /* Inputs: */
    EddyInput *decisive; /* whose answer it will be */
    EddyInput *first_failed;
    EddyInput *first_ended;
    EddyInput *last_ended;
    size_t n_pending;
    size_t n_inputs; /* without those to come */
    EddyInput inputs[];
};

/* Makes one of some futures, whose handles it takes, with room for further inputs; its caller fills
 * in the rest and begins it. NULL when memory is out: then the futures are let go of. */
EddyCombinator *eddy__combinator_new (const EddyCombinatorKind *kind, EddyFuture *const *futures,
                                      size_t n_futures, size_t room);
/* Begins it, and is its future; of NULL, one that has failed for want of memory. */
EddyFuture *eddy__combinator_begin (EddyCombinator *combinator, const EddyCombinatorKind *kind);
/* Has another input, for which there is room, in a turn. */
void eddy__combinator_add (EddyCombinator *combinator, EddyFuture *future, bool shielded);
/* Needs its inputs no more: cancels those that nobody else wants, and lets go of the others. */
void eddy__combinator_give_up (EddyCombinator *combinator);
/* Gives the data of its function up. */
void eddy__combinator_drop_data (EddyCombinator *combinator);

/* Whether its inputs, and nothing else but a cancel, can end it now. Home thread. */
bool eddy__combinator_waits_for_inputs (const EddyCombinator *combinator);
/* The combinator that a future is, or NULL. */
EddyCombinator *eddy__combinator_of (const EddyFuture *future);
