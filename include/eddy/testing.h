/* SPDX-License-Identifier: MIT */
/* For tests: an operation, a protocol, a whole program as a fiber, cancelled everywhere. */
#ifndef EDDY_TESTING_H
#define EDDY_TESTING_H

#include <eddy/fiber.h>

EDDY_BEGIN_DECLS

/** The point of a run in which nothing is cancelled. */
#define EDDY_TEST_NO_POINT UINT32_MAX

/**
 * Checks what a run has left, between two runs: data, locks, files. Puts everything back to where
 * the next run begins.
 *
 * @data: as given to eddy_test_cancel_everywhere()
 * @cancelled: whether the function failed with the cancel; false: it came to its end
 * @point: at which it was cancelled, or EDDY_TEST_NO_POINT
 */
typedef void (*EddyTestCheckFunc) (void *data, bool cancelled, uint32_t point);

/** What eddy_test_cancel_everywhere() has found. */
typedef struct EddyTestCancelReport {
    /** Points at which it was cancelled, one run each. */
    uint32_t points;
    /** How many of these runs failed with the cancel. */
    uint32_t cancelled;
    /** How many came to their end all the same: it was too late, or not looked for. */
    uint32_t completed;
    /** What was wrong, and at which point; empty: nothing. */
    char failure[256];
} EddyTestCancelReport;

/**
 * Runs a function again and again as a fiber, cancelled at another point each time, until a run
 * ends before its point comes: so at every point there is. The first run is not cancelled, and must
 * not fail.
 *
 * Points are where the cancel of another can meet the function: each time that it, or another fiber
 * or callback of its context, has waited and is about to go on, and has gone on and waits again;
 * and each look at the cancellable that the body of an operation takes on its worker. Each run has
 * a context of its own. After each run it is checked that the error is the cancel's, that no fd has
 * been left open, no operation, fiber or other future of the context is under way.
 *
 * @function: what to run; it should take the same way each time; what it returns is dropped
 * @data: for @function and @check
 * @check: called after each run that was good so far; NULL: nothing
 * @report: what was found; NULL: nobody asks
 *
 * Returns: whether every run was good; at the first that was not, no further one is made
 * Thread: any, outside fibers
 * Since: 0.1
 */
EDDY_API bool eddy_test_cancel_everywhere (EddyFiberFunc function, void *data,
                                           EddyTestCheckFunc check, EddyTestCancelReport *report);

EDDY_END_DECLS

#endif
