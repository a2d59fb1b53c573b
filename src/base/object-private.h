/* SPDX-License-Identifier: MIT */
/* What the library itself needs of objects beyond the public interface. */
#pragma once

#include <eddy/object.h>

#if defined __has_include
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define EDDY__HAVE_SINGLE_THREADED 1
#endif
#endif

/* Begins an object in memory that the caller provides: one reference, and the one hold that all
 * references together have; `holds` counts it and further ones. When the last hold goes, finalize
 * runs and the memory is freed; a class whose memory is not a block of its size has the size 0 and
 * frees it in finalize. */
static inline void eddy__object_init_shared (void *object, const EddyClass *object_class,
                                             uint32_t holds)
{
    EddyObject *self = (EddyObject *) object;
    self->object_class = object_class;
    __atomic_store_n (&self->references, 1, __ATOMIC_RELAXED);
    __atomic_store_n (&self->holds, holds, __ATOMIC_RELAXED);
}

static inline void eddy__object_init (void *object, const EddyClass *object_class)
{
    eddy__object_init_shared (object, object_class, 1);
}

/* Whether this process has one thread only: then nobody else can count. */
static inline bool eddy__single_threaded (void)
{
#if EDDY__HAVE_SINGLE_THREADED
    return __libc_single_threaded != 0;
#else
    return false;
#endif
}

static inline void eddy__object_count_up (uint32_t *count)
{
    if (eddy__single_threaded ())
        __atomic_store_n (count, __atomic_load_n (count, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
    else
        __atomic_add_fetch (count, 1, __ATOMIC_RELAXED);
}

/* Gives one of a count up; whether it was the last. The owner of the last one, if `alone`, has
 * nobody to race with: a count of one that is his can only be raised by him. An atomic exchange
 * waits for all stores before it: 4 to 15 ns, half of what it costs to spawn and join a fiber. */
static inline bool eddy__object_count_down (uint32_t *count, bool alone)
{
    uint32_t before = __atomic_load_n (count, __ATOMIC_ACQUIRE);
    if ((alone && before == 1) || eddy__single_threaded ()) {
        __atomic_store_n (count, before - 1, __ATOMIC_RELAXED);
        return before == 1;
    }
    return __atomic_sub_fetch (count, 1, __ATOMIC_ACQ_REL) == 0;
}

/* The last hold has gone. */
void eddy__object_end (EddyObject *object);

/* eddy_object_release(), inlined; not of NULL. */
static inline void eddy__object_release (void *object)
{
    EddyObject *self = (EddyObject *) object;
    if (eddy__object_count_down (&self->holds, /* alone= */ true))
        eddy__object_end (self);
}

/* Bits of the holds: somebody may take a reference without having one, by the function below. */
#define EDDY__SOUGHT (UINT32_C (1) << 31)
/* … since futures are bound to the object: they are told before it is disposed of. */
#define EDDY__BOUND (UINT32_C (1) << 30)

/* Right after init, before anybody else has the object: it may be sought. */
void eddy__object_init_sought (void *object);

/* Whoever has a reference marks the object as bound. Its memory is then there until its last bond
 * has ended: each has a hold. */
void eddy__object_set_bound (void *object);
/* Set by the future room before it marks the first: the object's last reference has gone. */
extern void (*eddy__object_bound_gone) (void *object);

/* Takes a reference unless the last one has gone already. The object must have been made to be
 * sought, and its dispose must keep seekers away; or it is bound. */
bool eddy__object_try_ref (void *object);

/* Gives a reference up unless it is the last one: then it is still the caller's. */
bool eddy__object_unref_unless_last (void *object);

/* Gives up what a program has handed over, by the function that came with it, if one did. */
static inline void eddy__destroy_data (void (*destroy) (void *data), void *data)
{
    if (destroy != NULL)
        destroy (data);
}

/* Warns that `function` was misused, naming what should have held. */
void eddy__misuse (const char *function, const char *expectation);

/* Returns from a public function that was called wrongly, as g_return_val_if_fail does. */
#define EDDY__EXPECT(condition, ...)                                                               \
    do {                                                                                           \
        if (__builtin_expect (!(condition), 0)) {                                                  \
            eddy__misuse (__func__, #condition);                                                   \
            return __VA_ARGS__;                                                                    \
        }                                                                                          \
    } while (0)
