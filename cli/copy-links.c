/* SPDX-License-Identifier: MIT */
/* Hard links: files with several names, by device and inode. The first name that comes is copied,
 * later ones become further names of that copy; while it is being made they wait. Where it fails,
 * the next one is copied in its place. */
#include "copy.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 256 };

static size_t links_bucket (const CopyLinks *links, CopyIdentity identity)
{
    /* Inodes are often counted up: the multiplication spreads them. */
    uint64_t mixed = (identity.inode ^ (identity.device << 32)) * UINT64_C (0x9E3779B97F4A7C15);
    return (size_t) (mixed >> 32) & (links->n_buckets - 1);
}

/* Doubles the table; a table that cannot grow goes on, slower. */
static bool links_grow (CopyLinks *links)
{
    size_t n_buckets = links->n_buckets == 0 ? FIRST_BUCKETS : links->n_buckets * 2;
    CopyLink **buckets = calloc (n_buckets, sizeof (CopyLink *));
    if (buckets == NULL)
        return links->n_buckets > 0;
    CopyLinks former = *links;
    links->buckets = buckets;
    links->n_buckets = n_buckets;
    for (size_t i = 0; i < former.n_buckets; i++) {
        for (CopyLink *link = former.buckets[i], *next; link != NULL; link = next) {
            CopyLink **bucket = &buckets[links_bucket (links, link->identity)];
            next = link->next;
            link->next = *bucket;
            *bucket = link;
        }
    }
    free (former.buckets);
    return true;
}

CopyLink *copy_links_get (CopyLinks *links, const EddyFileInfo *info)
{
    CopyIdentity identity = { eddy_file_info_get_device (info), eddy_file_info_get_inode (info) };
    if (links->n_links >= links->n_buckets && !links_grow (links))
        return NULL;
    CopyLink **bucket = &links->buckets[links_bucket (links, identity)];
    for (CopyLink *link = *bucket; link != NULL; link = link->next)
        if (link->identity.inode == identity.inode && link->identity.device == identity.device)
            return link;
    CopyLink *link = calloc (1, sizeof *link);
    if (link == NULL)
        return NULL;
    *link = (CopyLink){ .next = *bucket,
                        .identity = identity,
                        .n_names = eddy_file_info_get_n_links (info) };
    *bucket = link;
    links->n_links++;
    return link;
}

bool copy_links_wait (CopyLink *link, CopyItem *item)
{
    CopyItem *waiting = malloc (sizeof *waiting);
    if (waiting == NULL)
        return false;
    *waiting = *item;
    waiting->next = link->waiting;
    link->waiting = waiting;
    return true;
}

static void links_free (CopyLinks *links, CopyLink *link)
{
    CopyLink **place = &links->buckets[links_bucket (links, link->identity)];
    while (*place != link)
        place = &(*place)->next;
    *place = link->next;
    links->n_links--;
    eddy_unref (link->destination);
    free (link);
}

void copy_links_settle (Copy *copy, CopyLink *link, EddyFile *destination)
{
    if (destination != NULL && destination != link->destination) {
        eddy_unref (link->destination);
        link->destination = eddy_ref (destination);
    }
    link->is_busy = false;
    for (CopyItem *item = link->waiting, *next; item != NULL; item = next) {
        next = item->next;
        copy_queue_item (copy, item);
    }
    bool is_last = link->n_names <= 1 && link->waiting == NULL;
    link->waiting = NULL;
    link->n_names -= link->n_names > 0 ? 1 : 0;
    /* With all its names seen nothing will ask for it; a name that was added meanwhile is copied on
     * its own. */
    if (is_last)
        links_free (&copy->links, link);
}

void copy_links_clear (CopyLinks *links)
{
    for (size_t i = 0; i < links->n_buckets; i++)
        while (links->buckets[i] != NULL)
            links_free (links, links->buckets[i]);
    free (links->buckets);
    *links = (CopyLinks){ 0 };
}
