/* SPDX-License-Identifier: MIT */
/*
 * Replacing a file: the old one or the new one, and who may use the name beside it.
 */
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "files.h"

static const EddyFileCopyFlags replace_flags = FILES_KEEP_ALL | EDDY_FILE_COPY_OVERWRITE;

EDDY_TEST (replace_gives_the_new_contents_and_attributes)
{
    files_write_pattern ("from", 5000);
    files_write ("to", "old", 3);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 0640), 0);
    ino_t former = files_stat ("to").st_ino;
    files_copy ("from", "to", replace_flags);
    files_assert_same ("from", "to");
    ck_assert_int_eq (files_stat ("to").st_mode, S_IFREG | 0640);
    ck_assert_uint_ne (files_stat ("to").st_ino, former);
    ck_assert_int_eq (files_count (), 2);
}

EDDY_TEST (replace_leaves_other_names_of_the_old_file_alone)
{
    files_write ("from", "new", 3);
    files_write ("to", "old", 3);
    ck_assert_int_eq (link (eddy_test_path ("to"), eddy_test_path ("other")), 0);
    ck_assert_int_eq (symlink ("other", eddy_test_path ("link")), 0);
    files_copy ("from", "to", replace_flags);
    files_assert_contents ("other", "old", 3);
    files_copy ("from", "link", replace_flags);
    files_assert_contents ("other", "old", 3);
    ck_assert (S_ISREG (files_stat ("link").st_mode));
}

EDDY_TEST (replace_of_and_by_every_kind)
{
    const char *kinds[] = { "file", "link", "fifo" };

    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++) {
            files_write ("file", "text", 4);
            ck_assert_int_eq (symlink ("nowhere", eddy_test_path ("link")), 0);
            ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
            ck_assert_int_eq (rename (eddy_test_path (kinds[to]), eddy_test_path ("to")), 0);
            files_write ("file", "text", 4);
            if (to == 1)
                ck_assert_int_eq (symlink ("nowhere", eddy_test_path ("link")), 0);
            if (to == 2)
                ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
            files_copy (kinds[from], "to", replace_flags);
            ck_assert_uint_eq (files_stat ("to").st_mode & S_IFMT,
                               files_stat (kinds[from]).st_mode & S_IFMT);
            ck_assert_int_eq (files_count (), 4);
            for (int i = 0; i < 3; i++)
                unlink (eddy_test_path (kinds[i]));
            unlink (eddy_test_path ("to"));
        }
}

EDDY_TEST (replace_of_a_device_is_refused)
{
    files_write ("from", "x", 1);
    if (mknod (eddy_test_path ("device"), S_IFCHR | 0600, 0x0103) != 0)
        EDDY_TEST_SKIP ("only root can make a device");
    files_copy_fails ("from", "device", replace_flags, EDDY_IO_ERROR_NOT_SUPPORTED, "device");
    ck_assert (S_ISCHR (files_stat ("device").st_mode));
}

/* ---- The name beside it ---------------------------------------------------------------------- */

EDDY_TEST (replace_takes_a_stale_temporary_over)
{
    files_write ("from", "new", 3);
    for (int kind = 0; kind < 3; kind++) {
        files_write ("to", "old", 3);
        if (kind == 0)
            files_write_pattern (".to.eddy~", 100000);
        else if (kind == 1)
            ck_assert_int_eq (symlink ("from", eddy_test_path (".to.eddy~")), 0);
        else
            ck_assert_int_eq (mkfifo (eddy_test_path (".to.eddy~"), 0600), 0);
        files_copy ("from", "to", replace_flags);
        files_assert_contents ("to", "new", 3);
        files_assert_contents ("from", "new", 3);
        ck_assert_int_eq (files_count (), 2);
    }
}

EDDY_TEST (replace_leaves_a_live_temporary_alone)
{
    files_write ("from", "new", 3);
    files_write ("to", "old", 3);
    files_write (".to.eddy~", "somebody's", 10);
    int fd = open (eddy_test_path (".to.eddy~"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq (flock (fd, LOCK_EX), 0);
    files_copy_fails ("from", "to", replace_flags, EDDY_IO_ERROR_BUSY, "to");
    files_assert_contents (".to.eddy~", "somebody's", 10);
    files_assert_contents ("to", "old", 3);
    close (fd);
    files_copy ("from", "to", replace_flags);
    files_assert_contents ("to", "new", 3);
    ck_assert_int_eq (files_count (), 2);
}

EDDY_TEST (replace_does_not_take_a_folder_for_a_temporary)
{
    files_write ("from", "new", 3);
    files_write ("to", "old", 3);
    ck_assert_int_eq (mkdir (eddy_test_path (".to.eddy~"), 0700), 0);
    files_copy_fails ("from", "to", replace_flags, EDDY_IO_ERROR_EXISTS, "to");
    files_assert_contents ("to", "old", 3);
}

/* Looks at the moment of the rename, which it makes fail. */
static int rename_ask (EddySysCall call, void *data)
{
    bool *was_locked = data;
    if (call != EDDY_SYS_RENAMEAT2)
        return 0;
    int fd = open (eddy_test_path (".to.eddy~"), O_RDONLY | O_CLOEXEC);
    *was_locked = flock (fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close (fd);
    return -EXDEV;
}

EDDY_TEST (replace_holds_its_lock_until_the_rename)
{
    bool was_locked = false;

    files_write ("from", "new", 3);
    files_write ("to", "old", 3);
    eddy__sys_set_fault (rename_ask, &was_locked);
    files_copy_fails ("from", "to", replace_flags, EDDY_IO_ERROR_NOT_SUPPORTED, "to");
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (was_locked);
    files_assert_contents ("to", "old", 3);
}

EDDY_TEST (replace_shortens_long_names)
{
    char one[256], other[256];

    files_write ("from", "new", 3);
    memset (one, 'n', 255);
    one[255] = '\0';
    memcpy (other, one, sizeof other);
    other[254] = 'm';
    files_write (one, "old", 3);
    files_write (other, "old", 3);
    files_copy ("from", one, replace_flags);
    files_copy ("from", other, replace_flags);
    files_assert_contents (one, "new", 3);
    files_assert_contents (other, "new", 3);
    /* The longest that needs no shortening. */
    one[248] = '\0';
    files_write (one, "old", 3);
    files_copy ("from", one, replace_flags);
    files_assert_contents (one, "new", 3);
    ck_assert_int_eq (files_count (), 4);
}

EDDY_TEST (replace_without_locks_goes_on_where_nobody_else_is)
{
    files_write ("from", "new", 3);
    files_write ("to", "old", 3);
    eddy_test_fail_call (EDDY_SYS_FLOCK, 1, ENOLCK, true);
    files_copy ("from", "to", replace_flags);
    files_assert_contents ("to", "new", 3);
    files_write (".to.eddy~", "whose?", 6);
    files_copy_fails ("from", "to", replace_flags, EDDY_IO_ERROR_BUSY, "to");
    eddy_test_no_faults ();
    files_assert_contents (".to.eddy~", "whose?", 6);
}

EDDY_TEST (replace_asks_for_its_lock_again_after_an_interruption)
{
    files_write ("from", "new", 3);
    files_write ("to", "old", 3);
    eddy_test_fail_call (EDDY_SYS_FLOCK, 1, EINTR, false);
    files_copy ("from", "to", replace_flags);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_FLOCK), 2);
    eddy_test_no_faults ();
    files_assert_contents ("to", "new", 3);
}

/* ---- Who else comes -------------------------------------------------------------------------- */

static int killed_with_a_temporary_file (EddySysCall call, void *data)
{
    (void) call;
    (void) data;
    struct stat info;
    if (stat (eddy_test_path (".to.eddy~"), &info) == 0 && info.st_size > 0)
        raise (SIGKILL);
    return 0;
}

/* A process that was killed in the middle leaves a temporary file, and no lock. */
EDDY_TEST (replace_after_a_process_was_killed)
{
    int status;
    files_write_pattern ("from", 1 << 20);
    files_write ("to", "old", 3);
    pid_t child = fork ();
    if (child == 0) {
        eddy__sys_set_fault (killed_with_a_temporary_file, NULL);
        files_copy ("from", "to", replace_flags);
        _exit (0);
    }
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
    ck_assert (files_exists (".to.eddy~"));
    files_assert_contents ("to", "old", 3);
    files_copy ("from", "to", replace_flags);
    files_assert_same ("from", "to");
    ck_assert_int_eq (files_count (), 2);
}

enum { RACE_PROCESSES = 4, RACE_ROUNDS = 200 };

/* Copies its own file again and again; each time either it is done or somebody else is at it. */
static void race_run (int number)
{
    char from[32];

    snprintf (from, sizeof from, "from %d", number);
    for (int i = 0; i < RACE_ROUNDS; i++) {
        EddyError *error = NULL;
        if (!files_copy_full (from, "to", replace_flags, NULL, &error))
            files_assert_error (&error, EDDY_IO_ERROR_BUSY, EBUSY, "to");
    }
    _exit (0);
}

EDDY_TEST_TIMEOUT (replace_by_many_processes_leaves_one_whole_file, 60)
{
    pid_t children[RACE_PROCESSES];

    for (int i = 0; i < RACE_PROCESSES; i++) {
        char from[32], text[20000];
        snprintf (from, sizeof from, "from %d", i);
        memset (text, 'a' + i, sizeof text);
        files_write (from, text, sizeof text);
    }
    files_write ("to", "old", 3);
    for (int i = 0; i < RACE_PROCESSES; i++) {
        children[i] = fork ();
        if (children[i] == 0)
            race_run (i);
    }
    for (int i = 0; i < RACE_PROCESSES; i++) {
        int status;
        ck_assert_int_eq (waitpid (children[i], &status, 0), children[i]);
        ck_assert_int_eq (status, 0);
    }
    char found[20001] = "";
    int fd = open (eddy_test_path ("to"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq (read (fd, found, sizeof found), 20000);
    close (fd);
    ck_assert_mem_eq (found, found + 1, 19999);
    ck_assert_int_eq (files_count (), RACE_PROCESSES + 1);
}
