/* SPDX-License-Identifier: MIT */
/*
 * Sources from the inside: polls that a worker makes, ids at the end of their generations, what a
 * context keeps of destroyed sources.
 */
#include <errno.h>
#include <eddy/log.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler-private.h"
#include "completions.h"
#include "loop/source-private.h"
#include "test.h"

static bool count_fd (int fd, unsigned events, void *count)
{
    char byte;
    ck_assert_uint_eq (events, POLLIN);
    ck_assert_int_eq (read (fd, &byte, 1), 1);
    ++*(int *) count;
    return EDDY_SOURCE_CONTINUE;
}

typedef struct Denied {
    EddyContext *context;
    int fds[2];
    int count;
} Denied;

/* Iterates on the calling thread, with a ring that refuses polls; a byte comes through all the
 * same. */
static void *use_denied_ring (void *data)
{
    Denied *self = data;
    int before = self->count;
    ck_assert (eddy_context_acquire (self->context));
    ck_assert_int_eq (eddy__context_enter (self->context), 0);
    if (strcmp (self->context->engine->verbs->name, "uring") == 0)
        eddy__uring_deny_for_test (self->context->engine, EDDY_OP_POLL);
    eddy__context_leave (self->context);
    for (int i = 0; i < 3; i++)
        eddy_context_iteration (self->context, false);
    ck_assert_int_eq (self->count, before);
    ck_assert_int_eq (write (self->fds[1], "x", 1), 1);
    while (self->count == before)
        eddy_context_iteration (self->context, true);
    /* The next poll is under way, mostly at a worker, when the context leaves the thread. */
    for (int i = 0; i < 3; i++)
        eddy_context_iteration (self->context, false);
    eddy_context_release (self->context);
    return NULL;
}

EDDY_TEST (fd_source_polled_by_a_worker_moves_and_goes)
{
    Denied self = { .context = eddy_context_new () };
    ck_assert_int_eq (pipe (self.fds), 0);
    EddySource *source = eddy_fd_source_new (self.fds[0], POLLIN);
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (count_fd), &self.count, NULL);
    eddy_source_attach (source, self.context);
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        pthread_create (&thread, NULL, use_denied_ring, &self);
        pthread_join (thread, NULL);
        use_denied_ring (&self);
    }
    ck_assert_int_eq (self.count, 8);
    eddy_source_destroy (source);
    eddy_unref (source);
    eddy_unref (self.context);
    close (self.fds[0]);
    close (self.fds[1]);
}

EDDY_TEST (slot_at_its_last_generation_is_not_used_again)
{
    EddyContext *context = eddy_context_new ();
    uint64_t last = 0;
    for (int i = 0; i < 2; i++) {
        EddySource *source = eddy_idle_source_new ();
        uint64_t id = eddy_source_attach (source, context);
        ck_assert_uint_ne (id, 0);
        ck_assert_uint_ne ((uint32_t) id, (uint32_t) last);
        eddy_source_destroy (source);
        eddy_unref (source);
        ck_assert_ptr_null (eddy_context_find_source_by_id (context, id));
        last = id;
        if (i == 0) {
            /* As if it had been given out so many times. */
            context->table->slots[0].generation = UINT32_MAX;
            source = eddy_idle_source_new ();
            id = eddy_source_attach (source, context);
            ck_assert_uint_eq (id >> 32, UINT32_MAX);
            eddy_source_destroy (source);
            eddy_unref (source);
        }
    }
    eddy_unref (context);
}

/* What the callback of a source was told last, and how often the log was told anything. */
typedef struct Told {
    unsigned events;
    int count;
    int complaints;
} Told;

static bool take_events (int fd, unsigned events, void *data)
{
    Told *told = data;
    (void) fd;
    told->events = events;
    told->count++;
    return EDDY_SOURCE_CONTINUE;
}

static void take_complaint (EddyLogLevel level, const char *message, void *data)
{
    Told *told = data;
    told->complaints += level == EDDY_LOG_WARNING && strstr (message, "cannot be polled") != NULL;
}

static void iterate_until_told (EddyContext *context, Told *told, int count)
{
    for (told->count = 0; told->count < count;)
        eddy_context_iteration (context, true);
}

/* Each time that it begins, not each time that it is tried. */
EDDY_TEST (fd_that_cannot_be_polled_is_complained_of_once)
{
    EddyContext *context = eddy_context_new ();
    Told told = { .count = 0 };
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    ck_assert_int_eq (write (fds[1], "x", 1), 1);
    ck_assert (eddy_context_acquire (context));
    EddySource *source = eddy_fd_source_new (fds[0], POLLIN);
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (take_events), &told, NULL);
    eddy_source_attach (source, context);
    eddy_log_set_handler (take_complaint, &told);
    for (int i = 1; i <= 2; i++) {
        eddy_test_fail_completion_of (EDDY_OP_POLL, 1, ENOMEM, /* from_then_on= */ true);
        iterate_until_told (context, &told, 100);
        ck_assert_uint_eq (told.events, POLLERR);
        ck_assert_int_eq (told.complaints, i);
        eddy_test_no_completion_faults ();
        iterate_until_told (context, &told, 3);
        ck_assert_uint_eq (told.events, POLLIN);
    }
    eddy_log_set_handler (NULL, NULL);
    eddy_source_destroy (source);
    eddy_unref (source);
    close (fds[0]);
    close (fds[1]);
    eddy_context_release (context);
    eddy_unref (context);
}

static void count_finalized (EddySource *source)
{
    ++**(int **) eddy_source_get_data (source);
}

static bool keep (EddySource *source, EddySourceFunc callback, void *user_data)
{
    (void) source, (void) callback, (void) user_data;
    return EDDY_SOURCE_CONTINUE;
}

/* Sources that are ready but starve are not kept for ever once they are destroyed. */
EDDY_TEST (destroyed_sources_do_not_pile_up_in_the_queue)
{
    enum { N = 5000 };
    static const EddySourceFuncs funcs = { NULL, NULL, keep, count_finalized };
    EddyContext *context = eddy_context_new ();
    EddySource *sources[N];
    int finalized = 0;
    ck_assert (eddy_context_acquire (context));
    for (int i = 0; i < N; i++) {
        sources[i] = eddy_source_new (&funcs, sizeof (int *));
        *(int **) eddy_source_get_data (sources[i]) = &finalized;
        eddy_source_set_ready_time (sources[i], 0);
        eddy_source_attach (sources[i], context);
    }
    ck_assert_uint_eq (context->n_queued_sources, N);
    for (int i = N - 1; i >= 0; i--) {
        eddy_source_destroy (sources[i]);
        eddy_unref (sources[i]);
    }
    ck_assert_int_gt (finalized, N - 600);
    ck_assert_uint_lt (context->n_queued_sources, 600);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (finalized, N);
    ck_assert_uint_eq (context->n_queued_sources, 0);
    ck_assert_uint_eq (context->n_stale_sources, 0);
    eddy_context_release (context);
    eddy_unref (context);
}
