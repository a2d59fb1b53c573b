/* SPDX-License-Identifier: MIT */
/* Operations in parallel: deletes many files, a few at once, and counts what has become of them.
 *
 *   delete-files callbacks|future|await FILE...
 *
 * It shows two counts, of those yet to start and of those yet to finish; a limit on how many run;
 * one cancel (Ctrl-C) for all of them; and errors that do not hide each other. The last line is
 * true after a cancel as well: a file that is gone was deleted, whatever was asked meanwhile. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <eddy/eddy.h>

enum { LIMIT = 8 };

typedef struct Deletions {
    char **paths; /* of those yet to start */
    size_t n_to_start;
    size_t n_to_finish; /* those yet to start, and those under way */
    size_t n_deleted, n_cancelled;
    EddyCancellable *cancellable;
} Deletions;

/* The next one to start; NULL: there is none, enough are under way, or all was cancelled. */
static EddyFile *deletions_next (Deletions *all)
{
    if (all->n_to_start == 0 || all->n_to_finish - all->n_to_start >= LIMIT ||
        eddy_cancellable_is_cancelled (all->cancellable))
        return NULL;
    all->n_to_start--;
    return eddy_file_new_for_path (*all->paths++);
}

/* Counts one that has finished, and takes its error. */
static void deletions_count (Deletions *all, EddyError *error)
{
    all->n_to_finish--;
    if (error == NULL)
        all->n_deleted++;
    else if (eddy_error_is_cancelled (error))
        all->n_cancelled++;
    else
        fprintf (stderr, "delete-files: %s\n", eddy_error_get_message (error));
    eddy_unref (error);
}

/* ---- Callbacks: each that finishes makes room for the next, until nothing is under way. */

static void deletions_start_more (Deletions *all);
static void deletion_finished (void *source_object, EddyAsyncResult *result, void *user_data);

static void delete_with_callbacks (Deletions *all)
{
    deletions_start_more (all);
    while (all->n_to_finish > all->n_to_start)
        eddy_context_iteration (NULL, /* may_block= */ true);
}

static void deletions_start_more (Deletions *all)
{
    for (EddyFile *file; (file = deletions_next (all)) != NULL; eddy_unref (file))
        eddy_file_delete_async (file, 0, all->cancellable, deletion_finished, all);
}

static void deletion_finished (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Deletions *all = user_data;
    EddyError *error = NULL;
    eddy_file_delete_finish (source_object, result, &error);
    deletions_count (all, error);
    deletions_start_more (all);
}

/* ---- Futures: each starts when the one that was started LIMIT before it has finished. */

static void delete_with_future (Deletions *all)
{
    EddyFuture *under_way[LIMIT] = { NULL };
    size_t i = 0;
    do {
        EddyFuture **place = &under_way[i++ % LIMIT];
        if (*place != NULL) {
            EddyError *error = NULL;
            eddy_block_on_complete (NULL, *place, &error);
            deletions_count (all, error);
            eddy_clear (place);
        }
        EDDY_AUTO (EddyFile) file = deletions_next (all);
        if (file != NULL)
            *place = eddy_file_delete_future (file, 0, all->cancellable);
    } while (all->n_to_finish > all->n_to_start);
}

/* ---- Await: as many fibers as may run at once, each of which takes the next file in turn. */

static void *delete_fiber (void *data, EddyError **error)
{
    Deletions *all = data;
    (void) error; /* one that it returned would cancel the other fibers of the group */
    for (EddyFile *file; (file = deletions_next (all)) != NULL; eddy_unref (file)) {
        EddyError *own_error = NULL;
        eddy_file_delete (file, all->cancellable, &own_error);
        deletions_count (all, own_error);
    }
    return NULL;
}

static void delete_with_await (Deletions *all)
{
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    for (int i = 0; i < LIMIT; i++)
        if (!eddy_group_spawn (group, delete_fiber, all, NULL, NULL))
            break; /* those that run do its part, too */
    eddy_group_wait (group, NULL);
}

static bool interrupted (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return false; /* a second Ctrl-C ends the program at once, as without us */
}

int main (int argc, char **argv)
{
    static const char *const names[] = { "callbacks", "future", "await" };
    static void (*const styles[]) (Deletions *) = { delete_with_callbacks, delete_with_future,
                                                    delete_with_await };
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    size_t style = argc < 3 ? 3 : 0;
    while (style < 3 && strcmp (names[style], argv[1]) != 0)
        style++;
    if (style == 3) {
        fputs ("usage: delete-files callbacks|future|await FILE...\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddySource) interrupt = eddy_signal_source_new (SIGINT);
    eddy_source_set_callback (interrupt, interrupted, cancellable, NULL);
    eddy_source_attach (interrupt, NULL);
    size_t n_files = (size_t) argc - 2;
    Deletions all = { argv + 2, n_files, n_files, .cancellable = cancellable };
    (*styles[style]) (&all);
    eddy_source_destroy (interrupt);
    printf ("%zu deleted, %zu failed, %zu cancelled, %zu not started\n", all.n_deleted,
            n_files - all.n_deleted - all.n_cancelled - all.n_to_start, all.n_cancelled,
            all.n_to_start);
    return all.n_deleted == n_files ? 0 : 1;
}
