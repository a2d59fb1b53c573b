/* SPDX-License-Identifier: MIT */
/*
 * The process: identity, processors, limits, children, and the word that tells a fork.
 */
#include "sys/process-private.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/call-private.h"

/* ---- Identity and environment -------------------------------------------------------------- */

pid_t eddy__sys_getpid (void)
{
    return getpid ();
}

pid_t eddy__sys_gettid (void)
{
    return gettid ();
}

uid_t eddy__sys_getuid (void)
{
    return getuid ();
}

uid_t eddy__sys_geteuid (void)
{
    return geteuid ();
}

gid_t eddy__sys_getgid (void)
{
    return getgid ();
}

gid_t eddy__sys_getegid (void)
{
    return getegid ();
}

const char *eddy__sys_getenv (const char *name)
{
    return secure_getenv (name);
}

/* ---- Machine and limits -------------------------------------------------------------------- */

unsigned eddy__sys_cpu_count (void)
{
    /* 8,192 processors: the kernel refuses a set that is smaller than its own. */
    cpu_set_t sets[8];
    long result;
    int count = 0;

    memset (sets, 0, sizeof sets);
    result = EDDY_SYS_CALL (EDDY_SYS_SCHED_GETAFFINITY, sched_getaffinity (0, sizeof sets, sets));
    if (result == 0)
        count = CPU_COUNT_S (sizeof sets, sets);
    return count > 0 ? (unsigned) count : 1;
}

void eddy__sys_sched_yield (void)
{
    sched_yield ();
}

size_t eddy__sys_page_size (void)
{
    return (size_t) sysconf (_SC_PAGESIZE);
}

int eddy__sys_kernel_release (char *buf, size_t len)
{
    struct utsname names;
    int result = (int) EDDY_SYS_CALL (EDDY_SYS_UNAME, uname (&names));
    size_t used;

    if (result < 0 || len == 0)
        return result < 0 ? result : -EINVAL;
    used = strnlen (names.release, len - 1);
    memcpy (buf, names.release, used);
    buf[used] = '\0';
    return 0;
}

int eddy__sys_getrlimit (int resource, struct rlimit *limit)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_GETRLIMIT,
                                getrlimit ((__rlimit_resource_t) resource, limit));
}

int eddy__sys_setrlimit (int resource, const struct rlimit *limit)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_SETRLIMIT,
                                setrlimit ((__rlimit_resource_t) resource, limit));
}

int eddy__sys_waitid_pidfd (int pidfd, siginfo_t *info, int options)
{
    info->si_pid = 0;
    return (int) EDDY_SYS_CALL (EDDY_SYS_WAITID, waitid (P_PIDFD, (id_t) pidfd, info, options));
}

int eddy__sys_wait_status (const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED)
        return (info->si_status & 0xff) << 8;
    return info->si_code == CLD_DUMPED ? info->si_status | 0x80 : info->si_status;
}

/* ---- The fork word ------------------------------------------------------------------------- */

/* `word` is 1 here and 0 in a child; `pid` serves where the kernel cannot wipe. Both are written
   before main, or by a child's only thread. */
static struct {
    volatile unsigned *word;
    pid_t pid;
} fork_mark;

__attribute__ ((constructor)) static void fork_mark_make (void)
{
    size_t length = eddy__sys_page_size ();
    void *page = mmap (NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    fork_mark.pid = getpid ();
    if (page == MAP_FAILED)
        return;
    if (madvise (page, length, MADV_WIPEONFORK) < 0) {
        munmap (page, length);
        return;
    }
    fork_mark.word = page;
    *fork_mark.word = 1;
}

bool eddy__sys_forked (void)
{
    if (__builtin_expect (fork_mark.word != NULL, 1))
        return *fork_mark.word == 0;
    return getpid () != fork_mark.pid;
}

void eddy__sys_forked_reset (void)
{
    fork_mark.pid = getpid ();
    if (fork_mark.word != NULL)
        *fork_mark.word = 1;
}
