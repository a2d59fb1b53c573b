/* SPDX-License-Identifier: MIT */
/* A context that a foreign loop drives, by one fd. */
#pragma once

#include "loop/context-private.h"

/* The context is entered: no foreign loop waits for it now. Owner only, as all of these. */
void eddy__host_resume (EddyContext *context);
/* The context is left: the foreign loop may wait, and the fd is readable if there is anything to
 * do. */
void eddy__host_park (EddyContext *context);
/* The context has a new engine. */
void eddy__host_add_engine (EddyContext *context);
/* The context dies; nothing happens when it has no host. */
void eddy__host_close (EddyContext *context);
