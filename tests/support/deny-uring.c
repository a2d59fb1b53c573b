/* SPDX-License-Identifier: MIT */
/* deny-uring eperm|enosys|kill COMMAND [ARGUMENT]...
 *
 * Runs a command under a seccomp filter that refuses io_uring, as containers do: with an error, or
 * by killing who asks. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* io_uring_setup, io_uring_enter, io_uring_register: the same numbers on every processor. */
enum { FIRST_CALL = 425, LAST_CALL = 427, STATUS_FAILED = 125 };

static int deny_install (unsigned answer)
{
    struct sock_filter program[] = {
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
        BPF_JUMP (BPF_JMP | BPF_JGE | BPF_K, FIRST_CALL, 0, 2),
        BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, LAST_CALL, 1, 0),
        BPF_STMT (BPF_RET | BPF_K, answer),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof program / sizeof program[0], program };
    if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

int main (int argc, char **argv)
{
    unsigned answer = SECCOMP_RET_KILL_PROCESS;
    if (argc < 3) {
        fprintf (stderr, "deny-uring eperm|enosys|kill COMMAND [ARGUMENT]...\n");
        return STATUS_FAILED;
    }
    if (strcmp (argv[1], "eperm") == 0)
        answer = SECCOMP_RET_ERRNO | EPERM;
    else if (strcmp (argv[1], "enosys") == 0)
        answer = SECCOMP_RET_ERRNO | ENOSYS;
    if (deny_install (answer) < 0) {
        perror ("deny-uring: seccomp");
        return STATUS_FAILED;
    }
    execv (argv[2], argv + 2);
    perror (argv[2]);
    return STATUS_FAILED;
}
