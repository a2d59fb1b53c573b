/* SPDX-License-Identifier: MIT */
/* EddyObject: what everything with a lifetime begins with. */
#ifndef EDDY_OBJECT_H
#define EDDY_OBJECT_H

#include <eddy/macros.h>

EDDY_BEGIN_DECLS

/**
 * What an object is. One static constant for each type.
 *
 * @name: the type's name, for messages
 * @size: bytes of an instance, the EddyObject at its start included
 * @dispose: called once, when the last reference goes: let go of other objects, ask what is under
 *     way to end; never waits; NULL: nothing to do
 * @finalize: called once, right before the memory is freed, when no hold is left; NULL: nothing
 */
typedef struct EddyClass {
    const char *name;
    size_t size;
    void (*dispose) (void *object);
    void (*finalize) (void *object);
} EddyClass;

/**
 * The start of every object. A program's own types put one first and leave it alone.
 *
 * References say who uses an object; holds only keep its memory. At the last reference the object
 * is disposed, and its memory waits for the last hold.
 */
typedef struct EddyObject {
    const EddyClass *object_class;
    uint32_t references;
    uint32_t holds;
} EddyObject;

/**
 * Makes an object with one reference, its memory zeroed.
 *
 * Returns: the object, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_object_new (const EddyClass *object_class);

/**
 * Takes a reference.
 *
 * @object: an object, or NULL
 *
 * Returns: @object
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_ref (void *object);

/**
 * Gives a reference up; the last one disposes of the object.
 *
 * @object: an object, or NULL
 *
 * Returns: NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_unref (void *object);

/**
 * eddy_unref() for where a `void (*) (void *)` is asked for: a destroy function.
 *
 * @object: an object, or NULL
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_destroy (void *object);

/**
 * Keeps an object's memory, not the object: it may be disposed of meanwhile.
 *
 * @object: an object, or NULL
 *
 * Returns: @object
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_object_hold (void *object);

/**
 * Gives a hold up; after the last reference and the last hold the memory is freed.
 *
 * @object: an object, or NULL
 *
 * Returns: NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_object_release (void *object);

/**
 * Copies a string.
 *
 * @string: a string, or NULL
 *
 * Returns: the copy, to be freed with eddy_free(); NULL for NULL, and when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API char *eddy_strdup (const char *string);

/**
 * Frees memory that Eddy gave.
 *
 * @memory: memory, or NULL
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_free (void *memory);

/** Gives up the reference that `*pointer` holds, and sets it to NULL. */
#define eddy_clear(pointer)                                                                        \
    do {                                                                                           \
        eddy_unref (*(pointer));                                                                   \
        *(pointer) = NULL;                                                                         \
    } while (0)

/** What EDDY_AUTO calls with the address of its variable. Thread: any. Since: 0.1 */
static inline void eddy_auto_unref (void *variable)
{
    eddy_unref (*(void **) variable);
}

/** What EDDY_AUTO_FREE calls with the address of its variable. Thread: any. Since: 0.1 */
static inline void eddy_auto_free (void *variable)
{
    eddy_free (*(void **) variable);
}

/** Declares a pointer to an object that is given up when it goes out of scope:
 * `EDDY_AUTO (EddyFile) file = NULL;`. Initialise it. */
#define EDDY_AUTO(Type) __attribute__ ((cleanup (eddy_auto_unref))) Type *
/** The same for memory to be freed with eddy_free(). */
#define EDDY_AUTO_FREE(Type) __attribute__ ((cleanup (eddy_auto_free))) Type *

/** Takes the pointer out of a variable, leaving NULL: `return EDDY_TAKE (file);`. */
#define EDDY_TAKE(variable)                                                                        \
    __extension__({                                                                                \
        __typeof__ (variable) eddy_taken = (variable);                                             \
        (variable) = NULL;                                                                         \
        eddy_taken;                                                                                \
    })

EDDY_END_DECLS

#endif
