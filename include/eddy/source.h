/* SPDX-License-Identifier: MIT */
/* EddySource: what makes a context call a function. */
#ifndef EDDY_SOURCE_H
#define EDDY_SOURCE_H

#include <eddy/context.h>

EDDY_BEGIN_DECLS

/** Something that becomes ready: idle, after a time, at a signal, an fd, a child's end, or whatever
 * a program makes of it. An object; attach it once. What says "the owner's" may be called by the
 * thread that has the context, by any while none has it, and by any before the attach. */
typedef struct EddySource EddySource;

/** What a callback returns to have its source destroyed. */
#define EDDY_SOURCE_REMOVE false
/** What a callback returns to be called again. */
#define EDDY_SOURCE_CONTINUE true

/** A callback of another type (of an fd, of a child) as eddy_source_set_callback() takes it. */
#define EDDY_SOURCE_FUNC(function) ((EddySourceFunc) (void (*) (void)) (function))

/** The callback of an fd source: `events` are those of <poll.h> that have come. */
typedef bool (*EddyFdSourceFunc) (int fd, unsigned events, void *user_data);

/** The callback of a child's end: the status is that of wait(2); -1: it could not be had. */
typedef void (*EddyChildWatchFunc) (pid_t pid, int wait_status, void *user_data);

/** What a program's own kind of source does. All are called on the thread that iterates, which
 * they must not do themselves; any but dispatch may be NULL. */
typedef struct EddySourceFuncs {
    /** Called before the context waits; whether the source is ready. May put a limit to the wait
     * into `*timeout_ns`, which is -1, no limit, before. */
    bool (*prepare) (EddySource *source, int64_t *timeout_ns);
    /** Called after the context has waited; whether the source is ready. A source is ready without
     * it when its ready time has come, one of its fds or one of its children is ready. */
    bool (*check) (EddySource *source);
    /** Called when the source is ready; mostly returns what `callback`, which may be NULL, does:
     * whether the source stays. */
    bool (*dispatch) (EddySource *source, EddySourceFunc callback, void *user_data);
    /** Called once, at the end, to let go of what the private data hold. Any thread. */
    void (*finalize) (EddySource *source);
} EddySourceFuncs;

/* --- kinds ------------------------------------------------------------------------------------ */

/**
 * A source of a program's own kind.
 *
 * @funcs: what it does; must stay valid as long as the source
 * @data_size: bytes of private data, which begin as zeros
 *
 * Returns: a source with one reference and EDDY_PRIORITY_DEFAULT, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_source_new (const EddySourceFuncs *funcs, size_t data_size);

/** The private data of a source of eddy_source_new(), aligned for any type; NULL for others.
 * Thread: any. Since: 0.1 */
EDDY_API void *eddy_source_get_data (EddySource *source);

/** A source that is always ready, of priority EDDY_PRIORITY_DEFAULT_IDLE. NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddySource *eddy_idle_source_new (void);

/**
 * A source that is ready after each interval, counted from the pass that dispatched it last; missed
 * ticks are not made up for.
 *
 * @interval_ns: nanoseconds, from 0
 *
 * Returns: a source with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_timeout_source_new (int64_t interval_ns);

/**
 * As eddy_timeout_source_new(), for what need not be exact: never early, late by the slack at most,
 * so that such sources, of other processes too, wake the machine together.
 *
 * @interval_ns: nanoseconds, from 0
 * @slack_ns: nanoseconds, from 0
 *
 * Returns: a source with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_timeout_source_new_with_slack (int64_t interval_ns, int64_t slack_ns);

/**
 * A source that is ready after a UNIX signal has come, once for any number of them. The signal is
 * caught while a source for it is attached; its former disposition returns with the last one.
 *
 * @signal_number: a signal that can be caught, but not SEGV, BUS, FPE, ILL or TRAP
 *
 * Returns: a source with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_signal_source_new (int signal_number);

/**
 * A source that is ready while an fd is. Its callback is an EddyFdSourceFunc.
 *
 * @fd: from 0; must stay open while the source is attached; a closed one reports POLLNVAL
 * @events: of <poll.h>: what to wait for; POLLERR, POLLHUP and POLLNVAL are always reported
 *
 * Returns: a source with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_fd_source_new (int fd, unsigned events);

/**
 * A source that is ready when a child process has ended. It is reaped right before the callback, an
 * EddyChildWatchFunc, is called, once: a source destroyed before leaves the zombie to the program.
 *
 * @pid: a child, from 1, that nobody else waits for
 *
 * Returns: a source with one reference, or NULL when memory or fds are out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_child_watch_source_new (pid_t pid);

/* --- life ------------------------------------------------------------------------------------- */

/**
 * Sets what a source calls when it is ready; false from it destroys the source. Replaced while it
 * runs, it is let go of when it has returned.
 *
 * @source: a source
 * @function: what to call; for other types: EDDY_SOURCE_FUNC
 * @user_data: for @function
 * @destroy: called on @user_data when the source no longer needs it: where the source is destroyed,
 *     or after its callback has returned, or with the last reference to a source that was never
 *     attached; NULL: nothing
 *
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API void eddy_source_set_callback (EddySource *source, EddySourceFunc function,
                                        void *user_data, void (*destroy) (void *user_data));

/** Sets a callback that does nothing, and keeps the source. Thread: the owner's. Since: 0.1 */
EDDY_API void eddy_source_set_dummy_callback (EddySource *source);

/**
 * Gives a source to a context, which takes a reference until it is destroyed. The context's wait
 * ends if need be.
 *
 * @source: a source that was never attached
 * @context: a context; NULL: the thread's default one
 *
 * Returns: an id, from 1, that no other source of the context has had or will have; 0: it was
 *     destroyed, it is a signal that cannot be caught, or memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API uint64_t eddy_source_attach (EddySource *source, EddyContext *context);

/** Keeps a source from ever being dispatched again. Waits for nobody: in another thread, a dispatch
 * may be under way. Thread: any. Since: 0.1 */
EDDY_API void eddy_source_destroy (EddySource *source);

/** Whether a source has been destroyed. Thread: any. Since: 0.1 */
EDDY_API bool eddy_source_is_destroyed (EddySource *source);

/** What eddy_source_attach() returned; 0 before. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_source_get_id (EddySource *source);

/** The context that a source was attached to, not a reference; NULL before, and after the context
 * is freed. Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_source_get_context (EddySource *source);

/* --- properties ------------------------------------------------------------------------------- */

/**
 * Sets a source's priority, and that of its children.
 *
 * @source: a source that is no child
 * @priority: lower is more urgent; above INT_MIN
 *
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API void eddy_source_set_priority (EddySource *source, int priority);

/** A source's priority. Thread: the owner's. Since: 0.1 */
EDDY_API int eddy_source_get_priority (EddySource *source);

/**
 * Sets whether a source may be dispatched by an iteration inside its own callback; it may not by
 * default, and neither may its children.
 *
 * @source: a source
 * @can_recurse: whether it may
 *
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API void eddy_source_set_can_recurse (EddySource *source, bool can_recurse);

/** Whether a source may recurse. Thread: the owner's. Since: 0.1 */
EDDY_API bool eddy_source_get_can_recurse (EddySource *source);

/**
 * Sets when a source is ready, whatever else makes it so. Dispatching it does not clear the time:
 * the source sets another one, or is dispatched again.
 *
 * @source: a source; nothing happens to a destroyed one
 * @ready_time_ns: nanoseconds of eddy_get_monotonic_time_ns(); 0: now; -1: never
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_source_set_ready_time (EddySource *source, int64_t ready_time_ns);

/** A source's ready time; -1: it has none. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_source_get_ready_time (EddySource *source);

/** Names a source, for whoever looks for a fault; the name is copied. NULL: none.
 * Thread: the owner's. Since: 0.1 */
EDDY_API void eddy_source_set_name (EddySource *source, const char *name);

/** Names a source by a string that stays as it is. Thread: the owner's. Since: 0.1 */
EDDY_API void eddy_source_set_static_name (EddySource *source, const char *name);

/** A source's name or NULL. Thread: the owner's. Since: 0.1 */
EDDY_API const char *eddy_source_get_name (EddySource *source);

/** The time in nanoseconds of eddy_get_monotonic_time_ns(), the same for every source that one pass
 * dispatches; -1 for a source that was never attached. Thread: the owner's. Since: 0.1 */
EDDY_API int64_t eddy_source_get_time (EddySource *source);

/** The clock of ready times, in nanoseconds. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_get_monotonic_time_ns (void);

/* --- fds -------------------------------------------------------------------------------------- */

/**
 * Has a source ready while an fd is.
 *
 * @source: a source of eddy_source_new()
 * @fd: from 0; must stay open until it is removed or the source destroyed
 * @events: of <poll.h>: what to wait for; POLLERR, POLLHUP and POLLNVAL are always reported
 *
 * Returns: a tag for the functions below, owned by the source; NULL when memory is out
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API void *eddy_source_add_fd (EddySource *source, int fd, unsigned events);

/** Changes what an fd of a source is waited for. Thread: the owner's. Since: 0.1 */
EDDY_API void eddy_source_modify_fd (EddySource *source, void *tag, unsigned events);

/** Takes an fd off a source; the tag is gone. Thread: the owner's. Since: 0.1 */
EDDY_API void eddy_source_remove_fd (EddySource *source, void *tag);

/** The events of an fd that made the source ready; 0 outside its dispatch.
 * Thread: the owner's. Since: 0.1 */
EDDY_API unsigned eddy_source_query_fd (EddySource *source, void *tag);

/* --- children --------------------------------------------------------------------------------- */

/**
 * Makes a source the child of another: it has its parent's priority, is dispatched just before it,
 * makes it ready, too, and is attached and destroyed with it.
 *
 * @source: the parent
 * @child: a source without a parent that is not attached; the parent takes a reference
 *
 * Returns: whether it is a child now; false when one of the two was destroyed, or memory is out
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API bool eddy_source_add_child_source (EddySource *source, EddySource *child);

/** Takes a child off its parent, and destroys it. Thread: the owner's. Since: 0.1 */
EDDY_API void eddy_source_remove_child_source (EddySource *source, EddySource *child);

/* --- the running one -------------------------------------------------------------------------- */

/** The source whose callback this thread is in, not a reference; NULL: it is in none.
 * Thread: any. Since: 0.1 */
EDDY_API EddySource *eddy_main_current_source (void);

/** How many iterations, one inside the callback of another, this thread is dispatching in.
 * Thread: any. Since: 0.1 */
EDDY_API unsigned eddy_main_depth (void);

/* --- in a line -------------------------------------------------------------------------------- */

/* All of these attach a source to the thread's default context, and return its id; 0: memory is
 * out. */

/** An idle source. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_idle_add (EddySourceFunc function, void *user_data);

/** An idle source with a priority; `destroy` is called on its data at the end.
 * Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_idle_add_full (int priority, EddySourceFunc function, void *user_data,
                                      void (*destroy) (void *user_data));

/** Calls a function once. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_idle_add_once (void (*function) (void *user_data), void *user_data);

/** A timeout source. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_timeout_add (int64_t interval_ns, EddySourceFunc function, void *user_data);

/** A timeout source with a priority; `destroy` is called on its data at the end.
 * Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_timeout_add_full (int priority, int64_t interval_ns, EddySourceFunc function,
                                         void *user_data, void (*destroy) (void *user_data));

/** Calls a function once, after an interval. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_timeout_add_once (int64_t interval_ns, void (*function) (void *user_data),
                                         void *user_data);

/** An fd source. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_fd_add (int fd, unsigned events, EddyFdSourceFunc function, void *user_data);

/** A signal source; 0 also when the signal cannot be caught. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_signal_add (int signal_number, EddySourceFunc function, void *user_data);

/** A child's end. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_child_watch_add (pid_t pid, EddyChildWatchFunc function, void *user_data);

/**
 * Destroys a source of the thread's default context.
 *
 * @id: of a source that is attached; another one is misuse
 *
 * Returns: whether there was one
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_source_remove (uint64_t id);

/** Destroys one source of the thread's default context, found by the data of its callback; returns
 * whether there was one. Thread: any. Since: 0.1 */
EDDY_API bool eddy_source_remove_by_user_data (void *user_data);

EDDY_END_DECLS

#endif
