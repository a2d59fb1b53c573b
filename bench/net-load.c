/* SPDX-License-Identifier: MIT */
/*
 * net-load cpu CONNECTIONS SIZE IDLE SECONDS SERVER ARGUMENT…
 *     starts an echo server that tells its port on stdout, on a core of its own, and sends it
 *     messages of SIZE bytes by CONNECTIONS at once, beside IDLE more that say nothing; prints
 *     nanoseconds of the server's CPU time per message. Every byte that comes back is compared.
 * net-load memory IDLE SIZE SERVER ARGUMENT…
 *     prints how many resident bytes the server has for each of IDLE connections, each of which has
 *     had one message echoed.
 *
 * "{backend}" in one of the arguments is the port of an echo server in another process,
 * which a proxy is to connect to.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "bench-clock.h"
#include "bench-echo.h"

enum {
    EVENTS = 256,
    CONNECT_TRIES = 500,
    CONNECT_PAUSE_US = 10000,
    FIRST_IDLE = 1000,         /* memory: these come first, and pay for what is not theirs */
    PATIENCE_MS = 20000,       /* with a server that says nothing */
    WARM_UP_PER_CONNECTION = 4 /* messages before the clock starts */
};

typedef struct Connection {
    int fd;
    size_t received; /* of the message that is on its way */
    uint32_t number; /* which one that is */
} Connection;

typedef struct Load {
    pid_t server;
    pid_t backend;
    unsigned port;
    size_t size;
    char *message;
    char *answer;
    int epoll_fd;
    uint64_t echoed;
} Load;

static void load_fail (const char *what)
{
    fprintf (stderr, "net-load: %s%s%s\n", what, errno != 0 ? ": " : "",
             errno != 0 ? strerror (errno) : "");
    exit (1);
}

/* --- processes -------------------------------------------------------------------------------- */

/* The server gets the first core, everybody else the last one. */
static void load_pin (bool is_server)
{
    cpu_set_t all, one;
    CPU_ZERO (&one);
    if (sched_getaffinity (0, sizeof all, &all) != 0)
        return;
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET (i, &all))
            continue;
        if (!is_server)
            CPU_ZERO (&one);
        CPU_SET (i, &one);
        if (is_server)
            break;
    }
    (void) sched_setaffinity (0, sizeof one, &one);
}

/* The number at the end of a line that is to come, perhaps in pieces: "12", "… 127.0.0.1:12". */
static unsigned load_read_port (int fd)
{
    char line[128];
    size_t len = 0;
    while (len < sizeof line - 1 && memchr (line, '\n', len) == NULL) {
        struct pollfd ready = { fd, POLLIN, 0 };
        ssize_t count = poll (&ready, 1, PATIENCE_MS) == 1 ? read (fd, line + len, 1) : -1;
        errno = 0;
        if (count <= 0)
            load_fail ("the server does not tell its port");
        len += (size_t) count;
    }
    line[len] = '\0';
    while (len > 0 && (line[len - 1] < '0' || line[len - 1] > '9'))
        len--;
    while (len > 0 && line[len - 1] >= '0' && line[len - 1] <= '9')
        len--;
    return (unsigned) strtoul (line + len, NULL, 10);
}

/* Runs a program whose first line on stdout is its port; that ends with us. */
static pid_t load_start (char **argv, unsigned *port)
{
    int fds[2];
    if (pipe (fds) != 0)
        load_fail ("pipe");
    pid_t pid = fork ();
    if (pid == 0) {
        prctl (PR_SET_PDEATHSIG, SIGKILL);
        load_pin (/* is_server= */ true);
        dup2 (fds[1], STDOUT_FILENO);
        close (fds[0]);
        close (fds[1]);
        execvp (argv[0], argv);
        _exit (127);
    }
    close (fds[1]);
    if (pid < 0)
        load_fail ("fork");
    *port = load_read_port (fds[0]);
    close (fds[0]);
    return pid;
}

/* A server of our own for a proxy to connect to: it shares the core of the load. */
static pid_t load_start_backend (const char *self, char *port_word, size_t size)
{
    char path[4096];
    const char *end = strrchr (self, '/');
    int len = end == NULL ? 0 : (int) (end - self + 1);
    snprintf (path, sizeof path, "%.*sloop-echo-epoll", len, self);
    char *argv[] = { path, NULL };
    unsigned port;
    pid_t pid = load_start (argv, &port);
    cpu_set_t mine;
    if (sched_getaffinity (0, sizeof mine, &mine) == 0)
        (void) sched_setaffinity (pid, sizeof mine, &mine);
    snprintf (port_word, size, "%u", port);
    return pid;
}

static void load_start_all (Load *self, char **argv, const char *program)
{
    static const char mark[] = "{backend}";
    static char backend[128];
    char port_word[16];
    load_pin (/* is_server= */ false);
    for (char **word = argv; *word != NULL; word++) {
        const char *found = strstr (*word, mark);
        if (found == NULL || self->backend != 0)
            continue;
        self->backend = load_start_backend (program, port_word, sizeof port_word);
        snprintf (backend, sizeof backend, "%.*s%s%s", (int) (found - *word), *word, port_word,
                  found + strlen (mark));
        *word = backend;
    }
    self->server = load_start (argv, &self->port);
}

static void load_end_all (const Load *self)
{
    int status;
    errno = 0;
    if (waitpid (self->server, &status, WNOHANG) != 0)
        load_fail ("the server has ended");
    kill (self->server, SIGKILL);
    waitpid (self->server, &status, 0);
    if (self->backend != 0) {
        kill (self->backend, SIGKILL);
        waitpid (self->backend, &status, 0);
    }
}

/* What the server has run so far, on all its threads. */
static double load_get_cpu_ns (const Load *self)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid (self->server, &clock) != 0 || clock_gettime (clock, &time) != 0)
        load_fail ("the server's clock");
    return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static double load_get_resident (const Load *self)
{
    char path[64];
    unsigned long size, resident;
    snprintf (path, sizeof path, "/proc/%d/statm", (int) self->server);
    FILE *file = fopen (path, "re");
    if (file == NULL || fscanf (file, "%lu %lu", &size, &resident) != 2)
        load_fail ("the server's memory");
    fclose (file);
    return (double) resident * (double) sysconf (_SC_PAGESIZE);
}

/* --- connections ------------------------------------------------------------------------------ */

static int load_connect (const Load *self)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons ((uint16_t) self->port) };
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int tries = 0;
    while (connect (fd, (struct sockaddr *) &address, sizeof address) != 0) {
        if (errno != ECONNREFUSED || ++tries == CONNECT_TRIES) /* nginx tells its port too early */
            load_fail ("connect");
        usleep (CONNECT_PAUSE_US);
    }
    bench_echo_set_nodelay (fd);
    return fd;
}

/* Each message has its number in front, so that none can be taken for another. */
static void load_send (Load *self, Connection *connection)
{
    memcpy (self->message, &connection->number, sizeof connection->number);
    for (size_t sent = 0; sent < self->size;) {
        ssize_t count =
            send (connection->fd, self->message + sent, self->size - sent, MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR)
            load_fail ("send");
        sent += count > 0 ? (size_t) count : 0;
    }
    connection->received = 0;
}

/* Takes what is there. True: the message has come back whole, and the right one. */
static bool load_receive (Load *self, Connection *connection)
{
    ssize_t count =
        recv (connection->fd, self->answer, self->size - connection->received, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (count <= 0)
        load_fail ("the server has closed a connection");
    memcpy (self->message, &connection->number, sizeof connection->number);
    errno = 0;
    if (memcmp (self->answer, self->message + connection->received, (size_t) count) != 0)
        load_fail ("what came back is not what was sent");
    connection->received += (size_t) count;
    return connection->received == self->size;
}

/* Connects so many, each of which has one message echoed: then the server has seen it. */
static Connection *load_connect_many (Load *self, size_t n)
{
    Connection *connections = calloc (n, sizeof *connections);
    if (connections == NULL)
        load_fail ("memory");
    for (size_t i = 0; i < n; i++) {
        Connection *connection = &connections[i];
        *connection = (Connection){ .fd = load_connect (self), .number = (uint32_t) (i << 12) };
        load_send (self, connection);
        struct pollfd ready = { connection->fd, POLLIN, 0 };
        do
            if (poll (&ready, 1, PATIENCE_MS) == 0)
                load_fail ("the server does not answer");
        while (!load_receive (self, connection));
    }
    return connections;
}

/* --- work ------------------------------------------------------------------------------------- */

/* One message on its way on each connection, until so many have come back or it is late. */
static void load_run (Load *self, uint64_t n_messages, double until_ns)
{
    struct epoll_event events[EVENTS];
    uint64_t end = self->echoed + n_messages;
    while (self->echoed < end && (until_ns == 0 || bench_now_ns () < until_ns)) {
        errno = 0;
        int n = epoll_wait (self->epoll_fd, events, EVENTS, PATIENCE_MS);
        if (n == 0)
            load_fail ("the server does not answer");
        for (int i = 0; i < n; i++) {
            Connection *connection = events[i].data.ptr;
            if (!load_receive (self, connection))
                continue;
            self->echoed++;
            connection->number++;
            load_send (self, connection);
        }
    }
}

static void load_measure_cpu (Load *self, size_t n_connections, size_t n_idle, double seconds)
{
    (void) load_connect_many (self, n_idle);
    Connection *connections = load_connect_many (self, n_connections);
    self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
    for (size_t i = 0; i < n_connections; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };
        if (epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, connections[i].fd, &event) != 0)
            load_fail ("epoll");
        load_send (self, &connections[i]);
    }
    load_run (self, n_connections * WARM_UP_PER_CONNECTION, 0);
    uint64_t echoed = self->echoed;
    double cpu_ns = load_get_cpu_ns (self);
    load_run (self, UINT64_MAX / 2, bench_now_ns () + seconds * 1e9);
    cpu_ns = load_get_cpu_ns (self) - cpu_ns;
    printf ("%.1f\n", cpu_ns / (double) (self->echoed - echoed));
}

static void load_measure_memory (Load *self, size_t n_idle)
{
    (void) load_connect_many (self, FIRST_IDLE);
    double before = load_get_resident (self);
    (void) load_connect_many (self, n_idle);
    printf ("%.1f\n", (load_get_resident (self) - before) / (double) n_idle);
}

static void load_init (Load *self, const char *size)
{
    *self = (Load){ .size = strtoull (size, NULL, 10) };
    if (self->size < sizeof (uint32_t))
        load_fail ("messages have at least 4 bytes");
    self->message = malloc (self->size);
    self->answer = malloc (self->size);
    if (self->message == NULL || self->answer == NULL)
        load_fail ("memory");
    for (size_t i = 0; i < self->size; i++)
        self->message[i] = (char) (i * 31 + i / 256);
    bench_echo_raise_limit ();
}

int main (int argc, char **argv)
{
    Load load;
    if (argc >= 7 && strcmp (argv[1], "cpu") == 0) {
        load_init (&load, argv[3]);
        load_start_all (&load, argv + 6, argv[0]);
        load_measure_cpu (&load, strtoull (argv[2], NULL, 10), strtoull (argv[4], NULL, 10),
                          strtod (argv[5], NULL));
    } else if (argc >= 5 && strcmp (argv[1], "memory") == 0) {
        load_init (&load, argv[3]);
        load_start_all (&load, argv + 4, argv[0]);
        load_measure_memory (&load, strtoull (argv[2], NULL, 10));
    } else {
        fputs ("usage: net-load cpu CONNECTIONS SIZE IDLE SECONDS SERVER ARGUMENT…\n"
               "       net-load memory IDLE SIZE SERVER ARGUMENT…\n",
               stderr);
        return 2;
    }
    load_end_all (&load);
    return 0;
}
