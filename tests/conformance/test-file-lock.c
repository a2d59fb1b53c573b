/* SPDX-License-Identifier: MIT */
/*
 * Locks of open files, between handles and between processes.
 */
#include <eddy/testing.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "stream.h"

static EddyFileHandle *open_file (void)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (eddy_test_path ("locked"));
    EddyError *error = NULL;
    EddyFileHandle *handle = eddy_file_open (
        file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE, NULL, &error);
    ck_assert_ptr_nonnull (handle);
    return handle;
}

static void expect_blocked (EddyFileHandle *handle, EddyFileLock lock)
{
    EddyError *error = NULL;
    ck_assert (!eddy_file_handle_try_lock (handle, lock, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_BLOCK);
}

static void lock_now (EddyFileHandle *handle, EddyFileLock lock)
{
    EddyError *error = NULL;
    ck_assert (eddy_file_handle_try_lock (handle, lock, &error));
}

static void unlock (EddyFileHandle *handle)
{
    EddyError *error = NULL;
    ck_assert (eddy_file_handle_unlock (handle, &error));
}

EDDY_TEST (D_lock_shared_and_exclusive)
{
    EDDY_AUTO (EddyFileHandle) one = open_file ();
    EDDY_AUTO (EddyFileHandle) other = open_file ();
    EddyError *error = NULL;
    unlock (one);
    lock_now (one, EDDY_FILE_LOCK_SHARED);
    lock_now (other, EDDY_FILE_LOCK_SHARED);
    expect_blocked (one, EDDY_FILE_LOCK_EXCLUSIVE);
    unlock (other);
    lock_now (one, EDDY_FILE_LOCK_EXCLUSIVE);
    expect_blocked (other, EDDY_FILE_LOCK_SHARED);
    /* In place of the exclusive one. */
    ck_assert (eddy_file_handle_lock (one, EDDY_FILE_LOCK_SHARED, NULL, &error));
    lock_now (other, EDDY_FILE_LOCK_SHARED);
    ck_assert (eddy_file_handle_close (one, NULL, &error));
    lock_now (other, EDDY_FILE_LOCK_EXCLUSIVE);
    ck_assert (!eddy_file_handle_try_lock (one, EDDY_FILE_LOCK_SHARED, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

EDDY_TEST (D_lock_needs_an_open_file_that_fits)
{
    EDDY_AUTO (EddyFileHandle) writer = open_file ();
    EDDY_AUTO (EddyFileHandle)
    reader = eddy_file_open (eddy_file_handle_get_file (writer), EDDY_FILE_OPEN_READ, NULL, NULL);
    EddyError *error = NULL;
    lock_now (reader, EDDY_FILE_LOCK_SHARED);
    ck_assert (!eddy_file_handle_lock (reader, EDDY_FILE_LOCK_EXCLUSIVE, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
}

/* ---- waiting --------------------------------------------------------------------------------- */

EDDY_TEST (D_lock_waits_for_the_other)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFileHandle) one = open_file ();
    EDDY_AUTO (EddyFileHandle) other = open_file ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    lock_now (one, EDDY_FILE_LOCK_EXCLUSIVE);
    eddy_file_handle_lock_async (other, EDDY_FILE_LOCK_EXCLUSIVE, 0, NULL, stream_called, &call);
    for (int i = 0; i < 3; i++) /* it has begun to wait */
        eddy_context_iteration (context, /* may_block= */ false);
    ck_assert_int_eq (call.calls, 0);
    ck_assert (!eddy_file_handle_unlock (other, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert (!eddy_file_handle_close (other, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    unlock (one);
    ck_assert (eddy_file_handle_lock_finish (other, stream_await (context, &call), &error));
    stream_call_clear (&call);
    expect_blocked (one, EDDY_FILE_LOCK_SHARED);
    unlock (other);
    EDDY_AUTO (EddyFuture)
    future = eddy_file_handle_lock_future (one, EDDY_FILE_LOCK_SHARED, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, future, &error));
    expect_blocked (other, EDDY_FILE_LOCK_EXCLUSIVE);
    eddy_test_context_end (context);
}

/* What a cancelled wait needs is there before it begins. */
EDDY_TEST (D_lock_cancelled_without_a_free_fd)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddyFileHandle) one = open_file ();
    EDDY_AUTO (EddyFileHandle) other = open_file ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    struct rlimit former, none;
    lock_now (one, EDDY_FILE_LOCK_EXCLUSIVE);
    eddy_file_handle_lock_async (other, EDDY_FILE_LOCK_EXCLUSIVE, 0, cancellable, stream_called,
                                 &call);
    for (int i = 0; i < 3; i++) /* it has begun to wait */
        eddy_context_iteration (context, /* may_block= */ false);
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &former), 0);
    none = former;
    none.rlim_cur = 0;
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &none), 0);
    eddy_cancellable_cancel (cancellable);
    EddyAsyncResult *result = stream_await (context, &call);
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &former), 0);
    ck_assert (!eddy_file_handle_lock_finish (other, result, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    stream_call_clear (&call);
    unlock (one);
    lock_now (other, EDDY_FILE_LOCK_EXCLUSIVE);
    eddy_test_context_end (context);
}

/* A process that has the lock until something is written to the pipe. */
static pid_t hold_in_process (int *release_fd)
{
    int ready[2], release[2];
    char byte;
    ck_assert_int_eq (pipe2 (ready, O_CLOEXEC), 0);
    ck_assert_int_eq (pipe2 (release, O_CLOEXEC), 0);
    pid_t pid = fork ();
    if (pid == 0) {
        int fd = open (eddy_test_path ("locked"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        bool locked = fcntl (fd, F_OFD_SETLK, &lock) == 0 && write (ready[1], "", 1) == 1;
        close (release[1]);
        _exit (locked && read (release[0], &byte, 1) >= 0 ? 0 : 1);
    }
    ck_assert_int_eq (read (ready[0], &byte, 1), 1);
    close (ready[0]);
    close (ready[1]);
    close (release[0]);
    *release_fd = release[1];
    return pid;
}

static void *lock_and_unlock (void *data, EddyError **error)
{
    if (eddy_file_handle_lock (data, EDDY_FILE_LOCK_SHARED, NULL, error))
        unlock (data);
    return NULL;
}

EDDY_TEST (D_lock_waits_for_another_process)
{
    int release_fd, status;
    pid_t pid = hold_in_process (&release_fd);
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFileHandle) handle = open_file ();
    EddyError *error = NULL;
    expect_blocked (handle, EDDY_FILE_LOCK_SHARED);
    EddyFuture *fiber = eddy_spawn (context, lock_and_unlock, handle, NULL);
    for (int i = 0; i < 3; i++)
        eddy_context_iteration (context, /* may_block= */ false);
    ck_assert (!eddy_future_is_complete (fiber));
    close (release_fd);
    ck_assert (eddy_block_on_complete (context, fiber, &error));
    eddy_unref (fiber);
    ck_assert_int_eq (waitpid (pid, &status, 0), pid);
    ck_assert_int_eq (status, 0);
    eddy_test_context_end (context);
}

/* ---- cancelled ------------------------------------------------------------------------------- */

/* The lock that is waited for is not had afterwards, and that which was had is. */
static void expect_former_lock (EddyFileHandle *one, EddyFileHandle *other)
{
    expect_blocked (other, EDDY_FILE_LOCK_EXCLUSIVE); /* one has its shared lock */
    unlock (one);
    lock_now (other, EDDY_FILE_LOCK_EXCLUSIVE); /* and other had no more than one */
    unlock (other);
}

EDDY_TEST (D_lock_cancelled_leaves_what_was)
{
    EDDY_AUTO (EddyFileHandle) one = open_file ();
    EDDY_AUTO (EddyFileHandle) other = open_file ();
    EddyError *error = NULL;
    lock_now (one, EDDY_FILE_LOCK_SHARED);
    lock_now (other, EDDY_FILE_LOCK_SHARED);
    EDDY_AUTO (EddyCancellable) soon = eddy_cancellable_new_with_timeout (NULL, 1000000);
    ck_assert (!eddy_file_handle_lock (other, EDDY_FILE_LOCK_EXCLUSIVE, soon, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    expect_blocked (one, EDDY_FILE_LOCK_EXCLUSIVE); /* other has its shared lock still */
    unlock (other);
    expect_former_lock (one, other);
}

static void *wait_in_fiber (void *data, EddyError **error)
{
    EddyFileHandle *const *handles = data;
    (void) eddy_file_handle_lock (handles[1], EDDY_FILE_LOCK_EXCLUSIVE, NULL, error);
    return NULL;
}

EDDY_TEST (D_lock_cancelled_with_its_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFileHandle *handles[] = { open_file (), open_file () };
    EddyError *error = NULL;
    lock_now (handles[0], EDDY_FILE_LOCK_SHARED);
    for (int i = 0; i < 20; i++) {
        EddyFuture *fiber = eddy_spawn (context, wait_in_fiber, handles, NULL);
        for (int j = 0; j < i; j++)
            eddy_context_iteration (context, /* may_block= */ false);
        eddy_future_cancel (fiber);
        ck_assert (!eddy_block_on_complete (context, fiber, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (fiber);
    }
    expect_former_lock (handles[0], handles[1]);
    eddy_unref (handles[0]);
    eddy_unref (handles[1]);
    eddy_test_context_end (context);
}

/* The cancel and the grant at once, again and again: whoever is told that it has the lock has it,
   and nobody else does. */
static void *unlock_by_a_thread (void *data)
{
    EddyError *error = NULL;
    for (volatile int i = 0; i < 2000; i++)
        ;
    ck_assert (eddy_file_handle_unlock (data, &error));
    return NULL;
}

EDDY_TEST (D_lock_granted_or_cancelled_but_not_both)
{
    EDDY_AUTO (EddyFileHandle) one = open_file ();
    EDDY_AUTO (EddyFileHandle) other = open_file ();
    long rounds = eddy_test_reduced (200, 50, "rounds");
    long granted = 0;
    for (long i = 0; i < rounds; i++) {
        EddyError *error = NULL;
        pthread_t thread;
        int64_t timeout_ns = i % 8 == 0 ? INT64_C (10000000000) : i * 2000;
        EDDY_AUTO (EddyCancellable) soon = eddy_cancellable_new_with_timeout (NULL, timeout_ns);
        lock_now (one, EDDY_FILE_LOCK_EXCLUSIVE);
        ck_assert_int_eq (pthread_create (&thread, NULL, unlock_by_a_thread, one), 0);
        bool locked = eddy_file_handle_lock (other, EDDY_FILE_LOCK_EXCLUSIVE, soon, &error);
        pthread_join (thread, NULL);
        granted += locked;
        if (locked)
            expect_blocked (one, EDDY_FILE_LOCK_SHARED);
        else
            eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
        if (locked)
            unlock (other);
        lock_now (one, EDDY_FILE_LOCK_EXCLUSIVE);
        unlock (one);
    }
    ck_assert_int_gt (granted, 0);
}

static void *lock_while_another_unlocks (void *data, EddyError **error)
{
    EddyFileHandle *const *handles = data;
    EddyError *failure = NULL;
    ck_assert (eddy_file_handle_try_lock (handles[0], EDDY_FILE_LOCK_EXCLUSIVE, &failure));
    EddyFuture *fiber = eddy_spawn_local (lock_and_unlock, handles[1], NULL);
    bool slept = eddy_fiber_sleep (100000, error);
    unlock (handles[0]);
    if (slept)
        (void) eddy_await_complete (fiber, error);
    eddy_unref (fiber);
    return NULL;
}

static void check_unlocked (void *data, bool cancelled, uint32_t point)
{
    EddyFileHandle *const *handles = data;
    (void) cancelled;
    (void) point;
    lock_now (handles[0], EDDY_FILE_LOCK_EXCLUSIVE);
    unlock (handles[0]);
}

EDDY_TEST (D_lock_cancelled_at_every_point)
{
    EddyFileHandle *handles[] = { open_file (), open_file () };
    EddyTestCancelReport report;
    bool good =
        eddy_test_cancel_everywhere (lock_while_another_unlocks, handles, check_unlocked, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 2);
    eddy_unref (handles[0]);
    eddy_unref (handles[1]);
}
