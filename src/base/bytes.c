/* SPDX-License-Identifier: MIT */
/* EddyBytes: the bytes follow the record, in one allocation. */
#include <eddy/bytes.h>

#include <string.h>

#include "base/alloc-private.h"
#include "base/bytes-private.h"
#include "base/object-private.h"

/* Of what there is room for, up to the fourth part is copied rather than cut. */
enum { FIT_SHARE = 4 };

struct EddyBytes {
    EddyObject object;
    size_t size;
    char data[];
};

static void bytes_finalize (void *object)
{
    eddy__free (object);
}

static const EddyClass bytes_class = { .name = "EddyBytes", .size = 0, .finalize = bytes_finalize };

/* Makes bytes of memory that is enough for so many; NULL: there is none. */
static EddyBytes *bytes_init (EddyBytes *bytes, size_t size)
{
    if (bytes == NULL)
        return NULL;
    eddy__object_init (bytes, &bytes_class);
    bytes->size = size;
    bytes->data[size] = '\0';
    return bytes;
}

EddyBytes *eddy__bytes_new_uninitialised (size_t size)
{
    size_t whole;
    if (__builtin_add_overflow (size, sizeof (EddyBytes) + 1, &whole))
        return NULL;
    return bytes_init (eddy__alloc_large (whole), size);
}

EddyBytes *eddy__bytes_resize (EddyBytes *bytes, size_t size)
{
    size_t whole;
    if (__builtin_add_overflow (size, sizeof (EddyBytes) + 1, &whole))
        return NULL;
    EddyBytes *resized = eddy__realloc_large (bytes, whole);
    if (resized == NULL)
        return NULL;
    resized->size = size;
    resized->data[size] = '\0';
    return resized;
}

EddyBytes *eddy__bytes_shrink (EddyBytes *bytes, size_t size)
{
    bytes->size = size;
    bytes->data[size] = '\0';
    EddyBytes *smaller = eddy__realloc (bytes, sizeof *bytes + size + 1);
    return smaller != NULL ? smaller : bytes;
}

EddyBytes *eddy__bytes_new_roomy (size_t size)
{
    if (size > EDDY__SPARE_MOST)
        return eddy__bytes_new_uninitialised (size);
    return bytes_init (eddy__spare_take (sizeof (EddyBytes) + size + 1), size);
}

void eddy__bytes_drop_roomy (EddyBytes *bytes, size_t size)
{
    eddy__spare_give (bytes, sizeof *bytes + size + 1);
}

EddyBytes *eddy__bytes_fit (EddyBytes *bytes, size_t size, size_t count)
{
    EddyBytes *fitting = count > size / FIT_SHARE ? NULL : eddy_bytes_new (bytes->data, count);
    if (fitting == NULL) /* what has been read is not lost for want of memory */
        return eddy__bytes_shrink (bytes, count);
    eddy__bytes_drop_roomy (bytes, size);
    return fitting;
}

char *eddy__bytes_get_writable (EddyBytes *bytes)
{
    return bytes->data;
}

EddyBytes *eddy_bytes_new (const void *data, size_t size)
{
    EddyBytes *bytes = eddy__bytes_new_uninitialised (size);
    if (bytes != NULL && size > 0)
        memcpy (bytes->data, data, size);
    return bytes;
}

const void *eddy_bytes_get_data (const EddyBytes *bytes)
{
    EDDY__EXPECT (bytes != NULL, NULL);
    return bytes->data;
}

size_t eddy_bytes_get_size (const EddyBytes *bytes)
{
    EDDY__EXPECT (bytes != NULL, 0);
    return bytes->size;
}
