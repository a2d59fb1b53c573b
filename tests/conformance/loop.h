/* SPDX-License-Identifier: MIT */
/*
 * What the tests of contexts and sources share: a record of what ran, sources made in one line,
 * threads that wait for each other, and the messages that misuse brings.
 */
#pragma once

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "context.h"

#define LOOP_MS INT64_C (1000000)
#define LOOP_UNUSED __attribute__ ((unused))

/* --- What ran, in order, a letter each -------------------------------------------------------- */

static LOOP_UNUSED struct {
    char text[128];
    size_t length;
} record;

static inline void record_letter (const char *letter)
{
    ck_assert_uint_lt (record.length, sizeof record.text - 1);
    record.text[record.length++] = *letter;
}

/* Callbacks of sources; the data are a letter. */
static inline bool record_once (void *letter)
{
    record_letter (letter);
    return EDDY_SOURCE_REMOVE;
}

static inline bool record_again (void *letter)
{
    record_letter (letter);
    return EDDY_SOURCE_CONTINUE;
}

/* For user data that are to be destroyed: the same again. */
static inline void record_destroy (void *letter)
{
    record_letter (letter);
}

static inline void record_clear (void)
{
    memset (&record, 0, sizeof record);
}

/* --- Sources ---------------------------------------------------------------------------------- */

/* Attaches to the thread-default context; the caller keeps its reference. */
static inline EddySource *loop_attach (EddySource *source, int priority, EddySourceFunc function,
                                       void *data)
{
    ck_assert_ptr_nonnull (source);
    eddy_source_set_callback (source, function, data, NULL);
    eddy_source_set_priority (source, priority);
    ck_assert_uint_ne (eddy_source_attach (source, NULL), 0);
    return source;
}

static inline void loop_drop (EddySource *source)
{
    eddy_source_destroy (source);
    eddy_unref (source);
}

/* A source of a program's own that is ready when it is told to be: its ready time is 0. */
static inline bool loop_plain_dispatch (EddySource *source, EddySourceFunc callback, void *data)
{
    eddy_source_set_ready_time (source, -1);
    return callback (data);
}

static const EddySourceFuncs loop_plain_funcs LOOP_UNUSED = { .dispatch = loop_plain_dispatch };

static inline EddySource *loop_plain_new (void)
{
    return eddy_source_new (&loop_plain_funcs, 0);
}

static inline void loop_drain (EddyContext *context)
{
    while (eddy_context_iteration (context, false))
        ;
}

static inline void loop_run_until (EddyContext *context, size_t length)
{
    while (record.length < length)
        eddy_context_iteration (context, true);
}

/* --- Time: only for what is to be due afterwards; nothing waits for luck ---------------------- */

static inline int64_t loop_now_ns (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void loop_pass_time (int64_t duration_ns)
{
    int64_t end = loop_now_ns () + duration_ns;
    while (loop_now_ns () < end) {
        struct timespec rest = { .tv_nsec = 1000000 };
        nanosleep (&rest, NULL);
    }
}

/* --- Threads ---------------------------------------------------------------------------------- */

static inline pthread_t loop_thread (void *(*function) (void *), void *data)
{
    pthread_t thread;
    ck_assert_int_eq (pthread_create (&thread, NULL, function, data), 0);
    return thread;
}

static inline void *loop_join (pthread_t thread)
{
    void *value = NULL;
    ck_assert_int_eq (pthread_join (thread, &value), 0);
    return value;
}

/* Runs a function in another thread, to its end. */
static inline void *loop_elsewhere (void *(*function) (void *), void *data)
{
    return loop_join (loop_thread (function, data));
}

static inline void loop_sem_wait (sem_t *semaphore)
{
    while (sem_wait (semaphore) != 0)
        ;
}

/* Until a thread of this process sleeps in the kernel: what wakes it then is what is tested. */
static inline void loop_wait_asleep (pid_t thread)
{
    char path[64], text[512];
    snprintf (path, sizeof path, "/proc/self/task/%d/stat", (int) thread);
    for (;;) {
        FILE *file = fopen (path, "r");
        ck_assert_ptr_nonnull (file);
        const char *end = fgets (text, sizeof text, file) != NULL ? strrchr (text, ')') : NULL;
        fclose (file);
        if (end != NULL && end[1] == ' ' && end[2] == 'S')
            return;
        sched_yield ();
    }
}

/* --- Messages --------------------------------------------------------------------------------- */

static LOOP_UNUSED atomic_int loop_message_count;

static inline void loop_take_message (EddyLogLevel level, const char *message, void *data)
{
    (void) message, (void) data;
    if (level != EDDY_LOG_DEBUG)
        atomic_fetch_add (&loop_message_count, 1);
}

/* From here on messages are counted, not printed. */
static inline void loop_catch_messages (void)
{
    atomic_store (&loop_message_count, 0);
    eddy_log_set_handler (loop_take_message, NULL);
}

/* How many there were since it was asked last. */
static inline int loop_count_messages (void)
{
    return atomic_exchange (&loop_message_count, 0);
}

/* --- Children --------------------------------------------------------------------------------- */

/* Runs a function in a child process: for what the process keeps to its end, as the default
 * context with its fds. Its failed assertions are the test's. */
static inline void loop_in_child (void (*function) (void))
{
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        function ();
        _exit (0);
    }
    int status = -1;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (status, 0);
}
