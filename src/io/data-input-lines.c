/* SPDX-License-Identifier: MIT */
/* Lines, and text up to a stop. Nothing is taken out of the buffer before it is whole there, so a
 * cancel or an error leaves everything to be read again; what was looked at once is not looked at
 * again when more has come. */
#include <eddy/data-input-stream-bodies.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "base/utf8-private.h"
#include "io/data-input-private.h"
#include "io/stream-private.h"

/* Two kinds of ends are looked for in turn in pieces of this size: were it the whole buffer, each
 * short line that the one kind ends would have the other looked for to the buffer's end. */
enum { TEXT_PIECE = 256 };

/* What is being read, and how far it is found. */
typedef struct Text {
    EddyDataInputStream *stream;
    const uint64_t *stops; /* a bit for each byte that it ends before; NULL: it is a line */
    size_t scanned;        /* so many bytes are sure to be of it */
    size_t length;         /* when it is found: of it */
    size_t end_length;     /* of what ends it, which is passed over with it */
} Text;

/* --- looking for the end ---------------------------------------------------------------------- */

/* How `text` ends: at a byte of its own, which may be the first of two. */
static bool text_found (Text *text, size_t length, size_t end_length)
{
    text->length = length;
    text->end_length = end_length;
    return true;
}

static bool text_find_byte (Text *text, const char *bytes, size_t count, int byte)
{
    const char *found = memchr (bytes + text->scanned, byte, count - text->scanned);
    if (found != NULL)
        return text_found (text, (size_t) (found - bytes), 1);
    text->scanned = count;
    return false;
}

/* A CR that came last may turn out to be the end's, so it counts as not looked at. */
static bool text_find_cr_lf (Text *text, const char *bytes, size_t count)
{
    const char *found = memmem (bytes + text->scanned, count - text->scanned, "\r\n", 2);
    if (found != NULL)
        return text_found (text, (size_t) (found - bytes), 2);
    text->scanned = count > 0 && bytes[count - 1] == '\r' ? count - 1 : count;
    return false;
}

static bool text_find_any (Text *text, const char *bytes, size_t count)
{
    while (text->scanned < count) {
        const char *from = bytes + text->scanned;
        size_t left = count - text->scanned;
        size_t piece = left < TEXT_PIECE ? left : TEXT_PIECE;
        const char *feed = memchr (from, '\n', piece);
        const char *found = memchr (from, '\r', feed != NULL ? (size_t) (feed - from) : piece);
        if (found == NULL)
            found = feed;
        if (found != NULL) {
            size_t length = (size_t) (found - bytes);
            bool is_pair = *found == '\r' && length + 1 < count && found[1] == '\n';
            return text_found (text, length, is_pair ? 2 : 1);
        }
        text->scanned += piece;
    }
    return false;
}

static bool text_find_stop (Text *text, const char *bytes, size_t count)
{
    for (size_t at = text->scanned; at < count; at++) {
        unsigned char byte = (unsigned char) bytes[at];
        if ((text->stops[byte / 64] >> (byte % 64) & 1) != 0)
            return text_found (text, at, 0);
    }
    text->scanned = count;
    return false;
}

/* Whether the end is in the buffer. */
static bool text_find (Text *text)
{
    EddyBufferedInputStream *buffered = &text->stream->buffered;
    size_t count = eddy__buffered_input_get_count (buffered);
    if (text->scanned == count) /* also without a buffer */
        return false;
    const char *bytes = eddy__buffered_input_get_bytes (buffered);
    if (text->stops != NULL)
        return text_find_stop (text, bytes, count);
    switch (text->stream->newline_type) {
    case EDDY_DATA_STREAM_NEWLINE_TYPE_CR:
        return text_find_byte (text, bytes, count, '\r');
    case EDDY_DATA_STREAM_NEWLINE_TYPE_CR_LF:
        return text_find_cr_lf (text, bytes, count);
    case EDDY_DATA_STREAM_NEWLINE_TYPE_ANY:
        return text_find_any (text, bytes, count);
    case EDDY_DATA_STREAM_NEWLINE_TYPE_LF:
    default:
        return text_find_byte (text, bytes, count, '\n');
    }
}

/* Passes over bytes of it, and over its end. A LF that belongs to a CR may be still to come. */
static void text_pass (Text *text, size_t length, size_t end_length)
{
    EddyBufferedInputStream *buffered = &text->stream->buffered;
    buffered->start += length + end_length;
    if (end_length == 1 && buffered->start == buffered->end)
        buffered->drops_line_feed =
            text->stream->newline_type == EDDY_DATA_STREAM_NEWLINE_TYPE_ANY &&
            buffered->buffer[buffered->start - 1] == '\r';
}

/* --- waiting for it --------------------------------------------------------------------------- */

static bool text_is_too_long (Text *text, size_t length, EddyError **error)
{
    size_t limit = text->stream->max_length;
    if (EDDY__LIKELY (length <= limit))
        return false;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_LIMIT_EXCEEDED,
                    "%s: %s is longer than %zu bytes",
                    eddy__input_stream_get_name (EDDY_INPUT_STREAM (text->stream)),
                    text->stops == NULL ? "a line" : "a text", limit);
    return true;
}

/* Has all of it in the buffer, the stream having begun. 1; 0 at the end of the stream; -1. */
static int text_require (Text *text, EddyCancellable *cancellable, EddyError **error)
{
    EddyBufferedInputStream *buffered = &text->stream->buffered;
    while (!text_find (text)) {
        if (text_is_too_long (text, text->scanned, error))
            return -1;
        ssize_t answer = eddy__buffered_input_fill (buffered, SIZE_MAX, cancellable, error);
        if (answer < 0)
            return -1;
        if (answer == 0) {
            text_found (text, eddy__buffered_input_get_count (buffered), 0);
            return text->length == 0 ? 0 : text_is_too_long (text, text->length, error) ? -1 : 1;
        }
    }
    return text_is_too_long (text, text->length, error) ? -1 : 1;
}

/* --- handing it out --------------------------------------------------------------------------- */

/* Takes it out of the buffer; NULL when memory is out: it stays. */
static char *text_take (Text *text, size_t *length, EddyError **error)
{
    const char *bytes = eddy__buffered_input_get_bytes (&text->stream->buffered);
    char *copy = eddy__alloc (text->length + 1);
    if (EDDY__UNLIKELY (copy == NULL)) {
        eddy_error_set_errno (error, ENOMEM, "%s: a line of %zu bytes",
                              eddy__input_stream_get_name (EDDY_INPUT_STREAM (text->stream)),
                              text->length);
        return NULL;
    }
    memcpy (copy, bytes, text->length);
    copy[text->length] = '\0';
    if (length != NULL)
        *length = text->length;
    text_pass (text, text->length, text->end_length);
    return copy;
}

/* The same of text in UTF-8: other text is passed over. */
static char *text_take_utf8 (Text *text, size_t *length, EddyError **error)
{
    const char *bytes = eddy__buffered_input_get_bytes (&text->stream->buffered);
    if (eddy__utf8_is_valid (bytes, text->length))
        return text_take (text, length, error);
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA,
                    "%s: a line is not text in UTF-8",
                    eddy__input_stream_get_name (EDDY_INPUT_STREAM (text->stream)));
    text_pass (text, text->length, text->end_length);
    return NULL;
}

typedef char *(*TextTakeFunc) (Text *text, size_t *length, EddyError **error);

/* The body of an operation that reads text. */
static char *text_read (Text *text, TextTakeFunc take, size_t *length, EddyCancellable *cancellable,
                        EddyError **error)
{
    EddyStream *stream = eddy__data_input_get_stream (text->stream);
    if (length != NULL)
        *length = 0;
    if (!eddy__stream_begin (stream, cancellable, error))
        return NULL;
    char *taken = NULL;
    if (text_require (text, cancellable, error) > 0)
        taken = take (text, length, error);
    eddy__stream_end (stream);
    return taken;
}

/* Its request: nobody has to wait where the end, or the limit, is in the buffer. */
static bool text_request (EddyOp *op, Text *text, EddyError **error)
{
    EddyStream *stream = eddy__data_input_get_stream (text->stream);
    if (!eddy__stream_claim (stream, error))
        return false;
    if (text_find (text) || text->scanned > text->stream->max_length) {
        eddy__op_init_ready (op);
        return true;
    }
    eddy__stream_end (stream);
    return false;
}

static char *text_result (const EddyOp *op, Text *text, TextTakeFunc take, size_t *length,
                          EddyError **error)
{
    if (length != NULL)
        *length = 0;
    if (!eddy__buffered_input_end_ready (&text->stream->buffered, op, error))
        return NULL;
    size_t known = text_find (text) ? text->length : text->scanned;
    return text_is_too_long (text, known, error) ? NULL : take (text, length, error);
}

/* --- lines ------------------------------------------------------------------------------------ */

char *eddy_data_input_stream_read_line_body (EddyDataInputStream *stream, size_t *length,
                                             EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (eddy__data_input_is (stream), NULL);
    Text text = { .stream = stream };
    return text_read (&text, text_take, length, cancellable, error);
}

bool eddy_data_input_stream_read_line_request (EddyOp *op, EddyDataInputStream *stream,
                                               EddyError **error)
{
    EDDY__EXPECT (eddy__data_input_is (stream), false);
    Text text = { .stream = stream };
    return text_request (op, &text, error);
}

char *eddy_data_input_stream_read_line_result (const EddyOp *op, EddyDataInputStream *stream,
                                               size_t *length, EddyError **error)
{
    Text text = { .stream = stream };
    return text_result (op, &text, text_take, length, error);
}

char *eddy_data_input_stream_read_line_utf8_body (EddyDataInputStream *stream, size_t *length,
                                                  EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (eddy__data_input_is (stream), NULL);
    Text text = { .stream = stream };
    return text_read (&text, text_take_utf8, length, cancellable, error);
}

bool eddy_data_input_stream_read_line_utf8_request (EddyOp *op, EddyDataInputStream *stream,
                                                    EddyError **error)
{
    return eddy_data_input_stream_read_line_request (op, stream, error);
}

char *eddy_data_input_stream_read_line_utf8_result (const EddyOp *op, EddyDataInputStream *stream,
                                                    size_t *length, EddyError **error)
{
    Text text = { .stream = stream };
    return text_result (op, &text, text_take_utf8, length, error);
}

const char *eddy_data_input_stream_borrow_line (EddyDataInputStream *stream, size_t *length,
                                                EddyCancellable *cancellable, EddyError **error)
{
    if (length != NULL)
        *length = 0;
    EDDY__EXPECT (eddy__data_input_is (stream) && length != NULL, NULL);
    if (!eddy__stream_begin (eddy__data_input_get_stream (stream), cancellable, error))
        return NULL;
    Text text = { .stream = stream };
    const char *line = NULL;
    if (text_require (&text, cancellable, error) > 0) {
        line = eddy__buffered_input_get_bytes (&stream->buffered);
        *length = text.length;
        text_pass (&text, text.length, text.end_length);
    }
    eddy__stream_end (eddy__data_input_get_stream (stream));
    return line;
}

/* What is not sure to be of the line may be the first half of its end, and stays. */
static ssize_t text_skip (Text *text, EddyCancellable *cancellable, EddyError **error)
{
    EddyBufferedInputStream *buffered = &text->stream->buffered;
    size_t skipped = 0;
    while (!text_find (text)) {
        text_pass (text, text->scanned, 0);
        skipped += text->scanned;
        text->scanned = 0;
        ssize_t answer = eddy__buffered_input_fill (buffered, SIZE_MAX, cancellable, error);
        if (answer < 0)
            return -1;
        if (answer == 0) {
            text_found (text, eddy__buffered_input_get_count (buffered), 0);
            break;
        }
    }
    text_pass (text, text->length, text->end_length);
    return (ssize_t) (skipped + text->length + text->end_length);
}

ssize_t eddy_data_input_stream_skip_line_body (EddyDataInputStream *stream,
                                               EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (eddy__data_input_is (stream), -1);
    if (!eddy__stream_begin (eddy__data_input_get_stream (stream), cancellable, error))
        return -1;
    Text text = { .stream = stream };
    ssize_t answer = text_skip (&text, cancellable, error);
    eddy__stream_end (eddy__data_input_get_stream (stream));
    return answer;
}

/* --- up to a stop ----------------------------------------------------------------------------- */

/* `stops` has room for a bit for each byte. */
static Text text_upto (EddyDataInputStream *stream, const char *stop_chars, ssize_t stop_chars_len,
                       uint64_t stops[4])
{
    size_t count = stop_chars_len < 0 ? strlen (stop_chars) : (size_t) stop_chars_len;
    memset (stops, 0, 4 * sizeof *stops);
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char) stop_chars[i];
        stops[byte / 64] |= UINT64_C (1) << byte % 64;
    }
    return (Text){ .stream = stream, .stops = stops };
}

char *eddy_data_input_stream_read_upto_body (EddyDataInputStream *stream, const char *stop_chars,
                                             ssize_t stop_chars_len, size_t *length,
                                             EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (eddy__data_input_is (stream), NULL);
    EDDY__EXPECT (stop_chars != NULL || stop_chars_len == 0, NULL);
    uint64_t stops[4];
    Text text = text_upto (stream, stop_chars, stop_chars_len, stops);
    return text_read (&text, text_take, length, cancellable, error);
}

bool eddy_data_input_stream_read_upto_request (EddyOp *op, EddyDataInputStream *stream,
                                               const char *stop_chars, ssize_t stop_chars_len,
                                               EddyError **error)
{
    EDDY__EXPECT (eddy__data_input_is (stream), false);
    EDDY__EXPECT (stop_chars != NULL || stop_chars_len == 0, false);
    uint64_t stops[4];
    Text text = text_upto (stream, stop_chars, stop_chars_len, stops);
    return text_request (op, &text, error);
}

char *eddy_data_input_stream_read_upto_result (const EddyOp *op, EddyDataInputStream *stream,
                                               const char *stop_chars, ssize_t stop_chars_len,
                                               size_t *length, EddyError **error)
{
    uint64_t stops[4];
    Text text = text_upto (stream, stop_chars, stop_chars_len, stops);
    return text_result (op, &text, text_take, length, error);
}
