/* SPDX-License-Identifier: MIT */
/*
 * A context in a libuv loop.
 */
#include "host.h"

#ifdef EDDY_TEST_HAS_LIBUV

#include <uv.h>

typedef struct UvHost {
    uv_loop_t loop;
    uv_poll_t poll;
    uv_timer_t timer;
    Host *host;
    const bool *done;
} UvHost;

static void uv_host_readable (uv_poll_t *poll, int status, int events)
{
    UvHost *self = poll->data;
    ck_assert_int_eq (status, 0);
    ck_assert_int_eq (events, UV_READABLE);
    host_iterate (self->host);
    if (self->done != NULL && *self->done)
        uv_stop (&self->loop);
}

static void uv_host_expired (uv_timer_t *timer)
{
    UvHost *self = timer->data;
    ck_assert_msg (self->done == NULL, "nothing woke the foreign loop");
    uv_stop (&self->loop);
}

static void uv_host_run_within (Host *host, const bool *done, int milliseconds)
{
    UvHost *self = host->loop;
    self->done = done;
    if (done != NULL && *done)
        return;
    uv_timer_start (&self->timer, uv_host_expired, (uint64_t) milliseconds, 0);
    uv_run (&self->loop, UV_RUN_DEFAULT);
    uv_timer_stop (&self->timer);
}

static void uv_host_run (Host *host, const bool *done)
{
    uv_host_run_within (host, done, 5000);
}

static void uv_host_run_for (Host *host, int milliseconds)
{
    uv_host_run_within (host, NULL, milliseconds);
}

EDDY_TEST (D_host_in_libuv)
{
    Host host = host_begin ();
    UvHost self = { .host = &host };
    host.loop = &self;
    host.run = uv_host_run;
    host.run_for = uv_host_run_for;
    ck_assert_int_eq (uv_loop_init (&self.loop), 0);
    ck_assert_int_eq (uv_poll_init (&self.loop, &self.poll, host.fd), 0);
    ck_assert_int_eq (uv_timer_init (&self.loop, &self.timer), 0);
    self.poll.data = self.timer.data = &self;
    ck_assert_int_eq (uv_poll_start (&self.poll, UV_READABLE, uv_host_readable), 0);
    host_check_everything (&host);
    host_check_idle (&host, 1000);
    uv_close ((uv_handle_t *) &self.poll, NULL);
    uv_close ((uv_handle_t *) &self.timer, NULL);
    uv_run (&self.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq (uv_loop_close (&self.loop), 0);
    host_end (&host);
    uv_library_shutdown ();
}

#else

EDDY_TEST (D_host_in_libuv)
{
    EDDY_TEST_SKIP ("libuv (libuv1-dev) is not installed");
}

#endif
