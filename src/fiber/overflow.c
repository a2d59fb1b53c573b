/* SPDX-License-Identifier: MIT */
/* The handler that names a fiber whose stack overflowed; see overflow-private.h. */
#include "fiber/overflow-private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/alloc-private.h"
#include "sys/file-private.h"
#include "sys/memory-private.h"
#include "sys/process-private.h"
#include "sys/signal-private.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51 /* how large the kernel's own signal frame may be */
#endif

/* What the handler's frames take, with room to spare. */
#define HANDLER_SIZE ((size_t) 16 * 1024)
/* Whole pages on every machine. */
#define HANDLER_STACK_STEP ((size_t) 64 * 1024)

#define MESSAGE_SIZE 1024

EDDY__THREAD const void *eddy__overflow_fiber;

static _Atomic (EddyOverflowDescribe) overflow_describe;
static pthread_once_t overflow_once = PTHREAD_ONCE_INIT;
static int overflow_once_result;
static pthread_key_t overflow_key;

/* Is this thread done with? */
static EDDY__THREAD bool overflow_watched;

/* --- the message, made by hand: printf() is not safe in a signal handler ---------------------- */

typedef struct {
    char text[MESSAGE_SIZE];
    size_t len;
} OverflowMessage;

/* Leaves room for the newline. Control characters, which a fiber's name might hold, become '?'. */
static void overflow_add (OverflowMessage *message, const char *text)
{
    for (; *text != '\0' && message->len < MESSAGE_SIZE - 1; text++)
        message->text[message->len++] = (unsigned char) *text < ' ' || *text == 127 ? '?' : *text;
}

static void overflow_add_number (OverflowMessage *message, uint64_t number)
{
    char digits[24];
    char *first = digits + sizeof digits - 1;

    *first = '\0';
    do {
        *--first = (char) ('0' + number % 10);
        number /= 10;
    } while (number > 0);
    overflow_add (message, first);
}

static void overflow_report (const EddyOverflowInfo *info)
{
    OverflowMessage message = { .len = 0 };

    overflow_add (&message, "eddy: stack overflow in ");
    overflow_add (&message, info->name != NULL ? "fiber '" : "a fiber without a name");
    if (info->name != NULL) {
        overflow_add (&message, info->name);
        overflow_add (&message, "'");
    }
    if (info->file != NULL) {
        overflow_add (&message, " spawned at ");
        overflow_add (&message, info->file);
        overflow_add (&message, ":");
        overflow_add_number (&message, info->line > 0 ? (uint64_t) info->line : 0);
        overflow_add (&message, " (");
        overflow_add (&message, info->function != NULL ? info->function : "?");
        overflow_add (&message, ")");
    }
    overflow_add (&message, ", stack ");
    overflow_add_number (&message, info->stack_size);
    overflow_add (&message, " bytes: spawn it with a larger stack_size, or move large local "
                            "variables to the heap and bound the recursion");
    message.text[message.len++] = '\n';
    (void) eddy__sys_write (STDERR_FILENO, message.text, message.len);
}

/* --- the handler ------------------------------------------------------------------------------ */

/* What it calls in sys/ is a branch and a system call: safe in a signal handler. */
static void overflow_handle (int number, siginfo_t *signal_info, void *machine_context)
{
    const void *fiber = eddy__overflow_fiber;
    EddyOverflowDescribe describe = atomic_load_explicit (&overflow_describe, memory_order_acquire);
    struct sigaction action;
    bool is_fault = signal_info->si_code > 0;

    (void) machine_context;
    if (is_fault && fiber != NULL && describe != NULL) {
        EddyOverflowInfo info = { 0 };
        uintptr_t address = (uintptr_t) signal_info->si_addr;

        describe (fiber, &info);
        if (address >= (uintptr_t) info.guard_start && address < (uintptr_t) info.guard_end)
            overflow_report (&info);
    }
    /* When the handler returns, the instruction faults again, and the process dies with the core
     * that it would have left without us. */
    memset (&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    (void) eddy__sys_sigaction (number, &action, NULL);
    /* A SIGSEGV that somebody sent does not come again by itself. It is blocked until we return. */
    if (!is_fault)
        (void) eddy__sys_tgkill (eddy__sys_gettid (), number);
}

static int overflow_install (void)
{
    struct sigaction action;
    int result = eddy__sys_sigaction (SIGSEGV, NULL, &action);

    if (result < 0)
        return result;
    /* Between this look and the installation another thread can install its own, which would then
     * be lost: there is no system call that does both. Handlers are set up before threads are. */
    if ((action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_DFL)
        return 0;
    memset (&action, 0, sizeof action);
    action.sa_sigaction = overflow_handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset (&action.sa_mask);
    return eddy__sys_sigaction (SIGSEGV, &action, NULL);
}

/* --- the stack on which it runs: the one that overflowed has no room -------------------------- */

/* At the thread's end. If the program has put another one in its place since, that stays. */
static void overflow_stack_end (void *data)
{
    stack_t *mine = data;
    stack_t current;

    if (eddy__sys_sigaltstack (NULL, &current) == 0 && current.ss_sp == mine->ss_sp) {
        stack_t none = { .ss_flags = SS_DISABLE };

        (void) eddy__sys_sigaltstack (&none, NULL);
    }
    (void) eddy__sys_munmap (mine->ss_sp, mine->ss_size);
    eddy__free (mine);
}

static size_t overflow_stack_size (void)
{
    size_t size = (size_t) getauxval (AT_MINSIGSTKSZ) + HANDLER_SIZE;

    return (size + HANDLER_STACK_STEP - 1) / HANDLER_STACK_STEP * HANDLER_STACK_STEP;
}

/* Maps the stack and leaves it to the key, which frees it. */
static int overflow_stack_make (stack_t *stack)
{
    void *memory = NULL;
    int result;

    stack->ss_flags = 0;
    stack->ss_size = overflow_stack_size ();
    result =
        eddy__sys_mmap (&memory, stack->ss_size, PROT_READ | PROT_WRITE, MAP_NORESERVE | MAP_STACK);
    if (result < 0)
        return result;
    stack->ss_sp = memory;
    result = -pthread_setspecific (overflow_key, stack);
    if (result == 0)
        result = eddy__sys_sigaltstack (stack, NULL);
    if (result < 0) {
        (void) pthread_setspecific (overflow_key, NULL);
        (void) eddy__sys_munmap (memory, stack->ss_size);
    }
    return result;
}

static int overflow_stack_ensure (void)
{
    stack_t current;
    stack_t *stack;
    int result = eddy__sys_sigaltstack (NULL, &current);

    if (result < 0 || (current.ss_flags & SS_DISABLE) == 0)
        return result;
    stack = eddy__alloc0 (sizeof *stack);
    if (stack == NULL)
        return -ENOMEM;
    result = overflow_stack_make (stack);
    if (result < 0)
        eddy__free (stack);
    return result;
}

/* --- setting up ------------------------------------------------------------------------------- */

static void overflow_set_up_process (void)
{
    overflow_once_result = -pthread_key_create (&overflow_key, overflow_stack_end);
    if (overflow_once_result == 0)
        overflow_once_result = overflow_install ();
}

int eddy__overflow_watch_thread (EddyOverflowDescribe describe)
{
    int result;

    if (overflow_watched)
        return 0;
    atomic_store_explicit (&overflow_describe, describe, memory_order_release);
    pthread_once (&overflow_once, overflow_set_up_process);
    result = overflow_once_result;
    if (result == 0)
        result = overflow_stack_ensure ();
    overflow_watched = result == 0;
    return result;
}
