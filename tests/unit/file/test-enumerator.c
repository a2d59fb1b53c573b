/* SPDX-License-Identifier: MIT */
/*
 * Folders read some files at a time, where reading them fails.
 */
#include <eddy/file-enumerator.h>

#include "files.h"

static EddyFileEnumerator *enumerator_begin (unsigned n_files)
{
    char name[32];

    for (unsigned i = 0; i < n_files; i++) {
        snprintf (name, sizeof name, "file-%u", i);
        files_write (name, "x", 1);
    }
    EDDY_AUTO (EddyFile) folder = files_new ("");
    return eddy_file_enumerate_children (folder, 0, NULL, NULL);
}

/* Asserts that so many come. */
static void enumerator_expect (EddyFileEnumerator *enumerator, size_t asked, size_t given)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileInfoList)
    list = eddy_file_enumerator_next_files (enumerator, asked, NULL, &error);

    ck_assert_ptr_null (error);
    ck_assert_uint_eq (eddy_file_info_list_get_length (list), given);
}

static void enumerator_expect_error (EddyFileEnumerator *enumerator, int code, int error_number)
{
    EddyError *error = NULL;

    ck_assert_ptr_null (eddy_file_enumerator_next_files (enumerator, 100, NULL, &error));
    files_assert_error (&error, code, error_number, "");
}

EDDY_TEST (enumerator_tells_files_before_the_error)
{
    EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_begin (5);

    eddy_test_fail_call (EDDY_SYS_GETDENTS64, 2, EIO, false);
    enumerator_expect (enumerator, 100, 5);
    enumerator_expect_error (enumerator, EDDY_IO_ERROR_FAILED, EIO);
    eddy_test_no_faults ();
    enumerator_expect (enumerator, 100, 0);
}

EDDY_TEST (enumerator_tells_an_error_without_files_at_once)
{
    EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_begin (3);

    eddy_test_fail_call (EDDY_SYS_GETDENTS64, 1, EIO, false);
    enumerator_expect_error (enumerator, EDDY_IO_ERROR_FAILED, EIO);
    eddy_test_no_faults ();
    enumerator_expect (enumerator, 100, 3);
}

EDDY_TEST (enumerator_forgets_an_error_when_it_is_closed)
{
    EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_begin (3);

    eddy_test_fail_call (EDDY_SYS_GETDENTS64, 2, EIO, false);
    enumerator_expect (enumerator, 100, 3);
    eddy_test_no_faults ();
    ck_assert (eddy_file_enumerator_close (enumerator, NULL, NULL));
}
