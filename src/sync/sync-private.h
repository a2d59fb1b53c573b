/* SPDX-License-Identifier: MIT */
/* What mutexes, locks, semaphores and conditions have in common. */
#pragma once

#include <eddy/mutex.h>

#include "base/object-private.h"
#include "fiber/parking-private.h"

/* Whether nobody may know of what the fiber has just been granted: it is an operation's own, and
 * whoever started that has cancelled it, or let go of its future. Then it is not taken. */
static inline bool eddy__sync_is_unwanted (const EddyFiber *fiber)
{
    return EDDY__UNLIKELY (fiber->function == NULL) && eddy__fiber_is_cancelled (fiber);
}

/* Who has something, for those who ask: a fiber that may have ended by then. 0: nobody knows. An
 * operation's own fiber has it for somebody else, and ends with the operation. */
static inline uint64_t eddy__sync_identity (EddyFiber *fiber)
{
    return fiber != NULL && fiber->function != NULL ? eddy__fiber_identify (fiber) : 0;
}

/* Ends an operation: whether it was granted, else with its error. */
static inline bool eddy__sync_conclude (int answer, EddyFiber *fiber, EddyCancellable *cancellable,
                                        const char *what, EddyError **error)
{
    if (EDDY__LIKELY (answer == 0))
        return true;
    eddy_error_take (error, eddy__parking_make_error (answer, fiber, cancellable, what));
    return false;
}

/* Takes a mutex though the fiber is cancelled. In the fiber. */
void eddy__mutex_lock_shielded (EddyMutex *mutex, EddyFiber *fiber);
