/* SPDX-License-Identifier: MIT */
/* What Eddy finds on this machine: what `eddy doctor` prints. */
#ifndef EDDY_SYSTEM_H
#define EDDY_SYSTEM_H

#include <eddy/context.h>

EDDY_BEGIN_DECLS

/** What a running system offers Eddy. Strings belong to the report. An object. */
typedef struct EddySystemReport EddySystemReport;

/** Looks at the system: opens an engine and asks it. NULL when memory is out. Thread: any.
 * Since: 0.1 */
EDDY_API EddySystemReport *eddy_system_report_new (void);

/** How many findings there are. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_system_report_get_length (const EddySystemReport *report);
/** A finding's group, "engine", "kernel", "limits" or "versions"; NULL past the end.
 * Thread: any. Since: 0.1 */
EDDY_API const char *eddy_system_report_get_group (const EddySystemReport *report, size_t index);
/** A finding's name; NULL past the end. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_system_report_get_name (const EddySystemReport *report, size_t index);
/** A finding's value, as text; NULL past the end. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_system_report_get_value (const EddySystemReport *report, size_t index);

EDDY_END_DECLS

#endif
