/* SPDX-License-Identifier: MIT */
/* EddyFileInfo: what is known of a file; EddyFileInfoList: of the files of a folder. */
#ifndef EDDY_FILE_INFO_H
#define EDDY_FILE_INFO_H

#include <eddy/object.h>

EDDY_BEGIN_DECLS

/** What was known of a file at one moment. An object; immutable. */
typedef struct EddyFileInfo EddyFileInfo;

/** Infos of several files. An object; immutable. */
typedef struct EddyFileInfoList EddyFileInfoList;

/** What kind of file. */
typedef enum EddyFileType {
    EDDY_FILE_TYPE_UNKNOWN,
    EDDY_FILE_TYPE_REGULAR,
    EDDY_FILE_TYPE_DIRECTORY,
    EDDY_FILE_TYPE_SYMBOLIC_LINK,
    EDDY_FILE_TYPE_FIFO,
    EDDY_FILE_TYPE_SOCKET,
    EDDY_FILE_TYPE_CHARACTER_DEVICE,
    EDDY_FILE_TYPE_BLOCK_DEVICE
} EddyFileType;

/** The name within its folder, as bytes, owned by @info. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_file_info_get_name (const EddyFileInfo *info);
/** What kind of file it is. Thread: any. Since: 0.1 */
EDDY_API EddyFileType eddy_file_info_get_file_type (const EddyFileInfo *info);
/** Its size in bytes. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_file_info_get_size (const EddyFileInfo *info);
/** How many bytes of storage it takes. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_file_info_get_allocated_size (const EddyFileInfo *info);
/** Its permission bits, the set-id and sticky bits included: 07777 at most. Thread: any. Since: 0.1
 */
EDDY_API uint32_t eddy_file_info_get_mode (const EddyFileInfo *info);
/** The number of its owner. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_file_info_get_owner (const EddyFileInfo *info);
/** The number of its group. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_file_info_get_group (const EddyFileInfo *info);
/** When its contents changed last, in nanoseconds since 1970. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_file_info_get_modification_time_ns (const EddyFileInfo *info);
/** How many names it has. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_file_info_get_n_links (const EddyFileInfo *info);
/** The number that, with the device's, tells it from every other file. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_file_info_get_inode (const EddyFileInfo *info);
/** The number of the file system it is on. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_file_info_get_device (const EddyFileInfo *info);

/** How many infos there are. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_file_info_list_get_length (const EddyFileInfoList *list);
/** One of the infos, owned by @list; NULL when @index is not below the length.
 * Thread: any. Since: 0.1 */
EDDY_API const EddyFileInfo *eddy_file_info_list_get (const EddyFileInfoList *list, size_t index);

EDDY_END_DECLS

#endif
