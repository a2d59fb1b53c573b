/* SPDX-License-Identifier: MIT */
/* Who waits for whom: a fiber can go on when it does not wait, when the world outside ends its
 * wait, or when one of those who could end it can go on. Whoever is left is stuck, and waits for
 * others that are: following them leads into a circle. */
#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "fiber/dump-private.h"

/* Wakers that a line names. */
enum { WAKERS_TOLD = 4 };

/* --- the table -------------------------------------------------------------------------------- */

static size_t graph_hash (const EddyDumpGraph *graph, uint64_t identity)
{
    return (size_t) ((identity >> 6) * UINT64_C (0x9e3779b97f4a7c15) >> 20) & graph->mask;
}

static EddyDumpNode *graph_find (const EddyDumpGraph *graph, uint64_t identity)
{
    for (size_t i = graph_hash (graph, identity);; i = (i + 1) & graph->mask) {
        EddyDumpNode *node = graph->table[i];
        if (node == NULL || node->identity == identity)
            return node;
    }
}

static void graph_enter (EddyDumpGraph *graph, EddyDumpNode *node)
{
    size_t i = graph_hash (graph, node->identity);
    while (graph->table[i] != NULL)
        i = (i + 1) & graph->mask;
    graph->table[i] = node;
}

/* Calls for each node of all parts. */
#define GRAPH_EACH(graph, part, node)                                                              \
    for (size_t part##_i = 0; part##_i < (graph)->n_parts; part##_i++)                             \
        for (EddyDumpPart *part = (graph)->parts[part##_i]; part != NULL; part = NULL)             \
            for (EddyDumpNode *node = part->nodes; node < part->nodes + part->n_nodes; node++)

static int graph_make_table (EddyDumpGraph *graph)
{
    size_t n = 16;
    for (size_t i = 0; i < graph->n_parts; i++)
        n += graph->parts[i]->n_nodes;
    size_t room = 32;
    while (room < n * 2)
        room *= 2;
    graph->table = eddy__alloc0 (room * sizeof (EddyDumpNode *));
    if (graph->table == NULL)
        return -ENOMEM;
    graph->mask = room - 1;
    GRAPH_EACH (graph, part, node)
    graph_enter (graph, node);
    return 0;
}

/* --- who can go on ---------------------------------------------------------------------------- */

/* Ties a node to those that could end its wait. One that is not here may do anything. */
static void graph_link (EddyDumpGraph *graph, const EddyDumpPart *part, EddyDumpNode *node)
{
    for (size_t i = 0; i < node->n_edges; i++) {
        EddyDumpEdge *edge = &part->edges[node->first_edge + i];
        edge->from = node;
        edge->to = graph_find (graph, edge->waker);
        if (edge->to == NULL) {
            node->may_go_on = true;
            continue;
        }
        edge->next = edge->to->waiters;
        edge->to->waiters = edge;
    }
}

static bool node_was_stuck (const EddyDumpNode *node, const EddyDumpGraph *before)
{
    const EddyDumpNode *former = graph_find (before, node->identity);
    /* One who had just begun to wait then may have been woken since, and have begun again. */
    return former != NULL && !former->may_go_on && former->waits_on == node->waits_on &&
           former->parked == node->parked && node->parked != eddy__stamp (former->part->now_ns);
}

static void graph_spread (EddyDumpGraph *graph)
{
    EddyDumpNode *todo = NULL;
    GRAPH_EACH (graph, part, node)
    {
        graph->n_stuck += !node->may_go_on;
        if (!node->may_go_on || node->waiters == NULL)
            continue;
        node->next = todo;
        todo = node;
    }
    while (todo != NULL) {
        EddyDumpNode *node = todo;
        todo = node->next;
        for (EddyDumpEdge *edge = node->waiters; edge != NULL; edge = edge->next) {
            EddyDumpNode *waiter = edge->from;
            if (waiter->may_go_on)
                continue;
            waiter->may_go_on = true;
            graph->n_stuck--;
            waiter->next = todo;
            todo = waiter;
        }
    }
}

int eddy__dump_graph_make (EddyDumpGraph *graph, EddyDumpPart **parts, size_t n_parts,
                           const EddyDumpGraph *before)
{
    *graph = (EddyDumpGraph){ .parts = parts, .n_parts = n_parts };
    int answer = graph_make_table (graph);
    if (answer < 0)
        return answer;
    GRAPH_EACH (graph, part, node)
    {
        graph_link (graph, part, node);
        if (before != NULL && !node->may_go_on && !node_was_stuck (node, before))
            node->may_go_on = true;
    }
    graph_spread (graph);
    return 0;
}

void eddy__dump_graph_free (EddyDumpGraph *graph)
{
    eddy__free (graph->table);
    graph->table = NULL;
}

/* --- circles ---------------------------------------------------------------------------------- */

/* Whom a stuck node waits for: any of them is stuck as well. */
static EddyDumpNode *node_follow (const EddyDumpNode *node)
{
    return node->part->edges[node->first_edge].to;
}

bool eddy__dump_graph_is_doubtful (const EddyDumpGraph *graph)
{
    if (graph->n_stuck == 0)
        return false;
    GRAPH_EACH (graph, part, node)
    {
        if (!node->may_go_on && node_follow (node)->part != part)
            return true;
    }
    return false;
}

static void node_tell_who (const EddyDumpNode *node, EddyDumpText *text)
{
    eddy__dump_add_bytes (text, node->part->text.data + node->who, node->who_len);
}

/* "deadlock: 'a' (x.c:1) waits for a mutex 'm' from 'b' (x.c:2), which waits for … from 'a' …" */
static void graph_tell_circle (const EddyDumpNode *first, EddyDumpText *text)
{
    const EddyDumpNode *node = first;
    eddy__dump_add (text, "deadlock: ");
    node_tell_who (node, text);
    do {
        eddy__dump_add (text, node == first ? " waits for " : ", which waits for ");
        eddy__dump_add_bytes (text, node->part->text.data + node->what, node->what_len);
        eddy__dump_add (text, " from ");
        node = node_follow (node);
        node_tell_who (node, text);
    } while (node != first);
    eddy__dump_add (text, "\n");
}

void eddy__dump_graph_tell (EddyDumpGraph *graph, EddyDumpText *text)
{
    uint32_t walk = 0;
    if (graph->n_stuck == 0)
        return;
    GRAPH_EACH (graph, part, start)
    {
        EddyDumpNode *node = start;
        if (node->may_go_on || node->walk != 0)
            continue;
        walk++;
        for (; node->walk == 0; node = node_follow (node))
            node->walk = walk;
        if (node->walk == walk)
            graph_tell_circle (node, text);
    }
}

void eddy__dump_graph_tell_wakers (const EddyDumpNode *node, EddyDumpText *text)
{
    for (size_t i = 0; i < node->n_edges && i < WAKERS_TOLD; i++) {
        const EddyDumpNode *waker = node->part->edges[node->first_edge + i].to;
        eddy__dump_add (text, i == 0 ? " from " : ", ");
        if (waker == NULL)
            eddy__dump_add (text, "somebody not listed here");
        else
            node_tell_who (waker, text);
    }
    if (node->n_edges > WAKERS_TOLD)
        eddy__dump_print (text, " and %zu others", node->n_edges - WAKERS_TOLD);
    if (!node->may_go_on)
        eddy__dump_add (text, ", deadlocked");
}
