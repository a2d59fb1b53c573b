/* SPDX-License-Identifier: MIT */
/*
 * Shadow buffers, by the engine's hooks. The table is by the operation's address, since the
 * operation itself has no room for what only tests need.
 */
#include "bounce.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "engine/engine-private.h"

enum {
    MARGIN = 64, /* bytes behind a shadow that nobody may write */
    PATTERN = 0xb5,
    BUCKETS = 4096,
    KEPT_SHADOWS = 4096,
    KEPT_BYTES = 32 << 20
};

typedef struct Shadow Shadow;
struct Shadow {
    Shadow *next; /* of the bucket, then of those kept */
    EddyOp *op;
    void *real; /* what the operation's field pointed to */
    size_t len;
    size_t n_runs;
    struct iovec *runs;    /* the caller's memory, run by run */
    struct iovec *vectors; /* of several runs: the same runs of the shadow */
    unsigned char *bytes;  /* the shadow, one run behind the other, then a margin */
    unsigned char *before; /* the buffer as it was */
};

static struct {
    pthread_mutex_t mutex;
    Shadow *buckets[BUCKETS];
    Shadow *kept_first; /* oldest first */
    Shadow *kept_last;
    size_t n_kept;
    size_t bytes_kept;
    uint64_t n_made;
} bounce = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void bounce_fail (const Shadow *shadow, const char *what, size_t at)
{
    fprintf (stderr, "bounce: %s: operation %p, byte %zu of %zu\n", what, (void *) shadow->op, at,
             shadow->len);
    abort ();
}

static bool bounce_has_vectors (const EddyOp *op)
{
    return op->kind == EDDY_OP_READV || op->kind == EDDY_OP_WRITEV;
}

/* The field that points to an operation's buffer or runs, with the length of either; NULL: it has
   none. */
static void **bounce_field (EddyOp *op, size_t *len)
{
    switch ((EddyOpKind) op->kind) {
    case EDDY_OP_READ:
    case EDDY_OP_WRITE:
    case EDDY_OP_READV:
    case EDDY_OP_WRITEV:
    case EDDY_OP_RECV:
    case EDDY_OP_SEND:
    case EDDY_OP_READ_DIRECTORY:
    case EDDY_OP_LIST_XATTR:
        *len = op->as.transfer.len;
        return &op->as.transfer.buf;
    case EDDY_OP_READLINK:
    case EDDY_OP_GET_XATTR:
    case EDDY_OP_SET_XATTR:
        *len = op->as.name.len;
        return &op->as.name.buf;
    case EDDY_OP_STAT:
        *len = sizeof (struct statx);
        return &op->as.name.buf;
    default:
        return NULL;
    }
}

/* How many bytes the operation may have written. */
static size_t bounce_written (const EddyOp *op, size_t len)
{
    switch ((EddyOpKind) op->kind) {
    case EDDY_OP_WRITE:
    case EDDY_OP_WRITEV:
    case EDDY_OP_SEND:
    case EDDY_OP_SET_XATTR:
        return 0;
    case EDDY_OP_STAT:
        return op->result == 0 ? len : 0;
    default:
        return op->result > 0 ? (size_t) op->result : 0;
    }
}

static Shadow **bounce_bucket (const EddyOp *op)
{
    uintptr_t hash = ((uintptr_t) op >> 4) * UINT64_C (0x9e3779b97f4a7c15);
    return &bounce.buckets[hash >> 32 & (BUCKETS - 1)];
}

/* A shadow of so many runs and bytes, in one block. */
static Shadow *bounce_new (EddyOp *op, size_t n_runs, size_t len)
{
    Shadow *shadow =
        malloc (sizeof *shadow + 2 * n_runs * sizeof (struct iovec) + 2 * len + MARGIN);
    if (shadow == NULL)
        abort ();
    *shadow = (Shadow){ .op = op, .len = len, .n_runs = n_runs };
    shadow->runs = (struct iovec *) (shadow + 1);
    shadow->vectors = shadow->runs + n_runs;
    shadow->bytes = (unsigned char *) (shadow->vectors + n_runs);
    shadow->before = shadow->bytes + len + MARGIN;
    return shadow;
}

static void bounce_copy_in (Shadow *shadow, const struct iovec *runs)
{
    size_t at = 0;
    for (size_t i = 0; i < shadow->n_runs; i++) {
        shadow->runs[i] = runs[i];
        shadow->vectors[i] = (struct iovec){ shadow->bytes + at, runs[i].iov_len };
        if (runs[i].iov_len > 0)
            memcpy (shadow->bytes + at, runs[i].iov_base, runs[i].iov_len);
        at += runs[i].iov_len;
    }
    memcpy (shadow->before, shadow->bytes, shadow->len);
    memset (shadow->bytes + shadow->len, PATTERN, MARGIN);
}

static void bounce_send (EddyOp *op)
{
    size_t len = 0;
    void **field = bounce_field (op, &len);
    if (field == NULL || *field == NULL || len == 0)
        return;
    struct iovec one = { *field, len };
    bool has_vectors = bounce_has_vectors (op);
    const struct iovec *runs = has_vectors ? *field : &one;
    size_t n_runs = has_vectors ? len : 1;
    len = 0;
    for (size_t i = 0; i < n_runs; i++)
        len += runs[i].iov_len;
    Shadow *shadow = bounce_new (op, n_runs, len);
    bounce_copy_in (shadow, runs);
    shadow->real = *field;
    *field = has_vectors ? (void *) shadow->vectors : shadow->bytes;
    pthread_mutex_lock (&bounce.mutex);
    Shadow **bucket = bounce_bucket (op);
    shadow->next = *bucket;
    *bucket = shadow;
    bounce.n_made++;
    pthread_mutex_unlock (&bounce.mutex);
}

static void bounce_expect_pattern (const Shadow *shadow, size_t from, size_t to, const char *what)
{
    for (size_t i = from; i < to; i++)
        if (shadow->bytes[i] != PATTERN)
            bounce_fail (shadow, what, i);
}

static void bounce_expect_equal (const Shadow *shadow, const unsigned char *bytes, size_t from,
                                 size_t to, const unsigned char *before, const char *what)
{
    for (size_t at = from; at < to; at++)
        if (bytes[at] != before[at])
            bounce_fail (shadow, what, at);
}

/* Nobody has touched the caller's memory meanwhile, and now it gets what was read. */
static void bounce_copy_out (const Shadow *shadow, size_t written)
{
    size_t at = 0;
    for (size_t i = 0; i < shadow->n_runs; i++) {
        unsigned char *real = shadow->runs[i].iov_base;
        size_t len = shadow->runs[i].iov_len, left = written > at ? written - at : 0;
        bounce_expect_equal (shadow, real, 0, len, shadow->before + at,
                             "the caller's buffer changed meanwhile");
        if (left > 0 && len > 0)
            memcpy (real, shadow->bytes + at, left < len ? left : len);
        at += len;
    }
}

/* Looks at the oldest shadow that is kept for the last time. */
static void bounce_release_oldest (void)
{
    Shadow *shadow = bounce.kept_first;
    bounce.kept_first = shadow->next;
    bounce.n_kept--;
    bounce.bytes_kept -= shadow->len;
    bounce_expect_pattern (shadow, 0, shadow->len + MARGIN, "written after it had completed");
    free (shadow);
}

/* From now on nobody may write it. */
static void bounce_keep (Shadow *shadow)
{
    memset (shadow->bytes, PATTERN, shadow->len);
    shadow->next = NULL;
    if (bounce.kept_first == NULL)
        bounce.kept_first = shadow;
    else
        bounce.kept_last->next = shadow;
    bounce.kept_last = shadow;
    bounce.n_kept++;
    bounce.bytes_kept += shadow->len;
    while (bounce.n_kept > KEPT_SHADOWS || bounce.bytes_kept > KEPT_BYTES)
        bounce_release_oldest ();
}

static Shadow *bounce_take (const EddyOp *op)
{
    Shadow **at = bounce_bucket (op);
    while (*at != NULL && (*at)->op != op)
        at = &(*at)->next;
    Shadow *shadow = *at;
    if (shadow != NULL)
        *at = shadow->next;
    return shadow;
}

static void bounce_done (EddyOp *op)
{
    pthread_mutex_lock (&bounce.mutex);
    Shadow *shadow = bounce_take (op);
    pthread_mutex_unlock (&bounce.mutex);
    if (shadow == NULL)
        return;
    size_t len, written = bounce_written (op, shadow->len);
    *bounce_field (op, &len) = shadow->real;
    if (len != (bounce_has_vectors (op) ? shadow->n_runs : shadow->len) || written > shadow->len)
        bounce_fail (shadow, "its length or its result is no longer true", written);
    bounce_expect_pattern (shadow, shadow->len, shadow->len + MARGIN, "written behind its end");
    bounce_expect_equal (shadow, shadow->bytes, written, shadow->len, shadow->before,
                         "written beyond its result");
    bounce_copy_out (shadow, written);
    pthread_mutex_lock (&bounce.mutex);
    bounce_keep (shadow);
    pthread_mutex_unlock (&bounce.mutex);
}

void eddy_test_bounce_begin (void)
{
    bounce.n_made = 0;
    __atomic_store_n (&eddy__engine_hooks.done, bounce_done, __ATOMIC_SEQ_CST);
    __atomic_store_n (&eddy__engine_hooks.send, bounce_send, __ATOMIC_SEQ_CST);
}

uint64_t eddy_test_bounce_end (void)
{
    __atomic_store_n (&eddy__engine_hooks.send, NULL, __ATOMIC_SEQ_CST);
    __atomic_store_n (&eddy__engine_hooks.done, NULL, __ATOMIC_SEQ_CST);
    for (size_t i = 0; i < BUCKETS; i++)
        if (bounce.buckets[i] != NULL)
            bounce_fail (bounce.buckets[i], "still under way", 0);
    while (bounce.kept_first != NULL)
        bounce_release_oldest ();
    return bounce.n_made;
}
