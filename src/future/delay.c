/* SPDX-License-Identifier: MIT */
/* Futures and time: one that completes after a while, and one that has until then. */
#include "base/object-private.h"
#include "base/error-private.h"
#include "future/combinator-private.h"
#include "sys/clock-private.h"

static void delay_answer (EddyCombinator *self, EddyValue *value, EddyError **error)
{
    if (self->timed_out)
        eddy_value_set_boolean (value, true);
    else
        *error = eddy__error_cancelled ();
}

static void with_timeout_answer (EddyCombinator *self, EddyValue *value, EddyError **error)
{
    if (eddy_future_take (self->inputs[0].future, value, error) || !self->timed_out ||
        !eddy_error_is_cancelled (*error))
        return;
    eddy_clear_error (error);
    *error = eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT, "operation timed out");
}

static const EddyCombinatorKind delay_kind = { .name = "a delay",
                                               .awaits_time = true,
                                               .answer = delay_answer };
static const EddyCombinatorKind with_timeout_kind = { .name = "a timeout",
                                                      .answer = with_timeout_answer };

/* One that is too far away is as far as a deadline can be. */
static int64_t delay_get_deadline (int64_t duration_ns)
{
    int64_t deadline_ns;
    bool too_far = __builtin_add_overflow (eddy__sys_now_ns (), duration_ns, &deadline_ns) ||
                   deadline_ns == INT64_MAX;
    return too_far ? INT64_MAX - 1 : deadline_ns;
}

static EddyFuture *delay_begin (const EddyCombinatorKind *kind, EddyFuture *const *futures,
                                size_t n_futures, int64_t duration_ns)
{
    EddyCombinator *self = eddy__combinator_new (kind, futures, n_futures, 0);
    if (self != NULL)
        self->deadline_ns = delay_get_deadline (duration_ns);
    return eddy__combinator_begin (self, kind);
}

EddyFuture *eddy_future_delay (int64_t duration_ns)
{
    EDDY__EXPECT (duration_ns >= 0, NULL);
    return delay_begin (&delay_kind, NULL, 0, duration_ns);
}

EddyFuture *eddy_future_with_timeout (EddyFuture *future, int64_t timeout_ns)
{
    EDDY__EXPECT (future != NULL && timeout_ns >= 0, NULL);
    return delay_begin (&with_timeout_kind, &future, 1, timeout_ns);
}
