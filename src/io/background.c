/* SPDX-License-Identifier: MIT */
/* A stream's own fiber. */
#include "io/background-private.h"

#include <errno.h>

#include "base/object-private.h"
#include "fiber/fiber-private.h"

void eddy__background_start (EddyBackground *background, EddyFiberFunc function, void *stream,
                             void (*ended) (void *stream))
{
    if (background->is_running)
        return;
    eddy_clear (&background->fiber);
    background->is_running = true;
    background->has_begun = false;
    background->fiber = eddy_spawn_local (function, eddy_object_hold (stream), ended);
}

void eddy__background_ended (EddyBackground *background)
{
    if (background->has_begun) /* there may be another one by now */
        return;
    background->is_running = false;
    if (!background->tank.has_ended)
        eddy__tank_end (&background->tank, eddy_error_new_errno (ENOMEM, "a stream's fiber"));
}

void eddy__background_stop (EddyBackground *background)
{
    EddyFuture *future = background->fiber;
    if (!background->is_running)
        return;
    eddy_future_cancel (future);
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber != NULL)
        fiber->shielded++;
    (void) eddy_block_on_complete (future->context, future, NULL);
    if (fiber != NULL)
        fiber->shielded--;
    /* Its own end by our cancel is no error of the base. */
    if (eddy_error_is_cancelled (background->tank.error))
        eddy_unref (eddy__tank_begin_again (&background->tank));
}

void eddy__background_drop (EddyBackground *background)
{
    if (background->is_running)
        eddy__tank_end (&background->tank, NULL);
    eddy_clear (&background->fiber);
}

bool eddy__background_tell (EddyBackground *background, EddyError **error)
{
    if (background->tank.error == NULL)
        return true;
    eddy_error_take (error, eddy__tank_begin_again (&background->tank));
    return false;
}
