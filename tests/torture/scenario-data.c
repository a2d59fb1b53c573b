/* SPDX-License-Identifier: MIT */
/*
 * Lines and numbers: written through a buffer to a pipe, read by lines in a fiber, by callbacks
 * from what is there, and as a sequence.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "torture.h"

enum { LINES = 60 };

/* ---- Through a pipe ------------------------------------------------------------------------ */

/* Each end is closed by a call that no fault strikes, so the other one ends. */
typedef struct Pipe {
    EddyOutputStream *in;
    EddyDataInputStream *out;
    int fds[2];
    int n_read;
    bool is_cut; /* what was read ended within a line */
} Pipe;

static void pipe_close_end (Pipe *pipe, int which)
{
    close (pipe->fds[which]);
    pipe->fds[which] = -1;
}

static void *write_lines (void *data, EddyError **error)
{
    Pipe *pipe = data;
    EddyDataOutputStream *output =
        torture_made ("a stream", eddy_data_output_stream_new (pipe->in));
    bool good = output != NULL;
    for (uint32_t i = 0; i < LINES && good; i++)
        good = eddy_data_output_stream_put_string (output, "a line of text\n", NULL, error) &&
               eddy_data_output_stream_put_uint32 (output, i, NULL, error);
    if (good)
        (void) eddy_output_stream_close (EDDY_OUTPUT_STREAM (output), NULL, error);
    else if (pipe->in != NULL) /* what is held back then is lost, which the close has to tell */
        (void) eddy_output_stream_close (pipe->in, NULL, NULL);
    eddy_unref (output);
    return NULL;
}

static void end_writing (void *data)
{
    pipe_close_end (data, 1);
}

static void *read_lines (void *data, EddyError **error)
{
    Pipe *pipe = data;
    char *line;
    while ((line = eddy_data_input_stream_read_line_utf8 (pipe->out, NULL, NULL, error)) != NULL) {
        uint32_t number;
        bool is_whole = strcmp (line, "a line of text") == 0;
        /* Who failed in the middle of a line leaves its beginning, and that is the last. */
        torture_require (strncmp (line, "a line of text", strlen (line)) == 0);
        eddy_free (line);
        if (!is_whole) {
            pipe->is_cut = true;
            return NULL;
        }
        if (!eddy_data_input_stream_read_uint32 (pipe->out, &number, NULL, error))
            return NULL;
        torture_require (number == (uint32_t) pipe->n_read);
        pipe->n_read++;
    }
    return NULL;
}

static void end_reading (void *data)
{
    pipe_close_end (data, 0);
}

static bool pipe_make (Pipe *pipe)
{
    EddyOutputStream *output =
        torture_made ("a stream", eddy_fd_output_stream_new (pipe->fds[1], false));
    EddyInputStream *input =
        torture_made ("a stream", eddy_fd_input_stream_new (pipe->fds[0], false));
    if (output != NULL)
        pipe->in = torture_made ("a buffer", eddy_buffered_output_stream_new_sized (output, 200));
    if (input != NULL)
        pipe->out = torture_made ("a reader", eddy_data_input_stream_new (input));
    eddy_unref (output);
    eddy_unref (input);
    return pipe->in != NULL && pipe->out != NULL;
}

static const TortureEnds line_ends = { write_lines, end_writing, read_lines, end_reading,
                                       /* tells_cut= */ true };

TORTURE_SCENARIO (data_lines_through_a_pipe)
{
    Pipe pipe = { .fds = { -1, -1 } };
    torture_require (pipe2 (pipe.fds, O_CLOEXEC) == 0);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL && pipe_make (&pipe))
        torture_run_ends (context, &line_ends, &pipe);
    torture_end ();
    torture_context_end (context);
    if (!torture_has_failed ())
        torture_require (pipe.n_read == LINES && !pipe.is_cut);
    if (pipe.in != NULL)
        (void) eddy_output_stream_close (pipe.in, NULL, NULL);
    eddy_unref (pipe.in);
    eddy_unref (pipe.out);
    for (int i = 0; i < 2; i++)
        if (pipe.fds[i] >= 0)
            close (pipe.fds[i]);
}

/* ---- From memory --------------------------------------------------------------------------- */

static EddyDataInputStream *make_reader (const char *text)
{
    EddyBytes *bytes = eddy_bytes_new (text, strlen (text));
    EddyInputStream *input = bytes == NULL ? NULL : eddy_memory_input_stream_new_from_bytes (bytes);
    EddyDataInputStream *reader = input == NULL ? NULL : eddy_data_input_stream_new (input);
    eddy_unref (bytes);
    eddy_unref (input);
    return torture_made ("a reader", reader);
}

typedef struct Reading {
    EddyDataInputStream *reader;
    int calls;
    int lines;
    bool has_failed;
} Reading;

/* A line that could not be read is still there: it is asked for again. */
static void line_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Reading *reading = user_data;
    EddyError *error = NULL;
    char *line = eddy_data_input_stream_read_line_finish (source_object, result, NULL, &error);
    if (line == NULL && error == NULL) {
        reading->calls = 1;
        return;
    }
    if (line == NULL) {
        torture_error ("a line", &error);
        if (reading->has_failed) { /* for good */
            reading->calls = 1;
            return;
        }
        reading->has_failed = true;
    } else {
        torture_require (strlen (line) == 3);
        reading->lines++;
        eddy_free (line);
    }
    eddy_data_input_stream_read_line_async (reading->reader, 0, NULL, line_read, reading);
}

TORTURE_SCENARIO (data_lines_by_callbacks)
{
    Reading reading = { .calls = 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    reading.reader = make_reader ("one\ntwo\nsix\nten");
    if (context != NULL && reading.reader != NULL) {
        eddy_data_input_stream_read_line_async (reading.reader, 0, NULL, line_read, &reading);
        torture_run_until (context, &reading.calls, 1);
    }
    torture_end ();
    torture_context_end (context);
    if (!torture_has_failed ())
        torture_require (reading.lines == 4);
    eddy_unref (reading.reader);
}

TORTURE_SCENARIO (data_lines_as_a_sequence)
{
    EddyError *error = NULL;
    int lines = 0;
    char *line;
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyDataInputStream *reader = make_reader ("one\ntwo\n\nthree");
    EddySequence *sequence =
        reader == NULL || context == NULL
            ? NULL
            : torture_made ("a sequence", eddy_data_input_stream_to_sequence (reader));
    if (sequence != NULL) {
        while ((line = eddy_sequence_next (sequence, NULL, &error)) != NULL) {
            lines++;
            eddy_free (line);
        }
        if (error != NULL)
            torture_error ("a line", &error);
    }
    eddy_unref (sequence);
    torture_end ();
    torture_context_end (context);
    if (!torture_has_failed ())
        torture_require (lines == 4);
    eddy_unref (reader);
}
