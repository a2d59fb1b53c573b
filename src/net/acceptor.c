/* SPDX-License-Identifier: MIT */
/* Accepting from several sockets at once.
 *
 * The sockets are in an epoll, which is waited for like any other fd, in a fiber or in a plain
 * thread; so sockets that are added while somebody waits take part, and no wait has to be undone
 * on the sockets that had nothing. An eventfd in the same epoll wakes whoever waits. Both are
 * closed when nobody uses the acceptor any more: a close of the listener comes while others wait
 * for them. */
#include "net/acceptor-private.h"

#include <eddy/fd.h>
#include <errno.h>
#include <poll.h>

#include "base/alloc-private.h"
#include "base/lock-private.h"
#include "base/object-private.h"
#include "net/socket-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/socket-private.h"

/* What stands for the eventfd among the numbers of sockets. */
static const uint32_t ACCEPTOR_WAKE = UINT32_MAX;

typedef struct AcceptorEntry {
    EddySocket *socket;
    void *source_object;
    char *name; /* its address, for messages; NULL: it could not be had */
} AcceptorEntry;

struct EddyAcceptor {
    EddyObject object;
    int epoll_fd;
    int wake_fd;
    int reserve_fd; /* an eventfd that nobody uses; -1: none */
    bool keeps_reserve;
    bool woken;    /* atomic */
    EddyLock lock; /* of what follows; also held while a connection is taken: until it is free,
                      nobody closes the sockets */
    AcceptorEntry *entries;
    uint32_t n_entries;
    bool closed;
};

/* --- life ------------------------------------------------------------------------------------- */

static void entry_clear (AcceptorEntry *entry)
{
    eddy_unref (entry->socket);
    eddy_unref (entry->source_object);
    eddy_free (entry->name);
}

static void entries_free (AcceptorEntry *entries, uint32_t n_entries)
{
    for (uint32_t i = 0; i < n_entries; i++)
        entry_clear (&entries[i]);
    eddy__free (entries);
}

static void acceptor_finalize (void *object)
{
    EddyAcceptor *self = object;
    entries_free (self->entries, self->n_entries);
    if (self->epoll_fd >= 0)
        eddy__sys_close (self->epoll_fd);
    if (self->wake_fd >= 0)
        eddy__sys_close (self->wake_fd);
    if (self->reserve_fd >= 0)
        eddy__sys_close (self->reserve_fd);
}

static const EddyClass acceptor_class = { .name = "EddyAcceptor",
                                          .size = sizeof (EddyAcceptor),
                                          .finalize = acceptor_finalize };

static int acceptor_watch (EddyAcceptor *self, int fd, uint32_t number)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
    return eddy__sys_epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int acceptor_open (EddyAcceptor *self)
{
    self->epoll_fd = eddy__sys_epoll_create1 ();
    if (self->epoll_fd < 0)
        return self->epoll_fd;
    self->wake_fd = eddy__sys_eventfd ();
    if (self->wake_fd < 0)
        return self->wake_fd;
    return acceptor_watch (self, self->wake_fd, ACCEPTOR_WAKE);
}

EddyAcceptor *eddy__acceptor_new (EddyError **error)
{
    EddyAcceptor *self = eddy_object_new (&acceptor_class);
    int answer = -ENOMEM;
    if (self != NULL) {
        self->epoll_fd = self->wake_fd = self->reserve_fd = -1;
        eddy__lock_init (&self->lock);
        answer = acceptor_open (self);
    }
    if (answer == 0)
        return self;
    eddy_error_set_errno (error, -answer, "a listener");
    eddy_unref (self);
    return NULL;
}

/* --- sockets ---------------------------------------------------------------------------------- */

static char *entry_make_name (EddySocket *socket)
{
    EDDY_AUTO (EddySocketAddress) address = eddy_socket_get_local_address (socket, NULL);
    return address == NULL ? NULL : eddy_socket_address_to_string (address);
}

static int acceptor_add (EddyAcceptor *self, const AcceptorEntry *entry)
{
    if (self->closed)
        return -ESHUTDOWN;
    AcceptorEntry *entries =
        eddy__realloc (self->entries, (self->n_entries + 1) * sizeof *self->entries);
    if (entries == NULL)
        return -ENOMEM;
    self->entries = entries;
    int answer = acceptor_watch (self, eddy_socket_get_fd (entry->socket), self->n_entries);
    if (answer == 0)
        entries[self->n_entries++] = *entry;
    return answer;
}

bool eddy__acceptor_add (EddyAcceptor *self, EddySocket *socket, void *source_object,
                         EddyError **error)
{
    AcceptorEntry entry = { eddy_ref (socket), eddy_ref (source_object), entry_make_name (socket) };
    bool locked = eddy__lock (&self->lock);
    int answer = acceptor_add (self, &entry);
    eddy__unlock (&self->lock, locked);
    if (answer == 0)
        return true;
    if (answer == -ESHUTDOWN)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "the listener is closed");
    else
        eddy_error_set_errno (error, -answer, "listen on %s",
                              entry.name == NULL ? "a socket" : entry.name);
    entry_clear (&entry);
    return false;
}

void eddy__acceptor_remove_last (EddyAcceptor *self)
{
    AcceptorEntry last = { 0 };
    bool locked = eddy__lock (&self->lock);
    if (self->n_entries > 0) {
        last = self->entries[--self->n_entries];
        (void) eddy__sys_epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, eddy_socket_get_fd (last.socket),
                                    NULL);
    }
    eddy__unlock (&self->lock, locked);
    entry_clear (&last);
}

bool eddy__acceptor_has_sockets (EddyAcceptor *self)
{
    bool locked = eddy__lock (&self->lock);
    bool has_sockets = self->n_entries > 0;
    eddy__unlock (&self->lock, locked);
    return has_sockets;
}

void eddy__acceptor_close (EddyAcceptor *self)
{
    bool locked = eddy__lock (&self->lock);
    AcceptorEntry *entries = EDDY_TAKE (self->entries);
    uint32_t n_entries = self->n_entries;
    self->n_entries = 0;
    self->closed = true;
    eddy__unlock (&self->lock, locked);
    eddy__acceptor_wake (self);
    entries_free (entries, n_entries);
}

/* --- taking a connection ---------------------------------------------------------------------- */

/* What accept(2) says of one peer, who has gone again, rather than of the socket. */
static bool acceptor_peer_has_gone (int answer)
{
    static const int errors[] = { ECONNABORTED, EPROTO,       ENETDOWN,   ENOPROTOOPT, EHOSTDOWN,
                                  ENONET,       EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (answer == -errors[i])
            return true;
    return false;
}

/* Without an fd accept(2) fails before it looks whether anybody waits. */
static bool acceptor_is_idle (int fd)
{
    struct pollfd look = { .fd = fd, .events = POLLIN };
    return eddy__sys_ppoll (&look, 1, 0) == 0;
}

/* Takes what waits at one socket: an fd, or -errno. After a peer that has gone the others in the
 * thread have their turn: the socket is still ready where somebody else waits. */
static int acceptor_accept (const AcceptorEntry *entry)
{
    int fd = eddy_socket_get_fd (entry->socket);
    int answer = fd < 0 ? -ESHUTDOWN : eddy__sys_accept (fd);
    if (acceptor_peer_has_gone (answer))
        return -EAGAIN;
    if (answer < 0 && answer != -EAGAIN && fd >= 0 && acceptor_is_idle (fd))
        return -EAGAIN;
    return answer;
}

/* The next socket at which somebody waits: 0, -EAGAIN, or -errno. The kernel puts the one that it
 * names at the end of those that are ready, so each has its turn. */
static int acceptor_find_ready (EddyAcceptor *self, const AcceptorEntry **entry)
{
    struct epoll_event event = { .data.u32 = ACCEPTOR_WAKE };
    for (int tries = 0; tries < 2 && event.data.u32 == ACCEPTOR_WAKE; tries++) {
        int count;
        do
            count = eddy__sys_epoll_wait (self->epoll_fd, &event, 1, 0);
        while (count == -EINTR);
        if (count <= 0)
            return count < 0 ? count : -EAGAIN;
    }
    if (event.data.u32 >= self->n_entries) /* the eventfd, or one whose add was undone */
        return -EAGAIN;
    *entry = &self->entries[event.data.u32];
    return 0;
}

/* With the lock: an fd and where it came from, or -errno. */
static int acceptor_take (EddyAcceptor *self, const AcceptorEntry **entry)
{
    if (self->n_entries == 1) {
        *entry = &self->entries[0];
        return acceptor_accept (*entry);
    }
    int answer = -EAGAIN;
    for (uint32_t tries = 0; tries < self->n_entries && answer == -EAGAIN; tries++) {
        answer = acceptor_find_ready (self, entry);
        if (answer < 0)
            return answer;
        answer = acceptor_accept (*entry);
    }
    return answer;
}

static void acceptor_set_error (const AcceptorEntry *entry, int error_number, EddyError **error)
{
    const char *name = entry == NULL || entry->name == NULL ? "a socket" : entry->name;
    if (error_number == ESHUTDOWN)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED,
                        "accept on %s: the socket is closed", name);
    else
        eddy_error_set_errno (error, error_number, "accept on %s", name);
}

EddySocket *eddy__acceptor_try (EddyAcceptor *self, EddyObject **source_object, EddyError **error)
{
    const AcceptorEntry *entry = NULL;
    EddySocket *socket = NULL;
    bool locked = eddy__lock (&self->lock);
    int answer = acceptor_take (self, &entry);
    if (answer >= 0)
        socket = eddy__socket_new_accepted (entry->socket, answer);
    if (socket != NULL && source_object != NULL)
        *source_object = eddy_ref (entry->source_object);
    if (socket == NULL && answer != -EAGAIN)
        acceptor_set_error (entry, answer < 0 ? -answer : ENOMEM, error);
    eddy__unlock (&self->lock, locked);
    return socket;
}

/* --- without an fd ---------------------------------------------------------------------------- */

bool eddy__acceptor_keep_reserve (EddyAcceptor *self, EddyError **error)
{
    self->keeps_reserve = true;
    if (self->reserve_fd < 0)
        self->reserve_fd = eddy__sys_eventfd ();
    if (self->reserve_fd >= 0)
        return true;
    eddy_error_set_errno (error, -self->reserve_fd, "an fd in reserve");
    return false;
}

/* Another thread may take the place of the reserve meanwhile: then there is none for now. */
static bool acceptor_refuse (EddyAcceptor *self)
{
    const AcceptorEntry *entry = NULL;
    if (self->reserve_fd < 0)
        return false;
    eddy__sys_close (self->reserve_fd);
    int fd = acceptor_take (self, &entry);
    if (fd >= 0)
        eddy__sys_close (fd);
    self->reserve_fd = eddy__sys_eventfd ();
    return fd >= 0;
}

bool eddy__acceptor_refuse (EddyAcceptor *self)
{
    if (!self->keeps_reserve)
        return false;
    bool locked = eddy__lock (&self->lock);
    if (self->reserve_fd < 0)
        self->reserve_fd = eddy__sys_eventfd ();
    bool refused = acceptor_refuse (self);
    eddy__unlock (&self->lock, locked);
    return refused;
}

/* --- waiting ---------------------------------------------------------------------------------- */

bool eddy__acceptor_wait (EddyAcceptor *self, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_fd_wait (self->epoll_fd, POLLIN, cancellable, error) >= 0;
}

bool eddy__acceptor_wait_for_wake (EddyAcceptor *self, EddyCancellable *cancellable,
                                   EddyError **error)
{
    return eddy_fd_wait (self->wake_fd, POLLIN, cancellable, error) >= 0;
}

/* In this order: who forgets it takes back no more than was written before. */
void eddy__acceptor_wake (EddyAcceptor *self)
{
    (void) eddy__sys_eventfd_write (self->wake_fd);
    __atomic_store_n (&self->woken, true, __ATOMIC_SEQ_CST);
}

void eddy__acceptor_forget_wake (EddyAcceptor *self)
{
    bool locked = eddy__lock (&self->lock);
    if (!self->closed && __atomic_exchange_n (&self->woken, false, __ATOMIC_SEQ_CST))
        (void) eddy__sys_eventfd_read (self->wake_fd, NULL);
    eddy__unlock (&self->lock, locked);
}
