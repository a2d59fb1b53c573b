/* SPDX-License-Identifier: MIT */
/* EddyGroup from the inside. Everything in it is its home's: the thread that made it. A child that
 * runs on another thread, in a pool, reads what never changes, and sends its end home as a post. */
#pragma once

#include "fiber/fiber-private.h"

struct EddyGroup {
    EddyObject object;
    /* These never change: */
    EddyContext *context; /* home */
    EddyPool *pool;       /* where its fibers run; NULL: at home */
    /* */
    EddyList member;   /* of the groups of the fiber that made it */
    EddyList children; /* its fibers at home that have not ended */
    EddyList away;     /* those on other threads, until their end has come home */
    bool cancelled;
    bool supervisor; /* an error does not cancel the others */
    bool told_cause; /* the cause is among the errors */
    bool cut_short;  /* a cancel has ended one of its fibers */
    unsigned limit;
    unsigned running;   /* fibers that have not ended, wherever they are: they hold its memory */
    unsigned promised;  /* places under the limit, to fibers that waited for one */
    EddyList joiners;   /* GroupWait: until the last fiber has ended */
    EddyList claimants; /* GroupWait: until there is room under the limit */
    EddyList starts;    /* EddyGroupStart: until their fiber is ready */
    EddyList deferred;  /* of the groups whose fibers are yet to be cancelled (group.c) */
    EddyError *cause;   /* of the cancel; NULL: the usual */
    EddyCancellable *governor; /* what the scope follows; NULL: nothing */
    /* Followed by the scopes of its fibers, and by the fibers away, however many they are, with one
     * post to each thread. Made where there is a deadline, or for the first fiber away. */
    EddyCancellable *scope;
    EddyCancelWatch scope_watch; /* of a deadline of its own */
    EddyError *first_error;      /* has a place of its own: it is told even when memory is out */
    EddyError **errors;          /* all of them; until the second one comes, that place */
    size_t n_errors;
};

/* Somebody waits for a fiber to be ready: on his stack. */
typedef struct EddyGroupStart {
    EddyList member; /* of the group's starts, until it is decided */
    EddyFiberWait wait;
    bool waits; /* a fiber does */
    EddyFiber *fiber;
    bool is_ready;
    void *value;
    EddyError *error;
} EddyGroupStart;

/* Spawns a fiber, which begins at a later turn; NULL with an error, `data` destroyed. `is_awaited`:
 * somebody waits for it to be ready. */
EddyFiber *eddy__group_spawn (EddyGroup *group, EddyFiberFunc function, void *data,
                              void (*destroy) (void *data), const EddyFiberOptions *options,
                              const EddyPlace *place, bool is_awaited, EddyError **error);
/* Runs the group's context in a plain thread until the condition, asked before each pass, holds; 0
 * or -errno. */
int eddy__group_run_until (EddyGroup *group, bool (*condition) (const void *data),
                           const void *data);
/* What a fiber was cancelled for; NULL: the usual. */
EddyError *eddy__fiber_ref_cause (const EddyFiber *fiber);
/* A fiber that somebody may wait for has ended; whether he did, and knows of its error. */
bool eddy__group_start_ended (EddyGroup *group, EddyFiber *fiber);
