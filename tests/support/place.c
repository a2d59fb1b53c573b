/* SPDX-License-Identifier: MIT */
/*
 * Where and as whom a test runs: its directory, and a process without root's powers.
 */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "test.h"

enum { PLACE_NOBODY = 65534 };

const char *eddy_test_directory (void)
{
    char *path = eddy_test_report->directory;
    const char *parent = getenv ("TMPDIR");
    char template[PATH_MAX];

    if (path[0] != '\0')
        return path;
    snprintf (template, sizeof template, "%s/eddy-test-XXXXXX",
              parent != NULL && parent[0] == '/' ? parent : "/tmp");
    ck_assert_msg (mkdtemp (template) != NULL, "%s: %s", template, strerror (errno));
    memcpy (path, template, strlen (template) + 1);
    return path;
}

const char *eddy_test_path (const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];
    int len = snprintf (path, PATH_MAX, "%s/%s", eddy_test_directory (), name);

    ck_assert_int_lt (len, PATH_MAX);
    return path;
}

int eddy_test_count_names (const char *path)
{
    DIR *directory = opendir (path);
    int count = -2; /* but for "." and ".." */

    ck_assert_msg (directory != NULL, "%s: %s", path, strerror (errno));
    while (readdir (directory) != NULL)
        count++;
    closedir (directory);
    return count;
}

static void nobody_become (void)
{
    if (geteuid () != 0)
        return;
    if (setgroups (0, NULL) < 0 || setresgid (PLACE_NOBODY, PLACE_NOBODY, PLACE_NOBODY) < 0 ||
        setresuid (PLACE_NOBODY, PLACE_NOBODY, PLACE_NOBODY) < 0)
        ck_abort_msg ("cannot become nobody: %s", strerror (errno));
}

void eddy_test_run_as_nobody (void (*function) (void *data), void *data)
{
    const char *directory = eddy_test_directory ();
    pid_t child;
    int status;

    if (geteuid () == 0)
        ck_assert_int_eq (chown (directory, PLACE_NOBODY, PLACE_NOBODY), 0);
    child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        nobody_become ();
        function (data);
        _exit (EXIT_SUCCESS);
    }
    while (waitpid (child, &status, 0) < 0)
        ck_assert_int_eq (errno, EINTR);
    /* A failed assertion has already been reported through Check's file, which the child shares;
       to report another here would hide it. */
    if (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_FAILURE)
        _exit (EXIT_FAILURE);
    ck_assert_msg (WIFEXITED (status) && WEXITSTATUS (status) == 0,
                   "the process of nobody ended with wait status 0x%x", (unsigned) status);
}
