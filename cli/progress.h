/* SPDX-License-Identifier: MIT */
/* How far a copy has come, and telling so on standard error: by a bar on a terminal, by a line now
 * and then elsewhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <eddy/source.h>

typedef enum ProgressMode {
    PROGRESS_AUTO,   /* a bar on a terminal, lines elsewhere */
    PROGRESS_ALWAYS, /* a bar wherever it goes */
    PROGRESS_NEVER   /* the summary at the end only */
} ProgressMode;

/* Files are all but folders. A file is settled when nothing more will be done for it: it was
 * copied, has failed, or was passed over. */
typedef struct ProgressCounts {
    uint64_t files_found;
    uint64_t files_copied;
    uint64_t files_failed;
    uint64_t files_passed_over;
    int64_t bytes_found;
    int64_t bytes_copied; /* a file's further names count nothing */
    int64_t bytes_settled;
} ProgressCounts;

typedef struct Progress {
    ProgressCounts counts;
    bool all_found; /* the walk has ended: what was found is all there is */
    bool quiet;
    bool has_bar;
    bool bar_shown;
    bool on_terminal; /* messages are escaped */
    double began;     /* seconds, as of every time here */
    double drawn;
    double work_drawn; /* work done when it was drawn last */
    double bytes_drawn;
    double work_rate; /* per second, of the last while */
    double bytes_rate;
    EddySource *timer;
} Progress;

void progress_begin (Progress *progress, ProgressMode mode, bool quiet);
/* Takes the bar away and draws no more. */
void progress_end (Progress *progress);

/* Prints "eddy copy: MESSAGE", above the bar where there is one. */
__attribute__ ((format (printf, 2, 3))) void progress_say (Progress *progress, const char *format,
                                                           ...);

/* After the end: says what was done. */
void progress_summarize (Progress *progress, bool interrupted);
