/* SPDX-License-Identifier: MIT */
/* What differs between compilers, processors and builds, in one place. Every pragma that silences a
 * warning stands here with its reason. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define EDDY__LIKELY(condition) __builtin_expect (!!(condition), 1)
#define EDDY__UNLIKELY(condition) __builtin_expect (!!(condition), 0)

/* Thread-local without a call: libeddy is linked at start, or loaded early enough for the few
 * hundred bytes it needs. The general model costs a function call at each use from a shared
 * library. */
#define EDDY__THREAD __thread __attribute__ ((tls_model ("initial-exec")))

/* For the few functions that each spawn and each await goes through, and that hold no buffer: their
 * frames have records whose address is taken, for which the protector takes 1 ns of 23. */
#if defined __has_attribute
#if __has_attribute(no_stack_protector)
#define EDDY__NO_STACK_PROTECTOR __attribute__ ((no_stack_protector))
#endif
#endif
#ifndef EDDY__NO_STACK_PROTECTOR
#define EDDY__NO_STACK_PROTECTOR
#endif

/* Between two looks at what another thread is about to change. */
static inline void eddy__relax (void)
{
#if defined __x86_64__
    __builtin_ia32_pause ();
#elif defined __aarch64__
    __asm__ volatile("isb");
#endif
}

/* Has the line of an address brought to this processor, to be written soon. gcc takes prefetchw
 * only where it is told of processors that have it; the others take it for nothing. */
static inline void eddy__prefetch_to_write (const void *address)
{
#if defined __x86_64__
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *) address));
#else
    __builtin_prefetch (address, 1);
#endif
}

/* The record that `member` at `pointer` lies in. */
#define EDDY__CONTAINER(pointer, Type, member)                                                     \
    ((Type *) (void *) ((char *) (pointer) -offsetof (Type, member)))

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define EDDY__ADDRESS_SANITIZER 1
#else
#define EDDY__ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define EDDY__THREAD_SANITIZER 1
#else
#define EDDY__THREAD_SANITIZER 0
#endif

#define EDDY__SANITIZED (EDDY__ADDRESS_SANITIZER || EDDY__THREAD_SANITIZER)
