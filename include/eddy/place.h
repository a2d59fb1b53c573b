/* SPDX-License-Identifier: MIT */
/* EddyPlace: where in a program something was made, for messages. */
#ifndef EDDY_PLACE_H
#define EDDY_PLACE_H

#include <eddy/macros.h>

EDDY_BEGIN_DECLS

/** Where a fiber was spawned, or a task made; filled in by the macros that do so. */
typedef struct EddyPlace {
    const char *file;
    int line;
    const char *function;
} EddyPlace;

/** This place in the source. */
#define EDDY_PLACE                                                                                 \
    (__extension__({                                                                               \
        static const EddyPlace eddy_place = { __FILE__, __LINE__, __func__ };                      \
        &eddy_place;                                                                               \
    }))

EDDY_END_DECLS

#endif
