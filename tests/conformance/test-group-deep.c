/* SPDX-License-Identifier: MIT */
/*
 * Groups within groups, far deeper than a stack could follow them.
 */
#include "context.h"

enum { DEPTH = 4000 };

typedef struct Nest {
    EddyGroup *outermost;
    int depth;
    int n_cancelled;
} Nest;

/* Each fiber but the last has a group with one more. */
static void *nest (void *data, EddyError **error)
{
    Nest *self = data;
    EddyError *failure = NULL;
    if (++self->depth == DEPTH) {
        eddy_group_cancel (self->outermost);
        (void) eddy_fiber_sleep (INT64_MAX, &failure);
    } else {
        EDDY_AUTO (EddyGroup) group = eddy_group_new ();
        ck_assert (eddy_group_spawn (group, nest, self, NULL, error));
        (void) eddy_group_wait (group, NULL);
        (void) eddy_fiber_sleep (0, &failure);
    }
    self->n_cancelled += eddy_error_is_cancelled (failure);
    eddy_clear_error (&failure);
    return NULL;
}

static void nest_in (EddyGroup *outermost, EddyError **error)
{
    Nest self = { .outermost = outermost };
    ck_assert (eddy_group_spawn (outermost, nest, &self, NULL, error));
    ck_assert (eddy_group_wait (outermost, error));
    ck_assert_int_eq (self.n_cancelled, DEPTH);
    eddy_unref (outermost);
}

/* With a deadline each group has a cancellable, too, below that of the one around it. */
static void *run_nests (void *data, EddyError **error)
{
    nest_in (eddy_group_new (), error);
    nest_in (eddy_group_new_with_timeout (INT64_C (1000000000000)), error);
    return data;
}

EDDY_TEST (D_group_cancel_goes_to_any_depth)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, run_nests, NULL);
    eddy_test_context_end (context);
}
