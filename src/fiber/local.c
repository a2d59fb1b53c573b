/* SPDX-License-Identifier: MIT */
/* What a fiber has of its own, by key. A fiber has few, so they are a list. */
#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"

struct EddyFiberLocalSlot {
    EddyFiberLocalSlot *next;
    const EddyFiberLocal *key;
    void *data;
};

/* Where the slot of a key hangs; what holds NULL: there is none. */
static EddyFiberLocalSlot **local_find (EddyFiber *fiber, const EddyFiberLocal *key)
{
    EddyFiberLocalSlot **at = &fiber->locals;
    while (*at != NULL && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

/* Gives up a slot that hangs nowhere any more: what destroys its data may wait, and ask. */
static void local_destroy (EddyFiberLocalSlot *slot)
{
    const EddyFiberLocal *key = slot->key;
    void *data = slot->data;
    eddy__block_free (slot, sizeof *slot);
    if (key->destroy != NULL)
        key->destroy (data);
}

void *eddy_fiber_local_get (const EddyFiberLocal *key)
{
    EDDY__EXPECT (key != NULL, NULL);
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL || !fiber->has_locals)
        return NULL;
    const EddyFiberLocalSlot *slot = *local_find (fiber, key);
    return slot == NULL ? NULL : slot->data;
}

bool eddy_fiber_local_set (const EddyFiberLocal *key, void *data)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (key != NULL && fiber != NULL, false);
    EddyFiberLocalSlot *slot = NULL;
    if (data != NULL) {
        slot = eddy__block_alloc (sizeof *slot);
        if (slot == NULL)
            return false;
    }
    if (!fiber->has_locals) {
        fiber->locals = NULL;
        fiber->has_locals = true;
        fiber->plain = false;
    }
    EddyFiberLocalSlot **at = local_find (fiber, key);
    EddyFiberLocalSlot *former = *at;
    if (former != NULL)
        *at = former->next;
    if (slot != NULL) {
        *slot = (EddyFiberLocalSlot){ fiber->locals, key, data };
        fiber->locals = slot;
    }
    if (former != NULL)
        local_destroy (former);
    return true;
}

/* Also what they set meanwhile. */
void eddy__fiber_clear_locals (EddyFiber *fiber)
{
    for (EddyFiberLocalSlot *slot; (slot = fiber->locals) != NULL;) {
        fiber->locals = slot->next;
        local_destroy (slot);
    }
}
