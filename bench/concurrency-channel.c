/* SPDX-License-Identifier: MIT */
/*
 * concurrency-channel one|threads CAPACITY N: N messages from one fiber to another, through a
 * channel of this capacity (0: unbuffered), on one thread or each on a thread of its own; prints
 * nanoseconds each. Peer: `go-concurrency channel`.
 */
#include <inttypes.h>
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

/* Both in these contexts, which may be one; nanoseconds for each message, below 0 on failure. */
static double messages_pass (EddyContext *sender, EddyContext *receiver, size_t capacity,
                             uint64_t count)
{
    EDDY_AUTO (EddyChannel) channel = eddy_channel_new (capacity, NULL);
    Messages messages = { .channel = channel, .count = count };
    double begin_ns = bench_now_ns ();
    EDDY_AUTO (EddyFuture) received = eddy_spawn (receiver, message_receive, &messages, NULL);
    EDDY_AUTO (EddyFuture) sent = eddy_spawn (sender, message_send, &messages, NULL);
    bool right = eddy_await (received, NULL) == &messages;
    right = eddy_await (sent, NULL) == &messages && right;
    return right ? (bench_now_ns () - begin_ns) / (double) count : -1;
}

static int channel_main (int argc, char **argv)
{
    uint64_t count = argc == 4 ? strtoull (argv[3], NULL, 10) : 0;
    if (count < 10) {
        fputs ("usage: concurrency-channel one|threads CAPACITY N\n", stderr);
        return 2;
    }
    size_t capacity = strtoull (argv[2], NULL, 10);
    EddyContext *sender = NULL, *receiver = NULL;
    EDDY_AUTO (EddyPool) pool = NULL;
    if (strcmp (argv[1], "threads") == 0) {
        pool = eddy_pool_new (2, NULL);
        sender = eddy_pool_get_context (pool, 0);
        receiver = eddy_pool_get_context (pool, 1);
    }
    /* A tenth first, so that stacks are warm. */
    double warm_up_ns = messages_pass (sender, receiver, capacity, count / 10);
    double each_ns = messages_pass (sender, receiver, capacity, count);
    if (pool && !eddy_pool_close (pool, NULL, NULL))
        return 1;
    if (warm_up_ns < 0 || each_ns < 0) {
        fputs ("concurrency-channel: not every message came, in order\n", stderr);
        return 1;
    }
    printf ("%.3f\n", each_ns);
    return 0;
}

int main (int argc, char **argv)
{
    return eddy_run (channel_main, argc, argv);
}
