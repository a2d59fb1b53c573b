/* SPDX-License-Identifier: MIT */
/*
 * An engine of a test's own, and operations run on it to their end.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine-private.h"
#include "test.h"

typedef struct TestEngine {
    EddyPort *port;
    EddyEngine *engine;
} TestEngine;

static inline TestEngine test_engine_open (void)
{
    TestEngine self = { NULL, NULL };
    char reason[128] = "";
    int error = 0;
    self.port = eddy__port_new (&error);
    ck_assert_ptr_nonnull (self.port);
    error = eddy__engine_open (&self.engine, self.port, reason, sizeof reason);
    ck_assert_msg (error == 0, "no engine: %s (%s)", reason, strerror (-error));
    const char *wish = getenv ("EDDY_ENGINE");
    if (wish != NULL && strcmp (wish, "auto") != 0)
        ck_assert_str_eq (self.engine->verbs->name, wish);
    return self;
}

static inline void test_engine_close (TestEngine *self)
{
    ck_assert_uint_eq (self->engine->live, 0);
    eddy__engine_close (self->engine);
    ck_assert_ptr_null (eddy__port_close (self->port));
    eddy__port_unref (self->port, 1);
}

/* What a loop does with its inbox, and a wait. */
static inline void test_engine_turn (TestEngine *self, int64_t timeout_ns)
{
    if (timeout_ns != 0 && !eddy__port_sleep (self->port))
        timeout_ns = 0;
    ck_assert_int_eq (eddy__engine_wait (self->engine, timeout_ns), 0);
    eddy__port_awake (self->port);
    for (EddyEntry *entry = eddy__port_take (self->port); entry != NULL;) {
        EddyEntry *next = entry->next;
        entry->run (entry);
        entry = next;
    }
}

/* How many operations of this test have completed. */
static int test_engine_completions;

static inline void test_engine_completed (EddyOp *op)
{
    (void) op;
    test_engine_completions++;
}

/* Starts an operation; true when it is done at once. */
static inline bool test_engine_start (TestEngine *self, EddyOp *op)
{
    op->complete = test_engine_completed;
    return eddy__engine_submit (self->engine, op);
}

/* Where an operation stands; a worker may just be changing that. */
static inline EddyOpState test_engine_state (EddyOp *op)
{
    return (EddyOpState) __atomic_load_n (&op->state, __ATOMIC_RELAXED);
}

static inline void test_engine_finish (TestEngine *self, EddyOp *op)
{
    while (test_engine_state (op) != EDDY_OP_DONE)
        test_engine_turn (self, -1);
}

static inline int64_t test_engine_run (TestEngine *self, EddyOp *op)
{
    if (!test_engine_start (self, op))
        test_engine_finish (self, op);
    return op->result;
}
