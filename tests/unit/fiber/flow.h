/* SPDX-License-Identifier: MIT */
/* A flow of control on a stack of its own: the least that the tests of the switch need, and that
 * sanitizers must be told. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "fiber/sanitizer-private.h"
#include "fiber/switch-private.h"

typedef struct Flow {
    EddyFlow flow;
    EddySanitizerFiber sanitizer;
    void (*entry) (void *argument);
    void *argument;
} Flow;

static inline void flow_enter (EddyFlow *flow)
{
    Flow *self = (Flow *) flow;

    self->entry (self->argument);
    __builtin_trap (); /* an entry must not return */
}

static inline void flow_init (Flow *flow, void *bottom, size_t size, void (*entry) (void *),
                              void *argument)
{
    flow->entry = entry;
    flow->argument = argument;
    eddy__switch_prepare (&flow->flow, (char *) bottom + size, flow_enter);
    eddy__sanitizer_fiber_init (&flow->sanitizer, bottom, size);
}

static inline void flow_init_thread (Flow *flow)
{
    eddy__sanitizer_thread_init (&flow->sanitizer);
}

static inline void flow_clear (Flow *flow)
{
    eddy__sanitizer_fiber_clear (&flow->sanitizer);
}

static inline void flow_switch (Flow *from, Flow *to)
{
    eddy__sanitizer_before_switch (&from->sanitizer, &to->sanitizer, false);
    eddy__switch (&from->flow, &to->flow);
    eddy__sanitizer_after_switch (&from->sanitizer);
}

/* What an entry does first. */
static inline void flow_begin (Flow *self)
{
    eddy__sanitizer_after_switch (&self->sanitizer);
}

/* What an entry does last. */
static inline void flow_end (Flow *self, Flow *to)
{
    eddy__sanitizer_before_switch (&self->sanitizer, &to->sanitizer, /* from_is_dying= */ true);
    eddy__switch (&self->flow, &to->flow);
    __builtin_unreachable ();
}
