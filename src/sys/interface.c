/* SPDX-License-Identifier: MIT */
/* The network's interfaces of this host. */
#include "sys/interface-private.h"

#include <net/if.h>

#include "sys/call-private.h"

int eddy__sys_interface_index (const char *name)
{
    errno = ENODEV; /* what 0 means where libc does not say */
    int index = (int) EDDY_SYS_CALL (EDDY_SYS_IF_NAMETOINDEX, if_nametoindex (name));
    return index == 0 ? -errno : index;
}
