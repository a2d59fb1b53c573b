/* SPDX-License-Identifier: MIT */
/* One file: whether and how it is copied. */
#include "copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What has become of a file. */
typedef enum FileOutcome {
    FILE_COPIED,
    FILE_LINKED,
    FILE_PASSED_OVER,
    FILE_FAILED,
    FILE_CANCELLED, /* as if it had not been begun */
    FILE_NOT_LINKED /* it cannot be a link: it is to be copied */
} FileOutcome;

void copy_item_clear (CopyItem *item)
{
    eddy_clear (&item->source);
    eddy_clear (&item->destination);
    eddy_clear (&item->own_info);
}

static int64_t item_size (const CopyItem *item)
{
    bool has_bytes = eddy_file_info_get_file_type (item->info) == EDDY_FILE_TYPE_REGULAR;
    return has_bytes ? eddy_file_info_get_size (item->info) : 0;
}

/* Counts an item that has ended. What its progress has counted so far is made good. */
static void item_count (Copy *copy, CopyItem *item, FileOutcome outcome)
{
    ProgressCounts *counts = &copy->progress.counts;
    int64_t rest = item_size (item) - item->n_copied;
    if (outcome == FILE_CANCELLED) {
        counts->bytes_copied -= item->n_copied;
        counts->bytes_settled -= item->n_copied;
        return;
    }
    counts->bytes_settled += rest;
    counts->bytes_copied += outcome == FILE_COPIED ? rest : -item->n_copied;
    counts->files_copied += outcome == FILE_COPIED || outcome == FILE_LINKED;
    counts->files_passed_over += outcome == FILE_PASSED_OVER;
    counts->files_failed += outcome == FILE_FAILED;
}

static FileOutcome item_fail (Copy *copy, EddyError *error)
{
    bool cancelled = eddy_error_is_cancelled (error);
    copy_fail (copy, error);
    return cancelled ? FILE_CANCELLED : FILE_FAILED;
}

/* What a failure to make the file means. */
static FileOutcome item_judge (Copy *copy, EddyError *error)
{
    if (!copy->options.no_clobber ||
        !eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS))
        return item_fail (copy, error);
    eddy_unref (error);
    return FILE_PASSED_OVER;
}

/* --- copying ---------------------------------------------------------------------------------- */

/* The bytes of a big file while it is being copied. */
typedef struct ItemProgress {
    Copy *copy;
    CopyItem *item;
} ItemProgress;

static void item_progressed (int64_t current_num_bytes, int64_t total_num_bytes, void *data)
{
    ItemProgress *progress = data;
    ProgressCounts *counts = &progress->copy->progress.counts;
    int64_t more = current_num_bytes - progress->item->n_copied;
    (void) total_num_bytes;
    counts->bytes_copied += more;
    counts->bytes_settled += more;
    progress->item->n_copied = current_num_bytes;
}

static EddyFileCopyFlags item_flags (const Copy *copy)
{
    EddyFileCopyFlags flags = EDDY_FILE_COPY_ALL_METADATA | EDDY_FILE_COPY_NOFOLLOW_SYMLINKS;
    return copy->options.force ? flags | EDDY_FILE_COPY_OVERWRITE : flags;
}

/* A big file is no work for the loop's own thread, which would be deaf to Ctrl-C meanwhile. */
static bool item_copy_big (Copy *copy, CopyItem *item, EddyError **error)
{
    ItemProgress progress = { copy, item };
    if (copy->n_big++ == 0)
        eddy_context_set_helps (NULL, false);
    bool copied = eddy_file_copy (item->source, item->destination, item_flags (copy), NULL,
                                  item_progressed, &progress, error);
    if (--copy->n_big == 0)
        eddy_context_set_helps (NULL, true);
    return copied;
}

static FileOutcome item_copy (Copy *copy, CopyItem *item)
{
    EddyError *error = NULL;
    bool copied = item_size (item) >= COPY_BIG_SIZE
                      ? item_copy_big (copy, item, &error)
                      : eddy_file_copy (item->source, item->destination, item_flags (copy), NULL,
                                        NULL, NULL, &error);
    return copied ? FILE_COPIED : item_judge (copy, error);
}

/* --- hard links ------------------------------------------------------------------------------- */

/* ".NAME.eddy-link~" beside a file; NULL when memory is out. */
static EddyFile *item_get_beside (EddyFile *file)
{
    static const char format[] = "%.*s.%s.eddy-link~";
    const char *path = eddy_file_get_path (file);
    const char *slash = strrchr (path, '/');
    int n_folder = slash == NULL ? 0 : (int) (slash + 1 - path);
    size_t size = strlen (path) + sizeof format;
    char *beside = malloc (size);
    if (beside == NULL)
        return NULL;
    snprintf (beside, size, format, n_folder, path, path + n_folder);
    EddyFile *answer = eddy_file_new_for_path (beside);
    free (beside);
    return answer;
}

/* Replaces a file by a further name of another: made beside it, then renamed. The rename follows
 * without a wait between, so that no cancel comes in the middle. */
static bool item_replace_by_link (CopyItem *item, EddyFile *other)
{
    EDDY_AUTO (EddyFile) beside = item_get_beside (item->destination);
    if (beside == NULL)
        return false;
    EddyError *error = NULL;
    bool made = eddy_file_make_hard_link (other, beside, NULL, &error);
    if (!made && eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS) &&
        eddy_file_delete (beside, NULL, NULL))
        made = eddy_file_make_hard_link (other, beside, NULL, NULL);
    eddy_unref (error);
    if (!made)
        return false;
    bool renamed =
        rename (eddy_file_get_path (beside), eddy_file_get_path (item->destination)) == 0;
    /* Between two names of one file rename(2) does nothing: the name beside is still there. */
    remove (eddy_file_get_path (beside));
    return renamed;
}

static FileOutcome item_link (Copy *copy, CopyItem *item, EddyFile *other)
{
    EddyError *error = NULL;
    if (eddy_file_make_hard_link (other, item->destination, NULL, &error))
        return FILE_LINKED;
    if (eddy_error_is_cancelled (error) ||
        eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE))
        return item_fail (copy, error);
    bool exists = eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS);
    if (exists && !copy->options.force)
        return item_judge (copy, error);
    eddy_unref (error);
    if (exists && item_replace_by_link (item, other))
        return FILE_LINKED;
    /* Too many links, or a file system without them. */
    return FILE_NOT_LINKED;
}

static FileOutcome item_make (Copy *copy, CopyItem *item, CopyLink *link)
{
    FileOutcome outcome = FILE_NOT_LINKED;
    if (link == NULL)
        return item_copy (copy, item);
    link->is_busy = true;
    if (link->destination != NULL)
        outcome = item_link (copy, item, link->destination);
    if (outcome == FILE_NOT_LINKED)
        outcome = item_copy (copy, item);
    copy_links_settle (copy, link, outcome == FILE_COPIED ? item->destination : NULL);
    copy_rouse (copy);
    return outcome;
}

/* --- one item --------------------------------------------------------------------------------- */

/* Why a file is left out, or NULL. */
static EddyError *item_refuse (Copy *copy, const CopyItem *item)
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
    if (copy->keeps_made && !copy_made_claim (&copy->made, path))
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS,
                               "%s: was made by this same copy, not replaced", path);
    return NULL;
}

void copy_item_run (Copy *copy, CopyItem *item)
{
    CopyLink *link = NULL;
    if (item->source == NULL || item->destination == NULL) {
        copy_fail_memory (copy, item->source);
        item_count (copy, item, FILE_FAILED);
    } else {
        if (eddy_file_info_get_n_links (item->info) > 1)
            link = copy_links_get (&copy->links, item->info);
        /* When it is queued again, all of this is asked again. */
        if (link != NULL && link->is_busy && copy_links_wait (link, item))
            return;
        EddyError *refusal = item_refuse (copy, item);
        FileOutcome outcome =
            refusal != NULL ? item_fail (copy, refusal) : item_make (copy, item, link);
        item_count (copy, item, outcome);
    }
    copy_item_clear (item);
    copy_folder_end_child (copy, item->folder);
}
