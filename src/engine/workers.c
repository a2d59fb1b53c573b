/* SPDX-License-Identifier: MIT */
/* The workers.
 *
 * Jobs come in batches, and a worker claims several at once, so that the lock and the wakeups are
 * shared by many jobs. A claimed job stays on a list under the lock: until it is RUNNING, a cancel
 * unlinks it, and another worker may take it over.
 *
 * As many workers run as there are processors. One more thread stands by as the watcher: while jobs
 * wait, it looks every few milliseconds at the processor time of the busy ones. A worker whose
 * clock stood still is blocked in its call: it no longer counts as running, the jobs that it had
 * claimed go back to the queue, and the watcher becomes a worker in its place. So blocked jobs
 * never delay a job that could run, up to THREAD_LIMIT threads.
 *
 * Jobs that say that they mostly wait for a disk do not count as running either, WAITING_LIMIT of
 * them: their waits are too short for the watcher, and a journal that is asked by one thread after
 * the other is asleep half the time. */
#include "engine/workers-private.h"

#include <pthread.h>
#include <signal.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/log-private.h"
#include "engine/engine-private.h"
#include "engine/jobs-private.h"
#include "sys/clock-private.h"
#include "sys/process-private.h"
#include "sys/signal-private.h"

enum {
    THREAD_LIMIT = 64,
    CLAIM = 16,         /* jobs that one worker claims at once, at most */
    HELP = 8,           /* … and a loop that helps: nothing else is dispatched meanwhile */
    WATCH_NS = 4000000, /* how often the watcher looks */
    STILL_NS = 50000,   /* processor time below this between two looks: stood still */
    WAITING_LIMIT = 8,
    /* A thread that is not needed for so long ends. Soon, since in a process of one thread each
     * call on an fd costs the kernel two atomic operations less, 4 % of a read of 4 KiB. */
    IDLE_NS = 100000000
};

/* Between two looks of a watcher for whom nobody waits, at most. */
#define QUIET_MOST_NS (64 * (int64_t) IDLE_NS)

typedef struct Worker {
    EddyList member; /* of workers.busy while busy */
    EddyList claimed;
    EddyOp *running;       /* of an engine */
    EddyEntry *done_first; /* run already, not yet handed back; all of one port */
    EddyEntry *done_last;
    EddyPort *done_port;
    unsigned n_done;
    bool blocked;
    bool waits; /* by what its job says; it is not known to be blocked */
    clockid_t clock;
    int64_t seen_ns; /* its processor time when the watcher last looked; -1: not yet */
} Worker;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t work;  /* idle workers wait here */
    pthread_cond_t watch; /* the watcher waits here */
    EddyJobs queue;
    EddyList busy;
    unsigned n_threads;
    unsigned n_idle;     /* waiting at `work` */
    unsigned n_roused;   /* of those, on their way to work; at most a watcher's look too many */
    unsigned n_starting; /* threads that have not come so far */
    unsigned n_running;  /* busy and not blocked */
    unsigned n_waiting;  /* of those, with a job that mostly waits */
    unsigned limit;      /* of those that count as running and the helpers: the processors */
    unsigned n_helpers;  /* loops whose thread runs jobs too */
    bool watched;        /* a watcher stands by */
    bool watch_is_long;  /* … and does not look, since nobody waits … */
    int64_t quiet_ns;    /* … for so long */
} workers = { .mutex = PTHREAD_MUTEX_INITIALIZER, .quiet_ns = IDLE_NS };

static pthread_once_t workers_once = PTHREAD_ONCE_INIT;
static EDDY__THREAD bool workers_inside;

static void workers_init (void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (&workers.work, &attributes);
    pthread_cond_init (&workers.watch, &attributes);
    pthread_condattr_destroy (&attributes);
    eddy__list_init (&workers.busy);
    workers.limit = eddy__sys_cpu_count ();
}

static unsigned workers_running_limit (void)
{
    return workers.limit > workers.n_helpers ? workers.limit - workers.n_helpers : 1;
}

/* How many count as running. */
static unsigned workers_counted (void)
{
    unsigned n_waiting = workers.n_waiting < WAITING_LIMIT ? workers.n_waiting : WAITING_LIMIT;
    return workers.n_running - n_waiting;
}

/* What a worker hands back: taken under the lock, posted without it. */
typedef struct Returned {
    EddyPort *port;
    EddyEntry *first;
    EddyEntry *last;
    unsigned count;
} Returned;

static Returned worker_take_done (Worker *worker)
{
    Returned returned = { worker->done_port, worker->done_first, worker->done_last,
                          worker->n_done };
    worker->done_first = NULL;
    worker->done_last = NULL;
    worker->done_port = NULL;
    worker->n_done = 0;
    return returned;
}

static void returned_post (Returned returned)
{
    if (returned.count == 0)
        return;
    eddy__port_post_chain (returned.port, returned.first, returned.last);
    eddy__port_remove_posters (returned.port, returned.count);
}

static void workers_rouse (void);

static bool job_waits (const EddyOp *op)
{
    return eddy__op_is_call (op, EDDY_OP_CALL_WAITS);
}

/* Claims a fair share of the queue. A long job is claimed alone: none may wait behind it while
 * another worker has nothing to do; and so is one that waits. */
static void worker_claim (Worker *worker)
{
    unsigned share = (workers.queue.n_jobs + workers.limit - 1) / workers.limit;
    for (unsigned n = share < CLAIM ? share : CLAIM; n > 0; n--) {
        EddyOp *op = eddy__jobs_first (&workers.queue);
        bool is_alone = op->kind == EDDY_OP_LONG_CALL || job_waits (op);
        if (is_alone && !eddy__list_is_empty (&worker->claimed))
            break;
        eddy__jobs_remove (&workers.queue, op);
        eddy__list_append (&worker->claimed, &op->link);
        op->claimed = true;
        if (is_alone)
            break;
    }
}

/* Gives what it has claimed and not begun back to the queue. */
static void worker_unclaim (Worker *worker)
{
    while (!eddy__list_is_empty (&worker->claimed)) {
        EddyOp *op = eddy__job_of (worker->claimed.prev);
        eddy__list_remove (&op->link);
        op->claimed = false;
        eddy__jobs_put_back (&workers.queue, op);
    }
}

/* The worker's next job; NULL: there is none. What is more urgent has come first, though it came
 * after a claim. */
static EddyOp *worker_next (Worker *worker)
{
    EddyOp *urgent = eddy__jobs_first (&workers.queue);
    if (urgent != NULL && !eddy__list_is_empty (&worker->claimed) &&
        urgent->priority < eddy__job_of (worker->claimed.next)->priority) {
        worker_unclaim (worker);
        workers_rouse ();
    }
    if (eddy__list_is_empty (&worker->claimed))
        worker_claim (worker);
    EddyList *link = eddy__list_pop (&worker->claimed);
    return link == NULL ? NULL : eddy__job_of (link);
}

static void worker_set_waits (Worker *worker, bool waits)
{
    if (worker->waits == waits)
        return;
    worker->waits = waits;
    workers.n_waiting += waits ? 1u : -1u;
    if (waits)
        workers_rouse (); /* there is room for another one */
}

/* Runs one claimed job without the lock, and adds it to what is handed back. What was done before a
 * long one is handed back first. */
static void worker_run_job (Worker *worker, EddyOp *op)
{
    EddyPort *port = op->engine == NULL ? NULL : op->engine->port;
    Returned before = { .count = 0 };
    if (op->kind == EDDY_OP_LONG_CALL)
        before = worker_take_done (worker);
    __atomic_store_n (&op->state, EDDY_OP_RUNNING, __ATOMIC_RELAXED);
    worker->running = port == NULL ? NULL : op;
    worker_set_waits (worker, job_waits (op));
    pthread_mutex_unlock (&workers.mutex);
    returned_post (before);
    op->result = eddy__op_perform (op);
    if (port == NULL)
        op->complete (op); /* the operation may be gone */
    pthread_mutex_lock (&workers.mutex);
    worker->running = NULL;
    worker_set_waits (worker, false);
    if (port == NULL)
        return;
    if (worker->n_done > 0 && worker->done_port != port) {
        Returned returned = worker_take_done (worker);
        pthread_mutex_unlock (&workers.mutex);
        returned_post (returned);
        pthread_mutex_lock (&workers.mutex);
    }
    eddy__op_make_entry (op);
    if (worker->n_done++ == 0)
        worker->done_first = &op->entry;
    else
        worker->done_last->next = &op->entry;
    worker->done_last = &op->entry;
    worker->done_port = port;
}

/* Whether this worker should go on: a blocked one that came back finds its place taken. */
static bool worker_may_run (const Worker *worker)
{
    return !worker->blocked || workers_counted () < workers_running_limit ();
}

/* Works until the queue is empty or others do the work. Called and left with the lock held. */
static void worker_work (Worker *worker)
{
    workers.n_running++;
    worker->blocked = false;
    worker->seen_ns = -1;
    eddy__list_append (&workers.busy, &worker->member);
    while (worker_may_run (worker)) {
        EddyOp *op = worker_next (worker);
        if (op == NULL)
            break;
        if (worker->blocked) {
            worker->blocked = false;
            workers.n_running++;
        }
        worker_run_job (worker, op);
        if (eddy__list_is_empty (&worker->claimed)) {
            Returned returned = worker_take_done (worker);
            pthread_mutex_unlock (&workers.mutex);
            returned_post (returned);
            pthread_mutex_lock (&workers.mutex);
        }
    }
    eddy__list_remove (&worker->member);
    if (!worker->blocked)
        workers.n_running--;
    Returned returned = worker_take_done (worker);
    if (returned.count > 0) {
        pthread_mutex_unlock (&workers.mutex);
        returned_post (returned);
        pthread_mutex_lock (&workers.mutex);
    }
}

/* Waits at a condition for so long; whether the time went by. */
static bool workers_wait (pthread_cond_t *condition, int64_t timeout_ns)
{
    int64_t end = eddy__sys_now_ns () + timeout_ns;
    struct timespec until = { end / 1000000000, end % 1000000000 };
    return pthread_cond_timedwait (condition, &workers.mutex, &until) != 0;
}

/* Takes a blocked worker out of the count, and its unbegun jobs back. */
static void watcher_set_blocked (Worker *worker)
{
    worker_set_waits (worker, false);
    worker->blocked = true;
    workers.n_running--;
    worker_unclaim (worker);
}

/* Looks at every busy worker's clock, and posts what a blocked one would sit on. */
static void watcher_look (void)
{
    Returned held[THREAD_LIMIT];
    unsigned n_held = 0;
    for (EddyList *link = workers.busy.next; link != &workers.busy; link = link->next) {
        Worker *worker = EDDY__CONTAINER (link, Worker, member);
        if (worker->blocked)
            continue;
        int64_t now_ns = eddy__sys_clock_ns (worker->clock);
        if (worker->seen_ns >= 0 && now_ns - worker->seen_ns < STILL_NS) {
            watcher_set_blocked (worker);
            held[n_held++] = worker_take_done (worker);
        }
        worker->seen_ns = now_ns;
    }
    pthread_mutex_unlock (&workers.mutex);
    for (unsigned i = 0; i < n_held; i++)
        returned_post (held[i]);
    pthread_mutex_lock (&workers.mutex);
}

static unsigned workers_coming (void)
{
    return workers.n_roused + workers.n_starting;
}

static bool workers_have_room (void)
{
    return workers.queue.n_jobs > 0 &&
           workers_counted () + workers_coming () < workers_running_limit ();
}

/* Whether somebody waits for a busy worker that may be blocked: by a job that is queued or claimed,
 * or by one that is done and not handed back. */
static bool workers_are_awaited (void)
{
    if (workers.queue.n_jobs > 0)
        return true;
    for (EddyList *link = workers.busy.next; link != &workers.busy; link = link->next) {
        const Worker *worker = EDDY__CONTAINER (link, Worker, member);
        if (worker->n_done > 0 || !eddy__list_is_empty (&worker->claimed))
            return true;
    }
    return false;
}

/* The watcher has waited, quietly if nobody waited for him and nothing happened. While a worker is
 * busy all that time he stays, but looks less and less often. */
static void watcher_set_quiet (bool was_quiet)
{
    if (!was_quiet || eddy__list_is_empty (&workers.busy))
        workers.quiet_ns = IDLE_NS;
    else if (workers.quiet_ns < QUIET_MOST_NS)
        workers.quiet_ns *= 2;
}

/* The watcher's wait, short only while somebody waits. True when nothing has happened for a while.
 */
static bool worker_watch (void)
{
    bool awaited = workers_are_awaited ();
    workers.watched = true;
    workers.watch_is_long = !awaited;
    bool over = workers_wait (&workers.watch, awaited ? WATCH_NS : workers.quiet_ns);
    workers.watched = false;
    workers.watch_is_long = false;
    watcher_set_quiet (over && !awaited);
    if (over && awaited) {
        workers.n_roused = 0;
        watcher_look ();
    }
    return over && !awaited && eddy__list_is_empty (&workers.busy);
}

static bool worker_idle (void)
{
    workers.n_idle++;
    bool over = workers_wait (&workers.work, IDLE_NS);
    workers.n_idle--;
    if (workers.n_roused > 0)
        workers.n_roused--;
    return over;
}

/* Waits, as the watcher or idly, until there is something to do; false when the thread has not been
 * needed for long. */
static bool worker_wait (void)
{
    bool over = false;
    while (!workers_have_room ()) {
        if (over)
            return false;
        over = workers.watched ? worker_idle () : worker_watch ();
    }
    return true;
}

static void *worker_main (void *data);

/* Starts one more thread, if there may be one. It takes no signals: they are the program's. */
static void workers_start (void)
{
    if (workers.n_threads >= THREAD_LIMIT)
        return;
    pthread_attr_t attributes;
    sigset_t all, former;
    sigfillset (&all);
    pthread_attr_init (&attributes);
    pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
    eddy__sys_sigmask (SIG_SETMASK, &all, &former);
    pthread_t thread;
    int answer = pthread_create (&thread, &attributes, worker_main, NULL);
    eddy__sys_sigmask (SIG_SETMASK, &former, NULL);
    pthread_attr_destroy (&attributes);
    if (answer == 0) {
        workers.n_threads++;
        workers.n_starting++;
    } else if (workers.n_threads == 0) {
        eddy__log (EDDY_LOG_WARNING, "no worker thread could be started (error %d)", answer);
    }
}

/* Before a thread goes to work: somebody else must stand by as the watcher. */
static void worker_leave_watch (void)
{
    if (workers.watched)
        return;
    if (workers.n_idle > 0)
        pthread_cond_signal (&workers.work);
    else
        workers_start ();
}

static void *worker_main (void *data)
{
    Worker worker = { .seen_ns = -1 };
    (void) data;
    eddy__list_init (&worker.member);
    eddy__list_init (&worker.claimed);
    eddy__sys_thread_clock (pthread_self (), &worker.clock);
    workers_inside = true;
    pthread_mutex_lock (&workers.mutex);
    workers.n_starting--;
    while (worker_wait ()) {
        worker_leave_watch ();
        worker_work (&worker);
    }
    workers.n_threads--;
    pthread_mutex_unlock (&workers.mutex);
    return NULL;
}

/* Wakes or starts as many threads as may run now, beside those that are on their way. */
static void workers_rouse (void)
{
    unsigned limit = workers_running_limit ();
    unsigned coming = workers_coming ();
    unsigned running = workers_counted () + coming;
    unsigned room = running < limit ? limit - running : 0;
    unsigned left = workers.queue.n_jobs > coming ? workers.queue.n_jobs - coming : 0;
    unsigned wanted = left < room ? left : room;
    for (unsigned i = 0; i < wanted; i++) {
        if (workers.n_roused < workers.n_idle) {
            pthread_cond_signal (&workers.work);
            workers.n_roused++;
        } else if (i == 0 && workers.watched) {
            pthread_cond_signal (&workers.watch);
        } else {
            workers_start ();
        }
    }
    /* All are busy, perhaps blocked: the watcher is to look. */
    if (workers.watch_is_long && left > wanted)
        pthread_cond_signal (&workers.watch);
}

static void workers_push (EddyOp *op)
{
    op->state = EDDY_OP_QUEUED;
    eddy__jobs_push (&workers.queue, op);
}

void eddy__workers_publish (EddyPort *port, EddyList *jobs, unsigned n_jobs)
{
    pthread_once (&workers_once, workers_init);
    eddy__port_add_posters (port, n_jobs);
    pthread_mutex_lock (&workers.mutex);
    for (EddyList *link; (link = eddy__list_pop (jobs)) != NULL;)
        workers_push (eddy__job_of (link));
    workers_rouse ();
    pthread_mutex_unlock (&workers.mutex);
}

void eddy__workers_publish_one (EddyOp *op)
{
    pthread_once (&workers_once, workers_init);
    pthread_mutex_lock (&workers.mutex);
    workers_push (op);
    workers_rouse ();
    pthread_mutex_unlock (&workers.mutex);
}

bool eddy__workers_inside (void)
{
    return workers_inside;
}

bool eddy__workers_cancel (EddyOp *op)
{
    pthread_mutex_lock (&workers.mutex);
    bool queued = op->state == EDDY_OP_QUEUED;
    if (queued) {
        workers.queue.n_jobs -= op->claimed ? 0 : 1;
        eddy__list_remove (&op->link);
        op->state = EDDY_OP_STAGED;
    }
    pthread_mutex_unlock (&workers.mutex);
    if (queued && op->engine != NULL)
        eddy__port_remove_posters (op->engine->port, 1);
    return queued;
}

/* The newest of the most urgent jobs, if it is this port's; else NULL. */
static EddyOp *workers_newest (const EddyPort *port)
{
    EddyList *list = eddy__jobs_most_urgent (&workers.queue);
    EddyOp *newest = list == NULL ? NULL : eddy__job_of (list->prev);
    bool is_its = newest != NULL && newest->engine != NULL && newest->engine->port == port;
    return is_its ? newest : NULL;
}

static bool job_asks (const EddyOp *op)
{
    return eddy__op_is_call (op, EDDY_OP_CALL_ASKS);
}

/* How many jobs a loop that helps is to claim, of which this is the first. */
static unsigned workers_help_with (const EddyOp *first)
{
    unsigned share = workers.queue.n_jobs / workers.limit;
    if (!job_asks (first) || share == 0)
        return 1;
    return share < HELP ? share : HELP;
}

void eddy__workers_claim (EddyPort *port, EddyList *claimed)
{
    pthread_once (&workers_once, workers_init);
    pthread_mutex_lock (&workers.mutex);
    EddyOp *op = workers_newest (port);
    unsigned most = op == NULL ? 0 : workers_help_with (op);
    unsigned n = 0;
    while (n < most && op != NULL && (n == 0 || job_asks (op))) {
        eddy__jobs_remove (&workers.queue, op);
        op->state = EDDY_OP_RUNNING;
        eddy__list_append (claimed, &op->link);
        n++;
        op = workers_newest (port);
    }
    pthread_mutex_unlock (&workers.mutex);
    if (n > 0)
        eddy__port_remove_posters (port, n);
}

void eddy__workers_set_helper (bool helps)
{
    pthread_once (&workers_once, workers_init);
    pthread_mutex_lock (&workers.mutex);
    workers.n_helpers += helps ? 1u : -1u;
    pthread_mutex_unlock (&workers.mutex);
}

/* Those of an engine. */
static void workers_show (EddyList *ops, const EddyEngine *engine, EddyOpVisit visit, void *data)
{
    for (EddyList *link = ops->next; link != ops; link = link->next)
        if (eddy__job_of (link)->engine == engine)
            visit (eddy__job_of (link), data);
}

void eddy__workers_each (const EddyEngine *engine, EddyOpVisit visit, void *data)
{
    pthread_once (&workers_once, workers_init);
    pthread_mutex_lock (&workers.mutex);
    for (unsigned i = 0; i < workers.queue.n_levels; i++)
        workers_show (&workers.queue.order[i]->jobs, engine, visit, data);
    for (EddyList *link = workers.busy.next; link != &workers.busy; link = link->next) {
        Worker *worker = EDDY__CONTAINER (link, Worker, member);
        workers_show (&worker->claimed, engine, visit, data);
        if (worker->running != NULL && worker->running->engine == engine)
            visit (worker->running, data);
    }
    pthread_mutex_unlock (&workers.mutex);
}

EddyWorkersStatistics eddy__workers_get_statistics (void)
{
    pthread_once (&workers_once, workers_init);
    pthread_mutex_lock (&workers.mutex);
    EddyWorkersStatistics statistics = { workers.n_threads, workers.limit, THREAD_LIMIT };
    pthread_mutex_unlock (&workers.mutex);
    return statistics;
}
