/* SPDX-License-Identifier: MIT */
/* The synchronous version of a series: plain calls, one below the other, which block a thread while
 * the loop goes on in another one. They read what read-message.c reads:
 *
 *   echo hello | socat -u - TCP-LISTEN:4000 & echo localhost:4000 >address
 *   read-message-blocking thread|future|await address
 *
 * The styles differ in whose thread it is: one of the program's own, one of Eddy's workers, or
 * none: in a fiber the same function only suspends that fiber. Ctrl-C comes to the loop, and ends
 * what any of them waits for. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <eddy/eddy.h>

typedef struct Message {
    EddyFile *file; /* with the address in it */
    EddySocketClient *client;
    EddyCancellable *cancellable;
    EddyMainLoop *loop;
    EddyError *error;
    size_t length;
    char text[4096];
} Message;

/* Reads the message; NULL on failure. */
static void *message_read (void *data, EddyCancellable *cancellable, EddyError **error)
{
    Message *message = data;
    char address[256] = "";
    EDDY_AUTO (EddyBytes) text = eddy_file_load_contents (message->file, cancellable, error);
    if (text == NULL)
        return NULL;
    sscanf (eddy_bytes_get_data (text), "%255s", address);
    EDDY_AUTO (EddySocketConnection)
    connection =
        eddy_socket_client_connect_to_host (message->client, address, 0, cancellable, error);
    if (connection == NULL)
        return NULL;
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
    if (!eddy_input_stream_read_all (input, message->text, sizeof message->text, &message->length,
                                     cancellable, error))
        return NULL;
    if (message->length == sizeof message->text)
        eddy_error_set_errno (error, EMSGSIZE, "%s", address);
    return message->length < sizeof message->text ? message : NULL;
}

/* ---- A thread of the program's own. */

static void *thread_main (void *data)
{
    Message *message = data;
    message_read (message, message->cancellable, &message->error);
    eddy_main_loop_quit (message->loop);
    return NULL;
}

static void read_in_thread (Message *message)
{
    pthread_t thread;
    int result = pthread_create (&thread, NULL, thread_main, message);
    if (result != 0) {
        message->error = eddy_error_new_errno (result, "a thread");
        return;
    }
    eddy_main_loop_run (message->loop);
    pthread_join (thread, NULL);
}

/* ---- One of Eddy's workers, for a future. */

static void read_for_future (Message *message)
{
    EDDY_AUTO (EddyFuture)
    future = eddy_run_blocking_future (message_read, message, NULL, 0, message->cancellable);
    eddy_block_on_complete (NULL, future, &message->error);
}

/* ---- No thread: the calls that blocked suspend a fiber. */

static void *message_fiber (void *data, EddyError **error)
{
    Message *message = data;
    return message_read (message, message->cancellable, error);
}

static void read_in_fiber (Message *message)
{
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn_local (message_fiber, message, NULL);
    eddy_block_on_complete (NULL, fiber, &message->error);
}

static bool interrupted (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return false; /* a second Ctrl-C ends the program at once, as without us */
}

int main (int argc, char **argv)
{
    static const char *const names[] = { "thread", "future", "await" };
    static void (*const styles[]) (Message *) = { read_in_thread, read_for_future, read_in_fiber };
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    size_t style = argc != 3 ? 3 : 0;
    while (style < 3 && strcmp (names[style], argv[1]) != 0)
        style++;
    if (style == 3) {
        fputs ("usage: read-message-blocking thread|future|await ADDRESS-FILE\n",
               help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (argv[2]);
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddySource) interrupt = eddy_signal_source_new (SIGINT);
    eddy_source_set_callback (interrupt, interrupted, cancellable, NULL);
    eddy_source_attach (interrupt, NULL);
    EDDY_AUTO (EddyMainLoop) loop = eddy_main_loop_new (NULL);
    Message message = { .file = file, .client = client, .cancellable = cancellable, .loop = loop };
    styles[style](&message);
    eddy_source_destroy (interrupt);

    int status = message.error == NULL ? 0 : 1;
    if (status == 0)
        printf ("%.*s", (int) message.length, message.text);
    else
        fprintf (stderr, "read-message-blocking: %s\n", eddy_error_get_message (message.error));
    eddy_clear_error (&message.error);
    return status;
}
