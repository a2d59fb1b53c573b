/* SPDX-License-Identifier: MIT */
/*
 * contract-invoke N: N calls of eddy_context_invoke() by another thread, while the main
 * thread iterates; prints nanoseconds each. The peer is `glib-invoke`.
 */
#include <eddy/eddy.h>

#include "bench-messages.h"

static bool message_invoked (void *user_data)
{
    messages_received ((uintptr_t) user_data);
    return false;
}

static void messages_send (uint64_t number)
{
    eddy_context_invoke (NULL, message_invoked, (void *) (uintptr_t) number);
}

static void messages_wait (void)
{
    eddy_context_iteration (NULL, true);
}

int main (int argc, char **argv)
{
    eddy_context_acquire (NULL); /* as a running loop has it */
    return messages_main ("contract-invoke", argc == 2 ? argv[1] : NULL);
}
