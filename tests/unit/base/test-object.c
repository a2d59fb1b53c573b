/* SPDX-License-Identifier: MIT */
/*
 * Objects: references, holds, the order of their end, threads.
 */
#include <eddy/object.h>
#include <pthread.h>

#include "base/object-private.h"
#include "test.h"

typedef struct Thing {
    EddyObject object;
    int value;
} Thing;

/* What ran, in order: d for dispose, f for finalize. */
static char order[16];
static size_t n_ran;

static void thing_dispose (void *object)
{
    ck_assert_int_eq (((Thing *) object)->value, 7);
    order[n_ran++] = 'd';
}

static void thing_finalize (void *object)
{
    (void) object;
    order[n_ran++] = 'f';
}

static const EddyClass thing_class = {
    .name = "Thing", .size = sizeof (Thing), .dispose = thing_dispose, .finalize = thing_finalize
};

static Thing *thing_new (void)
{
    Thing *thing = eddy_object_new (&thing_class);
    ck_assert_ptr_nonnull (thing);
    ck_assert_int_eq (thing->value, 0);
    thing->value = 7;
    return thing;
}

EDDY_TEST (null_is_let_pass)
{
    ck_assert_ptr_null (eddy_ref (NULL));
    ck_assert_ptr_null (eddy_unref (NULL));
    ck_assert_ptr_null (eddy_object_hold (NULL));
    ck_assert_ptr_null (eddy_object_release (NULL));
}

EDDY_TEST (last_reference_disposes_and_finalizes)
{
    Thing *thing = thing_new ();
    ck_assert_ptr_eq (eddy_ref (thing), thing);
    eddy_unref (thing);
    ck_assert_str_eq (order, "");
    ck_assert_ptr_null (eddy_unref (thing));
    ck_assert_str_eq (order, "df");
}

EDDY_TEST (hold_keeps_the_memory_only)
{
    Thing *thing = thing_new ();
    eddy_object_hold (thing);
    eddy_unref (thing);
    ck_assert_str_eq (order, "d");
    ck_assert_int_eq (thing->value, 7);
    eddy_object_release (thing);
    ck_assert_str_eq (order, "df");
}

EDDY_TEST (sought_object_cannot_be_had_after_its_last_reference)
{
    Thing *thing = thing_new ();
    eddy__object_init_sought (thing);
    ck_assert (eddy__object_try_ref (thing));
    eddy_object_hold (thing);
    eddy_unref (thing);
    ck_assert_str_eq (order, "");
    eddy_unref (thing);
    ck_assert_str_eq (order, "d");
    ck_assert (!eddy__object_try_ref (thing));
    eddy_object_release (thing);
    ck_assert_str_eq (order, "df");
}

static void *ref_and_unref (void *object)
{
    for (int i = 0; i < 20000; i++) {
        eddy_ref (object);
        eddy_object_hold (object);
        eddy_unref (object);
        eddy_object_release (object);
    }
    eddy_unref (object);
    return NULL;
}

EDDY_TEST (counts_hold_between_threads)
{
    Thing *thing = thing_new ();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        eddy_ref (thing);
        pthread_create (&threads[i], NULL, ref_and_unref, thing);
    }
    eddy_unref (thing);
    for (int i = 0; i < 4; i++)
        pthread_join (threads[i], NULL);
    ck_assert_str_eq (order, "df");
}

static Thing *take_and_return (void)
{
    EDDY_AUTO (Thing) thing = thing_new ();
    EDDY_AUTO (Thing) dropped = thing_new ();
    ck_assert_ptr_nonnull (dropped);
    return EDDY_TAKE (thing);
}

EDDY_TEST (auto_and_take)
{
    Thing *thing = take_and_return ();
    ck_assert_str_eq (order, "df");
    eddy_clear (&thing);
    ck_assert_ptr_null (thing);
    ck_assert_str_eq (order, "dfdf");
}
