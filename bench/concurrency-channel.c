/* SPDX-License-Identifier: MIT */
/*
 * concurrency-channel one|threads CAPACITY N: N messages from one fiber to another, through a
 * channel of this capacity (0: unbuffered), on one thread or each on a thread of its own; prints
 * nanoseconds each. Peer: `go-concurrency channel`.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

typedef struct {
    EddyChannel *channel;
    uint64_t count;
} Messages;

static void *message_send (void *data, EddyError **error)
{
    Messages *messages = data;
    for (uintptr_t number = 1; number <= messages->count; number++)
        if (!eddy_channel_send (messages->channel, (void *) number, NULL, error))
            return NULL;
    eddy_channel_close (messages->channel);
    return messages;
}

/* Until the channel is closed; they come in order. */
static void *message_receive (void *data, EddyError **error)
{
    Messages *messages = data;
    EddyError *end = NULL;
    uintptr_t received = 0, number;
    while ((number = (uintptr_t) eddy_channel_receive (messages->channel, NULL, &end)) != 0)
        if (number != ++received)
            break;
    if (received == messages->count && number == 0) {
        eddy_unref (end);
        return messages;
    }
    eddy_error_take (error, end);
    return NULL;
}

/* Runs a function as a fiber of a context of the thread's own, until it has ended. */
static void *message_run (EddyFiberFunc function, Messages *messages)
{
    EDDY_AUTO (EddyContext) context = eddy_context_new ();
    if (!context || !eddy_context_push_thread_default (context))
        return NULL;
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn_local (function, messages, NULL);
    void *value = eddy_block_on (context, fiber, NULL);
    eddy_context_pop_thread_default (context);
    return value;
}

static void *message_thread (void *data)
{
    return message_run (message_send, data);
}

static bool messages_pass_between_threads (Messages *messages)
{
    pthread_t thread;
    void *sent;
    if (pthread_create (&thread, NULL, message_thread, messages) != 0)
        return false;
    bool received = message_run (message_receive, messages) == messages;
    return pthread_join (thread, &sent) == 0 && sent == messages && received;
}

static void *message_both (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) received = eddy_spawn_local (message_receive, data, NULL);
    EDDY_AUTO (EddyFuture) sent = eddy_spawn_local (message_send, data, NULL);
    return eddy_await (received, error) == data ? eddy_await (sent, error) : NULL;
}

static bool messages_pass_on_one_thread (Messages *messages)
{
    return message_run (message_both, messages) == messages;
}

/* Nanoseconds for each message; below 0 on failure. */
static double messages_time_ns (bool (*pass) (Messages *messages), size_t capacity, uint64_t count)
{
    EDDY_AUTO (EddyChannel) channel = eddy_channel_new (capacity, NULL);
    Messages messages = { .channel = channel, .count = count };
    double begin_ns = bench_now_ns ();
    bool passed = channel && pass (&messages);
    return passed ? (bench_now_ns () - begin_ns) / (double) count : -1;
}

int main (int argc, char **argv)
{
    uint64_t count = argc == 4 ? strtoull (argv[3], NULL, 10) : 0;
    if (count < 10) {
        fputs ("usage: concurrency-channel one|threads CAPACITY N\n", stderr);
        return 2;
    }
    size_t capacity = strtoull (argv[2], NULL, 10);
    bool (*pass) (Messages * messages) = strcmp (argv[1], "threads") == 0
                                             ? messages_pass_between_threads
                                             : messages_pass_on_one_thread;
    /* A tenth first, so that stacks are warm. */
    double warm_up_ns = messages_time_ns (pass, capacity, count / 10);
    double each_ns = messages_time_ns (pass, capacity, count);
    if (warm_up_ns < 0 || each_ns < 0) {
        fputs ("concurrency-channel: not every message came, in order\n", stderr);
        return 1;
    }
    printf ("%.3f\n", each_ns);
    return 0;
}
