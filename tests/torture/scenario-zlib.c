/* SPDX-License-Identifier: MIT */
/*
 * Converters: bytes compressed into a pipe by one fiber, and decompressed out of it by another.
 */
#include <eddy/zlib.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "torture.h"

enum { TOTAL = 300000 };

typedef struct Packing {
    int fds[2];
    EddyOutputStream *packing;
    EddyInputStream *unpacking;
    bool is_written;
    bool is_read;
    size_t n_read;
} Packing;

/* Both ends are closed by calls that no fault strikes, so that neither fiber waits for ever. */
static void packing_close_end (Packing *self, int which)
{
    torture_require (close (self->fds[which]) == 0);
    self->fds[which] = -1;
}

static bool packing_make (Packing *self)
{
    EddyConverter *compressor = torture_made (
        "a compressor", eddy_zlib_compressor_new (EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP, 1));
    EddyConverter *decompressor = torture_made (
        "a decompressor", eddy_zlib_decompressor_new (EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP));
    EddyOutputStream *in =
        torture_made ("a stream", eddy_fd_output_stream_new (self->fds[1], /* close_fd= */ false));
    EddyInputStream *out =
        torture_made ("a stream", eddy_fd_input_stream_new (self->fds[0], /* close_fd= */ false));
    if (!torture_has_failed () &&
        !eddy_zlib_compressor_set_header (compressor, "name", INT64_C (1000000000)))
        torture_refused ("a header");
    if (!torture_has_failed ()) {
        self->packing =
            torture_made ("a stream", eddy_converter_output_stream_new (in, compressor));
        self->unpacking =
            torture_made ("a stream", eddy_converter_input_stream_new (out, decompressor));
    }
    eddy_unref (compressor);
    eddy_unref (decompressor);
    eddy_unref (in);
    eddy_unref (out);
    return !torture_has_failed ();
}

static void *packing_write (void *data, EddyError **error)
{
    static char bytes[TOTAL];
    Packing *self = data;
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = torture_byte (i);
    bool good = eddy_output_stream_write_all (self->packing, bytes, TOTAL / 2, NULL, NULL, error) &&
                eddy_output_stream_flush (self->packing, NULL, error) &&
                eddy_output_stream_write_all (self->packing, bytes + TOTAL / 2, TOTAL - TOTAL / 2,
                                              NULL, NULL, error);
    good = eddy_output_stream_close (self->packing, NULL, good ? error : NULL) && good;
    torture_require (good || *error != NULL);
    self->is_written = good;
    return NULL;
}

static void packing_drop_in (void *data)
{
    packing_close_end (data, 1);
}

/* Whatever is read is right. */
static void *packing_read (void *data, EddyError **error)
{
    static char buffer[40000];
    Packing *self = data;
    ssize_t count;
    while ((count = eddy_input_stream_read (self->unpacking, buffer, sizeof buffer, NULL, error)) >
           0)
        for (ssize_t i = 0; i < count; i++)
            torture_require (buffer[i] == torture_byte (self->n_read++));
    self->is_read = count == 0;
    return NULL;
}

static void packing_drop_out (void *data)
{
    packing_close_end (data, 0);
}

static const TortureEnds packing_ends = { packing_write, packing_drop_in, packing_read,
                                          packing_drop_out, /* tells_cut= */ true };

TORTURE_SCENARIO (zlib_packs_into_a_pipe)
{
    Packing self = { .n_read = 0 };
    torture_require (pipe2 (self.fds, O_CLOEXEC) == 0);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL && packing_make (&self))
        torture_run_ends (context, &packing_ends, &self);
    torture_end ();
    torture_context_end (context);
    /* What both hold to be whole is. */
    torture_require (torture_has_failed () || (self.is_written && self.is_read));
    if (self.is_written && self.is_read)
        torture_require (self.n_read == TOTAL);
    eddy_unref (self.packing);
    eddy_unref (self.unpacking);
    for (int i = 0; i < 2; i++)
        if (self.fds[i] >= 0)
            close (self.fds[i]);
}

/* ---- At once ------------------------------------------------------------------------------- */

TORTURE_SCENARIO (zlib_packs_bytes)
{
    static char bytes[100000];
    EddyError *error = NULL;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = torture_byte (i);
    torture_begin ();
    EddyBytes *plain = torture_made ("bytes", eddy_bytes_new (bytes, sizeof bytes));
    EddyConverter *compressor = torture_made (
        "a compressor", eddy_zlib_compressor_new (EDDY_ZLIB_COMPRESSOR_FORMAT_RAW, 1));
    EddyConverter *decompressor = torture_made (
        "a decompressor", eddy_zlib_decompressor_new (EDDY_ZLIB_COMPRESSOR_FORMAT_RAW));
    EddyBytes *packed = NULL, *again = NULL;
    if (!torture_has_failed ()) {
        packed = eddy_converter_convert_bytes (compressor, plain, &error);
        if (packed != NULL)
            again = eddy_converter_convert_bytes (decompressor, packed, &error);
        if (again == NULL)
            torture_error ("converting", &error);
    }
    torture_end ();
    if (again != NULL) {
        torture_require (eddy_bytes_get_size (again) == sizeof bytes);
        torture_require (memcmp (eddy_bytes_get_data (again), bytes, sizeof bytes) == 0);
    }
    eddy_unref (plain);
    eddy_unref (compressor);
    eddy_unref (decompressor);
    eddy_unref (packed);
    eddy_unref (again);
}
