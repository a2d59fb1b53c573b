/* SPDX-License-Identifier: MIT */
/* The styles of gather.c in which everything is a fiber: what differs is how what has been loaded
 * comes together. */
#include "gather.h"

/* ---- Fibers: each fills in its own place. The first error cancels the others, and the group ends
 * when all of its fibers have ended. */

void *gather_load_fiber (void *data, EddyError **error)
{
    Load *load = data;
    load->bytes = gather_load (load->path, NULL, error);
    return NULL;
}

void *gather_with_fibers (void *data, EddyError **error)
{
    Gather *gather = data;
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    bool good = true;
    for (size_t i = 0; i < gather->n_loads && good; i++)
        good = eddy_group_spawn (group, gather_load_fiber, &gather->loads[i], NULL, error);
    eddy_group_wait (group, good ? error : NULL);
    return NULL;
}

/* ---- Channels: each sends what it has loaded, and one fiber takes whichever comes first. */

static void *send_fiber (void *data, EddyError **error)
{
    Load *load = data;
    EddyBytes *bytes = gather_load (load->path, NULL, error);
    if (bytes != NULL && !eddy_channel_send (load->channel, bytes, NULL, error))
        eddy_unref (bytes); /* what was not sent is still ours */
    return NULL;
}

static void *receive_fiber (void *data, EddyError **error)
{
    Gather *gather = data;
    EddySelectCase cases[GATHER_MOST];
    for (size_t i = 0; i < gather->n_loads; i++)
        cases[i] = (EddySelectCase) EDDY_SELECT_RECEIVE (gather->loads[i].channel);
    for (size_t left = gather->n_loads; left > 0; left--) {
        int index = eddy_select (cases, gather->n_loads, NULL, error);
        if (index < 0)
            break;
        gather->loads[index].bytes = cases[index].message;
    }
    return NULL;
}

void *gather_with_channels (void *data, EddyError **error)
{
    Gather *gather = data;
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    bool good = true;
    for (size_t i = 0; i < gather->n_loads && good; i++) {
        gather->loads[i].channel = eddy_channel_new (0, eddy_destroy);
        good = eddy_group_spawn (group, send_fiber, &gather->loads[i], NULL, error);
    }
    if (good)
        good = eddy_group_spawn (group, receive_fiber, gather, NULL, error);
    eddy_group_wait (group, good ? error : NULL);
    for (size_t i = 0; i < gather->n_loads; i++)
        eddy_clear (&gather->loads[i].channel);
    return NULL;
}

/* ---- A sequence: futures in order, as many under way as there are. */

static bool generate_loads (EddyGenerator *generator, void *data, EddyError **error)
{
    Gather *gather = data;
    for (size_t i = 0; i < gather->n_loads; i++)
        if (!eddy_generator_yield (generator, gather_load_future (gather->loads[i].path, 0, NULL),
                                   error))
            return false;
    return true;
}

void *gather_with_sequence (void *data, EddyError **error)
{
    Gather *gather = data;
    EDDY_AUTO (EddySequence)
    loads = eddy_sequence_new_generator (generate_loads, gather, NULL, eddy_destroy);
    loads = eddy_sequence_buffered (loads, gather->n_loads);
    for (size_t i = 0; i < gather->n_loads && *error == NULL; i++) {
        EDDY_AUTO (EddyFuture) loading = eddy_sequence_next (loads, NULL, error);
        if (loading != NULL)
            gather->loads[i].bytes = eddy_ref (eddy_await (loading, error));
    }
    return NULL;
}
