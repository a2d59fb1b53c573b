/* SPDX-License-Identifier: MIT */
/* The thread's buffer: a copy of a small file would spend more on getting one than on the copy. */
#include <pthread.h>
#include <stdint.h>

#include "base/alloc-private.h"
#include "file/file-private.h"

enum { BUFFER_PAGE = 4096 };

static pthread_key_t buffer_key;
static pthread_once_t buffer_once = PTHREAD_ONCE_INIT;
static bool buffer_has_key;

static void buffer_key_make (void)
{
    buffer_has_key = pthread_key_create (&buffer_key, eddy__free) == 0;
}

char *eddy__file_buffer (void)
{
    pthread_once (&buffer_once, buffer_key_make);
    if (!buffer_has_key)
        return NULL;
    /* The key holds the allocation, from which the aligned address follows. */
    char *memory = pthread_getspecific (buffer_key);
    if (memory == NULL) {
        memory = eddy__alloc (EDDY_FILE_BUFFER_SIZE + BUFFER_PAGE);
        if (memory == NULL)
            return NULL;
        if (pthread_setspecific (buffer_key, memory) != 0) {
            eddy__free (memory);
            return NULL;
        }
    }
    uintptr_t past = (uintptr_t) memory % BUFFER_PAGE;
    return past == 0 ? memory : memory + (BUFFER_PAGE - past);
}
