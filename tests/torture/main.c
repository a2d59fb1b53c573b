/* SPDX-License-Identifier: MIT */
/*
 * A program of cases: all of them under every fault, or one under one. For tests/torture/run.
 *
 *   torture [--jobs N] [--sample N] [--limit N] [--seed N] [--each] [NAME…]
 *   torture --list
 *   torture --fault KIND:N:once|on NAME       one run in this process, for a debugger
 */
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"
#include "server.h"

static TortureCase *cases;

void torture_register (TortureCase *scenario)
{
    TortureCase **place = &cases;
    while (*place != NULL && strcmp ((*place)->name, scenario->name) < 0)
        place = &(*place)->next;
    scenario->next = *place;
    *place = scenario;
}

static int list_cases (void)
{
    for (TortureCase *scenario = cases; scenario != NULL; scenario = scenario->next)
        puts (scenario->name);
    return EXIT_SUCCESS;
}

static bool is_chosen (const TortureCase *scenario, char **names)
{
    if (*names == NULL)
        return true;
    for (; *names != NULL; names++)
        if (fnmatch (*names, scenario->name, 0) == 0)
            return true;
    return false;
}

static int run_one (const char *text, const char *name)
{
    static TortureReport report;
    TortureFault fault = { .nth = 0 };
    TortureCase *scenario = cases;
    while (scenario != NULL && (name == NULL || strcmp (scenario->name, name) != 0))
        scenario = scenario->next;
    if (scenario == NULL || (strcmp (text, "none") != 0 && !torture_fault_parse (text, &fault))) {
        fprintf (stderr, "torture --fault KIND:N:once|on NAME\n");
        return 2;
    }
    torture_report = &report;
    torture_in_debugger = true;
    snprintf (report.directory, sizeof report.directory, "/tmp/eddy-torture-%d", (int) getpid ());
    torture_run (scenario, &fault);
    fprintf (stderr, "good; fault: %s; told: %s\n", report.hit, report.first_failure);
    return EXIT_SUCCESS;
}

static int run_all (const TortureOptions *options, char **names)
{
    TortureTotals all = { 0 };
    if (!torture_server_open (options)) {
        perror ("torture");
        return 2;
    }
    for (TortureCase *scenario = cases; scenario != NULL; scenario = scenario->next) {
        TortureTotals totals = { 0 };
        if (!is_chosen (scenario, names))
            continue;
        torture_server_run (scenario, &totals);
        printf ("case %s points=%u runs=%u failed=%u\n", scenario->name, totals.points, totals.runs,
                totals.failed);
        fflush (stdout);
        all.points += totals.points;
        all.runs += totals.runs;
        all.failed += totals.failed;
    }
    torture_server_close ();
    printf ("total points=%u runs=%u failed=%u\n", all.points, all.runs, all.failed);
    return all.failed > 0 || all.runs == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main (int argc, char **argv)
{
    static const struct option known[] = {
        { "list", no_argument, NULL, 'l' },         { "jobs", required_argument, NULL, 'j' },
        { "sample", required_argument, NULL, 'n' }, { "limit", required_argument, NULL, 'm' },
        { "seed", required_argument, NULL, 's' },   { "fault", required_argument, NULL, 'f' },
        { "each", no_argument, NULL, 'e' },         { NULL, 0, NULL, 0 },
    };
    TortureOptions options = { .jobs = 2, .seed = 1 };
    const char *fault = NULL;
    for (int c; (c = getopt_long (argc, argv, "", known, NULL)) != -1;) {
        if (c == 'l')
            return list_cases ();
        else if (c == 'j')
            options.jobs = (unsigned) strtoul (optarg, NULL, 10);
        else if (c == 'n')
            options.sample = (unsigned) strtoul (optarg, NULL, 10);
        else if (c == 'm')
            options.limit = (unsigned) strtoul (optarg, NULL, 10);
        else if (c == 's')
            options.seed = strtoull (optarg, NULL, 10);
        else if (c == 'f')
            fault = optarg;
        else if (c == 'e')
            options.shows_each = true;
        else
            return 2;
    }
    return fault != NULL ? run_one (fault, argv[optind]) : run_all (&options, argv + optind);
}
