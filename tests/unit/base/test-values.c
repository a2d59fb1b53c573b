/* SPDX-License-Identifier: MIT */
/*
 * Errors, values, bytes, memory, log.
 */
#include <eddy/bytes.h>
#include <eddy/error.h>
#include <eddy/log.h>
#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/bytes-private.h"
#include "base/list-private.h"
#include "base/log-private.h"
#include "base/value-private.h"
#include "test.h"

EDDY_TEST (error_tells_what_and_why)
{
    EddyError *error = NULL;
    eddy_error_set_errno (&error, ENOENT, "%s", "/etc/absent");
    ck_assert_str_eq (eddy_error_get_message (error), "/etc/absent: No such file or directory");
    ck_assert_int_eq (eddy_error_get_errno (error), ENOENT);
    ck_assert_str_eq (eddy_error_get_domain (error), EDDY_IO_ERROR);
    ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_FOUND));
    ck_assert (!eddy_error_matches (error, "other", EDDY_IO_ERROR_NOT_FOUND));
    ck_assert (!eddy_error_matches (NULL, EDDY_IO_ERROR, 0));
    ck_assert (!eddy_error_is_cancelled (error));
    eddy_clear_error (&error);
    ck_assert_ptr_null (error);
    eddy_error_set (NULL, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "nobody asks");
    eddy_error_set_errno (NULL, EIO, "nobody asks");
    eddy_error_take (NULL, eddy_error_new ("d", 1, "nobody asks"));
    eddy_error_take (&error, eddy_error_new_errno (ECANCELED, "reading"));
    ck_assert (eddy_error_is_cancelled (error));
    eddy_unref (error);
}

static int deny_all (size_t size, void *data)
{
    (void) size;
    (void) data;
    return 1;
}

EDDY_TEST (error_without_memory_says_so)
{
    eddy__alloc_set_fault (deny_all, NULL);
    EddyError *error = eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS, "lost");
    ck_assert_ptr_null (eddy_bytes_new ("x", 1));
    ck_assert_ptr_null (eddy__block_alloc (100));
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_NO_MEMORY);
    ck_assert_str_eq (eddy_error_get_message (error), "out of memory");
    eddy_unref (error);
}

EDDY_TEST (codes_of_errno)
{
    ck_assert_int_eq (eddy_io_error_from_errno (EDQUOT), EDDY_IO_ERROR_NO_SPACE);
    ck_assert_int_eq (eddy_io_error_from_errno (EPERM), EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert_int_eq (eddy_io_error_from_errno (ENOTTY), EDDY_IO_ERROR_FAILED);
}

/* What malloc maps, it moves without copying; what is advised of it changes none of it. */
EDDY_TEST (bytes_grow_large_and_keep_what_they_hold)
{
    enum { FIRST = 1 << 20, LAST = 4 * EDDY__ALLOC_HUGE };
    EddyBytes *bytes = eddy__bytes_new_uninitialised (FIRST);
    memset (eddy__bytes_get_writable (bytes), 1, FIRST);
    for (size_t size = FIRST; size < LAST; size *= 2) {
        bytes = eddy__bytes_resize (bytes, 2 * size);
        ck_assert_ptr_nonnull (bytes);
        ck_assert_uint_eq (eddy_bytes_get_size (bytes), 2 * size);
        memset (eddy__bytes_get_writable (bytes) + size, (int) (2 * size >> 20), size);
    }
    bytes = eddy__bytes_shrink (bytes, LAST - 1);
    const unsigned char *data = eddy_bytes_get_data (bytes);
    ck_assert_uint_eq (data[0], 1);
    for (size_t size = FIRST; size < LAST; size *= 2) {
        ck_assert_uint_eq (data[size], 2 * size >> 20);
        ck_assert_uint_eq (data[2 * size - 2], 2 * size >> 20);
    }
    ck_assert_uint_eq (data[LAST - 1], 0);
    eddy_unref (bytes);
    bytes = eddy__bytes_new_uninitialised (EDDY__ALLOC_HUGE);
    eddy__bytes_get_writable (bytes)[EDDY__ALLOC_HUGE - 1] = 'x';
    eddy_unref (bytes);
    ck_assert_ptr_null (eddy__bytes_new_uninitialised (SIZE_MAX));
}

static EddyBytes *bytes_read_into (size_t room, char with, size_t count)
{
    EddyBytes *bytes = eddy__bytes_new_roomy (room);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), room);
    memset (eddy__bytes_get_writable (bytes), with, count);
    return eddy__bytes_fit (bytes, room, count);
}

static void bytes_expect (EddyBytes *bytes, char of, size_t size)
{
    const char *data = eddy_bytes_get_data (bytes);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), size);
    for (size_t i = 0; i < size; i++)
        ck_assert_int_eq (data[i], of);
    ck_assert_int_eq (data[size], 0);
}

/* What is copied, what is cut, and what is too small or too large for a spare piece. */
EDDY_TEST (bytes_fit_what_has_come)
{
    static const size_t rooms[] = { 1, 100, 4096, 16384, 16384, EDDY__SPARE_MOST, 1 << 20 };
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        size_t room = rooms[i];
        EddyBytes *few = bytes_read_into (room, 'a', room / 8);
        EddyBytes *most = bytes_read_into (room, 'b', room - room / 3);
        EddyBytes *all = bytes_read_into (room, 'c', room);
        EddyBytes *none = bytes_read_into (room, 'd', 0);
        eddy__bytes_drop_roomy (eddy__bytes_new_roomy (room), room);
        bytes_expect (few, 'a', room / 8);
        bytes_expect (most, 'b', room - room / 3);
        bytes_expect (all, 'c', room);
        bytes_expect (none, 'd', 0);
        eddy_unref (few);
        eddy_unref (most);
        eddy_unref (all);
        eddy_unref (none);
    }
    ck_assert_ptr_null (eddy__bytes_new_roomy (SIZE_MAX));
}

EDDY_TEST (bytes_that_have_come_stay_without_memory)
{
    enum { ROOM = 16384 };
    EddyBytes *bytes = eddy__bytes_new_roomy (ROOM);
    memset (eddy__bytes_get_writable (bytes), 'a', 10);
    eddy__alloc_set_fault (deny_all, NULL);
    bytes = eddy__bytes_fit (bytes, ROOM, 10);
    ck_assert_ptr_null (eddy__bytes_new_roomy (ROOM));
    eddy__alloc_set_fault (NULL, NULL);
    bytes_expect (bytes, 'a', 10);
    eddy_unref (bytes);
    eddy__bytes_drop_roomy (eddy__bytes_new_roomy (ROOM), ROOM);
    eddy__alloc_set_fault (deny_all, NULL);
    ck_assert_ptr_null (eddy__bytes_new_roomy (ROOM));
    eddy__alloc_set_fault (NULL, NULL);
}

EDDY_TEST (bytes_end_with_a_zero)
{
    EddyBytes *bytes = eddy_bytes_new ("ab\0c", 4);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 4);
    ck_assert_mem_eq (eddy_bytes_get_data (bytes), "ab\0c", 5);
    eddy_unref (bytes);
    bytes = eddy_bytes_new (NULL, 0);
    ck_assert_str_eq (eddy_bytes_get_data (bytes), "");
    eddy_unref (bytes);
    ck_assert_ptr_null (eddy__bytes_new_uninitialised (SIZE_MAX));
    bytes = eddy__bytes_new_uninitialised (2);
    memcpy (eddy__bytes_get_writable (bytes), "hi", 2);
    bytes = eddy__bytes_resize (bytes, 1);
    ck_assert_str_eq (eddy_bytes_get_data (bytes), "h");
    ck_assert_ptr_null (eddy__bytes_resize (bytes, SIZE_MAX));
    eddy_unref (bytes);
}

EDDY_TEST (values_go_to_takers)
{
    EddyValue from = EDDY_VALUE_INIT, to = EDDY_VALUE_INIT;
    eddy_value_take_pointer (&from, eddy_strdup ("single"), eddy_free);
    eddy__value_copy_for_taker (&from, &to);
    ck_assert_int_eq (from.kind, EDDY_VALUE_POINTER);
    ck_assert_ptr_null (from.as.pointer);
    ck_assert_str_eq (to.as.pointer, "single");
    eddy_value_clear (&to);
    eddy_value_clear (&from);
    eddy_value_take_object (&from, eddy_bytes_new ("shared", 6));
    eddy__value_copy_for_taker (&from, &to);
    ck_assert_ptr_eq (from.as.pointer, to.as.pointer);
    eddy_value_clear (&from);
    ck_assert_str_eq (eddy_bytes_get_data (to.as.pointer), "shared");
    eddy_value_clear (&to);
    eddy_value_set_int (&from, -5);
    eddy__value_copy_for_taker (&from, &to);
    ck_assert_int_eq (to.as.integer, -5);
}

EDDY_TEST (blocks_come_back)
{
    void *blocks[64];
    for (size_t size = 1; size < 3000; size += 61) {
        for (int i = 0; i < 64; i++) {
            blocks[i] = eddy__block_alloc (size);
            ck_assert_ptr_nonnull (blocks[i]);
            memset (blocks[i], i, size);
        }
        for (int i = 0; i < 64; i++) {
            ck_assert_int_eq (*(char *) blocks[i], i);
            eddy__block_free (blocks[i], size);
        }
    }
    eddy__block_free (NULL, 10);
}

typedef struct Member {
    EddyList link;
    int number;
} Member;

EDDY_TEST (lists_keep_their_order)
{
    EddyList list, other;
    Member members[6];
    eddy__list_init (&list);
    eddy__list_init (&other);
    ck_assert_ptr_null (eddy__list_pop (&list));
    for (int i = 0; i < 6; i++) {
        members[i].number = i;
        eddy__list_append (i < 3 ? &list : &other, &members[i].link);
    }
    eddy__list_remove (&members[1].link);
    ck_assert (!eddy__list_is_linked (&members[1].link));
    eddy__list_remove (&members[1].link);
    eddy__list_splice (&list, &other);
    ck_assert (eddy__list_is_empty (&other));
    eddy__list_splice (&list, &other);
    int expected[] = { 0, 2, 3, 4, 5 };
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq (((Member *) (void *) eddy__list_pop (&list))->number, expected[i]);
    ck_assert (eddy__list_is_empty (&list));
}

EDDY_PRINTF (1, 2)
static EddyError *error_of_list (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    EddyError *error = eddy_error_new_valist ("tests", 3, format, arguments);
    va_end (arguments);
    return error;
}

EDDY_PRINTF (2, 3)
static void prefix_by_list (EddyError **error, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    eddy_error_prefix_valist (error, format, arguments);
    va_end (arguments);
}

EDDY_TEST (prefixed_error_is_another_one)
{
    EddyError *error = eddy_error_new_errno (ENOENT, "%s", "file");
    EddyError *shared = eddy_ref (error);
    eddy_error_prefix (&error, "line %d: ", 7);
    ck_assert (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_FOUND));
    ck_assert_int_eq (eddy_error_get_errno (error), ENOENT);
    ck_assert_str_eq (eddy_error_get_message (error), "line 7: file: No such file or directory");
    ck_assert_str_eq (eddy_error_get_message (shared), "file: No such file or directory");
    eddy_unref (shared);
    eddy_unref (error);
    error = error_of_list ("%s", "list");
    ck_assert (eddy_error_matches (error, "tests", 3));
    prefix_by_list (&error, "%s of ", "part");
    ck_assert_str_eq (eddy_error_get_message (error), "part of list");
    eddy_clear_error (&error);
    eddy_error_prefix (&error, "nothing");
    eddy_error_prefix (NULL, "nothing");
    ck_assert_ptr_null (error);
}

static char heard[2000];

static void hear (EddyLogLevel level, const char *message, void *data)
{
    ck_assert_int_eq (level, EDDY_LOG_WARNING);
    ck_assert_ptr_eq (data, heard);
    strcpy (heard, message); /* check-allow: strcpy: the message is shorter than 1,024 bytes */
}

EDDY_TEST (long_messages_are_cut)
{
    char text[1500];
    memset (text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    eddy_log_set_handler (hear, heard);
    eddy__log (EDDY_LOG_WARNING, "%s", text);
    ck_assert_uint_eq (strlen (heard), 1023);
    eddy_log_set_handler (NULL, NULL);
}
