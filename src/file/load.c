/* SPDX-License-Identifier: MIT */
/* Loading a whole file into memory that is read into directly. */
#include <eddy/file-bodies.h>

#include <errno.h>

#include "base/bytes-private.h"
#include "base/error-private.h"
#include "file/file-private.h"
#include "sys/file-private.h"

enum {
    LOAD_FIRST = 4096,   /* for a file that says 0 bytes: those of /proc have more */
    LOAD_CHUNK = 1 << 20 /* bytes between two looks at the cancellable */
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

/* Reads to the end. `size` is what the file said to be: a read that comes back short after that
 * many bytes has met the end, and no further one is needed to be told so. */
static int load_read (FileLoad *load, int fd, uint64_t size, EddyCancellable *cancellable)
{
    for (;;) {
        if (eddy_cancellable_is_cancelled (cancellable))
            return -ECANCELED;
        if (load->length == load->capacity) {
            size_t doubled;
            if (__builtin_mul_overflow (load->capacity, (size_t) 2, &doubled))
                return -ENOMEM;
            int result = load_grow (load, doubled);
            if (result < 0)
                return result;
        }
        size_t wanted = load->capacity - load->length;
        if (wanted > LOAD_CHUNK)
            wanted = LOAD_CHUNK;
        ssize_t count =
            eddy__sys_read (fd, eddy__bytes_get_writable (load->bytes) + load->length, wanted);
        if (count == -EINTR)
            continue;
        if (count <= 0)
            return (int) count;
        load->length += (size_t) count;
        if ((size_t) count < wanted && size > 0 && load->length >= size)
            return 0;
    }
}

static int load_file (FileLoad *load, int fd, const struct statx *info,
                      EddyCancellable *cancellable)
{
    if (S_ISDIR (info->stx_mode))
        return -EISDIR;
    if (!S_ISREG (info->stx_mode))
        return -EMEDIUMTYPE;
    if (info->stx_size >= SIZE_MAX)
        return -ENOMEM;
    /* One byte more than expected, so that the first read shows whether it was all. */
    int result = load_grow (load, info->stx_size == 0 ? LOAD_FIRST : (size_t) info->stx_size + 1);
    if (result == 0)
        result = load_read (load, fd, info->stx_size, cancellable);
    return result < 0 ? result : load_grow (load, load->length);
}

EddyBytes *eddy_file_load_contents_body (EddyFile *file, EddyCancellable *cancellable,
                                         EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    const char *path = eddy_file_get_path (file);
    FileLoad load = { NULL, 0, 0 };
    struct statx info;
    int fd;
    int result = eddy__file_open_regular (file, /* follow= */ true, &info, &fd);
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
