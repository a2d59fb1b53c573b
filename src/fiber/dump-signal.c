/* SPDX-License-Identifier: MIT */
/* EDDY_DUMP_SIGNAL: a dump of everything to the standard error when the process gets this signal.
 *
 * A thread of its own waits for the handler's word and dumps, so that this works as well where
 * every loop is stuck. It is there only in a process that is asked for it. */
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log-private.h"
#include "fiber/dump-private.h"
#include "sys/process-private.h"
#include "sys/signal-private.h"

static sem_t signal_came;

/* 1 to 64, as a number or as a name with or without SIG; 0: none of these. */
static int signal_parse (const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        { "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "USR1", SIGUSR1 },
        { "USR2", SIGUSR2 }, { "ALRM", SIGALRM }, { "TERM", SIGTERM }, { "WINCH", SIGWINCH },
        { "URG", SIGURG },   { "PROF", SIGPROF }, { "IO", SIGIO },     { "PWR", SIGPWR },
    };
    char *end;
    long number = strtol (name, &end, 10);
    if (end != name && *end == '\0')
        return number > 0 && number <= SIGRTMAX ? (int) number : 0;
    if (strncmp (name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp (name, known[i].name) == 0)
            return known[i].number;
    return 0;
}

static void signal_handle (int number)
{
    int error_number = errno;
    (void) number;
    sem_post (&signal_came);
    errno = error_number;
}

static void *signal_main (void *data)
{
    (void) data;
    for (;;) {
        if (sem_wait (&signal_came) < 0)
            continue;
        (void) eddy__dump_all (STDERR_FILENO);
    }
    return NULL;
}

/* Starts the thread, which takes no signals: they are the program's. */
static int signal_start_thread (void)
{
    sigset_t all, former;
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset (&all);
    pthread_attr_init (&attributes);
    pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
    eddy__sys_sigmask (SIG_SETMASK, &all, &former);
    int answer = pthread_create (&thread, &attributes, signal_main, NULL);
    eddy__sys_sigmask (SIG_SETMASK, &former, NULL);
    pthread_attr_destroy (&attributes);
    return -answer;
}

static void signal_watch (void)
{
    const char *name = eddy__sys_getenv ("EDDY_DUMP_SIGNAL");
    if (name == NULL || *name == '\0')
        return;
    struct sigaction action = { .sa_handler = signal_handle, .sa_flags = SA_RESTART | SA_ONSTACK };
    sigfillset (&action.sa_mask);
    int number = signal_parse (name);
    sem_init (&signal_came, 0, 0);
    int answer = number == 0 ? -EINVAL : eddy__sys_sigaction (number, &action, NULL);
    if (answer == 0)
        answer = signal_start_thread ();
    if (answer < 0)
        eddy__log (EDDY_LOG_WARNING, "EDDY_DUMP_SIGNAL is '%.40s': %s", name, strerror (-answer));
}

void eddy__dump_watch_signal (void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once (&once, signal_watch);
}

/* The loop room, which knows nothing of fibers, calls it with each context. */
__attribute__ ((constructor)) static void signal_announce (void)
{
    eddy__context_made = eddy__dump_watch_signal;
}
