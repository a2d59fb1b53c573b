/* SPDX-License-Identifier: MIT */
/* Removing one folder of a tree: what its jobs do, on workers. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "file/file-private.h"
#include "file/tree-delete-private.h"
#include "sys/clock-private.h"
#include "sys/file-private.h"

enum {
    DOOMED_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
    DOOMED_RECORDS = 32 * 1024, /* of the thread's buffer: some 1,000 names */
    DOOMED_LOOK_EVERY = 32,     /* names between two looks at the cancellable and the clock */
    DOOMED_JOB_NS = 10 * 1000 * 1000
};

EddyTreeDoomed *eddy__tree_doomed_new (EddyTreeDoomed *parent, const char *name, size_t length)
{
    EddyTreeDoomed *folder = eddy__alloc (sizeof *folder + length + 1);
    if (folder == NULL)
        return NULL;
    *folder = (EddyTreeDoomed){ .parent = parent, .fd = -1, .n_unfinished = 1 };
    eddy__list_init (&folder->opened);
    memcpy (folder->name, name, length);
    folder->name[length] = '\0';
    return folder;
}

/* --- failures --------------------------------------------------------------------------------- */

/* Writes a part of a path before `at`, and returns where it begins. */
static char *doomed_prepend (char *at, const char *part, size_t length)
{
    at -= length;
    memcpy (at, part, length);
    return at;
}

/* The path of a folder, or of a name in it; NULL when memory is out. */
static char *doomed_get_path (const EddyTreeDoomed *folder, const char *name)
{
    size_t size = name == NULL ? 1 : strlen (name) + 2;
    const EddyTreeDoomed *top = folder;
    for (; top->parent != NULL; top = top->parent)
        size += strlen (top->name) + 1;
    const char *root = eddy_file_get_path (top->root->file);
    size_t root_length = strlen (root);
    /* The slash behind a root's name is enough. */
    bool has_slash = root_length > 0 && root[root_length - 1] == '/';
    size += root_length;
    char *path = eddy__alloc (size);
    if (path == NULL)
        return NULL;
    char *at = path + size - 1;
    *at = '\0';
    if (name != NULL)
        at = doomed_prepend (at, name, strlen (name));
    for (; folder != top; folder = folder->parent) {
        at = name != NULL ? doomed_prepend (at, "/", 1) : at;
        name = folder->name;
        at = doomed_prepend (at, name, strlen (name));
    }
    if (name != NULL && !has_slash)
        at = doomed_prepend (at, "/", 1);
    at = doomed_prepend (at, root, root_length);
    memmove (path, at, strlen (at) + 1);
    return path;
}

/* Notes that a folder, or a name in it, could not be removed. */
static void doomed_fail (EddyTreeDoomedJob *self, const char *name, int result)
{
    EddyTreeDoomedFailure *failure = eddy__alloc (sizeof *failure);
    char *path = self->folder != NULL ? doomed_get_path (self->folder, name)
                                      : eddy__strdup (eddy_file_get_path (self->root->file));
    if (failure == NULL || path == NULL) {
        self->n_lost++;
        eddy__free (failure);
        eddy__free (path);
        return;
    }
    *failure = (EddyTreeDoomedFailure){ self->failures, NULL };
    eddy_error_set_errno (&failure->error, -result, "%s", path);
    self->failures = failure;
    eddy__free (path);
}

/* --- the files -------------------------------------------------------------------------------- */

static bool doomed_is_dot (const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static bool doomed_is_folder (int fd, const char *name)
{
    struct statx info;
    return eddy__sys_statx (fd, name, eddy__file_stat_flags (/* follow= */ false), STATX_TYPE,
                            &info) == 0 &&
           S_ISDIR (info.stx_mode);
}

/* Removes what is no folder; 1: it is one. Linux says EISDIR then, other systems' file servers
 * EPERM. */
static int doomed_unlink (int fd, const char *name, bool may_be_folder)
{
    int result = eddy__sys_unlinkat (fd, name, 0);
    if (result == -EISDIR || (result == -EPERM && may_be_folder && doomed_is_folder (fd, name)))
        return 1;
    return result;
}

static void doomed_add_folder (EddyTreeDoomedJob *self, const char *name)
{
    EddyTreeDoomed *folder = eddy__tree_doomed_new (self->folder, name, strlen (name));
    if (folder == NULL) {
        self->n_lost++;
        return;
    }
    folder->next = self->found;
    self->found = folder;
}

static void doomed_remove_entry (EddyTreeDoomedJob *self, const EddySysDirent *entry)
{
    int result = 1;
    if (entry->type != DT_DIR)
        result = doomed_unlink (self->fd, entry->name, entry->type == DT_UNKNOWN);
    if (result == 1) {
        doomed_add_folder (self, entry->name);
        return;
    }
    /* Whoever was quicker has removed it. */
    if (result == -ENOENT)
        return;
    self->n_found++;
    if (result == 0) {
        self->n_removed++;
        return;
    }
    self->n_failed++;
    doomed_fail (self, entry->name, result);
}

/* Whether the job is to end here, the rest being another one's. */
static bool doomed_must_stop (EddyTreeDoomedJob *self, int64_t began_ns,
                              EddyCancellable *cancellable)
{
    self->is_cancelled = eddy_cancellable_is_cancelled (cancellable);
    self->has_more = eddy__sys_now_ns () - began_ns > DOOMED_JOB_NS;
    return self->is_cancelled || self->has_more;
}

/* What is in one answer of getdents64; 1: the job is to end. */
static int doomed_remove_records (EddyTreeDoomedJob *self, const char *records, size_t length,
                                  int64_t began_ns, EddyCancellable *cancellable)
{
    unsigned n_looked = 0;
    for (size_t at = 0; at < length;) {
        const EddySysDirent *entry = (const EddySysDirent *) (const void *) (records + at);
        at += entry->length;
        if (!doomed_is_dot (entry->name))
            doomed_remove_entry (self, entry);
        if (++n_looked % DOOMED_LOOK_EVERY != 0 || at >= length)
            continue;
        if (!doomed_must_stop (self, began_ns, cancellable))
            continue;
        int64_t answer = eddy__sys_lseek (self->fd, entry->offset, SEEK_SET);
        return answer < 0 ? (int) answer : 1;
    }
    return doomed_must_stop (self, began_ns, cancellable) ? 1 : 0;
}

/* Removes the files of the open folder, for a while; 0 or -errno. */
static int doomed_remove_files (EddyTreeDoomedJob *self, EddyCancellable *cancellable)
{
    int64_t began_ns = eddy__sys_now_ns ();
    char *buffer = eddy__file_buffer ();
    if (buffer == NULL)
        return -ENOMEM;
    for (;;) {
        ssize_t length = eddy__sys_getdents64 (self->fd, buffer, DOOMED_RECORDS);
        /* ENOENT: the folder was removed while it was open. */
        if (length <= 0)
            return length == -ENOENT ? 0 : (int) length;
        int result = doomed_remove_records (self, buffer, (size_t) length, began_ns, cancellable);
        if (result != 0)
            return result < 0 ? result : 0;
    }
}

/* --- the folder ------------------------------------------------------------------------------- */

/* Opens a folder by its name, and makes sure that it is the one that was open before. */
static int doomed_open_again (int fd, const char *name, const EddyTreeDoomed *folder)
{
    struct statx info;
    int opened = eddy__sys_openat (fd, name, DOOMED_FLAGS, 0);
    if (opened < 0)
        return opened;
    int result = eddy__sys_fstatx (opened, STATX_INO, &info);
    if (result == 0 && !eddy__tree_is_same (eddy__tree_identity (&info), folder->identity))
        result = -ESTALE;
    if (result == 0)
        return opened;
    eddy__sys_close (opened);
    return result;
}

/* The folders from below `ancestor` down to `folder`, opened one by one; an fd or -errno. */
static int doomed_open_down (const EddyTreeDoomed *ancestor, const EddyTreeDoomed *folder)
{
    size_t depth = 0;
    for (const EddyTreeDoomed *up = folder; up != ancestor; up = up->parent)
        depth++;
    const EddyTreeDoomed **way = eddy__alloc (depth * sizeof *way);
    if (way == NULL)
        return -ENOMEM;
    for (size_t i = depth; i > 0; i--, folder = folder->parent)
        way[i - 1] = folder;
    int fd = ancestor != NULL ? ancestor->fd : way[0]->root->at.fd;
    bool owns_fd = false;
    for (size_t i = 0; i < depth; i++) {
        int opened = doomed_open_again (fd, way[i]->name, way[i]);
        if (owns_fd)
            eddy__sys_close (fd);
        fd = opened;
        owns_fd = true;
        if (fd < 0)
            break;
    }
    eddy__free (way);
    return fd;
}

/* The fd that the folder's name is looked up in; AT_FDCWD among them, or -errno. One that was
 * closed is opened again; where that fails with ENETDOWN, whose number is AT_FDCWD's, it says EIO.
 */
static int doomed_get_parent (EddyTreeDoomedJob *self)
{
    const EddyTreeDoomed *folder = self->folder;
    if (folder->root != NULL)
        return folder->root->at.fd;
    if (self->ancestor == folder->parent)
        return folder->parent->fd;
    int fd = -ENOENT;
    if (self->parent_fd >= 0)
        return self->parent_fd;
    if (self->fd >= 0)
        fd = doomed_open_again (self->fd, "..", folder->parent);
    if (fd < 0)
        fd = doomed_open_down (self->ancestor, folder->parent);
    self->parent_fd = fd < 0 ? -1 : fd;
    return fd == -ENETDOWN ? -EIO : fd;
}

static bool doomed_is_error (int parent)
{
    /* check-allow: AT_FDCWD: eddy__file_at()'s answer, not a new one */
    return parent < 0 && parent != AT_FDCWD;
}

static bool doomed_is_full (int result)
{
    return result == -EMFILE || result == -ENFILE;
}

/* Removes the folder, which was read, and counts it. */
static void doomed_remove (EddyTreeDoomedJob *self)
{
    int parent = doomed_get_parent (self);
    int result = parent;
    if (!doomed_is_error (parent))
        result = eddy__sys_unlinkat (parent, self->folder->name, AT_REMOVEDIR);
    self->is_removed = result == 0;
    self->is_gone = result == 0 || result == -ENOENT;
    self->is_full = doomed_is_full (result);
    if (self->is_gone)
        return;
    /* Something has come since, or was passed over while others were removed around it. */
    if ((result == -ENOTEMPTY || result == -EEXIST) &&
        self->folder->n_rounds < EDDY_TREE_DELETE_ROUNDS &&
        (self->fd < 0 || eddy__sys_lseek (self->fd, 0, SEEK_SET) == 0))
        self->has_more = self->is_again = true;
    else
        doomed_fail (self, NULL, result == -EEXIST ? -ENOTEMPTY : result);
}

/* A name that a listing called a folder could not be opened as one. */
static void doomed_judge_open (EddyTreeDoomedJob *self, int parent, int result)
{
    const char *name = self->folder->name;
    int removed = -EPERM;
    self->is_gone = result == -ENOENT;
    if (self->is_gone)
        return;
    if (result == -ENOTDIR || result == -ELOOP) {
        /* A file or a link has taken its place. */
        self->n_found++;
        removed = eddy__sys_unlinkat (parent, name, 0);
        self->n_removed += removed == 0;
        self->n_failed += removed != 0;
    } else if (result == -EACCES) {
        /* It may be empty all the same. */
        removed = eddy__sys_unlinkat (parent, name, AT_REMOVEDIR);
        self->is_removed = removed == 0;
    }
    self->is_gone = removed == 0 || removed == -ENOENT;
    if (!self->is_gone)
        doomed_fail (self, NULL, result);
}

static bool doomed_open (EddyTreeDoomedJob *self)
{
    struct statx info;
    if (self->fd >= 0)
        return true;
    int parent = doomed_get_parent (self);
    int result = parent;
    if (!doomed_is_error (parent))
        self->fd = result = eddy__sys_openat (parent, self->folder->name, DOOMED_FLAGS, 0);
    if (result >= 0)
        result = eddy__sys_fstatx (self->fd, STATX_INO, &info);
    if (result >= 0) {
        self->identity = eddy__tree_identity (&info);
        self->waits = self->folder->root != NULL && !eddy__file_is_in_memory (self->fd);
        return true;
    }
    self->is_full = doomed_is_full (result);
    if (doomed_is_error (parent))
        doomed_fail (self, NULL, result);
    else
        doomed_judge_open (self, parent, result);
    return false;
}

void eddy__tree_doomed_read (EddyTreeJob *job, EddyCancellable *cancellable)
{
    EddyTreeDoomedJob *self = (EddyTreeDoomedJob *) job;
    if (!doomed_open (self))
        return;
    int result = doomed_remove_files (self, cancellable);
    if (result < 0)
        doomed_fail (self, NULL, result);
    /* Most folders hold no others, and are removed by the job that has emptied them. */
    if (self->may_finish && self->found == NULL && self->failures == NULL && self->n_lost == 0 &&
        !self->has_more && !self->is_cancelled)
        doomed_remove (self);
}

void eddy__tree_doomed_finish (EddyTreeJob *job, EddyCancellable *cancellable)
{
    (void) cancellable;
    doomed_remove ((EddyTreeDoomedJob *) job);
}

/* --- roots ------------------------------------------------------------------------------------ */

void eddy__tree_doomed_begin (EddyTreeJob *job, EddyCancellable *cancellable)
{
    EddyTreeDoomedJob *self = (EddyTreeDoomedJob *) job;
    EddyTreeDoomedRoot *root = self->root;
    (void) cancellable;
    int result = eddy__file_at (root->file, &root->at);
    /* By the name as it was given: with a slash behind it, a file or a link is none. */
    if (result == 0)
        result = doomed_unlink (root->at.fd, root->at.name, /* may_be_folder= */ true);
    if (result == 1)
        return;
    self->is_gone = true;
    self->n_found = 1;
    self->n_removed = result == 0;
    self->n_passed_over = result == -ENOENT && self->passes_over;
    self->n_failed = 1 - self->n_removed - self->n_passed_over;
    if (self->n_failed > 0)
        doomed_fail (self, NULL, result);
}
