/* SPDX-License-Identifier: MIT */
/*
 * Moving, where the system refuses: another file system, one that knows no sparing rename, a source
 * that stays.
 */
#include "files.h"

static bool move_full (const char *from, const char *to, EddyFileCopyFlags flags, EddyError **error)
{
    EDDY_AUTO (EddyFile) source = files_new (from);
    EDDY_AUTO (EddyFile) destination = files_new (to);

    return eddy_file_move (source, destination, flags, NULL, NULL, NULL, error);
}

static void move_fails (const char *from, const char *to, int code, int error_number,
                        const char *about)
{
    EddyError *error = NULL;

    ck_assert (!move_full (from, to, 0, &error));
    files_assert_error (&error, code, error_number, about);
}

EDDY_TEST (move_copies_to_another_file_system)
{
    files_write ("from", "contents", 8);
    eddy_test_fail_call (EDDY_SYS_RENAMEAT2, 1, EXDEV, false);
    ck_assert (move_full ("from", "to", 0, NULL));
    eddy_test_no_faults ();
    files_assert_contents ("to", "contents", 8);
    ck_assert (!files_exists ("from"));
    ck_assert_int_eq (files_count (), 1);
}

EDDY_TEST (move_to_another_file_system_spares_what_is_there)
{
    files_write ("from", "new", 3);
    files_write ("to", "old", 3);
    eddy_test_fail_call (EDDY_SYS_RENAMEAT2, 1, EXDEV, false);
    move_fails ("from", "to", EDDY_IO_ERROR_EXISTS, EEXIST, "to");
    eddy_test_no_faults ();
    files_assert_contents ("to", "old", 3);
    files_assert_contents ("from", "new", 3);
    eddy_test_fail_call (EDDY_SYS_RENAMEAT2, 1, EXDEV, false);
    ck_assert (move_full ("from", "to", EDDY_FILE_COPY_OVERWRITE, NULL));
    eddy_test_no_faults ();
    files_assert_contents ("to", "new", 3);
    ck_assert_int_eq (files_count (), 1);
}

EDDY_TEST (move_tells_of_a_source_that_stays)
{
    files_write ("from", "contents", 8);
    eddy_test_fail_call (EDDY_SYS_RENAMEAT2, 1, EXDEV, false);
    eddy_test_fail_call (EDDY_SYS_UNLINKAT, 1, EACCES, true);
    move_fails ("from", "to", EDDY_IO_ERROR_PERMISSION_DENIED, EACCES, "from");
    eddy_test_no_faults ();
    files_assert_contents ("from", "contents", 8);
    files_assert_contents ("to", "contents", 8);
}

/* Told at the end of the copy. */
static void move_append_to_source (int64_t current_num_bytes, int64_t total_num_bytes, void *data)
{
    FILE *source = fopen (data, "ae");

    ck_assert_int_eq (current_num_bytes, total_num_bytes);
    ck_assert_ptr_nonnull (source);
    ck_assert_int_ge (fputs (", more", source), 0);
    ck_assert_int_eq (fclose (source), 0);
}

static void move_put_another_in_its_place (int64_t current_num_bytes, int64_t total_num_bytes,
                                           void *data)
{
    ck_assert_int_eq (current_num_bytes, total_num_bytes);
    files_write ("another", "CONTENTS", 8);
    ck_assert_int_eq (rename (eddy_test_path ("another"), data), 0);
}

static void move_leaves_what_was_changed (EddyFileProgressCallback change, const char *changed)
{
    EDDY_AUTO (EddyFile) source = files_new ("from");
    EDDY_AUTO (EddyFile) destination = files_new ("to");
    EddyError *error = NULL;

    files_write ("from", "contents", 8);
    eddy_test_fail_call (EDDY_SYS_RENAMEAT2, 1, EXDEV, false);
    ck_assert (!eddy_file_move (source, destination, 0, NULL, change,
                                (char *) eddy_file_get_path (source), &error));
    eddy_test_no_faults ();
    ck_assert (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "/from: Was changed"));
    eddy_clear_error (&error);
    files_assert_contents ("from", changed, strlen (changed));
    files_assert_contents ("to", "contents", 8);
    ck_assert_int_eq (unlink (eddy_test_path ("to")), 0);
}

EDDY_TEST (move_leaves_what_was_changed_while_it_was_copied)
{
    move_leaves_what_was_changed (move_append_to_source, "contents, more");
    move_leaves_what_was_changed (move_put_another_in_its_place, "CONTENTS");
}

EDDY_TEST (move_where_no_rename_spares)
{
    files_write ("from", "new", 3);
    files_write ("taken", "old", 3);
    eddy_test_fail_call (EDDY_SYS_RENAMEAT2, 1, EINVAL, false);
    move_fails ("from", "taken", EDDY_IO_ERROR_EXISTS, EEXIST, "taken");
    eddy_test_fail_call (EDDY_SYS_RENAMEAT2, 1, EINVAL, false);
    ck_assert (move_full ("from", "to", 0, NULL));
    eddy_test_no_faults ();
    files_assert_contents ("taken", "old", 3);
    files_assert_contents ("to", "new", 3);
    ck_assert (!files_exists ("from"));
}

EDDY_TEST (move_names_both_where_it_may_be_either)
{
    EddyError *error = NULL;
    char both[512];

    files_write ("from", "new", 3);
    snprintf (both, sizeof both, "%s to %s: Permission denied", eddy_test_path ("from"),
              eddy_test_path ("to"));
    eddy_test_fail_call (EDDY_SYS_RENAMEAT2, 1, EACCES, false);
    ck_assert (!move_full ("from", "to", 0, &error));
    eddy_test_no_faults ();
    ck_assert_str_eq (eddy_error_get_message (error), both);
    eddy_clear_error (&error);
}
