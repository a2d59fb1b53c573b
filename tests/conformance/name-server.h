/* SPDX-License-Identifier: MIT */
/* A name server in the test's own process, in a thread of its own, by UDP and TCP: it says what the
 * test has it say, and misbehaves where told. */
#pragma once

typedef enum NameType {
    NAME_TROUBLE = 0,
    NAME_A = 1,
    NAME_CNAME = 5,
    NAME_PTR = 12,
    NAME_AAAA = 28,
    NAME_SRV = 33
} NameType;

/* What it knows; the last one has no name. A name that none has does not exist.
 *
 * The data are as in a zone file: "192.0.2.1", "other.test", "PRIORITY WEIGHT PORT other.test". Of
 * a trouble they say what becomes of questions for the name, with a number of those for that type
 * ("silent 28": for AAAA):
 *   silent     nothing is answered
 *   late       the answer is held back until name_server_release()
 *   lost       the first question has no answer
 *   servfail, refused
 *   truncated  an answer by UDP says that it is not all of it
 *   tcp-reset  the same, and what comes by TCP has its connection closed
 *   tcp-silent the same, and nothing is answered by TCP
 *   overlong   an answer by UDP is longer than it may be, which it does not say
 *   malformed  the answer ends in the middle
 *   loop       a name in it points to itself
 *   foreign    an answer to another question comes first, and one with a wrong number */
typedef struct NameRecord {
    const char *name;
    NameType type;
    const char *data;
} NameRecord;

typedef struct NameServer NameServer;

NameServer *name_server_new (const NameRecord *records);
/* "127.0.0.1:PORT" */
const char *name_server_get_address (const NameServer *server);
/* How many questions have come. */
unsigned name_server_get_n_asked (NameServer *server);
/* How many of them by TCP. */
unsigned name_server_get_n_asked_by_tcp (NameServer *server);
/* How many answers are held back. */
unsigned name_server_get_n_held (NameServer *server);
/* Sends what is held back. */
void name_server_release (NameServer *server);
/* From now on there is nobody where TCP connects to. */
void name_server_refuse_tcp (NameServer *server);
void name_server_free (NameServer *server);
