/* SPDX-License-Identifier: MIT */
/* Names that a work has made. Where files are replaced, a second source of the same name must not
 * replace what the first one has just become. Only then are names kept: seldom. */
#include "file/tree-copy-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc-private.h"
#include "file/file-private.h"

enum { FIRST_BUCKETS = 1024 };

struct EddyTreeMadeName {
    struct EddyTreeMadeName *next;
    uint64_t hash;
    char path[];
};

/* FNV-1a */
static uint64_t made_hash (const char *path)
{
    uint64_t hash = UINT64_C (0xCBF29CE484222325);
    for (; *path != '\0'; path++)
        hash = (hash ^ (unsigned char) *path) * UINT64_C (0x100000001B3);
    return hash;
}

static bool made_grow (EddyTreeMadeNames *made)
{
    size_t n_buckets = made->n_buckets == 0 ? FIRST_BUCKETS : made->n_buckets * 2;
    struct EddyTreeMadeName **buckets = eddy__alloc0 (n_buckets * sizeof *buckets);
    if (buckets == NULL)
        return made->n_buckets > 0;
    for (size_t i = 0; i < made->n_buckets; i++) {
        for (struct EddyTreeMadeName *name = made->buckets[i], *next; name != NULL; name = next) {
            struct EddyTreeMadeName **bucket = &buckets[name->hash & (n_buckets - 1)];
            next = name->next;
            name->next = *bucket;
            *bucket = name;
        }
    }
    eddy__free (made->buckets);
    made->buckets = buckets;
    made->n_buckets = n_buckets;
    return true;
}

bool eddy__tree_made_claim (EddyTreeMadeNames *made, const char *path)
{
    uint64_t hash = made_hash (path);
    if (made->n_names >= made->n_buckets && !made_grow (made))
        return false;
    struct EddyTreeMadeName **bucket = &made->buckets[hash & (made->n_buckets - 1)];
    for (struct EddyTreeMadeName *name = *bucket; name != NULL; name = name->next)
        if (name->hash == hash && strcmp (name->path, path) == 0)
            return false;
    size_t size = strlen (path) + 1;
    struct EddyTreeMadeName *name = eddy__alloc (sizeof *name + size);
    /* Without memory to remember the name, rather no copy than a lost one. */
    if (name == NULL)
        return false;
    name->next = *bucket;
    name->hash = hash;
    memcpy (name->path, path, size);
    *bucket = name;
    made->n_names++;
    return true;
}

void eddy__tree_made_clear (EddyTreeMadeNames *made)
{
    for (size_t i = 0; i < made->n_buckets; i++) {
        for (struct EddyTreeMadeName *name = made->buckets[i], *next; name != NULL; name = next) {
            next = name->next;
            eddy__free (name);
        }
    }
    eddy__free (made->buckets);
    *made = (EddyTreeMadeNames){ 0 };
}

/* --- whether names must be kept --------------------------------------------------------------- */

/* The last part of a destination. */
typedef struct MadePart {
    const char *name;
    size_t length;
} MadePart;

static int made_compare (const void *a, const void *b)
{
    const MadePart *one = a, *other = b;
    size_t shorter = one->length < other->length ? one->length : other->length;
    int order = memcmp (one->name, other->name, shorter);
    return order != 0 ? order : (one->length > other->length) - (one->length < other->length);
}

/* Different names in one folder cannot meet. All else is taken for possible. */
bool eddy__tree_made_is_needed (const EddyTreeRoot *roots, size_t n_roots)
{
    if (n_roots < 2)
        return false;
    MadePart *parts = eddy__alloc (n_roots * sizeof *parts);
    bool is_needed = parts == NULL;
    const char *first = eddy_file_get_path (roots[0].destination);
    for (size_t i = 0; i < n_roots && !is_needed; i++) {
        const char *path = eddy_file_get_path (roots[i].destination);
        parts[i].name = eddy__file_last_part (path, &parts[i].length);
        is_needed = parts[i].name - path != parts[0].name - first ||
                    memcmp (path, first, (size_t) (parts[i].name - path)) != 0;
    }
    if (!is_needed) {
        qsort (parts, n_roots, sizeof *parts, made_compare);
        for (size_t i = 1; i < n_roots; i++)
            is_needed |= made_compare (&parts[i - 1], &parts[i]) == 0;
    }
    eddy__free (parts);
    return is_needed;
}
