/* SPDX-License-Identifier: MIT */
/*
 * For tests of dumps: reading one, fibers to find in it, and threads that run contexts.
 */
#pragma once

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"

#define LONG_NS (INT64_C (3600) * 1000000000)

/* --- reading a dump --------------------------------------------------------------------------- */

/* All that an fd of a file has; to be freed. */
static inline char *read_all (int fd)
{
    off_t size = lseek (fd, 0, SEEK_END);
    char *text = malloc ((size_t) size + 1);
    ck_assert_int_eq (pread (fd, text, (size_t) size, 0), size);
    text[size] = '\0';
    return text;
}

/* The text of a dump; to be freed. */
static inline char *dump_text (EddyContext *context)
{
    EddyError *error = NULL;
    int fd = memfd_create ("dump", MFD_CLOEXEC);
    ck_assert_int_ge (fd, 0);
    ck_assert_msg (eddy_context_dump (context, fd, &error), "it failed");
    ck_assert_ptr_null (error);
    char *text = read_all (fd);
    close (fd);
    return text;
}

/* Looks for a line that has all of these words, up to NULL; whether there is one. */
static inline bool has_line (const char *text, const char *first, const char *second,
                             const char *third)
{
    const char *words[] = { first, second, third };
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn (line, "\n");
        char *copy = strndup (line, len);
        bool found = true;
        for (int i = 0; i < 3; i++)
            found = found && (words[i] == NULL || strstr (copy, words[i]) != NULL);
        free (copy);
        if (found)
            return true;
        line += len + (line[len] == '\n');
    }
    return false;
}

static inline void expect_line (const char *text, const char *first, const char *second,
                                const char *third)
{
    ck_assert_msg (has_line (text, first, second, third), "no line has '%s', '%s', '%s':\n%s",
                   first, second == NULL ? "" : second, third == NULL ? "" : third, text);
}

static inline void expect_no_line (const char *text, const char *first, const char *second)
{
    ck_assert_msg (!has_line (text, first, second, NULL), "a line has '%s', '%s':\n%s", first,
                   second == NULL ? "" : second, text);
}

static inline unsigned count_words (const char *text, const char *word)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr (at, word)) != NULL; at++)
        n++;
    return n;
}

/* --- fibers ----------------------------------------------------------------------------------- */

static inline void *sleep_long (void *data, EddyError **error)
{
    eddy_fiber_sleep (LONG_NS, error);
    return data;
}

/* Spawns a named fiber; the line is its place. */
#define spawn_named(name, function, data) spawn_named_at (name, function, data, EDDY_PLACE)
static inline EddyFuture *spawn_named_at (const char *name, EddyFiberFunc function, void *data,
                                          const EddyPlace *place)
{
    EddyFiberOptions options = { .name = name };
    return eddy_spawn_full (NULL, function, data, NULL, &options, place);
}

static inline void end_fiber (EddyContext *context, EddyFuture *fiber)
{
    eddy_future_cancel (fiber);
    eddy_block_on (context, fiber, NULL);
    eddy_unref (fiber);
}

/* --- threads ---------------------------------------------------------------------------------- */

typedef struct Gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool entered;
    bool open;
} Gate;

#define GATE_INIT                                                                                  \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                    \
    }

/* Blocks its thread until the gate is open. */
static inline void gate_pass (Gate *gate)
{
    pthread_mutex_lock (&gate->mutex);
    gate->entered = true;
    pthread_cond_broadcast (&gate->changed);
    while (!gate->open)
        pthread_cond_wait (&gate->changed, &gate->mutex);
    pthread_mutex_unlock (&gate->mutex);
}

/* Waits until somebody stands at the gate. */
static inline void gate_await (Gate *gate)
{
    pthread_mutex_lock (&gate->mutex);
    while (!gate->entered)
        pthread_cond_wait (&gate->changed, &gate->mutex);
    pthread_mutex_unlock (&gate->mutex);
}

static inline void gate_open (Gate *gate)
{
    pthread_mutex_lock (&gate->mutex);
    gate->open = true;
    pthread_cond_broadcast (&gate->changed);
    pthread_mutex_unlock (&gate->mutex);
}

typedef struct Runner {
    EddyContext *context;
    EddyFuture *fiber;
    Gate gate; /* passed by a callback, if it was posted */
    Gate running;
    EddyPost post;
    char *text;
} Runner;

static inline void *runner_main (void *data)
{
    Runner *runner = data;
    ck_assert (eddy_context_push_thread_default (runner->context));
    runner->fiber = spawn_named ("of another thread", sleep_long, NULL);
    gate_open (&runner->running);
    eddy_block_on (runner->context, runner->fiber, NULL);
    eddy_unref (runner->fiber);
    eddy_context_pop_thread_default (runner->context);
    return NULL;
}

static inline pthread_t runner_begin (Runner *runner)
{
    pthread_t thread;
    *runner = (Runner){ .context = eddy_context_new (), .gate = GATE_INIT, .running = GATE_INIT };
    ck_assert_int_eq (pthread_create (&thread, NULL, runner_main, runner), 0);
    gate_pass (&runner->running);
    return thread;
}

static inline void runner_end (Runner *runner, pthread_t thread)
{
    eddy_future_cancel (runner->fiber);
    pthread_join (thread, NULL);
    eddy_unref (runner->context);
}
