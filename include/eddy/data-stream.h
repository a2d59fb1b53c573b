/* SPDX-License-Identifier: MIT */
/* What reading and writing data have in common: how numbers lie in streams. */
#ifndef EDDY_DATA_STREAM_H
#define EDDY_DATA_STREAM_H

#include <eddy/macros.h>

EDDY_BEGIN_DECLS

/** Which byte of a number comes first. The numbers are GIO's. */
typedef enum EddyDataStreamByteOrder {
    /** The highest one: the order of the network. */
    EDDY_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN,
    /** The lowest one. */
    EDDY_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN,
    /** That of this machine. */
    EDDY_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN
} EddyDataStreamByteOrder;

/** What ends a line. The numbers are GIO's. */
typedef enum EddyDataStreamNewlineType {
    /** A line feed. */
    EDDY_DATA_STREAM_NEWLINE_TYPE_LF,
    /** A carriage return. */
    EDDY_DATA_STREAM_NEWLINE_TYPE_CR,
    /** A carriage return and a line feed; each alone is of the line. */
    EDDY_DATA_STREAM_NEWLINE_TYPE_CR_LF,
    /** Any of these. A carriage return ends its line at once; a line feed that comes next, however
     * much later, is of the same end. */
    EDDY_DATA_STREAM_NEWLINE_TYPE_ANY
} EddyDataStreamNewlineType;

EDDY_END_DECLS

#endif
