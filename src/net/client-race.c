/* SPDX-License-Identifier: MIT */
/* The race of the attempts to connect (RFC 8305, "Happy Eyeballs").
 *
 * A fiber, the starter, asks for one address after the other, and begins an attempt with each, a
 * fiber of its own. Between two it pauses until 250 ms have gone by or an attempt has failed. The
 * first attempt that succeeds is the winner: it cancels the group of them all. The operation waits
 * for the group's end, so nothing of the race is left when it returns.
 *
 * All of them are on one thread, and there is no wait between a connect that succeeds and the look
 * whether there is a winner: so there is one at most. Another attempt may be connected by then, as
 * a cancel that comes too late does nothing; it closes its socket itself. */
#include "net/client-private.h"

#include <eddy/fiber.h>
#include <eddy/group.h>
#include <eddy/socket-address-enumerator.h>
#include <errno.h>
#include <netinet/in.h>

#include "base/alloc-private.h"
#include "fiber/fiber-private.h"

/* Between the beginnings of two attempts of which none has failed: RFC 8305, section 8. */
enum { RACE_PAUSE_NS = 250 * 1000 * 1000 };

/* How far an attempt came; the error of the furthest is told. Further than all peers' answers is
 * what was wanting here, memory, fds or time: with that, one of them may have been another. */
typedef enum RaceStage { RACE_BEGUN, RACE_RESOLVED, RACE_CONNECTING, RACE_WANTING } RaceStage;

typedef struct ClientRace {
    EddySocketClient *client;
    EddySocketConnectable *connectable;
    EddyCancellable *cancellable; /* with the client's deadline; NULL: none */
    EddyGroup *group;
    EddyFiberWait *pause; /* of the starter; NULL: it does not pause */
    EddySocketConnection *winner;
    RaceStage stage;
    EddyError *error; /* of the attempt that came to that stage, the last of several */
    bool has_address;
    bool passed_over; /* an address of another family */
} ClientRace;

/* One attempt. */
typedef struct RaceAttempt {
    ClientRace *race;
    EddySocketAddress *address;
} RaceAttempt;

/* `address`: what an attempt connects to; NULL: it is of the race. */
static void race_tell (const ClientRace *self, EddySocketClientEvent event,
                       EddySocketAddress *address, EddySocketConnection *connection)
{
    EddySocketClient *client = self->client;
    EddySocketConnectable *connectable =
        address == NULL ? self->connectable : EDDY_SOCKET_CONNECTABLE (address);
    if (client->event_func != NULL)
        client->event_func (client, event, connectable, connection, client->event_data);
}

/* Takes the error of whoever came to this stage; NULL: nothing. */
static void race_fail (ClientRace *self, RaceStage stage, EddyError *error)
{
    if (error == NULL)
        return;
    if (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_MEMORY) ||
        eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TOO_MANY_OPEN_FILES))
        stage = RACE_WANTING;
    if (self->error != NULL && stage < self->stage) {
        eddy_unref (error);
        return;
    }
    eddy_unref (self->error);
    self->error = error;
    self->stage = stage;
}

/* --- an attempt ------------------------------------------------------------------------------- */

/* Has a socket come from the client's address. Its port is chosen when it connects, if it is not
 * said: then as many connections may have the same one as there are peers. */
static bool attempt_bind (const EddySocketClient *client, EddySocket *socket, EddyError **error)
{
    if (client->local_address == NULL)
        return true;
    if (eddy_socket_get_family (socket) != EDDY_SOCKET_FAMILY_UNIX)
        (void) eddy_socket_set_option (socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, NULL);
    return eddy_socket_bind (socket, client->local_address, /* allow_reuse= */ false, error);
}

/* The connection before it is connected. */
static EddySocketConnection *attempt_make_connection (const RaceAttempt *self, EddyError **error)
{
    const EddySocketClient *client = self->race->client;
    EDDY_AUTO (EddySocket)
    socket = eddy_socket_new (eddy_socket_address_get_family (self->address), client->type,
                              client->protocol, error);
    if (socket == NULL || !attempt_bind (client, socket, error))
        return NULL;
    EddySocketConnection *connection = eddy_socket_connection_new (socket);
    if (connection == NULL)
        eddy_error_set_errno (error, ENOMEM, "a connection");
    return connection;
}

/* Connects it, and makes it the winner if there is none. */
static void attempt_connect (const RaceAttempt *self, EddySocketConnection *connection)
{
    ClientRace *race = self->race;
    EddyError *error = NULL;
    race_tell (race, EDDY_SOCKET_CLIENT_CONNECTING, self->address, connection);
    bool done =
        eddy_socket_connection_connect (connection, self->address, race->cancellable, &error);
    race_fail (race, RACE_CONNECTING, error);
    if (!done || race->winner != NULL)
        return;
    race->winner = eddy_ref (connection);
    race_tell (race, EDDY_SOCKET_CLIENT_CONNECTED, self->address, connection);
    eddy_group_cancel (race->group);
}

static void *attempt_run (void *data, EddyError **fiber_error)
{
    (void) fiber_error; /* no attempt's failure ends the others */
    RaceAttempt *self = data;
    ClientRace *race = self->race;
    EddyError *error = NULL;
    EddySocketConnection *connection =
        eddy__may_go_on (race->cancellable, &error) ? attempt_make_connection (self, &error) : NULL;
    race_fail (race, RACE_RESOLVED, error);
    if (connection != NULL)
        attempt_connect (self, connection);
    if (connection != NULL && connection != race->winner)
        (void) eddy_socket_close (eddy_socket_connection_get_socket (connection), NULL);
    eddy_unref (connection);
    if (race->pause != NULL)
        eddy__fiber_wake (race->pause);
    return NULL;
}

static void attempt_free (void *data)
{
    RaceAttempt *self = data;
    eddy_unref (self->address);
    eddy__free (self);
}

/* --- the starter ------------------------------------------------------------------------------ */

static const EddyWaitKind race_wait_kind = { .what = "an attempt to connect" };

typedef struct RacePause {
    EddyFiberWait wait;
    EddyTimer timer;
} RacePause;

static void race_pause_end (EddyTimer *timer)
{
    eddy__fiber_wake (&EDDY__CONTAINER (timer, RacePause, timer)->wait);
}

/* Until it is time for the next attempt; false: there is none. A cancel of the cancellable ends the
 * attempts, and so the pause. */
static bool race_pause (ClientRace *self)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EddyContext *context = fiber->future.context;
    RacePause pause = { .timer = { .fire = race_pause_end } };
    int answer = eddy__timer_add (&context->timers, &pause.timer,
                                  eddy__context_read_clock (context) + RACE_PAUSE_NS);
    if (answer < 0)
        race_fail (self, RACE_BEGUN, eddy_error_new_errno (-answer, "the next attempt"));
    else
        answer = eddy__fiber_wait_begin (&pause.wait, fiber);
    if (answer == 0) {
        self->pause = &pause.wait;
        eddy__fiber_park (&pause.wait, &race_wait_kind, self);
        self->pause = NULL;
    }
    eddy__timer_remove (&context->timers, &pause.timer);
    return answer == 0 && !pause.wait.was_cancelled;
}

/* Takes the address. */
static bool race_begin_attempt (ClientRace *self, EddySocketAddress *address)
{
    EddyError *error = NULL;
    RaceAttempt *attempt = eddy__alloc (sizeof *attempt);
    if (attempt == NULL) {
        eddy_unref (address);
        race_fail (self, RACE_BEGUN, eddy_error_new_errno (ENOMEM, "an attempt"));
        return false;
    }
    *attempt = (RaceAttempt){ self, address };
    bool begun = eddy_group_spawn (self->group, attempt_run, attempt, attempt_free, &error);
    race_fail (self, RACE_BEGUN, error);
    return begun;
}

/* The next address of a family that may be; NULL: no more. */
static EddySocketAddress *race_next_address (ClientRace *self,
                                             EddySocketAddressEnumerator *enumerator)
{
    const EddySocketClient *client = self->client;
    for (;;) {
        EddyError *error = NULL;
        EddySocketAddress *address =
            eddy_socket_address_enumerator_next (enumerator, self->cancellable, &error);
        race_fail (self, RACE_BEGUN, error);
        if (address == NULL)
            return NULL;
        if (!self->has_address)
            race_tell (self, EDDY_SOCKET_CLIENT_RESOLVED, NULL, NULL);
        self->has_address = true;
        EddySocketFamily family = eddy_socket_address_get_family (address);
        if ((client->family == EDDY_SOCKET_FAMILY_INVALID || client->family == family) &&
            (client->local_address == NULL ||
             eddy_socket_address_get_family (client->local_address) == family))
            return address;
        self->passed_over = true;
        eddy_unref (address);
    }
}

static void *race_start (void *data, EddyError **fiber_error)
{
    (void) fiber_error; /* what there is of attempts goes on */
    ClientRace *self = data;
    EDDY_AUTO (EddySocketAddressEnumerator)
    enumerator = eddy_socket_connectable_enumerate (self->connectable);
    if (enumerator == NULL) {
        race_fail (self, RACE_BEGUN, eddy_error_new_errno (ENOMEM, "its addresses"));
        return NULL;
    }
    EddySocketAddress *address = race_next_address (self, enumerator);
    while (address != NULL && race_begin_attempt (self, address) && race_pause (self))
        address = race_next_address (self, enumerator);
    return NULL;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Runs it to its end. An error of this is of the race itself: the fiber's cancel, no memory. */
static void race_run (ClientRace *self, EddyError **error)
{
    self->group = eddy_group_new ();
    if (self->group == NULL)
        eddy_error_set_errno (error, ENOMEM, "connecting");
    else if (eddy_group_spawn (self->group, race_start, self, NULL, error))
        (void) eddy_group_wait (self->group, error);
    eddy_clear (&self->group);
}

/* Nothing has failed, and there is no connection. */
static EddyError *race_make_error (const ClientRace *self)
{
    if (self->passed_over)
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_SUPPORTED,
                               "it has no address of the family asked for");
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_HOST_NOT_FOUND, "it has no address");
}

/* Says what was to be connected to before why it was not. */
static void race_prefix (const ClientRace *self, EddyError **error)
{
    char *target = eddy_socket_connectable_to_string (self->connectable);
    if (target != NULL)
        eddy_error_prefix (error, "%s: ", target);
    eddy_free (target);
}

/* Of the caller's own cancel nothing is said but that. */
static void race_take_error (ClientRace *self, EddyCancellable *cancellable, EddyError **error)
{
    EddyError *failure = NULL;
    if (!eddy__may_go_on (cancellable, error))
        return;
    if (eddy_cancellable_set_error_if_cancelled (self->cancellable, &failure))
        race_fail (self, RACE_WANTING, failure);
    failure = self->error == NULL ? race_make_error (self) : EDDY_TAKE (self->error);
    race_prefix (self, &failure);
    eddy_error_take (error, failure);
}

/* With the client's deadline, if it has one. */
static bool race_limit (ClientRace *self, EddyCancellable *cancellable, EddyError **error)
{
    if (self->client->timeout_ns == 0)
        self->cancellable = eddy_ref (cancellable);
    else
        self->cancellable =
            eddy_cancellable_new_with_timeout (cancellable, self->client->timeout_ns);
    if (self->cancellable != NULL || self->client->timeout_ns == 0)
        return true;
    eddy_error_set_errno (error, ENOMEM, "connecting");
    return false;
}

EddySocketConnection *eddy__socket_client_race (EddySocketClient *client,
                                                EddySocketConnectable *connectable,
                                                EddyCancellable *cancellable, EddyError **error)
{
    ClientRace self = { .client = client, .connectable = connectable };
    EddyError *failure = NULL;
    race_tell (&self, EDDY_SOCKET_CLIENT_RESOLVING, NULL, NULL);
    if (race_limit (&self, cancellable, &failure))
        race_run (&self, &failure);
    if (self.winner != NULL)
        eddy_clear_error (&failure);
    else if (failure == NULL)
        race_take_error (&self, cancellable, &failure);
    eddy_error_take (error, failure);
    eddy_unref (self.error);
    eddy_unref (self.cancellable);
    race_tell (&self, EDDY_SOCKET_CLIENT_COMPLETE, NULL, self.winner);
    return self.winner;
}
