/* SPDX-License-Identifier: MIT */
/* Sources in a line: made, attached to the thread's default context, found and removed by id. */
#include "base/log-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"

/* Gives a new source its callback and attaches it; 0 when one of both could not be had, which the
 * callback's data do not outlive. */
static uint64_t source_add (EddySource *source, EddySourceFunc function, void *user_data,
                            void (*destroy) (void *user_data))
{
    if (source == NULL) {
        if (destroy != NULL)
            destroy (user_data);
        return 0;
    }
    eddy_source_set_callback (source, function, user_data, destroy);
    uint64_t id = eddy_source_attach (source, NULL);
    eddy_unref (source);
    return id;
}

static uint64_t source_add_with_priority (EddySource *source, int priority, EddySourceFunc function,
                                          void *user_data, void (*destroy) (void *user_data))
{
    if (source != NULL)
        eddy_source_set_priority (source, priority);
    return source_add (source, function, user_data, destroy);
}

static uint64_t source_add_once (EddySource *source, void (*function) (void *), void *user_data)
{
    if (source != NULL)
        source->once = true;
    return source_add (source, EDDY_SOURCE_FUNC (function), user_data, NULL);
}

uint64_t eddy_idle_add (EddySourceFunc function, void *user_data)
{
    EDDY__EXPECT (function != NULL, 0);
    return source_add (eddy_idle_source_new (), function, user_data, NULL);
}

uint64_t eddy_idle_add_full (int priority, EddySourceFunc function, void *user_data,
                             void (*destroy) (void *user_data))
{
    EDDY__EXPECT (function != NULL, 0);
    return source_add_with_priority (eddy_idle_source_new (), priority, function, user_data,
                                     destroy);
}

uint64_t eddy_idle_add_once (void (*function) (void *user_data), void *user_data)
{
    EDDY__EXPECT (function != NULL, 0);
    return source_add_once (eddy_idle_source_new (), function, user_data);
}

uint64_t eddy_timeout_add (int64_t interval_ns, EddySourceFunc function, void *user_data)
{
    EDDY__EXPECT (interval_ns >= 0 && function != NULL, 0);
    return source_add (eddy_timeout_source_new (interval_ns), function, user_data, NULL);
}

uint64_t eddy_timeout_add_full (int priority, int64_t interval_ns, EddySourceFunc function,
                                void *user_data, void (*destroy) (void *user_data))
{
    EDDY__EXPECT (interval_ns >= 0 && function != NULL, 0);
    return source_add_with_priority (eddy_timeout_source_new (interval_ns), priority, function,
                                     user_data, destroy);
}

uint64_t eddy_timeout_add_once (int64_t interval_ns, void (*function) (void *user_data),
                                void *user_data)
{
    EDDY__EXPECT (interval_ns >= 0 && function != NULL, 0);
    return source_add_once (eddy_timeout_source_new (interval_ns), function, user_data);
}

uint64_t eddy_fd_add (int fd, unsigned events, EddyFdSourceFunc function, void *user_data)
{
    EDDY__EXPECT (fd >= 0 && function != NULL, 0);
    return source_add (eddy_fd_source_new (fd, events), EDDY_SOURCE_FUNC (function), user_data,
                       NULL);
}

uint64_t eddy_signal_add (int signal_number, EddySourceFunc function, void *user_data)
{
    EDDY__EXPECT (function != NULL, 0);
    return source_add (eddy_signal_source_new (signal_number), function, user_data, NULL);
}

uint64_t eddy_child_watch_add (pid_t pid, EddyChildWatchFunc function, void *user_data)
{
    EDDY__EXPECT (pid > 0 && function != NULL, 0);
    return source_add (eddy_child_watch_source_new (pid), EDDY_SOURCE_FUNC (function), user_data,
                       NULL);
}

/* --- found ------------------------------------------------------------------------------------ */

EddySource *eddy_context_find_source_by_id (EddyContext *context, uint64_t id)
{
    EDDY__EXPECT (id != 0, NULL);
    return eddy__source_table_find (eddy__context_or_default (context)->table, id);
}

EddySource *eddy_context_find_source_by_user_data (EddyContext *context, void *user_data)
{
    return eddy__source_table_find_by_user_data (eddy__context_or_default (context)->table,
                                                 user_data);
}

/* Destroys a source that was found; whether there was one. */
static bool source_remove (EddySource *source)
{
    if (source == NULL)
        return false;
    eddy_source_destroy (source);
    eddy_unref (source);
    return true;
}

bool eddy_source_remove (uint64_t id)
{
    EDDY__EXPECT (id != 0, false);
    if (source_remove (eddy__source_table_find (eddy__context_thread_default ()->table, id)))
        return true;
    eddy__log (EDDY_LOG_CRITICAL,
               "eddy_source_remove: the thread's default context has no source %llu",
               (unsigned long long) id);
    return false;
}

bool eddy_source_remove_by_user_data (void *user_data)
{
    return source_remove (
        eddy__source_table_find_by_user_data (eddy__context_thread_default ()->table, user_data));
}
