/* SPDX-License-Identifier: MIT */
/* EddyError, and what each errno means in GIO's words. */
#include <eddy/error.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "base/object-private.h"

struct EddyError {
    EddyObject object;
    const char *domain;
    int code;
    int error_number;
    char *message;
};

static void error_finalize (void *object)
{
    EddyError *error = object;
    eddy__free (error->message);
}

static const EddyClass error_class = { .name = "EddyError",
                                       .size = sizeof (EddyError),
                                       .finalize = error_finalize };

/* Stands in when there is no memory for an error; its count starts so high that it never ends. */
static EddyError error_no_memory = {
    .object = { .object_class = &error_class, .references = 1U << 29, .holds = 1U << 29 },
    .domain = EDDY_IO_ERROR,
    .code = EDDY_IO_ERROR_NO_MEMORY,
    .error_number = ENOMEM,
    .message = (char *) "out of memory"
};

EddyError *eddy__error_no_memory (void)
{
    return eddy_ref (&error_no_memory);
}

/* What is left of an operation that was cancelled, and of which nobody waits for more. */
static EddyError error_cancelled = {
    .object = { .object_class = &error_class, .references = 1U << 29, .holds = 1U << 29 },
    .domain = EDDY_IO_ERROR,
    .code = EDDY_IO_ERROR_CANCELLED,
    .message = (char *) "operation was cancelled"
};

EddyError *eddy__error_cancelled (void)
{
    return eddy_ref (&error_cancelled);
}

/* Takes `message`; NULL: memory was out. */
static EddyError *error_make (const char *domain, int code, int error_number, char *message)
{
    EddyError *error = message == NULL ? NULL : eddy_object_new (&error_class);
    if (error == NULL) {
        eddy__free (message);
        return eddy__error_no_memory ();
    }
    error->domain = domain;
    error->code = code;
    error->error_number = error_number;
    error->message = message;
    return error;
}

/* Formats a text into memory of its own, with `suffix` behind it after ": " unless it is NULL. */
EDDY_PRINTF (1, 0)
static char *error_format (const char *format, va_list arguments, const char *suffix)
{
    va_list again;
    va_copy (again, arguments);
    int length = vsnprintf (NULL, 0, format, again);
    va_end (again);
    if (length < 0)
        return eddy__strdup (format);
    size_t size = (size_t) length + 1;
    size_t whole = suffix == NULL ? size : size + 2 + strlen (suffix);
    char *text = eddy__alloc (whole);
    if (text == NULL)
        return NULL;
    vsnprintf (text, size, format, arguments);
    if (suffix != NULL)
        snprintf (text + length, whole - (size_t) length, ": %s", suffix);
    return text;
}

EDDY_PRINTF (2, 0)
static EddyError *error_new_errno (int error_number, const char *format, va_list arguments)
{
    if (error_number == EDDY__EESCAPES)
        return error_make (EDDY_IO_ERROR, EDDY_IO_ERROR_PERMISSION_DENIED, EXDEV,
                           error_format (format, arguments, "Leads out of its folder"));
    char buffer[128];
    const char *reason = strerror_r (error_number, buffer, sizeof buffer);
    char *message = error_format (format, arguments, reason);
    return error_make (EDDY_IO_ERROR, (int) eddy_io_error_from_errno (error_number), error_number,
                       message);
}

EddyError *eddy_error_new (const char *domain, int code, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    EddyError *error = eddy_error_new_valist (domain, code, format, arguments);
    va_end (arguments);
    return error;
}

EddyError *eddy_error_new_valist (const char *domain, int code, const char *format,
                                  va_list arguments)
{
    return error_make (domain, code, 0, error_format (format, arguments, NULL));
}

EddyError *eddy_error_new_literal (const char *domain, int code, const char *message)
{
    return error_make (domain, code, 0, eddy__strdup (message));
}

EddyError *eddy_error_new_errno (int error_number, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    EddyError *error = error_new_errno (error_number, format, arguments);
    va_end (arguments);
    return error;
}

void eddy_error_take (EddyError **error, EddyError *value)
{
    if (error == NULL)
        eddy_unref (value);
    else
        *error = value;
}

void eddy_error_set (EddyError **error, const char *domain, int code, const char *format, ...)
{
    if (error == NULL)
        return;
    va_list arguments;
    va_start (arguments, format);
    *error = eddy_error_new_valist (domain, code, format, arguments);
    va_end (arguments);
}

void eddy_error_set_errno (EddyError **error, int error_number, const char *format, ...)
{
    if (error == NULL)
        return;
    va_list arguments;
    va_start (arguments, format);
    *error = error_new_errno (error_number, format, arguments);
    va_end (arguments);
}

void eddy__error_set_code (EddyError **error, EddyIOErrorCode code, int error_number,
                           const char *format, ...)
{
    if (error == NULL)
        return;
    va_list arguments;
    va_start (arguments, format);
    char *message = error_format (format, arguments, NULL);
    va_end (arguments);
    *error = error_make (EDDY_IO_ERROR, (int) code, error_number, message);
}

void eddy_error_prefix_valist (EddyError **error, const char *format, va_list arguments)
{
    if (error == NULL || *error == NULL)
        return;
    EddyError *plain = *error;
    char *prefix = error_format (format, arguments, NULL);
    size_t size = prefix == NULL ? 0 : strlen (prefix) + strlen (plain->message) + 1;
    char *message = size == 0 ? NULL : eddy__alloc (size);
    if (message != NULL)
        snprintf (message, size, "%s%s", prefix, plain->message);
    eddy__free (prefix);
    /* Without memory the error itself tells more than the lack of it. */
    if (message == NULL)
        return;
    *error = error_make (plain->domain, plain->code, plain->error_number, message);
    eddy_unref (plain);
}

void eddy_error_prefix (EddyError **error, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    eddy_error_prefix_valist (error, format, arguments);
    va_end (arguments);
}

bool eddy_error_matches (const EddyError *error, const char *domain, int code)
{
    return error != NULL && error->code == code && strcmp (error->domain, domain) == 0;
}

bool eddy_error_is_cancelled (const EddyError *error)
{
    return eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED);
}

bool eddy_error_is_closed (const EddyError *error)
{
    return eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED);
}

const char *eddy_error_get_domain (const EddyError *error)
{
    EDDY__EXPECT (error != NULL, NULL);
    return error->domain;
}

int eddy_error_get_code (const EddyError *error)
{
    EDDY__EXPECT (error != NULL, -1);
    return error->code;
}

const char *eddy_error_get_message (const EddyError *error)
{
    EDDY__EXPECT (error != NULL, "");
    return error->message;
}

int eddy_error_get_errno (const EddyError *error)
{
    return error == NULL ? 0 : error->error_number;
}

static const struct {
    int error_number;
    EddyIOErrorCode code;
} error_codes[] = {
    { ENOENT, EDDY_IO_ERROR_NOT_FOUND },
    { EEXIST, EDDY_IO_ERROR_EXISTS },
    { EISDIR, EDDY_IO_ERROR_IS_DIRECTORY },
    { ENOTDIR, EDDY_IO_ERROR_NOT_DIRECTORY },
    { ENOTEMPTY, EDDY_IO_ERROR_NOT_EMPTY },
    { ENAMETOOLONG, EDDY_IO_ERROR_FILENAME_TOO_LONG },
    { ELOOP, EDDY_IO_ERROR_TOO_MANY_LINKS },
    { EMLINK, EDDY_IO_ERROR_TOO_MANY_LINKS },
    { ENOSPC, EDDY_IO_ERROR_NO_SPACE },
    { EDQUOT, EDDY_IO_ERROR_NO_SPACE },
    { EINVAL, EDDY_IO_ERROR_INVALID_ARGUMENT },
    { EBADF, EDDY_IO_ERROR_INVALID_ARGUMENT },
    { EPERM, EDDY_IO_ERROR_PERMISSION_DENIED },
    { EACCES, EDDY_IO_ERROR_PERMISSION_DENIED },
    { ENOSYS, EDDY_IO_ERROR_NOT_SUPPORTED },
    { EOPNOTSUPP, EDDY_IO_ERROR_NOT_SUPPORTED },
    { EXDEV, EDDY_IO_ERROR_NOT_SUPPORTED },
    { ECANCELED, EDDY_IO_ERROR_CANCELLED },
    { EROFS, EDDY_IO_ERROR_READ_ONLY },
    { ETIMEDOUT, EDDY_IO_ERROR_TIMED_OUT },
    { ETIME, EDDY_IO_ERROR_TIMED_OUT },
    { EBUSY, EDDY_IO_ERROR_BUSY },
    { ETXTBSY, EDDY_IO_ERROR_BUSY },
    { EAGAIN, EDDY_IO_ERROR_WOULD_BLOCK },
    { EMFILE, EDDY_IO_ERROR_TOO_MANY_OPEN_FILES },
    { ENFILE, EDDY_IO_ERROR_TOO_MANY_OPEN_FILES },
    { EPIPE, EDDY_IO_ERROR_BROKEN_PIPE },
    { ENOMEM, EDDY_IO_ERROR_NO_MEMORY },
    { ENOBUFS, EDDY_IO_ERROR_NO_MEMORY },
    { EADDRINUSE, EDDY_IO_ERROR_ADDRESS_IN_USE },
    { EHOSTUNREACH, EDDY_IO_ERROR_HOST_UNREACHABLE },
    { ENETUNREACH, EDDY_IO_ERROR_NETWORK_UNREACHABLE },
    { ECONNREFUSED, EDDY_IO_ERROR_CONNECTION_REFUSED },
    { ECONNRESET, EDDY_IO_ERROR_CONNECTION_CLOSED },
    { ECONNABORTED, EDDY_IO_ERROR_CONNECTION_CLOSED },
    { ENOTCONN, EDDY_IO_ERROR_NOT_CONNECTED },
    { EMSGSIZE, EDDY_IO_ERROR_MESSAGE_TOO_LARGE },
    { EAFNOSUPPORT, EDDY_IO_ERROR_NOT_SUPPORTED },
    { EPROTONOSUPPORT, EDDY_IO_ERROR_NOT_SUPPORTED },
};

EddyIOErrorCode eddy_io_error_from_errno (int error_number)
{
    for (size_t i = 0; i < sizeof error_codes / sizeof error_codes[0]; i++)
        if (error_codes[i].error_number == error_number)
            return error_codes[i].code;
    return EDDY_IO_ERROR_FAILED;
}
