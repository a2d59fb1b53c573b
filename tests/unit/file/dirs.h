/* SPDX-License-Identifier: MIT */
/*
 * An open folder to work in, "root", with "outside" beside it, where nothing may be changed or
 * found; and tests that run in it with the kernel's lookup and without.
 */
#pragma once

#include <eddy/dir.h>

#include "files.h"

/* root/a/b/file, root/a/b/link to it, root/folder to a/b, root/out to ../outside; outside/file. */
extern EddyDir *dir_root;

void dir_begin (bool has_openat2);
void dir_end (void);
EddyFile *dir_file (const char *name);
EddyFile *dir_child (EddyFile *folder, const char *name);

/* Each test twice: with openat2, and on a kernel that has none. */
#define DIR_TEST(name)                                                                             \
    static void check_##name (void);                                                               \
    EDDY_TEST (dir_##name)                                                                         \
    {                                                                                              \
        dir_begin (/* has_openat2= */ true);                                                       \
        check_##name ();                                                                           \
        dir_end ();                                                                                \
    }                                                                                              \
    EDDY_TEST (dir_##name##_part_by_part)                                                          \
    {                                                                                              \
        dir_begin (/* has_openat2= */ false);                                                      \
        check_##name ();                                                                           \
        ck_assert_uint_gt (eddy_test_fault_hits (EDDY_SYS_OPENAT2), 0);                            \
        dir_end ();                                                                                \
    }                                                                                              \
    static void check_##name (void)
