/* SPDX-License-Identifier: MIT */
/* What a context needs of its sources. */
#pragma once

#include <eddy/source.h>

#include "base/list-private.h"
#include "loop/context-private.h"

typedef enum EddySourceKind {
    EDDY_SOURCE_IDLE,
    EDDY_SOURCE_TIMEOUT,
    EDDY_SOURCE_SIGNAL
} EddySourceKind;

struct EddySource {
    EddyObject object;
    EddyEntry entry;         /* in the ready queue; holds a reference while it is there */
    EddyEntry attach_entry;  /* carries an attach from another thread */
    EddyEntry destroy_entry; /* carries a destroy from another thread */
    EddyList member;         /* of the context's sources */
    EddyTimer timer;
    EddyContext *context; /* not a reference: the context destroys its sources */
    int64_t interval_ns;
    EddySourceFunc function;
    void *user_data;
    void (*destroy) (void *user_data);
    EddyList signal_member;
    uint64_t signal_seen;
    int signal_number;
    uint8_t kind;
    bool queued;
    bool running;
    bool active;      /* its context's thread has taken it in */
    uint8_t attached; /* atomic, as the next */
    uint8_t destroyed;
};

/* Makes a source ready: it is dispatched in a coming pass. Owner only. */
void eddy__source_make_ready (EddySource *source);
/* The context goes: so do its sources. */
void eddy__sources_destroy_all (EddyContext *context);

/* Signals (signal.c). */

/* Begins to catch the source's signal; 0 or -errno. */
int eddy__signal_watch (EddySource *source);
void eddy__signal_unwatch (EddySource *source);
/* Makes the sources ready whose signals have come. */
void eddy__signals_collect_slow (EddyContext *context);
static inline void eddy__signals_collect (EddyContext *context)
{
    if (!eddy__list_is_empty (&context->signals))
        eddy__signals_collect_slow (context);
}
