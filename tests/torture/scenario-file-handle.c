/* SPDX-License-Identifier: MIT */
/*
 * Open files and streams of files, blocking, awaited and by callbacks: written, read, locked,
 * replaced, temporary.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "torture.h"

enum { SIZE = 5000 };

static void fill (char *bytes)
{
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = torture_byte (i);
}

static EddyFile *file_make (const char *path)
{
    return torture_made ("a file", eddy_file_new_for_path (path));
}

/* ---- An open file -------------------------------------------------------------------------- */

typedef struct Handle {
    const char *path;
    bool is_done;
} Handle;

/* Whether a step went well; else its error is told. */
static bool step_is_good (bool good, const char *what, EddyError **error)
{
    if (!good)
        torture_error (what, error);
    return good;
}

static bool handle_write (EddyFileHandle *handle)
{
    char bytes[SIZE];
    size_t count = 0;
    EddyError *error = NULL;
    fill (bytes);
    bool good = eddy_file_handle_write_all_at (handle, bytes, SIZE, 0, &count, NULL, &error);
    torture_require (count <= SIZE && (!good || count == SIZE));
    if (!step_is_good (good, "write", &error))
        return false;
    good =
        eddy_file_handle_allocate (handle, 0, 2 * SIZE, EDDY_FILE_ALLOCATE_KEEP_SIZE, NULL, &error);
    if (!step_is_good (good, "allocate", &error))
        return false;
    good = eddy_file_handle_sync (handle, /* data_only= */ true, NULL, &error);
    return step_is_good (good, "sync", &error);
}

static bool handle_read (EddyFileHandle *handle)
{
    char bytes[SIZE];
    size_t count = 0;
    EddyError *error = NULL;
    EddyInputVector vectors[] = { { bytes, 10 }, { bytes + 10, 10 } };
    bool good = eddy_file_handle_read_exactly_at (handle, bytes, SIZE, 0, &count, NULL, &error);
    for (size_t i = 0; i < count; i++)
        torture_require (bytes[i] == torture_byte (i));
    if (!step_is_good (good, "read", &error))
        return false;
    ssize_t answer = eddy_file_handle_readv_at (handle, vectors, 2, 7, NULL, &error);
    for (ssize_t i = 0; i < answer; i++)
        torture_require (bytes[i] == torture_byte ((size_t) i + 7));
    if (!step_is_good (answer > 0, "readv", &error))
        return false;
    EddyFileInfo *info = eddy_file_handle_query_info (handle, NULL, &error);
    if (!step_is_good (info != NULL, "query", &error))
        return false;
    torture_require (eddy_file_info_get_size (info) == SIZE);
    eddy_unref (info);
    return true;
}

static void handle_step (void *data)
{
    Handle *self = data;
    EddyError *error = NULL;
    EddyFile *file = file_make (self->path);
    if (file == NULL)
        return;
    EddyFileHandle *handle = eddy_file_open (
        file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE, NULL, &error);
    if (step_is_good (handle != NULL, "open", &error) && handle_write (handle) &&
        handle_read (handle))
        self->is_done =
            step_is_good (eddy_file_handle_close (handle, NULL, &error), "close", &error);
    eddy_unref (handle);
    eddy_unref (file);
}

static void handle_verify (const Handle *self)
{
    if (self->is_done)
        torture_require (torture_file_is_whole (self->path, SIZE));
    else
        torture_require (torture_has_failed ());
}

TORTURE_SCENARIO (handle_written_and_read)
{
    Handle self = { .path = torture_path ("file") };
    torture_begin ();
    handle_step (&self);
    torture_end ();
    handle_verify (&self);
}

TORTURE_SCENARIO (handle_written_and_read_awaited)
{
    Handle self = { .path = torture_path ("file") };
    torture_begin ();
    torture_await (handle_step, &self);
    torture_end ();
    handle_verify (&self);
}

/* ---- By callbacks -------------------------------------------------------------------------- */

typedef struct Calls {
    EddyFileHandle *handle;
    char bytes[SIZE];
    int calls;
} Calls;

static void calls_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Calls *self = user_data;
    EddyError *error = NULL;
    ssize_t count = eddy_file_handle_read_at_finish (source_object, result, &error);
    self->calls++;
    for (ssize_t i = 0; i < count; i++)
        torture_require (self->bytes[i] == torture_byte ((size_t) i));
    (void) step_is_good (count > 0, "read", &error);
}

static void calls_wrote (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Calls *self = user_data;
    EddyError *error = NULL;
    self->calls++;
    if (!step_is_good (eddy_file_handle_write_at_finish (source_object, result, &error) > 0,
                       "write", &error)) {
        self->calls++; /* nothing is read */
        return;
    }
    memset (self->bytes, 0, SIZE);
    eddy_file_handle_read_at_async (self->handle, self->bytes, SIZE, 0, EDDY_PRIORITY_DEFAULT, NULL,
                                    calls_read, self);
}

TORTURE_SCENARIO (handle_by_callbacks)
{
    Calls self = { .calls = 0 };
    EddyError *error = NULL;
    EddyFile *file = eddy_file_new_for_path (torture_path ("file"));
    fill (self.bytes);
    self.handle = eddy_file_open (
        file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE, NULL, &error);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL) {
        eddy_file_handle_write_at_async (self.handle, self.bytes, SIZE, 0, EDDY_PRIORITY_DEFAULT,
                                         NULL, calls_wrote, &self);
        torture_run_until (context, &self.calls, 2);
    }
    torture_end ();
    torture_context_end (context);
    /* Nothing is counted as under way, whatever failed. */
    torture_require (eddy_file_handle_close (self.handle, NULL, &error));
    eddy_unref (self.handle);
    eddy_unref (file);
}

/* ---- Locked -------------------------------------------------------------------------------- */

typedef struct Lock {
    EddyFileHandle *handle;
    bool is_locked;
} Lock;

static int lock_by_hand (const char *path)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    torture_require (fd >= 0 && fcntl (fd, F_OFD_SETLK, &lock) == 0);
    return fd;
}

/* Soon, as somebody else's: faults do not strike here. */
static void *lock_release (void *data)
{
    usleep (1000);
    close (*(int *) data);
    return NULL;
}

static void lock_step (void *data)
{
    Lock *self = data;
    EddyError *error = NULL;
    self->is_locked = eddy_file_handle_lock (self->handle, EDDY_FILE_LOCK_EXCLUSIVE, NULL, &error);
    (void) step_is_good (self->is_locked, "lock", &error);
}

static void lock_run (bool awaited)
{
    Lock self = { .is_locked = false };
    EddyError *error = NULL;
    pthread_t thread;
    int fd = lock_by_hand (torture_path ("file"));
    EddyFile *file = eddy_file_new_for_path (torture_path ("file"));
    self.handle = eddy_file_open (file, EDDY_FILE_OPEN_WRITE, NULL, &error);
    torture_require (pthread_create (&thread, NULL, lock_release, &fd) == 0);
    torture_begin ();
    if (awaited)
        torture_await (lock_step, &self);
    else
        lock_step (&self);
    torture_end ();
    torture_require (pthread_join (thread, NULL) == 0);
    /* Who was told that it has no lock has none. */
    fd = self.is_locked ? -1 : lock_by_hand (torture_path ("file"));
    torture_require (eddy_file_handle_close (self.handle, NULL, &error));
    if (fd >= 0)
        close (fd);
    eddy_unref (self.handle);
    eddy_unref (file);
}

TORTURE_SCENARIO (handle_waits_for_a_lock)
{
    lock_run (/* awaited= */ false);
}

TORTURE_SCENARIO (handle_waits_for_a_lock_awaited)
{
    lock_run (/* awaited= */ true);
}

/* ---- Streams ------------------------------------------------------------------------------- */

static bool stream_write (EddyFile *file)
{
    char bytes[SIZE];
    size_t count = 0;
    EddyError *error = NULL;
    EddyFileOutputStream *stream = eddy_file_create (file, 0, NULL, &error);
    EddyOutputStream *output = EDDY_OUTPUT_STREAM (stream);
    if (!step_is_good (stream != NULL, "create", &error))
        return false;
    fill (bytes);
    bool good = eddy_output_stream_write_all (output, bytes, SIZE, &count, NULL, &error);
    torture_require (count <= SIZE &&
                     eddy_seekable_tell (EDDY_SEEKABLE (output)) == (int64_t) count);
    good = step_is_good (good, "write", &error) &&
           step_is_good (eddy_output_stream_close (output, NULL, &error), "close", &error);
    eddy_unref (stream);
    return good;
}

static void stream_read (EddyFile *file)
{
    char bytes[SIZE];
    size_t count = 0;
    EddyError *error = NULL;
    EddyFileInputStream *stream = eddy_file_read (file, NULL, &error);
    EddyInputStream *input = EDDY_INPUT_STREAM (stream);
    if (!step_is_good (stream != NULL, "open", &error))
        return;
    EddyFileInfo *info = eddy_file_input_stream_query_info (stream, NULL, &error);
    (void) step_is_good (info != NULL, "query", &error);
    ssize_t skipped = eddy_input_stream_skip (input, 10, NULL, &error);
    if (step_is_good (skipped >= 0, "skip", &error)) {
        bool good = eddy_input_stream_read_all (input, bytes, SIZE, &count, NULL, &error);
        for (size_t i = 0; i < count; i++)
            torture_require (bytes[i] == torture_byte (i + (size_t) skipped));
        (void) step_is_good (good, "read", &error);
    }
    torture_require (!eddy_input_stream_has_pending (input));
    eddy_unref (info);
    eddy_unref (stream);
}

static void stream_step (void *data)
{
    EddyFile *file = file_make (data);
    if (file != NULL && stream_write (file))
        stream_read (file);
    eddy_unref (file);
}

TORTURE_SCENARIO (file_stream)
{
    char *path = strdup (torture_path ("file"));
    torture_begin ();
    stream_step (path);
    torture_end ();
    free (path);
}

TORTURE_SCENARIO (file_stream_awaited)
{
    char *path = strdup (torture_path ("file"));
    torture_begin ();
    torture_await (stream_step, path);
    torture_end ();
    free (path);
}

/* ---- Replaced ------------------------------------------------------------------------------ */

typedef struct Replace {
    const char *path;
    bool is_done;
} Replace;

static void replace_step (void *data)
{
    Replace *self = data;
    char bytes[SIZE];
    EddyError *error = NULL;
    EddyFile *file = file_make (self->path);
    if (file == NULL)
        return;
    fill (bytes);
    EddyFileOutputStream *stream = eddy_file_replace (file, NULL, false, 0, NULL, &error);
    EddyOutputStream *output = EDDY_OUTPUT_STREAM (stream);
    if (step_is_good (stream != NULL, "replace", &error)) {
        bool good = eddy_output_stream_write_all (output, bytes, SIZE, NULL, NULL, &error);
        good = step_is_good (good, "write", &error);
        /* To be given up it must be closed, too, and not commit the part that was written. */
        EDDY_AUTO (EddyCancellable) cancelled = good ? NULL : eddy_cancellable_new ();
        eddy_cancellable_cancel (cancelled);
        if (good)
            self->is_done =
                step_is_good (eddy_output_stream_close (output, NULL, &error), "close", &error);
        else if (cancelled != NULL)
            (void) eddy_output_stream_close (output, cancelled, NULL);
    }
    eddy_unref (stream);
    eddy_unref (file);
}

/* The old file or the new one, whole; a failure that came after the moment leaves the new one. */
static void replace_verify (const Replace *self)
{
    bool is_new = torture_file_is_whole (self->path, SIZE);
    torture_require (is_new || torture_file_is_whole (self->path, SIZE + 1));
    torture_require (is_new || !self->is_done);
    torture_require (self->is_done || torture_has_failed ());
}

TORTURE_SCENARIO (file_stream_replaces)
{
    Replace self = { .path = torture_make_file ("file", SIZE + 1) };
    torture_begin ();
    replace_step (&self);
    torture_end ();
    replace_verify (&self);
}

TORTURE_SCENARIO (file_stream_replaces_awaited)
{
    Replace self = { .path = torture_make_file ("file", SIZE + 1) };
    torture_begin ();
    torture_await (replace_step, &self);
    torture_end ();
    replace_verify (&self);
}

/* ---- Temporary ----------------------------------------------------------------------------- */

static void temporary_step (void *data)
{
    EddyFileIOStream *stream = NULL;
    EddyError *error = NULL;
    (void) data;
    EddyFile *file = eddy_file_new_tmp ("torture-XXXXXX", &stream, NULL, &error);
    if (step_is_good (file != NULL, "a temporary file", &error))
        torture_require (stream != NULL && torture_exists (eddy_file_get_path (file)));
    EddyFile *folder = eddy_file_new_tmp_dir (NULL, NULL, &error);
    if (step_is_good (folder != NULL, "a temporary folder", &error))
        torture_require (torture_exists (eddy_file_get_path (folder)));
    eddy_unref (stream);
    eddy_unref (file);
    eddy_unref (folder);
}

TORTURE_SCENARIO (file_temporary)
{
    setenv ("TMPDIR", torture_path (""), 1);
    torture_begin ();
    temporary_step (NULL);
    torture_end ();
}

TORTURE_SCENARIO (file_temporary_awaited)
{
    setenv ("TMPDIR", torture_path (""), 1);
    torture_begin ();
    torture_await (temporary_step, NULL);
    torture_end ();
}
