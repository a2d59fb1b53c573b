/* SPDX-License-Identifier: MIT */
/*
 * Contents saved as a whole: whatever fails, the file is the old one or the new one.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "torture.h"

enum { OLD = 5000, NEW = 300000 };

typedef struct Save {
    const char *path;
    bool makes_backup;
    bool is_done;
    bool has_etag;
} Save;

static void save_step (void *data)
{
    Save *save = data;
    EddyError *error = NULL;
    static char contents[NEW];
    EDDY_AUTO_FREE (char) etag = NULL;
    EDDY_AUTO (EddyFile) file = torture_made ("a file", eddy_file_new_for_path (save->path));
    if (file == NULL)
        return;
    for (size_t i = 0; i < NEW; i++)
        contents[i] = torture_byte (i);
    save->is_done = eddy_file_replace_contents (file, contents, NEW, NULL, save->makes_backup,
                                                EDDY_FILE_CREATE_NONE, &etag, NULL, &error);
    save->has_etag = etag != NULL;
    if (!save->is_done)
        torture_error ("replace contents", &error);
}

/* The last step is to sync the folder: the new file may be there, and an error told. */
static void save_verify (const Save *save, bool has_old)
{
    torture_require (save->has_etag == save->is_done);
    if (save->is_done) {
        torture_require (torture_file_is_whole (save->path, NEW));
        return;
    }
    torture_require (torture_has_failed ());
    if (has_old)
        torture_require (torture_file_is_whole (save->path, OLD) ||
                         torture_file_is_whole (save->path, NEW));
    else
        torture_require (!torture_exists (save->path) || torture_file_is_whole (save->path, NEW));
}

TORTURE_SCENARIO (replace_new)
{
    Save save = { .path = torture_path ("file") };
    torture_begin ();
    save_step (&save);
    torture_end ();
    save_verify (&save, /* has_old= */ false);
}

TORTURE_SCENARIO (replace_old)
{
    Save save = { .path = torture_make_file ("file", OLD) };
    torture_begin ();
    save_step (&save);
    torture_end ();
    save_verify (&save, /* has_old= */ true);
    torture_require (!torture_exists (torture_path (".file.eddy~")) || torture_cannot_remove ());
}

TORTURE_SCENARIO (replace_old_awaited)
{
    Save save = { .path = torture_make_file ("file", OLD), .makes_backup = true };
    torture_begin ();
    torture_await (save_step, &save);
    torture_end ();
    save_verify (&save, /* has_old= */ true);
    if (save.is_done)
        torture_require (torture_file_is_whole (torture_path ("file~"), OLD));
}

/* --- by callback and as a future -------------------------------------------------------------- */

typedef struct Later {
    int calls;
    bool is_done;
} Later;

static void later_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Later *later = user_data;
    EddyError *error = NULL;
    EDDY_AUTO_FREE (char) etag = NULL;
    later->calls++;
    later->is_done = eddy_file_replace_contents_finish (source_object, result, &etag, &error);
    if (!later->is_done)
        torture_error ("replace contents", &error);
}

TORTURE_SCENARIO (replace_by_callback)
{
    Later later = { 0, false };
    Save save = { .path = torture_make_file ("file", OLD) };
    static char contents[NEW];
    for (size_t i = 0; i < NEW; i++)
        contents[i] = torture_byte (i);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyFile *file = torture_made ("a file", eddy_file_new_for_path (save.path));
    if (context != NULL && file != NULL) {
        eddy_file_replace_contents_async (file, contents, NEW, NULL, false, EDDY_FILE_CREATE_NONE,
                                          EDDY_PRIORITY_DEFAULT, NULL, later_ready, &later);
        torture_run_until (context, &later.calls, 1);
    }
    if (context != NULL)
        torture_context_end (context);
    torture_end ();
    save.is_done = save.has_etag = later.is_done;
    save_verify (&save, /* has_old= */ true);
    eddy_unref (file);
}

/* Nobody waits for the etag, which is given up with the future. */
TORTURE_SCENARIO (replace_bytes_future)
{
    Save save = { .path = torture_path ("file") };
    EddyError *error = NULL;
    static char contents[NEW];
    for (size_t i = 0; i < NEW; i++)
        contents[i] = torture_byte (i);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyFile *file = torture_made ("a file", eddy_file_new_for_path (save.path));
    EddyBytes *bytes = torture_made ("bytes", eddy_bytes_new (contents, NEW));
    if (context != NULL && file != NULL && bytes != NULL) {
        EddyFuture *future = eddy_file_replace_contents_bytes_future (
            file, bytes, NULL, false, EDDY_FILE_CREATE_NONE, EDDY_PRIORITY_DEFAULT, NULL);
        save.is_done = save.has_etag = eddy_block_on_boolean (context, future, &error);
        if (!save.is_done)
            torture_error ("replace contents", &error);
        eddy_unref (future);
    }
    if (context != NULL)
        torture_context_end (context);
    torture_end ();
    save_verify (&save, /* has_old= */ false);
    eddy_unref (file);
    eddy_unref (bytes);
}
