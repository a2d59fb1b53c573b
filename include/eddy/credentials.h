/* SPDX-License-Identifier: MIT */
/* EddyCredentials: who a process is, as the kernel vouches for it. */
#ifndef EDDY_CREDENTIALS_H
#define EDDY_CREDENTIALS_H

#include <eddy/object.h>
#include <sys/types.h>

EDDY_BEGIN_DECLS

/** A process, its user and its group. An object; immutable. */
typedef struct EddyCredentials EddyCredentials;

/** Those of this process, with one reference; NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyCredentials *eddy_credentials_new (void) EDDY_MUST_USE;

/** The process; 0 where it is none of ours to see. Thread: any. Since: 0.1 */
EDDY_API pid_t eddy_credentials_get_unix_pid (const EddyCredentials *credentials);
/** Its user. Thread: any. Since: 0.1 */
EDDY_API uid_t eddy_credentials_get_unix_user (const EddyCredentials *credentials);
/** Its group. Thread: any. Since: 0.1 */
EDDY_API gid_t eddy_credentials_get_unix_group (const EddyCredentials *credentials);

/** Whether both are of the same user. Thread: any. Since: 0.1 */
EDDY_API bool eddy_credentials_is_same_user (const EddyCredentials *credentials,
                                             const EddyCredentials *other);

/** "pid 12, user 1000, group 1000": free it with eddy_free(); NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API char *eddy_credentials_to_string (const EddyCredentials *credentials) EDDY_MUST_USE;

EDDY_END_DECLS

#endif
