/* SPDX-License-Identifier: MIT */
/* What takers of a value get. */
#pragma once

#include <eddy/value.h>

/* Plain values are copied, shared ones referenced, and a single one moves, leaving NULL in
 * `from`, whose kind others may be asking for at the same time.
 *
 * An integer with a destroy function is the number of something, a file descriptor, that is given
 * up where nobody can have asked for it: with its future, unless somebody held that when it was
 * done. The function is called on the number as a pointer. Takers get the number alone. */
void eddy__value_copy_for_taker (EddyValue *from, EddyValue *value);
