/* SPDX-License-Identifier: MIT */
/*
 * gio-copy-tree SOURCE DESTINATION: copies a tree with GIO, as a GLib program would.
 *
 * Why it is the fair way: everything goes through GIO's own asynchronous calls on one main loop,
 * and GIO's thread pool does the work. Folders are listed by g_file_enumerator_next_files_async in
 * large batches with the two attributes that are needed; at most 64 calls are in flight, because
 * more only queue behind GIO's pool of ten threads; each copy is one g_file_copy_async, which keeps
 * what `eddy copy` keeps (mode, times, attributes, owner) by ALL_METADATA. GIO cannot make a hard
 * link, so second names are copied as files. Folders get their metadata after their last entry, by
 * g_file_copy_attributes in the same pool; there is no asynchronous call for it.
 */
#include <gio/gio.h>
#include <stdlib.h>

#define COPY_IN_FLIGHT 64
#define COPY_BATCH 1000
#define COPY_FLAGS (G_FILE_COPY_NOFOLLOW_SYMLINKS | G_FILE_COPY_ALL_METADATA)
#define COPY_ATTRIBUTES G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_TYPE

/* Something to copy; a folder is kept to the end, for its metadata. */
typedef struct {
    GFile *source;
    GFile *destination;
    gboolean is_folder;
} CopyItem;

typedef struct {
    GMainLoop *loop;
    GQueue waiting;     /* items that were found and have not begun */
    GPtrArray *folders; /* folders that were made */
    guint in_flight;
    gboolean failed;
} Copy;

static Copy copy;

static void copy_pump (void);

static CopyItem *copy_item_new (GFile *source, GFile *destination, gboolean is_folder)
{
    CopyItem *item = g_new (CopyItem, 1);
    *item = (CopyItem){ .source = source, .destination = destination, .is_folder = is_folder };
    return item;
}

static void copy_item_free (void *data)
{
    CopyItem *item = data;
    g_object_unref (item->source);
    g_object_unref (item->destination);
    g_free (item);
}

/* Ends one call in flight; tells the error, if there is one. */
static void copy_end (GError *error)
{
    copy.in_flight--;
    if (error) {
        g_printerr ("gio-copy-tree: %s\n", error->message);
        g_error_free (error);
        copy.failed = TRUE;
    }
    copy_pump ();
}

/* ---- Files and symbolic links */

static void copy_file_done (GObject *object, GAsyncResult *result, void *data)
{
    GError *error = NULL;
    g_file_copy_finish (G_FILE (object), result, &error);
    copy_item_free (data);
    copy_end (error);
}

static void copy_file (CopyItem *item)
{
    g_file_copy_async (item->source, item->destination, COPY_FLAGS, G_PRIORITY_DEFAULT, NULL, NULL,
                       NULL, copy_file_done, item);
}

/* ---- Folders: make, list, go on with the next batch until there is none */

static void copy_folder_listed (GObject *object, GAsyncResult *result, void *data)
{
    CopyItem *folder = data;
    GFileEnumerator *enumerator = G_FILE_ENUMERATOR (object);
    GError *error = NULL;
    GList *infos = g_file_enumerator_next_files_finish (enumerator, result, &error);
    if (!infos) {
        g_object_unref (enumerator);
        copy_end (error);
        return;
    }
    for (GList *link = infos; link; link = link->next) {
        GFileInfo *info = link->data;
        const char *name = g_file_info_get_name (info);
        gboolean is_folder = g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY;
        g_queue_push_tail (&copy.waiting,
                           copy_item_new (g_file_get_child (folder->source, name),
                                          g_file_get_child (folder->destination, name), is_folder));
        g_object_unref (info);
    }
    g_list_free (infos);
    g_file_enumerator_next_files_async (enumerator, COPY_BATCH, G_PRIORITY_DEFAULT, NULL,
                                        copy_folder_listed, folder);
    copy_pump ();
}

static void copy_folder_opened (GObject *object, GAsyncResult *result, void *data)
{
    GError *error = NULL;
    GFileEnumerator *enumerator =
        g_file_enumerate_children_finish (G_FILE (object), result, &error);
    if (!enumerator) {
        copy_end (error);
        return;
    }
    g_file_enumerator_next_files_async (enumerator, COPY_BATCH, G_PRIORITY_DEFAULT, NULL,
                                        copy_folder_listed, data);
}

static void copy_folder_made (GObject *object, GAsyncResult *result, void *data)
{
    CopyItem *item = data;
    GError *error = NULL;
    if (!g_file_make_directory_finish (G_FILE (object), result, &error)) {
        copy_item_free (item);
        copy_end (error);
        return;
    }
    g_ptr_array_add (copy.folders, item);
    g_file_enumerate_children_async (item->source, COPY_ATTRIBUTES,
                                     G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, G_PRIORITY_DEFAULT, NULL,
                                     copy_folder_opened, item);
}

static void copy_folder (CopyItem *item)
{
    g_file_make_directory_async (item->destination, G_PRIORITY_DEFAULT, NULL, copy_folder_made,
                                 item);
}

/* Begins as many waiting items as may be in flight; ends the loop when nothing is left. */
static void copy_pump (void)
{
    while (copy.in_flight < COPY_IN_FLIGHT && !g_queue_is_empty (&copy.waiting)) {
        CopyItem *item = g_queue_pop_head (&copy.waiting);
        copy.in_flight++;
        if (item->is_folder)
            copy_folder (item);
        else
            copy_file (item);
    }
    if (copy.in_flight == 0)
        g_main_loop_quit (copy.loop);
}

/* ---- The folders' metadata, when nothing touches the folders any more */

static void copy_metadata_work (GTask *task, void *source_object G_GNUC_UNUSED, void *data,
                                GCancellable *cancellable)
{
    CopyItem *item = data;
    GError *error = NULL;
    if (g_file_copy_attributes (item->source, item->destination, COPY_FLAGS, cancellable, &error))
        g_task_return_boolean (task, TRUE);
    else
        g_task_return_error (task, error);
}

static void copy_metadata_next (void);

static void copy_metadata_done (GObject *object G_GNUC_UNUSED, GAsyncResult *result,
                                void *data G_GNUC_UNUSED)
{
    GError *error = NULL;
    g_task_propagate_boolean (G_TASK (result), &error);
    copy_metadata_next ();
    copy_end (error);
}

static void copy_metadata_next (void)
{
    if (copy.folders->len == 0)
        return;
    CopyItem *item = g_ptr_array_steal_index (copy.folders, copy.folders->len - 1);
    GTask *task = g_task_new (NULL, NULL, copy_metadata_done, NULL);
    copy.in_flight++;
    g_task_set_task_data (task, item, copy_item_free);
    g_task_run_in_thread (task, copy_metadata_work);
    g_object_unref (task);
}

static void copy_metadata (void)
{
    for (int i = 0; i < COPY_IN_FLIGHT; i++)
        copy_metadata_next ();
    if (copy.in_flight > 0)
        g_main_loop_run (copy.loop);
}

int main (int argc, char **argv)
{
    if (argc != 3) {
        g_printerr ("usage: gio-copy-tree SOURCE DESTINATION\n");
        return 2;
    }
    copy.loop = g_main_loop_new (NULL, FALSE);
    copy.folders = g_ptr_array_new ();
    g_queue_push_tail (&copy.waiting,
                       copy_item_new (g_file_new_for_commandline_arg (argv[1]),
                                      g_file_new_for_commandline_arg (argv[2]), TRUE));
    copy_pump ();
    g_main_loop_run (copy.loop);
    copy_metadata ();
    g_ptr_array_free (copy.folders, TRUE);
    g_main_loop_unref (copy.loop);
    return copy.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
