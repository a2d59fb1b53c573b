/* SPDX-License-Identifier: MIT */
/* The system's own lookups, on a worker. */
#include <eddy/fiber.h>
#include <eddy/task.h>
#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "net/address-private.h"
#include "net/resolver-private.h"
#include "sys/resolve-private.h"

enum { SYSTEM_MOST_NAME = 1025 /* NI_MAXHOST */ };

/* What the worker is given: all of it its own, since nobody may be waiting any more. */
typedef struct SystemLookup {
    EddySocketFamily family;
    EddyInetNative address;
    socklen_t address_len;
    char what[]; /* the name, or the address as text */
} SystemLookup;

/* --- on the worker ---------------------------------------------------------------------------- */

static EddyError *system_make_error (const char *what, int code, int error_number)
{
    EddyResolverErrorCode meaning = EDDY_RESOLVER_ERROR_INTERNAL;
    if (code == EAI_SYSTEM)
        return eddy_error_new_errno (error_number > 0 ? error_number : EIO, "lookup of %s", what);
    if (code == EAI_MEMORY)
        return eddy_error_new_errno (ENOMEM, "lookup of %s", what);
    if (code == EAI_NONAME || code == EAI_NODATA || code == EAI_ADDRFAMILY)
        meaning = EDDY_RESOLVER_ERROR_NOT_FOUND;
    else if (code == EAI_AGAIN)
        meaning = EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE;
    return eddy_error_new (EDDY_RESOLVER_ERROR, (int) meaning, "lookup of %s: %s", what,
                           gai_strerror (code));
}

static EddyInetAddressList *system_make_list (const struct addrinfo *found)
{
    EddyInetAddressList *list = eddy__inet_address_list_new ();
    for (; found != NULL && list != NULL; found = found->ai_next)
        if (!eddy__inet_address_list_add_native (list, found->ai_addr))
            eddy_clear (&list);
    return list;
}

static void system_find_addresses (EddyTask *task, void *source_object, void *task_data,
                                   EddyCancellable *cancellable)
{
    (void) source_object;
    (void) cancellable;
    const SystemLookup *lookup = task_data;
    const struct addrinfo hints = { .ai_family = (int) lookup->family, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int error_number;
    int code = eddy__sys_getaddrinfo (lookup->what, &hints, &found, &error_number);
    EddyInetAddressList *list = code == 0 ? system_make_list (found) : NULL;
    if (found != NULL)
        freeaddrinfo (found);
    if (list != NULL)
        eddy_task_return_object (task, list);
    else
        eddy_task_return_error (
            task, system_make_error (lookup->what, code == 0 ? EAI_MEMORY : code, error_number));
}

static void system_find_name (EddyTask *task, void *source_object, void *task_data,
                              EddyCancellable *cancellable)
{
    (void) source_object;
    (void) cancellable;
    const SystemLookup *lookup = task_data;
    char found[SYSTEM_MOST_NAME];
    int error_number;
    int code = eddy__sys_getnameinfo (&lookup->address.any, lookup->address_len, found,
                                      sizeof found, &error_number);
    char *name = code == 0 ? eddy__strdup (found) : NULL;
    if (name != NULL)
        eddy_task_return_pointer (task, name, eddy__free);
    else
        eddy_task_return_error (
            task, system_make_error (lookup->what, code == 0 ? EAI_MEMORY : code, error_number));
}

/* --- in the fiber ----------------------------------------------------------------------------- */

static SystemLookup *system_new (const char *what)
{
    size_t size = strlen (what) + 1;
    SystemLookup *lookup = eddy__alloc0 (sizeof *lookup + size);
    if (lookup != NULL)
        memcpy (lookup->what, what, size);
    return lookup;
}

/* Until the deadline, or the cancel, of a task that goes by both. */
static EddyTask *system_make_task (int64_t deadline_ns, EddyCancellable *cancellable)
{
    EDDY_AUTO (EddyCancellable) limit = eddy__name_limit_new (deadline_ns, cancellable);
    return limit == NULL ? NULL : eddy_task_new (NULL, limit, NULL, NULL);
}

/* Takes the lookup. */
static void *system_run (SystemLookup *lookup, EddyTaskThreadFunc function, const char *what,
                         int64_t deadline_ns, EddyCancellable *cancellable, EddyError **error)
{
    EddyTask *task = lookup == NULL ? NULL : system_make_task (deadline_ns, cancellable);
    if (task == NULL) {
        eddy__free (lookup);
        eddy_error_set_errno (error, ENOMEM, "lookup of %s", what);
        return NULL;
    }
    eddy_task_set_static_name (task, "a lookup by the system");
    eddy_task_set_task_data (task, lookup, eddy__free);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    (void) eddy_task_set_return_on_cancel (task, true);
    eddy_task_run_in_thread (task, function);
    eddy_task_unref (task);
    void *answer = NULL;
    EddyError *failure = NULL;
    if (eddy_await_complete (future, &failure))
        answer = eddy_task_propagate_pointer (future, &failure);
    eddy__name_limit_explain (&failure, what);
    eddy_error_take (error, failure);
    return answer;
}

EddyInetAddressList *eddy__name_system_find (const char *name, EddySocketFamily family,
                                             int64_t deadline_ns, EddyCancellable *cancellable,
                                             EddyError **error)
{
    SystemLookup *lookup = system_new (name);
    if (lookup != NULL)
        lookup->family = family;
    return system_run (lookup, system_find_addresses, name, deadline_ns, cancellable, error);
}

char *eddy__name_system_find_address (const EddyInetAddress *address, const char *what,
                                      int64_t deadline_ns, EddyCancellable *cancellable,
                                      EddyError **error)
{
    SystemLookup *lookup = system_new (what);
    if (lookup != NULL)
        lookup->address_len =
            eddy__inet_address_to_native (address, /* port= */ 0, &lookup->address);
    return system_run (lookup, system_find_name, what, deadline_ns, cancellable, error);
}
