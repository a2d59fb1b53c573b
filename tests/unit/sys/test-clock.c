/* SPDX-License-Identifier: MIT */
/*
 * The clocks, and randomness.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "sys/clock-private.h"
#include "sys/random-private.h"
#include "test.h"

EDDY_TEST (monotonic_clock_goes_on)
{
    int64_t last_ns = eddy__sys_now_ns ();

    for (int i = 0; i < 1000; i++) {
        int64_t now_ns = eddy__sys_now_ns ();

        ck_assert_int_ge (now_ns, last_ns);
        last_ns = now_ns;
    }
}

EDDY_TEST (realtime_is_the_calendar)
{
    int64_t seconds = eddy__sys_realtime_ns () / 1000000000;

    ck_assert_int_le (time (NULL) - seconds, 1);
    ck_assert_int_ge (time (NULL) - seconds, 0);
}

static atomic_bool is_stopped;

static void *thread_spin (void *data)
{
    while (!atomic_load (&is_stopped))
        ;
    return data;
}

/* What a busy thread uses is seen from outside. */
EDDY_TEST (clock_of_another_thread)
{
    pthread_t thread;
    clockid_t clock;
    int64_t first_ns;

    ck_assert_int_eq (pthread_create (&thread, NULL, thread_spin, NULL), 0);
    ck_assert_int_eq (eddy__sys_thread_clock (thread, &clock), 0);
    first_ns = eddy__sys_clock_ns (clock);
    ck_assert_int_ge (first_ns, 0);
    while (eddy__sys_clock_ns (clock) <= first_ns)
        ;
    atomic_store (&is_stopped, true);
    ck_assert_int_eq (pthread_join (thread, NULL), 0);
    ck_assert_int_eq (eddy__sys_clock_ns (clock), -EINVAL);
}

EDDY_TEST (random_fills_the_whole_buffer)
{
    unsigned char one[512], two[512], tail = 0;

    memset (one, 0, sizeof one);
    ck_assert_int_eq (eddy__sys_random (one, sizeof one), 0);
    ck_assert_int_eq (eddy__sys_random (two, sizeof two), 0);
    ck_assert_int_ne (memcmp (one, two, sizeof one), 0);
    for (size_t i = sizeof one - 16; i < sizeof one; i++)
        tail |= one[i];
    ck_assert_uint_ne (tail, 0);
    ck_assert_int_eq (eddy__sys_random (NULL, 0), 0);
}
