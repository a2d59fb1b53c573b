/* SPDX-License-Identifier: MIT */
/* EddyPort: an intrusive stack and an eventfd. */
#include "engine/port-private.h"

#include <errno.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"

EddyEntry eddy__port_closed;

EddyPort *eddy__port_new (int *error)
{
    EddyPort *port = eddy__alloc0 (sizeof *port);
    if (port == NULL) {
        *error = -ENOMEM;
        return NULL;
    }
    port->references = 1;
    port->wake_fd = eddy__sys_eventfd ();
    if (port->wake_fd < 0) {
        *error = port->wake_fd;
        eddy__free (port);
        return NULL;
    }
    return port;
}

EddyPort *eddy__port_ref (EddyPort *port, uint32_t count)
{
    __atomic_add_fetch (&port->references, count, __ATOMIC_RELAXED);
    return port;
}

void eddy__port_unref (EddyPort *port, uint32_t count)
{
    if (__atomic_sub_fetch (&port->references, count, __ATOMIC_ACQ_REL) != 0)
        return;
    eddy__sys_close (port->wake_fd);
    eddy__free (port);
}

static EddyEntry *port_reverse (EddyEntry *entry)
{
    EddyEntry *ordered = NULL;
    while (entry != NULL) {
        EddyEntry *next = entry->next;
        entry->next = ordered;
        ordered = entry;
        entry = next;
    }
    return ordered;
}

bool eddy__port_post_chain (EddyPort *port, EddyEntry *first, EddyEntry *last)
{
    last->next = NULL;
    return eddy__port_push (port, port_reverse (first), first);
}

void eddy__port_wake (EddyPort *port)
{
    /* Of several posters to a sleeping owner only the first writes. */
    __atomic_store_n (&port->sleeping, 0, __ATOMIC_SEQ_CST);
    /* A write that failed would leave everybody silent: the next poster is to try again. */
    if (EDDY__UNLIKELY (eddy__sys_eventfd_write (port->wake_fd) < 0))
        __atomic_store_n (&port->sleeping, 1, __ATOMIC_SEQ_CST);
}

EddyEntry *eddy__port_take (EddyPort *port)
{
    if (!eddy__port_has_mail (port))
        return NULL;
    return port_reverse (__atomic_exchange_n (&port->inbox, NULL, __ATOMIC_ACQUIRE));
}

bool eddy__port_sleep (EddyPort *port)
{
    __atomic_store_n (&port->sleeping, 1, __ATOMIC_SEQ_CST);
    /* A poster either sees sleeping, and writes the eventfd, or its entry is seen here. */
    if (__atomic_load_n (&port->inbox, __ATOMIC_SEQ_CST) == NULL)
        return true;
    __atomic_store_n (&port->sleeping, 0, __ATOMIC_RELAXED);
    return false;
}

void eddy__port_awake (EddyPort *port)
{
    __atomic_store_n (&port->sleeping, 0, __ATOMIC_RELAXED);
}

void eddy__port_drain (EddyPort *port)
{
    eddy__sys_eventfd_read (port->wake_fd, NULL);
}

void eddy__port_add_posters (EddyPort *port, uint32_t count)
{
    __atomic_add_fetch (&port->posters, count, __ATOMIC_RELAXED);
}

void eddy__port_remove_posters (EddyPort *port, uint32_t count)
{
    __atomic_sub_fetch (&port->posters, count, __ATOMIC_RELEASE);
}

EddyEntry *eddy__port_close (EddyPort *port)
{
    while (__atomic_load_n (&port->posters, __ATOMIC_ACQUIRE) != 0)
        eddy__sys_sched_yield ();
    EddyEntry *entry = __atomic_exchange_n (&port->inbox, &eddy__port_closed, __ATOMIC_ACQ_REL);
    return entry == &eddy__port_closed ? NULL : port_reverse (entry);
}
