/* SPDX-License-Identifier: MIT */
/* The system's own lookups of names, which block for as long as they like, and this host's name.
 *
 * Lookups return 0 or an EAI_ code of <netdb.h>; for EAI_SYSTEM `*error_number` is an errno. */
#pragma once

#include <netdb.h>
#include <stddef.h>

/* `answer`: to be freed with freeaddrinfo(). */
int eddy__sys_getaddrinfo (const char *name, const struct addrinfo *hints, struct addrinfo **answer,
                           int *error_number);
/* Only a name, and no address written out. */
int eddy__sys_getnameinfo (const struct sockaddr *address, socklen_t address_len, char *name,
                           size_t len, int *error_number);
/* This host's name, cut where there is no room for it. */
int eddy__sys_host_name (char *buf, size_t len);
