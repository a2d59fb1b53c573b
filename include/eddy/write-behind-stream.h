/* SPDX-License-Identifier: MIT */
/* Write-behind streams: output that need not be waited for, up to a mark. */
#ifndef EDDY_WRITE_BEHIND_STREAM_H
#define EDDY_WRITE_BEHIND_STREAM_H

#include <eddy/filter-stream.h>

EDDY_BEGIN_DECLS

/**
 * Makes a stream that takes what is written to it at once, in a fiber, while a fiber of its own
 * writes it to the base. When so many bytes wait that the high-water mark is reached, a write waits
 * until no more than the low-water mark are left: so who writes is held up when the base is. In a
 * plain thread it writes to the base itself.
 *
 * An error of the base is told by the next write, flush or close; the bytes that could not be
 * written stay, and are tried again by what is done after that. A flush waits until all is written.
 * A close does, too; if it fails or is cancelled, what is left is lost.
 *
 * @base_stream: what it writes to, of which it keeps a reference; an EddyFilterOutputStream's base
 * @low_water: in bytes; 0, or not below @high_water: a quarter of that
 * @high_water: in bytes, which it holds at most, and takes the memory for; 0: 256 KiB
 *
 * Returns: a stream with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyOutputStream *eddy_write_behind_stream_new (EddyOutputStream *base_stream,
                                                         size_t low_water, size_t high_water);

/** How many bytes wait to be written. Thread: the stream's. Since: 0.1 */
EDDY_API size_t eddy_write_behind_stream_get_level (EddyOutputStream *stream);

EDDY_END_DECLS

#endif
