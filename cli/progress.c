/* SPDX-License-Identifier: MIT */
/* How far a work has come. Drawn from a timer of the loop, so that the work itself costs nothing
 * more than counting. */
#include "progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

enum {
    BAR_INTERVAL_NS = 100 * 1000 * 1000,
    LINE_INTERVAL_NS = 1000 * 1000 * 1000,
    USUAL_WIDTH = 80,
    WIDEST = 160,
    SHORTEST_BAR = 10,
    LONGEST_BAR = 50
};

/* What a file costs besides its bytes, in bytes that take as long: without it the time left would
 * be wrong by far in trees of small files. */
static const double work_per_file = 32 * 1024;

/* Rates are of about the last two seconds. */
static const double rate_seconds = 2.0;

static double progress_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static double progress_work_done (const Progress *progress)
{
    const EddyTreeCounts *counts = &progress->counts;
    uint64_t settled = counts->files_done + counts->files_failed + counts->files_passed_over;
    return (double) counts->bytes_settled + work_per_file * (double) settled;
}

static double progress_work_found (const Progress *progress)
{
    const EddyTreeCounts *counts = &progress->counts;
    return (double) counts->bytes_found + work_per_file * (double) counts->files_found;
}

/* What the rate is told of: bytes, or where there are none, files. */
static double progress_amount (const Progress *progress)
{
    const EddyTreeCounts *counts = &progress->counts;
    return progress->counts_bytes ? (double) counts->bytes_done : (double) counts->files_done;
}

static void progress_update_counts (Progress *progress)
{
    if (progress->work != NULL)
        eddy_tree_work_get_counts (progress->work, &progress->counts);
}

static void progress_update_rates (Progress *progress)
{
    double now = progress_now ();
    double elapsed = now - progress->drawn;
    if (elapsed <= 0)
        return;
    double work = progress_work_done (progress);
    double amount = progress_amount (progress);
    /* The first rate is taken as it is, later ones are mixed in by the time that they stand for. */
    double weight = progress->drawn > progress->began ? 1 - exp (-elapsed / rate_seconds) : 1;
    double work_rate = (work - progress->work_drawn) / elapsed;
    double amount_rate = (amount - progress->amount_drawn) / elapsed;
    progress->work_rate += weight * (fmax (work_rate, 0) - progress->work_rate);
    progress->amount_rate += weight * (fmax (amount_rate, 0) - progress->amount_rate);
    progress->drawn = now;
    progress->work_drawn = work;
    progress->amount_drawn = amount;
}

/* Removing finds what there is while it goes: there is no total until it has ended. */
static bool progress_has_totals (const Progress *progress)
{
    return progress->counts_bytes && progress->counts.all_found;
}

static double progress_fraction (const Progress *progress)
{
    double found = progress_work_found (progress);
    double fraction = found > 0 ? progress_work_done (progress) / found : 0;
    /* A file that grew while it was copied counts more than was found. */
    return fmin (fmax (fraction, 0), 1);
}

static Text progress_size (int64_t bytes)
{
    return text_of_size (bytes > 0 ? (uint64_t) bytes : 0);
}

/* "0:03 left" */
static void progress_format_left (const Progress *progress, char *buf, size_t size)
{
    double left = progress_work_found (progress) - progress_work_done (progress);
    if (progress->work_rate <= 0) {
        snprintf (buf, size, "-:-- left");
        return;
    }
    snprintf (buf, size, "%s left", text_of_seconds (fmax (left, 0) / progress->work_rate).buf);
}

/* "1.2 GiB of 2.9 GiB, 12,345 of 42,000 files", without the totals until they are known. */
static void progress_format_counts (const Progress *progress, char *buf, size_t size)
{
    const EddyTreeCounts *counts = &progress->counts;
    Text bytes = progress_size (counts->bytes_done);
    Text files = text_of_count (counts->files_done);
    if (!progress->counts_bytes)
        snprintf (buf, size, "%s files", files.buf);
    else if (counts->all_found)
        snprintf (buf, size, "%s of %s, %s of %s files", bytes.buf,
                  progress_size (counts->bytes_found).buf, files.buf,
                  text_of_count (counts->files_found).buf);
    else
        snprintf (buf, size, "%s, %s files", bytes.buf, files.buf);
}

/* "12.3 MiB" or "12,345", to stand before "/s" */
static Text progress_rate (const Progress *progress, double amount_rate)
{
    return progress->counts_bytes ? text_of_size ((uint64_t) amount_rate)
                                  : text_of_count ((uint64_t) amount_rate);
}

/* The text beside the bar, in the longest of three forms that fits. */
static void progress_format_text (const Progress *progress, char *buf, size_t size, size_t width)
{
    char counts[120], left[40] = "";
    Text rate = progress_rate (progress, progress->amount_rate);
    progress_format_counts (progress, counts, sizeof counts);
    if (progress_has_totals (progress))
        progress_format_left (progress, left, sizeof left);
    const char *comma = *left == '\0' ? "" : ", ";
    snprintf (buf, size, "%s, %s/s%s%s", counts, rate.buf, comma, left);
    if (strlen (buf) > width && progress->counts_bytes)
        snprintf (buf, size, "%s, %s/s%s%s", progress_size (progress->counts.bytes_done).buf,
                  rate.buf, comma, left);
    if (strlen (buf) > width)
        snprintf (buf, size, "%s", *left == '\0' ? rate.buf : left);
}

static size_t progress_width (void)
{
    struct winsize size;
    if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return USUAL_WIDTH;
    return size.ws_col < WIDEST ? size.ws_col : WIDEST;
}

/* "[=====>    ]" into `buf`, `length` columns within the brackets. */
static void progress_format_bar (double fraction, char *buf, size_t length)
{
    size_t filled = (size_t) (fraction * (double) length);
    for (size_t i = 0; i < length; i++)
        buf[1 + i] = i < filled ? '=' : i == filled ? '>' : ' ';
    buf[0] = '[';
    buf[length + 1] = ']';
    buf[length + 2] = '\0';
}

/* One line of less than the terminal's width, so that it never scrolls. */
static void progress_draw_bar (Progress *progress)
{
    char text[200], bar[LONGEST_BAR + 3] = "", percent[8] = "";
    size_t width = progress_width () - 1;
    if (progress_has_totals (progress))
        snprintf (percent, sizeof percent, "%3d%% ", (int) (progress_fraction (progress) * 100));
    size_t head = strlen (percent);
    progress_format_text (progress, text, sizeof text, width > head ? width - head : 0);
    size_t room = width - head - strlen (text);
    if (progress_has_totals (progress) && width > head + strlen (text) &&
        room >= SHORTEST_BAR + 3) {
        size_t length = room - 3 < LONGEST_BAR ? room - 3 : LONGEST_BAR;
        progress_format_bar (progress_fraction (progress), bar, length);
        bar[length + 2] = ' ';
    }
    char line[WIDEST + 100];
    snprintf (line, sizeof line, "%s%.*s%s", percent, (int) sizeof bar, bar, text);
    fprintf (stderr, "\r%.*s\033[K", (int) width, line);
    progress->bar_shown = true;
}

static void progress_print_line (const Progress *progress)
{
    char text[200];
    progress_format_text (progress, text, sizeof text, sizeof text);
    fprintf (stderr, "eddy %s: %s\n", progress->command, text);
}

static bool progress_tick (void *data)
{
    Progress *progress = data;
    progress_update_counts (progress);
    progress_update_rates (progress);
    if (progress->has_bar)
        progress_draw_bar (progress);
    else
        progress_print_line (progress);
    return true;
}

static void progress_clear_bar (Progress *progress)
{
    if (progress->bar_shown)
        fputs ("\r\033[K", stderr);
    progress->bar_shown = false;
}

void progress_begin (Progress *progress, const char *command, ProgressMode mode, bool quiet,
                     bool counts_bytes)
{
    const char *terminal = getenv ("TERM");
    progress->on_terminal = isatty (STDERR_FILENO) == 1;
    bool can_clear = terminal == NULL || strcmp (terminal, "dumb") != 0;
    progress->has_bar =
        mode == PROGRESS_ALWAYS || (mode == PROGRESS_AUTO && progress->on_terminal && can_clear);
    progress->command = command;
    progress->quiet = quiet;
    progress->counts_bytes = counts_bytes;
    progress->began = progress->drawn = progress_now ();
    if (quiet || mode == PROGRESS_NEVER)
        return;
    progress->timer =
        eddy_timeout_source_new (progress->has_bar ? BAR_INTERVAL_NS : LINE_INTERVAL_NS);
    if (progress->timer == NULL)
        return;
    eddy_source_set_callback (progress->timer, progress_tick, progress, NULL);
    eddy_source_set_priority (progress->timer, EDDY_PRIORITY_HIGH);
    eddy_source_attach (progress->timer, NULL);
}

void progress_end (Progress *progress)
{
    if (progress->timer != NULL)
        eddy_source_destroy (progress->timer);
    eddy_clear (&progress->timer);
    progress_clear_bar (progress);
}

void progress_say (Progress *progress, const char *format, ...)
{
    /* Two paths of the longest kind, and more where each byte is escaped. */
    char message[12288], escaped[16384];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (message, sizeof message, format, arguments);
    va_end (arguments);
    progress_clear_bar (progress);
    if (progress->on_terminal)
        text_escape (message, escaped, sizeof escaped);
    fprintf (stderr, "eddy %s: %s\n", progress->command, progress->on_terminal ? escaped : message);
}

/* ", 3 failed" where there are any. */
static void progress_add_count (char *buf, size_t size, uint64_t count, const char *word)
{
    size_t len = strlen (buf);
    if (count > 0)
        snprintf (buf + len, size - len, ", %s %s", text_of_count (count).buf, word);
}

/* "12 files, 3.4 MiB in 0.05 s (68.0 MiB/s)" */
static void progress_format_end (const Progress *progress, char *buf, size_t size)
{
    const EddyTreeCounts *counts = &progress->counts;
    double seconds = progress_now () - progress->began;
    Text files = text_of_count (counts->files_done);
    Text rate = progress_rate (progress, progress_amount (progress) / fmax (seconds, 1e-6));
    if (progress->counts_bytes)
        snprintf (buf, size, "%s files, %s in %.2f s (%s/s)", files.buf,
                  progress_size (counts->bytes_done).buf, seconds, rate.buf);
    else
        snprintf (buf, size, "%s files, %s folders in %.2f s (%s files/s)", files.buf,
                  text_of_count (counts->folders_done).buf, seconds, rate.buf);
}

void progress_summarize (Progress *progress, bool interrupted)
{
    const EddyTreeCounts *counts = &progress->counts;
    char text[300] = "";
    progress_update_counts (progress);
    uint64_t settled = counts->files_done + counts->files_failed + counts->files_passed_over;
    if (progress->quiet && !interrupted)
        return;
    if (interrupted)
        progress_format_counts (progress, text, sizeof text);
    else
        progress_format_end (progress, text, sizeof text);
    progress_add_count (text, sizeof text, counts->files_failed, "failed");
    progress_add_count (text, sizeof text, counts->files_passed_over, "passed over");
    if (!interrupted)
        progress_add_count (text, sizeof text, counts->files_found - settled, "not begun");
    progress_say (progress, "%s%s", interrupted ? "interrupted after " : "", text);
}
