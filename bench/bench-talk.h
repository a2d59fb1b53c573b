/* SPDX-License-Identifier: MIT */
/* What the programs of bench/ that talk to a child have in common: what they send through cat(1),
 * and the clock around it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-clock.h"

#define TALK_PROGRAM "/bin/cat"
#define TALK_SIZE ((size_t) 64 << 20)

/* Has a child send back what it is sent; whether all came back as it was. */
typedef bool (*BenchTalk) (const char *text, size_t size);

/* Measures N talks; prints milliseconds for each. One before is not measured. Returns an exit
 * status. */
static inline int bench_talk_measure (const char *name, int argc, char **argv, BenchTalk talk)
{
    uint64_t count = argc == 2 ? strtoull (argv[1], NULL, 10) : 0;
    if (count == 0) {
        fprintf (stderr, "usage: %s N\n", name);
        return 2;
    }
    char *text = malloc (TALK_SIZE);
    for (size_t i = 0; text != NULL && i < TALK_SIZE; i++)
        text[i] = (char) (i * 7 + (i >> 12));
    bool right = text != NULL && talk (text, TALK_SIZE);
    double begin_ns = bench_now_ns ();
    for (uint64_t i = 0; right && i < count; i++)
        right = talk (text, TALK_SIZE);
    double elapsed_ns = bench_now_ns () - begin_ns;
    free (text);
    if (right)
        printf ("%.3f\n", elapsed_ns / 1e6 / (double) count);
    else
        fprintf (stderr, "%s: not all came back as it was sent\n", name);
    return right ? 0 : 1;
}
