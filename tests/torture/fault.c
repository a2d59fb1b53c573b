/* SPDX-License-Identifier: MIT */
/*
 * The doors of base/ and sys/ and the engine's hook, counted and made to fail.
 */
#include "fault.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "engine/engine-private.h"

static const char *const kind_names[] = { "alloc", "call", "interrupt", "short", "completion" };

static TortureFault chosen;
static atomic_bool armed;
static atomic_uint counts[TORTURE_KINDS];
static atomic_uint hits;
static atomic_uint call_hits[EDDY_SYS_N_CALLS];
static char first_hit[64];
static atomic_uint_fast64_t errnos; /* a bit for each that was reported */
static atomic_uint failed_waits;

/* A wait that never succeeds again leaves nothing to be done: from then on means so many times. */
enum { FAILED_WAITS = 8, SHORT_PART = 7 };

const char *torture_kind_name (TortureKind kind)
{
    return kind_names[kind];
}

bool torture_kind_lasts (TortureKind kind)
{
    /* Who is interrupted tries again, and would do so for ever. */
    return kind != TORTURE_INTERRUPT;
}

bool torture_fault_parse (const char *text, TortureFault *fault)
{
    char kind[16], mode[8], rest;
    unsigned nth;
    if (sscanf (text, "%15[a-z]:%u:%7[a-z]%c", kind, &nth, mode, &rest) != 3 || nth == 0)
        return false;
    fault->nth = nth;
    fault->from_then_on = strcmp (mode, "on") == 0;
    if (!fault->from_then_on && strcmp (mode, "once") != 0)
        return false;
    for (int i = 0; i < TORTURE_KINDS; i++)
        if (strcmp (kind, kind_names[i]) == 0) {
            fault->kind = (TortureKind) i;
            return true;
        }
    return false;
}

void torture_fault_print (const TortureFault *fault, char text[TORTURE_FAULT_TEXT])
{
    snprintf (text, TORTURE_FAULT_TEXT, "%s:%u:%s", kind_names[fault->kind], fault->nth,
              fault->from_then_on ? "on" : "once");
}

/* ---- Which errors a call may have ---------------------------------------------------------- */

/* The errno that a failing call reports: one that it really may have, and that no code can take for
   "not here, try another way". 0: a call that cannot fail where Eddy makes it. */
static int call_errno (EddySysCall call)
{
    switch (call) {
    case EDDY_SYS_EVENTFD_WRITE: /* an open eventfd far from its limit takes every write */
    case EDDY_SYS_SIGMASK:       /* only for arguments that are not there */
    case EDDY_SYS_CLOCK_GETTIME: /* likewise */
        return 0;
    case EDDY_SYS_OPENAT:
    case EDDY_SYS_OPENAT2:
    case EDDY_SYS_DUP:
    case EDDY_SYS_PIPE2:
    case EDDY_SYS_EPOLL_CREATE1:
    case EDDY_SYS_EVENTFD:
    case EDDY_SYS_TIMERFD_CREATE:
    case EDDY_SYS_PIDFD_OPEN:
    case EDDY_SYS_URING_OPEN:
        return EMFILE;
    case EDDY_SYS_MMAP:
    case EDDY_SYS_MUNMAP:
    case EDDY_SYS_MPROTECT:
    case EDDY_SYS_MADVISE:
    case EDDY_SYS_MREMAP:
    case EDDY_SYS_SIGALTSTACK:
    case EDDY_SYS_EPOLL_CTL:
    case EDDY_SYS_URING_EVENTFD:
    case EDDY_SYS_URING_PROBE:
        return ENOMEM;
    case EDDY_SYS_WRITE:
    case EDDY_SYS_PWRITE:
    case EDDY_SYS_PWRITEV2:
    case EDDY_SYS_MKDIRAT:
    case EDDY_SYS_RENAMEAT2:
    case EDDY_SYS_LINKAT:
    case EDDY_SYS_SYMLINKAT:
    case EDDY_SYS_MKNODAT:
    case EDDY_SYS_FALLOCATE:
        return ENOSPC;
    case EDDY_SYS_FLOCK:
    case EDDY_SYS_OFD_LOCK:
        return ENOLCK;
    default:
        return EIO;
    }
}

/* Calls that wait, and so may be interrupted. */
static bool call_may_wait (EddySysCall call)
{
    switch (call) {
    case EDDY_SYS_OPENAT:
    case EDDY_SYS_READ:
    case EDDY_SYS_WRITE:
    case EDDY_SYS_PREAD:
    case EDDY_SYS_PWRITE:
    case EDDY_SYS_PREADV2:
    case EDDY_SYS_PWRITEV2:
    case EDDY_SYS_FALLOCATE:
    case EDDY_SYS_FLOCK:
    case EDDY_SYS_COPY_FILE_RANGE:
    case EDDY_SYS_SENDFILE:
    case EDDY_SYS_SPLICE:
    case EDDY_SYS_EPOLL_WAIT:
    case EDDY_SYS_EPOLL_PWAIT2:
    case EDDY_SYS_PPOLL:
    case EDDY_SYS_WAITID:
    case EDDY_SYS_URING_ENTER:
        return true;
    default:
        return false;
    }
}

/* ---- The hooks ----------------------------------------------------------------------------- */

/* Counts one; whether it is to fail. */
static bool fault_strikes (TortureKind kind)
{
    if (!atomic_load (&armed))
        return false;
    unsigned number = atomic_fetch_add (&counts[kind], 1) + 1;
    return kind == chosen.kind && chosen.nth != 0 &&
           (number == chosen.nth || (number > chosen.nth && chosen.from_then_on));
}

/* Remembers a hit; whether it is the first. */
static bool fault_note (int error)
{
    atomic_fetch_or (&errnos, UINT64_C (1) << error);
    return atomic_fetch_add (&hits, 1) == 0;
}

static int alloc_hook (size_t size, void *data)
{
    (void) data;
    if (!fault_strikes (TORTURE_ALLOC))
        return 0;
    if (fault_note (ENOMEM))
        snprintf (first_hit, sizeof first_hit, "%zu bytes", size);
    return -ENOMEM;
}

static int call_fail (EddySysCall call, int error)
{
    atomic_fetch_add (&call_hits[call], 1);
    if (fault_note (error))
        snprintf (first_hit, sizeof first_hit, "%s", eddy__sys_call_name (call));
    return -error;
}

static bool call_has_waited_enough (EddySysCall call)
{
    bool waits = call == EDDY_SYS_EPOLL_WAIT || call == EDDY_SYS_EPOLL_PWAIT2 ||
                 call == EDDY_SYS_URING_ENTER;
    return waits && atomic_fetch_add (&failed_waits, 1) >= FAILED_WAITS;
}

static int call_hook (EddySysCall call, void *data)
{
    int error = call_errno (call);
    (void) data;
    if (error != 0 && fault_strikes (TORTURE_CALL) && !call_has_waited_enough (call))
        return call_fail (call, error);
    if (call_may_wait (call) && fault_strikes (TORTURE_INTERRUPT))
        return call_fail (call, EINTR);
    return 0;
}

static size_t short_hook (EddySysCall call, size_t len, void *data)
{
    (void) data;
    if (len <= 1 || !fault_strikes (TORTURE_SHORT))
        return len;
    atomic_fetch_add (&call_hits[call], 1);
    if (fault_note (0))
        snprintf (first_hit, sizeof first_hit, "%s of %zu bytes", eddy__sys_call_name (call), len);
    return chosen.from_then_on ? len / SHORT_PART + 1 : 1;
}

static int64_t completion_hook (EddyOp *op)
{
    if (!fault_strikes (TORTURE_COMPLETION))
        return 0;
    if (fault_note (EIO))
        snprintf (first_hit, sizeof first_hit, "operation kind %d", op->kind);
    return -EIO;
}

void torture_fault_install (const TortureFault *fault)
{
    chosen = *fault;
    eddy__alloc_set_fault (alloc_hook, NULL);
    eddy__sys_set_fault (call_hook, NULL);
    eddy__sys_set_short (short_hook, NULL);
    __atomic_store_n (&eddy__engine_hooks.begin, completion_hook, __ATOMIC_SEQ_CST);
}

void torture_fault_arm (void)
{
    atomic_store (&armed, true);
}

void torture_fault_disarm (void)
{
    atomic_store (&armed, false);
}

unsigned torture_fault_count (TortureKind kind)
{
    return atomic_load (&counts[kind]);
}

unsigned torture_fault_hits (void)
{
    return atomic_load (&hits);
}

unsigned torture_fault_hits_of (EddySysCall call)
{
    return atomic_load (&call_hits[call]);
}

const char *torture_fault_hit (void)
{
    return first_hit;
}

bool torture_fault_had (int error)
{
    return error > 0 && error < 64 && (atomic_load (&errnos) >> error & 1) != 0;
}
