/* SPDX-License-Identifier: MIT */
/* A fiber that overflows its stack is named; everything else that ends in SIGSEGV stays as it was.
 * Every case runs in a child, whose stderr and wait status are checked. Needs no Check library, so
 * that it runs under qemu-user. */
#include "fiber/overflow-private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/alloc-private.h"
#include "fiber/stack-private.h"
#include "flow.h"
#include "sys/fault-private.h"
#include "tap.h"

#define ADVICE                                                                                     \
    " bytes: spawn it with a larger stack_size, or move large local variables to the heap and "    \
    "bound the recursion\n"

/* --- a child and what became of it ------------------------------------------------------------ */

typedef struct {
    int status;
    char text[8192];
} Outcome;

/* SIGSEGV as a program finds it: a sanitizer's own handler is taken away in the child. */
static void child_begin (int error_fd)
{
    struct rlimit no_core = { 0, 0 };

    setrlimit (RLIMIT_CORE, &no_core);
    signal (SIGSEGV, SIG_DFL);
    dup2 (error_fd, STDERR_FILENO);
    alarm (20);
}

/* Takes away what others say on the child's stderr: qemu-user at its end what killed it, and
 * AddressSanitizer at the first use of ucontext that it does not fully support that. */
static void outcome_strip (Outcome *outcome)
{
    char *emulator = strstr (outcome->text, "qemu: uncaught target signal");
    char *line_end = strchr (outcome->text, '\n');

    if (emulator != NULL)
        *emulator = '\0';
    if (strncmp (outcome->text, "==", 2) == 0 && line_end != NULL &&
        strstr (outcome->text, "makecontext/swapcontext") != NULL)
        memmove (outcome->text, line_end + 1, strlen (line_end + 1) + 1);
}

static Outcome run (void (*body) (void))
{
    Outcome outcome = { .status = -1 };
    size_t len = 0;
    int fds[2];
    ssize_t n;
    pid_t child;

    if (pipe (fds) < 0 || (child = fork ()) < 0)
        return outcome;
    if (child == 0) {
        child_begin (fds[1]);
        body ();
        _exit (0);
    }
    close (fds[1]);
    while (len < sizeof outcome.text - 1 &&
           (n = read (fds[0], outcome.text + len, sizeof outcome.text - 1 - len)) > 0)
        len += (size_t) n;
    close (fds[0]);
    waitpid (child, &outcome.status, 0);
    outcome_strip (&outcome);
    return outcome;
}

static bool died (const Outcome *outcome)
{
    return WIFSIGNALED (outcome->status) && WTERMSIG (outcome->status) == SIGSEGV;
}

/* TAP takes one line for each check. */
static const char *one_line (const char *text)
{
    static char line[8192];
    size_t i = 0;

    for (; text[i] != '\0' && i < sizeof line - 1; i++)
        line[i] = text[i] == '\n' ? '|' : text[i];
    line[i] = '\0';
    return line;
}

static void check_message (const char *what, void (*body) (void), const char *expected)
{
    Outcome outcome = run (body);

    tap_ok (died (&outcome), "%s: wait status %#x, expected signal 11", what,
            (unsigned) outcome.status);
    tap_ok (strcmp (outcome.text, expected) == 0, "%s: stderr is \"%s\"", what,
            one_line (outcome.text));
}

static void check_exit (const char *what, void (*body) (void), int expected)
{
    Outcome outcome = run (body);

    tap_ok (WIFEXITED (outcome.status) && WEXITSTATUS (outcome.status) == expected,
            "%s: wait status %#x, expected exit %d; stderr \"%s\"", what, (unsigned) outcome.status,
            expected, one_line (outcome.text));
}

/* --- a fiber, as far as this room needs one --------------------------------------------------- */

typedef struct {
    Flow flow;
    Flow thread_flow;
    EddyStack *stack;
    const char *name;
    void (*body) (void);
} TestFiber;

static __thread TestFiber *running;

static void describe (const void *fiber, EddyOverflowInfo *info)
{
    const TestFiber *self = fiber;

    info->name = self->name;
    info->file = self->name != NULL ? "tree.c" : NULL;
    info->line = 212;
    info->function = "tree_walk";
    info->stack_size = self->stack->size;
    info->guard_start = self->stack->guard;
    info->guard_end = self->stack->bottom;
}

static void fiber_entry (void *argument)
{
    TestFiber *self = argument;

    flow_begin (&self->flow);
    self->body ();
    flow_end (&self->flow, &self->thread_flow);
}

static void watch (void)
{
    if (eddy__overflow_watch_thread (describe) < 0)
        _exit (99);
}

static void run_in_fiber (const char *name, size_t stack_size, void (*body) (void))
{
    TestFiber *fiber = calloc (1, sizeof *fiber);

    watch ();
    fiber->name = name;
    fiber->body = body;
    if (eddy__stack_take (stack_size, &fiber->stack) < 0)
        _exit (98);
    flow_init_thread (&fiber->thread_flow);
    flow_init (&fiber->flow, fiber->stack->bottom,
               (size_t) (fiber->stack->top - fiber->stack->bottom), fiber_entry, fiber);
    running = fiber;
    eddy__overflow_fiber = fiber;
    flow_switch (&fiber->thread_flow, &fiber->flow);
    eddy__overflow_fiber = NULL;
}

/* --- ways to overflow ------------------------------------------------------------------------- */

static volatile size_t sink;
/* Deeper than any stack; a variable, so that compilers do not warn of what is meant. */
static volatile size_t deepest = SIZE_MAX;

static size_t bytes_left (void)
{
    return (size_t) ((char *) __builtin_frame_address (0) - running->stack->bottom);
}

__attribute__ ((noinline)) static size_t recurse (size_t level)
{
    volatile char frame[1000];

    memset ((void *) frame, (int) level, sizeof frame);
    if (level < deepest)
        sink = recurse (level + 1) + (size_t) frame[level % sizeof frame];
    return sink;
}

static void overflow_by_recursion (void)
{
    recurse (0);
}

/* Goes down until 80 KiB are left, and then does what a function with a frame of 128 KiB does that
 * was built without stack probes: its first access is far below, here 48 KiB beyond the end. */
__attribute__ ((noinline)) static size_t recurse_and_leap (size_t level)
{
    volatile char frame[1000];

    memset ((void *) frame, (int) level, sizeof frame);
    if (bytes_left () > (size_t) 80 * 1024)
        sink = recurse_and_leap (level + 1) + (size_t) frame[0];
    else
        *((volatile char *) __builtin_frame_address (0) - 128 * 1024) = 1;
    return sink + (size_t) frame[1];
}

static void overflow_by_large_frame (void)
{
    recurse_and_leap (0);
    _exit (3); /* it went unnoticed */
}

/* --- overflows -------------------------------------------------------------------------------- */

static void case_recursion (void)
{
    run_in_fiber ("walker", 0, overflow_by_recursion);
}

static void case_recursion_mprotect (void)
{
    eddy__stack_set_guards (EDDY_STACK_GUARDS_MPROTECT);
    run_in_fiber ("walker", 0, overflow_by_recursion);
}

static void case_large_frame (void)
{
    run_in_fiber ("walker", 0, overflow_by_large_frame);
}

static void case_large_stack (void)
{
    run_in_fiber ("walker", 1024 * 1024, overflow_by_recursion);
}

static void case_nameless (void)
{
    run_in_fiber (NULL, 0, overflow_by_recursion);
}

static void case_control_characters (void)
{
    run_in_fiber ("a\nb\033[31m\x7f", 0, overflow_by_recursion);
}

static char long_name[3000];

static void case_long_name (void)
{
    memset (long_name, 'n', sizeof long_name - 1);
    run_in_fiber (long_name, 0, overflow_by_recursion);
}

static void *thread_work (void *data)
{
    case_recursion ();
    return data;
}

static void case_other_thread (void)
{
    pthread_t thread;

    watch ();
    pthread_create (&thread, NULL, thread_work, NULL);
    pthread_join (thread, NULL);
}

#define SPAWNED "' spawned at tree.c:212 (tree_walk), stack "

static void test_overflows (void)
{
    Outcome outcome;

    check_message ("recursion", case_recursion,
                   "eddy: stack overflow in fiber 'walker" SPAWNED "196608" ADVICE);
    check_message ("recursion, guards by mprotect", case_recursion_mprotect,
                   "eddy: stack overflow in fiber 'walker" SPAWNED "196608" ADVICE);
    check_message ("a frame of 128 KiB", case_large_frame,
                   "eddy: stack overflow in fiber 'walker" SPAWNED "196608" ADVICE);
    check_message ("a large stack", case_large_stack,
                   "eddy: stack overflow in fiber 'walker" SPAWNED "1048576" ADVICE);
    check_message ("a fiber without a name", case_nameless,
                   "eddy: stack overflow in a fiber without a name, stack 196608" ADVICE);
    check_message ("control characters", case_control_characters,
                   "eddy: stack overflow in fiber 'a?b?[31m?" SPAWNED "196608" ADVICE);
    check_message ("on another thread", case_other_thread,
                   "eddy: stack overflow in fiber 'walker" SPAWNED "196608" ADVICE);
    outcome = run (case_long_name);
    tap_ok (died (&outcome) && strlen (outcome.text) == 1024 && outcome.text[1023] == '\n',
            "a name of 2999 bytes: wait status %#x, a line of %zu bytes, expected 1024",
            (unsigned) outcome.status, strlen (outcome.text));
}

/* --- what is no overflow ---------------------------------------------------------------------- */

static void touch_wild_pointer (void)
{
    void *page = mmap (NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *(volatile char *) page = 1;
}

static void case_wild_in_fiber (void)
{
    run_in_fiber ("walker", 0, touch_wild_pointer);
}

static void case_wild_on_thread (void)
{
    watch ();
    touch_wild_pointer ();
}

static EddyStack *other_stack;

static void touch_other_guard (void)
{
    *(volatile char *) other_stack->guard = 1;
}

/* Another stack's guard is a wild pointer like any other. */
static void case_other_guard (void)
{
    if (eddy__stack_take (0, &other_stack) < 0)
        _exit (97);
    run_in_fiber ("walker", 0, touch_other_guard);
}

static void case_sent (void)
{
    watch ();
    kill (getpid (), SIGSEGV);
    for (;;)
        pause ();
}

static void send_to_self (void)
{
    raise (SIGSEGV);
}

static void case_sent_in_fiber (void)
{
    run_in_fiber ("walker", 0, send_to_self);
}

static void test_other_faults (void)
{
    check_message ("a wild pointer in a fiber", case_wild_in_fiber, "");
    check_message ("a wild pointer outside of fibers", case_wild_on_thread, "");
    check_message ("another stack's guard", case_other_guard, "");
    check_message ("SIGSEGV sent by kill", case_sent, "");
    check_message ("SIGSEGV raised in a fiber", case_sent_in_fiber, "");
}

/* --- a program's own handler and stack -------------------------------------------------------- */

static void own_handler (int number)
{
    (void) number;
    _exit (42);
}

static void install_own_handler (void)
{
    struct sigaction action = { .sa_handler = own_handler, .sa_flags = SA_ONSTACK };

    sigaction (SIGSEGV, &action, NULL);
}

static void case_own_handler (void)
{
    install_own_handler ();
    run_in_fiber ("walker", 0, overflow_by_recursion);
}

static void case_own_handler_later (void)
{
    watch ();
    install_own_handler ();
    run_in_fiber ("walker", 0, overflow_by_recursion);
}

static void case_ignored (void)
{
    struct sigaction action;

    signal (SIGSEGV, SIG_IGN);
    watch ();
    sigaction (SIGSEGV, NULL, &action);
    _exit (action.sa_handler == SIG_IGN ? 42 : 1);
}

static void case_own_stack (void)
{
    static char memory[64 * 1024];
    stack_t mine = { .ss_sp = memory, .ss_size = sizeof memory }, current;

    sigaltstack (&mine, NULL);
    watch ();
    sigaltstack (NULL, &current);
    _exit (current.ss_sp == memory ? 42 : 1);
}

static void *thread_stack_work (void *data)
{
    stack_t none = { .ss_flags = SS_DISABLE };
    stack_t *current = data;

    sigaltstack (&none, NULL);
    watch ();
    watch ();
    sigaltstack (NULL, current);
    return NULL;
}

/* The stack that a thread is given lives as long as the thread. */
static void case_given_stack (void)
{
    stack_t given = { .ss_flags = SS_DISABLE };
    unsigned char resident[16];
    pthread_t thread;

    pthread_create (&thread, NULL, thread_stack_work, &given);
    pthread_join (thread, NULL);
    if ((given.ss_flags & SS_DISABLE) != 0 || given.ss_size < 16 * 1024)
        _exit (1);
    if (mincore (given.ss_sp, 4096, resident) == 0 || errno != ENOMEM)
        _exit (2);
    _exit (42);
}

static void test_own (void)
{
    check_exit ("the program's own handler", case_own_handler, 42);
    check_exit ("the program's own handler, installed later", case_own_handler_later, 42);
    check_exit ("SIGSEGV ignored", case_ignored, 42);
    check_exit ("the program's own signal stack", case_own_stack, 42);
    if (EDDY__SANITIZED)
        tap_skip ("the signal stack given to a thread",
                  "the sanitizer gives threads one, and frees what it finds at their end");
    else
        check_exit ("the signal stack given to a thread", case_given_stack, 42);
}

/* --- the system says no ----------------------------------------------------------------------- */

static int refuse (EddySysCall call, void *data)
{
    return call == *(EddySysCall *) data ? -ENOMEM : 0;
}

static void *refused_work (void *data)
{
    stack_t none = { .ss_flags = SS_DISABLE };
    int refused, allowed;

    sigaltstack (&none, NULL);
    eddy__sys_set_fault (refuse, data);
    refused = eddy__overflow_watch_thread (describe);
    eddy__sys_set_fault (NULL, NULL);
    allowed = eddy__overflow_watch_thread (describe);
    if (refused != -ENOMEM || allowed != 0)
        _exit (1);
    return NULL;
}

static void run_refused (EddySysCall call)
{
    pthread_t thread;

    pthread_create (&thread, NULL, refused_work, &call);
    pthread_join (thread, NULL);
    _exit (42);
}

static void case_no_memory (void)
{
    run_refused (EDDY_SYS_MMAP);
}

static void case_no_signal_stack (void)
{
    run_refused (EDDY_SYS_SIGALTSTACK);
}

static void test_refusals (void)
{
    check_exit ("no memory for the signal stack, then some", case_no_memory, 42);
    check_exit ("sigaltstack refused, then not", case_no_signal_stack, 42);
}

int main (void)
{
    tap_begin (/* seconds_at_most= */ 100);
    test_overflows ();
    test_other_faults ();
    test_own ();
    test_refusals ();
    return tap_end ();
}
