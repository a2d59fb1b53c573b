/* SPDX-License-Identifier: MIT */
/* File descriptors that arrive for nobody. */
#include <dirent.h>
#include <unistd.h>

#include "../../conformance/connections.h"
#include "base/alloc-private.h"

static int count_fds (void)
{
    DIR *folder = opendir ("/proc/self/fd");
    int n = 0;
    ck_assert_ptr_nonnull (folder);
    while (readdir (folder) != NULL)
        n++;
    closedir (folder);
    return n;
}

/* A future, and after how many allocations of its fiber it is let go of. */
typedef struct Dropped {
    EddyFuture *future;
    int n_left;
} Dropped;

static int drop_at_allocation (size_t size, void *data)
{
    Dropped *self = data;
    (void) size;
    if (eddy_in_fiber () && self->n_left-- == 0)
        eddy_clear (&self->future);
    return 0;
}

/* Sends an fd to who waits for it, and lets go of his future while he receives it. Whether there
 * were as many allocations. */
static bool drop_while_receiving (EddyContext *context, int n_allocations)
{
    ConnectionPair pair = connection_pair_unix (EDDY_SOCKET_TYPE_STREAM);
    Dropped dropped = { eddy_unix_connection_receive_fd_future (
                            EDDY_UNIX_CONNECTION (pair.far.connection), 0, NULL),
                        n_allocations };
    EddyContextStatistics statistics = { .live_operations = 0 };
    while (statistics.live_operations == 0 && !eddy_future_is_complete (dropped.future)) {
        eddy_context_iteration (context, /* may_block= */ false);
        eddy_context_get_statistics (context, &statistics);
    }
    int n_fds = count_fds ();
    EddyError *error = NULL;
    ck_assert (eddy_unix_connection_send_fd (EDDY_UNIX_CONNECTION (pair.near.connection),
                                             STDIN_FILENO, NULL, &error));
    eddy__alloc_set_fault (drop_at_allocation, &dropped);
    while (statistics.live_fibers > 0) {
        eddy_context_iteration (context, /* may_block= */ true);
        eddy_context_get_statistics (context, &statistics);
    }
    eddy__alloc_set_fault (NULL, NULL);
    bool was_dropped = dropped.future == NULL;
    if (!was_dropped)
        close ((int) eddy_block_on_int (context, dropped.future, &error));
    eddy_unref (dropped.future);
    ck_assert_int_eq (count_fds (), n_fds);
    connection_pair_clear (&pair);
    return was_dropped;
}

EDDY_TEST (unix_connection_closes_what_arrives_for_nobody)
{
    EddyContext *context = eddy_test_context_begin ();
    int n_dropped = 0;
    while (drop_while_receiving (context, n_dropped))
        n_dropped++;
    ck_assert_int_gt (n_dropped, 1);
    eddy_test_context_end (context);
}

/* Who had it when it was complete may have its number. */
EDDY_TEST (unix_connection_leaves_what_has_been_seen)
{
    EddyContext *context = eddy_test_context_begin ();
    ConnectionPair pair = connection_pair_unix (EDDY_SOCKET_TYPE_STREAM);
    EddyError *error = NULL;
    ck_assert (eddy_unix_connection_send_fd (EDDY_UNIX_CONNECTION (pair.near.connection),
                                             STDIN_FILENO, NULL, &error));
    EddyFuture *future = eddy_unix_connection_receive_fd_future (
        EDDY_UNIX_CONNECTION (pair.far.connection), 0, NULL);
    int fd = (int) eddy_block_on_int (context, future, &error);
    eddy_unref (future);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (close (fd), 0);
    connection_pair_clear (&pair);
    eddy_test_context_end (context);
}
