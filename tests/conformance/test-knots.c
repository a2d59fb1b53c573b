/* SPDX-License-Identifier: MIT */
/*
 * Planted deadlocks of other kinds than those of test-deadlock.c: a dump names them, and nothing
 * else; a cancel ends them.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"

enum { MOST = 3 };
static const int64_t hour_ns = INT64_C (3600000000000);

/* What the fibers of one test wait for. */
typedef struct Knot {
    EddyMutex *mutexes[MOST];
    EddyRWLock *locks[2];
    EddyChannel *channels[2];
    EddySemaphore *semaphore;
    EddyFuture *fibers[MOST];
    unsigned n_fibers;
} Knot;

typedef struct Strand {
    Knot *knot;
    unsigned index;
} Strand;

/* --- dumps ------------------------------------------------------------------------------------ */

static char text[1 << 16];

static void read_dump (EddyContext *context)
{
    EddyError *error = NULL;
    int fd = memfd_create ("dump", MFD_CLOEXEC);
    ck_assert_int_ge (fd, 0);
    ck_assert (eddy_context_dump (context, fd, &error));
    ssize_t len = pread (fd, text, sizeof text - 1, 0);
    ck_assert_int_gt (len, 0);
    text[len] = '\0';
    close (fd);
}

/* Whether a line tells of a deadlock, with each of these names in quotes. */
static bool line_has_all (const char *line, size_t len, const char *const *names, unsigned n_names)
{
    char copy[1024], quoted[80];
    snprintf (copy, sizeof copy, "%.*s", (int) len, line);
    if (strncmp (copy, "deadlock: ", 10) != 0)
        return false;
    for (unsigned i = 0; i < n_names; i++) {
        snprintf (quoted, sizeof quoted, "'%s'", names[i]);
        if (strstr (copy, quoted) == NULL)
            return false;
    }
    return true;
}

static bool dump_names (EddyContext *context, const char *const *names, unsigned n_names)
{
    read_dump (context);
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn (line, "\n");
        if (line_has_all (line, len, names, n_names))
            return true;
        line += len + (line[len] == '\n');
    }
    return false;
}

/* --- knots ------------------------------------------------------------------------------------ */

static void knot_begin (Knot *knot)
{
    *knot = (Knot){ .n_fibers = 0 };
    for (int i = 0; i < MOST; i++)
        knot->mutexes[i] = eddy_mutex_new ();
    for (int i = 0; i < 2; i++) {
        knot->locks[i] = eddy_rw_lock_new ();
        knot->channels[i] = eddy_channel_new (1, NULL);
    }
    knot->semaphore = eddy_semaphore_new (1);
}

static void knot_end (Knot *knot)
{
    for (unsigned i = 0; i < knot->n_fibers; i++)
        eddy_unref (knot->fibers[i]);
    for (int i = 0; i < MOST; i++)
        eddy_unref (knot->mutexes[i]);
    for (int i = 0; i < 2; i++) {
        eddy_unref (knot->locks[i]);
        eddy_unref (knot->channels[i]);
    }
    eddy_unref (knot->semaphore);
}

static const char *const strand_names[MOST] = { "red", "green", "blue" };

static void settle (EddyContext *context)
{
    for (int idle = 0; idle < 2; idle++)
        while (eddy_context_iteration (context, /* may_block= */ false))
            idle = 0;
}

/* By the cancel, or because another who was cancelled has given it what it waited for. */
static void expect_end (EddyContext *context, EddyFuture *fiber)
{
    EddyError *error = NULL;
    if (!eddy_block_on_complete (context, fiber, &error))
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
}

/* Runs the function in some fibers until nothing moves, and has them dumped; then cancels them. */
static void expect_in_dump (EddyFiberFunc function, unsigned n_fibers, bool deadlocked)
{
    EddyContext *context = eddy_test_context_begin ();
    Knot knot;
    Strand strands[MOST];
    knot_begin (&knot);
    for (unsigned i = 0; i < n_fibers; i++) {
        EddyFiberOptions options = { .name = strand_names[i] };
        strands[i] = (Strand){ &knot, i };
        knot.fibers[i] =
            eddy_spawn_full (context, function, &strands[i], NULL, &options, EDDY_PLACE);
        knot.n_fibers++;
    }
    settle (context);
    if (dump_names (context, strand_names, deadlocked ? n_fibers : 0) != deadlocked)
        ck_abort_msg ("a deadlock was %s in:\n%s", deadlocked ? "expected" : "told", text);
    for (unsigned i = 0; i < n_fibers; i++)
        eddy_future_cancel (knot.fibers[i]);
    for (unsigned i = 0; i < n_fibers; i++)
        expect_end (context, knot.fibers[i]);
    ck_assert (!dump_names (context, NULL, 0));
    knot_end (&knot);
    eddy_test_context_end (context);
}

/* --- mutexes ---------------------------------------------------------------------------------- */

/* Each has the one, and waits for the next. */
static void *lock_in_a_ring (void *data, EddyError **error)
{
    Strand *strand = data;
    EddyMutex *own = strand->knot->mutexes[strand->index];
    EddyMutex *next = strand->knot->mutexes[(strand->index + 1) % strand->knot->n_fibers];
    ck_assert (eddy_mutex_lock (own, NULL, error));
    eddy_fiber_yield ();
    if (eddy_mutex_lock (next, NULL, error))
        eddy_mutex_unlock (next);
    eddy_mutex_unlock (own);
    return NULL;
}

EDDY_TEST (D_deadlock_of_three_mutexes)
{
    expect_in_dump (lock_in_a_ring, 3, true);
}

EDDY_TEST (D_deadlock_of_a_mutex_locked_twice)
{
    expect_in_dump (lock_in_a_ring, 1, true);
}

/* Who holds it sleeps: he will go on. */
static void *lock_and_sleep (void *data, EddyError **error)
{
    Strand *strand = data;
    if (!eddy_mutex_lock (strand->knot->mutexes[0], NULL, error))
        return NULL;
    eddy_fiber_sleep (hour_ns, error);
    eddy_mutex_unlock (strand->knot->mutexes[0]);
    return NULL;
}

EDDY_TEST (D_deadlock_is_none_where_the_holder_sleeps)
{
    expect_in_dump (lock_and_sleep, 3, false);
}

/* --- other locks ------------------------------------------------------------------------------ */

/* Each writes the one, and wants to read the other. */
static void *write_and_read (void *data, EddyError **error)
{
    Strand *strand = data;
    EddyRWLock *own = strand->knot->locks[strand->index];
    EddyRWLock *other = strand->knot->locks[1 - strand->index];
    ck_assert (eddy_rw_lock_writer_lock (own, NULL, error));
    eddy_fiber_yield ();
    if (eddy_rw_lock_reader_lock (other, NULL, error))
        eddy_rw_lock_reader_unlock (other);
    eddy_rw_lock_writer_unlock (own);
    return NULL;
}

EDDY_TEST (D_deadlock_of_writers_and_readers)
{
    expect_in_dump (write_and_read, 2, true);
}

/* Anybody may release it. */
static void *acquire (void *data, EddyError **error)
{
    Strand *strand = data;
    for (int i = 0; i < 2; i++)
        if (!eddy_semaphore_acquire (strand->knot->semaphore, 1, NULL, error))
            break;
    return NULL;
}

EDDY_TEST (D_deadlock_is_none_where_anybody_may_release)
{
    expect_in_dump (acquire, 2, false);
}

/* --- joins ------------------------------------------------------------------------------------ */

static void *await_the_next (void *data, EddyError **error)
{
    Strand *strand = data;
    eddy_await_complete (strand->knot->fibers[(strand->index + 1) % strand->knot->n_fibers], error);
    return NULL;
}

EDDY_TEST (D_deadlock_of_a_fiber_that_joins_itself)
{
    expect_in_dump (await_the_next, 1, true);
}

/* One awaits the other, which wants what the one has. */
static void *await_or_lock (void *data, EddyError **error)
{
    Strand *strand = data;
    EddyMutex *mutex = strand->knot->mutexes[0];
    if (strand->index == 0)
        ck_assert (eddy_mutex_lock (mutex, NULL, error));
    if (strand->index == 0)
        eddy_await_complete (strand->knot->fibers[1], error);
    else
        eddy_mutex_lock (mutex, NULL, error);
    if (strand->index == 0 || *error == NULL)
        eddy_mutex_unlock (mutex);
    return NULL;
}

EDDY_TEST (D_deadlock_of_a_join_and_a_mutex)
{
    expect_in_dump (await_or_lock, 2, true);
}

/* --- groups ----------------------------------------------------------------------------------- */

static void *do_nothing (void *data, EddyError **error)
{
    (void) error;
    return data;
}

/* A child waits for room in its own group, which is full of itself. */
static void *spawn_a_sibling (void *data, EddyError **error)
{
    return eddy_group_spawn (data, do_nothing, NULL, NULL, error) ? data : NULL;
}

static void *fill_a_group (void *data, EddyError **error)
{
    EddyFiberOptions options = { .name = "red" };
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    (void) data;
    eddy_group_set_limit (group, 1);
    ck_assert (
        eddy_group_spawn_full (group, spawn_a_sibling, group, NULL, &options, EDDY_PLACE, error));
    eddy_group_wait (group, error);
    if (*error == NULL)
        eddy_cancellable_set_error_if_cancelled (eddy_fiber_get_cancellable (), error);
    return NULL;
}

EDDY_TEST (D_deadlock_of_a_full_group)
{
    expect_in_dump (fill_a_group, 1, true);
}

/* --- channels --------------------------------------------------------------------------------- */

/* The only one known to send to it sleeps. */
static void *talk_and_sleep (void *data, EddyError **error)
{
    Strand *strand = data;
    if (strand->index == 0) {
        if (eddy_channel_send (strand->knot->channels[0], strand, NULL, error))
            eddy_fiber_sleep (hour_ns, error);
        return NULL;
    }
    while (eddy_channel_receive (strand->knot->channels[0], NULL, error) != NULL)
        ;
    return NULL;
}

EDDY_TEST (D_deadlock_is_none_where_a_sender_sleeps)
{
    expect_in_dump (talk_and_sleep, 3, false);
}
