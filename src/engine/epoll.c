/* SPDX-License-Identifier: MIT */
/* The epoll engine: readiness of fds; everything else is the workers'.
 *
 * One registration per fd, for the union of what its operations wait for. While these are those of
 * a socket whose readiness is kept track of, it stays when they have ended, and is edge-triggered:
 * what comes while nobody waits is remembered. So a socket costs a call when it first waits, and
 * none after that. Other operations want to be told of what is there already: for them it is
 * level-triggered, and goes with the last of them.
 *
 * That a registration still stands is known by the socket, which has the number of its watch. One
 * that does not know it, since it was made anew under an old fd, say, makes one. A registration
 * that has outlived its socket, by a duplicate of the fd, at worst has somebody try in vain. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "engine/engine-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"

enum {
    /* Who has been told of its data answers before the next ones are read: of 256 at once, a socket
     * of the kernel's is out of the caches again. Worth 5 % of an echo over 1,000 connections. */
    EVENTS_AT_ONCE = 64,
    /* What a kept registration tells. After one of the latter, a short read proves nothing: what
     * comes last has no edge of its own. */
    EVENTS_KEPT = EPOLLIN | EPOLLRDHUP | EPOLLPRI,
    EVENTS_LAST = EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR
};

/* What an fd is watched for. */
typedef struct Watch {
    EddyList ops;
    uint32_t events;   /* registered with the kernel; 0: not registered */
    uint32_t number;   /* of a kept registration; 0: it is none */
    bool is_signalled; /* kept: something has come, and nobody has tried since */
    bool is_ending;    /* kept: what comes last has come */
} Watch;

typedef struct EpollEngine {
    EddyEngine engine;
    int epoll_fd;
    Watch **watches; /* by fd */
    size_t n_watches;
    uint32_t number;      /* of the engine, among all that there ever were */
    uint32_t last_number; /* of a watch */
} EpollEngine;

static int epoll_open (EddyEngine **engine, EddyPort *port, char *reason, size_t reason_len)
{
    EpollEngine *self = eddy__alloc0 (sizeof *self);
    if (self == NULL)
        return -ENOMEM;
    self->epoll_fd = eddy__sys_epoll_create1 ();
    int answer = self->epoll_fd;
    if (answer >= 0) {
        struct epoll_event event = { .events = EPOLLIN, .data.fd = port->wake_fd };
        answer = eddy__sys_epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, port->wake_fd, &event);
        if (answer < 0)
            eddy__sys_close (self->epoll_fd);
    }
    if (answer < 0) {
        snprintf (reason, reason_len, "epoll: %s", strerror (-answer));
        eddy__free (self);
        return answer;
    }
    static uint32_t last_number;
    self->number = __atomic_add_fetch (&last_number, 1, __ATOMIC_RELAXED);
    self->engine.event_fd = -1;
    *engine = &self->engine;
    return 0;
}

/* The watch of an fd, made at first use; NULL when memory is out. */
static Watch *epoll_get_watch (EpollEngine *self, int fd)
{
    size_t index = (size_t) fd;
    if (index >= self->n_watches) {
        size_t n = index < 64 ? 64 : index * 2;
        Watch **grown = eddy__realloc (self->watches, n * sizeof *grown);
        if (grown == NULL)
            return NULL;
        memset (grown + self->n_watches, 0, (n - self->n_watches) * sizeof *grown);
        self->watches = grown;
        self->n_watches = n;
    }
    if (self->watches[index] == NULL) {
        Watch *watch = eddy__alloc0 (sizeof *watch);
        if (watch == NULL)
            return NULL;
        eddy__list_init (&watch->ops);
        self->watches[index] = watch;
    }
    return self->watches[index];
}

/* The watch of an fd; NULL: it has none. */
static Watch *epoll_find_watch (const EpollEngine *self, int fd)
{
    return fd >= 0 && (size_t) fd < self->n_watches ? self->watches[fd] : NULL;
}

/* Registers an fd for other events than before; 0: for none. In the child of a fork what there is
 * is its parent's, whose fds have these numbers, too. */
static int epoll_register (EpollEngine *self, int fd, Watch *watch, uint32_t events)
{
    if (eddy__sys_forked ())
        return -ECHILD;
    struct epoll_event event = { .events = events, .data.fd = fd };
    int operation = watch->events == 0 ? EPOLL_CTL_ADD
                    : events == 0      ? EPOLL_CTL_DEL
                                       : EPOLL_CTL_MOD;
    int answer = eddy__sys_epoll_ctl (self->epoll_fd, operation, fd, &event);
    /* The fd was closed behind our back, and perhaps opened again: its registration went with it.
     */
    if (answer == -ENOENT && operation == EPOLL_CTL_MOD)
        answer = eddy__sys_epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    else if (answer == -EEXIST) /* it could not be taken away when it should have been */
        answer = eddy__sys_epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, fd, &event);
    else if (operation == EPOLL_CTL_DEL)
        answer = 0;
    if (answer == 0)
        watch->events = events;
    return answer;
}

/* Makes the kernel's registration what the operations need; a kept one stays. */
static int epoll_update (EpollEngine *self, int fd, Watch *watch)
{
    uint32_t events = 0;
    if (watch->number != 0)
        return 0;
    /* EPOLLERR is told anyway; it says that even who asks for nothing else is there. */
    for (EddyList *link = watch->ops.next; link != &watch->ops; link = link->next)
        events |= eddy__op_events (EDDY__CONTAINER (link, EddyOp, link)) | EPOLLERR;
    return events == watch->events ? 0 : epoll_register (self, fd, watch, events);
}

/* --- kept registrations ----------------------------------------------------------------------- */

/* Whether the watch is a kept one, and still the one that the socket knows. */
static bool epoll_stands (const EpollEngine *self, const Watch *watch,
                          const EddyReadiness *readiness)
{
    return watch->number != 0 && readiness->watch == watch->number &&
           readiness->watcher == self->number;
}

static bool watch_has_others (const Watch *watch)
{
    for (EddyList *link = watch->ops.next; link != &watch->ops; link = link->next)
        if (eddy__op_get_readiness (EDDY__CONTAINER (link, EddyOp, link)) == NULL)
            return true;
    return false;
}

/* Has the socket of a request watched from now on, whoever waits. What is there already is told. */
static int epoll_keep (EpollEngine *self, const EddyOp *op, Watch *watch)
{
    EddyReadiness *readiness = eddy__op_get_readiness (op);
    bool stands = epoll_stands (self, watch, readiness);
    uint32_t events = EVENTS_KEPT | EPOLLET | eddy__op_events (op);
    if (stands)
        events |= watch->events;
    if (stands && events == watch->events)
        return 0;
    int answer = epoll_register (self, op->fd, watch, events);
    if (answer < 0 || stands)
        return answer;
    self->last_number = self->last_number % EDDY__READINESS_WATCH_MAX + 1; /* never 0 */
    watch->number = self->last_number;
    watch->is_signalled = false;
    watch->is_ending = false;
    readiness->watch = watch->number & EDDY__READINESS_WATCH_MAX;
    readiness->watcher = self->number;
    return 0;
}

/* No: somebody is about to try. */
static bool epoll_is_quiet (EddyEngine *engine, const EddyOp *op)
{
    EpollEngine *self = (EpollEngine *) engine;
    Watch *watch = epoll_find_watch (self, op->fd);
    if (watch == NULL || !epoll_stands (self, watch, eddy__op_get_readiness (op)))
        return false;
    bool is_quiet = !watch->is_signalled && !watch->is_ending;
    watch->is_signalled = false;
    return is_quiet;
}

/* Something has come to a kept registration, and so many operations are about to be told. One that
 * nobody has waited for twice is given up: the socket is used elsewhere, or not at all, and each
 * event would wake us. */
static void epoll_note (EpollEngine *self, int fd, Watch *watch, uint32_t events, bool is_awaited)
{
    watch->is_ending |= (events & EVENTS_LAST) != 0;
    if (watch->is_signalled && !is_awaited) {
        watch->number = 0;
        epoll_update (self, fd, watch);
    }
    watch->is_signalled = true;
}

/* --- operations ------------------------------------------------------------------------------- */

static void epoll_submit (EddyEngine *engine, EddyOp *op)
{
    EpollEngine *self = (EpollEngine *) engine;
    engine = op->engine; /* a hosted ring, perhaps, whose part this is */
    Watch *watch = op->fd < 0 ? NULL : epoll_get_watch (self, op->fd);
    int answer = op->fd < 0 ? -EBADF : -ENOMEM;
    op->state = EDDY_OP_POLLING;
    if (watch == NULL) {
        eddy__engine_fail (engine, op, answer);
        return;
    }
    eddy__list_append (&watch->ops, &op->link);
    if (!watch_has_others (watch)) {
        answer = epoll_keep (self, op, watch);
    } else {
        watch->number = 0;
        answer = epoll_update (self, op->fd, watch);
    }
    if (answer == 0)
        return;
    eddy__list_remove (&op->link);
    if (answer == -EPERM)
        eddy__engine_not_pollable (engine, op);
    else
        eddy__engine_fail (engine, op, answer);
}

static void epoll_cancel (EddyEngine *engine, EddyOp *op)
{
    EpollEngine *self = (EpollEngine *) engine;
    eddy__list_remove (&op->link);
    epoll_update (self, op->fd, self->watches[op->fd]);
    eddy__engine_end_unbegun (op);
}

static bool epoll_pending (EddyEngine *engine)
{
    (void) engine;
    return false;
}

/* Hands an event to the operations that wait for it. */
static void epoll_dispatch (EpollEngine *self, int fd, uint32_t events)
{
    Watch *watch = self->watches[fd];
    EddyList ready;
    eddy__list_init (&ready);
    for (EddyList *link = watch->ops.next; link != &watch->ops;) {
        EddyOp *op = EDDY__CONTAINER (link, EddyOp, link);
        link = link->next;
        if ((events & (eddy__op_events (op) | EPOLLERR | EPOLLHUP)) == 0)
            continue;
        eddy__list_remove (&op->link);
        eddy__list_append (&ready, &op->link);
    }
    if (watch->number != 0)
        epoll_note (self, fd, watch, events, !eddy__list_is_empty (&ready));
    for (EddyList *link; (link = eddy__list_pop (&ready)) != NULL;) {
        EddyOp *op = EDDY__CONTAINER (link, EddyOp, link);
        if ((eddy__op_events (op) & EPOLLIN) != 0)
            watch->is_signalled = false; /* it tries now */
        eddy__engine_ready (op->engine, op, events);
    }
    epoll_update (self, fd, watch);
}

/* Has what later events are about come from memory while this one is seen to: of a thousand
 * sockets, none is in the caches still. The watch leads to its operation, so that is two steps. */
static void epoll_fetch (const EpollEngine *self, const struct epoll_event *events, int n)
{
    const Watch *watch;
    if (n > 2 && (watch = epoll_find_watch (self, events[2].data.fd)) != NULL)
        __builtin_prefetch (watch, 1);
    if (n < 2 || (watch = epoll_find_watch (self, events[1].data.fd)) == NULL ||
        eddy__list_is_empty (&watch->ops))
        return;
    const char *op = (const char *) EDDY__CONTAINER (watch->ops.next, EddyOp, link);
    for (size_t at = 0; at < sizeof (EddyOp) + 64; at += 64)
        __builtin_prefetch (op + at, 1);
}

static int epoll_wait_ready (EddyEngine *engine, int64_t timeout_ns)
{
    EpollEngine *self = (EpollEngine *) engine;
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = eddy__sys_epoll_wait (self->epoll_fd, events, EVENTS_AT_ONCE, timeout_ns);
    if (n < 0)
        return n == -EINTR ? 0 : n;
    for (int i = 0; i < n; i++) {
        epoll_fetch (self, events + i, n - i);
        if (events[i].data.fd == engine->port->wake_fd)
            eddy__port_drain (engine->port);
        else if (events[i].data.fd != engine->event_fd) /* that one, a hosted ring's, only wakes */
            epoll_dispatch (self, events[i].data.fd, events[i].events);
    }
    return 0;
}

static int epoll_host (EddyEngine *engine, int event_fd, int *poll_fd)
{
    (void) event_fd;
    *poll_fd = ((EpollEngine *) engine)->epoll_fd;
    return 0;
}

static void epoll_each (EddyEngine *engine, EddyOpVisit visit, void *data)
{
    EpollEngine *self = (EpollEngine *) engine;
    for (size_t i = 0; i < self->n_watches; i++)
        if (self->watches[i] != NULL)
            eddy__ops_each (&self->watches[i]->ops, visit, data);
}

static void epoll_close (EddyEngine *engine)
{
    EpollEngine *self = (EpollEngine *) engine;
    for (size_t i = 0; i < self->n_watches; i++)
        eddy__free (self->watches[i]);
    eddy__free (self->watches);
    eddy__sys_close (self->epoll_fd);
    eddy__free (self);
}

const EddyEngineVerbs eddy__epoll_verbs = {
    .name = "epoll",
    .open = epoll_open,
    .submit = epoll_submit,
    .is_quiet = epoll_is_quiet,
    .cancel = epoll_cancel,
    .pending = epoll_pending,
    .wait = epoll_wait_ready,
    .host = epoll_host,
    .each = epoll_each,
    .close = epoll_close,
};
