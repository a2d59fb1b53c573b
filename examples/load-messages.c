/* SPDX-License-Identifier: MIT */
/* A series wrapped in a task: an operation of the program's own, run several times at once.
 *
 *   load-messages callbacks|future|await address other ...
 *
 * Each file has the address of who has a message, as those of read-message.c. foo.c makes the
 * operation, with a pair foo_load_message_async() and foo_load_message_finish(); here it is called
 * as any other. All begin at once, each is told of its own end, and the messages are printed in the
 * order of the arguments. Ctrl-C cancels those that have not ended. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "foo.h"

enum { MOST = 16 };

typedef struct Load {
    struct Loads *all;
    Foo *foo;
    EddyBytes *message;
    EddyError *error;
} Load;

typedef struct Loads {
    Load each[MOST];
    size_t n_loads;
    size_t n_to_finish;
    EddyCancellable *cancellable;
    EddyMainLoop *loop;
} Loads;

/* ---- Callbacks: the last one ends the loop. */

static void load_loaded (void *source_object, EddyAsyncResult *result, void *user_data);

static void load_with_callbacks (Loads *all)
{
    all->loop = eddy_main_loop_new (NULL);
    for (size_t i = 0; i < all->n_loads; i++)
        foo_load_message_async (all->each[i].foo, all->cancellable, load_loaded, &all->each[i]);
    eddy_main_loop_run (all->loop);
    eddy_clear (&all->loop);
}

static void load_loaded (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Load *load = user_data;
    load->message = foo_load_message_finish (source_object, result, &load->error);
    if (--load->all->n_to_finish == 0)
        eddy_main_loop_quit (load->all->loop);
}

/* ---- Futures: all are under way while one after the other is waited for. */

static void load_with_future (Loads *all)
{
    EddyFuture *futures[MOST];
    for (size_t i = 0; i < all->n_loads; i++)
        futures[i] = foo_load_message_future (all->each[i].foo, all->cancellable);
    for (size_t i = 0; i < all->n_loads; i++) {
        all->each[i].message = eddy_ref (eddy_block_on (NULL, futures[i], &all->each[i].error));
        eddy_unref (futures[i]);
    }
}

/* ---- Await: a fiber for each, and a group that ends when all have ended. */

static void *load_fiber (void *data, EddyError **error)
{
    Load *load = data;
    (void) error; /* one that it returned would cancel the other fibers of the group */
    EDDY_AUTO (EddyFuture) loading = foo_load_message_future (load->foo, load->all->cancellable);
    load->message = eddy_ref (eddy_await (loading, &load->error));
    return NULL;
}

static void load_with_await (Loads *all)
{
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    for (size_t i = 0; i < all->n_loads; i++) {
        Load *load = &all->each[i];
        if (!eddy_group_spawn (group, load_fiber, load, NULL, &load->error))
            continue; /* its error is told with those of the others */
    }
    eddy_group_wait (group, NULL);
}

static bool interrupted (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return false; /* a second Ctrl-C ends the program at once, as without us */
}

/* Prints a message; whether there is one. */
static bool load_end (Load *load)
{
    bool loaded = load->message != NULL;
    if (loaded)
        fwrite (eddy_bytes_get_data (load->message), eddy_bytes_get_size (load->message), 1,
                stdout);
    else
        fprintf (stderr, "load-messages: %s\n", eddy_error_get_message (load->error));
    eddy_clear (&load->message);
    eddy_clear_error (&load->error);
    eddy_clear (&load->foo);
    return loaded;
}

int main (int argc, char **argv)
{
    static const char *const names[] = { "callbacks", "future", "await" };
    static void (*const styles[]) (Loads *) = { load_with_callbacks, load_with_future,
                                                load_with_await };
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    size_t style = argc < 3 || argc - 2 > MOST ? 3 : 0;
    while (style < 3 && strcmp (names[style], argv[1]) != 0)
        style++;
    if (style == 3) {
        fputs ("usage: load-messages callbacks|future|await ADDRESS-FILE... (at most 16)\n",
               help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddySource) interrupt = eddy_signal_source_new (SIGINT);
    eddy_source_set_callback (interrupt, interrupted, cancellable, NULL);
    eddy_source_attach (interrupt, NULL);
    Loads all = { .n_loads = (size_t) argc - 2, .cancellable = cancellable };
    all.n_to_finish = all.n_loads;
    for (size_t i = 0; i < all.n_loads; i++)
        all.each[i] = (Load){ .all = &all, .foo = foo_new (argv[i + 2]) };
    (*styles[style]) (&all);
    eddy_source_destroy (interrupt);

    bool all_loaded = true;
    for (size_t i = 0; i < all.n_loads; i++)
        all_loaded = load_end (&all.each[i]) && all_loaded;
    return all_loaded ? 0 : 1;
}
