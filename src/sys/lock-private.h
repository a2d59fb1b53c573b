/* SPDX-License-Identifier: MIT */
/*
 * Locks on whole open files (F_OFD_SETLK): they belong to the open file description, not to the
 * thread or the process that asks for them.
 *
 * Linux has no way of waiting for one but a call that blocks: nothing that can be polled, and no
 * request of io_uring. The call would hold a worker for as long as others please, so it gets a
 * thread of its own; and since the lock is the open file's, that thread's end changes nothing.
 */
#pragma once

#include <fcntl.h>
#include <pthread.h>

/* F_RDLCK, F_WRLCK or F_UNLCK, at once; 0, -EAGAIN where others are in the way, or -errno. */
int eddy__sys_ofd_lock (int fd, int type);

/* A wait for a lock. */
typedef struct EddySysLockWait {
    pthread_t thread;
    int fd;
    int type;
    int event_fd; /* readable when the wait is over */
    int result;   /* -ECANCELED: it is not known whether the lock was granted */
} EddySysLockWait;

/* Begins to wait; 0 or -errno. */
int eddy__sys_lock_wait_begin (EddySysLockWait *wait, int fd, int type);
/* Ends the wait now, if it is not over; its result. On -ECANCELED the caller sets the lock to what
 * it was, which never waits, for it was granted or not in that moment. */
int eddy__sys_lock_wait_end (EddySysLockWait *wait);
