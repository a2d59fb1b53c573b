/* SPDX-License-Identifier: MIT */
/* Runs of bytes that are read into, or written from, together. */
#ifndef EDDY_VECTOR_H
#define EDDY_VECTOR_H

#include <stddef.h>

#include <eddy/macros.h>

EDDY_BEGIN_DECLS

/** One of several runs of memory that are read into together; laid out as a struct iovec. */
typedef struct EddyInputVector {
    /** Where the bytes go. */
    void *buffer;
    /** How many there is room for. */
    size_t size;
} EddyInputVector;

/** One of several runs of bytes that are written together; laid out as a struct iovec. */
typedef struct EddyOutputVector {
    /** The bytes. */
    const void *buffer;
    /** How many. */
    size_t size;
} EddyOutputVector;

EDDY_END_DECLS

#endif
