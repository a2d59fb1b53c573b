/* SPDX-License-Identifier: MIT */
/* EddyBytes: an immutable, shared run of bytes. */
#ifndef EDDY_BYTES_H
#define EDDY_BYTES_H

#include <eddy/object.h>

EDDY_BEGIN_DECLS

/** Bytes that never change once made. An object: share it with eddy_ref(). A zero byte that does
 * not count follows the last one, so that text can be read as a string. */
typedef struct EddyBytes EddyBytes;

/**
 * Copies bytes.
 *
 * @data: @size bytes; NULL only when @size is 0
 * @size: in bytes
 *
 * Returns: the bytes, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyBytes *eddy_bytes_new (const void *data, size_t size);

/** The bytes, owned by @bytes, followed by a zero byte. Thread: any. Since: 0.1 */
EDDY_API const void *eddy_bytes_get_data (const EddyBytes *bytes);

/** How many bytes there are. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_bytes_get_size (const EddyBytes *bytes);

EDDY_END_DECLS

#endif
