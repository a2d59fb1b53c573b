/* SPDX-License-Identifier: MIT */
/*
 * What the process is and may do: identity, environment, processors, limits, and whether it is the
 * child of a fork. What cannot fail passes no door.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

pid_t eddy__sys_getpid (void);
pid_t eddy__sys_gettid (void);
uid_t eddy__sys_getuid (void);
uid_t eddy__sys_geteuid (void);
gid_t eddy__sys_getgid (void);
gid_t eddy__sys_getegid (void);

/* NULL in setuid programs: nothing of ours listens to their callers' environment. */
const char *eddy__sys_getenv (const char *name);

/* Processors this process may run on; at least 1, whatever happens. */
unsigned eddy__sys_cpu_count (void);
size_t eddy__sys_page_size (void);
/* Lets another thread run first: for waits that are all but over. */
void eddy__sys_sched_yield (void);
/* "6.1.0-25-amd64", cut to `len` with its terminator. */
int eddy__sys_kernel_release (char *buf, size_t len);
int eddy__sys_getrlimit (int resource, struct rlimit *limit);
int eddy__sys_setrlimit (int resource, const struct rlimit *limit);

/* The end of a child by its pidfd, `options` as in waitid. Nothing ended and WNOHANG: 0, with
   info->si_pid 0. Reports -EINTR. */
int eddy__sys_waitid_pidfd (int pidfd, siginfo_t *info, int options);
/* What waitpid would have put into its status. */
int eddy__sys_wait_status (const siginfo_t *info);

/*
 * True in the child of a fork that did not exec, for ever; costs one read of a page that the kernel
 * wipes at fork (getpid costs a system call). False in the process that first asked or was started:
 * the page is made before main, so a fork before the first question is seen, too. Without
 * MADV_WIPEONFORK (valgrind's fake kernel, Linux before 4.14) pids are compared instead.
 */
bool eddy__sys_forked (void);
/* For a child that starts over on purpose (a test's): from now on this process is the first one. */
void eddy__sys_forked_reset (void);
