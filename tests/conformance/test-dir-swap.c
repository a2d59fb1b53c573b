/* SPDX-License-Identifier: MIT */
/*
 * Another process renames folders and swaps symbolic links while names of an open folder are used,
 * as fast as both can. EDDY_SWAPS is how many files are opened: a million takes minutes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"

/* ---- The swapper ----------------------------------------------------------------------------- */

enum { SWAP_EXCHANGE = 1 << 1 /* RENAME_EXCHANGE */ };

static void text_write (const char *name, const char *text)
{
    int fd = open (eddy_test_path (name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (write (fd, text, strlen (text)), (ssize_t) strlen (text));
    close (fd);
}

static void folder_make (const char *name)
{
    ck_assert_int_eq (mkdir (eddy_test_path (name), 0700), 0);
}

static void link_make (const char *target, const char *name)
{
    ck_assert_int_eq (symlink (target, eddy_test_path (name)), 0);
}

/* "outside" is like the open folder, with other contents; "x" names in it are what is swapped with
 * the names that are used. */
static void tree_make (void)
{
    folder_make ("outside");
    folder_make ("outside/a");
    text_write ("outside/file", "secret");
    text_write ("outside/a/file", "secret");
    folder_make ("root");
    folder_make ("root/a");
    folder_make ("root/y");
    text_write ("root/a/file", "inside");
    text_write ("root/y/file", "inside");
    link_make ("../outside/a", "root/x");
    link_make ("../../outside/a/file", "root/a/x");
    link_make ("../../outside/file", "root/y/x");
    link_make ("a/file", "root/link");
    link_make ("../outside/a/file", "root/link-x");
}

static void swap (int fd, const char *one, const char *other)
{
    /* One of them may be inside what is a link just now; the next turn will find it. */
    (void) syscall (SYS_renameat2, fd, one, fd, other, SWAP_EXCHANGE);
}

static pid_t swapper_start (void)
{
    pid_t parent = getpid ();
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child > 0)
        return child;
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    int fd = open (eddy_test_path ("root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        _exit (1);
    while (getppid () == parent) {
        swap (fd, "a", "x");
        swap (fd, "link", "link-x");
        swap (fd, "a", "x");
        swap (fd, "a/file", "a/x");
        swap (fd, "a", "y");
        swap (fd, "a/file", "a/x");
    }
    _exit (0);
}

static void swapper_end (pid_t swapper)
{
    int status;
    ck_assert_int_eq (kill (swapper, SIGKILL), 0);
    ck_assert_int_eq (waitpid (swapper, &status, 0), swapper);
    ck_assert (WIFSIGNALED (status));
}

/* ---- Who uses the names ---------------------------------------------------------------------- */

typedef struct Uses {
    EddyDir *dir;
    long n_wanted;
    long n_opened;
    long n_refused; /* because they led out */
} Uses;

/* What else may go wrong while names change: nothing is there, or not what it was. */
static bool error_is_of_a_swap (const EddyError *error)
{
    switch (eddy_error_get_errno (error)) {
    case 0: /* what the library says by itself */
    case EXDEV:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EEXIST:
    case EISDIR:
    case EINVAL:
    case EBUSY:
    case EOPNOTSUPP:
        return true;
    default:
        return false;
    }
}

static void use_ended (Uses *uses, bool is_done, EddyError **error)
{
    ck_assert_int_eq (is_done, *error == NULL);
    if (is_done)
        return;
    ck_assert_msg (error_is_of_a_swap (*error), "%s", eddy_error_get_message (*error));
    if (eddy_error_get_errno (*error) == EXDEV)
        uses->n_refused++;
    eddy_clear_error (error);
}

static EddyFile *use_file (const Uses *uses, const char *name)
{
    EddyFile *file = eddy_dir_get_file (uses->dir, name);
    ck_assert_ptr_nonnull (file);
    return file;
}

static void use_load (Uses *uses, const char *name)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = use_file (uses, name);
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    if (bytes != NULL) {
        ck_assert_uint_eq (eddy_bytes_get_size (bytes), 6);
        ck_assert_mem_eq (eddy_bytes_get_data (bytes), "inside", 6);
        uses->n_opened++;
    }
    use_ended (uses, bytes != NULL, &error);
}

/* Makes and removes names, one use in some. */
static void use_change (Uses *uses)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) folder = use_file (uses, "a/made");
    EDDY_AUTO (EddyFile) from = use_file (uses, "a/file");
    EDDY_AUTO (EddyFile) to = use_file (uses, "a/copy");
    EDDY_AUTO (EddyFile) hard = use_file (uses, "a/hard");
    use_ended (uses, eddy_file_make_directory (folder, NULL, &error), &error);
    use_ended (uses, eddy_file_copy (from, to, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &error),
               &error);
    use_ended (uses, eddy_file_make_hard_link (from, hard, NULL, &error), &error);
    use_ended (uses, eddy_file_delete (hard, NULL, &error), &error);
    use_ended (uses, eddy_file_delete (to, NULL, &error), &error);
    use_ended (uses, eddy_file_delete (folder, NULL, &error), &error);
}

/* Copies a tree to where the names are swapped, and removes it. */
static void use_tree (Uses *uses)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) from = use_file (uses, "y");
    EDDY_AUTO (EddyFile) to = use_file (uses, "a/tree");
    use_ended (uses, eddy_file_copy_tree (from, to, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, &error),
               &error);
    use_ended (uses, eddy_file_delete_tree (to, NULL, NULL, NULL, &error), &error);
}

/* At least so many opens, and until both ways of ending have been seen. */
static void *use_all (void *data, EddyError **error)
{
    static const char *const names[] = { "a/file", "link", "a/../a/file", "y/file", "./a//file" };
    Uses *uses = data;
    (void) error;
    for (long i = 0; i < uses->n_wanted || uses->n_opened == 0 || uses->n_refused == 0; i++) {
        use_load (uses, names[i % 5]);
        if (i % 16 == 0)
            use_change (uses);
        if (i % 256 == 0)
            use_tree (uses);
    }
    return NULL;
}

static long swaps_wanted (long usual)
{
    const char *text = getenv ("EDDY_SWAPS");
    return text == NULL ? usual : strtol (text, NULL, 10);
}

static EddyDir *root_open (void)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) folder = eddy_file_new_for_path (eddy_test_path ("root"));
    ck_assert_ptr_nonnull (folder);
    EddyDir *dir = eddy_dir_open (folder, NULL, &error);
    ck_assert_ptr_nonnull (dir);
    return dir;
}

static void outside_check (const struct stat before[2])
{
    struct stat now;
    ck_assert_int_eq (lstat (eddy_test_path ("outside/a"), &now), 0);
    ck_assert_int_eq (now.st_ctim.tv_sec, before[0].st_ctim.tv_sec);
    ck_assert_int_eq (now.st_ctim.tv_nsec, before[0].st_ctim.tv_nsec);
    ck_assert_int_eq (lstat (eddy_test_path ("outside/a/file"), &now), 0);
    ck_assert_int_eq (now.st_ctim.tv_sec, before[1].st_ctim.tv_sec);
    ck_assert_int_eq (now.st_ctim.tv_nsec, before[1].st_ctim.tv_nsec);
}

static void uses_tell (const Uses *uses)
{
    fprintf (stderr, "%ld files opened, %ld names led out\n", uses->n_opened, uses->n_refused);
}

/* Uses the names in the test's own thread, by blocking calls. */
static void swapped_while_blocking (void)
{
    struct stat before[2];
    tree_make ();
    ck_assert_int_eq (lstat (eddy_test_path ("outside/a"), &before[0]), 0);
    ck_assert_int_eq (lstat (eddy_test_path ("outside/a/file"), &before[1]), 0);
    Uses uses = { .dir = root_open (), .n_wanted = swaps_wanted (3000) };
    pid_t swapper = swapper_start ();
    use_all (&uses, NULL);
    swapper_end (swapper);
    outside_check (before);
    uses_tell (&uses);
    eddy_unref (uses.dir);
}

EDDY_TEST_TIMEOUT (D_dir_not_left_while_another_process_swaps_names, 3600)
{
    swapped_while_blocking ();
}

/* ---- Without openat2 ------------------------------------------------------------------------- */

/* A filter as older containers have: openat2 is not there for them. */
static void openat2_deny (void)
{
    struct sock_filter program[] = {
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
        BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof program / sizeof program[0], program };
    if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        EDDY_TEST_SKIP ("no filters of system calls here");
    ck_assert_int_eq (syscall (SYS_openat2, AT_FDCWD, ".", NULL, 0), -1);
    ck_assert_int_eq (errno, EPERM);
}

EDDY_TEST_TIMEOUT (D_dir_not_left_where_a_filter_denies_openat2, 3600)
{
    openat2_deny ();
    swapped_while_blocking ();
}

/* ---- By several fibers at once --------------------------------------------------------------- */

enum { N_FIBERS = 4 };

EDDY_TEST_TIMEOUT (D_dir_not_left_by_fibers_while_names_are_swapped, 3600)
{
    struct stat before[2];
    Uses uses[N_FIBERS];
    EddyFuture *fibers[N_FIBERS];
    tree_make ();
    ck_assert_int_eq (lstat (eddy_test_path ("outside/a"), &before[0]), 0);
    ck_assert_int_eq (lstat (eddy_test_path ("outside/a/file"), &before[1]), 0);
    pid_t swapper = swapper_start ();
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < N_FIBERS; i++) {
        uses[i] = (Uses){ .dir = root_open (), .n_wanted = swaps_wanted (2000) / N_FIBERS };
        fibers[i] = eddy_spawn (context, use_all, &uses[i], NULL);
        ck_assert_ptr_nonnull (fibers[i]);
    }
    for (int i = 0; i < N_FIBERS; i++) {
        EddyError *error = NULL;
        ck_assert (eddy_block_on_complete (context, fibers[i], &error));
        eddy_unref (fibers[i]);
        uses_tell (&uses[i]);
        eddy_unref (uses[i].dir);
    }
    eddy_test_context_end (context);
    swapper_end (swapper);
    outside_check (before);
}
