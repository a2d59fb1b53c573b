/* SPDX-License-Identifier: MIT */
/*
 * The heap of timers against a plain search, and the ready queue's turns.
 */
#include <stdlib.h>

#include "base/compiler-private.h"
#include "loop/queue-private.h"
#include "loop/timer-private.h"
#include "test.h"

enum { N = 500 };

typedef struct Alarm {
    EddyTimer timer;
    int64_t deadline_ns;
    bool armed;
} Alarm;

static Alarm alarms[N];
static int64_t now_ns;
static int64_t last_fired_ns;

static void alarm_fire (EddyTimer *timer)
{
    Alarm *alarm = EDDY__CONTAINER (timer, Alarm, timer);
    ck_assert (alarm->armed);
    ck_assert_int_le (alarm->deadline_ns, now_ns);
    ck_assert_int_ge (alarm->deadline_ns, last_fired_ns);
    last_fired_ns = alarm->deadline_ns;
    alarm->armed = false;
}

static int64_t earliest (void)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < N; i++)
        if (alarms[i].armed && alarms[i].deadline_ns < least)
            least = alarms[i].deadline_ns;
    return least;
}

EDDY_TEST (timers_against_a_plain_search)
{
    EddyTimers timers = { .slots = NULL };
    unsigned seed = 12345;
    for (int step = 0; step < 20000; step++) {
        Alarm *alarm = &alarms[rand_r (&seed) % N];
        int what = rand_r (&seed) % 10;
        if (what == 0) {
            now_ns += rand_r (&seed) % 200;
            last_fired_ns = 0;
            eddy__timers_fire (&timers, now_ns);
            ck_assert_int_gt (earliest (), now_ns);
        } else if (alarm->armed && what < 4) {
            alarm->deadline_ns = now_ns + 1 + rand_r (&seed) % 1000;
            ck_assert_int_eq (eddy__timer_set (&timers, &alarm->timer, alarm->deadline_ns), 0);
        } else if (alarm->armed) {
            eddy__timer_remove (&timers, &alarm->timer);
            eddy__timer_remove (&timers, &alarm->timer);
            alarm->armed = false;
        } else {
            alarm->timer.fire = alarm_fire;
            alarm->deadline_ns = now_ns + 1 + rand_r (&seed) % 1000;
            alarm->armed = true;
            ck_assert_int_eq (eddy__timer_add (&timers, &alarm->timer, alarm->deadline_ns), 0);
        }
        ck_assert_int_eq (eddy__timers_next (&timers), earliest ());
    }
    eddy__timers_clear (&timers);
}

/* Most of them are disarmed, so the dead are swept out; the rest fire in order. */
EDDY_TEST (timers_are_in_order_after_sweeps)
{
    EddyTimers timers = { .slots = NULL };
    unsigned seed = 54321;
    for (int round = 0; round < 50; round++) {
        last_fired_ns = 0;
        for (int i = 0; i < N; i++) {
            alarms[i].timer.fire = alarm_fire;
            alarms[i].deadline_ns = 1 + rand_r (&seed) % 1000;
            alarms[i].armed = true;
            ck_assert_int_eq (eddy__timer_add (&timers, &alarms[i].timer, alarms[i].deadline_ns),
                              0);
        }
        for (int i = 0; i < N; i++) {
            if (rand_r (&seed) % 8 == 0)
                continue;
            eddy__timer_remove (&timers, &alarms[i].timer);
            alarms[i].armed = false;
            ck_assert_int_eq (eddy__timers_next (&timers), earliest ());
        }
        ck_assert_uint_lt (timers.n_used, N / 2);
        for (now_ns = 1; now_ns <= 1000; now_ns++) {
            eddy__timers_fire (&timers, now_ns);
            ck_assert_int_gt (earliest (), now_ns);
        }
        ck_assert_uint_eq (timers.n, 0);
    }
    eddy__timers_clear (&timers);
}

/* --- the ready queue ------------------------------------------------------------------------ */

static void nothing (EddyEntry *entry)
{
    (void) entry;
}

/* The first entry of a priority that is older than a turn. */
static EddyEntry *take (EddyReadyQueue *queue, int priority, uint32_t turn)
{
    return eddy__ready_take (eddy__ready_get_level (queue, priority), turn);
}

EDDY_TEST (entries_wait_for_the_next_turn)
{
    EddyReadyQueue queue = { .n_levels = 0 };
    EddyEntry first = { .run = nothing }, second = { .run = nothing };
    EddyEntry urgent = { .run = nothing, .priority = -5 };
    eddy__ready_push (&queue, &first);
    ck_assert_ptr_null (take (&queue, 0, queue.turn));
    uint32_t turn = ++queue.turn;
    eddy__ready_push (&queue, &second);
    eddy__ready_push (&queue, &urgent);
    ck_assert_int_eq (eddy__ready_most_urgent (&queue)->priority, -5);
    ck_assert_ptr_eq (take (&queue, 0, turn), &first);
    ck_assert_ptr_null (take (&queue, 0, turn));
    ck_assert_ptr_eq (take (&queue, 0, turn + 1), &second);
    eddy__ready_remove (&queue, &urgent);
    ck_assert_ptr_null (eddy__ready_most_urgent (&queue));
}

EDDY_TEST (turns_wrap_around)
{
    EddyReadyQueue queue = { .turn = UINT32_MAX };
    EddyEntry entry = { .run = nothing };
    eddy__ready_push (&queue, &entry);
    ck_assert_ptr_null (take (&queue, 0, UINT32_MAX));
    ck_assert_ptr_eq (take (&queue, 0, ++queue.turn), &entry);
}

/* More priorities than levels: nothing is lost, and the most urgent still come first. */
EDDY_TEST (more_priorities_than_levels)
{
    enum { PRIORITIES = 100 };
    EddyReadyQueue queue = { .n_levels = 0 };
    EddyEntry entries[PRIORITIES];
    for (int i = 0; i < PRIORITIES; i++) {
        entries[i] = (EddyEntry){ .run = nothing, .priority = (i * 37) % PRIORITIES };
        eddy__ready_push (&queue, &entries[i]);
    }
    int taken = 0;
    uint32_t turn = ++queue.turn;
    for (EddyReadyLevel *level; (level = eddy__ready_most_urgent (&queue)) != NULL; taken++)
        ck_assert_ptr_nonnull (eddy__ready_take (level, turn));
    ck_assert_int_eq (taken, PRIORITIES);
}
