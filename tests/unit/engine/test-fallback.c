/* SPDX-License-Identifier: MIT */
/*
 * A ring that is refused, at set-up or by one operation, makes no difference to results.
 */
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <unistd.h>

#include "engine.h"
#include "faults.h"

static bool is_uring (void)
{
    const char *wish = getenv ("EDDY_ENGINE");
    return wish == NULL || strcmp (wish, "uring") == 0;
}

static void expect_epoll_when_setup_fails_with (int error_number)
{
    EddyPort *port;
    EddyEngine *engine = NULL;
    char reason[128] = "";
    int error = 0;
    unsetenv ("EDDY_ENGINE");
    port = eddy__port_new (&error);
    ck_assert_ptr_nonnull (port);
    eddy_test_fail_call (EDDY_SYS_URING_OPEN, 1, error_number, /* from_then_on= */ true);
    ck_assert_int_eq (eddy__engine_open (&engine, port, reason, sizeof reason), 0);
    ck_assert_uint_gt (eddy_test_fault_hits (EDDY_SYS_URING_OPEN), 0);
    eddy_test_no_faults ();
    ck_assert_str_eq (engine->verbs->name, "epoll");
    ck_assert_msg (strstr (engine->reason, strerror (error_number)) != NULL, "reason: %s",
                   engine->reason);
    eddy__engine_close (engine);
    eddy__port_unref (port, 1);
}

EDDY_TEST (setup_refused_with_eperm)
{
    expect_epoll_when_setup_fails_with (EPERM);
}

EDDY_TEST (setup_refused_with_enosys)
{
    expect_epoll_when_setup_fails_with (ENOSYS);
}

EDDY_TEST (setup_without_memory)
{
    expect_epoll_when_setup_fails_with (ENOMEM);
}

/* Too many open files would hide an outage: it stays an error. */
EDDY_TEST (setup_without_fds_is_an_error)
{
    EddyEngine *engine = NULL;
    char reason[128] = "";
    int error = 0;
    unsetenv ("EDDY_ENGINE");
    EddyPort *port = eddy__port_new (&error);
    ck_assert_ptr_nonnull (port);
    eddy_test_fail_call (EDDY_SYS_URING_OPEN, 1, EMFILE, /* from_then_on= */ true);
    ck_assert_int_eq (eddy__engine_open (&engine, port, reason, sizeof reason), -EMFILE);
    eddy_test_no_faults ();
    eddy__port_unref (port, 1);
}

EDDY_TEST (forced_engine_that_is_refused_is_an_error)
{
    EddyEngine *engine = NULL;
    char reason[128] = "";
    int error = 0;
    setenv ("EDDY_ENGINE", "uring", 1);
    EddyPort *port = eddy__port_new (&error);
    ck_assert_ptr_nonnull (port);
    eddy_test_fail_call (EDDY_SYS_URING_OPEN, 1, EPERM, /* from_then_on= */ true);
    ck_assert_int_eq (eddy__engine_open (&engine, port, reason, sizeof reason), -EPERM);
    eddy_test_no_faults ();
    ck_assert_msg (strstr (reason, "io_uring_setup") != NULL, "reason: %s", reason);
    setenv ("EDDY_ENGINE", "uringg", 1);
    ck_assert_int_eq (eddy__engine_open (&engine, port, reason, sizeof reason), -EINVAL);
    ck_assert_msg (strstr (reason, "uringg") != NULL, "reason: %s", reason);
    eddy__port_unref (port, 1);
}

/* The engine repeats by system call what the ring says it may not do. */
EDDY_TEST (denied_operation_is_repeated)
{
    if (!is_uring ())
        EDDY_TEST_SKIP ("only the ring can deny");
    TestEngine engine = test_engine_open ();
    int fd = open (eddy_test_path ("file"), O_RDWR | O_CREAT, 0600);
    engine.engine->force_ring = true;
    for (int i = 0; i < 6; i++) {
        /* Opcodes of the ring refuse a flag that nothing knows with -EINVAL, as a filter would with
           -EACCES; the call that repeats it says what is wrong. */
        EddyOp op;
        eddy__op_init (&op, EDDY_OP_ALLOCATE, fd);
        op.flags = 0x40000000;
        op.as.transfer.len = 10;
        ck_assert_int_eq (test_engine_run (&engine, &op), -EOPNOTSUPP);
    }
    ck_assert_uint_eq (engine.engine->counters.fallbacks, 6);
    ck_assert_uint_ne (engine.engine->ring_kinds >> EDDY_OP_ALLOCATE & 1, 0);
    close (fd);
    test_engine_close (&engine);
}

static void refuse_sync (TestEngine *engine, int fd, int times)
{
    for (int i = 0; i < times; i++) {
        EddyOp op;
        eddy__op_init (&op, EDDY_OP_SYNC, fd);
        op.complete = test_engine_completed;
        op.engine = engine->engine;
        ck_assert (!eddy__engine_submit (engine->engine, &op));
        test_engine_finish (engine, &op);
        ck_assert_int_eq (op.result, 0);
    }
}

/* A ring restricted to a few opcodes answers -EACCES for the others, long after set-up. */
EDDY_TEST (opcode_denied_later_falls_back_for_good)
{
    if (!is_uring ())
        EDDY_TEST_SKIP ("only the ring can deny");
    TestEngine engine = test_engine_open ();
    int fd = open (eddy_test_path ("file"), O_RDWR | O_CREAT, 0600);
    eddy__uring_deny_for_test (engine.engine, EDDY_OP_SYNC);
    refuse_sync (&engine, fd, 4);
    ck_assert_uint_eq (engine.engine->counters.fallbacks, 4);
    refuse_sync (&engine, fd, 3);
    ck_assert_uint_eq (engine.engine->counters.fallbacks, 4);
    ck_assert_uint_eq (engine.engine->counters.workers, 7);
    close (fd);
    test_engine_close (&engine);
}

/* -EINTR, and the restart codes that the kernel lets out, are nobody's result. */
EDDY_TEST (interrupted_request_is_sent_again)
{
    static const int answers[] = { -EINTR, -512, -516 };
    if (!is_uring ())
        EDDY_TEST_SKIP ("only the ring can be interrupted");
    TestEngine engine = test_engine_open ();
    int fd = open (eddy_test_path ("file"), O_RDWR | O_CREAT, 0600);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        EddyOp op;
        eddy__uring_interrupt_for_test (engine.engine, 3, answers[i]);
        eddy__op_init (&op, EDDY_OP_SYNC, fd);
        ck_assert_int_eq (test_engine_run (&engine, &op), 0);
        ck_assert_uint_eq (engine.engine->interruptions, 0);
    }
    close (fd);
    test_engine_close (&engine);
}

EDDY_TEST (denied_poll_is_done_by_a_worker_and_can_be_cancelled)
{
    if (!is_uring ())
        EDDY_TEST_SKIP ("only the ring can deny");
    TestEngine engine = test_engine_open ();
    EddyOp op;
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    eddy__uring_deny_for_test (engine.engine, EDDY_OP_POLL);
    eddy__op_init (&op, EDDY_OP_POLL, fds[1]);
    op.as.poll.events = POLLOUT;
    ck_assert_int_eq (test_engine_run (&engine, &op), POLLOUT);
    eddy__op_init (&op, EDDY_OP_POLL, fds[0]);
    op.as.poll.events = POLLIN;
    ck_assert (!test_engine_start (&engine, &op));
    test_engine_turn (&engine, 0);
    test_engine_turn (&engine, 1000000);
    eddy__engine_cancel (engine.engine, &op);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (op.result, -ECANCELED);
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

static void begin_read (TestEngine *engine, EddyOp *op, int fd, char *byte)
{
    eddy__op_init (op, EDDY_OP_READ, fd);
    op->as.transfer.buf = byte;
    op->as.transfer.len = 1;
    op->as.transfer.offset = -1;
    ck_assert (!test_engine_start (engine, op));
}

/* A stream that the ring will not read is waited for: a worker would hang in its call. */
EDDY_TEST (denied_stream_is_waited_for_and_can_be_cancelled)
{
    if (!is_uring ())
        EDDY_TEST_SKIP ("only the ring can deny");
    TestEngine engine = test_engine_open ();
    EddyOp op, cancelled;
    int fds[2];
    char byte = 0;
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    eddy__uring_deny_for_test (engine.engine, EDDY_OP_READ);
    begin_read (&engine, &op, fds[0], &byte);
    test_engine_turn (&engine, 0);
    ck_assert_int_eq (write (fds[1], "z", 1), 1);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (op.result, 1);
    ck_assert_int_eq (byte, 'z');
    begin_read (&engine, &cancelled, fds[0], &byte);
    test_engine_turn (&engine, 0);
    test_engine_turn (&engine, 0);
    eddy__engine_cancel (engine.engine, &cancelled);
    test_engine_finish (&engine, &cancelled);
    ck_assert_int_eq (cancelled.result, -ECANCELED);
    ck_assert_uint_eq (engine.engine->counters.fallbacks, 2);
    ck_assert_uint_eq (engine.engine->counters.workers, 0);
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

/* A system call of the wait that is interrupted or short of memory loses nothing. */
EDDY_TEST (interrupted_waits_lose_nothing)
{
    TestEngine engine = test_engine_open ();
    int fds[2];
    char byte = 0;
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    EddySysCall wait = is_uring () ? EDDY_SYS_URING_ENTER : EDDY_SYS_EPOLL_PWAIT2;
    eddy_test_fail_call (wait, 1, EINTR, /* from_then_on= */ false);
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_READ, fds[0]);
    op.as.transfer.buf = &byte;
    op.as.transfer.len = 1;
    op.as.transfer.offset = -1;
    ck_assert (!test_engine_start (&engine, &op));
    test_engine_turn (&engine, 0);
    ck_assert_uint_eq (eddy_test_fault_hits (wait), 1);
    ck_assert_int_eq (write (fds[1], "z", 1), 1);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (op.result, 1);
    ck_assert_int_eq (byte, 'z');
    eddy_test_no_faults ();
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}
