/* SPDX-License-Identifier: MIT */
/*
 * The fault door itself: its hooks, its names, and the rules of tests/support above it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "sys/file-private.h"
#include "test.h"

static int answer_positive (EddySysCall call, void *data)
{
    (void) call;
    ++*(int *) data;
    return 7;
}

static size_t answer_silly (EddySysCall call, size_t len, void *data)
{
    (void) call;
    return *(int *) data == 0 ? 0 : len + 1;
}

EDDY_TEST (fault_names_are_printable)
{
    for (unsigned i = 0; i < EDDY_SYS_N_CALLS; i++)
        ck_assert_uint_gt (strlen (eddy__sys_call_name (i)), 1);
    ck_assert_str_eq (eddy__sys_call_name (EDDY_SYS_OPENAT), "openat");
    ck_assert_str_eq (eddy__sys_call_name (EDDY_SYS_FICLONE), "ficlone");
    ck_assert_str_eq (eddy__sys_call_name (EDDY_SYS_URING_ENTER), "io_uring_enter");
    ck_assert_str_eq (eddy__sys_call_name (EDDY_SYS_N_CALLS), "?");
}

EDDY_TEST (fault_hook_gets_its_data_and_cannot_invent_results)
{
    int n_asked = 0;
    int fd;

    eddy__sys_set_fault (answer_positive, &n_asked);
    fd = eddy__sys_openat (AT_FDCWD, "/dev/null", O_RDONLY, 0);
    ck_assert_int_ge (fd, 3);
    ck_assert_int_eq (eddy__sys_close (fd), 0);
    ck_assert_int_eq (n_asked, 2);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert_int_eq (eddy__sys_close (-1), -EBADF);
    ck_assert_int_eq (n_asked, 2);
}

EDDY_TEST (fault_makes_no_call)
{
    int fd = eddy__sys_openat (AT_FDCWD, "/dev/null", O_WRONLY, 0);

    eddy_test_fail_call (EDDY_SYS_WRITE, 1, EIO, /* from_then_on= */ false);
    ck_assert_int_eq (eddy__sys_write (fd, "x", 1), -EIO);
    ck_assert_int_eq (eddy__sys_write (fd, "x", 1), 1);
    ck_assert_int_eq (eddy__sys_close (fd), 0);
}

/* An fd is gone, whatever Linux says of its close. */
EDDY_TEST (fault_of_a_close_closes_all_the_same)
{
    int fd = eddy__sys_openat (AT_FDCWD, "/dev/null", O_RDONLY, 0);

    eddy_test_fail_call (EDDY_SYS_CLOSE, 1, EIO, /* from_then_on= */ false);
    ck_assert_int_eq (eddy__sys_close (fd), -EIO);
    ck_assert_int_eq (eddy__sys_getfl (fd), -EBADF);
}

EDDY_TEST (fault_hits_the_nth_call)
{
    char byte;

    eddy_test_fail_call (EDDY_SYS_READ, 3, ENOTRECOVERABLE, /* from_then_on= */ false);
    for (int i = 1; i <= 5; i++)
        ck_assert_int_eq (eddy__sys_read (-1, &byte, 1), i == 3 ? -ENOTRECOVERABLE : -EBADF);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_READ), 1);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_READ), 5);
    eddy_test_fail_call (EDDY_SYS_READ, 2, ENOTRECOVERABLE, /* from_then_on= */ true);
    for (int i = 1; i <= 5; i++)
        ck_assert_int_eq (eddy__sys_read (-1, &byte, 1), i >= 2 ? -ENOTRECOVERABLE : -EBADF);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_READ), 4);
}

/* A rule leaves other calls alone, and counting needs no rule. */
EDDY_TEST (fault_rules_are_per_call)
{
    char byte;

    eddy_test_fail_call (EDDY_SYS_READ, 1, EIO, /* from_then_on= */ true);
    eddy_test_fail_call (EDDY_SYS_PREAD, 1, ENOSPC, /* from_then_on= */ true);
    ck_assert_int_eq (eddy__sys_read (-1, &byte, 1), -EIO);
    ck_assert_int_eq (eddy__sys_pread (-1, &byte, 1, 0), -ENOSPC);
    ck_assert_int_eq (eddy__sys_write (-1, &byte, 1), -EBADF);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_WRITE), 1);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_WRITE), 0);
    eddy_test_no_faults ();
    ck_assert_int_eq (eddy__sys_read (-1, &byte, 1), -EBADF);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_READ), 1);
}

/* ---- Short answers --------------------------------------------------------------------------- */

EDDY_TEST (short_read_and_write)
{
    char buf[10] = "";
    int fds[2];

    ck_assert_int_eq (eddy__sys_pipe2 (fds, O_NONBLOCK), 0);
    eddy_test_shorten_call (EDDY_SYS_WRITE, 4);
    ck_assert_int_eq (eddy__sys_write (fds[1], "abcdefgh", 8), 4);
    ck_assert_int_eq (eddy__sys_write (fds[1], "xy", 2), 2);
    ck_assert_uint_eq (eddy_test_short_hits (EDDY_SYS_WRITE), 1);
    eddy_test_shorten_call (EDDY_SYS_READ, 5);
    ck_assert_int_eq (eddy__sys_read (fds[0], buf, sizeof buf), 5);
    ck_assert_int_eq (memcmp (buf, "abcdx", 5), 0);
    ck_assert_int_eq (eddy__sys_read (fds[0], buf, sizeof buf), 1);
    ck_assert_int_eq (buf[0], 'y');
    eddy__sys_close (fds[0]);
    eddy__sys_close (fds[1]);
}

EDDY_TEST (short_vectors_are_cut)
{
    char one[4] = "", two[4] = "";
    const struct iovec out[] = { { (void *) "abc", 3 }, { (void *) "def", 3 } };
    const struct iovec in[] = { { one, 3 }, { two, 3 } };
    int fds[2];

    ck_assert_int_eq (eddy__sys_pipe2 (fds, O_NONBLOCK), 0);
    eddy_test_shorten_call (EDDY_SYS_PWRITEV2, 4);
    ck_assert_int_eq (eddy__sys_pwritev2 (fds[1], out, 2, -1, 0), 4);
    ck_assert_uint_eq (eddy_test_short_hits (EDDY_SYS_PWRITEV2), 1);
    eddy_test_shorten_call (EDDY_SYS_PREADV2, 2);
    ck_assert_int_eq (eddy__sys_preadv2 (fds[0], in, 2, -1, 0), 2);
    ck_assert_str_eq (one, "ab");
    eddy_test_no_faults ();
    ck_assert_int_eq (eddy__sys_preadv2 (fds[0], in, 2, -1, 0), 2);
    ck_assert_str_eq (one, "cd");
    eddy__sys_close (fds[0]);
    eddy__sys_close (fds[1]);
}

EDDY_TEST (short_copies)
{
    int from = eddy__sys_openat (AT_FDCWD, eddy_test_path ("from"), O_RDWR | O_CREAT, 0600);
    int to = eddy__sys_openat (AT_FDCWD, eddy_test_path ("to"), O_RDWR | O_CREAT, 0600);
    int64_t offset = 0;
    char buf[8] = "";

    ck_assert_int_eq (eddy__sys_pwrite (from, "abcdef", 6, 0), 6);
    eddy_test_shorten_call (EDDY_SYS_COPY_FILE_RANGE, 2);
    eddy_test_shorten_call (EDDY_SYS_SENDFILE, 3);
    eddy_test_shorten_call (EDDY_SYS_PREAD, 1);
    eddy_test_shorten_call (EDDY_SYS_PWRITE, 1);
    ck_assert_int_eq (eddy__sys_copy_file_range (from, &offset, to, NULL, 6, 0), 2);
    ck_assert_int_eq (offset, 2);
    ck_assert_int_eq (eddy__sys_sendfile (to, from, &offset, 4), 3);
    ck_assert_int_eq (eddy__sys_pread (to, buf, 8, 0), 1);
    ck_assert_int_eq (eddy__sys_pwrite (to, "XY", 2, 0), 1);
    eddy_test_no_faults ();
    ck_assert_int_eq (eddy__sys_pread (to, buf, 8, 0), 5);
    ck_assert_str_eq (buf, "Xbcde");
    eddy__sys_close (from);
    eddy__sys_close (to);
}

/* 0 would be told as the end of the file, more than was asked for as an overrun. */
EDDY_TEST (short_hook_cannot_invent_an_end)
{
    char buf[4];
    int is_more, fd = eddy__sys_openat (AT_FDCWD, "/dev/zero", O_RDONLY, 0);

    eddy__sys_set_short (answer_silly, &is_more);
    for (is_more = 0; is_more < 2; is_more++)
        ck_assert_int_eq (eddy__sys_read (fd, buf, sizeof buf), sizeof buf);
    eddy__sys_close (fd);
}
