/* SPDX-License-Identifier: MIT */
/*
 * A million random cancels against data.
 *
 * Streams (pipes and sockets), each with a writer and a reader that start one operation after the
 * other: some actors are fibers, some go on from callback to callback, and some fibers wait for
 * readiness by futures first. Each operation is cancelled or not: before it starts, at once, later
 * by any other actor, by the writer that has just sent something, or by another thread. What
 * writers were told they sent is what readers were told they got and what is left at the end, byte
 * for byte and in order. Buffers are bounced: see bounce.h.
 *
 * EDDY_TEST_SEED repeats a run as far as threads can be repeated; the seed stands on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <eddy/eddy.h>

#include "bounce.h"
#include "test.h"

enum { STREAMS = 12, ACTORS = 2 * STREAMS, LARGEST = 9000, RUNS = 4 };

typedef struct Stream {
    int read_fd;
    int write_fd;
    uint64_t sent;
    uint64_t received;
} Stream;

typedef struct Actor {
    Stream *stream;
    bool writes;
    bool in_runs;   /* moves several runs of bytes at once */
    bool waits;     /* for readiness, by a future, before each operation */
    bool under_way; /* an operation is */
    bool over;
    size_t len;
    EddyCancellable *own;  /* of the operation under way */
    EddyCancellable *open; /* the same for whoever wants to cancel it: taken by exchange; atomic */
    uint64_t n_operations;
    uint64_t n_cancelled; /* that ended so */
    EddyInputVector input[RUNS];
    EddyOutputVector output[RUNS];
    unsigned char buffer[LARGEST];
} Actor;

static Stream streams[STREAMS];
static Actor actors[ACTORS];
static uint64_t random_state;
static uint64_t n_asked; /* cancels, by any thread; atomic */
static uint64_t n_wanted;
static bool stop_thread; /* atomic */

/* xorshift, by Marsaglia */
static uint64_t random_of (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static unsigned random_below (unsigned n)
{
    return (unsigned) (random_of (&random_state) >> 20) % n;
}

/* The byte that stands at a place of a stream. */
static unsigned char stream_byte (const Stream *stream, uint64_t at)
{
    return (unsigned char) ((at * 31 + (at >> 8) * 7) ^ (uint64_t) (stream - streams));
}

static bool is_enough (void)
{
    return __atomic_load_n (&n_asked, __ATOMIC_RELAXED) >= n_wanted;
}

/* Cancels what an actor has under way, unless somebody has done so. Any thread. */
static void actor_cancel (Actor *actor)
{
    EddyCancellable *open = __atomic_exchange_n (&actor->open, NULL, __ATOMIC_ACQ_REL);
    if (open == NULL)
        return;
    __atomic_add_fetch (&n_asked, 1, __ATOMIC_RELAXED);
    eddy_cancellable_cancel (open);
    eddy_unref (open);
}

static size_t random_len (void)
{
    unsigned kind = random_below (64);
    return 1 + random_below (kind == 0 ? LARGEST - 1 : kind < 16 ? 300 : 24);
}

/* Divides what is to be moved into runs, some of them empty. */
static void actor_divide (Actor *actor)
{
    size_t at = 0;
    for (int i = 0; i < RUNS; i++) {
        size_t len = actor->len - at;
        if (i < RUNS - 1)
            len = random_below ((unsigned) len + 1);
        actor->input[i] = (EddyInputVector){ actor->buffer + at, len };
        actor->output[i] = (EddyOutputVector){ actor->buffer + at, len };
        at += len;
    }
}

/* Prepares an operation, with its cancellable; it may be cancelled already. */
static void actor_begin (Actor *actor)
{
    ck_assert (!actor->under_way);
    actor->under_way = true;
    actor->len = random_len ();
    if (actor->writes)
        for (size_t i = 0; i < actor->len; i++)
            actor->buffer[i] = stream_byte (actor->stream, actor->stream->sent + i);
    actor_divide (actor);
    actor->own = eddy_cancellable_new ();
    ck_assert_ptr_nonnull (actor->own);
    if (random_below (16) != 0)
        __atomic_store_n (&actor->open, eddy_ref (actor->own), __ATOMIC_RELEASE);
    if (random_below (8) == 0)
        actor_cancel (actor);
}

/* Somebody who is not done is cancelled now and then: the reader of what has just been sent, or
 * any. */
static void actor_cancel_others (Actor *actor, bool sent)
{
    if (sent && random_below (4) == 0)
        actor_cancel (actor + 1);
    for (unsigned n = random_below (7); n > 0; n--)
        actor_cancel (&actors[random_below (ACTORS)]);
}

static void actor_check_bytes (const Actor *actor, int64_t count)
{
    const Stream *stream = actor->stream;
    for (int64_t i = 0; i < count; i++)
        if (actor->buffer[i] != stream_byte (stream, stream->received + (uint64_t) i))
            ck_abort_msg ("byte %llu of stream %d is wrong",
                          (unsigned long long) stream->received + (uint64_t) i,
                          (int) (stream - streams));
}

/* An operation has ended: once, with a count or with a cancel that somebody asked for. */
static void actor_end (Actor *actor, int64_t count, EddyError *error)
{
    ck_assert (actor->under_way);
    actor->under_way = false;
    actor->n_operations++;
    EddyCancellable *open = __atomic_exchange_n (&actor->open, NULL, __ATOMIC_ACQ_REL);
    eddy_unref (open);
    if (count < 0) {
        ck_assert_ptr_nonnull (error);
        ck_assert_msg (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED), "%s",
                       eddy_error_get_message (error));
        ck_assert (eddy_cancellable_is_cancelled (actor->own));
        eddy_clear_error (&error);
        actor->n_cancelled++;
    } else if (actor->writes) {
        ck_assert_int_gt (count, 0);
        actor->stream->sent += (uint64_t) count;
    } else {
        ck_assert_int_gt (count, 0);
        actor_check_bytes (actor, count);
        actor->stream->received += (uint64_t) count;
    }
    eddy_clear (&actor->own);
    actor_cancel_others (actor, actor->writes && count > 0);
}

/* --- callbacks -------------------------------------------------------------------------------- */

static void actor_next (Actor *actor);

static void actor_take (void *source, EddyAsyncResult *result, void *data)
{
    Actor *actor = data;
    EddyError *error = NULL;
    (void) source;
    int64_t count;
    if (actor->in_runs)
        count = actor->writes ? eddy_fd_writev_finish (result, &error)
                              : eddy_fd_readv_finish (result, &error);
    else
        count = actor->writes ? eddy_fd_write_finish (result, &error)
                              : eddy_fd_read_finish (result, &error);
    actor_end (actor, count, error);
    actor_next (actor);
}

static void actor_next (Actor *actor)
{
    const Stream *stream = actor->stream;
    actor->over = is_enough ();
    if (actor->over)
        return;
    actor_begin (actor);
    if (actor->in_runs && actor->writes)
        eddy_fd_writev_async (stream->write_fd, actor->output, RUNS, -1, 0, actor->own, actor_take,
                              actor);
    else if (actor->in_runs)
        eddy_fd_readv_async (stream->read_fd, actor->input, RUNS, -1, 0, actor->own, actor_take,
                             actor);
    else if (actor->writes)
        eddy_fd_write_async (stream->write_fd, actor->buffer, actor->len, -1, 0, actor->own,
                             actor_take, actor);
    else
        eddy_fd_read_async (stream->read_fd, actor->buffer, actor->len, -1, 0, actor->own,
                            actor_take, actor);
    if (random_below (8) == 0)
        actor_cancel (actor);
}

/* --- fibers, and futures in them -------------------------------------------------------------- */

/* Readiness by a future, awaited, or dropped while it is pending. */
static void actor_wait (Actor *actor)
{
    const Stream *stream = actor->stream;
    EddyError *error = NULL;
    EddyFuture *future = eddy_fd_wait_future (actor->writes ? stream->write_fd : stream->read_fd,
                                              actor->writes ? POLLOUT : POLLIN, 0, actor->own);
    if (random_below (4) == 0) {
        eddy_future_cancel (future);
        __atomic_add_fetch (&n_asked, 1, __ATOMIC_RELAXED);
    }
    if (random_below (4) != 0) {
        int64_t events = eddy_await_int (future, &error);
        ck_assert (events > 0 ||
                   eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED));
        eddy_clear_error (&error);
    }
    eddy_unref (future);
}

static int64_t actor_move (Actor *actor, EddyError **error)
{
    const Stream *stream = actor->stream;
    if (actor->in_runs)
        return actor->writes
                   ? eddy_fd_writev (stream->write_fd, actor->output, RUNS, -1, actor->own, error)
                   : eddy_fd_readv (stream->read_fd, actor->input, RUNS, -1, actor->own, error);
    return actor->writes
               ? eddy_fd_write (stream->write_fd, actor->buffer, actor->len, -1, actor->own, error)
               : eddy_fd_read (stream->read_fd, actor->buffer, actor->len, -1, actor->own, error);
}

static void *actor_fiber (void *data, EddyError **unused)
{
    Actor *actor = data;
    (void) unused;
    while (!is_enough ()) {
        EddyError *error = NULL;
        actor_begin (actor);
        if (actor->waits)
            actor_wait (actor);
        int64_t count = actor_move (actor, &error);
        actor_end (actor, count, error);
        if (actor->writes && random_below (4) != 0)
            eddy_fiber_yield ();
    }
    actor->over = true;
    return NULL;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Cancels from elsewhere, at moments of its own. */
static void *cancel_from_elsewhere (void *data)
{
    uint64_t state = *(uint64_t *) data;
    while (!__atomic_load_n (&stop_thread, __ATOMIC_ACQUIRE)) {
        struct timespec pause = { 0, (long) (random_of (&state) >> 20) % 100000 };
        for (uint64_t n = random_of (&state) >> 40 & 31; n > 0; n--)
            actor_cancel (&actors[(random_of (&state) >> 20) % ACTORS]);
        nanosleep (&pause, NULL);
    }
    return NULL;
}

static void stream_open (Stream *stream, int index)
{
    int fds[2];
    if (index % 2 == 0)
        ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    else
        ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    if (index % 4 == 0)
        fcntl (fds[1], F_SETPIPE_SZ, 4096);
    *stream = (Stream){ .read_fd = fds[0], .write_fd = fds[1] };
}

/* What nobody was told of must still be there. */
static void stream_close (Stream *stream)
{
    unsigned char byte;
    fcntl (stream->read_fd, F_SETFL, O_NONBLOCK);
    while (read (stream->read_fd, &byte, 1) == 1) {
        ck_assert_uint_eq (byte, stream_byte (stream, stream->received));
        stream->received++;
    }
    ck_assert_uint_eq (stream->received, stream->sent);
    ck_assert_uint_gt (stream->sent, 0);
    close (stream->read_fd);
    close (stream->write_fd);
}

static void actors_init (void)
{
    for (int i = 0; i < ACTORS; i++) {
        if (i % 2 == 0)
            stream_open (&streams[i / 2], i / 2);
        actors[i] = (Actor){ .stream = &streams[i / 2], .writes = i % 2 == 0 };
        actors[i].in_runs = i / 3 % 2 == 0; /* as many readers as writers, of every kind */
        actors[i].waits = i / 2 % 3 == 2;
    }
}

static void actors_start (void)
{
    for (int i = 0; i < ACTORS; i++) {
        if (i / 2 % 3 == 0)
            actor_next (&actors[i]);
        else
            eddy_spawn_detached (NULL, actor_fiber, &actors[i], NULL);
    }
}

/* When there were enough cancels, what is still under way is cancelled, too. */
static void actors_run (EddyContext *context)
{
    for (;;) {
        unsigned n_over = 0;
        for (int i = 0; i < ACTORS; i++) {
            n_over += actors[i].over;
            if (is_enough () && actors[i].own != NULL)
                eddy_cancellable_cancel (actors[i].own);
        }
        if (n_over == ACTORS)
            return;
        eddy_context_iteration (context, true);
    }
}

static void expect_both_outcomes (void)
{
    uint64_t n_operations = 0, n_cancelled = 0;
    for (int i = 0; i < ACTORS; i++) {
        n_operations += actors[i].n_operations;
        n_cancelled += actors[i].n_cancelled;
    }
    fprintf (stderr, "%llu cancels asked, %llu of %llu operations ended by one\n",
             (unsigned long long) n_asked, (unsigned long long) n_cancelled,
             (unsigned long long) n_operations);
    ck_assert_uint_gt (n_cancelled, n_operations / 10);
    ck_assert_uint_gt (n_operations - n_cancelled, n_operations / 10);
}

static uint64_t choose_seed (void)
{
    const char *given = getenv ("EDDY_TEST_SEED");
    uint64_t seed = 0;
    if (given != NULL)
        seed = strtoull (given, NULL, 0);
    else
        ck_assert_int_eq (getentropy (&seed, sizeof seed), 0);
    fprintf (stderr, "EDDY_TEST_SEED=%llu\n", (unsigned long long) seed);
    return seed != 0 ? seed : 1;
}

EDDY_TEST_TIMEOUT (a_million_cancels_against_data, 200)
{
    pthread_t thread;
    random_state = choose_seed ();
    uint64_t thread_state = random_state ^ 0x9e3779b97f4a7c15u;
    n_wanted = (uint64_t) eddy_test_reduced (1000000, 50000, "cancels against data");
    actors_init ();
    eddy_test_bounce_begin ();
    EddyContext *context = eddy_context_new ();
    ck_assert (eddy_context_push_thread_default (context));
    eddy_context_iteration (context, false);
    ck_assert_int_eq (pthread_create (&thread, NULL, cancel_from_elsewhere, &thread_state), 0);
    actors_start ();
    actors_run (context);
    __atomic_store_n (&stop_thread, true, __ATOMIC_RELEASE);
    pthread_join (thread, NULL);
    for (;;) { /* the fibers' ends, and waits that were dropped */
        EddyContextStatistics statistics;
        eddy_context_get_statistics (context, &statistics);
        if (statistics.live_operations == 0 && statistics.live_fibers == 0)
            break;
        eddy_context_iteration (context, true);
    }
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
    ck_assert_uint_gt (eddy_test_bounce_end (), n_wanted / 10);
    for (int i = 0; i < STREAMS; i++)
        stream_close (&streams[i]);
    expect_both_outcomes ();
}
