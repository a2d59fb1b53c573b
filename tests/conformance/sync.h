/* SPDX-License-Identifier: MIT */
/* What the tests of mutexes, locks, semaphores and conditions have in common. */
#pragma once

#include <eddy/testing.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"

/* Runs what is ready, until nothing is. */
static inline void sync_settle (EddyContext *context)
{
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
}

/* --- who waits for whom ----------------------------------------------------------------------- */

/* Whether a dump of the context names a deadlock, and says this of it (NULL: whatever). */
static inline bool sync_is_deadlocked (EddyContext *context, const char *words)
{
    EddyError *error = NULL;
    int fd = memfd_create ("dump", MFD_CLOEXEC);
    ck_assert (eddy_context_dump (context, fd, &error));
    off_t size = lseek (fd, 0, SEEK_END);
    char *text = calloc (1, (size_t) size + 1);
    ck_assert_int_eq (pread (fd, text, (size_t) size, 0), size);
    close (fd);
    const char *found = strstr (text, "\ndeadlock: ");
    bool named = found != NULL && (words == NULL || strstr (found, words) != NULL);
    free (text);
    return named;
}

/* --- many fibers on many threads -------------------------------------------------------------- */

typedef struct SyncThread {
    pthread_t thread;
    EddyFiberFunc function;
    void *data;
    int n_fibers;
} SyncThread;

enum { SYNC_FIBERS_MOST = 64 };

static inline void *sync_thread_main (void *data)
{
    const SyncThread *self = data;
    EddyError *error = NULL;
    EddyFuture *fibers[SYNC_FIBERS_MOST];
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < self->n_fibers; i++)
        fibers[i] = eddy_spawn (context, self->function, self->data, NULL);
    for (int i = 0; i < self->n_fibers; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], &error));
        eddy_unref (fibers[i]);
    }
    eddy_test_context_end (context);
    return NULL;
}

/* Each thread has a context of its own, and so many fibers there. Waits for their end. */
static inline void sync_run_threads (int n_threads, int n_fibers, EddyFiberFunc function,
                                     void *data)
{
    SyncThread threads[8];
    ck_assert_int_le (n_threads, 8);
    for (int i = 0; i < n_threads; i++) {
        threads[i] = (SyncThread){ .function = function, .data = data, .n_fibers = n_fibers };
        ck_assert_int_eq (pthread_create (&threads[i].thread, NULL, sync_thread_main, &threads[i]),
                          0);
    }
    for (int i = 0; i < n_threads; i++)
        pthread_join (threads[i].thread, NULL);
}

/* The same without fibers: each thread calls the function, and waits in it. */
static inline void sync_run_plain (int n_threads, void *(*function) (void *data), void *data)
{
    pthread_t threads[8];
    ck_assert_int_le (n_threads, 8);
    for (int i = 0; i < n_threads; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, function, data), 0);
    for (int i = 0; i < n_threads; i++)
        pthread_join (threads[i], NULL);
}

/* --- cancelled everywhere --------------------------------------------------------------------- */

static inline void sync_expect_good (EddyFiberFunc function, void *data, EddyTestCheckFunc check)
{
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (function, data, check, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 1);
}
