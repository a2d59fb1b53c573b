/* SPDX-License-Identifier: MIT */
/* The current cancellable: what code that is handed none may look at.
 *
 * Each fiber has its own stack of them, and so has each thread outside fibers: a fiber that waits
 * between push and pop must not leave its cancellable to whoever runs meanwhile. */
#pragma once

#include <eddy/cancellable.h>

typedef struct EddyCurrent EddyCurrent;
struct EddyCurrent {
    EddyCurrent *outer;
    EddyCancellable *cancellable;
};

/* Makes a cancellable current until eddy__current_leave(); nothing happens for NULL. The caller
 * keeps it, and `current`, which lies in his frame. */
void eddy__current_enter (EddyCurrent *current, EddyCancellable *cancellable);
void eddy__current_leave (EddyCurrent *current);
