/* SPDX-License-Identifier: MIT */
/* EddyAlarms: a heap under a lock, and one timer of the context in front of it. */
#include "loop/alarm-private.h"

#include <errno.h>
#include <pthread.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "sys/clock-private.h"

struct EddyAlarms {
    pthread_mutex_t mutex;
    uint32_t references; /* atomic: the context's, each set alarm's, the mail's */
    EddyTimers timers;   /* this and the next two under the lock */
    int64_t armed_ns;    /* what the context's timer is set to */
    bool posted;         /* the mail is on its way */
    EddyPort *port;
    EddyEntry mail; /* asks the context's thread to look at the first alarm */
    /* The context's thread's alone. */
    EddyContext *context;
    EddyTimer timer;
};

static void alarms_unref (EddyAlarms *alarms)
{
    if (__atomic_sub_fetch (&alarms->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    eddy__timers_clear (&alarms->timers);
    eddy__port_unref (alarms->port, 1);
    pthread_mutex_destroy (&alarms->mutex);
    eddy__free (alarms);
}

/* Sets the context's timer to the first alarm; an earlier one that nobody needs any more may stay.
 * Under the lock, on the context's thread. */
static void alarms_arm (EddyAlarms *alarms)
{
    int64_t next = eddy__timers_next (&alarms->timers);
    if (next >= alarms->armed_ns || alarms->context->disposed)
        return;
    eddy__timer_remove (&alarms->context->timers, &alarms->timer);
    /* Without memory alarms are late: whoever looks at his clock sees that it is time. */
    int answer = eddy__timer_add (&alarms->context->timers, &alarms->timer, next);
    alarms->armed_ns = answer < 0 ? INT64_MAX : next;
}

static void alarms_mail_arrived (EddyEntry *entry)
{
    EddyAlarms *alarms = EDDY__CONTAINER (entry, EddyAlarms, mail);
    pthread_mutex_lock (&alarms->mutex);
    alarms->posted = false;
    alarms_arm (alarms);
    pthread_mutex_unlock (&alarms->mutex);
    alarms_unref (alarms);
}

/* Takes the first alarm that is due, and a reference to what it is of. Who clears an alarm, or lets
 * its object die, clears it under the lock: so here both are still there. */
static void *alarms_take_due (EddyAlarms *alarms, int64_t now_ns, void (**ring) (void *object))
{
    while (eddy__timers_next (&alarms->timers) <= now_ns) {
        EddyAlarm *alarm = EDDY__CONTAINER (eddy__timers_first (&alarms->timers), EddyAlarm, timer);
        eddy__timer_remove (&alarms->timers, &alarm->timer);
        if (!eddy__object_try_ref (alarm->object))
            continue;
        *ring = alarm->ring;
        return alarm->object;
    }
    return NULL;
}

static void alarms_fire (EddyTimer *timer)
{
    EddyAlarms *alarms = EDDY__CONTAINER (timer, EddyAlarms, timer);
    int64_t now_ns = eddy__sys_now_ns ();
    for (;;) {
        void (*ring) (void *object) = NULL;
        pthread_mutex_lock (&alarms->mutex);
        alarms->armed_ns = INT64_MAX;
        void *object = alarms_take_due (alarms, now_ns, &ring);
        if (object == NULL)
            alarms_arm (alarms);
        pthread_mutex_unlock (&alarms->mutex);
        if (object == NULL)
            return;
        ring (object);
        eddy_unref (object);
    }
}

static EddyAlarms *alarms_new (EddyContext *context)
{
    EddyAlarms *alarms = eddy__alloc0 (sizeof *alarms);
    if (alarms == NULL)
        return NULL;
    pthread_mutex_init (&alarms->mutex, NULL);
    alarms->references = 1;
    alarms->armed_ns = INT64_MAX;
    alarms->port = eddy__port_ref (context->port, 1);
    alarms->mail = (EddyEntry){ .run = alarms_mail_arrived, .priority = EDDY__PRIORITY_NOW };
    alarms->context = context;
    alarms->timer.fire = alarms_fire;
    return alarms;
}

/* The context's alarms, made at first use; NULL when memory is out. */
static EddyAlarms *alarms_of (EddyContext *context)
{
    EddyAlarms *alarms = __atomic_load_n (&context->alarms, __ATOMIC_ACQUIRE);
    if (alarms != NULL)
        return alarms;
    EddyAlarms *made = alarms_new (context);
    if (made == NULL)
        return NULL;
    if (__atomic_compare_exchange_n (&context->alarms, &alarms, made, /* weak= */ false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    alarms_unref (made);
    return alarms;
}

/* Has the context's thread look at the first alarm. Under the lock. */
static void alarms_tell (EddyAlarms *alarms, EddyContext *context)
{
    if (eddy__timers_next (&alarms->timers) >= alarms->armed_ns)
        return;
    if (eddy__context_is_owned (context)) {
        alarms_arm (alarms);
        return;
    }
    if (alarms->posted)
        return;
    alarms->posted = true;
    __atomic_add_fetch (&alarms->references, 1, __ATOMIC_RELAXED);
    /* A closed context has no loop to ring in, and this is not its last reference. */
    if (!eddy__port_post (alarms->port, &alarms->mail))
        __atomic_sub_fetch (&alarms->references, 1, __ATOMIC_RELAXED);
}

int eddy__alarm_set (EddyAlarm *alarm, EddyContext *context, int64_t deadline_ns)
{
    EddyAlarms *alarms = alarms_of (context);
    if (alarms == NULL)
        return -ENOMEM;
    pthread_mutex_lock (&alarms->mutex);
    int answer = eddy__timer_add (&alarms->timers, &alarm->timer, deadline_ns);
    if (answer == 0) {
        alarm->alarms = alarms;
        __atomic_add_fetch (&alarms->references, 1, __ATOMIC_RELAXED);
        alarms_tell (alarms, context);
    }
    pthread_mutex_unlock (&alarms->mutex);
    return answer;
}

void eddy__alarm_clear (EddyAlarm *alarm)
{
    EddyAlarms *alarms = alarm->alarms;
    if (alarms == NULL)
        return;
    alarm->alarms = NULL;
    pthread_mutex_lock (&alarms->mutex);
    eddy__timer_remove (&alarms->timers, &alarm->timer);
    pthread_mutex_unlock (&alarms->mutex);
    alarms_unref (alarms);
}

void eddy__alarms_close (EddyContext *context)
{
    EddyAlarms *alarms = context->alarms;
    context->alarms = NULL;
    if (alarms != NULL)
        alarms_unref (alarms);
}
