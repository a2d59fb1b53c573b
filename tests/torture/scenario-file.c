/* SPDX-License-Identifier: MIT */
/*
 * Files, blocking and awaited: load, copy, replace, list, make, delete.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "torture.h"

enum { SMALL = 5000, LARGER = 300000 };

static EddyFile *file_make (const char *path)
{
    return torture_made ("a file", eddy_file_new_for_path (path));
}

/* ---- Load ---------------------------------------------------------------------------------- */

typedef struct Load {
    const char *path;
    EddyBytes *bytes;
} Load;

static void load_step (void *data)
{
    Load *load = data;
    EddyError *error = NULL;
    EddyFile *file = file_make (load->path);
    if (file == NULL)
        return;
    load->bytes = eddy_file_load_contents (file, NULL, &error);
    if (load->bytes == NULL)
        torture_error ("load", &error);
    eddy_unref (file);
}

static void load_verify (Load *load)
{
    if (load->bytes != NULL) {
        const char *data = eddy_bytes_get_data (load->bytes);
        torture_require (eddy_bytes_get_size (load->bytes) == LARGER);
        for (size_t i = 0; i < LARGER; i++)
            torture_require (data[i] == torture_byte (i));
        eddy_unref (load->bytes);
    } else {
        torture_require (torture_has_failed ());
    }
}

TORTURE_SCENARIO (file_load)
{
    Load load = { torture_make_file ("file", LARGER), NULL };
    torture_begin ();
    load_step (&load);
    torture_end ();
    load_verify (&load);
}

TORTURE_SCENARIO (file_load_awaited)
{
    Load load = { torture_make_file ("file", LARGER), NULL };
    torture_begin ();
    torture_await (load_step, &load);
    torture_end ();
    load_verify (&load);
}

/* ---- Copy ---------------------------------------------------------------------------------- */

typedef struct Copy {
    const char *from;
    const char *to;
    EddyFileCopyFlags flags;
    bool is_done;
    int64_t told;
} Copy;

static void copy_progress (int64_t current, int64_t total, void *data)
{
    Copy *copy = data;
    torture_require (current >= copy->told && total >= current);
    copy->told = current;
}

static void copy_step (void *data)
{
    Copy *copy = data;
    EddyError *error = NULL;
    EddyFile *from = file_make (copy->from), *to = file_make (copy->to);
    if (from != NULL && to != NULL) {
        copy->is_done = eddy_file_copy (from, to, copy->flags, NULL, copy_progress, copy, &error);
        if (!copy->is_done)
            torture_error ("copy", &error);
    }
    eddy_unref (from);
    eddy_unref (to);
}

/* A new file is there whole or not at all. */
static void copy_verify_new (const Copy *copy, size_t size)
{
    if (copy->is_done) {
        torture_require (torture_file_is_whole (copy->to, size));
        torture_require (copy->told == (int64_t) size);
    } else {
        torture_require (torture_has_failed ());
        torture_require (!torture_exists (copy->to) || torture_cannot_remove ());
    }
    torture_require (torture_file_is_whole (copy->from, size));
}

TORTURE_SCENARIO (file_copy)
{
    Copy copy = { .from = torture_make_file ("from", LARGER), .to = torture_path ("to") };
    torture_begin ();
    copy_step (&copy);
    torture_end ();
    copy_verify_new (&copy, LARGER);
}

TORTURE_SCENARIO (file_copy_awaited)
{
    Copy copy = { .from = torture_make_file ("from", SMALL), .to = torture_path ("to") };
    torture_begin ();
    torture_await (copy_step, &copy);
    torture_end ();
    copy_verify_new (&copy, SMALL);
}

TORTURE_SCENARIO (file_copy_all_metadata)
{
    struct stat from, to;
    const struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };
    Copy copy = { .from = torture_make_file ("from", SMALL),
                  .to = torture_path ("to"),
                  .flags = EDDY_FILE_COPY_ALL_METADATA };
    torture_require (chmod (copy.from, 0640) == 0);
    torture_require (utimensat (AT_FDCWD, copy.from, times, 0) == 0);
    torture_begin ();
    copy_step (&copy);
    torture_end ();
    copy_verify_new (&copy, SMALL);
    if (!copy.is_done)
        return;
    torture_require (stat (copy.from, &from) == 0 && stat (copy.to, &to) == 0);
    torture_require (to.st_mode == from.st_mode);
    torture_require (to.st_mtim.tv_sec == 2000 && to.st_mtim.tv_nsec == 7);
}

/* What is replaced is the old file or the new one, whole. */
TORTURE_SCENARIO (file_copy_over)
{
    Copy copy = { .from = torture_make_file ("from", LARGER),
                  .to = torture_make_file ("to", SMALL),
                  .flags = EDDY_FILE_COPY_OVERWRITE };
    torture_begin ();
    copy_step (&copy);
    torture_end ();
    if (copy.is_done)
        torture_require (torture_file_is_whole (copy.to, LARGER));
    else
        torture_require (torture_file_is_whole (copy.to, SMALL) ||
                         torture_file_is_whole (copy.to, LARGER));
}

TORTURE_SCENARIO (file_copy_link)
{
    char target[16] = "";
    Copy copy = { .from = torture_path ("from"),
                  .to = torture_path ("to"),
                  .flags = EDDY_FILE_COPY_NOFOLLOW_SYMLINKS };
    torture_require (symlink ("elsewhere", copy.from) == 0);
    torture_begin ();
    copy_step (&copy);
    torture_end ();
    if (copy.is_done)
        torture_require (readlink (copy.to, target, sizeof target) == 9 &&
                         memcmp (target, "elsewhere", 9) == 0);
    else
        torture_require (!torture_exists (copy.to) || torture_cannot_remove ());
}

TORTURE_SCENARIO (file_copy_fifo)
{
    struct stat status;
    Copy copy = { .from = torture_path ("from"), .to = torture_path ("to") };
    torture_require (mkfifo (copy.from, 0600) == 0);
    torture_begin ();
    copy_step (&copy);
    torture_end ();
    if (copy.is_done)
        torture_require (stat (copy.to, &status) == 0 && S_ISFIFO (status.st_mode));
    else
        torture_require (!torture_exists (copy.to) || torture_cannot_remove ());
}

TORTURE_SCENARIO (file_copy_holes)
{
    const char *path = torture_make_file ("from", SMALL);
    Copy copy = { .from = path, .to = torture_path ("to") };
    struct stat status;
    torture_require (truncate (path, 1 << 20) == 0);
    torture_begin ();
    copy_step (&copy);
    torture_end ();
    if (copy.is_done) {
        torture_require (stat (copy.to, &status) == 0 && status.st_size == 1 << 20);
        torture_require (truncate (copy.to, SMALL) == 0);
        torture_require (torture_file_is_whole (copy.to, SMALL));
    } else {
        torture_require (!torture_exists (copy.to) || torture_cannot_remove ());
    }
}

/* ---- Folders and names --------------------------------------------------------------------- */

static EddyFileInfoList *list_folder (EddyFile *folder)
{
    EddyError *error = NULL;
    EddyFileInfoList *list = eddy_file_list_children (folder, NULL, &error);
    if (list == NULL)
        torture_error ("list", &error);
    return list;
}

TORTURE_SCENARIO (file_list)
{
    const char *path = torture_path (".");
    char name[16];
    for (int i = 0; i < 5; i++) {
        snprintf (name, sizeof name, "file-%d", i);
        torture_make_file (name, (size_t) i * 100);
    }
    torture_begin ();
    EddyFile *folder = file_make (path);
    EddyFileInfoList *list = folder == NULL ? NULL : list_folder (folder);
    torture_end ();
    if (list != NULL) {
        torture_require (eddy_file_info_list_get_length (list) == 5);
        for (size_t i = 0; i < 5; i++) {
            const EddyFileInfo *info = eddy_file_info_list_get (list, i);
            long number = strtol (eddy_file_info_get_name (info) + 5, NULL, 10);
            torture_require (eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_REGULAR);
            torture_require (eddy_file_info_get_size (info) == number * 100 ||
                             torture_has_failed () || torture_was_hit ());
        }
    } else {
        torture_require (torture_has_failed ());
    }
    eddy_unref (list);
    eddy_unref (folder);
}

TORTURE_SCENARIO (file_query)
{
    EddyError *error = NULL;
    const char *path = torture_make_file ("file", SMALL);
    torture_begin ();
    EddyFile *file = file_make (path);
    EddyFileInfo *info =
        file == NULL ? NULL : eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NONE, NULL, &error);
    if (file != NULL && info == NULL)
        torture_error ("query", &error);
    torture_end ();
    if (info != NULL) {
        torture_require (eddy_file_info_get_size (info) == SMALL);
        torture_require (strcmp (eddy_file_info_get_name (info), "file") == 0);
    }
    eddy_unref (info);
    eddy_unref (file);
}

/* Makes a name by one operation after the other, and takes each away again. */
static void names_step (void *data)
{
    const char *path = data;
    EddyError *error = NULL;
    EddyFile *folder = file_make (path);
    EddyFile *link = folder == NULL ? NULL : eddy_file_get_child (folder, "link");
    EddyFile *hard = folder == NULL ? NULL : eddy_file_get_child (folder, "hard");
    if (link == NULL || hard == NULL) {
        torture_refused ("a child");
        goto out;
    }
    if (!eddy_file_make_directory (folder, NULL, &error)) {
        torture_error ("make directory", &error);
        goto out;
    }
    if (!eddy_file_make_symbolic_link (link, "to", NULL, &error)) {
        torture_error ("make link", &error);
        goto out;
    }
    if (!eddy_file_make_hard_link (link, hard, NULL, &error))
        torture_error ("make hard link", &error);
    else if (!torture_exists (eddy_file_get_path (hard)))
        torture_fail ("a hard link was made and is not there");
    else if (!eddy_file_delete (hard, NULL, &error))
        torture_error ("delete hard link", &error);
    if (!eddy_file_delete (link, NULL, &error))
        torture_error ("delete link", &error);
    else if (torture_exists (eddy_file_get_path (link)))
        torture_fail ("a link was deleted and is there");
out:
    eddy_unref (folder);
    eddy_unref (link);
    eddy_unref (hard);
}

TORTURE_SCENARIO (file_names)
{
    const char *path = torture_path ("folder");
    torture_begin ();
    names_step ((void *) (uintptr_t) path);
    torture_end ();
    torture_require (torture_has_failed () || rmdir (path) == 0);
}

TORTURE_SCENARIO (file_names_awaited)
{
    const char *path = torture_path ("folder");
    torture_begin ();
    torture_await (names_step, (void *) (uintptr_t) path);
    torture_end ();
    torture_require (torture_has_failed () || rmdir (path) == 0);
}
