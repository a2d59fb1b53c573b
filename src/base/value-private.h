/* SPDX-License-Identifier: MIT */
/* What takers of a value get. */
#pragma once

#include <eddy/value.h>

/* Plain values are copied, shared ones referenced, and a single one moves, leaving NULL in
 * `from`, whose kind others may be asking for at the same time. */
void eddy__value_copy_for_taker (EddyValue *from, EddyValue *value);
