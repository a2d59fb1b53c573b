/* SPDX-License-Identifier: MIT */
/* Questions and answers by UDP.
 *
 *   datagrams answer ADDRESS       answers each question with its length, until Ctrl-C
 *   datagrams ask HOST:PORT TEXT   asks, and prints the answer
 *
 * A datagram may be lost, on its way there or back. So who asks waits for a while, and asks again,
 * and gives up after some times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define PATIENCE (SECOND / 2)

enum { TRIES = 5, LONGEST = 2048 };

/* ---- The one that answers. */

static bool answer_one (EddySocket *socket, EddyError **error)
{
    char question[LONGEST], answer[32];
    EDDY_AUTO (EddySocketAddress) asker = NULL;
    ssize_t length =
        eddy_socket_receive_from (socket, &asker, question, sizeof question, NULL, error);
    if (length < 0)
        return false;
    int size = snprintf (answer, sizeof answer, "%zd", length);
    /* One that cannot be sent is as good as lost. */
    (void) eddy_socket_send_to (socket, asker, answer, (size_t) size, NULL, NULL);
    return true;
}

static bool answer_all (EddySocket *socket, EddySocketAddress *address, EddyError **error)
{
    if (!eddy_socket_bind (socket, address, /* allow_reuse= */ false, error))
        return false;
    server_tell_address (eddy_socket_get_local_address (socket, error));
    while (answer_one (socket, error))
        continue;
    return eddy_error_is_cancelled (*error); /* by Ctrl-C */
}

/* ---- The one that asks. */

static bool ask (EddySocket *socket, EddySocketAddress *address, const char *question,
                 EddyError **error)
{
    char answer[LONGEST];
    ssize_t length = -1;
    eddy_socket_set_timeout (socket, PATIENCE, PATIENCE);
    if (!eddy_socket_connect (socket, address, NULL, error)) /* only its datagrams are received */
        return false;
    for (int i = 0; length < 0 && i < TRIES; i++) {
        eddy_clear_error (error);
        if (eddy_socket_send (socket, question, strlen (question), NULL, error) >= 0)
            length = eddy_socket_receive (socket, answer, sizeof answer, NULL, error);
        if (!eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT))
            break;
    }
    if (length >= 0)
        printf ("%.*s\n", (int) length, answer);
    return length >= 0;
}

static bool datagrams_run (int argc, char **argv, EddyError **error)
{
    EDDY_AUTO (EddySocketAddressEnumerator) addresses = server_parse_address (argv[2], error);
    if (addresses == NULL)
        return false;
    EDDY_AUTO (EddySocketAddress)
    address = eddy_socket_address_enumerator_next (addresses, NULL, error);
    if (address == NULL)
        return false;
    EddySocketFamily family = eddy_socket_address_get_family (address);
    EDDY_AUTO (EddySocket)
    socket = eddy_socket_new (family, EDDY_SOCKET_TYPE_DATAGRAM, /* protocol= */ 0, error);
    if (socket == NULL)
        return false;
    return argc == 4 ? ask (socket, address, argv[3], error) : answer_all (socket, address, error);
}

static int datagrams_main (int argc, char **argv)
{
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    bool answers = argc == 3 && strcmp (argv[1], "answer") == 0;
    if (!answers && (argc != 4 || strcmp (argv[1], "ask") != 0)) {
        fputs ("usage: datagrams answer ADDRESS | ask HOST:PORT TEXT\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EddyError *error = NULL;
    bool done = datagrams_run (argc, argv, &error);
    if (!done)
        fprintf (stderr, "datagrams: %s\n", eddy_error_get_message (error));
    eddy_clear_error (&error);
    return done ? 0 : 1;
}

int main (int argc, char **argv)
{
    return eddy_run (datagrams_main, argc, argv);
}
