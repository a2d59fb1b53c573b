/* SPDX-License-Identifier: MIT */
/* The fiber of a stream's own, which fills or drains the stream's tank. It holds the stream's
 * memory until it has ended. */
#pragma once

#include <eddy/fiber.h>

#include "io/tank-private.h"

typedef struct EddyBackground {
    EddyTank tank;
    EddyFuture *fiber; /* the latest; NULL: there has been none */
    bool is_running;
    bool has_begun; /* else it has had no stack to do so */
} EddyBackground;

/* Runs `function` on `stream`, unless that is under way; it ends by returning. */
void eddy__background_start (EddyBackground *background, EddyFiberFunc function, void *stream,
                             void (*ended) (void *stream));
/* The last that `function` does: whoever looks next may start another one. */
static inline void eddy__background_leave (EddyBackground *background)
{
    background->is_running = false;
}
/* Called by `ended`, also when `function` never was. */
void eddy__background_ended (EddyBackground *background);
/* Ends it and waits for that, in a fiber or in a plain thread; no cancel ends this wait. */
void eddy__background_stop (EddyBackground *background);
/* The same without waiting: nobody uses the stream any more. */
void eddy__background_drop (EddyBackground *background);
/* What has stopped it, told once: false with the error. */
bool eddy__background_tell (EddyBackground *background, EddyError **error);
