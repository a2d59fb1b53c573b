/* SPDX-License-Identifier: MIT */
/* EddyMainLoop. */
#include <eddy/main-loop.h>

#include "base/object-private.h"
#include "loop/context-private.h"

struct EddyMainLoop {
    EddyObject object;
    EddyContext *context;
    bool quit;    /* atomic: ends the run, or keeps the next one from beginning */
    bool running; /* atomic */
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

void eddy_main_loop_run (EddyMainLoop *loop)
{
    EDDY__EXPECT (loop != NULL);
    if (eddy__context_enter (loop->context) < 0)
        return;
    eddy_ref (loop);
    __atomic_store_n (&loop->running, true, __ATOMIC_RELAXED);
    while (!__atomic_load_n (&loop->quit, __ATOMIC_ACQUIRE))
        eddy__context_pass (loop->context, /* may_block= */ true);
    __atomic_store_n (&loop->quit, false, __ATOMIC_RELAXED);
    __atomic_store_n (&loop->running, false, __ATOMIC_RELAXED);
    eddy__context_leave (loop->context);
    eddy_unref (loop);
}

void eddy_main_loop_quit (EddyMainLoop *loop)
{
    EDDY__EXPECT (loop != NULL);
    __atomic_store_n (&loop->quit, true, __ATOMIC_RELEASE);
    if (!eddy__context_is_owned (loop->context))
        eddy_context_wakeup (loop->context);
}

bool eddy_main_loop_is_running (EddyMainLoop *loop)
{
    EDDY__EXPECT (loop != NULL, false);
    return __atomic_load_n (&loop->running, __ATOMIC_RELAXED);
}
