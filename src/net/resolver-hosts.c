/* SPDX-License-Identifier: MIT */
/* The hosts file, as a table: who blocks advertisements by it has a hundred thousand lines, so it
 * is read when it has changed, and not for each lookup. */
#include <string.h>

#include "base/alloc-private.h"
#include "net/address-private.h"
#include "net/resolver-private.h"

typedef struct HostsAddress {
    uint8_t bytes[EDDY__INET_ADDRESS_SIZE];
    uint32_t scope_id;
    EddySocketFamily family;
    uint32_t first_name; /* of its line */
} HostsAddress;

typedef struct HostsName {
    const char *name; /* in the text, lower case */
    uint32_t address;
    uint32_t next; /* of the same bucket, in the order of the file; HOSTS_NONE: no more */
} HostsName;

struct EddyNameHosts {
    char *text;
    HostsAddress *addresses;
    HostsName *names;
    uint32_t *buckets;
    size_t n_addresses, addresses_capacity;
    size_t n_names, names_capacity;
    uint32_t n_buckets; /* a power of two */
};

static const uint32_t HOSTS_NONE = UINT32_MAX;
enum { HOSTS_MOST_NAME = 254 };

void eddy__name_hosts_free (EddyNameHosts *self)
{
    if (self == NULL)
        return;
    eddy__free (self->text);
    eddy__free (self->addresses);
    eddy__free (self->names);
    eddy__free (self->buckets);
    eddy__free (self);
}

static uint32_t hosts_hash (const char *name, size_t length)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t) name[i]) * 16777619U;
    return hash;
}

static char hosts_lower (char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Room for one more; false when memory is out. */
static bool hosts_reserve (void **items, size_t *capacity, size_t length, size_t size)
{
    if (length < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 16 : 2 * *capacity;
    void *grown = eddy__realloc (*items, wanted * size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

/* The next word of a line, ended by a NUL; NULL: there is none. */
static char *hosts_take_word (char **rest)
{
    char *word = *rest + strspn (*rest, " \t\r\f\v");
    char *end = word + strcspn (word, " \t\r\f\v");
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word == end ? NULL : word;
}

static bool hosts_add_name (EddyNameHosts *self, char *name)
{
    void *names = self->names;
    bool has_room =
        hosts_reserve (&names, &self->names_capacity, self->n_names, sizeof (HostsName));
    self->names = names;
    if (!has_room)
        return false;
    for (char *c = name; *c != '\0'; c++)
        *c = hosts_lower (*c);
    self->names[self->n_names++] =
        (HostsName){ .name = name, .address = (uint32_t) self->n_addresses };
    return true;
}

/* A line without its end and comment; one without an address in front is passed over. */
static bool hosts_add_line (EddyNameHosts *self, char *line)
{
    HostsAddress entry = { .first_name = (uint32_t) self->n_names };
    char *word = hosts_take_word (&line);
    if (word != NULL)
        entry.family = eddy__inet_address_read (word, entry.bytes, &entry.scope_id);
    if (entry.family == EDDY_SOCKET_FAMILY_INVALID)
        return true;
    void *addresses = self->addresses;
    bool has_room = hosts_reserve (&addresses, &self->addresses_capacity, self->n_addresses,
                                   sizeof (HostsAddress));
    self->addresses = addresses;
    if (!has_room)
        return false;
    self->addresses[self->n_addresses] = entry;
    while ((word = hosts_take_word (&line)) != NULL)
        if (!hosts_add_name (self, word))
            return false;
    if (self->n_names > entry.first_name)
        self->n_addresses++;
    return true;
}

static bool hosts_add_lines (EddyNameHosts *self, size_t length)
{
    for (char *line = self->text, *end = line + length; line < end;) {
        size_t line_length = strcspn (line, "\n"); /* a NUL ends it, too */
        char *next = line + line_length + 1;
        line[line_length] = '\0';
        line[strcspn (line, "#")] = '\0';
        if (!hosts_add_line (self, line))
            return false;
        line = next;
    }
    return true;
}

/* From the last name to the first, so that each bucket has them in the order of the file. */
static bool hosts_fill_buckets (EddyNameHosts *self)
{
    self->n_buckets = 1;
    while (self->n_buckets < self->n_names)
        self->n_buckets *= 2;
    self->buckets = eddy__alloc (self->n_buckets * sizeof (uint32_t));
    if (self->buckets == NULL)
        return false;
    for (uint32_t i = 0; i < self->n_buckets; i++)
        self->buckets[i] = HOSTS_NONE;
    for (size_t i = self->n_names; i-- > 0;) {
        HostsName *name = &self->names[i];
        uint32_t hash = hosts_hash (name->name, strlen (name->name));
        uint32_t *bucket = &self->buckets[hash & (self->n_buckets - 1)];
        name->next = *bucket;
        *bucket = (uint32_t) i;
    }
    return true;
}

EddyNameHosts *eddy__name_hosts_new (char *text, size_t length)
{
    EddyNameHosts *self = eddy__alloc0 (sizeof *self);
    if (self == NULL) {
        eddy__free (text);
        return NULL;
    }
    self->text = text;
    if (hosts_add_lines (self, length) && hosts_fill_buckets (self))
        return self;
    eddy__name_hosts_free (self);
    return NULL;
}

/* --- looking up ------------------------------------------------------------------------------- */

EddyInetAddressList *eddy__name_hosts_find (const EddyNameHosts *self, const char *name,
                                            EddySocketFamily family)
{
    char key[HOSTS_MOST_NAME + 1];
    size_t length = strlen (name);
    if (length > 1 && name[length - 1] == '.')
        length--;
    EddyInetAddressList *list = eddy__inet_address_list_new ();
    if (list == NULL || length > HOSTS_MOST_NAME)
        return list;
    for (size_t i = 0; i < length; i++)
        key[i] = hosts_lower (name[i]);
    key[length] = '\0';
    uint32_t i = self->buckets[hosts_hash (key, length) & (self->n_buckets - 1)];
    for (; i != HOSTS_NONE; i = self->names[i].next) {
        const HostsAddress *address = &self->addresses[self->names[i].address];
        if (strcmp (self->names[i].name, key) != 0 ||
            (family != EDDY_SOCKET_FAMILY_INVALID && family != address->family))
            continue;
        if (!eddy__inet_address_list_add_bytes (list, address->family, address->bytes,
                                                address->scope_id))
            eddy_clear (&list);
        if (list == NULL)
            break;
    }
    return list;
}

const char *eddy__name_hosts_find_address (const EddyNameHosts *self,
                                           const EddyInetAddress *address)
{
    EddySocketFamily family = eddy_inet_address_get_family (address);
    const uint8_t *bytes = eddy_inet_address_to_bytes (address);
    size_t size = eddy_inet_address_get_native_size (address);
    for (size_t i = 0; i < self->n_addresses; i++)
        if (self->addresses[i].family == family &&
            memcmp (self->addresses[i].bytes, bytes, size) == 0)
            return self->names[self->addresses[i].first_name].name;
    return NULL;
}
