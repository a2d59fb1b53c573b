/* SPDX-License-Identifier: MIT */
/*
 * Counting what lives before and after a test. For tests/support only.
 */
#pragma once

/* Once in the runner, before the first test. */
void leaks_register (void);
/* In the test's process, around its body; the end fails the test when something is left. */
void leaks_begin (void);
void leaks_end (void);
