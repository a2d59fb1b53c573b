/* SPDX-License-Identifier: MIT */
/*
 * Every kind of operation gives the same results whoever serves it: a plain call, the engine's own
 * choice, the ring wherever it can, a worker. One scenario, run in each way.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine.h"
#include "sys/file-private.h"

typedef enum Way { BY_CALL, BY_ENGINE, BY_RING } Way;

typedef struct Runner {
    TestEngine *engine; /* NULL: by plain call */
    int directory_fd;
} Runner;

static int64_t run (Runner *runner, EddyOp *op)
{
    return runner->engine == NULL ? eddy__op_perform (op) : test_engine_run (runner->engine, op);
}

static int64_t run_name (Runner *runner, EddyOpKind kind, const char *path, uint32_t flags,
                         uint32_t mode)
{
    EddyOp op;
    eddy__op_init (&op, kind, runner->directory_fd);
    op.as.name.path = path;
    op.flags = flags;
    op.as.name.mode = mode;
    return run (runner, &op);
}

static int64_t run_two_names (Runner *runner, EddyOpKind kind, const char *path, const char *other)
{
    EddyOp op;
    eddy__op_init (&op, kind, runner->directory_fd);
    op.as.name.path = path;
    op.as.name.other = other;
    op.as.name.other_fd = runner->directory_fd;
    return run (runner, &op);
}

static int64_t run_transfer (Runner *runner, EddyOpKind kind, int fd, const void *buf, size_t len,
                             int64_t offset)
{
    EddyOp op;
    eddy__op_init (&op, kind, fd);
    op.as.transfer.buf = (void *) (uintptr_t) buf;
    op.as.transfer.len = len;
    op.as.transfer.offset = offset;
    return run (runner, &op);
}

/* Reads or writes three runs, of which the middle one is empty. */
static int64_t run_vectors (Runner *runner, EddyOpKind kind, int fd, char *first, size_t first_len,
                            char *last, size_t last_len, int64_t offset)
{
    struct iovec runs[3] = { { first, first_len }, { NULL, 0 }, { last, last_len } };
    return run_transfer (runner, kind, fd, runs, 3, offset);
}

static int64_t run_stat (Runner *runner, const char *path, struct statx *answer)
{
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_STAT, runner->directory_fd);
    op.as.name.path = path;
    op.as.name.buf = answer;
    op.as.name.len = STATX_BASIC_STATS;
    op.flags = AT_SYMLINK_NOFOLLOW;
    return run (runner, &op);
}

static int64_t run_close (Runner *runner, int64_t fd)
{
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_CLOSE, (int) fd);
    return run (runner, &op);
}

static void scenario_contents (Runner *runner)
{
    char buffer[64] = "";
    struct statx info;
    int64_t fd = run_name (runner, EDDY_OP_OPEN, "file", O_RDWR | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge (fd, 3);
    ck_assert_int_eq (run_name (runner, EDDY_OP_OPEN, "file", O_RDWR | O_CREAT | O_EXCL, 0600),
                      -EEXIST);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_WRITE, (int) fd, "0123456789", 10, 0), 10);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_WRITE, (int) fd, "ab", 2, 12), 2);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_READ, (int) fd, buffer, 64, 0), 14);
    ck_assert_mem_eq (buffer, "0123456789\0\0ab", 14);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_READ, (int) fd, buffer, 64, 14), 0);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_ALLOCATE, (int) fd, NULL, 8192, 0), 0);
    ck_assert_int_eq (run_stat (runner, "file", &info), 0);
    ck_assert_uint_eq (info.stx_size, 8192);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_TRUNCATE, (int) fd, NULL, 0, 5), 0);
    ck_assert_int_eq (run_stat (runner, "file", &info), 0);
    ck_assert_uint_eq (info.stx_size, 5);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_SYNC, (int) fd, NULL, 0, 0), 0);
    ck_assert_int_eq (run_close (runner, fd), 0);
    ck_assert_int_eq (run_close (runner, 99999), -EBADF);
}

static void scenario_vectors (Runner *runner)
{
    char first[8] = "abc", last[64] = "defgh";
    int64_t fd = run_name (runner, EDDY_OP_OPEN, "file", O_RDWR, 0);
    ck_assert_int_eq (run_vectors (runner, EDDY_OP_WRITEV, (int) fd, first, 3, last, 5, 1), 8);
    memset (first, '#', sizeof first);
    ck_assert_int_eq (run_vectors (runner, EDDY_OP_READV, (int) fd, first, 4, last, 64, 0), 9);
    ck_assert_mem_eq (first, "0abc####", 8);
    ck_assert_mem_eq (last, "defgh", 5);
    ck_assert_int_eq (run_vectors (runner, EDDY_OP_READV, (int) fd, first, 8, last, 64, 9), 0);
    /* Without an offset: from the position, which moves. */
    ck_assert_int_eq (run_vectors (runner, EDDY_OP_READV, (int) fd, first, 1, last, 1, -1), 2);
    ck_assert_int_eq (run_vectors (runner, EDDY_OP_WRITEV, (int) fd, last, 1, first, 1, -1), 2);
    ck_assert_int_eq (run_vectors (runner, EDDY_OP_READV, (int) fd, first, 8, last, 64, 0), 9);
    ck_assert_mem_eq (first, "0aa0defg", 8);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_READV, (int) fd, NULL, 0, 0), 0);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_WRITEV, (int) fd, NULL, 0, 0), 0);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_TRUNCATE, (int) fd, NULL, 0, 5), 0);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_WRITE, (int) fd, "01234", 5, 0), 5);
    run_close (runner, fd);
}

static void scenario_copy (Runner *runner)
{
    char buffer[16] = "";
    int64_t from = run_name (runner, EDDY_OP_OPEN, "file", O_RDONLY, 0);
    int64_t to = run_name (runner, EDDY_OP_OPEN, "copy", O_RDWR | O_CREAT, 0600);
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_COPY_RANGE, (int) from);
    op.as.copy.to_fd = (int) to;
    op.as.copy.offset = 1;
    op.as.copy.len = 100;
    ck_assert_int_eq (run (runner, &op), 4);
    ck_assert_int_eq (run_transfer (runner, EDDY_OP_READ, (int) to, buffer, 16, 0), 4);
    ck_assert_str_eq (buffer, "1234");
    run_close (runner, from);
    run_close (runner, to);
}

static void scenario_names (Runner *runner)
{
    char target[16] = "";
    struct statx info;
    ck_assert_int_eq (run_name (runner, EDDY_OP_MKDIR, "folder", 0, 0700), 0);
    ck_assert_int_eq (run_name (runner, EDDY_OP_MKDIR, "folder", 0, 0700), -EEXIST);
    ck_assert_int_eq (run_two_names (runner, EDDY_OP_RENAME, "copy", "folder/moved"), 0);
    ck_assert_int_eq (run_two_names (runner, EDDY_OP_RENAME, "copy", "folder/moved"), -ENOENT);
    ck_assert_int_eq (run_two_names (runner, EDDY_OP_LINK, "file", "folder/second"), 0);
    ck_assert_int_eq (run_stat (runner, "file", &info), 0);
    ck_assert_uint_eq (info.stx_nlink, 2);
    ck_assert_int_eq (run_two_names (runner, EDDY_OP_SYMLINK, "folder/link", "../file"), 0);
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_READLINK, runner->directory_fd);
    op.as.name.path = "folder/link";
    op.as.name.buf = target;
    op.as.name.len = sizeof target;
    ck_assert_int_eq (run (runner, &op), 7);
    ck_assert_str_eq (target, "../file");
    ck_assert_int_eq (run_name (runner, EDDY_OP_MKNOD, "fifo", 0, S_IFIFO | 0600), 0);
    ck_assert_int_eq (run_name (runner, EDDY_OP_UNLINK, "folder", AT_REMOVEDIR, 0), -ENOTEMPTY);
    ck_assert_int_eq (run_name (runner, EDDY_OP_UNLINK, "absent", 0, 0), -ENOENT);
}

static void scenario_attributes (Runner *runner)
{
    struct statx info;
    struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };
    ck_assert_int_eq (run_name (runner, EDDY_OP_SET_MODE, "file", 0, 0640), 0);
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_SET_TIMES, runner->directory_fd);
    op.as.name.path = "file";
    op.as.name.buf = times;
    ck_assert_int_eq (run (runner, &op), 0);
    eddy__op_init (&op, EDDY_OP_SET_OWNER, runner->directory_fd);
    op.as.name.path = "file";
    op.as.name.mode = getuid ();
    op.as.name.group = getgid ();
    ck_assert_int_eq (run (runner, &op), 0);
    ck_assert_int_eq (run_stat (runner, "file", &info), 0);
    ck_assert_uint_eq (info.stx_mode & 07777, 0640);
    ck_assert_int_eq (info.stx_mtime.tv_sec, 2000);
    ck_assert_uint_eq (info.stx_mtime.tv_nsec, 7);
}

static void scenario_xattr (Runner *runner)
{
    char buffer[64] = "";
    int64_t fd = run_name (runner, EDDY_OP_OPEN, "file", O_RDWR, 0);
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_SET_XATTR, (int) fd);
    op.as.name.other = "user.colour";
    op.as.name.buf = (void *) (uintptr_t) "green";
    op.as.name.len = 5;
    int64_t answer = run (runner, &op);
    if (answer == -EOPNOTSUPP) { /* a file system without them: the same answer everywhere */
        run_close (runner, fd);
        return;
    }
    ck_assert_int_eq (answer, 0);
    eddy__op_init (&op, EDDY_OP_GET_XATTR, (int) fd);
    op.as.name.other = "user.colour";
    op.as.name.buf = buffer;
    op.as.name.len = sizeof buffer;
    ck_assert_int_eq (run (runner, &op), 5);
    ck_assert_mem_eq (buffer, "green", 5);
    int64_t len = run_transfer (runner, EDDY_OP_LIST_XATTR, (int) fd, buffer, sizeof buffer, 0);
    ck_assert_int_ge (len, 12);
    run_close (runner, fd);
}

static void scenario_listing (Runner *runner)
{
    char buffer[4096] __attribute__ ((aligned (8)));
    int found = 0;
    int64_t fd = run_name (runner, EDDY_OP_OPEN, "folder", O_RDONLY | O_DIRECTORY, 0);
    int64_t len;
    while ((len = run_transfer (runner, EDDY_OP_READ_DIRECTORY, (int) fd, buffer, 4096, 0)) > 0) {
        for (int64_t at = 0; at < len;) {
            const EddySysDirent *entry = (const void *) (buffer + at);
            found += entry->name[0] != '.';
            at += entry->length;
        }
    }
    ck_assert_int_eq (len, 0);
    ck_assert_int_eq (found, 3);
    run_close (runner, fd);
}

static void scenario_clean (Runner *runner)
{
    static const char *const names[] = { "folder/moved", "folder/second", "folder/link", "fifo",
                                         "file" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_int_eq (run_name (runner, EDDY_OP_UNLINK, names[i], 0, 0), 0);
    ck_assert_int_eq (run_name (runner, EDDY_OP_UNLINK, "folder", AT_REMOVEDIR, 0), 0);
}

static void run_scenario (Way way)
{
    TestEngine engine = { NULL, NULL };
    Runner runner = { .directory_fd = open (eddy_test_directory (), O_RDONLY | O_DIRECTORY) };
    if (way != BY_CALL) {
        engine = test_engine_open ();
        engine.engine->force_ring = way == BY_RING;
        runner.engine = &engine;
    }
    scenario_contents (&runner);
    scenario_vectors (&runner);
    scenario_copy (&runner);
    scenario_names (&runner);
    scenario_attributes (&runner);
    scenario_xattr (&runner);
    scenario_listing (&runner);
    scenario_clean (&runner);
    if (way != BY_CALL) {
        const EddyEngineCounters *counters = &engine.engine->counters;
        ck_assert_uint_gt (counters->workers, 0);
        if (way == BY_RING && strcmp (engine.engine->verbs->name, "uring") == 0)
            ck_assert_uint_gt (counters->ring, 25);
        test_engine_close (&engine);
    }
    close (runner.directory_fd);
}

EDDY_TEST (kinds_by_plain_calls)
{
    run_scenario (BY_CALL);
}

EDDY_TEST (kinds_by_the_engine)
{
    run_scenario (BY_ENGINE);
}

EDDY_TEST (kinds_by_the_ring)
{
    run_scenario (BY_RING);
}
