/* SPDX-License-Identifier: MIT */
/*
 * More than the queues hold: of requests, of cancels, of completions; and a kernel that says not
 * now. On the smallest ring, everything ends, and once.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <eddy/eddy.h>

#include "base/compiler-private.h"
#include "engine.h"
#include "faults.h"
#include "loop/context-private.h"
#include "sys/clock-private.h"

enum { SMALL_RING = 32 };

/* An operation that counts its ends. */
typedef struct Counted {
    EddyOp op;
    EddyTimer timer;
    int completions;
    char byte;
} Counted;

static int n_completed;

static void counted_complete (EddyOp *op)
{
    EDDY__CONTAINER (op, Counted, op)->completions++;
    n_completed++;
}

static void counted_fire (EddyTimer *timer)
{
    Counted *counted = EDDY__CONTAINER (timer, Counted, timer);
    eddy__engine_cancel (counted->op.engine, &counted->op);
}

static void counted_read (Counted *counted, EddyEngine *engine, int fd)
{
    eddy__op_init (&counted->op, EDDY_OP_READ, fd);
    counted->op.as.transfer.buf = &counted->byte;
    counted->op.as.transfer.len = 1;
    counted->op.as.transfer.offset = -1;
    counted->op.complete = counted_complete;
    ck_assert (!eddy__engine_submit (engine, &counted->op));
}

static void counted_poll (Counted *counted, EddyEngine *engine, int fd)
{
    eddy__op_init (&counted->op, EDDY_OP_POLL, fd);
    counted->op.as.poll.events = POLLIN;
    counted->op.complete = counted_complete;
    ck_assert (!eddy__engine_submit (engine, &counted->op));
}

static Counted *counted_new (int n)
{
    Counted *all = calloc ((size_t) n, sizeof *all);
    ck_assert_ptr_nonnull (all);
    n_completed = 0;
    return all;
}

/* Each has ended once; how many of them with `result`. */
static int counted_expect_once (const Counted *all, int n, int64_t result)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq (all[i].completions, 1);
        count += all[i].op.result == result;
    }
    return count;
}

/* --- timeouts --------------------------------------------------------------------------------- */

static int begin_timeouts (Counted *all, int n, EddyContext *context, const int fds[2])
{
    int64_t deadline_ns = eddy__sys_now_ns () + 20000000;
    for (int i = 0; i < n; i++) {
        if (i % 3 == 0)
            counted_poll (&all[i], context->engine, fds[i & 1]);
        else
            counted_read (&all[i], context->engine, fds[i & 1]);
        all[i].timer.fire = counted_fire;
        ck_assert_int_eq (eddy__timer_add (&context->timers, &all[i].timer, deadline_ns), 0);
    }
    return n;
}

static void expect_timeouts_end (bool begun)
{
    enum { N = 10000 };
    int fds[2];
    Counted *all = counted_new (N);
    eddy__uring_entries = SMALL_RING;
    EddyContext *context = eddy_context_new ();
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq (eddy__context_enter (context), 0);
    int pending = begin_timeouts (all, N, context, fds);
    if (begun) { /* all of them with the kernel, before the first of them is cancelled */
        for (int i = 0; i < 1000 && eddy__engine_pending (context->engine); i++)
            ck_assert_int_eq (eddy__engine_wait (context->engine, 0), 0);
        ck_assert_int_eq (n_completed, 0);
    } else {
        eddy__timers_fire (&context->timers, eddy__sys_now_ns () + 1000000000);
    }
    while (n_completed < pending)
        eddy__context_pass (context, /* may_block= */ true);
    ck_assert_int_eq (counted_expect_once (all, N, -ECANCELED), N);
    eddy__context_leave (context);
    eddy_unref (context);
    close (fds[0]);
    close (fds[1]);
    free (all);
}

EDDY_TEST (ten_thousand_timeouts_in_one_tick_end)
{
    expect_timeouts_end (/* begun= */ true);
}

EDDY_TEST (ten_thousand_timeouts_before_the_first_wait_end)
{
    expect_timeouts_end (/* begun= */ false);
}

typedef struct Call {
    EddyCancellable *cancellable;
    EddySource *timeout;
    char byte;
    int answers;
} Call;

static int n_calls_ended;

static void call_take (void *source, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    EddyError *error = NULL;
    (void) source;
    ck_assert_int_eq (eddy_fd_read_finish (result, &error), -1);
    ck_assert (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED));
    eddy_clear_error (&error);
    call->answers++;
    n_calls_ended++;
}

static bool call_timed_out (void *data)
{
    eddy_cancellable_cancel (((Call *) data)->cancellable);
    return false;
}

/* The same by the public interface: a read, a cancellable and a timeout each. */
EDDY_TEST (ten_thousand_cancellables_in_one_tick_end)
{
    enum { N = 10000 };
    int fds[2];
    Call *calls = calloc (N, sizeof *calls);
    eddy__uring_entries = SMALL_RING;
    EddyContext *context = eddy_context_new ();
    ck_assert (eddy_context_push_thread_default (context));
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    for (int i = 0; i < N; i++) {
        calls[i].cancellable = eddy_cancellable_new ();
        calls[i].timeout = eddy_timeout_source_new (20000000);
        eddy_source_set_callback (calls[i].timeout, call_timed_out, &calls[i], NULL);
        ck_assert (eddy_source_attach (calls[i].timeout, context));
        eddy_fd_read_async (fds[0], &calls[i].byte, 1, -1, 0, calls[i].cancellable, call_take,
                            &calls[i]);
    }
    while (n_calls_ended < N)
        eddy_context_iteration (context, true);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq (calls[i].answers, 1);
        eddy_unref (calls[i].timeout);
        eddy_unref (calls[i].cancellable);
    }
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
    close (fds[0]);
    close (fds[1]);
    free (calls);
}

/* --- completions ------------------------------------------------------------------------------ */

/* One write completes all of them at once: many times what the completion queue holds. */
EDDY_TEST (completions_beyond_their_queue_arrive)
{
    enum { N = 5000 };
    eddy__uring_entries = SMALL_RING;
    TestEngine engine = test_engine_open ();
    Counted *all = counted_new (N);
    int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (int i = 0; i < N; i++)
        counted_poll (&all[i], engine.engine, fd);
    for (int i = 0; i < 1000 && eddy__engine_pending (engine.engine); i++)
        test_engine_turn (&engine, 0);
    ck_assert_int_eq (n_completed, 0);
    ck_assert_int_eq (eventfd_write (fd, 1), 0);
    while (n_completed < N)
        test_engine_turn (&engine, -1);
    ck_assert_int_eq (counted_expect_once (all, N, POLLIN), N);
    close (fd);
    free (all);
    test_engine_close (&engine);
}

/* --- a kernel that says not now --------------------------------------------------------------- */

static bool is_uring (const TestEngine *engine)
{
    return strcmp (engine->engine->verbs->name, "uring") == 0;
}

static EddySysCall waiting_call (const TestEngine *engine)
{
    return is_uring (engine) ? EDDY_SYS_URING_ENTER : EDDY_SYS_EPOLL_PWAIT2;
}

/* A full queue of cancels, and every entering refused for a while. */
static void expect_cancels_survive (int error)
{
    enum { N = 2000 };
    eddy__uring_entries = SMALL_RING;
    TestEngine engine = test_engine_open ();
    Counted *all = counted_new (N);
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    for (int i = 0; i < N; i++)
        counted_read (&all[i], engine.engine, fds[0]);
    test_engine_turn (&engine, 0);
    eddy_test_fail_call (waiting_call (&engine), 1, error, /* from_then_on= */ true);
    for (int i = 0; i < N; i++)
        eddy__engine_cancel (engine.engine, &all[i].op);
    for (int i = 0; i < 5; i++)
        test_engine_turn (&engine, 0);
    ck_assert_uint_ge (eddy_test_fault_hits (waiting_call (&engine)), 5);
    eddy_test_no_faults ();
    while (n_completed < N)
        test_engine_turn (&engine, -1);
    ck_assert_int_eq (counted_expect_once (all, N, -ECANCELED), N);
    close (fds[0]);
    close (fds[1]);
    free (all);
    test_engine_close (&engine);
}

EDDY_TEST (cancels_survive_interruptions)
{
    expect_cancels_survive (EINTR);
}

EDDY_TEST (cancels_survive_a_full_completion_queue)
{
    TestEngine engine = test_engine_open ();
    bool applies = is_uring (&engine);
    test_engine_close (&engine);
    if (!applies)
        EDDY_TEST_SKIP ("only the ring says EBUSY");
    expect_cancels_survive (EBUSY);
}

EDDY_TEST (cancels_survive_a_lack_of_memory)
{
    TestEngine engine = test_engine_open ();
    bool applies = is_uring (&engine);
    test_engine_close (&engine);
    if (!applies)
        EDDY_TEST_SKIP ("only the ring says EAGAIN");
    expect_cancels_survive (EAGAIN);
}

/* Whichever entering fails, data are told or still there, and no read is left. */
static void expect_data_survive (TestEngine *engine, unsigned nth, int error)
{
    enum { N = 300, SENT = 100 };
    char bytes[SENT];
    int fds[2];
    Counted *all = counted_new (N);
    memset (bytes, 'x', sizeof bytes);
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC | O_NONBLOCK), 0);
    eddy_test_fail_call (waiting_call (engine), nth, error, /* from_then_on= */ false);
    for (int i = 0; i < N; i++)
        counted_read (&all[i], engine->engine, fds[0]);
    test_engine_turn (engine, 0);
    ck_assert_int_eq (write (fds[1], bytes, SENT), SENT);
    for (int i = 0; i < N; i++)
        if (i % 2 == 0)
            eddy__engine_cancel (engine->engine, &all[i].op);
    for (int i = 0; i < 20; i++)
        test_engine_turn (engine, 0);
    for (int i = 0; i < N; i++)
        eddy__engine_cancel (engine->engine, &all[i].op);
    while (n_completed < N)
        test_engine_turn (engine, -1);
    eddy_test_no_faults ();
    int told = counted_expect_once (all, N, 1);
    ck_assert_int_eq (told + counted_expect_once (all, N, -ECANCELED), N);
    ssize_t left = read (fds[0], bytes, sizeof bytes);
    ck_assert_int_eq (told + (left > 0 ? left : 0), SENT);
    close (fds[0]);
    close (fds[1]);
    free (all);
}

EDDY_TEST (data_survive_an_entering_that_fails)
{
    static const int errors[] = { EINTR, EBUSY, EAGAIN };
    eddy__uring_entries = SMALL_RING;
    TestEngine engine = test_engine_open ();
    int n_errors = is_uring (&engine) ? 3 : 1;
    for (int i = 0; i < n_errors; i++)
        for (unsigned nth = 1; nth <= 30; nth++)
            expect_data_survive (&engine, nth, errors[i]);
    test_engine_close (&engine);
}
