/* SPDX-License-Identifier: MIT */
/*
 * For splices from socket to socket: a process that writes, one that reads, counts and looks at a
 * byte of each page, and between them the program that is measured. With the peers.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPLICE_BLOCK = 65536, SPLICE_PAGE = 4096, SPLICE_MIB = 1 << 20 };

typedef struct BenchSplice {
    uint64_t size;
    int from; /* what is to be read here */
    int to;   /* … and written here, and closed */
    pid_t writer;
    pid_t reader;
} BenchSplice;

/* What the first byte of a page of the stream is. */
static inline char bench_splice_byte (uint64_t at)
{
    return (char) (at / SPLICE_PAGE * 31 + 7);
}

static inline bool bench_splice_tcp_pair (int fds[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fds[0] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = bind (listener, (struct sockaddr *) &address, len) == 0 &&
                listen (listener, 1) == 0 &&
                getsockname (listener, (struct sockaddr *) &address, &len) == 0 &&
                connect (fds[0], (struct sockaddr *) &address, len) == 0;
    fds[1] = good ? accept (listener, NULL, NULL) : -1;
    close (listener);
    return fds[1] >= 0;
}

static inline int bench_splice_write (int fd, uint64_t size)
{
    static char block[SPLICE_BLOCK];
    for (uint64_t at = 0; at < size;) {
        for (int page = 0; page < SPLICE_BLOCK; page += SPLICE_PAGE)
            block[page] = bench_splice_byte (at + (uint64_t) page);
        for (ssize_t done = 0; done < SPLICE_BLOCK;) {
            ssize_t count = write (fd, block + done, (size_t) (SPLICE_BLOCK - done));
            if (count <= 0)
                return 1;
            done += count;
        }
        at += SPLICE_BLOCK;
    }
    return 0;
}

static inline int bench_splice_read (int fd, uint64_t size)
{
    static char block[SPLICE_BLOCK];
    uint64_t at = 0;
    ssize_t count;
    while ((count = read (fd, block, sizeof block)) > 0) {
        uint64_t page = (at + SPLICE_PAGE - 1) / SPLICE_PAGE * SPLICE_PAGE;
        for (; page < at + (uint64_t) count; page += SPLICE_PAGE)
            if (block[page - at] != bench_splice_byte (page))
                return 1;
        at += (uint64_t) count;
    }
    return count == 0 && at == size ? 0 : 1;
}

/* Both ends of the program are not blocking, as an asynchronous program's sockets are. */
static inline bool bench_splice_begin (BenchSplice *self, const char *kind, uint64_t size)
{
    int in[2], out[2];
    bool tcp = strcmp (kind, "tcp") == 0;
    bool good = tcp ? bench_splice_tcp_pair (in) && bench_splice_tcp_pair (out)
                    : socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) == 0 &&
                          socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) == 0;
    if (!good)
        return false;
    *self = (BenchSplice){ .size = size, .from = in[1], .to = out[0] };
    self->writer = fork ();
    if (self->writer == 0) {
        close (in[1]);
        close (out[0]);
        close (out[1]);
        _exit (bench_splice_write (in[0], size));
    }
    self->reader = fork ();
    if (self->reader == 0) {
        close (in[0]);
        close (in[1]);
        close (out[0]);
        _exit (bench_splice_read (out[1], size));
    }
    close (in[0]);
    close (out[1]);
    return self->writer > 0 && self->reader > 0;
}

/* The target has been closed: whether all has arrived. */
static inline bool bench_splice_end (const BenchSplice *self)
{
    int wrote = 1, read = 1;
    return waitpid (self->writer, &wrote, 0) == self->writer && wrote == 0 &&
           waitpid (self->reader, &read, 0) == self->reader && read == 0;
}
