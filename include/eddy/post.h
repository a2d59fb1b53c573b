/* SPDX-License-Identifier: MIT */
/* EddyPost: what eddy_context_post() takes. */
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

EDDY_END_DECLS

#endif
