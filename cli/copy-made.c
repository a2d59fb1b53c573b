/* SPDX-License-Identifier: MIT */
/* Names that this run has made. With --force, a second source of the same name must not replace
 * what the first one has just become. Only then are names kept: seldom, and for no other run. */
#include "copy.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 1024 };

struct CopyMadeName {
    struct CopyMadeName *next;
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

static bool made_grow (CopyMadeNames *made)
{
    size_t n_buckets = made->n_buckets == 0 ? FIRST_BUCKETS : made->n_buckets * 2;
    struct CopyMadeName **buckets = calloc (n_buckets, sizeof *buckets);
    if (buckets == NULL)
        return made->n_buckets > 0;
    for (size_t i = 0; i < made->n_buckets; i++) {
        for (struct CopyMadeName *name = made->buckets[i], *next; name != NULL; name = next) {
            struct CopyMadeName **bucket = &buckets[name->hash & (n_buckets - 1)];
            next = name->next;
            name->next = *bucket;
            *bucket = name;
        }
    }
    free (made->buckets);
    made->buckets = buckets;
    made->n_buckets = n_buckets;
    return true;
}

bool copy_made_claim (CopyMadeNames *made, const char *path)
{
    uint64_t hash = made_hash (path);
    if (made->n_names >= made->n_buckets && !made_grow (made))
        return false;
    struct CopyMadeName **bucket = &made->buckets[hash & (made->n_buckets - 1)];
    for (struct CopyMadeName *name = *bucket; name != NULL; name = name->next)
        if (name->hash == hash && strcmp (name->path, path) == 0)
            return false;
    size_t size = strlen (path) + 1;
    struct CopyMadeName *name = malloc (sizeof *name + size);
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

void copy_made_clear (CopyMadeNames *made)
{
    for (size_t i = 0; i < made->n_buckets; i++) {
        for (struct CopyMadeName *name = made->buckets[i], *next; name != NULL; name = next) {
            next = name->next;
            free (name);
        }
    }
    free (made->buckets);
    *made = (CopyMadeNames){ 0 };
}

bool copy_is_nameless (const char *basename)
{
    return strcmp (basename, ".") == 0 || strcmp (basename, "..") == 0 ||
           strspn (basename, "/") == strlen (basename);
}

/* The last part of a path, without the slashes behind it, as a string of its own; or NULL. */
static char *made_basename (const char *path)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (path);
    return file == NULL ? NULL : eddy_file_get_basename (file);
}

static int made_compare (const void *a, const void *b)
{
    return strcmp (*(char *const *) a, *(char *const *) b);
}

bool copy_made_is_needed (char *const *sources, int n_sources)
{
    char **names = calloc ((size_t) n_sources, sizeof (char *));
    bool is_needed = names == NULL;
    int n_names = 0;
    for (; !is_needed && n_names < n_sources; n_names++) {
        names[n_names] = made_basename (sources[n_names]);
        is_needed = names[n_names] == NULL || (n_sources > 1 && copy_is_nameless (names[n_names]));
    }
    if (!is_needed) {
        qsort (names, (size_t) n_names, sizeof (char *), made_compare);
        for (int i = 1; i < n_names; i++)
            is_needed |= strcmp (names[i - 1], names[i]) == 0;
    }
    for (int i = 0; i < n_names; i++)
        eddy_free (names[i]);
    free (names);
    return is_needed;
}
