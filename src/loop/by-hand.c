/* SPDX-License-Identifier: MIT */
/* A pass in steps, for whoever does the waiting: pending, prepare, query, check, dispatch. */
#include <limits.h>
#include <poll.h>

#include "base/compiler-private.h"
#include "base/object-private.h"
#include "loop/context-private.h"
#include "loop/source-private.h"

/* Without an fd to wait for, one has to look: so often. */
enum { LOOK_NS = 10000000 };

/* The priority of the most urgent entry that will dispatch something; INT_MAX: there is none. Not
 * for every pass: it may go through the whole queue. */
static int context_ready_priority (EddyContext *context)
{
    for (unsigned i = 0; i < context->ready.n_levels; i++) {
        const EddyReadyLevel *level = context->ready.order[i];
        for (EddyEntry *entry = level->first; entry != NULL; entry = entry->next)
            if (eddy__source_entry_is_ready (context, entry))
                return level->priority;
    }
    return INT_MAX;
}

/* Looks for what is ready without waiting. */
static int context_look (EddyContext *context)
{
    if (eddy__context_enter (context) < 0)
        return INT_MAX;
    eddy__context_collect (context, /* may_block= */ false);
    int priority = context_ready_priority (context);
    eddy__context_leave (context);
    return priority;
}

bool eddy_context_pending (EddyContext *context)
{
    return context_look (eddy__context_or_default (context)) != INT_MAX;
}

bool eddy_context_prepare (EddyContext *context, int *priority)
{
    context = eddy__context_or_default (context);
    EDDY__EXPECT (eddy__context_is_owned (context), false);
    int ready = context_look (context);
    if (priority != NULL)
        *priority = ready;
    return ready != INT_MAX;
}

/* How long a foreign thread may wait for what is urgent enough. */
static int64_t context_query_timeout (EddyContext *context, int max_priority)
{
    int ready = context_ready_priority (context);
    if (ready != INT_MAX && ready <= max_priority)
        return 0;
    int64_t next_ns = eddy__timers_next (&context->timers);
    int64_t timeout_ns = -1;
    if (next_ns != INT64_MAX) {
        int64_t now_ns = eddy__context_read_clock (context);
        timeout_ns = next_ns <= now_ns ? 0 : next_ns - now_ns;
    }
    int64_t limit_ns = context->prepared_ns;
    return limit_ns >= 0 && (timeout_ns < 0 || limit_ns < timeout_ns) ? limit_ns : timeout_ns;
}

int eddy_context_query (EddyContext *context, int max_priority, int64_t *timeout_ns,
                        struct pollfd *fds, int n_fds)
{
    context = eddy__context_or_default (context);
    EDDY__EXPECT (eddy__context_is_owned (context) && timeout_ns != NULL, 0);
    EDDY__EXPECT (n_fds == 0 || (n_fds > 0 && fds != NULL), 0);
    int fd = eddy_context_get_fd (context);
    *timeout_ns = context_query_timeout (context, max_priority);
    if (fd < 0 && (*timeout_ns < 0 || *timeout_ns > LOOK_NS))
        *timeout_ns = LOOK_NS;
    if (fd >= 0 && n_fds > 0)
        fds[0] = (struct pollfd){ fd, POLLIN, 0 };
    return fd >= 0 ? 1 : 0;
}

bool eddy_context_check (EddyContext *context, int max_priority, struct pollfd *fds, int n_fds)
{
    context = eddy__context_or_default (context);
    EDDY__EXPECT (eddy__context_is_owned (context) && n_fds >= 0 && (n_fds == 0 || fds != NULL),
                  false);
    int ready = context_look (context);
    return ready != INT_MAX && ready <= max_priority;
}

void eddy_context_dispatch (EddyContext *context)
{
    context = eddy__context_or_default (context);
    EDDY__EXPECT (eddy__context_is_owned (context));
    if (eddy__context_enter (context) < 0)
        return;
    eddy__context_dispatch (context);
    eddy__context_leave (context);
}
