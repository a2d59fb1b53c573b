/* SPDX-License-Identifier: MIT */
/*
 * Sources: kinds of a program, ready times, children, blocking, callbacks.
 * A test that holds Eddy to a point of GLib's contract begins with the point's number.
 */
#include "sources.h"

/* --- programs' own kinds ---------------------------------------------------------------------- */

EDDY_TEST (L5_own_kind_is_prepared_checked_dispatched_finalized)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = own_new (&own_funcs);
    Own *own = eddy_source_get_data (source);
    int finalized = 0;
    ck_assert_uint_eq ((uintptr_t) own % 16, 0);
    ck_assert_int_eq (own->prepared + own->checked + own->dispatched, 0);
    own->finalized = &finalized;
    own->timeout_ns = 0;
    ck_assert_uint_ne (eddy_source_attach (source, context), 0);
    ck_assert (!eddy_context_iteration (context, true)); /* the hook lets it wait no time */
    ck_assert_int_eq (own->prepared, 1);
    ck_assert_int_eq (own->checked, 1);
    own->ready_in_check = true;
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (own->dispatched, 1);
    own->ready_in_prepare = true;
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (own->dispatched, 2);
    ck_assert_int_eq (own->checked, 2);
    eddy_source_destroy (source);
    ck_assert_int_eq (finalized, 0);
    eddy_unref (source);
    ck_assert_int_eq (finalized, 1);
    eddy_test_context_end (context);
}

EDDY_TEST (L34_data_of_other_kinds)
{
    EddySource *source = eddy_idle_source_new ();
    ck_assert_ptr_null (eddy_source_get_data (source));
    eddy_unref (source);
}

static EddyContext *iterated;

static bool iterate_in_prepare (EddySource *source, int64_t *timeout_ns)
{
    (void) source;
    *timeout_ns = 0;
    ck_assert (!eddy_context_iteration (iterated, true));
    return false;
}

EDDY_TEST (L15_iterating_in_a_hook_is_refused)
{
    static const EddySourceFuncs funcs = { iterate_in_prepare, NULL, own_dispatch, NULL };
    iterated = eddy_test_context_begin ();
    EddySource *source = own_new (&funcs);
    eddy_source_attach (source, iterated);
    eddy_log_set_handler (count_message, NULL);
    ck_assert (!iterate (iterated));
    eddy_log_set_handler (NULL, NULL);
    ck_assert_int_eq (n_messages, 1);
    drop (source);
    eddy_test_context_end (iterated);
}

static bool destroy_in_hook (EddySource *source, int64_t *timeout_ns)
{
    EddySource **others = *(EddySource ***) eddy_source_get_data (source);
    *timeout_ns = 0;
    for (int i = 0; i < 3; i++)
        eddy_source_destroy (others[i]);
    return true;
}

EDDY_TEST (L27_hook_destroys_every_source)
{
    static const EddySourceFuncs funcs = { destroy_in_hook, own_check, own_dispatch, NULL };
    EddyContext *context = eddy_test_context_begin ();
    EddySource *sources[3];
    for (int i = 0; i < 3; i++) {
        sources[i] = eddy_source_new (&funcs, 64);
        *(EddySource ***) eddy_source_get_data (sources[i]) = sources;
        eddy_source_attach (sources[i], context);
    }
    ck_assert (!iterate (context));
    for (int i = 0; i < 3; i++)
        eddy_unref (sources[i]);
    eddy_test_context_end (context);
}

/* --- ready time ------------------------------------------------------------------------------- */

EDDY_TEST (L44_ready_time)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = own_new (&plain_funcs);
    Own *own = eddy_source_get_data (source);
    ck_assert_int_eq (eddy_source_get_ready_time (source), -1);
    eddy_source_attach (source, context);
    ck_assert (!iterate (context));
    eddy_source_set_ready_time (source, 0);
    ck_assert_int_eq (eddy_source_get_ready_time (source), 0);
    ck_assert (iterate (context));
    ck_assert (iterate (context)); /* dispatching it does not clear it */
    eddy_source_set_ready_time (source, eddy_get_monotonic_time_ns () + 3600000000000);
    iterate (context); /* it was ready when the time was set */
    int dispatched = own->dispatched;
    ck_assert (!iterate (context));
    int64_t begin = eddy_get_monotonic_time_ns ();
    eddy_source_set_ready_time (source, begin + 5000000);
    while (own->dispatched == dispatched)
        eddy_context_iteration (context, true);
    ck_assert_int_ge (eddy_get_monotonic_time_ns () - begin, 5000000);
    eddy_source_set_ready_time (source, -1);
    iterate (context);
    ck_assert (!iterate (context));
    eddy_source_destroy (source);
    eddy_source_set_ready_time (source, 0);
    ck_assert (!iterate (context));
    eddy_unref (source);
    eddy_test_context_end (context);
}

static void *set_ready_now (void *source)
{
    eddy_source_set_ready_time (source, 0);
    return NULL;
}

EDDY_TEST (L44_ready_time_set_by_another_thread_ends_the_wait)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = own_new (&plain_funcs);
    Own *own = eddy_source_get_data (source);
    pthread_t thread;
    eddy_source_set_callback (source, record_once, "r", NULL);
    eddy_source_attach (source, context);
    pthread_create (&thread, NULL, set_ready_now, source);
    while (own->dispatched == 0)
        eddy_context_iteration (context, true);
    pthread_join (thread, NULL);
    ck_assert (eddy_source_is_destroyed (source));
    eddy_unref (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L45_due_time_comes_with_its_own_priority)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *idle = eddy_idle_source_new ();
    EddySource *due = own_new (&plain_funcs);
    int priority = 0;
    eddy_source_set_callback (idle, record_again, "i", NULL);
    eddy_source_attach (idle, context);
    eddy_source_set_callback (due, record_once, "d", NULL);
    eddy_source_set_priority (due, 7);
    eddy_source_attach (due, context);
    eddy_source_set_ready_time (due, eddy_get_monotonic_time_ns ());
    ck_assert (eddy_context_prepare (context, &priority));
    ck_assert_int_eq (priority, 7);
    ck_assert (iterate (context));
    ck_assert (iterate (context));
    ck_assert_str_eq (record.text, "di");
    drop (idle);
    eddy_unref (due);
    eddy_test_context_end (context);
}

static bool sleep_and_compare (void *data)
{
    int64_t *time_ns = data;
    EddySource *source = eddy_main_current_source ();
    int64_t now_ns = eddy_source_get_time (source);
    if (*time_ns != 0)
        ck_assert_int_eq (now_ns, *time_ns);
    *time_ns = now_ns;
    usleep (1000);
    ck_assert_int_eq (eddy_source_get_time (source), now_ns);
    eddy_source_destroy (source);
    ck_assert_int_eq (eddy_source_get_time (source), now_ns);
    return true;
}

EDDY_TEST (L9_one_pass_has_one_time)
{
    EddyContext *context = eddy_test_context_begin ();
    int64_t time_ns = 0;
    eddy_idle_add (sleep_and_compare, &time_ns);
    eddy_idle_add (sleep_and_compare, &time_ns);
    ck_assert (iterate (context));
    ck_assert_int_gt (time_ns, 0);
    ck_assert_int_le (time_ns, eddy_get_monotonic_time_ns ());
    ck_assert (!iterate (context));
    eddy_test_context_end (context);
}

EDDY_TEST (L42_timeout_with_slack)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_timeout_source_new_with_slack (1000000, 5000000);
    int64_t begin = eddy_get_monotonic_time_ns ();
    eddy_source_set_callback (source, record_once, "s", NULL);
    eddy_source_attach (source, context);
    int64_t late = eddy_source_get_ready_time (source) - begin;
    ck_assert_int_ge (late, 1000000);
    ck_assert_int_eq (eddy_source_get_ready_time (source) % (INT64_C (1) << 22), 0);
    while (record.length == 0)
        eddy_context_iteration (context, true);
    ck_assert_int_ge (eddy_get_monotonic_time_ns () - begin, 1000000);
    eddy_unref (source);
    eddy_test_context_end (context);
}

/* --- child sources ---------------------------------------------------------------------------- */

EDDY_TEST (L50_child_runs_before_its_ancestors_and_goes_with_them)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *parent = own_letter ("p"), *child = own_letter ("c"), *grand = own_letter ("g");
    EddySource *other = own_letter ("o");
    eddy_source_set_priority (parent, 5);
    ck_assert (eddy_source_add_child_source (parent, child));
    eddy_source_attach (parent, context);
    ck_assert (eddy_source_add_child_source (child, grand));
    ck_assert_int_eq (eddy_source_get_priority (grand), 5);
    eddy_source_set_priority (parent, 3);
    ck_assert_int_eq (eddy_source_get_priority (grand), 3);
    ck_assert_ptr_eq (eddy_source_get_context (grand), context);
    eddy_source_set_ready_time (grand, 0);
    ck_assert (iterate (context));
    ck_assert_str_eq (record.text, "gcp");
    eddy_source_set_ready_time (grand, -1);
    iterate (context);
    record.length = 0;
    /* Also when the parent was ready first. */
    eddy_source_set_priority (other, 3);
    eddy_source_attach (other, context);
    eddy_source_set_ready_time (parent, 0);
    eddy_source_set_ready_time (other, 0);
    eddy_source_set_ready_time (grand, 0);
    ck_assert (iterate (context));
    record.text[record.length] = '\0';
    ck_assert_str_eq (record.text, "gcpo");
    eddy_source_remove_child_source (child, grand);
    ck_assert (eddy_source_is_destroyed (grand));
    ck_assert (!eddy_source_is_destroyed (child));
    eddy_source_destroy (parent);
    ck_assert (eddy_source_is_destroyed (child));
    drop (other);
    eddy_unref (grand);
    eddy_unref (child);
    eddy_unref (parent);
    eddy_test_context_end (context);
}

EDDY_TEST (L50_idle_child_runs_once_in_a_pass)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *parent = own_letter ("p"), *child = eddy_idle_source_new ();
    eddy_source_set_callback (child, record_again, "i", NULL);
    eddy_source_set_ready_time (parent, 0);
    eddy_source_attach (parent, context);
    eddy_source_add_child_source (parent, child);
    ck_assert (iterate (context));
    ck_assert_str_eq (record.text, "ip");
    ck_assert (iterate (context));
    ck_assert_str_eq (record.text, "ipip");
    drop (parent);
    ck_assert (eddy_source_is_destroyed (child));
    eddy_unref (child);
    eddy_test_context_end (context);
}

/* --- blocking --------------------------------------------------------------------------------- */

typedef struct Nest {
    EddyContext *context;
    int depth;
    int deepest;
} Nest;

static bool nest (void *data)
{
    Nest *self = data;
    self->depth++;
    if (self->deepest < self->depth)
        self->deepest = self->depth;
    ck_assert_uint_eq (eddy_main_depth (), (unsigned) self->depth);
    if (self->depth < 3)
        eddy_context_iteration (self->context, false);
    self->depth--;
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L38_source_is_blocked_in_its_own_callback_unless_it_may_recurse)
{
    EddyContext *context = eddy_test_context_begin ();
    Nest nesting = { context, 0, 0 };
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, nest, &nesting, NULL);
    ck_assert (!eddy_source_get_can_recurse (source));
    eddy_source_attach (source, context);
    ck_assert (iterate (context));
    ck_assert_int_eq (nesting.deepest, 1);
    eddy_source_set_can_recurse (source, true);
    ck_assert (eddy_source_get_can_recurse (source));
    ck_assert (iterate (context));
    ck_assert_int_eq (nesting.deepest, 3);
    ck_assert_uint_eq (eddy_main_depth (), 0);
    drop (source);
    eddy_test_context_end (context);
}

static bool iterate_with_ready_fd (int fd, unsigned events, void *data)
{
    Nest *self = data;
    char byte;
    (void) events;
    ck_assert_int_eq (++self->depth, 1);
    for (int i = 0; i < 3; i++)
        ck_assert (!eddy_context_iteration (self->context, false));
    self->depth--;
    ck_assert_int_eq (read (fd, &byte, 1), 1);
    self->deepest++;
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L38_fd_of_a_blocked_source_is_not_polled)
{
    EddyContext *context = eddy_test_context_begin ();
    Pipe pair;
    pipe_open (&pair);
    Nest nesting = { context, 0, 0 };
    uint64_t id = eddy_fd_add (pair.fds[0], POLLIN, iterate_with_ready_fd, &nesting);
    pipe_put (&pair, 2);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert (iterate (context));
    ck_assert (!iterate (context));
    ck_assert_int_eq (nesting.deepest, 2);
    eddy_source_remove (id);
    pipe_close (&pair);
    eddy_test_context_end (context);
}

/* --- callbacks -------------------------------------------------------------------------------- */

typedef struct Replace {
    int first_dropped;
    int second_dropped;
} Replace;

static bool replace_by_counted (void *data)
{
    Replace *self = data;
    EddySource *source = eddy_main_current_source ();
    eddy_source_set_callback (source, record_again, &self->second_dropped, count_up);
    eddy_source_set_callback (source, record_again, "2", NULL);
    ck_assert_int_eq (self->second_dropped, 1); /* nobody used it */
    ck_assert_int_eq (self->first_dropped, 0);  /* this dispatch does */
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L32_callback_replaced_while_it_runs)
{
    EddyContext *context = eddy_test_context_begin ();
    Replace self = { 0, 0 };
    EddySource *source = eddy_idle_source_new ();
    eddy_source_set_callback (source, record_again, &self.second_dropped, count_up);
    eddy_source_attach (source, context);
    eddy_source_set_callback (source, replace_by_counted, &self, count_up);
    ck_assert_int_eq (self.second_dropped, 1);
    self.second_dropped = 0;
    ck_assert (iterate (context));
    ck_assert_int_eq (self.first_dropped, 1);
    ck_assert (iterate (context));
    ck_assert_str_eq (record.text, "2");
    drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L33_source_without_callback_is_removed)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_idle_source_new ();
    eddy_source_attach (source, context);
    eddy_log_set_handler (count_message, NULL);
    iterate (context);
    eddy_log_set_handler (NULL, NULL);
    ck_assert_int_eq (n_messages, 1);
    ck_assert (eddy_source_is_destroyed (source));
    eddy_unref (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L33_dummy_callback_keeps_the_source)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = eddy_idle_source_new ();
    Pipe pair;
    pipe_open (&pair);
    EddySource *fd = eddy_fd_source_new (pair.fds[1], POLLOUT);
    eddy_source_set_priority (fd, EDDY_PRIORITY_DEFAULT_IDLE);
    eddy_source_set_dummy_callback (fd);
    eddy_source_set_dummy_callback (source);
    eddy_source_attach (source, context);
    eddy_source_attach (fd, context);
    ck_assert (iterate (context));
    ck_assert (iterate (context));
    ck_assert (!eddy_source_is_destroyed (source));
    ck_assert (!eddy_source_is_destroyed (fd));
    drop (source);
    drop (fd);
    pipe_close (&pair);
    eddy_test_context_end (context);
}
