/* SPDX-License-Identifier: MIT */
/*
 * Every operation with names that lead out of an open folder: one error, and nothing done outside.
 */
#include <eddy/file-enumerator.h>
#include <eddy/file-handle.h>
#include <eddy/file-stream.h>
#include <eddy/file-tree.h>
#include <eddy/filesystem-info.h>

#include "dirs.h"

/* ---- What leads out, in each operation ------------------------------------------------------- */

typedef bool (*Call) (EddyFile *file, EddyError **error);

static bool kept (void *object)
{
    bool is_there = object != NULL;

    eddy_unref (object);
    return is_there;
}

static bool call_query (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NONE, NULL, error));
}

static bool call_query_link (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, error));
}

static bool call_list (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_list_children (file, NULL, error));
}

static bool call_load (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_load_contents (file, NULL, error));
}

static bool call_open (EddyFile *file, EddyError **error)
{
    return kept (eddy_dir_open (file, NULL, error));
}

static bool copy_out (EddyFile *from, EddyFileCopyFlags flags, EddyError **error)
{
    EDDY_AUTO (EddyFile) plain = files_new ("plain");

    return eddy_file_copy (from, plain, flags | EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error);
}

static bool call_copy_from (EddyFile *file, EddyError **error)
{
    return copy_out (file, EDDY_FILE_COPY_NONE, error);
}

static bool call_copy_link_from (EddyFile *file, EddyError **error)
{
    return copy_out (file, FILES_KEEP_ALL, error);
}

static bool call_copy_to (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) from = dir_file ("a/b/file");

    return eddy_file_copy (from, file, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error);
}

static bool call_copy_link_to (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) from = dir_file ("a/b/link");

    return eddy_file_copy (from, file, EDDY_FILE_COPY_OVERWRITE | FILES_KEEP_ALL, NULL, NULL, NULL,
                           error);
}

static bool call_attributes_from (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) to = dir_file ("a/b/file");

    return eddy_file_copy_attributes (file, to, EDDY_FILE_COPY_ALL_METADATA, NULL, error);
}

static bool call_attributes_to (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) from = dir_file ("a/b");

    return eddy_file_copy_attributes (from, file, EDDY_FILE_COPY_ALL_METADATA, NULL, error);
}

static bool call_make_directory (EddyFile *file, EddyError **error)
{
    return eddy_file_make_directory (file, NULL, error);
}

static bool call_make_private_directory (EddyFile *file, EddyError **error)
{
    return eddy_file_make_private_directory (file, NULL, error);
}

static bool call_make_link (EddyFile *file, EddyError **error)
{
    return eddy_file_make_symbolic_link (file, "x", NULL, error);
}

static bool call_hard_link_from (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) to = dir_file ("a/hard");

    return eddy_file_make_hard_link (file, to, NULL, error);
}

static bool call_hard_link_to (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) from = dir_file ("a/b/file");

    return eddy_file_make_hard_link (from, file, NULL, error);
}

static bool call_delete (EddyFile *file, EddyError **error)
{
    return eddy_file_delete (file, NULL, error);
}

/* A new one: the file is what a name that is taken would keep. */
static bool call_create (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_create (file, EDDY_FILE_CREATE_NONE, NULL, error));
}

static bool call_open_to_write (EddyFile *file, EddyError **error)
{
    const EddyFileOpenFlags flags =
        EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE | EDDY_FILE_OPEN_TRUNCATE;

    return kept (eddy_file_open (file, flags, NULL, error));
}

static bool call_read (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_read (file, NULL, error));
}

static bool call_append_to (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_append_to (file, EDDY_FILE_CREATE_NONE, NULL, error));
}

static bool call_open_readwrite (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_open_readwrite (file, NULL, error));
}

static bool call_enumerate (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_enumerate_children (file, EDDY_FILE_QUERY_INFO_NONE, NULL, error));
}

static bool call_replace (EddyFile *file, EddyError **error)
{
    return eddy_file_replace_contents (file, "new", 3, NULL, /* make_backup= */ true,
                                       EDDY_FILE_CREATE_NONE, NULL, NULL, error);
}

static bool call_replace_link (EddyFile *file, EddyError **error)
{
    return eddy_file_replace_contents (file, "new", 3, NULL, /* make_backup= */ true,
                                       EDDY_FILE_CREATE_REPLACE_DESTINATION, NULL, NULL, error);
}

static bool call_move_from (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) to = dir_file ("a/moved");

    return eddy_file_move (file, to, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error);
}

static bool call_move_to (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) from = dir_file ("a/b/file");

    return eddy_file_move (from, file, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, error);
}

static bool call_make_with_parents (EddyFile *file, EddyError **error)
{
    return eddy_file_make_directory_with_parents (file, NULL, error);
}

static bool set_attributes (EddyFile *file, EddyFileQueryInfoFlags flags, EddyError **error)
{
    EDDY_AUTO (EddyFileInfo) info = eddy_file_info_new ();

    ck_assert_ptr_nonnull (info);
    eddy_file_info_set_modification_time_ns (info, 1000000007);
    return eddy_file_set_attributes (file, info, flags, NULL, error);
}

static bool call_set_attributes (EddyFile *file, EddyError **error)
{
    return set_attributes (file, EDDY_FILE_QUERY_INFO_NONE, error);
}

static bool call_set_link_attributes (EddyFile *file, EddyError **error)
{
    return set_attributes (file, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, error);
}

static bool call_query_filesystem (EddyFile *file, EddyError **error)
{
    return kept (eddy_file_query_filesystem_info (file, NULL, error));
}

static bool call_measure (EddyFile *file, EddyError **error)
{
    return eddy_file_measure_disk_usage (file, EDDY_FILE_MEASURE_REPORT_ANY_ERROR, NULL, NULL, NULL,
                                         NULL, NULL, NULL, error);
}

static bool call_copy_tree_from (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) to = dir_file ("a/tree");

    return eddy_file_copy_tree (file, to, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, error);
}

static bool call_copy_tree_to (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFile) from = dir_file ("a/b");

    return eddy_file_copy_tree (from, file, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, error);
}

static bool call_delete_tree (EddyFile *file, EddyError **error)
{
    return eddy_file_delete_tree (file, NULL, NULL, NULL, error);
}

typedef struct DirCall {
    const char *what;
    Call call;
    bool follows; /* a link that is the last part of the name */
} DirCall;

static const DirCall calls[] = {
    { "query", call_query, true },
    { "query a link", call_query_link, false },
    { "list", call_list, true },
    { "load", call_load, true },
    { "open", call_open, true },
    { "copy from", call_copy_from, true },
    { "copy a link from", call_copy_link_from, false },
    { "copy to", call_copy_to, false },
    { "copy a link to", call_copy_link_to, false },
    { "attributes from", call_attributes_from, true },
    { "attributes to", call_attributes_to, true },
    { "make directory", call_make_directory, false },
    { "make private directory", call_make_private_directory, false },
    { "make link", call_make_link, false },
    { "hard link from", call_hard_link_from, false },
    { "hard link to", call_hard_link_to, false },
    { "delete", call_delete, false },
    { "create", call_create, false },
    { "open to write", call_open_to_write, true },
    { "read", call_read, true },
    { "append", call_append_to, true },
    { "open to read and write", call_open_readwrite, true },
    { "enumerate", call_enumerate, true },
    { "replace", call_replace, true },
    { "replace a link", call_replace_link, false },
    { "move from", call_move_from, false },
    { "move to", call_move_to, false },
    { "make with parents", call_make_with_parents, false },
    { "set attributes", call_set_attributes, true },
    { "set a link's attributes", call_set_link_attributes, false },
    { "query the file system", call_query_filesystem, true },
    { "measure", call_measure, false },
    { "copy a tree from", call_copy_tree_from, false },
    { "copy a tree to", call_copy_tree_to, false },
    { "delete a tree", call_delete_tree, false },
};
enum { N_CALLS = sizeof calls / sizeof *calls };

static struct stat outside_before[3];

static void outside_stat (struct stat status[3])
{
    status[0] = files_stat ("outside");
    status[1] = files_stat ("outside/file");
    status[2] = files_stat (".");
}

/* Any change of what is there or of its attributes would show in these times. */
static void outside_assert_same (const char *what, const char *name)
{
    struct stat now[3];

    outside_stat (now);
    for (int i = 0; i < 3; i++)
        ck_assert_msg (now[i].st_ctim.tv_sec == outside_before[i].st_ctim.tv_sec &&
                           now[i].st_ctim.tv_nsec == outside_before[i].st_ctim.tv_nsec,
                       "%s of %s changed something outside", what, name);
}

/* What is no name is refused before it is looked up. */
static bool is_refused (const DirCall *call, const char *name)
{
    const char *end = name + strlen (name) - 1;

    return call->call == call_delete_tree && (*end == '.' || *end == '/');
}

static void leads_out (const DirCall *call, const char *name)
{
    EDDY_AUTO (EddyFile) file = dir_file (name);
    EddyError *error = NULL;

    ck_assert_msg (!call->call (file, &error), "%s of %s", call->what, name);
    ck_assert_msg (eddy_error_get_errno (error) == EXDEV &&
                       eddy_error_get_code (error) == EDDY_IO_ERROR_PERMISSION_DENIED,
                   "%s of %s: %s", call->what, name, eddy_error_get_message (error));
    /* The file's own path, or where a link of it led. */
    const char *path = eddy_test_path ("root/");
    ck_assert_msg (strncmp (eddy_error_get_message (error), path, strlen (path)) == 0,
                   "%s of %s: %s", call->what, name, eddy_error_get_message (error));
    eddy_clear_error (&error);
    outside_assert_same (call->what, name);
}

DIR_TEST (no_operation_leads_out)
{
    static const char *const names[] = { "..",
                                         "../outside",
                                         "../outside/file",
                                         "../outside/new",
                                         "a/../../outside/file",
                                         "a/../../outside/new",
                                         "out/file",
                                         "out/new",
                                         "out/.",
                                         "out/..",
                                         "a/b/../../out/file",
                                         "/etc/passwd",
                                         "/",
                                         "//",
                                         "/new" };

    files_write ("plain", "", 0);
    outside_stat (outside_before);
    for (int i = 0; i < N_CALLS; i++) {
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            if (!is_refused (&calls[i], names[j]))
                leads_out (&calls[i], names[j]);
        if (calls[i].follows)
            leads_out (&calls[i], "out");
    }
}

/* What does not follow a link works on the link, and never on what it leads to. */
DIR_TEST (links_out_are_themselves)
{
    for (int i = 0; i < N_CALLS; i++) {
        EDDY_AUTO (EddyFile) file = dir_file ("a/out");
        EddyError *error = NULL;

        if (calls[i].follows)
            continue;
        ck_assert_int_eq (symlink ("../../outside/file", eddy_test_path ("root/a/out")), 0);
        files_write ("plain", "", 0);
        unlink (eddy_test_path ("root/a/hard"));
        outside_stat (outside_before);
        if (!calls[i].call (file, &error))
            ck_assert_msg (eddy_error_get_code (error) == EDDY_IO_ERROR_EXISTS, "%s: %s",
                           calls[i].what, eddy_error_get_message (error));
        eddy_clear_error (&error);
        files_assert_contents ("outside/file", "secret", 6);
        ck_assert_uint_eq (files_stat ("outside/file").st_nlink, 1);
        ck_assert_int_eq (files_stat ("outside/file").st_ctim.tv_nsec,
                          outside_before[1].st_ctim.tv_nsec);
        unlink (eddy_test_path ("root/a/out"));
        unlink (eddy_test_path ("plain"));
    }
}
