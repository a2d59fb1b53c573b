/* SPDX-License-Identifier: MIT */
/* Converters that compress and decompress: gzip, zlib and raw deflate. In a library of its own,
 * libeddy-zlib, and not in <eddy/eddy.h>. */
#ifndef EDDY_ZLIB_H
#define EDDY_ZLIB_H

#include <eddy/converter.h>

EDDY_BEGIN_DECLS

/** What stands around what deflate makes. The numbers are GIO's. */
typedef enum EddyZlibCompressorFormat {
    /** A short head and a checksum: RFC 1950. */
    EDDY_ZLIB_COMPRESSOR_FORMAT_ZLIB,
    /** A head with a file's name and time, checksum and size: RFC 1952, what gzip(1) makes. */
    EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP,
    /** Nothing: RFC 1951. */
    EDDY_ZLIB_COMPRESSOR_FORMAT_RAW
} EddyZlibCompressorFormat;

/**
 * Makes a converter that compresses.
 *
 * @format: what stands around it
 * @level: from 0, not at all, and 1, fast, to 9, small; -1 and other numbers: 6
 *
 * Returns: a converter with one reference, or NULL when memory is out; it takes 264 KiB
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyConverter *eddy_zlib_compressor_new (EddyZlibCompressorFormat format, int level);

/**
 * Says what the head of a gzip file is to tell of the file that was compressed. Without it, it
 * tells nothing, and the same bytes always make the same.
 *
 * @compressor: one of format GZIP that has compressed nothing yet
 * @name: the file's name as bytes, without folders, as eddy_file_info_get_name() has it; NULL: none
 * @modification_time_ns: when its contents changed, since 1970, kept in seconds; 0: untold
 *
 * Returns: whether it will; false for others, and when memory is out
 * Thread: the converter's
 * Since: 0.1
 */
EDDY_API bool eddy_zlib_compressor_set_header (EddyConverter *compressor, const char *name,
                                               int64_t modification_time_ns);

/**
 * Makes a converter that decompresses. Data that end too early are PARTIAL_INPUT, wrong ones
 * INVALID_DATA; all that comes before is converted.
 *
 * What gzip joined is decompressed as one, and zeroes may fill up its end; other bytes there are
 * INVALID_DATA. The formats ZLIB and RAW are finished where the data say so.
 *
 * @format: what stands around what is compressed
 *
 * Returns: a converter with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyConverter *eddy_zlib_decompressor_new (EddyZlibCompressorFormat format);

/**
 * Sets how many bytes are decompressed at most: deflate makes up to a thousand of one, so who
 * keeps what strangers sent should say how much. Those that are within the limit are converted; if
 * there are more, LIMIT_EXCEEDED comes after them.
 *
 * @decompressor: a converter that eddy_zlib_decompressor_new() made
 * @limit: in bytes, counted since it was made or reset; 0: none, as at first
 *
 * Thread: the converter's
 * Since: 0.1
 */
EDDY_API void eddy_zlib_decompressor_set_limit (EddyConverter *decompressor, uint64_t limit);

/**
 * Says whether a gzip file is finished where its first part is, rather than going on with what was
 * joined to it. Then no byte is waited for after it, and what follows is not looked at.
 *
 * @decompressor: a converter that eddy_zlib_decompressor_new() made
 * @single: whether it is
 *
 * Thread: the converter's
 * Since: 0.1
 */
EDDY_API void eddy_zlib_decompressor_set_single (EddyConverter *decompressor, bool single);

/** The file name in the head of a gzip file, up to 1023 bytes of it, owned by @decompressor; NULL:
 * it has none, or was not read yet. It is whatever somebody wrote there: it may hold slashes.
 * Thread: the converter's. Since: 0.1 */
EDDY_API const char *eddy_zlib_decompressor_get_file_name (EddyConverter *decompressor);

/** The time in the head of a gzip file, in nanoseconds since 1970; 0: it has none, or was not read
 * yet. Thread: the converter's. Since: 0.1 */
EDDY_API int64_t eddy_zlib_decompressor_get_modification_time_ns (EddyConverter *decompressor);

EDDY_END_DECLS

#endif
