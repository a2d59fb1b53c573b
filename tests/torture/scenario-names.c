/* SPDX-License-Identifier: MIT */
/*
 * Names, blocking and awaited: folders with parents, moves, attributes, folders read some files at
 * a time, measured trees, beginnings of files.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "torture.h"

enum { SMALL = 5000, LARGER = 300000, N_FILES = 9 };

static EddyFile *file_make (const char *path)
{
    return torture_made ("a file", eddy_file_new_for_path (path));
}

/* ---- Folders with parents, a move, attributes ------------------------------------------------ */

typedef struct Names {
    const char *folder;
    const char *from;
    const char *to; /* in the folder */
    bool has_folder;
    bool is_moved;
    bool is_set;
} Names;

static void names_set_mode (Names *names, EddyFile *file)
{
    EddyError *error = NULL;
    EddyFileInfo *info = torture_made ("an info", eddy_file_info_new ());
    if (info == NULL)
        return;
    eddy_file_info_set_mode (info, 0604);
    eddy_file_info_set_modification_time_ns (info, 5);
    names->is_set = eddy_file_set_attributes (file, info, 0, NULL, &error);
    if (!names->is_set)
        torture_error ("set attributes", &error);
    eddy_unref (info);
}

static void names_step (void *data)
{
    Names *names = data;
    EddyError *error = NULL;
    EddyFile *folder = file_make (names->folder);
    EddyFile *from = file_make (names->from), *to = file_make (names->to);
    if (folder != NULL && from != NULL && to != NULL) {
        names->has_folder = eddy_file_make_directory_with_parents (folder, NULL, &error);
        if (!names->has_folder)
            torture_error ("make folders", &error);
        else if (!(names->is_moved = eddy_file_move (from, to, 0, NULL, NULL, NULL, &error)))
            torture_error ("move", &error);
        else
            names_set_mode (names, to);
    }
    eddy_unref (folder);
    eddy_unref (from);
    eddy_unref (to);
}

static void names_verify (const Names *names)
{
    struct stat status;
    if (names->has_folder)
        torture_require (torture_exists (names->folder));
    torture_require (torture_file_is_whole (names->is_moved ? names->to : names->from, SMALL));
    torture_require (!torture_exists (names->is_moved ? names->from : names->to));
    if (names->is_set)
        torture_require (stat (names->to, &status) == 0 && (status.st_mode & 07777) == 0604 &&
                         status.st_mtim.tv_nsec == 5);
    else
        torture_require (torture_has_failed ());
}

static Names names_begin (void)
{
    return (Names){ .folder = torture_path ("a/b/c"),
                    .from = torture_make_file ("from", SMALL),
                    .to = torture_path ("a/b/c/to") };
}

TORTURE_SCENARIO (names_move)
{
    Names names = names_begin ();
    torture_begin ();
    names_step (&names);
    torture_end ();
    names_verify (&names);
}

TORTURE_SCENARIO (names_move_awaited)
{
    Names names = names_begin ();
    torture_begin ();
    torture_await (names_step, &names);
    torture_end ();
    names_verify (&names);
}

/* ---- Folders, some files at a time ----------------------------------------------------------- */

typedef struct Reading {
    const char *path;
    size_t n_files;
    bool has_ended;
} Reading;

static void reading_make_files (void)
{
    char name[16];
    for (int i = 0; i < N_FILES; i++) {
        snprintf (name, sizeof name, "file-%d", i);
        torture_make_file (name, 10);
    }
}

static void reading_read (Reading *reading, EddyFileEnumerator *enumerator)
{
    EddyError *error = NULL;
    for (;;) {
        EddyFileInfoList *list = eddy_file_enumerator_next_files (enumerator, 4, NULL, &error);
        if (list == NULL) {
            torture_error ("next files", &error);
            return;
        }
        size_t length = eddy_file_info_list_get_length (list);
        reading->n_files += length;
        eddy_unref (list);
        if (length == 0)
            break;
    }
    reading->has_ended = true;
    if (!eddy_file_enumerator_close (enumerator, NULL, &error))
        torture_error ("close", &error);
}

static void reading_step (void *data)
{
    Reading *reading = data;
    EddyError *error = NULL;
    EddyFile *folder = file_make (reading->path);
    if (folder == NULL)
        return;
    EddyFileEnumerator *enumerator = eddy_file_enumerate_children (folder, 0, NULL, &error);
    if (enumerator == NULL)
        torture_error ("enumerate", &error);
    else
        reading_read (reading, enumerator);
    eddy_unref (enumerator);
    eddy_unref (folder);
}

static void reading_verify (const Reading *reading)
{
    torture_require (reading->n_files <= N_FILES);
    if (reading->has_ended)
        torture_require (reading->n_files == N_FILES || torture_was_hit ());
    else
        torture_require (torture_has_failed ());
}

TORTURE_SCENARIO (names_enumerate)
{
    Reading reading = { .path = torture_path (".") };
    reading_make_files ();
    torture_begin ();
    reading_step (&reading);
    torture_end ();
    reading_verify (&reading);
}

TORTURE_SCENARIO (names_enumerate_awaited)
{
    Reading reading = { .path = torture_path (".") };
    reading_make_files ();
    torture_begin ();
    torture_await (reading_step, &reading);
    torture_end ();
    reading_verify (&reading);
}

/* ---- Measuring ------------------------------------------------------------------------------- */

typedef struct Measuring {
    const char *path;
    uint64_t usage;
    uint64_t dirs;
    uint64_t files;
    bool is_done;
} Measuring;

static void measuring_step (void *data)
{
    Measuring *measuring = data;
    EddyError *error = NULL;
    EddyFile *folder = file_make (measuring->path);
    if (folder == NULL)
        return;
    EddyFileMeasureFlags flags =
        EDDY_FILE_MEASURE_REPORT_ANY_ERROR | EDDY_FILE_MEASURE_APPARENT_SIZE;
    measuring->is_done =
        eddy_file_measure_disk_usage (folder, flags, NULL, NULL, NULL, &measuring->usage,
                                      &measuring->dirs, &measuring->files, &error);
    if (!measuring->is_done)
        torture_error ("measure", &error);
    eddy_unref (folder);
}

static void measuring_run (bool awaited)
{
    Measuring measuring = { .path = torture_path (".") };
    torture_require (mkdir (torture_path ("one"), 0700) == 0);
    torture_require (mkdir (torture_path ("two"), 0700) == 0);
    reading_make_files ();
    torture_begin ();
    if (awaited)
        torture_await (measuring_step, &measuring);
    else
        measuring_step (&measuring);
    torture_end ();
    torture_require (measuring.dirs <= 3 && measuring.files <= N_FILES);
    if (measuring.is_done)
        torture_require ((measuring.dirs == 3 && measuring.files == N_FILES &&
                          measuring.usage >= (uint64_t) N_FILES * 10) ||
                         torture_was_hit ());
    else
        torture_require (torture_has_failed ());
}

TORTURE_SCENARIO (names_measure)
{
    measuring_run (/* awaited= */ false);
}

TORTURE_SCENARIO (names_measure_awaited)
{
    measuring_run (/* awaited= */ true);
}

/* ---- Beginnings, and file systems ------------------------------------------------------------ */

typedef struct Beginning {
    const char *path;
    EddyBytes *bytes;
} Beginning;

static bool beginning_goes_on (const char *file_contents, int64_t file_size, void *callback_data)
{
    (void) callback_data;
    torture_require (file_contents[file_size - 1] == torture_byte ((size_t) file_size - 1));
    return file_size < LARGER / 2;
}

static void beginning_step (void *data)
{
    Beginning *beginning = data;
    EddyError *error = NULL;
    EddyFile *file = file_make (beginning->path);
    if (file == NULL)
        return;
    beginning->bytes =
        eddy_file_load_partial_contents (file, NULL, beginning_goes_on, NULL, &error);
    if (beginning->bytes == NULL)
        torture_error ("load", &error);
    EddyFilesystemInfo *info = eddy_file_query_filesystem_info (file, NULL, &error);
    if (info == NULL)
        torture_error ("file system", &error);
    else
        torture_require (eddy_filesystem_info_get_size (info) > 0);
    eddy_unref (info);
    eddy_unref (file);
}

TORTURE_SCENARIO (names_load_partial_awaited)
{
    Beginning beginning = { torture_make_file ("file", LARGER), NULL };
    torture_begin ();
    torture_await (beginning_step, &beginning);
    torture_end ();
    if (beginning.bytes == NULL) {
        torture_require (torture_has_failed ());
        return;
    }
    size_t size = eddy_bytes_get_size (beginning.bytes);
    const char *data = eddy_bytes_get_data (beginning.bytes);
    torture_require (size >= LARGER / 2 && size < LARGER);
    for (size_t i = 0; i < size; i++)
        torture_require (data[i] == torture_byte (i));
    eddy_unref (beginning.bytes);
}
