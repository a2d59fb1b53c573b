/* SPDX-License-Identifier: MIT */
/* Etags: a short text that is another one when a file's contents are, for those who want to know
 * whether somebody has changed it since. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

enum { EDDY_FILE_ETAG_SIZE = 72 };

/* The etag of what is known of a file: STATX_INO, STATX_SIZE and STATX_MTIME. */
void eddy__file_etag (uint64_t inode, int64_t size, int64_t modification_time_ns,
                      char etag[EDDY_FILE_ETAG_SIZE]);
void eddy__file_etag_of (const struct statx *info, char etag[EDDY_FILE_ETAG_SIZE]);
