/* SPDX-License-Identifier: MIT */
/*
 * gio-talk N: what processes-talk does, with g_subprocess_communicate_async().
 *
 * Why it is the fair way: GIO's own asynchronous call on one main loop, given the bytes as they
 * are.
 */
#include <gio/gio.h>

#include "../bench-talk.h"

typedef struct {
    GBytes *output;
    GError *error;
    gboolean done;
} Talk;

static void talk_done (GObject *source, GAsyncResult *result, void *data)
{
    Talk *self = data;
    g_subprocess_communicate_finish (G_SUBPROCESS (source), result, &self->output, NULL,
                                     &self->error);
    self->done = TRUE;
}

static bool talk (const char *text, size_t size)
{
    static const char *const argv[] = { TALK_PROGRAM, NULL };
    Talk self = { NULL, NULL, FALSE };
    GBytes *input = g_bytes_new_static (text, size);
    GSubprocess *subprocess = g_subprocess_newv (
        argv, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &self.error);
    if (subprocess != NULL)
        g_subprocess_communicate_async (subprocess, input, NULL, talk_done, &self);
    while (subprocess != NULL && !self.done)
        g_main_context_iteration (NULL, TRUE);
    if (self.error != NULL)
        g_printerr ("gio-talk: %s\n", self.error->message);
    bool right = self.output != NULL && g_bytes_get_size (self.output) == size &&
                 memcmp (g_bytes_get_data (self.output, NULL), text, size) == 0;
    g_clear_error (&self.error);
    g_clear_object (&subprocess);
    g_bytes_unref (input);
    g_clear_pointer (&self.output, g_bytes_unref);
    return right;
}

int main (int argc, char **argv)
{
    return bench_talk_measure ("gio-talk", argc, argv, talk);
}
