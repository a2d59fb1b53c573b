/* SPDX-License-Identifier: MIT */
/* Etags. A write changes the modification time; but clocks of file systems tick only every few
 * milliseconds, so the size, and the inode, which a replaced file never keeps, are told too. */
#include "file/etag-private.h"

#include <inttypes.h>
#include <stdio.h>

void eddy__file_etag (uint64_t inode, int64_t size, int64_t modification_time_ns,
                      char etag[EDDY_FILE_ETAG_SIZE])
{
    snprintf (etag, EDDY_FILE_ETAG_SIZE, "%" PRIx64 "-%" PRIx64 "-%" PRIx64, inode, (uint64_t) size,
              (uint64_t) modification_time_ns);
}

void eddy__file_etag_of (const struct statx *info, char etag[EDDY_FILE_ETAG_SIZE])
{
    int64_t time_ns =
        (int64_t) ((uint64_t) info->stx_mtime.tv_sec * 1000000000U + info->stx_mtime.tv_nsec);
    eddy__file_etag (info->stx_ino, (int64_t) info->stx_size, time_ns, etag);
}
