/* SPDX-License-Identifier: MIT */
/* Loading a file, or the beginning of it, into memory that is read into directly. */
#include <eddy/file-bodies.h>

#include <eddy/file-handle.h>
#include <errno.h>

#include "base/bytes-private.h"
#include "base/error-private.h"
#include "base/object-private.h"
#include "file/file-private.h"
#include "sys/file-private.h"

enum {
    LOAD_FIRST = 4096,    /* for a file that says 0 bytes: those of /proc have more */
    LOAD_CHUNK = 1 << 20, /* bytes between two looks at the cancellable */
    LOAD_PART = 64 << 10  /* after each it is asked whether to read on */
};

typedef struct FileLoad {
    EddyBytes *bytes;
    size_t capacity;
    size_t length;
} FileLoad;

static int load_grow (FileLoad *load, size_t capacity)
{
    EddyBytes *grown = load->bytes == NULL ? eddy__bytes_new_uninitialised (capacity)
                                           : eddy__bytes_resize (load->bytes, capacity);
    if (grown == NULL)
        return -ENOMEM;
    load->bytes = grown;
    load->capacity = capacity;
    return 0;
}

/* Whether a file can be loaded, by what it says it is. */
static int load_judge (const struct statx *info)
{
    if (S_ISDIR (info->stx_mode))
        return -EISDIR;
    if (!S_ISREG (info->stx_mode))
        return -EMEDIUMTYPE;
    return info->stx_size >= SIZE_MAX ? -ENOMEM : 0;
}

static ssize_t load_read_some (FileLoad *load, int fd, size_t wanted)
{
    ssize_t count;
    do
        count = eddy__sys_read (fd, eddy__bytes_get_writable (load->bytes) + load->length, wanted);
    while (count == -EINTR);
    load->length += count > 0 ? (size_t) count : 0;
    return count;
}

/* Reads to the end. A read that comes back short after as many bytes as the file said to have has
 * met it, and no further one is needed to be told so. */
static int load_read (FileLoad *load, int fd, uint64_t size, EddyCancellable *cancellable)
{
    for (;;) {
        size_t doubled;
        if (eddy_cancellable_is_cancelled (cancellable))
            return -ECANCELED;
        if (load->length == load->capacity &&
            (__builtin_mul_overflow (load->capacity, (size_t) 2, &doubled) ||
             load_grow (load, doubled) < 0))
            return -ENOMEM;
        size_t wanted = load->capacity - load->length;
        if (wanted > LOAD_CHUNK)
            wanted = LOAD_CHUNK;
        ssize_t count = load_read_some (load, fd, wanted);
        if (count <= 0)
            return (int) count;
        if ((size_t) count < wanted && size > 0 && load->length >= size)
            return 0;
    }
}

static int load_file (FileLoad *load, int fd, const struct statx *info,
                      EddyCancellable *cancellable)
{
    int result = load_judge (info);
    /* One byte more than expected, so that the first read shows whether it was all. */
    if (result == 0)
        result = load_grow (load, info->stx_size == 0 ? LOAD_FIRST : (size_t) info->stx_size + 1);
    if (result == 0)
        result = load_read (load, fd, info->stx_size, cancellable);
    return result < 0 ? result : load_grow (load, load->length);
}

EddyBytes *eddy_file_load_contents_body (EddyFile *file, EddyCancellable *cancellable,
                                         EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    const char *path = eddy_file_get_path (file);
    FileLoad load = { NULL, 0, 0 };
    struct statx info;
    int fd;
    int result = eddy__file_open_to_load (file, &info, &fd);
    if (result >= 0)
        result = load_file (&load, fd, &info, cancellable);
    if (fd >= 0)
        eddy__sys_close (fd);
    if (result >= 0)
        return load.bytes;
    eddy_unref (load.bytes);
    if (result == -ECANCELED && eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    if (result == -EMEDIUMTYPE)
        eddy__error_set_code (error, EDDY_IO_ERROR_NOT_REGULAR_FILE, EOPNOTSUPP,
                              "%s: Not a regular file", path);
    else
        eddy_error_set_errno (error, -result, "%s", path);
    return NULL;
}

/* --- the beginning ---------------------------------------------------------------------------- */

/* Reads parts, and asks after each; what is read is in `load` also on failure. */
static bool load_parts (FileLoad *load, EddyFile *file, EddyFileHandle *handle,
                        EddyCancellable *cancellable, EddyFileReadMoreCallback read_more_callback,
                        void *read_more_callback_data, EddyError **error)
{
    for (;;) {
        if (load->capacity - load->length < LOAD_PART &&
            load_grow (load, load->capacity * 2 + LOAD_PART) < 0) {
            eddy_error_set_errno (error, ENOMEM, "%s", file->path);
            return false;
        }
        char *data = eddy__bytes_get_writable (load->bytes);
        ssize_t count = eddy_file_handle_read_at (handle, data + load->length, LOAD_PART,
                                                  (int64_t) load->length, cancellable, error);
        if (count <= 0)
            return count == 0;
        load->length += (size_t) count;
        if (read_more_callback != NULL &&
            !read_more_callback (data, (int64_t) load->length, read_more_callback_data))
            return true;
    }
}

EddyBytes *eddy_file_load_partial_contents_body (EddyFile *file, EddyCancellable *cancellable,
                                                 EddyFileReadMoreCallback read_more_callback,
                                                 void *read_more_callback_data, EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    EDDY_AUTO (EddyFileHandle)
    handle = eddy_file_open (file, EDDY_FILE_OPEN_READ, cancellable, error);
    if (handle == NULL)
        return NULL;
    FileLoad load = { NULL, 0, 0 };
    bool is_done = load_parts (&load, file, handle, cancellable, read_more_callback,
                               read_more_callback_data, error);
    if (is_done)
        return eddy__bytes_shrink (load.bytes, load.length);
    return eddy_unref (load.bytes);
}
