/* SPDX-License-Identifier: MIT */
/* The text of a dump, in a buffer that grows. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "fiber/dump-private.h"
#include "sys/file-private.h"

enum { FIRST_ROOM = 4096, LINE_MOST = 512, NAME_MOST = 200 };

bool eddy__dump_grow (void *array, size_t n, size_t *room, size_t size)
{
    void **memory = array;
    if (n < *room)
        return true;
    size_t wanted = *room == 0 ? 16 : *room * 2;
    void *grown = wanted > SIZE_MAX / size ? NULL : eddy__realloc (*memory, wanted * size);
    if (grown == NULL)
        return false;
    *memory = grown;
    *room = wanted;
    return true;
}

/* Room for so much more, or NULL. */
static char *text_get_room (EddyDumpText *text, size_t len)
{
    if (text->failed)
        return NULL;
    if (text->room - text->len < len) {
        size_t room = text->room == 0 ? FIRST_ROOM : text->room;
        while (room - text->len < len)
            room *= 2;
        char *grown = eddy__realloc (text->data, room);
        text->failed = grown == NULL;
        if (grown == NULL)
            return NULL;
        text->data = grown;
        text->room = room;
    }
    return text->data + text->len;
}

void eddy__dump_add_bytes (EddyDumpText *text, const char *bytes, size_t len)
{
    char *at = text_get_room (text, len);
    if (at == NULL)
        return;
    memcpy (at, bytes, len);
    text->len += len;
}

void eddy__dump_add (EddyDumpText *text, const char *string)
{
    eddy__dump_add_bytes (text, string, strlen (string));
}

void eddy__dump_print (EddyDumpText *text, const char *format, ...)
{
    char *at = text_get_room (text, LINE_MOST);
    if (at == NULL)
        return;
    va_list arguments;
    va_start (arguments, format);
    int len = vsnprintf (at, LINE_MOST, format, arguments);
    va_end (arguments);
    text->len += len < LINE_MOST ? (size_t) len : LINE_MOST - 1;
}

/* A line is a line, whatever a program calls its things. */
static void text_add_clean (EddyDumpText *text, const char *string)
{
    size_t len = strlen (string);
    if (len > NAME_MOST)
        len = NAME_MOST;
    char *at = text_get_room (text, len);
    if (at == NULL)
        return;
    for (size_t i = 0; i < len; i++)
        at[i] = (unsigned char) string[i] < ' ' || string[i] == 127 ? '?' : string[i];
    text->len += len;
}

void eddy__dump_add_name (EddyDumpText *text, const char *name)
{
    eddy__dump_add (text, "'");
    text_add_clean (text, name);
    eddy__dump_add (text, "'");
}

void eddy__dump_add_place (EddyDumpText *text, const EddyPlace *place, const char *otherwise)
{
    eddy__dump_add (text, " (");
    text_add_clean (text, place == NULL ? otherwise : place->file);
    if (place != NULL)
        eddy__dump_print (text, ":%d", place->line);
    eddy__dump_add (text, ")");
}

void eddy__dump_add_age (EddyDumpText *text, uint32_t stamp, int64_t now_ns)
{
    int64_t tenths = eddy__stamp_age_ns (stamp, now_ns) / 100000000;
    int64_t minutes = tenths / 600;
    if (tenths == 0)
        eddy__dump_add (text, "under 0.1 s");
    else if (tenths < 100)
        eddy__dump_print (text, "about %d.%d s", (int) tenths / 10, (int) tenths % 10);
    else if (minutes < 2)
        eddy__dump_print (text, "about %d s", (int) tenths / 10);
    else if (minutes < 120)
        eddy__dump_print (text, "about %d min", (int) minutes);
    else if (minutes < 48 * 60)
        eddy__dump_print (text, "about %d h", (int) minutes / 60);
    else
        eddy__dump_print (text, "about %d days", (int) minutes / (24 * 60));
}

ssize_t eddy__dump_read_thread (pid_t thread, const char *what, char *buffer, size_t size)
{
    char path[64];
    snprintf (path, sizeof path, "/proc/self/task/%d/%s", (int) thread, what);
    int fd = eddy__sys_openat (AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t len = fd < 0 ? fd : eddy__sys_read (fd, buffer, size - 1);
    if (fd >= 0)
        eddy__sys_close (fd);
    buffer[len > 0 ? len : 0] = '\0';
    return len;
}

void eddy__dump_add_thread (EddyDumpText *text, pid_t thread)
{
    char name[64];
    ssize_t len = eddy__dump_read_thread (thread, "comm", name, sizeof name);
    eddy__dump_print (text, "thread %d", (int) thread);
    if (len <= 1)
        return;
    name[len - 1] = '\0'; /* its line end */
    eddy__dump_add (text, " ");
    eddy__dump_add_name (text, name);
}
