/* SPDX-License-Identifier: MIT */
/* Control messages as the kernel has them. */
#include <errno.h>
#include <string.h>

#include "base/bytes-private.h"
#include "base/object-private.h"
#include "net/socket-control-message-private.h"
#include "net/socket-private.h"
#include "sys/file-private.h"

/* --- to be sent ------------------------------------------------------------------------------- */

/* Bytes of a message's data. */
static size_t control_data_size (EddySocketControlMessage *message)
{
    EddyUnixFDMessage *fds = eddy_socket_control_message_as_unix_fds (message);
    if (fds != NULL)
        return fds->n_fds * sizeof (int);
    return message->data != NULL ? eddy_bytes_get_size (message->data) : sizeof (struct ucred);
}

static void control_write_data (EddySocketControlMessage *message, void *dest)
{
    EddyUnixFDMessage *fds = eddy_socket_control_message_as_unix_fds (message);
    EddyUnixCredentialsMessage *sender = eddy_socket_control_message_as_unix_credentials (message);
    if (fds != NULL) {
        memcpy (dest, fds->fds, fds->n_fds * sizeof (int));
    } else if (sender != NULL) {
        struct ucred native = { eddy_credentials_get_unix_pid (sender->credentials),
                                eddy_credentials_get_unix_user (sender->credentials),
                                eddy_credentials_get_unix_group (sender->credentials) };
        memcpy (dest, &native, sizeof native);
    } else {
        memcpy (dest, eddy_bytes_get_data (message->data), eddy_bytes_get_size (message->data));
    }
}

size_t eddy__socket_control_get_size (const EddySocketControlMessageList *messages)
{
    size_t size = 0;
    for (size_t i = 0; i < eddy_socket_control_message_list_get_size (messages); i++)
        size += CMSG_SPACE (control_data_size (eddy_socket_control_message_list_get (messages, i)));
    return size;
}

void eddy__socket_control_write (const EddySocketControlMessageList *messages, void *dest)
{
    char *next = dest;
    for (size_t i = 0; i < eddy_socket_control_message_list_get_size (messages); i++) {
        EddySocketControlMessage *message = eddy_socket_control_message_list_get (messages, i);
        size_t size = control_data_size (message);
        struct cmsghdr *header = (struct cmsghdr *) (void *) next;
        memset (header, 0, CMSG_SPACE (size)); /* the kernel gets no bytes of ours by accident */
        header->cmsg_level = message->level;
        header->cmsg_type = message->type;
        header->cmsg_len = CMSG_LEN (size);
        control_write_data (message, CMSG_DATA (header));
        next += CMSG_SPACE (size);
    }
}

/* --- received --------------------------------------------------------------------------------- */

static size_t control_header_size (const struct cmsghdr *header)
{
    return header->cmsg_len - CMSG_LEN (0);
}

static bool control_is_fds (const struct cmsghdr *header)
{
    return header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS;
}

/* A message that owns what was received; NULL when memory is out, and nothing is owned. */
static EddySocketControlMessage *control_make_message (struct cmsghdr *header)
{
    size_t size = control_header_size (header);
    if (control_is_fds (header)) {
        EddyUnixFDMessage *fds = eddy_unix_fd_message_new ();
        size_t n_fds = size / sizeof (int);
        if (fds != NULL) {
            fds->n_fds = n_fds < EDDY_UNIX_FD_MESSAGE_MOST ? n_fds : EDDY_UNIX_FD_MESSAGE_MOST;
            memcpy (fds->fds, CMSG_DATA (header), fds->n_fds * sizeof (int));
        }
        return EDDY_SOCKET_CONTROL_MESSAGE (fds);
    }
    struct ucred native;
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS &&
        size >= sizeof native) {
        memcpy (&native, CMSG_DATA (header), sizeof native);
        EDDY_AUTO (EddyCredentials)
        sender = eddy__credentials_new (native.pid, native.uid, native.gid);
        return sender == NULL
                   ? NULL
                   : EDDY_SOCKET_CONTROL_MESSAGE (eddy_unix_credentials_message_new (sender));
    }
    EDDY_AUTO (EddyBytes) data = eddy_bytes_new (CMSG_DATA (header), size);
    return data == NULL
               ? NULL
               : eddy_socket_control_message_new (header->cmsg_level, header->cmsg_type, data);
}

static void control_close_fds (struct cmsghdr *header)
{
    if (!control_is_fds (header))
        return;
    for (size_t i = 0; i < control_header_size (header) / sizeof (int); i++) {
        int fd;
        memcpy (&fd, CMSG_DATA (header) + i * sizeof (int), sizeof fd);
        (void) eddy__sys_close (fd);
    }
}

/* Whether the list has taken it, with its fds; else they are closed. */
static bool control_add (EddySocketControlMessageList *messages, struct cmsghdr *header)
{
    EDDY_AUTO (EddySocketControlMessage)
    message = messages == NULL ? NULL : control_make_message (header);
    if (message == NULL)
        control_close_fds (header);
    return message != NULL && eddy_socket_control_message_list_append (messages, message);
}

/* What was cut off are whole fds that the kernel has closed, or messages that are no one's to read.
 */
static bool control_refuse_cut (EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT,
                    "more control messages have come than there is room for");
    return false;
}

bool eddy__socket_control_read (struct msghdr *native, EddySocketControlMessageList **messages,
                                EddyError **error)
{
    bool is_cut = (native->msg_flags & MSG_CTRUNC) != 0;
    bool is_asked = messages != NULL && !is_cut;
    struct cmsghdr *header = CMSG_FIRSTHDR (native);
    EDDY_AUTO (EddySocketControlMessageList)
    list = header == NULL || !is_asked ? NULL : eddy_socket_control_message_list_new ();
    bool has_all = true;
    for (; header != NULL; header = CMSG_NXTHDR (native, header))
        has_all &= control_add (list, header);
    if (is_cut && messages != NULL)
        return control_refuse_cut (error);
    if (is_asked && !has_all) {
        eddy_error_set_errno (error, ENOMEM, "control messages");
        return false;
    }
    if (messages != NULL)
        *messages = EDDY_TAKE (list);
    return true;
}
