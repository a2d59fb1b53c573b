/* SPDX-License-Identifier: MIT */
/* The styles of read-message.c that are not written in order. */
#include <stdio.h>
#include <string.h>

#include "series.h"

const char *series_set_address (Series *series, EddyBytes *text)
{
    sscanf (eddy_bytes_get_data (text), "%255s", series->address);
    return series->address;
}

EddyInputStream *series_get_input (const Series *series)
{
    return eddy_io_stream_get_input_stream (EDDY_IO_STREAM (series->connection));
}

/* ---- Callbacks: each takes an answer, and starts the next step or ends the series. */

static void series_loaded (void *source_object, EddyAsyncResult *result, void *user_data);
static void series_connected (void *source_object, EddyAsyncResult *result, void *user_data);
static void series_read_more (Series *series);
static void series_read (void *source_object, EddyAsyncResult *result, void *user_data);

void series_with_callbacks (Series *series)
{
    eddy_file_load_contents_async (series->file, 0, series->cancellable, series_loaded, series);
    eddy_main_loop_run (series->loop);
}

static void series_loaded (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Series *series = user_data;
    EDDY_AUTO (EddyBytes)
    text = eddy_file_load_contents_finish (source_object, result, &series->error);
    if (text != NULL)
        eddy_socket_client_connect_to_host_async (series->client, series_set_address (series, text),
                                                  0, 0, series->cancellable, series_connected,
                                                  series);
    else
        eddy_main_loop_quit (series->loop);
}

static void series_connected (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Series *series = user_data;
    series->connection =
        eddy_socket_client_connect_to_host_finish (source_object, result, &series->error);
    if (series->connection != NULL)
        series_read_more (series);
    else
        eddy_main_loop_quit (series->loop);
}

static void series_read_more (Series *series)
{
    eddy_input_stream_read_async (series_get_input (series), series->message + series->length,
                                  sizeof series->message - series->length, 0, series->cancellable,
                                  series_read, series);
}

static void series_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Series *series = user_data;
    ssize_t count = eddy_input_stream_read_finish (source_object, result, &series->error);
    if (count > 0) {
        series->length += (size_t) count;
        series_read_more (series);
    } else /* an error, the end, or no more room */
        eddy_main_loop_quit (series->loop);
}

/* ---- Futures: each step is a function that takes a value, and gives the future of the next. */

static EddyFuture *future_connect (EddyFuture *loaded, void *data);
static EddyFuture *future_read (EddyFuture *connected, void *data);
static EddyFuture *future_read_more (Series *series);
static EddyFuture *future_keep (EddyFuture *read, void *data);

void series_with_futures (Series *series)
{
    EddyFuture *loading = eddy_file_load_contents_future (series->file, 0, series->cancellable);
    EddyFuture *connecting = eddy_future_then (loading, future_connect, series, NULL);
    EDDY_AUTO (EddyFuture) reading = eddy_future_then (connecting, future_read, series, NULL);
    eddy_block_on_complete (NULL, reading, &series->error);
}

/* The value of a future that has one: a reference. */
static void *future_take (EddyFuture *future)
{
    EddyValue value = { 0 };
    return eddy_future_take (future, &value, NULL) ? value.as.pointer : NULL;
}

static EddyFuture *future_connect (EddyFuture *loaded, void *data)
{
    Series *series = data;
    EDDY_AUTO (EddyBytes) text = future_take (loaded);
    return eddy_socket_client_connect_to_host_future (
        series->client, series_set_address (series, text), 0, 0, series->cancellable);
}

static EddyFuture *future_read (EddyFuture *connected, void *data)
{
    Series *series = data;
    series->connection = future_take (connected);
    return future_read_more (series);
}

static EddyFuture *future_read_more (Series *series)
{
    size_t room = sizeof series->message - series->length;
    EddyFuture *reading = eddy_input_stream_read_bytes_future (series_get_input (series), room, 0,
                                                               series->cancellable);
    return eddy_future_then (reading, future_keep, series, NULL);
}

static EddyFuture *future_keep (EddyFuture *read, void *data)
{
    Series *series = data;
    EDDY_AUTO (EddyBytes) piece = future_take (read);
    size_t size = eddy_bytes_get_size (piece);
    memcpy (series->message + series->length, eddy_bytes_get_data (piece), size);
    series->length += size;
    return size > 0 ? future_read_more (series)
                    : eddy_future_resolved (&(EddyValue) EDDY_VALUE_INIT);
}
