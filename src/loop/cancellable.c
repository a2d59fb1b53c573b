/* SPDX-License-Identifier: MIT */
/* EddyCancellable: a flag, what it was raised for, and whom it passes that on to. */
#include "loop/cancellable-private.h"

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "base/compiler-private.h"
#include "base/object-private.h"
#include "sys/clock-private.h"

/* --- making ----------------------------------------------------------------------------------- */

/* Follows the parent: from now on, or at once when it is cancelled already. */
static void cancellable_adopt (EddyCancellable *cancellable, EddyCancellable *parent)
{
    pthread_mutex_lock (&parent->mutex);
    bool late = parent->state == EDDY_CANCELLABLE_CANCELLED;
    if (!late) {
        cancellable->parent = eddy_ref (parent);
        eddy__list_append (&parent->children, &cancellable->sibling);
    }
    pthread_mutex_unlock (&parent->mutex);
    if (late) {
        cancellable->cause = eddy__cancellable_ref_cause (parent);
        cancellable->state = EDDY_CANCELLABLE_CANCELLED;
    }
}

/* The last reference has gone, so no child is left, and nobody watches. */
static void cancellable_dispose (void *object)
{
    EddyCancellable *cancellable = object;
    EddyCancellable *parent = cancellable->parent;
    if (parent != NULL) {
        pthread_mutex_lock (&parent->mutex);
        eddy__list_remove (&cancellable->sibling);
        pthread_mutex_unlock (&parent->mutex);
        cancellable->parent = NULL;
        eddy_unref (parent);
    }
    eddy__cancel_handlers_drop (cancellable);
    eddy__cancel_links_drop (cancellable);
    eddy__cancel_fd_drop (cancellable);
    eddy_clear (&cancellable->cause);
    pthread_mutex_destroy (&cancellable->mutex);
}

static const EddyClass cancellable_class = { .name = "EddyCancellable",
                                             .size = sizeof (EddyCancellable),
                                             .dispose = cancellable_dispose };
static const EddyClass cancellable_limited_class = { .name = "EddyCancellable",
                                                     .size = sizeof (EddyCancellable) +
                                                             sizeof (EddyCancelLimits),
                                                     .dispose = cancellable_dispose };

/* `limits`: NULL: there are none. */
static EddyCancellable *cancellable_new (EddyCancellable *parent, const EddyCancelLimits *limits)
{
    EddyCancellable *cancellable =
        eddy_object_new (limits == NULL ? &cancellable_class : &cancellable_limited_class);
    if (cancellable == NULL)
        return NULL;
    pthread_mutex_init (&cancellable->mutex, NULL);
    eddy__list_init (&cancellable->sibling);
    eddy__list_init (&cancellable->children);
    eddy__list_init (&cancellable->handlers);
    eddy__cancel_links_init (cancellable);
    if (limits != NULL) {
        cancellable->limited = true;
        cancellable->state = EDDY_CANCELLABLE_LIMITED;
        *eddy__cancellable_limits (cancellable) = *limits;
    }
    /* The parent looks for its children, alarms for what they ring for. */
    if (limits != NULL || parent != NULL)
        eddy__object_init_sought (cancellable);
    if (parent != NULL)
        cancellable_adopt (cancellable, parent);
    return cancellable;
}

EddyCancellable *eddy_cancellable_new (void)
{
    return cancellable_new (NULL, NULL);
}

EddyCancellable *eddy_cancellable_new_child (EddyCancellable *parent)
{
    bool limited = parent != NULL && parent->limited;
    return cancellable_new (parent, limited ? eddy__cancellable_limits (parent) : NULL);
}

EddyCancellable *eddy_cancellable_new_with_timeout (EddyCancellable *parent, int64_t timeout_ns)
{
    EDDY__EXPECT (timeout_ns >= 0, NULL);
    EddyCancelLimits limits = { INT64_MAX, NULL };
    if (__builtin_add_overflow (eddy__sys_now_ns (), timeout_ns, &limits.deadline_ns))
        limits.deadline_ns = INT64_MAX;
    if (parent != NULL && parent->limited) {
        const EddyCancelLimits *inherited = eddy__cancellable_limits (parent);
        limits.observer = inherited->observer;
        if (inherited->deadline_ns < limits.deadline_ns)
            limits.deadline_ns = inherited->deadline_ns;
    }
    return cancellable_new (parent, &limits);
}

EddyCancellable *eddy__cancellable_new_observed (EddyCancelObserver *observer)
{
    EddyCancelLimits limits = { INT64_MAX, observer };
    return cancellable_new (NULL, &limits);
}

static EddyCancellable cancellable_stand_in = { .mutex = PTHREAD_MUTEX_INITIALIZER };
static pthread_once_t cancellable_stand_in_once = PTHREAD_ONCE_INIT;

/* Its counts start so high that it never ends. */
static void cancellable_stand_in_make (void)
{
    EddyCancellable *self = &cancellable_stand_in;
    self->object = (EddyObject){ &cancellable_class, 1U << 30, 1U << 30 };
    eddy__list_init (&self->sibling);
    eddy__list_init (&self->children);
    eddy__list_init (&self->handlers);
    eddy__cancel_links_init (self);
    self->cause = eddy__error_no_memory ();
    self->state = EDDY_CANCELLABLE_CANCELLED;
}

EddyCancellable *eddy__cancellable_no_memory (void)
{
    pthread_once (&cancellable_stand_in_once, cancellable_stand_in_make);
    return &cancellable_stand_in;
}

/* --- cancel ----------------------------------------------------------------------------------- */

/* Children may have children: as deep as they go, which a stack may not. From here on a cancel is
 * put off, and done last. */
enum { CANCEL_DEEPEST = 32 };

static EDDY__THREAD unsigned cancel_depth;
static EDDY__THREAD EddyList cancel_deferred; /* by `sibling`; `next` NULL: not begun */

/* Takes a child of one that is cancelled, with a reference; NULL: there is none. A child whose last
 * reference has just gone is still in the list until it has cleared itself. */
static EddyCancellable *cancel_take_child (EddyCancellable *cancellable)
{
    EddyCancellable *child = NULL;
    pthread_mutex_lock (&cancellable->mutex);
    for (EddyList *link; (link = eddy__list_pop (&cancellable->children)) != NULL;) {
        child = EDDY__CONTAINER (link, EddyCancellable, sibling);
        if (eddy__object_try_ref (child))
            break;
        child = NULL;
    }
    pthread_mutex_unlock (&cancellable->mutex);
    return child;
}

static void cancel_child (EddyCancellable *child)
{
    eddy_cancellable_cancel_with_cause (child, eddy__cancellable_ref_cause (child->parent));
    eddy_unref (child);
}

static void cancel_children (EddyCancellable *cancellable)
{
    if (cancel_deferred.next == NULL)
        eddy__list_init (&cancel_deferred);
    cancel_depth++;
    for (EddyCancellable *child; (child = cancel_take_child (cancellable)) != NULL;) {
        if (cancel_depth > CANCEL_DEEPEST)
            eddy__list_append (&cancel_deferred, &child->sibling);
        else
            cancel_child (child);
    }
    for (EddyList *link; cancel_depth == 1 && (link = eddy__list_pop (&cancel_deferred)) != NULL;)
        cancel_child (EDDY__CONTAINER (link, EddyCancellable, sibling));
    cancel_depth--;
}

void eddy_cancellable_cancel (EddyCancellable *cancellable)
{
    eddy_cancellable_cancel_with_cause (cancellable, NULL);
}

void eddy_cancellable_cancel_with_cause (EddyCancellable *cancellable, EddyError *cause)
{
    bool first = false;
    if (cancellable != NULL) {
        pthread_mutex_lock (&cancellable->mutex);
        first = cancellable->state != EDDY_CANCELLABLE_CANCELLED;
        if (first) {
            cancellable->cause = cause;
            __atomic_store_n (&cancellable->state, EDDY_CANCELLABLE_CANCELLED, __ATOMIC_SEQ_CST);
            eddy__cancel_fd_signal (cancellable);
        }
        pthread_mutex_unlock (&cancellable->mutex);
    }
    if (!first) {
        eddy_unref (cause);
        return;
    }
    /* A handler may drop the last reference. */
    eddy_ref (cancellable);
    eddy__cancel_handlers_run (cancellable);
    cancel_children (cancellable);
    eddy__cancel_links_post (cancellable);
    eddy_unref (cancellable);
}

void eddy__cancellable_expire (EddyCancellable *cancellable)
{
    int64_t deadline_ns = eddy__cancellable_deadline (cancellable);
    EddyCancellable *first = cancellable;
    while (first->parent != NULL && eddy__cancellable_deadline (first->parent) == deadline_ns)
        first = first->parent;
    if (!eddy__cancellable_is_told (first))
        eddy_cancellable_cancel_with_cause (
            first, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT, "operation timed out"));
    /* When another thread cancels them just now, it may not have come down to this one yet. */
    if (first != cancellable && !eddy__cancellable_is_told (cancellable))
        eddy_cancellable_cancel_with_cause (cancellable, eddy__cancellable_ref_cause (first));
}

/* --- questions -------------------------------------------------------------------------------- */

bool eddy__cancellable_look (EddyCancellable *cancellable)
{
    const EddyCancelLimits *limits = eddy__cancellable_limits (cancellable);
    if (limits->observer != NULL)
        limits->observer->looked (limits->observer);
    if (!eddy__cancellable_is_told (cancellable) && limits->deadline_ns != INT64_MAX &&
        eddy__sys_now_ns () >= limits->deadline_ns)
        eddy__cancellable_expire (cancellable);
    return eddy__cancellable_is_told (cancellable);
}

bool eddy_cancellable_is_cancelled (EddyCancellable *cancellable)
{
    return eddy__cancellable_is_cancelled (cancellable);
}

int64_t eddy_cancellable_get_deadline (EddyCancellable *cancellable)
{
    return cancellable == NULL ? INT64_MAX : eddy__cancellable_deadline (cancellable);
}

const EddyError *eddy_cancellable_get_cause (EddyCancellable *cancellable)
{
    return eddy__cancellable_is_cancelled (cancellable) ? cancellable->cause : NULL;
}

EddyError *eddy__cancellable_make_error (EddyCancellable *cancellable)
{
    if (eddy__cancellable_is_cancelled (cancellable) && cancellable->cause != NULL)
        return eddy__cancellable_ref_cause (cancellable);
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED, "operation was cancelled");
}

bool eddy_cancellable_set_error_if_cancelled (EddyCancellable *cancellable, EddyError **error)
{
    if (!eddy__cancellable_is_cancelled (cancellable))
        return false;
    if (error != NULL)
        *error = eddy__cancellable_make_error (cancellable);
    return true;
}
