/* SPDX-License-Identifier: MIT */
/*
 * Every operation on the files of an open folder: what it does inside, and what it costs.
 */
#include <eddy/file-enumerator.h>
#include <eddy/file-handle.h>
#include <eddy/file-tree.h>
#include <eddy/filesystem-info.h>
#include <sys/xattr.h>

#include "dirs.h"

/* ---- What is done inside --------------------------------------------------------------------- */

static void ask (const char *name, bool follow, mode_t mode)
{
    EDDY_AUTO (EddyFile) file = dir_file (name);
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (file, follow ? 0 : EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL,
                                 &error);

    ck_assert_msg (info != NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    struct stat status = files_stat (mode == S_IFDIR   ? "root/a/b"
                                     : mode == S_IFREG ? "root/a/b/file"
                                                       : "root/a/b/link");
    ck_assert_uint_eq (eddy_file_info_get_inode (info), status.st_ino);
    ck_assert_uint_eq (status.st_mode & S_IFMT, mode);
}

DIR_TEST (query_info)
{
    ask ("a/b/file", true, S_IFREG);
    ask ("a/b/file", false, S_IFREG);
    ask ("a/b/link", true, S_IFREG);
    ask ("a/b/link", false, S_IFLNK);
    ask ("folder/link", false, S_IFLNK);
    ask ("folder", true, S_IFDIR);
    ask ("folder/.", false, S_IFDIR);
    ask ("a/b/../b", false, S_IFDIR);
    /* With a slash behind it the kernel would follow the link. */
    ask ("folder/link/", false, S_IFLNK);
}

DIR_TEST (list_and_children)
{
    EDDY_AUTO (EddyFile) folder = dir_file ("folder");
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileInfoList) list = eddy_file_list_children (folder, NULL, &error);

    ck_assert_ptr_nonnull (list);
    ck_assert_uint_eq (eddy_file_info_list_get_length (list), 2);
    for (size_t i = 0; i < 2; i++) {
        EDDY_AUTO (EddyFile)
        child = eddy_file_get_child_for_info (folder, eddy_file_info_list_get (list, i));
        ck_assert_ptr_nonnull (child);
        ck_assert_ptr_eq (eddy_file_get_dir (child), dir_root);
        EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (child, NULL, &error);
        ck_assert_ptr_nonnull (bytes);
        ck_assert_mem_eq (eddy_bytes_get_data (bytes), "file", 4);
    }
    /* A child's name is looked up from the folder on, like any other. */
    EDDY_AUTO (EddyFile) up = dir_child (folder, "../../../outside/file");
    ck_assert_ptr_null (eddy_file_load_contents (up, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED, EXDEV,
                        "root/folder/../../../outside/file");
    EDDY_AUTO (EddyFile) same = dir_child (folder, "../b/file");
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (same, NULL, &error);
    ck_assert_ptr_nonnull (bytes);
}

/* A dir of a dir's file is the tighter one of the two. */
DIR_TEST (open_of_a_dir_s_folder)
{
    EDDY_AUTO (EddyFile) folder = dir_file ("folder");
    EddyError *error = NULL;
    EDDY_AUTO (EddyDir) inner = eddy_dir_open (folder, NULL, &error);

    ck_assert_ptr_nonnull (inner);
    EDDY_AUTO (EddyFile) file = eddy_dir_get_file (inner, "link");
    ck_assert_ptr_nonnull (file);
    ck_assert_str_eq (eddy_file_get_path (file), eddy_test_path ("root/folder/link"));
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    ck_assert_ptr_nonnull (bytes);
    EDDY_AUTO (EddyFile) above = eddy_dir_get_file (inner, "../b/file");
    ck_assert_ptr_nonnull (above);
    ck_assert_ptr_null (eddy_file_load_contents (above, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED, EXDEV, "root/folder/../b/file");
    /* The folder, not its name: a dir stays open when the name goes to another. */
    ck_assert_int_eq (unlink (eddy_test_path ("root/folder")), 0);
    ck_assert_int_eq (symlink ("../outside", eddy_test_path ("root/folder")), 0);
    EDDY_AUTO (EddyBytes) again = eddy_file_load_contents (file, NULL, &error);
    ck_assert_ptr_nonnull (again);
    ck_assert_mem_eq (eddy_bytes_get_data (again), "file", 4);
}

static void done (bool is_done, EddyError **error)
{
    ck_assert_msg (is_done, "%s", *error == NULL ? "failed" : eddy_error_get_message (*error));
}

DIR_TEST (names_are_made_and_removed)
{
    EDDY_AUTO (EddyFile) made = dir_file ("folder/made/");
    EDDY_AUTO (EddyFile) private = dir_file ("private");
    EDDY_AUTO (EddyFile) link = dir_child (made, "link");
    EDDY_AUTO (EddyFile) hard = dir_file ("a/../hard");
    EDDY_AUTO (EddyFile) plain = files_new ("plain");
    EddyError *error = NULL;

    umask (022);
    done (eddy_file_make_directory (made, NULL, &error), &error);
    ck_assert_uint_eq (files_stat ("root/a/b/made").st_mode, S_IFDIR | 0755);
    done (eddy_file_make_private_directory (private, NULL, &error), &error);
    ck_assert_uint_eq (files_stat ("root/private").st_mode, S_IFDIR | 0700);
    /* What a link says is the caller's business; what it leads to is asked when it is used. */
    done (eddy_file_make_symbolic_link (link, "/etc/passwd", NULL, &error), &error);
    ck_assert_ptr_null (eddy_file_load_contents (link, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED, EXDEV, "root/folder/made/link");
    done (eddy_file_make_hard_link (link, hard, NULL, &error), &error);
    ck_assert_uint_eq (files_stat ("root/hard").st_ino, files_stat ("root/a/b/made/link").st_ino);
    done (eddy_file_make_hard_link (hard, plain, NULL, &error), &error);
    ck_assert_uint_eq (files_stat ("plain").st_nlink, 3);
    done (eddy_file_delete (link, NULL, &error), &error);
    done (eddy_file_delete (hard, NULL, &error), &error);
    done (eddy_file_delete (made, NULL, &error), &error);
    ck_assert (!files_exists ("root/a/b/made"));
    ck_assert_uint_eq (files_stat ("plain").st_nlink, 1);
    ck_assert (!eddy_file_delete (made, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "root/folder/made");
}

static void copy (EddyFile *from, EddyFile *to, EddyFileCopyFlags flags)
{
    EddyError *error = NULL;

    done (eddy_file_copy (from, to, flags, NULL, NULL, NULL, &error), &error);
}

DIR_TEST (copies_in_out_and_within)
{
    EDDY_AUTO (EddyFile) inside = dir_file ("folder/file");
    EDDY_AUTO (EddyFile) other = dir_file ("a/other");
    EDDY_AUTO (EddyFile) plain = files_new ("plain");
    EddyError *error = NULL;

    copy (inside, plain, EDDY_FILE_COPY_ALL_METADATA);
    files_assert_contents ("plain", "file", 4);
    copy (inside, other, EDDY_FILE_COPY_NONE);
    files_assert_contents ("root/a/other", "file", 4);
    files_write ("plain", "from without", 12);
    copy (plain, other, EDDY_FILE_COPY_OVERWRITE);
    files_assert_contents ("root/a/other", "from without", 12);
    ck_assert (!files_exists ("root/a/.other.eddy~"));
    ck_assert (!eddy_file_copy (plain, other, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_EXISTS, EEXIST, "root/a/other");
    /* A temporary that was left behind is taken over. */
    files_write ("root/a/.other.eddy~", "left", 4);
    copy (inside, other, EDDY_FILE_COPY_OVERWRITE);
    files_assert_contents ("root/a/other", "file", 4);
    ck_assert (!files_exists ("root/a/.other.eddy~"));
}

/* Where a name is a link that leads out, its replacement is a file in the folder. */
DIR_TEST (copy_replaces_a_link_itself)
{
    EDDY_AUTO (EddyFile) inside = dir_file ("folder/file");
    EDDY_AUTO (EddyFile) out = dir_file ("a/out");
    EddyError *error = NULL;

    ck_assert_int_eq (symlink ("../../outside/file", eddy_test_path ("root/a/out")), 0);
    ck_assert (!eddy_file_copy (inside, out, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_EXISTS, EEXIST, "root/a/out");
    copy (inside, out, EDDY_FILE_COPY_OVERWRITE);
    ck_assert (S_ISREG (files_stat ("root/a/out").st_mode));
    files_assert_contents ("outside/file", "secret", 6);
}

DIR_TEST (copies_of_links_and_fifos_with_attributes)
{
    EDDY_AUTO (EddyFile) link = dir_file ("folder/link");
    EDDY_AUTO (EddyFile) fifo = dir_file ("folder/fifo");
    EDDY_AUTO (EddyFile) link_copy = dir_file ("a/link");
    EDDY_AUTO (EddyFile) fifo_copy = dir_file ("a/fifo");
    const struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };

    ck_assert_int_eq (mkfifo (eddy_test_path ("root/a/b/fifo"), 0600), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("root/a/b/fifo"), 0640), 0);
    ck_assert_int_eq (
        utimensat (AT_FDCWD, eddy_test_path ("root/a/b/link"), times, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert_int_eq (utimensat (AT_FDCWD, eddy_test_path ("root/a/b/fifo"), times, 0), 0);
    for (int i = 0; i < 2; i++) {
        copy (link, link_copy, FILES_KEEP_ALL | EDDY_FILE_COPY_OVERWRITE);
        ck_assert (S_ISLNK (files_stat ("root/a/link").st_mode));
        ck_assert_int_eq (files_stat ("root/a/link").st_mtim.tv_sec, 2000);
        copy (fifo, fifo_copy, FILES_KEEP_ALL | EDDY_FILE_COPY_OVERWRITE);
        ck_assert_uint_eq (files_stat ("root/a/fifo").st_mode, S_IFIFO | 0640);
        ck_assert_int_eq (files_stat ("root/a/fifo").st_mtim.tv_nsec, 7);
    }
}

DIR_TEST (attributes)
{
    EDDY_AUTO (EddyFile) from = dir_file ("folder/file");
    EDDY_AUTO (EddyFile) to = dir_file ("a/to");
    EDDY_AUTO (EddyFile) to_link = dir_file ("a/to-link");
    const struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };
    EddyError *error = NULL;
    char value[8];

    files_write ("root/a/to", "", 0);
    ck_assert_int_eq (symlink ("to", eddy_test_path ("root/a/to-link")), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("root/a/b/file"), 0604), 0);
    ck_assert_int_eq (utimensat (AT_FDCWD, eddy_test_path ("root/a/b/file"), times, 0), 0);
    done (eddy_file_copy_attributes (from, to_link, FILES_KEEP_ALL, NULL, &error), &error);
    ck_assert_int_eq (files_stat ("root/a/to-link").st_mtim.tv_sec, 2000);
    ck_assert_int_ne (files_stat ("root/a/to").st_mtim.tv_sec, 2000);
    /* Links cannot have these. */
    bool has_xattr = setxattr (eddy_test_path ("root/a/b/file"), "user.x", "value", 5, 0) == 0;
    ck_assert_int_eq (utimensat (AT_FDCWD, eddy_test_path ("root/a/b/file"), times, 0), 0);
    done (eddy_file_copy_attributes (from, to_link, EDDY_FILE_COPY_ALL_METADATA, NULL, &error),
          &error);
    ck_assert_uint_eq (files_stat ("root/a/to").st_mode, S_IFREG | 0604);
    ck_assert_int_eq (files_stat ("root/a/to").st_mtim.tv_nsec, 7);
    if (has_xattr)
        ck_assert_int_eq (getxattr (eddy_test_path ("root/a/to"), "user.x", value, 8), 5);
    ck_assert_int_eq (unlink (eddy_test_path ("root/a/to")), 0);
    ck_assert (!eddy_file_copy_attributes (from, to, FILES_KEEP_ALL, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "root/a/to");
}

DIR_TEST (open_files)
{
    EDDY_AUTO (EddyFile) file = dir_file ("folder/link");
    EDDY_AUTO (EddyFile) made = dir_file ("folder/made");
    EddyError *error = NULL;
    char text[8] = "";

    EDDY_AUTO (EddyFileHandle) handle = eddy_file_open (file, EDDY_FILE_OPEN_READ, NULL, &error);
    ck_assert_ptr_nonnull (handle);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, text, sizeof text, 0, NULL, &error), 4);
    ck_assert_str_eq (text, "file");
    EDDY_AUTO (EddyFileHandle)
    writer = eddy_file_open (made,
                             EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE |
                                 EDDY_FILE_OPEN_EXCLUSIVE | EDDY_FILE_OPEN_PRIVATE,
                             NULL, &error);
    ck_assert_ptr_nonnull (writer);
    ck_assert_int_eq (eddy_file_handle_write_at (writer, "made", 4, 0, NULL, &error), 4);
    files_assert_contents ("root/a/b/made", "made", 4);
    ck_assert_uint_eq (files_stat ("root/a/b/made").st_mode, S_IFREG | 0600);
    done (eddy_file_handle_close (handle, NULL, &error), &error);
    done (eddy_file_handle_close (writer, NULL, &error), &error);
    EDDY_AUTO (EddyFileHandle)
    nofollow = eddy_file_open (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_NOFOLLOW, NULL, &error);
    ck_assert_ptr_null (nofollow);
    ck_assert_int_eq (eddy_error_get_errno (error), ELOOP);
    eddy_clear_error (&error);
}

static EddyFile *replaced (const char *name, EddyFileCreateFlags flags, const char *text)
{
    EddyFile *file = dir_file (name);
    EddyError *error = NULL;

    done (eddy_file_replace_contents (file, text, strlen (text), NULL, /* make_backup= */ true,
                                      flags, NULL, NULL, &error),
          &error);
    return file;
}

DIR_TEST (contents_replaced)
{
    eddy_unref (replaced ("folder/new", EDDY_FILE_CREATE_NONE, "new"));
    files_assert_contents ("root/a/b/new", "new", 3);
    /* Behind a link, beside which nothing changes. */
    ck_assert_int_eq (symlink ("../folder/link", eddy_test_path ("root/a/far")), 0);
    eddy_unref (replaced ("a/far", EDDY_FILE_CREATE_NONE, "other"));
    files_assert_contents ("root/a/b/file", "other", 5);
    files_assert_contents ("root/a/b/file~", "file", 4);
    ck_assert (S_ISLNK (files_stat ("root/a/far").st_mode));
    eddy_unref (replaced ("a/far", EDDY_FILE_CREATE_REPLACE_DESTINATION, "own"));
    files_assert_contents ("root/a/far", "own", 3);
    files_assert_contents ("root/a/b/file", "other", 5);
}

/* What a link leads to is told of its file in the folder, and of nothing outside. */
DIR_TEST (enumerator_follows_no_further)
{
    EDDY_AUTO (EddyFile) folder = dir_file ("a/..");
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileEnumerator)
    enumerator = eddy_file_enumerate_children (folder, EDDY_FILE_QUERY_INFO_NONE, NULL, &error);

    ck_assert_ptr_nonnull (enumerator);
    EDDY_AUTO (EddyFileInfoList)
    list = eddy_file_enumerator_next_files (enumerator, 10, NULL, &error);
    ck_assert_ptr_nonnull (list);
    ck_assert_uint_eq (eddy_file_info_list_get_length (list), 3);
    for (size_t i = 0; i < 3; i++) {
        const EddyFileInfo *info = eddy_file_info_list_get (list, i);
        bool is_out = strcmp (eddy_file_info_get_name (info), "out") == 0;
        ck_assert_int_eq (eddy_file_info_get_file_type (info),
                          is_out ? EDDY_FILE_TYPE_SYMBOLIC_LINK : EDDY_FILE_TYPE_DIRECTORY);
    }
    done (eddy_file_enumerator_close (enumerator, NULL, &error), &error);
}

DIR_TEST (trees_moves_and_measures)
{
    EDDY_AUTO (EddyFile) deep = dir_file ("folder/x/y");
    EDDY_AUTO (EddyFile) x = dir_file ("a/b/x");
    EDDY_AUTO (EddyFile) copied = dir_file ("copied");
    EDDY_AUTO (EddyFile) moved = dir_file ("folder/moved");
    EDDY_AUTO (EddyFileInfo) info = eddy_file_info_new ();
    EddyError *error = NULL;
    uint64_t usage, num_dirs, num_files;

    done (eddy_file_make_directory_with_parents (deep, NULL, &error), &error);
    files_write ("root/a/b/x/y/one", "one", 3);
    ck_assert_int_eq (symlink ("../../../..", eddy_test_path ("root/a/b/x/y/up")), 0);
    done (eddy_file_copy_tree (x, copied, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, &error), &error);
    files_assert_contents ("root/copied/y/one", "one", 3);
    done (eddy_file_move (copied, moved, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, &error), &error);
    files_assert_contents ("root/a/b/moved/y/one", "one", 3);
    done (eddy_file_measure_disk_usage (moved, EDDY_FILE_MEASURE_REPORT_ANY_ERROR, NULL, NULL, NULL,
                                        &usage, &num_dirs, &num_files, &error),
          &error);
    ck_assert_uint_eq (num_dirs, 2);
    ck_assert_uint_eq (num_files, 2);
    ck_assert_ptr_nonnull (info);
    eddy_file_info_set_mode (info, 0750);
    eddy_file_info_set_modification_time_ns (info, 2000000000007);
    done (eddy_file_set_attributes (moved, info, EDDY_FILE_QUERY_INFO_NONE, NULL, &error), &error);
    ck_assert_uint_eq (files_stat ("root/a/b/moved").st_mode, S_IFDIR | 0750);
    ck_assert_int_eq (files_stat ("root/a/b/moved").st_mtim.tv_nsec, 7);
    EDDY_AUTO (EddyFilesystemInfo)
    filesystem = eddy_file_query_filesystem_info (moved, NULL, &error);
    ck_assert_ptr_nonnull (filesystem);
    done (eddy_file_delete_tree (moved, NULL, NULL, NULL, &error), &error);
    ck_assert (!files_exists ("root/a/b/moved"));
    files_assert_contents ("root/a/b/x/y/one", "one", 3);
}

/* ---- What it costs --------------------------------------------------------------------------- */

static unsigned calls_of_query (EddyFile *file, EddyFileQueryInfoFlags flags)
{
    EddyError *error = NULL;
    unsigned count = 0;

    eddy_test_count_calls ();
    for (int i = 0; i < EDDY_SYS_N_CALLS; i++)
        count -= eddy_test_call_count ((EddySysCall) i);
    EDDY_AUTO (EddyFileInfo) info = eddy_file_query_info (file, flags, NULL, &error);
    ck_assert_ptr_nonnull (info);
    for (int i = 0; i < EDDY_SYS_N_CALLS; i++)
        count += eddy_test_call_count ((EddySysCall) i);
    return count;
}

EDDY_TEST (dir_costs_nothing_without)
{
    EDDY_AUTO (EddyFile) plain = files_new ("root/a/b/file");

    dir_begin (/* has_openat2= */ true);
    EDDY_AUTO (EddyFile) top = dir_file ("a");
    EDDY_AUTO (EddyFile) deep = dir_file ("a/b/file");
    ck_assert_uint_eq (calls_of_query (plain, 0), 1);
    ck_assert_uint_eq (calls_of_query (plain, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS), 1);
    ck_assert_uint_eq (calls_of_query (top, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS), 1);
    ck_assert_uint_eq (calls_of_query (deep, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS), 3);
    ck_assert_uint_eq (calls_of_query (deep, 0), 3);
    dir_end ();
}
