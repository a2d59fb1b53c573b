/* SPDX-License-Identifier: MIT */
/*
 * Paths, and infos of single files.
 */
#include "base/alloc-private.h"
#include "files.h"

/* ---- Paths ----------------------------------------------------------------------------------- */

EDDY_TEST (path_is_kept_as_it_is)
{
    const char *paths[] = { "/a/b", "a", "", "/", "a//b/", "\xff\n" };

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (paths[i]);
        ck_assert_str_eq (eddy_file_get_path (file), paths[i]);
    }
}

EDDY_TEST (path_of_a_child)
{
    const struct {
        const char *path;
        const char *name;
        const char *child;
    } children[] = {
        { "/a", "b", "/a/b" }, { "/a/", "b", "/a/b" }, { "/", "b", "/b" },
        { "", "b", "b" },      { ".", "b", "./b" },    { "a", "x\ny", "a/x\ny" },
    };

    for (size_t i = 0; i < sizeof children / sizeof children[0]; i++) {
        EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (children[i].path);
        EDDY_AUTO (EddyFile) child = eddy_file_get_child (file, children[i].name);
        ck_assert_str_eq (eddy_file_get_path (child), children[i].child);
    }
}

EDDY_TEST (path_has_a_last_part)
{
    const char *parts[][2] = { { "/a/b", "b" }, { "a", "a" },      { "a/", "a" }, { "/a//", "a" },
                               { "/", "/" },    { "//", "/" },     { "", "" },    { "..", ".." },
                               { "a/.", "." },  { "x/y z", "y z" } };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (parts[i][0]);
        EDDY_AUTO_FREE (char) name = eddy_file_get_basename (file);
        ck_assert_str_eq (name, parts[i][1]);
    }
}

static int memory_is_out (size_t size, void *data)
{
    (void) size, (void) data;
    return 1;
}

EDDY_TEST (path_without_memory)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path ("/a");

    eddy__alloc_set_fault (memory_is_out, NULL);
    EddyFile *other = eddy_file_new_for_path ("/b"), *child = eddy_file_get_child (file, "c");
    char *name = eddy_file_get_basename (file);
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert_ptr_null (other);
    ck_assert_ptr_null (child);
    ck_assert_ptr_null (name);
}

/* ---- Infos ----------------------------------------------------------------------------------- */

static EddyFileInfo *query (const char *name, EddyFileQueryInfoFlags flags)
{
    EDDY_AUTO (EddyFile) file = files_new (name);
    EddyError *error = NULL;
    EddyFileInfo *info = eddy_file_query_info (file, flags, NULL, &error);

    ck_assert_ptr_null (error);
    ck_assert_ptr_nonnull (info);
    return info;
}

EDDY_TEST (info_says_what_stat_says)
{
    files_write_pattern ("file", 12345);
    ck_assert_int_eq (chmod (eddy_test_path ("file"), 06751), 0);
    ck_assert_int_eq (link (eddy_test_path ("file"), eddy_test_path ("other")), 0);
    EDDY_AUTO (EddyFileInfo) info = query ("file", EDDY_FILE_QUERY_INFO_NONE);
    struct stat status = files_stat ("file");

    ck_assert_str_eq (eddy_file_info_get_name (info), "file");
    ck_assert_int_eq (eddy_file_info_get_file_type (info), EDDY_FILE_TYPE_REGULAR);
    ck_assert_int_eq (eddy_file_info_get_size (info), 12345);
    ck_assert_int_eq (eddy_file_info_get_allocated_size (info), status.st_blocks * 512);
    ck_assert_uint_eq (eddy_file_info_get_mode (info), 06751);
    ck_assert_uint_eq (eddy_file_info_get_owner (info), status.st_uid);
    ck_assert_uint_eq (eddy_file_info_get_group (info), status.st_gid);
    ck_assert_int_eq (eddy_file_info_get_modification_time_ns (info),
                      status.st_mtim.tv_sec * 1000000000L + status.st_mtim.tv_nsec);
    ck_assert_uint_eq (eddy_file_info_get_n_links (info), 2);
    ck_assert_uint_eq (eddy_file_info_get_inode (info), status.st_ino);
    ck_assert_uint_eq (eddy_file_info_get_device (info), status.st_dev);
}

EDDY_TEST (info_of_every_kind)
{
    const struct {
        const char *path;
        EddyFileType type;
    } kinds[] = { { "/dev/null", EDDY_FILE_TYPE_CHARACTER_DEVICE },
                  { "/", EDDY_FILE_TYPE_DIRECTORY },
                  { "/proc/self/exe", EDDY_FILE_TYPE_REGULAR } };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (kinds[i].path);
        EDDY_AUTO (EddyFileInfo) info = eddy_file_query_info (file, 0, NULL, NULL);
        ck_assert_int_eq (eddy_file_info_get_file_type (info), kinds[i].type);
    }
    ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
    ck_assert_int_eq (symlink ("fifo", eddy_test_path ("link")), 0);
    EDDY_AUTO (EddyFileInfo) followed = query ("link", EDDY_FILE_QUERY_INFO_NONE);
    ck_assert_int_eq (eddy_file_info_get_file_type (followed), EDDY_FILE_TYPE_FIFO);
    ck_assert_str_eq (eddy_file_info_get_name (followed), "link");
    EDDY_AUTO (EddyFileInfo) link = query ("link", EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS);
    ck_assert_int_eq (eddy_file_info_get_file_type (link), EDDY_FILE_TYPE_SYMBOLIC_LINK);
    ck_assert_int_eq (eddy_file_info_get_size (link), 4);
}

EDDY_TEST (info_of_times_before_1970)
{
    struct timespec times[2] = { { -1, 500000000 }, { -1, 500000000 } };

    files_write ("file", "", 0);
    ck_assert_int_eq (utimensat (AT_FDCWD, eddy_test_path ("file"), times, 0), 0);
    EDDY_AUTO (EddyFileInfo) info = query ("file", 0);
    ck_assert_int_eq (eddy_file_info_get_modification_time_ns (info), -500000000);
}

EDDY_TEST (info_that_cannot_be_had)
{
    EDDY_AUTO (EddyFile) file = files_new ("none");
    EddyError *error = NULL;

    ck_assert_ptr_null (eddy_file_query_info (file, 0, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "none");
    ck_assert_ptr_null (eddy_file_query_info (file, 0, NULL, NULL));
    files_write ("none", "", 0);
    eddy__alloc_set_fault (memory_is_out, NULL);
    ck_assert_ptr_null (eddy_file_query_info (file, 0, NULL, &error));
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_NO_MEMORY);
    eddy_clear_error (&error);
}
