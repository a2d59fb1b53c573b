/* SPDX-License-Identifier: MIT */
/* What an open folder is made of. */
#pragma once

#include <eddy/dir.h>

struct EddyDir {
    EddyObject object;
    int fd; /* O_PATH: to look names up in, nothing else */
    char path[];
};
