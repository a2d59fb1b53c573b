/* SPDX-License-Identifier: MIT */
/* EddyValue: the one value that an operation returns. */
#ifndef EDDY_VALUE_H
#define EDDY_VALUE_H

#include <eddy/object.h>

EDDY_BEGIN_DECLS

/** What a value is, and so what happens when several want it. */
typedef enum EddyValueKind {
    EDDY_VALUE_NONE,
    /** Plain: copied for each taker. */
    EDDY_VALUE_BOOLEAN,
    /** Plain: copied for each taker. */
    EDDY_VALUE_INT,
    /** Shared: an EddyObject, referenced for each taker. */
    EDDY_VALUE_OBJECT,
    /** Single: a pointer with its destroy function; goes to the first taker. */
    EDDY_VALUE_POINTER
} EddyValueKind;

/** A value and how to give it up. Begin with EDDY_VALUE_INIT. */
typedef struct EddyValue {
    EddyValueKind kind;
    union {
        bool boolean;
        int64_t integer;
        void *pointer;
    } as;
    void (*destroy) (void *pointer);
} EddyValue;

#define EDDY_VALUE_INIT                                                                            \
    {                                                                                              \
        EDDY_VALUE_NONE, { 0 }, NULL                                                               \
    }

/** Gives up what a value owns, and empties it. Thread: any. Since: 0.1 */
EDDY_API void eddy_value_clear (EddyValue *value);

/** Makes an empty value a boolean. Thread: any. Since: 0.1 */
EDDY_API void eddy_value_set_boolean (EddyValue *value, bool boolean);

/** Makes an empty value an integer. Thread: any. Since: 0.1 */
EDDY_API void eddy_value_set_int (EddyValue *value, int64_t integer);

/**
 * Makes an empty value an object.
 *
 * @object: an object whose reference is taken, or NULL
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_value_take_object (EddyValue *value, void *object);

/**
 * Makes an empty value a pointer with one owner.
 *
 * @pointer: the pointer, or NULL
 * @destroy: frees it when nobody takes it; NULL: nothing to free
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_value_take_pointer (EddyValue *value, void *pointer,
                                       void (*destroy) (void *pointer));

EDDY_END_DECLS

#endif
