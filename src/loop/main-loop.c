/* SPDX-License-Identifier: MIT */
/* EddyMainLoop. */
#include <eddy/main-loop.h>

#include "base/object-private.h"
#include "loop/context-private.h"

struct EddyMainLoop {
    EddyObject object;
    EddyContext *context;
    bool quit;     /* atomic: ends the run, or keeps the next one from beginning */
    unsigned runs; /* under way, one inside the callback of another; atomic */
};

static void main_loop_dispose (void *object)
{
    EddyMainLoop *loop = object;
    eddy_clear (&loop->context);
}

static const EddyClass main_loop_class = { .name = "EddyMainLoop",
                                           .size = sizeof (EddyMainLoop),
                                           .dispose = main_loop_dispose };

EddyMainLoop *eddy_main_loop_new (EddyContext *context)
{
    EddyMainLoop *loop = eddy_object_new (&main_loop_class);
    if (loop != NULL)
        loop->context = eddy_ref (eddy__context_or_default (context));
    return loop;
}

EddyContext *eddy_main_loop_get_context (EddyMainLoop *loop)
{
    EDDY__EXPECT (loop != NULL, NULL);
    return loop->context;
}

void eddy_main_loop_run (EddyMainLoop *loop)
{
    EDDY__EXPECT (loop != NULL);
    eddy_ref (loop);
    __atomic_add_fetch (&loop->runs, 1, __ATOMIC_RELAXED);
    if (eddy__context_wait_enter (loop->context, &loop->quit) == 0) {
        while (!__atomic_load_n (&loop->quit, __ATOMIC_ACQUIRE))
            eddy__context_pass (loop->context, /* may_block= */ true);
        eddy__context_leave (loop->context);
    }
    /* A quit ends all runs of the loop, so the last one takes note of it. */
    if (__atomic_sub_fetch (&loop->runs, 1, __ATOMIC_ACQ_REL) == 0)
        __atomic_store_n (&loop->quit, false, __ATOMIC_RELAXED);
    eddy_unref (loop);
}

void eddy_main_loop_quit (EddyMainLoop *loop)
{
    EDDY__EXPECT (loop != NULL);
    __atomic_store_n (&loop->quit, true, __ATOMIC_SEQ_CST);
    if (!eddy__context_is_owned (loop->context))
        eddy_context_wakeup (loop->context);
    eddy__context_wake_waiters ();
}

bool eddy_main_loop_is_running (EddyMainLoop *loop)
{
    EDDY__EXPECT (loop != NULL, false);
    return __atomic_load_n (&loop->runs, __ATOMIC_RELAXED) > 0;
}
