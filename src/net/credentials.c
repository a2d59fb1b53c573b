/* SPDX-License-Identifier: MIT */
/* EddyCredentials: who a process is. */
#include <eddy/credentials.h>

#include <stdio.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "net/socket-private.h"
#include "sys/process-private.h"

struct EddyCredentials {
    EddyObject object;
    pid_t pid;
    uid_t user;
    gid_t group;
};

static const EddyClass credentials_class = { .name = "EddyCredentials",
                                             .size = sizeof (EddyCredentials) };

EddyCredentials *eddy__credentials_new (pid_t pid, uid_t user, gid_t group)
{
    EddyCredentials *self = eddy_object_new (&credentials_class);
    if (self == NULL)
        return NULL;
    self->pid = pid;
    self->user = user;
    self->group = group;
    return self;
}

EddyCredentials *eddy_credentials_new (void)
{
    return eddy__credentials_new (eddy__sys_getpid (), eddy__sys_geteuid (), eddy__sys_getegid ());
}

pid_t eddy_credentials_get_unix_pid (const EddyCredentials *self)
{
    EDDY__EXPECT (self != NULL, 0);
    return self->pid;
}

uid_t eddy_credentials_get_unix_user (const EddyCredentials *self)
{
    EDDY__EXPECT (self != NULL, (uid_t) -1);
    return self->user;
}

gid_t eddy_credentials_get_unix_group (const EddyCredentials *self)
{
    EDDY__EXPECT (self != NULL, (gid_t) -1);
    return self->group;
}

bool eddy_credentials_is_same_user (const EddyCredentials *self, const EddyCredentials *other)
{
    EDDY__EXPECT (self != NULL && other != NULL, false);
    return self->user == other->user;
}

char *eddy_credentials_to_string (const EddyCredentials *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    char text[64];
    snprintf (text, sizeof text, "pid %d, user %u, group %u", (int) self->pid,
              (unsigned) self->user, (unsigned) self->group);
    return eddy__strdup (text);
}
