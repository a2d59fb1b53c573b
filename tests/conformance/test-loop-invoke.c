/* SPDX-License-Identifier: MIT */
/* Work handed to a context: invoke, and posts by the caller's own node. */
#include "loop.h"

/* --- L22: invoke ------------------------------------------------------------------------------ */

typedef struct Invoked {
    EddyContext *context;
    pthread_t thread;
    int calls;
    int destroyed;
} Invoked;

static bool note_thread (void *data)
{
    Invoked *invoked = data;
    invoked->thread = pthread_self ();
    ck_assert_int_eq (invoked->destroyed, 0);
    return ++invoked->calls < 3;
}

static void note_destroy (void *data)
{
    Invoked *invoked = data;
    invoked->destroyed++;
}

static void *invoke_from_thread (void *data)
{
    Invoked *invoked = data;
    eddy_context_invoke (invoked->context, note_thread, invoked);
    return NULL;
}

EDDY_TEST (L22_invoke_from_another_thread_runs_in_the_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    Invoked invoked = { .context = context };
    loop_elsewhere (invoke_from_thread, &invoked);
    ck_assert_int_eq (invoked.calls, 0);
    ck_assert (eddy_context_iteration (context, true));
    /* As long as it returns true it is called again, in place. */
    ck_assert_int_eq (invoked.calls, 3);
    ck_assert (pthread_equal (invoked.thread, pthread_self ()));
    eddy_test_context_end (context);
}

static bool invoke_inside (void *data)
{
    Invoked *invoked = data;
    eddy_context_invoke_full (invoked->context, EDDY_PRIORITY_LOW, note_thread, invoked,
                              note_destroy);
    ck_assert_int_eq (invoked->calls, 3);
    ck_assert_int_eq (invoked->destroyed, 1);
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L22_invoke_inside_the_loop_is_at_once)
{
    EddyContext *context = eddy_test_context_begin ();
    Invoked invoked = { .context = context };
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, invoke_inside, &invoked));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_eq (invoked.calls, 3);
    eddy_test_context_end (context);
}

/* The owner outside a dispatch waits like everybody: no callback runs inside the call. */
EDDY_TEST (L22_owner_outside_a_dispatch_is_not_called_at_once)
{
    EddyContext *context = eddy_test_context_begin ();
    Invoked invoked = { .context = context };
    ck_assert (eddy_context_is_owner (context));
    eddy_context_invoke (context, note_thread, &invoked);
    ck_assert_int_eq (invoked.calls, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_eq (invoked.calls, 3);
    eddy_test_context_end (context);
}

/* Nobody owns it, so anybody could acquire it: GLib would call here and now. */
EDDY_TEST (L22_context_without_owner_is_not_borrowed)
{
    EddyContext *context = eddy_context_new ();
    Invoked invoked = { .context = context };
    loop_elsewhere (invoke_from_thread, &invoked);
    ck_assert_int_eq (invoked.calls, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_eq (invoked.calls, 3);
    ck_assert (pthread_equal (invoked.thread, pthread_self ()));
    eddy_unref (context);
}

static bool invoke_another_context (void *data)
{
    Invoked *invoked = data;
    eddy_context_invoke (invoked->context, note_thread, invoked);
    ck_assert_int_eq (invoked->calls, 0);
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (L22_dispatch_of_another_context_is_outside)
{
    EddyContext *context = eddy_test_context_begin ();
    Invoked invoked = { .context = eddy_context_new () };
    eddy_unref (loop_attach (eddy_idle_source_new (), 0, invoke_another_context, &invoked));
    ck_assert (eddy_context_iteration (context, false));
    ck_assert (eddy_context_iteration (invoked.context, false));
    ck_assert_int_eq (invoked.calls, 3);
    eddy_unref (invoked.context);
    eddy_test_context_end (context);
}

EDDY_TEST (L22_invoke_has_a_priority)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_context_invoke_full (context, 1, record_once, "c", record_destroy);
    eddy_context_invoke (context, record_once, "b");
    eddy_context_invoke_full (context, -1, record_once, "a", NULL);
    for (int i = 0; i < 3; i++)
        ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "abcc");
    eddy_test_context_end (context);
}

EDDY_TEST (L22_data_of_what_never_ran_are_destroyed)
{
    EddyContext *context = eddy_context_new ();
    Invoked invoked = { .context = context };
    eddy_context_invoke_full (context, 0, note_thread, &invoked, note_destroy);
    ck_assert_int_eq (invoked.destroyed, 0);
    eddy_unref (context);
    ck_assert_int_eq (invoked.calls, 0);
    ck_assert_int_eq (invoked.destroyed, 1);
}

/* --- D_post: posts ---------------------------------------------------------------------------- */

enum { POST_THREADS = 4 };

typedef struct PostedWork {
    EddyPost post;
    struct Posting *posting;
    int number;
} PostedWork;

typedef struct Posting {
    EddyContext *context;
    pthread_t home;
    PostedWork *works;
    int n_works;
    int next; /* that is to run: in the order of posting */
} Posting;

static void run_posted (EddyPost *post)
{
    PostedWork *work = (PostedWork *) post;
    ck_assert (pthread_equal (pthread_self (), work->posting->home));
    ck_assert_int_eq (work->number, work->posting->next);
    work->posting->next++;
}

static void *post_works (void *data)
{
    Posting *posting = data;
    for (int i = 0; i < posting->n_works; i++) {
        posting->works[i] =
            (PostedWork){ .post = { .run = run_posted }, .posting = posting, .number = i };
        ck_assert (eddy_context_post (posting->context, &posting->works[i].post));
    }
    return NULL;
}

EDDY_TEST (D_post_from_many_threads_runs_once_and_in_order)
{
    EddyContext *context = eddy_test_context_begin ();
    Posting postings[POST_THREADS];
    pthread_t threads[POST_THREADS];
    int n = eddy_test_sanitized () ? 2000 : 20000;
    for (int i = 0; i < POST_THREADS; i++) {
        postings[i] = (Posting){ .context = context, .home = pthread_self (), .n_works = n };
        postings[i].works = calloc ((size_t) n, sizeof (PostedWork));
        ck_assert_ptr_nonnull (postings[i].works);
        threads[i] = loop_thread (post_works, &postings[i]);
    }
    for (int i = 0; i < POST_THREADS; i++)
        while (postings[i].next < n)
            eddy_context_iteration (context, true);
    ck_assert (!eddy_context_iteration (context, false));
    for (int i = 0; i < POST_THREADS; i++) {
        loop_join (threads[i]);
        ck_assert_int_eq (postings[i].next, n);
        free (postings[i].works);
    }
    eddy_test_context_end (context);
}

typedef struct LetterPost {
    EddyPost post;
    const char *letter;
} LetterPost;

static void record_post (EddyPost *post)
{
    record_letter (((LetterPost *) post)->letter);
}

EDDY_TEST (D_post_has_a_priority)
{
    EddyContext *context = eddy_test_context_begin ();
    LetterPost posts[] = { { { .run = record_post, .priority = 5 }, "d" },
                           { { .run = record_post, .priority = 0 }, "b" },
                           { { .run = record_post, .priority = -5 }, "a" },
                           { { .run = record_post, .priority = 0 }, "c" } };
    for (size_t i = 0; i < sizeof posts / sizeof posts[0]; i++)
        ck_assert (eddy_context_post (context, &posts[i].post));
    ck_assert_uint_eq (record.length, 0);
    for (int i = 0; i < 3; i++)
        ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "abcd");
    eddy_test_context_end (context);
}

/* The node is the caller's again before run is called: it may be posted from there. */
static void post_again (EddyPost *post)
{
    record_letter (((LetterPost *) post)->letter);
    if (record.length < 5)
        ck_assert (eddy_context_post (eddy_context_get_thread_default (), post));
}

EDDY_TEST (D_post_may_be_used_again_by_its_function)
{
    EddyContext *context = eddy_test_context_begin ();
    LetterPost again = { { .run = post_again }, "p" };
    ck_assert (eddy_context_post (context, &again.post));
    for (size_t i = 1; i <= 5; i++) {
        ck_assert (eddy_context_iteration (context, false));
        ck_assert_uint_eq (record.length, i);
    }
    ck_assert (!eddy_context_iteration (context, false));
    eddy_test_context_end (context);
}

/* Memory that is held may be posted to still: the post is refused, or called at the end. */
EDDY_TEST (D_post_to_a_context_that_is_gone_is_not_lost)
{
    EddyContext *context = eddy_context_new ();
    LetterPost post = { { .run = record_post }, "p" };
    eddy_object_hold (context);
    eddy_unref (context);
    bool is_posted = eddy_context_post (context, &post.post);
    eddy_object_release (context);
    ck_assert_uint_eq (record.length, is_posted ? 1 : 0);
}

static void expect_no_loop (EddyPost *post)
{
    ck_assert_uint_eq (eddy_main_depth (), 0);
    record_post (post);
}

/* Whoever posted may wait for the call, to free the node: it comes in any case. */
EDDY_TEST (D_post_that_never_ran_is_called_at_the_contexts_end)
{
    EddyContext *context = eddy_context_new ();
    LetterPost posts[] = { { { .run = expect_no_loop }, "a" }, { { .run = expect_no_loop }, "b" } };
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert (eddy_context_post (context, &posts[0].post));
    ck_assert (eddy_context_post (context, &posts[1].post));
    ck_assert_uint_eq (record.length, 0);
    eddy_unref (context);
    ck_assert_str_eq (record.text, "ab");
}

/* --- D_timed: posts at a time -------------------------------------------------------------------
 */

typedef struct Timed {
    EddyTimedPost timed;
    EddyContext *context;
    int *order;
    int place;
    int runs;
} Timed;

static void timed_run (EddyTimedPost *timed)
{
    Timed *self = (Timed *) (void *) timed;
    self->place = ++*self->order;
    self->runs++;
}

static void timed_init (Timed *self, int *order)
{
    *self = (Timed){ .timed = { .run = timed_run }, .order = order };
}

EDDY_TEST (D_timed_posts_run_in_the_order_of_their_times)
{
    enum { N = 200 };
    EddyContext *context = eddy_test_context_begin ();
    Timed all[N];
    int order = 0;
    int64_t now_ns = eddy_get_monotonic_time_ns ();
    for (int i = 0; i < N; i++) {
        timed_init (&all[i], &order);
        int64_t at_ns = now_ns + (i * 37 % N) * INT64_C (50000);
        ck_assert (eddy_context_post_at (context, &all[i].timed, at_ns));
    }
    ck_assert_int_eq (order, 0);
    while (order < N)
        eddy_context_iteration (context, true);
    ck_assert_int_ge (eddy_get_monotonic_time_ns (), now_ns + (N - 1) * INT64_C (50000));
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq (all[i].runs, 1);
        ck_assert_int_eq (all[i].place, i * 37 % N + 1);
    }
    eddy_test_context_end (context);
}

EDDY_TEST (D_timed_posts_are_moved_and_taken_back)
{
    EddyContext *context = eddy_test_context_begin ();
    Timed taken, moved, never;
    int order = 0;
    int64_t now_ns = eddy_get_monotonic_time_ns ();
    const int64_t hour_ns = INT64_C (3600000000000);
    timed_init (&taken, &order);
    timed_init (&moved, &order);
    timed_init (&never, &order);
    ck_assert (!eddy_context_take_back (context, &taken.timed));
    ck_assert (eddy_context_post_at (context, &taken.timed, 0));
    ck_assert (eddy_context_post_at (context, &moved.timed, now_ns + hour_ns));
    ck_assert (eddy_context_post_at (context, &never.timed, now_ns));
    ck_assert (eddy_context_post_at (context, &never.timed, now_ns + hour_ns));
    ck_assert (eddy_context_take_back (context, &taken.timed));
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert (eddy_context_post_at (context, &moved.timed, 0));
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_int_eq (moved.runs, 1);
    ck_assert (!eddy_context_take_back (context, &moved.timed));
    ck_assert_int_eq (taken.runs + never.runs, 0);
    eddy_test_context_end (context); /* with one that is still set */
    ck_assert_int_eq (never.runs, 0);
}

static bool take_back_other (void *user_data)
{
    Timed *other = user_data;
    ck_assert_int_eq (other->runs, 0);
    ck_assert (eddy_context_take_back (other->context, &other->timed));
    return EDDY_SOURCE_REMOVE;
}

static void timed_again (EddyTimedPost *timed)
{
    timed_run (timed);
    if (((Timed *) (void *) timed)->runs < 3)
        ck_assert (eddy_context_post_at (((Timed *) (void *) timed)->context, timed, 0));
}

/* It is due, and waits behind what takes it back; and one that sets itself again. */
EDDY_TEST (D_timed_post_is_taken_back_when_it_is_due)
{
    EddyContext *context = eddy_test_context_begin ();
    Timed late, again;
    int order = 0;
    timed_init (&late, &order);
    timed_init (&again, &order);
    late.context = again.context = context;
    late.timed.post.priority = EDDY_PRIORITY_LOW;
    again.timed.run = timed_again;
    ck_assert (eddy_context_post_at (context, &late.timed, 0));
    ck_assert (eddy_context_post_at (context, &again.timed, 0));
    ck_assert (eddy_context_iteration (context, true)); /* the more urgent of both, which are due */
    ck_assert_int_eq (again.runs, 1);
    eddy_context_invoke_full (context, EDDY_PRIORITY_HIGH, take_back_other, &late, NULL);
    while (again.runs < 3)
        eddy_context_iteration (context, true);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_int_eq (late.runs, 0);
    ck_assert_int_eq (again.runs, 3);
    eddy_test_context_end (context);
}
