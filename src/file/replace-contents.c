/* SPDX-License-Identifier: MIT */
/* Saving: a file's contents replaced by bytes in memory. */
#include <eddy/file-bodies.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/replace-private.h"
#include "sys/file-private.h"

enum { REPLACE_CHUNK = 1 << 20 /* bytes between two looks at the cancellable */ };

static int contents_write (int fd, const char *contents, size_t length,
                           EddyCancellable *cancellable)
{
    while (length > 0) {
        if (eddy_cancellable_is_cancelled (cancellable))
            return -ECANCELED;
        ssize_t count =
            eddy__sys_write (fd, contents, length < REPLACE_CHUNK ? length : REPLACE_CHUNK);
        if (count == -EINTR)
            continue;
        /* No file takes nothing and calls it done; this one would have us try for ever. */
        if (count <= 0)
            return count == 0 ? -EIO : (int) count;
        contents += count;
        length -= (size_t) count;
    }
    return 0;
}

static int contents_replace (EddyFileReplace *replace, const char *contents, size_t length,
                             EddyCancellable *cancellable)
{
    int result = contents_write (replace->fd, contents, length, cancellable);
    return result == 0 ? eddy__replace_commit (replace, cancellable) : result;
}

bool eddy_file_replace_contents_body (EddyFile *file, const void *contents, size_t length,
                                      const char *etag, bool make_backup, EddyFileCreateFlags flags,
                                      char **new_etag, EddyCancellable *cancellable,
                                      EddyError **error)
{
    EDDY__EXPECT (file != NULL, false);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    EddyFileReplace replace;
    /* Asked for first: once the file is replaced, memory must not be what fails. */
    char *made_etag = new_etag == NULL ? NULL : eddy__alloc (EDDY_FILE_ETAG_SIZE);
    int result =
        eddy__replace_begin (&replace, file, etag, make_backup, flags, /* durable= */ true);
    if (result == 0 && new_etag != NULL && made_etag == NULL)
        result = -ENOMEM;
    if (result == 0)
        result = contents_replace (&replace, contents, length, cancellable);
    if (result < 0) {
        eddy__replace_report (&replace, result, cancellable, error);
        eddy__free (made_etag);
    } else if (new_etag != NULL) {
        eddy__file_etag_of (&replace.info, made_etag);
        *new_etag = made_etag;
    }
    eddy__replace_end (&replace);
    return result == 0;
}

bool eddy_file_replace_contents_bytes_body (EddyFile *file, EddyBytes *contents, const char *etag,
                                            bool make_backup, EddyFileCreateFlags flags,
                                            char **new_etag, EddyCancellable *cancellable,
                                            EddyError **error)
{
    EDDY__EXPECT (file != NULL && contents != NULL, false);
    return eddy_file_replace_contents_body (file, eddy_bytes_get_data (contents),
                                            eddy_bytes_get_size (contents), etag, make_backup,
                                            flags, new_etag, cancellable, error);
}
