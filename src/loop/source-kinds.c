/* SPDX-License-Identifier: MIT */
/* Kinds of sources: idle, timeout, signal, and programs' own. */
#include "base/compiler-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"

/* A callback that may be one of those that are called once and return nothing. */
static bool source_dispatch_callback (EddySource *source, EddySourceFunc function, void *user_data)
{
    if (!source->once)
        return function (user_data);
    void (*once) (void *) = (void (*) (void *)) (void (*) (void)) function;
    once (user_data);
    return EDDY_SOURCE_REMOVE;
}

/* --- idle ------------------------------------------------------------------------------------- */

const EddySourceKind eddy__source_idle = { .name = "an idle",
                                           .dispatch = source_dispatch_callback,
                                           .look = eddy__source_make_ready };

EddySource *eddy_idle_source_new (void)
{
    return eddy__source_new (&eddy__source_idle, EDDY_PRIORITY_DEFAULT_IDLE, sizeof (EddySource));
}

/* --- timeout ---------------------------------------------------------------------------------- */

/* With slack, a deadline is put off to the next multiple of the greatest power of two within it:
 * those of all timers and processes then meet. */
static int64_t timeout_deadline (const EddySource *source, int64_t now_ns)
{
    int64_t deadline_ns;
    int64_t slack_ns = source->as.timeout.slack_ns;
    if (__builtin_add_overflow (now_ns, source->as.timeout.interval_ns, &deadline_ns))
        return INT64_MAX;
    if (slack_ns < 2)
        return deadline_ns;
    int64_t grain_ns = INT64_C (1) << (63 - __builtin_clzll ((unsigned long long) slack_ns));
    int64_t later_ns;
    if (__builtin_add_overflow (deadline_ns, grain_ns - 1, &later_ns))
        return deadline_ns;
    return later_ns & ~(grain_ns - 1);
}

static void timeout_start (EddySource *source, int64_t now_ns)
{
    __atomic_store_n (&source->ready_time_ns, timeout_deadline (source, now_ns), __ATOMIC_RELAXED);
}

const EddySourceKind eddy__source_timeout = { .name = "a timeout",
                                              .dispatch = source_dispatch_callback,
                                              .start = timeout_start };

EddySource *eddy_timeout_source_new (int64_t interval_ns)
{
    return eddy_timeout_source_new_with_slack (interval_ns, 0);
}

EddySource *eddy_timeout_source_new_with_slack (int64_t interval_ns, int64_t slack_ns)
{
    EDDY__EXPECT (interval_ns >= 0 && slack_ns >= 0, NULL);
    EddySource *source =
        eddy__source_new (&eddy__source_timeout, EDDY_PRIORITY_DEFAULT, sizeof (EddySource));
    if (source == NULL)
        return NULL;
    source->as.timeout.interval_ns = interval_ns;
    source->as.timeout.slack_ns = slack_ns;
    return source;
}

/* --- signal ----------------------------------------------------------------------------------- */

static void signal_activate (EddySource *source)
{
    eddy__list_append (&source->context->signals, &source->as.signal.member);
}

const EddySourceKind eddy__source_signal = { .name = "a signal",
                                             .dispatch = source_dispatch_callback,
                                             .look = eddy__signal_look,
                                             .attach = eddy__signal_watch,
                                             .activate = signal_activate,
                                             .deactivate = eddy__signal_unwatch };

EddySource *eddy_signal_source_new (int signal_number)
{
    EddySource *source =
        eddy__source_new (&eddy__source_signal, EDDY_PRIORITY_DEFAULT, sizeof (EddySource));
    if (source == NULL)
        return NULL;
    source->as.signal.number = signal_number;
    eddy__list_init (&source->as.signal.member);
    return source;
}

/* --- programs' own ---------------------------------------------------------------------------- */

/* Where the private data begin: aligned for any type. */
enum { DATA_AT = (sizeof (EddySource) + 15) / 16 * 16 };

static bool custom_dispatch (EddySource *source, EddySourceFunc function, void *user_data)
{
    return source->funcs->dispatch (source, function, user_data);
}

static void custom_activate (EddySource *source)
{
    if (source->funcs->prepare != NULL || source->funcs->check != NULL)
        eddy__list_append (&source->context->hooked, &source->hook);
}

static void custom_finalize (EddySource *source)
{
    if (source->funcs->finalize != NULL)
        source->funcs->finalize (source);
}

const EddySourceKind eddy__source_custom = { .name = "a program's own",
                                             .dispatch = custom_dispatch,
                                             .activate = custom_activate,
                                             .finalize = custom_finalize,
                                             .may_lack_callback = true };

EddySource *eddy_source_new (const EddySourceFuncs *funcs, size_t data_size)
{
    EDDY__EXPECT (funcs != NULL && funcs->dispatch != NULL, NULL);
    EDDY__EXPECT (data_size <= SIZE_MAX - DATA_AT, NULL);
    EddySource *source =
        eddy__source_new (&eddy__source_custom, EDDY_PRIORITY_DEFAULT, DATA_AT + data_size);
    if (source != NULL)
        source->funcs = funcs;
    return source;
}

void *eddy_source_get_data (EddySource *source)
{
    EDDY__EXPECT (source != NULL, NULL);
    return source->kind == &eddy__source_custom ? (char *) source + DATA_AT : NULL;
}
