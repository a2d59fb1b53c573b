/* SPDX-License-Identifier: MIT */
/*
 * The fork server.
 *
 * The process that forks never opens an engine, nor has it threads, so that each child begins
 * afresh; what must be made once is made before. A child reports through memory that both share and
 * says what it has to say to a file without a name, which is shown when the run was wrong.
 */
#include "server.h"

#include <errno.h>
#include <ftw.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

enum {
    MAX_JOBS = 64,
    COUNTING_RUNS = 3, /* threads make the counts differ: the largest holds */
    TOLD_RUNS = 12,    /* wrong runs of one case that are told in full */
    SANITIZED_SCALE = 5
};

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ ||                                 \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { TIME_SCALE = SANITIZED_SCALE };
#else
enum { TIME_SCALE = 1 };
#endif

/* One of the processes that run at once. */
typedef struct Slot {
    pid_t child; /* 0: free */
    TortureFault fault;
    TortureReport *report; /* shared */
    int output;            /* its stderr */
    int64_t deadline_ns;
    bool timed_out;
} Slot;

/* With a limit, the runs of a test take about as long as this. */
#define LIMIT_NS INT64_C (10000000000)

/* From SIGQUIT to SIGKILL. */
#define LAST_WORDS_NS INT64_C (300000000)

static TortureOptions options;
static Slot slots[MAX_JOBS];
static char base[PATH_MAX / 8];
static sigset_t child_signal;
static unsigned n_told; /* of the current case */
static bool is_slow;    /* it is a test that takes too long to be run many times */

static int64_t now_ns (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- Opening and closing ------------------------------------------------------------------- */

static bool slot_open (Slot *slot)
{
    slot->report = mmap (NULL, sizeof *slot->report, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    slot->output = memfd_create ("torture", MFD_CLOEXEC);
    return slot->report != MAP_FAILED && slot->output >= 0 &&
           fcntl (slot->output, F_SETFL, O_APPEND) == 0;
}

bool torture_server_open (const TortureOptions *wanted)
{
    const char *parent = getenv ("TMPDIR");
    options = *wanted;
    options.jobs = options.jobs > MAX_JOBS ? MAX_JOBS : options.jobs;
    snprintf (base, sizeof base, "%s/eddy-torture-XXXXXX",
              parent != NULL && parent[0] == '/' ? parent : "/tmp");
    if (mkdtemp (base) == NULL || chmod (base, 0755) < 0)
        return false;
    sigemptyset (&child_signal);
    sigaddset (&child_signal, SIGCHLD);
    sigprocmask (SIG_BLOCK, &child_signal, NULL);
    for (unsigned i = 0; i < options.jobs; i++)
        if (!slot_open (&slots[i]))
            return false;
    return true;
}

static int entry_open (const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void) status, (void) walk;
    return type == FTW_D || type == FTW_DNR ? chmod (path, 0700) : 0;
}

static int entry_remove (const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void) status, (void) type, (void) walk;
    return remove (path);
}

/* What lies deeper than paths go. */
static void folder_remove_deep (const char *path)
{
    pid_t child = fork ();
    if (child == 0) {
        execlp ("rm", "rm", "-rf", path, NULL);
        _exit (127);
    }
    while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void folder_remove (const char *path)
{
    /* Who is not root cannot empty a folder that a test has closed. */
    if (geteuid () != 0)
        nftw (path, entry_open, 16, FTW_PHYS);
    if (nftw (path, entry_remove, 16, FTW_DEPTH | FTW_PHYS) != 0)
        folder_remove_deep (path);
}

void torture_server_close (void)
{
    folder_remove (base);
}

/* ---- One run ------------------------------------------------------------------------------- */

_Noreturn static void child_main (const TortureCase *scenario, const Slot *slot)
{
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    setpgid (0, 0);
    dup2 (slot->output, STDERR_FILENO);
    dup2 (slot->output, STDOUT_FILENO);
    sigprocmask (SIG_UNBLOCK, &child_signal, NULL);
    torture_report = slot->report;
    torture_run (scenario, &slot->fault);
    _exit (EXIT_SUCCESS);
}

static void slot_start (Slot *slot, const TortureCase *scenario, TortureFault fault)
{
    memset (slot->report, 0, sizeof *slot->report);
    snprintf (slot->report->directory, sizeof slot->report->directory, "%s/%d", base,
              (int) (slot - slots));
    if (ftruncate (slot->output, 0) < 0)
        abort ();
    slot->fault = fault;
    slot->timed_out = false;
    slot->deadline_ns = now_ns () + (int64_t) scenario->timeout_seconds * TIME_SCALE * 1000000000;
    fflush (stdout);
    slot->child = fork ();
    if (slot->child == 0)
        child_main (scenario, slot);
    if (slot->child < 0) {
        perror ("fork");
        exit (2);
    }
}

/* Why a run was wrong; NULL: it was not. */
static const char *slot_judge (const Slot *slot, int status)
{
    static char text[128];
    if (slot->report->complaint[0] != '\0')
        return slot->report->complaint;
    if (slot->timed_out)
        return "it hung";
    if (WIFSIGNALED (status)) {
        snprintf (text, sizeof text, "ended by signal %d (%s)", WTERMSIG (status),
                  strsignal (WTERMSIG (status)));
        return text;
    }
    if (slot->report->is_finished)
        return NULL;
    snprintf (text, sizeof text, "exited with status %d before its end", WEXITSTATUS (status));
    return text;
}

static void output_tell (int fd)
{
    char text[4096];
    off_t size = lseek (fd, 0, SEEK_END);
    off_t start = size > (off_t) sizeof text - 1 ? size - (off_t) sizeof text + 1 : 0;
    ssize_t len = pread (fd, text, sizeof text - 1, start);
    text[len > 0 ? len : 0] = '\0';
    for (char *line = text, *next = NULL; line != NULL && *line != '\0'; line = next) {
        next = strchr (line, '\n');
        if (next != NULL)
            *next++ = '\0';
        printf ("    | %s\n", line);
    }
}

static void slot_tell (const Slot *slot, const TortureCase *scenario, const char *why)
{
    char fault[TORTURE_FAULT_TEXT];
    const TortureReport *report = slot->report;
    torture_fault_print (&slot->fault, fault);
    if (slot->fault.nth == 0)
        snprintf (fault, sizeof fault, "none");
    printf ("FAILED %s %s: %s\n", scenario->name, fault, why);
    if (scenario->is_scenario && n_told++ >= TOLD_RUNS)
        return;
    if (report->hit[0] != '\0')
        printf ("    | fault: %s\n", report->hit);
    if (report->first_failure[0] != '\0')
        printf ("    | told: %s\n", report->first_failure);
    output_tell (slot->output);
}

static void slot_end (Slot *slot, const TortureCase *scenario, int status, TortureTotals *totals)
{
    const char *why = slot_judge (slot, status);
    char fault[TORTURE_FAULT_TEXT];
    /* What the case itself has started ends with it. */
    kill (-slot->child, SIGKILL);
    slot->child = 0;
    if (slot->report->uses_directory)
        folder_remove (slot->report->directory);
    totals->runs++;
    if (why != NULL && !scenario->is_scenario && slot->fault.nth == 0 && slot->timed_out)
        is_slow = true;
    else if (why != NULL) {
        totals->failed++;
        slot_tell (slot, scenario, why);
    } else if (options.shows_each) {
        torture_fault_print (&slot->fault, fault);
        printf ("good %s %s: %s%s%s\n", scenario->name, fault, slot->report->hit,
                slot->report->has_failed ? ", told " : "", slot->report->first_failure);
    }
}

/* ---- Several at once ----------------------------------------------------------------------- */

static void slots_kill_late (void)
{
    for (unsigned i = 0; i < options.jobs; i++)
        if (slots[i].child > 0 && now_ns () > slots[i].deadline_ns) {
            /* It may tell where it stands before it is killed. */
            kill (slots[i].child, slots[i].timed_out ? SIGKILL : SIGQUIT);
            slots[i].timed_out = true;
            slots[i].deadline_ns = now_ns () + LAST_WORDS_NS;
        }
}

static Slot *slots_reap (int *status)
{
    pid_t child;
    do
        child = waitpid (-1, status, WNOHANG);
    while (child < 0 && errno == EINTR);
    for (unsigned i = 0; child > 0 && i < options.jobs; i++)
        if (slots[i].child == child)
            return &slots[i];
    return NULL;
}

/* Ends one run, waiting for it. */
static void slots_wait (const TortureCase *scenario, TortureTotals *totals)
{
    const struct timespec tick = { 0, 50000000 };
    int status;
    for (;;) {
        Slot *slot = slots_reap (&status);
        if (slot != NULL) {
            slot_end (slot, scenario, status, totals);
            return;
        }
        sigtimedwait (&child_signal, NULL, &tick);
        slots_kill_late ();
    }
}

static unsigned slots_busy (void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < options.jobs; i++)
        n += slots[i].child > 0;
    return n;
}

static void server_add (const TortureCase *scenario, TortureFault fault, TortureTotals *totals)
{
    if (slots_busy () == options.jobs)
        slots_wait (scenario, totals);
    for (unsigned i = 0; i < options.jobs; i++)
        if (slots[i].child == 0) {
            slot_start (&slots[i], scenario, fault);
            return;
        }
}

static void server_finish (const TortureCase *scenario, TortureTotals *totals)
{
    while (slots_busy () > 0)
        slots_wait (scenario, totals);
}

/* ---- All faults of a case ------------------------------------------------------------------ */

/* The faults of a case are numbered: by kind, then mode, then nth. */
typedef struct Plan {
    unsigned counts[TORTURE_KINDS];
    unsigned total;
    int64_t duration_ns; /* of a run */
} Plan;

static unsigned plan_modes (int kind)
{
    return torture_kind_lasts ((TortureKind) kind) ? 2 : 1;
}

static TortureFault plan_fault (const Plan *plan, unsigned number)
{
    TortureFault fault = { .nth = 0 };
    for (int kind = 0; kind < TORTURE_KINDS; kind++) {
        unsigned n = plan->counts[kind] * plan_modes (kind);
        if (number < n) {
            fault.kind = (TortureKind) kind;
            fault.from_then_on = number >= plan->counts[kind];
            fault.nth = number % plan->counts[kind] + 1;
            break;
        }
        number -= n;
    }
    return fault;
}

/* Runs it without a fault, and counts. False when even that goes wrong, or takes too long. */
static bool plan_make (Plan *plan, const TortureCase *scenario, TortureTotals *totals)
{
    unsigned failed = totals->failed;
    memset (plan, 0, sizeof *plan);
    int n_runs = options.sample > 0 ? 1 : COUNTING_RUNS;
    is_slow = false;
    for (int i = 0; i < n_runs && totals->failed == failed && !is_slow; i++) {
        int64_t start_ns = now_ns ();
        slot_start (&slots[0], scenario, (TortureFault){ .nth = 0 });
        server_finish (scenario, totals);
        plan->duration_ns = now_ns () - start_ns;
        for (int kind = 0; kind < TORTURE_KINDS; kind++)
            if (slots[0].report->counts[kind] > plan->counts[kind])
                plan->counts[kind] = slots[0].report->counts[kind];
    }
    for (int kind = 0; kind < TORTURE_KINDS; kind++) {
        totals->points += plan->counts[kind];
        plan->total += plan->counts[kind] * plan_modes (kind);
    }
    return totals->failed == failed && !is_slow;
}

/* splitmix64: the same sample for the same seed and case, everywhere. */
static uint64_t random_next (uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t seed_of (const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u ^ options.seed;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char) *name) * 0x100000001b3u;
    return hash;
}

/* How many runs a case gets: a scenario all of them, a test as many as do not take too long. */
static unsigned plan_wanted (const Plan *plan, const TortureCase *scenario)
{
    unsigned wanted = options.sample;
    if (wanted == 0 && !scenario->is_scenario && options.limit > 0) {
        int64_t fitting = LIMIT_NS / (plan->duration_ns + 1) + 1;
        wanted = fitting < options.limit ? (unsigned) fitting : options.limit;
    }
    return wanted == 0 || wanted > plan->total ? plan->total : wanted;
}

void torture_server_run (const TortureCase *scenario, TortureTotals *totals)
{
    Plan plan;
    n_told = 0;
    if (!plan_make (&plan, scenario, totals))
        return;
    unsigned wanted = plan_wanted (&plan, scenario);
    /* Chosen in order: each is taken with the chance that gives `wanted` of all of them. */
    uint64_t state = seed_of (scenario->name);
    for (unsigned i = 0, left = wanted; i < plan.total && left > 0; i++)
        if (random_next (&state) % (plan.total - i) < left) {
            server_add (scenario, plan_fault (&plan, i), totals);
            left--;
        }
    server_finish (scenario, totals);
}
