/* SPDX-License-Identifier: MIT */
/* A source that is ready once a cancellable is cancelled.
 *
 * It watches as operations do, by the link of its context: so cancel, on whatever thread, never
 * touches the source, and its last reference may go at any time. */
#include <errno.h>

#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"

static void cancellable_source_told (EddyCancelWatch *watch)
{
    eddy__source_make_ready (EDDY__CONTAINER (watch, EddySource, as.cancellable.watch));
}

static void cancellable_source_activate (EddySource *source)
{
    EddyCancellable *cancellable = source->as.cancellable.cancellable;
    if (cancellable == NULL)
        return;
    source->as.cancellable.watch.cancelled = cancellable_source_told;
    /* One that is cancelled already is ready at the look that follows. */
    if (eddy__cancellable_follow (cancellable, source->context, &source->as.cancellable.watch) ==
        -ENOMEM)
        eddy__log (EDDY_LOG_CRITICAL, "no memory for a source to hear of a cancel");
}

static void cancellable_source_look (EddySource *source)
{
    EddyCancellable *cancellable = source->as.cancellable.cancellable;
    if (cancellable != NULL && !source->as.cancellable.dispatched &&
        eddy__cancellable_is_told (cancellable))
        eddy__source_make_ready (source);
}

static bool cancellable_source_dispatch (EddySource *source, EddySourceFunc function,
                                         void *user_data)
{
    EddyCancellableSourceFunc told = (EddyCancellableSourceFunc) (void (*) (void)) function;
    source->as.cancellable.dispatched = true;
    return told (source->as.cancellable.cancellable, user_data);
}

static void cancellable_source_deactivate (EddySource *source)
{
    eddy__cancellable_unwatch (&source->as.cancellable.watch);
}

static void cancellable_source_finalize (EddySource *source)
{
    eddy_clear (&source->as.cancellable.cancellable);
}

static const EddySourceKind source_cancellable = { .name = "a cancellable",
                                                   .dispatch = cancellable_source_dispatch,
                                                   .look = cancellable_source_look,
                                                   .activate = cancellable_source_activate,
                                                   .deactivate = cancellable_source_deactivate,
                                                   .finalize = cancellable_source_finalize };

EddySource *eddy_cancellable_source_new (EddyCancellable *cancellable)
{
    EddySource *source =
        eddy__source_new (&source_cancellable, EDDY_PRIORITY_DEFAULT, sizeof (EddySource));
    if (source == NULL)
        return NULL;
    source->as.cancellable.cancellable = eddy_ref (cancellable);
    eddy__list_init (&source->as.cancellable.watch.member);
    return source;
}
