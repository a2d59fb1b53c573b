/* SPDX-License-Identifier: MIT */
/*
 * Mappings.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/memory-private.h"
#include "sys/process-private.h"
#include "test.h"

EDDY_TEST (mapping_is_zero_and_writable)
{
    size_t page = eddy__sys_page_size ();
    void *address = NULL;

    ck_assert_int_eq (eddy__sys_mmap (&address, 2 * page, PROT_READ | PROT_WRITE, MAP_NORESERVE),
                      0);
    ck_assert_int_eq (((char *) address)[page], 0);
    memset (address, 7, 2 * page);
    ck_assert_int_eq (eddy__sys_madvise (address, 2 * page, MADV_DONTNEED), 0);
    ck_assert_int_eq (((char *) address)[page], 0);
    ck_assert_int_eq (eddy__sys_munmap (address, 2 * page), 0);
}

EDDY_TEST (mapping_that_fails_leaves_the_address)
{
    void *address = &address;

    ck_assert_int_eq (eddy__sys_mmap (&address, 0, PROT_READ, 0), -EINVAL);
    ck_assert_ptr_eq (address, &address);
    /* -ENOMEM; valgrind, which places mappings itself, says -EINVAL. */
    ck_assert_int_lt (eddy__sys_mmap (&address, (size_t) 1 << 60, PROT_READ, 0), 0);
    ck_assert_ptr_eq (address, &address);
}

EDDY_TEST (mapping_grows_and_keeps_its_content)
{
    size_t page = eddy__sys_page_size ();
    void *address = NULL;

    ck_assert_int_eq (eddy__sys_mmap (&address, page, PROT_READ | PROT_WRITE, 0), 0);
    memcpy (address, "kept", 5);
    ck_assert_int_eq (eddy__sys_mremap (&address, page, 64 * page, MREMAP_MAYMOVE), 0);
    ck_assert_str_eq (address, "kept");
    ((char *) address)[64 * page - 1] = 1;
    ck_assert_int_eq (eddy__sys_munmap (address, 64 * page), 0);
}

/* Dies of SIGSEGV, as it should, when the byte cannot be written. */
static bool child_can_write (char *at)
{
    int status;
    pid_t child = fork ();

    ck_assert_int_ge (child, 0);
    if (child == 0) {
        signal (SIGSEGV, SIG_DFL);
        *(volatile char *) at = 1;
        _exit (0);
    }
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    return WIFEXITED (status);
}

EDDY_TEST (protection_is_set)
{
    size_t page = eddy__sys_page_size ();
    void *address = NULL;

    ck_assert_int_eq (eddy__sys_mmap (&address, page, PROT_READ | PROT_WRITE, 0), 0);
    ck_assert (child_can_write (address));
    ck_assert_int_eq (eddy__sys_mprotect (address, page, PROT_NONE), 0);
    ck_assert (!child_can_write (address));
    ck_assert_int_eq (eddy__sys_munmap (address, page), 0);
}

EDDY_TEST (guard_pages_or_einval)
{
    size_t page = eddy__sys_page_size ();
    void *address = NULL;
    int result;

    ck_assert_int_eq (eddy__sys_mmap (&address, 2 * page, PROT_READ | PROT_WRITE, 0), 0);
    result = eddy__sys_madvise (address, page, MADV_GUARD_INSTALL);
    if (result == -EINVAL)
        EDDY_TEST_SKIP ("the kernel has no MADV_GUARD_INSTALL (Linux 6.13)");
    ck_assert_int_eq (result, 0);
    ck_assert (!child_can_write (address));
    ck_assert (child_can_write ((char *) address + page));
    ck_assert_int_eq (eddy__sys_madvise (address, page, MADV_GUARD_REMOVE), 0);
    ck_assert (child_can_write (address));
    ck_assert_int_eq (eddy__sys_munmap (address, 2 * page), 0);
}
