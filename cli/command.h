/* SPDX-License-Identifier: MIT */
/* What the parts of the `eddy` command share: the table of commands, and how options are read. */
#pragma once

#include <getopt.h>

/* One word after `eddy`. */
typedef struct Command {
    const char *name;
    const char *summary; /* one line of `eddy --help` */
    const char *help;    /* all of `eddy help NAME` */
    /* Gets the arguments from the command's name on; returns the exit status. */
    int (*run) (int argc, char **argv);
} Command;

extern const Command copy_command;
extern const Command delete_command;
extern const Command doctor_command;

/* Exit statuses. */
enum { STATUS_FINE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

/* What options_next() answers beside the options' own values. */
enum { OPTIONS_END = -1, OPTIONS_WRONG = '?' };

/* Complains of how a command was called, and says where help is. Returns STATUS_USAGE. */
__attribute__ ((format (printf, 2, 3))) int options_complain (const char *command,
                                                              const char *format, ...);

/* The next option: its value in the table, OPTIONS_END (optind is the first argument), or
 * OPTIONS_WRONG after a complaint. Short options are the table's values that are letters. */
int options_next (const char *command, int argc, char **argv, const struct option *table);
