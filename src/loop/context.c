/* SPDX-License-Identifier: MIT */
/* EddyContext: ownership and the thread-default stack. The pass is in pass.c. */
#include "loop/context-private.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "loop/alarm-private.h"
#include "loop/host-private.h"
#include "loop/source-private.h"
#include "loop/source-table-private.h"
#include "sys/clock-private.h"
#include "sys/process-private.h"

EDDY__THREAD EddyThreadDefault *eddy__thread_defaults;
EDDY__THREAD uintptr_t eddy__thread_identity;

void *eddy__thread_identify (void)
{
    static uintptr_t last; /* atomic */
    uintptr_t number = __atomic_add_fetch (&last, 1, __ATOMIC_RELAXED);
    eddy__thread_identity = number << 32 | (uint32_t) eddy__sys_gettid ();
    return (void *) eddy__thread_identity;
}

void eddy__thread_default_push (EddyThreadDefault *pushed, EddyContext *context)
{
    *pushed = (EddyThreadDefault){ eddy__thread_defaults, context };
    eddy__thread_defaults = pushed;
}

void eddy__thread_default_pop (EddyThreadDefault *pushed)
{
    eddy__thread_defaults = pushed->outer;
}

/* Nothing is called any more: what is still queued lets go of what it holds. */
static void context_dispose (void *object)
{
    EddyContext *context = object;
    EddySourceTable *table = context->table;
    context->disposed = true;
    /* This thread is the owner for the rest of it; a caretaker that is just there has the lock. */
    pthread_mutex_lock (&table->mutex);
    __atomic_store_n (&context->owner, eddy__thread_self (), __ATOMIC_RELAXED);
    __atomic_store_n (&table->owner, eddy__thread_self (), __ATOMIC_RELAXED);
    pthread_mutex_unlock (&table->mutex);
    eddy__sources_destroy_all (context);
    EddyReadyLevel *level;
    while ((level = eddy__ready_most_urgent (&context->ready)) != NULL) {
        uint32_t later = context->ready.turn + 1;
        EddyEntry *entry = eddy__ready_take (level, later);
        entry->run (entry);
    }
    /* From now on, threads that destroy sources find no context. */
    pthread_mutex_lock (&table->mutex);
    table->context = NULL;
    __atomic_store_n (&table->owner, NULL, __ATOMIC_RELAXED);
    pthread_mutex_unlock (&table->mutex);
}

static pthread_mutex_t contexts_mutex = PTHREAD_MUTEX_INITIALIZER;

void eddy__contexts_lock (void)
{
    pthread_mutex_lock (&contexts_mutex);
}

void eddy__contexts_unlock (void)
{
    pthread_mutex_unlock (&contexts_mutex);
}

/* What was posted to a context that nobody iterates any more lets go of what it holds, too. */
static void context_finalize (void *object)
{
    EddyContext *context = object;
    /* Whoever found it while it was kept has done with it; nobody finds it any more. */
    eddy__contexts_lock ();
    eddy__contexts_unlock ();
    if (context->engine != NULL)
        eddy__context_forget_polls (context);
    EddyEntry *entry = eddy__port_close (context->port);
    while (entry != NULL) {
        EddyEntry *next = entry->next;
        entry->run (entry);
        entry = next;
    }
    eddy__timers_clear (&context->timers);
    eddy__host_close (context);
    eddy__alarms_close (context);
    eddy__roster_clear (&context->tasks);
    eddy__roster_clear (&context->foreign_tasks);
    if (context->engine != NULL)
        eddy__engine_close (context->engine);
    eddy__port_unref (context->port, 1);
    eddy__source_table_unref (context->table);
}

static const EddyClass context_class = { .name = "EddyContext",
                                         .size = sizeof (EddyContext),
                                         .dispose = context_dispose,
                                         .finalize = context_finalize };

EddyContext *eddy_context_new (void)
{
    int answer;
    return eddy__context_new (&answer);
}

void (*eddy__context_made) (void);

EddyContext *eddy__context_new (int *answer)
{
    if (eddy__context_made != NULL)
        eddy__context_made ();
    *answer = -ENOMEM;
    EddyPort *port = eddy__port_new (answer);
    EddyContext *context = port == NULL ? NULL : eddy__block_alloc (sizeof *context);
    EddySourceTable *table = context == NULL ? NULL : eddy__source_table_new (port);
    if (table == NULL) {
        eddy__block_free (context, sizeof *context);
        if (port != NULL)
            eddy__port_unref (port, 1);
        return NULL;
    }
    memset (context, 0, sizeof *context);
    eddy__object_init (context, &context_class);
    context->port = port;
    context->table = table;
    eddy__context_read_clock (context);
    eddy__list_init (&context->sources);
    eddy__list_init (&context->signals);
    eddy__list_init (&context->hooked);
    eddy__list_init (&context->polls);
    eddy__list_init (&context->unarmed);
    eddy__list_init (&context->fibers);
    /* From now on, a dump finds it. */
    pthread_mutex_lock (&table->mutex);
    table->context = context;
    pthread_mutex_unlock (&table->mutex);
    return context;
}

static EddyContext *context_default;
static pthread_once_t context_default_once = PTHREAD_ONCE_INIT;

static void context_default_make (void)
{
    __atomic_store_n (&context_default, eddy_context_new (), __ATOMIC_RELEASE);
    if (context_default == NULL)
        eddy__log (EDDY_LOG_CRITICAL,
                   "the default context could not be made: memory or fds are out");
}

EddyContext *eddy_context_default (void)
{
    EddyContext *made = __atomic_load_n (&context_default, __ATOMIC_ACQUIRE);
    if (EDDY__LIKELY (made != NULL))
        return made;
    pthread_once (&context_default_once, context_default_make);
    return __atomic_load_n (&context_default, __ATOMIC_ACQUIRE);
}

EddyContext *eddy__context_or_default (EddyContext *context)
{
    return context != NULL ? context : eddy_context_default ();
}

EddyContext *eddy_context_get_thread_default (void)
{
    EddyContext *context = eddy__thread_defaults == NULL ? NULL : eddy__thread_defaults->context;
    return context == __atomic_load_n (&context_default, __ATOMIC_RELAXED) ? NULL : context;
}

EddyContext *eddy_context_ref_thread_default (void)
{
    return eddy_ref (eddy__context_thread_default ());
}

/* --- ownership -------------------------------------------------------------------------------- */

/* Where threads wait for contexts that others have. Rare, so one place for all. */
static pthread_mutex_t context_wait_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t context_wait = PTHREAD_COND_INITIALIZER;
static unsigned context_waiters;    /* atomic */
static unsigned context_wait_round; /* written under the lock; atomic */

void eddy__context_wake_waiters (void)
{
    if (__atomic_load_n (&context_waiters, __ATOMIC_SEQ_CST) == 0)
        return;
    pthread_mutex_lock (&context_wait_mutex);
    __atomic_add_fetch (&context_wait_round, 1, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast (&context_wait);
    pthread_mutex_unlock (&context_wait_mutex);
}

bool eddy_context_push_thread_default (EddyContext *context)
{
    EDDY__EXPECT (context != NULL, false);
    EddyThreadDefault *pushed = eddy__alloc (sizeof *pushed);
    if (pushed == NULL || !eddy_context_acquire (context)) {
        eddy__free (pushed);
        return false;
    }
    eddy__thread_default_push (pushed, eddy_ref (context));
    return true;
}

void eddy_context_pop_thread_default (EddyContext *context)
{
    EddyThreadDefault *popped = eddy__thread_defaults;
    EDDY__EXPECT (popped != NULL && popped->context == context);
    eddy__thread_default_pop (popped);
    eddy_context_release (context);
    eddy_unref (context);
    eddy__free (popped);
}

/* Makes this thread the owner of a context that has none; whether it is now. */
static bool context_own (EddyContext *context)
{
    void *self = eddy__thread_self ();
    for (;;) {
        void *owner = NULL;
        if (__atomic_compare_exchange_n (&context->owner, &owner, self, /* weak= */ false,
                                         __ATOMIC_SEQ_CST, __ATOMIC_RELAXED) ||
            owner == self)
            return true;
        if (owner != eddy__context_caretaker)
            return false;
        eddy__sys_sched_yield ();
    }
}

/* Gives it up, to a thread that waits for it if there is one. */
static void context_disown (EddyContext *context)
{
    __atomic_store_n (&context->table->owner, NULL, __ATOMIC_RELAXED);
    __atomic_store_n (&context->owner, NULL, __ATOMIC_SEQ_CST);
    eddy__context_wake_waiters ();
}

/* 0, -EBUSY, -ECHILD or -EXDEV: see eddy__context_enter(). */
static int context_acquire (EddyContext *context)
{
    if (!context_own (context))
        return -EBUSY;
    /* Its ring stayed with the parent, and its epoll is the parent's, too. */
    if (context->engine != NULL && EDDY__UNLIKELY (eddy__sys_forked ())) {
        eddy__log (EDDY_LOG_CRITICAL, "the child of a fork cannot run a context of its parent's");
        if (context->depth == 0)
            context_disown (context);
        return -ECHILD;
    }
    /* A ring belongs to the thread that opened it: the kernel refuses it to any other. */
    if (context->engine != NULL && context->engine_thread != eddy__thread_self ()) {
        if (context->engine->live > 0) {
            eddy__log (EDDY_LOG_WARNING,
                       "a context with %u operations under way cannot change threads",
                       context->engine->live);
            context_disown (context);
            return -EXDEV;
        }
        eddy__context_forget_polls (context);
        eddy__engine_close (context->engine);
        context->engine = NULL;
    }
    if (context->depth++ == 0)
        __atomic_store_n (&context->table->owner, eddy__thread_self (), __ATOMIC_RELAXED);
    return 0;
}

bool eddy_context_acquire (EddyContext *context)
{
    return context_acquire (eddy__context_or_default (context)) == 0;
}

void eddy_context_release (EddyContext *context)
{
    context = eddy__context_or_default (context);
    EDDY__EXPECT (eddy__context_is_owned (context));
    if (--context->depth == 0)
        context_disown (context);
}

bool eddy_context_is_owner (EddyContext *context)
{
    return eddy__context_is_owned (eddy__context_or_default (context));
}

bool (*eddy__context_in_fiber) (void);

int eddy__context_enter (EddyContext *context)
{
    bool (*in_fiber) (void) = __atomic_load_n (&eddy__context_in_fiber, __ATOMIC_RELAXED);
    if (in_fiber != NULL && in_fiber ()) {
        eddy__misuse ("running a context", "not to be in a fiber, which awaits instead");
        return -EDEADLK;
    }
    if (context->in_hooks > 0 && eddy__context_is_owned (context)) {
        eddy__misuse ("running a context", "not to be in a source's prepare or check");
        return -EDEADLK;
    }
    int acquired = context_acquire (context);
    if (acquired < 0)
        return acquired;
    if (context->entered++ == 0 && context->host != NULL)
        eddy__host_resume (context);
    if (context->engine != NULL)
        return 0;
    char reason[128] = "";
    int answer = eddy__engine_open (&context->engine, context->port, reason, sizeof reason);
    if (answer < 0) {
        eddy__log (EDDY_LOG_CRITICAL, "no engine: %s", reason[0] ? reason : strerror (-answer));
        eddy__context_leave (context);
        return answer;
    }
    __atomic_store_n (&context->engine_thread, eddy__thread_self (), __ATOMIC_RELAXED);
    eddy__engine_set_helps (context->engine, context->helps);
    if (context->host != NULL)
        eddy__host_add_engine (context);
    eddy__context_arm_polls (context);
    return 0;
}

int eddy__context_wait_enter (EddyContext *context, const bool *given_up)
{
    int answer = eddy__context_enter (context);
    if (answer != -EBUSY)
        return answer;
    /* Who gives the context up either sees that somebody waits, and makes a new round, or did so
     * before the enter below. */
    __atomic_add_fetch (&context_waiters, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        unsigned round = __atomic_load_n (&context_wait_round, __ATOMIC_SEQ_CST);
        answer = eddy__context_enter (context);
        if (answer == -EBUSY && given_up != NULL && __atomic_load_n (given_up, __ATOMIC_SEQ_CST))
            answer = -EINTR;
        if (answer != -EBUSY)
            break;
        pthread_mutex_lock (&context_wait_mutex);
        while (context_wait_round == round)
            pthread_cond_wait (&context_wait, &context_wait_mutex);
        pthread_mutex_unlock (&context_wait_mutex);
    }
    __atomic_sub_fetch (&context_waiters, 1, __ATOMIC_SEQ_CST);
    return answer;
}

void eddy__context_leave (EddyContext *context)
{
    /* Where no engine could be opened, mail has to wait: it may begin operations. */
    if (context->entered == 1 && context->engine != NULL)
        eddy__context_take_late_mail (context);
    if (--context->entered == 0 && context->host != NULL)
        eddy__host_park (context);
    eddy_context_release (context);
}

bool eddy_context_iteration (EddyContext *context, bool may_block)
{
    context = eddy__context_or_default (context);
    if (context == NULL) /* the default one could not be made */
        return false;
    int answer =
        may_block ? eddy__context_wait_enter (context, NULL) : eddy__context_enter (context);
    if (answer < 0)
        return false;
    bool dispatched = eddy__context_pass (context, may_block);
    eddy__context_leave (context);
    return dispatched;
}

void eddy_context_wakeup (EddyContext *context)
{
    eddy__port_wake (eddy__context_or_default (context)->port);
}

void eddy_context_set_helps (EddyContext *context, bool helps)
{
    context = eddy__context_or_default (context);
    context->helps = helps;
    if (context->engine != NULL)
        eddy__engine_set_helps (context->engine, helps);
}

void eddy_context_get_statistics (EddyContext *context, EddyContextStatistics *statistics)
{
    EDDY__EXPECT (statistics != NULL);
    context = eddy__context_or_default (context);
    *statistics = (EddyContextStatistics){ .live_fibers = context->live_fibers };
    if (context->engine == NULL)
        return;
    const EddyEngineCounters *counters = &context->engine->counters;
    statistics->engine = context->engine->verbs->name;
    statistics->engine_reason = context->engine->reason;
    statistics->immediate = counters->immediate;
    statistics->ring = counters->ring;
    statistics->polled = counters->polled;
    statistics->workers = counters->workers;
    statistics->helped = counters->helped;
    statistics->fallbacks = counters->fallbacks;
    statistics->waits = counters->waits;
    statistics->live_operations = context->engine->live;
}
