/* SPDX-License-Identifier: MIT */
/*
 * What the tests of src/file share: files in the test's own directory, by name, and what must be
 * true of every error and after every failure.
 */
#pragma once

#include <eddy/file.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"
#include "test.h"

#define FILES_KEEP_ALL (EDDY_FILE_COPY_ALL_METADATA | EDDY_FILE_COPY_NOFOLLOW_SYMLINKS)

/* ---- Files on disk --------------------------------------------------------------------------- */

void files_write (const char *name, const void *data, size_t len);
/* Bytes that tell where they stand, so that a stretch in the wrong place is seen. */
void files_write_pattern (const char *name, size_t len);
void files_append (const char *name, const void *data, size_t len);
void files_assert_contents (const char *name, const void *data, size_t len);
void files_assert_same (const char *one, const char *other);
bool files_exists (const char *name);
struct stat files_stat (const char *name); /* of a symbolic link itself */
/* How many names there are in the test's directory, hidden ones too. */
int files_count (void);
int files_count_fds (void);

/* ---- Operations by name ---------------------------------------------------------------------- */

EddyFile *files_new (const char *name);
bool files_copy_full (const char *from, const char *to, EddyFileCopyFlags flags,
                      EddyCancellable *cancellable, EddyError **error);
/* Asserts that it succeeds. */
void files_copy (const char *from, const char *to, EddyFileCopyFlags flags);
/* Asserts that it fails so, about the file `about`, and leaves no new name. */
void files_copy_fails (const char *from, const char *to, EddyFileCopyFlags flags, int code,
                       const char *about);

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Asserts code and errno, and that the message is "PATH: REASON"; gives the error up. */
void files_assert_error (EddyError **error, int code, int error_number, const char *about);
