/* SPDX-License-Identifier: MIT */
/* A name server for tests: a thread with two sockets and a table. */
#include "name-server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADER = 12,
    MOST_NAME = 256,
    MOST_MESSAGE = 4096,
    MOST_HELD = 4096,
    MOST_CHAIN = 8,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
    RCODE_REFUSED = 5
};

#define REQUIRE(condition)                                                                         \
    ((condition) ? (void) 0 : (perror ("name server: " #condition), abort ()))

typedef struct Message {
    uint8_t bytes[MOST_MESSAGE];
    size_t length;
} Message;

typedef struct Question {
    uint8_t head[HEADER];
    uint8_t *asked; /* the question as it came */
    size_t asked_length;
    char name[MOST_NAME];
    int type;
} Question;

typedef struct Held {
    struct sockaddr_in to;
    Message *message;
} Held;

struct NameServer {
    const NameRecord *records;
    int udp, tcp, wake;
    char address[32];
    pthread_t thread;
    atomic_uint n_asked, n_asked_by_tcp, n_held;
    atomic_bool is_over, is_releasing, refuses_tcp;
    Held held[MOST_HELD];
    uint8_t was_lost[256]; /* by a name's hash */
};

/* --- messages --------------------------------------------------------------------------------- */

static void put (Message *message, const void *bytes, size_t length)
{
    REQUIRE (message->length + length <= sizeof message->bytes);
    memcpy (message->bytes + message->length, bytes, length);
    message->length += length;
}

static void put16 (Message *message, unsigned number)
{
    const uint8_t bytes[] = { (uint8_t) (number >> 8), (uint8_t) number };
    put (message, bytes, sizeof bytes);
}

static void put_name (Message *message, const char *name)
{
    while (*name != '\0' && strcmp (name, ".") != 0) {
        size_t length = strcspn (name, ".");
        uint8_t count = (uint8_t) length;
        put (message, &count, 1);
        put (message, name, length);
        name += length + (name[length] == '.');
    }
    put (message, "", 1);
}

static void put_record (Message *message, const NameRecord *record)
{
    put_name (message, record->name);
    put16 (message, (unsigned) record->type);
    put16 (message, 1);
    put16 (message, 0);
    put16 (message, 60);
    size_t at = message->length;
    uint8_t address[16];
    unsigned numbers[3];
    char target[MOST_NAME];
    put16 (message, 0);
    if (record->type == NAME_A || record->type == NAME_AAAA) {
        bool is_ipv4 = record->type == NAME_A;
        REQUIRE (inet_pton (is_ipv4 ? AF_INET : AF_INET6, record->data, address) == 1);
        put (message, address, is_ipv4 ? 4 : 16);
    } else if (record->type == NAME_SRV) {
        REQUIRE (sscanf (record->data, "%u %u %u %255s", &numbers[0], &numbers[1], &numbers[2],
                         target) == 4);
        for (int i = 0; i < 3; i++)
            put16 (message, numbers[i]);
        put_name (message, target);
    } else {
        put_name (message, record->data);
    }
    size_t length = message->length - at - 2;
    message->bytes[at] = (uint8_t) (length >> 8);
    message->bytes[at + 1] = (uint8_t) length;
}

static bool question_read (Question *self, uint8_t *bytes, size_t length)
{
    size_t at = HEADER, n = 0;
    if (length < HEADER + 5)
        return false;
    memcpy (self->head, bytes, HEADER);
    while (at < length && bytes[at] != 0) {
        size_t label = bytes[at++];
        if (at + label >= length || n + label + 2 > sizeof self->name)
            return false;
        memcpy (self->name + n, bytes + at, label);
        n += label;
        self->name[n++] = '.';
        at += label;
    }
    if (at + 5 > length)
        return false;
    self->name[n > 0 ? n - 1 : 0] = '\0';
    self->type = bytes[at + 1] << 8 | bytes[at + 2];
    self->asked = bytes + HEADER;
    self->asked_length = at + 5 - HEADER;
    return true;
}

static const NameRecord *find_record (const NameServer *self, const char *name, int type)
{
    for (const NameRecord *record = self->records; record->name != NULL; record++)
        if (strcasecmp (record->name, name) == 0 && (int) record->type == type)
            return record;
    return NULL;
}

static bool has_name (const NameServer *self, const char *name)
{
    for (const NameRecord *record = self->records; record->name != NULL; record++)
        if (strcasecmp (record->name, name) == 0)
            return true;
    return false;
}

/* Follows aliases, and writes what there is at their end. */
static unsigned put_answers (const NameServer *self, Message *message, const Question *question)
{
    const char *name = question->name;
    unsigned n = 0;
    for (int i = 0; i < MOST_CHAIN; i++) {
        const NameRecord *alias = find_record (self, name, NAME_CNAME);
        if (alias == NULL)
            break;
        put_record (message, alias);
        n++;
        name = alias->data;
    }
    for (const NameRecord *record = self->records; record->name != NULL; record++)
        if (strcasecmp (record->name, name) == 0 && (int) record->type == question->type) {
            put_record (message, record);
            n++;
        }
    return n;
}

static void answer (const NameServer *self, const Question *question, unsigned rcode, bool is_cut,
                    Message *message)
{
    message->length = 0;
    put (message, question->head, 2);
    if (rcode == 0 && !has_name (self, question->name))
        rcode = RCODE_NXDOMAIN;
    put16 (message, 0x8180U | (is_cut ? 0x200U : 0U) | rcode);
    put16 (message, 1);
    put16 (message, 0);
    put16 (message, 0);
    put16 (message, 0);
    put (message, question->asked, question->asked_length);
    unsigned n = is_cut || rcode != 0 ? 0 : put_answers (self, message, question);
    message->bytes[7] = (uint8_t) n;
}

/* A record whose name points to itself. */
static void answer_loop (const NameServer *self, const Question *question, Message *message)
{
    answer (self, question, RCODE_SERVFAIL, false, message);
    message->bytes[3] = 0x80;
    message->bytes[7] = 1;
    put16 (message, 0xc000U | (unsigned) message->length);
    put16 (message, (unsigned) question->type);
    put16 (message, 1);
    put16 (message, 0);
    put16 (message, 60);
    put16 (message, 0);
}

/* --- questions -------------------------------------------------------------------------------- */

/* Whether a question is in this trouble: one of its name, for all types or "WORD TYPE". */
static bool is_in (const NameServer *self, const Question *question, const char *trouble)
{
    size_t length = strlen (trouble);
    for (const NameRecord *record = self->records; record->name != NULL; record++)
        if (record->type == NAME_TROUBLE && strcasecmp (record->name, question->name) == 0 &&
            strncmp (record->data, trouble, length) == 0 &&
            (record->data[length] == '\0' ||
             strtol (&record->data[length], NULL, 10) == question->type))
            return true;
    return false;
}

static void send_message (const NameServer *self, const Message *message,
                          const struct sockaddr_in *to)
{
    (void) sendto (self->udp, message->bytes, message->length, MSG_NOSIGNAL,
                   (const struct sockaddr *) to, sizeof *to);
}

static void hold (NameServer *self, const Message *message, const struct sockaddr_in *to)
{
    unsigned n = atomic_load (&self->n_held);
    REQUIRE (n < MOST_HELD);
    self->held[n].to = *to;
    self->held[n].message = malloc (sizeof *message);
    REQUIRE (self->held[n].message != NULL);
    *self->held[n].message = *message;
    atomic_store (&self->n_held, n + 1);
}

static bool was_lost_before (NameServer *self, const Question *question)
{
    unsigned hash = (unsigned) question->type;
    for (const char *c = question->name; *c != '\0'; c++)
        hash = hash * 31 + (unsigned char) *c;
    bool was = self->was_lost[hash % 256];
    self->was_lost[hash % 256] = 1;
    return was;
}

static void send_foreign (const NameServer *self, const Question *question,
                          const struct sockaddr_in *to)
{
    static const NameRecord wrong[] = { { "other.test", NAME_A, "198.51.100.66" },
                                        { NULL, NAME_TROUBLE, NULL } };
    NameServer liar = { .records = wrong };
    Message message;
    uint8_t asked[] = "\5other\4test\0\0\1\0\1";
    Question other = *question;
    other.asked = asked;
    other.asked_length = sizeof asked - 1;
    snprintf (other.name, sizeof other.name, "other.test");
    answer (&liar, &other, 0, false, &message);
    send_message (self, &message, to);
    answer (self, question, 0, false, &message);
    message.bytes[0] ^= 0x55;
    message.bytes[message.length - 1] ^= 0x55;
    send_message (self, &message, to);
}

static void serve_udp (NameServer *self)
{
    static const uint8_t overlong[513];
    uint8_t bytes[MOST_MESSAGE];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t count =
        recvfrom (self->udp, bytes, sizeof bytes, 0, (struct sockaddr *) &from, &from_len);
    Question question;
    Message message;
    if (count < 0 || !question_read (&question, bytes, (size_t) count))
        return;
    atomic_fetch_add (&self->n_asked, 1);
    bool is_cut = is_in (self, &question, "truncated") || is_in (self, &question, "tcp-reset") ||
                  is_in (self, &question, "tcp-silent");
    unsigned rcode = is_in (self, &question, "servfail")  ? RCODE_SERVFAIL
                     : is_in (self, &question, "refused") ? RCODE_REFUSED
                                                          : 0;
    bool is_silent = is_in (self, &question, "silent");
    if (is_in (self, &question, "lost"))
        is_silent = !was_lost_before (self, &question);
    answer (self, &question, rcode, is_cut, &message);
    if (is_in (self, &question, "malformed") && message.bytes[7] > 0)
        message.length -= 3;
    if (is_in (self, &question, "loop"))
        answer_loop (self, &question, &message);
    if (is_in (self, &question, "overlong"))
        put (&message, overlong, sizeof overlong);
    if (is_in (self, &question, "foreign"))
        send_foreign (self, &question, &from);
    if (is_in (self, &question, "late"))
        hold (self, &message, &from);
    else if (!is_silent)
        send_message (self, &message, &from);
}

static bool read_exactly (int fd, uint8_t *bytes, size_t length)
{
    for (size_t n = 0; n < length;) {
        ssize_t count = read (fd, bytes + n, length - n);
        if (count <= 0)
            return false;
        n += (size_t) count;
    }
    return true;
}

/* Several questions may come by one connection, and their answers in two pieces. */
static void serve_tcp (NameServer *self)
{
    int fd = accept4 (self->tcp, NULL, NULL, SOCK_CLOEXEC);
    const struct timeval patience = { .tv_sec = 2 };
    uint8_t bytes[MOST_MESSAGE];
    if (fd < 0)
        return;
    (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (read_exactly (fd, bytes, 2)) {
        size_t length = (size_t) (bytes[0] << 8 | bytes[1]);
        Question question;
        Message message;
        if (length > sizeof bytes || !read_exactly (fd, bytes, length) ||
            !question_read (&question, bytes, length))
            break;
        atomic_fetch_add (&self->n_asked, 1);
        atomic_fetch_add (&self->n_asked_by_tcp, 1);
        if (is_in (self, &question, "tcp-reset"))
            break;
        if (is_in (self, &question, "tcp-silent"))
            continue;
        answer (self, &question, 0, false, &message);
        const uint8_t head[] = { (uint8_t) (message.length >> 8), (uint8_t) message.length };
        (void) send (fd, head, sizeof head, MSG_NOSIGNAL);
        (void) send (fd, message.bytes, message.length, MSG_NOSIGNAL);
    }
    close (fd);
}

static void release_held (NameServer *self)
{
    for (unsigned i = 0; i < atomic_load (&self->n_held); i++) {
        send_message (self, self->held[i].message, &self->held[i].to);
        free (self->held[i].message);
    }
    atomic_store (&self->n_held, 0);
}

static void *serve (void *data)
{
    NameServer *self = data;
    while (!atomic_load (&self->is_over)) {
        struct pollfd fds[] = { { self->udp, POLLIN, 0 },
                                { atomic_load (&self->refuses_tcp) ? -1 : self->tcp, POLLIN, 0 },
                                { self->wake, POLLIN, 0 } };
        eventfd_t count;
        (void) poll (fds, 3, -1);
        if (fds[2].revents != 0)
            (void) eventfd_read (self->wake, &count);
        if (atomic_exchange (&self->is_releasing, false))
            release_held (self);
        if (fds[0].revents != 0)
            serve_udp (self);
        if (fds[1].revents != 0)
            serve_tcp (self);
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

/* Both by one port: another one where TCP has it in use. */
static bool open_sockets (NameServer *self)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    self->udp = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    self->tcp = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE (self->udp >= 0 && self->tcp >= 0);
    REQUIRE (bind (self->udp, (struct sockaddr *) &address, sizeof address) == 0);
    REQUIRE (getsockname (self->udp, (struct sockaddr *) &address, &len) == 0);
    if (bind (self->tcp, (struct sockaddr *) &address, sizeof address) < 0) {
        close (self->udp);
        close (self->tcp);
        return false;
    }
    REQUIRE (listen (self->tcp, 128) == 0);
    const int space = 4 << 20;
    (void) setsockopt (self->udp, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
    snprintf (self->address, sizeof self->address, "127.0.0.1:%u", ntohs (address.sin_port));
    return true;
}

NameServer *name_server_new (const NameRecord *records)
{
    NameServer *self = calloc (1, sizeof *self);
    REQUIRE (self != NULL);
    self->records = records;
    while (!open_sockets (self))
        continue;
    self->wake = eventfd (0, EFD_CLOEXEC);
    REQUIRE (self->wake >= 0);
    REQUIRE (pthread_create (&self->thread, NULL, serve, self) == 0);
    return self;
}

const char *name_server_get_address (const NameServer *server)
{
    return server->address;
}

unsigned name_server_get_n_asked (NameServer *server)
{
    return atomic_load (&server->n_asked);
}

unsigned name_server_get_n_asked_by_tcp (NameServer *server)
{
    return atomic_load (&server->n_asked_by_tcp);
}

unsigned name_server_get_n_held (NameServer *server)
{
    return atomic_load (&server->n_held);
}

void name_server_release (NameServer *server)
{
    atomic_store (&server->is_releasing, true);
    (void) eventfd_write (server->wake, 1);
}

void name_server_refuse_tcp (NameServer *server)
{
    atomic_store (&server->refuses_tcp, true);
    REQUIRE (shutdown (server->tcp, SHUT_RDWR) == 0);
}

void name_server_free (NameServer *server)
{
    atomic_store (&server->is_over, true);
    (void) eventfd_write (server->wake, 1);
    (void) pthread_join (server->thread, NULL);
    for (unsigned i = 0; i < atomic_load (&server->n_held); i++)
        free (server->held[i].message);
    close (server->udp);
    close (server->tcp);
    close (server->wake);
    free (server);
}
