/* SPDX-License-Identifier: MIT */
/* The network's interfaces of this host. */
#pragma once

/* The number of an interface, from 1; below 0: -errno, -ENODEV for a name that none has. */
int eddy__sys_interface_index (const char *name);
