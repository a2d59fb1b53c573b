/* SPDX-License-Identifier: MIT */
/* Calls that are made inside a context, from anywhere: invocations, and posts. */
#include "base/alloc-private.h"
#include "base/object-private.h"
#include "loop/context-private.h"

typedef struct Invocation {
    EddyEntry entry;
    EddyContext *context; /* not a reference: it runs, or is dropped, before the context dies */
    EddySourceFunc function;
    void *user_data;
    void (*destroy) (void *user_data);
} Invocation;

static void invocation_end (Invocation *invocation)
{
    if (invocation->destroy != NULL)
        invocation->destroy (invocation->user_data);
    eddy__reserve_free (invocation, sizeof *invocation);
}

static void invocation_run (EddyEntry *entry)
{
    Invocation *invocation = EDDY__CONTAINER (entry, Invocation, entry);
    while (!invocation->context->disposed && invocation->function (invocation->user_data))
        ;
    invocation_end (invocation);
}

void eddy_context_invoke (EddyContext *context, EddySourceFunc function, void *user_data)
{
    eddy_context_invoke_full (context, EDDY_PRIORITY_DEFAULT, function, user_data, NULL);
}

void eddy_context_invoke_full (EddyContext *context, int priority, EddySourceFunc function,
                               void *user_data, void (*destroy) (void *user_data))
{
    context = eddy__context_or_default (context);
    EDDY__EXPECT (function != NULL && priority > EDDY__PRIORITY_NOW);
    if (eddy__context_is_owned (context) && context->dispatching > 0) {
        while (function (user_data))
            ;
        if (destroy != NULL)
            destroy (user_data);
        return;
    }
    Invocation *invocation = eddy__reserve_alloc (sizeof *invocation);
    *invocation = (Invocation){
        .entry = { .run = invocation_run, .priority = priority },
        .context = context,
        .function = function,
        .user_data = user_data,
        .destroy = destroy,
    };
    if (!eddy__context_post (context, &invocation->entry))
        invocation_end (invocation);
}

bool eddy_context_post (EddyContext *context, EddyPost *post)
{
    EDDY__EXPECT (post != NULL && post->run != NULL && post->priority > EDDY__PRIORITY_NOW, false);
    return eddy__context_post (eddy__context_or_default (context), post);
}
