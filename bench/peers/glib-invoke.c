/* SPDX-License-Identifier: MIT */
/*
 * glib-invoke N: what contract-invoke does, with g_main_context_invoke.
 *
 * Why it is the fair way: the main thread owns the context for the whole run, as a running loop
 * does, so that no iteration has to acquire it anew and the producer never runs a call by itself.
 */
#include <glib.h>

#include "bench-messages.h"

static gboolean message_invoked (gpointer user_data)
{
    messages_received ((uintptr_t) user_data);
    return G_SOURCE_REMOVE;
}

static void messages_send (uint64_t number)
{
    g_main_context_invoke (NULL, message_invoked, (gpointer) (uintptr_t) number);
}

static void messages_wait (void)
{
    g_main_context_iteration (NULL, TRUE);
}

int main (int argc, char **argv)
{
    g_main_context_acquire (NULL);
    return messages_main ("glib-invoke", argc == 2 ? argv[1] : NULL);
}
