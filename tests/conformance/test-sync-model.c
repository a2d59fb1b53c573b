/* SPDX-License-Identifier: MIT */
/*
 * Mutex, read-write lock and semaphore against one model, step by step at random: a queue of those
 * who wait for some of so many units. A mutex has one; a writer takes all that a lock has.
 */
#include "sync.h"

enum { CLIENTS = 12, READERS_MOST = 1000 };

typedef struct Kind {
    unsigned units;
    bool (*acquire) (void *object, unsigned n, EddyError **error);
    EddyFuture *(*begin) (void *object, unsigned n);
    void (*release) (void *object, unsigned n);
    unsigned (*draw) (unsigned random); /* units to ask for */
} Kind;

typedef enum State { IDLE, WAITING, HOLDING } State;

typedef struct Client {
    const Kind *kind;
    void *object;
    unsigned n;
    State expected;
    EddyFuture *future; /* of its fiber, or of the operation */
} Client;

typedef struct Model {
    unsigned free;
    Client *queue[CLIENTS];
    int n_waiting;
} Model;

/* --- the model -------------------------------------------------------------------------------- */

static void model_serve (Model *model)
{
    while (model->n_waiting > 0 && model->queue[0]->n <= model->free) {
        model->queue[0]->expected = HOLDING;
        model->free -= model->queue[0]->n;
        model->n_waiting--;
        for (int i = 0; i < model->n_waiting; i++)
            model->queue[i] = model->queue[i + 1];
    }
}

static void model_ask (Model *model, Client *client)
{
    client->expected = WAITING;
    model->queue[model->n_waiting++] = client;
    model_serve (model);
}

static void model_give_up (Model *model, Client *client)
{
    int kept = 0;
    for (int i = 0; i < model->n_waiting; i++)
        if (model->queue[i] != client)
            model->queue[kept++] = model->queue[i];
    ck_assert_int_eq (kept, model->n_waiting - 1);
    model->n_waiting = kept;
    client->expected = IDLE;
    model_serve (model);
}

/* --- what is modelled ------------------------------------------------------------------------- */

static bool mutex_acquire (void *object, unsigned n, EddyError **error)
{
    (void) n;
    return eddy_mutex_lock (object, NULL, error);
}

static EddyFuture *mutex_begin (void *object, unsigned n)
{
    (void) n;
    return eddy_mutex_lock_future (object, 0, NULL);
}

static void mutex_release (void *object, unsigned n)
{
    (void) n;
    eddy_mutex_unlock (object);
}

static unsigned mutex_draw (unsigned random)
{
    (void) random;
    return 1;
}

static bool rw_acquire (void *object, unsigned n, EddyError **error)
{
    return n == 1 ? eddy_rw_lock_reader_lock (object, NULL, error)
                  : eddy_rw_lock_writer_lock (object, NULL, error);
}

static EddyFuture *rw_begin (void *object, unsigned n)
{
    return n == 1 ? eddy_rw_lock_reader_lock_future (object, 0, NULL)
                  : eddy_rw_lock_writer_lock_future (object, 0, NULL);
}

static void rw_release (void *object, unsigned n)
{
    if (n == 1)
        eddy_rw_lock_reader_unlock (object);
    else
        eddy_rw_lock_writer_unlock (object);
}

static unsigned rw_draw (unsigned random)
{
    return random % 3 == 0 ? READERS_MOST : 1;
}

static bool semaphore_acquire (void *object, unsigned n, EddyError **error)
{
    return eddy_semaphore_acquire (object, n, NULL, error);
}

static EddyFuture *semaphore_begin (void *object, unsigned n)
{
    return eddy_semaphore_acquire_future (object, n, 0, NULL);
}

static void semaphore_release (void *object, unsigned n)
{
    eddy_semaphore_release (object, n);
}

static unsigned semaphore_draw (unsigned random)
{
    return 1 + random % 8;
}

static const Kind mutex_kind = { 1, mutex_acquire, mutex_begin, mutex_release, mutex_draw };
static const Kind rw_kind = { READERS_MOST, rw_acquire, rw_begin, rw_release, rw_draw };
static const Kind semaphore_kind = { 8, semaphore_acquire, semaphore_begin, semaphore_release,
                                     semaphore_draw };

/* --- steps ------------------------------------------------------------------------------------ */

static void *client_run (void *data, EddyError **error)
{
    const Client *client = data;
    client->kind->acquire (client->object, client->n, error);
    return NULL;
}

static void client_end (Client *client, bool cancelled)
{
    const EddyError *error = eddy_future_get_error (client->future);
    ck_assert_int_eq (eddy_error_is_cancelled (error), cancelled);
    eddy_clear (&client->future);
}

static void client_step (Client *client, Model *model, EddyContext *context, unsigned random)
{
    const Kind *kind = client->kind;
    switch (client->expected) {
    case IDLE:
        client->n = kind->draw (random / 7);
        client->future = random % 2 == 0 ? eddy_spawn (context, client_run, client, NULL)
                                         : kind->begin (client->object, client->n);
        model_ask (model, client);
        break;
    case HOLDING:
        client_end (client, /* cancelled= */ false);
        client->expected = IDLE;
        kind->release (client->object, client->n);
        model->free += client->n;
        model_serve (model);
        break;
    case WAITING:
        if (random % 3 > 0)
            break;
        eddy_future_cancel (client->future);
        sync_settle (context);
        ck_assert (eddy_future_is_complete (client->future));
        client_end (client, /* cancelled= */ true);
        model_give_up (model, client);
        break;
    }
}

static void follow_model (const Kind *kind, void *object)
{
    EddyContext *context = eddy_test_context_begin ();
    Model model = { .free = kind->units };
    Client clients[CLIENTS];
    unsigned seed = 4711;
    long steps = eddy_test_reduced (20000, 2000, "steps");
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = (Client){ kind, object, 0, IDLE, NULL };
    for (long step = 0; step < steps; step++) {
        seed = seed * 1103515245 + 12345;
        client_step (&clients[(seed >> 16) % CLIENTS], &model, context, seed >> 20);
        sync_settle (context);
        for (int i = 0; i < CLIENTS; i++) {
            bool holds = clients[i].future != NULL && eddy_future_is_complete (clients[i].future);
            ck_assert_msg (holds == (clients[i].expected == HOLDING), "step %ld, client %d: %d",
                           step, i, holds);
        }
    }
    for (int i = 0; i < CLIENTS; i++)
        if (clients[i].future != NULL)
            eddy_future_cancel (clients[i].future);
    sync_settle (context);
    for (int i = 0; i < CLIENTS; i++)
        eddy_unref (clients[i].future);
    eddy_unref (object);
    eddy_test_context_end (context);
}

EDDY_TEST (D_sync_mutex_follows_the_model)
{
    follow_model (&mutex_kind, eddy_mutex_new ());
}

EDDY_TEST (D_sync_rw_lock_follows_the_model)
{
    follow_model (&rw_kind, eddy_rw_lock_new ());
}

EDDY_TEST (D_sync_semaphore_follows_the_model)
{
    follow_model (&semaphore_kind, eddy_semaphore_new (8));
}
