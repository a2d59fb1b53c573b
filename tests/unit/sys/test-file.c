/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: opening, reading, writing, copying, storage.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sys/file-private.h"
#include "sys/signal-private.h"
#include "test.h"

static int file_open (const char *name, const char *content)
{
    int fd = eddy__sys_openat (AT_FDCWD, eddy_test_path (name), O_RDWR | O_CREAT | O_EXCL, 0600);

    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (eddy__sys_write (fd, content, strlen (content)), (ssize_t) strlen (content));
    return fd;
}

static int64_t file_size (int fd)
{
    struct statx status;

    ck_assert_int_eq (eddy__sys_fstatx (fd, STATX_SIZE, &status), 0);
    return (int64_t) status.stx_size;
}

static bool fd_is_cloexec (int fd)
{
    return fcntl (fd, F_GETFD) & FD_CLOEXEC;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

EDDY_TEST (open_gives_cloexec_fds_and_errors)
{
    int directory, fd;

    eddy__sys_close (file_open ("a", "x"));
    directory = eddy__sys_openat (AT_FDCWD, eddy_test_directory (), O_RDONLY | O_DIRECTORY, 0);
    ck_assert_int_ge (directory, 0);
    ck_assert (fd_is_cloexec (directory));
    fd = eddy__sys_openat (directory, "a", O_RDONLY, 0);
    ck_assert_int_ge (fd, 0);
    ck_assert (fd_is_cloexec (fd));
    ck_assert_int_eq (eddy__sys_openat (directory, "b", O_RDONLY, 0), -ENOENT);
    ck_assert_int_eq (eddy__sys_openat (directory, "a", O_CREAT | O_EXCL, 0600), -EEXIST);
    ck_assert_int_eq (eddy__sys_close (fd), 0);
    ck_assert_int_eq (eddy__sys_close (fd), -EBADF);
    ck_assert_int_eq (eddy__sys_close (directory), 0);
}

EDDY_TEST (open_stays_beneath)
{
    struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
    int directory, fd;

    eddy__sys_close (file_open ("a", "x"));
    directory = eddy__sys_openat (AT_FDCWD, eddy_test_directory (), O_RDONLY | O_DIRECTORY, 0);
    fd = eddy__sys_openat2 (directory, "a", &how);
    if (fd == -ENOSYS)
        EDDY_TEST_SKIP ("no openat2 (valgrind, Linux before 5.6)");
    ck_assert_int_ge (fd, 0);
    ck_assert (fd_is_cloexec (fd));
    /* Added to a copy: the caller's own is as it was. */
    ck_assert_uint_eq (how.flags, O_RDONLY);
    ck_assert_int_eq (eddy__sys_openat2 (directory, "../etc", &how), -EXDEV);
    ck_assert_int_eq (eddy__sys_close (fd), 0);
    ck_assert_int_eq (eddy__sys_close (directory), 0);
}

static void open_unreadable (void *data)
{
    ck_assert_int_eq (eddy__sys_openat (AT_FDCWD, data, O_RDONLY, 0), -EACCES);
}

EDDY_TEST (open_as_nobody_is_refused)
{
    eddy__sys_close (file_open ("secret", "x"));
    if (geteuid () != 0)
        ck_assert_int_eq (chmod (eddy_test_path ("secret"), 0), 0);
    eddy_test_run_as_nobody (open_unreadable, (void *) eddy_test_path ("secret"));
}

EDDY_TEST (dup_is_above_stdio_and_cloexec)
{
    int saved = dup (STDIN_FILENO), fd;

    ck_assert_int_ge (saved, 0);
    close (STDIN_FILENO);
    fd = eddy__sys_dup (saved);
    ck_assert_int_ge (fd, 3);
    ck_assert (fd_is_cloexec (fd));
    ck_assert_int_eq (dup2 (saved, STDIN_FILENO), STDIN_FILENO);
    ck_assert_int_eq (eddy__sys_close (saved), 0);
    ck_assert_int_eq (eddy__sys_close (fd), 0);
}

EDDY_TEST (pipe_and_its_flags)
{
    char byte;
    int fds[2];

    ck_assert_int_eq (eddy__sys_pipe2 (fds, O_NONBLOCK), 0);
    ck_assert (fd_is_cloexec (fds[0]) && fd_is_cloexec (fds[1]));
    ck_assert_int_eq (eddy__sys_getfl (fds[0]) & (O_ACCMODE | O_NONBLOCK), O_RDONLY | O_NONBLOCK);
    ck_assert_int_eq (eddy__sys_getfl (fds[1]) & (O_ACCMODE | O_NONBLOCK), O_WRONLY | O_NONBLOCK);
    ck_assert_int_eq (eddy__sys_read (fds[0], &byte, 1), -EAGAIN);
    ck_assert_int_eq (eddy__sys_write (fds[1], "x", 1), 1);
    ck_assert_int_eq (eddy__sys_read (fds[0], &byte, 1), 1);
    eddy__sys_close (fds[1]);
    ck_assert_int_eq (eddy__sys_read (fds[0], &byte, 1), 0);
    eddy__sys_close (fds[0]);
}

/* ---- Reading and writing --------------------------------------------------------------------- */

EDDY_TEST (positions_of_read_and_write)
{
    char one[3] = "", two[3] = "";
    const struct iovec in[] = { { one, 2 }, { two, 2 } };
    const struct iovec out[] = { { (void *) "12", 2 }, { (void *) "34", 2 } };
    int fd = file_open ("a", "abcdef");

    ck_assert_int_eq (eddy__sys_preadv2 (fd, in, 2, 1, 0), 4);
    ck_assert_str_eq (one, "bc");
    ck_assert_str_eq (two, "de");
    ck_assert_int_eq (eddy__sys_lseek (fd, 0, SEEK_CUR), 6);
    ck_assert_int_eq (eddy__sys_pwritev2 (fd, out, 2, -1, 0), 4);
    ck_assert_int_eq (eddy__sys_lseek (fd, 0, SEEK_CUR), 10);
    ck_assert_int_eq (eddy__sys_lseek (fd, 5, SEEK_SET), 5);
    ck_assert_int_eq (eddy__sys_preadv2 (fd, in, 2, -1, 0), 4);
    ck_assert_str_eq (one, "f1");
    ck_assert_str_eq (two, "23");
    ck_assert_int_eq (eddy__sys_pread (fd, one, 2, 100), 0);
    ck_assert_int_eq (eddy__sys_pwrite (fd, "Z", 1, 0), 1);
    ck_assert_int_eq (eddy__sys_pread (fd, one, 1, 0), 1);
    ck_assert_int_eq (one[0], 'Z');
    eddy__sys_close (fd);
}

/* Without the flag this write would end the process. */
EDDY_TEST (nosignal_writes_or_refuses)
{
    const struct iovec out = { (void *) "x", 1 };
    ssize_t result;
    int fds[2];

    ck_assert_int_eq (eddy__sys_pipe2 (fds, 0), 0);
    result = eddy__sys_pwritev2 (fds[1], &out, 1, -1, RWF_NOSIGNAL);
    if (result == -EOPNOTSUPP)
        EDDY_TEST_SKIP ("the kernel has no RWF_NOSIGNAL (Linux 6.18)");
    ck_assert_int_eq (result, 1);
    eddy__sys_close (fds[0]);
    ck_assert_int_eq (eddy__sys_pwritev2 (fds[1], &out, 1, -1, RWF_NOSIGNAL), -EPIPE);
    eddy__sys_close (fds[1]);
}

static void interrupt_ignore (int number)
{
    (void) number;
}

/* Interrupts `main_thread` until it says that it has been told. */
static struct {
    pthread_t thread;
    atomic_bool is_done;
} interrupted;

static void *interrupt_thread (void *data)
{
    while (!atomic_load (&interrupted.is_done)) {
        pthread_kill (interrupted.thread, SIGUSR1);
        sched_yield ();
    }
    return data;
}

/* A wait for somebody else ends with a signal whose handler does not restart it. */
EDDY_TEST (read_of_a_pipe_reports_an_interruption)
{
    struct sigaction action = { .sa_handler = interrupt_ignore };
    pthread_t thread;
    char byte;
    int fds[2];

    ck_assert_int_eq (eddy__sys_pipe2 (fds, 0), 0);
    ck_assert_int_eq (eddy__sys_sigaction (SIGUSR1, &action, NULL), 0);
    interrupted.thread = pthread_self ();
    ck_assert_int_eq (pthread_create (&thread, NULL, interrupt_thread, NULL), 0);
    ck_assert_int_eq (eddy__sys_read (fds[0], &byte, 1), -EINTR);
    atomic_store (&interrupted.is_done, true);
    ck_assert_int_eq (pthread_join (thread, NULL), 0);
    eddy__sys_close (fds[0]);
    eddy__sys_close (fds[1]);
}

/* ---- Copying --------------------------------------------------------------------------------- */

EDDY_TEST (copy_file_range_moves_offsets_and_ends_with_0)
{
    int from = file_open ("from", "abcdef"), to = file_open ("to", "");
    int64_t from_offset = 2, to_offset = 1;
    char buf[8] = "";

    ck_assert_int_eq (eddy__sys_copy_file_range (from, &from_offset, to, &to_offset, 100, 0), 4);
    ck_assert_int_eq (from_offset, 6);
    ck_assert_int_eq (to_offset, 5);
    ck_assert_int_eq (eddy__sys_copy_file_range (from, &from_offset, to, &to_offset, 100, 0), 0);
    ck_assert_int_eq (eddy__sys_pread (to, buf, sizeof buf, 1), 4);
    ck_assert_str_eq (buf, "cdef");
    eddy__sys_close (from);
    eddy__sys_close (to);
}

EDDY_TEST (sendfile_to_a_pipe)
{
    int from = file_open ("from", "abcdef"), fds[2];
    int64_t offset = 1;
    char buf[8] = "";

    ck_assert_int_eq (eddy__sys_pipe2 (fds, 0), 0);
    ck_assert_int_eq (eddy__sys_sendfile (fds[1], from, &offset, 3), 3);
    ck_assert_int_eq (offset, 4);
    ck_assert_int_eq (eddy__sys_read (fds[0], buf, sizeof buf), 3);
    ck_assert_str_eq (buf, "bcd");
    eddy__sys_close (from);
    eddy__sys_close (fds[0]);
    eddy__sys_close (fds[1]);
}

/* Few file systems can; those that cannot say so, and nothing is written. */
EDDY_TEST (ficlone_clones_or_refuses)
{
    int from = file_open ("from", "abcdef"), to = file_open ("to", "");
    int result = eddy__sys_ficlone (to, from);

    if (result == 0)
        ck_assert_int_eq (file_size (to), 6);
    else {
        ck_assert_msg (result == -EOPNOTSUPP || result == -EINVAL, "ficlone returned %d", result);
        ck_assert_int_eq (file_size (to), 0);
    }
    eddy__sys_close (from);
    eddy__sys_close (to);
}

/* ---- Storage --------------------------------------------------------------------------------- */

EDDY_TEST (sizes_and_syncs)
{
    int fd = file_open ("a", "abc");

    ck_assert_int_eq (eddy__sys_ftruncate (fd, 10), 0);
    ck_assert_int_eq (file_size (fd), 10);
    ck_assert_int_eq (eddy__sys_fallocate (fd, 0, 0, 100), 0);
    ck_assert_int_eq (file_size (fd), 100);
    ck_assert_int_eq (eddy__sys_ftruncate (fd, -1), -EINVAL);
    ck_assert_int_eq (eddy__sys_fsync (fd), 0);
    ck_assert_int_eq (eddy__sys_fdatasync (fd), 0);
    ck_assert_int_eq (eddy__sys_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
    ck_assert_int_eq (eddy__sys_fadvise (fd, 0, 0, 1000), -EINVAL);
    eddy__sys_close (fd);
}

EDDY_TEST (holes_are_seen)
{
    int fd = file_open ("sparse", "x");

    ck_assert_int_eq (eddy__sys_ftruncate (fd, 4 << 20), 0);
    ck_assert_int_eq (eddy__sys_lseek (fd, 0, SEEK_DATA), 0);
    ck_assert_int_lt (eddy__sys_lseek (fd, 0, SEEK_HOLE), 4 << 20);
    ck_assert_int_eq (eddy__sys_lseek (fd, 2 << 20, SEEK_DATA), -ENXIO);
    eddy__sys_close (fd);
}

EDDY_TEST (flock_excludes_another_description)
{
    int one = file_open ("lock", ""), two;

    two = eddy__sys_openat (AT_FDCWD, eddy_test_path ("lock"), O_RDONLY, 0);
    ck_assert_int_eq (eddy__sys_flock (one, LOCK_EX), 0);
    ck_assert_int_eq (eddy__sys_flock (two, LOCK_EX | LOCK_NB), -EWOULDBLOCK);
    ck_assert_int_eq (eddy__sys_flock (one, LOCK_UN), 0);
    ck_assert_int_eq (eddy__sys_flock (two, LOCK_EX | LOCK_NB), 0);
    eddy__sys_close (one);
    eddy__sys_close (two);
}

EDDY_TEST (statfs_by_path_and_fd)
{
    struct statfs by_path, by_fd;
    int fd = eddy__sys_openat (AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY, 0);

    ck_assert_int_eq (eddy__sys_statfs ("/proc", &by_path), 0);
    ck_assert_int_eq (eddy__sys_fstatfs (fd, &by_fd), 0);
    ck_assert_uint_eq ((unsigned long) by_path.f_type, 0x9fa0); /* PROC_SUPER_MAGIC */
    ck_assert_uint_eq ((unsigned long) by_fd.f_type, 0x9fa0);
    ck_assert_int_eq (eddy__sys_statfs ("/no/such", &by_path), -ENOENT);
    eddy__sys_close (fd);
}
