/* SPDX-License-Identifier: MIT */
/* References and holds.
 *
 * All references together own one hold. So the memory goes when both counts are zero, whoever is
 * last, with one atomic operation for each step. */
#include "base/object-private.h"

#include <string.h>

#include "base/alloc-private.h"
#include "base/log-private.h"

void eddy__object_init (void *object, const EddyClass *object_class)
{
    eddy__object_init_shared (object, object_class, 1);
}

void eddy__object_init_shared (void *object, const EddyClass *object_class, uint32_t holds)
{
    EddyObject *self = object;
    self->object_class = object_class;
    __atomic_store_n (&self->references, 1, __ATOMIC_RELAXED);
    __atomic_store_n (&self->holds, holds, __ATOMIC_RELAXED);
}

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
        __atomic_add_fetch (&self->references, 1, __ATOMIC_RELAXED);
    return self;
}

void eddy__object_init_sought (void *object)
{
    EddyObject *self = object;
    __atomic_store_n (&self->holds, 1 | EDDY__SOUGHT, __ATOMIC_RELAXED);
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

/* Gives one of a count up; whether it was the last. The owner of the last one has nobody to race
 * with: a count of one that is his can only be raised by him. An atomic exchange costs more than
 * all the rest of an operation, so he does without. */
static inline bool object_count_down (uint32_t *count, bool alone)
{
    if (alone && __atomic_load_n (count, __ATOMIC_ACQUIRE) == 1) {
        __atomic_store_n (count, 0, __ATOMIC_RELAXED);
        return true;
    }
    return __atomic_sub_fetch (count, 1, __ATOMIC_ACQ_REL) == 0;
}

void *eddy_unref (void *object)
{
    EddyObject *self = object;
    if (self == NULL)
        return NULL;
    bool alone = (__atomic_load_n (&self->holds, __ATOMIC_RELAXED) & EDDY__SOUGHT) == 0;
    if (!object_count_down (&self->references, alone))
        return NULL;
    if (self->object_class->dispose != NULL)
        self->object_class->dispose (self);
    if (!alone)
        __atomic_and_fetch (&self->holds, ~EDDY__SOUGHT, __ATOMIC_RELAXED);
    return eddy_object_release (self);
}

void *eddy_object_hold (void *object)
{
    EddyObject *self = object;
    if (self != NULL)
        __atomic_add_fetch (&self->holds, 1, __ATOMIC_RELAXED);
    return self;
}

void *eddy_object_release (void *object)
{
    EddyObject *self = object;
    if (self == NULL || !object_count_down (&self->holds, /* alone= */ true))
        return NULL;
    /* The class is read first: finalize of a class with no size of its own frees the memory. */
    size_t size = self->object_class->size;
    if (self->object_class->finalize != NULL)
        self->object_class->finalize (self);
    if (size != 0)
        eddy__block_free (self, size);
    return NULL;
}

void eddy__misuse (const char *function, const char *expectation)
{
    eddy__log (EDDY_LOG_CRITICAL, "%s: misuse: expected %s", function, expectation);
}
