/* SPDX-License-Identifier: MIT */
/* Bytes while they are being filled: only their maker may, before anybody else has them. */
#pragma once

#include <eddy/bytes.h>

/* NULL when memory is out. */
EddyBytes *eddy__bytes_new_uninitialised (size_t size);
/* Gives the bytes another size, at another address; NULL when memory is out: `bytes` stays. */
EddyBytes *eddy__bytes_resize (EddyBytes *bytes, size_t size);
/* Makes them fewer, perhaps at another address; cannot fail. */
EddyBytes *eddy__bytes_shrink (EddyBytes *bytes, size_t size);
char *eddy__bytes_get_writable (EddyBytes *bytes);

/* Bytes to read into, of which a few may be all that come. Their memory, and what malloc would have
 * to do to cut it and to find it again, then serve the next read of the thread. NULL when memory is
 * out. `size` is to be given to the others, too. */
EddyBytes *eddy__bytes_new_roomy (size_t size);
/* So many have come; cannot fail. */
EddyBytes *eddy__bytes_fit (EddyBytes *roomy, size_t size, size_t count);
/* None have. */
void eddy__bytes_drop_roomy (EddyBytes *roomy, size_t size);
