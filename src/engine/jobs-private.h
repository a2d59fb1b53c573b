/* SPDX-License-Identifier: MIT */
/* EddyJobs: the jobs that wait for a worker, most urgent first, under the workers' lock.
 *
 * Programs use a handful of priorities, so there is a list for each; with one priority, which is
 * nearly always so, that is one list. Past the limit, jobs join the nearest less urgent list. */
#pragma once

#include "base/compiler-private.h"
#include "engine/operation-private.h"

enum { EDDY__JOB_LEVELS = 16 };

typedef struct EddyJobLevel {
    EddyList jobs;
    int priority;
} EddyJobLevel;

typedef struct EddyJobs {
    EddyJobLevel *latest; /* that a job joined: mostly the next one joins it, too */
    unsigned n_levels;
    unsigned n_jobs;
    EddyJobLevel *order[EDDY__JOB_LEVELS]; /* most urgent first; a level once made stays */
    EddyJobLevel levels[EDDY__JOB_LEVELS];
} EddyJobs;

static inline EddyOp *eddy__job_of (EddyList *link)
{
    return EDDY__CONTAINER (link, EddyOp, link);
}

/* The level that jobs of a priority join; made if need be. */
static inline EddyJobLevel *eddy__jobs_get_level (EddyJobs *jobs, int priority)
{
    if (EDDY__LIKELY (jobs->latest != NULL && jobs->latest->priority == priority))
        return jobs->latest;
    unsigned i = 0;
    while (i < jobs->n_levels && jobs->order[i]->priority < priority)
        i++;
    bool found = i < jobs->n_levels && jobs->order[i]->priority == priority;
    if (!found && jobs->n_levels == EDDY__JOB_LEVELS)
        return jobs->order[i < jobs->n_levels ? i : jobs->n_levels - 1];
    if (!found) {
        for (unsigned k = jobs->n_levels; k > i; k--)
            jobs->order[k] = jobs->order[k - 1];
        jobs->order[i] = &jobs->levels[jobs->n_levels++];
        jobs->order[i]->priority = priority;
        eddy__list_init (&jobs->order[i]->jobs);
    }
    return jobs->latest = jobs->order[i];
}

static inline void eddy__jobs_push (EddyJobs *jobs, EddyOp *op)
{
    eddy__list_append (&eddy__jobs_get_level (jobs, op->priority)->jobs, &op->link);
    jobs->n_jobs++;
}

/* Before all others of its priority: it was taken, and nobody ran it. */
static inline void eddy__jobs_put_back (EddyJobs *jobs, EddyOp *op)
{
    eddy__list_append (eddy__jobs_get_level (jobs, op->priority)->jobs.next, &op->link);
    jobs->n_jobs++;
}

static inline void eddy__jobs_remove (EddyJobs *jobs, EddyOp *op)
{
    eddy__list_remove (&op->link);
    jobs->n_jobs--;
}

/* Those of the most urgent priority; NULL: there are none. */
static inline EddyList *eddy__jobs_most_urgent (EddyJobs *jobs)
{
    for (unsigned i = 0; i < jobs->n_levels; i++)
        if (!eddy__list_is_empty (&jobs->order[i]->jobs))
            return &jobs->order[i]->jobs;
    return NULL;
}

/* The next one to run; NULL: there are none. */
static inline EddyOp *eddy__jobs_first (EddyJobs *jobs)
{
    EddyList *list = eddy__jobs_most_urgent (jobs);
    return list == NULL ? NULL : eddy__job_of (list->next);
}
