/* SPDX-License-Identifier: MIT */
/*
 * A context in a GMainContext.
 */
#include "host.h"

#ifdef EDDY_TEST_HAS_GLIB

#include <glib-unix.h>

typedef struct GlibHost {
    GMainContext *context;
    GMainLoop *loop;
    Host *host;
    const bool *done;
} GlibHost;

static gboolean glib_host_readable (gint fd, GIOCondition condition, gpointer data)
{
    GlibHost *self = data;
    ck_assert_int_eq (fd, self->host->fd);
    ck_assert_int_eq (condition, G_IO_IN);
    host_iterate (self->host);
    if (self->done != NULL && *self->done)
        g_main_loop_quit (self->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean glib_host_expired (gpointer data)
{
    GlibHost *self = data;
    ck_assert_msg (self->done == NULL, "nothing woke the foreign loop");
    g_main_loop_quit (self->loop);
    return G_SOURCE_CONTINUE;
}

static void glib_host_drop (GSource *source)
{
    g_source_destroy (source);
    g_source_unref (source);
}

static void glib_host_run_within (Host *host, const bool *done, int milliseconds)
{
    GlibHost *self = host->loop;
    self->done = done;
    if (done != NULL && *done)
        return;
    GSource *timeout = g_timeout_source_new ((guint) milliseconds);
    g_source_set_callback (timeout, glib_host_expired, self, NULL);
    g_source_attach (timeout, self->context);
    g_main_loop_run (self->loop);
    glib_host_drop (timeout);
}

static void glib_host_run (Host *host, const bool *done)
{
    glib_host_run_within (host, done, 5000);
}

static void glib_host_run_for (Host *host, int milliseconds)
{
    glib_host_run_within (host, NULL, milliseconds);
}

EDDY_TEST (D_host_in_glib)
{
    Host host = host_begin ();
    GlibHost self = { .context = g_main_context_new (), .host = &host };
    self.loop = g_main_loop_new (self.context, FALSE);
    host.loop = &self;
    host.run = glib_host_run;
    host.run_for = glib_host_run_for;
    GSource *source = g_unix_fd_source_new (host.fd, G_IO_IN);
    GUnixFDSourceFunc readable = glib_host_readable;
    g_source_set_callback (source, (GSourceFunc) (void (*) (void)) readable, &self, NULL);
    g_source_attach (source, self.context);
    host_check_everything (&host);
    host_check_idle (&host, 1000);
    glib_host_drop (source);
    g_main_loop_unref (self.loop);
    g_main_context_unref (self.context);
    host_end (&host);
}

#else

EDDY_TEST (D_host_in_glib)
{
    EDDY_TEST_SKIP ("GLib (libglib2.0-dev) is not installed");
}

#endif
