/* SPDX-License-Identifier: MIT */
/* Asking what a file is. */
#include <eddy/file-bodies.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "file/at-private.h"
#include "file/file-info-private.h"
#include "sys/file-private.h"

/* A question, which a worker asks; the info is made at home, where it is let go of, too. */
typedef struct Query {
    const EddyFile *file;
    bool follow;
    int result; /* 0 or -errno */
    struct statx stat;
    char *target; /* of a symbolic link; NULL: it could not be read, or is a link no more */
} Query;

/* What a symbolic link points to, read into the thread's buffer, which is longer than any. */
static char *query_target (const EddyFile *file)
{
    EddyFileAt at;
    ssize_t length = -1;
    char *target = eddy__file_buffer ();
    if (target == NULL)
        return NULL;
    if (eddy__file_at (file, &at) == 0)
        length = eddy__sys_readlinkat (at.fd, at.name, target, EDDY_FILE_BUFFER_SIZE);
    eddy__file_at_end (&at);
    if (length < 0 || length == EDDY_FILE_BUFFER_SIZE)
        return NULL;
    target[length] = '\0';
    return eddy__strdup (target);
}

static void query_run (void *data)
{
    Query *query = data;
    query->result =
        eddy__file_statx (query->file, query->follow, EDDY_FILE_INFO_STATX, &query->stat);
    if (query->result >= 0 && S_ISLNK (query->stat.stx_mode))
        query->target = query_target (query->file);
}

static void query_begin (Query *query, EddyOp *op, const EddyFile *file,
                         EddyFileQueryInfoFlags flags)
{
    query->file = file;
    query->follow = (flags & EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS) == 0;
    query->result = 0;
    query->target = NULL;
    eddy__op_init (op, EDDY_OP_CALL, -1);
    op->flags = EDDY_OP_CALL_ASKS;
    op->as.call.function = query_run;
    op->as.call.data = query;
}

/* The info of what `file` names; 0 or -ENOMEM. */
static int query_make (const EddyFile *file, const struct statx *stat, const char *target,
                       EddyFileInfo **info)
{
    size_t length;
    const char *name = eddy__file_last_part (file->path, &length);
    *info = eddy__file_info_new (name, length, target);
    if (*info == NULL)
        return -ENOMEM;
    eddy__file_info_fill (*info, stat);
    return 0;
}

/* The answer to a question that has been asked, or has not because of `result`. */
static EddyFileInfo *query_end (Query *query, int64_t result, EddyError **error)
{
    EddyFileInfo *info = NULL;
    if (result >= 0)
        result = query->result;
    if (result >= 0)
        result = query_make (query->file, &query->stat, query->target, &info);
    if (result < 0)
        eddy_error_set_errno (error, (int) -result, "%s", query->file->path);
    eddy__free (query->target);
    return info;
}

int eddy__file_info_ask (int fd, const EddyFile *file, EddyFileInfo **info)
{
    struct statx stat;
    int result = eddy__sys_fstatx (fd, EDDY_FILE_INFO_STATX, &stat);
    return result < 0 ? result : query_make (file, &stat, NULL, info);
}

bool eddy_file_query_info_request (EddyOp *op, EddyFile *file, EddyFileQueryInfoFlags flags,
                                   EddyError **error)
{
    EDDY__EXPECT (file != NULL, false);
    Query *query = eddy__block_alloc (sizeof *query);
    if (query == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", file->path);
        return false;
    }
    query_begin (query, op, file, flags);
    return true;
}

EddyFileInfo *eddy_file_query_info_result (const EddyOp *op, EddyFile *file,
                                           EddyFileQueryInfoFlags flags, EddyError **error)
{
    (void) file;
    (void) flags;
    Query *query = op->as.call.data;
    EddyFileInfo *info = query_end (query, op->result, error);
    eddy__block_free (query, sizeof *query);
    return info;
}

EddyFileInfo *eddy_file_query_info_body (EddyFile *file, EddyFileQueryInfoFlags flags,
                                         EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    Query query;
    EddyOp op;
    query_begin (&query, &op, file, flags);
    int64_t result = eddy__do_op (&op, cancellable);
    if (result == -ECANCELED && !eddy__may_go_on (cancellable, error))
        return NULL;
    return query_end (&query, result, error);
}

EddyFileType eddy_file_query_file_type (EddyFile *file, EddyFileQueryInfoFlags flags,
                                        EddyCancellable *cancellable)
{
    EDDY_AUTO (EddyFileInfo) info = eddy_file_query_info (file, flags, cancellable, NULL);
    return info == NULL ? EDDY_FILE_TYPE_UNKNOWN : eddy_file_info_get_file_type (info);
}

bool eddy_file_query_exists (EddyFile *file, EddyCancellable *cancellable)
{
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NONE, cancellable, NULL);
    return info != NULL;
}
