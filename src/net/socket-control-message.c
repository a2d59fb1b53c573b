/* SPDX-License-Identifier: MIT */
/* Control messages, and lists of them. */
#include "net/socket-control-message-private.h"

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "sys/file-private.h"

/* --- of any kind ------------------------------------------------------------------------------ */

static void message_dispose (void *object)
{
    EddySocketControlMessage *self = object;
    eddy_clear (&self->data);
}

static const EddyClass message_class = { .name = "EddySocketControlMessage",
                                         .size = sizeof (EddySocketControlMessage),
                                         .dispose = message_dispose };

static void *message_new (const EddyClass *object_class, int level, int type)
{
    EddySocketControlMessage *self = eddy_object_new (object_class);
    if (self == NULL)
        return NULL;
    self->level = level;
    self->type = type;
    return self;
}

EddySocketControlMessage *eddy_socket_control_message_new (int level, int type, EddyBytes *data)
{
    bool is_fds = level == SOL_SOCKET && type == SCM_RIGHTS;
    EDDY__EXPECT (data != NULL && !is_fds, NULL);
    EddySocketControlMessage *self = message_new (&message_class, level, type);
    if (self != NULL)
        self->data = eddy_ref (data);
    return self;
}

int eddy_socket_control_message_get_level (EddySocketControlMessage *self)
{
    EDDY__EXPECT (self != NULL, -1);
    return self->level;
}

int eddy_socket_control_message_get_msg_type (EddySocketControlMessage *self)
{
    EDDY__EXPECT (self != NULL, -1);
    return self->type;
}

EddyBytes *eddy_socket_control_message_get_data (EddySocketControlMessage *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return self->data;
}

/* --- file descriptors ------------------------------------------------------------------------- */

static void fd_message_dispose (void *object)
{
    EddyUnixFDMessage *self = object;
    for (size_t i = 0; i < self->n_fds; i++)
        if (self->fds[i] >= 0)
            (void) eddy__sys_close (self->fds[i]);
}

static const EddyClass fd_message_class = { .name = "EddyUnixFDMessage",
                                            .size = sizeof (EddyUnixFDMessage),
                                            .dispose = fd_message_dispose };

EddyUnixFDMessage *eddy_unix_fd_message_new (void)
{
    return message_new (&fd_message_class, SOL_SOCKET, SCM_RIGHTS);
}

EddyUnixFDMessage *eddy_socket_control_message_as_unix_fds (EddySocketControlMessage *self)
{
    bool is_one = self != NULL && self->object.object_class == &fd_message_class;
    return is_one ? EDDY__CONTAINER (self, EddyUnixFDMessage, message) : NULL;
}

bool eddy_unix_fd_message_append_fd (EddyUnixFDMessage *self, int fd, EddyError **error)
{
    EDDY__EXPECT (self != NULL, false);
    if (self->n_fds == EDDY_UNIX_FD_MESSAGE_MOST) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_LIMIT_EXCEEDED,
                        "a message carries at most %d file descriptors", EDDY_UNIX_FD_MESSAGE_MOST);
        return false;
    }
    int copy = eddy__sys_dup (fd);
    if (copy < 0) {
        eddy_error_set_errno (error, -copy, "duplicate file descriptor %d", fd);
        return false;
    }
    self->fds[self->n_fds++] = copy;
    return true;
}

const int *eddy_unix_fd_message_get_fds (EddyUnixFDMessage *self, size_t *n_fds)
{
    EDDY__EXPECT (self != NULL && n_fds != NULL, NULL);
    *n_fds = self->n_fds;
    return self->fds;
}

int eddy_unix_fd_message_steal_fd (EddyUnixFDMessage *self, size_t index)
{
    EDDY__EXPECT (self != NULL && index < self->n_fds, -1);
    int fd = self->fds[index];
    self->fds[index] = -1;
    return fd;
}

/* --- credentials ------------------------------------------------------------------------------ */

static void credentials_message_dispose (void *object)
{
    EddyUnixCredentialsMessage *self = object;
    eddy_clear (&self->credentials);
}

static const EddyClass credentials_message_class = { .name = "EddyUnixCredentialsMessage",
                                                     .size = sizeof (EddyUnixCredentialsMessage),
                                                     .dispose = credentials_message_dispose };

EddyUnixCredentialsMessage *eddy_unix_credentials_message_new (EddyCredentials *credentials)
{
    EDDY_AUTO (EddyCredentials)
    whose = credentials != NULL ? eddy_ref (credentials) : eddy_credentials_new ();
    EddyUnixCredentialsMessage *self =
        whose == NULL ? NULL
                      : message_new (&credentials_message_class, SOL_SOCKET, SCM_CREDENTIALS);
    if (self != NULL)
        self->credentials = EDDY_TAKE (whose);
    return self;
}

EddyUnixCredentialsMessage *eddy_socket_control_message_as_unix_credentials (
    EddySocketControlMessage *self)
{
    bool is_one = self != NULL && self->object.object_class == &credentials_message_class;
    return is_one ? EDDY__CONTAINER (self, EddyUnixCredentialsMessage, message) : NULL;
}

EddyCredentials *eddy_unix_credentials_message_get_credentials (EddyUnixCredentialsMessage *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return self->credentials;
}

/* --- lists ------------------------------------------------------------------------------------ */

struct EddySocketControlMessageList {
    EddyObject object;
    size_t n_messages;
    EddySocketControlMessage **messages;
};

static void list_dispose (void *object)
{
    EddySocketControlMessageList *self = object;
    while (self->n_messages > 0)
        eddy_unref (self->messages[--self->n_messages]);
    eddy__free (EDDY_TAKE (self->messages));
}

static const EddyClass list_class = { .name = "EddySocketControlMessageList",
                                      .size = sizeof (EddySocketControlMessageList),
                                      .dispose = list_dispose };

EddySocketControlMessageList *eddy_socket_control_message_list_new (void)
{
    return eddy_object_new (&list_class);
}

bool eddy_socket_control_message_list_append (EddySocketControlMessageList *self,
                                              EddySocketControlMessage *message)
{
    EDDY__EXPECT (self != NULL && message != NULL, false);
    EddySocketControlMessage **grown =
        eddy__realloc (self->messages, (self->n_messages + 1) * sizeof (void *));
    if (grown == NULL)
        return false;
    self->messages = grown;
    self->messages[self->n_messages++] = eddy_ref (message);
    return true;
}

size_t eddy_socket_control_message_list_get_size (const EddySocketControlMessageList *self)
{
    return self == NULL ? 0 : self->n_messages;
}

EddySocketControlMessage *eddy_socket_control_message_list_get (
    const EddySocketControlMessageList *self, size_t index)
{
    EDDY__EXPECT (self != NULL && index < self->n_messages, NULL);
    return self->messages[index];
}
