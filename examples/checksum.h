/* SPDX-License-Identifier: MIT */
/* What the files of checksum share. */
#pragma once

#include <eddy/eddy.h>

enum { CHECKSUM_DIGITS = 64, CHECKSUM_AT_ONCE = 32 };

/* One file: its sum, and who makes it. */
typedef struct ChecksumJob {
    struct Checksum *all;
    EddyFuture *future;
    char *path;
    char expected[CHECKSUM_DIGITS + 1]; /* empty: it is to be printed */
    char digits[CHECKSUM_DIGITS + 1];
} ChecksumJob;

/* Everything. All is the main fiber's, but what the pool's threads count. */
typedef struct Checksum {
    EddyPool *pool;
    ChecksumJob jobs[CHECKSUM_AT_ONCE]; /* a ring, in the order of the output */
    size_t n_begun, n_ended;
    uint64_t n_bytes; /* atomic */
    size_t n_failed, n_cancelled;
    size_t n_unlike; /* another sum than a list has */
    size_t n_odd_lines;
} Checksum;

/* Begins one file; before that, ends the oldest when as many as may are under way. `expected`: the
 * sum that it should have, or NULL. False when all was cancelled. */
bool checksum_add (Checksum *all, const char *path, const char *expected);
/* Waits for the oldest that is under way, and prints what it has come to. */
void checksum_end_oldest (Checksum *all);
/* Tells an error, if there is one, and counts it. False when it is the cancel of all. */
bool checksum_tell (Checksum *all, const EddyError *error);

/* Prints a line as sha256sum(1) does. */
void checksum_print (const char *digits, const char *path);
/* Adds the files that a list of such lines names. False when all was cancelled. */
bool checksum_add_list (Checksum *all, const char *list);
