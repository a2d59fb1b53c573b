/* SPDX-License-Identifier: MIT */
/* Reads that the home of a handle does not count, and closes by others. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "context.h"
#include "faults.h"
#include "file/handle-private.h"
#include "files.h"
#include "loop/context-private.h"
#include "sys/thread-private.h"

typedef struct Home {
    EddyContext *context;
    EddyFile *file;
    EddyFileHandle *handle;
    int fd; /* the handle's */
} Home;

static void *home_open (void *data, EddyError **error)
{
    Home *home = data;
    home->handle = eddy_file_open (home->file, EDDY_FILE_OPEN_READ, NULL, error);
    home->fd = eddy_file_handle_get_fd (home->handle);
    return home->handle;
}

static ssize_t home_read_text (EddyFileHandle *handle, EddyError **error)
{
    char text[8] = "";
    ssize_t count = eddy_file_handle_read_at (handle, text, 4, 0, NULL, error);
    if (count >= 0)
        ck_assert_str_eq (text, "text");
    return count;
}

static void *home_read (void *data, EddyError **error)
{
    return home_read_text (((Home *) data)->handle, error) == 4 ? data : NULL;
}

static void home_begin (Home *home)
{
    *home = (Home){ .context = eddy_test_context_begin () };
    eddy_context_iteration (home->context, false);
    ck_assert_int_eq (eddy__sys_fence_prepare (), 0);
    files_write ("file", "text", 4);
    home->file = files_new ("file");
    eddy_test_run_fiber (home->context, home_open, home);
}

static void home_end (Home *home)
{
    eddy_unref (home->handle);
    eddy_unref (home->file);
    eddy_test_context_end (home->context);
}

static void home_expect_closed (Home *home)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn (home->context, home_read, home, NULL);
    ck_assert_ptr_null (eddy_block_on (home->context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

/* The call depends on the file system. */
static bool is_read (EddySysCall call)
{
    return call == EDDY_SYS_PREADV2 || call == EDDY_SYS_PREAD;
}

static unsigned count_reads (void)
{
    return eddy_test_call_count (EDDY_SYS_PREADV2) + eddy_test_call_count (EDDY_SYS_PREAD);
}

static bool fd_is_open (int fd)
{
    return fcntl (fd, F_GETFD) >= 0;
}

static void rest_ms (long milliseconds)
{
    const struct timespec moment = { .tv_nsec = milliseconds * 1000000 };
    nanosleep (&moment, NULL);
}

EDDY_TEST (home_is_the_first_that_reads_in_a_fiber)
{
    Home home;
    home_begin (&home);
    ck_assert_int_eq (home_read_text (home.handle, NULL), 4);
    ck_assert_ptr_null (home.handle->home);
    eddy_test_run_fiber (home.context, home_read, &home);
    ck_assert_ptr_eq (home.handle->home, eddy__thread_self ());
    eddy_test_count_calls ();
    eddy_test_run_fiber (home.context, home_read, &home);
    ck_assert_uint_eq (count_reads (), 1);
    ck_assert (!home.handle->home_reads);
    ck_assert_uint_eq (home.handle->state, 0);
    /* Its own close need not look whether it reads. */
    ck_assert (eddy_file_handle_close (home.handle, NULL, NULL));
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_MEMBARRIER), 0);
    eddy_test_no_faults ();
    home_expect_closed (&home);
    home_end (&home);
}

EDDY_TEST (home_needs_fences)
{
    Home home;
    home_begin (&home);
    eddy_test_fail_call (EDDY_SYS_MEMBARRIER, 1, ENOSYS, true);
    ck_assert_int_eq (eddy__sys_fence_prepare (), -ENOSYS);
    eddy_test_no_faults ();
    eddy_test_run_fiber (home.context, home_read, &home);
    ck_assert_ptr_null (home.handle->home);
    home_end (&home);
}

/* --- a close meets a read --------------------------------------------------------------------- */

/* The read, before its system call, has another thread close the file. */
static struct {
    Home home;
    pthread_t closer;
    bool closing;
    bool fenced; /* atomic */
    bool closed; /* atomic */
} meeting;

static void *meeting_close (void *data)
{
    EddyError *error = NULL;
    ck_assert (eddy_file_handle_close (meeting.home.handle, NULL, &error));
    ck_assert_ptr_null (error);
    __atomic_store_n (&meeting.closed, true, __ATOMIC_RELEASE);
    return data;
}

static int meeting_hook (EddySysCall call, void *data)
{
    (void) data;
    if (call == EDDY_SYS_MEMBARRIER)
        __atomic_store_n (&meeting.fenced, true, __ATOMIC_RELEASE);
    if (!is_read (call) || meeting.closing)
        return 0;
    meeting.closing = true;
    ck_assert_int_eq (pthread_create (&meeting.closer, NULL, meeting_close, NULL), 0);
    while (!__atomic_load_n (&meeting.fenced, __ATOMIC_ACQUIRE))
        rest_ms (1);
    /* Long enough for a close that did not wait. */
    for (int i = 0; i < 30; i++) {
        rest_ms (1);
        ck_assert (!__atomic_load_n (&meeting.closed, __ATOMIC_ACQUIRE));
        ck_assert (fd_is_open (meeting.home.fd));
    }
    return 0;
}

EDDY_TEST (close_elsewhere_waits_for_a_read_at_home)
{
    home_begin (&meeting.home);
    eddy_test_run_fiber (meeting.home.context, home_read, &meeting.home);
    eddy__sys_set_fault (meeting_hook, NULL);
    eddy_test_run_fiber (meeting.home.context, home_read, &meeting.home);
    ck_assert (meeting.closing);
    pthread_join (meeting.closer, NULL);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (meeting.closed);
    ck_assert (!fd_is_open (meeting.home.fd));
    home_expect_closed (&meeting.home);
    home_end (&meeting.home);
}

static void *close_elsewhere (void *data)
{
    Home *home = data;
    ck_assert (eddy_file_handle_close (home->handle, NULL, NULL));
    return data;
}

/* The program has forbidden itself membarrier() meanwhile. */
EDDY_TEST (close_elsewhere_without_a_fence_is_done_with_the_handle)
{
    Home home;
    pthread_t closer;
    home_begin (&home);
    eddy_test_run_fiber (home.context, home_read, &home);
    eddy_test_fail_call (EDDY_SYS_MEMBARRIER, 1, EPERM, true);
    ck_assert_int_eq (pthread_create (&closer, NULL, close_elsewhere, &home), 0);
    pthread_join (closer, NULL);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_MEMBARRIER), 1);
    eddy_test_no_faults ();
    ck_assert (eddy_file_handle_is_closed (home.handle));
    ck_assert (fd_is_open (home.fd));
    home_expect_closed (&home);
    eddy_clear (&home.handle);
    ck_assert (!fd_is_open (home.fd));
    home_end (&home);
}

/* --- for real --------------------------------------------------------------------------------- */

typedef struct Race {
    Home home;
    long n_read;   /* atomic */
    long n_wanted; /* reads before the file is closed */
} Race;

/* Reads until the file is closed. */
static void *race_read (void *data, EddyError **error)
{
    Race *race = data;
    (void) error;
    for (;;) {
        EddyError *failure = NULL;
        if (home_read_text (race->home.handle, &failure) < 0) {
            eddy_test_expect_error (&failure, EDDY_IO_ERROR_CLOSED);
            return data;
        }
        __atomic_store_n (&race->n_read, race->n_read + 1, __ATOMIC_RELEASE);
    }
}

/* Closes the file, and at once opens another one, which gets the number of the closed one. */
static void *race_close (void *data)
{
    Race *race = data;
    EddyError *error = NULL;
    while (__atomic_load_n (&race->n_read, __ATOMIC_ACQUIRE) < race->n_wanted)
        eddy__relax ();
    while (!eddy_file_handle_close (race->home.handle, NULL, &error))
        eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    int fd = open (eddy_test_path ("other"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge (fd, 0);
    rest_ms (1);
    close (fd);
    return data;
}

EDDY_TEST (home_never_reads_another_file)
{
    const long n_rounds = eddy_test_reduced (300, 30, "closes beside reads");
    files_write ("other", "else", 4);
    for (long i = 0; i < n_rounds; i++) {
        Race race = { .n_wanted = 3 + i % 64 };
        pthread_t closer;
        home_begin (&race.home);
        ck_assert_int_eq (pthread_create (&closer, NULL, race_close, &race), 0);
        eddy_test_run_fiber (race.home.context, race_read, &race);
        pthread_join (closer, NULL);
        ck_assert_int_ge (race.n_read, race.n_wanted);
        home_end (&race.home);
    }
}
