/* SPDX-License-Identifier: MIT */
/*
 * A context's fd for a foreign loop when the system says no: none, or one that is rather busy than
 * deaf; and nothing left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "faults.h"
#include <eddy/eddy.h>
#include "loop/context-private.h"
#include "test.h"

static bool is_readable (int fd)
{
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    return poll (&poll_fd, 1, 0) == 1;
}

static bool set_true (void *data)
{
    *(bool *) data = true;
    return false;
}

/* Drives a context by its fd alone, until *done. */
static void drive (EddyContext *context, int fd, const bool *done)
{
    while (!*done) {
        struct pollfd poll_fd = { fd, POLLIN, 0 };
        ck_assert_int_eq (poll (&poll_fd, 1, 5000), 1);
        while (eddy_context_iteration (context, false))
            ;
    }
}

static void expect_fd_that_works (EddyContext *context)
{
    bool done = false;
    int fd = eddy_context_get_fd (context);
    ck_assert_int_ge (fd, 0);
    eddy_context_invoke (context, set_true, &done);
    drive (context, fd, &done);
    ck_assert (!is_readable (fd));
}

/* Each call of making an fd fails once: no fd, no leak, and the next try succeeds. False when the
 * engine makes fewer calls than that. */
static bool expect_no_fd (EddySysCall call, unsigned nth)
{
    EddyContext *context = eddy_context_new ();
    ck_assert_ptr_nonnull (context);
    ck_assert (!eddy_context_iteration (context, false)); /* its engine is there */
    eddy_test_fail_call (call, nth, EMFILE, /* from_then_on= */ false);
    int fd = eddy_context_get_fd (context);
    bool failed = eddy_test_fault_hits (call) > 0;
    eddy_test_no_faults ();
    ck_assert_int_eq (fd < 0, failed);
    expect_fd_that_works (context);
    eddy_unref (context);
    return failed;
}

EDDY_TEST (no_fd_when_fds_are_out)
{
    unsigned n_controls = 0;
    ck_assert (expect_no_fd (EDDY_SYS_EPOLL_CREATE1, 1));
    ck_assert (expect_no_fd (EDDY_SYS_EVENTFD, 1));
    ck_assert (expect_no_fd (EDDY_SYS_TIMERFD_CREATE, 1));
    while (expect_no_fd (EDDY_SYS_EPOLL_CTL, n_controls + 1))
        n_controls++;
    ck_assert_uint_ge (n_controls, 4);
}

static EddySource *attach_timeout (EddyContext *context, int64_t interval_ns, bool *done)
{
    EddySource *source = eddy_timeout_source_new (interval_ns);
    ck_assert_ptr_nonnull (source);
    eddy_source_set_callback (source, set_true, done, NULL);
    ck_assert (eddy_source_attach (source, context));
    return source;
}

/* Without its timer the fd stays readable: late would be worse than often. */
EDDY_TEST (fd_without_a_timer_is_busy)
{
    EddyContext *context = eddy_context_new ();
    ck_assert_ptr_nonnull (context);
    bool done = false;
    int fd = eddy_context_get_fd (context);
    ck_assert_int_ge (fd, 0);
    eddy_test_fail_call (EDDY_SYS_TIMERFD_SETTIME, 1, ENOMEM, /* from_then_on= */ true);
    EddySource *source = attach_timeout (context, 5000000, &done);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_uint_gt (eddy_test_fault_hits (EDDY_SYS_TIMERFD_SETTIME), 0);
    ck_assert (is_readable (fd));
    drive (context, fd, &done);
    eddy_test_no_faults ();
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert (!is_readable (fd));
    eddy_unref (source);
    eddy_unref (context);
}

static void take_sync (void *source, EddyAsyncResult *result, void *data)
{
    (void) source;
    ck_assert (eddy_fd_sync_finish (result, NULL));
    *(bool *) data = true;
}

/* A request that the kernel did not take at once is not left behind. */
EDDY_TEST (fd_tells_of_what_the_kernel_has_not_taken)
{
    static const int errors[] = { EINTR, EBUSY, EAGAIN };
    EddyContext *context = eddy_context_new ();
    ck_assert_ptr_nonnull (context);
    ck_assert (eddy_context_push_thread_default (context));
    int fd = eddy_context_get_fd (context);
    ck_assert_int_ge (fd, 0);
    int file = open (eddy_test_path ("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (unsigned i = 0; i < 3; i++) {
        bool done = false;
        eddy_fd_sync_async (file, 0, NULL, take_sync, &done);
        eddy_test_fail_call (EDDY_SYS_URING_ENTER, 1, errors[i], /* from_then_on= */ false);
        eddy_context_iteration (context, false);
        drive (context, fd, &done);
        eddy_test_no_faults ();
    }
    close (file);
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
}
