/* SPDX-License-Identifier: MIT */
/*
 * EddyRWLock: readers together, a writer alone, everybody in his order.
 */
#include "sync.h"

typedef struct Visitor {
    EddyRWLock *lock;
    char mode; /* 'r' or 'w' */
    bool inside;
} Visitor;

static bool visitor_lock (Visitor *visitor, EddyError **error)
{
    return visitor->mode == 'r' ? eddy_rw_lock_reader_lock (visitor->lock, NULL, error)
                                : eddy_rw_lock_writer_lock (visitor->lock, NULL, error);
}

static void visitor_unlock (Visitor *visitor)
{
    if (visitor->mode == 'r')
        eddy_rw_lock_reader_unlock (visitor->lock);
    else
        eddy_rw_lock_writer_unlock (visitor->lock);
}

static void *visit (void *data, EddyError **error)
{
    Visitor *visitor = data;
    if (visitor_lock (visitor, error))
        visitor->inside = true;
    return NULL;
}

enum { N = 7 };

typedef struct House {
    EddyContext *context;
    EddyRWLock *lock;
    Visitor visitors[N];
    EddyFuture *fibers[N];
} House;

/* They come in this order. */
static void house_begin (House *house, const char *modes)
{
    *house = (House){ .context = eddy_test_context_begin (), .lock = eddy_rw_lock_new () };
    eddy_rw_lock_set_name (house->lock, "the house");
    for (int i = 0; i < N; i++) {
        house->visitors[i] = (Visitor){ .lock = house->lock, .mode = modes[i] };
        house->fibers[i] = eddy_spawn (house->context, visit, &house->visitors[i], NULL);
    }
    sync_settle (house->context);
}

/* Asserts who is inside: "rr....." */
static void house_expect (House *house, const char *inside)
{
    char now[N + 1] = "";
    sync_settle (house->context);
    for (int i = 0; i < N; i++)
        now[i] = house->visitors[i].inside ? house->visitors[i].mode : '.';
    ck_assert_str_eq (now, inside);
}

static void house_leave (House *house, int i)
{
    ck_assert (house->visitors[i].inside);
    house->visitors[i].inside = false;
    visitor_unlock (&house->visitors[i]);
}

static void house_end (House *house)
{
    EddyError *error = NULL;
    for (int i = 0; i < N; i++) {
        if (!eddy_block_on_complete (house->context, house->fibers[i], &error))
            eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (house->fibers[i]);
    }
    ck_assert (eddy_rw_lock_writer_trylock (house->lock));
    eddy_rw_lock_writer_unlock (house->lock);
    eddy_unref (house->lock);
    eddy_test_context_end (house->context);
}

EDDY_TEST (D_rwlock_serves_in_order)
{
    House house;
    house_begin (&house, "rrwrrwr");
    house_expect (&house, "rr.....");
    ck_assert (!eddy_rw_lock_reader_trylock (house.lock)); /* a writer waits */
    ck_assert (!eddy_rw_lock_writer_trylock (house.lock));
    house_leave (&house, 1);
    house_expect (&house, "r......");
    house_leave (&house, 0);
    house_expect (&house, "..w....");
    ck_assert (!eddy_rw_lock_reader_trylock (house.lock));
    house_leave (&house, 2);
    house_expect (&house, "...rr..");
    house_leave (&house, 3);
    house_leave (&house, 4);
    house_expect (&house, ".....w.");
    house_leave (&house, 5);
    house_expect (&house, "......r");
    ck_assert (eddy_rw_lock_reader_trylock (house.lock));
    eddy_rw_lock_reader_unlock (house.lock);
    ck_assert (!eddy_rw_lock_writer_trylock (house.lock));
    house_leave (&house, 6);
    house_end (&house);
}

/* Readers who waited behind a writer go on when he is cancelled. */
EDDY_TEST (D_rwlock_cancelled_writer_makes_way)
{
    House house;
    house_begin (&house, "rwrrwrr");
    house_expect (&house, "r......");
    eddy_future_cancel (house.fibers[3]);
    house_expect (&house, "r......");
    eddy_future_cancel (house.fibers[1]);
    house_expect (&house, "r.r....");
    eddy_future_cancel (house.fibers[4]);
    house_expect (&house, "r.r..rr");
    for (int i = 0; i < N; i++)
        if (house.visitors[i].inside)
            house_leave (&house, i);
    house_end (&house);
}

/* Handed over and cancelled before it runs: it has it. */
EDDY_TEST (D_rwlock_granted_and_cancelled_is_granted)
{
    House house;
    house_begin (&house, "wrrwrrr");
    house_leave (&house, 0);
    for (int i = 1; i <= 2; i++)
        eddy_future_cancel (house.fibers[i]);
    house_expect (&house, ".rr....");
    house_leave (&house, 1);
    house_leave (&house, 2);
    eddy_future_cancel (house.fibers[3]);
    house_expect (&house, "...w...");
    house_leave (&house, 3);
    house_expect (&house, "....rrr");
    for (int i = 4; i < N; i++)
        house_leave (&house, i);
    house_end (&house);
}

static void *visit_in_turn (void *data, EddyError **error)
{
    EddyRWLock *lock = data;
    for (int i = 0; i < 4; i++) {
        Visitor visitor = { .lock = lock, .mode = i % 2 == 0 ? 'r' : 'w' };
        if (!visitor_lock (&visitor, error))
            return NULL;
        eddy_fiber_yield ();
        visitor_unlock (&visitor);
    }
    return NULL;
}

static void *compete (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) second = eddy_spawn_local (visit_in_turn, data, NULL);
    EDDY_AUTO (EddyFuture) third = eddy_spawn_local (visit_in_turn, data, NULL);
    eddy_fiber_yield ();
    visit_in_turn (data, error);
    if (*error == NULL && eddy_await_complete (second, error))
        eddy_await_complete (third, error);
    return NULL;
}

static void check_free (void *data, bool cancelled, uint32_t point)
{
    (void) cancelled;
    (void) point;
    ck_assert (eddy_rw_lock_writer_trylock (data));
    eddy_rw_lock_writer_unlock (data);
}

EDDY_TEST (D_rwlock_cancelled_everywhere)
{
    EddyRWLock *lock = eddy_rw_lock_new ();
    sync_expect_good (compete, lock, check_free);
    eddy_unref (lock);
}

/* --- forms ------------------------------------------------------------------------------------ */

static void count_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    ck_assert (eddy_rw_lock_reader_lock_finish (source_object, result, &error));
    ++*(int *) user_data;
}

static void count_written (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    ck_assert (eddy_rw_lock_writer_lock_finish (source_object, result, &error));
    ++*(int *) user_data;
}

EDDY_TEST (D_rwlock_in_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int called = 0;
    EddyRWLock *lock = eddy_rw_lock_new ();
    ck_assert (eddy_rw_lock_writer_lock (lock, NULL, &error));
    eddy_rw_lock_reader_lock_async (lock, 0, NULL, count_read, &called);
    EddyFuture *reader = eddy_rw_lock_reader_lock_future (lock, 0, NULL);
    EddyFuture *dropped = eddy_rw_lock_reader_lock_future (lock, 0, NULL);
    eddy_rw_lock_writer_lock_async (lock, 0, NULL, count_written, &called);
    EddyFuture *writer = eddy_rw_lock_writer_lock_future (lock, 0, NULL);
    sync_settle (context);
    ck_assert_int_eq (called, 0);
    eddy_rw_lock_writer_unlock (lock);
    eddy_unref (dropped); /* which had been let in */
    ck_assert (eddy_block_on_complete (context, reader, &error));
    sync_settle (context);
    ck_assert_int_eq (called, 1);
    eddy_rw_lock_reader_unlock (lock);
    eddy_rw_lock_reader_unlock (lock);
    sync_settle (context);
    ck_assert_int_eq (called, 2);
    eddy_rw_lock_writer_unlock (lock);
    ck_assert (eddy_block_on_complete (context, writer, &error));
    eddy_rw_lock_writer_unlock (lock);
    ck_assert (eddy_rw_lock_reader_lock (lock, NULL, &error));
    eddy_rw_lock_reader_unlock (lock);
    eddy_unref (reader);
    eddy_unref (writer);
    eddy_unref (lock);
    eddy_test_context_end (context);
}

/* --- threads ---------------------------------------------------------------------------------- */

typedef struct Page {
    EddyRWLock *lock;
    long rounds;
    long written[2]; /* the same, but while a writer has it */
    int readers;     /* atomic */
    int most;        /* readers at once; atomic */
} Page;

static void page_write (Page *page)
{
    ck_assert_int_eq (__atomic_load_n (&page->readers, __ATOMIC_RELAXED), 0);
    page->written[0]++;
    page->written[1]++;
}

static void page_read (Page *page)
{
    int readers = __atomic_add_fetch (&page->readers, 1, __ATOMIC_RELAXED);
    if (readers > __atomic_load_n (&page->most, __ATOMIC_RELAXED))
        __atomic_store_n (&page->most, readers, __ATOMIC_RELAXED);
    ck_assert_int_eq (page->written[0], page->written[1]);
}

static void *use_page (void *data, EddyError **error)
{
    Page *page = data;
    for (long i = 0; i < page->rounds; i++) {
        EDDY_AUTO (EddyCancellable)
        cancellable = eddy_cancellable_new_with_timeout (NULL, i % 7 > 0 ? INT64_MAX : 20000);
        if (i % 4 == 0 && eddy_rw_lock_writer_lock (page->lock, cancellable, error)) {
            page_write (page);
            eddy_fiber_yield ();
            eddy_rw_lock_writer_unlock (page->lock);
        } else if (i % 4 != 0 && eddy_rw_lock_reader_lock (page->lock, cancellable, error)) {
            page_read (page);
            eddy_fiber_yield ();
            __atomic_sub_fetch (&page->readers, 1, __ATOMIC_RELAXED);
            eddy_rw_lock_reader_unlock (page->lock);
        } else {
            eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
        }
    }
    return NULL;
}

EDDY_TEST (D_rwlock_across_threads)
{
    Page page = { .lock = eddy_rw_lock_new () };
    page.rounds = eddy_test_reduced (400, 60, "rounds");
    sync_run_threads (4, 4, use_page, &page);
    ck_assert_int_ge (page.most, 2);
    ck_assert_int_gt (page.written[0], 0);
    ck_assert (eddy_rw_lock_writer_trylock (page.lock));
    eddy_unref (page.lock);
}

static void *use_page_plain (void *data)
{
    Page *page = data;
    EddyError *error = NULL;
    for (long i = 0; i < page->rounds; i++) {
        ck_assert (eddy_rw_lock_writer_lock (page->lock, NULL, &error));
        page_write (page);
        eddy_rw_lock_writer_unlock (page->lock);
        ck_assert (eddy_rw_lock_reader_lock (page->lock, NULL, &error));
        page_read (page);
        __atomic_sub_fetch (&page->readers, 1, __ATOMIC_RELAXED);
        eddy_rw_lock_reader_unlock (page->lock);
    }
    return NULL;
}

EDDY_TEST (D_rwlock_in_plain_threads)
{
    Page page = { .lock = eddy_rw_lock_new () };
    page.rounds = eddy_test_reduced (100, 20, "rounds");
    sync_run_plain (4, use_page_plain, &page);
    ck_assert_int_eq (page.written[0], 4 * page.rounds);
    eddy_unref (page.lock);
}

/* --- who waits for whom ----------------------------------------------------------------------- */

typedef struct Library {
    EddyRWLock *lock;
    EddyMutex *mutex;
} Library;

static void *read_then_lock (void *data, EddyError **error)
{
    const Library *library = data;
    if (!eddy_rw_lock_reader_lock (library->lock, NULL, error))
        return NULL;
    eddy_fiber_yield ();
    if (eddy_mutex_lock (library->mutex, NULL, error))
        eddy_mutex_unlock (library->mutex);
    eddy_rw_lock_reader_unlock (library->lock);
    return NULL;
}

static void *lock_then_write (void *data, EddyError **error)
{
    const Library *library = data;
    if (!eddy_mutex_lock (library->mutex, NULL, error))
        return NULL;
    eddy_fiber_yield ();
    if (eddy_rw_lock_writer_lock (library->lock, NULL, error))
        eddy_rw_lock_writer_unlock (library->lock);
    eddy_mutex_unlock (library->mutex);
    return NULL;
}

/* A writer waits for readers who wait for him; not so while one reads of whom nobody knows. */
EDDY_TEST (D_rwlock_deadlock_is_named)
{
    for (int unknown = 0; unknown < 2; unknown++) {
        EddyContext *context = eddy_test_context_begin ();
        EddyError *error = NULL;
        Library library = { eddy_rw_lock_new (), eddy_mutex_new () };
        EddyFuture *fibers[3];
        if (unknown == 1)
            ck_assert (eddy_rw_lock_reader_trylock (library.lock));
        fibers[0] = eddy_spawn (context, read_then_lock, &library, NULL);
        fibers[1] = eddy_spawn (context, read_then_lock, &library, NULL);
        fibers[2] = eddy_spawn (context, lock_then_write, &library, NULL);
        sync_settle (context);
        ck_assert_int_eq (sync_is_deadlocked (context, "a lock, to write"), unknown == 0);
        if (unknown == 1)
            eddy_rw_lock_reader_unlock (library.lock);
        eddy_future_cancel (fibers[2]);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq (eddy_block_on_complete (context, fibers[i], &error), i < 2);
            eddy_unref (fibers[i]);
        }
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
        ck_assert (!sync_is_deadlocked (context, NULL));
        eddy_unref (library.lock);
        eddy_unref (library.mutex);
        eddy_test_context_end (context);
    }
}

/* --- misuse ----------------------------------------------------------------------------------- */

static int criticals;

static void count_criticals (EddyLogLevel level, const char *message, void *data)
{
    (void) message;
    (void) data;
    criticals += level == EDDY_LOG_CRITICAL;
}

EDDY_TEST (D_rwlock_unlocked_by_who_has_not_is_misuse)
{
    EddyRWLock *lock = eddy_rw_lock_new ();
    eddy_log_set_handler (count_criticals, NULL);
    eddy_rw_lock_reader_unlock (lock);
    eddy_rw_lock_writer_unlock (lock);
    ck_assert_int_eq (criticals, 2);
    ck_assert (eddy_rw_lock_reader_trylock (lock));
    eddy_rw_lock_writer_unlock (lock);
    ck_assert_int_eq (criticals, 3);
    eddy_rw_lock_reader_unlock (lock);
    ck_assert_int_eq (criticals, 3);
    eddy_unref (lock);
}
