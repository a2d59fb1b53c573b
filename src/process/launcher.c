/* SPDX-License-Identifier: MIT */
/* EddySubprocessLauncher: what children are started with, kept as they are to get it. */
#include <eddy/subprocess-bodies.h>
#include <eddy/subprocess-launcher-bodies.h>

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "process/subprocess-private.h"
#include "sys/file-private.h"
#include "sys/spawn-private.h"

struct EddySubprocessLauncher {
    EddyObject object;
    EddyLaunch launch;
    char *folder;
    char *paths[3];
    char **environment; /* each string its own block; NULL: ours */
    size_t n_variables;
    EddySysSpawnFd *more_fds;
    size_t n_more_fds;
    bool closed;
};

extern char **environ;

/* --- life ------------------------------------------------------------------------------------- */

static void launcher_free_environment (EddySubprocessLauncher *self)
{
    for (size_t i = 0; i < self->n_variables; i++)
        eddy__free (self->environment[i]);
    eddy__free (self->environment);
    self->environment = NULL;
    self->n_variables = 0;
}

static void launcher_close_fds (EddySubprocessLauncher *self)
{
    for (int i = 0; i < 3; i++) {
        if (self->launch.fds[i] >= 0)
            eddy__sys_close (self->launch.fds[i]);
        self->launch.fds[i] = -1;
    }
    for (size_t i = 0; i < self->n_more_fds; i++)
        eddy__sys_close (self->more_fds[i].source);
    self->n_more_fds = 0;
}

static void launcher_finalize (void *object)
{
    EddySubprocessLauncher *self = object;
    launcher_close_fds (self);
    launcher_free_environment (self);
    eddy__free (self->more_fds);
    eddy__free (self->folder);
    for (int i = 0; i < 3; i++)
        eddy__free (self->paths[i]);
}

static const EddyClass launcher_class = { .name = "EddySubprocessLauncher",
                                          .size = sizeof (EddySubprocessLauncher),
                                          .finalize = launcher_finalize };

EddySubprocessLauncher *eddy_subprocess_launcher_new (EddySubprocessFlags flags)
{
    EddySubprocessLauncher *self = eddy_object_new (&launcher_class);
    if (self == NULL)
        return NULL;
    self->launch = (EddyLaunch){ .flags = flags, .fds = { -1, -1, -1 } };
    return self;
}

void eddy_subprocess_launcher_close (EddySubprocessLauncher *self)
{
    EDDY__EXPECT (self != NULL);
    launcher_close_fds (self);
    self->closed = true;
}

/* --- environment ------------------------------------------------------------------------------ */

/* The place of a variable; the number of them all where there is none. */
static size_t environment_find (const char *const *environment, const char *variable)
{
    size_t length = strlen (variable);
    size_t i = 0;
    while (environment[i] != NULL &&
           (strncmp (environment[i], variable, length) != 0 || environment[i][length] != '='))
        i++;
    return i;
}

static size_t environment_count (const char *const *environment)
{
    size_t n = 0;
    while (environment != NULL && environment[n] != NULL)
        n++;
    return n;
}

const char *eddy__environment_find (const char *const *environment, const char *variable)
{
    if (environment == NULL)
        return NULL;
    const char *found = environment[environment_find (environment, variable)];
    return found == NULL ? NULL : found + strlen (variable) + 1;
}

static const char *const *launcher_environment (const EddySubprocessLauncher *self)
{
    return (const char *const *) (self->environment != NULL ? self->environment : environ);
}

bool eddy_subprocess_launcher_set_environ (EddySubprocessLauncher *self,
                                           const char *const *environment)
{
    EDDY__EXPECT (self != NULL, false);
    if (environment == NULL) {
        launcher_free_environment (self);
        return true;
    }
    size_t n = environment_count (environment);
    char **copy = eddy__alloc0 ((n + 1) * sizeof (char *));
    size_t n_copied = 0;
    while (copy != NULL && n_copied < n && (copy[n_copied] = eddy__strdup (environment[n_copied])))
        n_copied++;
    if (copy == NULL || n_copied < n) {
        for (size_t i = 0; i < n_copied; i++)
            eddy__free (copy[i]);
        eddy__free (copy);
        return false;
    }
    launcher_free_environment (self);
    self->environment = copy;
    self->n_variables = n;
    return true;
}

/* From the first change on it is a copy of ours. */
static bool launcher_own_environment (EddySubprocessLauncher *self)
{
    return self->environment != NULL ||
           eddy_subprocess_launcher_set_environ (self, (const char *const *) environ);
}

/* Takes a variable away from here on, each time that it is there; the others keep their order. */
static void launcher_remove (EddySubprocessLauncher *self, size_t first, const char *variable)
{
    for (;;) {
        char **found = &self->environment[first];
        found += environment_find ((const char *const *) found, variable);
        if (*found == NULL)
            return;
        eddy__free (*found);
        memmove (found, found + 1,
                 (size_t) (&self->environment[self->n_variables--] - found) * sizeof (char *));
    }
}

bool eddy_subprocess_launcher_setenv (EddySubprocessLauncher *self, const char *variable,
                                      const char *value, bool overwrite)
{
    EDDY__EXPECT (self != NULL && variable != NULL && value != NULL, false);
    EDDY__EXPECT (*variable != '\0' && strchr (variable, '=') == NULL, false);
    if (!launcher_own_environment (self))
        return false;
    size_t place = environment_find (launcher_environment (self), variable);
    if (place < self->n_variables && !overwrite)
        return true;
    size_t length = strlen (variable), size = strlen (value) + 1;
    char *text = eddy__alloc (length + 1 + size);
    if (text == NULL)
        return false;
    memcpy (text, variable, length);
    text[length] = '=';
    memcpy (text + length + 1, value, size);
    if (place == self->n_variables) {
        char **grown = eddy__realloc (self->environment, (place + 2) * sizeof (char *));
        if (grown == NULL) {
            eddy__free (text);
            return false;
        }
        self->environment = grown;
        grown[self->n_variables++] = NULL;
        grown[self->n_variables] = NULL;
    }
    eddy__free (self->environment[place]);
    self->environment[place] = text;
    launcher_remove (self, place + 1, variable);
    return true;
}

bool eddy_subprocess_launcher_unsetenv (EddySubprocessLauncher *self, const char *variable)
{
    EDDY__EXPECT (self != NULL && variable != NULL, false);
    if (!launcher_own_environment (self))
        return false;
    launcher_remove (self, 0, variable);
    return true;
}

const char *eddy_subprocess_launcher_getenv (EddySubprocessLauncher *self, const char *variable)
{
    EDDY__EXPECT (self != NULL && variable != NULL, NULL);
    return eddy__environment_find (launcher_environment (self), variable);
}

/* --- the rest --------------------------------------------------------------------------------- */

static bool launcher_set_text (char **place, const char *text)
{
    char *copy = text == NULL ? NULL : eddy__strdup (text);
    if (copy == NULL && text != NULL)
        return false;
    eddy__free (*place);
    *place = copy;
    return true;
}

void eddy_subprocess_launcher_set_flags (EddySubprocessLauncher *self, EddySubprocessFlags flags)
{
    EDDY__EXPECT (self != NULL);
    self->launch.flags = flags;
}

bool eddy_subprocess_launcher_set_cwd (EddySubprocessLauncher *self, const char *cwd)
{
    EDDY__EXPECT (self != NULL, false);
    return launcher_set_text (&self->folder, cwd);
}

bool eddy_subprocess_launcher_set_stdin_file_path (EddySubprocessLauncher *self, const char *path)
{
    EDDY__EXPECT (self != NULL, false);
    return launcher_set_text (&self->paths[0], path);
}

bool eddy_subprocess_launcher_set_stdout_file_path (EddySubprocessLauncher *self, const char *path)
{
    EDDY__EXPECT (self != NULL, false);
    return launcher_set_text (&self->paths[1], path);
}

bool eddy_subprocess_launcher_set_stderr_file_path (EddySubprocessLauncher *self, const char *path)
{
    EDDY__EXPECT (self != NULL, false);
    return launcher_set_text (&self->paths[2], path);
}

static void launcher_take_stream (EddySubprocessLauncher *self, int stream, int fd)
{
    if (self->launch.fds[stream] >= 0)
        eddy__sys_close (self->launch.fds[stream]);
    self->launch.fds[stream] = fd;
}

void eddy_subprocess_launcher_take_stdin_fd (EddySubprocessLauncher *self, int fd)
{
    EDDY__EXPECT (self != NULL);
    launcher_take_stream (self, 0, fd);
}

void eddy_subprocess_launcher_take_stdout_fd (EddySubprocessLauncher *self, int fd)
{
    EDDY__EXPECT (self != NULL);
    launcher_take_stream (self, 1, fd);
}

void eddy_subprocess_launcher_take_stderr_fd (EddySubprocessLauncher *self, int fd)
{
    EDDY__EXPECT (self != NULL);
    launcher_take_stream (self, 2, fd);
}

bool eddy_subprocess_launcher_take_fd (EddySubprocessLauncher *self, int source_fd, int target_fd)
{
    EDDY__EXPECT (self != NULL && source_fd >= 0, false);
    bool is_free = target_fd > 2;
    for (size_t i = 0; i < self->n_more_fds; i++)
        is_free = is_free && self->more_fds[i].target != target_fd;
    EddySysSpawnFd *grown =
        is_free ? eddy__realloc (self->more_fds, (self->n_more_fds + 1) * sizeof *grown) : NULL;
    if (grown == NULL) {
        eddy__sys_close (source_fd);
        EDDY__EXPECT (is_free, false);
        return false;
    }
    self->more_fds = grown;
    grown[self->n_more_fds++] = (EddySysSpawnFd){ source_fd, target_fd };
    return true;
}

void eddy_subprocess_launcher_set_process_group (EddySubprocessLauncher *self, bool process_group)
{
    EDDY__EXPECT (self != NULL);
    self->launch.process_group = process_group;
}

/* --- start ------------------------------------------------------------------------------------ */

EddySubprocess *eddy_subprocess_launcher_spawnv_body (EddySubprocessLauncher *launcher,
                                                      const char *const *argv,
                                                      EddyCancellable *cancellable,
                                                      EddyError **error)
{
    EDDY__EXPECT (launcher != NULL, NULL);
    if (launcher->closed) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED,
                        "the launcher has been closed and starts no program");
        return NULL;
    }
    EddyLaunch launch = launcher->launch;
    launch.environment = (const char *const *) launcher->environment;
    launch.folder = launcher->folder;
    for (int i = 0; i < 3; i++)
        launch.paths[i] = launcher->paths[i];
    launch.more_fds = launcher->more_fds;
    launch.n_more_fds = launcher->n_more_fds;
    return eddy__launch (&launch, argv, cancellable, error);
}

EddySubprocess *eddy_subprocess_newv_body (const char *const *argv, EddySubprocessFlags flags,
                                           EddyCancellable *cancellable, EddyError **error)
{
    const EddyLaunch launch = { .flags = flags, .fds = { -1, -1, -1 } };
    return eddy__launch (&launch, argv, cancellable, error);
}
