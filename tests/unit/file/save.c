/* SPDX-License-Identifier: MIT */
/* Saving "file" on file systems of every kind: save.h. */
#include "save.h"

const SaveCase save_cases[SAVE_N_CASES] = {
    { "a new file", .has_old = false },
    { "an old file", .has_old = true },
    { "an old file with a backup", .has_old = true, .makes_backup = true },
    { "a new file, named", .is_named = true },
    { "an old file, named", .has_old = true, .is_named = true },
    { "an old file with a backup, named", .has_old = true, .makes_backup = true, .is_named = true },
    { "somebody's file with a backup", .has_old = true, .makes_backup = true, .is_foreign = true },
};

void save_begin (const SaveCase *save_case)
{
    const char *names[] = { "file", "file~", ".file.eddy~", ".file~.eddy~" };
    for (int i = 0; i < 4; i++)
        unlink (eddy_test_path (names[i]));
    if (save_case->has_old)
        files_write ("file", SAVE_OLD, strlen (SAVE_OLD));
    if (save_case->makes_backup)
        files_write ("file~", "before", 6);
}

/* The first that is opened is the folder, the second a file without a name. The first link is that
 * of a backup. */
void save_begin_faults (const SaveCase *save_case)
{
    if (save_case->is_named)
        eddy_test_fail_call (EDDY_SYS_OPENAT, 2, EOPNOTSUPP, false);
    if (save_case->is_foreign)
        eddy_test_fail_call (EDDY_SYS_LINKAT, 1, EPERM, false);
}

bool save_run (const SaveCase *save_case, EddyError **error)
{
    EDDY_AUTO (EddyFile) file = files_new ("file");
    return eddy_file_replace_contents (file, SAVE_NEW, strlen (SAVE_NEW), NULL,
                                       save_case->makes_backup, EDDY_FILE_CREATE_NONE, NULL, NULL,
                                       error);
}

/* What a file has; false: there is none. */
static bool save_read (const char *name, char text[64])
{
    int fd = open (eddy_test_path (name), O_RDONLY | O_CLOEXEC);
    memset (text, 0, 64);
    if (fd < 0)
        return false;
    ck_assert_int_ge (read (fd, text, 63), 0);
    close (fd);
    return true;
}

/* At no moment is there no backup, where there was one before. */
static void save_assert_backup (const SaveCase *save_case)
{
    char found[64];
    ck_assert_msg (save_read ("file~", found), "%s: the backup is gone", save_case->name);
    ck_assert_msg (strcmp (found, "before") == 0 || strcmp (found, SAVE_OLD) == 0 ||
                       strcmp (found, SAVE_NEW) == 0,
                   "%s: the backup has \"%s\"", save_case->name, found);
}

bool save_is_new (const SaveCase *save_case)
{
    char found[64];
    if (save_case->makes_backup)
        save_assert_backup (save_case);
    if (!save_read ("file", found)) {
        ck_assert_msg (!save_case->has_old, "%s: the file is gone", save_case->name);
        return false;
    }
    bool is_new = strcmp (found, SAVE_NEW) == 0;
    ck_assert_msg (is_new || (save_case->has_old && strcmp (found, SAVE_OLD) == 0),
                   "%s: the file has \"%s\"", save_case->name, found);
    return is_new;
}

void save_assert_next_is_clean (const SaveCase *save_case)
{
    EddyError *error = NULL;
    save_begin_faults (save_case);
    bool is_saved = save_run (save_case, &error);
    eddy_test_no_faults ();
    ck_assert_msg (is_saved, "%s: the next one fails: %s", save_case->name,
                   error == NULL ? "?" : eddy_error_get_message (error));
    ck_assert (save_is_new (save_case));
    ck_assert_msg (files_count () == (save_case->makes_backup ? 2 : 1), "%s: %d names are there",
                   save_case->name, files_count ());
}
