/* SPDX-License-Identifier: MIT */
/* How the fibers of a sequence hand items over to who asks it.
 *
 *   offered ──► taken, resting ──► asked again: goes on
 *      │               │
 *      └───────────────┴── the sequence closes, or the fiber is cancelled: given up */
#include "sequence/sequence-private.h"

#include "base/error-private.h"
#include "base/object-private.h"

/* On its feeder's stack. */
typedef struct FeedOffer {
    EddyList member;
    void *item; /* NULL: the error is offered, or it was taken */
    EddyError *error;
    EddyFiberWait *wait;
    bool asked; /* for another one */
} FeedOffer;

/* --- who asks --------------------------------------------------------------------------------- */

void eddy__feed_init (EddyFeed *feed, EddySequence *sequence)
{
    feed->sequence = sequence;
    eddy__list_init (&feed->offers);
    eddy__list_init (&feed->resting);
    eddy__list_init (&feed->running);
}

static void feed_wake_all (const EddyList *offers)
{
    for (const EddyList *link = offers->next; link != offers; link = link->next)
        eddy__sequence_wake (EDDY__CONTAINER (link, FeedOffer, member)->wait);
}

/* Not left to the cancel of the fibers: one of them may be shielded. */
void eddy__feed_close (EddyFeed *feed)
{
    feed_wake_all (&feed->offers);
    feed_wake_all (&feed->resting);
    eddy_clear (&feed->failure);
}

bool eddy__feed_is_ready (const EddyFeed *feed)
{
    return !eddy__list_is_empty (&feed->offers) || feed->failure != NULL ||
           eddy__list_is_empty (&feed->running);
}

/* Each of its feeders. */
static void feed_find_wakers (const void *on, EddyWakers *wakers)
{
    const EddyFeed *feed = on;
    for (const EddyList *link = feed->running.next; link != &feed->running; link = link->next)
        eddy__wakers_add (wakers, EDDY__CONTAINER (link, EddyFeeder, member)->fiber);
}

static const EddyWaitKind feed_wait_kind = { .what = "an item of a sequence",
                                             .find_wakers = feed_find_wakers };

int eddy__feed_wait (EddyFeed *feed, EddyCancellable *cancellable, int64_t deadline_ns)
{
    for (EddyList *link; (link = eddy__list_pop (&feed->resting)) != NULL;) {
        FeedOffer *offer = EDDY__CONTAINER (link, FeedOffer, member);
        offer->asked = true;
        eddy__sequence_wake (offer->wait);
    }
    return eddy__sequence_wait (&feed->taker, cancellable, deadline_ns, &feed_wait_kind, feed);
}

/* Takes the oldest offer, whose feeder then rests; NULL: the error that was offered, or an end. */
static void *feed_take_offer (EddyFeed *feed, EddyError **error)
{
    EddyList *link = eddy__list_pop (&feed->offers);
    if (link == NULL) {
        feed->sequence->breaks_off = true;
        if (feed->failure != NULL)
            eddy_error_take (error, EDDY_TAKE (feed->failure));
        return NULL;
    }
    FeedOffer *offer = EDDY__CONTAINER (link, FeedOffer, member);
    eddy__list_append (&feed->resting, &offer->member);
    if (offer->error == NULL)
        return EDDY_TAKE (offer->item);
    eddy_error_take (error, EDDY_TAKE (offer->error));
    eddy_sequence_go_on (feed->sequence);
    return NULL;
}

void *eddy__feed_take (EddyFeed *feed, EddyCancellable *cancellable, int64_t deadline_ns,
                       EddyError **error)
{
    int answer = 0;
    while (!eddy__feed_is_ready (feed) && answer == 0)
        answer = eddy__feed_wait (feed, cancellable, deadline_ns);
    if (!eddy__feed_is_ready (feed))
        return eddy__sequence_fail_wait (feed->sequence, answer, cancellable, error);
    return feed_take_offer (feed, error);
}

/* --- who feeds -------------------------------------------------------------------------------- */

static void feeder_clear_inner (EddyFeeder *feeder)
{
    eddy_clear (&feeder->inner);
}

void eddy__feeder_init (EddyFeeder *feeder, EddyFeed *feed, EddySequence *inner,
                        void (*run) (EddyFeeder *feeder))
{
    *feeder = (EddyFeeder){ .feed = feed, .inner = inner, .run = run, .clear = feeder_clear_inner };
}

static void *feeder_run (void *data, EddyError **error)
{
    EddyFeeder *feeder = data;
    (void) error;
    feeder->has_run = true;
    if (!feeder->feed->sequence->closed)
        feeder->run (feeder);
    return NULL;
}

/* Its fiber ends, or could not even begin: then there was no stack for it. */
static void feeder_ended (void *data)
{
    EddyFeeder *feeder = data;
    EddyFeed *feed = feeder->feed;
    if (!feeder->has_run)
        eddy__feeder_fail (feeder, eddy__error_no_memory ());
    feeder->clear (feeder);
    eddy__list_remove (&feeder->member);
    eddy__sequence_wake (feed->taker);
    eddy_object_release (feed->sequence);
}

int eddy__feeder_begin (EddyFeeder *feeder, const EddyFiberOptions *options, const EddyPlace *place)
{
    EddySequence *sequence = feeder->feed->sequence;
    if (feeder->fiber != NULL)
        return 0;
    EddyFiber *fiber = eddy__fiber_new (sequence->context, NULL, 0);
    if (fiber == NULL)
        return -ENOMEM;
    eddy__fiber_set_function (fiber, feeder_run, feeder, feeder_ended, options, place);
    /* As urgent as who asks, unless the program has said otherwise. */
    if (options->priority == EDDY_PRIORITY_DEFAULT)
        fiber->future.entry.priority = eddy__fiber_current ()->future.entry.priority;
    feeder->fiber = fiber;
    eddy__list_append (&feeder->feed->running, &feeder->member);
    eddy_object_hold (sequence);
    eddy__fiber_start (fiber);
    return 0;
}

void eddy__feeder_end (EddyFeeder *feeder)
{
    if (feeder->fiber == NULL)
        feeder->clear (feeder);
    else
        eddy_clear (&feeder->fiber);
}

static void offer_find_wakers (const void *on, EddyWakers *wakers)
{
    const EddyFeed *feed = on;
    eddy__sequence_add_asking (feed->sequence, wakers);
}

static const EddyWaitKind offer_wait_kind = { .what = "somebody to ask its sequence",
                                              .find_wakers = offer_find_wakers };

bool eddy__feeder_offer (EddyFeeder *feeder, void *item, EddyError *error)
{
    EddyFeed *feed = feeder->feed;
    const EddySequence *sequence = feed->sequence;
    FeedOffer offer = { .item = item, .error = error };
    int answer = 0;
    eddy__list_append (&feed->offers, &offer.member);
    eddy__sequence_wake (feed->taker);
    while (!offer.asked && !sequence->closed && answer == 0)
        answer = eddy__sequence_wait (&offer.wait, NULL, INT64_MAX, &offer_wait_kind, feed);
    eddy__list_remove (&offer.member);
    eddy__sequence_give_up (sequence, offer.item);
    eddy_unref (offer.error);
    return offer.asked && !sequence->closed;
}

void eddy__feeder_fail (EddyFeeder *feeder, EddyError *error)
{
    EddyFeed *feed = feeder->feed;
    if (feed->failure != NULL || feed->sequence->closed)
        eddy_unref (error);
    else
        feed->failure = error;
}

bool eddy__feeder_pass (EddyFeeder *feeder, EddyError *error)
{
    if (feeder->inner->ended || error == NULL) {
        eddy__feeder_fail (feeder, error);
        return false;
    }
    return eddy__feeder_offer (feeder, NULL, error);
}
