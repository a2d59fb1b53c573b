/* SPDX-License-Identifier: MIT */
/* EddyConverter: a piece at a time, and all at once. */
#include "io/converter-private.h"

#include <errno.h>
#include <eddy/blocking.h>
#include <eddy/fiber.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/bytes-private.h"
#include "base/object-private.h"

static const EddyConverterClass *converter_class (EddyConverter *converter)
{
    return (const EddyConverterClass *) (const void *) converter->object.object_class;
}

EddyConverterResult eddy_converter_convert (EddyConverter *converter, const void *input,
                                            size_t input_size, void *output, size_t output_size,
                                            EddyConverterFlags flags, size_t *bytes_read,
                                            size_t *bytes_written, EddyError **error)
{
    EDDY__EXPECT (bytes_read != NULL && bytes_written != NULL, EDDY_CONVERTER_ERROR);
    *bytes_read = 0;
    *bytes_written = 0;
    EDDY__EXPECT (converter != NULL && (input != NULL || input_size == 0), EDDY_CONVERTER_ERROR);
    EDDY__EXPECT (output != NULL && output_size > 0, EDDY_CONVERTER_ERROR);
    EddyConverterResult result = converter_class (converter)->convert (
        converter, input, input_size, output, output_size, flags, bytes_read, bytes_written, error);
    if (EDDY__LIKELY (result != EDDY_CONVERTER_CONVERTED || *bytes_read > 0 || *bytes_written > 0))
        return result;
    /* A kind that does nothing and calls it done would have us try for ever. */
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s: nothing was converted",
                    converter->object.object_class->name);
    return EDDY_CONVERTER_ERROR;
}

void eddy_converter_reset (EddyConverter *converter)
{
    EDDY__EXPECT (converter != NULL);
    converter_class (converter)->reset (converter);
}

/* --- all of some bytes ------------------------------------------------------------------------ */

/* Converts into bytes that grow; `*made` of them are used. */
static bool converter_convert_all (EddyConverter *converter, const EddyBytes *bytes,
                                   EddyBytes **output, size_t *made, EddyError **error)
{
    const char *input = eddy_bytes_get_data (bytes);
    size_t left = eddy_bytes_get_size (bytes);
    for (EddyConverterResult result = EDDY_CONVERTER_CONVERTED;
         result != EDDY_CONVERTER_FINISHED;) {
        size_t size = eddy_bytes_get_size (*output), read, written;
        if (size - *made < EDDY__CONVERTER_ROOM) {
            EddyBytes *grown = eddy__bytes_resize (*output, size * 2);
            if (grown == NULL) {
                eddy_error_set_errno (error, ENOMEM, "%zu bytes converted", *made);
                return false;
            }
            *output = grown;
            size *= 2;
        }
        result = eddy_converter_convert (converter, input, left,
                                         eddy__bytes_get_writable (*output) + *made, size - *made,
                                         EDDY_CONVERTER_INPUT_AT_END, &read, &written, error);
        if (result == EDDY_CONVERTER_ERROR)
            return false;
        input += read;
        left -= read;
        *made += written;
    }
    if (left == 0)
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA,
                    "%zu bytes follow the end of what can be converted", left);
    return false;
}

EddyBytes *eddy_converter_convert_bytes (EddyConverter *converter, EddyBytes *bytes,
                                         EddyError **error)
{
    EDDY__EXPECT (converter != NULL && bytes != NULL, NULL);
    EddyBytes *output = eddy__bytes_new_uninitialised (4 * EDDY__CONVERTER_ROOM);
    if (output == NULL) {
        eddy_error_set_errno (error, ENOMEM, "converting");
        return NULL;
    }
    size_t made = 0;
    eddy_converter_reset (converter);
    bool done = converter_convert_all (converter, bytes, &output, &made, error);
    eddy_converter_reset (converter);
    return done ? eddy__bytes_shrink (output, made) : eddy_unref (output);
}

/* --- for streams ------------------------------------------------------------------------------ */

bool eddy__converter_buffer_prepare (EddyConverterBuffer *buffer, size_t size, EddyError **error)
{
    if (EDDY__LIKELY (buffer->data != NULL))
        return true;
    buffer->data = eddy__alloc (size);
    buffer->size = size;
    if (buffer->data == NULL)
        eddy_error_set_errno (error, ENOMEM, "converting");
    return buffer->data != NULL;
}

void eddy__converter_buffer_take (EddyConverterBuffer *buffer, size_t count)
{
    buffer->begin += count;
    if (buffer->begin == buffer->end)
        buffer->begin = buffer->end = 0;
}

size_t eddy__converter_buffer_room (EddyConverterBuffer *buffer)
{
    if (buffer->begin > 0) {
        memmove (buffer->data, buffer->data + buffer->begin, buffer->end - buffer->begin);
        buffer->end -= buffer->begin;
        buffer->begin = 0;
    }
    return buffer->size - buffer->end;
}

typedef struct ConverterStep {
    EddyConverter *converter;
    const char *name;
    const void *input;
    size_t input_size;
    void *output;
    size_t output_size;
    EddyConverterFlags flags;
    size_t bytes_read;
    size_t bytes_written;
    EddyConverterResult result;
} ConverterStep;

static void *converter_step_run (void *data, EddyCancellable *cancellable, EddyError **error)
{
    ConverterStep *step = data;
    (void) cancellable;
    step->result = eddy_converter_convert (step->converter, step->input, step->input_size,
                                           step->output, step->output_size, step->flags,
                                           &step->bytes_read, &step->bytes_written, error);
    if (step->result == EDDY_CONVERTER_ERROR)
        eddy_error_prefix (error, "%s: ", step->name);
    return NULL;
}

EddyConverterResult eddy__converter_step (EddyConverter *converter, const char *name,
                                          EddyConverterBuffer *input, void *output,
                                          size_t output_size, EddyConverterFlags flags,
                                          size_t *bytes_written, EddyCancellable *cancellable,
                                          EddyError **error)
{
    const EddyConverterClass *self = converter_class (converter);
    ConverterStep step = { .converter = converter,
                           .name = name,
                           .input = input->data + input->begin,
                           .input_size = eddy__converter_buffer_count (input),
                           .output = output,
                           .output_size = output_size,
                           .flags = flags,
                           .result = EDDY_CONVERTER_ERROR };
    bool is_long = self->worker_input_size > 0 && step.input_size >= self->worker_input_size &&
                   output_size >= self->worker_output_size;
    if (is_long && eddy_in_fiber ())
        (void) eddy_run_blocking (converter_step_run, &step, NULL, cancellable, error);
    else
        (void) converter_step_run (&step, cancellable, error);
    if (step.result != EDDY_CONVERTER_ERROR)
        eddy_clear_error (error); /* whatever has become of the worker's job: it was done */
    eddy__converter_buffer_take (input, step.bytes_read);
    *bytes_written = step.bytes_written;
    return step.result;
}

bool eddy__converter_wants_more (EddyError **error)
{
    if (!eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT))
        return false;
    eddy_clear_error (error);
    return true;
}
