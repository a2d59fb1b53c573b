/* SPDX-License-Identifier: MIT */
/* EddySubprocessLauncher: how children begin. */
#ifndef EDDY_SUBPROCESS_LAUNCHER_H
#define EDDY_SUBPROCESS_LAUNCHER_H

#include <eddy/subprocess.h>

EDDY_BEGIN_DECLS

/** What children are started with: environment, folder, fds. It may start any number of them. An
 * object; used on one thread at a time, and not changed while it is starting one. Where a function
 * returns a bool, false means that memory is out, and nothing was changed. */
typedef struct EddySubprocessLauncher EddySubprocessLauncher;

/** Makes a launcher. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddySubprocessLauncher *eddy_subprocess_launcher_new (EddySubprocessFlags flags)
    EDDY_MUST_USE;

/** What stdin, stdout and stderr are. Thread: the launcher's. Since: 0.1 */
EDDY_API void eddy_subprocess_launcher_set_flags (EddySubprocessLauncher *launcher,
                                                  EddySubprocessFlags flags);

/** The whole environment, "NAME=value" up to a NULL; NULL: ours, as it is now.
 * Thread: the launcher's. Since: 0.1 */
EDDY_API bool eddy_subprocess_launcher_set_environ (EddySubprocessLauncher *launcher,
                                                    const char *const *environment);

/** Sets a variable; one that is there stays unless @overwrite. Thread: the launcher's.
 * Since: 0.1 */
EDDY_API bool eddy_subprocess_launcher_setenv (EddySubprocessLauncher *launcher,
                                               const char *variable, const char *value,
                                               bool overwrite);

/** Takes a variable away. Thread: the launcher's. Since: 0.1 */
EDDY_API bool eddy_subprocess_launcher_unsetenv (EddySubprocessLauncher *launcher,
                                                 const char *variable);

/** The value that children will have, owned by @launcher until it is changed; NULL: none.
 * Thread: the launcher's. Since: 0.1 */
EDDY_API const char *eddy_subprocess_launcher_getenv (EddySubprocessLauncher *launcher,
                                                      const char *variable);

/** The folder to begin in; NULL: ours. A program named by a relative path is looked for from there.
 * Thread: the launcher's. Since: 0.1 */
EDDY_API bool eddy_subprocess_launcher_set_cwd (EddySubprocessLauncher *launcher, const char *cwd);

/** Has children read a file as stdin; NULL: not so. Instead of a flag for stdin.
 * For a fifo a worker waits until somebody writes to it, and no cancel ends that.
 * Thread: the launcher's. Since: 0.1 */
EDDY_API bool eddy_subprocess_launcher_set_stdin_file_path (EddySubprocessLauncher *launcher,
                                                            const char *path);

/** Has children write a file as stdout, emptied first, made where there is none; NULL: not so.
 * Instead of a flag for stdout. Thread: the launcher's. Since: 0.1 */
EDDY_API bool eddy_subprocess_launcher_set_stdout_file_path (EddySubprocessLauncher *launcher,
                                                             const char *path);

/** The same for stderr. Thread: the launcher's. Since: 0.1 */
EDDY_API bool eddy_subprocess_launcher_set_stderr_file_path (EddySubprocessLauncher *launcher,
                                                             const char *path);

/** Gives children an fd as stdin, which the launcher closes in the end; -1: none.
 * Thread: the launcher's. Since: 0.1 */
EDDY_API void eddy_subprocess_launcher_take_stdin_fd (EddySubprocessLauncher *launcher, int fd);

/** The same for stdout. Thread: the launcher's. Since: 0.1 */
EDDY_API void eddy_subprocess_launcher_take_stdout_fd (EddySubprocessLauncher *launcher, int fd);

/** The same for stderr. Thread: the launcher's. Since: 0.1 */
EDDY_API void eddy_subprocess_launcher_take_stderr_fd (EddySubprocessLauncher *launcher, int fd);

/**
 * Gives children one more fd.
 *
 * @launcher: a launcher
 * @source_fd: an fd of ours, which the launcher closes in the end, also on failure
 * @target_fd: the number that children have it by, from 3
 *
 * Returns: whether children will have it; false when memory is out, or another one has the number
 * Thread: the launcher's
 * Since: 0.1
 */
EDDY_API bool eddy_subprocess_launcher_take_fd (EddySubprocessLauncher *launcher, int source_fd,
                                                int target_fd);

/** Closes all fds that it has taken, so that children's are the last ones: it starts none any more.
 * Thread: the launcher's. Since: 0.1 */
EDDY_API void eddy_subprocess_launcher_close (EddySubprocessLauncher *launcher);

/** Whether each child leads a process group of its own, so that a terminal's Ctrl-C reaches us
 * alone. Thread: the launcher's. Since: 0.1 */
EDDY_API void eddy_subprocess_launcher_set_process_group (EddySubprocessLauncher *launcher,
                                                          bool process_group);

/**
 * Starts a program, as eddy_subprocess_newv() does.
 *
 * @launcher: how
 * @argv: its name and its arguments, up to a NULL; a name without a slash is looked for along PATH
 * @cancellable: a cancellable, or NULL; heard before the child is made
 * @error: where to put the error
 *
 * Returns: the child, or NULL
 * Errors: those of eddy_subprocess_newv(); what open(2) and chdir(2) give, with the path; CLOSED
 *     after eddy_subprocess_launcher_close()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddySubprocess *eddy_subprocess_launcher_spawnv (EddySubprocessLauncher *launcher,
                                                 const char *const *argv,
                                                 EddyCancellable *cancellable, EddyError **error);

EDDY_END_DECLS

#include <eddy/subprocess-launcher-forms.h>

#endif
