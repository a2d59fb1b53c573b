/* SPDX-License-Identifier: MIT */
/*
 * Random trees of fibers, groups, deadlines and cancels. Three parts that know little of each
 * other: a plan, made of a seed (trees-plan.c); a run of it on the library (trees-run.c); and a
 * model of what the documentation promises, which is told of each step as it is made, and says what
 * its outcome may be (trees-model.c). The model does not know who runs next: it takes the order as
 * it comes, and judges the rest.
 *
 * Where there is a pool, groups may have their fibers on its threads. Then the model does not know
 * when a cancel arrives, nor in what order errors do, and judges the rest.
 *
 * Nothing here waits for a clock. When nothing moves any more, the model looks whether a cancel was
 * lost, and then the root is cancelled: so every tree ends, whatever its plan.
 */
#ifndef TREES_H
#define TREES_H

#include <eddy/eddy.h>
#include <pthread.h>

enum {
    TREE_NODES = 24,
    TREE_GROUPS = 16,
    TREE_STEPS = 12,
    TREE_CHAIN = 8,
    TREE_LOG = 48,
    TREE_SHIELDS = 4
};

typedef enum TreeStepKind {
    TREE_YIELD,        /* lets others run */
    TREE_SLEEP,        /* for no time at all, but through a timer */
    TREE_FOREVER,      /* sleeps until cancelled */
    TREE_HELD,         /* waits for an fd until cancelled, or until the lever is pulled */
    TREE_TIMED,        /* waits for an fd with a deadline that has passed */
    TREE_OPEN,         /* makes a group */
    TREE_SPAWN,        /* a child into an open group of its own or of an ancestor */
    TREE_START,        /* the same, and waits until it says that it is ready */
    TREE_CLOSE,        /* waits for the group opened last */
    TREE_JOIN,         /* waits for a group that another has made */
    TREE_AWAIT,        /* spawns a fiber of no group, and awaits it */
    TREE_DROP,         /* spawns a fiber of no group, and lets go of it */
    TREE_CANCEL_GROUP, /* any group */
    TREE_CANCEL_NODE,  /* by the cancellable of any node that has shown it */
    TREE_CANCEL_ROOT,  /* by its future */
    TREE_PULL,         /* cancels the lever */
    TREE_READY,        /* says that it is ready */
    TREE_SHIELD,       /* up to the next of its kind, does not see its own cancel */
    TREE_UNSHIELD,
    TREE_FAIL,    /* ends with an error of its own */
    TREE_GIVE_UP, /* ends with an error that says CANCELLED, though nobody cancelled it */
    TREE_STEP_KINDS
} TreeStepKind;

typedef struct TreeStep {
    uint8_t kind;
    uint8_t subject; /* a node or a group */
    bool goes_on;    /* a failure does not end the node: it swallows the error */
    bool has_cause;  /* of a cancel */
} TreeStep;

/* --- the model's ------------------------------------------------------------------------------ */

/* Whom a cancel has been asked of, or may have been; it may have arrived, or it has. */
typedef enum TreeAsked { TREE_NOT_ASKED, TREE_PERHAPS, TREE_ASKED, TREE_TOLD } TreeAsked;

/* Causes are a set: a bit for each node that may have given one, and two for the usual ones. */
#define TREE_CAUSE_TIMED_OUT (UINT64_C (1) << 62)
#define TREE_CAUSE_PLAIN (UINT64_C (1) << 63)

typedef struct TreeCancel {
    TreeAsked asked;
    uint64_t causes; /* one of these it is */
} TreeCancel;

typedef enum TreeLife {
    TREE_UNBORN,
    TREE_REFUSED,
    TREE_SPAWNED,
    TREE_RUNNING,
    TREE_ENDED
} TreeLife;

typedef struct TreeNode {
    struct Tree *tree;
    /* The plan: */
    uint8_t id;
    int8_t group;          /* that it belongs to; -1: none */
    bool shows;            /* lets others cancel it */
    uint8_t cleanup_turns; /* how often its cleanup lets others run */
    uint8_t n_steps;
    TreeStep steps[TREE_STEPS];
    /* The run: */
    EddyCancellable *scope;
    EddyError *cause; /* what it gives for all of its cancels */
    uint8_t n_open;
    uint8_t open[TREE_STEPS];
    /* The model: */
    TreeLife life;
    bool is_offered; /* to a group on a pool, which may not have taken it yet */
    bool is_awaited; /* somebody has started it, and waits until it is ready */
    bool is_ready;
    unsigned n_shields;
    TreeCancel cancels[TREE_SHIELDS]; /* its own, then what is asked of it in each shield */
    bool scope_cancelled; /* so that each new wait fails, though it may not have been told yet */
    int waits_in;         /* a TreeStepKind; -1: it does not wait */
    struct TreeGroup *joins;
    struct TreeNode *starts;
    bool waits_in_vain; /* it was cancelled before it began to wait */
    int destroyed;
    int cleaned;
    EddyError *error; /* with which it ended */
} TreeNode;

/* What a group may keep. */
typedef struct TreeError {
    EddyError *error; /* NULL: what it was cancelled for, one of */
    uint64_t causes;
    bool is_sure;
} TreeError;

typedef struct TreeGroup {
    /* The plan: */
    uint8_t id;
    uint8_t maker;
    uint8_t limit;
    bool supervisor;
    int8_t timeout; /* -1: none; 0: it has passed; 1: it is far away */
    bool on_pool;   /* its fibers are, where the tree has a pool */
    /* The run: */
    EddyGroup *group;
    pthread_t home;
    /* The model: */
    unsigned shield; /* of its maker, in which it was made */
    TreeCancel cancel;
    unsigned running;
    unsigned active; /* those that have begun */
    unsigned n_errors;
    bool has_told_cause;
    bool may_be_cut; /* a cancel may have ended one of its nodes … */
    bool is_cut;     /* … and has */
    TreeError errors[2 * TREE_NODES];
} TreeGroup;

typedef struct Tree {
    uint64_t seed;
    EddyContext *context;
    EddyPool *pool; /* NULL: everything is on one thread */
    pthread_mutex_t mutex;
    int silent_fd; /* never readable */
    /* The plan: */
    unsigned n_nodes;
    unsigned n_groups;
    TreeNode nodes[TREE_NODES];
    TreeGroup groups[TREE_GROUPS];
    /* The run: */
    EddyFuture *root;
    EddyCancellable *lever;
    /* The model: */
    TreeCancel lever_cancel;
    unsigned live; /* nodes that have been spawned and whose data have not been destroyed */
    unsigned n_log;
    char log[TREE_LOG][64]; /* the last things that happened */
} Tree;

/* Fills in the plan. */
void tree_plan (Tree *tree, uint64_t seed);
void tree_print (const Tree *tree);
const char *tree_step_name (int kind);

/* Runs a tree to its end. */
void tree_run (Tree *tree);

void tree_lock (Tree *tree);
void tree_unlock (Tree **tree);
/* In a function, up to its end. */
#define TREE_LOCKED(of)                                                                            \
    __attribute__ ((cleanup (tree_unlock), unused)) Tree *locked_tree = (of);                      \
    tree_lock (locked_tree)

/* What happens, as it happens. Each that finds the library wrong prints the tree, and fails. */
void tree_model_spawning (TreeNode *node, TreeNode *by);
void tree_model_spawned (TreeNode *node, TreeNode *by, bool accepted, const EddyError *error);
void tree_model_starting (TreeNode *node, TreeNode *by);
void tree_model_ready (TreeNode *node, bool was_awaited);
void tree_model_started (TreeNode *node, TreeNode *by, const void *value, const EddyError *error);
void tree_model_began (TreeNode *node);
void tree_model_ended (TreeNode *node, EddyError *error);
void tree_model_destroyed (TreeNode *node);
void tree_model_wait (TreeNode *node, int kind);
void tree_model_waited (TreeNode *node, bool good, const EddyError *error);
void tree_model_awaited (TreeNode *node, TreeNode *child, bool good, const EddyError *error);
void tree_model_opened (TreeGroup *group, TreeNode *maker);
void tree_model_joins (TreeGroup *group, TreeNode *by);
void tree_model_joined (TreeGroup *group, EddyGroup *real, TreeNode *by, bool good,
                        const EddyError *error);
void tree_model_cancel_group (TreeGroup *group, TreeNode *by, bool has_cause);
void tree_model_cancel_scope (TreeNode *node, TreeNode *by, bool has_cause);
void tree_model_cancel_fiber (TreeNode *node);
void tree_model_shield (TreeNode *node, int64_t timeout_ns);
void tree_model_unshield (TreeNode *node);
void tree_model_pull (Tree *tree, TreeNode *by, bool has_cause);
/* Nothing moves: whether something is to be waited for. */
bool tree_model_is_quiet (Tree *tree);
void tree_model_finished (Tree *tree);

void tree_log (Tree *tree, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
_Noreturn void tree_fail (Tree *tree, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

#endif
