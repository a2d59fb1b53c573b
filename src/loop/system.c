/* SPDX-License-Identifier: MIT */
/* EddySystemReport: opens an engine as a context would, asks the kernel what else Eddy makes use
 * of, and closes it all again. */
#include <eddy/system.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/version.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "engine/engine-private.h"
#include "loop/liburing-version-private.h"
#include "sys/file-private.h"
#include "sys/memory-private.h"
#include "sys/process-private.h"
#include "sys/uring-private.h"

enum { FINDINGS_MAX = 40 };

typedef struct Finding {
    const char *group;
    const char *name;
    char *value;
} Finding;

struct EddySystemReport {
    EddyObject object;
    size_t n_findings;
    bool incomplete; /* memory was out */
    Finding findings[FINDINGS_MAX];
};

static void system_report_finalize (void *object)
{
    EddySystemReport *report = object;
    for (size_t i = 0; i < report->n_findings; i++)
        eddy__free (report->findings[i].value);
}

static const EddyClass system_report_class = { .name = "EddySystemReport",
                                               .size = sizeof (EddySystemReport),
                                               .finalize = system_report_finalize };

__attribute__ ((format (printf, 4, 5))) static void system_add (EddySystemReport *report,
                                                                const char *group, const char *name,
                                                                const char *format, ...)
{
    char value[512];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (value, sizeof value, format, arguments);
    va_end (arguments);
    char *copied = report->n_findings < FINDINGS_MAX ? eddy__strdup (value) : NULL;
    if (copied == NULL)
        report->incomplete = true;
    else
        report->findings[report->n_findings++] = (Finding){ group, name, copied };
}

/* A name where something is there, a kernel's word for why not where it is not. */
static const char *system_yes (int answer)
{
    return answer >= 0 ? "yes" : strerror (-answer);
}

/* --- engine ----------------------------------------------------------------------------------- */

static bool system_is_epoll_forced (void)
{
    const char *wish = eddy__sys_getenv ("EDDY_ENGINE");
    return wish != NULL && strcmp (wish, "epoll") == 0;
}

static void system_look_at_engine (EddySystemReport *report)
{
    static const char group[] = "engine";
    const char *wish = eddy__sys_getenv ("EDDY_ENGINE");
    char reason[160] = "";
    int answer = 0;
    EddyEngine *engine = NULL;
    EddyPort *port = eddy__port_new (&answer);
    if (port != NULL)
        answer = eddy__engine_open (&engine, port, reason, sizeof reason);
    if (engine != NULL) {
        system_add (report, group, "in use", "%s", engine->verbs->name);
        system_add (report, group, "because", "%s", engine->reason);
        eddy__engine_close (engine);
    } else {
        system_add (report, group, "in use", "none");
        system_add (report, group, "because", "%s", *reason != '\0' ? reason : strerror (-answer));
    }
    if (port != NULL)
        eddy__port_unref (port, 1);
    system_add (report, group, "EDDY_ENGINE", "%s", wish == NULL ? "(not set)" : wish);
    EddyWorkersStatistics workers = eddy__workers_get_statistics ();
    system_add (report, group, "workers", "%u that run at once, %u when calls block",
                workers.running_limit, workers.thread_limit);
}

/* --- io_uring --------------------------------------------------------------------------------- */

typedef struct SystemBit {
    uint32_t bit;
    const char *name;
} SystemBit;

/* Appends a word to a list. */
static void system_append (char *list, size_t size, const char *word)
{
    size_t len = strlen (list);
    snprintf (list + len, size - len, "%s%s", len == 0 ? "" : " ", word);
}

static void system_add_list (EddySystemReport *report, const char *name, const char *list)
{
    system_add (report, "kernel", name, "%s", *list == '\0' ? "none" : list);
}

static void system_add_features (EddySystemReport *report, uint32_t features)
{
    static const SystemBit bits[] = {
        { IORING_FEAT_SINGLE_MMAP, "single-mmap" },       { IORING_FEAT_NODROP, "nodrop" },
        { IORING_FEAT_SUBMIT_STABLE, "submit-stable" },   { IORING_FEAT_RW_CUR_POS, "rw-cur-pos" },
        { IORING_FEAT_FAST_POLL, "fast-poll" },           { IORING_FEAT_EXT_ARG, "ext-arg" },
        { IORING_FEAT_NATIVE_WORKERS, "native-workers" }, { IORING_FEAT_CQE_SKIP, "cqe-skip" }
    };
    char list[256] = "";
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (features & bits[i].bit)
            system_append (list, sizeof list, bits[i].name);
    system_add_list (report, "io_uring features", list);
}

/* The opcodes that Eddy has a use for; what is missing is what a reader looks for. */
static void system_add_opcodes (EddySystemReport *report, const EddySysUringProbe *probe)
{
    static const SystemBit opcodes[] = {
        { IORING_OP_READ, "read" },          { IORING_OP_WRITE, "write" },
        { IORING_OP_READV, "readv" },        { IORING_OP_WRITEV, "writev" },
        { IORING_OP_CLOSE, "close" },        { IORING_OP_STATX, "statx" },
        { IORING_OP_FSYNC, "fsync" },        { IORING_OP_FALLOCATE, "fallocate" },
        { IORING_OP_MKDIRAT, "mkdir" },      { IORING_OP_UNLINKAT, "unlink" },
        { IORING_OP_RENAMEAT, "rename" },    { IORING_OP_LINKAT, "link" },
        { IORING_OP_SYMLINKAT, "symlink" },  { IORING_OP_FGETXATTR, "getxattr" },
        { IORING_OP_FSETXATTR, "setxattr" }, { IORING_OP_POLL_ADD, "poll" },
        { IORING_OP_ASYNC_CANCEL, "cancel" }
    };
    char has[256] = "", lacks[256] = "";
    for (size_t i = 0; i < sizeof opcodes / sizeof opcodes[0]; i++) {
        bool there = eddy__sys_uring_probe_has (probe, opcodes[i].bit);
        system_append (there ? has : lacks, sizeof has, opcodes[i].name);
    }
    system_add_list (report, "io_uring operations", has);
    system_add_list (report, "io_uring lacks", lacks);
}

/* What rings may be: the flags that the engine asks for come with Linux 6.1. */
static void system_add_ring_flags (EddySystemReport *report)
{
    struct io_uring ring;
    struct io_uring_params params = { .flags =
                                          IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
    int answer = eddy__sys_uring_open (&ring, 4, &params);
    if (answer >= 0)
        eddy__sys_uring_close (&ring);
    system_add (report, "kernel", "io_uring deferred task work", "%s", system_yes (answer));
}

/* Nothing is asked of io_uring where epoll is asked for: a policy may kill whoever does. */
static void system_look_at_uring (EddySystemReport *report)
{
    struct io_uring ring;
    struct io_uring_params params = { 0 };
    EddySysUringProbe probe;
    if (system_is_epoll_forced ()) {
        system_add (report, "kernel", "io_uring", "not looked at: EDDY_ENGINE is epoll");
        return;
    }
    int answer = eddy__sys_uring_open (&ring, 4, &params);
    system_add (report, "kernel", "io_uring", "%s", system_yes (answer));
    if (answer < 0)
        return;
    answer = eddy__sys_uring_probe (&ring, &probe);
    eddy__sys_uring_close (&ring);
    system_add_ring_flags (report);
    system_add_features (report, params.features);
    if (answer >= 0)
        system_add_opcodes (report, &probe);
    else
        system_add (report, "kernel", "io_uring operations", "%s", strerror (-answer));
}

/* --- kernel ----------------------------------------------------------------------------------- */

/* How a fiber's stack is guarded: by a mark in the page table, or by a mapping of its own. */
static void system_look_at_guards (EddySystemReport *report)
{
    size_t size = eddy__sys_page_size ();
    void *page = NULL;
    int answer = eddy__sys_mmap (&page, size, PROT_READ | PROT_WRITE, MAP_NORESERVE);
    if (answer >= 0) {
        answer = eddy__sys_madvise (page, size, MADV_GUARD_INSTALL);
        eddy__sys_munmap (page, size);
    }
    system_add (report, "kernel", "stack guards", "%s",
                answer >= 0 ? "MADV_GUARD_INSTALL"
                            : "mprotect: two mappings for each fiber (Linux before 6.13)");
}

/* Whether reads can be tried without waiting: asked of the program's own file. */
static void system_look_at_nowait (EddySystemReport *report)
{
    char byte;
    struct iovec vector = { &byte, 1 };
    int fd = eddy__sys_openat (AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    ssize_t answer = fd;
    if (fd >= 0) {
        answer = eddy__sys_preadv2 (fd, &vector, 1, 0, RWF_NOWAIT);
        eddy__sys_close (fd);
    }
    /* It would have waited: so it knows how not to. */
    bool there = answer >= 0 || answer == -EAGAIN;
    system_add (report, "kernel", "RWF_NOWAIT", "%s", there ? "yes" : strerror ((int) -answer));
}

/* Whether a write to a pipe can be kept from raising SIGPIPE: asked of a pipe with a reader. */
static void system_look_at_nosignal (EddySystemReport *report)
{
    char byte = 0;
    int fds[2];
    struct iovec vector = { &byte, 1 };
    ssize_t answer = eddy__sys_pipe2 (fds, O_CLOEXEC | O_NONBLOCK);
    if (answer >= 0) {
        answer = eddy__sys_pwritev2 (fds[1], &vector, 1, -1, RWF_NOSIGNAL);
        eddy__sys_close (fds[0]);
        eddy__sys_close (fds[1]);
    }
    system_add (report, "kernel", "RWF_NOSIGNAL", "%s", system_yes ((int) answer));
}

static void system_look_at_kernel (EddySystemReport *report)
{
    char release[64] = "unknown";
    eddy__sys_kernel_release (release, sizeof release);
    system_add (report, "kernel", "release", "%s", release);
    system_look_at_uring (report);
    system_look_at_guards (report);
    system_look_at_nowait (report);
    system_look_at_nosignal (report);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void system_format_limit (rlim_t limit, char *buf, size_t size)
{
    if (limit == RLIM_INFINITY)
        snprintf (buf, size, "unlimited");
    else
        snprintf (buf, size, "%llu", (unsigned long long) limit);
}

static void system_add_limit (EddySystemReport *report, const char *name, int resource,
                              const char *unit)
{
    struct rlimit limit;
    char soft[32], hard[32];
    int answer = eddy__sys_getrlimit (resource, &limit);
    if (answer < 0) {
        system_add (report, "limits", name, "%s", strerror (-answer));
        return;
    }
    system_format_limit (limit.rlim_cur, soft, sizeof soft);
    system_format_limit (limit.rlim_max, hard, sizeof hard);
    system_add (report, "limits", name, "%s%s, up to %s", soft, unit, hard);
}

/* The one line of a file in /proc. */
static void system_add_proc (EddySystemReport *report, const char *name, const char *path)
{
    char line[64];
    int fd = eddy__sys_openat (AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t len = fd < 0 ? fd : eddy__sys_read (fd, line, sizeof line - 1);
    if (fd >= 0)
        eddy__sys_close (fd);
    if (len < 0) {
        system_add (report, "limits", name, "%s", strerror ((int) -len));
        return;
    }
    line[len] = '\0';
    line[strcspn (line, "\n")] = '\0';
    system_add (report, "limits", name, "%s", line);
}

static void system_look_at_limits (EddySystemReport *report)
{
    system_add (report, "limits", "processors", "%u", eddy__sys_cpu_count ());
    system_add_limit (report, "open files", RLIMIT_NOFILE, "");
    system_add_limit (report, "locked memory", RLIMIT_MEMLOCK, " bytes");
    system_add_proc (report, "memory mappings", "/proc/sys/vm/max_map_count");
}

/* --- the report ------------------------------------------------------------------------------- */

EddySystemReport *eddy_system_report_new (void)
{
    EddySystemReport *report = eddy_object_new (&system_report_class);
    if (report == NULL)
        return NULL;
    system_look_at_engine (report);
    system_look_at_kernel (report);
    system_look_at_limits (report);
    system_add (report, "versions", "Eddy", "%s", EDDY_VERSION);
    system_add (report, "versions", "liburing", "%s", EDDY__LIBURING_VERSION);
    return report->incomplete ? eddy_unref (report) : report;
}

size_t eddy_system_report_get_length (const EddySystemReport *report)
{
    EDDY__EXPECT (report != NULL, 0);
    return report->n_findings;
}

static const Finding *system_get (const EddySystemReport *report, size_t index)
{
    static const Finding nothing;
    return index < report->n_findings ? &report->findings[index] : &nothing;
}

const char *eddy_system_report_get_group (const EddySystemReport *report, size_t index)
{
    EDDY__EXPECT (report != NULL, NULL);
    return system_get (report, index)->group;
}

const char *eddy_system_report_get_name (const EddySystemReport *report, size_t index)
{
    EDDY__EXPECT (report != NULL, NULL);
    return system_get (report, index)->name;
}

const char *eddy_system_report_get_value (const EddySystemReport *report, size_t index)
{
    EDDY__EXPECT (report != NULL, NULL);
    return system_get (report, index)->value;
}
