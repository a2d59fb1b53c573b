/* SPDX-License-Identifier: MIT */
/* Sources that watch fds. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#include "loop.h"

/* A source of a program's own, with tags of two fds, that tells what it saw. */
typedef struct Watcher {
    void *tags[2];
    unsigned seen[2];
    int dispatches;
} Watcher;

static bool watcher_dispatch (EddySource *source, EddySourceFunc callback, void *data)
{
    Watcher *watcher = eddy_source_get_data (source);
    (void) callback, (void) data;
    watcher->dispatches++;
    for (int i = 0; i < 2; i++)
        watcher->seen[i] =
            watcher->tags[i] == NULL ? 0 : eddy_source_query_fd (source, watcher->tags[i]);
    return EDDY_SOURCE_CONTINUE;
}

static const EddySourceFuncs watcher_funcs = { .dispatch = watcher_dispatch };

static EddySource *watcher_attach (EddyContext *context, Watcher **watcher)
{
    EddySource *source = eddy_source_new (&watcher_funcs, sizeof (Watcher));
    *watcher = eddy_source_get_data (source);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    return source;
}

typedef struct Pipes {
    int read[2];
    int write[2];
} Pipes;

static void pipes_open (Pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        int ends[2];
        ck_assert_int_eq (pipe (ends), 0);
        pipes->read[i] = ends[0];
        pipes->write[i] = ends[1];
    }
}

static void pipes_close (Pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        close (pipes->read[i]);
        close (pipes->write[i]);
    }
}

static void put (int fd)
{
    ck_assert_int_eq (write (fd, "x", 1), 1);
}

static void take (int fd)
{
    char byte;
    ck_assert_int_eq (read (fd, &byte, 1), 1);
}

/* --- L47: fds of a source --------------------------------------------------------------------- */

EDDY_TEST (L47_source_watches_several_fds)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipes pipes;
    Watcher *watcher;
    pipes_open (&pipes);
    EddySource *source = watcher_attach (context, &watcher);
    for (int i = 0; i < 2; i++) {
        watcher->tags[i] = eddy_source_add_fd (source, pipes.read[i], POLLIN);
        ck_assert_ptr_nonnull (watcher->tags[i]);
    }
    ck_assert (!eddy_context_iteration (context, false));
    put (pipes.write[1]);
    while (watcher->dispatches == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (watcher->seen[0], 0);
    ck_assert_uint_eq (watcher->seen[1], POLLIN);
    /* As long as it is not read it is ready, and so is what comes besides. */
    put (pipes.write[0]);
    while (watcher->seen[0] == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (watcher->seen[0], POLLIN);
    ck_assert_uint_eq (watcher->seen[1], POLLIN);
    take (pipes.read[0]);
    take (pipes.read[1]);
    loop_drain (context);
    int dispatches = watcher->dispatches;
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (watcher->dispatches, dispatches);
    loop_drop (source);
    pipes_close (&pipes);
    eddy_test_context_end (context);
}

EDDY_TEST (L47_fds_before_the_attach)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipes pipes;
    pipes_open (&pipes);
    EddySource *source = eddy_source_new (&watcher_funcs, sizeof (Watcher));
    Watcher *watcher = eddy_source_get_data (source);
    watcher->tags[0] = eddy_source_add_fd (source, pipes.read[0], POLLIN);
    void *removed = eddy_source_add_fd (source, pipes.read[1], POLLIN);
    eddy_source_remove_fd (source, removed);
    put (pipes.write[1]);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    ck_assert (!eddy_context_iteration (context, false));
    put (pipes.write[0]);
    while (watcher->dispatches == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (watcher->seen[0], POLLIN);
    loop_drop (source);
    pipes_close (&pipes);
    eddy_test_context_end (context);
}

EDDY_TEST (L47_fd_is_changed_while_attached)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    Watcher *watcher;
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), 0);
    EddySource *source = watcher_attach (context, &watcher);
    watcher->tags[0] = eddy_source_add_fd (source, ends[0], 0);
    put (ends[1]);
    for (int i = 0; i < 3; i++)
        ck_assert (!eddy_context_iteration (context, false));
    eddy_source_modify_fd (source, watcher->tags[0], POLLIN);
    while (watcher->dispatches == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (watcher->seen[0], POLLIN);
    eddy_source_modify_fd (source, watcher->tags[0], POLLIN | POLLOUT);
    while (watcher->seen[0] != (POLLIN | POLLOUT))
        ck_assert (eddy_context_iteration (context, true));
    eddy_source_modify_fd (source, watcher->tags[0], POLLOUT);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_uint_eq (watcher->seen[0], POLLOUT);
    eddy_source_modify_fd (source, watcher->tags[0], 0);
    int dispatches = watcher->dispatches;
    for (int i = 0; i < 3; i++)
        ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (watcher->dispatches, dispatches);
    loop_drop (source);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (L47_removed_fd_is_watched_no_more)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipes pipes;
    Watcher *watcher;
    pipes_open (&pipes);
    EddySource *source = watcher_attach (context, &watcher);
    for (int i = 0; i < 2; i++)
        watcher->tags[i] = eddy_source_add_fd (source, pipes.read[i], POLLIN);
    ck_assert (!eddy_context_iteration (context, false));
    put (pipes.write[0]);
    eddy_source_remove_fd (source, watcher->tags[0]);
    watcher->tags[0] = NULL;
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert (!eddy_context_iteration (context, false));
    /* The fd may be closed now, and its number belong to somebody else. */
    close (pipes.read[0]);
    pipes.read[0] = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert (!eddy_context_iteration (context, false));
    put (pipes.write[1]);
    while (watcher->dispatches == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (watcher->seen[1], POLLIN);
    loop_drop (source);
    pipes_close (&pipes);
    eddy_test_context_end (context);
}

EDDY_TEST (L47_hangup_is_reported_unasked)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipes pipes;
    Watcher *watcher;
    pipes_open (&pipes);
    EddySource *source = watcher_attach (context, &watcher);
    watcher->tags[0] = eddy_source_add_fd (source, pipes.read[0], 0);
    watcher->tags[1] = eddy_source_add_fd (source, pipes.write[1], 0);
    ck_assert (!eddy_context_iteration (context, false));
    close (pipes.write[0]);
    while (watcher->seen[0] == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (watcher->seen[0], POLLHUP);
    ck_assert_uint_eq (watcher->seen[1], 0);
    close (pipes.read[1]);
    while (watcher->seen[1] == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (watcher->seen[1], POLLERR);
    loop_drop (source);
    close (pipes.read[0]);
    close (pipes.write[1]);
    eddy_test_context_end (context);
}

static bool note_events (int fd, unsigned events, void *seen)
{
    (void) fd;
    *(unsigned *) seen |= events;
    return EDDY_SOURCE_REMOVE;
}

static EddySource *attach_fd (int fd, unsigned wanted, unsigned *seen)
{
    return loop_attach (eddy_fd_source_new (fd, wanted), 0, EDDY_SOURCE_FUNC (note_events), seen);
}

EDDY_TEST (L47_bad_fd_is_reported)
{
    EddyContext *context = eddy_test_context_begin ();
    unsigned seen = 0;
    /* So far up that nobody else gets the number meanwhile. */
    int fd = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 500);
    ck_assert_int_ge (fd, 500);
    close (fd);
    EddySource *source = attach_fd (fd, POLLIN, &seen);
    while (seen == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (seen, POLLNVAL);
    ck_assert (eddy_source_is_destroyed (source));
    loop_drop (source);
    eddy_test_context_end (context);
}

/* --- L48: several watches of one fd ----------------------------------------------------------- */

typedef struct Seen {
    unsigned events;
    int calls;
} Seen;

static bool note_seen (int fd, unsigned events, void *data)
{
    Seen *seen = data;
    (void) fd;
    seen->events |= events;
    seen->calls++;
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L48_each_watch_sees_what_it_asked_for)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    const unsigned wanted[] = { POLLIN, POLLOUT, POLLIN | POLLOUT, POLLIN };
    EddySource *sources[4];
    Seen seen[4] = { { 0 } };
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), 0);
    put (ends[1]);
    for (int i = 0; i < 4; i++)
        sources[i] = loop_attach (eddy_fd_source_new (ends[0], wanted[i]), 0,
                                  EDDY_SOURCE_FUNC (note_seen), &seen[i]);
    for (int i = 0; i < 4; i++)
        while (seen[i].events != wanted[i])
            eddy_context_iteration (context, true);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq (seen[i].events, wanted[i]);
    /* With one of them gone the others go on. */
    eddy_source_destroy (sources[0]);
    int calls = seen[0].calls;
    seen[3] = (Seen){ 0 };
    while (seen[3].calls < 3)
        eddy_context_iteration (context, true);
    ck_assert_int_eq (seen[0].calls, calls);
    ck_assert_uint_eq (seen[3].events, POLLIN);
    eddy_source_destroy (sources[1]);
    eddy_source_destroy (sources[2]);
    take (ends[0]);
    loop_drain (context);
    calls = seen[3].calls;
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (seen[3].calls, calls);
    put (ends[1]);
    while (seen[3].calls == calls)
        eddy_context_iteration (context, true);
    loop_drop (sources[3]);
    for (int i = 0; i < 3; i++)
        eddy_unref (sources[i]);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (L48_hangup_reaches_every_watch)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    unsigned seen[3] = { 0 };
    EddySource *sources[3];
    ck_assert_int_eq (pipe (ends), 0);
    sources[0] = attach_fd (ends[0], POLLIN, &seen[0]);
    sources[1] = attach_fd (ends[0], 0, &seen[1]);
    sources[2] = attach_fd (ends[0], POLLPRI, &seen[2]);
    ck_assert (!eddy_context_iteration (context, false));
    close (ends[1]);
    for (int i = 0; i < 3; i++) {
        while (seen[i] == 0)
            eddy_context_iteration (context, true);
        ck_assert_uint_eq (seen[i], POLLHUP);
        loop_drop (sources[i]);
    }
    close (ends[0]);
    eddy_test_context_end (context);
}

EDDY_TEST (L48_context_shows_one_fd)
{
    enum { N = 50 };
    EddyContext *context = eddy_test_context_begin ();
    EddySource *sources[N];
    unsigned seen = 0;
    int ends[2], priority;
    struct pollfd fds[4] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
    int64_t timeout_ns;
    ck_assert_int_eq (pipe (ends), 0);
    for (int i = 0; i < N; i++)
        sources[i] = attach_fd (ends[0], POLLIN, &seen);
    eddy_context_prepare (context, &priority);
    ck_assert_int_eq (eddy_context_query (context, INT_MAX, &timeout_ns, fds, 4), 1);
    ck_assert_int_ge (fds[0].fd, 0);
    ck_assert_int_ne (fds[0].fd, ends[0]);
    ck_assert_int_eq (fds[1].fd, -1);
    for (int i = 0; i < N; i++)
        loop_drop (sources[i]);
    eddy_context_iteration (context, false);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

/* --- L49: what is always ready ---------------------------------------------------------------- */

static void expect_ready (EddyContext *context, int fd, unsigned wanted)
{
    Seen seen = { 0 };
    ck_assert_int_ge (fd, 0);
    EddySource *source =
        loop_attach (eddy_fd_source_new (fd, wanted), 0, EDDY_SOURCE_FUNC (note_seen), &seen);
    while (seen.calls < 3)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (seen.events, wanted);
    loop_drop (source);
    close (fd);
}

EDDY_TEST (L49_regular_file_and_dev_null_are_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    const char *path = eddy_test_path ("file");
    expect_ready (context, open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), POLLIN);
    expect_ready (context, open (path, O_RDWR | O_CLOEXEC), POLLIN | POLLOUT);
    expect_ready (context, open ("/dev/null", O_RDWR | O_CLOEXEC), POLLIN);
    expect_ready (context, open ("/dev/null", O_RDWR | O_CLOEXEC), POLLOUT);
    eddy_test_context_end (context);
}
