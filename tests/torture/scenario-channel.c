/* SPDX-License-Identifier: MIT */
/*
 * Channels, selects, broadcasts and watches: whatever fails, each message is received, destroyed or
 * still its sender's.
 */
#include <pthread.h>

#include "torture.h"

enum { SENDERS = 2, EACH = 6, MANY = 12 };

/* ---- Channels ------------------------------------------------------------------------------ */

typedef struct Mail {
    EddyChannel *channels[MANY];
    int sent;
    int received;
    int destroyed;
} Mail;

static Mail *mail_of_scenario;

static void mail_destroy (void *message)
{
    (void) message;
    mail_of_scenario->destroyed++;
}

static void *mail_send (void *data, EddyError **error)
{
    Mail *mail = data;
    for (int i = 0; i < EACH; i++) {
        if (!eddy_channel_send (mail->channels[0], mail, NULL, error))
            return NULL;
        mail->sent++;
    }
    return mail;
}

static void *mail_receive (void *data, EddyError **error)
{
    Mail *mail = data;
    for (int i = 0; i < EACH; i++) {
        if (eddy_channel_receive (mail->channels[0], NULL, error) != mail)
            return NULL;
        mail->received++;
    }
    return mail;
}

/* One channel of many, and that takes memory. */
static void *mail_select (void *data, EddyError **error)
{
    Mail *mail = data;
    EddySelectCase cases[MANY];
    for (int i = 0; i < EACH; i++) {
        for (int j = 0; j < MANY; j++)
            cases[j] = (EddySelectCase) EDDY_SELECT_RECEIVE (mail->channels[j]);
        int index = eddy_select (cases, MANY, NULL, error);
        if (index < 0 || cases[index].is_closed)
            return NULL;
        torture_require (index == 0 && cases[0].message == mail);
        mail->received++;
    }
    return mail;
}

/* Whatever a fiber has failed with, the others are to end: it closes the channel. */
static void mail_ended (Mail *mail, EddyFuture *fiber)
{
    EddyError *error = NULL;
    if (eddy_await_complete (fiber, &error))
        return;
    eddy_channel_close (mail->channels[0]);
    if (!eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED))
        torture_error ("a message", &error);
    eddy_clear_error (&error);
}

/* Two senders, and one receiver of each kind, as they end. */
static void mail_step (void *data)
{
    Mail *mail = data;
    EddyError *error = NULL;
    EddyFiberFunc functions[] = { mail_send, mail_send, mail_receive, mail_select };
    EddyFuture *fibers[4];
    EddySelectCase ends[4];
    for (int i = 0; i < 4; i++) {
        fibers[i] = eddy_spawn_local (functions[i], mail, NULL);
        ends[i] = (EddySelectCase) EDDY_SELECT_FUTURE (fibers[i]);
    }
    for (int n = 0; n < 4; n++) {
        int index = eddy_select (ends, 4, NULL, &error);
        if (index < 0) {
            torture_error ("a select", &error);
            break;
        }
        mail_ended (mail, fibers[index]);
        ends[index].on = NULL;
    }
    for (int i = 0; i < 4; i++)
        eddy_unref (fibers[i]); /* whoever has not ended is cancelled */
}

static void mail_run (size_t capacity)
{
    Mail mail = { .sent = 0 };
    mail_of_scenario = &mail;
    torture_begin ();
    for (int i = 0; i < MANY; i++)
        mail.channels[i] =
            torture_made ("a channel", eddy_channel_new (i == 0 ? capacity : 0, mail_destroy));
    if (mail.channels[0] != NULL)
        torture_await (mail_step, &mail);
    for (int i = 0; i < MANY; i++)
        eddy_unref (mail.channels[i]);
    torture_require (mail.sent == mail.received + mail.destroyed);
    torture_require (torture_has_failed () || mail.received == SENDERS * EACH);
}

TORTURE_SCENARIO (channel_unbuffered)
{
    mail_run (0);
}

TORTURE_SCENARIO (channel_buffered)
{
    mail_run (3);
}

/* ---- All forms ----------------------------------------------------------------------------- */

typedef struct Answers {
    EddyChannel *channel;
    int calls;
    bool sent;
    void *received;
} Answers;

static void answers_sent (void *source_object, EddyAsyncResult *result, void *data)
{
    Answers *answers = data;
    EddyError *error = NULL;
    answers->calls++;
    answers->sent = eddy_channel_send_finish (source_object, result, &error);
    if (!answers->sent)
        torture_error ("send by callback", &error);
}

static void answers_received (void *source_object, EddyAsyncResult *result, void *data)
{
    Answers *answers = data;
    EddyError *error = NULL;
    answers->calls++;
    answers->received = eddy_channel_receive_finish (source_object, result, &error);
    if (answers->received == NULL)
        torture_error ("receive by callback", &error);
}

TORTURE_SCENARIO (channel_by_callback)
{
    torture_begin ();
    Answers answers = { .channel = torture_made ("a channel", eddy_channel_new (1, NULL)) };
    EddyContext *context = answers.channel == NULL ? NULL : torture_context_begin ();
    if (context != NULL) {
        eddy_channel_send_async (answers.channel, &answers, 0, NULL, answers_sent, &answers);
        torture_run_until (context, &answers.calls, 1);
        if (answers.sent) {
            eddy_channel_receive_async (answers.channel, 0, NULL, answers_received, &answers);
            torture_run_until (context, &answers.calls, 2);
            torture_require (answers.received == &answers || torture_has_failed ());
        }
        torture_context_end (context);
    }
    eddy_unref (answers.channel);
}

TORTURE_SCENARIO (channel_blocking)
{
    EddyError *error = NULL;
    int message;
    torture_begin ();
    EddyChannel *channel = torture_made ("a channel", eddy_channel_new (1, NULL));
    if (channel == NULL)
        return;
    if (eddy_channel_send (channel, &message, NULL, &error)) {
        if (eddy_channel_receive (channel, NULL, &error) != &message)
            torture_error ("receive", &error);
    } else {
        torture_error ("send", &error);
    }
    EddyCancellable *cancellable =
        torture_made ("a cancellable", eddy_cancellable_new_with_timeout (NULL, 1000000));
    if (cancellable != NULL) {
        torture_require (eddy_channel_get_length (channel) > 0 ||
                         eddy_channel_receive (channel, cancellable, &error) == NULL);
        if (error != NULL && !eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT))
            torture_error ("receive until a deadline", &error);
        eddy_clear_error (&error);
    }
    torture_end ();
    eddy_unref (cancellable);
    eddy_unref (channel);
}

/* ---- Across threads ------------------------------------------------------------------------ */

static void *mail_thread (void *data)
{
    Mail *mail = data;
    EddyError *error = NULL;
    for (int i = 0; i < EACH; i++)
        if (eddy_channel_receive (mail->channels[0], NULL, &error) == mail)
            mail->received++;
        else
            torture_error ("receive in a thread", &error);
    return NULL;
}

static void mail_send_to_thread (void *data)
{
    EddyError *error = NULL;
    Mail *mail = data;
    if (mail_send (mail, &error) == NULL)
        torture_error ("send to a thread", &error);
}

TORTURE_SCENARIO (channel_to_a_thread)
{
    Mail mail = { .sent = 0 };
    pthread_t thread;
    mail_of_scenario = &mail;
    torture_begin ();
    mail.channels[0] = torture_made ("a channel", eddy_channel_new (EACH, mail_destroy));
    if (mail.channels[0] == NULL)
        return;
    torture_await (mail_send_to_thread, &mail);
    eddy_channel_close (mail.channels[0]);
    if (mail.sent == EACH && pthread_create (&thread, NULL, mail_thread, &mail) == 0)
        pthread_join (thread, NULL);
    eddy_unref (mail.channels[0]);
    torture_require (mail.sent == mail.received + mail.destroyed);
}

/* ---- Broadcasts and watches ---------------------------------------------------------------- */

static int notes_alive;

static void note_finalize (void *object)
{
    (void) object;
    notes_alive--;
}

static const EddyClass note_class = { .name = "Note",
                                      .size = sizeof (EddyObject),
                                      .finalize = note_finalize };

static void *note_new (void)
{
    void *note = torture_made ("a note", eddy_object_new (&note_class));
    notes_alive += note != NULL;
    return note;
}

typedef struct Stage {
    EddyBroadcast *broadcast;
    int heard;
} Stage;

static void *stage_listen (void *data, EddyError **error)
{
    Stage *stage = data;
    EDDY_AUTO (EddySubscription)
    subscription = torture_made ("a subscription", eddy_broadcast_subscribe (stage->broadcast));
    if (subscription == NULL)
        return NULL;
    for (void *note; (note = eddy_subscription_receive (subscription, NULL, error)) != NULL;) {
        eddy_unref (note);
        stage->heard++;
    }
    return NULL;
}

static void stage_step (void *data)
{
    Stage *stage = data;
    EddyError *error = NULL;
    EddyFuture *listeners[2] = { eddy_spawn_local (stage_listen, stage, NULL),
                                 eddy_spawn_local (stage_listen, stage, NULL) };
    eddy_fiber_yield ();
    for (int i = 0; i < EACH; i++) {
        void *note = note_new ();
        if (note != NULL && !eddy_broadcast_send (stage->broadcast, note, NULL, &error)) {
            torture_error ("a broadcast", &error);
            eddy_unref (note);
        }
    }
    eddy_broadcast_close (stage->broadcast);
    for (int i = 0; i < 2; i++) {
        if (!eddy_await_complete (listeners[i], &error) &&
            !eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED))
            torture_error ("a listener", &error);
        eddy_clear_error (&error);
        eddy_unref (listeners[i]);
    }
}

TORTURE_SCENARIO (broadcast)
{
    torture_begin ();
    Stage stage = { .broadcast =
                        torture_made ("a broadcast", eddy_broadcast_new (2, EDDY_BROADCAST_WAIT)) };
    if (stage.broadcast != NULL)
        torture_await (stage_step, &stage);
    eddy_unref (stage.broadcast);
    torture_require (notes_alive == 0);
    torture_require (torture_has_failed () || stage.heard == 2 * EACH);
}

static void *watch_until_closed (void *data, EddyError **error)
{
    int64_t seen = 0, version;
    while ((version = eddy_watch_wait (data, seen, NULL, error)) > 0)
        seen = version;
    return NULL;
}

static void watch_step (void *data)
{
    EddyWatch *watch = data;
    EddyError *error = NULL;
    EddyFuture *watcher = eddy_spawn_local (watch_until_closed, watch, NULL);
    for (int i = 0; i < EACH; i++) {
        eddy_watch_set (watch, note_new ());
        eddy_fiber_yield ();
    }
    eddy_watch_close (watch);
    if (!eddy_await_complete (watcher, &error) &&
        !eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED))
        torture_error ("a watch", &error);
    eddy_clear_error (&error);
    eddy_unref (watcher);
}

TORTURE_SCENARIO (watch)
{
    torture_begin ();
    EddyWatch *watch = torture_made ("a watch", eddy_watch_new (note_new ()));
    if (watch != NULL)
        torture_await (watch_step, watch);
    eddy_unref (watch);
    torture_require (notes_alive == 0);
}
