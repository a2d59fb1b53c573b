/* SPDX-License-Identifier: MIT */
/* eddy_select(): one wait at many channels and futures.
 *
 * To look what can happen, and to begin to wait, a select locks all its channels, in the order of
 * their addresses; so nothing slips in between. Who waits is decided for one case under a lock of
 * his own, the last to be taken: by another thread that has locked one of the channels, by a
 * future, or by a cancel. Once awake he takes the other parts off their lists, one by one. */
#include <eddy/select-bodies.h>

#include <limits.h>

#include "base/alloc-private.h"
#include "sync/channel-private.h"
#include "future/mirror-private.h"

/* Up to so many cases need no memory but the stack's. */
enum { SELECT_FEW = 8 };

typedef struct EddySelect EddySelect;

/* One case while it is looked at or waited for. */
struct EddySelectPart {
    EddySelect *select;
    EddySelectCase *select_case;
    EddySelectPart *in_order; /* the part at this place, by the address of its channel */
    EddyAnywhere anywhere;    /* of a future */
    bool locked;              /* there was something to lock */
    /* In the channel's list of waiters; what stands before the link tells that it is a part. */
    EddySelectPart *part;
    EddyList member;
};

_Static_assert(offsetof (EddySelectPart, member) ==
                   offsetof (EddySelectPart, part) + sizeof (EddySelectPart *),
               "the link stands right behind what tells its kind");

struct EddySelect {
    EddyParking parking;
    EddyLock lock;
    EddyList undecided; /* the parking, until it is decided what happens */
    EddySelectCase *chosen;
    size_t n_parts;
    EddySelectPart *parts;
    EddySelectPart few[SELECT_FEW];
};

/* --- what a case is about --------------------------------------------------------------------- */

static EddyChannel *part_get_channel (const EddySelectPart *part)
{
    const EddySelectCase *select_case = part->select_case;
    return select_case->kind == EDDY_SELECT_KIND_FUTURE ? NULL : select_case->on;
}

static EddyFuture *part_get_future (const EddySelectPart *part)
{
    const EddySelectCase *select_case = part->select_case;
    return select_case->kind == EDDY_SELECT_KIND_FUTURE ? select_case->on : NULL;
}

/* Its own end of its channel. */
static EddyChannelEnd *part_get_end (const EddySelectPart *part)
{
    EddyChannel *channel = part_get_channel (part);
    return part->select_case->kind == EDDY_SELECT_KIND_SEND ? &channel->sending
                                                            : &channel->receiving;
}

static EddyChannelEnd *part_get_other_end (const EddySelectPart *part)
{
    EddyChannel *channel = part_get_channel (part);
    return part->select_case->kind == EDDY_SELECT_KIND_SEND ? &channel->receiving
                                                            : &channel->sending;
}

/* --- deciding --------------------------------------------------------------------------------- */

bool eddy__select_is_waiting (EddySelectPart *part)
{
    EddySelect *select = part->select;
    bool locked = eddy__lock (&select->lock);
    bool waiting = eddy__list_is_linked (&select->parking.member);
    eddy__unlock (&select->lock, locked);
    return waiting;
}

/* Decides for a part; NULL when it has been decided. Until it is granted the select stays. */
static EddyParking *select_claim (EddySelectPart *part)
{
    EddySelect *select = part->select;
    bool locked = eddy__lock (&select->lock);
    bool waiting = eddy__list_is_linked (&select->parking.member);
    eddy__list_remove (&select->parking.member);
    if (waiting)
        select->chosen = part->select_case;
    eddy__unlock (&select->lock, locked);
    return waiting ? &select->parking : NULL;
}

EddyParking *eddy__select_take_sender (EddySelectPart *part, void **message)
{
    EddyParking *parking = select_claim (part);
    if (parking != NULL)
        *message = part->select_case->message;
    return parking;
}

EddyParking *eddy__select_take_receiver (EddySelectPart *part, void *message)
{
    EddyParking *parking = select_claim (part);
    if (parking != NULL)
        part->select_case->message = message;
    return parking;
}

EddyParking *eddy__select_take_closed (EddySelectPart *part)
{
    EddyParking *parking = select_claim (part);
    if (parking != NULL)
        part->select_case->is_closed = true;
    return parking;
}

static void select_future_completed (EddyWatcher *watcher)
{
    EddyParking *parking =
        select_claim (EDDY__CONTAINER (watcher, EddySelectPart, anywhere.watcher));
    if (parking != NULL)
        eddy__parking_grant (parking);
}

/* --- all channels at once --------------------------------------------------------------------- */

/* Puts a part where it belongs among those before it. */
static void select_sort_in (EddySelect *select, size_t n_sorted)
{
    EddySelectPart *parts = select->parts, *part = &parts[n_sorted];
    size_t place = n_sorted;
    for (; place > 0 && part_get_channel (parts[place - 1].in_order) > part_get_channel (part);
         place--)
        parts[place].in_order = parts[place - 1].in_order;
    parts[place].in_order = part;
}

/* The part that has the lock of the channel at a place of the order; NULL: none, or another one. */
static EddySelectPart *select_get_locker (EddySelect *select, size_t place)
{
    EddySelectPart *part = select->parts[place].in_order;
    const EddyChannel *channel = part_get_channel (part);
    if (channel == NULL)
        return NULL;
    if (place > 0 && part_get_channel (select->parts[place - 1].in_order) == channel)
        return NULL;
    return part;
}

static void select_lock (EddySelect *select)
{
    for (size_t place = 0; place < select->n_parts; place++) {
        EddySelectPart *part = select_get_locker (select, place);
        if (part != NULL)
            part->locked = eddy__lock (&part_get_channel (part)->lock);
    }
}

static void select_unlock (EddySelect *select)
{
    for (size_t place = 0; place < select->n_parts; place++) {
        EddySelectPart *part = select_get_locker (select, place);
        if (part != NULL)
            eddy__unlock (&part_get_channel (part)->lock, part->locked);
    }
}

/* --- looking ---------------------------------------------------------------------------------- */

/* Whether somebody waits at an end. Selects decided elsewhere are about to leave: they go now. */
static bool end_has_waiter (EddyChannelEnd *end)
{
    while (!eddy__list_is_empty (&end->waiters)) {
        EddySelectPart *part = eddy__channel_link_part (end->waiters.next);
        if (part == NULL || eddy__select_is_waiting (part))
            return true;
        eddy__list_remove (&part->member);
    }
    return false;
}

/* Whether a part's future, if it has one, need not be waited for. */
static bool part_future_has_come (const EddySelectPart *part)
{
    const EddyFuture *future = part_get_future (part);
    const EddyFiber *fiber = eddy__fiber_current ();
    return future != NULL &&
           eddy__future_has_come (future, fiber == NULL ? NULL : fiber->future.context);
}

/* Whether a case can happen now; its channel is locked. */
static bool part_is_ready (const EddySelectPart *part)
{
    const EddyChannel *channel = part_get_channel (part);
    if (channel == NULL)
        return part_future_has_come (part);
    bool has_room = part->select_case->kind == EDDY_SELECT_KIND_SEND
                        ? channel->length < channel->capacity
                        : channel->length > 0;
    return channel->closed || has_room || end_has_waiter (part_get_other_end (part));
}

static uint32_t select_random (void)
{
    static EDDY__THREAD uint32_t state;
    if (state == 0)
        state = 0x9e3779b9;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* One of those that are ready, each as likely as another; NULL: none is. */
static EddySelectPart *select_pick (EddySelect *select)
{
    EddySelectPart *picked = NULL;
    uint32_t n_ready = 0;
    for (size_t i = 0; i < select->n_parts; i++)
        if (part_is_ready (&select->parts[i]) &&
            (++n_ready == 1 || select_random () % n_ready == 0))
            picked = &select->parts[i];
    return picked;
}

/* Lets a case happen; false when who seemed to wait for it was decided elsewhere meanwhile. */
static bool part_happen (const EddySelectPart *part, EddyParking **granted)
{
    EddySelectCase *select_case = part->select_case;
    EddyChannel *channel = part_get_channel (part);
    int answer = 0;
    if (channel != NULL && select_case->kind == EDDY_SELECT_KIND_SEND)
        answer = channel_put (channel, select_case->message, granted);
    else if (channel != NULL)
        answer = channel_take (channel, &select_case->message, granted);
    if (channel != NULL && answer != -EAGAIN)
        eddy__users_note (&part_get_end (part)->users, eddy__fiber_current ());
    select_case->is_closed = answer == -EPIPE;
    return answer != -EAGAIN;
}

/* Lets one of those happen that can, all channels being locked; whether one has. */
static bool select_try (EddySelect *select, EddyParking **granted)
{
    *granted = NULL;
    EddySelectPart *part;
    do {
        part = select_pick (select);
    } while (part != NULL && !part_happen (part, granted));
    if (part == NULL)
        return false;
    select->chosen = part->select_case;
    return true;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void select_find_wakers (const void *on, EddyWakers *wakers)
{
    const EddySelect *select = on;
    for (size_t i = 0; i < select->n_parts; i++) {
        EddySelectPart *part = &select->parts[i];
        EddyChannel *channel = part_get_channel (part);
        EddyFuture *future = part_get_future (part);
        if (channel != NULL)
            eddy__channel_find_wakers (channel, part_get_other_end (part), wakers);
        else if (future != NULL && eddy__future_is_fiber (future))
            eddy__wakers_add (wakers, eddy__fiber_of (future));
        else if (future != NULL)
            eddy__wakers_add_unknown (wakers);
    }
}

static const EddyWaitKind select_kind = { .what = "a select", .find_wakers = select_find_wakers };

/* Puts the parts in the lists of their channels, which are locked. */
static void select_join (EddySelect *select)
{
    for (size_t i = 0; i < select->n_parts; i++) {
        EddySelectPart *part = &select->parts[i];
        if (part_get_channel (part) == NULL)
            continue;
        eddy__users_note (&part_get_end (part)->users, select->parking.wait.fiber);
        part->part = part;
        eddy__list_append (&part_get_end (part)->waiters, &part->member);
    }
}

/* Takes them off again, where others have not; and nobody knows of the select any more. */
static void select_leave (EddySelect *select)
{
    for (size_t i = 0; i < select->n_parts; i++) {
        EddySelectPart *part = &select->parts[i];
        EddyChannel *channel = part_get_channel (part);
        if (channel == NULL)
            continue;
        bool locked = eddy__lock (&channel->lock);
        eddy__list_remove (&part->member);
        eddy__unlock (&channel->lock, locked);
    }
}

static void select_unwatch_futures (EddySelect *select)
{
    for (size_t i = 0; i < select->n_parts; i++)
        if (part_get_future (&select->parts[i]) != NULL)
            eddy__anywhere_unwatch (&select->parts[i].anywhere);
}

/* Futures of any context tell on this thread, and so not before this fiber waits. 0 or -ENOMEM. */
static int select_watch_futures (EddySelect *select)
{
    EddyContext *context = select->parking.wait.fiber->future.context;
    int answer = 0;
    for (size_t i = 0; i < select->n_parts && answer >= 0; i++) {
        EddySelectPart *part = &select->parts[i];
        EddyFuture *future = part_get_future (part);
        if (future != NULL)
            answer = eddy__anywhere_watch (&part->anywhere, future, context);
    }
    if (answer >= 0)
        return 0;
    select_unwatch_futures (select);
    return answer;
}

static int select_wait (EddySelect *select, EddyCancellable *cancellable)
{
    select_join (select);
    /* Held before anybody can find it in a channel, and until the fiber waits. */
    bool locked = eddy__lock (&select->lock);
    eddy__list_append (&select->undecided, &select->parking.member);
    select_unlock (select);
    int answer = eddy__parking_wait (&select->parking, &select->lock, locked, cancellable,
                                     &select_kind, select);
    select_leave (select);
    return answer;
}

static int select_run (EddySelect *select, EddyFiber *fiber, EddyCancellable *cancellable)
{
    EddyParking *granted;
    int answer = eddy__parking_begin (&select->parking, fiber, cancellable);
    if (answer == 0)
        answer = select_watch_futures (select);
    if (answer < 0)
        return answer;
    select_lock (select);
    if (select_try (select, &granted)) {
        select_unlock (select);
        if (granted != NULL)
            eddy__parking_grant (granted);
    } else {
        answer = select_wait (select, cancellable);
    }
    select_unwatch_futures (select);
    return answer;
}

/* --- beginning and end ------------------------------------------------------------------------ */

/* 0 or -errno. */
static int select_begin (EddySelect *select, EddySelectCase *cases, size_t n_cases)
{
    eddy__lock_init (&select->lock);
    eddy__list_init (&select->undecided);
    eddy__list_init (&select->parking.member);
    select->n_parts = n_cases;
    select->parts = select->few;
    if (n_cases > SELECT_FEW)
        select->parts = eddy__alloc (n_cases * sizeof (EddySelectPart));
    if (select->parts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n_cases; i++) {
        EddySelectPart *part = &select->parts[i];
        part->select = select;
        part->select_case = &cases[i];
        part->anywhere = (EddyAnywhere){ .watcher = { .completed = select_future_completed } };
        eddy__list_init (&part->member);
        cases[i].is_closed = false;
        select_sort_in (select, i);
    }
    return 0;
}

static void select_end (EddySelect *select)
{
    if (select->parts != select->few)
        eddy__free (select->parts);
}

static bool select_is_valid (const EddySelectCase *cases, size_t n_cases)
{
    EDDY__EXPECT ((cases != NULL || n_cases == 0) && n_cases <= INT_MAX, false);
    for (size_t i = 0; i < n_cases; i++)
        EDDY__EXPECT (cases[i].kind != EDDY_SELECT_KIND_SEND || cases[i].message != NULL, false);
    return true;
}

int eddy_select_body (EddySelectCase *cases, size_t n_cases, EddyCancellable *cancellable,
                      EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (!select_is_valid (cases, n_cases))
        return -1;
    EddySelect select;
    int answer = select_begin (&select, cases, n_cases);
    if (answer == 0)
        answer = select_run (&select, fiber, cancellable);
    select_end (&select);
    if (answer == 0)
        return (int) (select.chosen - cases);
    eddy_error_take (error, eddy__parking_make_error (answer, fiber, cancellable, "a select"));
    return -1;
}

int eddy_select_try (EddySelectCase *cases, size_t n_cases, EddyError **error)
{
    if (!select_is_valid (cases, n_cases))
        return -1;
    EddySelect select;
    EddyParking *granted = NULL;
    int answer = select_begin (&select, cases, n_cases);
    if (answer == 0) {
        select_lock (&select);
        answer = select_try (&select, &granted) ? 0 : -EAGAIN;
        select_unlock (&select);
    }
    select_end (&select);
    if (granted != NULL)
        eddy__parking_grant (granted);
    if (answer == 0)
        return (int) (select.chosen - cases);
    if (answer == -EAGAIN)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_BLOCK, "a select would wait");
    else
        eddy_error_set_errno (error, -answer, "a select");
    return -1;
}
