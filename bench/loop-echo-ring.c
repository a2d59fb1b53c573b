/* SPDX-License-Identifier: MIT */
/*
 * loop-echo-ring: an echo server by hand, the least that io_uring takes without buffers of the
 * kernel's choice: one wait for a batch, one receive and one send for each request. A limit of
 * `net-echo`.
 */
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <stdlib.h>

#include "bench-echo.h"

enum { ENTRIES = 4096 };

typedef struct Connection {
    int fd;
    bool is_sending;
    unsigned sent;
    unsigned count;
    char buffer[ECHO_BUFFER_SIZE];
} Connection;

static struct io_uring ring;

static struct io_uring_sqe *echo_entry (void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe (&ring);
    if (sqe == NULL) {
        io_uring_submit (&ring);
        sqe = io_uring_get_sqe (&ring);
    }
    return sqe;
}

static void echo_receive (Connection *self)
{
    struct io_uring_sqe *sqe = echo_entry ();
    self->is_sending = false;
    io_uring_prep_recv (sqe, self->fd, self->buffer, sizeof self->buffer, 0);
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST; /* nothing is there yet: that need not be tried */
    io_uring_sqe_set_data (sqe, self);
}

static void echo_send (Connection *self)
{
    struct io_uring_sqe *sqe = echo_entry ();
    self->is_sending = true;
    io_uring_prep_send (sqe, self->fd, self->buffer + self->sent, self->count - self->sent,
                        MSG_NOSIGNAL);
    io_uring_sqe_set_data (sqe, self);
}

static void echo_accept (int listener)
{
    struct io_uring_sqe *sqe = echo_entry ();
    io_uring_prep_multishot_accept (sqe, listener, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data (sqe, NULL);
}

static void echo_accepted (int fd)
{
    Connection *self = fd < 0 ? NULL : malloc (sizeof *self);
    if (self == NULL)
        return;
    self->fd = fd;
    bench_echo_set_nodelay (fd);
    echo_receive (self);
}

static void echo_completed (Connection *self, int result)
{
    if (result <= 0) {
        close (self->fd);
        free (self);
    } else if (!self->is_sending) {
        self->sent = 0;
        self->count = (unsigned) result;
        echo_send (self);
    } else {
        self->sent += (unsigned) result;
        if (self->sent < self->count)
            echo_send (self);
        else
            echo_receive (self);
    }
}

static bool echo_open (void)
{
    struct io_uring_params params = { .flags =
                                          IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
    int answer = io_uring_queue_init_params (ENTRIES, &ring, &params);
    if (answer < 0)
        fprintf (stderr, "io_uring: %s\n", strerror (-answer));
    return answer >= 0;
}

int main (void)
{
    int listener = bench_echo_listen (0);
    if (listener < 0 || !echo_open ())
        return 1;
    echo_accept (listener);
    for (;;) {
        int answer = io_uring_submit_and_wait (&ring, 1);
        if (answer < 0 && answer != -EINTR)
            return 1;
        struct io_uring_cqe *cqe;
        unsigned head, n = 0;
        io_uring_for_each_cqe (&ring, head, cqe)
        {
            n++;
            if (io_uring_cqe_get_data (cqe) != NULL) {
                echo_completed (io_uring_cqe_get_data (cqe), cqe->res);
                continue;
            }
            echo_accepted (cqe->res);
            if (!(cqe->flags & IORING_CQE_F_MORE))
                echo_accept (listener);
        }
        io_uring_cq_advance (&ring, n);
    }
}
