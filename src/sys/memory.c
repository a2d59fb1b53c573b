/* SPDX-License-Identifier: MIT */
/*
 * Mappings.
 */
#include "sys/memory-private.h"

#include "sys/call-private.h"

int eddy__sys_mmap (void **address, size_t length, int protection, int flags)
{
    int result = eddy__sys_door (EDDY_SYS_MMAP);
    void *mapped;

    if (result < 0)
        return result;
    mapped = mmap (NULL, length, protection, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return -errno;
    *address = mapped;
    return 0;
}

int eddy__sys_munmap (void *address, size_t length)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_MUNMAP, munmap (address, length));
}

int eddy__sys_mprotect (void *address, size_t length, int protection)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_MPROTECT, mprotect (address, length, protection));
}

int eddy__sys_madvise (void *address, size_t length, int advice)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_MADVISE, madvise (address, length, advice));
}

int eddy__sys_mremap (void **address, size_t old_length, size_t new_length, int flags)
{
    int result = eddy__sys_door (EDDY_SYS_MREMAP);
    void *mapped;

    if (result < 0)
        return result;
    mapped = mremap (*address, old_length, new_length, flags);
    if (mapped == MAP_FAILED)
        return -errno;
    *address = mapped;
    return 0;
}
