/* SPDX-License-Identifier: MIT */
/* EddySource from the inside, and what a context needs of its sources.
 *
 * A source's lists, queue entry, timer and fds belong to whoever has its context: the owner, or for
 * a moment a caretaker (source-table.c). Other threads set atomic words and post its control entry,
 * which has the owner bring the rest in line with them. */
#pragma once

#include <eddy/source.h>

#include "base/list-private.h"
#include "loop/cancellable-private.h"
#include "loop/context-private.h"
#include "loop/source-table-private.h"

/* Bits of a source's state, atomic. */
enum {
    EDDY__SOURCE_CLAIMED = 1,   /* an attach has begun: there will be no other */
    EDDY__SOURCE_ATTACHED = 2,  /* its context can be seen by whoever sees this */
    EDDY__SOURCE_DESTROYED = 4, /* who sets it drops the callback, … */
    EDDY__SOURCE_RUNNING = 8    /* … but while this is set, which then is its dispatcher's duty */
};

/* Why a source is ready: by an fd, which is looked at again when it had to wait; by its ready time
 * or a child, which may be taken back before it is dispatched; or else. */
enum {
    EDDY__READY_BY_FD = 1,
    EDDY__READY_BY_TIME = 2,
    EDDY__READY_BY_CHILD = 4,
    EDDY__READY_OTHERWISE = 8,
    EDDY__READY_ANYHOW = 15
};

typedef struct EddySourceCallback {
    EddySourceFunc function;
    void *user_data;
    void (*destroy) (void *user_data);
} EddySourceCallback;

/* One dispatch of a source, on the stack of the loop. */
typedef struct EddySourceFrame {
    struct EddySourceFrame *outer; /* of this thread */
    EddySource *source;
    unsigned pass_depth;        /* of the thread, inside which it was begun */
    EddySourceCallback retired; /* replaced while this dispatch used it */
} EddySourceFrame;

/* What sources of a kind do; all but `dispatch` may be NULL. */
typedef struct EddySourceKind {
    const char *name;
    /* Calls the callback; whether the source stays. */
    bool (*dispatch) (EddySource *source, EddySourceFunc function, void *user_data);
    /* Taken in, or dispatched, at this time: begins to wait anew. */
    void (*start) (EddySource *source, int64_t now_ns);
    /* Nothing blocks it (any longer): is it ready? */
    void (*look) (EddySource *source);
    /* About to be attached; 0 or -errno. Any thread. */
    int (*attach) (EddySource *source);
    /* Taken in. */
    void (*activate) (EddySource *source);
    /* Undoes both. */
    void (*deactivate) (EddySource *source);
    void (*finalize) (EddySource *source);
    EddySourceFunc dummy; /* a callback that does nothing */
    bool may_lack_callback;
} EddySourceKind;

struct EddySource {
    EddyObject object;
    /* What set_ready_time touches lies in one line: with a million sources each one is a miss. */
    EddyTimer timer;
    int64_t ready_time_ns;  /* atomic; -1: none */
    EddySourceTable *table; /* of its context, a reference; NULL before attach */
    uint32_t state;         /* atomic */
    uint8_t control_posted; /* atomic: the control entry is on its way */
    bool active;            /* its context has taken it in */
    uint8_t ready;          /* why; its entry is in the queue */
    bool in_queue;          /* its entry is, ready or not any more */
    unsigned blocked;       /* by so many dispatches, its own and its ancestors' */
    EddyContext *context;   /* not a reference: the context destroys its sources */
    EddyEntry entry;        /* in the ready queue */
    EddyEntry control;      /* carries what other threads want */
    const EddySourceKind *kind;
    EddySourceCallback callback;
    EddySourceFrame *callback_frame; /* the outermost dispatch that uses the callback */
    unsigned depth;                  /* dispatches of it under way, one in another */
    uint32_t dispatched_turn;        /* of the pass that dispatched it last */
    bool can_recurse;
    bool once;         /* its callback returns nothing, and is called once */
    bool pending;      /* was made ready while it was blocked */
    bool is_watched;   /* its kind's `attach` has succeeded */
    bool held;         /* the context's reference has not been given up */
    bool name_is_ours; /* to free */
    EddySource *parent;
    EddyList children;
    EddyList member;  /* of the context's, while it is active */
    EddyList sibling; /* in the parent's children, which then has a reference */
    EddyList fds;
    EddyList hook; /* in the context's list of sources with prepare or check */
    uint64_t id;
    const char *name;
    void *memory;                 /* that it lies in, aligned, when it has private data */
    const EddySourceFuncs *funcs; /* of the program's own kinds */
    union {
        struct {
            int64_t interval_ns;
            int64_t slack_ns;
        } timeout;
        struct {
            EddyList member; /* of the context's signal sources */
            uint64_t seen;
            int number;
        } signal;
        struct {
            void *tag; /* of its one fd */
        } fd;
        struct {
            pid_t pid;
            int pidfd; /* -1: there was no such child when it was made */
        } child;
        struct {
            EddyCancellable *cancellable; /* a reference, or NULL */
            EddyCancelWatch watch;
            bool dispatched;
        } cancellable;
    } as;
};

static inline bool eddy__source_is_destroyed (const EddySource *source)
{
    return (__atomic_load_n (&source->state, __ATOMIC_ACQUIRE) & EDDY__SOURCE_DESTROYED) != 0;
}

/* --- the object (source.c) -------------------------------------------------------------------- */

/* A source of `size` bytes, that of EddySource or more; NULL: memory is out. */
EddySource *eddy__source_new (const EddySourceKind *kind, int priority, size_t size);

/* Who may touch what belongs to the owner: see eddy__source_begin_change(). */
typedef enum EddySourceAccess {
    EDDY__ACCESS_NONE,     /* another thread has the context */
    EDDY__ACCESS_FREE,     /* it is not attached */
    EDDY__ACCESS_OWNER,    /* the caller has its context */
    EDDY__ACCESS_CARETAKER /* nobody had: the caller has it until the end, under a lock */
} EddySourceAccess;

/* Begins and ends a change of what belongs to the owner. In between the caller calls nothing that
 * takes the table's lock or is the program's. The first warns of a misuse of `function` when
 * another thread has the context. */
EddySourceAccess eddy__source_begin_change (EddySource *source, const char *function);
void eddy__source_end_change (EddySource *source, EddySourceAccess access);

/* Brings what belongs to the owner in line with the source's atomic words, now or by way of the
 * inbox. Any thread. */
void eddy__source_sync (EddySource *source);

/* Calls the destroy notify, once. */
static inline void eddy__source_callback_drop (EddySourceCallback *callback)
{
    void (*destroy) (void *) = callback->destroy;
    callback->destroy = NULL;
    if (destroy != NULL)
        destroy (callback->user_data);
}

/* Takes the callback out and drops it. Any thread. */
void eddy__source_drop_callback (EddySource *source);

/* Attaches a child that is in the list of an attached parent, and ends the change of the parent. */
void eddy__source_attach_child (EddySource *parent, EddySource *child, EddySourceAccess access);

/* Gives the context's reference up once nothing of the context needs the source. Owner only. */
void eddy__source_let_go (EddySource *source);

/* The context goes: so do its sources. */
void eddy__sources_destroy_all (EddyContext *context);

/* --- being ready (source-dispatch.c) ---------------------------------------------------------- */

/* Makes a source ready: it is dispatched in a coming pass. A blocked one when it is no longer
 * blocked; nothing happens to one that was destroyed. Owner only. */
void eddy__source_make_ready (EddySource *source);
void eddy__source_make_ready_by_fd (EddySource *source);
void eddy__source_make_ready_by_time (EddySource *source);
/* It is not ready any more for these reasons, nor its parent for its sake. */
void eddy__source_unready (EddySource *source, unsigned why);
/* What the source's entry and timer run. */
void eddy__source_run (EddyEntry *entry);
void eddy__source_fire (EddyTimer *timer);
/* Waits for whatever makes an active source ready; nothing happens to a blocked one. */
void eddy__source_watch (EddySource *source);
/* Does what the ready time asks for. Owner only. */
void eddy__source_apply_ready_time (EddySource *source);
/* Whether an entry of the ready queue will dispatch something; other entries than sources' do. */
bool eddy__source_entry_is_ready (EddyContext *context, EddyEntry *entry);
/* Whether it is a destroyed source's. */
bool eddy__source_entry_is_stale (const EddyEntry *entry);
/* How many passes are dispatching on this thread. */
extern EDDY__THREAD unsigned eddy__pass_depth;

/* --- fds (source-fd.c) ------------------------------------------------------------------------ */

void *eddy__source_add_fd (EddySource *source, int fd, unsigned events);
unsigned eddy__source_query_fd (const EddySource *source, const void *tag);
/* Arms what is not armed. */
void eddy__source_arm_fds (EddySource *source);
/* The source was dispatched: what its fds had to say has been told. */
void eddy__source_forget_events (EddySource *source);
/* Looks again at the fds that were ready; whether one still is. */
bool eddy__source_recheck_fds (EddySource *source);
/* Takes its polls back. */
void eddy__source_disarm_fds (EddySource *source);
void eddy__source_free_fds (EddySource *source);
/* The context's engine has been opened: what waited for it is armed. */
void eddy__context_arm_polls (EddyContext *context);
/* The context's engine is about to be closed: the polls that it has are forgotten, and wait for the
 * next engine. */
void eddy__context_forget_polls (EddyContext *context);

/* --- children (source-children.c) ------------------------------------------------------------- */

/* Moves the children of a source that goes into `orphans`; and destroys those, later. */
void eddy__source_orphan_children (EddySource *source, EddyList *orphans);
void eddy__source_destroy_orphans (EddyList *orphans);
/* Takes a child that goes off its parent; returns whether the parent's reference is to be dropped.
 */
bool eddy__source_leave_parent (EddySource *child);

/* --- hooks (source-hooks.c) ------------------------------------------------------------------- */

/* Calls the prepare hooks; returns how long to wait at most, -1: no limit. */
int64_t eddy__hooks_prepare (EddyContext *context);
void eddy__hooks_check (EddyContext *context);
/* Takes a source off the list of those that have hooks. */
void eddy__hooks_remove (EddySource *source);

/* --- kinds ------------------------------------------------------------------------------------ */

extern const EddySourceKind eddy__source_idle, eddy__source_timeout, eddy__source_signal,
    eddy__source_fd, eddy__source_child_watch, eddy__source_custom;

/* --- signals (signal.c) ----------------------------------------------------------------------- */

/* Begins to catch the source's signal; 0 or -errno. */
int eddy__signal_watch (EddySource *source);
void eddy__signal_unwatch (EddySource *source);
/* Makes the source ready if its signal has come. */
void eddy__signal_look (EddySource *source);
/* Makes the sources ready whose signals have come. */
void eddy__signals_collect_slow (EddyContext *context);
static inline void eddy__signals_collect (EddyContext *context)
{
    if (!eddy__list_is_empty (&context->signals))
        eddy__signals_collect_slow (context);
}
