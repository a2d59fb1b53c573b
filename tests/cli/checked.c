/* SPDX-License-Identifier: MIT */
/* The eddy command that looks at itself after its work: exits with 99 when an fd, an operation or a
 * fiber is left. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <eddy/fiber.h>

#include "command.h"

enum { STATUS_LEAK = 99 };

static int checked_count_fds (void)
{
    DIR *folder = opendir ("/proc/self/fd");
    int count = 0;
    while (folder != NULL && readdir (folder) != NULL)
        count++;
    if (folder != NULL)
        closedir (folder);
    return count;
}

/* What stays for the life of the process is there after the first run: the default context with its
 * engine, and how signals are told. */
static int checked_first (int argc, char **argv)
{
    (void) argc;
    (void) argv;
    eddy_fiber_yield ();
    return 0;
}

int main (int argc, char **argv)
{
    EddyContextStatistics statistics;
    if (argc < 2)
        return STATUS_USAGE;
    const Command *command = strcmp (argv[1], "delete") == 0 ? &delete_command : &copy_command;
    int status = eddy_run (checked_first, argc, argv);
    int n_fds = checked_count_fds ();
    if (status == STATUS_FINE)
        status = command->run (argc - 1, argv + 1);
    eddy_context_get_statistics (NULL, &statistics);
    int n_fds_left = checked_count_fds ();
    if (n_fds_left == n_fds && statistics.live_operations == 0 && statistics.live_fibers == 0)
        return status;
    fprintf (stderr, "eddy-checked: fds %d -> %d, operations %u, fibers %u\n", n_fds, n_fds_left,
             statistics.live_operations, statistics.live_fibers);
    return STATUS_LEAK;
}
