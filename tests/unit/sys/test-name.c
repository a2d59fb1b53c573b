/* SPDX-License-Identifier: MIT */
/*
 * Names in directories, and attributes.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/file-private.h"
#include "test.h"

static int directory_open (void)
{
    int fd = eddy__sys_openat (AT_FDCWD, eddy_test_directory (), O_RDONLY | O_DIRECTORY, 0);

    ck_assert_int_ge (fd, 0);
    return fd;
}

static void file_make (int directory, const char *name)
{
    int fd = eddy__sys_openat (directory, name, O_WRONLY | O_CREAT | O_EXCL, 0640);

    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (eddy__sys_close (fd), 0);
}

/* ---- Names ----------------------------------------------------------------------------------- */

EDDY_TEST (names_are_made_renamed_and_removed)
{
    struct statx status;
    int directory = directory_open ();

    file_make (directory, "a");
    file_make (directory, "b");
    ck_assert_int_eq (eddy__sys_mkdirat (directory, "d", 0700), 0);
    ck_assert_int_eq (eddy__sys_mkdirat (directory, "d", 0700), -EEXIST);
    ck_assert_int_eq (eddy__sys_renameat2 (directory, "a", directory, "b", RENAME_NOREPLACE),
                      -EEXIST);
    ck_assert_int_eq (eddy__sys_renameat2 (directory, "a", directory, "b", 0), 0);
    ck_assert_int_eq (eddy__sys_faccessat (directory, "a", F_OK, 0), -ENOENT);
    ck_assert_int_eq (eddy__sys_faccessat (directory, "b", R_OK, 0), 0);
    ck_assert_int_eq (eddy__sys_linkat (directory, "b", directory, "hard", 0), 0);
    ck_assert_int_eq (eddy__sys_statx (directory, "b", 0, STATX_NLINK, &status), 0);
    ck_assert_uint_eq (status.stx_nlink, 2);
    ck_assert_int_eq (eddy__sys_unlinkat (directory, "d", 0), -EISDIR);
    ck_assert_int_eq (eddy__sys_unlinkat (directory, "d", AT_REMOVEDIR), 0);
    ck_assert_int_eq (eddy__sys_unlinkat (directory, "b", 0), 0);
    ck_assert_int_eq (eddy__sys_unlinkat (directory, "b", 0), -ENOENT);
    eddy__sys_close (directory);
}

EDDY_TEST (symbolic_links_are_read_and_not_followed)
{
    struct statx status;
    char target[16] = "";
    int directory = directory_open ();

    ck_assert_int_eq (eddy__sys_symlinkat ("nowhere", directory, "link"), 0);
    ck_assert_int_eq (eddy__sys_readlinkat (directory, "link", target, sizeof target - 1), 7);
    ck_assert_str_eq (target, "nowhere");
    ck_assert_int_eq (eddy__sys_readlinkat (directory, "link", target, 3), 3);
    ck_assert_int_eq (eddy__sys_statx (directory, "link", 0, STATX_TYPE, &status), -ENOENT);
    ck_assert_int_eq (eddy__sys_statx (directory, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status),
                      0);
    ck_assert (S_ISLNK (status.stx_mode));
    eddy__sys_close (directory);
}

EDDY_TEST (fifos_are_made)
{
    struct statx status;
    int directory = directory_open ();

    ck_assert_int_eq (eddy__sys_mknodat (directory, "fifo", S_IFIFO | 0600, 0), 0);
    ck_assert_int_eq (eddy__sys_statx (directory, "fifo", 0, STATX_TYPE, &status), 0);
    ck_assert (S_ISFIFO (status.stx_mode));
    eddy__sys_close (directory);
}

/* Reads the whole directory through a buffer that holds few entries. */
static unsigned directory_count (int directory, const char *wanted, unsigned *n_wanted)
{
    _Alignas(uint64_t) char buf[128];
    unsigned count = 0;
    ssize_t len;

    while ((len = eddy__sys_getdents64 (directory, buf, sizeof buf)) > 0)
        for (ssize_t at = 0; at < len;) {
            const EddySysDirent *entry = (const EddySysDirent *) (void *) (buf + at);

            ck_assert_uint_gt (entry->length, 0);
            *n_wanted += strcmp (entry->name, wanted) == 0 && entry->type == DT_REG;
            at += entry->length;
            count++;
        }
    ck_assert_int_eq (len, 0);
    return count;
}

EDDY_TEST (directories_are_read_whole)
{
    unsigned n_wanted = 0;
    char name[16];
    int directory = directory_open ();

    for (int i = 0; i < 50; i++) {
        snprintf (name, sizeof name, "file-%02d", i);
        file_make (directory, name);
    }
    ck_assert_uint_eq (directory_count (directory, "file-37", &n_wanted), 52);
    ck_assert_uint_eq (n_wanted, 1);
    ck_assert_int_eq (eddy__sys_lseek (directory, 0, SEEK_SET), 0);
    ck_assert_int_eq (eddy__sys_getdents64 (directory, name, 1), -EINVAL);
    eddy__sys_close (directory);
}

/* ---- Attributes ------------------------------------------------------------------------------ */

EDDY_TEST (times_are_set_to_the_nanosecond)
{
    const struct timespec times[2] = { { 1000, 1 }, { 2000, 999999999 } };
    const struct timespec bad[2] = { { 0, 1000000000 }, { 0, 0 } };
    struct statx status;
    int directory = directory_open (), fd;

    file_make (directory, "a");
    ck_assert_int_eq (eddy__sys_utimensat (directory, "a", times, 0), 0);
    ck_assert_int_eq (eddy__sys_statx (directory, "a", 0, STATX_BASIC_STATS, &status), 0);
    ck_assert_int_eq (status.stx_atime.tv_sec, 1000);
    ck_assert_int_eq (status.stx_mtime.tv_sec, 2000);
    ck_assert_uint_eq (status.stx_mtime.tv_nsec, 999999999);
    fd = eddy__sys_openat (directory, "a", O_WRONLY, 0);
    ck_assert_int_eq (eddy__sys_futimens (fd, bad), -EINVAL);
    ck_assert_int_eq (eddy__sys_futimens (fd, (struct timespec[2]){ { 5, 0 }, { 6, 7 } }), 0);
    ck_assert_int_eq (eddy__sys_fstatx (fd, STATX_MTIME, &status), 0);
    ck_assert_int_eq (status.stx_mtime.tv_sec, 6);
    ck_assert_uint_eq (status.stx_mtime.tv_nsec, 7);
    eddy__sys_close (fd);
    eddy__sys_close (directory);
}

static unsigned file_mode (int directory, const char *name)
{
    struct statx status;

    ck_assert_int_eq (eddy__sys_statx (directory, name, 0, STATX_MODE, &status), 0);
    return status.stx_mode & 07777;
}

EDDY_TEST (modes_are_set)
{
    int directory = directory_open (), fd;

    file_make (directory, "a");
    ck_assert_int_eq (eddy__sys_fchmodat (directory, "a", 0604, 0), 0);
    ck_assert_uint_eq (file_mode (directory, "a"), 0604);
    fd = eddy__sys_openat (directory, "a", O_WRONLY, 0);
    ck_assert_int_eq (eddy__sys_fchmod (fd, 0640), 0);
    ck_assert_uint_eq (file_mode (directory, "a"), 0640);
    ck_assert_int_eq (eddy__sys_fchmodat (directory, "b", 0600, 0), -ENOENT);
    eddy__sys_close (fd);
    eddy__sys_close (directory);
}

static void chown_is_refused (void *data)
{
    int fd = eddy__sys_openat (AT_FDCWD, data, O_WRONLY | O_CREAT, 0600);

    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (eddy__sys_fchown (fd, 12, 34), -EPERM);
    ck_assert_int_eq (eddy__sys_fchownat (AT_FDCWD, data, 12, 34, 0), -EPERM);
    /* To give it to whom it belongs is nobody's right, and everybody's. */
    ck_assert_int_eq (eddy__sys_fchown (fd, (uid_t) -1, (gid_t) -1), 0);
    ck_assert_int_eq (eddy__sys_close (fd), 0);
}

EDDY_TEST (owners_are_for_root)
{
    struct statx status;
    int directory = directory_open (), fd;

    eddy_test_run_as_nobody (chown_is_refused, (void *) eddy_test_path ("nobodys"));
    if (geteuid () != 0)
        EDDY_TEST_SKIP ("needs root to give files away");
    file_make (directory, "a");
    ck_assert_int_eq (eddy__sys_fchownat (directory, "a", 12, 34, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert_int_eq (eddy__sys_statx (directory, "a", 0, STATX_BASIC_STATS, &status), 0);
    ck_assert_uint_eq (status.stx_uid, 12);
    ck_assert_uint_eq (status.stx_gid, 34);
    fd = eddy__sys_openat (directory, "a", O_WRONLY, 0);
    ck_assert_int_eq (eddy__sys_fchown (fd, 56, (gid_t) -1), 0);
    ck_assert_int_eq (eddy__sys_fstatx (fd, STATX_UID, &status), 0);
    ck_assert_uint_eq (status.stx_uid, 56);
    eddy__sys_close (fd);
    eddy__sys_close (directory);
}

EDDY_TEST (extended_attributes_by_path_and_fd)
{
    const char *path = eddy_test_path ("a"), *link = eddy_test_path ("link");
    char buf[32] = "";
    int fd = eddy__sys_openat (AT_FDCWD, path, O_RDWR | O_CREAT, 0600), result;

    ck_assert_int_eq (eddy__sys_symlinkat ("a", AT_FDCWD, link), 0);
    result = eddy__sys_setxattr (link, true, "user.one", "1", 1, 0);
    if (result == -EOPNOTSUPP)
        EDDY_TEST_SKIP ("the temporary directory has no user attributes");
    ck_assert_int_eq (result, 0);
    ck_assert_int_eq (eddy__sys_fsetxattr (fd, "user.two", "22", 2, 0), 0);
    ck_assert_int_eq (eddy__sys_getxattr (link, true, "user.two", buf, sizeof buf), 2);
    ck_assert_str_eq (buf, "22");
    ck_assert_int_eq (eddy__sys_getxattr (link, false, "user.two", buf, sizeof buf), -ENODATA);
    ck_assert_int_eq (eddy__sys_fgetxattr (fd, "user.one", NULL, 0), 1);
    ck_assert_int_eq (eddy__sys_listxattr (path, true, NULL, 0), 18);
    ck_assert_int_eq (eddy__sys_listxattr (path, false, buf, sizeof buf), 18);
    ck_assert_int_eq (eddy__sys_flistxattr (fd, buf, 4), -ERANGE);
    ck_assert_int_eq (eddy__sys_flistxattr (fd, buf, sizeof buf), 18);
    ck_assert_msg (memmem (buf, 18, "user.one", 9) != NULL, "user.one is not in the list");
    eddy__sys_close (fd);
}
