/* SPDX-License-Identifier: MIT */
/*
 * Randomness.
 */
#include "sys/random-private.h"

#include <sys/random.h>

#include "sys/call-private.h"

int eddy__sys_random (void *buf, size_t len)
{
    char *at = buf;

    while (len > 0) {
        long got = EDDY_SYS_RETRY (EDDY_SYS_GETRANDOM, getrandom (at, len, 0));

        if (got < 0)
            return (int) got;
        at += got;
        len -= (size_t) got;
    }
    return 0;
}
