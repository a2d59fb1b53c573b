/* SPDX-License-Identifier: MIT */
/* Temporary files and folders: names that nobody can guess, and that nobody had. */
#include <eddy/file-stream-bodies.h>

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/at-private.h"
#include "file/file-stream-private.h"
#include "sys/file-private.h"
#include "sys/process-private.h"
#include "sys/random-private.h"

enum { TMP_TRIES = 100 };

#define TMP_MARK "XXXXXX"

/* Where the letters are that are to be made up: the last XXXXXX; NULL: there are none. */
static char *tmp_find_mark (char *name)
{
    char *found = NULL;
    for (char *at = strstr (name, TMP_MARK); at != NULL; at = strstr (at + 1, TMP_MARK))
        found = at;
    return found;
}

/* A copy of the template, to be freed; NULL with an error. */
static char *tmp_copy_template (const char *tmpl, EddyError **error)
{
    char *name = eddy__strdup (tmpl == NULL ? "." TMP_MARK : tmpl);
    const char *wrong = NULL;
    if (name == NULL)
        eddy_error_set_errno (error, ENOMEM, "a temporary file");
    else if (strchr (name, '/') != NULL)
        wrong = "must not have a slash";
    else if (tmp_find_mark (name) == NULL)
        wrong = "must have " TMP_MARK;
    if (wrong == NULL)
        return name;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                    "the name of a temporary file, '%.200s', %s", name, wrong);
    eddy__free (name);
    return NULL;
}

/* Six letters, of 62 kinds each; 0 or -errno. */
static int tmp_make_up (char *mark)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    uint64_t value;
    int result = eddy__sys_random (&value, sizeof value);
    if (result < 0)
        return result;
    for (size_t i = 0; i < strlen (TMP_MARK); i++, value /= sizeof letters - 1)
        mark[i] = letters[value % (sizeof letters - 1)];
    return 0;
}

/* One try with a file of that name: 0 or -errno, which is -EEXIST where the name is taken. */
typedef int (*TmpMake) (EddyFile *file, void *data);

/* Tries names of the template until one is nobody's. The file, or NULL with an error. */
static EddyFile *tmp_make (char *name, TmpMake make, void *data, EddyError **error)
{
    const char *path = eddy__sys_getenv ("TMPDIR");
    EddyFile *folder = eddy_file_new_for_path (path == NULL || *path == '\0' ? "/tmp" : path);
    char *mark = tmp_find_mark (name);
    EddyFile *file = NULL;
    int result = folder == NULL ? -ENOMEM : -EEXIST;
    for (int i = 0; i < TMP_TRIES && result == -EEXIST; i++) {
        eddy_clear (&file);
        result = tmp_make_up (mark);
        if (result == 0)
            file = eddy_file_get_child (folder, name);
        if (result == 0)
            result = file == NULL ? -ENOMEM : make (file, data);
    }
    eddy_unref (folder);
    if (result == 0)
        return file;
    eddy_error_set_errno (error, -result, "%s", file == NULL ? name : file->path);
    return eddy_unref (file);
}

/* --- files ------------------------------------------------------------------------------------ */

static int tmp_make_file (EddyFile *file, void *data)
{
    EddyFileIOStream **stream = data;
    EddyFileCursor *cursor = eddy__file_cursor_new (
        file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE |
                  EDDY_FILE_OPEN_EXCLUSIVE | EDDY_FILE_OPEN_PRIVATE);
    *stream = eddy__file_io_stream_new (cursor);
    int result = *stream == NULL ? -ENOMEM : eddy__file_cursor_open_file (cursor);
    if (result < 0)
        eddy_clear (stream);
    return result;
}

EddyFile *eddy_file_new_tmp_body (const char *tmpl, EddyFileIOStream **stream,
                                  EddyCancellable *cancellable, EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    char *name = tmp_copy_template (tmpl, error);
    EddyFileIOStream *made = NULL;
    EddyFile *file = name == NULL ? NULL : tmp_make (name, tmp_make_file, &made, error);
    eddy__free (name);
    if (file != NULL && stream != NULL)
        *stream = EDDY_TAKE (made);
    eddy_unref (made);
    return file;
}

/* --- folders ---------------------------------------------------------------------------------- */

static int tmp_make_folder (EddyFile *file, void *data)
{
    (void) data;
    EddyFileAt at;
    int result = eddy__file_at (file, &at);
    if (result == 0)
        result = eddy__sys_mkdirat (at.fd, at.name, 0700);
    eddy__file_at_end (&at);
    return result;
}

EddyFile *eddy_file_new_tmp_dir_body (const char *tmpl, EddyCancellable *cancellable,
                                      EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    char *name = tmp_copy_template (tmpl, error);
    EddyFile *file = name == NULL ? NULL : tmp_make (name, tmp_make_folder, NULL, error);
    eddy__free (name);
    return file;
}
