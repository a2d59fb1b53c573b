/* SPDX-License-Identifier: MIT */
/* One file of a tree: whether and how it is copied. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "fiber/fiber-private.h"
#include "file/at-private.h"
#include "file/copy-private.h"
#include "file/tree-copy-private.h"
#include "loop/context-private.h"
#include "sys/file-private.h"

/* What has become of a file. */
typedef enum FileOutcome {
    FILE_COPIED,
    FILE_LINKED,
    FILE_PASSED_OVER,
    FILE_FAILED,
    FILE_CANCELLED, /* as if it had not been begun */
    FILE_NOT_LINKED /* it cannot be a link: it is to be copied */
} FileOutcome;

void eddy__tree_item_clear (EddyTreeItem *item)
{
    eddy_clear (&item->source);
    eddy_clear (&item->destination);
    eddy_clear (&item->own_info);
}

static int64_t item_size (const EddyTreeItem *item)
{
    bool has_bytes = eddy_file_info_get_file_type (item->info) == EDDY_FILE_TYPE_REGULAR;
    return has_bytes ? eddy_file_info_get_size (item->info) : 0;
}

/* Counts an item that has ended. What its progress has counted so far is made good. */
static void item_count (EddyTreeCopy *copy, const EddyTreeItem *item, FileOutcome outcome)
{
    EddyTreeCounts *counts = &copy->work.counts;
    int64_t rest = item_size (item) - item->n_copied;
    if (outcome == FILE_CANCELLED) {
        counts->bytes_done -= item->n_copied;
        counts->bytes_settled -= item->n_copied;
        return;
    }
    counts->bytes_settled += rest;
    counts->bytes_done += outcome == FILE_COPIED ? rest : -item->n_copied;
    counts->files_done += outcome == FILE_COPIED || outcome == FILE_LINKED;
    counts->files_passed_over += outcome == FILE_PASSED_OVER;
    counts->files_failed += outcome == FILE_FAILED;
    eddy__tree_tell (&copy->work);
}

static FileOutcome item_fail (EddyTreeCopy *copy, EddyError *error)
{
    return eddy__tree_fail (&copy->work, error) ? FILE_FAILED : FILE_CANCELLED;
}

/* What a failure to make the file means. */
static FileOutcome item_judge (EddyTreeCopy *copy, EddyError *error)
{
    if ((copy->work.flags & EDDY_TREE_PASS_OVER) == 0 ||
        !eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS))
        return item_fail (copy, error);
    eddy_unref (error);
    return FILE_PASSED_OVER;
}

/* --- copying ---------------------------------------------------------------------------------- */

/* The bytes of a big file while it is being copied. */
typedef struct ItemProgress {
    EddyTreeCopy *copy;
    EddyTreeItem *item;
} ItemProgress;

static void item_progressed (int64_t current_num_bytes, int64_t total_num_bytes, void *data)
{
    ItemProgress *progress = data;
    EddyTreeCounts *counts = &progress->copy->work.counts;
    int64_t more = current_num_bytes - progress->item->n_copied;
    (void) total_num_bytes;
    counts->bytes_done += more;
    counts->bytes_settled += more;
    progress->item->n_copied = current_num_bytes;
    eddy__tree_tell (&progress->copy->work);
}

/* Of a tree that is half copied the small files may be so too: whole ones cost 5 µs more. */
static EddyFileCopyFlags item_flags (const EddyTreeCopy *copy, const EddyTreeItem *item)
{
    bool in_place = item->folder != NULL && item_size (item) < EDDY_TREE_COPY_BIG_SIZE;
    return copy->flags | (in_place ? EDDY_FILE_COPY_IN_PLACE : EDDY_FILE_COPY_NONE);
}

/* A big file is no work for the loop's own thread, which would be deaf to a cancel meanwhile. */
static bool item_copy_big (EddyTreeCopy *copy, EddyTreeItem *item, EddyError **error)
{
    ItemProgress progress = { copy, item };
    EddyContext *context = eddy__fiber_current ()->future.context;
    if (copy->n_big++ == 0) {
        copy->helps_between = context->helps;
        eddy_context_set_helps (context, false);
    }
    bool copied = eddy_file_copy (item->source, item->destination, item_flags (copy, item),
                                  copy->work.cancellable, item_progressed, &progress, error);
    if (--copy->n_big == 0)
        eddy_context_set_helps (context, copy->helps_between);
    return copied;
}

static FileOutcome item_copy (EddyTreeCopy *copy, EddyTreeItem *item)
{
    EddyError *error = NULL;
    bool copied = item_size (item) >= EDDY_TREE_COPY_BIG_SIZE
                      ? item_copy_big (copy, item, &error)
                      : eddy_file_copy (item->source, item->destination, item_flags (copy, item),
                                        copy->work.cancellable, NULL, NULL, &error);
    return copied ? FILE_COPIED : item_judge (copy, error);
}

/* --- hard links ------------------------------------------------------------------------------- */

typedef struct LinkJob {
    EddyTreeJob job;
    const EddyFile *file;
    const EddyFile *new_name;
    int result;
} LinkJob;

/* ".NAME.eddy-link~" beside a name; NULL when memory is out. */
static char *link_get_beside (const char *name)
{
    static const char format[] = "%.*s.%.*s.eddy-link~";
    size_t length;
    const char *part = eddy__file_last_part (name, &length);
    size_t size = strlen (name) + sizeof format;
    char *beside = eddy__alloc (size);
    if (beside != NULL)
        snprintf (beside, size, format, (int) (part - name), name, (int) length, part);
    return beside;
}

/* Makes it beside the name, and renames it. What a copy would not replace, no link does. */
static int link_replace_at (const EddyFileAt *from, const EddyFileAt *to)
{
    struct statx info;
    int result = eddy__sys_statx (to->fd, to->name, eddy__file_stat_flags (/* follow= */ false),
                                  STATX_TYPE, &info);
    if (result < 0)
        return result;
    if (!eddy__copy_replaces_kind (info.stx_mode))
        return -EEXIST;
    char *beside = link_get_beside (to->name);
    if (beside == NULL)
        return -ENOMEM;
    result = eddy__sys_linkat (from->fd, from->name, to->fd, beside, 0);
    if (result == -EEXIST && eddy__sys_unlinkat (to->fd, beside, 0) == 0)
        result = eddy__sys_linkat (from->fd, from->name, to->fd, beside, 0);
    if (result == 0) {
        result = eddy__sys_renameat2 (to->fd, beside, to->fd, to->name, 0);
        /* Between two names of one file a rename does nothing: the name beside is still there. */
        eddy__sys_unlinkat (to->fd, beside, 0);
    }
    eddy__free (beside);
    return result;
}

/* Replaces a file by a further name of another. */
static void link_replace (EddyTreeJob *job, EddyCancellable *cancellable)
{
    LinkJob *self = (LinkJob *) job;
    EddyFileAt from, to;
    (void) cancellable;
    self->result = eddy__file_at (self->file, &from);
    int to_result = eddy__file_at (self->new_name, &to);
    if (self->result == 0)
        self->result = to_result == 0 ? link_replace_at (&from, &to) : to_result;
    eddy__file_at_end (&to);
    eddy__file_at_end (&from);
}

static bool item_replace_by_link (EddyTreeCopy *copy, EddyTreeItem *item, EddyFile *other)
{
    LinkJob self = { .job.run = link_replace, .file = other, .new_name = item->destination };
    return eddy__tree_run_job (&copy->work, &self.job, NULL) && self.result == 0;
}

static FileOutcome item_link (EddyTreeCopy *copy, EddyTreeItem *item, EddyFile *other)
{
    EddyError *error = NULL;
    if (eddy_file_make_hard_link (other, item->destination, copy->work.cancellable, &error))
        return FILE_LINKED;
    bool exists = eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS);
    if (eddy__tree_is_cancel (&copy->work, error) ||
        eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE))
        return item_fail (copy, error);
    if (exists && (copy->flags & EDDY_FILE_COPY_OVERWRITE) == 0)
        return item_judge (copy, error);
    eddy_unref (error);
    if (exists && item_replace_by_link (copy, item, other))
        return FILE_LINKED;
    /* Too many links, or a file system without them. */
    return FILE_NOT_LINKED;
}

static FileOutcome item_make (EddyTreeCopy *copy, EddyTreeItem *item, EddyTreeLink *link)
{
    FileOutcome outcome = FILE_NOT_LINKED;
    if (link == NULL)
        return item_copy (copy, item);
    link->is_busy = true;
    if (link->destination != NULL)
        outcome = item_link (copy, item, link->destination);
    if (outcome == FILE_NOT_LINKED)
        outcome = item_copy (copy, item);
    eddy__tree_links_settle (copy, link, outcome == FILE_COPIED ? item->destination : NULL);
    eddy__tree_rouse (&copy->work);
    return outcome;
}

/* --- one item --------------------------------------------------------------------------------- */

/* Why a file is left out, or NULL. */
static EddyError *item_refuse (EddyTreeCopy *copy, const EddyTreeItem *item)
{
    const char *what = NULL;
    switch (eddy_file_info_get_file_type (item->info)) {
    case EDDY_FILE_TYPE_SOCKET:
        what = "is a socket, left out";
        break;
    case EDDY_FILE_TYPE_CHARACTER_DEVICE:
    case EDDY_FILE_TYPE_BLOCK_DEVICE:
        what = "is a device, left out";
        break;
    default:
        break;
    }
    const char *path = eddy_file_get_path (item->source);
    if (what != NULL)
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_SUPPORTED, "%s: %s", path, what);
    path = eddy_file_get_path (item->destination);
    if (copy->keeps_made && !eddy__tree_made_claim (&copy->made, path))
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS,
                               "%s: was made by this same copy, not replaced", path);
    return NULL;
}

void eddy__tree_item_run (EddyTreeCopy *copy, EddyTreeItem *item)
{
    EddyTreeLink *link = NULL;
    if (item->source == NULL || item->destination == NULL) {
        eddy__tree_fail_memory (&copy->work, item->source);
        item_count (copy, item, FILE_FAILED);
    } else {
        if (eddy_file_info_get_n_links (item->info) > 1)
            link = eddy__tree_links_get (&copy->links, item->info);
        /* When it is queued again, all of this is asked again. */
        if (link != NULL && link->is_busy && eddy__tree_links_wait (link, item))
            return;
        EddyError *refusal = item_refuse (copy, item);
        FileOutcome outcome =
            refusal != NULL ? item_fail (copy, refusal) : item_make (copy, item, link);
        item_count (copy, item, outcome);
    }
    eddy__tree_item_clear (item);
    eddy__tree_folder_end_child (copy, item->folder);
}
