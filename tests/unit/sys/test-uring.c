/* SPDX-License-Identifier: MIT */
/*
 * The system calls of io_uring: on a kernel that refuses rings these are skipped, and say why.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "sys/clock-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/uring-private.h"
#include "test.h"

enum { MILLISECOND = 1000000 };

static void ring_open (struct io_uring *ring, unsigned flags)
{
    struct io_uring_params params = { .flags = flags };
    int result = eddy__sys_uring_open (ring, 8, &params);
    char reason[64];

    if (result == 0)
        return;
    snprintf (reason, sizeof reason, "no ring: %s", strerror (-result));
    EDDY_TEST_SKIP (reason);
}

/* What Eddy uses, where the kernel has it (Linux 6.1). */
static void ring_open_deferred (struct io_uring *ring)
{
    ring_open (ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
}

static void ring_stage_nop (struct io_uring *ring, uint64_t user_data)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe (ring);

    ck_assert_ptr_nonnull (sqe);
    io_uring_prep_nop (sqe);
    io_uring_sqe_set_data64 (sqe, user_data);
}

static unsigned ring_take (struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;

    io_uring_for_each_cqe (ring, head, cqe) count++;
    io_uring_cq_advance (ring, count);
    return count;
}

EDDY_TEST (ring_opens_and_closes)
{
    struct io_uring ring;
    struct io_uring_params params = { 0 };

    ring_open (&ring, 0);
    ck_assert_int_ne (fcntl (ring.ring_fd, F_GETFD) & FD_CLOEXEC, 0);
    eddy__sys_uring_close (&ring);
    ck_assert_int_eq (eddy__sys_uring_open (&ring, 1u << 30, &params), -EINVAL);
    params.flags = 1u << 31;
    ck_assert_int_eq (eddy__sys_uring_open (&ring, 8, &params), -EINVAL);
}

/* A child must not even see the ring: what it submitted would complete in its parent. */
EDDY_TEST (ring_is_not_in_the_child)
{
    struct io_uring ring;
    int status;
    pid_t child;

    ring_open (&ring, 0);
    child = fork ();
    if (child == 0) {
        signal (SIGSEGV, SIG_DFL);
        _exit ((int) *(volatile unsigned *) ring.sq.ktail);
    }
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_msg (WIFSIGNALED (status), "the child read the ring, wait status 0x%x",
                   (unsigned) status);
    eddy__sys_uring_close (&ring);
}

EDDY_TEST (ring_enter_submits_and_counts)
{
    struct io_uring ring;

    ring_open_deferred (&ring);
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 0, 0), 0);
    for (unsigned i = 0; i < 3; i++)
        ring_stage_nop (&ring, i);
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 0, 0), 3);
    ck_assert_uint_eq (ring_take (&ring), 3);
    ring_stage_nop (&ring, 4);
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 1, -1), 1);
    ck_assert_uint_eq (ring_take (&ring), 1);
    ring_stage_nop (&ring, 5);
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 1, MILLISECOND), 1);
    ck_assert_uint_eq (ring_take (&ring), 1);
    eddy__sys_uring_close (&ring);
}

EDDY_TEST (ring_enter_ends_with_its_time)
{
    struct io_uring ring;
    int64_t begin_ns;

    ring_open_deferred (&ring);
    begin_ns = eddy__sys_now_ns ();
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 1, 2 * MILLISECOND), 0);
    ck_assert_int_ge (eddy__sys_now_ns () - begin_ns, 2 * MILLISECOND);
    /* Also when something was submitted that does not complete; the count is still told. */
    io_uring_prep_poll_add (io_uring_get_sqe (&ring), ring.ring_fd, POLLIN);
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 2, 2 * MILLISECOND), 1);
    ck_assert_uint_eq (io_uring_sq_ready (&ring), 0);
    eddy__sys_uring_close (&ring);
}

/* Nothing is lost by a refused enter: what was staged goes with the next. */
EDDY_TEST (ring_enter_that_fails_keeps_the_staged)
{
    struct io_uring ring;

    ring_open_deferred (&ring);
    ring_stage_nop (&ring, 1);
    eddy_test_fail_call (EDDY_SYS_URING_ENTER, 1, EBUSY, /* from_then_on= */ false);
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 1, -1), -EBUSY);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_URING_ENTER), 1);
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 1, -1), 1);
    ck_assert_uint_eq (ring_take (&ring), 1);
    eddy__sys_uring_close (&ring);
}

EDDY_TEST (ring_tells_an_eventfd)
{
    struct io_uring ring;
    uint64_t count = 0;
    int fd = eddy__sys_eventfd ();

    ring_open (&ring, 0);
    ck_assert_int_eq (eddy__sys_uring_register_eventfd (&ring, fd), 0);
    ck_assert_int_eq (eddy__sys_uring_register_eventfd (&ring, fd), -EBUSY);
    ring_stage_nop (&ring, 1);
    ck_assert_int_eq (eddy__sys_uring_enter (&ring, 1, -1), 1);
    ck_assert_int_eq (eddy__sys_eventfd_read (fd, &count), 0);
    ck_assert_uint_eq (count, 1);
    ck_assert_int_eq (eddy__sys_uring_register_eventfd (&ring, -1), 0);
    ck_assert_int_eq (eddy__sys_uring_register_eventfd (&ring, -1), -ENXIO);
    eddy__sys_uring_close (&ring);
    eddy__sys_close (fd);
}

EDDY_TEST (ring_probe_knows_its_opcodes)
{
    struct io_uring ring;
    EddySysUringProbe probe;

    ring_open (&ring, 0);
    ck_assert_int_eq (eddy__sys_uring_probe (&ring, &probe), 0);
    ck_assert (eddy__sys_uring_probe_has (&probe, IORING_OP_NOP));
    ck_assert (eddy__sys_uring_probe_has (&probe, IORING_OP_READ));
    ck_assert (eddy__sys_uring_probe_has (&probe, IORING_OP_ASYNC_CANCEL));
    ck_assert (!eddy__sys_uring_probe_has (&probe, 255));
    ck_assert (!eddy__sys_uring_probe_has (&probe, 256));
    eddy__sys_uring_close (&ring);
}
