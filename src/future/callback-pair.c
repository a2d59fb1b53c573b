/* SPDX-License-Identifier: MIT */
/* A future of an operation that has a callback. */
#include <eddy/combinators.h>

#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "future/future-private.h"

/* The callback to come is its maker. */
typedef struct CallbackPair {
    EddyFuture future;
    EddyCancellable *cancellable; /* its own */
    EddyFinishFunc finish;
    void *data;
    void (*destroy) (void *data);
} CallbackPair;

static void pair_request_cancel (EddyFuture *future)
{
    eddy_cancellable_cancel (EDDY__CONTAINER (future, CallbackPair, future)->cancellable);
}

static void pair_finalize (void *object)
{
    CallbackPair *pair = object;
    eddy_unref (pair->cancellable);
    eddy__future_finalize (&pair->future);
}

static const EddyFutureClass pair_class = { .object = { .name = "EddyFuture",
                                                        .size = sizeof (CallbackPair),
                                                        .dispose = eddy__future_dispose,
                                                        .finalize = pair_finalize },
                                            .request_cancel = pair_request_cancel };

/* The operation has completed, perhaps on a thread of its own. */
static void pair_called_back (void *source_object, EddyAsyncResult *result, void *user_data)
{
    CallbackPair *pair = user_data;
    EddyValue value = EDDY_VALUE_INIT;
    EddyError *error = NULL;
    if (!pair->finish (source_object, result, &value, &error, pair->data) && error == NULL)
        error = eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED,
                                "an operation failed and did not say why");
    if (pair->destroy != NULL)
        pair->destroy (pair->data);
    eddy__future_complete (&pair->future, &value, error);
    eddy__future_drop_sole_maker (&pair->future);
}

/* NULL when memory is out. */
static CallbackPair *pair_new (EddyContext *context)
{
    CallbackPair *pair = eddy__block_alloc (sizeof *pair);
    if (pair == NULL)
        return NULL;
    memset (pair, 0, sizeof *pair);
    pair->cancellable = eddy_cancellable_new ();
    if (pair->cancellable == NULL) {
        eddy__block_free (pair, sizeof *pair);
        return NULL;
    }
    eddy__future_init (&pair->future, &pair_class, context, EDDY_PRIORITY_DEFAULT);
    return pair;
}

EddyFuture *eddy_future_from_callback_pair (void *source_object, EddyBeginFunc begin,
                                            EddyFinishFunc finish, void *data,
                                            void (*destroy) (void *data))
{
    EDDY__EXPECT (begin != NULL && finish != NULL, NULL);
    EddyContext *context = eddy__context_thread_default ();
    CallbackPair *pair = pair_new (context);
    if (pair == NULL) {
        if (destroy != NULL)
            destroy (data);
        return eddy__future_new_failed (context, NULL, 0, "an operation with a callback");
    }
    pair->future.source_object = eddy_ref (source_object);
    pair->finish = finish;
    pair->data = data;
    pair->destroy = destroy;
    begin (source_object, pair->cancellable, pair_called_back, pair, data);
    return &pair->future;
}
