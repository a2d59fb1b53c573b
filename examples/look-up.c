/* SPDX-License-Identifier: MIT */
/* Looks names up, all at once, and prints what was found in the order of the arguments.
 *
 *   look-up NAME|ADDRESS|_SERVICE._PROTOCOL.DOMAIN...
 *
 * Of a name, the addresses; of an address, the name; of a service, its hosts, in the order in which
 * they are to be tried. Ctrl-C ends the lookups that wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

typedef struct LookUp {
    EddyResolver *resolver;
    const char *name;
    char *text; /* what was found, as lines */
    EddyError *error;
} LookUp;

/* ---- The three ways to ask. Each writes what it has found, a line for each. */

static bool look_up_name (LookUp *self, FILE *lines, EddyError **error)
{
    EDDY_AUTO (EddyInetAddressList)
    list = eddy_resolver_lookup_by_name (self->resolver, self->name, NULL, error);
    for (size_t i = 0; list != NULL && i < eddy_inet_address_list_get_length (list); i++) {
        char *text = eddy_inet_address_to_string (eddy_inet_address_list_get (list, i));
        fprintf (lines, "%s: %s\n", self->name, text != NULL ? text : "?");
        eddy_free (text);
    }
    return list != NULL;
}

static bool look_up_address (LookUp *self, EddyInetAddress *address, FILE *lines, EddyError **error)
{
    char *name = eddy_resolver_lookup_by_address (self->resolver, address, NULL, error);
    if (name != NULL)
        fprintf (lines, "%s: %s\n", self->name, name);
    eddy_free (name);
    return name != NULL;
}

static bool look_up_service (LookUp *self, FILE *lines, EddyError **error)
{
    char service[64], protocol[64], domain[256];
    if (sscanf (self->name, "_%63[^.]._%63[^.].%255s", service, protocol, domain) != 3)
        return look_up_name (self, lines, error);
    EDDY_AUTO (EddySrvTargetList)
    list = eddy_resolver_lookup_service (self->resolver, service, protocol, domain, NULL, error);
    for (size_t i = 0; list != NULL && i < eddy_srv_target_list_get_length (list); i++) {
        const EddySrvTarget *target = eddy_srv_target_list_get (list, i);
        fprintf (lines, "%s: %s:%u\n", self->name, eddy_srv_target_get_hostname (target),
                 eddy_srv_target_get_port (target));
    }
    return list != NULL;
}

/* ---- All of them at once, in a fiber each. */

static void *look_up_fiber (void *data, EddyError **error)
{
    LookUp *self = data;
    size_t length;
    FILE *lines = open_memstream (&self->text, &length);
    (void) error; /* one that it returned would cancel the others */
    if (lines == NULL)
        return NULL;
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string (self->name);
    if (address != NULL)
        look_up_address (self, address, lines, &self->error);
    else
        look_up_service (self, lines, &self->error);
    fclose (lines);
    return NULL;
}

/* Prints what was found; whether something was. */
static bool look_up_end (LookUp *self)
{
    bool found = self->text != NULL && self->text[0] != '\0';
    if (found)
        fputs (self->text, stdout);
    else
        fprintf (stderr, "look-up: %s\n",
                 self->error != NULL ? eddy_error_get_message (self->error) : "not begun");
    free (self->text);
    eddy_clear_error (&self->error);
    return found;
}

static int look_up_main (int argc, char **argv)
{
    enum { MOST = 64 };
    LookUp each[MOST] = { 0 };
    size_t count = (size_t) argc - 1;
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    if (help || count < 1 || count > MOST) {
        fputs ("usage: look-up NAME|ADDRESS|_SERVICE._PROTOCOL.DOMAIN... (at most 64)\n",
               help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EDDY_AUTO (EddyResolver) resolver = eddy_resolver_get_default ();
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    for (size_t i = 0; i < count; i++) {
        each[i] = (LookUp){ .resolver = resolver, .name = argv[i + 1] };
        if (!eddy_group_spawn (group, look_up_fiber, &each[i], NULL, &each[i].error))
            continue; /* its error is told with those of the others */
    }
    eddy_group_wait (group, NULL);
    bool all_found = true;
    for (size_t i = 0; i < count; i++)
        all_found = look_up_end (&each[i]) && all_found;
    return all_found ? 0 : 1;
}

int main (int argc, char **argv)
{
    return eddy_run (look_up_main, argc, argv);
}
