/* SPDX-License-Identifier: MIT */
/* Fibers from the inside.
 *
 *   NEW (no stack yet) ──► READY ──► RUNNING ──► DONE
 *                            ▲          │
 *                            └─ PARKED ◄┘
 *
 * A fiber that parks takes the next ready fiber of the same level and jumps to it; when there is
 * none, to the loop's stack. A dying fiber is freed by whoever runs next, since nobody can free the
 * stack that he stands on. */
#pragma once

#include <eddy/fiber.h>
#include <eddy/group.h>
#include <errno.h>

#include "fiber/overflow-private.h"
#include "fiber/sanitizer-private.h"
#include "fiber/stack-private.h"
#include "fiber/switch-private.h"
#include "future/future-private.h"
#include "loop/cancellable-private.h"

typedef struct EddyFiber EddyFiber;
typedef struct EddyFiberWait EddyFiberWait;
typedef struct EddyFiberShield EddyFiberShield;
typedef struct EddyFiberLocalSlot EddyFiberLocalSlot;
typedef struct EddyWakers EddyWakers;

/* What a parked fiber waits for, as a dump tells it; a constant. */
typedef struct EddyWaitKind {
    const char *what;                         /* "a mutex" */
    const char *(*get_name) (const void *on); /* NULL: it has none */
    /* Names the fibers that could end the wait. NULL: the world outside ends it, such as a kernel
     * or a clock. */
    void (*find_wakers) (const void *on, EddyWakers *wakers);
} EddyWaitKind;

typedef enum EddyFiberState {
    EDDY_FIBER_NEW,
    EDDY_FIBER_READY,
    EDDY_FIBER_RUNNING,
    EDDY_FIBER_PARKED,
    EDDY_FIBER_DONE
} EddyFiberState;

/* What runs on a fiber, for the library's own use: gives a value of any kind. */
typedef void (*EddyFiberBody) (EddyFiber *fiber, EddyValue *value, EddyError **error);

/* Inlined whatever the compiler thinks of it: what every spawn, wait or switch goes through. */
#define EDDY__FIBER_INLINE __attribute__ ((always_inline)) static inline

/* Of the public functions that all of that ends up in. They begin at a cache line: where they lay
 * by chance, a spawn and join took 22 or 31 ns. */
#define EDDY__FIBER_PATH EDDY__NO_STACK_PROTECTOR __attribute__ ((aligned (64)))

/* A flow of control as fiber.c switches it: a fiber's, or the loop's under a pass. */
typedef struct EddyFiberFlow {
    EddyFlow flow;
    EddySanitizerFiber sanitizer;
} EddyFiberFlow;

/* Zeroing the whole record would take longer than to spawn a fiber without doing so. */
struct EddyFiber {
    EddyFuture future; /* its entry is the fiber's turn, until it has ended */
    /* Zeroed, as far as `extra`: */
    uint8_t state;
    bool cancelled;        /* the home thread's; each of its waits then fails */
    uint8_t cancel_posted; /* atomic: another thread has asked */
    bool detached;         /* nobody asks for its error: it is logged */
    bool holds_itself;     /* its handle is its own, until it has ended */
    bool plain;            /* a function's, without anything below but the function's */
    bool listed;           /* among its context's fibers: since it first let others run */
    bool in_shield : 1;    /* a program's: `shield` says which */
    bool has_locals : 1;
    uint8_t n_unwaited : 6; /* operations that needed no waiting; overflows into a turn */
    uint16_t shielded;      /* awaits do not look whether it is cancelled */
    uint16_t number;        /* of its identity; 0: nobody has remembered it; atomic */
    uint32_t made;          /* a stamp */
    EddyFiberWait *wait;    /* what it waits for, when a cancel is to end that */
    EddyGroup *group;
    EddyCancellable *scope;      /* its own, made when somebody asks for it */
    EddyCancellable *parent;     /* what it was started with, and is cancelled by */
    struct EddyCurrent *current; /* its current cancellables, innermost first */
    EddyError *cause;            /* of the cancel; NULL: the usual */
    EddyList groups;             /* that it made: cancelled with it; `next` NULL: none */
    EddyFiberFunc function;      /* what a program spawned; NULL: `body` runs */
    void (*destroy) (void *data);
    void (*clear_extra) (void *extra); /* gives up what the extra bytes own, at the very end */
    const char *name;
    const EddyPlace *place;
    size_t stack_size;
    /* Filled in by whoever makes it: */
    size_t extra; /* bytes after the record */
    EddyFiberBody body;
    void *data; /* the function's */
    /* From its first turn on: */
    EddyFiberFlow flow;
    int *error_number; /* errno of its thread */
    EddyStack *stack;
    /* While there is a reason: */
    EddyList member;               /* of the context's fibers */
    const EddyWaitKind *waits_for; /* while parked … */
    const void *waits_on;          /* … and which one of these */
    uint32_t parked;               /* since when: a stamp */
    EddyList sibling;              /* in its group's children */
    EddyCancelWatch scope_watch;
    EddyCancelWatch parent_watch;
    EddyEntry cancel;           /* carries another thread's cancel */
    EddyFiberShield *shield;    /* the innermost */
    EddyFiberLocalSlot *locals; /* the latest first */
};

/* Makes a fiber with one handle that the caller holds; `extra` bytes follow the record, zeroed. Its
 * scope is cancelled with `parent`. NULL when memory is out. Its caller fills in body and name,
 * then starts it. */
EddyFiber *eddy__fiber_new (EddyContext *context, EddyCancellable *parent, size_t extra);
/* Gives the fiber its first turn. Any thread. */
void eddy__fiber_start (EddyFiber *fiber);
void *eddy__fiber_get_extra (EddyFiber *fiber);
/* For the body of an operation, of this name, that returns the number of something which is the
 * caller's: `destroy` is called on it where the operation's own future was let go of before it was
 * done, so that nobody ever sees it (forms.c). */
void eddy__form_set_destroy (const char *name, void (*destroy) (void *number));
/* The fiber that a future is of. */
static inline EddyFiber *eddy__fiber_of (EddyFuture *future)
{
    return EDDY__CONTAINER (future, EddyFiber, future);
}
/* Whether a future is a fiber. */
bool eddy__future_is_fiber (const EddyFuture *future);
/* Has it run a program's function, with what the program says of it. */
void eddy__fiber_set_function (EddyFiber *fiber, EddyFiberFunc function, void *data,
                               void (*destroy) (void *), const EddyFiberOptions *options,
                               const EddyPlace *place);

/* How a fiber is known to those who remember it, perhaps beyond its end: by its address and a
 * number, since another one may have the address by then. Never 0. */
static inline uint64_t eddy__fiber_get_identity (const EddyFiber *fiber)
{
    uint64_t number = __atomic_load_n (&fiber->number, __ATOMIC_RELAXED);
    return (uint64_t) (uintptr_t) fiber ^ number << 48;
}
/* The same for who is about to remember it: it gets its number. Any thread while it waits. */
uint64_t eddy__fiber_make_identity (EddyFiber *fiber);
static inline uint64_t eddy__fiber_identify (EddyFiber *fiber)
{
    if (EDDY__LIKELY (__atomic_load_n (&fiber->number, __ATOMIC_RELAXED) != 0))
        return eddy__fiber_get_identity (fiber);
    return eddy__fiber_make_identity (fiber);
}

/* The running fiber, or NULL. */
static inline EddyFiber *eddy__fiber_current (void)
{
    return (EddyFiber *) (uintptr_t) eddy__overflow_fiber;
}

/* Cancels a fiber, taking the cause (NULL: the usual). Home thread. */
void eddy__fiber_cancel (EddyFiber *fiber, EddyError *cause);
/* The same, of what its waits see: in a shield, the shield's timeout. */
void eddy__fiber_cancel_inside (EddyFiber *fiber, EddyError *cause);
/* Whether its waits fail now. */
static inline bool eddy__fiber_is_cancelled (const EddyFiber *fiber)
{
    return fiber->shielded == 0 &&
           (fiber->cancelled || eddy__cancellable_is_cancelled (fiber->scope));
}
/* What the scopes of a group's fibers follow; NULL: nothing. At home. */
EddyCancellable *eddy__group_get_scope (const EddyGroup *group);
/* What its scope follows: what it was started with, or that of its group; NULL: nothing. */
static inline EddyCancellable *eddy__fiber_get_parent (const EddyFiber *fiber)
{
    if (fiber->parent != NULL || fiber->group == NULL)
        return fiber->parent;
    return eddy__group_get_scope (fiber->group);
}
/* Its cancellable, owned by it; NULL when memory is out. In the fiber. */
EddyCancellable *eddy__fiber_get_scope (EddyFiber *fiber);

/* One wait of a fiber, on its stack: any of several events wakes it, once. */
struct EddyFiberWait {
    EddyFiber *fiber;
    void (*cancelled) (EddyFiberWait *wait); /* NULL: it is woken */
    bool woken;
    bool was_cancelled;
};

/* Begins a wait that a cancel of the fiber ends: 0; or -ECANCELED at once, with nothing to end. */
static inline int eddy__fiber_wait_begin (EddyFiberWait *wait, EddyFiber *fiber)
{
    *wait = (EddyFiberWait){ .fiber = fiber };
    if (EDDY__UNLIKELY (eddy__fiber_is_cancelled (fiber)))
        return -ECANCELED;
    fiber->wait = wait;
    return 0;
}
/* Gives the waiting fiber its turn. On its context's thread. */
static inline void eddy__fiber_wake (EddyFiberWait *wait)
{
    if (wait->woken)
        return;
    wait->woken = true;
    wait->fiber->state = EDDY_FIBER_READY;
    eddy__context_queue (wait->fiber->future.context, &wait->fiber->future.entry);
}
/* The wait for an operation, an EddyOp. */
extern const EddyWaitKind eddy__op_wait_kind;

/* Lets others run until the fiber is woken; ends the wait. */
void eddy__fiber_park (EddyFiberWait *wait, const EddyWaitKind *kind, const void *on);

/* The error of a fiber's wait that was cancelled: the cause of whichever cancelled it. */
EddyError *eddy__fiber_make_cancel_error (EddyFiber *fiber, EddyCancellable *cancellable);

/* An operation and the fiber that waits for it: on the fiber's stack, where it stays until the
 * operation is done: a cancel is a request, and only the completion ends the wait. */
typedef struct EddyAwaitedOp {
    EddyOp op; /* to be filled in */
    EddyFiberWait wait;
    EddyCancelWatch explicit; /* of the cancellable that was given */
} EddyAwaitedOp;

/* Does an operation and waits for its end; the result is in it. In a fiber only. */
void eddy__fiber_await_op (EddyFiber *fiber, EddyAwaitedOp *awaited, EddyCancellable *cancellable);
/* The same anywhere, by a copy of a request, which then has what the copy was given; returns its
 * result. */
int64_t eddy__do_op (EddyOp *request, EddyCancellable *cancellable);
/* Whoever finds all that he asks for at hand would keep his thread from signals, deadlines and the
 * other fibers: every so often he lets them have their turn, and the loop a look at the kernel. */
void eddy__fiber_let_others (EddyFiber *fiber);
static inline void eddy__fiber_take_turns (EddyFiber *fiber)
{
    fiber->n_unwaited = (fiber->n_unwaited + 1) & 63;
    if (EDDY__UNLIKELY (fiber->n_unwaited == 0))
        eddy__fiber_let_others (fiber);
}
/* A read at an offset that this fiber need not wait for; or -errno, as eddy__engine_read_now().
 * Most of what such a read costs beside the call is the operation. */
EDDY__NOW_INLINE int64_t eddy__fiber_read_now (int fd, void *buf, size_t len, int64_t offset,
                                               bool in_memory)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL || eddy__fiber_is_cancelled (fiber))
        return -EINPROGRESS;
    int64_t count =
        eddy__engine_read_now (fiber->future.context->engine, fd, buf, len, offset, in_memory);
    if (count >= 0)
        eddy__fiber_take_turns (fiber);
    return count;
}
/* The same for a send by a socket. */
EDDY__NOW_INLINE int64_t eddy__fiber_send_now (int fd, const void *buf, size_t len)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL || eddy__fiber_is_cancelled (fiber))
        return -EINPROGRESS;
    int64_t count = eddy__engine_send_now (fiber->future.context->engine, fd, buf, len);
    if (count >= 0)
        eddy__fiber_take_turns (fiber);
    return count;
}
/* Whether the caller is to go on: false with the error of the cancel when `cancellable` is
 * cancelled or, in a fiber, the fiber is. */
bool eddy__may_go_on (EddyCancellable *cancellable, EddyError **error);

/* --- shields (shield.c) ----------------------------------------------------------------------- */

/* A shield, on the fiber's stack. While it stands, the fiber's record says of cancels what is
 * inside, and the shield what is outside: of the shield around it, or of the fiber itself. */
struct EddyFiberShield {
    EddyFiber *fiber; /* NULL: outside fibers there is nothing to hide */
    EddyFiberShield *outer;
    EddyCancellable *scope;
    EddyError *cause;
    struct EddyCurrent *current;
    EddyList groups;
    bool cancelled;
    /* Of its own: */
    EddyCancelWatch scope_watch;
    EddyTimer timer;
    int64_t deadline_ns; /* INT64_MAX: none */
};

/* The scope of the fiber itself; NULL: nobody has asked for it. */
EddyCancellable *eddy__shield_get_outermost_scope (const EddyFiber *fiber);
/* The fiber is cancelled while it is in a shield. */
void eddy__shield_cancel_outermost (EddyFiber *fiber, EddyError *cause);
/* The innermost shield's cancellable, which it has none of yet; NULL when memory is out. */
EddyCancellable *eddy__shield_make_scope (EddyFiber *fiber);

/* --- fiber-local data (local.c) --------------------------------------------------------------- */

/* Gives up all that the running fiber has, in it. */
void eddy__fiber_clear_locals (EddyFiber *fiber);

/* A fiber of a group has ended. */
void eddy__group_child_ended (EddyGroup *group, EddyFiber *fiber);
/* The fiber that made these groups is cancelled, for this cause (NULL: the usual). */
void eddy__groups_cancel (EddyList *groups, EddyError *cause);
/* It has ended; they go on without it. */
void eddy__groups_leave (EddyList *groups);
