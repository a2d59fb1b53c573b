/* SPDX-License-Identifier: MIT */
/*
 * Random trees of combinators, checked against a model.
 *
 * Time is a count of ticks. The leaves of a tree are tasks that the test returns; each may end in
 * ticks of its own only, and so may the cancel of the whole, so that nothing happens at once whose
 * order would be a matter of taste. (Those that a cancel lets go of do: trees whose answer depends
 * on their order are passed over.) The model is a function: when and how a node ends, if it is
 * cancelled at a tick. It knows nothing of turns, watchers and references.
 *
 *   EDDY_COMBINATORS_SEED=N  begins with this seed; alone, it makes this one tree
 *   EDDY_COMBINATORS=N       so many trees, with seeds that follow on each other
 */
#include "task.h"

enum { NODES = 28, CHILDREN = 4, NEVER = 1 << 20, SLOTS = NODES + 1, CANCEL_SLOT = NODES };

typedef enum Kind {
    LEAF,
    THEN,
    CATCH,
    FINALLY,
    MAP,
    TIMEOUT, /* at once */
    IN_TIME, /* a timeout that does not come */
    ALL,
    SETTLED,
    ANY,
    RACE,
    KINDS
} Kind;

/* A value: a number from 1; an error: minus its code. */
typedef struct Outcome {
    int tick;
    int answer;
} Outcome;

typedef struct Node {
    Kind kind;
    bool shared; /* the test has a reference, too */
    int n_children;
    int children[CHILDREN];
    int second; /* of a function: the leaf that it returns; -1: NULL */
    /* Of a leaf: */
    int due;            /* from this tick on it may end by itself */
    int answer;         /* and how */
    int after_a_cancel; /* how it ends then: with a value all the same, or CANCELLED */
    /* As it runs: */
    EddyTask *task;
    EddyFuture *kept;
    int made; /* the tick */
    int calls;
    int destroyed;
} Node;

typedef struct Plan {
    uint64_t seed;
    uint64_t random;
    Node nodes[NODES];
    int n_nodes;
    int tick;
    int n_values; /* that live */
    int cancel_at;
    bool is_dropped;   /* instead of cancelled */
    bool is_ambiguous; /* the model cannot tell */
} Plan;

static Plan plan;

/* --- the plan --------------------------------------------------------------------------------- */

static int plan_random (int below)
{
    plan.random = plan.random * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
    return (int) ((plan.random >> 33) % (uint64_t) below);
}

static int plan_leaf (bool may_share)
{
    Node *node = &plan.nodes[plan.n_nodes];
    int number = plan.n_nodes + 1;
    *node = (Node){ .kind = LEAF, .second = -1 };
    node->due = plan_random (4) == 0 ? NEVER : plan_random (3 * SLOTS);
    node->answer = plan_random (3) == 0 ? -EDDY_IO_ERROR_BUSY : number;
    node->after_a_cancel = plan_random (4) == 0 ? number : -EDDY_IO_ERROR_CANCELLED;
    node->shared = may_share && plan_random (5) == 0;
    return plan.n_nodes++;
}

/* Under a timeout nothing is shared: two nodes that are let go of in one tick would end in it. */
static int plan_node (int depth, bool may_share)
{
    if (depth == 0 || plan.n_nodes > NODES - 2 * CHILDREN - depth || plan_random (6) == 0)
        return plan_leaf (may_share);
    int index = plan.n_nodes++;
    Node *node = &plan.nodes[index];
    *node = (Node){ .kind = (Kind) (THEN + plan_random (KINDS - THEN)), .second = -1 };
    node->shared = may_share && plan_random (8) == 0;
    may_share = may_share && node->kind != TIMEOUT;
    node->n_children = node->kind >= ALL ? 1 + plan_random (CHILDREN) : 1;
    for (int i = 0; i < node->n_children; i++) {
        bool room = plan.n_nodes < NODES - CHILDREN;
        node->children[i] = room ? plan_node (depth - 1, may_share) : -1;
        if (!room) {
            node->n_children = i;
            break;
        }
    }
    if (node->n_children == 0) { /* no room for any: it is a leaf after all */
        plan.n_nodes--;
        return plan_leaf (may_share);
    }
    if (node->kind <= FINALLY && plan_random (3) != 0 && plan.n_nodes < NODES) {
        node->second = plan_leaf (/* may_share= */ false);
        if (node->kind == FINALLY) /* which no cancel ends */
            plan.nodes[node->second].due %= 2 * SLOTS;
    } else if (node->kind == MAP) {
        node->answer = plan_random (3) == 0 ? -EDDY_IO_ERROR_EXISTS : 1000;
    }
    return index;
}

static void plan_make (uint64_t seed)
{
    plan = (Plan){ .seed = seed, .random = seed * 2654435769U + 1 };
    plan_node (1 + plan_random (5), /* may_share= */ true);
    plan.nodes[0].shared = false;
    plan.cancel_at = plan_random (5) * SLOTS + CANCEL_SLOT;
    /* A task is not cancelled when it is dropped. */
    plan.is_dropped = plan.nodes[0].kind != LEAF && plan_random (4) == 0;
}

/* --- the model -------------------------------------------------------------------------------- */

static Outcome model_node (int index, int made, int cancelled);

/* The first tick of a leaf's own that is not before `tick` and is after `made`. */
static int model_slot (int index, int tick, int made)
{
    int from = tick > made ? tick : made + 1;
    return from + ((index - from) % SLOTS + SLOTS) % SLOTS;
}

static Outcome model_leaf (int index, int made, int cancelled)
{
    const Node *node = &plan.nodes[index];
    int by_itself = node->due == NEVER ? NEVER : model_slot (index, node->due, made);
    if (by_itself <= cancelled)
        return (Outcome){ by_itself, node->answer };
    int asked = cancelled > made ? cancelled : made;
    return (Outcome){ model_slot (index, asked, asked), node->after_a_cancel };
}

/* What comes after the first future's end. */
static Outcome model_function (const Node *node, Outcome first, int cancelled)
{
    bool failed = first.answer < 0;
    bool too_late = cancelled <= first.tick;
    if (node->kind == MAP)
        return failed
                   ? first
                   : (Outcome){ first.tick, node->answer < 0 ? node->answer : first.answer + 1000 };
    if (node->kind == THEN && too_late && !failed)
        return (Outcome){ first.tick, -EDDY_IO_ERROR_CANCELLED };
    if (node->kind != FINALLY && (too_late || failed != (node->kind == CATCH)))
        return first;
    if (node->second < 0)
        return first;
    Outcome second =
        model_node (node->second, first.tick, node->kind == FINALLY ? NEVER : cancelled);
    if (node->kind == FINALLY && second.answer >= 0)
        second.answer = first.answer;
    return second;
}

static Outcome model_timeout (const Node *node, int made, int cancelled)
{
    Outcome inner = model_node (node->children[0], made, cancelled < made ? cancelled : made);
    if (inner.answer == -EDDY_IO_ERROR_CANCELLED && cancelled > made)
        inner.answer = -EDDY_IO_ERROR_TIMED_OUT;
    return inner;
}

/* Whether such an answer of an input settles what the whole will answer. */
static bool model_decides (Kind kind, int answer)
{
    return kind == RACE || (kind == ALL && answer < 0) || (kind == ANY && answer >= 0);
}

/* The earlier one. */
static Outcome model_first (Outcome one, Outcome other)
{
    if (one.tick == other.tick && one.answer != other.answer)
        plan.is_ambiguous = true;
    return other.tick < one.tick ? other : one;
}

static Outcome model_several (const Node *node, int made, int cancelled)
{
    Outcome outcomes[CHILDREN];
    Outcome decisive = { NEVER + 1, 0 }, first = { NEVER + 1, 0 };
    Outcome all = { made, 1 };
    for (int i = 0; i < node->n_children; i++) {
        outcomes[i] = model_node (node->children[i], made, cancelled);
        first = model_first (first, outcomes[i]);
        if (model_decides (node->kind, outcomes[i].answer))
            decisive = model_first (decisive, outcomes[i]);
    }
    bool decided = decisive.tick <= NEVER;
    for (int i = 0; i < node->n_children; i++) {
        if (decided && outcomes[i].tick > decisive.tick && decisive.tick < cancelled)
            outcomes[i] = model_node (node->children[i], made, decisive.tick);
        if (outcomes[i].tick > all.tick)
            all.tick = outcomes[i].tick;
    }
    if (decided)
        all.answer = decisive.answer;
    else if (node->kind == ANY)
        all.answer = first.answer;
    return all;
}

/* When and how a node ends that is made at a tick and cancelled at another one. */
static Outcome model_node (int index, int made, int cancelled)
{
    const Node *node = &plan.nodes[index];
    int reaches = node->shared ? NEVER : cancelled;
    Outcome outcome;
    if (node->kind == LEAF)
        outcome = model_leaf (index, made, reaches);
    else if (node->kind == TIMEOUT)
        outcome = model_timeout (node, made, reaches);
    else if (node->kind == IN_TIME)
        outcome = model_node (node->children[0], made, reaches);
    else if (node->kind >= ALL)
        outcome = model_several (node, made, reaches);
    else
        outcome = model_function (node, model_node (node->children[0], made, reaches), reaches);
    /* Somebody else has it: who waits for it waits no more. */
    int asked = cancelled > made ? cancelled : made;
    if (node->shared && outcome.tick > asked)
        return (Outcome){ asked, -EDDY_IO_ERROR_CANCELLED };
    return outcome;
}

/* --- the run ---------------------------------------------------------------------------------- */

static EddyFuture *run_make (int index);

static void value_free (void *value)
{
    plan.n_values--;
    free (value);
}

static int *value_new (int number)
{
    int *value = malloc (sizeof *value);
    *value = number;
    plan.n_values++;
    return value;
}

static int value_get (const EddyValue *value)
{
    return value->kind == EDDY_VALUE_BOOLEAN ? value->as.boolean : *(int *) value->as.pointer;
}

static EddyFuture *run_function (EddyFuture *completed, void *data)
{
    Node *node = data;
    ck_assert (eddy_future_is_complete (completed));
    ck_assert_int_eq (node->calls, 0);
    node->calls++;
    return node->second < 0 ? NULL : run_make (node->second);
}

static void run_map (const EddyValue *value, EddyValue *result, EddyError **error, void *data)
{
    Node *node = data;
    node->calls++;
    if (node->answer < 0)
        eddy_error_set (error, EDDY_IO_ERROR, -node->answer, "a map that fails");
    else
        eddy_value_take_pointer (result, value_new (value_get (value) + 1000), value_free);
}

static void run_destroy (void *data)
{
    Node *node = data;
    node->destroyed++;
}

static EddyFuture *run_make_leaf (Node *node)
{
    node->task = eddy_task_new (NULL, NULL, NULL, NULL);
    node->made = plan.tick;
    return eddy_task_get_future (node->task);
}

static EddyFuture *run_combine (Node *node, EddyFuture **inputs)
{
    size_t n = (size_t) node->n_children;
    switch (node->kind) {
    case THEN:
        return eddy_future_then (inputs[0], run_function, node, run_destroy);
    case CATCH:
        return eddy_future_catch (inputs[0], run_function, node, run_destroy);
    case FINALLY:
        return eddy_future_finally (inputs[0], run_function, node, run_destroy);
    case MAP:
        return eddy_future_map (inputs[0], run_map, node, run_destroy);
    case TIMEOUT:
        return eddy_future_with_timeout (inputs[0], 0);
    case IN_TIME:
        return eddy_future_with_timeout (inputs[0], INT64_MAX);
    case ALL:
        return eddy_future_all (inputs, n);
    case SETTLED:
        return eddy_future_all_settled (inputs, n);
    case ANY:
        return eddy_future_any (inputs, n);
    default:
        return eddy_future_race (inputs, n);
    }
}

static EddyFuture *run_make (int index)
{
    Node *node = &plan.nodes[index];
    EddyFuture *inputs[CHILDREN];
    for (int i = 0; i < node->n_children; i++)
        inputs[i] = run_make (node->children[i]);
    EddyFuture *future = node->kind == LEAF ? run_make_leaf (node) : run_combine (node, inputs);
    if (node->shared)
        node->kept = eddy_ref (future);
    return future;
}

static void run_return (Node *node, int answer)
{
    EddyTask *task = EDDY_TAKE (node->task);
    if (answer < 0)
        eddy_task_return_new_error (task, EDDY_IO_ERROR, -answer, "a leaf that fails");
    else
        eddy_task_return_pointer (task, value_new (answer), value_free);
    eddy_task_unref (task);
}

/* The one leaf that may end in this tick. */
static void run_tick (void)
{
    int slot = plan.tick % SLOTS;
    Node *node = &plan.nodes[slot];
    if (slot >= plan.n_nodes || node->task == NULL || plan.tick <= node->made)
        return;
    if (eddy_cancellable_is_cancelled (eddy_task_get_cancellable (node->task)))
        run_return (node, node->after_a_cancel);
    else if (plan.tick >= node->due)
        run_return (node, node->answer);
}

/* What the root answered is what the model says; who nobody else has has ended. */
static void run_check_answer (EddyFuture *root, Outcome expected)
{
    EddyValue value = EDDY_VALUE_INIT;
    EddyError *error = NULL;
    int answer =
        eddy_future_take (root, &value, &error) ? value_get (&value) : -eddy_error_get_code (error);
    ck_assert_msg (answer == expected.answer, "seed %llu: %d (%s), not %d",
                   (unsigned long long) plan.seed, answer,
                   error == NULL ? "a value" : eddy_error_get_message (error), expected.answer);
    eddy_value_clear (&value);
    eddy_clear_error (&error);
}

static void run_check_ended (int index)
{
    const Node *node = &plan.nodes[index];
    if (node->shared)
        return;
    ck_assert_msg (node->task == NULL, "seed %llu: leaf %d goes on", (unsigned long long) plan.seed,
                   index);
    for (int i = 0; i < node->n_children; i++)
        run_check_ended (node->children[i]);
    if (node->second >= 0)
        ck_assert_ptr_null (plan.nodes[node->second].task);
    if (node->kind >= THEN && node->kind <= MAP)
        ck_assert_int_eq (node->destroyed, 1);
    if (node->kind == FINALLY)
        ck_assert_int_eq (node->calls, 1);
}

/* What was shared ends now; then nothing is left. */
static void run_rest (EddyContext *context)
{
    for (int i = 0; i < plan.n_nodes; i++)
        eddy_clear (&plan.nodes[i].kept);
    run_all (context);
    for (int i = 0; i < 3 * plan.n_nodes; i++) {
        if (plan.nodes[i % plan.n_nodes].task != NULL)
            run_return (&plan.nodes[i % plan.n_nodes], i + 1);
        run_all (context);
    }
    for (int i = 0; i < plan.n_nodes; i++) {
        ck_assert_int_le (plan.nodes[i].calls, 1);
        plan.nodes[i].shared = false;
    }
    run_check_ended (0);
    ck_assert_int_eq (plan.n_values, 0);
}

/* Whether the model could tell. */
static bool run_tree (EddyContext *context, uint64_t seed)
{
    plan_make (seed);
    Outcome expected = model_node (0, 0, plan.cancel_at);
    if (plan.is_ambiguous)
        return false;
    EddyFuture *root = run_make (0);
    run_all (context);
    ck_assert (!eddy_future_is_complete (root));
    while (plan.tick < expected.tick) {
        plan.tick++;
        if (plan.tick == plan.cancel_at && plan.is_dropped)
            eddy_clear (&root);
        else if (plan.tick == plan.cancel_at)
            eddy_future_cancel (root);
        else
            run_tick ();
        run_all (context);
        if (root != NULL)
            ck_assert_msg (eddy_future_is_complete (root) == (plan.tick == expected.tick),
                           "seed %llu, tick %d: it is not to end at %d",
                           (unsigned long long) plan.seed, plan.tick, expected.tick);
    }
    if (root != NULL)
        run_check_answer (root, expected);
    run_check_ended (0);
    eddy_clear (&root);
    run_rest (context);
    return true;
}

static uint64_t number_of (const char *name, uint64_t otherwise)
{
    const char *text = getenv (name);
    return text == NULL ? otherwise : strtoull (text, NULL, 10);
}

EDDY_TEST_TIMEOUT (D_combinators_random_trees_keep_to_the_model, 300)
{
    EddyContext *context = eddy_test_context_begin ();
    uint64_t usual = (uint64_t) eddy_test_reduced (5000, 1000, "random trees of combinators");
    uint64_t seed = number_of ("EDDY_COMBINATORS_SEED", 1);
    uint64_t n_trees = number_of ("EDDY_COMBINATORS", getenv ("EDDY_COMBINATORS_SEED") ? 1 : usual);
    uint64_t judged = 0;
    for (uint64_t i = 0; i < n_trees; i++)
        judged += run_tree (context, seed + i);
    ck_assert (n_trees < 100 || judged > n_trees / 10 * 9);
    eddy_test_context_end (context);
}
