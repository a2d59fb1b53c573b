/* SPDX-License-Identifier: MIT */
/*
 * Files in the test's own directory. Calls libc, not sys/: the faults that a test set may stand.
 */
#include "files.h"

/* ---- Files on disk --------------------------------------------------------------------------- */

static void files_put (const char *name, int flags, const void *data, size_t len)
{
    const char *bytes = data;
    int fd = open (eddy_test_path (name), O_WRONLY | O_CLOEXEC | flags, 0644);

    ck_assert_msg (fd >= 0, "%s: %s", name, strerror (errno));
    while (len > 0) {
        ssize_t count = write (fd, bytes, len);
        ck_assert_msg (count > 0, "%s: %s", name, strerror (errno));
        bytes += count;
        len -= (size_t) count;
    }
    ck_assert_int_eq (close (fd), 0);
}

void files_write (const char *name, const void *data, size_t len)
{
    files_put (name, O_CREAT | O_TRUNC, data, len);
}

void files_append (const char *name, const void *data, size_t len)
{
    files_put (name, O_APPEND, data, len);
}

void files_write_pattern (const char *name, size_t len)
{
    uint32_t *words = calloc (len / 4 + 1, 4);

    ck_assert_ptr_nonnull (words);
    for (size_t i = 0; i <= len / 4; i++)
        words[i] = (uint32_t) i * 2654435761U + 1;
    files_write (name, words, len);
    free (words);
}

static char *files_read (const char *name, size_t *len)
{
    int fd = open (eddy_test_path (name), O_RDONLY | O_CLOEXEC);
    struct stat status;

    ck_assert_msg (fd >= 0, "%s: %s", name, strerror (errno));
    ck_assert_int_eq (fstat (fd, &status), 0);
    *len = (size_t) status.st_size;
    char *data = malloc (*len + 1);
    ck_assert_ptr_nonnull (data);
    for (size_t done = 0; done < *len;) {
        ssize_t count = read (fd, data + done, *len - done);
        ck_assert_int_gt (count, 0);
        done += (size_t) count;
    }
    close (fd);
    return data;
}

void files_assert_contents (const char *name, const void *data, size_t len)
{
    size_t found_len;
    char *found = files_read (name, &found_len);

    ck_assert_uint_eq (found_len, len);
    for (size_t i = 0; i < len; i++)
        if (found[i] != ((const char *) data)[i])
            ck_abort_msg ("%s differs at byte %zu: %02x, expected %02x", name, i,
                          (unsigned char) found[i], ((const unsigned char *) data)[i]);
    free (found);
}

void files_assert_same (const char *one, const char *other)
{
    size_t len;
    char *data = files_read (one, &len);

    files_assert_contents (other, data, len);
    free (data);
}

bool files_exists (const char *name)
{
    return faccessat (AT_FDCWD, eddy_test_path (name), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

struct stat files_stat (const char *name)
{
    struct stat status;

    ck_assert_msg (lstat (eddy_test_path (name), &status) == 0, "%s: %s", name, strerror (errno));
    return status;
}

int files_count (void)
{
    return eddy_test_count_names (eddy_test_directory ());
}

int files_count_fds (void)
{
    return eddy_test_count_names ("/proc/self/fd");
}

/* ---- Operations by name ---------------------------------------------------------------------- */

EddyFile *files_new (const char *name)
{
    EddyFile *file = eddy_file_new_for_path (eddy_test_path (name));

    ck_assert_ptr_nonnull (file);
    return file;
}

bool files_copy_full (const char *from, const char *to, EddyFileCopyFlags flags,
                      EddyCancellable *cancellable, EddyError **error)
{
    EDDY_AUTO (EddyFile) source = files_new (from);
    EDDY_AUTO (EddyFile) destination = files_new (to);

    return eddy_file_copy (source, destination, flags, cancellable, NULL, NULL, error);
}

void files_copy (const char *from, const char *to, EddyFileCopyFlags flags)
{
    EddyError *error = NULL;
    bool is_copied = files_copy_full (from, to, flags, NULL, &error);

    ck_assert_msg (error == NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    ck_assert (is_copied);
}

void files_copy_fails (const char *from, const char *to, EddyFileCopyFlags flags, int code,
                       const char *about)
{
    EddyError *error = NULL;
    int names = files_count ();

    ck_assert (!files_copy_full (from, to, flags, NULL, &error));
    ck_assert_int_eq (files_count (), names);
    files_assert_error (&error, code, eddy_error_get_errno (error), about);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

void files_assert_error (EddyError **error, int code, int error_number, const char *about)
{
    const char *path = eddy_test_path (about);

    ck_assert_ptr_nonnull (*error);
    const char *message = eddy_error_get_message (*error);
    ck_assert_msg (strncmp (message, path, strlen (path)) == 0, "\"%s\" is not about %s", message,
                   path);
    ck_assert_str_eq (eddy_error_get_domain (*error), EDDY_IO_ERROR);
    ck_assert_msg (eddy_error_get_code (*error) == code, "%s: code %d, expected %d", message,
                   eddy_error_get_code (*error), code);
    ck_assert_int_eq (eddy_error_get_errno (*error), error_number);
    if (error_number != 0 && code == (int) eddy_io_error_from_errno (error_number) &&
        error_number != EINVAL)
        ck_assert_str_eq (message + strlen (path) + 2, strerror (error_number));
    eddy_clear_error (error);
}
