/* SPDX-License-Identifier: MIT */
/* The prepare and check hooks of programs' own sources. Those that have some are on a list of their
 * own, so that contexts without any pay nothing. */
#include <limits.h>

#include "base/compiler-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"

/* A hook may destroy any source, so the walk says where it is and removals move it on. */
void eddy__hooks_remove (EddySource *source)
{
    EddyContext *context = source->context;
    if (context->hook_next == &source->hook)
        context->hook_next = source->hook.next;
    eddy__list_remove (&source->hook);
}

/* Calls one hook of the sources that are not ready and no less urgent than what is. */
static void hooks_walk (EddyContext *context,
                        void (*call) (EddyContext *context, EddySource *source, int64_t *limit_ns),
                        int64_t *limit_ns)
{
    EddyList *outer = context->hook_next;
    for (EddyList *link = context->hooked.next; link != &context->hooked;
         link = context->hook_next) {
        EddySource *source = EDDY__CONTAINER (link, EddySource, hook);
        const EddyReadyLevel *level = eddy__ready_most_urgent (&context->ready);
        context->hook_next = link->next;
        if (source->ready != 0 || source->blocked > 0 || eddy__source_is_destroyed (source) ||
            (level != NULL && level->priority < source->entry.priority))
            continue;
        eddy_ref (source);
        context->in_hooks++;
        call (context, source, limit_ns);
        context->in_hooks--;
        eddy_unref (source);
    }
    context->hook_next = outer;
}

static void hooks_call_prepare (EddyContext *context, EddySource *source, int64_t *limit_ns)
{
    int64_t timeout_ns = -1;
    (void) context;
    if (source->funcs->prepare == NULL)
        return;
    if (source->funcs->prepare (source, &timeout_ns))
        eddy__source_make_ready (source);
    else if (timeout_ns >= 0 && (*limit_ns < 0 || timeout_ns < *limit_ns))
        *limit_ns = timeout_ns;
}

static void hooks_call_check (EddyContext *context, EddySource *source, int64_t *limit_ns)
{
    (void) context, (void) limit_ns;
    if (source->funcs->check != NULL && source->funcs->check (source))
        eddy__source_make_ready (source);
}

int64_t eddy__hooks_prepare (EddyContext *context)
{
    int64_t limit_ns = -1;
    hooks_walk (context, hooks_call_prepare, &limit_ns);
    return limit_ns;
}

void eddy__hooks_check (EddyContext *context)
{
    hooks_walk (context, hooks_call_check, NULL);
}
