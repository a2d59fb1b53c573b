/* SPDX-License-Identifier: MIT */
/* The bytes of a regular file: shared with the source where the file system can do that, else
 * moved by read and write, holes left out. */
#include <errno.h>
#include <unistd.h>

#include "file/copy-private.h"
#include "sys/file-private.h"

enum {
    CONTENTS_LARGE = 1 << 20, /* from here on clones are tried and progress is told */
    CONTENTS_HUGE = 32 << 20  /* from here on a second thread is worth its start */
};

static int contents_write (EddyFileCopy *copy, const char *buffer, size_t length)
{
    while (length > 0) {
        ssize_t count = eddy__sys_write (copy->destination_fd, buffer, length);
        if (count == -EINTR)
            continue;
        /* No file takes nothing and calls it done; this one would have us try for ever. */
        if (count <= 0)
            return eddy__copy_fail (copy, copy->destination, count == 0 ? -EIO : (int) count);
        buffer += count;
        length -= (size_t) count;
    }
    return 0;
}

void eddy__copy_tell (const EddyFileCopy *copy, int64_t copied)
{
    int64_t size = (int64_t) copy->info.stx_size;
    if (copy->progress_callback != NULL && size > CONTENTS_LARGE)
        copy->progress_callback (copied, copied > size ? copied : size,
                                 copy->progress_callback_data);
}

/* Moves bytes from here, which is `copied`, up to `end`, or to the end of the source if that comes
 * first. 1: that came first. */
static int contents_move (EddyFileCopy *copy, int64_t end)
{
    char *buffer = eddy__file_buffer ();
    if (buffer == NULL)
        return eddy__copy_fail (copy, copy->source, -ENOMEM);
    while (copy->copied < end) {
        size_t wanted = EDDY_FILE_BUFFER_SIZE;
        if ((int64_t) wanted > end - copy->copied)
            wanted = (size_t) (end - copy->copied);
        ssize_t count = eddy__sys_read (copy->source_fd, buffer, wanted);
        if (count == -EINTR)
            continue;
        if (count < 0)
            return eddy__copy_fail (copy, copy->source, (int) count);
        if (count == 0)
            return 1;
        int result = contents_write (copy, buffer, (size_t) count);
        if (result < 0)
            return result;
        copy->copied += count;
        /* A short read at or after the size that was told is the end. */
        if ((size_t) count < wanted && copy->copied >= (int64_t) copy->info.stx_size)
            return 1;
        eddy__copy_tell (copy, copy->copied);
        if (eddy__copy_check_cancelled (copy) < 0)
            return -ECANCELED;
    }
    return 0;
}

/* Puts both files at an offset. */
static int contents_seek (EddyFileCopy *copy, int64_t offset)
{
    int64_t result = eddy__sys_lseek (copy->source_fd, offset, SEEK_SET);
    if (result < 0)
        return eddy__copy_fail (copy, copy->source, (int) result);
    result = eddy__sys_lseek (copy->destination_fd, offset, SEEK_SET);
    if (result < 0)
        return eddy__copy_fail (copy, copy->destination, (int) result);
    copy->copied = offset;
    return 0;
}

/* The stretch of data that begins at or after `*begin`. 1: there is none. -EINVAL, -EOPNOTSUPP: the
 * file system does not tell. */
static int contents_find_data (const EddyFileCopy *copy, int64_t *begin, int64_t *end)
{
    int64_t data = eddy__sys_lseek (copy->source_fd, *begin, SEEK_DATA);
    if (data < 0)
        return data == -ENXIO ? 1 : (int) data;
    int64_t hole = eddy__sys_lseek (copy->source_fd, data, SEEK_HOLE);
    if (hole < 0)
        return hole == -ENXIO ? 1 : (int) hole;
    *begin = data;
    *end = hole;
    return 0;
}

/* Gives the copy its size, which a hole at the end does not. */
static int contents_end_at (EddyFileCopy *copy, int64_t size)
{
    int result = eddy__sys_ftruncate (copy->destination_fd, size);
    if (result < 0)
        return eddy__copy_fail (copy, copy->destination, result);
    copy->copied = size;
    return 0;
}

/* How the search for data went on: 0 found, 1 none, or -errno. `*size` is the end of the source
 * when the copy has come to it.
 *
 * A source may be written meanwhile: data that arrive between "no more data" and the question for
 * the size would become a hole in the copy. So that answer counts only when it comes twice, with
 * the question for the size between. */
static int contents_next (EddyFileCopy *copy, int64_t *begin, int64_t *end, int64_t *size)
{
    int result = contents_find_data (copy, begin, end);
    if (result != 1)
        return result;
    *size = eddy__sys_lseek (copy->source_fd, 0, SEEK_END);
    return *size < 0 ? (int) *size : contents_find_data (copy, begin, end);
}

static int contents_copy_sparse (EddyFileCopy *copy)
{
    int64_t begin = 0, end = 0, size = 0;
    int result;
    while ((result = contents_next (copy, &begin, &end, &size)) == 0) {
        result = contents_seek (copy, begin);
        if (result == 0)
            result = contents_move (copy, end);
        if (result < 0)
            return result;
        if (result == 1)
            return contents_end_at (copy, copy->copied);
        begin = end;
        eddy__copy_tell (copy, copy->copied);
        if (eddy__copy_check_cancelled (copy) < 0)
            return -ECANCELED;
    }
    if (result == 1)
        return contents_end_at (copy, size);
    if ((result != -EINVAL && result != -EOPNOTSUPP) || begin != 0)
        return eddy__copy_fail (copy, copy->source, result);
    /* The file system does not know holes, and says so at once: everything is data. */
    result = contents_seek (copy, 0);
    if (result == 0)
        result = contents_move (copy, INT64_MAX);
    return result < 0 ? result : 0;
}

/* Whether the copy now shares the source's storage. Where it cannot, whatever the reason, the bytes
 * are moved, and that tells of what is truly wrong; the one request is nothing beside 1 MiB. */
static bool contents_clone (EddyFileCopy *copy)
{
    if (copy->info.stx_size < CONTENTS_LARGE ||
        eddy__sys_ficlone (copy->destination_fd, copy->source_fd) < 0)
        return false;
    copy->copied = (int64_t) copy->info.stx_size;
    return true;
}

/* Two threads up to the size that was told, one for what has been added since. */
static int contents_copy_huge (EddyFileCopy *copy)
{
    int result = eddy__copy_contents_large (copy);
    if (result < 0)
        return result;
    /* It shrank; what the threads wrote beyond the end goes. */
    if (result == 1)
        return contents_end_at (copy, copy->copied);
    result = contents_seek (copy, copy->copied);
    return result < 0 ? result : contents_move (copy, INT64_MAX);
}

int eddy__copy_contents (EddyFileCopy *copy)
{
    if (contents_clone (copy))
        return 0;
    if (copy->info.stx_blocks * 512 < copy->info.stx_size)
        return contents_copy_sparse (copy);
    int result = copy->info.stx_size >= CONTENTS_HUGE ? contents_copy_huge (copy)
                                                      : contents_move (copy, INT64_MAX);
    return result < 0 ? result : 0;
}
