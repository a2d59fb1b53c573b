/* SPDX-License-Identifier: MIT */
/* Where a copy goes: the folder that it will lie in, and all above that. None of them is copied
 * into it, or the copy would never end. They are known by device and inode, so that no symbolic
 * link or bind mount hides that a folder is the same. */
#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "file/at-private.h"
#include "file/tree-copy-private.h"
#include "sys/file-private.h"

enum { INTO_FLAGS = O_PATH | O_DIRECTORY };

typedef struct IntoJob {
    EddyTreeJob job;
    EddyTreeInto *into;
    const EddyFile *destination;
    bool is_slash_behind; /* the destination itself may be a link to the folder */
    bool is_out_of_memory;
} IntoJob;

/* Notes the folder at an fd; false when it is the root, which was noted, or cannot be looked at. */
static bool into_note (IntoJob *self, int fd)
{
    EddyTreeInto *into = self->into;
    struct statx info;
    if (eddy__sys_fstatx (fd, STATX_INO, &info) < 0)
        return false;
    EddyTreeIdentity identity = eddy__tree_identity (&info);
    const EddyTreeIdentity *last =
        into->n_ancestors > 0 ? &into->ancestors[into->n_ancestors - 1] : NULL;
    if (last != NULL && eddy__tree_is_same (*last, identity))
        return false;
    EddyTreeIdentity *grown =
        eddy__realloc (into->ancestors, (into->n_ancestors + 1) * sizeof identity);
    if (grown == NULL) {
        self->is_out_of_memory = true;
        return false;
    }
    into->ancestors = grown;
    grown[into->n_ancestors++] = identity;
    return true;
}

/* The folder that the destination is in; an fd or -errno. */
static int into_open_parent (const EddyFile *destination)
{
    EddyFileAt at;
    int fd = eddy__file_at (destination, &at);
    if (fd == 0) {
        char *folder = eddy__file_folder_part (at.name);
        fd = folder == NULL ? -ENOMEM : eddy__sys_openat (at.fd, folder, INTO_FLAGS, 0);
        eddy__free (folder);
    }
    eddy__file_at_end (&at);
    return fd;
}

static void into_run (EddyTreeJob *job, EddyCancellable *cancellable)
{
    IntoJob *self = (IntoJob *) job;
    int fd = -1;
    (void) cancellable;
    if (self->is_slash_behind)
        fd = eddy__file_open (self->destination, INTO_FLAGS, 0);
    if (fd < 0)
        fd = into_open_parent (self->destination);
    self->is_out_of_memory = fd == -ENOMEM;
    while (fd >= 0 && into_note (self, fd)) {
        int parent = eddy__sys_openat (fd, "..", INTO_FLAGS, 0);
        eddy__sys_close (fd);
        fd = parent;
    }
    if (fd >= 0)
        eddy__sys_close (fd);
}

static EddyTreeInto *into_new (const char *path, size_t length)
{
    EddyTreeInto *into = eddy__alloc (sizeof *into + length + 1);
    if (into == NULL)
        return NULL;
    *into = (EddyTreeInto){ .path_length = length };
    memcpy (into->path, path, length);
    into->path[length] = '\0';
    return into;
}

static void into_free (EddyTreeInto *into)
{
    if (into != NULL)
        eddy__free (into->ancestors);
    eddy__free (into);
}

const EddyTreeInto *eddy__tree_into_get (EddyTreeCopy *copy, EddyFile *destination,
                                         EddyError **error)
{
    const char *path = eddy_file_get_path (destination);
    size_t length;
    const char *name = eddy__file_last_part (path, &length);
    bool is_slash_behind = name[length] == '/';
    length = is_slash_behind ? strlen (path) : (size_t) (name - path);
    /* Mostly all roots go into one folder. */
    if (copy->into != NULL && copy->into->path_length == length &&
        memcmp (copy->into->path, path, length) == 0)
        return copy->into;
    IntoJob self = { .job.run = into_run,
                     .into = into_new (path, length),
                     .destination = destination,
                     .is_slash_behind = is_slash_behind };
    bool done = self.into != NULL && eddy__tree_run_job (&copy->work, &self.job, error);
    if (self.into == NULL || self.is_out_of_memory)
        eddy_error_set_errno (error, ENOMEM, "%s", path);
    if (!done || self.is_out_of_memory) {
        into_free (self.into);
        return NULL;
    }
    self.into->next = copy->into;
    copy->into = self.into;
    return copy->into;
}

bool eddy__tree_into_is_within (const EddyTreeInto *into, const EddyFileInfo *folder)
{
    EddyTreeIdentity identity = eddy__tree_identity_of (folder);
    for (size_t i = 0; i < into->n_ancestors; i++)
        if (eddy__tree_is_same (into->ancestors[i], identity))
            return true;
    return false;
}

void eddy__tree_into_clear (EddyTreeCopy *copy)
{
    while (copy->into != NULL) {
        EddyTreeInto *into = copy->into;
        copy->into = into->next;
        into_free (into);
    }
}
