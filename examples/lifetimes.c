/* SPDX-License-Identifier: MIT */
/* Strong and weak lifetimes: an object reads a line from standard input, and its last reference is
 * given up meanwhile.
 *
 *   (sleep 1; echo hello) | lifetimes strong|weak|bound
 *
 * strong: the task keeps its source object until the callback has run; weak: dispose cancels the
 * read; bound: the task is bound to the object. In each the memory outlasts the read. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <eddy/eddy.h>

typedef struct Reader {
    EddyObject object;
    EddyCancellable *cancellable; /* its own: a child of the program's */
    struct Program *program;
    char line[256];
} Reader;

typedef struct Program {
    EddyCancellable *cancellable;
    EddyMainLoop *loop;
    EddyError *error;
} Program;

/* The last reference is gone: ask what is under way to end, and wait for nothing. */
static void reader_dispose (void *object)
{
    Reader *reader = object;
    puts ("disposed of");
    eddy_cancellable_cancel (reader->cancellable);
    eddy_clear (&reader->cancellable);
}

/* Nothing is under way any more; the memory is freed next, and the program ends. */
static void reader_finalize (void *object)
{
    puts ("gone");
    eddy_main_loop_quit (((Reader *) object)->program->loop);
}

static const EddyClass reader_class = { .name = "Reader",
                                        .size = sizeof (Reader),
                                        .dispose = reader_dispose,
                                        .finalize = reader_finalize };

/* ---- Strong: the reader is the task's source object. Bound: it is so, weakly. */

static void reader_read (void *source_object, EddyAsyncResult *result, void *user_data);
static void program_told (void *source_object, EddyAsyncResult *result, void *user_data);

static void read_as_task (Reader *reader, bool bound)
{
    EddyTask *task =
        eddy_task_new (reader, reader->program->cancellable, program_told, reader->program);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    if (bound)
        eddy_object_bind (reader, future);
    eddy_fd_read_async (STDIN_FILENO, reader->line, sizeof reader->line, -1, 0,
                        eddy_task_get_cancellable (task), reader_read, task);
}

static void reader_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    EddyError *error = NULL;
    (void) source_object;
    ssize_t count = eddy_fd_read_finish (result, &error);
    if (count >= 0)
        eddy_task_return_int (task, count);
    else
        eddy_task_return_error (task, error);
    eddy_task_unref (task);
}

static void program_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Program *program = user_data;
    int64_t count = eddy_task_propagate_int (result, &program->error);
    if (count >= 0) /* else source_object may be NULL: disposed of */
        printf ("read: %.*s", (int) count, ((Reader *) source_object)->line);
    else
        puts ("not read");
}

/* ---- Weak: the read has the reader's own cancellable, and holds its memory. */

static void reader_read_weakly (void *source_object, EddyAsyncResult *result, void *user_data);

static void read_weakly (Reader *reader)
{
    eddy_fd_read_async (STDIN_FILENO, reader->line, sizeof reader->line, -1, 0, reader->cancellable,
                        reader_read_weakly, eddy_object_hold (reader));
}

static void reader_read_weakly (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Reader *reader = user_data;
    (void) source_object;
    ssize_t count = eddy_fd_read_finish (result, &reader->program->error);
    if (count >= 0)
        printf ("read: %.*s", (int) count, reader->line);
    else
        puts ("not read");
    eddy_object_release (reader);
}

static bool interrupted (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return false; /* a second Ctrl-C ends the program at once, as without us */
}

int main (int argc, char **argv)
{
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    bool strong = argc == 2 && strcmp (argv[1], "strong") == 0;
    bool weak = argc == 2 && strcmp (argv[1], "weak") == 0;
    if (!strong && !weak && (argc != 2 || strcmp (argv[1], "bound") != 0)) {
        fputs ("usage: lifetimes strong|weak|bound <INPUT\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddySource) interrupt = eddy_signal_source_new (SIGINT);
    eddy_source_set_callback (interrupt, interrupted, cancellable, NULL);
    eddy_source_attach (interrupt, NULL);
    EDDY_AUTO (EddyMainLoop) loop = eddy_main_loop_new (NULL);
    Program program = { .cancellable = cancellable, .loop = loop };
    Reader *reader = eddy_object_new (&reader_class);
    reader->program = &program;
    reader->cancellable = eddy_cancellable_new_child (cancellable);
    if (weak)
        read_weakly (reader);
    else
        read_as_task (reader, !strong);
    puts ("given up");
    eddy_unref (reader);
    eddy_main_loop_run (loop);
    eddy_source_destroy (interrupt);
    /* That it was cancelled with its reader is what the weak ways are for. */
    bool failed = program.error != NULL && (strong || !eddy_error_is_cancelled (program.error));
    if (failed)
        fprintf (stderr, "lifetimes: standard input: %s\n", eddy_error_get_message (program.error));
    eddy_clear_error (&program.error);
    return failed ? 1 : 0;
}
