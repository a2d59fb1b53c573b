/* SPDX-License-Identifier: MIT */
/*
 * Scenarios: something real, done with Eddy while one allocation, system call or completion fails.
 *
 *   TORTURE_SCENARIO (file_load)
 *   {
 *       EddyFile *file = NULL; EddyBytes *bytes = NULL; EddyError *error = NULL;
 *       make what is needed
 *       torture_begin ();                 faults strike from here …
 *       file = …; bytes = …;
 *       torture_end ();                   … to here
 *       if (bytes != NULL)
 *           torture_require (the bytes are right);
 *       else
 *           torture_error ("load", &error);
 *       give up what is held
 *   }
 *
 * A scenario either has its results, and verifies them, or tells an error, or a refusal: NULL, 0 or
 * false where the interface says so. It goes on to its end either way and leaves nothing behind. It
 * fails the run by a result that is wrong, an error that the fault does not explain, a callback
 * that is not called exactly once, a crash, a hang, a leak.
 */
#pragma once

#include <eddy/eddy.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct TortureCase TortureCase;
struct TortureCase {
    const char *name;
    void (*run) (void);
    /* A scenario: judged by all that is said above. Else a test of the suite, which may fail by its
       own assertions, but not crash nor hang. */
    bool is_scenario;
    int timeout_seconds;
    TortureCase *next;
};

void torture_register (TortureCase *scenario);

#define TORTURE_SCENARIO(name)                                                                     \
    static void torture_##name (void);                                                             \
    __attribute__ ((constructor)) static void torture_register_##name (void)                       \
    {                                                                                              \
        static TortureCase scenario = { #name, torture_##name, true, 4, NULL };                    \
        torture_register (&scenario);                                                              \
    }                                                                                              \
    static void torture_##name (void)

/* Faults strike between these two. */
void torture_begin (void);
void torture_end (void);

/* A run that is wrong ends here, as failed. */
_Noreturn void torture_fail (const char *format, ...) EDDY_PRINTF (1, 2);
#define torture_require(condition)                                                                 \
    ((condition) ? (void) 0 : torture_fail ("%s:%d: not so: %s", __FILE__, __LINE__, #condition))

/* A step failed with an error, which must be there and tell of the fault; gives it up. */
void torture_error (const char *what, EddyError **error);
/* The same where CANCELLED is an answer, too, that needs no fault to explain it. */
void torture_error_or_cancelled (const char *what, EddyError **error);
/* A step was refused without an error, as its documentation says. */
void torture_refused (const char *what);
/* Whether either was told. */
bool torture_has_failed (void);
/* Whether the fault has struck. */
bool torture_was_hit (void);
/* Whether it kept something from being removed. */
bool torture_cannot_remove (void);
/* NULL is told as a refusal. */
void *torture_made (const char *what, void *object);

/* A fresh folder, and a path in it: in a ring of buffers. */
const char *torture_path (const char *name);
/* A file in it with so many bytes of torture_byte. */
const char *torture_make_file (const char *name, size_t size);
bool torture_file_is_whole (const char *path, size_t size);
bool torture_exists (const char *path);
static inline char torture_byte (size_t index)
{
    return (char) ('a' + (index * 7 + index / 251) % 26);
}

/* A context, pushed as this thread's default; NULL is told as a refusal. */
EddyContext *torture_context_begin (void);
/* Nothing may be under way in it. */
void torture_context_end (EddyContext *context);
/* Runs a step as a fiber of such a context, to its end. */
void torture_await (void (*step) (void *data), void *data);
/* What writes at one end of a pipe and reads at the other, and what closes each end then. */
typedef struct TortureEnds {
    EddyFiberFunc write;
    void (*end_writing) (void *data);
    EddyFiberFunc read;
    void (*end_reading) (void *data);
    bool tells_cut; /* that it ends too early is told by PARTIAL_INPUT */
} TortureEnds;

/* Runs both as fibers of the context, to their ends. One's failure is the other's end: what only
   says so is no error. */
void torture_run_ends (EddyContext *context, const TortureEnds *ends, void *data);
/* Iterates until the counter has the value; false, told as a refusal, where the fault keeps the
   context from being iterated at all. */
bool torture_run_until (EddyContext *context, const int *counter, int value);
/* Runs what is ready, and what is under way, to the end. */
void torture_run_out (EddyContext *context);
