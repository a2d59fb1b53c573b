/* SPDX-License-Identifier: MIT */
/* EddySubprocess: a program that runs as a child of ours. */
#ifndef EDDY_SUBPROCESS_H
#define EDDY_SUBPROCESS_H

#include <eddy/bytes.h>
#include <eddy/forms.h>
#include <eddy/input-stream.h>
#include <eddy/output-stream.h>
#include <sys/types.h>

EDDY_BEGIN_DECLS

/** A child process, from its start. An object, used from any thread but for its pipes, which are
 * used on one thread at a time.
 *
 * Nothing is killed when the last reference goes: the child runs on, and is reaped when it ends. No
 * handler of SIGCHLD is set, and no other child of the process is touched. */
typedef struct EddySubprocess EddySubprocess;

/** What a child has written, up to the ends of both pipes. An object; immutable. */
typedef struct EddySubprocessOutput EddySubprocessOutput;

/** What a child's stdin, stdout and stderr are. The numbers are GIO's. Without any of these it
 * reads an empty stdin, and writes where we do. */
typedef enum EddySubprocessFlags {
    EDDY_SUBPROCESS_FLAGS_NONE = 0,
    /** A pipe that we write to. */
    EDDY_SUBPROCESS_FLAGS_STDIN_PIPE = 1 << 0,
    /** It reads our stdin. */
    EDDY_SUBPROCESS_FLAGS_STDIN_INHERIT = 1 << 1,
    /** A pipe that we read from. */
    EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE = 1 << 2,
    /** What it writes goes nowhere. */
    EDDY_SUBPROCESS_FLAGS_STDOUT_SILENCE = 1 << 3,
    EDDY_SUBPROCESS_FLAGS_STDERR_PIPE = 1 << 4,
    EDDY_SUBPROCESS_FLAGS_STDERR_SILENCE = 1 << 5,
    /** It writes its errors where its stdout goes. */
    EDDY_SUBPROCESS_FLAGS_STDERR_MERGE = 1 << 6,
    /** Hand on all fds that are not close-on-exec; else the child has its stdin, stdout and stderr,
     * and what eddy_subprocess_launcher_take_fd() names. */
    EDDY_SUBPROCESS_FLAGS_INHERIT_FDS = 1 << 7,
    /** Look for the program along the PATH that the child is to have, not along ours. */
    EDDY_SUBPROCESS_FLAGS_SEARCH_PATH_FROM_ENVP = 1 << 8
} EddySubprocessFlags;

/** The domain of what eddy_subprocess_wait_check() says of a program that has exited; the code is
 * its exit status. */
#define EDDY_SPAWN_EXIT_ERROR "eddy-spawn-exit-error"

/**
 * Starts a program. The loop goes on while the child is made, if there is anything that it waits
 * for; what is returned runs the program.
 *
 * @argv: its name and its arguments, up to a NULL; a name without a slash is looked for along PATH
 * @flags: what its stdin, stdout and stderr are
 * @cancellable: a cancellable, or NULL; heard before the child is made
 * @error: where to put the error
 *
 * Returns: the child, or NULL
 * Errors: NOT_FOUND, PERMISSION_DENIED …: what execve(2) gives, with the program's name;
 *     TOO_MANY_OPEN_FILES, NO_MEMORY, WOULD_BLOCK for too many processes; INVALID_ARGUMENT for
 *     flags that contradict each other; CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (BRIEF)
EddySubprocess *eddy_subprocess_newv (const char *const *argv, EddySubprocessFlags flags,
                                      EddyCancellable *cancellable, EddyError **error);

/** The pipe to the child's stdin, owned by @subprocess; NULL without STDIN_PIPE. Close it to have
 * the child see the end. Thread: any. Since: 0.1 */
EDDY_API EddyOutputStream *eddy_subprocess_get_stdin_pipe (EddySubprocess *subprocess);

/** The pipe from the child's stdout, owned by @subprocess; NULL without STDOUT_PIPE.
 * Thread: any. Since: 0.1 */
EDDY_API EddyInputStream *eddy_subprocess_get_stdout_pipe (EddySubprocess *subprocess);

/** The pipe from the child's stderr, owned by @subprocess; NULL without STDERR_PIPE.
 * Thread: any. Since: 0.1 */
EDDY_API EddyInputStream *eddy_subprocess_get_stderr_pipe (EddySubprocess *subprocess);

/** The number of the process, as text, owned by @subprocess; NULL once it is known to have ended,
 * since then the number may be another one's. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_subprocess_get_identifier (EddySubprocess *subprocess);

/**
 * Waits for the end of the child, whatever its status. Any number of waits may be under way.
 *
 * A cancel ends the wait and leaves the child alone, unless eddy_subprocess_set_kill_on_cancel()
 * says otherwise: then the child has ended, too, when the cancel is told.
 *
 * @subprocess: a child
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it has ended
 * Errors: CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_subprocess_wait (EddySubprocess *subprocess, EddyCancellable *cancellable,
                           EddyError **error);

/**
 * Waits for the end of the child, as eddy_subprocess_wait() does, and tells whether it went well.
 *
 * @subprocess: a child
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it has exited with status 0
 * Errors: of the domain EDDY_SPAWN_EXIT_ERROR, for an exit with another status; FAILED where a
 *     signal has ended it, or its status is unknown because SIGCHLD is ignored; CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_subprocess_wait_check (EddySubprocess *subprocess, EddyCancellable *cancellable,
                                 EddyError **error);

/**
 * Writes to the child's stdin, reads its stdout and stderr up to their ends, all at once, closes
 * the pipes, and waits for its end. Without STDIN_PIPE there must be nothing to write; without
 * STDOUT_PIPE or STDERR_PIPE nothing is read of it. A child that ends without having read all is
 * no failure.
 *
 * The first error cancels the rest, and the pipes are closed all the same. What a cancel does to
 * the child, see eddy_subprocess_wait().
 *
 * @subprocess: a child, of whose pipes none is in use
 * @stdin_buf: what to write; NULL: nothing, and the child sees an empty stdin
 * @limit: how many bytes of each output at most; 0: no limit
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the output, or NULL
 * Errors: LIMIT_EXCEEDED; INVALID_ARGUMENT for @stdin_buf without STDIN_PIPE; CLOSED where a pipe
 *     has been closed; CANCELLED; those of the pipes
 * Thread: the pipes'
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddySubprocessOutput *eddy_subprocess_communicate (EddySubprocess *subprocess, EddyBytes *stdin_buf,
                                                   size_t limit, EddyCancellable *cancellable,
                                                   EddyError **error);

/**
 * The same with text.
 *
 * @subprocess: a child, of whose pipes none is in use
 * @stdin_buf: what to write, without its zero byte; NULL: nothing
 * @limit: how many bytes of each output at most; 0: no limit
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the output, or NULL
 * Errors: INVALID_DATA for an output that is not UTF-8; those of eddy_subprocess_communicate()
 * Thread: the pipes'
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddySubprocessOutput *eddy_subprocess_communicate_utf8 (EddySubprocess *subprocess,
                                                        const char *stdin_buf, size_t limit,
                                                        EddyCancellable *cancellable,
                                                        EddyError **error);

/** What came from stdout, owned by @output; NULL without STDOUT_PIPE. Thread: any. Since: 0.1 */
EDDY_API EddyBytes *eddy_subprocess_output_get_stdout (const EddySubprocessOutput *output);

/** What came from stderr, owned by @output; NULL without STDERR_PIPE. Thread: any. Since: 0.1 */
EDDY_API EddyBytes *eddy_subprocess_output_get_stderr (const EddySubprocessOutput *output);

/**
 * Has a cancelled wait or communicate end the child, too: by SIGTERM, and when it has not ended
 * within the grace, by SIGKILL; both go to its whole process group where it leads one. The wait
 * fails with CANCELLED when it has ended. So does a communicate with any other error, which cancels
 * its wait. It concerns what begins later. When the last reference goes, a child that still runs is
 * killed by SIGKILL at once.
 *
 * @subprocess: a child
 * @grace_ns: nanoseconds from 0; below 0: a cancel leaves the child alone, as it is at first
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_subprocess_set_kill_on_cancel (EddySubprocess *subprocess, int64_t grace_ns);

/** Sends a signal to the child; to no other process, whatever has become of its number. Nothing
 * happens when it has ended. Thread: any. Since: 0.1 */
EDDY_API void eddy_subprocess_send_signal (EddySubprocess *subprocess, int signal_number);

/** Kills the child by SIGKILL. Thread: any. Since: 0.1 */
EDDY_API void eddy_subprocess_force_exit (EddySubprocess *subprocess);

/** The following are asked once the child is known to have ended, by a wait or a communicate. */

/** The status as waitpid(2) gives it; -1 where it is unknown. Thread: any. Since: 0.1 */
EDDY_API int eddy_subprocess_get_status (EddySubprocess *subprocess);
/** Whether it has exited with status 0. Thread: any. Since: 0.1 */
EDDY_API bool eddy_subprocess_get_successful (EddySubprocess *subprocess);
/** Whether it has exited, rather than been ended by a signal. Thread: any. Since: 0.1 */
EDDY_API bool eddy_subprocess_get_if_exited (EddySubprocess *subprocess);
/** Its exit status, where it has exited. Thread: any. Since: 0.1 */
EDDY_API int eddy_subprocess_get_exit_status (EddySubprocess *subprocess);
/** Whether a signal has ended it. Thread: any. Since: 0.1 */
EDDY_API bool eddy_subprocess_get_if_signaled (EddySubprocess *subprocess);
/** The number of that signal. Thread: any. Since: 0.1 */
EDDY_API int eddy_subprocess_get_term_sig (EddySubprocess *subprocess);

EDDY_END_DECLS

#include <eddy/subprocess-forms.h>

#endif
