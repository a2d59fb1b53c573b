/* SPDX-License-Identifier: MIT */
/* What one context has to tell in a dump: its fibers, tasks and operations. For who has it. */
#include <inttypes.h>
#include <string.h>

#include "fiber/dump-private.h"
#include "fiber/turn-private.h"
#include "future/task-private.h"
#include "sys/clock-private.h"

struct EddyWakers {
    EddyDumpPart *part;
    bool unknown;
};

/* How much of a path is told. */
#define PATH_FORMAT "%.200s"

/* --- operations ------------------------------------------------------------------------------- */

static const char *op_get_kind (const EddyOp *op)
{
    static const char *const names[EDDY_OP_KINDS] = {
        [EDDY_OP_READ] = "read",
        [EDDY_OP_READ_BYTES] = "read",
        [EDDY_OP_WRITE] = "write",
        [EDDY_OP_READV] = "read",
        [EDDY_OP_WRITEV] = "write",
        [EDDY_OP_OPEN] = "open",
        [EDDY_OP_CLOSE] = "close",
        [EDDY_OP_STAT] = "stat",
        [EDDY_OP_MKDIR] = "mkdir",
        [EDDY_OP_UNLINK] = "unlink",
        [EDDY_OP_RENAME] = "rename",
        [EDDY_OP_LINK] = "link",
        [EDDY_OP_SYMLINK] = "symlink",
        [EDDY_OP_READLINK] = "readlink",
        [EDDY_OP_MKNOD] = "mknod",
        [EDDY_OP_READ_DIRECTORY] = "read directory",
        [EDDY_OP_SYNC] = "sync",
        [EDDY_OP_ALLOCATE] = "allocate",
        [EDDY_OP_TRUNCATE] = "truncate",
        [EDDY_OP_SET_TIMES] = "set times",
        [EDDY_OP_SET_MODE] = "set mode",
        [EDDY_OP_SET_OWNER] = "set owner",
        [EDDY_OP_LIST_XATTR] = "list attributes",
        [EDDY_OP_GET_XATTR] = "get attribute",
        [EDDY_OP_SET_XATTR] = "set attribute",
        [EDDY_OP_COPY_RANGE] = "copy range",
        [EDDY_OP_POLL] = "poll",
        [EDDY_OP_RECV] = "receive",
        [EDDY_OP_SEND] = "send",
        [EDDY_OP_RECVMSG] = "receive",
        [EDDY_OP_SENDMSG] = "send",
        [EDDY_OP_ACCEPT] = "accept",
        [EDDY_OP_CONNECT] = "connect",
        [EDDY_OP_CALL] = "call",
        [EDDY_OP_LONG_CALL] = "call",
    };
    if (eddy__op_is_call (op, EDDY_OP_CALL_ASKS))
        return "query";
    return op->kind < EDDY_OP_KINDS && names[op->kind] != NULL ? names[op->kind] : "request";
}

static const char *op_get_state (const EddyOp *op)
{
    switch ((EddyOpState) __atomic_load_n (&op->state, __ATOMIC_RELAXED)) {
    case EDDY_OP_NEW:
        return "new";
    case EDDY_OP_STAGED:
        return "about to begin";
    case EDDY_OP_INFLIGHT:
        return "in the kernel";
    case EDDY_OP_POLLING:
        return "until the fd is ready";
    case EDDY_OP_QUEUED:
        return "in the queue for a worker";
    case EDDY_OP_RUNNING:
        return "on a worker";
    default:
        return "ending";
    }
}

static bool op_has_path (const EddyOp *op)
{
    return ((op->kind >= EDDY_OP_OPEN && op->kind <= EDDY_OP_MKNOD && op->kind != EDDY_OP_CLOSE) ||
            (op->kind >= EDDY_OP_SET_TIMES && op->kind <= EDDY_OP_SET_OWNER)) &&
           op->as.name.path != NULL;
}

/* "read of fd 3". */
static void part_tell_request (EddyDumpPart *part, const EddyOp *op)
{
    const char *job = eddy__form_get_job_name (op);
    if (job != NULL) {
        eddy__dump_add_name (&part->text, job);
        return;
    }
    eddy__dump_add (&part->text, op_get_kind (op));
    if (op_has_path (op)) {
        eddy__dump_add (&part->text, " of ");
        eddy__dump_add_name (&part->text, op->as.name.path);
    } else if (op->fd >= 0) {
        eddy__dump_print (&part->text, " of fd %d", op->fd);
    }
}

/* An awaited one is told with its fiber, a source's poll with nobody. */
static void part_visit_op (EddyOp *op, void *data)
{
    EddyDumpPart *part = data;
    if (eddy__form_get_future (op) == NULL || part->failed)
        return;
    part->failed = !eddy__dump_grow (&part->ops, part->n_ops, &part->ops_room, sizeof *part->ops);
    if (!part->failed)
        part->ops[part->n_ops++] = op;
}

static void part_tell_op (EddyDumpPart *part, const EddyOp *op)
{
    const EddyFuture *future = eddy__form_get_future (op);
    eddy__dump_add (&part->text, "  operation ");
    eddy__dump_add_name (&part->text, eddy__form_get_name (future));
    eddy__dump_print (&part->text, " %p: %s, age ", (const void *) future, op_get_state (op));
    eddy__dump_add_age (&part->text, future->entry.turn, part->now_ns);
    if (eddy__form_get_job_name (op) == NULL) {
        eddy__dump_add (&part->text, ", ");
        part_tell_request (part, op);
    }
    if ((op->op_flags & EDDY_OP_CANCEL_ASKED) != 0)
        eddy__dump_add (&part->text, ", cancelled");
    eddy__dump_add (&part->text, "\n");
}

/* First collected: the workers have a lock while they show theirs. */
static void part_tell_ops (EddyDumpPart *part, EddyContext *context)
{
    if (context->engine != NULL)
        eddy__engine_each (context->engine, part_visit_op, part);
    for (size_t i = 0; i < part->n_ops; i++)
        part_tell_op (part, part->ops[i]);
}

/* --- tasks ------------------------------------------------------------------------------------ */

static void part_tell_task (const EddyTaskTold *told, void *data)
{
    EddyDumpPart *part = data;
    part->n_tasks++;
    eddy__dump_add (&part->text, "  task ");
    eddy__dump_add_name (&part->text, told->name != NULL    ? told->name
                                      : told->place != NULL ? told->place->function
                                                            : "unnamed");
    eddy__dump_add_place (&part->text, told->place, "the library");
    eddy__dump_print (&part->text, " %p: %s, age ", (const void *) told->task,
                      told->in_thread ? "in a thread" : "to be returned");
    eddy__dump_add_age (&part->text, told->stamp, part->now_ns);
    if (told->tag != NULL)
        eddy__dump_print (&part->text, ", source tag %p", told->tag);
    eddy__dump_add (&part->text, "\n");
}

/* --- fibers ----------------------------------------------------------------------------------- */

void eddy__wakers_add_identity (EddyWakers *wakers, uint64_t identity)
{
    EddyDumpPart *part = wakers->part;
    if (part->failed)
        return;
    part->failed =
        !eddy__dump_grow (&part->edges, part->n_edges, &part->edges_room, sizeof *part->edges);
    if (!part->failed)
        part->edges[part->n_edges++] = (EddyDumpEdge){ .waker = identity };
}

void eddy__wakers_add_unknown (EddyWakers *wakers)
{
    wakers->unknown = true;
}

static void part_tell_wait (EddyDumpPart *part, const EddyFiber *fiber, EddyDumpNode *node)
{
    const EddyWaitKind *kind = fiber->waits_for;
    EddyDumpText *text = &part->text;
    const char *name = kind->get_name == NULL ? NULL : kind->get_name (fiber->waits_on);
    eddy__dump_add (text, ", waits for ");
    node->what = text->len;
    eddy__dump_add (text, kind->what);
    if (name != NULL) {
        eddy__dump_add (text, " ");
        eddy__dump_add_name (text, name);
    }
    if (kind == &eddy__op_wait_kind) {
        eddy__dump_add (text, ": ");
        part_tell_request (part, fiber->waits_on);
        eddy__dump_print (text, ", %s", op_get_state (fiber->waits_on));
    }
    node->what_len = (uint32_t) (text->len - node->what);
    if (kind->find_wakers == NULL)
        return;
    EddyWakers wakers = { .part = part };
    kind->find_wakers (fiber->waits_on, &wakers);
    node->n_edges = part->n_edges - node->first_edge;
    /* Where nobody is said to be able to, somebody may be all the same. */
    node->may_go_on = wakers.unknown || node->n_edges == 0 || part->failed;
    node->waits_on = fiber->waits_on;
    node->parked = fiber->parked;
}

static const char *fiber_get_state (const EddyFiber *fiber)
{
    static const char *const names[] = { [EDDY_FIBER_NEW] = "new",
                                         [EDDY_FIBER_READY] = "ready",
                                         [EDDY_FIBER_RUNNING] = "running",
                                         [EDDY_FIBER_PARKED] = "parked ",
                                         [EDDY_FIBER_DONE] = "done" };
    return names[fiber->state];
}

static const char *fiber_get_name (const EddyFiber *fiber)
{
    if (fiber->name != NULL)
        return fiber->name;
    return fiber->place == NULL ? "unnamed" : fiber->place->function;
}

static void part_tell_fiber (EddyDumpPart *part, const EddyFiber *fiber)
{
    EddyDumpText *text = &part->text;
    EddyDumpNode node = { .part = part,
                          .identity = eddy__fiber_get_identity (fiber),
                          .may_go_on = true,
                          .first_edge = part->n_edges };
    part->failed = part->failed || !eddy__dump_grow (&part->nodes, part->n_nodes, &part->nodes_room,
                                                     sizeof *part->nodes);
    if (part->failed)
        return;
    eddy__dump_add (text, "  fiber ");
    node.who = text->len;
    eddy__dump_add_name (text, fiber_get_name (fiber));
    eddy__dump_add_place (text, fiber->place, "an operation");
    node.who_len = (uint32_t) (text->len - node.who);
    eddy__dump_print (text, " %p: %s", (const void *) fiber, fiber_get_state (fiber));
    if (fiber->state == EDDY_FIBER_PARKED)
        eddy__dump_add_age (text, fiber->parked, part->now_ns);
    eddy__dump_add (text, ", age ");
    eddy__dump_add_age (text, fiber->made, part->now_ns);
    if (fiber->cancelled)
        eddy__dump_add (text, ", cancelled");
    if (fiber->state == EDDY_FIBER_PARKED)
        part_tell_wait (part, fiber, &node);
    node.end = text->len;
    eddy__dump_add (text, "\n");
    part->nodes[part->n_nodes++] = node;
}

/* An entry's fiber, unless it is listed among the others. */
static void part_tell_entry (EddyDumpPart *part, const EddyEntry *entry)
{
    if (entry->run != eddy__fiber_run)
        return;
    const EddyFiber *fiber = EDDY__CONTAINER (entry, EddyFiber, future.entry);
    if (!fiber->listed && fiber->state != EDDY_FIBER_DONE)
        part_tell_fiber (part, fiber);
}

static void part_tell_entries (EddyDumpPart *part, const EddyEntry *entry)
{
    for (; entry != NULL && entry != &eddy__port_closed; entry = entry->next)
        part_tell_entry (part, entry);
}

static void part_tell_fibers (EddyDumpPart *part, EddyContext *context, const EddyEntry *mail)
{
    const EddyFiber *running = eddy__fiber_current ();
    if (running != NULL && running->future.context == context && !running->listed)
        part_tell_fiber (part, running);
    for (EddyList *link = context->fibers.next; link != &context->fibers; link = link->next)
        part_tell_fiber (part, EDDY__CONTAINER (link, EddyFiber, member));
    for (unsigned i = 0; i < context->ready.n_levels; i++)
        part_tell_entries (part, context->ready.order[i]->first);
    part_tell_entries (part, mail);
    /* Others only push in front of the first, so the rest is the owner's to read. */
    part_tell_entries (part, __atomic_load_n (&context->port->inbox, __ATOMIC_ACQUIRE));
}

/* --- the whole -------------------------------------------------------------------------------- */

/* "context 0x… of thread 12 'main', engine uring: ". */
static void part_tell_context (EddyDumpPart *part, const EddyContext *context, bool has_owner)
{
    const void *owner = __atomic_load_n (&context->owner, __ATOMIC_RELAXED);
    eddy__dump_print (&part->text, "context %p of ", (const void *) context);
    if (has_owner)
        eddy__dump_add_thread (&part->text, eddy__thread_get_number (owner));
    else
        eddy__dump_add (&part->text, "no thread");
    eddy__dump_print (&part->text, ", engine %s:\n",
                      context->engine == NULL ? "none" : context->engine->verbs->name);
}

void eddy__dump_collect (EddyDumpPart *part, EddyContext *context, bool locked,
                         const EddyEntry *mail)
{
    part->now_ns = eddy__context_read_clock (context);
    part_tell_context (part, context, /* has_owner= */ !locked);
    part_tell_fibers (part, context, mail);
    eddy__tasks_tell (context, locked, part_tell_task, part);
    part_tell_ops (part, context);
    eddy__dump_print (&part->text, "  in all %zu fibers, %u tasks, %zu operations\n", part->n_nodes,
                      part->n_tasks, part->n_ops);
    part->failed = part->failed || part->text.failed;
}

/* --- for debuggers ---------------------------------------------------------------------------- */

#ifdef EDDY__SWITCH_UCONTEXT
enum { LAYOUT_HAS_FLOWS = 0 };
#else
enum { LAYOUT_HAS_FLOWS = 1 };
#endif

/* Where tools/gdb/eddy.py finds what it reads, in a library without debug information, too. In the
 * order that it knows; the first number changes with it. */
extern const uint32_t eddy__debug_layout[];
__attribute__ ((used)) const uint32_t eddy__debug_layout[] = {
    1,
    LAYOUT_HAS_FLOWS,
    offsetof (EddySourceTable, member),
    offsetof (EddySourceTable, context),
    offsetof (EddyContext, fibers),
    offsetof (EddyFiber, member),
    offsetof (EddyFiber, state),
    offsetof (EddyFiber, name),
    offsetof (EddyFiber, place),
    offsetof (EddyFiber, flow),
    offsetof (EddyFiber, waits_for),
    offsetof (EddyWaitKind, what),
    offsetof (EddyPlace, file),
    offsetof (EddyPlace, line),
    offsetof (EddyPlace, function),
};
