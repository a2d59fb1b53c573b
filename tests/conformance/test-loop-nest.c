/* SPDX-License-Identifier: MIT */
/* Dispatches inside dispatches: the running source, recursion, and child sources. */
#include <poll.h>

#include "loop.h"

/* --- L37: what runs --------------------------------------------------------------------------- */

typedef struct Nest {
    EddyContext *context;
    EddySource *source;
    unsigned depth;
} Nest;

static void *expect_none (void *data)
{
    ck_assert_ptr_null (eddy_main_current_source ());
    ck_assert_uint_eq (eddy_main_depth (), 0);
    return data;
}

static bool expect_self (void *data)
{
    Nest *nest = data;
    ck_assert_ptr_eq (eddy_main_current_source (), nest->source);
    ck_assert_uint_eq (eddy_main_depth (), nest->depth);
    record_letter ("s");
    return EDDY_SOURCE_REMOVE;
}

static void attach_nest (Nest *nest, EddySourceFunc function)
{
    nest->source = eddy_idle_source_new ();
    eddy_source_set_callback (nest->source, function, nest, NULL);
    ck_assert_uint_ne (eddy_source_attach (nest->source, nest->context), 0);
}

/* A pass inside this one: of the same context, then of another one. */
static bool nest_twice (void *data)
{
    Nest *nest = data, inner = { .context = nest->context, .depth = 2 };
    Nest other = { .context = eddy_context_new (), .depth = 2 };
    ck_assert_uint_eq (eddy_main_depth (), 1);
    attach_nest (&inner, expect_self);
    attach_nest (&other, expect_self);
    ck_assert (eddy_context_iteration (inner.context, false));
    ck_assert_ptr_eq (eddy_main_current_source (), nest->source);
    ck_assert (eddy_context_iteration (other.context, false));
    ck_assert_ptr_eq (eddy_main_current_source (), nest->source);
    ck_assert_uint_eq (eddy_main_depth (), 1);
    loop_elsewhere (expect_none, NULL);
    eddy_unref (inner.source);
    eddy_unref (other.source);
    eddy_unref (other.context);
    record_letter ("t");
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L37_running_source_and_depth)
{
    EddyContext *context = eddy_test_context_begin ();
    Nest nest = { .context = context };
    expect_none (NULL);
    attach_nest (&nest, nest_twice);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "sst");
    expect_none (NULL);
    eddy_unref (nest.source);
    eddy_test_context_end (context);
}

/* --- L38, L39: recursion ---------------------------------------------------------------------- */

static bool iterate_inside (void *context)
{
    record_letter ("(");
    if (record.length < 6)
        eddy_context_iteration (context, false);
    record_letter (")");
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L38_running_source_rests_in_nested_passes)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (eddy_idle_source_new (), 0, iterate_inside, context);
    ck_assert (!eddy_source_get_can_recurse (source));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "()");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "()()");
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L38_source_that_can_recurse_does)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (eddy_idle_source_new (), 0, iterate_inside, context);
    eddy_source_set_can_recurse (source, true);
    ck_assert (eddy_source_get_can_recurse (source));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "(((((())))))");
    loop_drop (source);
    eddy_test_context_end (context);
}

static bool iterate_unread (int fd, unsigned events, void *context)
{
    char byte;
    ck_assert_uint_eq (events, POLLIN);
    record_letter ("(");
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (read (fd, &byte, 1), 1);
    record_letter (")");
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L38_running_fd_source_rests_too)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    ck_assert_int_eq (pipe (ends), 0);
    EddySource *source = loop_attach (eddy_fd_source_new (ends[0], POLLIN), 0,
                                      EDDY_SOURCE_FUNC (iterate_unread), context);
    ck_assert_int_eq (write (ends[1], "xy", 2), 2);
    loop_run_until (context, 4);
    ck_assert_str_eq (record.text, "()()");
    ck_assert (!eddy_context_iteration (context, false));
    loop_drop (source);
    close (ends[0]);
    close (ends[1]);
    eddy_test_context_end (context);
}

static bool iterate_once_inside (void *context)
{
    record_letter ("(");
    eddy_context_iteration (context, false);
    record_letter (")");
    return EDDY_SOURCE_REMOVE;
}

/* Nothing is lost, nothing runs twice, and the order stays. */
EDDY_TEST (L39_nested_pass_goes_on_where_the_outer_stopped)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, record_once, "a"));
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, iterate_once_inside, context));
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, record_once, "b"));
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, record_once, "c"));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "a(bc)");
    ck_assert (!eddy_context_iteration (context, false));
    eddy_test_context_end (context);
}

EDDY_TEST (L39_rest_runs_in_the_outer_pass_when_the_nested_took_others)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, iterate_once_inside, context));
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, iterate_once_inside, context));
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, record_once, "a"));
    eddy_unref (loop_attach (eddy_idle_source_new (), 1, record_once, "b"));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "((a))");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "((a))b");
    eddy_test_context_end (context);
}

/* --- L50: child sources ----------------------------------------------------------------------- */

static EddySource *plain_source (const char *letter)
{
    EddySource *source = loop_plain_new ();
    eddy_source_set_callback (source, record_again, (void *) letter, NULL);
    return source;
}

EDDY_TEST (L50_child_runs_before_its_parent_and_makes_it_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *parent = plain_source ("p"), *child = plain_source ("c");
    ck_assert_uint_ne (eddy_source_attach (parent, context), 0);
    ck_assert (eddy_source_add_child_source (parent, child));
    ck_assert (!eddy_context_iteration (context, false));
    eddy_source_set_ready_time (child, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "cp");
    ck_assert (!eddy_context_iteration (context, false));
    eddy_source_set_ready_time (parent, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "cpp");
    loop_drop (parent);
    ck_assert (eddy_source_is_destroyed (child));
    eddy_unref (child);
    eddy_test_context_end (context);
}

EDDY_TEST (L50_child_has_its_parents_priority)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *parent = plain_source ("p"), *child = plain_source ("c"),
               *third = plain_source ("3");
    eddy_source_set_priority (parent, 5);
    eddy_source_set_priority (child, -5);
    ck_assert (eddy_source_add_child_source (parent, child));
    ck_assert_int_eq (eddy_source_get_priority (child), 5);
    ck_assert_uint_ne (eddy_source_attach (parent, context), 0);
    ck_assert (eddy_source_add_child_source (child, third));
    ck_assert_int_eq (eddy_source_get_priority (third), 5);
    eddy_source_set_priority (parent, 9);
    ck_assert_int_eq (eddy_source_get_priority (child), 9);
    ck_assert_int_eq (eddy_source_get_priority (third), 9);
    EddySource *between = loop_attach (eddy_idle_source_new (), 8, record_once, "b");
    eddy_source_set_ready_time (third, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "b3cp");
    loop_drop (parent);
    loop_drop (between);
    eddy_unref (child);
    eddy_unref (third);
    eddy_test_context_end (context);
}

/* Readiness goes up the whole line, and to nobody else. */
EDDY_TEST (L50_child_of_a_child)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *parent = plain_source ("p"), *first = plain_source ("1"),
               *second = plain_source ("2");
    EddySource *grand = plain_source ("g");
    ck_assert (eddy_source_add_child_source (parent, first));
    ck_assert (eddy_source_add_child_source (parent, second));
    ck_assert (eddy_source_add_child_source (first, grand));
    ck_assert_uint_ne (eddy_source_attach (parent, context), 0);
    eddy_source_set_ready_time (grand, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "g1p");
    eddy_source_set_ready_time (second, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "g1p2p");
    ck_assert (!eddy_context_iteration (context, false));
    eddy_source_destroy (parent);
    ck_assert (eddy_source_is_destroyed (first));
    ck_assert (eddy_source_is_destroyed (second));
    ck_assert (eddy_source_is_destroyed (grand));
    eddy_unref (parent);
    eddy_unref (first);
    eddy_unref (second);
    eddy_unref (grand);
    eddy_test_context_end (context);
}

EDDY_TEST (L50_removed_child_is_destroyed)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *parent = plain_source ("p"), *child = plain_source ("c");
    ck_assert (eddy_source_add_child_source (parent, child));
    ck_assert_uint_ne (eddy_source_attach (parent, context), 0);
    eddy_source_set_ready_time (child, 0);
    eddy_source_remove_child_source (parent, child);
    ck_assert (eddy_source_is_destroyed (child));
    ck_assert (!eddy_source_is_destroyed (parent));
    ck_assert (!eddy_context_iteration (context, false));
    eddy_unref (child);
    /* So is one whose own callback has had enough. */
    child = loop_plain_new ();
    eddy_source_set_callback (child, record_once, "o", NULL);
    ck_assert (eddy_source_add_child_source (parent, child));
    eddy_source_set_ready_time (child, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert (eddy_source_is_destroyed (child));
    ck_assert_str_eq (record.text, "op");
    eddy_unref (child);
    loop_drop (parent);
    eddy_test_context_end (context);
}

EDDY_TEST (L50_parent_never_attached_takes_its_children_along)
{
    EddySource *parent = plain_source ("p"), *child = plain_source ("c");
    ck_assert (eddy_source_add_child_source (parent, child));
    eddy_unref (parent);
    ck_assert (eddy_source_is_destroyed (child));
    eddy_unref (child);
}

typedef struct Swap {
    EddySource *parent;
    EddySource *child;
    int rounds;
} Swap;

static bool swap_child (void *data)
{
    Swap *swap = data;
    record_letter ("p");
    eddy_source_remove_child_source (swap->parent, swap->child);
    ck_assert (eddy_source_is_destroyed (swap->child));
    eddy_unref (swap->child);
    swap->child = plain_source ("c");
    ck_assert (eddy_source_add_child_source (swap->parent, swap->child));
    eddy_source_set_ready_time (swap->child, 0);
    return --swap->rounds > 0;
}

/* In its parent's own dispatch a child is exchanged for the next one. */
EDDY_TEST (L50_children_are_exchanged_in_the_parents_dispatch)
{
    EddyContext *context = eddy_test_context_begin ();
    Swap swap = { .parent = loop_plain_new (), .child = plain_source ("a"), .rounds = 3 };
    eddy_source_set_callback (swap.parent, swap_child, &swap, NULL);
    ck_assert_uint_ne (eddy_source_attach (swap.parent, context), 0);
    ck_assert (eddy_source_add_child_source (swap.parent, swap.child));
    eddy_source_set_ready_time (swap.child, 0);
    for (int i = 0; i < 3; i++)
        ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "apcpcp");
    ck_assert (eddy_source_is_destroyed (swap.parent));
    ck_assert (eddy_source_is_destroyed (swap.child));
    ck_assert (!eddy_context_iteration (context, false));
    eddy_unref (swap.child);
    eddy_unref (swap.parent);
    eddy_test_context_end (context);
}

typedef struct Blocked {
    EddyContext *context;
    EddySource *parent;
    EddySource *old_child;
    EddySource *new_child;
} Blocked;

static bool add_while_blocked (void *data)
{
    Blocked *blocked = data;
    record_letter ("(");
    eddy_source_set_ready_time (blocked->old_child, 0);
    if (blocked->new_child == NULL) {
        blocked->new_child = plain_source ("n");
        eddy_source_set_ready_time (blocked->new_child, 0);
        ck_assert (eddy_source_add_child_source (blocked->parent, blocked->new_child));
        ck_assert (!eddy_context_iteration (blocked->context, false));
        ck_assert (!eddy_context_iteration (blocked->context, false));
    }
    record_letter (")");
    return record.length < 8;
}

/* While its parent is dispatched a child rests, an old one and a new one; then both run. */
EDDY_TEST (L50_children_of_a_blocked_parent_rest)
{
    EddyContext *context = eddy_test_context_begin ();
    Blocked blocked = { .context = context, .parent = loop_plain_new () };
    blocked.old_child = plain_source ("o");
    eddy_source_set_callback (blocked.parent, add_while_blocked, &blocked, NULL);
    ck_assert (eddy_source_add_child_source (blocked.parent, blocked.old_child));
    eddy_source_set_ready_time (blocked.parent, 0);
    ck_assert_uint_ne (eddy_source_attach (blocked.parent, context), 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "()");
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_ptr_nonnull (strchr (record.text, 'o'));
    ck_assert_ptr_nonnull (strchr (record.text, 'n'));
    ck_assert_str_eq (record.text + 4, "()");
    loop_drop (blocked.parent);
    eddy_unref (blocked.old_child);
    eddy_unref (blocked.new_child);
    eddy_test_context_end (context);
}
