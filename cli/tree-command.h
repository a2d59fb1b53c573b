/* SPDX-License-Identifier: MIT */
/* What `eddy copy` and `eddy delete` have in common: options, messages, their course, their end. */
#pragma once

#include <eddy/eddy.h>

#include "command.h"
#include "progress.h"

typedef struct TreeCommand {
    const char *name;  /* of the command */
    bool counts_bytes; /* progress is told in bytes, too */
    bool recursive;
    bool quiet;
    bool failed;
    bool disk_full;
    ProgressMode mode;
    Progress progress;
    EddyTreeWork *work;
} TreeCommand;

/* The options that both have, but -r, whose words differ; and the end of the table. */
enum { TREE_OPTION_PROGRESS = 2000 };
#define TREE_OPTIONS                                                                               \
    { "quiet", no_argument, NULL, 'q' },                                                           \
        { "progress", required_argument, NULL, TREE_OPTION_PROGRESS },                             \
    {                                                                                              \
        NULL, 0, NULL, 0                                                                           \
    }

/* Takes such an option; false after a complaint, or for OPTIONS_WRONG. */
bool tree_command_parse (TreeCommand *command, int value);

/* Begins to draw. */
void tree_command_begin (TreeCommand *command);
/* Runs the work that was made. */
void tree_command_run (TreeCommand *command);
/* Says what was done, and lets go of all; the exit status. */
int tree_command_end (TreeCommand *command);

/* Tells of a failure, whose reference is taken; one by cancelling is nobody's failure. */
void tree_command_fail (TreeCommand *command, EddyError *error);
/* Tells that memory is out. */
void tree_command_fail_memory (TreeCommand *command);

/* Whether the last part of a path is no name: "/", "." or "..". */
bool tree_command_is_nameless (const char *path);
