/* SPDX-License-Identifier: MIT */
/*
 * Two threads that take turns, each of which lingers before it sleeps: what else they wait for
 * comes all the same, and so do the answers when one is late.
 */
#include <pthread.h>
#include <unistd.h>

#include "context.h"

enum { TURNS = 3000 };

typedef struct Turns {
    EddyChannel *there;
    EddyChannel *back;
    int pipe[2];
    EddyChannel *bytes; /* from the pipe, on the asking thread */
} Turns;

/* On a thread of its own. Whatever happens, nobody waits for it in the end. */
static void *answer_by (EddyFiberFunc function, Turns *turns)
{
    EddyContext *context = eddy_test_context_begin ();
    void *value = eddy_test_run_fiber (context, function, turns);
    eddy_channel_close (turns->there);
    eddy_channel_close (turns->back);
    eddy_test_context_end (context);
    return value;
}

/* A moment after the answer to each tenth message a byte, by another way; now and then the answer
 * is late. */
static void *answer_turns (void *data, EddyError **error)
{
    Turns *turns = data;
    for (int i = 1; i <= TURNS; i++) {
        void *message = eddy_channel_receive (turns->there, NULL, error);
        if (message != (void *) (intptr_t) i)
            return NULL;
        if (i % 1000 == 0 && !eddy_fiber_sleep (1000000, error))
            return NULL;
        if (!eddy_channel_send (turns->back, message, NULL, error))
            return NULL;
        if (i % 10 == 0 && (!eddy_fiber_sleep (20000, error) ||
                            eddy_fd_write (turns->pipe[1], "x", 1, -1, NULL, error) != 1))
            return NULL;
    }
    return data;
}

static void *answer_thread (void *data)
{
    return answer_by (answer_turns, data);
}

static void *read_bytes (void *data, EddyError **error)
{
    Turns *turns = data;
    for (int i = 0; i < TURNS / 10; i++) {
        char byte;
        if (eddy_fd_read (turns->pipe[0], &byte, 1, -1, NULL, error) != 1 ||
            !eddy_channel_send (turns->bytes, data, NULL, error))
            return NULL;
    }
    return data;
}

/* Files, which take a worker, between two turns. */
static void *load_files (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path ("/proc/self/statm");
    for (int i = 0; i < TURNS / 100; i++) {
        EDDY_AUTO (EddyBytes) contents = eddy_file_load_contents (file, NULL, error);
        if (contents == NULL)
            return NULL;
    }
    return data;
}

static void *ask_turns (void *data, EddyError **error)
{
    Turns *turns = data;
    EDDY_AUTO (EddyFuture) bytes = eddy_spawn_local (read_bytes, data, NULL);
    EDDY_AUTO (EddyFuture) files = eddy_spawn_local (load_files, data, NULL);
    for (int i = 1; i <= TURNS; i++) {
        void *message = (void *) (intptr_t) i;
        if (!eddy_channel_send (turns->there, message, NULL, error) ||
            eddy_channel_receive (turns->back, NULL, error) != message)
            return NULL;
        /* With the read under way since before the last turn: only the kernel has something. */
        if (i % 10 == 0 && eddy_channel_receive (turns->bytes, NULL, error) != data)
            return NULL;
    }
    return eddy_await (bytes, error) == data ? eddy_await (files, error) : NULL;
}

EDDY_TEST (threads_that_take_turns_serve_all_else)
{
    static const size_t capacities[] = { 0, 1, 16 };
    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        Turns turns = { .there = eddy_channel_new (capacities[i], NULL),
                        .back = eddy_channel_new (capacities[i], NULL),
                        .bytes = eddy_channel_new (0, NULL) };
        pthread_t thread;
        void *answered = NULL;
        ck_assert_int_eq (pipe (turns.pipe), 0);
        ck_assert_int_eq (pthread_create (&thread, NULL, answer_thread, &turns), 0);
        EddyContext *context = eddy_test_context_begin ();
        ck_assert_ptr_eq (eddy_test_run_fiber (context, ask_turns, &turns), &turns);
        ck_assert_int_eq (pthread_join (thread, &answered), 0);
        ck_assert_ptr_eq (answered, &turns);
        eddy_test_context_end (context);
        close (turns.pipe[0]);
        close (turns.pipe[1]);
        eddy_unref (turns.there);
        eddy_unref (turns.back);
        eddy_unref (turns.bytes);
    }
}

/* --- no turn for anybody else ----------------------------------------------------------------- */

enum { MOST_TURNS = 1000000 };

/* Until the channel is closed. */
static void *answer_all (void *data, EddyError **error)
{
    Turns *turns = data;
    void *message;
    (void) error;
    while ((message = eddy_channel_receive (turns->there, NULL, NULL)) != NULL)
        if (!eddy_channel_send (turns->back, message, NULL, NULL))
            return NULL;
    return data;
}

static void *answer_all_thread (void *data)
{
    return answer_by (answer_all, data);
}

static void *read_byte (void *data, EddyError **error)
{
    char byte;
    return eddy_fd_read (((Turns *) data)->pipe[0], &byte, 1, -1, NULL, error) == 1 ? data : NULL;
}

/* Takes turns without a break, until a byte is read that the kernel has had for long. */
static void *ask_until_read (void *data, EddyError **error)
{
    Turns *turns = data;
    int n_turns = 0;
    EDDY_AUTO (EddyFuture) reader = eddy_spawn_local (read_byte, data, NULL);
    for (; n_turns < MOST_TURNS && !eddy_future_is_complete (reader); n_turns++) {
        if (n_turns == 100 && write (turns->pipe[1], "x", 1) != 1)
            return NULL;
        if (!eddy_channel_send (turns->there, data, NULL, error) ||
            eddy_channel_receive (turns->back, NULL, error) != data)
            return NULL;
    }
    eddy_channel_close (turns->there);
    ck_assert_int_lt (n_turns, MOST_TURNS);
    return eddy_await (reader, error);
}

EDDY_TEST (threads_that_take_turns_do_not_keep_the_kernel_out)
{
    Turns turns = { .there = eddy_channel_new (0, NULL), .back = eddy_channel_new (0, NULL) };
    pthread_t thread;
    void *answered = NULL;
    ck_assert_int_eq (pipe (turns.pipe), 0);
    ck_assert_int_eq (pthread_create (&thread, NULL, answer_all_thread, &turns), 0);
    EddyContext *context = eddy_test_context_begin ();
    ck_assert_ptr_eq (eddy_test_run_fiber (context, ask_until_read, &turns), &turns);
    ck_assert_int_eq (pthread_join (thread, &answered), 0);
    ck_assert_ptr_eq (answered, &turns);
    eddy_test_context_end (context);
    close (turns.pipe[0]);
    close (turns.pipe[1]);
    eddy_unref (turns.there);
    eddy_unref (turns.back);
}
