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
