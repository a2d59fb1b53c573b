/* SPDX-License-Identifier: MIT */
/*
 * Saving "file" in the test's own directory, in each way in which a file system may have it done.
 */
#pragma once

#include "files.h"

typedef struct SaveCase {
    const char *name;
    bool has_old;
    bool makes_backup;
    bool is_named;   /* the file system has no files without a name */
    bool is_foreign; /* the system lets nobody give it a further name */
} SaveCase;

enum { SAVE_N_CASES = 7 };
extern const SaveCase save_cases[SAVE_N_CASES];

#define SAVE_OLD "the old contents"
#define SAVE_NEW "contents that are new"

/* Puts what there is before, and nothing else: the old file, and a backup of one before. */
void save_begin (const SaveCase *save_case);
/* What the file system refuses, by the fault door; no other call may have a rule. */
void save_begin_faults (const SaveCase *save_case);
bool save_run (const SaveCase *save_case, EddyError **error);
/* Whether "file" is the new one; asserts that it is the old one else, and whole in any case. */
bool save_is_new (const SaveCase *save_case);
/* Asserts that a further save has nothing beside the file, and its backup, left. */
void save_assert_next_is_clean (const SaveCase *save_case);
