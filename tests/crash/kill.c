/* SPDX-License-Identifier: MIT */
/* Killing a process again and again: kill.h. */
#include "kill.h"

#include <eddy/eddy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

enum {
    KILL_LONGEST_NS = 3000000, /* from the first step that a child has ended to its death */
    KILL_STEPS_MOST = 1 << 20
};

typedef struct Child {
    const KillWork *work;
    KillShared *shared;
} Child;

static void child_work (const Child *child)
{
    for (int i = 0; i < KILL_STEPS_MOST; i++) {
        uint64_t step = child->shared->begun + 1;
        child->shared->begun = step;
        child->work->step (step);
        child->shared->ended = step;
    }
}

static void *child_fiber (void *data, EddyError **error)
{
    (void) error;
    child_work (data);
    return NULL;
}

/* Every second child works in a fiber, so that workers do what others do in place. */
static _Noreturn void child_run (const Child *child, bool in_fiber)
{
    if (in_fiber) {
        EddyContext *context = eddy_context_new ();
        eddy_context_push_thread_default (context);
        EddyFuture *fiber = eddy_spawn (context, child_fiber, (void *) child, NULL);
        eddy_block_on (context, fiber, NULL);
    } else {
        child_work (child);
    }
    _exit (0);
}

/* xorshift: the same moments each time, as far as a scheduler lets them be. */
static uint64_t kill_random (void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void kill_wait_random (void)
{
    struct timespec time = { .tv_nsec = (long) (kill_random () % KILL_LONGEST_NS) };
    nanosleep (&time, NULL);
}

/* One child, from its first steps to its death. */
static void kill_once (const Child *child, bool in_fiber)
{
    int status;
    uint64_t former = child->shared->ended;
    pid_t pid = fork ();
    ck_assert_int_ge (pid, 0);
    if (pid == 0)
        child_run (child, in_fiber);
    while (child->shared->ended == former && waitpid (pid, &status, WNOHANG) == 0)
        usleep (50);
    kill_wait_random ();
    ck_assert_int_eq (kill (pid, SIGKILL), 0);
    ck_assert_int_eq (waitpid (pid, &status, 0), pid);
    ck_assert_msg (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL,
                   "%s: the child ended by itself, with status %d", child->work->name, status);
}

static long kill_count (long kills, long reduced_kills)
{
    const char *text = getenv ("EDDY_CRASH_KILLS");
    return text != NULL ? strtol (text, NULL, 10)
                        : eddy_test_reduced (kills, reduced_kills, "kills");
}

void kill_again_and_again (const KillWork *work, long kills, long reduced_kills)
{
    long n_kills = kill_count (kills, reduced_kills), n_under_way = 0, n_beside = 0;
    Child child = { .work = work };
    child.shared =
        mmap (NULL, sizeof (KillShared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne (child.shared, MAP_FAILED);
    for (long i = 0; i < n_kills; i++) {
        kill_once (&child, i % 2 == 0);
        n_under_way += child.shared->begun > child.shared->ended;
        work->check (child.shared->ended, child.shared->begun);
        int names = eddy_test_count_names (eddy_test_directory ());
        /* The next start, and that all is as if nothing had been. */
        uint64_t step = child.shared->begun + 1;
        int expected = work->next (step);
        child.shared->begun = child.shared->ended = step;
        work->check (step, step);
        ck_assert_msg (eddy_test_count_names (eddy_test_directory ()) == expected,
                       "%s: %d names after the next start, not %d", work->name,
                       eddy_test_count_names (eddy_test_directory ()), expected);
        n_beside += names > expected;
    }
    fprintf (stderr, "%s: of %ld kills %ld hit a step under way, %ld left a name beside a file\n",
             work->name, n_kills, n_under_way, n_beside);
    /* As many as must be for the test to mean something. */
    ck_assert_int_ge (n_under_way * 10, n_kills * 9);
    munmap (child.shared, sizeof (KillShared));
}
