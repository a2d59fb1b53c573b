/* SPDX-License-Identifier: MIT */
/*
 * The tests' own means: operations that fail by rule, and shadow buffers that see a stray write.
 */
#include <fcntl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounce.h"
#include "completions.h"
#include "engine.h"

static void begin_read (TestEngine *engine, EddyOp *op, int fd, char *buffer, size_t len)
{
    eddy__op_init (op, EDDY_OP_READ, fd);
    op->as.transfer.buf = buffer;
    op->as.transfer.len = len;
    op->as.transfer.offset = -1;
    ck_assert (!test_engine_start (engine, op));
}

EDDY_TEST (nth_operation_fails_unmade)
{
    TestEngine engine = test_engine_open ();
    int fds[2];
    char byte = 0;
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    ck_assert_int_eq (write (fds[1], "abc", 3), 3);
    eddy_test_fail_completion (2, EIO, /* from_then_on= */ false);
    for (int i = 1; i <= 3; i++) {
        EddyOp op;
        eddy__op_init (&op, EDDY_OP_READ, fds[0]);
        op.as.transfer.buf = &byte;
        op.as.transfer.len = 1;
        op.as.transfer.offset = -1;
        ck_assert_int_eq (test_engine_run (&engine, &op), i == 2 ? -EIO : 1);
    }
    ck_assert_int_eq (byte, 'b');
    ck_assert_uint_eq (eddy_test_completion_count (), 3);
    ck_assert_uint_eq (eddy_test_completion_hits (), 1);
    eddy_test_no_completion_faults ();
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

/* Whoever cancels an operation that is failing already gets the failure, once. */
EDDY_TEST (failing_operation_is_cancelled)
{
    TestEngine engine = test_engine_open ();
    EddyOp read, sync;
    int fds[2];
    char byte = 0;
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    eddy_test_fail_completion_of (EDDY_OP_SYNC, 1, ENOMEM, /* from_then_on= */ true);
    begin_read (&engine, &read, fds[0], &byte, 1);
    eddy__op_init (&sync, EDDY_OP_SYNC, fds[0]);
    ck_assert (!test_engine_start (&engine, &sync));
    eddy__engine_cancel (engine.engine, &sync);
    eddy__engine_cancel (engine.engine, &read);
    test_engine_finish (&engine, &sync);
    test_engine_finish (&engine, &read);
    ck_assert_int_eq (sync.result, -ENOMEM);
    ck_assert_int_eq (read.result, -ECANCELED);
    ck_assert_int_eq (test_engine_completions, 2);
    ck_assert_uint_eq (eddy_test_completion_hits (), 1);
    eddy_test_no_completion_faults ();
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

EDDY_TEST (shadows_are_copied_back)
{
    TestEngine engine = test_engine_open ();
    EddyOp op, cancelled;
    char buffer[8] = "########", other[8] = "########";
    int fds[2], idle[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    ck_assert_int_eq (pipe2 (idle, O_CLOEXEC), 0);
    eddy_test_bounce_begin ();
    begin_read (&engine, &op, fds[0], buffer, sizeof buffer);
    begin_read (&engine, &cancelled, idle[0], other, sizeof other);
    test_engine_turn (&engine, 0);
    ck_assert_int_eq (write (fds[1], "abc", 3), 3);
    test_engine_finish (&engine, &op);
    eddy__engine_cancel (engine.engine, &cancelled);
    test_engine_finish (&engine, &cancelled);
    ck_assert_int_eq (op.result, 3);
    ck_assert_ptr_eq (op.as.transfer.buf, buffer);
    ck_assert_mem_eq (buffer, "abc#####", 8);
    ck_assert_mem_eq (other, "########", 8);
    ck_assert_uint_eq (eddy_test_bounce_end (), 2);
    for (int i = 0; i < 2; i++) {
        close (fds[i]);
        close (idle[i]);
    }
    test_engine_close (&engine);
}

/* Of several runs, too: each gets what is its own, and no more than was read. */
EDDY_TEST (shadows_of_runs_are_copied_back)
{
    TestEngine engine = test_engine_open ();
    EddyOp op;
    char first[3] = "###", last[8] = "########";
    struct iovec runs[3] = { { first, 2 }, { NULL, 0 }, { last, 8 } };
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    eddy_test_bounce_begin ();
    eddy__op_init (&op, EDDY_OP_READV, fds[0]);
    op.as.transfer.buf = runs;
    op.as.transfer.len = 3;
    op.as.transfer.offset = -1;
    ck_assert (!test_engine_start (&engine, &op));
    ck_assert_ptr_ne (op.as.transfer.buf, runs);
    test_engine_turn (&engine, 0);
    ck_assert_int_eq (write (fds[1], "abcdef", 6), 6);
    ck_assert_mem_eq (first, "###", 3);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (op.result, 6);
    ck_assert_ptr_eq (op.as.transfer.buf, runs);
    ck_assert_mem_eq (first, "ab#", 3);
    ck_assert_mem_eq (last, "cdef####", 8);
    ck_assert_uint_eq (eddy_test_bounce_end (), 1);
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

/* Runs `function` in a process of its own; whether that is aborted. */
static bool is_aborted (void (*function) (void))
{
    int status = 0;
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        function ();
        _exit (0);
    }
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    return WIFSIGNALED (status) && WTERMSIG (status) == SIGABRT;
}

/* An operation by hand: the hooks alone, with a kernel of our own. */
static char real_buffer[16];

static EddyOp send_by_hand (void)
{
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_READ, -1);
    op.as.transfer.buf = real_buffer;
    op.as.transfer.len = sizeof real_buffer;
    eddy_test_bounce_begin ();
    return op;
}

static void write_beyond_the_result (void)
{
    EddyOp op = send_by_hand ();
    eddy__engine_hooks.send (&op);
    memset (op.as.transfer.buf, 'x', 5);
    op.result = 4;
    eddy__engine_hooks.done (&op);
}

static void write_of_a_cancelled_operation (void)
{
    EddyOp op = send_by_hand ();
    eddy__engine_hooks.send (&op);
    memset (op.as.transfer.buf, 'x', 1);
    op.result = -ECANCELED;
    eddy__engine_hooks.done (&op);
}

static void write_after_completion (void)
{
    EddyOp op = send_by_hand ();
    eddy__engine_hooks.send (&op);
    char *shadow = op.as.transfer.buf;
    op.result = 0;
    eddy__engine_hooks.done (&op);
    shadow[3] = 'x';
    eddy_test_bounce_end ();
}

static void use_of_the_callers_buffer (void)
{
    EddyOp op = send_by_hand ();
    eddy__engine_hooks.send (&op);
    real_buffer[2] = 'x';
    op.result = 0;
    eddy__engine_hooks.done (&op);
}

EDDY_TEST (shadows_see_stray_writes)
{
    ck_assert (is_aborted (write_beyond_the_result));
    ck_assert (is_aborted (write_of_a_cancelled_operation));
    ck_assert (is_aborted (write_after_completion));
    ck_assert (is_aborted (use_of_the_callers_buffer));
}
