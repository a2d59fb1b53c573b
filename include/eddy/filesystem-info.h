/* SPDX-License-Identifier: MIT */
/* EddyFilesystemInfo: what is known of the file system that a file is on. */
#ifndef EDDY_FILESYSTEM_INFO_H
#define EDDY_FILESYSTEM_INFO_H

#include <eddy/file.h>

EDDY_BEGIN_DECLS

/** What was known of a file system at one moment. An object; immutable. */
typedef struct EddyFilesystemInfo EddyFilesystemInfo;

/**
 * Asks about the file system that a file is on.
 *
 * @file: a file; of a symbolic link that to which it leads
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the info, or NULL
 * Errors: NOT_FOUND, PERMISSION_DENIED …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFilesystemInfo *eddy_file_query_filesystem_info (EddyFile *file, EddyCancellable *cancellable,
                                                     EddyError **error);

/** How many bytes it holds; 0 where that means nothing, as of /proc. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_filesystem_info_get_size (const EddyFilesystemInfo *info);
/** How many of them are free, and not kept for root. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_filesystem_info_get_free (const EddyFilesystemInfo *info);
/** How many of them are in use. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_filesystem_info_get_used (const EddyFilesystemInfo *info);
/** How many files it can hold; 0 where there is no limit. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_filesystem_info_get_n_files (const EddyFilesystemInfo *info);
/** How many files more it can hold; 0 where there is no limit. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_filesystem_info_get_n_free_files (const EddyFilesystemInfo *info);
/** Its kind by name, a static string: "ext4" (also for its predecessors), "tmpfs", "nfs" …;
 * "unknown" where Eddy has no name for it. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_filesystem_info_get_type (const EddyFilesystemInfo *info);
/** Its kind by the number that statfs(2) gives. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_filesystem_info_get_type_number (const EddyFilesystemInfo *info);
/** Whether nothing can be written where it is mounted. Thread: any. Since: 0.1 */
EDDY_API bool eddy_filesystem_info_is_read_only (const EddyFilesystemInfo *info);

EDDY_END_DECLS

#include <eddy/filesystem-info-forms.h>

#endif
