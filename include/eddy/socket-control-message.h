/* SPDX-License-Identifier: MIT */
/* Control messages: what travels beside the bytes of a socket. File descriptors, and who the sender
 * is, between UNIX sockets. */
#ifndef EDDY_SOCKET_CONTROL_MESSAGE_H
#define EDDY_SOCKET_CONTROL_MESSAGE_H

#include <eddy/bytes.h>
#include <eddy/credentials.h>
#include <eddy/error.h>

EDDY_BEGIN_DECLS

/** A control message of any kind: those below, or one that is told by its level, type and data. An
 * object; used on one thread at a time. */
typedef struct EddySocketControlMessage EddySocketControlMessage;

/** Several of them, in their order. An object; used on one thread at a time. */
typedef struct EddySocketControlMessageList EddySocketControlMessageList;

/** One that carries file descriptors, and owns them. */
typedef struct EddyUnixFDMessage EddyUnixFDMessage;

/** One that says who has sent it. */
typedef struct EddyUnixCredentialsMessage EddyUnixCredentialsMessage;

/** The most file descriptors that one message carries. */
#define EDDY_UNIX_FD_MESSAGE_MOST 253

/** As its base, for the functions below. @message: NULL or of one of the kinds here. */
#define EDDY_SOCKET_CONTROL_MESSAGE(message) ((EddySocketControlMessage *) (void *) (message))

/* --- of any kind ------------------------------------------------------------------------------ */

/**
 * Makes a message of a kind that has no functions here.
 *
 * @level: SOL_SOCKET … of <sys/socket.h>
 * @type: of that level; not SCM_RIGHTS, see eddy_unix_fd_message_new()
 * @data: its data
 *
 * Returns: a message with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketControlMessage *eddy_socket_control_message_new (int level, int type,
                                                                    EddyBytes *data) EDDY_MUST_USE;

/** The level of a message. Thread: the message's. Since: 0.1 */
EDDY_API int eddy_socket_control_message_get_level (EddySocketControlMessage *message);
/** The type of a message, within its level. Thread: the message's. Since: 0.1 */
EDDY_API int eddy_socket_control_message_get_msg_type (EddySocketControlMessage *message);
/** The data of a message of no kind below, owned by it; else NULL.
 * Thread: the message's. Since: 0.1 */
EDDY_API EddyBytes *eddy_socket_control_message_get_data (EddySocketControlMessage *message);

/** The message as one that carries file descriptors, which it must be; else NULL.
 * Thread: the message's. Since: 0.1 */
EDDY_API EddyUnixFDMessage *eddy_socket_control_message_as_unix_fds (
    EddySocketControlMessage *message);
/** The message as one with credentials, which it must be; else NULL.
 * Thread: the message's. Since: 0.1 */
EDDY_API EddyUnixCredentialsMessage *eddy_socket_control_message_as_unix_credentials (
    EddySocketControlMessage *message);

/* --- lists ------------------------------------------------------------------------------------ */

/** A list of none, with one reference; NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddySocketControlMessageList *eddy_socket_control_message_list_new (void) EDDY_MUST_USE;

/** Adds a message, which the list takes a reference to; false when memory is out.
 * Thread: the list's. Since: 0.1 */
EDDY_API bool eddy_socket_control_message_list_append (EddySocketControlMessageList *list,
                                                       EddySocketControlMessage *message);

/** How many messages; 0 for NULL. Thread: the list's. Since: 0.1 */
EDDY_API size_t
eddy_socket_control_message_list_get_size (const EddySocketControlMessageList *list);

/** A message, from 0, owned by the list. Thread: the list's. Since: 0.1 */
EDDY_API EddySocketControlMessage *eddy_socket_control_message_list_get (
    const EddySocketControlMessageList *list, size_t index);

/* --- file descriptors ------------------------------------------------------------------------- */

/** A message without fds yet, with one reference; NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyUnixFDMessage *eddy_unix_fd_message_new (void) EDDY_MUST_USE;

/**
 * Adds a duplicate of a file descriptor.
 *
 * @message: a message
 * @fd: an open file descriptor, which stays the caller's
 * @error: where to put the error
 *
 * Returns: whether it has been added
 * Errors: TOO_MANY_OPEN_FILES; LIMIT_EXCEEDED beyond EDDY_UNIX_FD_MESSAGE_MOST; NO_MEMORY;
 *     INVALID_ARGUMENT for one that is not open
 * Thread: the message's
 * Since: 0.1
 */
EDDY_API bool eddy_unix_fd_message_append_fd (EddyUnixFDMessage *message, int fd,
                                              EddyError **error);

/** The file descriptors of a message, owned by it, and how many. Thread: the message's.
 * Since: 0.1 */
EDDY_API const int *eddy_unix_fd_message_get_fds (EddyUnixFDMessage *message, size_t *n_fds);

/** Takes a file descriptor out of a message, from index 0: it is the caller's, and -1 from then on.
 * -1 when it has been taken. Thread: the message's. Since: 0.1 */
EDDY_API int eddy_unix_fd_message_steal_fd (EddyUnixFDMessage *message, size_t index) EDDY_MUST_USE;

/* --- credentials ------------------------------------------------------------------------------ */

/** A message with the credentials of this process, or with `credentials` unless it is NULL, which
 * the kernel lets only a privileged process send; it has one reference. NULL when memory is out.
 * The receiver has asked for them by the option "pass-credentials". Thread: any. Since: 0.1 */
EDDY_API EddyUnixCredentialsMessage *eddy_unix_credentials_message_new (
    EddyCredentials *credentials) EDDY_MUST_USE;

/** The credentials of a message, owned by it. Thread: the message's. Since: 0.1 */
EDDY_API EddyCredentials *eddy_unix_credentials_message_get_credentials (
    EddyUnixCredentialsMessage *message);

EDDY_END_DECLS

#endif
