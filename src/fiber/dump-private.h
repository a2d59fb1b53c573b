/* SPDX-License-Identifier: MIT */
/* A dump: who lives, what he waits for, and who waits for each other in a circle.
 *
 * Each context makes a part on its own thread: the text, and a node for each fiber that says which
 * fibers could end its wait. Whoever dumps joins the parts: fibers are looked up by address among
 * those that live, and never touched again. */
#pragma once

#include "base/lock-private.h"
#include "fiber/fiber-private.h"
#include "fiber/wakers-private.h"
#include "loop/source-table-private.h"

/* --- text (dump-text.c) ----------------------------------------------------------------------- */

/* Grows as it is written to; once memory is out, the rest is missing. */
typedef struct EddyDumpText {
    char *data;
    size_t len;
    size_t room;
    bool failed;
} EddyDumpText;

void eddy__dump_add_bytes (EddyDumpText *text, const char *bytes, size_t len);
void eddy__dump_add (EddyDumpText *text, const char *string);
EDDY_PRINTF (2, 3) void eddy__dump_print (EddyDumpText *text, const char *format, ...);
/* In quotes, and control characters become '?'. */
void eddy__dump_add_name (EddyDumpText *text, const char *name);
/* " (main.c:12)". */
void eddy__dump_add_place (EddyDumpText *text, const EddyPlace *place, const char *otherwise);
/* "about 3.1 s": an age from a stamp, which is the age at most. */
void eddy__dump_add_age (EddyDumpText *text, uint32_t stamp, int64_t now_ns);
/* "123 'name'": a thread of this process. */
void eddy__dump_add_thread (EddyDumpText *text, pid_t thread);
/* Reads what the kernel tells of a thread, "comm" or "status", as a string: its length, or -errno.
 */
ssize_t eddy__dump_read_thread (pid_t thread, const char *what, char *buffer, size_t size);
/* Makes room for one more in an array; false: memory is out. */
bool eddy__dump_grow (void *array, size_t n, size_t *room, size_t size);

/* --- parts (dump-part.c) ---------------------------------------------------------------------- */

typedef struct EddyDumpNode EddyDumpNode;
typedef struct EddyDumpPart EddyDumpPart;

/* That somebody could end somebody's wait. */
typedef struct EddyDumpEdge {
    uint64_t waker;     /* its identity */
    EddyDumpNode *from; /* who waits; from here on of dump-graph.c */
    EddyDumpNode *to;   /* the waker's; NULL: not found */
    struct EddyDumpEdge *next;
} EddyDumpEdge;

/* A fiber. */
struct EddyDumpNode {
    EddyDumpPart *part;
    uint64_t identity;    /* its fiber's */
    const void *waits_on; /* an address; not to be followed */
    uint32_t parked;      /* a stamp */
    bool may_go_on;       /* it does not wait, or for the world outside */
    /* Parts of the text: 'name' (place); a mutex 'x'; and where its line ends. */
    uint32_t who_len;
    uint32_t what_len;
    size_t who;
    size_t what;
    size_t end;
    size_t first_edge;
    size_t n_edges;
    /* Of dump-graph.c: */
    uint32_t walk;
    EddyDumpNode *next;
    EddyDumpEdge *waiters;
};

struct EddyDumpPart {
    EddyEntry entry;  /* brings the question to the context's thread */
    EddyList member;  /* of all that are asked; under the dump's lock, as the next ones */
    unsigned holders; /* who asks, and the entry on its way */
    unsigned state;
    bool missed;            /* it came while another thread was about to tell */
    EddySourceTable *table; /* a reference */
    EddyDumpText text;
    EddyDumpNode *nodes;
    size_t n_nodes;
    size_t nodes_room;
    EddyDumpEdge *edges;
    size_t n_edges;
    size_t edges_room;
    EddyOp **ops;
    size_t n_ops;
    size_t ops_room;
    unsigned n_tasks;
    int64_t now_ns;
    bool failed; /* memory is out */
};

/* Fills the part in, for who has the context; `locked`: and its table's lock; `mail`: entries that
 * he has taken out of its inbox and not yet run. */
void eddy__dump_collect (EddyDumpPart *part, EddyContext *context, bool locked,
                         const EddyEntry *mail);

/* --- circles (dump-graph.c) ------------------------------------------------------------------- */

typedef struct EddyDumpGraph {
    EddyDumpPart **parts;
    size_t n_parts;
    EddyDumpNode **table; /* all nodes, by their fiber's identity */
    size_t mask;
    size_t n_stuck; /* nodes that cannot go on */
} EddyDumpGraph;

/* Finds out who can go on. `before`: the same a moment ago; then only who was stuck in the same
 * wait already is stuck. 0 or -ENOMEM. */
int eddy__dump_graph_make (EddyDumpGraph *graph, EddyDumpPart **parts, size_t n_parts,
                           const EddyDumpGraph *before);
void eddy__dump_graph_free (EddyDumpGraph *graph);
/* Whether parts that were made one after the other make a circle together. */
bool eddy__dump_graph_is_doubtful (const EddyDumpGraph *graph);
/* A line for each circle. */
void eddy__dump_graph_tell (EddyDumpGraph *graph, EddyDumpText *text);
/* What follows in a fiber's line: who could end its wait. */
void eddy__dump_graph_tell_wakers (const EddyDumpNode *node, EddyDumpText *text);

/* --- threads that do not answer (dump-thread.c) ----------------------------------------------- */

/* Writes the calls that a thread is in. One at a time. */
void eddy__dump_add_frames (EddyDumpText *text, pid_t thread);

/* --- what others know ------------------------------------------------------------------------- */

/* Of forms.c: the operation's name if the future is one's; the future of a request, if it has one;
 * the operation of a request that is a body on a worker. NULL otherwise. */
const char *eddy__form_get_name (const EddyFuture *future);
const EddyFuture *eddy__form_get_future (const EddyOp *op);
const char *eddy__form_get_job_name (const EddyOp *op);

/* Begins to listen to the signal that EDDY_DUMP_SIGNAL names, once (dump-signal.c). */
void eddy__dump_watch_signal (void);
/* Dumps all contexts to an fd: 0 or -errno. */
int eddy__dump_all (int fd);
