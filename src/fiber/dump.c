/* SPDX-License-Identifier: MIT */
/* eddy_context_dump: asks each context for its part, joins the parts, and writes them.
 *
 * A context of this thread, or of none, is looked at right here; any other one is asked by its
 * inbox, and tells when its thread comes by. A thread that does not come by for a while is named,
 * with the calls that it is in. Who waits for others answers questions to his own contexts
 * meanwhile, so that two who dump at once do not wait for each other.
 *
 *   ASKED ──► TELLING ──► TOLD
 *     └─────► LEFT (not waited for any more; the entry on its way gives it up) */
#include "fiber/dump-private.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/alloc-private.h"
#include "sys/clock-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"

#define PATIENCE_NS INT64_C (200000000)
/* Two looks at who waits for whom are so far apart that a stamp changes. */
#define DOUBT_NS INT64_C (30000000)
/* How often it looks whether a context has lost its owner. */
#define LOOK_NS INT64_C (5000000)
/* At most so much at once to the fd, which may be a pipe. */
enum { WRITE_MOST = 1 << 20, FLUSH_AT = 1 << 18, CONTEXTS_MORE = 16 };

enum { PART_ASKED, PART_TELLING, PART_TOLD, PART_LEFT };

/* Of all that is asked; never held while a part is made. */
static pthread_mutex_t dump_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t dump_told = PTHREAD_COND_INITIALIZER;
static EddyList dump_asked = { &dump_asked, &dump_asked };

typedef struct Dump {
    int fd;
    EddyDumpPart **parts;
    size_t n_parts;
    EddyDumpText text; /* not yet written */
    int answer;        /* 0, or -errno: the first that went wrong */
} Dump;

static void dump_fail (Dump *dump, int answer)
{
    if (dump->answer == 0)
        dump->answer = answer;
}

/* --- one part --------------------------------------------------------------------------------- */

static EddyDumpPart *part_new (EddySourceTable *table)
{
    EddyDumpPart *part = eddy__alloc0 (sizeof *part);
    if (part == NULL)
        return NULL;
    part->table = eddy__source_table_ref (table);
    part->holders = 1;
    eddy__list_init (&part->member);
    return part;
}

static void part_free (EddyDumpPart *part)
{
    eddy__source_table_unref (part->table);
    eddy__free (part->text.data);
    eddy__free (part->nodes);
    eddy__free (part->edges);
    eddy__free (part->ops);
    eddy__free (part);
}

static void part_let_go (EddyDumpPart *part)
{
    pthread_mutex_lock (&dump_mutex);
    bool last = --part->holders == 0;
    if (last || part->state != PART_ASKED)
        eddy__list_remove (&part->member);
    pthread_mutex_unlock (&dump_mutex);
    if (last)
        part_free (part);
}

/* Whether the part is the caller's to tell. */
static bool part_begin (EddyDumpPart *part)
{
    pthread_mutex_lock (&dump_mutex);
    bool mine = part->state == PART_ASKED;
    if (mine)
        part->state = PART_TELLING;
    else
        part->missed = true;
    pthread_mutex_unlock (&dump_mutex);
    return mine;
}

static void part_end (EddyDumpPart *part, unsigned state)
{
    pthread_mutex_lock (&dump_mutex);
    part->state = state;
    pthread_cond_broadcast (&dump_told);
    pthread_mutex_unlock (&dump_mutex);
}

/* Tells a part that is the caller's, if the context is this thread's or nobody's; whether it is. */
static bool part_tell_here (EddyDumpPart *part)
{
    EddySourceTable *table = part->table;
    if (__atomic_load_n (&table->owner, __ATOMIC_RELAXED) == eddy__thread_self ()) {
        eddy__dump_collect (part, table->context, /* locked= */ false, NULL);
        return true;
    }
    if (eddy__context_take_care (table)) {
        eddy__dump_collect (part, table->context, /* locked= */ true, NULL);
        eddy__context_end_care (table);
        return true;
    }
    pthread_mutex_lock (&table->mutex);
    bool is_gone = table->context == NULL; /* then there is nothing to tell */
    pthread_mutex_unlock (&table->mutex);
    return is_gone;
}

/* The question has come to the context's thread; or the context is about to be freed. */
static void part_arrived (EddyEntry *entry)
{
    EddyDumpPart *part = EDDY__CONTAINER (entry, EddyDumpPart, entry);
    if (part_begin (part)) {
        if (part->table->context != NULL)
            eddy__dump_collect (part, part->table->context, /* locked= */ false, entry->next);
        part_end (part, PART_TOLD);
    }
    part_let_go (part);
}

/* Has the context's thread tell its part. */
static void part_ask (EddyDumpPart *part)
{
    part->entry = (EddyEntry){ .run = part_arrived, .priority = EDDY__PRIORITY_NOW };
    pthread_mutex_lock (&dump_mutex);
    part->state = PART_ASKED;
    part->missed = false;
    part->holders++;
    if (!eddy__list_is_linked (&part->member))
        eddy__list_append (&dump_asked, &part->member);
    pthread_mutex_unlock (&dump_mutex);
    if (eddy__port_post (part->table->port, &part->entry))
        return;
    part_end (part, PART_TOLD); /* its context is gone, and there is nothing to tell */
    part_let_go (part);
}

/* Whether the question came while this thread was about to answer, and could not after all. */
static bool part_has_missed (EddyDumpPart *part)
{
    pthread_mutex_lock (&dump_mutex);
    bool missed = part->missed;
    if (!missed)
        part->state = PART_ASKED;
    pthread_mutex_unlock (&dump_mutex);
    return missed;
}

static void part_begin_all (Dump *dump)
{
    for (size_t i = 0; i < dump->n_parts; i++) {
        EddyDumpPart *part = dump->parts[i];
        part->state = PART_TOLD;
        if (!part_tell_here (part))
            part_ask (part);
    }
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Tells what is asked of contexts that are this thread's or nobody's; whether there was any. */
static bool dump_serve (void)
{
    EddyDumpPart *part = NULL;
    bool told = false;
    pthread_mutex_lock (&dump_mutex);
    for (EddyList *link = dump_asked.next; link != &dump_asked; link = link->next) {
        part = EDDY__CONTAINER (link, EddyDumpPart, member);
        const void *owner = __atomic_load_n (&part->table->owner, __ATOMIC_RELAXED);
        if (part->state == PART_ASKED && (owner == NULL || owner == eddy__thread_self ()))
            break;
        part = NULL;
    }
    if (part != NULL) {
        part->state = PART_TELLING;
        part->holders++;
    }
    pthread_mutex_unlock (&dump_mutex);
    if (part != NULL) {
        told = part_tell_here (part);
        if (!told && part_has_missed (part))
            part_ask (part);
        else
            part_end (part, told ? PART_TOLD : PART_ASKED);
        part_let_go (part);
    }
    return told;
}

/* Waits for a change, but not long. */
static void dump_wait_a_little (void)
{
    int64_t end_ns = eddy__sys_now_ns () + LOOK_NS;
    struct timespec end = { end_ns / 1000000000, end_ns % 1000000000 };
    pthread_cond_clockwait (&dump_told, &dump_mutex, CLOCK_MONOTONIC, &end);
}

/* Waits until all have told; those that do not begin in time are left. */
static void dump_wait (Dump *dump)
{
    int64_t end_ns = eddy__sys_now_ns () + PATIENCE_NS;
    for (;;) {
        while (dump_serve ())
            ;
        bool over = eddy__sys_now_ns () >= end_ns;
        bool wait = false;
        pthread_mutex_lock (&dump_mutex);
        for (size_t i = 0; i < dump->n_parts; i++) {
            EddyDumpPart *part = dump->parts[i];
            if (part->state == PART_ASKED && over)
                part->state = PART_LEFT;
            wait = wait || part->state == PART_ASKED || part->state == PART_TELLING;
        }
        if (wait)
            dump_wait_a_little ();
        pthread_mutex_unlock (&dump_mutex);
        if (!wait)
            return;
    }
}

/* Tells of a context whose thread did not come by, and what that does instead. */
static void part_tell_stuck (EddyDumpPart *part)
{
    pthread_mutex_lock (&part->table->mutex);
    const void *address = part->table->context;
    pthread_mutex_unlock (&part->table->mutex);
    pid_t thread =
        eddy__thread_get_number (__atomic_load_n (&part->table->owner, __ATOMIC_RELAXED));
    eddy__dump_print (&part->text, "context %p of ", address);
    eddy__dump_add_thread (&part->text, thread);
    eddy__dump_print (&part->text, ", stuck: it did not come by for %d ms:\n",
                      (int) (PATIENCE_NS / 1000000));
    eddy__dump_add_frames (&part->text, thread);
}

/* --- all parts -------------------------------------------------------------------------------- */

static void dump_free_parts (Dump *dump)
{
    for (size_t i = 0; i < dump->n_parts; i++) {
        EddyDumpPart *part = dump->parts[i];
        if (part->state == PART_LEFT) { /* its entry may come late, or never */
            eddy__free (part->text.data);
            part->text.data = NULL;
        }
        part_let_go (part);
    }
    eddy__free (dump->parts);
    dump->parts = NULL;
    dump->n_parts = 0;
}

static int dump_make_parts (Dump *dump, EddySourceTable **tables, size_t n)
{
    dump->parts = eddy__alloc0 ((n + 1) * sizeof (EddyDumpPart *));
    for (size_t i = 0; i < n && dump->parts != NULL; i++) {
        EddyDumpPart *part = part_new (tables[i]);
        if (part == NULL)
            return -ENOMEM;
        dump->parts[dump->n_parts++] = part;
    }
    return dump->parts == NULL ? -ENOMEM : 0;
}

/* One part for each context that there is. */
static int dump_find_all (Dump *dump)
{
    size_t n, room = CONTEXTS_MORE;
    EddySourceTable **tables;
    for (;;) {
        tables = eddy__alloc (room * sizeof *tables);
        if (tables == NULL)
            return -ENOMEM;
        n = eddy__source_tables_ref_all (tables, room);
        if (n <= room)
            break;
        for (size_t i = 0; i < room; i++)
            eddy__source_table_unref (tables[i]);
        eddy__free (tables);
        room = n + CONTEXTS_MORE;
    }
    int answer = dump_make_parts (dump, tables, n);
    for (size_t i = 0; i < n; i++)
        eddy__source_table_unref (tables[i]);
    eddy__free (tables);
    return answer;
}

static int dump_find (Dump *dump, EddyContext *context)
{
    return context == NULL ? dump_find_all (dump) : dump_make_parts (dump, &context->table, 1);
}

/* Makes all parts. */
static int dump_collect (Dump *dump, EddyContext *context)
{
    int answer = dump_find (dump, context);
    part_begin_all (dump);
    dump_wait (dump);
    for (size_t i = 0; i < dump->n_parts; i++)
        if (dump->parts[i]->failed)
            answer = -ENOMEM;
    return answer;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Writes all of it; to a stream without SIGPIPE, and to one that does not wait, waiting. */
static int dump_write (int fd, const char *data, size_t len)
{
    while (len > 0) {
        EddyOp op;
        eddy__op_init (&op, EDDY_OP_WRITE, fd);
        op.as.transfer.buf = (void *) (uintptr_t) data;
        op.as.transfer.len = len < WRITE_MOST ? len : WRITE_MOST;
        op.as.transfer.offset = -1;
        int64_t written = eddy__op_perform (&op);
        if (written == -EAGAIN) {
            struct pollfd ready = { .fd = fd, .events = POLLOUT };
            int answer = eddy__sys_ppoll (&ready, 1, -1);
            written = answer < 0 && answer != -EINTR ? answer : 0;
        } else if (written == 0) {
            written = -EIO;
        }
        if (written < 0)
            return (int) written;
        data += written;
        len -= (size_t) written;
    }
    return 0;
}

/* Without memory for the text it is written in smaller pieces. */
static void dump_flush (Dump *dump)
{
    if (dump->text.failed)
        dump_fail (dump, -ENOMEM);
    int answer = dump_write (dump->fd, dump->text.data, dump->text.len);
    dump->text.len = 0;
    dump->text.failed = false;
    if (answer < 0)
        dump_fail (dump, answer);
}

static void dump_add (Dump *dump, const char *data, size_t len)
{
    if (dump->text.len + len > FLUSH_AT)
        dump_flush (dump);
    if (len <= FLUSH_AT) {
        eddy__dump_add_bytes (&dump->text, data, len);
        if (!dump->text.failed)
            return;
    }
    dump_flush (dump);
    int answer = dump_write (dump->fd, data, len);
    if (answer < 0)
        dump_fail (dump, answer);
}

/* A part's text, and to each fiber's line who could end its wait. */
static void dump_add_part (Dump *dump, const EddyDumpPart *part, bool is_linked)
{
    size_t at = 0;
    for (size_t i = 0; i < part->n_nodes && is_linked; i++) {
        const EddyDumpNode *node = &part->nodes[i];
        if (node->n_edges == 0)
            continue;
        dump_add (dump, part->text.data + at, node->end - at);
        at = node->end;
        eddy__dump_graph_tell_wakers (node, &dump->text);
    }
    if (part->text.len > at)
        dump_add (dump, part->text.data + at, part->text.len - at);
}

static void dump_tell (Dump *dump, EddyDumpGraph *graph)
{
    for (size_t i = 0; i < dump->n_parts; i++) {
        if (dump->parts[i]->state == PART_LEFT)
            part_tell_stuck (dump->parts[i]);
        dump_add_part (dump, dump->parts[i], graph->table != NULL);
    }
    if (graph->table != NULL)
        eddy__dump_graph_tell (graph, &dump->text);
    if (dump->answer == -ENOMEM)
        dump_add (dump, "memory is out: not all of it is here\n", 37);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Makes all parts, and finds out who can go on. */
static int dump_look (Dump *dump, EddyContext *context, EddyDumpGraph *graph,
                      const EddyDumpGraph *before)
{
    int answer = dump_collect (dump, context);
    if (answer == 0)
        answer = eddy__dump_graph_make (graph, dump->parts, dump->n_parts, before);
    if (answer < 0)
        dump_fail (dump, answer);
    return answer;
}

static void dump_forget (Dump *dump, EddyDumpGraph *graph)
{
    eddy__dump_graph_free (graph);
    dump_free_parts (dump);
}

/* Parts of several threads are of different moments, so a circle through them may never have been
 * one. Then all is asked twice more: a deadlock is what was one both times, and has not moved. */
static void dump_look_well (Dump *dump, EddyContext *context, EddyDumpGraph *graph)
{
    if (dump_look (dump, context, graph, NULL) < 0 || !eddy__dump_graph_is_doubtful (graph))
        return;
    Dump former = { .fd = dump->fd };
    EddyDumpGraph before = { .parts = NULL };
    dump_forget (dump, graph);
    eddy__sys_ppoll (NULL, 0, DOUBT_NS);
    if (dump_look (&former, context, &before, NULL) == 0)
        (void) dump_look (dump, context, graph, &before);
    dump_fail (dump, former.answer);
    dump_forget (&former, &before);
}

static int dump (EddyContext *context, int fd)
{
    Dump dump = { .fd = fd };
    EddyDumpGraph graph = { .parts = NULL };
    dump_look_well (&dump, context, &graph);
    eddy__dump_print (&dump.text, "eddy: process %d, %zu contexts\n", (int) eddy__sys_getpid (),
                      dump.n_parts);
    dump_tell (&dump, &graph);
    dump_flush (&dump);
    dump_forget (&dump, &graph);
    eddy__free (dump.text.data);
    return dump.answer;
}

int eddy__dump_all (int fd)
{
    return dump (NULL, fd);
}

bool eddy_context_dump (EddyContext *context, int fd, EddyError **error)
{
    int answer = dump (context, fd);
    if (answer == 0)
        return true;
    eddy_error_set_errno (error, -answer, "dumping to fd %d", fd);
    return false;
}
