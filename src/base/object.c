/* SPDX-License-Identifier: MIT */
/* References and holds.
 *
 * All references together own one hold. So the memory goes when both counts are zero, whoever is
 * last, with one atomic operation for each step. */
#include "base/object-private.h"

#include <string.h>

#include "base/alloc-private.h"
#include "base/log-private.h"

void *eddy_object_new (const EddyClass *object_class)
{
    EddyObject *self = eddy__block_alloc (object_class->size);
    if (self == NULL)
        return NULL;
    memset (self, 0, object_class->size);
    eddy__object_init (self, object_class);
    return self;
}

void *eddy_ref (void *object)
{
    EddyObject *self = object;
    if (self != NULL)
        eddy__object_count_up (&self->references);
    return self;
}

void eddy__object_init_sought (void *object)
{
    EddyObject *self = object;
    __atomic_store_n (&self->holds, 1 | EDDY__SOUGHT, __ATOMIC_RELAXED);
}

void (*eddy__object_bound_gone) (void *object);

void eddy__object_set_bound (void *object)
{
    EddyObject *self = object;
    __atomic_or_fetch (&self->holds, EDDY__BOUND, __ATOMIC_RELAXED);
}

bool eddy__object_try_ref (void *object)
{
    EddyObject *self = object;
    uint32_t references = __atomic_load_n (&self->references, __ATOMIC_RELAXED);
    while (references != 0) {
        if (__atomic_compare_exchange_n (&self->references, &references, references + 1,
                                         /* weak= */ true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

bool eddy__object_unref_unless_last (void *object)
{
    EddyObject *self = object;
    uint32_t references = __atomic_load_n (&self->references, __ATOMIC_RELAXED);
    while (references > 1) {
        if (__atomic_compare_exchange_n (&self->references, &references, references - 1,
                                         /* weak= */ true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

/* Of a class whose memory is a block of its size. */
__attribute__ ((noinline)) static void object_end_block (EddyObject *object)
{
    const EddyClass *object_class = object->object_class;
    if (object_class->finalize != NULL)
        object_class->finalize (object);
    eddy__block_free (object, object_class->size);
}

void eddy__object_end (EddyObject *object)
{
    const EddyClass *object_class = object->object_class;
    if (object_class->size != 0)
        object_end_block (object);
    else if (object_class->finalize != NULL)
        object_class->finalize (object); /* frees the memory, too, if any */
}

/* The last reference has gone; so does the hold that all references had together. */
__attribute__ ((noinline)) static void *object_dispose (EddyObject *self)
{
    if (self->object_class->dispose != NULL)
        self->object_class->dispose (self);
    if (eddy__object_count_down (&self->holds, /* alone= */ true))
        eddy__object_end (self);
    return NULL;
}

/* Of an object that others may have sought until now. */
__attribute__ ((noinline)) static void *object_dispose_sought (EddyObject *self)
{
    if ((__atomic_load_n (&self->holds, __ATOMIC_RELAXED) & EDDY__BOUND) != 0)
        eddy__object_bound_gone (self);
    if (self->object_class->dispose != NULL)
        self->object_class->dispose (self);
    __atomic_and_fetch (&self->holds, ~(EDDY__SOUGHT | EDDY__BOUND), __ATOMIC_RELAXED);
    if (eddy__object_count_down (&self->holds, /* alone= */ true))
        eddy__object_end (self);
    return NULL;
}

static inline bool object_is_sought (const EddyObject *self)
{
    return (__atomic_load_n (&self->holds, __ATOMIC_RELAXED) & (EDDY__SOUGHT | EDDY__BOUND)) != 0;
}

void *eddy_unref (void *object)
{
    EddyObject *self = object;
    if (self == NULL)
        return NULL;
    /* The marks are looked at after the count: who marks an object has a reference, so that whoever
     * finds himself alone sees the marks of all who were. */
    bool alone = __atomic_load_n (&self->references, __ATOMIC_ACQUIRE) == 1;
    if (alone && !object_is_sought (self)) {
        __atomic_store_n (&self->references, 0, __ATOMIC_RELAXED);
        return object_dispose (self);
    }
    if (!eddy__object_count_down (&self->references, /* alone= */ false))
        return NULL;
    return EDDY__UNLIKELY (object_is_sought (self)) ? object_dispose_sought (self)
                                                    : object_dispose (self);
}

void eddy_destroy (void *object)
{
    eddy_unref (object);
}

void *eddy_object_hold (void *object)
{
    EddyObject *self = object;
    if (self != NULL)
        eddy__object_count_up (&self->holds);
    return self;
}

void *eddy_object_release (void *object)
{
    if (object != NULL)
        eddy__object_release (object);
    return NULL;
}

void eddy__misuse (const char *function, const char *expectation)
{
    eddy__log (EDDY_LOG_CRITICAL, "%s: misuse: expected %s", function, expectation);
}
