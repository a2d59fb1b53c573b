/* SPDX-License-Identifier: MIT */
/* What the parts of read-message.c share. */
#ifndef SERIES_H
#define SERIES_H

#include <eddy/eddy.h>

/* One message on its way. */
typedef struct Series {
    EddyFile *file; /* with the address in it */
    EddySocketClient *client;
    EddyCancellable *cancellable;
    EddySocketConnection *connection; /* NULL: not yet */
    char address[256], message[4096];
    size_t length; /* of the message, as far as it has come */
    EddyError *error;
    EddyMainLoop *loop;
} Series;

/* Takes the address from the file's text, where it is the first word; returns it. */
const char *series_set_address (Series *series, EddyBytes *text);

/* What the message is read from, owned by the connection. */
EddyInputStream *series_get_input (const Series *series);

/* These return when the series has ended. */
void series_with_callbacks (Series *series);
void series_with_futures (Series *series);

#endif
