/* SPDX-License-Identifier: MIT */
/* eddy doctor: what Eddy finds on this machine. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <eddy/system.h>

#include "command.h"

static const char doctor_help[] =
    "Usage: eddy doctor [--json]\n"
    "\n"
    "Says which engine Eddy uses here and why, and what the kernel and the limits of this process\n"
    "allow it. EDDY_ENGINE=uring or EDDY_ENGINE=epoll in the environment asks for an engine.\n"
    "\n"
    "Options:\n"
    "      --json          as a JSON object of groups, each an object of texts\n"
    "      --help          print this\n"
    "\n"
    "The exit status is 0, or 1 when no engine can be had.\n";

enum { OPTION_JSON = 1000 };

static const struct option doctor_table[] = { { "json", no_argument, NULL, OPTION_JSON },
                                              { NULL, 0, NULL, 0 } };

/* Whether a finding is the first one of its group. */
static bool doctor_begins_group (const EddySystemReport *report, size_t index)
{
    return index == 0 || strcmp (eddy_system_report_get_group (report, index - 1),
                                 eddy_system_report_get_group (report, index)) != 0;
}

static void doctor_print_text (const EddySystemReport *report)
{
    size_t n = eddy_system_report_get_length (report), width = 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen (eddy_system_report_get_name (report, i));
        width = len > width ? len : width;
    }
    for (size_t i = 0; i < n; i++) {
        if (doctor_begins_group (report, i))
            printf ("%s%s\n", i == 0 ? "" : "\n", eddy_system_report_get_group (report, i));
        printf ("  %-*s  %s\n", (int) width, eddy_system_report_get_name (report, i),
                eddy_system_report_get_value (report, i));
    }
}

/* A string of JSON. What is no ASCII comes from the environment and may be no UTF-8 either. */
static void doctor_print_string (const char *string)
{
    putchar ('"');
    for (const unsigned char *byte = (const unsigned char *) string; *byte != '\0'; byte++) {
        if (*byte == '"' || *byte == '\\')
            printf ("\\%c", *byte);
        else if (*byte < 0x20 || *byte >= 0x7F)
            printf ("\\u%04x", *byte);
        else
            putchar (*byte);
    }
    putchar ('"');
}

static void doctor_print_json (const EddySystemReport *report)
{
    size_t n = eddy_system_report_get_length (report);
    printf ("{");
    for (size_t i = 0; i < n; i++) {
        if (doctor_begins_group (report, i)) {
            printf ("%s\n  ", i == 0 ? "" : "\n  },");
            doctor_print_string (eddy_system_report_get_group (report, i));
            printf (": {\n    ");
        } else {
            printf (",\n    ");
        }
        doctor_print_string (eddy_system_report_get_name (report, i));
        printf (": ");
        doctor_print_string (eddy_system_report_get_value (report, i));
    }
    printf ("%s}\n", n == 0 ? "" : "\n  }\n");
}

/* Whether an engine is in use: where none is, its finding says "none". */
static bool doctor_has_engine (const EddySystemReport *report)
{
    return eddy_system_report_get_length (report) > 0 &&
           strcmp (eddy_system_report_get_value (report, 0), "none") != 0;
}

static int doctor_run (int argc, char **argv)
{
    bool json = false;
    int value;
    while ((value = options_next ("doctor", argc, argv, doctor_table)) != OPTIONS_END) {
        if (value != OPTION_JSON)
            return STATUS_USAGE;
        json = true;
    }
    if (optind < argc)
        return options_complain ("doctor", "unexpected argument '%s'", argv[optind]);
    EDDY_AUTO (EddySystemReport) report = eddy_system_report_new ();
    if (report == NULL) {
        fprintf (stderr, "eddy doctor: memory is out\n");
        return STATUS_FAILED;
    }
    if (json)
        doctor_print_json (report);
    else
        doctor_print_text (report);
    if (fflush (stdout) != 0) {
        perror ("eddy doctor: standard output");
        return STATUS_FAILED;
    }
    return doctor_has_engine (report) ? STATUS_FINE : STATUS_FAILED;
}

const Command doctor_command = { .name = "doctor",
                                 .summary = "say what Eddy finds on this machine",
                                 .help = doctor_help,
                                 .run = doctor_run };
