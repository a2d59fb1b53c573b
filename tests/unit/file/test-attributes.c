/* SPDX-License-Identifier: MIT */
/*
 * Attributes: owner, set-id bits, times to the nanosecond, extended attributes; of files, folders
 * and links.
 */
#include <sys/xattr.h>

#include "files.h"

static void set_xattr (const char *name, const char *attribute, const void *value, size_t len)
{
    if (setxattr (eddy_test_path (name), attribute, value, len, 0) != 0)
        EDDY_TEST_SKIP ("the file system of the test directory has no such attributes");
}

static void assert_xattr (const char *name, const char *attribute, const void *value, size_t len)
{
    char *found = malloc (65536);
    ssize_t found_len = lgetxattr (eddy_test_path (name), attribute, found, 65536);

    ck_assert_int_eq (found_len, (ssize_t) len);
    ck_assert_int_eq (memcmp (found, value, len), 0);
    free (found);
}

static void set_times (const char *name, time_t seconds, long nanoseconds)
{
    struct timespec times[2] = { { seconds, nanoseconds }, { seconds + 1, nanoseconds + 1 } };

    ck_assert_int_eq (utimensat (AT_FDCWD, eddy_test_path (name), times, AT_SYMLINK_NOFOLLOW), 0);
}

static void assert_times (const char *name, time_t seconds, long nanoseconds)
{
    struct stat status = files_stat (name);

    ck_assert_int_eq (status.st_atim.tv_sec, seconds);
    ck_assert_int_eq (status.st_atim.tv_nsec, nanoseconds);
    ck_assert_int_eq (status.st_mtim.tv_sec, seconds + 1);
    ck_assert_int_eq (status.st_mtim.tv_nsec, nanoseconds + 1);
}

static void copy_attributes (const char *from, const char *to, EddyFileCopyFlags flags)
{
    EDDY_AUTO (EddyFile) source = files_new (from);
    EDDY_AUTO (EddyFile) destination = files_new (to);
    EddyError *error = NULL;

    bool is_done = eddy_file_copy_attributes (source, destination, flags, NULL, &error);
    ck_assert_msg (error == NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    ck_assert (is_done);
}

EDDY_TEST (times_are_kept_to_the_nanosecond_when_asked_for)
{
    files_write ("from", "x", 1);
    set_times ("from", -5, 999999998);
    files_copy ("from", "to", FILES_KEEP_ALL);
    assert_times ("to", -5, 999999998);
    files_copy ("from", "plain", EDDY_FILE_COPY_NONE);
    ck_assert_int_gt (files_stat ("plain").st_mtim.tv_sec, 1000000000);
}

EDDY_TEST (owner_and_set_id_bits_go_together)
{
    if (geteuid () != 0)
        EDDY_TEST_SKIP ("only root can give files away");
    files_write ("from", "x", 1);
    ck_assert_int_eq (chown (eddy_test_path ("from"), 1234, 2345), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 07751), 0);
    files_copy ("from", "to", FILES_KEEP_ALL);
    struct stat status = files_stat ("to");
    ck_assert_uint_eq (status.st_uid, 1234);
    ck_assert_uint_eq (status.st_gid, 2345);
    ck_assert_uint_eq (status.st_mode, S_IFREG | 07751);
    files_copy ("from", "plain", EDDY_FILE_COPY_NONE);
    status = files_stat ("plain");
    ck_assert_uint_eq (status.st_uid, 0);
    ck_assert_uint_eq (status.st_mode, S_IFREG | 01751);
}

EDDY_TEST (owner_that_may_not_be_given_takes_the_set_id_bits_along)
{
    if (geteuid () != 0)
        EDDY_TEST_SKIP ("only root can make a file that is somebody else's");
    files_write ("from", "x", 1);
    ck_assert_int_eq (chown (eddy_test_path ("from"), 1234, 2345), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 06755), 0);
    eddy_test_fail_call (EDDY_SYS_FCHOWN, 1, EPERM, false);
    files_copy ("from", "to", FILES_KEEP_ALL);
    /* The group alone was tried next. */
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_FCHOWN), 2);
    eddy_test_no_faults ();
    ck_assert_uint_eq (files_stat ("to").st_mode, S_IFREG | 0755);
}

/* What a new file has already is not given to it: seen by the calls that are not made. */
EDDY_TEST (owner_and_mode_that_are_right_are_left_alone)
{
    files_write ("from", "x", 1);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 0600), 0);
    eddy_test_count_calls ();
    files_copy ("from", "to", FILES_KEEP_ALL);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_FCHOWN), 0);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_FCHMOD), 0);
    eddy_test_no_faults ();
    ck_assert_uint_eq (files_stat ("to").st_mode, S_IFREG | 0600);
    ck_assert_uint_eq (files_stat ("to").st_gid, files_stat ("from").st_gid);
}

/* A folder that hands its group on: the copy keeps the source's all the same. */
EDDY_TEST (group_of_a_set_group_folder_is_not_taken)
{
    if (geteuid () != 0)
        EDDY_TEST_SKIP ("only root can give a folder to another group");
    files_write ("from", "x", 1);
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0755), 0);
    ck_assert_int_eq (chown (eddy_test_path ("folder"), 0, 2345), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("folder"), 02755), 0);
    files_copy ("from", "folder/to", FILES_KEEP_ALL);
    ck_assert_uint_eq (files_stat ("folder/to").st_gid, files_stat ("from").st_gid);
}

/* ---- Extended attributes --------------------------------------------------------------------- */

EDDY_TEST (xattrs_of_any_size_are_kept_when_asked_for)
{
    char large[3000];

    files_write ("from", "x", 1);
    memset (large, 'v', sizeof large);
    set_xattr ("from", "user.empty", "", 0);
    set_xattr ("from", "user.zero byte", "a\0b", 3);
    set_xattr ("from", "user.large", large, sizeof large);
    /* "user." attributes want a file that may be written. */
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 0400), 0);
    files_copy ("from", "to", FILES_KEEP_ALL);
    assert_xattr ("to", "user.empty", "", 0);
    assert_xattr ("to", "user.zero byte", "a\0b", 3);
    assert_xattr ("to", "user.large", large, sizeof large);
    files_copy ("from", "plain", EDDY_FILE_COPY_NONE);
    ck_assert_int_eq (listxattr (eddy_test_path ("plain"), NULL, 0), 0);
}

static void xattrs_as_nobody (void *data)
{
    char value[8];

    (void) data;
    files_copy ("from", "to", FILES_KEEP_ALL);
    ck_assert_int_eq (getxattr (eddy_test_path ("to"), "user.eddy", value, 8), 5);
    ck_assert_int_eq (getxattr (eddy_test_path ("to"), "security.capability", value, 8), -1);
}

EDDY_TEST (xattrs_that_are_not_ours_to_give_are_left_out)
{
    /* cap_net_raw, as setcap writes it. */
    static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 0x20 };

    files_write ("from", "x", 1);
    set_xattr ("from", "user.eddy", "value", 5);
    set_xattr ("from", "security.capability", capability, sizeof capability);
    files_copy ("from", "of root", FILES_KEEP_ALL);
    assert_xattr ("of root", "security.capability", capability, sizeof capability);
    eddy_test_run_as_nobody (xattrs_as_nobody, NULL);
}

EDDY_TEST (xattr_failures)
{
    const struct {
        EddySysCall call;
        int error;
        bool is_harmless;
    } failures[] = {
        { EDDY_SYS_FLISTXATTR, ENOSYS, true },    { EDDY_SYS_FLISTXATTR, EACCES, false },
        { EDDY_SYS_FGETXATTR, ENODATA, true },    { EDDY_SYS_FGETXATTR, EPERM, false },
        { EDDY_SYS_FSETXATTR, EOPNOTSUPP, true }, { EDDY_SYS_FSETXATTR, ENOSPC, false },
        { EDDY_SYS_FSETXATTR, EPERM, false },
    };

    files_write ("from", "x", 1);
    set_xattr ("from", "user.eddy", "value", 5);
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        EddyError *error = NULL;
        eddy_test_fail_call (failures[i].call, 1, failures[i].error, false);
        bool is_copied = files_copy_full ("from", "to", FILES_KEEP_ALL, NULL, &error);
        ck_assert_uint_eq (eddy_test_fault_hits (failures[i].call), 1);
        eddy_test_no_faults ();
        ck_assert_int_eq (is_copied, failures[i].is_harmless);
        ck_assert_int_eq (files_exists ("to"), is_copied);
        ck_assert_int_eq (eddy_error_get_errno (error), is_copied ? 0 : failures[i].error);
        eddy_clear_error (&error);
        unlink (eddy_test_path ("to"));
    }
}

/* ---- Of one name to another ------------------------------------------------------------------ */

EDDY_TEST (attributes_of_a_folder)
{
    ck_assert_int_eq (mkdir (eddy_test_path ("from"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("to"), 0700), 0);
    files_write ("to/file", "x", 1);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 03751), 0);
    ck_assert_int_eq (setxattr (eddy_test_path ("from"), "user.eddy", "value", 5, 0), 0);
    set_times ("from", 1111111111, 123456789);
    copy_attributes ("from", "to", FILES_KEEP_ALL);
    ck_assert_uint_eq (files_stat ("to").st_mode, S_IFDIR | 03751);
    assert_xattr ("to", "user.eddy", "value", 5);
    assert_times ("to", 1111111111, 123456789);
    ck_assert_int_eq (mkdir (eddy_test_path ("plain"), 0700), 0);
    copy_attributes ("from", "plain", EDDY_FILE_COPY_NONE);
    ck_assert_uint_eq (files_stat ("plain").st_mode, S_IFDIR | 01751);
}

EDDY_TEST (attributes_of_links_or_of_what_they_point_to)
{
    files_write ("from", "x", 1);
    files_write ("to", "y", 1);
    ck_assert_int_eq (symlink ("from", eddy_test_path ("from link")), 0);
    ck_assert_int_eq (symlink ("to", eddy_test_path ("to link")), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 0741), 0);
    set_times ("from", 1000000000, 10);
    set_times ("from link", 1200000000, 20);
    copy_attributes ("from link", "to link", FILES_KEEP_ALL);
    assert_times ("to link", 1200000000, 20);
    ck_assert_uint_eq (files_stat ("to").st_mode, S_IFREG | 0644);
    /* A file's permissions never reach through a link that is not to be followed. */
    copy_attributes ("from", "to link", FILES_KEEP_ALL);
    ck_assert_uint_eq (files_stat ("to").st_mode, S_IFREG | 0644);
    copy_attributes ("from link", "to link", EDDY_FILE_COPY_ALL_METADATA);
    ck_assert_uint_eq (files_stat ("to").st_mode, S_IFREG | 0741);
    assert_times ("to", 1000000000, 10);
}

EDDY_TEST (attributes_without_proc)
{
    files_write ("from", "x", 1);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 0741), 0);
    files_write ("to", "y", 1);
    eddy_test_fail_call (EDDY_SYS_FCHMODAT, 1, EOPNOTSUPP, false);
    copy_attributes ("from", "to", FILES_KEEP_ALL);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_FCHMODAT), 2);
    eddy_test_no_faults ();
    ck_assert_uint_eq (files_stat ("to").st_mode, S_IFREG | 0741);
}

EDDY_TEST (attributes_name_what_failed)
{
    EDDY_AUTO (EddyFile) source = files_new ("from");
    EDDY_AUTO (EddyFile) destination = files_new ("to");
    EddyError *error = NULL;

    ck_assert (!eddy_file_copy_attributes (source, destination, 0, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "from");
    files_write ("from", "x", 1);
    ck_assert (!eddy_file_copy_attributes (source, destination, 0, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "to");
}
