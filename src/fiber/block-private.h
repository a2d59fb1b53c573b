/* SPDX-License-Identifier: MIT */
/* Operations in a plain thread. */
#pragma once

#include <eddy/cancellable.h>

#include "engine/operation-private.h"

/* Does an operation in this thread, waiting as long as it takes or until it is cancelled; the
 * result is in it. */
void eddy__block_op (EddyOp *op, EddyCancellable *cancellable);
