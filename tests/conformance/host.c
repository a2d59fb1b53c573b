/* SPDX-License-Identifier: MIT */
/*
 * The checks of host.h.
 */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { MILLISECOND = 1000000 };

static const int64_t HOUR_NS = 3600 * INT64_C (1000000000);

static int64_t now_ns (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
}

static void sleep_ms (int milliseconds)
{
    nanosleep (&(struct timespec){ 0, milliseconds * (long) MILLISECOND }, NULL);
}

Host host_begin (void)
{
    Host host = { .context = eddy_test_context_begin () };
    host.fd = eddy_context_get_fd (host.context);
    ck_assert_int_ge (host.fd, 0);
    ck_assert_int_eq (eddy_context_get_fd (host.context), host.fd);
    return host;
}

void host_end (Host *host)
{
    ck_assert_int_eq (eddy_context_get_fd (host->context), host->fd);
    eddy_test_context_end (host->context);
}

/* --- timers ----------------------------------------------------------------------------------- */

static bool set_done (void *data)
{
    *(bool *) data = true;
    return false;
}

static EddySource *attach_timeout (int64_t interval_ns, bool *done)
{
    EddySource *source = eddy_timeout_source_new (interval_ns);
    ck_assert_ptr_nonnull (source);
    eddy_source_set_callback (source, set_done, done, NULL);
    ck_assert (eddy_source_attach (source, NULL));
    return source;
}

static void drop (EddySource *source)
{
    eddy_source_destroy (source);
    eddy_unref (source);
}

/* The later timer is the first one begun: the earlier one must shorten the foreign loop's wait. */
static void check_timers (Host *host)
{
    bool far = false, near = false;
    EddySource *later = attach_timeout (HOUR_NS, &far);
    host_iterate (host);
    ck_assert (!host_is_readable (host));
    int64_t begin_ns = now_ns ();
    EddySource *sooner = attach_timeout (20 * MILLISECOND, &near);
    ck_assert (host_is_readable (host));
    host->run (host, &near);
    ck_assert_int_ge (now_ns () - begin_ns, 20 * MILLISECOND);
    ck_assert (!far);
    drop (sooner);
    drop (later);
}

static void check_queued (Host *host)
{
    bool done = false;
    EddySource *idle = eddy_idle_source_new ();
    ck_assert_ptr_nonnull (idle);
    host_iterate (host);
    eddy_source_set_callback (idle, set_done, &done, NULL);
    ck_assert (eddy_source_attach (idle, NULL));
    ck_assert (host_is_readable (host));
    host->run (host, &done);
    eddy_unref (idle);
}

/* --- fds -------------------------------------------------------------------------------------- */

typedef struct Answer {
    int64_t value;
    EddyError *error;
    bool done;
} Answer;

static void take_read (void *source, EddyAsyncResult *result, void *data)
{
    Answer *answer = data;
    (void) source;
    answer->value = eddy_fd_read_finish (result, &answer->error);
    answer->done = true;
}

static void take_wait (void *source, EddyAsyncResult *result, void *data)
{
    Answer *answer = data;
    (void) source;
    answer->value = eddy_fd_wait_finish (result, &answer->error);
    answer->done = true;
}

/* A thread that writes a while later. */
typedef struct LateWriter {
    pthread_t thread;
    int fd;
} LateWriter;

static void *late_write (void *data)
{
    const LateWriter *writer = data;
    uint64_t one = 1;
    sleep_ms (5);
    return write (writer->fd, &one, sizeof one) == sizeof one ? data : NULL;
}

static void late_writer_start (LateWriter *writer, int fd)
{
    writer->fd = fd;
    ck_assert_int_eq (pthread_create (&writer->thread, NULL, late_write, writer), 0);
}

static void late_writer_end (LateWriter *writer)
{
    void *value = NULL;
    pthread_join (writer->thread, &value);
    ck_assert_ptr_eq (value, writer);
}

static void check_fds (Host *host)
{
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    for (int i = 0; i < 5; i++) {
        Answer answer = { .value = 0 };
        LateWriter writer;
        uint64_t number = 0;
        eddy_fd_read_async (fds[0], &number, sizeof number, -1, 0, NULL, take_read, &answer);
        late_writer_start (&writer, fds[1]);
        host->run (host, &answer.done);
        late_writer_end (&writer);
        ck_assert_int_eq (answer.value, sizeof number);
        ck_assert_uint_eq (number, 1);
    }
    close (fds[0]);
    close (fds[1]);
}

/* An eventfd's wakeup comes from inside a write to an eventfd: the hardest case for the ring. */
static void check_eventfds (Host *host)
{
    int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (int i = 0; i < 5; i++) {
        Answer answer = { .value = 0 };
        LateWriter writer;
        uint64_t number = 0;
        eddy_fd_wait_async (fd, POLLIN, 0, NULL, take_wait, &answer);
        late_writer_start (&writer, fd);
        host->run (host, &answer.done);
        late_writer_end (&writer);
        ck_assert_int_eq (answer.value, POLLIN);
        ck_assert_int_eq (read (fd, &number, sizeof number), sizeof number);
    }
    close (fd);
}

static void take_sync (void *source, EddyAsyncResult *result, void *data)
{
    Answer *answer = data;
    (void) source;
    answer->value = eddy_fd_sync_finish (result, &answer->error);
    answer->done = true;
}

/* What the ring serves where there is one: nothing but its own word tells of it. */
static void check_syncs (Host *host)
{
    EddyContextStatistics before, after;
    int fd = open (eddy_test_path ("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    eddy_context_get_statistics (host->context, &before);
    for (int i = 0; i < 50; i++) {
        Answer answer = { .value = 0 };
        ck_assert_int_eq (pwrite (fd, "x", 1, i), 1);
        eddy_fd_sync_async (fd, 0, NULL, take_sync, &answer);
        host->run (host, &answer.done);
        ck_assert_int_eq (answer.value, true);
    }
    eddy_context_get_statistics (host->context, &after);
    if (strcmp (after.engine, "uring") == 0)
        ck_assert_uint_eq (after.ring - before.ring, 50);
    close (fd);
}

/* --- sources ---------------------------------------------------------------------------------- */

static bool read_fd (int fd, unsigned events, void *data)
{
    uint64_t number;
    ck_assert_uint_eq (events, POLLIN);
    ck_assert_int_eq (read (fd, &number, sizeof number), sizeof number);
    *(bool *) data = true;
    return EDDY_SOURCE_REMOVE;
}

static void *raise_late (void *data)
{
    sleep_ms (5);
    kill (getpid (), *(int *) data);
    return NULL;
}

static void *set_ready_late (void *data)
{
    sleep_ms (5);
    eddy_source_set_ready_time (data, 0);
    return NULL;
}

/* An fd, a signal and a far timeout whose time another thread sets to now. */
static void check_sources (Host *host)
{
    bool readable = false, signalled = false, early = false;
    int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK), number = SIGUSR1;
    pthread_t thread;
    LateWriter writer;
    ck_assert_uint_ne (eddy_fd_add (fd, POLLIN, read_fd, &readable), 0);
    late_writer_start (&writer, fd);
    host->run (host, &readable);
    late_writer_end (&writer);
    ck_assert_uint_ne (eddy_signal_add (number, set_done, &signalled), 0);
    ck_assert_int_eq (pthread_create (&thread, NULL, raise_late, &number), 0);
    host->run (host, &signalled);
    pthread_join (thread, NULL);
    EddySource *timeout = attach_timeout (HOUR_NS, &early);
    ck_assert_int_eq (pthread_create (&thread, NULL, set_ready_late, timeout), 0);
    host->run (host, &early);
    pthread_join (thread, NULL);
    drop (timeout);
    close (fd);
}

/* --- jobs and other threads ------------------------------------------------------------------- */

static void take_contents (void *source, EddyAsyncResult *result, void *data)
{
    Answer *answer = data;
    EddyBytes *bytes = eddy_file_load_contents_finish (source, result, &answer->error);
    ck_assert_ptr_nonnull (bytes);
    answer->value = (int64_t) eddy_bytes_get_size (bytes);
    eddy_unref (bytes);
    answer->done = true;
}

static void check_jobs (Host *host)
{
    Answer answer = { .value = 0 };
    EddyFile *file = eddy_file_new_for_path ("/proc/self/exe");
    eddy_file_load_contents_async (file, 0, NULL, take_contents, &answer);
    host->run (host, &answer.done);
    ck_assert_int_gt (answer.value, 1000);
    eddy_unref (file);
}

typedef struct Invoker {
    EddyContext *context;
    bool done;
} Invoker;

static void *invoke_late (void *data)
{
    Invoker *invoker = data;
    sleep_ms (5);
    eddy_context_invoke (invoker->context, set_done, &invoker->done);
    return NULL;
}

static void check_invoke (Host *host)
{
    for (int i = 0; i < 5; i++) {
        Invoker invoker = { host->context, false };
        pthread_t thread;
        ck_assert_int_eq (pthread_create (&thread, NULL, invoke_late, &invoker), 0);
        host->run (host, &invoker.done);
        pthread_join (thread, NULL);
    }
    /* … and from this thread, which is not inside the context now. */
    bool done = false;
    host_iterate (host);
    eddy_context_invoke (host->context, set_done, &done);
    ck_assert (done || host_is_readable (host));
    host->run (host, &done);
}

static void take_task (void *source, EddyAsyncResult *result, void *data)
{
    Answer *answer = data;
    (void) source;
    answer->value = eddy_task_propagate_int (result, &answer->error);
    answer->done = true;
}

static void check_tasks (Host *host)
{
    Answer answer = { .value = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_task, &answer);
    ck_assert_ptr_nonnull (task);
    host_iterate (host);
    eddy_task_return_int (task, 42);
    eddy_task_unref (task);
    host->run (host, &answer.done);
    ck_assert_int_eq (answer.value, 42);
}

/* --- fibers ----------------------------------------------------------------------------------- */

static void *fiber_at_work (void *data, EddyError **error)
{
    int *fds = data;
    char byte = 0;
    ck_assert (eddy_fiber_sleep (5 * MILLISECOND, error));
    ck_assert_int_eq (eddy_fd_write (fds[1], "f", 1, -1, NULL, error), 1);
    ck_assert_int_eq (eddy_fd_read (fds[0], &byte, 1, -1, NULL, error), 1);
    eddy_fiber_yield ();
    return byte == 'f' ? data : NULL;
}

typedef struct Waiter {
    EddyFuture *fiber;
    Answer *answer;
} Waiter;

static void *fiber_that_awaits (void *data, EddyError **error)
{
    Waiter *waiter = data;
    waiter->answer->value = eddy_await (waiter->fiber, error) != NULL;
    return NULL;
}

/* Also when it could not run. */
static void waiter_end (void *data)
{
    ((Waiter *) data)->answer->done = true;
}

static void check_fibers (Host *host)
{
    Answer answer = { .value = 0 };
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    Waiter waiter = { eddy_spawn (NULL, fiber_at_work, fds, NULL), &answer };
    EddyFuture *last = eddy_spawn (NULL, fiber_that_awaits, &waiter, waiter_end);
    ck_assert_ptr_nonnull (waiter.fiber);
    ck_assert_ptr_nonnull (last);
    host->run (host, &answer.done);
    ck_assert_int_eq (answer.value, 1);
    eddy_unref (waiter.fiber);
    eddy_unref (last);
    close (fds[0]);
    close (fds[1]);
}

/* --- sockets ---------------------------------------------------------------------------------- */

/* Two fibers that talk by a listener's connection. */
typedef struct SocketTalk {
    EddySocket *listener;
    EddySocket *client;
    Answer answer;
} SocketTalk;

static void *socket_fiber_answers (void *data, EddyError **error)
{
    SocketTalk *talk = data;
    char bytes[4];
    EddySocket *socket = eddy_socket_accept (talk->listener, NULL, error);
    ck_assert_ptr_nonnull (socket);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq (eddy_socket_receive (socket, bytes, sizeof bytes, NULL, error), 4);
        ck_assert (eddy_fiber_sleep (MILLISECOND, error));
        ck_assert_int_eq (eddy_socket_send (socket, bytes, sizeof bytes, NULL, error), 4);
    }
    eddy_unref (socket);
    return NULL;
}

static void *socket_fiber_asks (void *data, EddyError **error)
{
    SocketTalk *talk = data;
    char bytes[4] = "ask";
    EddySocketAddress *address = eddy_socket_get_local_address (talk->listener, error);
    ck_assert (eddy_socket_connect (talk->client, address, NULL, error));
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq (eddy_socket_send (talk->client, bytes, sizeof bytes, NULL, error), 4);
        ck_assert_int_eq (eddy_socket_receive (talk->client, bytes, sizeof bytes, NULL, error), 4);
    }
    ck_assert_int_eq (eddy_socket_receive (talk->client, bytes, sizeof bytes, NULL, error), 0);
    eddy_unref (address);
    return data;
}

static void socket_fiber_ended (void *data)
{
    ((SocketTalk *) data)->answer.done = true;
}

static void take_receive (void *source, EddyAsyncResult *result, void *data)
{
    Answer *answer = data;
    answer->value = eddy_socket_receive_finish (source, result, &answer->error);
    answer->done = true;
}

/* A receive that is under way is ended by the close. */
static void check_socket_close (Host *host, EddySocket *socket)
{
    Answer answer = { .value = 0 };
    char byte;
    eddy_socket_receive_async (socket, &byte, 1, 0, NULL, take_receive, &answer);
    host_iterate (host);
    ck_assert (eddy_socket_close (socket, NULL));
    host->run (host, &answer.done);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CLOSED);
}

static void check_sockets (Host *host)
{
    SocketTalk talk = { .answer.value = 0 };
    EddySocketFamily family = EDDY_SOCKET_FAMILY_IPV4;
    EddyInetAddress *loopback = eddy_inet_address_new_loopback (family);
    EddySocketAddress *address = EDDY_SOCKET_ADDRESS (eddy_inet_socket_address_new (loopback, 0));
    EddySocket *other, *closed;
    talk.listener = eddy_socket_new (family, EDDY_SOCKET_TYPE_STREAM, 0, NULL);
    talk.client = eddy_socket_new (family, EDDY_SOCKET_TYPE_STREAM, 0, NULL);
    ck_assert (eddy_socket_bind (talk.listener, address, true, NULL));
    ck_assert (eddy_socket_listen (talk.listener, NULL));
    eddy_spawn_detached (NULL, socket_fiber_answers, &talk, NULL);
    eddy_spawn_detached (NULL, socket_fiber_asks, &talk, socket_fiber_ended);
    host->run (host, &talk.answer.done);
    ck_assert (eddy_socket_new_pair (EDDY_SOCKET_TYPE_STREAM, &closed, &other, NULL));
    check_socket_close (host, closed);
    eddy_unref (closed);
    eddy_unref (other);
    eddy_unref (talk.client);
    eddy_unref (talk.listener);
    eddy_unref (address);
    eddy_unref (loopback);
}

/* --- cancels ---------------------------------------------------------------------------------- */

static void *cancel_late (void *data)
{
    sleep_ms (5);
    eddy_cancellable_cancel (data);
    return NULL;
}

/* Before the first iteration, between two, and from another thread. */
static void check_cancels (Host *host)
{
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    for (int i = 0; i < 3; i++) {
        Answer answer = { .value = 0 };
        EddyCancellable *cancellable = eddy_cancellable_new ();
        ck_assert_ptr_nonnull (cancellable);
        pthread_t thread;
        char byte;
        eddy_fd_read_async (fds[0], &byte, 1, -1, 0, cancellable, take_read, &answer);
        if (i > 0)
            host_iterate (host);
        if (i == 2)
            ck_assert_int_eq (pthread_create (&thread, NULL, cancel_late, cancellable), 0);
        else
            eddy_cancellable_cancel (cancellable);
        host->run (host, &answer.done);
        if (i == 2)
            pthread_join (thread, NULL);
        ck_assert_int_eq (answer.value, -1);
        eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (cancellable);
    }
    close (fds[0]);
    close (fds[1]);
}

void host_check_everything (Host *host)
{
    check_timers (host);
    check_queued (host);
    check_fds (host);
    check_eventfds (host);
    check_syncs (host);
    check_sources (host);
    check_jobs (host);
    check_invoke (host);
    check_tasks (host);
    check_fibers (host);
    check_sockets (host);
    check_cancels (host);
}

void host_check_idle (Host *host, int milliseconds)
{
    int fds[2], event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    Answer read_answer = { .value = 0 }, wait_answer = { .value = 0 };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    char byte;
    bool far = false;
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    EddySource *timeout = attach_timeout (HOUR_NS, &far);
    eddy_fd_read_async (fds[0], &byte, 1, -1, 0, cancellable, take_read, &read_answer);
    eddy_fd_wait_async (event_fd, POLLIN, 0, cancellable, take_wait, &wait_answer);
    check_fibers (host); /* leaves warm stacks behind, and a busy moment */
    host_iterate (host);
    host->wakeups = 0;
    host->run_for (host, milliseconds);
    ck_assert_uint_eq (host->wakeups, 0);
    ck_assert (!read_answer.done && !wait_answer.done && !far);
    drop (timeout);
    eddy_cancellable_cancel (cancellable);
    host->run (host, &read_answer.done);
    host->run (host, &wait_answer.done);
    eddy_test_expect_error (&read_answer.error, EDDY_IO_ERROR_CANCELLED);
    eddy_test_expect_error (&wait_answer.error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (cancellable);
    close (fds[0]);
    close (fds[1]);
    close (event_fd);
}
