/* SPDX-License-Identifier: MIT */
/* The epoll engine: readiness of fds; everything else is the workers'.
 *
 * One registration per fd, level-triggered, for the union of what its operations wait for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "engine/engine-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"

enum { EVENTS_AT_ONCE = 256 };

/* What an fd is watched for. */
typedef struct Watch {
    EddyList ops;
    uint32_t events; /* registered with the kernel; 0: not registered */
} Watch;

typedef struct EpollEngine {
    EddyEngine engine;
    int epoll_fd;
    Watch **watches; /* by fd */
    size_t n_watches;
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

/* Makes the kernel's registration what the operations need. */
static int epoll_update (EpollEngine *self, int fd, Watch *watch)
{
    uint32_t events = 0;
    /* EPOLLERR is told anyway; it says that even who asks for nothing else is there. */
    for (EddyList *link = watch->ops.next; link != &watch->ops; link = link->next)
        events |= eddy__op_events (EDDY__CONTAINER (link, EddyOp, link)) | EPOLLERR;
    if (events == watch->events)
        return 0;
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

static void epoll_submit (EddyEngine *engine, EddyOp *op)
{
    EpollEngine *self = (EpollEngine *) engine;
    engine = op->engine; /* a hosted ring, perhaps, whose part this is */
    Watch *watch = op->fd < 0 ? NULL : epoll_get_watch (self, op->fd);
    op->state = EDDY_OP_POLLING;
    if (watch == NULL) {
        eddy__engine_fail (engine, op, op->fd < 0 ? -EBADF : -ENOMEM);
        return;
    }
    eddy__list_append (&watch->ops, &op->link);
    int answer = epoll_update (self, op->fd, watch);
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
    for (EddyList *link; (link = eddy__list_pop (&ready)) != NULL;) {
        EddyOp *op = EDDY__CONTAINER (link, EddyOp, link);
        eddy__engine_ready (op->engine, op, events);
    }
    epoll_update (self, fd, watch);
}

static int epoll_wait_ready (EddyEngine *engine, int64_t timeout_ns)
{
    EpollEngine *self = (EpollEngine *) engine;
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = eddy__sys_epoll_wait (self->epoll_fd, events, EVENTS_AT_ONCE, timeout_ns);
    if (n < 0)
        return n == -EINTR ? 0 : n;
    for (int i = 0; i < n; i++) {
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
    .cancel = epoll_cancel,
    .pending = epoll_pending,
    .wait = epoll_wait_ready,
    .host = epoll_host,
    .each = epoll_each,
    .close = epoll_close,
};
