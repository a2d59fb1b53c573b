/* SPDX-License-Identifier: MIT */
/*
 * bare-mailbox N: N messages on a bare intrusive list of many producers, with an eventfd: as little
 * as it takes to call a function in another thread that may sleep. Prints nanoseconds each.
 *
 * The list is a stack that producers push on with a compare-and-swap and the main thread takes
 * whole, turning it round. A list with a tail, which producers exchange, makes both touch the same
 * node when it is short, and was slower here. The main thread that finds nothing leaves a mark in
 * the list's head; who pushes on the mark writes the eventfd. No other shared word is looked at.
 */
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench-messages.h"

typedef struct Node Node;

struct Node {
    Node *next;
    void (*run) (Node *node);
    uint64_t number;
};

static Node bare_window[MESSAGES_WINDOW];
static Node bare_asleep; /* the mark */
static _Alignas(64) Node *_Atomic bare_head;
static int bare_bell;

static void bare_run (Node *node)
{
    messages_received (node->number);
}

static void messages_send (uint64_t number)
{
    Node *node = &bare_window[number % MESSAGES_WINDOW];
    node->run = bare_run;
    node->number = number;
    Node *head = atomic_load_explicit (&bare_head, memory_order_relaxed);
    do
        node->next = head == &bare_asleep ? NULL : head;
    while (!atomic_compare_exchange_weak_explicit (&bare_head, &head, node, memory_order_release,
                                                   memory_order_relaxed));
    if (head == &bare_asleep)
        eventfd_write (bare_bell, 1);
}

/* Sleeps until somebody has pushed. */
static void bare_sleep (void)
{
    Node *empty = NULL;
    eventfd_t rung;
    if (atomic_compare_exchange_strong (&bare_head, &empty, &bare_asleep))
        eventfd_read (bare_bell, &rung);
}

static void messages_wait (void)
{
    if (!atomic_load_explicit (&bare_head, memory_order_relaxed))
        bare_sleep ();
    Node *newest = atomic_exchange_explicit (&bare_head, NULL, memory_order_acquire);
    Node *first = NULL;
    while (newest) {
        Node *next = newest->next;
        newest->next = first;
        first = newest;
        newest = next;
    }
    while (first) {
        Node *next = first->next; /* before it runs: it is the sender's again then */
        first->run (first);
        first = next;
    }
}

int main (int argc, char **argv)
{
    bare_bell = eventfd (0, EFD_CLOEXEC);
    if (bare_bell < 0) {
        perror ("bare-mailbox: eventfd");
        return 1;
    }
    return messages_main ("bare-mailbox", argc == 2 ? argv[1] : NULL);
}
