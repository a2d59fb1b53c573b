/* SPDX-License-Identifier: MIT */
/* The workers: threads of the process that run blocking calls for every engine. */
#pragma once

#include "engine/engine-private.h"

/* Hands `n_jobs` operations over, emptying `jobs`. Each comes back by its port's inbox. */
void eddy__workers_publish (EddyPort *port, EddyList *jobs, unsigned n_jobs);

/* Takes the newest job that waits, if it is this port's, to be run by the caller. Where it only
 * asks, some more of those: they run nobody's code, and nobody but the caller waits for their
 * answers. They count as begun. */
void eddy__workers_claim (EddyPort *port, EddyList *claimed);

/* One more loop's thread runs jobs itself, so one worker less does; or no longer. */
void eddy__workers_set_helper (bool helps);

/* Shows the jobs of an engine that wait or run. */
void eddy__workers_each (const EddyEngine *engine, EddyOpVisit visit, void *data);
