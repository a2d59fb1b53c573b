/* SPDX-License-Identifier: MIT */
/* EddyError: what went wrong, and with what. */
#ifndef EDDY_ERROR_H
#define EDDY_ERROR_H

#include <eddy/object.h>
#include <stdarg.h>

EDDY_BEGIN_DECLS

/** An error: a domain, a code and a message. Immutable and shared; give it up with eddy_unref(). */
typedef struct EddyError EddyError;

/** The domain of Eddy's own errors; the codes are of EddyIOErrorCode. A domain is a static string
 * that is compared by its text. */
#define EDDY_IO_ERROR "eddy-io-error"

/** Codes of EDDY_IO_ERROR, named as GIO names them. */
typedef enum EddyIOErrorCode {
    EDDY_IO_ERROR_FAILED,
    EDDY_IO_ERROR_NOT_FOUND,
    EDDY_IO_ERROR_EXISTS,
    EDDY_IO_ERROR_IS_DIRECTORY,
    EDDY_IO_ERROR_NOT_DIRECTORY,
    EDDY_IO_ERROR_NOT_EMPTY,
    EDDY_IO_ERROR_NOT_REGULAR_FILE,
    EDDY_IO_ERROR_NOT_SYMBOLIC_LINK,
    EDDY_IO_ERROR_FILENAME_TOO_LONG,
    EDDY_IO_ERROR_INVALID_FILENAME,
    EDDY_IO_ERROR_TOO_MANY_LINKS,
    EDDY_IO_ERROR_NO_SPACE,
    EDDY_IO_ERROR_INVALID_ARGUMENT,
    EDDY_IO_ERROR_PERMISSION_DENIED,
    EDDY_IO_ERROR_NOT_SUPPORTED,
    EDDY_IO_ERROR_CLOSED,
    EDDY_IO_ERROR_CANCELLED,
    EDDY_IO_ERROR_PENDING,
    EDDY_IO_ERROR_READ_ONLY,
    EDDY_IO_ERROR_CANT_CREATE_BACKUP,
    EDDY_IO_ERROR_WRONG_ETAG,
    EDDY_IO_ERROR_TIMED_OUT,
    EDDY_IO_ERROR_WOULD_RECURSE,
    EDDY_IO_ERROR_BUSY,
    EDDY_IO_ERROR_WOULD_BLOCK,
    EDDY_IO_ERROR_WOULD_MERGE,
    EDDY_IO_ERROR_TOO_MANY_OPEN_FILES,
    EDDY_IO_ERROR_NOT_INITIALIZED,
    EDDY_IO_ERROR_PARTIAL_INPUT,
    EDDY_IO_ERROR_INVALID_DATA,
    EDDY_IO_ERROR_BROKEN_PIPE,
    EDDY_IO_ERROR_NO_MEMORY,
    EDDY_IO_ERROR_LIMIT_EXCEEDED,
    EDDY_IO_ERROR_ABANDONED,
    EDDY_IO_ERROR_TAKEN,
    EDDY_IO_ERROR_ADDRESS_IN_USE,
    EDDY_IO_ERROR_HOST_NOT_FOUND,
    EDDY_IO_ERROR_HOST_UNREACHABLE,
    EDDY_IO_ERROR_NETWORK_UNREACHABLE,
    EDDY_IO_ERROR_CONNECTION_REFUSED,
    /** The peer has reset it. GIO makes this one and BROKEN_PIPE the same. */
    EDDY_IO_ERROR_CONNECTION_CLOSED,
    EDDY_IO_ERROR_NOT_CONNECTED,
    EDDY_IO_ERROR_MESSAGE_TOO_LARGE
} EddyIOErrorCode;

/**
 * Makes an error.
 *
 * @domain: a static string
 * @code: a code of that domain
 * @format: the message, as for printf
 *
 * Returns: the error, with one reference; never NULL (out of memory is an error too)
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyError *eddy_error_new (const char *domain, int code, const char *format, ...)
    EDDY_PRINTF (3, 4) EDDY_MUST_USE;

/**
 * Makes an error of EDDY_IO_ERROR from an errno value; the message is the formatted text, a colon
 * and strerror's text.
 *
 * @error_number: a value of errno, above 0
 * @format: what was done to what, as for printf
 *
 * Returns: the error, with one reference; never NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyError *eddy_error_new_errno (int error_number, const char *format, ...)
    EDDY_PRINTF (2, 3) EDDY_MUST_USE;

/** The same with a message that is no format. Thread: any. Since: 0.1 */
EDDY_API EddyError *eddy_error_new_literal (const char *domain, int code,
                                            const char *message) EDDY_MUST_USE;

/** eddy_error_new() with its arguments in a list. Thread: any. Since: 0.1 */
EDDY_API EddyError *eddy_error_new_valist (const char *domain, int code, const char *format,
                                           va_list arguments) EDDY_PRINTF (3, 0) EDDY_MUST_USE;

/**
 * Puts a text before the message of an error that was set. Errors are immutable, so `*error`
 * becomes another one, with the same domain, code and errno.
 *
 * @error: where the error is; NULL, or no error there: nothing happens
 * @format: the text, as for printf; it stands right before the message, so end it with ": "
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_error_prefix (EddyError **error, const char *format, ...) EDDY_PRINTF (2, 3);

/** eddy_error_prefix() with its arguments in a list. Thread: any. Since: 0.1 */
EDDY_API void eddy_error_prefix_valist (EddyError **error, const char *format, va_list arguments)
    EDDY_PRINTF (2, 0);

/**
 * Puts an error where the caller asked for it.
 *
 * @error: where to put it; NULL: it is given up
 * @value: an error; its reference is taken
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_error_take (EddyError **error, EddyError *value);

/**
 * Makes an error and puts it where the caller asked for it.
 *
 * @error: where to put it; NULL: nothing is made
 * @domain: a static string
 * @code: a code of that domain
 * @format: the message, as for printf
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_error_set (EddyError **error, const char *domain, int code, const char *format,
                              ...) EDDY_PRINTF (4, 5);

/**
 * The same from an errno value, as eddy_error_new_errno().
 *
 * @error: where to put it; NULL: nothing is made
 * @error_number: a value of errno, above 0
 * @format: what was done to what, as for printf
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_error_set_errno (EddyError **error, int error_number, const char *format, ...)
    EDDY_PRINTF (3, 4);

/**
 * Whether an error is of a domain and a code.
 *
 * @error: an error, or NULL
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_error_matches (const EddyError *error, const char *domain, int code);

/** Whether an error says that its operation was cancelled. Thread: any. Since: 0.1 */
EDDY_API bool eddy_error_is_cancelled (const EddyError *error);

/** Whether an error says that what was asked is closed: of a channel, that no more will come.
 * Thread: any. Since: 0.1 */
EDDY_API bool eddy_error_is_closed (const EddyError *error);

/** The domain of an error. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_error_get_domain (const EddyError *error);

/** The code of an error, within its domain. Thread: any. Since: 0.1 */
EDDY_API int eddy_error_get_code (const EddyError *error);

/** The message of an error, owned by it. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_error_get_message (const EddyError *error);

/** The value of errno that an error came from; 0 when there was none. Thread: any. Since: 0.1 */
EDDY_API int eddy_error_get_errno (const EddyError *error);

/**
 * The code of EDDY_IO_ERROR that stands for an errno value.
 *
 * @error_number: a value of errno
 *
 * Returns: the code, FAILED for values that have no code of their own
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyIOErrorCode eddy_io_error_from_errno (int error_number);

/** Gives up the error that `*error` holds, if any, and sets it to NULL. */
#define eddy_clear_error(error) eddy_clear (error)

EDDY_END_DECLS

#endif
