/* SPDX-License-Identifier: MIT */
/* How far a work has come, and telling so on standard error: by a bar on a terminal, by a line now
 * and then elsewhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <eddy/file-tree.h>
#include <eddy/source.h>

typedef enum ProgressMode {
    PROGRESS_AUTO,   /* a bar on a terminal, lines elsewhere */
    PROGRESS_ALWAYS, /* a bar wherever it goes */
    PROGRESS_NEVER   /* the summary at the end only */
} ProgressMode;

typedef struct Progress {
    const char *command; /* its name */
    EddyTreeWork *work;  /* NULL: not begun */
    EddyTreeCounts counts;
    bool counts_bytes; /* and not only files */
    bool quiet;
    bool has_bar;
    bool bar_shown;
    bool on_terminal; /* messages are escaped */
    double began;     /* seconds, as of every time here */
    double drawn;
    double work_drawn; /* work done when it was drawn last */
    double amount_drawn;
    double work_rate; /* per second, of the last while */
    double amount_rate;
    EddySource *timer;
} Progress;

void progress_begin (Progress *progress, const char *command, ProgressMode mode, bool quiet,
                     bool counts_bytes);
/* Takes the bar away and draws no more. */
void progress_end (Progress *progress);

/* Prints "eddy COMMAND: MESSAGE", above the bar where there is one. */
__attribute__ ((format (printf, 2, 3))) void progress_say (Progress *progress, const char *format,
                                                           ...);

/* After the end: says what was done. */
void progress_summarize (Progress *progress, bool interrupted);
