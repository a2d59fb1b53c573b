/* SPDX-License-Identifier: MIT */
/*
 * Locks on open files, and a thread that waits for one.
 *
 * The thread is cancelled by pthread_cancel: libc's own signal, so no signal of the program's is
 * touched; and unlike a signal that somebody sends, it cannot come in the moment before the call
 * and be lost. It is let in around the call only, at which the thread owns nothing.
 */
#include "sys/lock-private.h"

#include "sys/call-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/thread-private.h"

#include <unistd.h>

#if __has_include(<execinfo.h>)
#include <execinfo.h>

/* glibc loads a library with the first cancel of a thread, and ends the process where that cannot
 * be, for want of an fd or of memory. It is loaded before there is a thread to cancel: a trace of
 * calls needs the same one, and is empty without it. */
static int lock_load_cancel (void)
{
    void *caller;

    return backtrace (&caller, 1) > 0 ? 0 : -EMFILE;
}
#else
static int lock_load_cancel (void)
{
    return 0;
}
#endif

static struct flock lock_whole (int type)
{
    return (struct flock){ .l_type = (short) type, .l_whence = SEEK_SET };
}

int eddy__sys_ofd_lock (int fd, int type)
{
    struct flock lock = lock_whole (type);

    int result = (int) EDDY_SYS_RETRY (EDDY_SYS_OFD_LOCK, fcntl (fd, F_OFD_SETLK, &lock));
    /* Linux always takes back a lock of a whole file: so it is when the door says it does not. */
    if (result < 0 && type == F_UNLCK)
        (void) fcntl (fd, F_OFD_SETLK, &lock);
    return result;
}

static int lock_wait_once (const EddySysLockWait *wait)
{
    struct flock lock = lock_whole (wait->type);

    pthread_setcancelstate (PTHREAD_CANCEL_ENABLE, NULL);
    int answer = fcntl (wait->fd, F_OFD_SETLKW, &lock);
    pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
    return answer < 0 ? -errno : 0;
}

static void *lock_wait_main (void *data)
{
    EddySysLockWait *wait = data;
    int result;

    pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL);
    pthread_setcanceltype (PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    do
        result = lock_wait_once (wait);
    while (result == -EINTR);
    wait->result = result;
    eddy__sys_eventfd_write (wait->event_fd);
    return NULL;
}

int eddy__sys_lock_wait_begin (EddySysLockWait *wait, int fd, int type)
{
    int loaded = lock_load_cancel ();
    int event_fd = loaded < 0 ? loaded : eddy__sys_eventfd ();

    if (event_fd < 0)
        return event_fd;
    *wait = (EddySysLockWait){ .fd = fd, .type = type, .event_fd = event_fd, .result = -ECANCELED };
    int answer = eddy__sys_thread_start (&wait->thread, lock_wait_main, wait);
    if (answer < 0)
        eddy__sys_close (event_fd);
    return answer;
}

int eddy__sys_lock_wait_end (EddySysLockWait *wait)
{
    pthread_cancel (wait->thread);
    pthread_join (wait->thread, NULL);
    eddy__sys_close (wait->event_fd);
    return wait->result;
}
