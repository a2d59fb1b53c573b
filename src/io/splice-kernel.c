/* SPDX-License-Identifier: MIT */
/* Splicing within the kernel: pages go from one fd to another, and no byte is copied, but of small
 * pieces between sockets.
 *
 * splice(2) moves between a pipe and anything else. Where neither end is a pipe, there is one in
 * the middle, filled from the source and emptied into the target; two files are copied by
 * copy_file_range(2). Calls that may wait for a disk are a worker's; the others say that they would
 * wait, and it is readiness that is waited for. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <eddy/fd.h>
#include <eddy/fiber.h>

#include "base/compiler-private.h"
#include "engine/operation-private.h"
#include "fiber/fiber-private.h"
#include "io/splice-private.h"
#include "io/stream-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/signal-private.h"

enum {
    MOVE_MOST = 256 * 1024,      /* bytes by one call, and what the pipe in the middle holds */
    COPY_MOST = 4 * 1024 * 1024, /* from file to file, on a worker */
    BURST = 1024 * 1024,         /* bytes without a wait, after which others have their turn */
    REFUSALS = 16,               /* moves that would wait though both ends are ready */
    CALM = 4,                    /* moves of less than that, one after the other */
    MOVE_REFUSED = -2
};

typedef struct SpliceEnd {
    int fd;
    int64_t offset; /* -1: where the fd is */
    bool is_pipe;
    bool is_file;
    bool is_socket;
    bool is_middle; /* of the pipe between source and target */
} SpliceEnd;

typedef struct KernelSplice {
    EddySplice *splice;
    SpliceEnd from;
    SpliceEnd to;
    SpliceEnd in; /* the pipe in the middle: where it is filled, and emptied; fd -1: none */
    SpliceEnd out;
    size_t held; /* bytes in it */
    size_t burst;
    unsigned refusals;
    unsigned small_moves; /* the latest ones from the source */
} KernelSplice;

/* --- the ends --------------------------------------------------------------------------------- */

/* Whether the kernel can move pages from or to an fd, and say so when it would have to wait. On a
 * socket it asks the socket, not the call: one that blocks would block us. */
static bool end_init (SpliceEnd *end, int fd)
{
    struct statx info;
    if (fd < 0 || eddy__sys_fstatx (fd, STATX_TYPE, &info) < 0)
        return false;
    end->fd = fd;
    end->is_pipe = S_ISFIFO (info.stx_mode);
    end->is_file = S_ISREG (info.stx_mode);
    end->is_socket = S_ISSOCK (info.stx_mode);
    if (end->is_pipe || end->is_file)
        return true;
    int flags = end->is_socket ? eddy__sys_getfl (fd) : 0;
    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

static bool kernel_splice_init (KernelSplice *self, EddySplice *splice)
{
    const EddyInputStreamClass *source = eddy__input_stream_get_class (splice->source);
    const EddyOutputStreamClass *target = eddy__output_stream_get_class (splice->target);
    *self = (KernelSplice){ .splice = splice,
                            .from.offset = -1,
                            .to.offset = -1,
                            .in = { .fd = -1, .offset = -1, .is_pipe = true, .is_middle = true },
                            .out = { .fd = -1, .offset = -1, .is_pipe = true, .is_middle = true } };
    if (source->get_fd == NULL || target->get_fd == NULL)
        return false;
    return end_init (&self->from, source->get_fd (splice->source, &self->from.offset)) &&
           end_init (&self->to, target->get_fd (splice->target, &self->to.offset));
}

static bool kernel_splice_needs_middle (const KernelSplice *self)
{
    return !self->from.is_pipe && !self->to.is_pipe && !(self->from.is_file && self->to.is_file);
}

static bool kernel_splice_is_between_sockets (const KernelSplice *self)
{
    return self->from.is_socket && self->to.is_socket;
}

static bool kernel_splice_open_middle (KernelSplice *self)
{
    int fds[2];
    if (eddy__sys_pipe2 (fds, O_NONBLOCK) < 0)
        return false;
    self->out.fd = fds[0];
    self->in.fd = fds[1];
    (void) eddy__sys_set_pipe_size (self->in.fd, MOVE_MOST); /* a smaller one does it, too */
    return true;
}

static void kernel_splice_close_middle (KernelSplice *self)
{
    if (self->in.fd < 0)
        return;
    (void) eddy__sys_close (self->in.fd);
    (void) eddy__sys_close (self->out.fd);
    self->in.fd = self->out.fd = -1;
}

/* --- one move --------------------------------------------------------------------------------- */

typedef struct SpliceMove {
    SpliceEnd *from;
    SpliceEnd *to;
    size_t len;
    int64_t answer;
} SpliceMove;

static int64_t *end_get_offset (SpliceEnd *end)
{
    return end->offset == -1 ? NULL : &end->offset;
}

/* A pipe or a socket whose other end has gone raises SIGPIPE, unlike a file, and the pipe in the
 * middle, both ends of which are ours. */
static int64_t move_by_splice (const SpliceMove *move)
{
    EddySysPipeGuard guard;
    bool is_guarded = !move->to->is_file && !move->to->is_middle;
    if (is_guarded)
        eddy__sys_pipe_guard_begin (&guard);
    int64_t answer =
        eddy__sys_splice (move->from->fd, end_get_offset (move->from), move->to->fd,
                          end_get_offset (move->to), move->len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (is_guarded)
        eddy__sys_pipe_guard_end (&guard, answer);
    return answer;
}

static void move_run (void *data)
{
    SpliceMove *move = data;
    do {
        if (move->from->is_file && move->to->is_file)
            move->answer =
                eddy__sys_copy_file_range (move->from->fd, end_get_offset (move->from),
                                           move->to->fd, end_get_offset (move->to), COPY_MOST, 0);
        else
            move->answer = move_by_splice (move);
    } while (move->answer == -EINTR);
}

/* On a worker where a file is concerned. A count, 0 at the end, -EAGAIN, or another -errno. */
static int64_t move_do (SpliceMove *move, EddyCancellable *cancellable)
{
    if (!move->from->is_file && !move->to->is_file) {
        move_run (move);
        return move->answer;
    }
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_CALL, -1);
    op.as.call.function = move_run;
    op.as.call.data = move;
    move->answer = -ECANCELED; /* until it is run */
    int64_t answer = eddy__do_op (&op, cancellable);
    return answer < 0 && move->answer == -ECANCELED ? answer : move->answer;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Whether it is the source of a move that has nothing, rather than the target that has no room. */
static bool move_waits_for_source (const KernelSplice *self, const SpliceMove *move)
{
    if (move->from == &self->out || move->from->is_file)
        return false;
    if (move->to == &self->in || move->to->is_file)
        return true;
    struct pollfd poll = { move->from->fd, POLLIN, 0 };
    return eddy__sys_ppoll (&poll, 1, 0) == 0;
}

static bool move_wait (KernelSplice *self, const SpliceMove *move, EddyError **error)
{
    bool for_source = move_waits_for_source (self, move);
    self->burst = 0;
    return eddy_fd_wait (for_source ? move->from->fd : move->to->fd, for_source ? POLLIN : POLLOUT,
                         self->splice->cancellable, error) >= 0;
}

/* Others have their turn now and then, also when nothing has to be waited for. */
static bool kernel_splice_may_go_on (KernelSplice *self, EddyError **error)
{
    if (self->burst >= BURST && eddy_in_fiber ()) {
        self->burst = 0;
        eddy_fiber_yield ();
    }
    return eddy__may_go_on (self->splice->cancellable, error);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Answers that mean that the kernel does not know how to move these. */
static bool move_is_refused (int64_t answer)
{
    return answer == -EINVAL || answer == -ENOSYS || answer == -EOPNOTSUPP || answer == -EXDEV ||
           answer == -EPERM || answer == -EBADF;
}

static void move_fail (const KernelSplice *self, const SpliceMove *move, int64_t answer,
                       EddyError **error)
{
    bool of_source = move->to == &self->in || (move->from == &self->from && !move->from->is_pipe &&
                                               answer != -EPIPE && answer != -ENOSPC);
    eddy_error_set_errno (error, (int) -answer, "%s",
                          of_source ? eddy__input_stream_get_name (self->splice->source)
                                    : eddy__output_stream_get_name (self->splice->target));
}

/* Moves once, waiting until it can: 1; 0 at the end; -1; MOVE_REFUSED. */
static int move_once (KernelSplice *self, SpliceEnd *from, SpliceEnd *to, size_t len, size_t *moved,
                      EddyError **error)
{
    for (;;) {
        if (!kernel_splice_may_go_on (self, error))
            return -1;
        SpliceMove move = { from, to, len, 0 };
        int64_t answer = move_do (&move, self->splice->cancellable);
        if (answer >= 0) {
            *moved = (size_t) answer;
            self->burst += *moved;
            self->refusals = 0;
            return answer > 0;
        }
        if (move_is_refused (answer) || (answer == -EAGAIN && ++self->refusals > REFUSALS))
            return MOVE_REFUSED;
        if (answer == -ECANCELED && !eddy__may_go_on (self->splice->cancellable, error))
            return -1;
        if (answer != -EAGAIN) {
            move_fail (self, &move, answer, error);
            return -1;
        }
        if (!move_wait (self, &move, error))
            return -1;
    }
}

/* So many bytes have arrived: now both streams are where they are. */
static void kernel_splice_arrived (KernelSplice *self, size_t count)
{
    EddySplice *splice = self->splice;
    const EddyInputStreamClass *source = eddy__input_stream_get_class (splice->source);
    const EddyOutputStreamClass *target = eddy__output_stream_get_class (splice->target);
    if (source->advance != NULL)
        source->advance (splice->source, count);
    if (target->advance != NULL)
        target->advance (splice->target, count);
    eddy__splice_count (splice, count);
}

/* The pipe in the middle, emptied into the target. */
static int kernel_splice_empty_middle (KernelSplice *self, EddyError **error)
{
    size_t moved;
    int answer = 1;
    while (self->held > 0 && answer > 0) {
        answer = move_once (self, &self->out, &self->to, self->held, &moved, error);
        if (answer > 0) {
            self->held -= moved;
            kernel_splice_arrived (self, moved);
        }
    }
    return answer;
}

/* To the end of the source, or as far as it can: as move_once(). Between sockets, also until little
 * has come for a while. */
static int kernel_splice_run (KernelSplice *self, EddyError **error)
{
    bool has_middle = self->in.fd >= 0;
    bool ends_in_calm = kernel_splice_is_between_sockets (self);
    size_t moved;
    int answer = 1;
    self->small_moves = 0;
    while (answer > 0 && !(ends_in_calm && self->small_moves >= CALM)) {
        answer = move_once (self, &self->from, has_middle ? &self->in : &self->to, MOVE_MOST,
                            &moved, error);
        if (answer > 0)
            self->small_moves = moved < EDDY__SPLICE_PIECE ? self->small_moves + 1 : 0;
        if (answer > 0 && has_middle) {
            self->held = moved;
            answer = kernel_splice_empty_middle (self, error);
        } else if (answer > 0) {
            kernel_splice_arrived (self, moved);
        }
    }
    return answer;
}

/* Two calls carry a small piece, and a splice takes three, with a pipe; but a splice copies
 * nothing, which is worth more where much comes. */
static int kernel_splice_pieces (KernelSplice *self, EddyError **error)
{
    int answer = 1;
    while (answer > 0) {
        answer = eddy__splice_piece_by_piece (self->splice, self->from.fd, self->to.fd, error);
        self->burst = 0;
        if (answer > 0 && kernel_splice_open_middle (self)) /* else it goes on piece by piece */
            answer = kernel_splice_run (self, error);
        if (answer >= 0)
            kernel_splice_close_middle (self);
    }
    return answer;
}

/* What has left a file and not arrived goes back there. A stream that keeps its own position has
 * not moved; it is the fd's that has. */
static void kernel_splice_give_back (KernelSplice *self)
{
    if (self->held > 0 && self->from.offset == -1)
        (void) eddy__sys_lseek (self->from.fd, -(int64_t) self->held, SEEK_CUR);
    self->held = 0;
}

/* The target does not take what is in the middle, nor can the source take it back. */
static bool kernel_splice_empty_by_hand (KernelSplice *self, EddyError **error)
{
    EddySplice *splice = self->splice;
    char buffer[4096];
    bool all = true;
    while (self->held > 0 && all) {
        size_t written = 0;
        ssize_t count = eddy__sys_read (self->out.fd, buffer, sizeof buffer);
        if (count == -EINTR)
            continue;
        if (count <= 0)
            eddy_error_set_errno (error, count < 0 ? (int) -count : EIO, "splicing");
        all = count > 0 && eddy__output_stream_write_begun (splice->target, buffer, (size_t) count,
                                                            &written, splice->cancellable, error);
        self->held -= written;
        eddy__splice_count (splice, written);
    }
    return all;
}

static int kernel_splice_all (EddySplice *splice, EddyError **error)
{
    KernelSplice self;
    if (!kernel_splice_init (&self, splice))
        return 0;
    bool in_pieces = kernel_splice_is_between_sockets (&self);
    if (!in_pieces && kernel_splice_needs_middle (&self) && !kernel_splice_open_middle (&self))
        return 0;
    int answer = in_pieces ? kernel_splice_pieces (&self, error) : kernel_splice_run (&self, error);
    /* Of a file whose size says less than it has, those of /proc, nothing is copied. */
    if (answer == 0 && splice->done == 0 && self.from.is_file && self.to.is_file)
        answer = MOVE_REFUSED;
    bool refused = answer == MOVE_REFUSED;
    if (answer < 0 && self.from.is_file)
        kernel_splice_give_back (&self);
    if (refused && !kernel_splice_empty_by_hand (&self, error))
        refused = false;
    kernel_splice_close_middle (&self);
    splice->lost += self.held;
    return refused ? 0 : answer == 0 ? 1 : -1;
}

static void splice_hold (const EddyStreamRequests *requests, void *stream)
{
    if (requests != NULL)
        requests->hold (stream);
}

static bool splice_release (const EddyStreamRequests *requests, void *stream)
{
    return requests == NULL || requests->release (stream);
}

/* Whoever closes one of the two while it goes on is not to have its number used any more: the fds
 * are held, and how it went is a close's doing then. */
int eddy__splice_in_kernel (EddySplice *splice, EddyError **error)
{
    const EddyStreamRequests *source = eddy__input_stream_get_class (splice->source)->requests;
    const EddyStreamRequests *target = eddy__output_stream_get_class (splice->target)->requests;
    EddyError *failure = NULL;
    splice_hold (source, splice->source);
    splice_hold (target, splice->target);
    int answer = kernel_splice_all (splice, &failure);
    bool is_open = splice_release (source, splice->source);
    is_open &= splice_release (target, splice->target);
    if (answer != 0 && !is_open && !eddy_error_is_cancelled (failure)) {
        eddy_clear_error (&failure);
        eddy_error_set (&failure, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED,
                        "splice: a stream was closed meanwhile");
        answer = -1;
    }
    if (failure != NULL)
        eddy_error_take (error, failure);
    return answer;
}
