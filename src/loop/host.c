/* SPDX-License-Identifier: MIT */
/* A context that a foreign loop drives, by one fd.
 *
 * The fd is an epoll of up to four others: the port's eventfd, which other threads write; an
 * eventfd of ours, written by the ring and by code of the foreign loop that gives this context
 * something to do; a timerfd for the earliest deadline; and the engine's own epoll. While the
 * context runs, none of them is looked at, and the ring's writing is switched off: `resume` and
 * `park` are what each call of the foreign loop costs, a store and mostly one read.
 *
 * To park is to sleep, as a loop does: say so, then look whether anything came meanwhile. Whatever
 * is found then makes the fd readable; what comes later makes it so by itself. */
#include "loop/host-private.h"

#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/log-private.h"
#include "sys/clock-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"

typedef struct EddyHost {
    int fd; /* what the foreign loop waits for: an epoll */
    int event_fd;
    int timer_fd;
    int engine_fd;    /* the engine's epoll, or -1 */
    int64_t timer_ns; /* what the timerfd is set to; INT64_MAX: nothing */
    bool deaf;        /* the engine could not be added: rather busy than deaf */
} EddyHost;

static int host_add (EddyHost *host, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    return fd < 0 ? fd : eddy__sys_epoll_ctl (host->fd, EPOLL_CTL_ADD, fd, &event);
}

static void host_free (EddyHost *host)
{
    if (host->fd >= 0)
        eddy__sys_close (host->fd);
    if (host->event_fd >= 0)
        eddy__sys_close (host->event_fd);
    if (host->timer_fd >= 0)
        eddy__sys_close (host->timer_fd);
    eddy__free (host);
}

static EddyHost *host_new (int wake_fd)
{
    EddyHost *host = eddy__alloc0 (sizeof *host);
    if (host == NULL)
        return NULL;
    host->timer_ns = INT64_MAX;
    host->fd = eddy__sys_epoll_create1 ();
    host->event_fd = eddy__sys_eventfd ();
    host->timer_fd = eddy__sys_timerfd_create ();
    if (host->fd >= 0 && host_add (host, wake_fd) == 0 && host_add (host, host->event_fd) == 0 &&
        host_add (host, host->timer_fd) == 0)
        return host;
    host_free (host);
    return NULL;
}

void eddy__host_add_engine (EddyContext *context)
{
    EddyHost *host = context->host;
    EddyEngine *engine = context->engine;
    int answer = 0;
    if (!engine->hosted) {
        host->engine_fd = -1;
        answer = eddy__engine_host (engine, host->event_fd, &host->engine_fd);
    }
    if (answer == 0 && host->engine_fd >= 0)
        answer = host_add (host, host->engine_fd);
    if (answer < 0 && !host->deaf)
        eddy__log (EDDY_LOG_WARNING, "a context cannot sleep in a foreign loop: %s",
                   strerror (-answer));
    host->deaf = answer < 0;
}

/* Gives an entered context its host, unless memory or fds are out. */
static void host_open (EddyContext *context)
{
    EddyHost *host = host_new (context->port->wake_fd);
    if (host == NULL)
        return;
    context->host = host;
    eddy__host_add_engine (context);
    /* An engine that has the eventfd keeps it: the next try goes on from there. */
    if (host->deaf && !context->engine->hosted)
        eddy__host_close (context);
}

int eddy_context_get_fd (EddyContext *context)
{
    context = eddy__context_or_default (context);
    if (eddy__context_enter (context) < 0)
        return -1;
    if (context->host == NULL)
        host_open (context);
    int fd = context->host == NULL || context->host->deaf ? -1 : context->host->fd;
    eddy__context_leave (context);
    return fd;
}

/* --- telling the foreign loop ----------------------------------------------------------------- */

void eddy__host_tell (EddyContext *context)
{
    context->parked = false;
    context->timers.told_ns = 0;
    eddy__sys_eventfd_write (context->host->event_fd);
}

void eddy__timers_tell_host (EddyTimers *timers)
{
    eddy__host_tell (EDDY__CONTAINER (timers, EddyContext, timers));
}

void eddy__host_resume (EddyContext *context)
{
    context->parked = false;
    context->timers.told_ns = 0;
    eddy__port_awake (context->port);
    if (context->engine == NULL)
        return;
    eddy__engine_park (context->engine, false);
    if (EDDY__UNLIKELY (context->host->deaf))
        eddy__host_add_engine (context);
}

/* When the foreign loop should call at the latest; INT64_MAX: nothing is planned. */
static int64_t host_deadline (EddyContext *context)
{
    int64_t next = eddy__timers_next (&context->timers);
    bool is_limited = !eddy__list_is_empty (&context->hooked) && context->prepared_ns >= 0;
    if (context->before_sleep == NULL && !is_limited)
        return next;
    int64_t now_ns = eddy__sys_now_ns ();
    if (is_limited && context->prepared_ns < next - now_ns)
        next = now_ns + context->prepared_ns;
    if (context->before_sleep == NULL)
        return next;
    int64_t planned_ns = next == INT64_MAX ? -1 : next > now_ns ? next - now_ns : 0;
    int64_t timeout_ns = planned_ns == 0 ? 0 : context->before_sleep (planned_ns);
    return timeout_ns == planned_ns ? next : now_ns + timeout_ns;
}

/* The timerfd is never read: setting it is what ends its being readable. */
static bool host_set_timer (EddyHost *host, int64_t deadline_ns)
{
    if (deadline_ns == host->timer_ns)
        return true;
    int64_t expiry_ns = deadline_ns == INT64_MAX ? -1 : deadline_ns;
    bool set = eddy__sys_timerfd_settime (host->timer_fd, expiry_ns) == 0;
    host->timer_ns = set ? deadline_ns : INT64_MIN;
    return set;
}

static bool host_has_nothing_to_do (EddyContext *context)
{
    EddyEngine *engine = context->engine;
    return eddy__ready_most_urgent (&context->ready) == NULL && !context->host->deaf &&
           (engine == NULL || !eddy__engine_pending (engine));
}

void eddy__host_park (EddyContext *context)
{
    EddyHost *host = context->host;
    if (eddy__port_sleep (context->port) && host_has_nothing_to_do (context)) {
        if (context->engine != NULL)
            eddy__engine_park (context->engine, true);
        eddy__sys_eventfd_read (host->event_fd, NULL);
        bool timed = host_set_timer (host, host_deadline (context));
        context->timers.told_ns = host->timer_ns;
        context->parked = true;
        /* What the engine found between the two looks did not write the eventfd. */
        if (timed && host_has_nothing_to_do (context))
            return;
    }
    eddy__host_tell (context);
}

void eddy__host_close (EddyContext *context)
{
    if (context->host != NULL)
        host_free (context->host);
    context->host = NULL;
}
