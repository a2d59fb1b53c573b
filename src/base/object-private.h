/* SPDX-License-Identifier: MIT */
/* What the library itself needs of objects beyond the public interface. */
#pragma once

#include <eddy/object.h>

/* Begins an object in memory that the caller provides: one reference, and the one hold that all
 * references together have. When the last hold goes, finalize runs and the memory is freed;
 * a class whose memory is not a block of its size has the size 0 and frees it in finalize. */
void eddy__object_init (void *object, const EddyClass *object_class);

/* The same with further holds already taken. */
void eddy__object_init_shared (void *object, const EddyClass *object_class, uint32_t holds);

/* A bit of the holds: somebody may take a reference without having one, by the function below. */
#define EDDY__SOUGHT (UINT32_C (1) << 31)

/* Right after init, before anybody else has the object: it may be sought. */
void eddy__object_init_sought (void *object);

/* Takes a reference unless the last one has gone already. The object must have been made to be
 * sought, and its dispose must keep seekers away. */
bool eddy__object_try_ref (void *object);

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
