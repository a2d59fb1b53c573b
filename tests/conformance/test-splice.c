/* SPDX-License-Identifier: MIT */
/*
 * Splices between every two kinds of ends, whole, cancelled and failing: what is counted has
 * arrived.
 */
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "splice.h"

enum { BULK = 700000 };

typedef struct SpliceRun {
    SpliceEndpoint source;
    SpliceEndpoint target;
    EddyCancellable *cancellable;
    size_t count;
    bool done;
    EddyError *error;
    char *rest; /* what the source still has */
    size_t left;
} SpliceRun;

static void run_init (SpliceRun *run, EndKind from, EndKind to, size_t size)
{
    *run = (SpliceRun){ .count = 99 };
    source_init (&run->source, from, size);
    target_init (&run->target, to, size);
}

static void run_clear (SpliceRun *run)
{
    end_clear (&run->source);
    end_clear (&run->target);
    eddy_clear (&run->cancellable);
}

static void *run_splice (void *data, EddyError **error)
{
    SpliceRun *run = data;
    (void) error;
    run->done = eddy_output_stream_splice (run->target.output, run->source.input,
                                           EDDY_OUTPUT_STREAM_SPLICE_NONE, &run->count,
                                           run->cancellable, &run->error);
    /* So that whoever drains it finds an end. */
    ck_assert (!eddy_output_stream_has_pending (run->target.output));
    if (run->target.kind != END_MEMORY)
        ck_assert (eddy_output_stream_close (run->target.output, NULL, NULL));
    return NULL;
}

static void run_fibers (EddyContext *context, SpliceRun *run)
{
    EddyFuture *fibers[] = { eddy_spawn (context, target_drain, &run->target, NULL),
                             eddy_spawn (context, source_feed, &run->source, NULL),
                             eddy_spawn (context, run_splice, run, NULL) };
    for (int i = 2; i >= 0; i--) {
        EddyError *error = NULL;
        ck_assert (eddy_block_on_complete (context, fibers[i], &error));
        eddy_unref (fibers[i]);
        if (i == 2) /* whoever still feeds it is told */
            eddy_clear (&run->source.input);
    }
}

EDDY_TEST_TIMEOUT (S23_splices_between_all_kinds, 60)
{
    EddyContext *context = eddy_test_context_begin ();
    for (EndKind from = 0; from < END_KINDS; from++)
        for (EndKind to = 0; to < END_KINDS; to++) {
            SpliceRun run;
            run_init (&run, from, to, BULK);
            run_fibers (context, &run);
            ck_assert_msg (run.done, "from %s to %s: %s", end_names[from], end_names[to],
                           run.error == NULL ? "?" : eddy_error_get_message (run.error));
            ck_assert_uint_eq (run.count, BULK);
            target_expect (&run.target, BULK);
            run_clear (&run);
        }
    eddy_test_context_end (context);
}

/* In a plain thread, with no context anywhere near. */
EDDY_TEST (S23_splices_in_a_plain_thread)
{
    static const EndKind kinds[] = { END_MEMORY, END_FILE, END_APPENDED_FILE };
    for (size_t from = 0; from < 3; from++)
        for (size_t to = 0; to < 3; to++) {
            SpliceRun run;
            EddyError *error = NULL;
            run_init (&run, kinds[from], kinds[to], BULK);
            run_splice (&run, &error);
            ck_assert (run.done);
            ck_assert_uint_eq (run.count, BULK);
            target_expect (&run.target, BULK);
            run_clear (&run);
        }
}

/* An empty source, and one that ends at once. */
EDDY_TEST (S23_splices_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    for (EndKind from = 0; from < END_KINDS; from++) {
        SpliceRun run;
        run_init (&run, from, END_PIPE, 0);
        run_fibers (context, &run);
        ck_assert (run.done);
        ck_assert_uint_eq (run.count, 0);
        run_clear (&run);
    }
    eddy_test_context_end (context);
}

/* A file that has more than its size says. */
static void *splice_of_system (void *data, EddyError **error)
{
    static const EndKind kinds[] = { END_FILE, END_PIPE, END_MEMORY };
    for (size_t i = 0; i < 3; i++) {
        SpliceEndpoint target;
        EDDY_AUTO (EddyInputStream)
        source = eddy_fd_input_stream_new (open ("/proc/self/limits", O_RDONLY | O_CLOEXEC), true);
        target_init (&target, kinds[i], 0);
        size_t count;
        ck_assert (eddy_output_stream_splice (target.output, source, 0, &count, NULL, error));
        ck_assert_uint_gt (count, 100);
        end_clear (&target);
    }
    /* The name of this thread: a file beside the other, so that the kernel might copy it. */
    EDDY_AUTO (EddyInputStream)
    source = eddy_fd_input_stream_new (open ("/proc/self/limits", O_RDONLY | O_CLOEXEC), true);
    EDDY_AUTO (EddyOutputStream)
    target = eddy_fd_output_stream_new (open ("/proc/self/comm", O_WRONLY | O_CLOEXEC), true);
    size_t count;
    ck_assert (eddy_output_stream_splice (target, source, 0, &count, NULL, error));
    ck_assert_uint_gt (count, 100);
    return data;
}

EDDY_TEST (S23_splices_what_tells_no_size)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    (void) splice_of_system (NULL, &error);
    eddy_test_run_fiber (context, splice_of_system, NULL);
    eddy_test_context_end (context);
}

/* --- cancelled ------------------------------------------------------------------------------- */

/* Cancels when so much has arrived. */
static void *run_cancel (void *data, EddyError **error)
{
    SpliceRun *run = data;
    while (run->target.count < BULK / 3)
        if (!eddy_fiber_sleep (100000, error))
            return NULL;
    eddy_cancellable_cancel (run->cancellable);
    return NULL;
}

/* How many bytes the message says are lost. */
static size_t run_get_lost (const SpliceRun *run)
{
    const char *message = eddy_error_get_message (run->error);
    return strstr (message, " bytes of ") == NULL ? 0 : strtoul (message, NULL, 10);
}

/* What the splice has left of its source. */
static void *run_read_rest (void *data, EddyError **error)
{
    SpliceRun *run = data;
    run->rest = malloc (BULK);
    ck_assert (
        eddy_input_stream_read_all (run->source.input, run->rest, BULK, &run->left, NULL, error));
    return NULL;
}

/* What was counted has arrived; what has left the source was counted, is lost and told, or is still
 * there. */
static void expect_exact (EddyContext *context, EndKind from, EndKind to)
{
    SpliceRun run;
    run_init (&run, from, to, BULK);
    run.cancellable = eddy_cancellable_new ();
    EddyFuture *fibers[] = { eddy_spawn (context, target_drain, &run.target, NULL),
                             eddy_spawn (context, source_feed, &run.source, NULL),
                             eddy_spawn (context, run_cancel, &run, NULL),
                             eddy_spawn (context, run_splice, &run, NULL) };
    ck_assert (eddy_block_on_complete (context, fibers[3], NULL));
    size_t lost = 0;
    if (run.done) { /* as fast as that */
        ck_assert_uint_eq (run.count, BULK);
    } else {
        ck_assert (eddy_error_is_cancelled (run.error));
        lost = run_get_lost (&run);
    }
    eddy_test_run_fiber (context, run_read_rest, &run);
    for (int i = 0; i < 4; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], NULL));
        eddy_unref (fibers[i]);
    }
    target_expect (&run.target, run.count);
    ck_assert_uint_eq (run.count + lost + run.left, BULK);
    stream_expect (run.rest, run.left, run.count + lost);
    if (from == END_FILE || from == END_PIPE)
        ck_assert (lost == 0 || to == END_BLOCKING_SOCKET);
    free (run.rest);
    eddy_clear_error (&run.error);
    run_clear (&run);
}

EDDY_TEST_TIMEOUT (S25_cancelled_splices_tell_what_has_moved, 60)
{
    static const EndKind sources[] = { END_PIPE, END_SOCKET, END_BLOCKING_SOCKET, END_TCP,
                                       END_FILE };
    static const EndKind targets[] = { END_PIPE, END_SOCKET, END_BLOCKING_SOCKET, END_TCP };
    EddyContext *context = eddy_test_context_begin ();
    for (size_t from = 0; from < sizeof sources / sizeof sources[0]; from++)
        for (size_t to = 0; to < sizeof targets / sizeof targets[0]; to++)
            expect_exact (context, sources[from], targets[to]);
    eddy_test_context_end (context);
}

/* Nobody reads the target: a cancel ends the splice, which waits. */
static void *splice_full (void *data, EddyError **error)
{
    run_splice (data, error);
    return NULL;
}

static void *cancel_soon (void *data, EddyError **error)
{
    if (eddy_fiber_sleep (20000000, error))
        eddy_cancellable_cancel (data);
    return NULL;
}

EDDY_TEST (S24_splice_that_waits_is_cancelled)
{
    static const EndKind kinds[] = { END_PIPE, END_SOCKET, END_BLOCKING_SOCKET, END_TCP };
    EddyContext *context = eddy_test_context_begin ();
    for (size_t i = 0; i < 4; i++) {
        SpliceRun run;
        enum { MUCH = 20000000 };
        run_init (&run, END_MEMORY, kinds[i], MUCH);
        run.cancellable = eddy_cancellable_new ();
        EddyFuture *fiber = eddy_spawn (context, splice_full, &run, NULL);
        EddyFuture *killer = eddy_spawn (context, cancel_soon, run.cancellable, NULL);
        ck_assert (eddy_block_on_complete (context, fiber, NULL));
        ck_assert (eddy_block_on_complete (context, killer, NULL));
        ck_assert (!run.done && run.count > 0 && run.count < MUCH);
        eddy_test_expect_error (&run.error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (fiber);
        eddy_unref (killer);
        target_drain (&run.target, &run.error);
        target_expect (&run.target, run.count);
        run_clear (&run);
    }
    eddy_test_context_end (context);
}

/* --- failing --------------------------------------------------------------------------------- */

/* A target whose reader goes in the midst: an error, and no signal. */
static void *reader_that_goes (void *data, EddyError **error)
{
    SpliceEndpoint *end = data;
    while (end->count < 100000) {
        ssize_t count = eddy_fd_read (end->fd, end->bytes + end->count, 5000, -1, NULL, error);
        ck_assert_int_gt (count, 0);
        end->count += (size_t) count;
    }
    close (end->fd);
    end->fd = -1;
    return NULL;
}

EDDY_TEST (S25_splice_to_a_reader_that_goes)
{
    EddyContext *context = eddy_test_context_begin ();
    for (EndKind from = 0; from < END_KINDS; from++)
        for (EndKind to = END_PIPE; to <= END_TCP; to++) {
            SpliceRun run;
            run_init (&run, from, to, 4 * BULK);
            EddyFuture *fibers[] = { eddy_spawn (context, reader_that_goes, &run.target, NULL),
                                     eddy_spawn (context, source_feed, &run.source, NULL),
                                     eddy_spawn (context, run_splice, &run, NULL) };
            for (int i = 2; i >= 0; i--) {
                ck_assert (eddy_block_on_complete (context, fibers[i], NULL));
                eddy_unref (fibers[i]);
                if (i == 2)
                    eddy_clear (&run.source.input);
            }
            ck_assert (!run.done);
            ck_assert_uint_ge (run.count, 100000);
            ck_assert_uint_lt (run.count, 4 * BULK);
            /* Reset, where it was TCP and not everything had been read. */
            ck_assert_msg (
                eddy_error_matches (run.error, EDDY_IO_ERROR, EDDY_IO_ERROR_BROKEN_PIPE) ||
                    eddy_error_get_errno (run.error) == ECONNRESET,
                "%s", eddy_error_get_message (run.error));
            eddy_clear_error (&run.error);
            stream_expect (run.target.bytes, run.target.count, 0);
            run_clear (&run);
        }
    eddy_test_context_end (context);
}

/* --- a position ------------------------------------------------------------------------------- */

/* From where a file's stream is, to where the other one is; both are further on afterwards. */
EDDY_TEST (S23_splice_moves_positions)
{
    for (EndKind to = END_PIPE; to < END_KINDS; to++) {
        SpliceRun run;
        char buffer[8];
        run_init (&run, END_FILE, to, 10000);
        EddyError *error = NULL;
        ck_assert_int_eq (eddy_input_stream_skip (run.source.input, 1000, NULL, &error), 1000);
        int fd = eddy_fd_input_stream_get_fd (run.source.input);
        ck_assert (eddy_output_stream_splice (run.target.output, run.source.input, 0, &run.count,
                                              NULL, &error));
        ck_assert_uint_eq (run.count, 9000);
        ck_assert_int_eq (lseek (fd, 0, SEEK_CUR), 10000);
        ck_assert_int_eq (eddy_output_stream_write (run.target.output, "end", 3, NULL, &error), 3);
        ck_assert (eddy_output_stream_close (run.target.output, NULL, &error));
        run.target.size = 9003;
        target_drain (&run.target, &error);
        if (end_is_file (&run.target))
            run.target.count = (size_t) pread (run.target.fd, run.target.bytes, 10000, 0);
        ck_assert_uint_eq (run.target.count, 9003);
        stream_expect (run.target.bytes, 9000, 1000);
        memcpy (buffer, run.target.bytes + 9000, 3);
        ck_assert_mem_eq (buffer, "end", 3);
        run_clear (&run);
    }
}

/* --- between sockets -------------------------------------------------------------------------- */

enum { SMALL = 700, LARGE = 300000 };

typedef struct Talk {
    EndKind kind;
    size_t n_pipes[4]; /* while nothing goes through: at first, and after each part */
    EddyError *error;
} Talk;

static size_t count_pipes (void)
{
    struct stat info;
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fstat (fd, &info) == 0 && S_ISFIFO (info.st_mode);
    return count;
}

/* Sends one after the other, each when the one before has arrived. */
static void talk_send (EddyFuture *splice, int from, int to, size_t size, int times)
{
    char *sent = malloc (size), *received = malloc (size);
    for (int i = 0; i < times; i++) {
        memset (sent, 'a' + i, size);
        size_t n_sent = 0, n_received = 0;
        while (n_received < size) {
            ssize_t count = send (from, sent + n_sent, size - n_sent, MSG_DONTWAIT);
            n_sent += count > 0 ? (size_t) count : 0;
            count = recv (to, received + n_received, size - n_received, MSG_DONTWAIT);
            n_received += count > 0 ? (size_t) count : 0;
            ck_assert (eddy_fiber_sleep (0, NULL) && !eddy_future_is_complete (splice));
        }
        ck_assert_mem_eq (sent, received, size);
    }
    free (sent);
    free (received);
}

static void *talk_splice (void *data, EddyError **error)
{
    EddyIOStream *const *ends = data;
    (void) eddy_output_stream_splice (eddy_io_stream_get_output_stream (ends[1]),
                                      eddy_io_stream_get_input_stream (ends[0]),
                                      EDDY_OUTPUT_STREAM_SPLICE_NONE, NULL, NULL, error);
    return NULL;
}

/* It takes no piece of these tests at once. */
static EddyIOStream *talk_open (EndKind kind, int *other)
{
    const int size = 4096;
    int fds[2];
    end_open (kind, fds, 0, NULL);
    ck_assert_int_eq (setsockopt (fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    ck_assert_int_eq (fcntl (fds[0], F_SETFL, O_NONBLOCK), 0);
    *other = fds[1];
    EDDY_AUTO (EddyInputStream) input = eddy_fd_input_stream_new (fds[0], /* close_fd= */ true);
    EDDY_AUTO (EddyOutputStream) output = eddy_fd_output_stream_new (dup (fds[0]), true);
    return eddy_simple_io_stream_new (input, output);
}

static void *talk_run (void *data, EddyError **error)
{
    Talk *talk = data;
    int from, to;
    EddyIOStream *ends[2] = { talk_open (talk->kind, &from), talk_open (talk->kind, &to) };
    EDDY_AUTO (EddyFuture) splice = eddy_spawn_local (talk_splice, ends, NULL);
    talk->n_pipes[0] = count_pipes ();
    talk_send (splice, from, to, SMALL, 5);
    talk->n_pipes[1] = count_pipes ();
    talk_send (splice, from, to, LARGE, 5);
    talk_send (splice, from, to, SMALL, 10);
    talk->n_pipes[2] = count_pipes ();
    close (from);
    ck_assert (eddy_await_complete (splice, error));
    talk->n_pipes[3] = count_pipes ();
    close (to);
    for (int i = 0; i < 2; i++) {
        ck_assert (eddy_io_stream_close (ends[i], NULL,
                                         error)); /* now, not by a worker: who counts looks */
        eddy_unref (ends[i]);
    }
    return NULL;
}

EDDY_TEST (D_splice_between_sockets_that_wait_has_no_pipe)
{
    static const EndKind kinds[] = { END_SOCKET, END_TCP };
    EddyContext *context = eddy_test_context_begin ();
    for (size_t i = 0; i < 2; i++) {
        Talk talk = { .kind = kinds[i] };
        eddy_test_run_fiber (context, talk_run, &talk);
        for (int j = 1; j < 4; j++)
            ck_assert_uint_eq (talk.n_pipes[j], talk.n_pipes[0]);
    }
    eddy_test_context_end (context);
}

/* Whether all that was sent has been taken, soon. */
static bool talk_is_taken (int from)
{
    int left = 1;
    for (int i = 0; i < 100 && left > 0; i++) {
        ck_assert_int_eq (ioctl (from, SIOCOUTQ, &left), 0);
        ck_assert (eddy_fiber_sleep (100000, NULL));
    }
    return left == 0;
}

/* Nobody reads, until a piece finds room for a part of it only. */
static void *talk_fill (void *data, EddyError **error)
{
    enum { PIECE = 20011, PIECES = 200 };
    Talk *talk = data;
    int from, to;
    EddyIOStream *ends[2] = { talk_open (talk->kind, &from), talk_open (talk->kind, &to) };
    EDDY_AUTO (EddyFuture) splice = eddy_spawn_local (talk_splice, ends, NULL);
    char piece[PIECE], buffer[4096];
    size_t n_sent = 0, n_received = 0;
    do {
        for (size_t i = 0; i < PIECE; i++)
            piece[i] = (char) ((n_sent + i) % 251);
        ck_assert_int_eq (send (from, piece, PIECE, MSG_DONTWAIT), PIECE);
        n_sent += PIECE;
    } while (talk_is_taken (from) && n_sent < (size_t) PIECE * PIECES);
    while (n_received < n_sent) {
        ssize_t count = recv (to, buffer, sizeof buffer, MSG_DONTWAIT);
        for (ssize_t i = 0; i < count; i++)
            ck_assert_int_eq (buffer[i], (char) ((n_received + (size_t) i) % 251));
        n_received += count > 0 ? (size_t) count : 0;
        ck_assert (count > 0 || (eddy_fiber_sleep (0, NULL) && !eddy_future_is_complete (splice)));
    }
    close (from);
    ck_assert (eddy_await_complete (splice, error));
    close (to);
    eddy_unref (ends[0]);
    eddy_unref (ends[1]);
    return NULL;
}

EDDY_TEST (D_splice_between_sockets_keeps_what_is_not_taken_at_once)
{
    static const EndKind kinds[] = { END_SOCKET, END_TCP };
    EddyContext *context = eddy_test_context_begin ();
    for (size_t i = 0; i < 2; i++) {
        Talk talk = { .kind = kinds[i] };
        eddy_test_run_fiber (context, talk_fill, &talk);
    }
    eddy_test_context_end (context);
}
