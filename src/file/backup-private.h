/* SPDX-License-Identifier: MIT */
/* The backup of a file that is about to be replaced. */
#pragma once

#include "file/file-private.h"

/* Makes "NAME~" the file that `name` in the folder is, which is `file`; where there is none, there
 * is nothing to do. A former backup is replaced in one step. 0 or -errno. `durable`: what had to be
 * written for it is on the disk. */
int eddy__backup_make (const EddyFile *file, int folder_fd, const char *name, bool durable);
