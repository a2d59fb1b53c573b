/* SPDX-License-Identifier: MIT */
/* EddyContext: a loop's work and the engine that serves it. */
#ifndef EDDY_CONTEXT_H
#define EDDY_CONTEXT_H

#include <eddy/error.h>
#include <eddy/object.h>
#include <eddy/post.h>

EDDY_BEGIN_DECLS

struct pollfd; /* of <poll.h> */
struct EddySource;

/** What becomes ready is dispatched here. An object. One thread iterates it at a time. */
typedef struct EddyContext EddyContext;

/* Priorities: a lower number is more urgent. */
#define EDDY_PRIORITY_HIGH (-100)
#define EDDY_PRIORITY_DEFAULT 0
#define EDDY_PRIORITY_HIGH_IDLE 100
#define EDDY_PRIORITY_DEFAULT_IDLE 200
#define EDDY_PRIORITY_LOW 300

/** Called from a loop; returns whether to be called again. */
typedef bool (*EddySourceFunc) (void *user_data);

/**
 * Makes a context.
 *
 * Returns: a context with one reference, or NULL when memory or fds are out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyContext *eddy_context_new (void);

/** The process's first context, which lives as long as the process; not a reference.
 * Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_context_default (void);

/** The innermost context that this thread has pushed, or whose callback it is in; NULL when that is
 * the default one; not a reference. Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_context_get_thread_default (void);

/** A reference to the context in which this thread's operations complete: the innermost one
 * pushed, else the default one. Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_context_ref_thread_default (void);

/**
 * Makes a context this thread's default until it is popped, and acquires it.
 *
 * @context: a context
 *
 * Returns: whether it could be acquired
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_context_push_thread_default (EddyContext *context);

/**
 * Undoes the last push.
 *
 * @context: the context that was pushed last
 *
 * Thread: that pushed it
 * Since: 0.1
 */
EDDY_API void eddy_context_pop_thread_default (EddyContext *context);

/**
 * Makes this thread the one that iterates a context, if no other one is. May be nested. A context
 * with operations under way stays with its thread.
 *
 * @context: a context; NULL: the default one
 *
 * Returns: whether the thread has it
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_context_acquire (EddyContext *context);

/** Undoes one eddy_context_acquire(). Thread: that acquired it. Since: 0.1 */
EDDY_API void eddy_context_release (EddyContext *context);

/** Whether this thread has acquired a context. Thread: any. Since: 0.1 */
EDDY_API bool eddy_context_is_owner (EddyContext *context);

/**
 * One pass: looks for what is ready and dispatches the most urgent level of it.
 *
 * @context: a context; NULL: the default one
 * @may_block: whether to wait until something is ready, and for the context while another thread
 *     has it
 *
 * Returns: whether something was dispatched; false also after a wakeup with nothing to do, when
 *     another thread has the context, and in a source's prepare or check, where it is misuse
 * Thread: any that can acquire it, outside a fiber
 * Since: 0.1
 */
EDDY_API bool eddy_context_iteration (EddyContext *context, bool may_block);

/**
 * The one fd by which a foreign loop (poll, libuv, a GMainContext) drives this context.
 *
 * What the foreign loop does: it waits for the fd to be readable, and then calls
 * eddy_context_iteration (context, false) until that returns false. That is all: the fd becomes
 * readable for whatever the context has to do, deadlines among them, and also when the foreign
 * loop's own code gives it something to do between two iterations. Before the first wait it calls
 * in the same way, or just waits. It does not read the fd, nor close it, nor set it otherwise; with
 * EPOLLET it must not stop before false. An iteration that finds nothing to do does no harm.
 *
 * The fd is the context's for as long as that lives, whatever thread iterates it; the context may
 * still be run as usual meanwhile. It costs an iteration of such a context a system call or two.
 *
 * @context: a context; NULL: the default one
 *
 * Returns: the fd, or -1 when memory or fds are out, and when another thread has the context
 * Thread: any that can acquire it, outside a fiber
 * Since: 0.1
 */
EDDY_API int eddy_context_get_fd (EddyContext *context);

/**
 * Ends the context's wait, or keeps the next one from beginning.
 *
 * @context: a context; NULL: the default one
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_context_wakeup (EddyContext *context);

/**
 * Has a function called in a context: at once when the caller runs inside it, else from its loop
 * with EDDY_PRIORITY_DEFAULT; again while it returns true.
 *
 * @context: a context; NULL: the default one
 * @function: what to call
 * @user_data: for @function
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_context_invoke (EddyContext *context, EddySourceFunc function, void *user_data);

/**
 * As eddy_context_invoke(), with a priority and an end.
 *
 * @context: a context; NULL: the default one
 * @priority: lower is more urgent; of no meaning when it is called at once
 * @function: what to call
 * @user_data: for @function
 * @destroy: called on @user_data after the last call, or when the context is freed before the
 *     first; NULL: nothing
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_context_invoke_full (EddyContext *context, int priority, EddySourceFunc function,
                                        void *user_data, void (*destroy) (void *user_data));

/**
 * Has a context call a function once, in the order of posting: the cheapest way into it, without
 * an allocation.
 *
 * @context: a context; NULL: the default one
 * @post: with `run` and `priority` set, and in no context; the context's until `run` is called.
 *     That is always called: when the context is freed before, from there, where
 *     eddy_main_depth() is 0 unless the thread is in another context's callback.
 *
 * Returns: whether it was posted; false: the context is gone, and the post stays the caller's
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_context_post (EddyContext *context, EddyPost *post);

/**
 * Has a context call a function once, at a time: a timer without an allocation, for who has many.
 * One that is set already is moved.
 *
 * @context: a context; NULL: the default one
 * @timed: zeroed, with `run` set, and `post.priority` where it is not to be the default one; the
 *     context's until `run` is called or it is taken back. When the context is freed before, `run`
 * is not called.
 * @time_ns: nanoseconds of eddy_get_monotonic_time_ns(), from 0; one that has passed means the next
 *     pass
 *
 * Returns: whether it is set; false: memory is out, and one that was set stays as it was
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API bool eddy_context_post_at (EddyContext *context, EddyTimedPost *timed, int64_t time_ns);

/**
 * Takes a timed post back before it has run.
 *
 * @context: the context it was given to; NULL: the default one
 * @timed: a timed post, of which nothing happens when it is not set
 *
 * Returns: whether it was taken back: `run` will not be called
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API bool eddy_context_take_back (EddyContext *context, EddyTimedPost *timed);

/**
 * Writes who lives, for who wants to know what a program is waiting for: a line for each fiber,
 * task and operation with its name, where it was made, its age and state, what a fiber waits for
 * and which fibers could end that. Fibers that wait for each other in a circle are named in lines
 * that begin with "deadlock".
 *
 * A context that another thread has is told by that thread, which comes by between two of its
 * callbacks or fibers; of one that does not for 200 ms, the calls that it is in are written
 * instead. The text is for people; its form may change. Blocks the thread while it is written, in a
 * fiber, too. When it fails, part of it may have been written.
 *
 * With EDDY_DUMP_SIGNAL in the environment (USR1, or any signal's number) all contexts are dumped
 * to the standard error whenever the process gets that signal.
 *
 * @context: a context, of which circles through other ones are not seen; NULL: all there are
 * @fd: where to write: a file, a pipe, a socket
 * @error: where to put the error
 *
 * Returns: whether all of it was written
 * Errors: NO_MEMORY, and those of write(2)
 * Thread: any, also in a fiber
 * Since: 0.1
 */
EDDY_API bool eddy_context_dump (EddyContext *context, int fd, EddyError **error);

/* --- sources ---------------------------------------------------------------------------------- */

/**
 * Finds an attached source.
 *
 * @context: a context; NULL: the default one
 * @id: of eddy_source_attach()
 *
 * Returns: a new reference, since another thread may destroy the source; NULL: there is none
 * Thread: any
 * Since: 0.1
 */
EDDY_API struct EddySource *eddy_context_find_source_by_id (EddyContext *context, uint64_t id);

/**
 * Finds an attached source by the data of its callback; the one attached first mostly, when there
 * are several.
 *
 * @context: a context; NULL: the default one
 * @user_data: of eddy_source_set_callback()
 *
 * Returns: a new reference; NULL: there is none
 * Thread: any
 * Since: 0.1
 */
EDDY_API struct EddySource *eddy_context_find_source_by_user_data (EddyContext *context,
                                                                   void *user_data);

/* --- by hand ---------------------------------------------------------------------------------- */

/**
 * Whether an iteration would dispatch something now. Waits for nothing.
 *
 * @context: a context; NULL: the default one
 *
 * Returns: whether something is ready; false also when another thread has the context
 * Thread: any that can acquire it, outside a fiber
 * Since: 0.1
 */
EDDY_API bool eddy_context_pending (EddyContext *context);

/* One pass in its four steps, for a thread that does the waiting itself: prepare, query, poll(2),
 * check, dispatch. */

/**
 * Looks for what is ready without waiting.
 *
 * @context: a context; NULL: the default one
 * @priority: where to put the priority of the most urgent that is ready, INT_MAX: nothing is; NULL:
 *     nowhere
 *
 * Returns: whether something is ready
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API bool eddy_context_prepare (EddyContext *context, int *priority);

/**
 * Tells what to wait for: one fd, the context's own, whatever the number of sources.
 *
 * @context: a context; NULL: the default one
 * @max_priority: what is less urgent does not matter
 * @timeout_ns: where to put how long to wait at most, in nanoseconds; -1: for ever
 * @fds: where to put the fd and its events, if there is room
 * @n_fds: the length of @fds, from 0
 *
 * Returns: how many there are to wait for: 1, or 0 when fds are out, in which case the time is
 *     short
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API int eddy_context_query (EddyContext *context, int max_priority, int64_t *timeout_ns,
                                 struct pollfd *fds, int n_fds);

/**
 * Takes in what has become ready while the caller waited.
 *
 * @context: a context; NULL: the default one
 * @max_priority: as given to eddy_context_query()
 * @fds: as filled in by poll(2)
 * @n_fds: how many eddy_context_query() filled in
 *
 * Returns: whether something is ready
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API bool eddy_context_check (EddyContext *context, int max_priority, struct pollfd *fds,
                                  int n_fds);

/** Dispatches the most urgent level of what is ready. Thread: the owner's. Since: 0.1 */
EDDY_API void eddy_context_dispatch (EddyContext *context);

/**
 * Lets the context's thread run blocking jobs itself when it would wait: one thread less to switch
 * to, for programs whose whole work is a batch of jobs. While one runs, nothing else is dispatched;
 * nor between questions of what files are, of which it may ask eight in a row.
 *
 * @context: a context; NULL: the default one
 * @helps: whether it does
 *
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API void eddy_context_set_helps (EddyContext *context, bool helps);

/** What a context's engine has done since it was opened. */
typedef struct EddyContextStatistics {
    /** "uring" or "epoll"; NULL before the first iteration. */
    const char *engine;
    /** Why this one. */
    const char *engine_reason;
    /** Operations done at once, without waiting. */
    uint64_t immediate;
    /** Operations completed by the ring. */
    uint64_t ring;
    /** Operations whose fd became ready. */
    uint64_t polled;
    /** Operations done by a worker, or for one by the context's thread. */
    uint64_t workers;
    /** Of those, by the context's own thread. */
    uint64_t helped;
    /** Operations that the ring refused and a system call did. */
    uint64_t fallbacks;
    /** Times the kernel was asked. */
    uint64_t waits;
    /** Operations under way now. */
    unsigned live_operations;
    /** Fibers not yet ended. */
    unsigned live_fibers;
} EddyContextStatistics;

/**
 * Tells what a context has done.
 *
 * @context: a context; NULL: the default one
 * @statistics: where to put it
 *
 * Thread: the owner's
 * Since: 0.1
 */
EDDY_API void eddy_context_get_statistics (EddyContext *context, EddyContextStatistics *statistics);

EDDY_END_DECLS

#endif
