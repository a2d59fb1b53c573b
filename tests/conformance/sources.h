/* SPDX-License-Identifier: MIT */
/*
 * What the tests of sources share: a record of what ran, a pipe, a kind of source of their own.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"

/* What ran, as text: each callback adds its letter. */
static struct {
    char text[256];
    size_t length;
} record __attribute__ ((unused));

static inline void record_letter (char letter)
{
    ck_assert_uint_lt (record.length, sizeof record.text - 1);
    record.text[record.length++] = letter;
}

static inline bool record_once (void *letter)
{
    record_letter (*(const char *) letter);
    return EDDY_SOURCE_REMOVE;
}

static inline bool record_again (void *letter)
{
    return !record_once (letter);
}

static inline void record_only (void *letter)
{
    record_once (letter);
}

static inline void count_up (void *count)
{
    ++*(int *) count;
}

static inline void drop (EddySource *source)
{
    eddy_source_destroy (source);
    eddy_unref (source);
}

static inline bool iterate (EddyContext *context)
{
    return eddy_context_iteration (context, false);
}

/* What a test makes pass as warnings. */
static int n_messages __attribute__ ((unused));

static inline void count_message (EddyLogLevel level, const char *message, void *data)
{
    (void) level, (void) message, (void) data;
    __atomic_add_fetch (&n_messages, 1, __ATOMIC_RELAXED);
}

typedef struct Own {
    int prepared;
    int checked;
    int dispatched;
    int *finalized;
    int64_t timeout_ns;
    bool ready_in_prepare;
    bool ready_in_check;
} Own;

static inline bool own_prepare (EddySource *source, int64_t *timeout_ns)
{
    Own *own = eddy_source_get_data (source);
    own->prepared++;
    ck_assert_int_eq (*timeout_ns, -1);
    *timeout_ns = own->timeout_ns;
    return own->ready_in_prepare;
}

static inline bool own_check (EddySource *source)
{
    Own *own = eddy_source_get_data (source);
    own->checked++;
    return own->ready_in_check;
}

static inline bool own_dispatch (EddySource *source, EddySourceFunc callback, void *user_data)
{
    Own *own = eddy_source_get_data (source);
    own->dispatched++;
    return callback == NULL || callback (user_data);
}

static inline void own_finalize (EddySource *source)
{
    Own *own = eddy_source_get_data (source);
    if (own->finalized != NULL)
        ++*own->finalized;
}

static const EddySourceFuncs own_funcs
    __attribute__ ((unused)) = { own_prepare, own_check, own_dispatch, own_finalize };
static const EddySourceFuncs plain_funcs
    __attribute__ ((unused)) = { NULL, NULL, own_dispatch, own_finalize };

static inline EddySource *own_new (const EddySourceFuncs *funcs)
{
    EddySource *source = eddy_source_new (funcs, sizeof (Own));
    ck_assert_ptr_nonnull (source);
    return source;
}

typedef struct Pipe {
    int fds[2];
    int calls;
    unsigned events;
    bool reads; /* takes a byte at each call */
} Pipe;

static inline void pipe_open (Pipe *self)
{
    *self = (Pipe){ .calls = 0 };
    ck_assert_int_eq (pipe (self->fds), 0);
    ck_assert_int_eq (fcntl (self->fds[0], F_SETFL, O_NONBLOCK), 0);
}

static inline void pipe_put (Pipe *self, size_t len)
{
    ck_assert_int_eq (write (self->fds[1], "xxxxxxxx", len), (ssize_t) len);
}

static inline void pipe_close (Pipe *self)
{
    close (self->fds[0]);
    if (self->fds[1] >= 0)
        close (self->fds[1]);
}

static inline bool pipe_ready (int fd, unsigned events, void *data)
{
    Pipe *self = data;
    char byte;
    ck_assert_int_eq (fd, self->fds[0]);
    self->calls++;
    self->events = events;
    if (self->reads)
        ck_assert_int_eq (read (fd, &byte, 1), 1);
    return EDDY_SOURCE_CONTINUE;
}

static inline EddySource *own_letter (const char *letter)
{
    EddySource *source = own_new (&plain_funcs);
    eddy_source_set_callback (source, record_again, (void *) (uintptr_t) letter, NULL);
    return source;
}
