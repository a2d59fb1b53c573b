/* SPDX-License-Identifier: MIT */
/*
 * malloc and its kin, counted.
 */
#include "memory.h"

#include <dirent.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "file/file-private.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define TORTURE_TELL_LEAKS() (void) __lsan_do_recoverable_leak_check ()
#else
#define TORTURE_TELL_LEAKS() (void) 0
#endif

void *__real_malloc (size_t size);
void *__real_calloc (size_t count, size_t size);
void *__real_realloc (void *block, size_t size);
void *__real_aligned_alloc (size_t alignment, size_t size);
void __real_free (void *block);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t count, size_t size);
void *__wrap_realloc (void *block, size_t size);
void *__wrap_aligned_alloc (size_t alignment, size_t size);
void __wrap_free (void *block);

enum { BUFFER_PAGE = 4096, ROUNDED = 2 * BUFFER_PAGE };

static atomic_long live;
static atomic_long buffers; /* of them */

/* By its size: no scenario has another block like it. */
static bool is_buffer (void *block)
{
    size_t size = malloc_usable_size (block), least = EDDY_FILE_BUFFER_SIZE + BUFFER_PAGE;
    return size >= least && size < least + ROUNDED;
}

static void *count_block (void *block)
{
    if (block == NULL)
        return NULL;
    atomic_fetch_add (&live, 1);
    if (is_buffer (block))
        atomic_fetch_add (&buffers, 1);
    return block;
}

static long threads_count (void)
{
    DIR *folder = opendir ("/proc/self/task");
    long count = 0;
    while (folder != NULL && readdir (folder) != NULL)
        count++;
    if (folder != NULL)
        closedir (folder);
    return count - 2;
}

void *__wrap_malloc (size_t size)
{
    return count_block (__real_malloc (size));
}

void *__wrap_calloc (size_t count, size_t size)
{
    return count_block (__real_calloc (count, size));
}

void *__wrap_realloc (void *block, size_t size)
{
    bool is_new = block == NULL;
    void *grown = __real_realloc (block, size);
    return is_new ? count_block (grown) : grown;
}

void *__wrap_aligned_alloc (size_t alignment, size_t size)
{
    return count_block (__real_aligned_alloc (alignment, size));
}

void __wrap_free (void *block)
{
    if (block != NULL) {
        atomic_fetch_sub (&live, 1);
        if (is_buffer (block))
            atomic_fetch_sub (&buffers, 1);
    }
    __real_free (block);
}

long torture_live_blocks (void)
{
    long kept = atomic_load (&buffers), threads = kept > 0 ? threads_count () : 0;
    return atomic_load (&live) - (kept < threads ? kept : threads);
}

void torture_tell_leaks (void)
{
    TORTURE_TELL_LEAKS ();
}
