/* SPDX-License-Identifier: MIT */
/* c-ares on a context's loop: its sockets are sources, its time is a timed post. */
#include "net/resolver-channel-private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "net/resolver-private.h"
#include "sys/file-private.h"
#include "sys/socket-private.h"

enum {
    CHANNEL_MOST_QUESTIONS = 256,
    CHANNEL_MOST_IDLE = 4,
    /* Messages taken at once from a socket that has ever more. */
    CHANNEL_MOST_RECEIVED = 64,
    /* Of a message (RFC 1035, section 4). */
    MESSAGE_HEADER = 12,
    MESSAGE_FLAGS = 2,
    MESSAGE_IS_CUT = 0x02,
    MESSAGE_MOST_BY_UDP = 512,
    /* Where resolv.conf does not say: as resolv.conf(5) has it. */
    SERVERS_TIMEOUT_MS = 5000,
    SERVERS_ATTEMPTS = 2
};

/* c-ares is looked after no more often than this: what is in time for each of many questions costs
 * a walk through all. */
static const int64_t CHANNEL_LEAST_WAIT_NS = 10000000;

/* --- how c-ares calls the system -------------------------------------------------------------- */

/* c-ares asks for -1 and errno. */
static long channel_answer (long result)
{
    if (result >= 0)
        return result;
    errno = (int) -result;
    return -1;
}

static ares_socket_t channel_open_socket (int family, int type, int protocol, void *data)
{
    EddyNameChannel *self = data;
    int fd = eddy__sys_socket (family, type, protocol);
    if (fd < 0 && fd != -EAFNOSUPPORT)
        self->socket_failure = fd;
    return (ares_socket_t) channel_answer (fd);
}

static int channel_close_socket (ares_socket_t fd, void *data)
{
    (void) data;
    return (int) channel_answer (eddy__sys_close (fd));
}

static int channel_connect (ares_socket_t fd, const struct sockaddr *address, ares_socklen_t len,
                            void *data)
{
    (void) data;
    return (int) channel_answer (eddy__sys_connect (fd, address, len));
}

/* Whether an answer may be to what a lookup asks: its name, or that in a domain of the search list.
 * What a name without a dot becomes c-ares alone knows. */
static bool asker_is_concerned (const EddyNameAsker *asker, const char *answered)
{
    size_t length = strlen (asker->name);
    if (length > 0 && asker->name[length - 1] == '.')
        length--;
    return memchr (asker->name, '.', length) == NULL ||
           (strncasecmp (asker->name, answered, length) == 0 &&
            (answered[length] == '\0' || answered[length] == '.'));
}

/* An answer is cut. c-ares takes it as it is, and would not say so: whoever waits for it is told
 * here. Its number is not looked at, for nothing of it is believed: the name is asked by TCP. */
static void channel_tell_cut (EddyNameChannel *self, const unsigned char *message, size_t length)
{
    char *answered;
    long encoded;
    if (ares_expand_name (message + MESSAGE_HEADER, message, (int) length, &answered, &encoded) !=
        ARES_SUCCESS)
        return;
    for (EddyList *member = self->askers.next, *next; member != &self->askers; member = next) {
        next = member->next;
        EddyNameAsker *asker = EDDY__CONTAINER (member, EddyNameAsker, member);
        if (!asker_is_concerned (asker, answered))
            continue;
        eddy__list_remove (member);
        asker->cut (asker);
    }
    ares_free_string (answered);
}

/* Of one that is longer than was asked for c-ares takes the beginning alone. */
static bool channel_cuts (const EddyNameChannel *self, const unsigned char *message, ssize_t length)
{
    bool is_plain = (self->servers->options.flags & ARES_FLAG_EDNS) == 0;
    return length >= MESSAGE_HEADER && ((message[MESSAGE_FLAGS] & MESSAGE_IS_CUT) != 0 ||
                                        (is_plain && length > MESSAGE_MOST_BY_UDP));
}

static ares_ssize_t channel_receive (ares_socket_t fd, void *buf, size_t len, int flags,
                                     struct sockaddr *from, ares_socklen_t *from_len, void *data)
{
    EddyNameChannel *self = data;
    if (self->n_to_receive == 0)
        return channel_answer (-EAGAIN); /* the rest in the next dispatch */
    self->n_to_receive--;
    struct iovec vector = { buf, len };
    struct msghdr message = { .msg_name = from,
                              .msg_namelen = from_len == NULL ? 0 : *from_len,
                              .msg_iov = &vector,
                              .msg_iovlen = 1 };
    ssize_t count = eddy__sys_recvmsg (fd, &message, flags);
    if (from_len != NULL)
        *from_len = message.msg_namelen;
    if (!eddy__list_is_empty (&self->askers) && channel_cuts (self, buf, count))
        channel_tell_cut (self, buf, (size_t) count);
    return channel_answer (count);
}

static ares_ssize_t channel_send (ares_socket_t fd, const struct iovec *vectors, int n_vectors,
                                  void *data)
{
    (void) data;
    struct msghdr message = { .msg_iov = (struct iovec *) (uintptr_t) vectors, /* only read */
                              .msg_iovlen = (size_t) n_vectors };
    return channel_answer (eddy__sys_sendmsg (fd, &message, 0));
}

static const struct ares_socket_functions channel_socket_functions = {
    channel_open_socket, channel_close_socket, channel_connect, channel_receive, channel_send
};

/* --- whom to ask ------------------------------------------------------------------------------ */

static void servers_finalize (void *object)
{
    EddyNameServers *self = object;
    ares_destroy_options (&self->options);
    ares_free_data (self->nodes);
}

static const EddyClass servers_class = { .name = "EddyNameServers",
                                         .size = sizeof (EddyNameServers),
                                         .finalize = servers_finalize };

/* c-ares keeps a count of its users, which is not for several threads. */
static int servers_init_library (void)
{
    static EddyLock lock = EDDY__LOCK_INIT;
    static bool is_done;
    bool locked = eddy__lock (&lock);
    int status = is_done ? ARES_SUCCESS : ares_library_init (ARES_LIB_INIT_ALL);
    is_done = status == ARES_SUCCESS;
    eddy__unlock (&lock, locked);
    return status;
}

/* A channel that has read all that there is to read is asked what it has found. */
static int servers_read (EddyNameServers *self, const EddyNameSettings *settings,
                         const EddyNameOptions *said)
{
    char no_file[] = "/dev/null", only_dns[] = "b";
    const char *servers = settings->servers;
    struct ares_options options = { .lookups = only_dns,
                                    .resolvconf_path =
                                        servers != NULL ? no_file : settings->resolv_conf,
                                    .udp_port = settings->port,
                                    .tcp_port = settings->port,
                                    .timeout = SERVERS_TIMEOUT_MS,
                                    .tries = SERVERS_ATTEMPTS };
    int mask = ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    if (said->timeout_s != 0)
        options.timeout = 1000 * (int) said->timeout_s;
    if (said->attempts != 0)
        options.tries = (int) said->attempts;
    if (servers != NULL)
        mask |= ARES_OPT_DOMAINS; /* none */
    if (settings->port != 0)
        mask |= ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
    ares_channel channel;
    int status = servers_init_library ();
    if (status == ARES_SUCCESS)
        status = ares_init_options (&channel, &options, mask);
    if (status != ARES_SUCCESS)
        return status;
    if (servers != NULL)
        status = ares_set_servers_ports_csv (channel, servers);
    if (status == ARES_SUCCESS)
        status = ares_save_options (channel, &self->options, &self->options_mask);
    if (status == ARES_SUCCESS)
        status = ares_get_servers_ports (channel, &self->nodes);
    ares_destroy (channel);
    return status;
}

EddyNameServers *eddy__name_servers_new (const EddyNameSettings *settings,
                                         const EddyNameOptions *options, int *status)
{
    EddyNameServers *self = eddy_object_new (&servers_class);
    *status = self == NULL ? ARES_ENOMEM : servers_read (self, settings, options);
    if (*status == ARES_SUCCESS)
        return self;
    eddy_unref (self);
    return NULL;
}

bool eddy__name_servers_have_resolved (const EddyNameServers *servers)
{
    static const uint8_t resolved[4] = { 127, 0, 0, 53 };
    for (const struct ares_addr_port_node *node = servers->nodes; node != NULL; node = node->next)
        if (node->family == AF_INET && memcmp (&node->addr, resolved, sizeof resolved) == 0)
            return true;
    return false;
}

/* --- its sockets ------------------------------------------------------------------------------ */

static bool channel_socket_ready (int fd, unsigned events, void *data)
{
    EddyNameChannel *self = data;
    const unsigned broken = POLLERR | POLLHUP | POLLNVAL;
    self->n_to_receive = CHANNEL_MOST_RECEIVED;
    ares_process_fd (self->ares, (events & (POLLIN | broken)) != 0 ? fd : ARES_SOCKET_BAD,
                     (events & (POLLOUT | broken)) != 0 ? fd : ARES_SOCKET_BAD);
    eddy__name_channel_settle (self);
    return EDDY_SOURCE_CONTINUE;
}

static void channel_unwatch (EddyNameChannel *self, int fd)
{
    for (size_t i = 0; i < self->n_sockets; i++) {
        if (self->sockets[i].fd != fd)
            continue;
        eddy_source_destroy (self->sockets[i].source);
        eddy_unref (self->sockets[i].source);
        self->sockets[i] = self->sockets[--self->n_sockets];
        return;
    }
}

static bool channel_watch (EddyNameChannel *self, int fd, unsigned events)
{
    EddyNameSocket *grown =
        eddy__realloc (self->sockets, (self->n_sockets + 1) * sizeof (EddyNameSocket));
    if (grown == NULL)
        return false;
    self->sockets = grown;
    EddySource *source = eddy_fd_source_new (fd, events);
    if (source == NULL)
        return false;
    eddy_source_set_callback (source, EDDY_SOURCE_FUNC (channel_socket_ready), self, NULL);
    eddy_source_set_static_name (source, "name server");
    if (eddy_source_attach (source, self->context) == 0) {
        eddy_unref (source);
        return false;
    }
    grown[self->n_sockets++] = (EddyNameSocket){ fd, source };
    return true;
}

/* c-ares tells what a socket is to be watched for; right before it closes it, for nothing. */
static void channel_socket_changed (void *data, ares_socket_t fd, int readable, int writable)
{
    EddyNameChannel *self = data;
    unsigned events = (readable ? POLLIN : 0U) | (writable ? POLLOUT : 0U);
    channel_unwatch (self, fd);
    if (events != 0 && !channel_watch (self, fd, events))
        self->failure = -ENOMEM;
}

/* --- its time --------------------------------------------------------------------------------- */

static void channel_set_timer (EddyNameChannel *self, int64_t wait_ns)
{
    int64_t time_ns = eddy_get_monotonic_time_ns () + wait_ns;
    if (time_ns >= self->timer_ns)
        return;
    self->timer_ns = time_ns;
    if (!eddy_context_post_at (self->context, &self->timer, time_ns))
        self->failure = -ENOMEM;
}

static int64_t channel_find_wait (EddyNameChannel *self)
{
    struct timeval space;
    const struct timeval *wait = ares_timeout (self->ares, NULL, &space);
    int64_t wait_ns = wait == NULL ? 0 : wait->tv_sec * INT64_C (1000000000) + wait->tv_usec * 1000;
    return wait_ns < CHANNEL_LEAST_WAIT_NS ? CHANNEL_LEAST_WAIT_NS : wait_ns;
}

static void channel_time_has_come (EddyTimedPost *timed)
{
    EddyNameChannel *self = EDDY__CONTAINER (timed, EddyNameChannel, timer);
    self->timer_ns = INT64_MAX;
    self->n_to_receive = CHANNEL_MOST_RECEIVED;
    ares_process_fd (self->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (self->n_questions > 0)
        channel_set_timer (self, channel_find_wait (self));
    eddy__name_channel_settle (self);
}

void eddy__name_channel_settle (EddyNameChannel *self)
{
    /* A new question is never due before the others, so there is no need to look at all. */
    if (self->n_questions > 0 && self->first_wait_ns == 0)
        self->first_wait_ns = channel_find_wait (self);
    if (self->n_questions > 0 && self->failure == 0)
        channel_set_timer (self, self->first_wait_ns);
    if (self->failure != 0)
        ares_cancel (self->ares);
}

/* --- its life --------------------------------------------------------------------------------- */

static void channel_free (EddyNameChannel *self)
{
    if (self->ares != NULL)
        ares_destroy (self->ares);
    eddy_unref (self->servers);
    eddy__free (self->sockets);
    eddy__free (self);
}

/* All that c-ares would read files for is known. */
static int channel_open (EddyNameChannel *self, int flags)
{
    char no_file[] = "/dev/null";
    struct ares_options options = self->servers->options;
    options.flags |= flags;
    options.resolvconf_path = no_file;
    options.sock_state_cb = channel_socket_changed;
    options.sock_state_cb_data = self;
    int status =
        ares_init_options (&self->ares, &options,
                           self->servers->options_mask | ARES_OPT_FLAGS | ARES_OPT_RESOLVCONF |
                               ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        self->ares = NULL;
        return status;
    }
    ares_set_socket_functions (self->ares, &channel_socket_functions, self);
    return ares_set_servers_ports (self->ares, self->servers->nodes);
}

static EddyNameChannel *channel_new (EddyNameServers *servers, int flags, int *status)
{
    EddyNameChannel *self = eddy__alloc0 (sizeof *self);
    if (self == NULL) {
        *status = ARES_ENOMEM;
        return NULL;
    }
    self->servers = eddy_ref (servers);
    self->timer.run = channel_time_has_come;
    self->timer_ns = INT64_MAX;
    eddy__list_init (&self->member);
    eddy__list_init (&self->askers);
    *status = channel_open (self, flags);
    if (*status == ARES_SUCCESS)
        return self;
    channel_free (self);
    return NULL;
}

/* Nobody waits: what is still asked is given up, and the sockets with it. */
static void channel_rest (EddyNameChannel *self)
{
    ares_cancel (self->ares);
    (void) eddy_context_take_back (self->context, &self->timer);
    self->timer_ns = INT64_MAX;
    self->failure = 0;
    self->socket_failure = 0;
    self->n_asked = 0;
}

EddyNameChannel *eddy__name_channel_new_by_tcp (EddyNameServers *servers, EddyContext *context,
                                                int *status)
{
    EddyNameChannel *self = channel_new (servers, ARES_FLAG_USEVC, status);
    if (self != NULL)
        self->context = context;
    return self;
}

void eddy__name_channel_end (EddyNameChannel *channel)
{
    channel_rest (channel);
    channel_free (channel);
}

/* --- the channels of a resolver --------------------------------------------------------------- */

void eddy__name_channels_init (EddyNameChannels *self)
{
    eddy__lock_init (&self->lock);
    eddy__list_init (&self->used);
    eddy__list_init (&self->idle);
}

void eddy__name_channels_clear (EddyNameChannels *self)
{
    for (EddyList *member = eddy__list_pop (&self->idle); member != NULL;
         member = eddy__list_pop (&self->idle))
        channel_free (EDDY__CONTAINER (member, EddyNameChannel, member));
    self->n_idle = 0;
}

/* One of the context's, or of those that are nobody's. Under the lock. */
static EddyNameChannel *channels_find (EddyNameChannels *self, const EddyNameServers *servers,
                                       const EddyContext *context)
{
    for (EddyList *member = self->used.prev; member != &self->used; member = member->prev) {
        EddyNameChannel *channel = EDDY__CONTAINER (member, EddyNameChannel, member);
        if (channel->context == context && channel->servers == servers && channel->failure == 0 &&
            channel->n_asked < CHANNEL_MOST_QUESTIONS)
            return channel;
    }
    for (EddyList *member = self->idle.next; member != &self->idle; member = member->next) {
        EddyNameChannel *channel = EDDY__CONTAINER (member, EddyNameChannel, member);
        if (channel->servers == servers) {
            self->n_idle--;
            return channel;
        }
    }
    return NULL;
}

EddyNameChannel *eddy__name_channels_join (EddyNameChannels *self, EddyNameServers *servers,
                                           EddyContext *context, int *status)
{
    bool locked = eddy__lock (&self->lock);
    EddyNameChannel *channel = channels_find (self, servers, context);
    if (channel != NULL)
        eddy__list_remove (&channel->member);
    eddy__unlock (&self->lock, locked);
    if (channel == NULL)
        channel = channel_new (servers, ARES_FLAG_IGNTC, status);
    if (channel == NULL)
        return NULL;
    channel->context = context;
    channel->n_waiting++;
    channel->n_asked++;
    locked = eddy__lock (&self->lock);
    eddy__list_append (&self->used, &channel->member);
    eddy__unlock (&self->lock, locked);
    return channel;
}

void eddy__name_channels_leave (EddyNameChannels *self, EddyNameChannel *channel)
{
    if (--channel->n_waiting > 0)
        return;
    channel_rest (channel);
    bool locked = eddy__lock (&self->lock);
    eddy__list_remove (&channel->member);
    channel->context = NULL;
    /* One that asks whom nobody asks any more is not found again, and goes when others come. */
    EddyNameChannel *last = NULL;
    eddy__list_append (&self->idle, &channel->member);
    if (self->n_idle++ == CHANNEL_MOST_IDLE) {
        last = EDDY__CONTAINER (self->idle.next, EddyNameChannel, member);
        eddy__list_remove (&last->member);
        self->n_idle--;
    }
    eddy__unlock (&self->lock, locked);
    if (last != NULL)
        channel_free (last);
}
