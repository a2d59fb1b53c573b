/* SPDX-License-Identifier: MIT */
/* For the tests of splices: every kind of end, filled and emptied by fibers. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "stream.h"

typedef enum EndKind {
    END_MEMORY,
    END_PIPE,
    END_SOCKET,
    END_BLOCKING_SOCKET,
    END_TCP,
    END_FILE,
    END_APPENDED_FILE, /* which splice(2) refuses to write */
    END_KINDS
} EndKind;

static const char *const end_names[END_KINDS] = {
    "memory",       "a pipe", "a socket",          "a blocking socket",
    "a TCP socket", "a file", "a file appended to"
};

static inline void tcp_pair (int fds[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq (bind (listener, (struct sockaddr *) &address, len), 0);
    ck_assert_int_eq (listen (listener, 1), 0);
    ck_assert_int_eq (getsockname (listener, (struct sockaddr *) &address, &len), 0);
    fds[1] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq (connect (fds[1], (struct sockaddr *) &address, len), 0);
    fds[0] = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge (fds[0], 0);
    close (listener);
}

/* fds[0] is to be read, fds[1] written; the one at `ours` is what the stream is of. */
static inline void end_open (EndKind kind, int fds[2], int ours, const char *file_name)
{
    if (kind == END_PIPE) {
        ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    } else if (kind == END_TCP) {
        tcp_pair (fds);
    } else if (kind == END_SOCKET || kind == END_BLOCKING_SOCKET) {
        ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    } else if (kind == END_FILE || kind == END_APPENDED_FILE) {
        const char *path = eddy_test_path (file_name);
        fds[1] = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        fds[0] = open (path, O_RDWR | O_CLOEXEC | (kind == END_FILE ? 0 : O_APPEND));
        ck_assert (fds[0] >= 0 && fds[1] >= 0);
        if (kind == END_APPENDED_FILE && ours == 1) { /* the stream's is the one that appends */
            int appending = fds[0];
            fds[0] = fds[1];
            fds[1] = appending;
        }
    } else {
        fds[0] = fds[1] = -1;
    }
    for (int i = 0; kind == END_TCP && i < 2; i++) { /* or it takes megabytes at once */
        const int size = 65536;
        ck_assert_int_eq (setsockopt (fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        ck_assert_int_eq (setsockopt (fds[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    }
    if (kind == END_SOCKET || kind == END_TCP)
        ck_assert_int_eq (fcntl (fds[ours], F_SETFL, O_NONBLOCK), 0);
}

/* A source or a target, and what the test has of it. */
typedef struct SpliceEndpoint {
    EndKind kind;
    EddyInputStream *input;
    EddyOutputStream *output;
    int fd; /* the test's end; -1: none */
    size_t size;
    char *bytes; /* what has come out */
    size_t count;
} SpliceEndpoint;

static inline bool end_is_file (const SpliceEndpoint *end)
{
    return end->kind == END_FILE || end->kind == END_APPENDED_FILE;
}

static inline void source_init (SpliceEndpoint *end, EndKind kind, size_t size)
{
    int fds[2];
    *end = (SpliceEndpoint){ .kind = kind, .fd = -1, .size = size };
    char *bytes = malloc (size + 1);
    stream_fill (bytes, size, 0);
    end_open (kind, fds, 0, "source");
    if (kind == END_MEMORY) {
        EDDY_AUTO (EddyBytes) copy = eddy_bytes_new (bytes, size);
        end->input = eddy_memory_input_stream_new_from_bytes (copy);
    } else {
        end->input = eddy_fd_input_stream_new (fds[0], /* close_fd= */ true);
        end->fd = fds[1];
        if (end_is_file (end))
            ck_assert_int_eq (pwrite (fds[1], bytes, size, 0), (ssize_t) size);
    }
    free (bytes);
}

static inline void target_init (SpliceEndpoint *end, EndKind kind, size_t size)
{
    int fds[2];
    *end = (SpliceEndpoint){ .kind = kind, .fd = -1, .size = size, .bytes = malloc (size + 1) };
    end_open (kind, fds, 1, "target");
    if (kind == END_MEMORY) {
        end->output = eddy_memory_output_stream_new (0);
    } else {
        end->output = eddy_fd_output_stream_new (fds[1], /* close_fd= */ true);
        end->fd = fds[0];
    }
}

/* Fills the source, in pieces of many sizes, and ends it. */
static inline void *source_feed (void *data, EddyError **error)
{
    SpliceEndpoint *end = data;
    char piece[9000];
    if (end->fd < 0 || end_is_file (end))
        return NULL;
    while (end->count < end->size) {
        size_t n = 1 + end->count * 7919 % sizeof piece;
        if (n > end->size - end->count)
            n = end->size - end->count;
        stream_fill (piece, n, end->count);
        ssize_t written = eddy_fd_write (end->fd, piece, n, -1, NULL, error);
        if (written < 0) /* nobody wants it any more */
            break;
        end->count += (size_t) written;
    }
    eddy_clear_error (error);
    close (end->fd);
    end->fd = -1;
    return NULL;
}

/* Takes what comes out of the target, to its end. */
static inline void *target_drain (void *data, EddyError **error)
{
    SpliceEndpoint *end = data;
    ssize_t count = 1;
    if (end->fd < 0 || end_is_file (end))
        return NULL;
    while (count > 0) {
        count = eddy_fd_read (end->fd, end->bytes + end->count, end->size + 1 - end->count, -1,
                              NULL, error);
        ck_assert_int_ge (count, 0);
        end->count += (size_t) count;
    }
    return NULL;
}

/* Asserts that so many bytes have arrived, and the right ones. */
static inline void target_expect (SpliceEndpoint *end, size_t count)
{
    if (end->kind == END_MEMORY) {
        end->count = eddy_memory_output_stream_get_size (end->output);
        if (end->count > 0)
            memcpy (end->bytes, eddy_memory_output_stream_get_data (end->output), end->count);
    } else if (end_is_file (end)) {
        ssize_t got = pread (end->fd, end->bytes, end->size + 1, 0);
        ck_assert_int_ge (got, 0);
        end->count = (size_t) got;
    }
    ck_assert_uint_eq (end->count, count);
    stream_expect (end->bytes, count, 0);
}

static inline void end_clear (SpliceEndpoint *end)
{
    eddy_clear (&end->input);
    eddy_clear (&end->output);
    if (end->fd >= 0)
        close (end->fd);
    free (end->bytes);
}
