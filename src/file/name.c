/* SPDX-License-Identifier: MIT */
/* Operations on names: making folders and links, removing. */
#include <eddy/file-bodies.h>

#include <errno.h>

#include "base/object-private.h"
#include "file/at-private.h"
#include "sys/file-private.h"

/* Whether it was done; the error names `file`. */
static bool name_report (EddyFile *file, int result, EddyError **error)
{
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", eddy_file_get_path (file));
    return result >= 0;
}

static bool name_make_directory (EddyFile *file, mode_t mode, EddyCancellable *cancellable,
                                 EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    EddyFileAt at;
    int result = eddy__file_at (file, &at);
    if (result == 0)
        result = eddy__sys_mkdirat (at.fd, at.name, mode);
    eddy__file_at_end (&at);
    return name_report (file, result, error);
}

bool eddy_file_make_directory_body (EddyFile *file, EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, false);
    return name_make_directory (file, 0777, cancellable, error);
}

bool eddy_file_make_private_directory_body (EddyFile *file, EddyCancellable *cancellable,
                                            EddyError **error)
{
    EDDY__EXPECT (file != NULL, false);
    return name_make_directory (file, 0700, cancellable, error);
}

bool eddy_file_make_symbolic_link_body (EddyFile *file, const char *symlink_value,
                                        EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL && symlink_value != NULL, false);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    EddyFileAt at;
    int result = eddy__file_at (file, &at);
    if (result == 0)
        result = symlink_value[0] == '\0' /* Linux would not find what has no name */
                     ? -EINVAL
                     : eddy__sys_symlinkat (symlink_value, at.fd, at.name);
    eddy__file_at_end (&at);
    return name_report (file, result, error);
}

/* Where the file itself is not found, the message names it. */
bool eddy_file_make_hard_link_body (EddyFile *file, EddyFile *new_name,
                                    EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL && new_name != NULL, false);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    EddyFileAt from, to;
    int result = eddy__file_at (file, &from);
    if (result < 0)
        return name_report (file, result, error);
    result = eddy__file_at (new_name, &to);
    if (result == 0)
        result = eddy__sys_linkat (from.fd, from.name, to.fd, to.name, 0);
    eddy__file_at_end (&from);
    eddy__file_at_end (&to);
    return name_report (new_name, result, error);
}

/* Linux says EISDIR for a folder, POSIX and some file systems EPERM; which EPERM it was, rmdir
 * tells. */
static int name_delete (const EddyFileAt *at)
{
    int result = eddy__sys_unlinkat (at->fd, at->name, 0);
    if (result != -EISDIR && result != -EPERM)
        return result;
    int folder_result = eddy__sys_unlinkat (at->fd, at->name, AT_REMOVEDIR);
    if (folder_result == -ENOTDIR)
        return result;
    return folder_result == -EEXIST ? -ENOTEMPTY : folder_result;
}

bool eddy_file_delete_body (EddyFile *file, EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, false);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    EddyFileAt at;
    int result = eddy__file_at (file, &at);
    if (result == 0)
        result = name_delete (&at);
    eddy__file_at_end (&at);
    return name_report (file, result, error);
}
