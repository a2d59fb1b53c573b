/* SPDX-License-Identifier: MIT */
/* EddyPost and EddyTimedPost: calls that a context makes, in memory of the caller's own. */
#ifndef EDDY_POST_H
#define EDDY_POST_H

#include <eddy/macros.h>

EDDY_BEGIN_DECLS

/** A call that a context is to make once, in memory of the caller's; see eddy_context_post(). */
typedef struct EddyPost {
    /** The context's. */
    struct EddyPost *next;
    /** What to call; the post is the caller's again from then on, and may be freed or posted again
     * inside. */
    void (*run) (struct EddyPost *post);
    /** Lower is more urgent; above INT32_MIN. */
    int priority;
    /** The context's. */
    uint32_t turn;
} EddyPost;

/** A place among a context's deadlines: the context's. */
typedef struct EddyTimer {
    void (*fire) (struct EddyTimer *timer);
    uint32_t handle;
} EddyTimer;

/** A call that a context is to make at a time; see eddy_context_post_at(). Begin with zeroes. */
typedef struct EddyTimedPost {
    /** The context's, but for its `priority`. */
    EddyPost post;
    /** The context's. */
    EddyTimer timer;
    /** What to call; the post is the caller's again from then on, and may be freed or used again
     * inside. */
    void (*run) (struct EddyTimedPost *timed);
    /** The context's. */
    struct EddyContext *context;
    /** The context's. */
    bool queued;
} EddyTimedPost;

EDDY_END_DECLS

#endif
