/* SPDX-License-Identifier: MIT */
/* One operation, four forms: copies a file, asks how large the copy has become, and prints it.
 *
 *   copy-forms awaited|blocking|callbacks|future SOURCE DESTINATION
 *
 * All four do the same and print the same; they differ in who waits. */
#include <stdio.h>
#include <string.h>

#include <eddy/eddy.h>

typedef struct Copy {
    EddyFile *source;
    EddyFile *destination;
    int64_t size;
    EddyError *error;
    EddyMainLoop *loop; /* what the form by callbacks quits at its end */
} Copy;

static const EddyFileCopyFlags copy_flags = EDDY_FILE_COPY_ALL_METADATA;

/* ---- Awaited and blocking: one function, in order. In a fiber each call suspends that fiber, and
 * the loop goes on; outside one it blocks the thread. */

static bool copy_in_order (Copy *copy, EddyError **error)
{
    if (!eddy_file_copy (copy->source, copy->destination, copy_flags, NULL, NULL, NULL, error))
        return false;
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (copy->destination, EDDY_FILE_QUERY_INFO_NONE, NULL, error);
    if (info == NULL)
        return false;
    copy->size = eddy_file_info_get_size (info);
    return true;
}

static void *copy_fiber (void *data, EddyError **error)
{
    copy_in_order (data, error);
    return NULL;
}

static void copy_awaited (Copy *copy)
{
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn_local (copy_fiber, copy, NULL);
    eddy_block_on_complete (NULL, fiber, &copy->error);
}

static void copy_blocking (Copy *copy)
{
    copy_in_order (copy, &copy->error);
}

/* ---- Callbacks: each function starts the next step, and returns. They run from the loop. */

static void copy_got_info (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Copy *copy = user_data;
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info_finish (source_object, result, &copy->error);
    if (info != NULL)
        copy->size = eddy_file_info_get_size (info);
    eddy_main_loop_quit (copy->loop);
}

static void copy_copied (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Copy *copy = user_data;
    if (!eddy_file_copy_finish (source_object, result, &copy->error)) {
        eddy_main_loop_quit (copy->loop);
        return;
    }
    eddy_file_query_info_async (copy->destination, EDDY_FILE_QUERY_INFO_NONE, 0, NULL,
                                copy_got_info, copy);
}

static void copy_callbacks (Copy *copy)
{
    copy->loop = eddy_main_loop_new (NULL);
    eddy_file_copy_async (copy->source, copy->destination, copy_flags, 0, NULL, NULL, NULL,
                          copy_copied, copy);
    eddy_main_loop_run (copy->loop);
    eddy_clear (&copy->loop);
}

/* ---- Futures: what is under way is an object, to be kept, passed on, and waited for when it suits
 * the caller. A future keeps its value. */

static void copy_future (Copy *copy)
{
    EDDY_AUTO (EddyFuture)
    copied =
        eddy_file_copy_future (copy->source, copy->destination, copy_flags, 0, NULL, NULL, NULL);
    if (!eddy_block_on_complete (NULL, copied, &copy->error))
        return;
    EDDY_AUTO (EddyFuture)
    asked = eddy_file_query_info_future (copy->destination, EDDY_FILE_QUERY_INFO_NONE, 0, NULL);
    const EddyFileInfo *info = eddy_block_on (NULL, asked, &copy->error);
    if (info != NULL)
        copy->size = eddy_file_info_get_size (info);
}

/* ---- Which one? */

static const struct {
    const char *name;
    void (*copy) (Copy *copy);
} forms[] = { { "awaited", copy_awaited },
              { "blocking", copy_blocking },
              { "callbacks", copy_callbacks },
              { "future", copy_future } };

int main (int argc, char **argv)
{
    size_t form = 0, n_forms = sizeof forms / sizeof forms[0];
    while (argc == 4 && form < n_forms && strcmp (forms[form].name, argv[1]) != 0)
        form++;
    if (argc != 4 || form == n_forms) {
        fprintf (stderr, "copy-forms awaited|blocking|callbacks|future SOURCE DESTINATION\n");
        return 2;
    }
    Copy copy = { .source = eddy_file_new_for_path (argv[2]),
                  .destination = eddy_file_new_for_path (argv[3]) };
    forms[form].copy (&copy);
    int status = copy.error == NULL ? 0 : 1;
    if (copy.error == NULL)
        printf ("%s: %lld bytes\n", argv[3], (long long) copy.size);
    else
        fprintf (stderr, "copy-forms: %s\n", eddy_error_get_message (copy.error));
    eddy_clear_error (&copy.error);
    eddy_unref (copy.source);
    eddy_unref (copy.destination);
    return status;
}
