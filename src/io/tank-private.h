/* SPDX-License-Identifier: MIT */
/* Bytes on their way between two fibers of one context: the filler puts them in at one end, the
 * drainer takes them out at the other, at the same time. When the tank is full, the filler waits
 * until it is down to its low-water mark: so neither of them works in driblets. */
#pragma once

#include <eddy/vector.h>

#include "fiber/parking-private.h"

typedef struct EddyTank {
    char *bytes;    /* a ring, as large as the high-water mark */
    size_t high;    /* more is not held */
    size_t low;     /* once full: not filled before it is down to this */
    size_t begin;   /* the oldest byte */
    size_t level;   /* bytes held */
    bool is_full;   /* it has been, and is not down to the low-water mark */
    bool has_ended; /* whoever fills or drains it has stopped, for `error` or for good */
    EddyError *error;
    EddyLock lock;    /* of the two lists; both sides are of one thread */
    EddyList filler;  /* EddyParking, who waits for room … */
    EddyList drainer; /* … for bytes, or for none to be left */
} EddyTank;

enum { EDDY__TANK_HIGH = 256 * 1024 };

/* A high-water mark of 0: EDDY__TANK_HIGH; a low one that is not below it: a quarter. False when
 * memory is out. */
bool eddy__tank_init (EddyTank *tank, size_t low, size_t high);
void eddy__tank_clear (EddyTank *tank);

/* Where bytes may be put next; none while it is full. */
EddyInputVector eddy__tank_get_room (const EddyTank *tank);
/* So many have been put there. */
void eddy__tank_filled (EddyTank *tank, size_t count);
/* The oldest bytes, as many as lie together. */
EddyOutputVector eddy__tank_get_bytes (const EddyTank *tank);
/* So many of them have been taken. */
void eddy__tank_drained (EddyTank *tank, size_t count);

/* Puts in what there is room for, or takes out what there is; how many bytes. */
size_t eddy__tank_put (EddyTank *tank, const void *bytes, size_t count);
size_t eddy__tank_take (EddyTank *tank, void *bytes, size_t count);

/* One side has stopped, for an error, which is taken, or NULL; whoever waits is told. */
void eddy__tank_end (EddyTank *tank, EddyError *error);
/* Takes the end back, and returns its error. */
EddyError *eddy__tank_begin_again (EddyTank *tank);

/* Waits until there is room, or bytes, or none; or the other side has stopped. In a fiber. False
 * with CANCELLED or NO_MEMORY. */
bool eddy__tank_wait_for_room (EddyTank *tank, EddyCancellable *cancellable, EddyError **error);
bool eddy__tank_wait_for_bytes (EddyTank *tank, EddyCancellable *cancellable, EddyError **error);
bool eddy__tank_wait_until_empty (EddyTank *tank, EddyCancellable *cancellable, EddyError **error);
