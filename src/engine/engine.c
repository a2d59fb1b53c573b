/* SPDX-License-Identifier: MIT */
/* What all engines share: choosing one, choosing the way of each operation, and falling back. */
#include "engine/engine-private.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "engine/workers-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"
#include "sys/socket-private.h"
#include "sys/thread-private.h"

enum { REFUSALS_UNTIL_REFUSED = 4, FD_OPS_AT_ONCE = 16 };

EddyEngineHooks eddy__engine_hooks;

static int engine_open_with (const EddyEngineVerbs *verbs, EddyEngine **engine, EddyPort *port,
                             const char *why, char *reason, size_t reason_len)
{
    int answer = verbs->open (engine, port, reason, reason_len);
    if (answer < 0)
        return answer;
    (*engine)->verbs = verbs;
    (*engine)->port = port;
    (*engine)->pending_is_exact = verbs->pending_is_exact;
    eddy__list_init (&(*engine)->jobs);
    if ((*engine)->reason[0] == '\0')
        snprintf ((*engine)->reason, sizeof (*engine)->reason, "%s", why);
    return 0;
}

/* The ring if it can be had, else epoll, remembering why. Only answers that mean "not here" fall
 * back: too many open files would hide an outage. */
static int engine_open_auto (EddyEngine **engine, EddyPort *port, char *reason, size_t reason_len)
{
    int answer = engine_open_with (&eddy__uring_verbs, engine, port,
                                   "the best that this kernel has", reason, reason_len);
    if (answer >= 0 || answer == -EMFILE || answer == -ENFILE)
        return answer;
    char why[128];
    snprintf (why, sizeof why, "io_uring is not to be had: %.90s", reason);
    return engine_open_with (&eddy__epoll_verbs, engine, port, why, reason, reason_len);
}

static void engine_begin (void)
{
    eddy__sys_forked_reset ();
    /* Later it would keep whoever asks waiting. */
    if (eddy__single_threaded ())
        eddy__sys_fence_prepare ();
}

/* A child of a fork may use Eddy if its parent had not begun to: from the first engine on, rings
 * and workers exist that a child has no part in. Threads that begin at the same time wait for the
 * one that resets the word. */
bool eddy__engine_is_orphaned (void)
{
    static pthread_once_t begun = PTHREAD_ONCE_INIT;
    pthread_once (&begun, engine_begin);
    return eddy__sys_forked ();
}

int eddy__engine_open (EddyEngine **engine, EddyPort *port, char *reason, size_t reason_len)
{
    static const char asked[] = "asked for by EDDY_ENGINE";
    const char *wish = eddy__sys_getenv ("EDDY_ENGINE");
    if (eddy__engine_is_orphaned ()) {
        snprintf (reason, reason_len,
                  "the child of a fork that did not exec cannot go on with Eddy");
        return -ECHILD;
    }
    if (wish == NULL || *wish == '\0' || strcmp (wish, "auto") == 0)
        return engine_open_auto (engine, port, reason, reason_len);
    if (strcmp (wish, "uring") == 0)
        return engine_open_with (&eddy__uring_verbs, engine, port, asked, reason, reason_len);
    if (strcmp (wish, "epoll") == 0)
        return engine_open_with (&eddy__epoll_verbs, engine, port, asked, reason, reason_len);
    snprintf (reason, reason_len, "EDDY_ENGINE is '%.40s', but must be auto, uring or epoll", wish);
    return -EINVAL;
}

void eddy__engine_close (EddyEngine *engine)
{
    if (engine->live != 0)
        eddy__log (EDDY_LOG_CRITICAL, "an engine was closed with %u operations under way",
                   engine->live);
    eddy__engine_set_helps (engine, false);
    engine->verbs->close (engine);
}

void eddy__engine_set_helps (EddyEngine *engine, bool helps)
{
    if (engine->helps == helps)
        return;
    engine->helps = helps;
    eddy__workers_set_helper (helps);
}

int eddy__engine_host (EddyEngine *engine, int event_fd, int *poll_fd)
{
    int answer = engine->verbs->host (engine, event_fd, poll_fd);
    if (answer < 0)
        return answer;
    engine->hosted = true;
    engine->event_fd = event_fd;
    return 0;
}

void eddy__engine_park (EddyEngine *engine, bool parked)
{
    engine->parked = parked && engine->hosted;
    if (engine->verbs->listen != NULL && engine->hosted)
        engine->verbs->listen (engine, parked);
}

/* The foreign loop's own code has begun or cancelled something: ours is to run. */
static void engine_tell_host (EddyEngine *engine)
{
    engine->parked = false;
    eddy__sys_eventfd_write (engine->event_fd);
}

static void engine_stage_job (EddyEngine *engine, EddyOp *op)
{
    op->route = EDDY_ROUTE_WORKER;
    op->state = EDDY_OP_STAGED;
    op->published = false;
    eddy__list_append (&engine->jobs, &op->link);
    engine->n_jobs++;
    engine->staged = true;
}

void eddy__engine_route (EddyEngine *engine, EddyOp *op)
{
    if (EDDY__UNLIKELY (engine->parked))
        engine_tell_host (engine);
    op->route = (uint8_t) eddy__route (engine, op);
    if (op->route == EDDY_ROUTE_WORKER)
        engine_stage_job (engine, op);
    else
        engine->verbs->submit (engine, op);
}

/* Among which operations it counts. */
static unsigned *engine_counter (EddyEngine *engine, const EddyOp *op)
{
    return (op->op_flags & EDDY_OP_BACKGROUND) != 0 ? &engine->background : &engine->live;
}

/* Whether a test has an operation fail before it begins; it ends by way of the inbox. */
static bool engine_is_failed_by_test (EddyEngine *engine, EddyOp *op)
{
    int64_t answer = EDDY__ENGINE_HOOK (begin) (op);
    if (answer >= 0)
        return false;
    *engine_counter (engine, op) += 1;
    op->state = EDDY_OP_STAGED;
    eddy__engine_fail (engine, op, answer);
    return true;
}

/* Closes what a poll that a worker repeats has of its own. */
static void engine_end_poll (EddyOp *op)
{
    if (op->kind == EDDY_OP_POLL && op->as.poll.cancel_fd > 0)
        eddy__sys_close (op->as.poll.cancel_fd);
}

bool eddy__engine_forget (EddyEngine *engine, EddyOp *op, void (*forgotten) (EddyOp *op))
{
    bool is_published = op->route == EDDY_ROUTE_WORKER && op->published;
    *engine_counter (engine, op) -= 1;
    if (is_published)
        eddy__engine_cancel (engine, op);
    if (is_published || op->state == EDDY_OP_ENDING) {
        /* It comes home by the inbox, perhaps when the engine is no more. */
        op->op_flags |= EDDY_OP_FORGOTTEN;
        op->complete = forgotten;
        return false;
    }
    /* A poll writes no memory of ours, so the kernel may keep it until the engine is closed. */
    if (op->route == EDDY_ROUTE_WORKER)
        engine->n_jobs--;
    eddy__list_remove (&op->link);
    engine_end_poll (op);
    return true;
}

/* Whether an operation is known to have to wait. */
static bool engine_knows_to_wait (EddyEngine *engine, const EddyOp *op)
{
    if ((op->op_flags & EDDY_OP_TRIED) != 0)
        return true;
    const EddyReadiness *readiness = eddy__op_get_readiness (op);
    bool reads = op->kind == EDDY_OP_RECV || op->kind == EDDY_OP_READ_BYTES;
    if (readiness == NULL || !readiness->is_drained || !reads)
        return false;
    return engine->verbs->is_quiet == NULL || engine->verbs->is_quiet (engine, op);
}

static EddyOp **readiness_waiting (EddyReadiness *readiness, const EddyOp *op)
{
    return eddy__op_events (op) == POLLIN ? &readiness->reader : &readiness->writer;
}

/* The socket knows its latest operations. */
static void engine_note_waiting (EddyOp *op)
{
    EddyReadiness *readiness = eddy__op_get_readiness (op);
    if (readiness != NULL)
        *readiness_waiting (readiness, op) = op;
}

static void engine_note_end (const EddyOp *op)
{
    EddyReadiness *readiness = eddy__op_get_readiness (op);
    if (readiness != NULL && *readiness_waiting (readiness, op) == op)
        *readiness_waiting (readiness, op) = NULL;
}

bool eddy__engine_submit (EddyEngine *engine, EddyOp *op)
{
    op->engine = engine;
    if (eddy__sys_forked ()) {
        op->result = -ECHILD;
        op->state = EDDY_OP_DONE;
        return true;
    }
    if (EDDY__UNLIKELY (EDDY__ENGINE_HOOK (begin) != NULL) && engine_is_failed_by_test (engine, op))
        return false;
    bool may_try = eddy__op_is_read (op) || eddy__op_is_stream (op);
    if (may_try && !engine->force_ring && !engine_knows_to_wait (engine, op)) {
        int64_t result = eddy__op_try (op);
        if (result != -EAGAIN && result != EDDY__TRY_IS_FILE) {
            engine->counters.immediate++;
            op->result = result;
            op->state = EDDY_OP_DONE;
            return true;
        }
        if (result == EDDY__TRY_IS_FILE)
            op->op_flags |= EDDY_OP_OF_FILE;
    }
    if (EDDY__UNLIKELY (EDDY__ENGINE_HOOK (send) != NULL))
        EDDY__ENGINE_HOOK (send) (op);
    *engine_counter (engine, op) += 1;
    engine_note_waiting (op);
    eddy__engine_route (engine, op);
    return false;
}

/* Counts what a repeat tells of the ring: after four successes in a row on what the ring refused,
 * the ring is not asked again. */
static void engine_note_repeat (EddyEngine *engine, const EddyOp *op, int64_t result)
{
    if (result < 0) {
        engine->ring_refusals[op->kind] = 0;
    } else if (++engine->ring_refusals[op->kind] == REFUSALS_UNTIL_REFUSED) {
        engine->ring_kinds &= ~(UINT64_C (1) << op->kind);
        eddy__log (EDDY_LOG_DEBUG, "io_uring refuses operation kind %d; system calls serve it",
                   op->kind);
    }
}

void eddy__engine_complete (EddyEngine *engine, EddyOp *op, int64_t result)
{
    *engine_counter (engine, op) -= 1;
    engine_note_end (op);
    if (EDDY__UNLIKELY ((op->op_flags & EDDY_OP_FD_GONE) != 0) && result == -ECANCELED)
        result = -EBADF;
    op->result = result;
    op->state = EDDY_OP_DONE;
    if (EDDY__UNLIKELY (EDDY__ENGINE_HOOK (done) != NULL))
        EDDY__ENGINE_HOOK (done) (op);
    op->complete (op);
}

/* An operation comes back, by the inbox or from this thread's help, with its result in it. */
static void engine_return (EddyEntry *entry)
{
    EddyOp *op = EDDY__CONTAINER (entry, EddyOp, entry);
    if (EDDY__UNLIKELY ((op->op_flags & EDDY_OP_FORGOTTEN) != 0)) { /* its engine may be closed */
        engine_end_poll (op);
        op->complete (op);
        return;
    }
    EddyEngine *engine = op->engine;
    bool performed = op->state == EDDY_OP_RUNNING;
    if (performed)
        engine->counters.workers++;
    if (performed && (op->op_flags & EDDY_OP_REPEATED))
        engine_note_repeat (engine, op, op->result);
    engine_end_poll (op);
    eddy__engine_complete (engine, op, op->result);
}

/* A stream is tried here, and waited for: a worker's call might never return. */
static bool engine_repeat_stream (EddyEngine *engine, EddyOp *op)
{
    if (!eddy__op_is_stream (op) || (op->op_flags & EDDY_OP_REPEATED) != 0)
        return false;
    int64_t result = eddy__op_try (op);
    if (result == EDDY__TRY_IS_FILE)
        return false;
    op->op_flags |= EDDY_OP_REPEATED;
    op->route = EDDY_ROUTE_POLL;
    if (result == -EAGAIN) {
        engine->verbs->submit (engine, op);
    } else {
        engine_note_repeat (engine, op, result);
        eddy__engine_complete (engine, op, result);
    }
    return true;
}

void eddy__op_make_entry (EddyOp *op)
{
    op->entry = (EddyEntry){ .run = engine_return, .priority = EDDY__PRIORITY_NOW };
}

void eddy__engine_repeat (EddyEngine *engine, EddyOp *op)
{
    engine->counters.fallbacks++;
    if (engine_repeat_stream (engine, op))
        return;
    op->op_flags |= EDDY_OP_REPEATED;
    if (op->kind == EDDY_OP_POLL) {
        /* A worker that polls can be ended by its second fd only. */
        int cancel_fd = eddy__sys_eventfd ();
        if (cancel_fd < 0) {
            eddy__engine_complete (engine, op, cancel_fd);
            return;
        }
        op->as.poll.cancel_fd = cancel_fd;
    }
    engine_stage_job (engine, op);
}

void eddy__engine_ready (EddyEngine *engine, EddyOp *op, int64_t revents)
{
    int64_t result = revents;
    if (op->op_flags & EDDY_OP_CANCEL_ASKED) {
        result = -ECANCELED;
    } else if (revents >= 0 && op->kind != EDDY_OP_POLL) {
        result = eddy__op_try (op);
        if (result == -EAGAIN) {
            engine->verbs->submit (engine, op);
            return;
        }
        if (result == EDDY__TRY_IS_FILE) {
            op->op_flags |= EDDY_OP_OF_FILE;
            eddy__engine_route (engine, op);
            return;
        }
    } else if (revents >= 0) {
        /* epoll tells all that the fd is watched for, by other operations, too. */
        result &= eddy__op_events (op) | POLLERR | POLLHUP | POLLNVAL;
    }
    engine->counters.polled++;
    eddy__engine_complete (engine, op, result);
}

void eddy__engine_not_pollable (EddyEngine *engine, EddyOp *op)
{
    if (op->kind == EDDY_OP_POLL)
        eddy__engine_fail (engine, op, op->as.poll.events & (POLLIN | POLLOUT));
    else
        engine_stage_job (engine, op);
}

void eddy__engine_fail (EddyEngine *engine, EddyOp *op, int64_t result)
{
    op->result = result;
    op->state = EDDY_OP_ENDING;
    eddy__op_make_entry (op);
    eddy__port_post (engine->port, &op->entry);
}

/* An operation that nobody has begun ends by way of the inbox: never inside the cancel. */
void eddy__engine_end_unbegun (EddyOp *op)
{
    eddy__engine_fail (op->engine, op, -ECANCELED);
}

void eddy__engine_cancel (EddyEngine *engine, EddyOp *op)
{
    /* A worker may write RUNNING just now; only this thread writes ENDING and DONE. */
    uint8_t state = __atomic_load_n (&op->state, __ATOMIC_RELAXED);
    if (state >= EDDY_OP_ENDING || (op->op_flags & EDDY_OP_CANCEL_ASKED))
        return;
    op->op_flags |= EDDY_OP_CANCEL_ASKED;
    if (EDDY__UNLIKELY (engine->parked))
        engine_tell_host (engine);
    if (op->route != EDDY_ROUTE_WORKER) {
        engine->verbs->cancel (engine, op);
    } else if (!op->published) {
        eddy__list_remove (&op->link);
        engine->n_jobs--;
        eddy__engine_end_unbegun (op);
    } else if (eddy__workers_cancel (op)) {
        eddy__engine_end_unbegun (op);
    } else if (op->kind == EDDY_OP_POLL) {
        eddy__sys_eventfd_write (op->as.poll.cancel_fd);
    }
}

/* Runs jobs on the loop's own thread. */
static void engine_run_jobs (EddyEngine *engine, EddyList *jobs)
{
    EddyEntry before = { .next = NULL };
    EddyEntry *last = &before;
    /* Awake, after all: workers that are done meanwhile need not wake anybody. */
    eddy__port_awake (engine->port);
    for (EddyList *link; (link = eddy__list_pop (jobs)) != NULL;) {
        EddyOp *op = EDDY__CONTAINER (link, EddyOp, link);
        engine->counters.helped++;
        op->result = eddy__op_perform (op);
        eddy__op_make_entry (op);
        last = last->next = &op->entry;
    }
    /* By the inbox, behind whatever the jobs have posted there before: their progress. */
    eddy__port_post_chain (engine->port, before.next, last);
}

/* Whether all that there is to wait for is one brief job. To hand it to a worker and get it back
 * wakes two threads that sleep, which is as much as half a spawn takes. */
static bool engine_has_brief_job_alone (const EddyEngine *engine)
{
    const EddyOp *op = EDDY__CONTAINER (engine->jobs.next, EddyOp, link);
    return engine->live == 1 && engine->background == 0 &&
           eddy__op_is_call (op, EDDY_OP_CALL_BRIEF);
}

/* Takes the job that the loop's own thread is to do rather than sleep, where only one is staged. No
 * worker is woken for it. */
static void engine_keep_job (EddyEngine *engine, int64_t timeout_ns, EddyList *kept)
{
    if (engine->n_jobs != 1 || timeout_ns == 0)
        return;
    if (!engine->helps && (timeout_ns > 0 || !engine_has_brief_job_alone (engine)))
        return;
    EddyOp *op = EDDY__CONTAINER (eddy__list_pop (&engine->jobs), EddyOp, link);
    engine->n_jobs = 0;
    op->published = true;
    op->state = EDDY_OP_RUNNING;
    eddy__list_append (kept, &op->link);
}

void eddy__engine_each (EddyEngine *engine, EddyOpVisit visit, void *data)
{
    eddy__ops_each (&engine->jobs, visit, data);
    eddy__workers_each (engine, visit, data);
    engine->verbs->each (engine, visit, data);
}

/* Some of the operations on an fd. */
typedef struct FdOps {
    int fd;
    unsigned n_ops;
    EddyOp *ops[FD_OPS_AT_ONCE];
} FdOps;

/* Whether its end has been asked for, or is on its way. */
static bool op_ends (const EddyOp *op)
{
    return (op->op_flags & (EDDY_OP_CANCEL_ASKED | EDDY_OP_FD_GONE)) != 0 ||
           op->state >= EDDY_OP_ENDING;
}

static void fd_ops_add (EddyOp *op, void *data)
{
    FdOps *found = data;
    bool waits = eddy__op_waits_for_readiness (op) && !(op->op_flags & EDDY_OP_BACKGROUND);
    if (op->fd == found->fd && waits && !op_ends (op) && found->n_ops < FD_OPS_AT_ONCE)
        found->ops[found->n_ops++] = op;
}

/* What is cancelled never uses its fd again. */
static void engine_give_up (EddyEngine *engine, EddyOp *op)
{
    op->op_flags |= EDDY_OP_FD_GONE;
    eddy__engine_cancel (engine, op);
}

/* How many of a socket's operations it knows itself; they are given up. */
static unsigned engine_give_up_known (EddyEngine *engine, const EddyReadiness *readiness)
{
    EddyOp *known[] = { readiness->reader, readiness->writer };
    unsigned n_known = 0;
    for (int i = 0; i < 2; i++) {
        n_known += known[i] != NULL;
        if (known[i] != NULL && !op_ends (known[i]))
            engine_give_up (engine, known[i]);
    }
    return n_known;
}

void eddy__engine_give_up_fd (EddyEngine *engine, int fd, const EddyReadiness *readiness,
                              unsigned n_ops)
{
    FdOps found = { .fd = fd };
    if (engine_give_up_known (engine, readiness) >= n_ops)
        return;
    do {
        found.n_ops = 0;
        eddy__engine_each (engine, fd_ops_add, &found);
        for (unsigned i = 0; i < found.n_ops; i++)
            engine_give_up (engine, found.ops[i]);
    } while (found.n_ops == FD_OPS_AT_ONCE);
}

int eddy__engine_wait (EddyEngine *engine, int64_t timeout_ns)
{
    EddyList own; /* jobs for this thread */
    eddy__list_init (&own);
    engine->staged = false;
    engine_keep_job (engine, timeout_ns, &own);
    if (engine->n_jobs > 0) {
        for (EddyList *link = engine->jobs.next; link != &engine->jobs; link = link->next)
            EDDY__CONTAINER (link, EddyOp, link)->published = true;
        eddy__workers_publish (engine->port, &engine->jobs, engine->n_jobs);
        engine->n_jobs = 0;
    }
    engine->counters.waits++;
    if (timeout_ns != 0 && engine->helps && eddy__list_is_empty (&own))
        eddy__workers_claim (engine->port, &own);
    if (!eddy__list_is_empty (&own)) {
        engine_run_jobs (engine, &own);
        timeout_ns = 0;
    }
    return engine->verbs->wait (engine, timeout_ns);
}
