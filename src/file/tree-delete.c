/* SPDX-License-Identifier: MIT */
/* Removing trees: which folder is the next, which stay open, and what has come of each. */
#include <eddy/file-tree-bodies.h>

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "base/object-private.h"
#include "file/file-private.h"
#include "file/tree-delete-private.h"
#include "sys/file-private.h"

size_t eddy__tree_delete_most_opened = 128;

typedef struct EddyTreeDelete {
    EddyTreeWork work;
    EddyTreeDoomed *to_read; /* a stack: the last found first, so that few are open at once */
    EddyTreeDoomed *to_finish;
    size_t n_to_read;
    size_t n_to_finish;
    unsigned n_reading;
    unsigned n_running;    /* jobs on folders; … */
    unsigned most_running; /* … fewer once there were too few fds for all of them */
    EddyList opened;       /* folders that are open, the one used last at the end */
    size_t n_opened;
} EddyTreeDelete;

/* --- open folders ----------------------------------------------------------------------------- */

static void delete_close (EddyTreeDelete *self, EddyTreeDoomed *folder)
{
    if (folder->fd < 0)
        return;
    eddy__list_remove (&folder->opened);
    self->n_opened--;
    eddy__sys_close (folder->fd);
    folder->fd = -1;
}

/* Closes folders that no job uses, those used least lately first; how many. */
static size_t delete_close_some (EddyTreeDelete *self, size_t most_left)
{
    size_t n_closed = 0;
    for (EddyList *link = self->opened.next, *next;
         link != &self->opened && self->n_opened > most_left; link = next) {
        EddyTreeDoomed *folder = EDDY__CONTAINER (link, EddyTreeDoomed, opened);
        next = link->next;
        if (folder->n_users > 0 || folder->is_reading)
            continue;
        delete_close (self, folder);
        n_closed++;
    }
    return n_closed;
}

/* A folder was used by a job, which may have opened it: that fd is kept. */
static void delete_adopt (EddyTreeDelete *self, EddyTreeDoomed *folder, int fd)
{
    if (folder->fd >= 0) {
        eddy__list_remove (&folder->opened);
        eddy__list_append (&self->opened, &folder->opened);
    }
    if (fd < 0 || folder->fd == fd)
        return;
    /* Two jobs have opened it at the same time. */
    if (folder->fd >= 0) {
        eddy__sys_close (fd);
        return;
    }
    folder->fd = fd;
    eddy__list_append (&self->opened, &folder->opened);
    self->n_opened++;
}

/* --- folders ---------------------------------------------------------------------------------- */

static void delete_push (EddyTreeDoomed **stack, size_t *n, EddyTreeDoomed *folder)
{
    folder->next = *stack;
    *stack = folder;
    (*n)++;
}

static EddyTreeDoomed *delete_pop (EddyTreeDoomed **stack, size_t *n)
{
    EddyTreeDoomed *folder = *stack;
    *stack = folder->next;
    (*n)--;
    return folder;
}

static void delete_free_root (EddyTreeDoomedRoot *root)
{
    if (root == NULL)
        return;
    eddy__file_at_end (&root->at);
    eddy_unref (root->file);
    eddy__free (root);
}

/* Nothing more is done about a folder: it is no more, or was left. What holds it is then left, too,
 * or its turn has come. */
static void delete_end (EddyTreeDelete *self, EddyTreeDoomed *folder, bool is_gone)
{
    for (;;) {
        EddyTreeDoomed *parent = folder->parent;
        delete_close (self, folder);
        delete_free_root (folder->root);
        eddy__free (folder);
        if (parent == NULL)
            return;
        parent->is_left |= !is_gone;
        if (--parent->n_unfinished > 0)
            return;
        if (!parent->is_left) {
            delete_push (&self->to_finish, &self->n_to_finish, parent);
            return;
        }
        folder = parent;
        is_gone = false;
    }
}

/* A folder is not read any further. What was found in it may still be under way. */
static void delete_end_reading (EddyTreeDelete *self, EddyTreeDoomed *folder)
{
    folder->is_reading = false;
    if (--folder->n_unfinished > 0)
        return;
    if (folder->is_left)
        delete_end (self, folder, /* is_gone= */ false);
    else
        delete_push (&self->to_finish, &self->n_to_finish, folder);
}

/* Lets go of what was not begun. */
static void delete_drop (EddyTreeDelete *self)
{
    self->work.is_cut_short |= self->to_read != NULL || self->to_finish != NULL;
    while (self->to_read != NULL) {
        EddyTreeDoomed *folder = delete_pop (&self->to_read, &self->n_to_read);
        folder->is_left = true;
        delete_end_reading (self, folder);
    }
    while (self->to_finish != NULL)
        delete_end (self, delete_pop (&self->to_finish, &self->n_to_finish), /* is_gone= */ false);
}

/* --- jobs ------------------------------------------------------------------------------------- */

/* Tells of what has failed in a job, in the order in which it did. */
static void delete_tell_failures (EddyTreeDelete *self, EddyTreeDoomedJob *job, EddyFile *file)
{
    EddyTreeDoomedFailure *in_order = NULL;
    while (job->failures != NULL) {
        EddyTreeDoomedFailure *failure = job->failures;
        job->failures = failure->next;
        failure->next = in_order;
        in_order = failure;
    }
    while (in_order != NULL) {
        EddyTreeDoomedFailure *failure = in_order;
        in_order = failure->next;
        eddy__tree_fail (&self->work, failure->error);
        eddy__free (failure);
    }
    for (; job->n_lost > 0; job->n_lost--)
        eddy__tree_fail_memory (&self->work, file);
}

static void delete_count (EddyTreeDelete *self, const EddyTreeDoomedJob *job)
{
    EddyTreeCounts *counts = &self->work.counts;
    counts->files_found += job->n_found;
    counts->files_done += job->n_removed;
    counts->files_failed += job->n_failed;
    counts->files_passed_over += job->n_passed_over;
    counts->folders_done += job->is_removed;
    eddy__tree_tell (&self->work);
}

/* The nearest folder above that is open; NULL: none is. */
static EddyTreeDoomed *delete_get_ancestor (const EddyTreeDoomed *folder)
{
    EddyTreeDoomed *ancestor = folder->parent;
    while (ancestor != NULL && ancestor->fd < 0)
        ancestor = ancestor->parent;
    return ancestor;
}

/* Runs a job on a folder, keeping open what it uses, and takes in what it has opened and found.
 * False with an error when it was not begun. */
static bool delete_run_job (EddyTreeDelete *self, EddyTreeDoomedJob *job, EddyError **error)
{
    EddyTreeDoomed *folder = job->folder;
    job->ancestor = delete_get_ancestor (folder);
    job->may_finish = folder->n_unfinished == 1 && !folder->is_left;
    job->fd = folder->fd;
    job->parent_fd = -1;
    folder->n_users++;
    if (job->ancestor != NULL)
        job->ancestor->n_users++;
    self->n_running++;
    bool done = eddy__tree_run_job (&self->work, &job->job, error);
    self->n_running--;
    self->work.jobs_wait |= job->waits;
    if (job->ancestor != NULL)
        job->ancestor->n_users--;
    folder->n_users--;
    if (job->fd >= 0 && folder->fd < 0)
        folder->identity = job->identity;
    delete_adopt (self, folder, job->fd);
    if (folder->parent != NULL)
        delete_adopt (self, folder->parent, job->parent_fd);
    while (job->found != NULL) {
        EddyTreeDoomed *found = job->found;
        job->found = found->next;
        folder->n_unfinished++;
        delete_push (&self->to_read, &self->n_to_read, found);
    }
    return done;
}

/* Too many files are open: when some that are ours can be closed, or will be, it is tried again.
 * What needed them together is then done by fewer jobs at once, at last by one, or each might close
 * for ever what another one has just opened. */
static bool delete_make_room (EddyTreeDelete *self, EddyTreeDoomedJob *job)
{
    if (!job->is_full ||
        (delete_close_some (self, self->n_opened / 2) == 0 && self->n_running == 0))
        return false;
    self->most_running = self->n_running > 0 ? self->n_running : 1;
    while (job->failures != NULL) {
        EddyTreeDoomedFailure *failure = job->failures;
        job->failures = failure->next;
        eddy_unref (failure->error);
        eddy__free (failure);
    }
    job->n_lost = 0;
    return true;
}

/* Takes in what has come of a folder's job; true when it is to be read, again or further. */
static bool delete_judge (EddyTreeDelete *self, EddyTreeDoomedJob *job)
{
    EddyTreeDoomed *folder = job->folder;
    if (delete_make_room (self, job)) {
        delete_count (self, job);
        return true;
    }
    self->work.is_cut_short |= job->is_cancelled;
    folder->is_left |= job->is_cancelled || job->failures != NULL || job->n_lost > 0;
    folder->n_rounds += job->is_again;
    delete_count (self, job);
    return job->has_more;
}

static void delete_read (EddyTreeDelete *self, EddyTreeDoomed *folder)
{
    EddyTreeDoomedJob job = { .job.run = eddy__tree_doomed_read, .folder = folder };
    EddyError *error = NULL;
    self->n_reading++;
    if (!delete_run_job (self, &job, &error)) {
        folder->is_left = true;
        eddy__tree_fail (&self->work, error);
    }
    self->n_reading--;
    if (delete_judge (self, &job)) {
        folder->is_reading = folder->fd >= 0 && job.has_more;
        delete_push (&self->to_read, &self->n_to_read, folder);
    } else if (job.is_gone) {
        delete_end (self, folder, /* is_gone= */ true);
    } else {
        delete_end_reading (self, folder);
    }
    delete_tell_failures (self, &job, NULL);
    delete_close_some (self, eddy__tree_delete_most_opened);
    eddy__tree_rouse (&self->work);
}

static void delete_finish (EddyTreeDelete *self, EddyTreeDoomed *folder)
{
    EddyTreeDoomedJob job = { .job.run = eddy__tree_doomed_finish, .folder = folder };
    EddyError *error = NULL;
    if (!delete_run_job (self, &job, &error))
        eddy__tree_fail (&self->work, error);
    if (delete_judge (self, &job)) {
        folder->n_unfinished = 1;
        delete_push (&self->to_read, &self->n_to_read, folder);
    } else {
        delete_end (self, folder, job.is_gone);
    }
    delete_tell_failures (self, &job, NULL);
    eddy__tree_rouse (&self->work);
}

/* --- roots ------------------------------------------------------------------------------------ */

/* Whether the last part of a path is no name: "/", "." or "..". */
static bool root_is_nameless (const char *path)
{
    size_t length;
    const char *part = eddy__file_last_part (path, &length);
    return (length == 1 && (*part == '/' || *part == '.')) ||
           (length == 2 && part[0] == '.' && part[1] == '.');
}

/* A root that is a folder; takes the record. */
static void root_add_folder (EddyTreeDelete *self, EddyTreeDoomedRoot *root)
{
    size_t length = strlen (root->at.name);
    while (length > 1 && root->at.name[length - 1] == '/')
        length--;
    EddyTreeDoomed *folder = eddy__tree_doomed_new (NULL, root->at.name, length);
    if (folder == NULL) {
        eddy__tree_fail_memory (&self->work, root->file);
        delete_free_root (root);
        return;
    }
    folder->root = root;
    delete_push (&self->to_read, &self->n_to_read, folder);
}

static void root_begin (EddyTreeDelete *self, EddyTreeDoomedRoot *root)
{
    bool files_only = (self->work.flags & EDDY_TREE_FILES_ONLY) != 0;
    EddyTreeDoomedJob job = { .job.run = eddy__tree_doomed_begin,
                              .root = root,
                              .passes_over = (self->work.flags & EDDY_TREE_PASS_OVER) != 0 };
    EddyError *error = NULL;
    bool done = eddy__tree_run_job (&self->work, &job.job, &error);
    if (done)
        delete_count (self, &job);
    delete_tell_failures (self, &job, root->file);
    if (done && !job.is_gone && !files_only) {
        root_add_folder (self, root);
        return;
    }
    if (!done)
        eddy__tree_fail (&self->work, error);
    else if (!job.is_gone)
        eddy__tree_fail (&self->work,
                         eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_RECURSE,
                                         "%s: is a folder", eddy_file_get_path (root->file)));
    delete_free_root (root);
}

static void delete_take_up (EddyTreeWork *work, const EddyTreeRoot *given)
{
    EddyTreeDelete *self = (EddyTreeDelete *) work;
    const char *path = eddy_file_get_path (given->file);
    if (root_is_nameless (path)) {
        eddy__tree_fail (work, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                                               "%s: is not removed, being no name", path));
        return;
    }
    EddyTreeDoomedRoot *root = eddy__alloc (sizeof *root);
    if (root == NULL) {
        eddy__tree_fail_memory (work, given->file);
        return;
    }
    *root = (EddyTreeDoomedRoot){ .file = eddy_ref (given->file) };
    root_begin (self, root);
}

/* --- the kind of work ------------------------------------------------------------------------- */

static void delete_begin (EddyTreeWork *work)
{
    EddyTreeDelete *self = (EddyTreeDelete *) work;
    eddy__list_init (&self->opened);
    self->most_running = EDDY_TREE_DELETE_FIBERS;
}

static bool delete_step (EddyTreeWork *work)
{
    EddyTreeDelete *self = (EddyTreeDelete *) work;
    if (eddy__tree_is_stopping (work))
        delete_drop (self);
    if (self->n_running >= self->most_running)
        return false;
    if (self->to_finish != NULL)
        delete_finish (self, delete_pop (&self->to_finish, &self->n_to_finish));
    else if (self->to_read != NULL)
        delete_read (self, delete_pop (&self->to_read, &self->n_to_read));
    else
        return false;
    return true;
}

static size_t delete_get_available (const EddyTreeWork *work)
{
    const EddyTreeDelete *self = (const EddyTreeDelete *) work;
    size_t n_waiting = self->n_to_read + self->n_to_finish;
    size_t n_more = self->most_running > self->n_running ? self->most_running - self->n_running : 0;
    return n_waiting < n_more ? n_waiting : n_more;
}

static bool delete_is_finding (const EddyTreeWork *work)
{
    const EddyTreeDelete *self = (const EddyTreeDelete *) work;
    return self->n_reading > 0 || self->n_to_read > 0;
}

static void delete_get_progress (const EddyTreeWork *work, int64_t *current, int64_t *total)
{
    *current = (int64_t) work->counts.files_done;
    *total = (int64_t) work->counts.files_found;
}

static void delete_clear (EddyTreeWork *work)
{
    (void) work;
}

static const EddyClass delete_class = { .name = "EddyTreeWork",
                                        .size = sizeof (EddyTreeDelete),
                                        .finalize = eddy__tree_work_finalize };

static const EddyTreeKind delete_kind = { .name = "delete",
                                          .n_fibers = EDDY_TREE_DELETE_FIBERS,
                                          .begin = delete_begin,
                                          .take_up = delete_take_up,
                                          .step = delete_step,
                                          .get_available = delete_get_available,
                                          .is_finding = delete_is_finding,
                                          .get_progress = delete_get_progress,
                                          .clear = delete_clear };

EddyTreeWork *eddy_tree_work_new_delete (EddyTreeFlags tree_flags)
{
    return eddy__tree_work_new (&delete_class, &delete_kind, tree_flags);
}

bool eddy_tree_work_add_delete (EddyTreeWork *work, EddyFile *file)
{
    EDDY__EXPECT (work != NULL && work->kind == &delete_kind && !work->has_run, false);
    EDDY__EXPECT (file != NULL, false);
    return eddy__tree_work_add (work, file, NULL);
}

bool eddy_file_delete_tree_body (EddyFile *file, EddyCancellable *cancellable,
                                 EddyFileProgressCallback progress_callback,
                                 void *progress_callback_data, EddyError **error)
{
    EDDY__EXPECT (file != NULL, false);
    return eddy__tree_run_one (eddy_tree_work_new_delete (EDDY_TREE_NONE), file, NULL, cancellable,
                               progress_callback, progress_callback_data, error);
}
