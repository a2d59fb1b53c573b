/* SPDX-License-Identifier: MIT */
/* Watches of UNIX signals and of child processes, and what a fork leaves. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#include "loop.h"

/* --- L51: signals ----------------------------------------------------------------------------- */

static int former_calls;

static void former_handler (int number)
{
    (void) number;
    former_calls++;
}

EDDY_TEST (L51_signal_is_told_once_and_its_handler_comes_back)
{
    EddyContext *context = eddy_test_context_begin ();
    signal (SIGUSR1, former_handler);
    EddySource *first = loop_attach (eddy_signal_source_new (SIGUSR1), 0, record_again, "1");
    EddySource *second = loop_attach (eddy_signal_source_new (SIGUSR1), 0, record_again, "2");
    raise (SIGUSR1);
    raise (SIGUSR1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "12");
    loop_drop (first);
    raise (SIGUSR1);
    ck_assert (eddy_context_iteration (context, true));
    ck_assert_str_eq (record.text, "122");
    ck_assert_int_eq (former_calls, 0);
    loop_drop (second);
    raise (SIGUSR1);
    ck_assert_int_eq (former_calls, 1);
    eddy_test_context_end (context);
}

EDDY_TEST (L51_any_signal_that_can_be_caught)
{
    EddyContext *context = eddy_test_context_begin ();
    const int numbers[] = { SIGHUP,  SIGINT,   SIGQUIT,      SIGPIPE, SIGALRM,  SIGTERM,
                            SIGUSR1, SIGUSR2,  SIGCHLD,      SIGCONT, SIGTSTP,  SIGTTIN,
                            SIGTTOU, SIGURG,   SIGXCPU,      SIGPROF, SIGWINCH, SIGIO,
                            SIGSYS,  SIGRTMIN, SIGRTMIN + 7, SIGRTMAX };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before, after;
        ck_assert_int_eq (sigaction (numbers[i], NULL, &before), 0);
        EddySource *source =
            loop_attach (eddy_signal_source_new (numbers[i]), 0, record_again, "s");
        record_clear ();
        raise (numbers[i]);
        loop_run_until (context, 1);
        loop_drop (source);
        ck_assert_int_eq (sigaction (numbers[i], NULL, &after), 0);
        ck_assert_ptr_eq (after.sa_handler, before.sa_handler);
        /* The C library adds a flag of its own, SA_RESTORER, to whatever was set once. */
        ck_assert_int_eq (after.sa_flags & ~0x04000000, before.sa_flags & ~0x04000000);
    }
    eddy_test_context_end (context);
}

EDDY_TEST (L51_signal_that_cannot_be_watched)
{
    EddyContext *context = eddy_test_context_begin ();
    const int numbers[] = {
        0, -1, 4000, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP
    };
    loop_catch_messages ();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        EddySource *source = eddy_signal_source_new (numbers[i]);
        if (source != NULL)
            ck_assert_uint_eq (eddy_source_attach (source, context), 0);
        eddy_unref (source);
        ck_assert_uint_eq (eddy_signal_add (numbers[i], record_again, "s"), 0);
    }
    eddy_context_iteration (context, false);
    eddy_test_context_end (context);
}

EDDY_TEST (L51_handler_restarts_calls_and_uses_the_other_stack)
{
    EddyContext *context = eddy_test_context_begin ();
    struct sigaction action;
    EddySource *source = loop_attach (eddy_signal_source_new (SIGUSR2), 0, record_again, "s");
    eddy_context_iteration (context, false);
    ck_assert_int_eq (sigaction (SIGUSR2, NULL, &action), 0);
    ck_assert_int_ne (action.sa_flags & SA_RESTART, 0);
    ck_assert_int_ne (action.sa_flags & SA_ONSTACK, 0);
    ck_assert_int_eq (action.sa_flags & (int) SA_RESETHAND, 0);
    loop_drop (source);
    eddy_test_context_end (context);
}

/* A stack in which everything is as it was made shows that nobody ran there. */
static bool stack_is_untouched (const unsigned char *stack, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (stack[i] != 0)
            return false;
    return true;
}

static int hasty_signal; /* comes as soon as it is caught */

/* The library's calls come by here, and those of this program. */
int sigaction (int number, const struct sigaction *action, struct sigaction *former)
{
    int (*next) (int, const struct sigaction *, struct sigaction *);
    *(void **) &next = dlsym (RTLD_NEXT, "sigaction");
    int answer = next (number, action, former);
    if (number != hasty_signal || action == NULL)
        return answer;
    hasty_signal = 0;
    raise (number);
    return answer;
}

EDDY_TEST (L51_signal_that_comes_as_soon_as_it_is_caught)
{
    EddyContext *context = eddy_test_context_begin ();
    hasty_signal = SIGUSR1;
    EddySource *source = loop_attach (eddy_signal_source_new (SIGUSR1), 0, record_again, "s");
    ck_assert_int_eq (hasty_signal, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "s");
    ck_assert (!eddy_context_iteration (context, false));
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L51_signal_arrives_on_an_alternate_stack)
{
    enum { STACK = 64 * 1024 };
    EddyContext *context = eddy_test_context_begin ();
    stack_t former, stack = { .ss_size = STACK };
    stack.ss_sp = mmap (NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne (stack.ss_sp, MAP_FAILED);
    ck_assert_int_eq (sigaltstack (&stack, &former), 0);
    EddySource *source = loop_attach (eddy_signal_source_new (SIGUSR1), 0, record_again, "s");
    ck_assert (stack_is_untouched (stack.ss_sp, STACK));
    raise (SIGUSR1);
    loop_run_until (context, 1);
    ck_assert (!stack_is_untouched (stack.ss_sp, STACK));
    loop_drop (source);
    ck_assert_int_eq (sigaltstack (&former, NULL), 0);
    munmap (stack.ss_sp, STACK);
    eddy_test_context_end (context);
}

static bool raise_and_iterate (void *context)
{
    record_letter ("(");
    raise (SIGUSR2);
    ck_assert (eddy_context_iteration (context, true));
    record_letter (")");
    return EDDY_SOURCE_CONTINUE;
}

EDDY_TEST (L51_signal_in_a_nested_pass)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *outer =
        loop_attach (eddy_signal_source_new (SIGUSR1), 0, raise_and_iterate, context);
    EddySource *inner = loop_attach (eddy_signal_source_new (SIGUSR2), 0, record_again, "i");
    raise (SIGUSR1);
    loop_run_until (context, 3);
    ck_assert_str_eq (record.text, "(i)");
    ck_assert (!eddy_context_iteration (context, false));
    loop_drop (outer);
    loop_drop (inner);
    eddy_test_context_end (context);
}

static bool raise_own (void *letter)
{
    if (record.length == 0)
        raise (SIGUSR1);
    record_letter (letter);
    return EDDY_SOURCE_CONTINUE;
}

/* One that comes while its callback runs is told afterwards. */
EDDY_TEST (L51_signal_in_its_own_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *source = loop_attach (eddy_signal_source_new (SIGUSR1), 0, raise_own, "s");
    raise (SIGUSR1);
    loop_run_until (context, 2);
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_str_eq (record.text, "ss");
    loop_drop (source);
    eddy_test_context_end (context);
}

EDDY_TEST (L51_every_context_is_told)
{
    EddyContext *contexts[] = { eddy_context_new (), eddy_context_new (), eddy_context_new () };
    EddySource *sources[3];
    const char *const names = "abc";
    for (int i = 0; i < 3; i++) {
        sources[i] = eddy_signal_source_new (SIGWINCH);
        eddy_source_set_callback (sources[i], record_again, (void *) &names[i], NULL);
        ck_assert_uint_ne (eddy_source_attach (sources[i], contexts[i]), 0);
        eddy_context_iteration (contexts[i], false);
    }
    raise (SIGWINCH);
    for (size_t i = 0; i < 3; i++)
        loop_run_until (contexts[i], i + 1);
    ck_assert_str_eq (record.text, "abc");
    for (int i = 0; i < 3; i++) {
        ck_assert (!eddy_context_iteration (contexts[i], false));
        loop_drop (sources[i]);
        eddy_unref (contexts[i]);
    }
}

static void *signal_the_process (void *thread)
{
    loop_wait_asleep (*(pid_t *) thread);
    kill (getpid (), SIGUSR2);
    return NULL;
}

EDDY_TEST (L51_signal_wakes_a_sleeping_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    pid_t self = gettid ();
    EddySource *source = loop_attach (eddy_signal_source_new (SIGUSR2), 0, record_again, "s");
    for (size_t i = 1; i <= 10; i++) {
        pthread_t thread = loop_thread (signal_the_process, &self);
        loop_run_until (context, i);
        loop_join (thread);
    }
    loop_drain (context);
    ck_assert_uint_eq (record.length, 10);
    loop_drop (source);
    eddy_test_context_end (context);
}

/* --- L52: child watches ----------------------------------------------------------------------- */

typedef struct Ended {
    pid_t pid;
    int status;
    int calls;
} Ended;

static void note_child (pid_t pid, int status, void *data)
{
    Ended *ended = data;
    ended->pid = pid;
    ended->status = status;
    ended->calls++;
}

/* A child that ends when the pipe's write end is closed; a status of -1: by SIGKILL. */
static pid_t spawn_child (const int *ends, int status)
{
    pid_t pid = fork ();
    ck_assert_int_ge (pid, 0);
    if (pid == 0) {
        char byte;
        close (ends[1]);
        while (read (ends[0], &byte, 1) > 0)
            ;
        if (status < 0)
            raise (SIGKILL);
        _exit (status);
    }
    return pid;
}

static void run_until_ended (EddyContext *context, const Ended *ended)
{
    while (ended->calls == 0)
        eddy_context_iteration (context, true);
}

static void expect_no_more (EddyContext *context, const Ended *ended)
{
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (ended->calls, 1);
}

EDDY_TEST (L52_child_is_reaped_and_told_once)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    Ended ended[2] = { { 0 } };
    ck_assert_int_eq (pipe (ends), 0);
    pid_t good = spawn_child (ends, 7), killed = spawn_child (ends, -1);
    uint64_t id = eddy_child_watch_add (good, note_child, &ended[0]);
    ck_assert_uint_ne (id, 0);
    ck_assert_uint_ne (eddy_child_watch_add (killed, note_child, &ended[1]), 0);
    ck_assert (!eddy_context_iteration (context, false));
    close (ends[1]);
    run_until_ended (context, &ended[0]);
    run_until_ended (context, &ended[1]);
    expect_no_more (context, &ended[0]);
    expect_no_more (context, &ended[1]);
    ck_assert_int_eq (ended[0].pid, good);
    ck_assert (WIFEXITED (ended[0].status));
    ck_assert_int_eq (WEXITSTATUS (ended[0].status), 7);
    ck_assert_int_eq (ended[1].pid, killed);
    ck_assert (WIFSIGNALED (ended[1].status));
    ck_assert_int_eq (WTERMSIG (ended[1].status), SIGKILL);
    ck_assert_ptr_null (eddy_context_find_source_by_id (context, id));
    ck_assert_int_eq (waitpid (good, NULL, 0), -1);
    ck_assert_int_eq (waitpid (killed, NULL, 0), -1);
    close (ends[0]);
    eddy_test_context_end (context);
}

/* Until a child has ended, without reaping it. */
static void wait_for_end (pid_t pid)
{
    siginfo_t info;
    ck_assert_int_eq (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
}

EDDY_TEST (L52_child_that_ended_before_the_watch)
{
    EddyContext *context = eddy_test_context_begin ();
    Ended ended = { 0 };
    pid_t child = fork ();
    if (child == 0)
        _exit (3);
    wait_for_end (child);
    ck_assert_uint_ne (eddy_child_watch_add (child, note_child, &ended), 0);
    run_until_ended (context, &ended);
    expect_no_more (context, &ended);
    ck_assert_int_eq (WEXITSTATUS (ended.status), 3);
    eddy_test_context_end (context);
}

EDDY_TEST (L52_removed_watch_leaves_the_zombie)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2], status = 0;
    Ended ended = { 0 };
    ck_assert_int_eq (pipe (ends), 0);
    pid_t child = spawn_child (ends, 5);
    uint64_t id = eddy_child_watch_add (child, note_child, &ended);
    ck_assert_uint_ne (id, 0);
    ck_assert (!eddy_context_iteration (context, false));
    close (ends[1]);
    wait_for_end (child);
    /* Seen to be ready, and still not reaped. */
    for (int looks = 0; !eddy_context_pending (context); looks++)
        ck_assert_int_lt (looks, 10000000);
    ck_assert (eddy_source_remove (id));
    ck_assert (!eddy_context_iteration (context, false));
    ck_assert_int_eq (ended.calls, 0);
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (WEXITSTATUS (status), 5);
    close (ends[0]);
    eddy_test_context_end (context);
}

EDDY_TEST (L52_child_that_somebody_else_reaped)
{
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    Ended ended = { 0 };
    ck_assert_int_eq (pipe (ends), 0);
    pid_t child = spawn_child (ends, 5);
    ck_assert_uint_ne (eddy_child_watch_add (child, note_child, &ended), 0);
    ck_assert (!eddy_context_iteration (context, false));
    close (ends[1]);
    ck_assert_int_eq (waitpid (child, NULL, 0), child);
    loop_catch_messages ();
    run_until_ended (context, &ended);
    expect_no_more (context, &ended);
    ck_assert_int_eq (ended.status, -1);
    ck_assert_int_eq (ended.pid, child);
    ck_assert_int_eq (loop_count_messages (), 1);
    close (ends[0]);
    eddy_test_context_end (context);
}

EDDY_TEST (L52_many_children)
{
    enum { CHILDREN = 30 };
    EddyContext *context = eddy_test_context_begin ();
    int ends[2];
    Ended ended[CHILDREN] = { { 0 } };
    pid_t pids[CHILDREN];
    ck_assert_int_eq (pipe (ends), 0);
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = spawn_child (ends, i);
        ck_assert_uint_ne (eddy_child_watch_add (pids[i], note_child, &ended[i]), 0);
    }
    close (ends[1]);
    for (int i = 0; i < CHILDREN; i++) {
        while (ended[i].calls == 0)
            eddy_context_iteration (context, true);
        ck_assert_int_eq (ended[i].pid, pids[i]);
        ck_assert_int_eq (WEXITSTATUS (ended[i].status), i);
    }
    ck_assert (!eddy_context_iteration (context, false));
    for (int i = 0; i < CHILDREN; i++)
        ck_assert_int_eq (ended[i].calls, 1);
    close (ends[0]);
    eddy_test_context_end (context);
}

/* --- L54: fork -------------------------------------------------------------------------------- */

static void *read_in_child (void *data, EddyError **error)
{
    char byte;
    int *fd = data;
    eddy_fd_read (*fd, &byte, 1, 0, NULL, error);
    return NULL;
}

static void use_eddy_in_the_child (void)
{
    EddyError *error = NULL;
    loop_catch_messages ();
    EddyContext *own = eddy_context_new ();
    int fd = 0;
    EddyFuture *fiber = eddy_spawn (own, read_in_child, &fd, NULL);
    ck_assert (!eddy_block_on_complete (own, fiber, &error));
    ck_assert_int_eq (eddy_error_get_errno (error), ECHILD);
}

EDDY_TEST (L54_child_of_a_fork_gets_an_error)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_context_iteration (context, false);
    loop_in_child (use_eddy_in_the_child);
    eddy_test_context_end (context);
}

static EddyContext *inherited;

static void iterate_the_inherited (void)
{
    loop_catch_messages ();
    eddy_context_wakeup (inherited);
    for (int i = 0; i < 3; i++)
        ck_assert (!eddy_context_iteration (inherited, true));
    ck_assert_uint_eq (record.length, 0);
}

/* The child cannot take the parent's events away, nor dispatch its sources. */
EDDY_TEST (L54_inherited_context_is_not_iterated)
{
    inherited = eddy_test_context_begin ();
    ck_assert (!eddy_context_iteration (inherited, false));
    EddySource *source = loop_attach (eddy_idle_source_new (), 0, record_once, "i");
    loop_in_child (iterate_the_inherited);
    ck_assert (eddy_context_iteration (inherited, false));
    ck_assert_str_eq (record.text, "i");
    loop_drop (source);
    eddy_test_context_end (inherited);
}
