/* SPDX-License-Identifier: MIT */
/* UNIX signals as sources.
 *
 * A handler counts the signal and writes the eventfd of every context that watches signals; the
 * context then compares the counts. Not signalfd: it needs the signal blocked in every thread, and
 * an older thread that has it unblocked gets the process killed. The former disposition returns
 * with the last watch of a signal, so code that watches nothing sees no change. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/compiler-private.h"
#include "loop/source-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"
#include "sys/signal-private.h"

enum { SIGNALS = 65, LISTENERS = 64 };

/* Read by the handler, so all of it is atomic. */
static uint64_t signal_counts[SIGNALS];
static uint64_t signal_generation;
static int signal_fds[LISTENERS]; /* eventfds plus 1; 0: free */
static unsigned signal_running;   /* handlers that may yet write to one of them */

/* Guarded by the lock. */
static pthread_mutex_t signal_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned signal_watches[SIGNALS];
static unsigned signal_fd_users[LISTENERS];
static struct sigaction signal_formers[SIGNALS];

static void signal_handler (int number)
{
    int error_number = errno;
    __atomic_add_fetch (&signal_running, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch (&signal_counts[number], 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch (&signal_generation, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < LISTENERS; i++) {
        int fd = __atomic_load_n (&signal_fds[i], __ATOMIC_SEQ_CST) - 1;
        if (fd >= 0)
            eddy__sys_eventfd_write (fd);
    }
    __atomic_sub_fetch (&signal_running, 1, __ATOMIC_SEQ_CST);
    errno = error_number;
}

static bool signal_may_be_watched (int number)
{
    return number > 0 && number < SIGNALS && number != SIGKILL && number != SIGSTOP &&
           number != SIGSEGV && number != SIGBUS && number != SIGFPE && number != SIGILL &&
           number != SIGTRAP;
}

/* The place of a context's eventfd, or a free one; LISTENERS: none. */
static int signal_find_fd (int fd)
{
    int free_place = LISTENERS;
    for (int i = LISTENERS - 1; i >= 0; i--) {
        int at = __atomic_load_n (&signal_fds[i], __ATOMIC_RELAXED) - 1;
        if (at == fd)
            return i;
        if (at < 0)
            free_place = i;
    }
    return free_place;
}

static int signal_catch (int number)
{
    struct sigaction action = { .sa_handler = signal_handler,
                                .sa_flags = SA_RESTART | SA_ONSTACK | SA_NOCLDSTOP };
    sigfillset (&action.sa_mask);
    if (signal_watches[number] > 0)
        return 0;
    return eddy__sys_sigaction (number, &action, &signal_formers[number]);
}

int eddy__signal_watch (EddySource *source)
{
    int number = source->as.signal.number;
    int fd = source->table->port->wake_fd;
    if (!signal_may_be_watched (number))
        return -EINVAL;
    pthread_mutex_lock (&signal_mutex);
    /* Before it is caught: from then on it may come, and whoever sees that it is caught may send
     * it. The first look at an active source finds what came before the fd was in its place. */
    source->as.signal.seen = __atomic_load_n (&signal_counts[number], __ATOMIC_SEQ_CST);
    int place = signal_find_fd (fd);
    int answer = place == LISTENERS ? -EMFILE : signal_catch (number);
    if (answer == 0) {
        signal_watches[number]++;
        signal_fd_users[place]++;
        __atomic_store_n (&signal_fds[place], fd + 1, __ATOMIC_SEQ_CST);
    }
    pthread_mutex_unlock (&signal_mutex);
    return answer;
}

void eddy__signal_unwatch (EddySource *source)
{
    int number = source->as.signal.number;
    eddy__list_remove (&source->as.signal.member);
    pthread_mutex_lock (&signal_mutex);
    if (--signal_watches[number] == 0)
        eddy__sys_sigaction (number, &signal_formers[number], NULL);
    int place = signal_find_fd (source->table->port->wake_fd);
    if (--signal_fd_users[place] == 0)
        __atomic_store_n (&signal_fds[place], 0, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock (&signal_mutex);
    /* A handler in another thread either finds the place free, or is seen here and waited for: else
     * it might write to the fd when that is closed, and perhaps another file by then. */
    while (__atomic_load_n (&signal_running, __ATOMIC_SEQ_CST) != 0)
        eddy__sys_sched_yield ();
}

void eddy__signal_look (EddySource *source)
{
    int number = source->as.signal.number;
    uint64_t count = __atomic_load_n (&signal_counts[number], __ATOMIC_SEQ_CST);
    if (count == source->as.signal.seen || source->blocked > 0)
        return;
    source->as.signal.seen = count;
    eddy__source_make_ready (source);
}

void eddy__signals_collect_slow (EddyContext *context)
{
    uint64_t generation = __atomic_load_n (&signal_generation, __ATOMIC_SEQ_CST);
    if (generation == context->signals_seen)
        return;
    context->signals_seen = generation;
    for (EddyList *link = context->signals.next; link != &context->signals; link = link->next)
        eddy__signal_look (EDDY__CONTAINER (link, EddySource, as.signal.member));
}
