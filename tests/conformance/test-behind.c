/* SPDX-License-Identifier: MIT */
/*
 * Streams that read ahead and write behind: between high- and low-water marks, and nothing is lost.
 */
#include <eddy/testing.h>

#include "splice.h"

enum { HIGH = 10000, LOW = 3000, BULK = 300000 };

/* --- reading ahead ---------------------------------------------------------------------------- */

typedef struct Ahead {
    StreamPipe pipe;
    EddyInputStream *stream;
    char bytes[BULK];
} Ahead;

static void *ahead_marks (void *data, EddyError **error)
{
    Ahead *self = data;
    stream_fill (self->bytes, BULK, 0);
    ck_assert_int_eq (eddy_output_stream_write (self->pipe.output, self->bytes, 30000, NULL, error),
                      30000);
    ck_assert_uint_eq (eddy_read_ahead_stream_get_level (self->stream), 0);
    ck_assert_int_eq (eddy_input_stream_read (self->stream, self->bytes, 1, NULL, error), 1);
    /* The level is HIGH - 1, and that is not filled up before it is down to LOW. */
    ck_assert (eddy_fiber_sleep (1000000, error));
    ck_assert_uint_eq (eddy_read_ahead_stream_get_level (self->stream), HIGH - 1);
    ck_assert_int_eq (
        eddy_input_stream_read (self->stream, self->bytes, HIGH - LOW - 2, NULL, error),
        HIGH - LOW - 2);
    ck_assert (eddy_fiber_sleep (1000000, error));
    ck_assert_uint_eq (eddy_read_ahead_stream_get_level (self->stream), LOW + 1);
    ck_assert_int_eq (eddy_input_stream_read (self->stream, self->bytes, 1, NULL, error), 1);
    ck_assert (eddy_fiber_sleep (1000000, error));
    ck_assert_uint_eq (eddy_read_ahead_stream_get_level (self->stream), HIGH);
    ck_assert (eddy_output_stream_close (self->pipe.output, NULL, error));
    size_t count;
    ck_assert (eddy_input_stream_read_all (self->stream, self->bytes, BULK, &count, NULL, error));
    ck_assert_uint_eq (count, 30000 - (HIGH - LOW));
    stream_expect (self->bytes, count, HIGH - LOW);
    ck_assert_int_eq (eddy_input_stream_read (self->stream, self->bytes, 1, NULL, error), 0);
    ck_assert (eddy_input_stream_close (self->stream, NULL, error));
    ck_assert (eddy_input_stream_is_closed (self->pipe.input));
    return NULL;
}

static Ahead *ahead_new (void)
{
    static Ahead self;
    self.pipe = stream_pipe_new ();
    self.stream = eddy_read_ahead_stream_new (self.pipe.input, LOW, HIGH);
    ck_assert_ptr_nonnull (self.stream);
    return &self;
}

static void ahead_clear (Ahead *self)
{
    eddy_clear (&self->stream);
    stream_pipe_clear (&self->pipe);
}

EDDY_TEST (D_behind_reads_ahead_between_marks)
{
    EddyContext *context = eddy_test_context_begin ();
    Ahead *self = ahead_new ();
    eddy_test_run_fiber (context, ahead_marks, self);
    ahead_clear (self);
    eddy_test_context_end (context);
}

/* A program's own kind: some bytes, then an error, then more. */
typedef struct Faulty {
    EddyInputStream stream;
    int step;
} Faulty;

static ssize_t faulty_read (EddyInputStream *stream, void *buffer, size_t count,
                            EddyCancellable *cancellable, EddyError **error)
{
    Faulty *self = (Faulty *) (void *) stream;
    (void) cancellable;
    (void) count;
    if (self->step++ == 1) {
        eddy_error_set_errno (error, EIO, "a disk");
        return -1;
    }
    memcpy (buffer, "abc", 3);
    return self->step > 4 ? 0 : 3;
}

static const EddyInputStreamClass faulty_class = {
    .stream.object = { .name = "Faulty", .size = sizeof (Faulty) }, .read = faulty_read
};

static void *ahead_error (void *data, EddyError **error)
{
    EDDY_AUTO (EddyInputStream) base = eddy_object_new (&faulty_class.stream.object);
    EDDY_AUTO (EddyInputStream) stream = eddy_read_ahead_stream_new (base, 0, 0);
    char buffer[16] = "";
    size_t count;
    ck_assert (!eddy_input_stream_read_all (stream, buffer, sizeof buffer, &count, NULL, error));
    ck_assert_uint_eq (count, 3);
    ck_assert_int_eq (eddy_error_get_errno (*error), EIO);
    eddy_clear_error (error);
    ck_assert (eddy_input_stream_read_all (stream, buffer, sizeof buffer, &count, NULL, error));
    ck_assert_uint_eq (count, 6);
    ck_assert (eddy_input_stream_close (stream, NULL, error));
    return data;
}

EDDY_TEST (D_behind_error_of_the_base_comes_in_its_place)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_test_run_fiber (context, ahead_error, NULL);
    ahead_error (NULL, &error);
    eddy_test_context_end (context);
}

static void *ahead_begin (void *data, EddyError **error)
{
    Ahead *self = data;
    ck_assert_int_eq (eddy_output_stream_write (self->pipe.output, "abcdef", 6, NULL, error), 6);
    ck_assert_int_eq (eddy_input_stream_read (self->stream, self->bytes, 2, NULL, error), 2);
    return NULL;
}

/* Begun in a fiber, read on in a plain thread, which runs the fiber's context to end it. */
EDDY_TEST (D_behind_read_on_in_a_plain_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Ahead *self = ahead_new ();
    char buffer[16] = "";
    eddy_test_run_fiber (context, ahead_begin, self);
    ck_assert_int_eq (eddy_input_stream_read (self->stream, buffer, 16, NULL, &error), 4);
    ck_assert_str_eq (buffer, "cdef");
    ck_assert_int_eq (eddy_output_stream_write (self->pipe.output, "ghi", 3, NULL, &error), 3);
    ck_assert_int_eq (eddy_input_stream_read (self->stream, buffer, 16, NULL, &error), 3);
    ck_assert_mem_eq (buffer, "ghi", 3);
    ck_assert (eddy_input_stream_close (self->stream, NULL, &error));
    ahead_clear (self);
    eddy_test_context_end (context);
}

/* Let go of while its fiber waits: that ends, and so does the base. */
EDDY_TEST (D_behind_dropped_while_it_reads)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyContextStatistics statistics;
    Ahead *self = ahead_new ();
    eddy_test_run_fiber (context, ahead_begin, self);
    ahead_clear (self);
    do {
        eddy_context_iteration (context, /* may_block= */ true);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_fibers > 0);
    eddy_test_context_end (context);
}

/* --- writing behind --------------------------------------------------------------------------- */

typedef struct Behind {
    SpliceEndpoint target;
    EddyOutputStream *stream;
} Behind;

static void behind_init (Behind *self, EndKind kind)
{
    target_init (&self->target, kind, BULK);
    self->stream = eddy_write_behind_stream_new (self->target.output, LOW, HIGH);
    ck_assert_ptr_nonnull (self->stream);
}

static void behind_clear (Behind *self)
{
    eddy_clear (&self->stream);
    end_clear (&self->target);
}

/* In pieces, some larger than what is held. */
static void *behind_write (void *data, EddyError **error)
{
    Behind *self = data;
    static char bytes[BULK];
    stream_fill (bytes, BULK, 0);
    for (size_t at = 0, n = 1; at < BULK; at += n, n = n * 5 % 30011) {
        size_t count;
        n = n < BULK - at ? n : BULK - at;
        ck_assert (eddy_output_stream_write_all (self->stream, bytes + at, n, &count, NULL, error));
        ck_assert_uint_eq (count, n);
        ck_assert_uint_le (eddy_write_behind_stream_get_level (self->stream), HIGH);
    }
    ck_assert (eddy_output_stream_flush (self->stream, NULL, error));
    ck_assert_uint_eq (eddy_write_behind_stream_get_level (self->stream), 0);
    ck_assert (eddy_output_stream_write_all (self->stream, "end", 3, NULL, NULL, error));
    if (self->target.kind == END_MEMORY)
        ck_assert (eddy_output_stream_flush (self->stream, NULL, error));
    else
        ck_assert (eddy_output_stream_close (self->stream, NULL, error));
    return NULL;
}

EDDY_TEST (D_behind_writes_all)
{
    EddyContext *context = eddy_test_context_begin ();
    for (EndKind kind = 0; kind < END_KINDS; kind++) {
        Behind self;
        behind_init (&self, kind);
        self.target.size += 3;
        self.target.bytes = realloc (self.target.bytes, BULK + 4);
        EddyFuture *drain = eddy_spawn (context, target_drain, &self.target, NULL);
        ck_assert (!eddy_future_is_complete (drain)); /* or the other one would wait for ever */
        EddyFuture *fiber = eddy_spawn (context, behind_write, &self, NULL);
        ck_assert (eddy_block_on_complete (context, fiber, NULL));
        ck_assert (eddy_block_on_complete (context, drain, NULL));
        eddy_unref (drain);
        eddy_unref (fiber);
        if (end_is_file (&self.target) || kind == END_MEMORY) {
            char last[4] = "";
            if (kind == END_MEMORY)
                memcpy (last,
                        (const char *) eddy_memory_output_stream_get_data (self.target.output) +
                            BULK,
                        3);
            else
                ck_assert_int_eq (pread (self.target.fd, last, 4, BULK), 3);
            ck_assert_str_eq (last, "end");
        } else {
            ck_assert_uint_eq (self.target.count, BULK + 3);
            ck_assert_mem_eq (self.target.bytes + BULK, "end", 3);
            stream_expect (self.target.bytes, BULK, 0);
        }
        behind_clear (&self);
    }
    eddy_test_context_end (context);
}

EDDY_TEST (D_behind_writes_in_a_plain_thread)
{
    Behind self;
    EddyError *error = NULL;
    behind_init (&self, END_FILE);
    behind_write (&self, &error);
    char last[4] = "";
    ck_assert_int_eq (pread (self.target.fd, last, 4, BULK), 3);
    ck_assert_str_eq (last, "end");
    behind_clear (&self);
}

/* A full pipe that nobody reads: a write is taken up to the mark, and then waits, cancellably. */
static void *behind_full (void *data, EddyError **error)
{
    Behind *self = data;
    static char block[1 << 20];
    size_t count;
    int fd = eddy_fd_output_stream_get_fd (self->target.output);
    ck_assert_int_eq (write (fd, block, (size_t) fcntl (fd, F_GETPIPE_SZ)),
                      fcntl (fd, F_GETPIPE_SZ));
    stream_fill (block, sizeof block, 0);
    ck_assert_int_eq (eddy_output_stream_write (self->stream, block, HIGH - 1, NULL, error),
                      HIGH - 1);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new_with_timeout (NULL, 200000000);
    ck_assert (!eddy_output_stream_write_all (self->stream, block + HIGH - 1, 100, &count,
                                              cancellable, error));
    ck_assert_uint_eq (count, 1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_uint_eq (eddy_write_behind_stream_get_level (self->stream), HIGH);
    ck_assert (!eddy_output_stream_flush (self->stream, cancellable, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_uint_eq (eddy_write_behind_stream_get_level (self->stream), HIGH);
    /* Read, and all of it arrives. */
    for (ssize_t at = 0, left = fcntl (fd, F_GETPIPE_SZ) + HIGH; at < left;)
        at += eddy_fd_read (self->target.fd, block, sizeof block, -1, NULL, error);
    ck_assert (eddy_output_stream_flush (self->stream, NULL, error));
    /* The reader goes: the next one is told, and so is the one after it. */
    close (self->target.fd);
    self->target.fd = -1;
    ck_assert_int_eq (eddy_output_stream_write (self->stream, "abc", 3, NULL, error), 3);
    ck_assert (!eddy_output_stream_flush (self->stream, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_BROKEN_PIPE);
    ck_assert_uint_eq (eddy_write_behind_stream_get_level (self->stream), 3);
    ck_assert (!eddy_output_stream_close (self->stream, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_BROKEN_PIPE);
    ck_assert (eddy_output_stream_is_closed (self->target.output));
    return NULL;
}

EDDY_TEST (D_behind_write_waits_at_the_mark)
{
    EddyContext *context = eddy_test_context_begin ();
    Behind self;
    behind_init (&self, END_PIPE);
    eddy_test_run_fiber (context, behind_full, &self);
    behind_clear (&self);
    eddy_test_context_end (context);
}

/* --- begun in a fiber, gone on with elsewhere ------------------------------------------------- */

static void *behind_begin (void *data, EddyError **error)
{
    ck_assert_int_eq (eddy_output_stream_write (data, "abcdef", 6, NULL, error), 6);
    return data;
}

/* The stream's fiber has not begun yet when a plain thread ends it. */
EDDY_TEST (D_behind_written_on_in_a_plain_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyOutputStream) behind = eddy_write_behind_stream_new (memory, LOW, HIGH);
    eddy_test_run_fiber (context, behind_begin, behind);
    ck_assert_int_eq (eddy_output_stream_write (behind, "ghi", 3, NULL, &error), 3);
    ck_assert (eddy_output_stream_flush (behind, NULL, &error));
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), 9);
    ck_assert_mem_eq (eddy_memory_output_stream_get_data (memory), "abcdefghi", 9);
    ck_assert (eddy_output_stream_close (behind, NULL, &error));
    eddy_test_context_end (context);
}

static void *ahead_peek (void *data, EddyError **error)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    char byte;
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (eddy_input_stream_read (data, &byte, 1, cancellable, error), -1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    return data;
}

/* In a fiber of a context that nobody runs afterwards. */
EDDY_TEST (D_behind_after_a_splice_in_a_plain_thread)
{
    for (int i = 0; i < 2; i++) {
        static char bytes[BULK];
        stream_fill (bytes, BULK, 0);
        EddyError *error = NULL;
        EDDY_AUTO (EddyBytes) copy = eddy_bytes_new (bytes, BULK);
        EDDY_AUTO (EddyInputStream) from = eddy_memory_input_stream_new_from_bytes (copy);
        EDDY_AUTO (EddyInputStream) ahead = eddy_read_ahead_stream_new (from, LOW, HIGH);
        EDDY_AUTO (EddyInputStream) nothing = eddy_memory_input_stream_new ();
        EDDY_AUTO (EddyOutputStream) to = eddy_memory_output_stream_new (0);
        EDDY_AUTO (EddyOutputStream) behind = eddy_write_behind_stream_new (to, LOW, HIGH);
        EDDY_AUTO (EddyOutputStream) unused = eddy_memory_output_stream_new (0);
        EDDY_AUTO (EddyIOStream) stream1 = eddy_simple_io_stream_new (ahead, unused);
        EDDY_AUTO (EddyIOStream) stream2 = eddy_simple_io_stream_new (nothing, behind);
        ck_assert (eddy_io_stream_splice (stream1, stream2,
                                          EDDY_IO_STREAM_SPLICE_WAIT_FOR_BOTH |
                                              (i == 0 ? EDDY_IO_STREAM_SPLICE_CLOSE_STREAM1 : 0),
                                          NULL, &error));
        ck_assert (eddy_io_stream_close (stream2, NULL, &error));
        ck_assert_uint_eq (eddy_memory_output_stream_get_size (to), BULK);
        stream_expect (eddy_memory_output_stream_get_data (to), BULK, 0);
        ck_assert (eddy_io_stream_close (stream1, NULL, &error));
    }
}

EDDY_TEST (D_behind_cancelled_read_leaves_all)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Ahead *self = ahead_new ();
    char buffer[4] = "";
    eddy_test_run_fiber (context, ahead_peek, self->stream);
    ck_assert_int_eq (eddy_output_stream_write (self->pipe.output, "abc", 3, NULL, &error), 3);
    ck_assert_int_eq (eddy_input_stream_read (self->stream, buffer, 3, NULL, &error), 3);
    ck_assert_str_eq (buffer, "abc");
    ahead_clear (self);
    eddy_test_context_end (context);
}

/* --- a base that fails now and then ----------------------------------------------------------- */

typedef struct Moody {
    EddyOutputStream stream;
    unsigned seed;
    size_t count;
    char bytes[BULK];
} Moody;

static unsigned moody_random (Moody *self)
{
    self->seed = self->seed * 1103515245 + 12345;
    return self->seed >> 16;
}

static ssize_t moody_write (EddyOutputStream *stream, const void *buffer, size_t count,
                            EddyCancellable *cancellable, EddyError **error)
{
    Moody *self = (Moody *) (void *) stream;
    unsigned mood = moody_random (self) % 8;
    if (mood == 0) {
        eddy_error_set_errno (error, EIO, "a disk");
        return -1;
    }
    if (mood < 4 && eddy_in_fiber () && !eddy_fiber_sleep (1000, error))
        return -1;
    (void) cancellable;
    count = 1 + moody_random (self) % count;
    ck_assert_uint_le (self->count + count, BULK);
    memcpy (self->bytes + self->count, buffer, count);
    self->count += count;
    return (ssize_t) count;
}

static const EddyOutputStreamClass moody_class = {
    .stream.object = { .name = "Moody", .size = sizeof (Moody) }, .write = moody_write
};

/* All that a write has taken arrives once, in its order, whatever fails or is cancelled. */
static void *behind_moody (void *data, EddyError **error)
{
    unsigned *seed = data;
    static char bytes[BULK];
    Moody *moody = eddy_object_new (&moody_class.stream.object);
    EDDY_AUTO (EddyOutputStream) behind = eddy_write_behind_stream_new (&moody->stream, 30, 100);
    moody->seed = *seed;
    stream_fill (bytes, BULK, 0);
    size_t taken = 0;
    for (int i = 0; i < 300; i++) {
        int64_t timeout = (int64_t) (moody_random (moody) % 4) * 1000;
        EDDY_AUTO (EddyCancellable)
        cancellable = eddy_cancellable_new_with_timeout (NULL, timeout);
        EddyCancellable *used = moody_random (moody) % 2 == 0 ? cancellable : NULL;
        size_t count = 1 + moody_random (moody) % 300;
        size_t written = 0;
        if (moody_random (moody) % 8 == 0)
            (void) eddy_output_stream_flush (behind, used, NULL);
        else
            (void) eddy_output_stream_write_all (behind, bytes + taken, count, &written, used,
                                                 NULL);
        taken += written;
        ck_assert_uint_le (moody->count, taken);
    }
    for (int tries = 0; tries < 1000 && !eddy_output_stream_flush (behind, NULL, error); tries++)
        eddy_clear_error (error);
    ck_assert_uint_eq (moody->count, taken);
    ck_assert_mem_eq (moody->bytes, bytes, taken);
    ck_assert (eddy_output_stream_close (behind, NULL, error));
    ck_assert (eddy_output_stream_close (behind, NULL, error));
    eddy_unref (moody);
    return data;
}

EDDY_TEST (D_behind_base_that_fails_now_and_then)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    for (unsigned seed = 0; seed < 30; seed++) {
        (void) behind_moody (&seed, &error);
        eddy_test_run_fiber (context, behind_moody, &seed);
    }
    eddy_test_context_end (context);
}

/* A base that takes nothing and calls it done does not count as written. */
static ssize_t lazy_write (EddyOutputStream *stream, const void *buffer, size_t count,
                           EddyCancellable *cancellable, EddyError **error)
{
    (void) stream;
    (void) buffer;
    (void) count;
    (void) cancellable;
    (void) error;
    return 0;
}

static const EddyOutputStreamClass lazy_class = {
    .stream.object = { .name = "Lazy", .size = sizeof (EddyOutputStream) }, .write = lazy_write
};

static void *behind_lazy (void *data, EddyError **error)
{
    EDDY_AUTO (EddyOutputStream) lazy = eddy_object_new (&lazy_class.stream.object);
    EDDY_AUTO (EddyOutputStream) behind = eddy_write_behind_stream_new (lazy, 0, 0);
    ck_assert_int_eq (eddy_output_stream_write (behind, "abc", 3, NULL, error), 3);
    for (int i = 0; i < 2; i++) {
        ck_assert (!eddy_output_stream_flush (behind, NULL, error));
        eddy_test_expect_error (error, EDDY_IO_ERROR_FAILED);
    }
    ck_assert (!eddy_output_stream_close (behind, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_FAILED);
    return data;
}

EDDY_TEST (D_behind_base_that_takes_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, behind_lazy, NULL);
    eddy_test_context_end (context);
}

/* Let go of while its fiber waits for a base that takes nothing: that ends, and the base does. */
static void *behind_let_go (void *data, EddyError **error)
{
    Behind *self = data;
    static char block[1 << 20];
    int fd = eddy_fd_output_stream_get_fd (self->target.output);
    ck_assert_int_eq (write (fd, block, (size_t) fcntl (fd, F_GETPIPE_SZ)),
                      fcntl (fd, F_GETPIPE_SZ));
    ck_assert_int_eq (eddy_output_stream_write (self->stream, block, HIGH - 1, NULL, error),
                      HIGH - 1);
    ck_assert (eddy_fiber_sleep (1000000, error));
    return NULL;
}

static int warnings;

static void count_warning (EddyLogLevel level, const char *message, void *data)
{
    (void) data;
    ck_assert_int_eq (level, EDDY_LOG_WARNING);
    ck_assert_ptr_nonnull (strstr (message, "are lost"));
    warnings++;
}

EDDY_TEST (D_behind_dropped_while_it_writes)
{
    for (int runs = 0; runs < 2; runs++) {
        EddyContext *context = eddy_test_context_begin ();
        EddyContextStatistics statistics;
        Behind self;
        behind_init (&self, END_PIPE);
        eddy_test_run_fiber (context, behind_let_go, &self);
        warnings = 0;
        eddy_log_set_handler (count_warning, NULL);
        eddy_clear (&self.stream);
        eddy_log_set_handler (NULL, NULL);
        ck_assert_int_eq (warnings, 1);
        do {
            eddy_context_iteration (context, /* may_block= */ true);
            eddy_context_get_statistics (context, &statistics);
        } while (runs == 0 && statistics.live_fibers > 0);
        behind_clear (&self);
        eddy_test_context_end (context);
    }
}

/* --- cancelled everywhere --------------------------------------------------------------------- */

static void *behind_both (void *data, EddyError **error)
{
    Ahead *ahead = ahead_new ();
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyOutputStream) behind = eddy_write_behind_stream_new (memory, 100, 1000);
    stream_fill (ahead->bytes, BULK, 0);
    size_t count = 0;
    bool done =
        eddy_output_stream_write_all (ahead->pipe.output, ahead->bytes, 30000, NULL, NULL, error) &&
        eddy_output_stream_close (ahead->pipe.output, NULL, error) &&
        eddy_output_stream_splice (behind, ahead->stream, EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE,
                                   &count, NULL, error);
    done = done && eddy_output_stream_flush (behind, NULL, error);
    if (done)
        ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), 30000);
    ck_assert_uint_ge (count, eddy_memory_output_stream_get_size (memory));
    (void) eddy_output_stream_close (ahead->pipe.output, NULL, NULL);
    (void) eddy_output_stream_close (behind, NULL, NULL);
    (void) eddy_input_stream_close (ahead->stream, NULL, NULL);
    ahead_clear (ahead);
    return done ? data : NULL;
}

EDDY_TEST (D_behind_cancelled_everywhere)
{
    EddyTestCancelReport report;
    int value = 0;
    ck_assert_msg (eddy_test_cancel_everywhere (behind_both, &value, NULL, &report), "%s",
                   report.failure);
    ck_assert_uint_gt (report.cancelled, 5);
}
