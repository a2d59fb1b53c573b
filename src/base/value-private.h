/* SPDX-License-Identifier: MIT */
/* What takers of a value get. */
#pragma once

#include <eddy/value.h>

/* Plain values are copied, shared ones referenced, and a single one moves, leaving `from` empty. */
void eddy__value_copy_for_taker (EddyValue *from, EddyValue *value);
