/* SPDX-License-Identifier: MIT */
/*
 * Messages from a producer's thread to the main one: what all programs that measure them have in
 * common. A program defines how a message is sent and how the main thread waits for some, calls
 * `messages_received` for each that has come, and gets the time per message of both at work.
 *
 * At most MESSAGES_WINDOW are under way: so they stay in the processor's caches, and whoever of the
 * two is slower is measured rather than the memory that a backlog takes.
 */
#pragma once

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench-clock.h"

#ifndef MESSAGES_WINDOW
#define MESSAGES_WINDOW 4096
#endif

typedef struct {
    pthread_barrier_t begin;
    uint64_t count;
    uint64_t disordered;                        /* messages that came out of turn */
    _Alignas(64) atomic_uint_fast64_t received; /* stored by the main thread, read by both */
} Messages;

static Messages messages;

/* The program's: sends message `number`, whose place in the window is free; and waits until there
 * are messages and receives them. */
static void messages_send (uint64_t number);
static void messages_wait (void);

static inline uint64_t messages_get_received (void)
{
    return atomic_load_explicit (&messages.received, memory_order_relaxed);
}

/* Main thread. */
static inline void messages_received (uint64_t number)
{
    uint64_t expected = messages_get_received ();
    messages.disordered += number != expected;
    atomic_store_explicit (&messages.received, expected + 1, memory_order_release);
}

static inline void *messages_produce (void *data)
{
    uint64_t received = 0;
    pthread_barrier_wait (&messages.begin);
    for (uint64_t number = 0; number < messages.count; number++) {
        while (number - received >= MESSAGES_WINDOW) {
            received = atomic_load_explicit (&messages.received, memory_order_acquire);
            if (number - received >= MESSAGES_WINDOW)
                sched_yield ();
        }
        messages_send (number);
    }
    return data;
}

/* Nanoseconds per message; below 0 on failure. */
static inline double messages_time_ns (uint64_t count)
{
    pthread_t producer;
    messages.count = count;
    messages.disordered = 0;
    atomic_store (&messages.received, 0);
    pthread_barrier_init (&messages.begin, NULL, 2);
    if (pthread_create (&producer, NULL, messages_produce, NULL) != 0)
        return -1;
    pthread_barrier_wait (&messages.begin);
    double begin_ns = bench_now_ns ();
    while (messages_get_received () < count)
        messages_wait ();
    double elapsed_ns = bench_now_ns () - begin_ns;
    pthread_join (producer, NULL);
    pthread_barrier_destroy (&messages.begin);
    return messages.disordered ? -1 : elapsed_ns / (double) count;
}

/* Sends a tenth of `count` to warm up, then measures; the program's exit status. */
static inline int messages_main (const char *name, const char *count_argument)
{
    uint64_t count = count_argument ? strtoull (count_argument, NULL, 10) : 0;
    if (count < 10) {
        fprintf (stderr, "%s: how many messages?\n", name);
        return 2;
    }
    double warm_up_ns = messages_time_ns (count / 10), each_ns = messages_time_ns (count);
    if (warm_up_ns < 0 || each_ns < 0) {
        fprintf (stderr, "%s: no thread, or messages came out of turn\n", name);
        return 1;
    }
    printf ("%.3f\n", each_ns);
    return 0;
}
