/* SPDX-License-Identifier: MIT */
/*
 * Counts allocations, by standing in front of the C library: LD_PRELOAD=count-alloc.so PROGRAM.
 *
 * A program reads the counts through `count_alloc_read`, which it declares weak, before and after
 * the work it wants to know about; without the preload the function is NULL. Each call that can
 * hand out memory counts once, in every thread: malloc, calloc, realloc and their aligned kin, and
 * mmap and mremap. Calls to free are counted apart: freeing is no allocation, but work that frees
 * without allocating hides memory taken earlier. Bytes are counted as asked for, never given back:
 * they tell what work needs that frees nothing meanwhile.
 *
 * The forwarding goes to glibc's own `__libc_` names, because dlsym itself allocates; mmap goes to
 * the kernel, which also means that the C library's own internal mappings are not seen twice.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "count-alloc.h"

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t count, size_t size);
extern void *__libc_realloc (void *block, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);
extern void __libc_free (void *block);

extern void *aligned_alloc (size_t alignment, size_t size);
extern void *memalign (size_t alignment, size_t size);
extern int posix_memalign (void **block, size_t alignment, size_t size);
extern void *malloc (size_t size);
extern void *calloc (size_t count, size_t size);
extern void *realloc (void *block, size_t size);
extern void *reallocarray (void *block, size_t count, size_t size);
extern void free (void *block);
extern size_t malloc_usable_size (void *block);
/* Named by label: the header gives the one name to the other where files are large. */
extern void *count_mmap (void *address, size_t length, int protection, int flags, int fd,
                         off_t offset) __asm__("mmap");
extern void *count_mmap64 (void *address, size_t length, int protection, int flags, int fd,
                           off_t offset) __asm__("mmap64");

static atomic_uint_fast64_t count_allocations;
static atomic_uint_fast64_t count_mappings;
static atomic_uint_fast64_t count_frees;
static atomic_uint_fast64_t count_bytes_asked;
static atomic_uint_fast64_t count_bytes_grown;
static atomic_uint_fast64_t count_bytes_mapped;

static void count_one (atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit (counter, 1, memory_order_relaxed);
}

static void count_bytes (atomic_uint_fast64_t *counter, size_t size)
{
    atomic_fetch_add_explicit (counter, size, memory_order_relaxed);
}

void count_alloc_read (CountAlloc *counts)
{
    counts->allocations = atomic_load (&count_allocations);
    counts->mappings = atomic_load (&count_mappings);
    counts->frees = atomic_load (&count_frees);
    counts->bytes_asked = atomic_load (&count_bytes_asked);
    counts->bytes_grown = atomic_load (&count_bytes_grown);
    counts->bytes_mapped = atomic_load (&count_bytes_mapped);
}

void *malloc (size_t size)
{
    count_one (&count_allocations);
    count_bytes (&count_bytes_asked, size);
    return __libc_malloc (size);
}

void *calloc (size_t count, size_t size)
{
    count_one (&count_allocations);
    count_bytes (&count_bytes_asked, count * size);
    return __libc_calloc (count, size);
}

void *realloc (void *block, size_t size)
{
    size_t before = block ? malloc_usable_size (block) : 0;
    count_one (&count_allocations);
    count_bytes (&count_bytes_grown, size > before ? size - before : 0);
    return __libc_realloc (block, size);
}

void *reallocarray (void *block, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow (count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc (block, total);
}

void *memalign (size_t alignment, size_t size)
{
    count_one (&count_allocations);
    count_bytes (&count_bytes_asked, size);
    return __libc_memalign (alignment, size);
}

void *aligned_alloc (size_t alignment, size_t size)
{
    return memalign (alignment, size);
}

int posix_memalign (void **block, size_t alignment, size_t size)
{
    if (alignment % sizeof (void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
        return EINVAL;
    void *memory = memalign (alignment, size);
    if (!memory)
        return ENOMEM;
    *block = memory;
    return 0;
}

void free (void *block)
{
    /* free (NULL) is nothing, and common on paths that allocated nothing. */
    if (block)
        count_one (&count_frees);
    __libc_free (block);
}

/* Both names exist, and which one a program calls depends on how it was compiled. */
void *count_mmap (void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    count_one (&count_mappings);
    count_bytes (&count_bytes_mapped, length);
    /* syscall() returns a long: the address, or -1 with errno set, which is MAP_FAILED. */
    return (void *) syscall (SYS_mmap, address, length, protection, flags, fd, offset);
}

void *count_mmap64 (void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return count_mmap (address, length, protection, flags, fd, offset);
}

void *mremap (void *old_address, size_t old_size, size_t new_size, int flags, ...)
{
    void *new_address = NULL;
    if (flags & MREMAP_FIXED) {
        va_list arguments;
        va_start (arguments, flags);
        new_address = va_arg (arguments, void *);
        va_end (arguments);
    }
    count_one (&count_mappings);
    count_bytes (&count_bytes_mapped, new_size > old_size ? new_size - old_size : 0);
    return (void *) syscall (SYS_mremap, old_address, old_size, new_size, flags, new_address);
}
