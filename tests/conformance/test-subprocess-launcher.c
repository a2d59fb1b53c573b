/* SPDX-License-Identifier: MIT */
/* What children begin with: fds, files, environment, folder, group. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "subprocess.h"

static EddySubprocessLauncher *launcher_new (unsigned flags)
{
    EddySubprocessLauncher *launcher = eddy_subprocess_launcher_new ((EddySubprocessFlags) flags);
    ck_assert_ptr_nonnull (launcher);
    return launcher;
}

/* What a shell writes that is started so. */
static void expect_output (EddySubprocessLauncher *launcher, const char *script, const char *text)
{
    subprocess_expect_output (subprocess_launch (launcher, script), text);
}

static void expect_file (const char *path, const char *text)
{
    char buffer[256];
    FILE *file = fopen (path, "re");
    ck_assert_ptr_nonnull (file);
    buffer[fread (buffer, 1, sizeof buffer - 1, file)] = '\0';
    fclose (file);
    ck_assert_str_eq (buffer, text);
}

static void write_file (const char *path, const char *text)
{
    FILE *file = fopen (path, "we");
    ck_assert_ptr_nonnull (file);
    fputs (text, file);
    ck_assert_int_eq (fclose (file), 0);
}

/* --- fds -------------------------------------------------------------------------------------- */

/* The numbers that children have are those that we have others by; two change places. */
SUBPROCESS_TEST (P2_fds_come_whatever_their_numbers)
{
    int ends[3][2];
    char script[256];
    EDDY_AUTO (EddySubprocessLauncher) launcher = launcher_new (0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq (pipe2 (ends[i], O_CLOEXEC), 0);
    ck_assert (eddy_subprocess_launcher_take_fd (launcher, ends[0][1], ends[1][1]));
    ck_assert (eddy_subprocess_launcher_take_fd (launcher, ends[1][1], ends[0][1]));
    ck_assert (eddy_subprocess_launcher_take_fd (launcher, ends[2][1], 300));
    snprintf (script, sizeof script,
              "printf a >/proc/self/fd/%d; printf b >/proc/self/fd/%d; printf c >/proc/self/fd/300",
              ends[1][1], ends[0][1]);
    EddySubprocess *subprocess = subprocess_launch (launcher, script);
    subprocess_wait (subprocess);
    ck_assert (eddy_subprocess_get_successful (subprocess));
    eddy_unref (subprocess);
    eddy_subprocess_launcher_close (launcher);
    for (int i = 0; i < 3; i++) {
        char found[2] = "?";
        ck_assert_int_eq (read (ends[i][0], found, 2), 1);
        ck_assert_int_eq (found[0], "abc"[i]);
        ck_assert_int_eq (read (ends[i][0], found, 2), 0); /* the child's was the last but ours */
        close (ends[i][0]);
    }
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_subprocess_launcher_spawnv (launcher, SHELL ("exit 0"), NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

/* With very many fds open, some of them not close-on-exec, a child has its three, and the one by
 * which it looks. */
SUBPROCESS_TEST (P2_no_other_fds_come)
{
    enum { MOST = 10000 };
    struct rlimit limit;
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 2 * MOST ? limit.rlim_max : 2 * MOST;
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
    int n = limit.rlim_cur > MOST + 200 ? MOST : (int) limit.rlim_cur - 200;
    int *fds = calloc ((size_t) n, sizeof *fds);
    for (int i = 0; i < n; i++)
        ck_assert_int_ge (fds[i] = fcntl (0, i % 2 == 0 ? F_DUPFD : F_DUPFD_CLOEXEC, 3), 0);
    subprocess_expect_output (
        subprocess_start ("exec ls /proc/self/fd", EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE),
        "0\n1\n2\n3\n");
    EDDY_AUTO (EddySubprocessLauncher)
    launcher = launcher_new (EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE | EDDY_SUBPROCESS_FLAGS_INHERIT_FDS);
    char script[64];
    snprintf (script, sizeof script, "test -e /proc/self/fd/%d; echo $?", fds[n / 2 * 2 - 2]);
    expect_output (launcher, script, "0\n");
    snprintf (script, sizeof script, "test -e /proc/self/fd/%d; echo $?", fds[n / 2 * 2 - 1]);
    expect_output (launcher, script, "1\n");
    for (int i = 0; i < n; i++)
        close (fds[i]);
    free (fds);
}

/* Where we have no stdin, stdout or stderr, our own fds get their numbers, and go to no child. */
SUBPROCESS_TEST (P2_pipes_come_where_ours_are_closed)
{
    int kept[3];
    for (int fd = 0; fd < 3; fd++) {
        kept[fd] = fcntl (fd, F_DUPFD_CLOEXEC, 100);
        close (fd);
    }
    EddyError *error = NULL;
    EddySubprocess *subprocess = eddy_subprocess_newv (
        SHELL ("cat; ls /proc/self/fd"), (EddySubprocessFlags) SUBPROCESS_ALL_PIPES, NULL, &error);
    EddySubprocessOutput *output =
        subprocess == NULL ? NULL
                           : eddy_subprocess_communicate_utf8 (subprocess, "a\n", 0, NULL, &error);
    EddySubprocess *bare = eddy_subprocess_newv (
        SHELL ("test ! -e /proc/self/fd/1 && test ! -e /proc/self/fd/2"), 0, NULL, NULL);
    bool bare_done = bare != NULL && eddy_subprocess_wait (bare, NULL, NULL);
    for (int fd = 0; fd < 3; fd++) {
        dup2 (kept[fd], fd);
        close (kept[fd]);
    }
    ck_assert_msg (output != NULL, "%s", eddy_error_get_message (error));
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), "a\n0\n1\n2\n3\n");
    ck_assert (bare_done);
    ck_assert (eddy_subprocess_get_successful (bare));
    eddy_unref (output);
    eddy_unref (subprocess);
    eddy_unref (bare);
}

SUBPROCESS_TEST (P2_a_number_is_given_once)
{
    EDDY_AUTO (EddySubprocessLauncher) launcher = launcher_new (EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    ck_assert (eddy_subprocess_launcher_take_fd (launcher, dup (1), 9));
    int in[2];
    ck_assert_int_eq (pipe2 (in, O_CLOEXEC), 0);
    ck_assert_int_eq (write (in[1], "taken", 5), 5);
    close (in[1]);
    eddy_subprocess_launcher_take_stdin_fd (launcher, in[0]);
    expect_output (launcher, "cat; test -e /proc/self/fd/9", "taken");
}

/* --- files and flags -------------------------------------------------------------------------- */

SUBPROCESS_TEST (P14_files_are_emptied_first)
{
    const char *path = eddy_test_path ("out"), *errors = eddy_test_path ("errors");
    const char *input = eddy_test_path ("in");
    EDDY_AUTO (EddySubprocessLauncher) launcher = launcher_new (0);
    write_file (path, "a long tail of what was there");
    write_file (input, "read");
    ck_assert (eddy_subprocess_launcher_set_stdin_file_path (launcher, input));
    ck_assert (eddy_subprocess_launcher_set_stdout_file_path (launcher, path));
    ck_assert (eddy_subprocess_launcher_set_stderr_file_path (launcher, errors));
    EddySubprocess *subprocess = subprocess_launch (launcher, "cat; echo bad >&2");
    subprocess_wait (subprocess);
    eddy_unref (subprocess);
    expect_file (path, "read");
    expect_file (errors, "bad\n");
    EddyError *error = NULL;
    ck_assert (eddy_subprocess_launcher_set_stdin_file_path (launcher, "/nowhere/at/all"));
    ck_assert_ptr_null (eddy_subprocess_launcher_spawnv (launcher, SHELL ("cat"), NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "/nowhere/at/all"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
}

SUBPROCESS_TEST (P15_streams_are_merged_silenced_inherited)
{
    subprocess_expect_output (
        subprocess_start ("echo a; echo b >&2",
                          EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE | EDDY_SUBPROCESS_FLAGS_STDERR_MERGE),
        "a\nb\n");
    subprocess_expect_output (
        subprocess_start ("readlink /proc/self/fd/2; readlink /proc/self/fd/0",
                          EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE | EDDY_SUBPROCESS_FLAGS_STDERR_SILENCE),
        "/dev/null\n/dev/null\n");
    int kept = fcntl (0, F_DUPFD_CLOEXEC, 3), ends[2];
    ck_assert_int_eq (pipe2 (ends, O_CLOEXEC), 0);
    ck_assert_int_eq (write (ends[1], "ours", 4), 4);
    close (ends[1]);
    dup2 (ends[0], 0);
    close (ends[0]);
    subprocess_expect_output (subprocess_start ("cat", EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                                           EDDY_SUBPROCESS_FLAGS_STDIN_INHERIT),
                              "ours");
    dup2 (kept, 0);
    close (kept);
}

SUBPROCESS_TEST (P15_flags_do_not_contradict)
{
    static const unsigned wrong[] = {
        EDDY_SUBPROCESS_FLAGS_STDIN_PIPE | EDDY_SUBPROCESS_FLAGS_STDIN_INHERIT,
        EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE | EDDY_SUBPROCESS_FLAGS_STDOUT_SILENCE,
        EDDY_SUBPROCESS_FLAGS_STDERR_PIPE | EDDY_SUBPROCESS_FLAGS_STDERR_MERGE,
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EddyError *error = NULL;
        ck_assert_ptr_null (
            eddy_subprocess_newv (SHELL ("exit 0"), (EddySubprocessFlags) wrong[i], NULL, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    }
}

/* A program that is on the child's PATH only. */
SUBPROCESS_TEST (P15_search_along_the_path_of_the_child)
{
    const char *const argv[] = { "a-program-of-ours", NULL };
    char path[4096];
    EddyError *error = NULL;
    ck_assert_int_eq (symlink ("/bin/echo", eddy_test_path (argv[0])), 0);
    snprintf (path, sizeof path, "/nowhere/at/all:%s", eddy_test_directory ());
    EDDY_AUTO (EddySubprocessLauncher) launcher = launcher_new (0);
    ck_assert (eddy_subprocess_launcher_setenv (launcher, "PATH", path, true));
    ck_assert_ptr_null (eddy_subprocess_launcher_spawnv (launcher, argv, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    eddy_subprocess_launcher_set_flags (launcher, EDDY_SUBPROCESS_FLAGS_SEARCH_PATH_FROM_ENVP |
                                                      EDDY_SUBPROCESS_FLAGS_STDOUT_SILENCE);
    EDDY_AUTO (EddySubprocess)
    subprocess = eddy_subprocess_launcher_spawnv (launcher, argv, NULL, &error);
    ck_assert_msg (subprocess != NULL, "%s", eddy_error_get_message (error));
    ck_assert (eddy_subprocess_wait_check (subprocess, NULL, NULL));
}

/* --- environment, folder, group --------------------------------------------------------------- */

SUBPROCESS_TEST (D_launcher_has_an_environment)
{
    EDDY_AUTO (EddySubprocessLauncher) launcher = launcher_new (EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    ck_assert_int_eq (setenv ("EDDY_TEST_OURS", "inherited", 1), 0);
    ck_assert_str_eq (eddy_subprocess_launcher_getenv (launcher, "EDDY_TEST_OURS"), "inherited");
    expect_output (launcher, "echo $EDDY_TEST_OURS", "inherited\n");
    ck_assert (eddy_subprocess_launcher_setenv (launcher, "EDDY_TEST_OURS", "theirs", false));
    expect_output (launcher, "echo $EDDY_TEST_OURS", "inherited\n");
    ck_assert (eddy_subprocess_launcher_setenv (launcher, "EDDY_TEST_OURS", "theirs", true));
    ck_assert (eddy_subprocess_launcher_setenv (launcher, "EDDY_TEST_NEW", "new", false));
    expect_output (launcher, "echo $EDDY_TEST_OURS $EDDY_TEST_NEW", "theirs new\n");
    ck_assert (eddy_subprocess_launcher_unsetenv (launcher, "EDDY_TEST_OURS"));
    ck_assert (eddy_subprocess_launcher_unsetenv (launcher, "EDDY_TEST_NONE"));
    ck_assert_ptr_null (eddy_subprocess_launcher_getenv (launcher, "EDDY_TEST_OURS"));
    expect_output (launcher, "echo ${EDDY_TEST_OURS-none}", "none\n");
    const char *const few[] = { "ONE=1", "TWO=2", NULL };
    ck_assert (eddy_subprocess_launcher_set_environ (launcher, few));
    expect_output (launcher, "echo $ONE $TWO ${HOME-none}", "1 2 none\n");
    ck_assert (eddy_subprocess_launcher_set_environ (launcher, NULL));
    expect_output (launcher, "echo $EDDY_TEST_OURS", "inherited\n");
}

/* As an environment of somebody else's may have it: the first one counts. */
SUBPROCESS_TEST (D_launcher_has_a_variable_twice)
{
    const char *const twice[] = { "OTHER=0", "TWICE=1", "ONE=2", "TWICE=3", NULL };
    EDDY_AUTO (EddySubprocessLauncher) launcher = launcher_new (EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    ck_assert (eddy_subprocess_launcher_set_environ (launcher, twice));
    ck_assert (eddy_subprocess_launcher_unsetenv (launcher, "OTHER"));
    ck_assert_str_eq (eddy_subprocess_launcher_getenv (launcher, "TWICE"), "1");
    ck_assert (eddy_subprocess_launcher_setenv (launcher, "TWICE", "now", true));
    expect_output (launcher, "echo $TWICE $ONE", "now 2\n");
    ck_assert (eddy_subprocess_launcher_set_environ (launcher, twice));
    ck_assert (eddy_subprocess_launcher_unsetenv (launcher, "TWICE"));
    ck_assert_ptr_null (eddy_subprocess_launcher_getenv (launcher, "TWICE"));
    ck_assert_str_eq (eddy_subprocess_launcher_getenv (launcher, "ONE"), "2");
    expect_output (launcher, "echo ${TWICE-none} $ONE", "none 2\n");
}

SUBPROCESS_TEST (D_launcher_begins_in_a_folder)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySubprocessLauncher) launcher = launcher_new (EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    ck_assert (eddy_subprocess_launcher_set_cwd (launcher, "/usr"));
    expect_output (launcher, "pwd", "/usr\n");
    ck_assert (eddy_subprocess_launcher_set_cwd (launcher, "/nowhere/at/all"));
    ck_assert_ptr_null (eddy_subprocess_launcher_spawnv (launcher, SHELL ("pwd"), NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "/nowhere/at/all"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
}

/* A cancel ends the children of the child, too. Its last one holds the pipe open until it goes. */
SUBPROCESS_TEST (D_launcher_makes_groups_that_end_as_one)
{
    EddyError *error = NULL;
    char byte;
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddySubprocessLauncher) launcher = launcher_new (EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    eddy_subprocess_launcher_set_process_group (launcher, true);
    EDDY_AUTO (EddySubprocess)
    subprocess = subprocess_launch (launcher, "sleep 100 & echo ready; wait");
    subprocess_expect_ready (subprocess);
    pid_t pid = (pid_t) strtol (eddy_subprocess_get_identifier (subprocess), NULL, 10);
    ck_assert_int_eq (getpgid (pid), pid);
    eddy_subprocess_set_kill_on_cancel (subprocess, INT64_C (10000000000));
    eddy_cancellable_cancel (cancellable);
    ck_assert (!eddy_subprocess_wait (subprocess, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (eddy_subprocess_get_term_sig (subprocess), SIGTERM);
    EddyInputStream *pipe = eddy_subprocess_get_stdout_pipe (subprocess);
    ck_assert_int_eq (eddy_input_stream_read (pipe, &byte, 1, NULL, NULL), 0);
}

SUBPROCESS_TEST (D_launcher_takes_fds_of_stdout_and_stderr)
{
    int ends[2];
    char text[8] = "";
    ck_assert_int_eq (pipe2 (ends, O_CLOEXEC), 0);
    EddySubprocessLauncher *launcher = launcher_new (0);
    eddy_subprocess_launcher_take_stdout_fd (launcher, dup (ends[1]));
    eddy_subprocess_launcher_take_stderr_fd (launcher, ends[1]);
    EddySubprocess *subprocess = subprocess_launch (launcher, "printf a; printf b >&2");
    eddy_unref (launcher);
    subprocess_wait (subprocess);
    eddy_unref (subprocess);
    ck_assert_int_eq (read (ends[0], text, sizeof text), 2);
    ck_assert_str_eq (text, "ab");
    close (ends[0]);
}
