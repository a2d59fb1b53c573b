/* SPDX-License-Identifier: MIT */
/* EddyFileInfo: what is known of a file; EddyFileInfoList: of the files of a folder. */
#ifndef EDDY_FILE_INFO_H
#define EDDY_FILE_INFO_H

#include <eddy/object.h>

EDDY_BEGIN_DECLS

/** What was known of a file at one moment, and what is to be set in one. An object; to be used on
 * one thread at a time while it is changed, and nobody changes one that several have. */
typedef struct EddyFileInfo EddyFileInfo;

/** Infos of several files. An object; immutable. */
typedef struct EddyFileInfoList EddyFileInfoList;

/** What can be known of a file, for masks. */
typedef enum EddyFileInfoFields {
    EDDY_FILE_INFO_TYPE = 1 << 0,
    EDDY_FILE_INFO_MODE = 1 << 1,
    EDDY_FILE_INFO_OWNER = 1 << 2,
    EDDY_FILE_INFO_GROUP = 1 << 3,
    EDDY_FILE_INFO_SIZE = 1 << 4,
    EDDY_FILE_INFO_ALLOCATED_SIZE = 1 << 5,
    EDDY_FILE_INFO_ACCESS_TIME = 1 << 6,
    EDDY_FILE_INFO_MODIFICATION_TIME = 1 << 7,
    EDDY_FILE_INFO_CHANGE_TIME = 1 << 8,
    EDDY_FILE_INFO_BIRTH_TIME = 1 << 9,
    EDDY_FILE_INFO_INODE = 1 << 10,
    EDDY_FILE_INFO_DEVICE = 1 << 11,
    EDDY_FILE_INFO_N_LINKS = 1 << 12,
    EDDY_FILE_INFO_SYMLINK_TARGET = 1 << 13
} EddyFileInfoFields;

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

/** Makes an info of which nothing is known, to be filled in for eddy_file_set_attributes(). NULL
 * when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyFileInfo *eddy_file_info_new (void) EDDY_MUST_USE;
/** A copy, of which nothing is to be set: for one of a list, which lives as long as that. NULL when
 * memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyFileInfo *eddy_file_info_dup (const EddyFileInfo *info) EDDY_MUST_USE;

/* --- what is known ---------------------------------------------------------------------------- */

/** Which fields are known; the others read as 0, UNKNOWN and NULL. A file system may keep no time
 * of birth, and of a file that could not be asked its folder tells type and inode.
 * Thread: any. Since: 0.1 */
EDDY_API EddyFileInfoFields eddy_file_info_get_fields (const EddyFileInfo *info);
/** The name within its folder, as bytes, owned by @info; "" for one of eddy_file_info_new().
 * Thread: any. Since: 0.1 */
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
/** When it was read last, as far as the file system keeps that, in nanoseconds since 1970.
 * Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_file_info_get_access_time_ns (const EddyFileInfo *info);
/** When its contents changed last, in nanoseconds since 1970. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_file_info_get_modification_time_ns (const EddyFileInfo *info);
/** When its contents, attributes or names changed last, in nanoseconds since 1970.
 * Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_file_info_get_change_time_ns (const EddyFileInfo *info);
/** When it was made, in nanoseconds since 1970; 0 where the file system does not tell.
 * Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_file_info_get_birth_time_ns (const EddyFileInfo *info);
/** How many names it has. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_file_info_get_n_links (const EddyFileInfo *info);
/** The number that, with the device's, tells it from every other file. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_file_info_get_inode (const EddyFileInfo *info);
/** The number of the file system it is on. Thread: any. Since: 0.1 */
EDDY_API uint64_t eddy_file_info_get_device (const EddyFileInfo *info);
/** What a symbolic link points to, as bytes, owned by @info: where the link itself was asked for,
 * by eddy_file_query_info() with NOFOLLOW_SYMLINKS; else NULL. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_file_info_get_symlink_target (const EddyFileInfo *info);
/** A text that another one has taken the place of when the file's contents have changed, to be
 * freed with eddy_free(): made of the inode, the size and the time of modification. NULL where one
 * of them is not known, or memory is out. Thread: any. Since: 0.1 */
EDDY_API char *eddy_file_info_get_etag (const EddyFileInfo *info) EDDY_MUST_USE;

/* --- what is to be set ------------------------------------------------------------------------ */

/** The permission bits, the set-id and sticky bits included: 07777 at most. Thread: the info's.
 * Since: 0.1 */
EDDY_API void eddy_file_info_set_mode (EddyFileInfo *info, uint32_t mode);
/** The number of the owner. Thread: the info's. Since: 0.1 */
EDDY_API void eddy_file_info_set_owner (EddyFileInfo *info, uint32_t owner);
/** The number of the group. Thread: the info's. Since: 0.1 */
EDDY_API void eddy_file_info_set_group (EddyFileInfo *info, uint32_t group);
/** When it was read last, in nanoseconds since 1970. Thread: the info's. Since: 0.1 */
EDDY_API void eddy_file_info_set_access_time_ns (EddyFileInfo *info, int64_t time_ns);
/** When its contents changed last, in nanoseconds since 1970. Thread: the info's. Since: 0.1 */
EDDY_API void eddy_file_info_set_modification_time_ns (EddyFileInfo *info, int64_t time_ns);
/** Which fields are to be set, by eddy_file_set_attributes(): those given by a setter since the
 * info was made. What was asked of a file is known, and not to be set. Thread: any. Since: 0.1 */
EDDY_API EddyFileInfoFields eddy_file_info_get_fields_to_set (const EddyFileInfo *info);

/* --- lists ------------------------------------------------------------------------------------ */

/** How many infos there are. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_file_info_list_get_length (const EddyFileInfoList *list);
/** One of the infos, owned by @list; NULL when @index is not below the length.
 * Thread: any. Since: 0.1 */
EDDY_API const EddyFileInfo *eddy_file_info_list_get (const EddyFileInfoList *list, size_t index);

EDDY_END_DECLS

#endif
