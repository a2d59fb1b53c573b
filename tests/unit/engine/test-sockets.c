/* SPDX-License-Identifier: MIT */
/*
 * What is a socket's: by readiness and by the ring itself the same, and what a close ends.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc-private.h"
#include "engine.h"
#include "faults.h"

static void pair_open (int fds[2])
{
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static void pair_close (int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close (fds[i]);
}

static void transfer_init (EddyOp *op, EddyOpKind kind, int fd, void *buf, size_t len)
{
    eddy__op_init (op, kind, fd);
    op->as.transfer.buf = buf;
    op->as.transfer.len = len;
}

static void message_init (EddyOp *op, EddyOpKind kind, int fd, struct msghdr *message)
{
    transfer_init (op, kind, fd, message, 0);
}

static TestEngine sockets_open (bool force_ring)
{
    TestEngine engine = test_engine_open ();
    bool is_uring = strcmp (engine.engine->verbs->name, "uring") == 0;
    if (force_ring && is_uring)
        engine.engine->force_ring = true;
    test_engine_completions = 0;
    return engine;
}

static void expect_transfers (bool force_ring)
{
    TestEngine engine = sockets_open (force_ring);
    int fds[2];
    char buf[8] = "";
    EddyOp receive, send;
    struct iovec out = { (char *) "again", 5 }, in = { buf, sizeof buf };
    struct msghdr sent = { .msg_iov = &out, .msg_iovlen = 1 };
    struct msghdr received = { .msg_iov = &in, .msg_iovlen = 1 };
    pair_open (fds);
    transfer_init (&receive, EDDY_OP_RECV, fds[0], buf, sizeof buf);
    ck_assert (!test_engine_start (&engine, &receive));
    test_engine_turn (&engine, 0);
    ck_assert_int_eq (test_engine_completions, 0);
    transfer_init (&send, EDDY_OP_SEND, fds[1], (char *) "hello", 5);
    ck_assert_int_eq (test_engine_run (&engine, &send), 5);
    test_engine_finish (&engine, &receive);
    ck_assert_int_eq (receive.result, 5);
    ck_assert_mem_eq (buf, "hello", 5);
    message_init (&receive, EDDY_OP_RECVMSG, fds[0], &received);
    ck_assert (!test_engine_start (&engine, &receive));
    message_init (&send, EDDY_OP_SENDMSG, fds[1], &sent);
    ck_assert_int_eq (test_engine_run (&engine, &send), 5);
    test_engine_finish (&engine, &receive);
    ck_assert_int_eq (receive.result, 5);
    ck_assert_mem_eq (buf, "again", 5);
    if (engine.engine->force_ring)
        ck_assert_uint_eq (engine.engine->counters.ring, 4);
    else
        ck_assert_uint_eq (engine.engine->counters.polled + engine.engine->counters.ring, 2);
    pair_close (fds);
    test_engine_close (&engine);
}

EDDY_TEST (sockets_transfer_by_readiness)
{
    expect_transfers (false);
}

EDDY_TEST (sockets_transfer_by_the_ring)
{
    expect_transfers (true);
}

/* SIGPIPE would end this process. */
EDDY_TEST (sockets_raise_no_signal)
{
    for (int force_ring = 0; force_ring < 2; force_ring++) {
        TestEngine engine = sockets_open (force_ring != 0);
        int fds[2];
        EddyOp send;
        struct iovec out = { (char *) "x", 1 };
        struct msghdr sent = { .msg_iov = &out, .msg_iovlen = 1 };
        pair_open (fds);
        close (fds[0]);
        fds[0] = -1;
        transfer_init (&send, EDDY_OP_SEND, fds[1], (char *) "x", 1);
        ck_assert_int_eq (test_engine_run (&engine, &send), -EPIPE);
        message_init (&send, EDDY_OP_SENDMSG, fds[1], &sent);
        ck_assert_int_eq (test_engine_run (&engine, &send), -EPIPE);
        pair_close (fds);
        test_engine_close (&engine);
    }
}

/* A flag that is refused is so by the call that repeats it, whoever was asked first. */
EDDY_TEST (sockets_refusals_are_answers)
{
    for (int force_ring = 0; force_ring < 2; force_ring++) {
        TestEngine engine = sockets_open (force_ring != 0);
        int fds[2];
        EddyOp op;
        pair_open (fds);
        transfer_init (&op, EDDY_OP_SEND, fds[1], (char *) "x", 1);
        op.flags = MSG_OOB;
        int64_t result = test_engine_run (&engine, &op);
        ck_assert_int_eq (result, send (fds[1], "x", 1, MSG_OOB) < 0 ? -errno : 1);
        pair_close (fds);
        test_engine_close (&engine);
    }
}

/* Waited for beside each other: a socket, and a pipe, which is the ring's where there is one. */
typedef struct Beside {
    TestEngine engine;
    int fds[2], pipe[2];
    char buf[8];
    EddyReadiness readiness;
    EddyOp receive, poll;
    bool writes_socket, writes_pipe;
} Beside;

/* Most of the time the engine sleeps by now. */
static void *beside_write (void *data)
{
    Beside *self = data;
    usleep (200);
    if (self->writes_socket)
        ck_assert_int_eq (write (self->fds[1], "hello", 5), 5);
    if (self->writes_pipe)
        ck_assert_int_eq (write (self->pipe[1], "x", 1), 1);
    if (!self->writes_socket && !self->writes_pipe)
        eddy__port_wake (self->engine.port);
    return NULL;
}

static void beside_start (Beside *self)
{
    if (self->receive.state == EDDY_OP_DONE) {
        transfer_init (&self->receive, EDDY_OP_RECV, self->fds[0], self->buf, sizeof self->buf);
        self->receive.as.transfer.readiness = &self->readiness;
        ck_assert (!test_engine_start (&self->engine, &self->receive));
    }
    if (self->poll.state == EDDY_OP_DONE) {
        eddy__op_init (&self->poll, EDDY_OP_POLL, self->pipe[0]);
        self->poll.as.poll.events = POLLIN;
        ck_assert (!test_engine_start (&self->engine, &self->poll));
    }
}

/* Whoever has something to tell is heard, and nobody else. */
static void beside_round (Beside *self, bool writes_socket, bool writes_pipe)
{
    pthread_t thread;
    char byte;
    beside_start (self);
    self->writes_socket = writes_socket;
    self->writes_pipe = writes_pipe;
    ck_assert_int_eq (pthread_create (&thread, NULL, beside_write, self), 0);
    if (!writes_socket && !writes_pipe) {
        struct pollfd wake = { self->engine.port->wake_fd, POLLIN, 0 };
        test_engine_turn (&self->engine, -1);
        ck_assert_int_eq (pthread_join (thread, NULL), 0);
        test_engine_turn (&self->engine, 0);
        ck_assert_int_eq (poll (&wake, 1, 0), 0); /* it was taken, whichever turn that was */
    } else {
        if (writes_socket)
            test_engine_finish (&self->engine, &self->receive);
        if (writes_pipe)
            test_engine_finish (&self->engine, &self->poll);
        ck_assert_int_eq (pthread_join (thread, NULL), 0);
    }
    test_engine_turn (&self->engine, 0);
    ck_assert_int_eq (self->receive.state == EDDY_OP_DONE, writes_socket);
    ck_assert_int_eq (self->poll.state == EDDY_OP_DONE, writes_pipe);
    if (writes_socket)
        ck_assert_int_eq (self->receive.result, 5);
    if (writes_pipe)
        ck_assert_int_eq (read (self->pipe[0], &byte, 1), 1);
}

EDDY_TEST (sockets_wait_beside_other_requests)
{
    Beside self = { .engine = sockets_open (false) };
    self.readiness.is_short = true;
    pair_open (self.fds);
    ck_assert_int_eq (pipe2 (self.pipe, O_CLOEXEC | O_NONBLOCK), 0);
    self.receive.state = self.poll.state = EDDY_OP_DONE;
    for (int round = 0; round < 40; round++)
        beside_round (&self, (round & 1) != 0, (round & 2) != 0);
    beside_start (&self);
    eddy__engine_cancel (self.engine.engine, &self.receive);
    eddy__engine_cancel (self.engine.engine, &self.poll);
    test_engine_finish (&self.engine, &self.receive);
    test_engine_finish (&self.engine, &self.poll);
    pair_close (self.fds);
    pair_close (self.pipe);
    test_engine_close (&self.engine);
}

/* Connections that have ended meanwhile are passed over, and told when there is nothing else. */
EDDY_TEST (sockets_accept_passes_over_what_has_ended)
{
    TestEngine engine = sockets_open (false);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int listener = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int client = socket (AF_INET, SOCK_STREAM, 0);
    EddyOp op;
    ck_assert_int_eq (bind (listener, (struct sockaddr *) &address, len), 0);
    ck_assert_int_eq (listen (listener, 5), 0);
    ck_assert_int_eq (getsockname (listener, (struct sockaddr *) &address, &len), 0);
    ck_assert_int_eq (connect (client, (struct sockaddr *) &address, len), 0);
    eddy_test_fail_call (EDDY_SYS_ACCEPT4, 1, ECONNABORTED, /* from_then_on= */ true);
    eddy__op_init (&op, EDDY_OP_ACCEPT, listener);
    ck_assert_int_eq (test_engine_run (&engine, &op), -ECONNABORTED);
    eddy_test_fail_call (EDDY_SYS_ACCEPT4, 1, ECONNABORTED, /* from_then_on= */ false);
    eddy__op_init (&op, EDDY_OP_ACCEPT, listener);
    int64_t accepted = test_engine_run (&engine, &op);
    ck_assert_int_ge (accepted, 0);
    eddy_test_no_faults ();
    close ((int) accepted);
    close (client);
    close (listener);
    test_engine_close (&engine);
}

/* Ends those of this fd alone, later, and not as a cancel; what is staged and what is in flight. */
static void expect_close_ends (bool force_ring, bool in_flight, int known)
{
    enum { MANY = 40 };
    TestEngine engine = sockets_open (force_ring);
    int fds[2], others[2];
    char byte;
    EddyReadiness readiness = { .watch = 0 };
    EddyOp ops[MANY], poll, cancelled, other;
    pair_open (fds);
    pair_open (others);
    for (int i = 0; i < MANY; i++) {
        transfer_init (&ops[i], EDDY_OP_RECV, fds[0], &byte, 1);
        ops[i].as.transfer.readiness = i < known ? &readiness : NULL;
        ck_assert (!test_engine_start (&engine, &ops[i]));
    }
    eddy__op_init (&poll, EDDY_OP_POLL, fds[0]);
    poll.as.poll.events = 1;
    ck_assert (!test_engine_start (&engine, &poll));
    transfer_init (&cancelled, EDDY_OP_RECV, fds[0], &byte, 1);
    ck_assert (!test_engine_start (&engine, &cancelled));
    transfer_init (&other, EDDY_OP_RECV, others[0], &byte, 1);
    ck_assert (!test_engine_start (&engine, &other));
    if (in_flight)
        test_engine_turn (&engine, 0);
    eddy__engine_cancel (engine.engine, &cancelled);
    eddy__engine_give_up_fd (engine.engine, fds[0], &readiness, MANY + 2);
    ck_assert (known == 0 || readiness.reader == &ops[known - 1]);
    ck_assert_int_eq (test_engine_completions, 0);
    close (fds[0]);
    fds[0] = -1;
    for (int i = 0; i < MANY; i++) {
        test_engine_finish (&engine, &ops[i]);
        ck_assert_int_eq (ops[i].result, -EBADF);
    }
    ck_assert_ptr_null (readiness.reader);
    test_engine_finish (&engine, &poll);
    ck_assert_int_eq (poll.result, -EBADF);
    test_engine_finish (&engine, &cancelled);
    ck_assert_int_eq (cancelled.result, -ECANCELED);
    ck_assert_int_ne (test_engine_state (&other), EDDY_OP_DONE);
    ck_assert_int_eq (write (others[1], "x", 1), 1);
    test_engine_finish (&engine, &other);
    ck_assert_int_eq (other.result, 1);
    pair_close (fds);
    pair_close (others);
    test_engine_close (&engine);
}

EDDY_TEST (sockets_close_ends_what_waits)
{
    for (int way = 0; way < 8; way++)
        expect_close_ends ((way & 1) != 0, (way & 2) != 0, (way & 4) != 0 ? 3 : 0);
}

/* Who is woken while the peer has not answered yet is not connected. */
EDDY_TEST (sockets_connect_is_not_ended_by_a_wakeup)
{
    enum { CLIENTS = 4 }; /* more than may wait for a listener without a queue */
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int listener = socket (AF_INET, SOCK_STREAM, 0), clients[CLIENTS];
    EddyOp op;
    ck_assert_int_eq (bind (listener, (struct sockaddr *) &address, len), 0);
    ck_assert_int_eq (listen (listener, 0), 0);
    ck_assert_int_eq (getsockname (listener, (struct sockaddr *) &address, &len), 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        transfer_init (&op, EDDY_OP_CONNECT, clients[i], &address, len);
        ck_assert_int_eq (eddy__op_try (&op), -EAGAIN);
    }
    ck_assert_int_eq (eddy__op_try (&op), -EAGAIN);
    for (int i = 0; i < CLIENTS; i++)
        close (clients[i]);
    close (listener);
}

/* What a child of a fork gives up is not its parent's. */
EDDY_TEST (sockets_cancelled_by_a_child_of_a_fork)
{
    TestEngine engine = sockets_open (false);
    int fds[2], status;
    EddyOp poll;
    pair_open (fds);
    eddy__op_init (&poll, EDDY_OP_POLL, fds[0]);
    poll.as.poll.events = 1;
    ck_assert (!test_engine_start (&engine, &poll));
    test_engine_turn (&engine, 0);
    pid_t child = fork ();
    if (child == 0) {
        eddy__engine_cancel (engine.engine, &poll);
        _exit (0);
    }
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (status, 0);
    ck_assert_int_eq (write (fds[1], "x", 1), 1);
    test_engine_finish (&engine, &poll);
    ck_assert_int_eq (poll.result, 1);
    pair_close (fds);
    test_engine_close (&engine);
}

static int deny (size_t size, void *data)
{
    (void) size;
    (void) data;
    return 1;
}

/* What was told of a socket is not forgotten by who had no memory to take it. */
EDDY_TEST (sockets_without_memory_are_not_thought_empty)
{
    TestEngine engine = sockets_open (false);
    int fds[2];
    char buf[8];
    EddyReadiness readiness = { .is_short = true };
    EddyOp op;
    pair_open (fds);
    transfer_init (&op, EDDY_OP_RECV, fds[0], buf, sizeof buf);
    op.as.transfer.readiness = &readiness;
    ck_assert (!test_engine_start (&engine, &op));
    ck_assert_int_eq (write (fds[1], "ab", 2), 2);
    test_engine_finish (&engine, &op);
    ck_assert_int_eq (op.result, 2);
    ck_assert_int_eq (write (fds[1], "cd", 2), 2);
    test_engine_turn (&engine, 0);
    transfer_init (&op, EDDY_OP_READ_BYTES, fds[0], NULL, sizeof buf);
    op.as.transfer.readiness = &readiness;
    eddy__alloc_set_fault (deny, NULL);
    ck_assert_int_eq (test_engine_run (&engine, &op), -ENOMEM);
    eddy__alloc_set_fault (NULL, NULL);
    transfer_init (&op, EDDY_OP_RECV, fds[0], buf, sizeof buf);
    op.as.transfer.readiness = &readiness;
    ck_assert (test_engine_start (&engine, &op));
    ck_assert_int_eq (op.result, 2);
    pair_close (fds);
    test_engine_close (&engine);
}
