/* SPDX-License-Identifier: MIT */
/* The fds of sources.
 *
 * Each is polled once, by an operation of the context's engine that completes when the fd is ready,
 * and again after the dispatch to which that led: so a program sees readiness by level, while ten
 * thousand idle fds cost a pass nothing. The poll has a record of its own, which outlives a watch
 * that is removed or changed until the engine has let go of it. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"
#include "sys/poll-private.h"

/* Reported whether asked for or not. */
enum { ALWAYS = POLLERR | POLLHUP | POLLNVAL };

typedef struct EddyFdPoll EddyFdPoll;

/* What a source wants of an fd; the program's tag. */
typedef struct EddyFdWatch {
    EddyList member;  /* of the source's */
    EddyList unarmed; /* of the context's, while there is no engine */
    EddySource *source;
    EddyFdPoll *poll; /* under way; NULL: none */
    int fd;
    unsigned events;
    unsigned revents;    /* that made the source ready */
    bool has_complained; /* that it cannot be polled, and it could not since */
} EddyFdWatch;

struct EddyFdPoll {
    EddyOp op;
    EddyList member;    /* of the context's polls */
    EddyFdWatch *watch; /* NULL: nobody wants its answer */
};

static void poll_free (EddyFdPoll *poll)
{
    eddy__list_remove (&poll->member);
    eddy__reserve_free (poll, sizeof *poll);
}

/* --- arming ----------------------------------------------------------------------------------- */

static void watch_arm (EddyFdWatch *watch);

/* What an answer of the engine means in the words of poll(2). */
static unsigned watch_translate (EddyFdWatch *watch, int64_t result)
{
    bool has_complained = watch->has_complained;
    watch->has_complained = false;
    if (result >= 0)
        return (unsigned) result & (watch->events | ALWAYS);
    if (result == -EBADF)
        return POLLNVAL;
    /* Who goes on all the same is told POLLERR at each turn, but the log only once. */
    watch->has_complained = true;
    if (!has_complained)
        eddy__log (EDDY_LOG_WARNING, "fd %d cannot be polled: %s", watch->fd,
                   strerror ((int) -result));
    return POLLERR;
}

static void watch_answer (EddyFdWatch *watch, int64_t result)
{
    EddySource *source = watch->source;
    if (source->blocked > 0)
        return; /* armed, and asked anew, when nothing blocks it */
    watch->revents = result == -ECANCELED ? 0 : watch_translate (watch, result);
    if (watch->revents != 0)
        eddy__source_make_ready_by_fd (source);
    else if (result != 0)
        watch_arm (watch); /* else a file that is never ready for what was asked */
}

static void poll_complete (EddyOp *op)
{
    EddyFdPoll *poll = EDDY__CONTAINER (op, EddyFdPoll, op);
    EddyFdWatch *watch = poll->watch;
    int64_t result = op->result;
    poll_free (poll);
    if (watch == NULL)
        return;
    watch->poll = NULL;
    watch_answer (watch, result);
}

static void watch_arm (EddyFdWatch *watch)
{
    EddyContext *context = watch->source->context;
    if (context->engine == NULL) {
        if (!eddy__list_is_linked (&watch->unarmed))
            eddy__list_append (&context->unarmed, &watch->unarmed);
        return;
    }
    EddyFdPoll *poll = eddy__reserve_alloc (sizeof *poll);
    eddy__op_init (&poll->op, EDDY_OP_POLL, watch->fd);
    poll->op.op_flags |= EDDY_OP_BACKGROUND;
    /* Some engines know no registration for no event at all. */
    poll->op.as.poll.events = (watch->events & ~(unsigned) POLLNVAL) | POLLERR | POLLHUP;
    poll->op.complete = poll_complete;
    poll->watch = watch;
    watch->poll = poll;
    eddy__list_append (&context->polls, &poll->member);
    /* The engine is to be asked at the next pass, whatever else is in hand. */
    context->look_run = context->n_run - EDDY__LOOK_EVERY;
    if (eddy__engine_submit (context->engine, &poll->op))
        poll_complete (&poll->op);
}

/* Wants no answer of the poll under way. */
static void watch_disarm (EddyFdWatch *watch)
{
    EddyFdPoll *poll = watch->poll;
    watch->revents = 0;
    eddy__list_remove (&watch->unarmed);
    if (poll == NULL)
        return;
    watch->poll = NULL;
    poll->watch = NULL;
    eddy__engine_cancel (watch->source->context->engine, &poll->op);
}

void eddy__source_arm_fds (EddySource *source)
{
    for (EddyList *link = source->fds.next; link != &source->fds; link = link->next) {
        EddyFdWatch *watch = EDDY__CONTAINER (link, EddyFdWatch, member);
        bool is_told = (source->ready & EDDY__READY_BY_FD) && watch->revents != 0;
        if (watch->poll == NULL && !is_told) {
            watch->revents = 0;
            watch_arm (watch);
        }
    }
}

void eddy__source_forget_events (EddySource *source)
{
    for (EddyList *link = source->fds.next; link != &source->fds; link = link->next)
        EDDY__CONTAINER (link, EddyFdWatch, member)->revents = 0;
}

bool eddy__source_recheck_fds (EddySource *source)
{
    bool is_ready = false;
    for (EddyList *link = source->fds.next; link != &source->fds; link = link->next) {
        EddyFdWatch *watch = EDDY__CONTAINER (link, EddyFdWatch, member);
        struct pollfd poll = { watch->fd, (short) watch->events, 0 };
        if (watch->revents == 0)
            continue;
        if (eddy__sys_ppoll (&poll, 1, 0) >= 0)
            watch->revents = (unsigned short) poll.revents;
        is_ready = is_ready || watch->revents != 0;
    }
    return is_ready;
}

void eddy__source_disarm_fds (EddySource *source)
{
    for (EddyList *link = source->fds.next; link != &source->fds; link = link->next)
        watch_disarm (EDDY__CONTAINER (link, EddyFdWatch, member));
}

void eddy__source_free_fds (EddySource *source)
{
    for (EddyList *link; (link = eddy__list_pop (&source->fds)) != NULL;) {
        EddyFdWatch *watch = EDDY__CONTAINER (link, EddyFdWatch, member);
        eddy__block_free (watch, sizeof *watch);
    }
}

/* --- engines come and go ---------------------------------------------------------------------- */

void eddy__context_arm_polls (EddyContext *context)
{
    EddyList unarmed;
    eddy__list_init (&unarmed);
    eddy__list_splice (&unarmed, &context->unarmed);
    for (EddyList *link; (link = eddy__list_pop (&unarmed)) != NULL;)
        watch_arm (EDDY__CONTAINER (link, EddyFdWatch, unarmed));
}

/* A poll whose end was already on its way through the inbox when its engine was closed. */
static void poll_forgotten (EddyOp *op)
{
    poll_free (EDDY__CONTAINER (op, EddyFdPoll, op));
}

void eddy__context_forget_polls (EddyContext *context)
{
    for (EddyList *link; (link = eddy__list_pop (&context->polls)) != NULL;) {
        EddyFdPoll *poll = EDDY__CONTAINER (link, EddyFdPoll, member);
        EddyFdWatch *watch = poll->watch;
        poll->watch = NULL;
        if (watch != NULL) {
            watch->poll = NULL;
            eddy__list_append (&context->unarmed, &watch->unarmed);
        }
        if (eddy__engine_forget (context->engine, &poll->op, poll_forgotten))
            poll_free (poll);
    }
}

/* --- the source's fds ------------------------------------------------------------------------- */

void *eddy__source_add_fd (EddySource *source, int fd, unsigned events)
{
    EddyFdWatch *watch = eddy__block_alloc (sizeof *watch);
    if (watch == NULL)
        return NULL;
    *watch = (EddyFdWatch){ .source = source, .fd = fd, .events = events };
    eddy__list_init (&watch->unarmed);
    eddy__list_append (&source->fds, &watch->member);
    if (source->active && source->blocked == 0)
        watch_arm (watch);
    return watch;
}

void *eddy_source_add_fd (EddySource *source, int fd, unsigned events)
{
    EDDY__EXPECT (source != NULL && fd >= 0 && source->kind == &eddy__source_custom, NULL);
    EddySourceAccess access = eddy__source_begin_change (source, __func__);
    if (access == EDDY__ACCESS_NONE)
        return NULL;
    void *tag = eddy__source_add_fd (source, fd, events);
    eddy__source_end_change (source, access);
    return tag;
}

/* The watch that a tag is of, if the source has it. */
static EddyFdWatch *source_find_watch (const EddySource *source, const void *tag)
{
    for (EddyList *link = source->fds.next; link != &source->fds; link = link->next)
        if (EDDY__CONTAINER (link, EddyFdWatch, member) == tag)
            return EDDY__CONTAINER (link, EddyFdWatch, member);
    return NULL;
}

void eddy_source_modify_fd (EddySource *source, void *tag, unsigned events)
{
    EDDY__EXPECT (source != NULL && source->kind == &eddy__source_custom);
    EddyFdWatch *watch = source_find_watch (source, tag);
    EDDY__EXPECT (watch != NULL);
    EddySourceAccess access = eddy__source_begin_change (source, __func__);
    if (access == EDDY__ACCESS_NONE)
        return;
    if (watch->events != events) {
        unsigned revents = watch->revents & (events | ALWAYS);
        if (source->active)
            watch_disarm (watch);
        watch->events = events;
        watch->revents = revents; /* what has come of it is still to be told */
        if (source->active && source->blocked == 0 && revents == 0)
            watch_arm (watch);
    }
    eddy__source_end_change (source, access);
}

void eddy_source_remove_fd (EddySource *source, void *tag)
{
    EDDY__EXPECT (source != NULL && source->kind == &eddy__source_custom);
    EddyFdWatch *watch = source_find_watch (source, tag);
    EDDY__EXPECT (watch != NULL);
    EddySourceAccess access = eddy__source_begin_change (source, __func__);
    if (access == EDDY__ACCESS_NONE)
        return;
    if (source->active)
        watch_disarm (watch);
    eddy__list_remove (&watch->member);
    eddy__source_end_change (source, access);
    eddy__block_free (watch, sizeof *watch);
}

unsigned eddy__source_query_fd (const EddySource *source, const void *tag)
{
    const EddyFdWatch *watch = source_find_watch (source, tag);
    return watch == NULL ? 0 : watch->revents;
}

unsigned eddy_source_query_fd (EddySource *source, void *tag)
{
    EDDY__EXPECT (source != NULL && tag != NULL, 0);
    return eddy__source_query_fd (source, tag);
}

/* --- the fd source ---------------------------------------------------------------------------- */

static bool fd_dispatch (EddySource *source, EddySourceFunc function, void *user_data)
{
    EddyFdSourceFunc callback = (EddyFdSourceFunc) (void (*) (void)) function;
    const EddyFdWatch *watch = source->as.fd.tag;
    return callback (watch->fd, watch->revents, user_data);
}

static bool fd_dummy (int fd, unsigned events, void *user_data)
{
    (void) fd, (void) events, (void) user_data;
    return EDDY_SOURCE_CONTINUE;
}

const EddySourceKind eddy__source_fd = { .name = "an fd",
                                         .dispatch = fd_dispatch,
                                         .dummy = EDDY_SOURCE_FUNC (fd_dummy) };

EddySource *eddy_fd_source_new (int fd, unsigned events)
{
    EDDY__EXPECT (fd >= 0, NULL);
    EddySource *source =
        eddy__source_new (&eddy__source_fd, EDDY_PRIORITY_DEFAULT, sizeof (EddySource));
    if (source == NULL)
        return NULL;
    source->as.fd.tag = eddy__source_add_fd (source, fd, events);
    return source->as.fd.tag != NULL ? source : eddy_unref (source);
}
