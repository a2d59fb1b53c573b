/* SPDX-License-Identifier: MIT */
/* One question to the name servers, and the fiber that waits for its answer.
 *
 * The question is c-ares's until it has called back, which it does once, whatever happens; the
 * answer is made there. A fiber that waits no longer leaves its question behind, unheeded. */
#include "net/resolver-query-private.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "fiber/parking-private.h"
#include "sys/file-private.h"
#include "sys/socket-private.h"

/* On the waiting fiber's stack. Whatever ends the wait takes the parking off its list. */
typedef struct QueryWait {
    EddyParking parking;
    EddyLock lock; /* for the parking; all is of one thread */
    EddyList waiters;
    EddyTimedPost limit;
    bool is_over; /* the time limit */
    EddyNameAsker asker;
    bool is_cut; /* the answer: it is not all of it */
    const char *what;
} QueryWait;

typedef struct EddyNameQuestion {
    EddyNameChannel *channel;
    QueryWait *wait; /* NULL: nobody waits */
    bool is_answered;
    int status;
    void *answer; /* of the question's kind; NULL: none, or memory was out */
} EddyNameQuestion;

/* --- answers ---------------------------------------------------------------------------------- */

/* Whether there is an answer to be made for somebody; @status is c-ares's. */
static bool question_begin_answer (EddyNameQuestion *self, int status)
{
    self->channel->n_questions--;
    self->is_answered = true;
    self->status = status;
    return self->wait != NULL && status == ARES_SUCCESS;
}

static void question_end_answer (EddyNameQuestion *self)
{
    if (self->wait == NULL) {
        eddy__free (self);
        return;
    }
    if (self->status == ARES_SUCCESS && self->answer == NULL)
        self->status = ARES_ENOMEM;
    /* Not in the list yet: c-ares answers inside the call that asks. */
    if (eddy__list_is_linked (&self->wait->parking.member)) {
        eddy__list_remove (&self->wait->parking.member);
        eddy__parking_grant (&self->wait->parking);
    }
}

/* Whether this host has a way to an address; nothing is sent. */
static bool address_is_reachable (const struct ares_addrinfo_node *node)
{
    int fd = eddy__sys_socket (node->ai_family, SOCK_DGRAM, 0);
    int answer = fd < 0 ? fd : eddy__sys_connect (fd, node->ai_addr, node->ai_addrlen);
    if (fd >= 0)
        eddy__sys_close (fd);
    return answer == 0;
}

/* The family whose addresses come first: IPv6, where there is a way to the first one. */
static int answer_choose_family (const struct ares_addrinfo_node *node)
{
    while (node != NULL && node->ai_family != AF_INET6)
        node = node->ai_next;
    return node != NULL && address_is_reachable (node) ? AF_INET6 : AF_INET;
}

/* All of one family, or of the others; false when memory is out. */
static bool answer_add_family (EddyInetAddressList *list, const struct ares_addrinfo_node *node,
                               int family, bool others)
{
    for (; node != NULL; node = node->ai_next)
        if ((node->ai_family == family) != others &&
            !eddy__inet_address_list_add_native (list, node->ai_addr))
            return false;
    return true;
}

/* c-ares would ask the system for the way to each address, of which a stranger can have four
 * thousand. The order of a family is the name server's, which may want to spread the load. */
static EddyInetAddressList *answer_make_list (const struct ares_addrinfo_node *nodes)
{
    EDDY_AUTO (EddyInetAddressList) list = eddy__inet_address_list_new ();
    int family = answer_choose_family (nodes);
    bool all = list != NULL && answer_add_family (list, nodes, family, /* others= */ false) &&
               answer_add_family (list, nodes, family, /* others= */ true);
    return all ? EDDY_TAKE (list) : NULL;
}

static void question_addresses_found (void *data, int status, int timeouts,
                                      struct ares_addrinfo *found)
{
    (void) timeouts;
    EddyNameQuestion *self = data;
    if (question_begin_answer (self, status)) {
        self->answer = answer_make_list (found->nodes);
        if (self->answer != NULL && eddy_inet_address_list_get_length (self->answer) == 0) {
            self->status = ARES_ENODATA;
            eddy_clear (&self->answer);
        }
    }
    if (found != NULL)
        ares_freeaddrinfo (found);
    question_end_answer (self);
}

static void question_host_found (void *data, int status, int timeouts, unsigned char *message,
                                 int len)
{
    (void) timeouts;
    EddyNameQuestion *self = data;
    if (question_begin_answer (self, status)) {
        struct hostent *host = NULL;
        self->status = ares_parse_ptr_reply (message, len, NULL, 0, AF_INET, &host);
        if (self->status == ARES_SUCCESS && !eddy__name_is_hostname (host->h_name))
            self->status = ARES_EBADRESP;
        if (self->status == ARES_SUCCESS)
            self->answer = eddy__strdup (host->h_name);
        if (host != NULL)
            ares_free_hostent (host);
    }
    question_end_answer (self);
}

/* False when memory is out. */
static bool answer_add_targets (EddySrvTargetList *list, const struct ares_srv_reply *reply)
{
    for (; reply != NULL; reply = reply->next)
        if (eddy__name_is_hostname (reply->host) &&
            !eddy__srv_target_list_add (list, reply->host, reply->port, reply->priority,
                                        reply->weight))
            return false;
    return true;
}

static void question_targets_found (void *data, int status, int timeouts, unsigned char *message,
                                    int len)
{
    (void) timeouts;
    EddyNameQuestion *self = data;
    if (question_begin_answer (self, status)) {
        struct ares_srv_reply *reply = NULL;
        self->status = ares_parse_srv_reply (message, len, &reply);
        EddySrvTargetList *list = eddy__srv_target_list_new ();
        bool all = list != NULL && answer_add_targets (list, reply);
        /* A single "." is how a domain says that it has no such service. */
        if (all && self->status == ARES_SUCCESS && eddy_srv_target_list_get_length (list) == 0)
            self->status = ARES_ENODATA;
        if (!all || self->status != ARES_SUCCESS)
            eddy_clear (&list);
        self->answer = list;
        ares_free_data (reply);
    }
    question_end_answer (self);
}

/* --- errors ----------------------------------------------------------------------------------- */

/* What c-ares says, as an error. */
static void query_set_error (int status, const EddyNameChannel *channel, const char *what,
                             EddyError **error)
{
    EddyResolverErrorCode code = EDDY_RESOLVER_ERROR_INTERNAL;
    switch (status) {
    case ARES_ENOMEM:
        eddy_error_set_errno (error, ENOMEM, "lookup of %s", what);
        return;
    case ARES_ECANCELLED: /* not by the lookup: the channel could not go on */
        eddy_error_set_errno (error, channel->failure == 0 ? ECANCELED : -channel->failure,
                              "lookup of %s", what);
        return;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
        eddy_error_set (error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND,
                        "lookup of %s: %s", what,
                        status == ARES_ENODATA ? "the name has none of what is asked for"
                                               : "there is no such name");
        return;
    case ARES_ECONNREFUSED:
        if (channel->socket_failure != 0) {
            eddy_error_set_errno (error, -channel->socket_failure, "lookup of %s", what);
            return;
        }
        code = EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE;
        break;
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
    case ARES_ENOTIMP:
    case ARES_ETIMEOUT:
        code = EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE;
        break;
    default:
        break;
    }
    eddy_error_set (error, EDDY_RESOLVER_ERROR, (int) code, "lookup of %s: %s", what,
                    ares_strerror (status));
}

/* --- waiting ---------------------------------------------------------------------------------- */

static const char *query_get_name (const void *on)
{
    return ((const QueryWait *) on)->what;
}

/* Name servers end the wait. */
static const EddyWaitKind query_wait_kind = { "a lookup", query_get_name, NULL };

static void query_answer_is_cut (EddyNameAsker *asker)
{
    QueryWait *wait = EDDY__CONTAINER (asker, QueryWait, asker);
    wait->is_cut = true;
    if (!eddy__list_is_linked (&wait->parking.member))
        return; /* it is about to go on, and looks at this first */
    eddy__list_remove (&wait->parking.member);
    eddy__parking_grant (&wait->parking);
}

static void query_limit_reached (EddyTimedPost *timed)
{
    QueryWait *wait = EDDY__CONTAINER (timed, QueryWait, limit);
    if (!eddy__list_is_linked (&wait->parking.member))
        return; /* it has been answered, and is about to go on */
    wait->is_over = true;
    eddy__list_remove (&wait->parking.member);
    eddy__parking_grant (&wait->parking);
}

/* Until the question has been answered, or the wait is over: 0, or -errno. */
static int query_wait (QueryWait *wait, const EddyNameQuery *query, EddyFiber *fiber)
{
    EddyContext *context = fiber->future.context;
    wait->limit.run = query_limit_reached;
    if (query->deadline_ns != INT64_MAX &&
        !eddy_context_post_at (context, &wait->limit, query->deadline_ns))
        return -ENOMEM;
    bool locked = eddy__lock (&wait->lock);
    eddy__list_append (&wait->waiters, &wait->parking.member);
    int answer = eddy__parking_wait (&wait->parking, &wait->lock, locked, query->cancellable,
                                     &query_wait_kind, wait);
    (void) eddy_context_take_back (context, &wait->limit);
    return answer == 0 && wait->is_over ? -ETIMEDOUT : answer;
}

static void query_ask (const EddyNameQuery *query, EddyNameQuestion *question)
{
    ares_channel ares = question->channel->ares;
    const struct ares_addrinfo_hints hints = { .ai_family = (int) query->family,
                                               .ai_flags = ARES_AI_NOSORT };
    question->channel->n_questions++;
    if (query->kind == EDDY_NAME_QUERY_ADDRESSES)
        ares_getaddrinfo (ares, query->name, NULL, &hints, question_addresses_found, question);
    else if (query->kind == EDDY_NAME_QUERY_HOST)
        ares_query (ares, query->name, ns_c_in, ns_t_ptr, question_host_found, question);
    else
        ares_query (ares, query->name, ns_c_in, ns_t_srv, question_targets_found, question);
    eddy__name_channel_settle (question->channel);
}

/* The error of a wait that has ended without an answer. */
static void query_set_wait_error (int answer, const EddyNameQuery *query, EddyFiber *fiber,
                                  EddyError **error)
{
    if (answer != -ETIMEDOUT) {
        eddy_error_take (error,
                         eddy__parking_make_error (answer, fiber, query->cancellable, "a lookup"));
        return;
    }
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT,
                    "lookup of %s: no name server has answered in time", query->what);
}

/* Gives up a question of which nobody wants the answer. */
static void question_drop (EddyNameQuestion *self, EddyNameQueryKind kind)
{
    self->wait = NULL; /* c-ares frees it when it calls back */
    if (!self->is_answered)
        return;
    if (kind == EDDY_NAME_QUERY_HOST)
        eddy__free (self->answer);
    else
        eddy_unref (self->answer);
    eddy__free (self);
}

/* Asks, and waits. What is returned has been answered. NULL: the error was told; or the answer is
 * cut, which is told by `is_cut`. */
static EddyNameQuestion *query_run (const EddyNameQuery *query, EddyNameChannel *channel,
                                    EddyFiber *fiber, bool *is_cut, EddyError **error)
{
    QueryWait wait = { .lock = EDDY__LOCK_INIT,
                       .asker = { .name = query->name, .cut = query_answer_is_cut },
                       .what = query->what };
    eddy__list_init (&wait.waiters);
    eddy__list_init (&wait.parking.member);
    int answer = eddy__parking_begin (&wait.parking, fiber, query->cancellable);
    EddyNameQuestion *question = answer == 0 ? eddy__alloc0 (sizeof *question) : NULL;
    if (question == NULL) {
        query_set_wait_error (answer == 0 ? -ENOMEM : answer, query, fiber, error);
        return NULL;
    }
    question->channel = channel;
    question->wait = &wait;
    if (is_cut == NULL)
        eddy__list_init (&wait.asker.member);
    else
        eddy__list_append (&channel->askers, &wait.asker.member);
    query_ask (query, question);
    if (!question->is_answered)
        answer = query_wait (&wait, query, fiber);
    eddy__list_remove (&wait.asker.member);
    if (question->is_answered && !wait.is_cut)
        return question;
    question_drop (question, query->kind);
    if (answer == 0)
        *is_cut = true;
    else
        query_set_wait_error (answer, query, fiber, error);
    return NULL;
}

/* Asks on one channel; `is_cut` as above; NULL where it cannot be. */
static void *query_on (const EddyNameQuery *query, EddyNameChannel *channel, EddyFiber *fiber,
                       bool *is_cut, EddyError **error)
{
    EddyNameQuestion *question = query_run (query, channel, fiber, is_cut, error);
    if (question == NULL)
        return NULL;
    void *answer = question->status == ARES_SUCCESS ? question->answer : NULL;
    if (answer == NULL)
        query_set_error (question->status, channel, query->what, error);
    eddy__free (question);
    return answer;
}

static void query_set_channel_error (int status, const EddyNameQuery *query, EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR,
                    status == ARES_ENOMEM ? EDDY_IO_ERROR_NO_MEMORY : EDDY_IO_ERROR_FAILED,
                    "lookup of %s: %s", query->what, ares_strerror (status));
}

void *eddy__name_query (const EddyNameQuery *query, EddyNameChannels *channels,
                        EddyNameServers *servers, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EddyContext *context = fiber->future.context;
    int status;
    bool is_cut = false;
    EddyNameChannel *channel = eddy__name_channels_join (channels, servers, context, &status);
    if (channel == NULL) {
        query_set_channel_error (status, query, error);
        return NULL;
    }
    void *answer = query_on (query, channel, fiber, &is_cut, error);
    eddy__name_channels_leave (channels, channel);
    if (!is_cut)
        return answer;
    channel = eddy__name_channel_new_by_tcp (servers, context, &status);
    if (channel == NULL) {
        query_set_channel_error (status, query, error);
        return NULL;
    }
    answer = query_on (query, channel, fiber, NULL, error);
    eddy__name_channel_end (channel);
    return answer;
}
