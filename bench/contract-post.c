/* SPDX-License-Identifier: MIT */
/*
 * contract-post N: N calls of eddy_context_post() with the caller's own nodes by another thread,
 * while the main thread iterates; prints nanoseconds each. The limit beside it is `bare-mailbox`.
 */
#include <eddy/eddy.h>

#include "bench-messages.h"

typedef struct {
    EddyPost post;
    uint64_t number;
} Message;

static EddyContext *message_context;
static Message message_window[MESSAGES_WINDOW];

static void message_run (EddyPost *post)
{
    messages_received (((Message *) (void *) post)->number);
}

static void messages_send (uint64_t number)
{
    Message *message = &message_window[number % MESSAGES_WINDOW];
    message->post.run = message_run;
    message->post.priority = EDDY_PRIORITY_DEFAULT;
    message->number = number;
    eddy_context_post (message_context, &message->post);
}

static void messages_wait (void)
{
    eddy_context_iteration (message_context, true);
}

int main (int argc, char **argv)
{
    message_context = eddy_context_default ();
    eddy_context_acquire (message_context); /* as a running loop has it */
    return messages_main ("contract-post", argc == 2 ? argv[1] : NULL);
}
