/* SPDX-License-Identifier: MIT */
/* What a thread that does not answer is doing: its own handler of a signal looks.
 *
 * The signal is a real-time one that nobody uses, caught for this long only. It is not sent to a
 * thread that blocks it: there it would wait until it kills the process. Where it was sent and has
 * not come, the handler stays, for the same reason. The handler notes addresses and reads its own
 * fiber's record; names are found by who asked. */
#include "fiber/dump-private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAVE_BACKTRACE 1
#else
#define HAVE_BACKTRACE 0
#endif

#include "base/compiler-private.h"
#include "sys/clock-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"
#include "sys/signal-private.h"

enum { FRAMES_MOST = 48, NAME_MOST = 200, ANSWER_NS = 200000000, LOOK_NS = 1000000 };

/* Written by the handler before it says so. */
typedef struct Frames {
    int n;
    bool in_fiber;
    bool has_place;
    int line;
    char name[NAME_MOST];
    char file[NAME_MOST];
    void *frames[FRAMES_MOST];
} Frames;

static Frames thread_frames;
static bool thread_answered; /* atomic */
static int thread_asked;     /* the kernel's number of who is to answer; atomic */
/* One at a time. */
static pthread_mutex_t thread_mutex = PTHREAD_MUTEX_INITIALIZER;

#if HAVE_BACKTRACE

static int thread_signal;        /* that is caught; 0: none */
static bool thread_keeps_signal; /* one may be on its way yet: it is caught for good */

static void frames_copy (char *to, const char *from)
{
    size_t i = 0;
    for (; from != NULL && i + 1 < NAME_MOST && from[i] != '\0'; i++)
        to[i] = from[i];
    to[i] = '\0';
}

static void thread_handle (int number)
{
    (void) number;
    int error_number = errno;
    /* Only who is asked, and only once: nobody else writes the record. */
    int self = (int) eddy__sys_gettid ();
    if (__atomic_compare_exchange_n (&thread_asked, &self, 0, /* weak= */ false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        const EddyFiber *fiber = eddy__fiber_current ();
        const EddyPlace *place = fiber == NULL ? NULL : fiber->place;
        thread_frames.in_fiber = fiber != NULL;
        thread_frames.has_place = place != NULL;
        frames_copy (thread_frames.name, fiber == NULL         ? NULL
                                         : fiber->name != NULL ? fiber->name
                                         : place != NULL       ? place->function
                                                               : "unnamed");
        frames_copy (thread_frames.file, place == NULL ? NULL : place->file);
        thread_frames.line = place == NULL ? 0 : place->line;
        thread_frames.n = backtrace (thread_frames.frames, FRAMES_MOST);
        __atomic_store_n (&thread_answered, true, __ATOMIC_RELEASE);
    }
    errno = error_number;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Whether a thread blocks a signal, or cannot be asked about it. */
static bool thread_blocks (pid_t thread, int number)
{
    char status[4096];
    (void) eddy__dump_read_thread (thread, "status", status, sizeof status);
    const char *mask = strstr (status, "\nSigBlk:");
    if (mask == NULL)
        return true;
    uint64_t blocked = strtoull (mask + sizeof "\nSigBlk:" - 1, NULL, 16);
    return (blocked >> (number - 1) & 1) != 0;
}

/* Catches a real-time signal that has its default disposition; whether there is one. */
static bool thread_catch (void)
{
    struct sigaction action = { .sa_handler = thread_handle, .sa_flags = SA_RESTART | SA_ONSTACK };
    sigfillset (&action.sa_mask);
    for (int number = SIGRTMAX; number >= SIGRTMIN && thread_signal == 0; number--) {
        struct sigaction former;
        if (eddy__sys_sigaction (number, NULL, &former) == 0 &&
            (former.sa_flags & SA_SIGINFO) == 0 && former.sa_handler == SIG_DFL &&
            eddy__sys_sigaction (number, &action, NULL) == 0)
            thread_signal = number;
    }
    return thread_signal != 0;
}

static void thread_uncatch (void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    if (thread_keeps_signal)
        return;
    eddy__sys_sigaction (thread_signal, &action, NULL);
    thread_signal = 0;
}

static bool thread_has_answered (void)
{
    return __atomic_load_n (&thread_answered, __ATOMIC_ACQUIRE);
}

/* Waits for the answer, but not long. */
static bool thread_wait (void)
{
    int64_t end_ns = eddy__sys_now_ns () + ANSWER_NS;
    while (!thread_has_answered () && eddy__sys_now_ns () < end_ns)
        eddy__sys_ppoll (NULL, 0, LOOK_NS);
    /* Of a handler that has begun by now, the end is near. */
    while (!thread_has_answered () && __atomic_exchange_n (&thread_asked, 0, __ATOMIC_SEQ_CST) == 0)
        eddy__sys_ppoll (NULL, 0, LOOK_NS);
    return thread_has_answered ();
}

/* Has the thread fill in its frames; why it did not, or NULL. */
static const char *thread_ask (pid_t thread)
{
    if (thread == 0)
        return "the context has lost it meanwhile";
    if (!thread_catch ())
        return "no signal is free to ask it by";
    if (thread_blocks (thread, thread_signal)) {
        thread_uncatch ();
        return "it blocks the signal to ask it by";
    }
    __atomic_store_n (&thread_answered, false, __ATOMIC_RELAXED);
    /* The first one loads a library, which a handler must not. */
    backtrace (thread_frames.frames, FRAMES_MOST);
    __atomic_store_n (&thread_asked, (int) thread, __ATOMIC_SEQ_CST);
    bool sent = eddy__sys_tgkill (thread, thread_signal) == 0;
    bool answered = sent && thread_wait ();
    __atomic_store_n (&thread_asked, 0, __ATOMIC_SEQ_CST);
    thread_keeps_signal = thread_keeps_signal || (sent && !answered);
    thread_uncatch ();
    return answered ? NULL : "it did not take a signal";
}

static void frames_tell (const Frames *frames, EddyDumpText *text)
{
    if (frames->in_fiber) {
        eddy__dump_add (text, "  fiber ");
        eddy__dump_add_name (text, frames->name);
        EddyPlace place = { frames->file, frames->line, "" };
        eddy__dump_add_place (text, frames->has_place ? &place : NULL, "an operation");
        eddy__dump_add (text, ": running\n");
    }
    /* The names come from memory of their own, one for all. */
    char **names = backtrace_symbols (frames->frames, frames->n);
    for (int i = 0; i < frames->n; i++)
        eddy__dump_print (text, "    #%d %s\n", i, names == NULL ? "?" : names[i]);
    eddy_free (names);
}

#endif

void eddy__dump_add_frames (EddyDumpText *text, pid_t thread)
{
#if HAVE_BACKTRACE
    pthread_mutex_lock (&thread_mutex);
    const char *why = thread_ask (thread);
    if (why == NULL)
        frames_tell (&thread_frames, text);
    pthread_mutex_unlock (&thread_mutex);
#else
    const char *why = "this C library has no backtrace";
    (void) thread;
#endif
    if (why != NULL)
        eddy__dump_print (text, "  what it does cannot be told: %s\n", why);
}
