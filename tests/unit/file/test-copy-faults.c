/* SPDX-License-Identifier: MIT */
/*
 * Every system call of a copy fails, one after the other. Whatever fails: no name is left that was
 * not there before, no fd, the old file is whole, and the error says what failed and why.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "base/alloc-private.h"
#include "files.h"

static unsigned case_counts[EDDY_SYS_N_CALLS];

/* What a copy may live without: it tries it, or lets go by it of the source, and of a copy that has
 * its name and was closed before it got it. */
static bool fault_is_harmless (EddySysCall call, unsigned nth)
{
    unsigned n_last = case_counts[EDDY_SYS_LINKAT] > 0 ? 2 : 1;

    return call == EDDY_SYS_FICLONE || call == EDDY_SYS_FACCESSAT ||
           (call == EDDY_SYS_CLOSE && nth + n_last > case_counts[call]);
}

typedef struct FaultCase {
    const char *from;
    const char *to;
    EddyFileCopyFlags flags;
    void (*begin) (void); /* makes both files as they are before */
    void (*after_failure) (void);
} FaultCase;

static void case_count_calls (const FaultCase *fault_case)
{
    /* The first copy of all finds out how names can be given. */
    fault_case->begin ();
    files_copy (fault_case->from, fault_case->to, fault_case->flags);
    fault_case->begin ();
    eddy_test_count_calls ();
    files_copy (fault_case->from, fault_case->to, fault_case->flags);
    for (int call = 0; call < EDDY_SYS_N_CALLS; call++)
        case_counts[call] = eddy_test_call_count ((EddySysCall) call);
    eddy_test_no_faults ();
}

static void case_assert_error (const FaultCase *fault_case, EddyError **error)
{
    const char *message = eddy_error_get_message (*error);
    const char *from = eddy_test_path (fault_case->from), *to = eddy_test_path (fault_case->to);
    bool is_from = strncmp (message, from, strlen (from)) == 0 && message[strlen (from)] == ':';
    bool is_to = strncmp (message, to, strlen (to)) == 0 && message[strlen (to)] == ':';

    ck_assert_msg (is_from || is_to, "\"%s\" is about neither %s nor %s", message, from, to);
    ck_assert_int_eq (eddy_error_get_errno (*error), EIO);
    ck_assert_ptr_nonnull (strstr (message, strerror (EIO)));
    eddy_clear_error (error);
}

static void case_fail_once (const FaultCase *fault_case, EddySysCall call, unsigned nth,
                            bool from_then_on)
{
    EddyError *error = NULL;

    fault_case->begin ();
    int n_names = files_count (), n_fds = files_count_fds ();
    eddy_test_fail_call (call, nth, EIO, from_then_on);
    bool is_copied =
        files_copy_full (fault_case->from, fault_case->to, fault_case->flags, NULL, &error);
    unsigned hits = eddy_test_fault_hits (call);
    eddy_test_no_faults ();
    ck_assert_msg (hits > 0, "%s %u was not called", eddy__sys_call_name (call), nth);
    ck_assert_int_eq (files_count_fds (), n_fds);
    if (fault_is_harmless (call, nth)) {
        ck_assert_msg (is_copied, "%s %u failed it", eddy__sys_call_name (call), nth);
        files_assert_same (fault_case->from, fault_case->to);
        return;
    }
    ck_assert_msg (!is_copied, "%s %u failed and nobody was told", eddy__sys_call_name (call), nth);
    case_assert_error (fault_case, &error);
    ck_assert_msg (files_count () == n_names, "%s %u: %d names, %d before",
                   eddy__sys_call_name (call), nth, files_count (), n_names);
    fault_case->after_failure ();
}

static void case_run (const FaultCase *fault_case)
{
    case_count_calls (fault_case);
    for (int call = 0; call < EDDY_SYS_N_CALLS; call++)
        for (unsigned nth = 1; nth <= case_counts[call]; nth++) {
            case_fail_once (fault_case, (EddySysCall) call, nth, /* from_then_on= */ false);
            /* With no unlink there is nothing to be done about a name. */
            if (call != EDDY_SYS_UNLINKAT)
                case_fail_once (fault_case, (EddySysCall) call, nth, /* from_then_on= */ true);
        }
}

/* ---- A new file ------------------------------------------------------------------------------ */

static void new_file_begin (void)
{
    unlink (eddy_test_path ("to"));
    files_write_pattern ("from", 300000);
    /* Where the file system knows them, its two calls are among those that fail. */
    setxattr (eddy_test_path ("from"), "user.eddy", "value", 5, 0);
}

static void new_file_after (void)
{
    ck_assert (!files_exists ("to"));
}

EDDY_TEST (copy_to_a_new_file_fails_at_every_call)
{
    const FaultCase fault_case = { "from", "to", FILES_KEEP_ALL, new_file_begin, new_file_after };

    case_run (&fault_case);
}

static void large_file_begin (void)
{
    unlink (eddy_test_path ("to"));
    files_write_pattern ("from", 1500000);
}

EDDY_TEST (copy_of_a_large_file_fails_at_every_call)
{
    const FaultCase fault_case = { "from", "to", EDDY_FILE_COPY_NONE, large_file_begin,
                                   new_file_after };

    case_run (&fault_case);
}

/* The same under its name at once. */
EDDY_TEST (copy_in_place_fails_at_every_call)
{
    const FaultCase fault_case = { "from", "to", FILES_KEEP_ALL | EDDY_FILE_COPY_IN_PLACE,
                                   new_file_begin, new_file_after };

    case_run (&fault_case);
}

static void sparse_file_begin (void)
{
    unlink (eddy_test_path ("to"));
    files_write_pattern ("from", 5000);
    ck_assert_int_eq (truncate (eddy_test_path ("from"), 4 << 20), 0);
    files_append ("from", "end", 3);
}

EDDY_TEST (copy_of_a_sparse_file_fails_at_every_call)
{
    const FaultCase fault_case = { "from", "to", FILES_KEEP_ALL, sparse_file_begin,
                                   new_file_after };

    case_run (&fault_case);
}

/* ---- A file that replaces another ------------------------------------------------------------ */

static void replace_begin (void)
{
    files_write_pattern ("from", 5000);
    files_write ("to", "the old one", 11);
}

static void replace_after (void)
{
    files_assert_contents ("to", "the old one", 11);
}

/* flock's failure is the one that may be lived with: the file is ours alone by O_EXCL. */
EDDY_TEST (copy_over_a_file_fails_at_every_call)
{
    const FaultCase fault_case = { "from", "to", FILES_KEEP_ALL | EDDY_FILE_COPY_OVERWRITE,
                                   replace_begin, replace_after };

    case_count_calls (&fault_case);
    for (int call = 0; call < EDDY_SYS_N_CALLS; call++) {
        if (call == EDDY_SYS_FLOCK)
            continue;
        /* The last two closes, of the renamed file and of the source, tell nothing any more. */
        unsigned n_calls = case_counts[call] - (call == EDDY_SYS_CLOSE ? 2 : 0);
        for (unsigned nth = 1; nth <= n_calls; nth++) {
            case_fail_once (&fault_case, (EddySysCall) call, nth, /* from_then_on= */ false);
            case_fail_once (&fault_case, (EddySysCall) call, nth, /* from_then_on= */ true);
        }
    }
}

/* ---- A link and a fifo ----------------------------------------------------------------------- */

static void link_begin (void)
{
    unlink (eddy_test_path ("to"));
    unlink (eddy_test_path ("from"));
    ck_assert_int_eq (symlink ("nowhere", eddy_test_path ("from")), 0);
}

EDDY_TEST (copy_of_a_link_fails_at_every_call)
{
    const FaultCase fault_case = { "from", "to", FILES_KEEP_ALL, link_begin, new_file_after };

    case_run (&fault_case);
}

static void fifo_begin (void)
{
    unlink (eddy_test_path ("to"));
    unlink (eddy_test_path ("from"));
    ck_assert_int_eq (mkfifo (eddy_test_path ("from"), 0600), 0);
}

EDDY_TEST (copy_of_a_fifo_fails_at_every_call)
{
    const FaultCase fault_case = { "from", "to", FILES_KEEP_ALL, fifo_begin, new_file_after };

    case_run (&fault_case);
}

/* ---- Faults that are no failure -------------------------------------------------------------- */

EDDY_TEST (copy_goes_on_after_interruptions_and_short_answers)
{
    const size_t lens[] = { 1, 7, 4096, 100000 };

    files_write_pattern ("from", 20000);
    eddy_test_fail_call (EDDY_SYS_READ, 1, EINTR, false);
    eddy_test_fail_call (EDDY_SYS_WRITE, 1, EINTR, false);
    files_copy ("from", "to", 0);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_READ), 1);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_WRITE), 1);
    eddy_test_no_faults ();
    files_assert_same ("from", "to");
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        ck_assert_int_eq (unlink (eddy_test_path ("to")), 0);
        eddy_test_shorten_call (EDDY_SYS_WRITE, lens[i]);
        eddy_test_shorten_call (EDDY_SYS_READ, lens[(i + 1) % 4]);
        files_copy ("from", "to", 0);
        eddy_test_no_faults ();
        files_assert_same ("from", "to");
    }
}

EDDY_TEST (copy_waits_for_a_lease)
{
    files_write ("from", "text", 4);
    eddy_test_fail_call (EDDY_SYS_OPENAT, 1, EAGAIN, false);
    files_copy ("from", "to", 0);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_OPENAT), 1);
    eddy_test_no_faults ();
    files_assert_same ("from", "to");
}

EDDY_TEST (copy_lives_without_what_a_file_system_lacks)
{
    const struct {
        EddySysCall call;
        int error;
    } lacks[] = {
        { EDDY_SYS_FCHOWN, EPERM },          { EDDY_SYS_FCHOWN, EINVAL },
        { EDDY_SYS_FLISTXATTR, EOPNOTSUPP }, { EDDY_SYS_FICLONE, EXDEV },
        { EDDY_SYS_FICLONE, EOPNOTSUPP },    { EDDY_SYS_LSEEK, EINVAL },
    };

    for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
        bool gives = lacks[i].call == EDDY_SYS_FCHOWN;
        if (gives && geteuid () != 0)
            continue; /* nobody else's file can be made, so no owner has to be given */
        sparse_file_begin ();
        if (gives)
            ck_assert_int_eq (chown (eddy_test_path ("from"), 1234, 2345), 0);
        eddy_test_fail_call (lacks[i].call, 1, lacks[i].error, lacks[i].call != EDDY_SYS_LSEEK);
        files_copy ("from", "to", FILES_KEEP_ALL);
        ck_assert_uint_gt (eddy_test_fault_hits (lacks[i].call), 0);
        eddy_test_no_faults ();
        files_assert_same ("from", "to");
    }
}

static int memory_is_out (size_t size, void *data)
{
    (void) data;
    return size > 65536;
}

EDDY_TEST (copy_without_memory)
{
    EddyError *error = NULL;

    /* The buffer, which this thread does not have yet. */
    files_write ("from", "text", 4);
    EDDY_AUTO (EddyFile) source = files_new ("from");
    EDDY_AUTO (EddyFile) destination = files_new ("to");
    eddy__alloc_set_fault (memory_is_out, NULL);
    ck_assert (!eddy_file_copy (source, destination, 0, NULL, NULL, NULL, &error));
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_NO_MEMORY);
    eddy_clear_error (&error);
    ck_assert_int_eq (files_count (), 1);
}

/* ---- A full disk ----------------------------------------------------------------------------- */

EDDY_TEST (copy_to_a_full_disk)
{
    EddyError *error = NULL;
    struct stat status;
    char inside[4096];

    if (geteuid () != 0)
        EDDY_TEST_SKIP ("only root can mount a small file system");
    files_write_pattern ("from", 3 << 20);
    ck_assert_int_eq (mkdir (eddy_test_path ("disk"), 0700), 0);
    /* In a namespace of this process's own: the mount ends with it, however that ends. */
    if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount ("eddy-test", eddy_test_path ("disk"), "tmpfs", 0, "size=1m") != 0)
        EDDY_TEST_SKIP ("no file system can be mounted here");
    snprintf (inside, sizeof inside, "%s", eddy_test_path ("disk/to"));
    bool is_copied = files_copy_full ("from", "disk/to", FILES_KEEP_ALL, NULL, &error);
    int found = lstat (inside, &status);
    ck_assert (!is_copied);
    ck_assert_int_eq (found, -1);
    files_assert_error (&error, EDDY_IO_ERROR_NO_SPACE, ENOSPC, "disk/to");
}

/* ---- Where no file is without a name --------------------------------------------------------- */

/* The source is opened first. */
EDDY_TEST (copy_where_every_file_has_a_name)
{
    files_write_pattern ("from", 5000);
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            files_write ("to", "the old one", 11);
        eddy_test_fail_call (EDDY_SYS_OPENAT, 2, EOPNOTSUPP, false);
        files_copy ("from", "to", FILES_KEEP_ALL | EDDY_FILE_COPY_OVERWRITE);
        ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_OPENAT), 1);
        eddy_test_no_faults ();
        files_assert_same ("from", "to");
        ck_assert_int_eq (files_count (), 2);
    }
}

static int every_file_is_refused (EddySysCall call, void *data)
{
    unsigned *n_opens = data;
    if (call != EDDY_SYS_OPENAT || ++*n_opens == 1)
        return 0;
    return *n_opens == 2 ? -EOPNOTSUPP : -EMFILE;
}

/* The name beside is given up, too, which the leak check sees. */
EDDY_TEST (copy_where_the_file_beside_cannot_be_made)
{
    EddyError *error = NULL;
    unsigned n_opens = 0;

    replace_begin ();
    eddy__sys_set_fault (every_file_is_refused, &n_opens);
    bool is_copied = files_copy_full ("from", "to", EDDY_FILE_COPY_OVERWRITE, NULL, &error);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (!is_copied);
    files_assert_error (&error, EDDY_IO_ERROR_TOO_MANY_OPEN_FILES, EMFILE, "to");
    replace_after ();
}

/* Of that kind of file, too, when somebody else makes it first. */
static int destination_comes (EddySysCall call, void *data)
{
    unsigned *n_opens = data;
    if (call != EDDY_SYS_OPENAT || ++*n_opens != 2)
        return 0;
    files_write ("to", "the old one", 11);
    return -EOPNOTSUPP;
}

EDDY_TEST (copy_when_the_destination_comes_meanwhile)
{
    for (int i = 0; i < 2; i++) {
        EddyError *error = NULL;
        unsigned n_opens = 0;
        new_file_begin ();
        eddy__sys_set_fault (destination_comes, &n_opens);
        bool is_copied =
            files_copy_full ("from", "to", i == 0 ? 0 : EDDY_FILE_COPY_OVERWRITE, NULL, &error);
        eddy__sys_set_fault (NULL, NULL);
        ck_assert_int_eq (is_copied, i);
        ck_assert_int_eq (files_count (), 2);
        if (is_copied)
            files_assert_same ("from", "to");
        else
            files_assert_error (&error, EDDY_IO_ERROR_EXISTS, EEXIST, "to");
    }
}
