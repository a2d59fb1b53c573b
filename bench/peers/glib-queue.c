/* SPDX-License-Identifier: MIT */
/*
 * glib-queue N: N messages from one thread to another through a GAsyncQueue; prints nanoseconds
 * each. As `concurrency-channel threads 128 N` with at most 128 under way.
 *
 * Why it is the fair way: a GAsyncQueue has no limit of its own, so the producer's window stands in
 * for one, and costs it no lock.
 */
#define MESSAGES_WINDOW 128

#include <glib.h>

#include "bench-messages.h"

static GAsyncQueue *queue;

/* NULL is no message. */
static void messages_send (uint64_t number)
{
    g_async_queue_push (queue, (gpointer) (uintptr_t) (number + 1));
}

static void messages_wait (void)
{
    messages_received ((uintptr_t) g_async_queue_pop (queue) - 1);
}

int main (int argc, char **argv)
{
    queue = g_async_queue_new ();
    return messages_main ("glib-queue", argc == 2 ? argv[1] : NULL);
}
