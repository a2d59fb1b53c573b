/* SPDX-License-Identifier: MIT */
/*
 * What a process leaves that is killed while it saves, copies and appends: the old file or the new
 * one, whole; everything that it was told to be done; and after the next start nothing else.
 */
#include <eddy/eddy.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kill.h"
#include "test.h"

enum {
    FULL = 300,
    REDUCED = 40,
    TIMEOUT = 900,
    CONTENTS_MOST = 400000, /* more than is written at once, some of the time */
    RECORD_SIZE = 128,      /* parts a page, so that none lies on the border of two */
    LARGE_SIZE = 30000,
    APPENDS = 64 /* records of one opening */
};

static void must (bool is_done, EddyError *error, const char *what)
{
    if (is_done)
        return;
    fprintf (stderr, "%s: %s\n", what, error == NULL ? "?" : eddy_error_get_message (error));
    abort ();
}

/* Not eddy_test_path(): Check's functions write to a pipe, into which no half message of somebody
 * who is killed may come. */
static const char *path_of (const char *name)
{
    static char paths[4][4096], *folder;
    static int next;
    if (folder == NULL)
        folder = strdup (eddy_test_directory ());
    next = (next + 1) % 4;
    snprintf (paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

/* ---- Contents that tell which step made them ------------------------------------------------- */

static char contents[CONTENTS_MOST], found[CONTENTS_MOST + 1];

static size_t contents_size (uint64_t step)
{
    return 16 +
           (step * 7919 * (step % 5 == 0 ? 50 : 1)) % (step % 5 == 0 ? CONTENTS_MOST - 16 : 9000);
}

static void contents_fill (char *buffer, size_t size, uint64_t step)
{
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word = (step << 24) ^ i;
        memcpy (buffer + i, &word, 8);
    }
    memset (buffer + size / 8 * 8, (int) (step % 251), size % 8);
}

/* The bytes of a file in `found`, or -1 where there is none. */
static ssize_t contents_read (const char *name)
{
    size_t length = 0;
    ssize_t count;
    int fd = open (path_of (name), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        ck_assert_int_eq (errno, ENOENT);
        return -1;
    }
    while ((count = read (fd, found + length, sizeof found - length)) > 0)
        length += (size_t) count;
    ck_assert_int_eq (count, 0);
    close (fd);
    return (ssize_t) length;
}

/* Whether a file is, whole, what this step makes. */
static bool contents_are_of (ssize_t length, uint64_t step)
{
    size_t size = contents_size (step);
    contents_fill (contents, size, step);
    return length == (ssize_t) size && memcmp (found, contents, size) == 0;
}

static void contents_check (const char *name, uint64_t from, uint64_t to)
{
    ssize_t length = contents_read (name);
    for (uint64_t step = from; step <= to; step++)
        if (contents_are_of (length, step))
            return;
    ck_abort_msg ("%s: its %zd bytes are of no step from %lu to %lu", name, length,
                  (unsigned long) from, (unsigned long) to);
}

static EddyFile *file_of (const char *name)
{
    return eddy_file_new_for_path (path_of (name));
}

/* ---- Saving ---------------------------------------------------------------------------------- */

static void save_step (uint64_t step)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = file_of ("file");
    size_t size = contents_size (step);
    contents_fill (contents, size, step);
    must (eddy_file_replace_contents (file, contents, size, NULL, /* make_backup= */ true,
                                      EDDY_FILE_CREATE_NONE, NULL, NULL, &error),
          error, "save");
}

/* The backup is of the step before, or already of the file itself. Before a next start that step
 * may have been killed; then it is of one more before. */
static void save_check (uint64_t ended, uint64_t begun)
{
    uint64_t before = begun == ended ? 2 : 1;
    contents_check ("file", ended, begun);
    if (ended > before)
        contents_check ("file~", ended - before, begun);
}

static int save_next (uint64_t step)
{
    save_step (step);
    return step > 1 ? 2 : 1;
}

EDDY_TEST_TIMEOUT (crash_while_saving, TIMEOUT)
{
    const KillWork work = { "saving", save_step, save_check, save_next };
    save_step (1);
    kill_again_and_again (&work, FULL, REDUCED);
}

/* ---- Copying --------------------------------------------------------------------------------- */

enum { N_SOURCES = 10 };

static void copy_name (char name[16], uint64_t step)
{
    snprintf (name, 16, "source-%d", (int) (step % N_SOURCES));
}

static void copy_make_sources (void)
{
    for (uint64_t i = 0; i < N_SOURCES; i++) {
        char name[16];
        copy_name (name, i);
        int fd = open (path_of (name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        contents_fill (contents, contents_size (i), i);
        ck_assert_int_eq (write (fd, contents, contents_size (i)), (ssize_t) contents_size (i));
        close (fd);
    }
}

/* Over a file, and then to a name that is free. */
static void copy_step (uint64_t step)
{
    char name[16];
    EddyError *error = NULL;
    copy_name (name, step);
    EDDY_AUTO (EddyFile) source = file_of (name);
    EDDY_AUTO (EddyFile) over = file_of ("over");
    EDDY_AUTO (EddyFile) fresh = file_of ("fresh");
    must (eddy_file_copy (source, over, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &error), error,
          "copy over a file");
    if (unlink (path_of ("fresh")) != 0 && errno != ENOENT)
        abort ();
    must (eddy_file_copy (source, fresh, EDDY_FILE_COPY_NONE, NULL, NULL, NULL, &error), error,
          "copy to a new file");
}

static void copy_check (uint64_t ended, uint64_t begun)
{
    bool is_whole = false;
    ssize_t length = contents_read ("over");
    for (uint64_t step = ended; step <= begun; step++)
        is_whole = is_whole || contents_are_of (length, step % N_SOURCES);
    ck_assert_msg (is_whole, "over: %zd bytes, between steps %lu and %lu", length,
                   (unsigned long) ended, (unsigned long) begun);
    length = contents_read ("fresh");
    is_whole = length < 0 && begun > ended;
    for (uint64_t step = ended; step <= begun; step++)
        is_whole = is_whole || contents_are_of (length, step % N_SOURCES);
    ck_assert_msg (is_whole, "fresh: %zd bytes, between steps %lu and %lu", length,
                   (unsigned long) ended, (unsigned long) begun);
}

static int copy_next (uint64_t step)
{
    copy_step (step);
    return N_SOURCES + 2;
}

EDDY_TEST_TIMEOUT (crash_while_copying, TIMEOUT)
{
    const KillWork work = { "copying", copy_step, copy_check, copy_next };
    copy_make_sources ();
    copy_step (0);
    kill_again_and_again (&work, FULL, REDUCED);
}

/* ---- Appending ------------------------------------------------------------------------------- */

/* The log is begun anew now and then, lest it grows for ever; `appended_before` records are none of
 * its. The killer's alone. */
static uint64_t appended_before;

static EddyFileOutputStream *append_stream;
static int append_pid, append_count;

static EddyFileOutputStream *append_open (const char *name)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = file_of (name);
    EddyFileOutputStream *stream = eddy_file_append_to (file, EDDY_FILE_CREATE_NONE, NULL, &error);
    must (stream != NULL, error, "append_to");
    return stream;
}

static void append_close (EddyFileOutputStream *stream)
{
    EddyError *error = NULL;
    must (eddy_output_stream_close (EDDY_OUTPUT_STREAM (stream), NULL, &error), error, "close");
    eddy_unref (stream);
}

/* One record by a stream that was opened some records ago, or is opened now; a child never uses the
 * one that its parent had. */
static void append_record (const char *name, size_t size, uint64_t step)
{
    EddyError *error = NULL;
    if (append_pid != getpid () || append_count == APPENDS) {
        if (append_pid == getpid () && append_stream != NULL)
            append_close (append_stream);
        append_stream = append_open (name);
        append_pid = getpid ();
        append_count = 0;
    }
    append_count++;
    contents_fill (contents, size, step);
    must (eddy_output_stream_write_all (EDDY_OUTPUT_STREAM (append_stream), contents, size, NULL,
                                        NULL, &error),
          error, "append");
}

static void append_step (uint64_t step)
{
    append_record ("log", RECORD_SIZE, step);
}

/* Every record from the first to the last that was told, in order and whole; at most one more. */
static void append_check_records (const char *name, size_t size, uint64_t ended, uint64_t begun)
{
    int fd = open (path_of (name), O_RDONLY | O_CLOEXEC);
    uint64_t step = appended_before;
    ssize_t count;
    while ((count = read (fd, found, size)) == (ssize_t) size) {
        contents_fill (contents, size, ++step);
        ck_assert_msg (memcmp (found, contents, size) == 0, "%s: record %lu is not whole", name,
                       (unsigned long) step);
    }
    ck_assert_uint_ge (step, ended);
    ck_assert_uint_le (step, begun);
    close (fd);
    if (count == 0)
        return;
    /* Of a large one that was under way the first bytes may be there: Linux writes a page after
       another, and a kill may come between. Who appends large records must know where one ends. */
    ck_assert_uint_gt (size, RECORD_SIZE);
    ck_assert_uint_eq (step + 1, begun);
    contents_fill (contents, size, begun);
    ck_assert_mem_eq (found, contents, (size_t) count);
}

static void append_check (uint64_t ended, uint64_t begun)
{
    append_check_records ("log", RECORD_SIZE, ended, begun);
}

/* What was killed may have ended, but nobody knows; so the next start begins a new log. */
static int append_next_of (const char *name, size_t size, uint64_t step)
{
    if (unlink (path_of (name)) != 0 && errno != ENOENT)
        abort ();
    appended_before = step - 1;
    EddyFileOutputStream *stream = append_open (name);
    EddyError *error = NULL;
    contents_fill (contents, size, step);
    must (eddy_output_stream_write_all (EDDY_OUTPUT_STREAM (stream), contents, size, NULL, NULL,
                                        &error),
          error, "append");
    append_close (stream);
    return 1;
}

static int append_next (uint64_t step)
{
    return append_next_of ("log", RECORD_SIZE, step);
}

EDDY_TEST_TIMEOUT (crash_while_appending, TIMEOUT)
{
    const KillWork work = { "appending", append_step, append_check, append_next };
    path_of ("log");
    kill_again_and_again (&work, FULL, REDUCED);
}

static void append_large_step (uint64_t step)
{
    append_record ("large", LARGE_SIZE, step);
}

static void append_large_check (uint64_t ended, uint64_t begun)
{
    append_check_records ("large", LARGE_SIZE, ended, begun);
}

static int append_large_next (uint64_t step)
{
    return append_next_of ("large", LARGE_SIZE, step);
}

EDDY_TEST_TIMEOUT (crash_while_appending_large_records, TIMEOUT)
{
    const KillWork work = { "appending large records", append_large_step, append_large_check,
                            append_large_next };
    path_of ("large");
    kill_again_and_again (&work, FULL, REDUCED);
}
