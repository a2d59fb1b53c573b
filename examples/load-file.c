/* SPDX-License-Identifier: MIT */
/* A single operation, and its cancel: loads a file, and prints how large it is.
 *
 *   load-file callbacks|task|future|await [--cancel] FILE
 *
 * It shows the same operation started in four ways, how an error reaches the one who asked, and
 * that a cancel is no special case: it is an error that is_cancelled() tells from others. Ctrl-C
 * cancels; --cancel does so before the program begins, to see what that looks like. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <eddy/eddy.h>

typedef struct Load {
    EddyFile *file;
    EddyCancellable *cancellable;
    EddyMainLoop *loop; /* the callback quits it */
    EddyBytes *bytes;   /* the answer: this one … */
    EddyError *error;   /* … or this one */
} Load;

/* ---- Callbacks: start it, and let the loop run. */

static void load_loaded (void *source_object, EddyAsyncResult *result, void *user_data);

static void load_with_callbacks (Load *load)
{
    load->loop = eddy_main_loop_new (NULL);
    eddy_file_load_contents_async (load->file, EDDY_PRIORITY_DEFAULT, load->cancellable,
                                   load_loaded, load);
    eddy_main_loop_run (load->loop);
    eddy_clear (&load->loop);
}

static void load_loaded (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Load *load = user_data;
    load->bytes = eddy_file_load_contents_finish (source_object, result, &load->error);
    eddy_main_loop_quit (load->loop);
}

/* ---- A task: an operation of one's own, here made of a call that blocks one of Eddy's workers. */

static void load_in_thread (EddyTask *task, void *source_object, void *task_data,
                            EddyCancellable *cancellable);

static void load_with_task (Load *load)
{
    EddyTask *task = eddy_task_new (load->file, load->cancellable, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    eddy_task_run_in_thread (task, load_in_thread);
    eddy_task_unref (task);
    load->bytes = eddy_ref (eddy_block_on (NULL, future, &load->error));
}

static void load_in_thread (EddyTask *task, void *source_object, void *task_data,
                            EddyCancellable *cancellable)
{
    EddyError *error = NULL;
    (void) task_data;
    EddyBytes *bytes = eddy_file_load_contents (source_object, cancellable, &error);
    if (bytes != NULL)
        eddy_task_return_object (task, bytes);
    else
        eddy_task_return_error (task, error);
}

/* ---- A future: what is under way is an object. It keeps its value, so take a reference. */

static void load_with_future (Load *load)
{
    EDDY_AUTO (EddyFuture)
    loading = eddy_file_load_contents_future (load->file, EDDY_PRIORITY_DEFAULT, load->cancellable);
    load->bytes = eddy_ref (eddy_block_on (NULL, loading, &load->error));
}

/* ---- Await: a fiber that waits in the middle of a function, while the loop goes on. */

static void *load_fiber (void *data, EddyError **error)
{
    Load *load = data;
    load->bytes = eddy_file_load_contents (load->file, load->cancellable, error);
    return NULL;
}

static void load_with_await (Load *load)
{
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn_local (load_fiber, load, NULL);
    eddy_block_on_complete (NULL, fiber, &load->error);
}

/* ---- Which one? */

static const struct {
    const char *name;
    void (*load) (Load *load);
} styles[] = { { "callbacks", load_with_callbacks },
               { "task", load_with_task },
               { "future", load_with_future },
               { "await", load_with_await } };

static bool interrupted (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return false; /* a second Ctrl-C ends the program at once, as without us */
}

static int load_report (const Load *load)
{
    const char *path = eddy_file_get_path (load->file);
    if (load->error == NULL)
        printf ("%s: %zu bytes\n", path, eddy_bytes_get_size (load->bytes));
    else if (eddy_error_is_cancelled (load->error))
        fprintf (stderr, "load-file: %s: %s\n", path, eddy_error_get_message (load->error));
    else
        fprintf (stderr, "load-file: %s\n", eddy_error_get_message (load->error));
    return load->error == NULL ? 0 : 1;
}

int main (int argc, char **argv)
{
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    bool cancel = argc == 4 && strcmp (argv[2], "--cancel") == 0;
    size_t style = 0, n_styles = argc == (cancel ? 4 : 3) ? sizeof styles / sizeof styles[0] : 0;
    while (style < n_styles && strcmp (styles[style].name, argv[1]) != 0)
        style++;
    if (style == n_styles) {
        fputs ("usage: load-file callbacks|task|future|await [--cancel] FILE\n",
               help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (argv[argc - 1]);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddySource) interrupt = eddy_signal_source_new (SIGINT);
    eddy_source_set_callback (interrupt, interrupted, cancellable, NULL);
    eddy_source_attach (interrupt, NULL);
    if (cancel)
        eddy_cancellable_cancel (cancellable);
    Load load = { .file = file, .cancellable = cancellable };
    styles[style].load (&load);
    eddy_source_destroy (interrupt);
    int status = load_report (&load);
    eddy_clear_error (&load.error);
    eddy_unref (load.bytes);
    return status;
}
