/* SPDX-License-Identifier: MIT */
/* Operations on names: making folders and links, removing. */
#include <eddy/file-bodies.h>

#include <errno.h>
#include <fcntl.h>

#include "engine/operation-private.h"
#include "sys/file-private.h"

/* Whether the request was done; the error names `file`. */
static bool name_result (const EddyOp *op, EddyFile *file, EddyError **error)
{
    if (op->result >= 0)
        return true;
    eddy_error_set_errno (error, (int) -op->result, "%s", eddy_file_get_path (file));
    return false;
}

static void name_prepare_directory (EddyOp *op, EddyFile *file, uint32_t mode)
{
    eddy__op_init (op, EDDY_OP_MKDIR, AT_FDCWD);
    op->as.name.path = eddy_file_get_path (file);
    op->as.name.mode = mode;
}

void eddy_file_make_directory_prepare (EddyOp *op, EddyFile *file)
{
    name_prepare_directory (op, file, 0777);
}

bool eddy_file_make_directory_result (const EddyOp *op, EddyFile *file, EddyError **error)
{
    return name_result (op, file, error);
}

void eddy_file_make_private_directory_prepare (EddyOp *op, EddyFile *file)
{
    name_prepare_directory (op, file, 0700);
}

bool eddy_file_make_private_directory_result (const EddyOp *op, EddyFile *file, EddyError **error)
{
    return name_result (op, file, error);
}

void eddy_file_make_symbolic_link_prepare (EddyOp *op, EddyFile *file, const char *symlink_value)
{
    eddy__op_init (op, EDDY_OP_SYMLINK, AT_FDCWD);
    op->as.name.path = eddy_file_get_path (file);
    op->as.name.other = symlink_value;
}

bool eddy_file_make_symbolic_link_result (const EddyOp *op, EddyFile *file,
                                          const char *symlink_value, EddyError **error)
{
    (void) symlink_value;
    return name_result (op, file, error);
}

void eddy_file_make_hard_link_prepare (EddyOp *op, EddyFile *file, EddyFile *new_name)
{
    eddy__op_init (op, EDDY_OP_LINK, AT_FDCWD);
    op->as.name.path = eddy_file_get_path (file);
    op->as.name.other_fd = AT_FDCWD;
    op->as.name.other = eddy_file_get_path (new_name);
}

bool eddy_file_make_hard_link_result (const EddyOp *op, EddyFile *file, EddyFile *new_name,
                                      EddyError **error)
{
    (void) file;
    return name_result (op, new_name, error);
}

/* Linux says EISDIR for a folder, POSIX and some file systems EPERM; which EPERM it was, rmdir
 * tells. */
static int name_delete (const char *path)
{
    int result = eddy__sys_unlinkat (AT_FDCWD, path, 0);
    if (result != -EISDIR && result != -EPERM)
        return result;
    int folder_result = eddy__sys_unlinkat (AT_FDCWD, path, AT_REMOVEDIR);
    if (folder_result == -ENOTDIR)
        return result;
    return folder_result == -EEXIST ? -ENOTEMPTY : folder_result;
}

bool eddy_file_delete_body (EddyFile *file, EddyCancellable *cancellable, EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    int result = name_delete (eddy_file_get_path (file));
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", eddy_file_get_path (file));
    return result >= 0;
}
