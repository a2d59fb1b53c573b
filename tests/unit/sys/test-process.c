/* SPDX-License-Identifier: MIT */
/*
 * The process: what it is, its limits, its children, and the fork word.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"
#include "test.h"

EDDY_TEST (identity)
{
    ck_assert_int_eq (eddy__sys_getpid (), getpid ());
    ck_assert_int_eq (eddy__sys_gettid (), getpid ());
    ck_assert_uint_eq (eddy__sys_getuid (), getuid ());
    ck_assert_uint_eq (eddy__sys_geteuid (), geteuid ());
    ck_assert_uint_eq (eddy__sys_getgid (), getgid ());
    ck_assert_uint_eq (eddy__sys_getegid (), getegid ());
}

EDDY_TEST (environment)
{
    ck_assert_int_eq (setenv ("EDDY_TEST_WORD", "yes", 1), 0);
    ck_assert_str_eq (eddy__sys_getenv ("EDDY_TEST_WORD"), "yes");
    ck_assert_ptr_null (eddy__sys_getenv ("EDDY_TEST_NO_WORD"));
}

EDDY_TEST (machine)
{
    char release[65] = "", cut[4];

    ck_assert_uint_ge (eddy__sys_cpu_count (), 1);
    ck_assert_uint_le (eddy__sys_cpu_count (), (unsigned) sysconf (_SC_NPROCESSORS_CONF));
    ck_assert_uint_ge (eddy__sys_page_size (), 4096);
    ck_assert_int_eq (eddy__sys_kernel_release (release, sizeof release), 0);
    ck_assert_int_ge (strtol (release, NULL, 10), 3);
    ck_assert_int_eq (eddy__sys_kernel_release (cut, sizeof cut), 0);
    ck_assert_uint_eq (strlen (cut), 3);
    ck_assert_int_eq (memcmp (cut, release, 3), 0);
    ck_assert_int_eq (eddy__sys_kernel_release (cut, 0), -EINVAL);
}

EDDY_TEST (limits)
{
    struct rlimit limit, again;

    ck_assert_int_eq (eddy__sys_getrlimit (RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_gt (limit.rlim_cur, 8);
    limit.rlim_cur--;
    ck_assert_int_eq (eddy__sys_setrlimit (RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq (eddy__sys_getrlimit (RLIMIT_NOFILE, &again), 0);
    ck_assert_uint_eq (again.rlim_cur, limit.rlim_cur);
    ck_assert_int_eq (eddy__sys_getrlimit (1000, &limit), -EINVAL);
}

/* A child that waits for its end of a pipe to close, then exits with 7. */
EDDY_TEST (child_by_pidfd)
{
    siginfo_t info;
    struct pollfd entry = { .events = POLLIN };
    pid_t child;
    char byte;
    int fds[2];

    ck_assert_int_eq (eddy__sys_pipe2 (fds, 0), 0);
    child = fork ();
    if (child == 0) {
        close (fds[1]);
        _exit (read (fds[0], &byte, 1) == 0 ? 7 : 1);
    }
    entry.fd = eddy__sys_pidfd_open (child);
    if (entry.fd == -ENOSYS)
        EDDY_TEST_SKIP ("no pidfd_open (valgrind, Linux before 5.3)");
    ck_assert_int_ge (entry.fd, 0);
    ck_assert_int_ne (fcntl (entry.fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq (eddy__sys_waitid_pidfd (entry.fd, &info, WEXITED | WNOHANG), 0);
    ck_assert_int_eq (info.si_pid, 0);
    eddy__sys_close (fds[1]);
    ck_assert_int_eq (eddy__sys_ppoll (&entry, 1, -1), 1);
    ck_assert_int_eq (eddy__sys_waitid_pidfd (entry.fd, &info, WEXITED), 0);
    ck_assert_int_eq (info.si_pid, child);
    ck_assert_int_eq (info.si_status, 7);
    ck_assert_int_eq (eddy__sys_waitid_pidfd (entry.fd, &info, WEXITED), -ECHILD);
    eddy__sys_close (entry.fd);
    eddy__sys_close (fds[0]);
}

/* ---- The fork word --------------------------------------------------------------------------- */

/* What a child, or its child, says of itself: bit by bit in its exit status. */
static int child_answer (int (*function) (void))
{
    int status;
    pid_t child = fork ();

    ck_assert_int_ge (child, 0);
    if (child == 0)
        _exit (function ());
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert (WIFEXITED (status));
    return WEXITSTATUS (status);
}

static int child_is_forked (void)
{
    return eddy__sys_forked () && eddy__sys_forked ();
}

static int child_starts_over (void)
{
    int answer = eddy__sys_forked ();

    eddy__sys_forked_reset ();
    return answer | !eddy__sys_forked () << 1 | child_answer (child_is_forked) << 2;
}

/* Check has forked this very process, so that the test begins by starting over. */
EDDY_TEST (fork_word_tells_the_child)
{
    eddy__sys_forked_reset ();
    ck_assert (!eddy__sys_forked ());
    ck_assert_int_eq (child_answer (child_is_forked), 1);
    ck_assert (!eddy__sys_forked ());
    ck_assert_int_eq (child_answer (child_starts_over), 1 | 2 | 4);
    ck_assert (!eddy__sys_forked ());
}

EDDY_TEST (fork_word_is_made_before_main)
{
    /* The runner forked this process, unless Check was told not to. */
    const char *forks = getenv ("CK_FORK");

    ck_assert_int_eq (eddy__sys_forked (), forks == NULL || strcmp (forks, "no") != 0);
}
