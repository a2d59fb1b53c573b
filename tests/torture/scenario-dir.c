/* SPDX-License-Identifier: MIT */
/*
 * Open folders: their files loaded, asked, copied, made and removed, with names that are looked up
 * by the kernel and part by part.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/at-private.h"
#include "sys/file-private.h"
#include "torture.h"

enum { SIZE = 3000 };

/* The folder of the scenario, with "file", "a/link" to it, and the folder "a/b". */
static const char *tree_make (void)
{
    torture_make_file ("file", SIZE);
    torture_require (mkdir (torture_path ("a"), 0700) == 0);
    torture_require (mkdir (torture_path ("a/b"), 0700) == 0);
    torture_require (symlink ("../file", torture_path ("a/link")) == 0);
    return torture_path (".");
}

static EddyDir *dir_open (const char *path)
{
    EddyError *error = NULL;
    EddyFile *folder = torture_made ("a file", eddy_file_new_for_path (path));
    EddyDir *dir = folder == NULL ? NULL : eddy_dir_open (folder, NULL, &error);
    if (folder != NULL && dir == NULL)
        torture_error ("open the folder", &error);
    eddy_unref (folder);
    return dir;
}

/* ---- Load and ask ---------------------------------------------------------------------------- */

typedef struct Load {
    const char *path;
    EddyBytes *bytes;
    EddyFileInfo *info;
} Load;

static void load_step (void *data)
{
    Load *load = data;
    EddyError *error = NULL;
    EddyDir *dir = dir_open (load->path);
    EddyFile *file =
        dir == NULL ? NULL : torture_made ("a file", eddy_dir_get_file (dir, "a/b/../link"));
    eddy_unref (dir);
    if (file == NULL)
        return;
    load->bytes = eddy_file_load_contents (file, NULL, &error);
    if (load->bytes == NULL)
        torture_error ("load", &error);
    load->info = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, &error);
    if (load->info == NULL)
        torture_error ("query", &error);
    eddy_unref (file);
}

static void load_verify (Load *load)
{
    if (load->bytes != NULL) {
        torture_require (eddy_bytes_get_size (load->bytes) == SIZE);
        torture_require (*(const char *) eddy_bytes_get_data (load->bytes) == torture_byte (0));
    }
    if (load->info != NULL)
        torture_require (eddy_file_info_get_file_type (load->info) == EDDY_FILE_TYPE_SYMBOLIC_LINK);
    torture_require ((load->bytes != NULL && load->info != NULL) || torture_has_failed ());
    eddy_unref (load->bytes);
    eddy_unref (load->info);
}

TORTURE_SCENARIO (dir_load)
{
    Load load = { tree_make (), NULL, NULL };
    torture_begin ();
    load_step (&load);
    torture_end ();
    load_verify (&load);
}

TORTURE_SCENARIO (dir_load_awaited)
{
    Load load = { tree_make (), NULL, NULL };
    torture_begin ();
    torture_await (load_step, &load);
    torture_end ();
    load_verify (&load);
}

/* ---- Names and copies ------------------------------------------------------------------------ */

static void told (const char *what, bool is_done, EddyError **error)
{
    if (!is_done)
        torture_error (what, error);
}

static void change_step (void *data)
{
    EddyError *error = NULL;
    EddyDir *dir = dir_open (data);
    EddyFile *from = dir == NULL ? NULL : torture_made ("a", eddy_dir_get_file (dir, "a/link"));
    EddyFile *to = dir == NULL ? NULL : torture_made ("a", eddy_dir_get_file (dir, "a/b/to"));
    EddyFile *made = dir == NULL ? NULL : torture_made ("a", eddy_dir_get_file (dir, "a/made"));
    eddy_unref (dir);
    if (from != NULL && to != NULL && made != NULL) {
        told ("copy", eddy_file_copy (from, to, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, &error),
              &error);
        told ("copy a link",
              eddy_file_copy (from, to,
                              EDDY_FILE_COPY_OVERWRITE | EDDY_FILE_COPY_ALL_METADATA |
                                  EDDY_FILE_COPY_NOFOLLOW_SYMLINKS,
                              NULL, NULL, NULL, &error),
              &error);
        bool is_made = eddy_file_make_directory (made, NULL, &error);
        told ("make", is_made, &error);
        if (is_made)
            told ("attributes",
                  eddy_file_copy_attributes (from, made, EDDY_FILE_COPY_ALL_METADATA, NULL, &error),
                  &error);
    }
    eddy_unref (from);
    eddy_unref (to);
    eddy_unref (made);
}

static void change_verify (void)
{
    char target[16];
    if (!torture_has_failed ()) {
        torture_require (readlink (torture_path ("a/b/to"), target, sizeof target) == 7);
        torture_require (torture_exists (torture_path ("a/made")));
    }
    torture_require (!torture_exists (torture_path ("a/b/.to.eddy~")) || torture_cannot_remove ());
    torture_require (torture_file_is_whole (torture_path ("file"), SIZE));
}

TORTURE_SCENARIO (dir_change)
{
    const char *path = tree_make ();
    torture_begin ();
    change_step ((void *) (uintptr_t) path);
    torture_end ();
    change_verify ();
}

TORTURE_SCENARIO (dir_change_awaited)
{
    const char *path = tree_make ();
    torture_begin ();
    torture_await (change_step, (void *) (uintptr_t) path);
    torture_end ();
    change_verify ();
}

/* ---- Part by part ---------------------------------------------------------------------------- */

static void walk (int root, const char *name, int flags)
{
    EddyError *error = NULL;
    int fd = eddy__beneath_walk (root, name, flags, 0600);
    if (fd < 0) {
        eddy_error_set_errno (&error, -fd, "%s", name);
        torture_error ("walk", &error);
        return;
    }
    eddy__sys_close (fd);
}

TORTURE_SCENARIO (dir_walk)
{
    int root = open (tree_make (), O_PATH | O_CLOEXEC);
    torture_require (root >= 0);
    torture_begin ();
    walk (root, "a/b/../link", O_RDONLY);
    walk (root, "a/link", O_PATH);
    walk (root, "a/b/..", O_RDONLY | O_DIRECTORY);
    walk (root, "a/b/new", O_WRONLY | O_CREAT | O_EXCL);
    torture_end ();
    close (root);
    torture_require (torture_exists (torture_path ("a/b/new")) || torture_has_failed ());
}
