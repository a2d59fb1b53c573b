/* SPDX-License-Identifier: MIT */
/*
 * Connecting at random: addresses that come when they like, some of which refuse, and one that
 * answers, if any; cancelled or not. EDDY_CLIENT_SEED repeats a run.
 */
#include "client.h"

enum { RANDOM_RUNS = 300 };

typedef struct Random {
    EddySocketClient *client;
    ClientPeer refusing;
    ClientPeer peer;
    unsigned seed;
} Random;

/* What becomes of a script that is not cancelled: the code of its error, or -1 for a connection. */
static int random_fill (Random *self, ClientScript *script)
{
    static const struct sockaddr strange = { .sa_family = AF_IPX };
    int code = EDDY_IO_ERROR_HOST_NOT_FOUND, n_steps = rand_r (&self->seed) % 8;
    for (int i = 0; i < n_steps; i++) {
        int64_t delay_ns = rand_r (&self->seed) % 4 == 0 ? rand_r (&self->seed) % MS : 0;
        switch (rand_r (&self->seed) % 8) {
        case 0:
            client_script_add (script, delay_ns, client_peer_get_address (&self->peer));
            return -1;
        case 1:
            client_script_add_error (script, EDDY_IO_ERROR_BUSY);
            return i == 0 ? EDDY_IO_ERROR_BUSY : code;
        case 2:
        case 3:
            client_script_add (script, delay_ns,
                               eddy_socket_address_new_from_native (&strange, sizeof strange));
            if (code == EDDY_IO_ERROR_HOST_NOT_FOUND)
                code = EDDY_IO_ERROR_NOT_SUPPORTED;
            break;
        default:
            client_script_add (script, delay_ns, client_peer_get_address (&self->refusing));
            code = EDDY_IO_ERROR_CONNECTION_REFUSED;
        }
    }
    return code;
}

static void random_check (Random *self, ClientConnect *result, int code, bool may_be_cancelled)
{
    ck_assert_int_eq (result->fds_left, result->connection == NULL ? 0 : 1);
    if (may_be_cancelled && eddy_error_is_cancelled (result->error)) {
        eddy_clear_error (&result->error);
    } else if (code < 0) {
        ck_assert (client_peer_has (&self->peer, result->connection));
        eddy_clear (&result->connection);
    } else {
        eddy_test_expect_error (&result->error, (EddyIOErrorCode) code);
    }
    client_peer_drain (&self->peer);
}

static void *random_cancel (void *data, EddyError **error)
{
    ClientConnect *self = data;
    /* One that is cancelled itself has nothing to cancel any more. */
    if (eddy_fiber_sleep (self->duration_ns, error))
        eddy_cancellable_cancel (self->cancellable);
    return NULL;
}

static void *random_run (void *data, EddyError **error)
{
    Random *self = data;
    ck_assert (eddy_fiber_sleep (1, error)); /* the engine opens what it needs */
    for (int i = 0; i < RANDOM_RUNS; i++) {
        EDDY_AUTO (ClientScript) script = client_script_new ();
        EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
        EDDY_AUTO_GROUP (group) = eddy_group_new ();
        int code = random_fill (self, script);
        bool is_cancelled = rand_r (&self->seed) % 2 == 0;
        ClientConnect canceller = { .cancellable = cancellable,
                                    .duration_ns = rand_r (&self->seed) % MS };
        ClientConnect result = { .client = self->client,
                                 .connectable = &script->connectable,
                                 .cancellable = cancellable };
        if (is_cancelled)
            ck_assert (eddy_group_spawn (group, random_cancel, &canceller, NULL, error));
        (void) client_connect_run (&result, error);
        random_check (self, &result, code, is_cancelled);
    }
    return NULL;
}

/* Peers that refuse, that answer, that nobody can connect to, errors, in any order and cancelled at
 * any time: the outcome is the one that the rules give, or the cancel; and no fd is left. */
EDDY_TEST (D_client_keeps_the_rules_at_random)
{
    EddyContext *context = eddy_test_context_begin ();
    Random self = { eddy_socket_client_new (), client_peer_new_refusing (), client_peer_new (),
                    (unsigned) eddy_get_monotonic_time_ns () };
    if (getenv ("EDDY_CLIENT_SEED") != NULL)
        self.seed = (unsigned) strtoul (getenv ("EDDY_CLIENT_SEED"), NULL, 10);
    fprintf (stderr, "EDDY_CLIENT_SEED=%u\n", self.seed);
    eddy_test_run_fiber (context, random_run, &self);
    eddy_unref (self.client);
    client_peer_clear (&self.refusing);
    client_peer_clear (&self.peer);
    eddy_test_context_end (context);
}
