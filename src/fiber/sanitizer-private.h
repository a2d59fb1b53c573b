/* SPDX-License-Identifier: MIT */
/*
 * What the tools that watch a program are told about its fibers: AddressSanitizer and valgrind
 * which stack is in use, ThreadSanitizer which flow of control runs. Without a sanitizer all of it
 * compiles to nothing; without valgrind's header at build time, the requests to it do too.
 *
 * Each flow has one EddySanitizerFiber: one in every fiber's record, and one for the thread's own
 * stack, on which the loop runs. The order around a switch:
 *
 *     eddy__sanitizer_before_switch (&from->sanitizer, &to->sanitizer, from_is_dying);
 *     eddy__switch (&from->flow, &to->flow);
 *     eddy__sanitizer_after_switch (&from->sanitizer);
 *
 * and the first thing that a new fiber's entry does is eddy__sanitizer_after_switch() on its own.
 * Nothing may happen between the first two lines: a sanitizer already believes in the other stack.
 * Both functions are always inlined, since ThreadSanitizer counts the calls and returns of each
 * flow: one that is called on one flow must not return on the other. For the same reason the
 * function that makes a fiber's last switch never returns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler-private.h"

#if EDDY__ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if EDDY__THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif
#if defined __has_include
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define EDDY__HAVE_VALGRIND 1
#endif
#endif

typedef struct EddySanitizerFiber EddySanitizerFiber;

struct EddySanitizerFiber {
#if EDDY__ADDRESS_SANITIZER
    /* NULL for a thread's own stack until it has been left once: then ASan says where it lies. */
    const void *stack_bottom;
    size_t stack_size;
    /* Where ASan keeps the locals of this flow while it does not run (use-after-return checks). */
    void *fake_stack;
    /* The flow that switched to this one; valid until eddy__sanitizer_after_switch() here. */
    EddySanitizerFiber *previous;
#endif
#if EDDY__THREAD_SANITIZER
    void *tsan_fiber;
#endif
};

/* A flow that will begin on the stack of `size` bytes above `bottom`, when that is bound to it. */
static inline void eddy__sanitizer_fiber_init (EddySanitizerFiber *fiber, const void *bottom,
                                               size_t size)
{
    (void) fiber;
    (void) bottom;
    (void) size;
#if EDDY__ADDRESS_SANITIZER
    fiber->stack_bottom = bottom;
    fiber->stack_size = size;
    fiber->fake_stack = NULL;
    fiber->previous = NULL;
#endif
#if EDDY__THREAD_SANITIZER
    fiber->tsan_fiber = __tsan_create_fiber (0);
#endif
}

/* The flow of the calling thread's own stack. */
static inline void eddy__sanitizer_thread_init (EddySanitizerFiber *fiber)
{
    (void) fiber;
#if EDDY__ADDRESS_SANITIZER
    fiber->stack_bottom = NULL;
    fiber->stack_size = 0;
    fiber->fake_stack = NULL;
    fiber->previous = NULL;
#endif
#if EDDY__THREAD_SANITIZER
    fiber->tsan_fiber = __tsan_get_current_fiber ();
#endif
}

/* After the fiber's end, by whoever runs next; never for a thread's own flow. */
static inline void eddy__sanitizer_fiber_clear (EddySanitizerFiber *fiber)
{
    (void) fiber;
#if EDDY__THREAD_SANITIZER
    __tsan_destroy_fiber (fiber->tsan_fiber);
    fiber->tsan_fiber = NULL;
#endif
}

__attribute__ ((always_inline)) static inline void eddy__sanitizer_before_switch (
    EddySanitizerFiber *from, EddySanitizerFiber *to, bool from_is_dying)
{
    (void) from;
    (void) to;
    (void) from_is_dying;
#if EDDY__ADDRESS_SANITIZER
    to->previous = from;
    /* A dying flow hands in no place for its fake stack, which ASan then frees. */
    __sanitizer_start_switch_fiber (from_is_dying ? NULL : &from->fake_stack, to->stack_bottom,
                                    to->stack_size);
#endif
#if EDDY__THREAD_SANITIZER
    /* Flags 0: what the one flow did happens before what the other does next. */
    __tsan_switch_to_fiber (to->tsan_fiber, 0);
#endif
}

__attribute__ ((always_inline)) static inline void eddy__sanitizer_after_switch (
    EddySanitizerFiber *self)
{
    (void) self;
#if EDDY__ADDRESS_SANITIZER
    const void *bottom = NULL;
    size_t size = 0;

    __sanitizer_finish_switch_fiber (self->fake_stack, &bottom, &size);
    if (self->previous != NULL && self->previous->stack_bottom == NULL) {
        self->previous->stack_bottom = bottom;
        self->previous->stack_size = size;
    }
    self->previous = NULL;
#endif
}

/* Memory that becomes a stack, is taken from the pool again, and is unmapped. `made` returns a
 * number that `unmade` wants back. */
static inline unsigned int eddy__sanitizer_stack_made (void *bottom, size_t size)
{
    (void) bottom;
    (void) size;
#ifdef EDDY__HAVE_VALGRIND
    return (unsigned int) VALGRIND_STACK_REGISTER (bottom, (char *) bottom + size);
#else
    return 0;
#endif
}

/* A fiber that never came back from its last switch left its frames poisoned. */
static inline void eddy__sanitizer_stack_taken (void *bottom, size_t size)
{
    (void) bottom;
    (void) size;
#if EDDY__ADDRESS_SANITIZER
    __asan_unpoison_memory_region (bottom, size);
#endif
}

static inline void eddy__sanitizer_stack_unmade (unsigned int number, void *bottom, size_t size)
{
    (void) number;
    eddy__sanitizer_stack_taken (bottom, size);
#ifdef EDDY__HAVE_VALGRIND
    VALGRIND_STACK_DEREGISTER (number);
#endif
}
