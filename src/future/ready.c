/* SPDX-License-Identifier: MIT */
/* Futures that are complete from the start. */
#include <eddy/combinators.h>

#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "future/future-private.h"

static void ready_finalize (void *object)
{
    eddy__future_finalize (object);
}

static const EddyFutureClass ready_class = {
    .object = { .name = "EddyFuture", .size = sizeof (EddyFuture), .finalize = ready_finalize }
};

/* Nobody will ever deliver anything, so there is no maker, and nothing for which it would keep its
 * context. NULL when memory is out. */
static EddyFuture *ready_new (void)
{
    EddyFuture *future = eddy_object_new (&ready_class.object);
    if (future == NULL)
        return NULL;
    future->context = eddy__context_thread_default ();
    future->state = EDDY_FUTURE_DONE;
    return future;
}

static EddyFuture *ready_failed (void)
{
    return eddy__future_new_failed (eddy__context_thread_default (), NULL, 0, "a future");
}

EddyFuture *eddy_future_resolved (EddyValue *value)
{
    EDDY__EXPECT (value != NULL, NULL);
    EddyFuture *future = ready_new ();
    if (future == NULL) {
        eddy_value_clear (value);
        return ready_failed ();
    }
    future->value = *value;
    *value = (EddyValue) EDDY_VALUE_INIT;
    return future;
}

EddyFuture *eddy_future_rejected (EddyError *error)
{
    EDDY__EXPECT (error != NULL, NULL);
    EddyFuture *future = ready_new ();
    if (future == NULL) {
        eddy_unref (error);
        return ready_failed ();
    }
    future->error = error;
    return future;
}
