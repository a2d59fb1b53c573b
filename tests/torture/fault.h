/* SPDX-License-Identifier: MIT */
/*
 * Faults by number: the nth allocation, system call or completion of a run fails, that one alone or
 * that one and all later ones. One fault a process, met by any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sys/fault-private.h"

typedef enum TortureKind {
    TORTURE_ALLOC,      /* memory is out */
    TORTURE_CALL,       /* a system call reports an error that it may have */
    TORTURE_INTERRUPT,  /* one that may wait reports EINTR; once only */
    TORTURE_SHORT,      /* one that moves bytes moves one byte; from then on, few at once */
    TORTURE_COMPLETION, /* an operation of the engine ends with an error, unbegun */
    TORTURE_KINDS
} TortureKind;

typedef struct TortureFault {
    TortureKind kind;
    unsigned nth; /* from 1; 0: no fault, count only */
    bool from_then_on;
} TortureFault;

enum { TORTURE_FAULT_TEXT = 48 };

/* "alloc:17:once", "call:3:on"; false for anything else. */
bool torture_fault_parse (const char *text, TortureFault *fault);
void torture_fault_print (const TortureFault *fault, char text[TORTURE_FAULT_TEXT]);
const char *torture_kind_name (TortureKind kind);
/* Whether a kind of fault makes sense from then on. */
bool torture_kind_lasts (TortureKind kind);

/* Once, before any other thread: chooses the fault. Nothing fails before torture_fault_arm. */
void torture_fault_install (const TortureFault *fault);
void torture_fault_arm (void);
void torture_fault_disarm (void);

/* How many calls of a kind could have failed while armed. */
unsigned torture_fault_count (TortureKind kind);
/* How many did fail; of one system call. */
unsigned torture_fault_hits (void);
unsigned torture_fault_hits_of (EddySysCall call);
/* What the first of them was: a call's name, an allocation's size, an operation's kind. */
const char *torture_fault_hit (void);
/* Whether this errno was reported. */
bool torture_fault_had (int error);
