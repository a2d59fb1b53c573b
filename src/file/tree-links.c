/* SPDX-License-Identifier: MIT */
/* Hard links: files with several names, by device and inode. The first name that comes is copied,
 * later ones become further names of that copy; while it is being made they wait. Where it fails,
 * the next one is copied in its place. */
#include "file/tree-copy-private.h"

#include "base/alloc-private.h"

enum { FIRST_BUCKETS = 256 };

static size_t links_bucket (const EddyTreeLinks *links, EddyTreeIdentity identity)
{
    /* Inodes are often counted up: the multiplication spreads them. */
    uint64_t mixed = (identity.inode ^ (identity.device << 32)) * UINT64_C (0x9E3779B97F4A7C15);
    return (size_t) (mixed >> 32) & (links->n_buckets - 1);
}

/* Doubles the table; a table that cannot grow goes on, slower. */
static bool links_grow (EddyTreeLinks *links)
{
    size_t n_buckets = links->n_buckets == 0 ? FIRST_BUCKETS : links->n_buckets * 2;
    EddyTreeLink **buckets = eddy__alloc0 (n_buckets * sizeof (EddyTreeLink *));
    if (buckets == NULL)
        return links->n_buckets > 0;
    EddyTreeLinks former = *links;
    links->buckets = buckets;
    links->n_buckets = n_buckets;
    for (size_t i = 0; i < former.n_buckets; i++) {
        for (EddyTreeLink *link = former.buckets[i], *next; link != NULL; link = next) {
            EddyTreeLink **bucket = &buckets[links_bucket (links, link->identity)];
            next = link->next;
            link->next = *bucket;
            *bucket = link;
        }
    }
    eddy__free (former.buckets);
    return true;
}

EddyTreeLink *eddy__tree_links_get (EddyTreeLinks *links, const EddyFileInfo *info)
{
    EddyTreeIdentity identity = eddy__tree_identity_of (info);
    if (links->n_links >= links->n_buckets && !links_grow (links))
        return NULL;
    EddyTreeLink **bucket = &links->buckets[links_bucket (links, identity)];
    for (EddyTreeLink *link = *bucket; link != NULL; link = link->next)
        if (eddy__tree_is_same (link->identity, identity))
            return link;
    EddyTreeLink *link = eddy__alloc (sizeof *link);
    if (link == NULL)
        return NULL;
    *link = (EddyTreeLink){ .next = *bucket,
                            .identity = identity,
                            .n_names = eddy_file_info_get_n_links (info) };
    *bucket = link;
    links->n_links++;
    return link;
}

bool eddy__tree_links_wait (EddyTreeLink *link, EddyTreeItem *item)
{
    EddyTreeItem *waiting = eddy__alloc (sizeof *waiting);
    if (waiting == NULL)
        return false;
    *waiting = *item;
    waiting->next = link->waiting;
    link->waiting = waiting;
    return true;
}

static void links_free (EddyTreeLinks *links, EddyTreeLink *link)
{
    EddyTreeLink **place = &links->buckets[links_bucket (links, link->identity)];
    while (*place != link)
        place = &(*place)->next;
    *place = link->next;
    links->n_links--;
    eddy_unref (link->destination);
    eddy__free (link);
}

void eddy__tree_links_settle (EddyTreeCopy *copy, EddyTreeLink *link, EddyFile *destination)
{
    if (destination != NULL && destination != link->destination) {
        eddy_unref (link->destination);
        link->destination = eddy_ref (destination);
    }
    link->is_busy = false;
    for (EddyTreeItem *item = link->waiting, *next; item != NULL; item = next) {
        next = item->next;
        eddy__tree_queue_item (copy, item);
    }
    bool is_last = link->n_names <= 1 && link->waiting == NULL;
    link->waiting = NULL;
    link->n_names -= link->n_names > 0 ? 1 : 0;
    /* With all its names seen nothing will ask for it; a name that was added meanwhile is copied on
     * its own. */
    if (is_last)
        links_free (&copy->links, link);
}

void eddy__tree_links_clear (EddyTreeLinks *links)
{
    for (size_t i = 0; i < links->n_buckets; i++)
        while (links->buckets[i] != NULL)
            links_free (links, links->buckets[i]);
    eddy__free (links->buckets);
    *links = (EddyTreeLinks){ 0 };
}
