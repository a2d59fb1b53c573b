/* SPDX-License-Identifier: MIT */
/*
 * Sources that wait for fds and for processes.
 * A test that holds Eddy to a point of GLib's contract begins with the point's number.
 */
#include "sources.h"

/* --- fds -------------------------------------------------------------------------------------- */

EDDY_TEST (L47_fd_source_is_ready_by_level)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipe pair;
    pipe_open (&pair);
    EddySource *source = eddy_fd_source_new (pair.fds[0], POLLIN);
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (pipe_ready), &pair, NULL);
    eddy_source_attach (source, context);
    ck_assert (!iterate (context));
    ck_assert (!iterate (context));
    pipe_put (&pair, 2);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (pair.calls, 1);
    ck_assert_uint_eq (pair.events, POLLIN);
    ck_assert (iterate (context)); /* nobody has read */
    pair.reads = true;
    ck_assert (iterate (context));
    ck_assert (iterate (context));
    ck_assert_int_eq (pair.calls, 4);
    ck_assert (!iterate (context));
    pair.reads = false;
    close (pair.fds[1]);
    pair.fds[1] = -1;
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_uint_eq (pair.events, POLLHUP);
    drop (source);
    ck_assert (!iterate (context));
    pipe_close (&pair);
    eddy_test_context_end (context);
}

EDDY_TEST (L47_fd_source_before_the_first_iteration)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipe pair;
    pipe_open (&pair);
    pipe_put (&pair, 1);
    uint64_t id = eddy_fd_add (pair.fds[0], POLLIN, pipe_ready, &pair);
    uint64_t idle = eddy_idle_add (record_again, "i");
    ck_assert (iterate (context));
    ck_assert_int_eq (pair.calls, 1);
    ck_assert_str_eq (record.text, "");
    ck_assert (eddy_source_remove (id));
    ck_assert (iterate (context));
    ck_assert_int_eq (pair.calls, 1);
    ck_assert_str_eq (record.text, "i");
    /* Also when less urgent work is in hand. */
    eddy_fd_add (pair.fds[0], POLLIN, pipe_ready, &pair);
    ck_assert (iterate (context));
    ck_assert_int_eq (pair.calls, 2);
    ck_assert (eddy_source_remove_by_user_data (&pair));
    ck_assert (eddy_source_remove (idle));
    pipe_close (&pair);
    eddy_test_context_end (context);
}

EDDY_TEST (L4_fd_that_an_urgent_source_has_read_is_not_ready_any_more)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipe pair;
    pipe_open (&pair);
    EddySource *urgent = eddy_fd_source_new (pair.fds[0], POLLIN);
    EddySource *late = eddy_fd_source_new (pair.fds[0], POLLIN);
    Pipe never = pair;
    pair.reads = true;
    eddy_source_set_callback (urgent, EDDY_SOURCE_FUNC (pipe_ready), &pair, NULL);
    eddy_source_set_callback (late, EDDY_SOURCE_FUNC (pipe_ready), &never, NULL);
    eddy_source_set_priority (urgent, EDDY_PRIORITY_HIGH);
    eddy_source_attach (late, context);
    eddy_source_attach (urgent, context);
    pipe_put (&pair, 1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert (!eddy_context_pending (context));
    ck_assert (!iterate (context));
    ck_assert_int_eq (pair.calls, 1);
    ck_assert_int_eq (never.calls, 0);
    drop (urgent);
    pipe_put (&pair, 1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (never.calls, 1);
    drop (late);
    pipe_close (&pair);
    eddy_test_context_end (context);
}

EDDY_TEST (L47_fds_of_a_source)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipe one, two;
    pipe_open (&one);
    pipe_open (&two);
    EddySource *source = own_new (&plain_funcs);
    Own *own = eddy_source_get_data (source);
    void *first = eddy_source_add_fd (source, one.fds[0], POLLIN);
    eddy_source_attach (source, context);
    void *second = eddy_source_add_fd (source, two.fds[0], 0);
    ck_assert_ptr_nonnull (first);
    ck_assert_ptr_nonnull (second);
    pipe_put (&two, 1);
    ck_assert (!iterate (context));
    eddy_source_modify_fd (source, second, POLLIN);
    ck_assert (iterate (context));
    ck_assert_int_eq (own->dispatched, 1);
    eddy_source_modify_fd (source, second, 0);
    while (iterate (context)) /* one may have been on its way */
        ;
    int dispatched = own->dispatched;
    ck_assert_int_le (dispatched, 2);
    close (two.fds[1]);
    two.fds[1] = -1;
    ck_assert (eddy_context_iteration (context, true)); /* POLLHUP comes unasked */
    ck_assert_int_eq (own->dispatched, dispatched + 1);
    eddy_source_remove_fd (source, second);
    while (iterate (context))
        ;
    dispatched = own->dispatched;
    pipe_put (&one, 1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (own->dispatched, dispatched + 1);
    ck_assert_uint_eq (eddy_source_query_fd (source, first), 0); /* outside its dispatch */
    drop (source);
    pipe_close (&one);
    pipe_close (&two);
    eddy_test_context_end (context);
}

static bool query_events (EddySource *source, EddySourceFunc callback, void *user_data)
{
    (void) callback, (void) user_data;
    void **tags = eddy_source_get_data (source);
    record_letter ((char) ('0' + eddy_source_query_fd (source, tags[0])));
    record_letter ((char) ('0' + eddy_source_query_fd (source, tags[1])));
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L48_each_watch_of_an_fd_sees_its_own_events)
{
    static const EddySourceFuncs funcs = { NULL, NULL, query_events, NULL };
    EddyContext *context = eddy_test_context_begin ();
    Pipe pair;
    pipe_open (&pair);
    EddySource *source = eddy_source_new (&funcs, sizeof (void *[2]));
    void **tags = eddy_source_get_data (source);
    tags[0] = eddy_source_add_fd (source, pair.fds[1], POLLIN);
    tags[1] = eddy_source_add_fd (source, pair.fds[1], POLLOUT);
    eddy_source_attach (source, context);
    ck_assert (iterate (context));
    ck_assert_str_eq (record.text, "04");
    eddy_unref (source);
    pipe_close (&pair);
    eddy_test_context_end (context);
}

static bool note_events (int fd, unsigned events, void *noted)
{
    (void) fd;
    *(unsigned *) noted = events;
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L49_file_and_null_device_are_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    const char *names[] = { "/dev/null", "/proc/self/exe" };
    for (int i = 0; i < 2; i++) {
        unsigned events = 0;
        int fd = open (names[i], O_RDONLY);
        eddy_fd_add (fd, POLLIN, note_events, &events);
        while (events == 0)
            ck_assert (iterate (context));
        ck_assert_uint_eq (events, POLLIN);
        close (fd);
    }
    eddy_test_context_end (context);
}

EDDY_TEST (L47_closed_fd_says_so)
{
    EddyContext *context = eddy_test_context_begin ();
    unsigned events = 0;
    iterate (context); /* opens the engine, whose fds come first */
    int fd = dup (2);
    close (fd);
    eddy_fd_add (fd, POLLIN, note_events, &events);
    while (events == 0)
        eddy_context_iteration (context, true);
    ck_assert_uint_eq (events, POLLNVAL);
    eddy_test_context_end (context);
}

static void *pipe_move (void *data)
{
    void **arguments = data;
    EddyContext *context = arguments[0];
    Pipe *pair = arguments[1];
    int calls = pair->calls;
    ck_assert (eddy_context_push_thread_default (context));
    ck_assert (!iterate (context));
    pipe_put (pair, 1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (pair->calls, calls + 1);
    ck_assert (!iterate (context));
    eddy_context_pop_thread_default (context);
    return NULL;
}

EDDY_TEST (L17_fd_sources_move_with_their_context)
{
    EddyContext *context = eddy_context_new ();
    Pipe pair, other;
    pipe_open (&pair);
    pipe_open (&other);
    pair.reads = true;
    void *arguments[] = { context, &pair };
    EddySource *source = eddy_fd_source_new (pair.fds[0], POLLIN);
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (pipe_ready), &pair, NULL);
    eddy_source_attach (source, context);
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        /* One whose poll is asked to end when the engine is closed. */
        EddySource *gone = eddy_fd_source_new (other.fds[0], POLLIN);
        eddy_source_set_callback (gone, EDDY_SOURCE_FUNC (pipe_ready), &other, NULL);
        eddy_source_attach (gone, context);
        pipe_move (arguments);
        drop (gone);
        pthread_create (&thread, NULL, pipe_move, arguments);
        pthread_join (thread, NULL);
    }
    drop (source);
    eddy_unref (context);
    pipe_close (&pair);
    pipe_close (&other);
}

/* --- children of a process -------------------------------------------------------------------- */

static int child_status;

static void child_ended (pid_t pid, int wait_status, void *data)
{
    ck_assert_int_eq (pid, *(pid_t *) data);
    child_status = wait_status;
    record_letter ('c');
}

static pid_t child_start (int status)
{
    pid_t pid = fork ();
    ck_assert_int_ge (pid, 0);
    if (pid == 0)
        _exit (status);
    return pid;
}

EDDY_TEST (L52_child_watch_reaps_and_tells)
{
    EddyContext *context = eddy_test_context_begin ();
    pid_t pid = child_start (3);
    eddy_child_watch_add (pid, child_ended, &pid);
    while (record.length == 0)
        eddy_context_iteration (context, true);
    ck_assert (WIFEXITED (child_status));
    ck_assert_int_eq (WEXITSTATUS (child_status), 3);
    ck_assert_int_eq (waitpid (pid, NULL, 0), -1);
    pid = fork ();
    if (pid == 0)
        for (;;)
            pause ();
    eddy_child_watch_add (pid, child_ended, &pid);
    ck_assert (!iterate (context));
    kill (pid, SIGKILL);
    while (record.length < 2)
        eddy_context_iteration (context, true);
    ck_assert (WIFSIGNALED (child_status));
    ck_assert_int_eq (WTERMSIG (child_status), SIGKILL);
    ck_assert (!iterate (context));
    eddy_test_context_end (context);
}

EDDY_TEST (L52_removed_child_watch_leaves_the_zombie)
{
    EddyContext *context = eddy_test_context_begin ();
    pid_t pid = child_start (0);
    siginfo_t info;
    uint64_t id = eddy_child_watch_add (pid, child_ended, &pid);
    ck_assert_int_eq (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert (eddy_context_pending (context));
    ck_assert (eddy_source_remove (id));
    ck_assert (!iterate (context));
    ck_assert_int_eq (waitpid (pid, NULL, 0), pid);
    ck_assert_str_eq (record.text, "");
    eddy_test_context_end (context);
}

EDDY_TEST (L52_child_that_somebody_else_reaped)
{
    EddyContext *context = eddy_test_context_begin ();
    pid_t pid = child_start (0);
    EddySource *early = eddy_child_watch_source_new (pid);
    eddy_source_set_callback (early, EDDY_SOURCE_FUNC (child_ended), &pid, NULL);
    eddy_source_attach (early, context);
    ck_assert_int_eq (waitpid (pid, NULL, 0), pid);
    eddy_child_watch_add (pid, child_ended, &pid);
    eddy_log_set_handler (count_message, NULL);
    child_status = 0;
    while (record.length < 2)
        eddy_context_iteration (context, true);
    eddy_log_set_handler (NULL, NULL);
    ck_assert_int_eq (child_status, -1);
    ck_assert_int_eq (n_messages, 2);
    eddy_unref (early);
    eddy_test_context_end (context);
}
