/* SPDX-License-Identifier: MIT */
/*
 * Streams that are closed after a failure are given up: half a file replaces none.
 */
#include <eddy/testing.h>
#include <errno.h>
#include <stdio.h>

#include "stream.h"

/* --- what fails ------------------------------------------------------------------------------- */

/* Gives some bytes, then an error. */
typedef struct Broken {
    EddyInputStream stream;
    int reads;
} Broken;

static ssize_t broken_read (EddyInputStream *stream, void *buffer, size_t count,
                            EddyCancellable *cancellable, EddyError **error)
{
    Broken *self = (Broken *) (void *) stream;
    (void) cancellable;
    ck_assert_uint_ge (count, 4);
    if (self->reads++ > 0) {
        eddy_error_set_errno (error, EIO, "a disk");
        return -1;
    }
    memcpy (buffer, "half", 4);
    return 4;
}

static const EddyInputStreamClass broken_class = {
    .stream.object = { .name = "Broken", .size = sizeof (Broken) }, .read = broken_read
};

/* A filter that cannot hand on what it has. */
static ssize_t stuck_write (EddyOutputStream *stream, const void *buffer, size_t count,
                            EddyCancellable *cancellable, EddyError **error)
{
    return eddy_output_stream_write (
        eddy_filter_output_stream_get_base_stream (EDDY_FILTER_OUTPUT_STREAM (stream)), buffer,
        count, cancellable, error);
}

static bool stuck_flush (EddyOutputStream *stream, EddyCancellable *cancellable, EddyError **error)
{
    (void) stream;
    (void) cancellable;
    eddy_error_set_errno (error, ENOSPC, "a disk");
    return false;
}

static const EddyOutputStreamClass stuck_class = {
    .stream.object = { .name = "Stuck",
                       .size = sizeof (EddyFilterOutputStream),
                       .dispose = eddy_filter_output_stream_dispose },
    .write = stuck_write,
    .flush = stuck_flush,
    .close = eddy_filter_output_stream_close_base,
};

/* --- what is to be replaced ------------------------------------------------------------------- */

static EddyFile *make_old (void)
{
    const char *path = eddy_test_path ("file");
    FILE *out = fopen (path, "we");
    ck_assert_ptr_nonnull (out);
    ck_assert_int_ge (fputs ("old", out), 0);
    ck_assert_int_eq (fclose (out), 0);
    return eddy_file_new_for_path (path);
}

static void expect_old (EddyFile *file)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_str_eq (eddy_bytes_get_data (bytes), "old");
}

static EddyOutputStream *replace (EddyFile *file)
{
    EddyError *error = NULL;
    EddyFileOutputStream *stream =
        eddy_file_replace (file, NULL, false, EDDY_FILE_CREATE_NONE, NULL, &error);
    ck_assert_ptr_nonnull (stream);
    return EDDY_OUTPUT_STREAM (stream);
}

static EddyOutputStream *filter_none (EddyOutputStream *base)
{
    return eddy_ref (base);
}

static EddyOutputStream *filter_behind (EddyOutputStream *base)
{
    return eddy_write_behind_stream_new (base, 0, 0);
}

static EddyOutputStream *filter_stuck (EddyOutputStream *base)
{
    return eddy_filter_output_stream_new (&stuck_class, base);
}

typedef EddyOutputStream *(*Filter) (EddyOutputStream *base);

static void run_twice (EddyFiberFunc function, EddyFile *file)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    (void) function (file, &error);
    eddy_test_run_fiber (context, function, file);
    expect_old (file);
    eddy_test_context_end (context);
}

/* --- and is not ------------------------------------------------------------------------------- */

static void *splice_and_close (void *data, EddyError **error)
{
    static const Filter filters[] = { filter_none, eddy_buffered_output_stream_new, filter_behind };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        EDDY_AUTO (EddyInputStream) source = eddy_object_new (&broken_class.stream.object);
        EDDY_AUTO (EddyOutputStream) base = replace (data);
        EDDY_AUTO (EddyOutputStream) target = filters[i](base);
        size_t count;
        ck_assert (!eddy_output_stream_splice (target, source,
                                               EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE |
                                                   EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
                                               &count, NULL, error));
        ck_assert_int_eq (eddy_error_get_errno (*error), EIO);
        eddy_clear_error (error);
        ck_assert_uint_eq (count, 4);
        ck_assert (eddy_output_stream_is_closed (base));
        expect_old (data);
    }
    return data;
}

EDDY_TEST (F4_failed_splice_keeps_the_old_file)
{
    EDDY_AUTO (EddyFile) file = make_old ();
    run_twice (splice_and_close, file);
}

static void *splice_both_and_close (void *data, EddyError **error)
{
    EDDY_AUTO (EddyInputStream) nothing = eddy_memory_input_stream_new ();
    EDDY_AUTO (EddyInputStream) source = eddy_object_new (&broken_class.stream.object);
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyOutputStream) target = replace (data);
    EDDY_AUTO (EddyIOStream) stream1 = eddy_simple_io_stream_new (nothing, target);
    EDDY_AUTO (EddyIOStream) stream2 = eddy_simple_io_stream_new (source, memory);
    ck_assert (!eddy_io_stream_splice (stream1, stream2,
                                       EDDY_IO_STREAM_SPLICE_CLOSE_STREAM1 |
                                           EDDY_IO_STREAM_SPLICE_CLOSE_STREAM2 |
                                           EDDY_IO_STREAM_SPLICE_WAIT_FOR_BOTH,
                                       NULL, error));
    ck_assert_int_eq (eddy_error_get_errno (*error), EIO);
    eddy_clear_error (error);
    ck_assert (eddy_io_stream_is_closed (stream1) && eddy_io_stream_is_closed (stream2));
    ck_assert (eddy_output_stream_is_closed (target));
    return data;
}

EDDY_TEST (F4_failed_splice_of_both_ways_keeps_the_old_file)
{
    EDDY_AUTO (EddyFile) file = make_old ();
    run_twice (splice_both_and_close, file);
}

static void *close_stuck (void *data, EddyError **error)
{
    EDDY_AUTO (EddyOutputStream) base = replace (data);
    EDDY_AUTO (EddyOutputStream) target = filter_stuck (base);
    ck_assert (eddy_output_stream_write_all (target, "half", 4, NULL, NULL, error));
    ck_assert (!eddy_output_stream_close (target, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_NO_SPACE);
    ck_assert (eddy_output_stream_is_closed (base));
    return data;
}

EDDY_TEST (F4_close_that_cannot_flush_keeps_the_old_file)
{
    EDDY_AUTO (EddyFile) file = make_old ();
    run_twice (close_stuck, file);
}
