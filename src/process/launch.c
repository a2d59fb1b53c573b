/* SPDX-License-Identifier: MIT */
/* Starting a child: finds the program, opens what it is to read and write, and makes the pipes.
 * What is ours of it is close-on-exec, so that no other child of ours gets it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <eddy/fd-stream.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "base/object-private.h"
#include "process/subprocess-private.h"
#include "sys/file-private.h"
#include "sys/process-private.h"
#include "sys/spawn-private.h"

#define LAUNCH_DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

enum { LAUNCH_STREAMS = 3 };

extern char **environ;

/* A launch under way. */
typedef struct Launching {
    const EddyLaunch *launch;
    EddySubprocess *subprocess;
    EddySysSpawn spawn;
    char **programs;            /* and their text, one block */
    EddySysSpawnFd *fds;        /* of the child */
    int theirs[LAUNCH_STREAMS]; /* opened for the child, closed when it has them; -1 */
    int ours[LAUNCH_STREAMS];   /* our ends of the pipes; -1 */
    const char *failed;         /* what the error is about */
} Launching;

static int launching_fail (Launching *self, const char *what, int result)
{
    self->failed = what;
    return result;
}

/* --- the program ------------------------------------------------------------------------------ */

static const char *launch_get_search_path (const EddyLaunch *launch)
{
    const char *path = (launch->flags & EDDY_SUBPROCESS_FLAGS_SEARCH_PATH_FROM_ENVP) != 0 &&
                               launch->environment != NULL
                           ? eddy__environment_find (launch->environment, "PATH")
                           : eddy__sys_getenv ("PATH");
    return path != NULL ? path : LAUNCH_DEFAULT_PATH;
}

/* Writes "FOLDER/NAME" and a zero byte; an empty folder is the current one. Returns its end. */
static char *launch_write_program (char *text, const char *folder, size_t length, const char *name)
{
    if (length > 0) {
        memcpy (text, folder, length);
        text += length;
        *text++ = '/';
    }
    size_t size = strlen (name) + 1;
    memcpy (text, name, size);
    return text + size;
}

/* Lists where the program may be: a name with a slash is a path, any other is looked for. */
static int launch_list_programs (Launching *self, const char *name)
{
    const char *path =
        strchr (name, '/') != NULL || *name == '\0' ? "" : launch_get_search_path (self->launch);
    size_t n = 1;
    for (const char *at = path; *at != '\0'; at++)
        n += *at == ':';
    size_t text_size = strlen (path) + n * (strlen (name) + 2);
    self->programs = eddy__alloc ((n + 1) * sizeof (char *) + text_size);
    if (self->programs == NULL)
        return -ENOMEM;
    char *text = (char *) (self->programs + n + 1);
    for (size_t i = 0; i < n; i++) {
        size_t length = strcspn (path, ":");
        self->programs[i] = text;
        text = launch_write_program (text, path, length, name);
        path += path[length] == ':' ? length + 1 : length;
    }
    self->programs[n] = NULL;
    return 0;
}

/* --- stdin, stdout, stderr -------------------------------------------------------------------- */

/* What each stream's flags are, in their order. */
static const struct {
    unsigned pipe;
    unsigned silence; /* stdin: what it is without any flag */
    unsigned other;   /* stdin: our own; stderr: stdout's */
} launch_flags[LAUNCH_STREAMS] = {
    { EDDY_SUBPROCESS_FLAGS_STDIN_PIPE, 0, EDDY_SUBPROCESS_FLAGS_STDIN_INHERIT },
    { EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE, EDDY_SUBPROCESS_FLAGS_STDOUT_SILENCE, 0 },
    { EDDY_SUBPROCESS_FLAGS_STDERR_PIPE, EDDY_SUBPROCESS_FLAGS_STDERR_SILENCE,
      EDDY_SUBPROCESS_FLAGS_STDERR_MERGE },
};

/* Whether at most one thing is said of each stream. */
static bool launch_check (const EddyLaunch *launch, EddyError **error)
{
    static const char *const names[LAUNCH_STREAMS] = { "stdin", "stdout", "stderr" };
    for (int i = 0; i < LAUNCH_STREAMS; i++) {
        unsigned flags = (unsigned) launch->flags &
                         (launch_flags[i].pipe | launch_flags[i].silence | launch_flags[i].other);
        int n_said =
            __builtin_popcount (flags) + (launch->paths[i] != NULL) + (launch->fds[i] >= 0);
        if (n_said <= 1)
            continue;
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "%s of a child cannot be %d things at once", names[i], n_said);
        return false;
    }
    return true;
}

/* Opens what the child is to have as this stream. */
static int launch_open (Launching *self, int stream, const char *path)
{
    int flags = stream == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
    int fd = eddy__sys_openat (AT_FDCWD, path, flags | O_NOCTTY, 0666);
    self->theirs[stream] = fd < 0 ? -1 : fd;
    return launching_fail (self, path, fd < 0 ? fd : 0);
}

static int launch_make_pipe (Launching *self, int stream)
{
    int ends[2];
    int result = eddy__sys_pipe2 (ends, O_CLOEXEC);
    if (result < 0)
        return launching_fail (self, "pipe", result);
    bool child_reads = stream == STDIN_FILENO;
    self->theirs[stream] = ends[child_reads ? 0 : 1];
    self->ours[stream] = ends[child_reads ? 1 : 0];
    return 0;
}

/* What is to be opened for this stream, if anything. */
static int launch_open_stream (Launching *self, int stream)
{
    const EddyLaunch *launch = self->launch;
    unsigned flags = (unsigned) launch->flags;
    bool is_empty_stdin =
        stream == STDIN_FILENO && launch->fds[0] < 0 && (flags & launch_flags[0].other) == 0;
    if (launch->paths[stream] != NULL)
        return launch_open (self, stream, launch->paths[stream]);
    if ((flags & launch_flags[stream].pipe) != 0)
        return launch_make_pipe (self, stream);
    if ((flags & launch_flags[stream].silence) != 0 || is_empty_stdin)
        return launch_open (self, stream, "/dev/null");
    return 0;
}

/* The fd of ours that the child gets as this stream; -1: it inherits ours as it is. */
static int launch_get_stream (const Launching *self, int stream)
{
    if (self->launch->fds[stream] >= 0)
        return self->launch->fds[stream];
    return self->theirs[stream];
}

static void launch_add_fd (Launching *self, int source, int target)
{
    if (source >= 0)
        self->fds[self->spawn.n_fds++] = (EddySysSpawnFd){ source, target };
}

static int launch_find_fds (Launching *self)
{
    const EddyLaunch *launch = self->launch;
    self->fds = eddy__alloc ((LAUNCH_STREAMS + launch->n_more_fds) * sizeof (EddySysSpawnFd));
    if (self->fds == NULL)
        return -ENOMEM;
    for (int stream = 0; stream < LAUNCH_STREAMS; stream++) {
        int result = launch_open_stream (self, stream);
        if (result < 0)
            return result;
        launch_add_fd (self, launch_get_stream (self, stream), stream);
    }
    if (((unsigned) launch->flags & EDDY_SUBPROCESS_FLAGS_STDERR_MERGE) != 0) {
        int merged = launch_get_stream (self, STDOUT_FILENO);
        launch_add_fd (self, merged >= 0 ? merged : STDOUT_FILENO, STDERR_FILENO);
    }
    for (size_t i = 0; i < launch->n_more_fds; i++)
        launch_add_fd (self, launch->more_fds[i].source, launch->more_fds[i].target);
    self->spawn.fds = self->fds;
    return 0;
}

/* --- our ends --------------------------------------------------------------------------------- */

/* Our ends become streams before there is a child: then nothing is left that could fail. */
static int launch_make_streams (Launching *self)
{
    EddySubprocess *subprocess = self->subprocess;
    int *ours = self->ours;
    if (ours[0] >= 0)
        subprocess->stdin_pipe = eddy_fd_output_stream_new (ours[0], /* close_fd= */ true);
    if (ours[1] >= 0)
        subprocess->stdout_pipe = eddy_fd_input_stream_new (ours[1], /* close_fd= */ true);
    if (ours[2] >= 0)
        subprocess->stderr_pipe = eddy_fd_input_stream_new (ours[2], /* close_fd= */ true);
    const void *const made[LAUNCH_STREAMS] = { subprocess->stdin_pipe, subprocess->stdout_pipe,
                                               subprocess->stderr_pipe };
    bool all = true;
    for (int stream = 0; stream < LAUNCH_STREAMS; stream++) {
        all = all && (made[stream] != NULL || ours[stream] < 0);
        if (made[stream] != NULL)
            ours[stream] = -1; /* the stream closes it */
    }
    return all ? 0 : -ENOMEM;
}

/* --- start ------------------------------------------------------------------------------------ */

static int launch_prepare (Launching *self, const char *const *argv)
{
    const EddyLaunch *launch = self->launch;
    self->subprocess = eddy__subprocess_new (argv[0]);
    if (self->subprocess == NULL)
        return -ENOMEM;
    self->subprocess->leads_group = launch->process_group;
    int result = launch_list_programs (self, argv[0]);
    if (result == 0)
        result = launch_find_fds (self);
    if (result == 0)
        result = launch_make_streams (self);
    return result;
}

static int launch_spawn (Launching *self, const char *const *argv)
{
    const EddyLaunch *launch = self->launch;
    EddySysSpawn *spawn = &self->spawn;
    spawn->programs = (const char *const *) self->programs;
    /* Nobody writes to what a program is started with. */
    spawn->argv = (char *const *) (uintptr_t) argv;
    spawn->environment =
        launch->environment == NULL ? environ : (char *const *) (uintptr_t) launch->environment;
    spawn->folder = launch->folder;
    spawn->inherits_fds = (launch->flags & EDDY_SUBPROCESS_FLAGS_INHERIT_FDS) != 0;
    spawn->process_group = launch->process_group;
    int result = eddy__sys_spawn (spawn);
    if (result == 0)
        eddy__subprocess_set_child (self->subprocess, spawn->pid, spawn->pidfd);
    else if (spawn->step == EDDY_SYS_SPAWN_FOLDER)
        self->failed = launch->folder;
    return result;
}

static void launch_end (Launching *self)
{
    for (int stream = 0; stream < LAUNCH_STREAMS; stream++) {
        if (self->theirs[stream] >= 0)
            eddy__sys_close (self->theirs[stream]);
        if (self->ours[stream] >= 0)
            eddy__sys_close (self->ours[stream]);
    }
    eddy__free (self->programs);
    eddy__free (self->fds);
}

EddySubprocess *eddy__launch (const EddyLaunch *launch, const char *const *argv,
                              EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (argv != NULL && argv[0] != NULL, NULL);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error) ||
        !launch_check (launch, error))
        return NULL;
    Launching self = {
        .launch = launch, .theirs = { -1, -1, -1 }, .ours = { -1, -1, -1 }, .failed = argv[0]
    };
    int result = launch_prepare (&self, argv);
    if (result == 0) {
        self.failed = argv[0];
        result = launch_spawn (&self, argv);
    }
    launch_end (&self);
    if (result == 0)
        return self.subprocess;
    eddy_unref (self.subprocess);
    eddy_error_set_errno (error, -result, "%s", self.failed);
    return NULL;
}
