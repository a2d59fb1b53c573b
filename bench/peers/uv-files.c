/* SPDX-License-Identifier: MIT */
/*
 * uv-files load PATH TIMES: what io-files does, by uv_fs_open(), uv_fs_fstat(), uv_fs_read() and
 * uv_fs_close(), one after the other for each of 64 files at once, on libuv's four threads.
 *
 * Why it is the fair way: a program that loads files with libuv asks for the size and reads into
 * memory of that size; the request of each place is used again for every call.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "../bench-files.h"

#define FILES_AT_ONCE 64

/* One of the files that are under way. */
typedef struct {
    uv_fs_t request;
    uv_file fd;
    char *contents;
    size_t size;
    size_t length;
} FilesPlace;

static const BenchFiles *files_list;
static size_t files_next;
static uint64_t files_bytes;
static bool files_failed;
static FilesPlace files_places[FILES_AT_ONCE];

static void files_begin (FilesPlace *place);

static void files_fail (const char *what, ssize_t status)
{
    fprintf (stderr, "uv-files: %s: %s\n", what, uv_strerror ((int) status));
    files_failed = true;
}

static void files_closed (uv_fs_t *request)
{
    FilesPlace *place = request->data;
    if (request->result < 0)
        files_fail ("close", request->result);
    uv_fs_req_cleanup (request);
    files_bytes += place->length;
    free (place->contents);
    files_begin (place);
}

static void files_read (FilesPlace *place);

static void files_was_read (uv_fs_t *request)
{
    FilesPlace *place = request->data;
    ssize_t count = request->result;
    uv_fs_req_cleanup (request);
    if (count < 0)
        files_fail ("read", count);
    place->length += count > 0 ? (size_t) count : 0;
    if (count > 0 && place->length < place->size)
        files_read (place);
    else
        uv_fs_close (uv_default_loop (), &place->request, place->fd, files_closed);
}

static void files_read (FilesPlace *place)
{
    uv_buf_t buffer =
        uv_buf_init (place->contents + place->length, (unsigned) (place->size - place->length));
    uv_fs_read (uv_default_loop (), &place->request, place->fd, &buffer, 1, -1, files_was_read);
}

static void files_asked (uv_fs_t *request)
{
    FilesPlace *place = request->data;
    place->size = request->result < 0 ? 0 : (size_t) request->statbuf.st_size;
    if (request->result < 0)
        files_fail ("fstat", request->result);
    uv_fs_req_cleanup (request);
    place->contents = malloc (place->size + 1);
    place->length = 0;
    if (place->size > 0 && place->contents != NULL)
        files_read (place);
    else
        uv_fs_close (uv_default_loop (), &place->request, place->fd, files_closed);
}

static void files_opened (uv_fs_t *request)
{
    FilesPlace *place = request->data;
    place->fd = (uv_file) request->result;
    uv_fs_req_cleanup (request);
    if (place->fd < 0)
        files_fail ("open", place->fd);
    else
        uv_fs_fstat (uv_default_loop (), &place->request, place->fd, files_asked);
}

static void files_begin (FilesPlace *place)
{
    if (files_failed || files_next == files_list->count)
        return;
    place->request.data = place;
    uv_fs_open (uv_default_loop (), &place->request, files_list->paths[files_next++], O_RDONLY, 0,
                files_opened);
}

static bool files_run (const BenchFiles *files)
{
    files_list = files;
    files_next = 0;
    files_bytes = 0;
    for (int i = 0; i < FILES_AT_ONCE; i++)
        files_begin (&files_places[i]);
    uv_run (uv_default_loop (), UV_RUN_DEFAULT);
    return !files_failed && files_bytes == files->bytes;
}

int main (int argc, char **argv)
{
    uint64_t times = argc == 4 ? strtoull (argv[3], NULL, 10) : 0;
    if (times == 0 || strcmp (argv[1], "load") != 0) {
        fputs ("usage: uv-files load PATH TIMES\n", stderr);
        return 2;
    }
    unsetenv ("UV_THREADPOOL_SIZE"); /* the default is what is compared with */
    return bench_files_measure ("uv-files", argv[2], times, files_run);
}
