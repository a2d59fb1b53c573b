/* SPDX-License-Identifier: MIT */
/* EddyPool: threads that run fibers. */
#ifndef EDDY_POOL_H
#define EDDY_POOL_H

#include <eddy/fiber.h>
#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/**
 * Threads that run fibers, each with a context and an engine of its own. A fiber stays on the
 * thread on which it began, so fibers of one thread share data without locks, as ever; those of
 * different threads do not.
 *
 * A pool's threads are named eddy-pool-0 and so on, and take no signals: these are for the
 * program's own threads. (But for SIGRTMAX, unless the thread that makes the pool blocks it: by
 * that eddy_context_dump() asks a thread that is stuck what it does.) The child of a fork has none
 * of the threads; there, spawning on the pool fails with the errno ECHILD.
 *
 * An object. When its last reference goes, all of its fibers are cancelled, and the threads end by
 * themselves when these have ended; nobody waits for that. eddy_pool_close() does.
 */
typedef struct EddyPool EddyPool;

/**
 * Starts a pool. Its threads are ready when this returns.
 *
 * @n_threads: how many threads; 0: one for each processor that the process may use
 * @error: TOO_MANY_OPEN_FILES, as each thread takes some; NO_MEMORY; LIMIT_EXCEEDED when the system
 *     allows no more threads
 *
 * Returns: a pool with one reference; or NULL, with no thread left behind
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyPool *eddy_pool_new (unsigned n_threads, EddyError **error) EDDY_MUST_USE;

/** How many threads a pool has. Thread: any. Since: 0.1 */
EDDY_API unsigned eddy_pool_get_n_threads (EddyPool *pool);

/**
 * The context of one of a pool's threads, for what is to be at home there: posts, sources, and
 * fibers that have to be on that very thread. What is given to it when the pool is closed or gone
 * may never be run.
 *
 * @pool: a pool
 * @index: which thread, from 0
 *
 * Returns: the context, owned by the pool; NULL when there is no such thread
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyContext *eddy_pool_get_context (EddyPool *pool, unsigned index);

/**
 * Runs a function as a fiber of the pool, on the thread on which fewest of the fibers that were
 * spawned on the pool are alive; among equals they take turns. In a fiber of the pool that is its
 * own thread unless another has fewer, where the fiber itself does not count.
 *
 * @pool: a pool
 * @function: what it runs
 * @data: for @function
 * @destroy: called on @data after @function, in the fiber, or now when the fiber cannot begin;
 *     NULL: nothing
 * @options: NULL: the usual
 * @place: EDDY_PLACE
 *
 * Returns: the future of its value, as eddy_spawn_full(). It fails with CLOSED when the pool has
 *     been closed.
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_pool_spawn_full (EddyPool *pool, EddyFiberFunc function, void *data,
                                           void (*destroy) (void *data),
                                           const EddyFiberOptions *options,
                                           const EddyPlace *place) EDDY_MUST_USE;

/**
 * The same without a future: its end is nobody's business, but an error is logged with its name;
 * also that it could not begin.
 *
 * @pool: a pool
 * @function: what it runs
 * @data: for @function
 * @destroy: called on @data after @function, in the fiber, or now when the fiber cannot begin;
 *     NULL: nothing
 * @options: NULL: the usual
 * @place: EDDY_PLACE
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_pool_spawn_detached_full (EddyPool *pool, EddyFiberFunc function, void *data,
                                             void (*destroy) (void *data),
                                             const EddyFiberOptions *options,
                                             const EddyPlace *place);

/** eddy_pool_spawn_full() with the usual options, from here. */
#define eddy_pool_spawn(pool, function, data, destroy)                                             \
    eddy_pool_spawn_full (pool, function, data, destroy, NULL, EDDY_PLACE)
/** eddy_pool_spawn_detached_full() with the usual options, from here. */
#define eddy_pool_spawn_detached(pool, function, data, destroy)                                    \
    eddy_pool_spawn_detached_full (pool, function, data, destroy, NULL, EDDY_PLACE)

/**
 * Closes a pool: from now on nothing can be spawned on it. Waits until all fibers on its threads
 * have ended, and what they have under way, and then the threads. Those of a closed pool that goes
 * away are cancelled all the same.
 *
 * A second close waits, too. Closing from a fiber of the pool itself, which would wait for its own
 * end, fails with the errno EDEADLK, and nothing is closed.
 *
 * @pool: a pool
 * @cancellable: a cancellable, or NULL; when it is cancelled, the pool stays closed and ends by
 *     itself
 * @error: where to put the error
 *
 * Returns: whether its threads have ended
 * Errors: CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_pool_close (EddyPool *pool, EddyCancellable *cancellable, EddyError **error);

EDDY_END_DECLS

#include <eddy/pool-forms.h>

#endif
