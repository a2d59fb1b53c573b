/* SPDX-License-Identifier: MIT */
/*
 * An open file: read and written anywhere, by many at once.
 */
#include <eddy/testing.h>
#include <pthread.h>
#include <sys/stat.h>

#include "stream.h"

enum { SIZE = 10000 };

static EddyFileHandle *open_file (EddyFile *file, unsigned flags)
{
    EddyError *error = NULL;
    EddyFileHandle *handle = eddy_file_open (file, (EddyFileOpenFlags) flags, NULL, &error);
    ck_assert_msg (handle != NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    return handle;
}

static EddyFileHandle *open_new (const char *name)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file (name);
    return open_file (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE);
}

static void expect_refused (EddyFile *file, unsigned flags, EddyIOErrorCode code)
{
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_file_open (file, (EddyFileOpenFlags) flags, NULL, &error));
    ck_assert_ptr_nonnull (error);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), eddy_file_get_path (file)));
    eddy_test_expect_error (&error, code);
}

/* ---- opening --------------------------------------------------------------------------------- */

EDDY_TEST (D_handle_opens_by_its_flags)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("there", SIZE);
    EDDY_AUTO (EddyFile) none = eddy_test_file ("none");
    EDDY_AUTO (EddyFile) link = eddy_test_file ("link");
    struct stat info;
    ck_assert_int_eq (symlink ("there", eddy_file_get_path (link)), 0);
    expect_refused (none, EDDY_FILE_OPEN_READ, EDDY_IO_ERROR_NOT_FOUND);
    expect_refused (file, 0, EDDY_IO_ERROR_INVALID_ARGUMENT);
    expect_refused (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_TRUNCATE,
                    EDDY_IO_ERROR_INVALID_ARGUMENT);
    expect_refused (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_EXCLUSIVE,
                    EDDY_IO_ERROR_INVALID_ARGUMENT);
    expect_refused (file, EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE | EDDY_FILE_OPEN_EXCLUSIVE,
                    EDDY_IO_ERROR_EXISTS);
    expect_refused (link, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_NOFOLLOW,
                    EDDY_IO_ERROR_TOO_MANY_LINKS);
    eddy_unref (open_file (link, EDDY_FILE_OPEN_READ));
    eddy_unref (open_file (none, EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE |
                                     EDDY_FILE_OPEN_EXCLUSIVE | EDDY_FILE_OPEN_PRIVATE));
    ck_assert_int_eq (stat (eddy_file_get_path (none), &info), 0);
    ck_assert_int_eq (info.st_mode & 0777, 0600);
    eddy_unref (open_file (file, EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_TRUNCATE));
    ck_assert_int_eq (stat (eddy_file_get_path (file), &info), 0);
    ck_assert_int_eq (info.st_size, 0);
}

/* Opening a fifo would wake its writer, or wait for one. */
EDDY_TEST (D_handle_is_of_files_and_devices)
{
    EDDY_AUTO (EddyFile) folder = eddy_file_new_for_path (eddy_test_directory ());
    EDDY_AUTO (EddyFile) fifo = eddy_test_file ("fifo");
    EDDY_AUTO (EddyFile) zero = eddy_file_new_for_path ("/dev/zero");
    EddyError *error = NULL;
    char bytes[4] = "abc";
    ck_assert_int_eq (mkfifo (eddy_file_get_path (fifo), 0600), 0);
    expect_refused (folder, EDDY_FILE_OPEN_READ, EDDY_IO_ERROR_IS_DIRECTORY);
    expect_refused (fifo, EDDY_FILE_OPEN_READ, EDDY_IO_ERROR_NOT_REGULAR_FILE);
    EDDY_AUTO (EddyFileHandle) handle = open_file (zero, EDDY_FILE_OPEN_READ);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, bytes, 4, 0, NULL, &error), 4);
    ck_assert_int_eq (bytes[0], 0);
}

static void *open_awaited (void *data, EddyError **error)
{
    EddyFileHandle *handle = eddy_file_open (data, EDDY_FILE_OPEN_READ, NULL, error);
    ck_assert_ptr_nonnull (handle);
    ck_assert_int_ge (fcntl (eddy_file_handle_get_fd (handle), F_GETFD) & FD_CLOEXEC, 1);
    ck_assert_ptr_eq (eddy_file_handle_get_file (handle), data);
    eddy_unref (handle);
    return NULL;
}

EDDY_TEST (D_handle_opens_in_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_test_run_fiber (context, open_awaited, file);
    eddy_file_open_async (file, EDDY_FILE_OPEN_READ, 0, NULL, stream_called, &call);
    EddyFileHandle *handle = eddy_file_open_finish (file, stream_await (context, &call), &error);
    ck_assert_ptr_nonnull (handle);
    eddy_unref (handle);
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) future = eddy_file_open_future (file, EDDY_FILE_OPEN_READ, 0, NULL);
    ck_assert_ptr_nonnull (eddy_block_on (context, future, &error));
    eddy_test_context_end (context);
}

/* ---- reading and writing --------------------------------------------------------------------- */

EDDY_TEST (D_handle_reads_and_writes_anywhere)
{
    EDDY_AUTO (EddyFileHandle) handle = open_new ("file");
    EddyError *error = NULL;
    char bytes[SIZE], out[SIZE];
    size_t count = 77;
    stream_fill (bytes, SIZE, 0);
    ck_assert_int_eq (eddy_file_handle_write_at (handle, bytes + 100, 50, 100, NULL, &error), 50);
    ck_assert (eddy_file_handle_write_all_at (handle, bytes, SIZE, 0, &count, NULL, &error));
    ck_assert_uint_eq (count, SIZE);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, out, 10, 5000, NULL, &error), 10);
    stream_expect (out, 10, 5000);
    ck_assert (eddy_file_handle_read_exactly_at (handle, out, SIZE, 0, &count, NULL, &error));
    ck_assert_uint_eq (count, SIZE);
    stream_expect (out, SIZE, 0);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, out, 10, SIZE, NULL, &error), 0);
    ck_assert (!eddy_file_handle_read_exactly_at (handle, out, 20, SIZE - 7, &count, NULL, &error));
    ck_assert_uint_eq (count, 7);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, NULL, 0, 0, NULL, &error), 0);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, out, 1, -1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, out, SIZE_MAX, 0, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
}

EDDY_TEST (D_handle_does_what_it_is_open_for)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EDDY_AUTO (EddyFileHandle) reader = open_file (file, EDDY_FILE_OPEN_READ);
    EDDY_AUTO (EddyFileHandle) writer = open_file (file, EDDY_FILE_OPEN_APPEND);
    EddyError *error = NULL;
    char byte = 'z';
    ck_assert_int_eq (eddy_file_handle_write_at (reader, &byte, 1, 0, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert (!eddy_file_handle_truncate (reader, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert (!eddy_file_handle_allocate (reader, 0, 1, EDDY_FILE_ALLOCATE_NONE, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert_int_eq (eddy_file_handle_read_at (writer, &byte, 1, 0, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    /* Appended, wherever it was to be. */
    ck_assert_int_eq (eddy_file_handle_write_at (writer, &byte, 1, 5, NULL, &error), 1);
    ck_assert_int_eq (eddy_file_handle_read_at (reader, &byte, 1, SIZE, NULL, &error), 1);
    ck_assert_int_eq (byte, 'z');
}

EDDY_TEST (D_handle_several_runs_of_bytes)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFileHandle) handle = open_new ("file");
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char one[4] = "", other[8] = "";
    const EddyOutputVector out[] = { { "abc", 3 }, { NULL, 0 }, { "defg", 4 } };
    const EddyInputVector in[] = { { one, 3 }, { other, 7 } };
    ck_assert_int_eq (eddy_file_handle_writev_at (handle, out, 3, 5, NULL, &error), 7);
    ck_assert_int_eq (eddy_file_handle_readv_at (handle, in, 2, 5, NULL, &error), 7);
    ck_assert_str_eq (one, "abc");
    ck_assert_str_eq (other, "defg");
    eddy_file_handle_writev_at_async (handle, out + 2, 1, 0, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_file_handle_writev_at_finish (handle, stream_await (context, &call), &error), 4);
    stream_call_clear (&call);
    eddy_file_handle_readv_at_async (handle, in, 2, 1, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_file_handle_readv_at_finish (handle, stream_await (context, &call), &error), 10);
    ck_assert_int_eq (memcmp (one, "efg", 3), 0);
    ck_assert_int_eq (memcmp (other, "\0abcdef", 7), 0);
    stream_call_clear (&call);
    ck_assert_int_eq (eddy_file_handle_readv_at (handle, NULL, 0, 0, NULL, &error), 0);
    ck_assert_int_eq (eddy_file_handle_writev_at (handle, out, 3, -1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    eddy_test_context_end (context);
}

typedef struct Piece {
    EddyFileHandle *handle;
    int number;
} Piece;

static void *piece_write_and_read (void *data, EddyError **error)
{
    const Piece *piece = data;
    char bytes[257], out[257];
    int64_t offset = piece->number * (int64_t) sizeof bytes;
    stream_fill (bytes, sizeof bytes, (size_t) offset);
    if (!eddy_file_handle_write_all_at (piece->handle, bytes, sizeof bytes, offset, NULL, NULL,
                                        error))
        return NULL;
    if (eddy_file_handle_read_exactly_at (piece->handle, out, sizeof out, offset, NULL, NULL,
                                          error))
        stream_expect (out, sizeof out, (size_t) offset);
    return NULL;
}

EDDY_TEST (D_handle_serves_many_fibers_at_once)
{
    enum { PIECES = 64 };
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFileHandle) handle = open_new ("file");
    EddyFuture *fibers[PIECES];
    Piece pieces[PIECES];
    EddyError *error = NULL;
    for (int i = 0; i < PIECES; i++) {
        pieces[i] = (Piece){ handle, i };
        fibers[i] = eddy_spawn (context, piece_write_and_read, &pieces[i], NULL);
    }
    for (int i = 0; i < PIECES; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], &error));
        eddy_unref (fibers[i]);
    }
    eddy_test_context_end (context);
}

static void *read_by_a_thread (void *data)
{
    EddyError *error = NULL;
    for (int i = 0; i < 1000; i++) {
        char bytes[16];
        ck_assert_int_eq (eddy_file_handle_read_at (data, bytes, 16, i, NULL, &error), 16);
        stream_expect (bytes, 16, (size_t) i);
    }
    return NULL;
}

EDDY_TEST (D_handle_serves_threads_at_once)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EDDY_AUTO (EddyFileHandle) handle = open_file (file, EDDY_FILE_OPEN_READ);
    pthread_t threads[4];
    EddyError *error = NULL;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, read_by_a_thread, handle), 0);
    for (int i = 0; i < 4; i++)
        pthread_join (threads[i], NULL);
    ck_assert (eddy_file_handle_close (handle, NULL, &error));
}

/* ---- what is not in the page cache ----------------------------------------------------------- */

enum { COLD_FIBERS = 32, COLD_READS = 8, COLD_BLOCK = 4096 };

static void *read_cold (void *data, EddyError **error)
{
    const Piece *piece = data;
    char block[COLD_BLOCK], right[COLD_BLOCK];
    for (int i = 0; i < COLD_READS; i++) {
        int64_t offset = (int64_t) ((piece->number * 37 + i * 101) % 256) * COLD_BLOCK;
        if (eddy_file_handle_read_at (piece->handle, block, sizeof block, offset, NULL, error) < 0)
            break;
        stream_fill (right, sizeof right, (size_t) offset);
        ck_assert_int_eq (memcmp (block, right, sizeof block), 0);
    }
    return NULL;
}

static void make_cold (EddyFileHandle *handle)
{
    char block[COLD_BLOCK];
    EddyError *error = NULL;
    for (size_t at = 0; at < 256 * COLD_BLOCK; at += COLD_BLOCK) {
        stream_fill (block, sizeof block, at);
        ck_assert (eddy_file_handle_write_all_at (handle, block, sizeof block, (int64_t) at, NULL,
                                                  NULL, &error));
    }
    ck_assert (eddy_file_handle_sync (handle, /* data_only= */ false, NULL, &error));
    int fd = eddy_file_handle_get_fd (handle);
    ck_assert_int_eq (posix_fadvise (fd, 0, 0, POSIX_FADV_RANDOM), 0);
    ck_assert_int_eq (posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

/* They are under way all at once, and on the ring they hold no worker. */
EDDY_TEST (D_handle_uncached_reads_wait_for_the_disk_together)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFileHandle) handle = open_new ("file");
    EddyFuture *fibers[COLD_FIBERS];
    Piece pieces[COLD_FIBERS];
    EddyContextStatistics statistics;
    EddyError *error = NULL;
    make_cold (handle);
    for (int i = 0; i < COLD_FIBERS; i++) {
        pieces[i] = (Piece){ handle, i };
        fibers[i] = eddy_spawn (context, read_cold, &pieces[i], NULL);
    }
    for (int i = 0; i < COLD_FIBERS; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], &error));
        eddy_unref (fibers[i]);
    }
    eddy_context_get_statistics (context, &statistics);
    bool is_ring = strcmp (statistics.engine, "uring") == 0;
    ck_assert_uint_eq (is_ring ? statistics.workers : statistics.ring, 0);
    ck_assert_uint_eq (statistics.immediate + statistics.ring + statistics.workers,
                       COLD_FIBERS * COLD_READS);
    eddy_test_context_end (context);
    if (statistics.immediate == COLD_FIBERS * COLD_READS)
        EDDY_TEST_SKIP ("this file system keeps everything in memory");
}

static void *read_in_memory (void *data, EddyError **error)
{
    char bytes[16];
    for (int64_t at = 0; at < 160; at += 16) {
        ck_assert_int_eq (eddy_file_handle_read_at (data, bytes, 16, at, NULL, error), 16);
        stream_expect (bytes, 16, (size_t) at);
    }
    return NULL;
}

/* A file system without a disk cannot say that a read need not wait; Eddy knows. */
EDDY_TEST (D_handle_reads_what_is_in_memory_at_once)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyContextStatistics statistics;
    EddyError *error = NULL;
    char bytes[256];
    if (setenv ("TMPDIR", "/dev/shm", 1) != 0 || access ("/dev/shm", W_OK) != 0) {
        eddy_test_context_end (context);
        EDDY_TEST_SKIP ("there is no /dev/shm");
    }
    EddyFileIOStream *stream = NULL;
    EDDY_AUTO (EddyFile) file = eddy_file_new_tmp ("eddy-test-XXXXXX", &stream, NULL, &error);
    ck_assert_ptr_nonnull (file);
    ck_assert_int_eq (unlink (eddy_file_get_path (file)), 0);
    EddyFileHandle *handle = eddy_file_io_stream_get_handle (stream);
    stream_fill (bytes, sizeof bytes, 0);
    ck_assert (eddy_file_handle_write_all_at (handle, bytes, sizeof bytes, 0, NULL, NULL, &error));
    eddy_test_run_fiber (context, read_in_memory, handle);
    eddy_context_get_statistics (context, &statistics);
    ck_assert_uint_eq (statistics.immediate, 10);
    ck_assert_uint_eq (statistics.ring + statistics.workers, 0);
    eddy_unref (stream);
    eddy_test_context_end (context);
}

/* Past the page cache, where the file system can: whole blocks of aligned memory. */
EDDY_TEST (D_handle_past_the_page_cache)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileHandle)
    handle = eddy_file_open (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_DIRECT, NULL, &error);
    if (handle == NULL) {
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
        eddy_test_context_end (context);
        EDDY_TEST_SKIP ("this file system has no O_DIRECT");
    }
    StreamCall call = { 0 };
    char *block = aligned_alloc (4096, 4096);
    eddy_file_handle_read_at_async (handle, block, 4096, 4096, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_file_handle_read_at_finish (handle, stream_await (context, &call), &error), 4096);
    stream_expect (block, 4096, 4096);
    stream_call_clear (&call);
    free (block);
    eddy_test_context_end (context);
}

/* ---- every form ------------------------------------------------------------------------------ */

static void transfers_by_callback (EddyContext *context, EddyFileHandle *handle)
{
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char bytes[20], out[20];
    size_t count = 0;
    stream_fill (bytes, 20, 0);
    eddy_file_handle_write_at_async (handle, bytes, 10, 0, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_file_handle_write_at_finish (handle, stream_await (context, &call), &error), 10);
    stream_call_clear (&call);
    eddy_file_handle_write_all_at_async (handle, bytes + 10, 10, 10, 0, NULL, stream_called, &call);
    ck_assert (eddy_file_handle_write_all_at_finish (handle, stream_await (context, &call), &count,
                                                     &error));
    ck_assert_uint_eq (count, 10);
    stream_call_clear (&call);
    eddy_file_handle_read_at_async (handle, out, 20, 0, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_file_handle_read_at_finish (handle, stream_await (context, &call), &error), 20);
    stream_expect (out, 20, 0);
    stream_call_clear (&call);
    eddy_file_handle_read_exactly_at_async (handle, out, 20, 5, 0, NULL, stream_called, &call);
    ck_assert (!eddy_file_handle_read_exactly_at_finish (handle, stream_await (context, &call),
                                                         &count, &error));
    ck_assert_uint_eq (count, 15);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    stream_call_clear (&call);
    eddy_file_handle_read_at_async (handle, out, 0, 0, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_file_handle_read_at_finish (handle, stream_await (context, &call), &error), 0);
    stream_call_clear (&call);
    eddy_file_handle_write_at_async (handle, out, 1, -7, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_file_handle_write_at_finish (handle, stream_await (context, &call), &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    stream_call_clear (&call);
}

EDDY_TEST (D_handle_transfers_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFileHandle) handle = open_new ("file");
    transfers_by_callback (context, handle);
    eddy_test_context_end (context);
}

static void storage_by_callback (EddyContext *context, EddyFileHandle *handle)
{
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_file_handle_allocate_async (handle, 0, 70000, EDDY_FILE_ALLOCATE_KEEP_SIZE, 0, NULL,
                                     stream_called, &call);
    ck_assert (eddy_file_handle_allocate_finish (handle, stream_await (context, &call), &error));
    stream_call_clear (&call);
    eddy_file_handle_truncate_async (handle, 4, 0, NULL, stream_called, &call);
    ck_assert (eddy_file_handle_truncate_finish (handle, stream_await (context, &call), &error));
    stream_call_clear (&call);
    eddy_file_handle_sync_async (handle, /* data_only= */ true, 0, NULL, stream_called, &call);
    ck_assert (eddy_file_handle_sync_finish (handle, stream_await (context, &call), &error));
    stream_call_clear (&call);
    eddy_file_handle_query_info_async (handle, 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_handle_query_info_finish (handle, stream_await (context, &call), &error);
    ck_assert_int_eq (eddy_file_info_get_size (info), 4);
    ck_assert_int_ge (eddy_file_info_get_allocated_size (info), 4);
    ck_assert_str_eq (eddy_file_info_get_name (info), "file");
    stream_call_clear (&call);
    eddy_file_handle_close_async (handle, 0, NULL, stream_called, &call);
    ck_assert (eddy_file_handle_close_finish (handle, stream_await (context, &call), &error));
    stream_call_clear (&call);
}

EDDY_TEST (D_handle_storage_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFileHandle) handle = open_new ("file");
    storage_by_callback (context, handle);
    ck_assert (eddy_file_handle_is_closed (handle));
    eddy_test_context_end (context);
}

static void *storage_awaited (void *data, EddyError **error)
{
    EddyFileHandle *handle = data;
    ck_assert (eddy_file_handle_allocate (handle, 0, 5000, 0, NULL, error));
    EDDY_AUTO (EddyFileInfo) info = eddy_file_handle_query_info (handle, NULL, error);
    ck_assert_int_eq (eddy_file_info_get_size (info), 5000);
    ck_assert (eddy_file_handle_truncate (handle, 0, NULL, error));
    ck_assert (eddy_file_handle_sync (handle, /* data_only= */ false, NULL, error));
    ck_assert (eddy_file_handle_close (handle, NULL, error));
    return NULL;
}

EDDY_TEST (D_handle_storage_awaited_and_as_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFileHandle) handle = open_new ("one");
    EDDY_AUTO (EddyFileHandle) other = open_new ("other");
    EddyError *error = NULL;
    eddy_test_run_fiber (context, storage_awaited, handle);
    EDDY_AUTO (EddyFuture) grown = eddy_file_handle_truncate_future (other, 100, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, grown, &error));
    EDDY_AUTO (EddyFuture) room = eddy_file_handle_allocate_future (other, 0, 200, 0, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, room, &error));
    EDDY_AUTO (EddyFuture) synced = eddy_file_handle_sync_future (other, false, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, synced, &error));
    EDDY_AUTO (EddyFuture) asked = eddy_file_handle_query_info_future (other, 0, NULL);
    ck_assert_int_eq (eddy_file_info_get_size (eddy_block_on (context, asked, &error)), 200);
    EDDY_AUTO (EddyFuture) closed = eddy_file_handle_close_future (other, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, closed, &error));
    eddy_test_context_end (context);
}

EDDY_TEST (D_handle_refuses_sizes_that_are_none)
{
    EDDY_AUTO (EddyFileHandle) handle = open_new ("file");
    EddyError *error = NULL;
    ck_assert (!eddy_file_handle_truncate (handle, -1, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (!eddy_file_handle_allocate (handle, 0, 0, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (!eddy_file_handle_allocate (handle, -1, 1, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
}

/* ---- the end --------------------------------------------------------------------------------- */

EDDY_TEST (D_handle_closes_once_and_refuses_from_then_on)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EDDY_AUTO (EddyFileHandle) handle = open_file (file, EDDY_FILE_OPEN_READ);
    EddyError *error = NULL;
    char byte;
    int fd = eddy_file_handle_get_fd (handle);
    ck_assert (!eddy_file_handle_is_closed (handle));
    ck_assert (eddy_file_handle_close (handle, NULL, &error));
    ck_assert (eddy_file_handle_close (handle, NULL, &error));
    ck_assert_int_eq (fcntl (fd, F_GETFD), -1);
    ck_assert_int_eq (eddy_file_handle_get_fd (handle), -1);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, &byte, 1, 0, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (!eddy_file_handle_sync (handle, false, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_ptr_null (eddy_file_handle_query_info (handle, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

EDDY_TEST (D_handle_is_not_closed_while_operations_run)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EDDY_AUTO (EddyFileHandle)
    handle = open_file (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_file_handle_write_at_async (handle, "abc", 3, 0, 0, NULL, stream_called, &call);
    ck_assert (!eddy_file_handle_close (handle, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert (!eddy_file_handle_is_closed (handle));
    ck_assert_int_eq (
        eddy_file_handle_write_at_finish (handle, stream_await (context, &call), &error), 3);
    stream_call_clear (&call);
    ck_assert (eddy_file_handle_close (handle, NULL, &error));
    eddy_test_context_end (context);
}

/* Also what would need no waiting. */
static void *read_by_a_cancelled_fiber (void *data, EddyError **error)
{
    char byte;
    eddy_cancellable_cancel (eddy_fiber_get_cancellable ());
    ck_assert_int_eq (eddy_file_handle_read_at (data, &byte, 1, 0, NULL, error), -1);
    return NULL;
}

EDDY_TEST (D_handle_cancelled_before_it_begins)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EDDY_AUTO (EddyFileHandle) handle = open_file (file, EDDY_FILE_OPEN_READ);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char byte;
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, &byte, 1, 0, cancellable, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_ptr_null (eddy_file_open (file, EDDY_FILE_OPEN_READ, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_file_handle_read_at_async (handle, &byte, 1, 0, 0, cancellable, stream_called, &call);
    ck_assert_int_eq (
        eddy_file_handle_read_at_finish (handle, stream_await (context, &call), &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    stream_call_clear (&call);
    EddyFuture *fiber = eddy_spawn (context, read_by_a_cancelled_fiber, handle, NULL);
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (fiber);
    ck_assert (eddy_file_handle_close (handle, NULL, &error)); /* nothing is counted as under way */
    eddy_test_context_end (context);
}

/* ---- cancelled anywhere ---------------------------------------------------------------------- */

static void *use_and_close (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFileHandle)
    handle = eddy_file_open (data,
                             EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE |
                                 EDDY_FILE_OPEN_TRUNCATE,
                             NULL, error);
    static char bytes[SIZE], out[SIZE];
    size_t written = 0, read = 0;
    stream_fill (bytes, SIZE, 0);
    if (handle == NULL)
        return NULL;
    bool good = eddy_file_handle_write_all_at (handle, bytes, SIZE, 0, &written, NULL, error) &&
                eddy_file_handle_read_exactly_at (handle, out, SIZE, 0, &read, NULL, error) &&
                eddy_file_handle_sync (handle, /* data_only= */ true, NULL, error) &&
                eddy_file_handle_lock (handle, EDDY_FILE_LOCK_EXCLUSIVE, NULL, error);
    ck_assert (written == SIZE || !good);
    stream_expect (out, read, 0);
    /* Also by a fiber that is cancelled: nothing is under way, whatever was cancelled. */
    EddyError *failure = NULL;
    ck_assert (eddy_file_handle_close (handle, NULL, &failure));
    return NULL;
}

EDDY_TEST (D_handle_cancelled_at_every_point)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (use_and_close, file, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 3);
}
