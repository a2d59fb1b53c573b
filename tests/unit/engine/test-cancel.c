/* SPDX-License-Identifier: MIT */
/*
 * Cancelling operations in every state: they complete once, later, and tell the truth.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine.h"
#include "engine/workers-private.h"

static void make_pipe (int fds[2])
{
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
}

static void begin_read (TestEngine *engine, EddyOp *op, int fd, char *buffer, size_t len)
{
    eddy__op_init (op, EDDY_OP_READ, fd);
    op->as.transfer.buf = buffer;
    op->as.transfer.len = len;
    op->as.transfer.offset = -1;
    ck_assert (!test_engine_start (engine, op));
}

EDDY_TEST (staged_read_ends_without_the_kernel)
{
    TestEngine engine = test_engine_open ();
    EddyOp op;
    char buffer[8];
    int fds[2];
    make_pipe (fds);
    begin_read (&engine, &op, fds[0], buffer, sizeof buffer);
    eddy__engine_cancel (engine.engine, &op);
    eddy__engine_cancel (engine.engine, &op);
    ck_assert_int_eq (test_engine_completions, 0);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (test_engine_completions, 1);
    ck_assert_int_eq (op.result, -ECANCELED);
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

EDDY_TEST (read_in_flight_is_cancelled)
{
    TestEngine engine = test_engine_open ();
    EddyOp op;
    char buffer[8];
    int fds[2];
    make_pipe (fds);
    begin_read (&engine, &op, fds[0], buffer, sizeof buffer);
    test_engine_turn (&engine, 0);
    ck_assert (op.state == EDDY_OP_INFLIGHT || op.state == EDDY_OP_POLLING);
    eddy__engine_cancel (engine.engine, &op);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (test_engine_completions, 1);
    ck_assert_int_eq (op.result, -ECANCELED);
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

/* Data that come before the cancel is sent are told, or still there: never lost. */
EDDY_TEST (cancel_against_data_loses_nothing)
{
    TestEngine engine = test_engine_open ();
    int fds[2], told = 0, left = 0;
    make_pipe (fds);
    for (int i = 0; i < 1000; i++) {
        EddyOp op;
        char byte = 0;
        begin_read (&engine, &op, fds[0], &byte, 1);
        if (i & 1)
            test_engine_turn (&engine, 0);
        char sent = (char) (i + 1);
        ck_assert_int_eq (write (fds[1], &sent, 1), 1);
        if (i & 2)
            test_engine_turn (&engine, 0);
        eddy__engine_cancel (engine.engine, &op);
        test_engine_finish (&engine, &op);
        if (op.result == 1) {
            told++;
        } else {
            ck_assert_int_eq (op.result, -ECANCELED);
            ck_assert_int_eq (read (fds[0], &byte, 1), 1);
            left++;
        }
        ck_assert_int_eq (byte, sent);
    }
    ck_assert_int_eq (told + left, 1000);
    ck_assert_int_gt (told, 0);
    ck_assert_int_gt (left, 0);
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

/* Fills a pipe to the brim; its fds do not block. */
static size_t fill_pipe (const int fds[2])
{
    static char block[65536];
    size_t filled = 0;
    ssize_t count;
    ck_assert_int_eq (fcntl (fds[1], F_SETFL, O_NONBLOCK), 0);
    while ((count = write (fds[1], block, sizeof block)) > 0)
        filled += (size_t) count;
    return filled;
}

static size_t drain_pipe (const int fds[2])
{
    static char block[65536];
    size_t drained = 0;
    ssize_t count;
    ck_assert_int_eq (fcntl (fds[0], F_SETFL, O_NONBLOCK), 0);
    while ((count = read (fds[0], block, sizeof block)) > 0)
        drained += (size_t) count;
    return drained;
}

/* Room that comes before the cancel is sent: what is written is told. */
EDDY_TEST (cancel_against_room_loses_nothing)
{
    TestEngine engine = test_engine_open ();
    int fds[2];
    char bytes[100] = "";
    make_pipe (fds);
    for (int i = 0; i < 8; i++) {
        EddyOp op;
        size_t filled = fill_pipe (fds);
        eddy__op_init (&op, EDDY_OP_WRITE, fds[1]);
        op.as.transfer.buf = bytes;
        op.as.transfer.len = sizeof bytes;
        op.as.transfer.offset = -1;
        ck_assert (!test_engine_start (&engine, &op));
        test_engine_turn (&engine, 0);
        ck_assert_uint_eq (drain_pipe (fds), filled);
        if (i & 1)
            test_engine_turn (&engine, 0);
        eddy__engine_cancel (engine.engine, &op);
        test_engine_finish (&engine, &op);
        if (op.result != -ECANCELED)
            ck_assert_int_eq (op.result, (int) sizeof bytes);
        ck_assert_uint_eq (drain_pipe (fds), op.result < 0 ? 0 : sizeof bytes);
    }
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

/* A slot is used again and again: a cancel that comes late never hits its next owner. */
EDDY_TEST (late_cancel_hits_no_stranger)
{
    TestEngine engine = test_engine_open ();
    int first[2], second[2];
    make_pipe (first);
    make_pipe (second);
    for (int i = 0; i < 200; i++) {
        EddyOp old, young;
        char a = 0, b = 0;
        begin_read (&engine, &old, first[0], &a, 1);
        test_engine_turn (&engine, 0);
        ck_assert_int_eq (write (first[1], "x", 1), 1);
        eddy__engine_cancel (engine.engine, &old);
        test_engine_finish (&engine, &old);
        begin_read (&engine, &young, second[0], &b, 1);
        test_engine_turn (&engine, 0);
        test_engine_turn (&engine, 0);
        ck_assert_int_ne (test_engine_state (&young), EDDY_OP_DONE);
        ck_assert_int_eq (write (second[1], "y", 1), 1);
        test_engine_finish (&engine, &young);
        ck_assert_int_eq (young.result, 1);
        ck_assert_int_eq (b, 'y');
        if (old.result == -ECANCELED)
            ck_assert_int_eq (read (first[0], &a, 1), 1);
    }
    for (int i = 0; i < 2; i++) {
        close (first[i]);
        close (second[i]);
    }
    test_engine_close (&engine);
}

/* More requests than the submission queue holds, all cancelled at once. */
EDDY_TEST (cancel_of_more_than_the_queue_holds)
{
    enum { N = 2000 };
    TestEngine engine = test_engine_open ();
    EddyOp *ops = calloc (N, sizeof *ops);
    char *bytes = calloc (N, 1);
    int fds[2];
    make_pipe (fds);
    for (int i = 0; i < N; i++) {
        begin_read (&engine, &ops[i], fds[0], &bytes[i], 1);
    }
    test_engine_turn (&engine, 0);
    for (int i = 0; i < N; i++)
        eddy__engine_cancel (engine.engine, &ops[i]);
    for (int i = 0; i < N; i++) {
        test_engine_finish (&engine, &ops[i]);
        ck_assert_int_eq (ops[i].result, -ECANCELED);
    }
    ck_assert_int_eq (test_engine_completions, N);
    free (ops);
    free (bytes);
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

/* --- waits ---------------------------------------------------------------------------------- */

static void begin_poll (TestEngine *engine, EddyOp *op, int fd, uint32_t events)
{
    eddy__op_init (op, EDDY_OP_POLL, fd);
    op->as.poll.events = events;
    ck_assert (!test_engine_start (engine, op));
}

/* Who asks for no event is told of errors all the same, as by poll(2). */
EDDY_TEST (wait_for_nothing_but_errors)
{
    TestEngine engine = test_engine_open ();
    EddyOp op;
    int fds[2];
    make_pipe (fds);
    begin_poll (&engine, &op, fds[1], 0);
    test_engine_turn (&engine, 0);
    ck_assert_int_ne (test_engine_state (&op), EDDY_OP_DONE);
    close (fds[0]);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (op.result, POLLERR);
    close (fds[1]);
    test_engine_close (&engine);
}

/* Several waits for one fd are each told what they asked for, and not what the others did. */
EDDY_TEST (waits_for_one_fd_are_told_their_own_events)
{
    TestEngine engine = test_engine_open ();
    EddyOp in, out, cancelled;
    int fds[2];
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq (write (fds[1], "x", 1), 1);
    begin_poll (&engine, &in, fds[0], POLLIN);
    begin_poll (&engine, &out, fds[0], POLLOUT);
    begin_poll (&engine, &cancelled, fds[0], POLLPRI);
    test_engine_finish (&engine, &in);
    test_engine_finish (&engine, &out);
    ck_assert_int_eq (in.result, POLLIN);
    ck_assert_int_eq (out.result, POLLOUT);
    ck_assert_int_ne (test_engine_state (&cancelled), EDDY_OP_DONE);
    eddy__engine_cancel (engine.engine, &cancelled);
    test_engine_finish (&engine, &cancelled);
    ck_assert_int_eq (cancelled.result, -ECANCELED);
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

/* --- jobs ----------------------------------------------------------------------------------- */

typedef struct Gate {
    sem_t entered;
    sem_t open;
    int runs; /* atomic */
} Gate;

static void gate_pass (void *data)
{
    Gate *gate = data;
    __atomic_add_fetch (&gate->runs, 1, __ATOMIC_SEQ_CST);
    sem_post (&gate->entered);
    sem_wait (&gate->open);
}

static void begin_call (TestEngine *engine, EddyOp *op, void (*function) (void *), void *data)
{
    eddy__op_init (op, EDDY_OP_CALL, -1);
    op->as.call.function = function;
    op->as.call.data = data;
    ck_assert (!test_engine_start (engine, op));
}

static void count_run (void *data)
{
    __atomic_add_fetch ((int *) data, 1, __ATOMIC_SEQ_CST);
}

/* Of jobs that wait behind blocked ones, those that are cancelled never run, the others do. */
EDDY_TEST (job_cancelled_in_the_queue_never_runs)
{
    enum { BLOCKED = 4, N = 60 };
    TestEngine engine = test_engine_open ();
    EddyOp blocked[BLOCKED], ops[N];
    Gate gate = { .runs = 0 };
    int runs[N] = { 0 };
    int n_cancelled = 0;
    sem_init (&gate.entered, 0, 0);
    sem_init (&gate.open, 0, 0);
    for (int i = 0; i < BLOCKED; i++)
        begin_call (&engine, &blocked[i], gate_pass, &gate);
    for (int i = 0; i < N; i++)
        begin_call (&engine, &ops[i], count_run, &runs[i]);
    test_engine_turn (&engine, 0);
    for (int i = 0; i < N; i += 2)
        eddy__engine_cancel (engine.engine, &ops[i]);
    for (int i = 0; i < BLOCKED; i++)
        sem_post (&gate.open);
    for (int i = 0; i < BLOCKED; i++)
        test_engine_finish (&engine, &blocked[i]);
    for (int i = 0; i < N; i++) {
        test_engine_finish (&engine, &ops[i]);
        ck_assert_int_eq (runs[i], ops[i].result == -ECANCELED ? 0 : 1);
        n_cancelled += ops[i].result == -ECANCELED;
        ck_assert (ops[i].result == 0 || i % 2 == 0);
    }
    ck_assert_int_gt (n_cancelled, 0);
    sem_destroy (&gate.entered);
    sem_destroy (&gate.open);
    test_engine_close (&engine);
}

EDDY_TEST (job_runs_once)
{
    enum { N = 1000 };
    TestEngine engine = test_engine_open ();
    EddyOp *ops = calloc (N, sizeof *ops);
    int runs = 0;
    for (int i = 0; i < N; i++)
        begin_call (&engine, &ops[i], count_run, &runs);
    for (int i = 0; i < N; i++)
        test_engine_finish (&engine, &ops[i]);
    ck_assert_int_eq (runs, N);
    ck_assert_uint_eq (engine.engine->counters.workers, N);
    free (ops);
    test_engine_close (&engine);
}

EDDY_TEST (running_job_ends_when_its_call_returns)
{
    TestEngine engine = test_engine_open ();
    Gate gate = { .runs = 0 };
    EddyOp op;
    sem_init (&gate.entered, 0, 0);
    sem_init (&gate.open, 0, 0);
    begin_call (&engine, &op, gate_pass, &gate);
    while (sem_trywait (&gate.entered) != 0) {
        test_engine_turn (&engine, 0);
        ck_assert_int_ne (test_engine_state (&op), EDDY_OP_DONE);
    }
    eddy__engine_cancel (engine.engine, &op);
    test_engine_turn (&engine, 0);
    ck_assert_int_ne (test_engine_state (&op), EDDY_OP_DONE);
    sem_post (&gate.open);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (op.result, 0);
    test_engine_close (&engine);
}

/* With every processor's worker blocked, others run the rest; a queued job ends at once. */
EDDY_TEST (blocked_workers_do_not_hold_up_others)
{
    enum { BLOCKED = 12 };
    TestEngine engine = test_engine_open ();
    Gate gate = { .runs = 0 };
    EddyOp blocked[BLOCKED], queued, quick;
    int runs = 0;
    sem_init (&gate.entered, 0, 0);
    sem_init (&gate.open, 0, 0);
    for (int i = 0; i < BLOCKED; i++)
        begin_call (&engine, &blocked[i], gate_pass, &gate);
    begin_call (&engine, &queued, count_run, &runs);
    eddy__engine_cancel (engine.engine, &queued);
    begin_call (&engine, &quick, count_run, &runs);
    test_engine_finish (&engine, &queued);
    ck_assert_int_eq (queued.result, -ECANCELED);
    test_engine_finish (&engine, &quick);
    ck_assert_int_eq (runs, 1);
    for (int i = 0; i < BLOCKED; i++)
        sem_post (&gate.open);
    for (int i = 0; i < BLOCKED; i++)
        test_engine_finish (&engine, &blocked[i]);
    ck_assert_int_eq (gate.runs, BLOCKED);
    test_engine_close (&engine);
}

EDDY_TEST (helping_thread_runs_jobs_itself)
{
    enum { N = 200 };
    TestEngine engine = test_engine_open ();
    EddyOp *ops = calloc (N, sizeof *ops);
    int runs = 0;
    eddy__engine_set_helps (engine.engine, true);
    for (int i = 0; i < N; i++)
        begin_call (&engine, &ops[i], count_run, &runs);
    for (int i = 0; i < N; i++)
        test_engine_finish (&engine, &ops[i]);
    ck_assert_int_eq (runs, N);
    free (ops);
    test_engine_close (&engine);
}

/* How many of `n` jobs, every other one with other flags, this thread does in one wait, at most. */
static uint64_t help_with (TestEngine *engine, EddyOp *ops, int n, uint32_t even, uint32_t odd)
{
    const uint64_t *helped = &engine->engine->counters.helped;
    uint64_t most = 0;
    int runs = 0;
    for (int i = 0; i < n; i++) {
        begin_call (engine, &ops[i], count_run, &runs);
        ops[i].flags = i % 2 == 0 ? even : odd;
    }
    while (engine->engine->live > 0) {
        uint64_t before = *helped;
        test_engine_turn (engine, -1);
        most = *helped - before > most ? *helped - before : most;
    }
    ck_assert_int_eq (runs, n);
    return most;
}

/* Anything else may be what another job waits for. */
EDDY_TEST (helping_thread_does_questions_only_in_a_row)
{
    enum { N = 4096, IN_A_ROW = 8 };
    TestEngine engine = test_engine_open ();
    EddyOp *ops = calloc (N, sizeof *ops);
    uint64_t most;
    eddy__engine_set_helps (engine.engine, true);
    ck_assert_uint_le (help_with (&engine, ops, N, 0, 0), 1);
    ck_assert_uint_le (help_with (&engine, ops, N, EDDY_OP_CALL_ASKS, 0), 1);
    do { /* until the workers have left it enough */
        most = help_with (&engine, ops, N, EDDY_OP_CALL_ASKS, EDDY_OP_CALL_ASKS);
        ck_assert_uint_le (most, IN_A_ROW);
    } while (most <= 1);
    free (ops);
    test_engine_close (&engine);
}

static void note_thread (void *data)
{
    *(pthread_t *) data = pthread_self ();
}

/* Whether a call runs on this thread while the engine is waited on for so long. */
static bool runs_here (TestEngine *engine, bool brief, int64_t timeout_ns)
{
    pthread_t thread;
    EddyOp op;
    begin_call (engine, &op, note_thread, &thread);
    op.flags = brief ? EDDY_OP_CALL_BRIEF : 0;
    while (test_engine_state (&op) != EDDY_OP_DONE)
        test_engine_turn (engine, timeout_ns);
    ck_assert_int_eq (op.result, 0);
    return pthread_equal (thread, pthread_self ()) != 0;
}

/* A brief job holds nobody up: neither operations nor fds nor deadlines. */
EDDY_TEST (brief_job_runs_here_only_when_there_is_nothing_else)
{
    enum { SECOND_NS = 1000000000 };
    TestEngine engine = test_engine_open ();
    int fds[2];
    EddyOp poll;
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    ck_assert (runs_here (&engine, true, -1));
    ck_assert (!runs_here (&engine, false, -1));
    ck_assert (!runs_here (&engine, true, SECOND_NS));
    for (int background = 0; background < 2; background++) {
        eddy__op_init (&poll, EDDY_OP_POLL, fds[0]);
        poll.as.poll.events = POLLIN;
        poll.op_flags = background ? EDDY_OP_BACKGROUND : 0;
        ck_assert (!test_engine_start (&engine, &poll));
        ck_assert (!runs_here (&engine, true, -1));
        eddy__engine_cancel (engine.engine, &poll);
        test_engine_finish (&engine, &poll);
        ck_assert (runs_here (&engine, true, -1));
    }
    close (fds[0]);
    close (fds[1]);
    test_engine_close (&engine);
}

enum { CROWD = 6 };

/* Busy, so that nobody takes it for blocked, until all of them have come. */
static void crowd_gather (void *data)
{
    int *n_come = data;
    __atomic_add_fetch (n_come, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n (n_come, __ATOMIC_SEQ_CST) < CROWD) {
    }
}

/* However many processors there are. */
EDDY_TEST (jobs_that_wait_run_at_once)
{
    TestEngine engine = test_engine_open ();
    EddyOp ops[CROWD], plain;
    int n_come = 0, runs = 0;
    for (int i = 0; i < CROWD; i++) {
        begin_call (&engine, &ops[i], crowd_gather, &n_come);
        ops[i].flags = EDDY_OP_CALL_WAITS;
    }
    begin_call (&engine, &plain, count_run, &runs);
    for (int i = 0; i < CROWD; i++)
        test_engine_finish (&engine, &ops[i]);
    test_engine_finish (&engine, &plain);
    ck_assert_int_eq (n_come, CROWD);
    ck_assert_int_eq (runs, 1);
    test_engine_close (&engine);
}
