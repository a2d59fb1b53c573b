/* SPDX-License-Identifier: MIT */
/*
 * Files whose bytes are never in memory when they are asked for at once.
 */
#include <eddy/fd-stream.h>
#include <eddy/fd.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "context.h"
#include "faults.h"

static int open_text (void)
{
    int fd = open (eddy_test_path ("file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (pwrite (fd, "some text", 9, 0), 9);
    return fd;
}

static void *read_file (void *data, EddyError **error)
{
    int fd = open_text ();
    char buffer[16] = "";
    EDDY_AUTO (EddyInputStream) stream = eddy_fd_input_stream_new (fd, /* close_fd= */ true);
    ck_assert_int_eq (eddy_fd_read (fd, buffer, 4, -1, NULL, error), 4);
    ck_assert_str_eq (buffer, "some");
    EDDY_AUTO (EddyBytes) bytes = eddy_input_stream_read_bytes (stream, 16, NULL, error);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 5);
    ck_assert (eddy_input_stream_close (stream, NULL, error));
    return data;
}

/* They are read all the same, rather than asked again and again. */
EDDY_TEST (faults_file_that_would_wait)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_test_fail_call (EDDY_SYS_PREADV2, 1, EAGAIN, /* from_then_on= */ true);
    (void) read_file (NULL, &error);
    eddy_test_run_fiber (context, read_file, NULL);
    ck_assert_uint_gt (eddy_test_fault_hits (EDDY_SYS_PREADV2), 0);
    eddy_test_no_faults ();
    eddy_test_context_end (context);
}
