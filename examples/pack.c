/* SPDX-License-Identifier: MIT */
/* Filter streams: compresses standard input to standard output, or decompresses it.
 *
 *   pack read|write [-d] [-f gzip|zlib|raw] [-l LEVEL] [-m BYTES]
 *
 * A converter makes bytes of bytes. A stream around it does so on the way: `read` reads what
 * standard input has, converted; `write` writes to standard output, converted. -d decompresses, and
 * with -m fails rather than make more than so many bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>
#include <eddy/zlib.h>

typedef struct Options {
    bool writes;
    bool decompresses;
    EddyZlibCompressorFormat format;
    int level;
    unsigned long long limit;
} Options;

static EddyConverter *make_converter (const Options *options)
{
    if (!options->decompresses)
        return eddy_zlib_compressor_new (options->format, options->level);
    EddyConverter *converter = eddy_zlib_decompressor_new (options->format);
    if (converter != NULL)
        eddy_zlib_decompressor_set_limit (converter, options->limit);
    return converter;
}

/* What is between input and output is one more stream on either side. */
static bool pack (const Options *options, EddyError **error)
{
    EDDY_AUTO (EddyConverter) converter = make_converter (options);
    EDDY_AUTO (EddyInputStream) input = eddy_stdin_stream_new ();
    EDDY_AUTO (EddyOutputStream) output = eddy_stdout_stream_new ();
    EDDY_AUTO (EddyInputStream) converted = NULL;
    EDDY_AUTO (EddyOutputStream) converting = NULL;
    if (options->writes)
        converting = eddy_converter_output_stream_new (output, converter);
    else
        converted = eddy_converter_input_stream_new (input, converter);
    return eddy_output_stream_splice (
        converting != NULL ? converting : output, converted != NULL ? converted : input,
        EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, NULL,
        error);
}

static bool parse_format (const char *name, EddyZlibCompressorFormat *format)
{
    static const char *const names[] = { "zlib", "gzip", "raw" };
    size_t i = 0;
    while (i < 3 && strcmp (names[i], name) != 0)
        i++;
    *format = (EddyZlibCompressorFormat) i;
    return i < 3;
}

static bool parse (Options *options, int argc, char **argv)
{
    *options = (Options){ .format = EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP, .level = -1 };
    if (argc < 2 || (strcmp (argv[1], "read") != 0 && strcmp (argv[1], "write") != 0))
        return false;
    options->writes = strcmp (argv[1], "write") == 0;
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp (argv[i], "-d") == 0)
            options->decompresses = true;
        else if (strcmp (argv[i], "-f") == 0 && parse_format (value, &options->format))
            i++;
        else if (strcmp (argv[i], "-l") == 0 && value[0] >= '0' && value[0] <= '9')
            options->level = (int) strtol (argv[++i], NULL, 10);
        else if (strcmp (argv[i], "-m") == 0 && value[0] >= '0' && value[0] <= '9')
            options->limit = strtoull (argv[++i], NULL, 10);
        else
            return false;
    }
    return true;
}

static int run (int argc, char **argv)
{
    EDDY_AUTO (EddyError) error = NULL;
    Options options;
    if (parse (&options, argc, argv) && pack (&options, &error))
        return 0;
    fprintf (stderr, "pack: %s\n", eddy_error_get_message (error));
    return 1;
}

int main (int argc, char **argv)
{
    Options options;
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    if (!parse (&options, argc, argv)) {
        fputs ("usage: pack read|write [-d] [-f gzip|zlib|raw] [-l LEVEL] [-m BYTES]\n",
               help ? stdout : stderr);
        return help ? 0 : 2;
    }
    return eddy_run (run, argc, argv);
}
