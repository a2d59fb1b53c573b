/* SPDX-License-Identifier: MIT */
/* Who iterates a context, and which context a thread's work goes to. */
#include <poll.h>
#include <signal.h>

#include "loop.h"

/* --- L17, L18: ownership ---------------------------------------------------------------------- */

static void *try_acquire (void *context)
{
    bool is_acquired = eddy_context_acquire (context);
    if (is_acquired)
        eddy_context_release (context);
    return (void *) (uintptr_t) is_acquired;
}

static bool can_be_acquired_elsewhere (EddyContext *context)
{
    return loop_elsewhere (try_acquire, context) != NULL;
}

EDDY_TEST (L17_acquire_nests_and_release_balances)
{
    EddyContext *context = eddy_context_new ();
    ck_assert (!eddy_context_is_owner (context));
    for (int i = 0; i < 3; i++)
        ck_assert (eddy_context_acquire (context));
    ck_assert (eddy_context_iteration (context, false) == false);
    for (int i = 0; i < 3; i++) {
        ck_assert (eddy_context_is_owner (context));
        ck_assert (!can_be_acquired_elsewhere (context));
        eddy_context_release (context);
    }
    ck_assert (!eddy_context_is_owner (context));
    ck_assert (can_be_acquired_elsewhere (context));
    eddy_unref (context);
}

EDDY_TEST (L17_release_without_acquire_is_misuse)
{
    EddyContext *context = eddy_context_new ();
    loop_catch_messages ();
    eddy_context_release (context);
    ck_assert_int_eq (loop_count_messages (), 1);
    ck_assert (eddy_context_acquire (context));
    eddy_context_release (context);
    ck_assert_int_eq (loop_count_messages (), 0);
    eddy_unref (context);
}

static bool count_prepare (EddySource *source, int64_t *timeout_ns)
{
    (void) source, (void) timeout_ns;
    record_letter ("p");
    return false;
}

static const EddySourceFuncs count_funcs = { .prepare = count_prepare,
                                             .dispatch = loop_plain_dispatch };

static void *phases_of_a_stranger (void *context)
{
    int priority = 0;
    ck_assert (!eddy_context_prepare (context, &priority));
    eddy_context_dispatch (context);
    ck_assert (!eddy_context_pending (context));
    return NULL;
}

EDDY_TEST (L17_phases_are_the_owners)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_source_new (&count_funcs, 0);
    EddySource *idle = loop_attach (eddy_idle_source_new (), 0, record_once, "i");
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    loop_catch_messages ();
    loop_elsewhere (phases_of_a_stranger, context);
    ck_assert_uint_eq (record.length, 0);
    ck_assert_int_ge (loop_count_messages (), 1);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "pi");
    loop_drop (source);
    loop_drop (idle);
    eddy_test_context_end (context);
}

static void *run_in_thread (void *data)
{
    EddyContext *context = data;
    record_clear ();
    ck_assert (eddy_context_push_thread_default (context));
    EddySource *source = loop_attach (eddy_idle_source_new (), 0, record_once, "t");
    ck_assert (eddy_context_iteration (context, true));
    loop_drop (source);
    eddy_context_pop_thread_default (context);
    ck_assert_str_eq (record.text, "t");
    return NULL;
}

EDDY_TEST (L17_context_moves_to_another_thread)
{
    EddyContext *context = eddy_context_new ();
    run_in_thread (context);
    loop_elsewhere (run_in_thread, context);
    run_in_thread (context);
    eddy_unref (context);
}

static bool record_fd (int fd, unsigned events, void *letter)
{
    char byte;
    (void) events;
    ck_assert_int_eq (read (fd, &byte, 1), 1);
    record_letter (letter);
    return true;
}

static void *iterate_until_one_more (void *context)
{
    size_t length = record.length + 1;
    loop_run_until (context, length);
    return NULL;
}

/* Sources of every kind move with it: only operations under way hold a context. */
EDDY_TEST (L17_watches_move_with_their_context)
{
    EddyContext *context = eddy_context_new ();
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    EddySource *fd = eddy_fd_source_new (ends[0], POLLIN);
    eddy_source_set_callback (fd, EDDY_SOURCE_FUNC (record_fd), "f", NULL);
    ck_assert_uint_ne (eddy_source_attach (fd, context), 0);
    EddySource *signal = eddy_signal_source_new (SIGUSR1);
    eddy_source_set_callback (signal, record_again, "s", NULL);
    ck_assert_uint_ne (eddy_source_attach (signal, context), 0);
    ck_assert (!eddy_context_iteration (context, false));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq (write (ends[1], "x", 1), 1);
        loop_elsewhere (iterate_until_one_more, context);
        ck_assert_int_eq (write (ends[1], "x", 1), 1);
        iterate_until_one_more (context);
        raise (SIGUSR1);
        loop_elsewhere (iterate_until_one_more, context);
    }
    ck_assert_str_eq (record.text, "ffsffsffs");
    loop_drop (fd);
    loop_drop (signal);
    close (ends[0]);
    close (ends[1]);
    eddy_unref (context);
}

static void note_result (void *object, EddyAsyncResult *result, void *user_data)
{
    (void) object;
    *(ssize_t *) user_data = eddy_fd_read_finish (result, NULL);
}

EDDY_TEST (L17_operations_under_way_hold_their_context)
{
    EddyContext *context = eddy_context_new ();
    int ends[2];
    char byte = 0;
    ssize_t result = -2;
    ck_assert_int_eq (pipe (ends), 0);
    ck_assert (eddy_context_push_thread_default (context));
    eddy_fd_read_async (ends[0], &byte, 1, -1, 0, NULL, note_result, &result);
    eddy_context_iteration (context, false);
    eddy_context_pop_thread_default (context);
    loop_catch_messages ();
    ck_assert (!can_be_acquired_elsewhere (context));
    ck_assert_int_eq (loop_count_messages (), 1);
    ck_assert_int_eq (write (ends[1], "x", 1), 1);
    while (result == -2)
        eddy_context_iteration (context, true);
    ck_assert_int_eq (result, 1);
    ck_assert_int_eq (byte, 'x');
    ck_assert (can_be_acquired_elsewhere (context));
    close (ends[0]);
    close (ends[1]);
    eddy_unref (context);
}

static void *iterate_without_blocking (void *context)
{
    return (void *) (uintptr_t) eddy_context_iteration (context, false);
}

EDDY_TEST (L18_stranger_that_may_not_block_gets_false)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (eddy_idle_source_new (), 0, record_once, "i");
    ck_assert_ptr_null (loop_elsewhere (iterate_without_blocking, context));
    ck_assert_uint_eq (record.length, 0);
    ck_assert (eddy_context_iteration (context, false));
    loop_drop (source);
    eddy_test_context_end (context);
}

typedef struct Stranger {
    EddyContext *context;
    atomic_int thread;
    sem_t began;
} Stranger;

static void *iterate_blocking (void *data)
{
    Stranger *stranger = data;
    atomic_store (&stranger->thread, gettid ());
    sem_post (&stranger->began);
    /* A wakeup for nothing may end the wait once it has the context. */
    while (!eddy_context_iteration (stranger->context, true))
        ;
    ck_assert (!eddy_context_is_owner (stranger->context));
    return NULL;
}

EDDY_TEST (L18_stranger_that_may_block_waits_for_the_owner)
{
    Stranger stranger = { .context = eddy_context_new () };
    sem_init (&stranger.began, 0, 0);
    ck_assert (eddy_context_acquire (stranger.context));
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_once, "i", NULL);
    ck_assert_uint_ne (eddy_source_attach (source, stranger.context), 0);
    pthread_t thread = loop_thread (iterate_blocking, &stranger);
    loop_sem_wait (&stranger.began);
    loop_wait_asleep (atomic_load (&stranger.thread));
    ck_assert_uint_eq (record.length, 0);
    eddy_context_release (stranger.context);
    loop_join (thread);
    ck_assert_str_eq (record.text, "i");
    eddy_unref (source);
    eddy_unref (stranger.context);
}

/* --- L19 to L21: thread-default contexts ------------------------------------------------------ */

static void *push_from_thread (void *context)
{
    ck_assert_ptr_null (eddy_context_get_thread_default ());
    bool is_pushed = eddy_context_push_thread_default (context);
    ck_assert_ptr_eq (eddy_context_get_thread_default (), is_pushed ? context : NULL);
    if (is_pushed)
        eddy_context_pop_thread_default (context);
    return (void *) (uintptr_t) is_pushed;
}

EDDY_TEST (L19_push_acquires)
{
    EddyContext *context = eddy_context_new ();
    ck_assert (eddy_context_push_thread_default (context));
    ck_assert (eddy_context_is_owner (context));
    loop_catch_messages ();
    ck_assert_ptr_null (loop_elsewhere (push_from_thread, context));
    eddy_context_pop_thread_default (context);
    ck_assert (!eddy_context_is_owner (context));
    ck_assert_ptr_nonnull (loop_elsewhere (push_from_thread, context));
    eddy_unref (context);
}

EDDY_TEST (L19_pop_names_the_last_pushed)
{
    EddyContext *first = eddy_context_new (), *second = eddy_context_new ();
    ck_assert (eddy_context_push_thread_default (first));
    ck_assert (eddy_context_push_thread_default (second));
    loop_catch_messages ();
    eddy_context_pop_thread_default (first);
    ck_assert_int_eq (loop_count_messages (), 1);
    ck_assert_ptr_eq (eddy_context_get_thread_default (), second);
    ck_assert (eddy_context_is_owner (first));
    eddy_context_pop_thread_default (second);
    eddy_context_pop_thread_default (first);
    eddy_context_pop_thread_default (first);
    ck_assert_int_eq (loop_count_messages (), 1);
    eddy_unref (first);
    eddy_unref (second);
}

EDDY_TEST (L20_stack_of_each_thread)
{
    EddyContext *first = eddy_context_new (), *second = eddy_context_new ();
    ck_assert_ptr_null (eddy_context_get_thread_default ());
    ck_assert (eddy_context_push_thread_default (first));
    ck_assert (eddy_context_push_thread_default (second));
    ck_assert (eddy_context_push_thread_default (second));
    EddyContext *innermost = eddy_context_ref_thread_default ();
    ck_assert_ptr_eq (innermost, second);
    eddy_unref (innermost);
    EddyContext *other = eddy_context_new ();
    ck_assert_ptr_nonnull (loop_elsewhere (push_from_thread, other));
    eddy_context_pop_thread_default (second);
    ck_assert_ptr_eq (eddy_context_get_thread_default (), second);
    eddy_context_pop_thread_default (second);
    ck_assert_ptr_eq (eddy_context_get_thread_default (), first);
    eddy_context_pop_thread_default (first);
    ck_assert_ptr_null (eddy_context_get_thread_default ());
    eddy_unref (first);
    eddy_unref (second);
    eddy_unref (other);
}

static void use_the_default_context (void)
{
    EddyContext *context = eddy_context_ref_thread_default ();
    ck_assert_ptr_nonnull (context);
    ck_assert_ptr_eq (context, eddy_context_default ());
    ck_assert_ptr_null (eddy_context_get_thread_default ());
    ck_assert (eddy_context_push_thread_default (context));
    ck_assert_ptr_null (eddy_context_get_thread_default ());
    eddy_context_pop_thread_default (context);
    ck_assert (!eddy_context_iteration (NULL, false));
    eddy_unref (context);
}

EDDY_TEST (L20_default_context_reads_as_none)
{
    loop_in_child (use_the_default_context);
}

typedef struct Captured {
    EddyContext *expected;
    int calls;
} Captured;

static void expect_captured (void *object, EddyAsyncResult *result, void *user_data)
{
    Captured *captured = user_data;
    (void) object;
    ck_assert_int_eq (eddy_fd_read_finish (result, NULL), 1);
    ck_assert_ptr_eq (eddy_context_get_thread_default (), captured->expected);
    captured->calls++;
}

EDDY_TEST (L20_operations_capture_it_when_they_start)
{
    EddyContext *outer = eddy_test_context_begin (), *inner = eddy_context_new ();
    Captured captured = { .expected = outer };
    int ends[2];
    char byte;
    ck_assert_int_eq (pipe (ends), 0);
    eddy_fd_read_async (ends[0], &byte, 1, -1, 0, NULL, expect_captured, &captured);
    ck_assert (eddy_context_push_thread_default (inner));
    ck_assert_int_eq (write (ends[1], "x", 1), 1);
    ck_assert (!eddy_context_iteration (inner, false));
    ck_assert_int_eq (captured.calls, 0);
    while (captured.calls == 0)
        eddy_context_iteration (outer, true);
    eddy_context_pop_thread_default (inner);
    ck_assert_int_eq (captured.calls, 1);
    close (ends[0]);
    close (ends[1]);
    eddy_unref (inner);
    eddy_test_context_end (outer);
}

static bool never_fd (int fd, unsigned events, void *data)
{
    (void) fd, (void) events, (void) data;
    return false;
}

static void never_child (pid_t pid, int status, void *data)
{
    (void) pid, (void) status, (void) data;
}

static void never_once (void *data)
{
    (void) data;
}

static void expect_in (EddyContext *context, EddyContext *stranger, uint64_t id)
{
    ck_assert_uint_ne (id, 0);
    EddySource *source = eddy_context_find_source_by_id (context, id);
    ck_assert_ptr_nonnull (source);
    ck_assert_ptr_eq (eddy_source_get_context (source), context);
    ck_assert_uint_eq (eddy_source_get_id (source), id);
    ck_assert_ptr_null (eddy_context_find_source_by_id (stranger, id));
    ck_assert (eddy_source_remove (id));
    ck_assert (eddy_source_is_destroyed (source));
    eddy_unref (source);
    ck_assert_ptr_null (eddy_context_find_source_by_id (context, id));
}

static void add_one_of_each (void)
{
    EddyContext *context = eddy_context_new (), *global = eddy_context_default ();
    ck_assert (eddy_context_push_thread_default (context));
    expect_in (context, global, eddy_idle_add (record_once, "x"));
    expect_in (context, global, eddy_idle_add_full (7, record_once, "x", NULL));
    expect_in (context, global, eddy_idle_add_once (never_once, NULL));
    expect_in (context, global, eddy_timeout_add (LOOP_MS, record_once, "x"));
    expect_in (context, global, eddy_timeout_add_full (7, LOOP_MS, record_once, "x", NULL));
    expect_in (context, global, eddy_timeout_add_once (LOOP_MS, never_once, NULL));
    expect_in (context, global, eddy_fd_add (0, POLLIN, never_fd, NULL));
    expect_in (context, global, eddy_signal_add (SIGUSR1, record_once, "x"));
    pid_t child = fork ();
    if (child == 0)
        _exit (0);
    expect_in (context, global, eddy_child_watch_add (child, never_child, NULL));
    ck_assert_int_eq (waitpid (child, NULL, 0), child);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_uint_eq (record.length, 0);
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
}

EDDY_TEST (L21_convenience_uses_the_thread_default_context)
{
    loop_in_child (add_one_of_each);
}

EDDY_TEST (L21_removal_looks_in_the_thread_default_context)
{
    EddyContext *outer = eddy_test_context_begin (), *inner = eddy_context_new ();
    uint64_t id = eddy_idle_add (record_once, "o");
    ck_assert (eddy_context_push_thread_default (inner));
    loop_catch_messages ();
    ck_assert (!eddy_source_remove (id));
    ck_assert_int_eq (loop_count_messages (), 1);
    ck_assert (!eddy_source_remove_by_user_data ("o"));
    ck_assert_int_eq (loop_count_messages (), 0);
    eddy_context_pop_thread_default (inner);
    ck_assert (eddy_source_remove (id));
    ck_assert (!eddy_context_iteration (outer, false));
    eddy_unref (inner);
    eddy_test_context_end (outer);
}

/* --- L23: from outside ------------------------------------------------------------------------ */

static void *attach_idle (void *context)
{
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_once, "i", NULL);
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    eddy_unref (source);
    return NULL;
}

static void *invoke_once (void *context)
{
    eddy_context_invoke (context, record_once, "v");
    return NULL;
}

static void *wake_up (void *context)
{
    eddy_context_wakeup (context);
    return NULL;
}

/* Nobody owns the context, and no flag was set for that: who waits for the fd is woken. */
EDDY_TEST (L23_fd_of_a_context_without_owner_is_woken)
{
    void *(*const wakers[]) (void *context) = { attach_idle, invoke_once, wake_up };
    EddyContext *context = eddy_context_new ();
    struct pollfd fd = { .fd = eddy_context_get_fd (context), .events = POLLIN };
    ck_assert_int_ge (fd.fd, 0);
    for (size_t i = 0; i < 9; i++) {
        loop_drain (context);
        ck_assert (!eddy_context_is_owner (context));
        ck_assert_int_eq (poll (&fd, 1, 0), 0);
        loop_elsewhere (wakers[i % 3], context);
        ck_assert_int_eq (poll (&fd, 1, -1), 1);
    }
    loop_drain (context);
    ck_assert_str_eq (record.text, "iviviv");
    eddy_unref (context);
}
