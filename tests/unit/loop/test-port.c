/* SPDX-License-Identifier: MIT */
/*
 * The inbox of a loop: many posters, one owner; nothing lost, order kept, no wakeup lost.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/compiler-private.h"
#include "engine/port-private.h"
#include "sys/poll-private.h"
#include "test.h"

enum { POSTERS = 4 };

typedef struct Letter {
    EddyEntry entry;
    int poster;
    int number;
} Letter;

typedef struct Poster {
    EddyPort *port;
    Letter *letters;
    int count;
} Poster;

static void never (EddyEntry *entry)
{
    (void) entry;
    abort ();
}

static void *post_all (void *data)
{
    Poster *poster = data;
    for (int i = 0; i < poster->count; i++) {
        poster->letters[i].entry.run = never;
        if (i + 1 < poster->count && i % 3 == 0) {
            poster->letters[i].entry.next = &poster->letters[i + 1].entry;
            eddy__port_post_chain (poster->port, &poster->letters[i].entry,
                                   &poster->letters[i + 1].entry);
            i++;
        } else {
            eddy__port_post (poster->port, &poster->letters[i].entry);
        }
    }
    return NULL;
}

/* Sleeps as a loop does, until the eventfd says that there is mail. */
static void sleep_until_woken (EddyPort *port)
{
    struct pollfd poll = { port->wake_fd, POLLIN, 0 };
    if (eddy__port_sleep (port)) {
        ck_assert_int_eq (eddy__sys_ppoll (&poll, 1, 10000000000), 1);
        eddy__port_drain (port);
    }
    eddy__port_awake (port);
}

EDDY_TEST (posts_of_many_threads_arrive_in_order)
{
    int count = eddy_test_sanitized () ? 20000 : 100000;
    int error = 0, next[POSTERS] = { 0 };
    EddyPort *port = eddy__port_new (&error);
    ck_assert_ptr_nonnull (port);
    pthread_t threads[POSTERS];
    Poster posters[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (Poster){ port, calloc ((size_t) count, sizeof (Letter)), count };
        for (int j = 0; j < count; j++) {
            posters[i].letters[j].poster = i;
            posters[i].letters[j].number = j;
        }
        pthread_create (&threads[i], NULL, post_all, &posters[i]);
    }
    for (int taken = 0; taken < POSTERS * count;) {
        EddyEntry *entry = eddy__port_take (port);
        if (entry == NULL)
            sleep_until_woken (port);
        for (; entry != NULL; entry = entry->next, taken++) {
            Letter *letter = EDDY__CONTAINER (entry, Letter, entry);
            ck_assert_int_eq (letter->number, next[letter->poster]++);
        }
    }
    for (int i = 0; i < POSTERS; i++) {
        pthread_join (threads[i], NULL);
        free (posters[i].letters);
    }
    ck_assert_ptr_null (eddy__port_close (port));
    eddy__port_unref (port, 1);
}

EDDY_TEST (closed_port_takes_no_mail)
{
    int error = 0;
    EddyPort *port = eddy__port_new (&error);
    ck_assert_ptr_nonnull (port);
    EddyEntry first = { .run = never }, second = { .run = never };
    ck_assert (eddy__port_post (port, &first));
    ck_assert (eddy__port_has_mail (port));
    ck_assert (!eddy__port_sleep (port));
    ck_assert_ptr_eq (eddy__port_close (port), &first);
    ck_assert (!eddy__port_post (port, &second));
    eddy__port_unref (port, 1);
}
