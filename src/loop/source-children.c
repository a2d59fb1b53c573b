/* SPDX-License-Identifier: MIT */
/* Sources that belong to others: of one priority, dispatched just before their parent, destroyed
 * with it. The parent has a reference to each. */
#include "base/compiler-private.h"
#include "base/object-private.h"
#include "loop/source-private.h"

bool eddy_source_add_child_source (EddySource *source, EddySource *child)
{
    EDDY__EXPECT (source != NULL && child != NULL && source != child, false);
    EDDY__EXPECT (child->parent == NULL, false);
    uint32_t state = __atomic_load_n (&child->state, __ATOMIC_ACQUIRE);
    EDDY__EXPECT ((state & EDDY__SOURCE_CLAIMED) == 0, false);
    EDDY__EXPECT (!eddy__source_is_destroyed (source) && !eddy__source_is_destroyed (child), false);
    EddySourceAccess access = eddy__source_begin_change (source, __func__);
    if (access == EDDY__ACCESS_NONE)
        return false;
    eddy_ref (child);
    child->parent = source;
    child->entry.priority = source->entry.priority;
    eddy__list_append (&source->children, &child->sibling);
    eddy_ref (child);
    eddy__source_attach_child (source, child, access);
    bool is_child = !eddy__source_is_destroyed (child);
    eddy_unref (child);
    return is_child;
}

void eddy_source_remove_child_source (EddySource *source, EddySource *child)
{
    EDDY__EXPECT (source != NULL && child != NULL && child->parent == source);
    EddySourceAccess access = eddy__source_begin_change (source, __func__);
    if (access == EDDY__ACCESS_NONE)
        return;
    eddy__source_unready (child, EDDY__READY_ANYHOW);
    bool left = eddy__source_leave_parent (child);
    eddy__source_end_change (source, access);
    eddy_source_destroy (child);
    if (left)
        eddy_unref (child);
}

bool eddy__source_leave_parent (EddySource *child)
{
    if (child->parent == NULL)
        return false;
    child->parent = NULL;
    eddy__list_remove (&child->sibling);
    return true;
}

void eddy__source_orphan_children (EddySource *source, EddyList *orphans)
{
    for (EddyList *link = source->children.next; link != &source->children; link = link->next)
        EDDY__CONTAINER (link, EddySource, sibling)->parent = NULL;
    eddy__list_splice (orphans, &source->children);
}

void eddy__source_destroy_orphans (EddyList *orphans)
{
    for (EddyList *link; (link = eddy__list_pop (orphans)) != NULL;) {
        EddySource *child = EDDY__CONTAINER (link, EddySource, sibling);
        eddy_source_destroy (child);
        eddy_unref (child);
    }
}
