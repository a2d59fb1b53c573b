/* SPDX-License-Identifier: MIT */
/*
 * Every system call of a save fails, one after the other, on file systems of every kind; in which
 * order things reach the disk; and a process that is killed before each of its calls.
 */
#include <signal.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "file/temporary-private.h"
#include "save.h"

/* The first save of a process finds out how names can be given. */
static void save_once (void)
{
    save_begin (&save_cases[1]);
    ck_assert (save_run (&save_cases[1], NULL));
}

/* ---- Every call fails ------------------------------------------------------------------------ */

static unsigned call_counts[EDDY_SYS_N_CALLS];

static void count_calls (const SaveCase *save_case)
{
    EddyError *error = NULL;
    save_begin (save_case);
    save_begin_faults (save_case);
    eddy_test_count_calls ();
    for (int call = 0; call < EDDY_SYS_N_CALLS; call++)
        call_counts[call] = eddy_test_call_count ((EddySysCall) call);
    bool is_saved = save_run (save_case, &error);
    ck_assert_msg (is_saved, "%s: %s", save_case->name,
                   error == NULL ? "?" : eddy_error_get_message (error));
    for (int call = 0; call < EDDY_SYS_N_CALLS; call++)
        call_counts[call] = eddy_test_call_count ((EddySysCall) call) - call_counts[call];
    eddy_test_no_faults ();
    ck_assert (save_is_new (save_case));
}

/* Tried, and lived without: locks, the removal of a name that mostly is not there, the close of
 * what has been synced, finding out how names can be given, and whether a backup's name is free. */
static bool is_harmless (const SaveCase *save_case, EddySysCall call, unsigned nth)
{
    return call == EDDY_SYS_FLOCK || call == EDDY_SYS_UNLINKAT || call == EDDY_SYS_FICLONE ||
           call == EDDY_SYS_CLOSE || call == EDDY_SYS_PPOLL ||
           (call == EDDY_SYS_FACCESSAT && nth < call_counts[call]) ||
           (save_case->is_foreign && call == EDDY_SYS_STATX);
}

static void fail_once (const SaveCase *save_case, EddySysCall call, unsigned nth)
{
    EddyError *error = NULL;
    save_begin (save_case);
    int names = files_count ();
    save_begin_faults (save_case);
    eddy_test_fail_call (call, nth, EIO, false);
    bool is_saved = save_run (save_case, &error);
    unsigned hits = eddy_test_fault_hits (call);
    eddy_test_no_faults ();
    ck_assert_msg (hits > 0, "%s: %s %u was not called", save_case->name,
                   eddy__sys_call_name (call), nth);
    bool is_last_sync = call == EDDY_SYS_FSYNC && nth == call_counts[call];
    ck_assert_msg (save_is_new (save_case) == (is_saved || is_last_sync), "%s: %s %u: %d",
                   save_case->name, eddy__sys_call_name (call), nth, is_saved);
    if (is_saved) {
        ck_assert_msg (is_harmless (save_case, call, nth), "%s: %s %u failed unseen",
                       save_case->name, eddy__sys_call_name (call), nth);
    } else {
        const char *message = eddy_error_get_message (error);
        const char *path = eddy_test_path ("file");
        ck_assert_msg (strncmp (message, path, strlen (path)) == 0, "\"%s\"", message);
        ck_assert_int_eq (eddy_error_get_errno (error), EIO);
        eddy_clear_error (&error);
        ck_assert_msg (is_last_sync || files_count () == names, "%s: %s %u: %d names, %d before",
                       save_case->name, eddy__sys_call_name (call), nth, files_count (), names);
    }
    if (call != EDDY_SYS_CLOSE)
        save_assert_next_is_clean (save_case);
}

/* Calls that have a rule of their own already, for what the file system lacks. */
static bool is_taken (const SaveCase *save_case, EddySysCall call)
{
    return (save_case->is_named && call == EDDY_SYS_OPENAT) ||
           (save_case->is_foreign && call == EDDY_SYS_LINKAT);
}

EDDY_TEST_TIMEOUT (save_fails_at_every_call, 60)
{
    save_once ();
    for (int i = 0; i < SAVE_N_CASES; i++) {
        count_calls (&save_cases[i]);
        for (int call = 0; call < EDDY_SYS_N_CALLS; call++)
            for (unsigned nth = 1; nth <= call_counts[call]; nth++)
                /* A close that fails has not been made: those of this process would be too many. */
                if (!is_taken (&save_cases[i], (EddySysCall) call) && call != EDDY_SYS_CLOSE)
                    fail_once (&save_cases[i], (EddySysCall) call, nth);
    }
}

/* ---- What is on the disk before what --------------------------------------------------------- */

typedef struct Order {
    char text[64];
    size_t length;
} Order;

static int order_note (EddySysCall call, void *data)
{
    Order *order = data;
    char letter = call == EDDY_SYS_WRITE       ? 'w'
                  : call == EDDY_SYS_FSYNC     ? 's'
                  : call == EDDY_SYS_LINKAT    ? 'l'
                  : call == EDDY_SYS_RENAMEAT2 ? 'r'
                  : call == EDDY_SYS_FCHMOD    ? 'm'
                                               : '\0';
    /* A link without a privilege takes two tries. */
    if (letter != '\0' && (letter != 'l' || order->text[order->length - 1] != 'l'))
        order->text[order->length++] = letter;
    ck_assert_uint_lt (order->length, sizeof order->text);
    return 0;
}

static void expect_order (const SaveCase *save_case, const char *expected)
{
    Order order = { "", 0 };
    save_begin (save_case);
    eddy__sys_set_fault (order_note, &order);
    bool is_saved = save_run (save_case, NULL);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (is_saved);
    ck_assert_str_eq (order.text, expected);
}

/* The file before its name, the name before the end is told; the backup between. */
EDDY_TEST (save_syncs_the_file_and_then_the_folder)
{
    save_once ();
    expect_order (&save_cases[0], "wsls");
    expect_order (&save_cases[1], "wmslrs");
    expect_order (&save_cases[2], "wmslrlrs");
}

static int folder_is_not_readable (EddySysCall call, void *data)
{
    unsigned *n_opens = data;
    return call == EDDY_SYS_OPENAT && ++*n_opens == 1 ? -EACCES : 0;
}

EDDY_TEST (save_in_a_folder_that_cannot_be_read)
{
    unsigned n_opens = 0;
    save_begin (&save_cases[1]);
    eddy__sys_set_fault (folder_is_not_readable, &n_opens);
    bool is_saved = save_run (&save_cases[1], NULL);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (is_saved);
    ck_assert (save_is_new (&save_cases[1]));
}

EDDY_TEST (save_goes_on_after_interruptions_and_short_answers)
{
    save_begin (&save_cases[1]);
    eddy_test_fail_call (EDDY_SYS_WRITE, 1, EINTR, false);
    eddy_test_shorten_call (EDDY_SYS_WRITE, 3);
    bool is_saved = save_run (&save_cases[1], NULL);
    eddy_test_no_faults ();
    ck_assert (is_saved);
    ck_assert (save_is_new (&save_cases[1]));
}

/* ---- Who comes between ----------------------------------------------------------------------- */

typedef struct Between {
    EddySysCall call;
    void (*act) (void);
    bool has_acted;
} Between;

static int between_ask (EddySysCall call, void *data)
{
    Between *between = data;
    if (call == between->call && !between->has_acted) {
        between->has_acted = true;
        between->act ();
    }
    return 0;
}

static bool save_with (const SaveCase *save_case, EddySysCall call, void (*act) (void),
                       EddyError **error)
{
    Between between = { call, act, false };
    save_begin (save_case);
    eddy__sys_set_fault (between_ask, &between);
    bool is_saved = save_run (save_case, error);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (between.has_acted);
    return is_saved;
}

static void act_make (void)
{
    files_write ("file", SAVE_OLD, strlen (SAVE_OLD));
}

static void act_remove (void)
{
    ck_assert_int_eq (unlink (eddy_test_path ("file")), 0);
}

static void act_make_folder (void)
{
    unlink (eddy_test_path ("file"));
    ck_assert_int_eq (mkdir (eddy_test_path ("file"), 0700), 0);
}

EDDY_TEST (save_when_the_name_comes_and_goes)
{
    EddyError *error = NULL;
    ck_assert (save_with (&save_cases[0], EDDY_SYS_LINKAT, act_make, NULL));
    ck_assert (save_is_new (&save_cases[0]));
    ck_assert_int_eq (files_count (), 1);
    ck_assert (save_with (&save_cases[2], EDDY_SYS_FSYNC, act_remove, NULL));
    ck_assert (save_is_new (&save_cases[2]));
    files_assert_contents ("file~", "before", 6);
    ck_assert_int_eq (unlink (eddy_test_path ("file~")), 0);
    ck_assert (!save_with (&save_cases[1], EDDY_SYS_FSYNC, act_make_folder, &error));
    files_assert_error (&error, EDDY_IO_ERROR_IS_DIRECTORY, EISDIR, "file");
    ck_assert_int_eq (files_count (), 1);
}

static void act_change (void)
{
    files_append ("file", "!", 1);
}

EDDY_TEST (save_sees_a_change_up_to_the_end)
{
    EddyError *error = NULL;
    Between between = { EDDY_SYS_FSYNC, act_change, false };
    EDDY_AUTO (EddyFile) file = files_new ("file");
    EDDY_AUTO_FREE (char) etag = NULL;
    ck_assert (eddy_file_replace_contents (file, "one", 3, NULL, false, 0, &etag, NULL, &error));
    eddy__sys_set_fault (between_ask, &between);
    bool is_saved = eddy_file_replace_contents (file, "two", 3, etag, false, 0, NULL, NULL, &error);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (!is_saved);
    ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_WRONG_ETAG);
    eddy_clear_error (&error);
    files_assert_contents ("file", "one!", 4);
}

/* The folder goes while the file is written: there is nowhere left to save it. */
static void act_remove_folder (void)
{
    ck_assert_int_eq (rmdir (eddy_test_path ("folder")), 0);
}

EDDY_TEST (save_in_a_folder_that_vanishes)
{
    EddyError *error = NULL;
    Between between = { EDDY_SYS_WRITE, act_remove_folder, false };
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    EDDY_AUTO (EddyFile) file = files_new ("folder/file");
    eddy__sys_set_fault (between_ask, &between);
    bool is_saved =
        eddy_file_replace_contents (file, "text", 4, NULL, false, 0, NULL, NULL, &error);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (!is_saved);
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "folder/file");
    ck_assert_int_eq (files_count (), 0);
}

/* It is the same folder to the end, whatever it is called. */
static void act_move_folder (void)
{
    ck_assert_int_eq (rename (eddy_test_path ("folder"), eddy_test_path ("moved")), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
}

EDDY_TEST (save_in_a_folder_that_is_moved)
{
    Between between = { EDDY_SYS_WRITE, act_move_folder, false };
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    EDDY_AUTO (EddyFile) file = files_new ("folder/file");
    eddy__sys_set_fault (between_ask, &between);
    bool is_saved = eddy_file_replace_contents (file, "text", 4, NULL, false, 0, NULL, NULL, NULL);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (is_saved);
    files_assert_contents ("moved/file", "text", 4);
    ck_assert (!files_exists ("folder/file"));
}

EDDY_TEST (save_keeps_extended_attributes)
{
    char value[16] = "";
    save_begin (&save_cases[1]);
    if (setxattr (eddy_test_path ("file"), "user.eddy", "value", 5, 0) != 0)
        EDDY_TEST_SKIP ("the temporary directory has no user attributes");
    /* Of root's files only: a right that was given to these bytes. */
    setxattr (eddy_test_path ("file"), "security.ima", "hash", 4, 0);
    ck_assert (save_run (&save_cases[1], NULL));
    ck_assert_int_eq (getxattr (eddy_test_path ("file"), "user.eddy", value, sizeof value), 5);
    ck_assert_str_eq (value, "value");
    ck_assert_int_lt (getxattr (eddy_test_path ("file"), "security.ima", value, sizeof value), 0);
}

/* ---- Killed before every call ---------------------------------------------------------------- */

typedef struct Kill {
    unsigned nth;
    unsigned n_calls;
    bool is_named;
    bool is_foreign;
    unsigned n_opens;
    unsigned n_links;
} Kill;

/* Also says no for the file system: it may be called when nothing else may. */
static int kill_ask (EddySysCall call, void *data)
{
    Kill *killing = data;
    if (++killing->n_calls == killing->nth)
        kill (getpid (), SIGKILL);
    if (call == EDDY_SYS_OPENAT && ++killing->n_opens == 2 && killing->is_named)
        return -EOPNOTSUPP;
    return call == EDDY_SYS_LINKAT && ++killing->n_links == 1 && killing->is_foreign ? -EPERM : 0;
}

/* Whether the process was killed, or came to its end before its nth call. */
static bool kill_at (const SaveCase *save_case, unsigned nth)
{
    int status;
    pid_t child = fork ();
    if (child == 0) {
        Kill killing = { .nth = nth,
                         .is_named = save_case->is_named,
                         .is_foreign = save_case->is_foreign };
        eddy__sys_set_fault (kill_ask, &killing);
        _exit (save_run (save_case, NULL) ? 0 : 1);
    }
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert (WIFSIGNALED (status) || WEXITSTATUS (status) == 0);
    return WIFSIGNALED (status);
}

EDDY_TEST_TIMEOUT (save_killed_before_every_call, 60)
{
    for (int i = 0; i < SAVE_N_CASES; i++) {
        const SaveCase *save_case = &save_cases[i];
        unsigned n_old = 0, n_new = 0;
        for (unsigned nth = 1;; nth++) {
            save_begin (save_case);
            if (!kill_at (save_case, nth))
                break;
            bool is_new = save_is_new (save_case);
            n_old += !is_new;
            n_new += is_new;
            /* A file without a name leaves nothing while it is written. */
            if (!save_case->is_named && !is_new)
                ck_assert_int_le (files_count (), save_case->has_old + 2 * save_case->makes_backup +
                                                      !save_case->makes_backup);
            save_assert_next_is_clean (save_case);
        }
        ck_assert_msg (n_old > 5 && n_new > 0, "%s: %u old, %u new", save_case->name, n_old, n_new);
    }
}
