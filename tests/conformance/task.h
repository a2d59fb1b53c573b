/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tasks share: callbacks that note what they got, messages that are counted,
 * objects that note their end.
 */
#pragma once

#include <pthread.h>
#include <stdio.h>

#include "context.h"

typedef struct Answer {
    int calls;
    bool boolean;
    int64_t integer;
    void *pointer;
    EddyError *error;
    void *source_object;
    EddyAsyncResult *kept; /* a reference, if the callback takes one */
    pthread_t thread;
} Answer;

static inline void take_boolean (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    answer->calls++;
    answer->source_object = source_object;
    answer->thread = pthread_self ();
    ck_assert (eddy_future_is_complete (result));
    ck_assert (eddy_task_is_valid (result, source_object));
    answer->boolean = eddy_task_propagate_boolean (result, &answer->error);
}

static inline void take_int (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    answer->calls++;
    answer->source_object = source_object;
    answer->thread = pthread_self ();
    answer->integer = eddy_task_propagate_int (result, &answer->error);
}

static inline void take_pointer (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    answer->calls++;
    answer->source_object = source_object;
    answer->pointer = eddy_task_propagate_pointer (result, &answer->error);
}

static inline void take_nothing (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    (void) result;
    answer->calls++;
    answer->source_object = source_object;
    answer->thread = pthread_self ();
}

/* Keeps the result for later, as a finish function called late does. */
static inline void keep_result (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    answer->calls++;
    answer->source_object = source_object;
    answer->kept = eddy_ref (result);
}

static inline void run_all (EddyContext *context)
{
    while (eddy_context_iteration (context, false))
        ;
}

/* Until the callback has run, and a while longer: it must not run again. */
static inline void run_until_called (EddyContext *context, const Answer *answer)
{
    while (answer->calls == 0)
        eddy_context_iteration (context, true);
    run_all (context);
    ck_assert_int_eq (answer->calls, 1);
}

/* --- messages --------------------------------------------------------------------------------- */

static pthread_mutex_t message_mutex = PTHREAD_MUTEX_INITIALIZER;
static int criticals, warnings;
static char last_message[1024];

static inline void note_message (EddyLogLevel level, const char *message, void *data)
{
    (void) data;
    pthread_mutex_lock (&message_mutex);
    criticals += level == EDDY_LOG_CRITICAL;
    warnings += level == EDDY_LOG_WARNING;
    snprintf (last_message, sizeof last_message, "%s", message);
    pthread_mutex_unlock (&message_mutex);
}

/* --- the ends of things ----------------------------------------------------------------------- */

/* What ended, in order, each by one letter; and on which thread the last one did. */
static char ends[64];
static pthread_t end_thread;

static inline void note_end (char letter)
{
    size_t length = strlen (ends);
    ck_assert_uint_lt (length, sizeof ends - 1);
    ends[length] = letter;
    ends[length + 1] = '\0';
    end_thread = pthread_self ();
}

/* Frees memory that eddy_strdup() made; its first character is the letter. */
static inline void end_string (void *data)
{
    note_end (*(char *) data);
    eddy_free (data);
}

/* An object of a program's own, which says when it is disposed of ('d') and finalized ('f'). */
typedef struct Thing {
    EddyObject object;
    char dispose_letter;
    char finalize_letter;
} Thing;

static inline void thing_dispose (void *object)
{
    const Thing *thing = object;
    if (thing->dispose_letter != 0)
        note_end (thing->dispose_letter);
}

static inline void thing_finalize (void *object)
{
    const Thing *thing = object;
    note_end (thing->finalize_letter);
}

static const EddyClass thing_class = {
    .name = "Thing", .size = sizeof (Thing), .dispose = thing_dispose, .finalize = thing_finalize
};

static inline Thing *thing_new (char dispose_letter, char finalize_letter)
{
    Thing *thing = eddy_object_new (&thing_class);
    thing->dispose_letter = dispose_letter;
    thing->finalize_letter = finalize_letter;
    return thing;
}

/* --- other threads ---------------------------------------------------------------------------- */

/* Runs a function in a thread of its own, to its end. */
static inline void run_thread (void *(*function) (void *), void *data)
{
    pthread_t thread;
    ck_assert_int_eq (pthread_create (&thread, NULL, function, data), 0);
    ck_assert_int_eq (pthread_join (thread, NULL), 0);
}

static inline void *unref_in_thread (void *object)
{
    return eddy_unref (object);
}

/* A door that a test opens, and that others wait at. */
typedef struct Gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int count;
} Gate;

#define GATE_INIT                                                                                  \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                                     \
    }

static inline void gate_step (Gate *gate)
{
    pthread_mutex_lock (&gate->mutex);
    gate->count++;
    pthread_cond_broadcast (&gate->changed);
    pthread_mutex_unlock (&gate->mutex);
}

static inline void gate_wait (Gate *gate, int count)
{
    pthread_mutex_lock (&gate->mutex);
    while (gate->count < count)
        pthread_cond_wait (&gate->changed, &gate->mutex);
    pthread_mutex_unlock (&gate->mutex);
}
