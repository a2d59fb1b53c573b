/* SPDX-License-Identifier: MIT */
/* Setting what an info says is to be set. A new owner takes set-id bits away, so it comes first;
 * what comes before changes the times, so they come last. */
#include <eddy/file-bodies.h>

#include <errno.h>

#include "base/object-private.h"
#include "file/at-private.h"
#include "file/file-info-private.h"
#include "sys/file-private.h"

static bool set_wants (const EddyFileInfo *info, unsigned fields)
{
    return (info->to_set & fields) != 0;
}

static int set_owner (const EddyFilePlace *place, const EddyFileInfo *info)
{
    if (!set_wants (info, EDDY_FILE_INFO_OWNER | EDDY_FILE_INFO_GROUP))
        return 0;
    uid_t owner = set_wants (info, EDDY_FILE_INFO_OWNER) ? info->owner : (uid_t) -1;
    gid_t group = set_wants (info, EDDY_FILE_INFO_GROUP) ? info->group : (gid_t) -1;
    return eddy__place_set_owner (place, owner, group);
}

/* Before 1970 the seconds are below 0, and the nanoseconds are not. */
static struct timespec set_time (const EddyFileInfo *info, EddyFileInfoFields field,
                                 int64_t time_ns)
{
    const int64_t second_ns = 1000000000;
    if (!set_wants (info, field))
        return (struct timespec){ .tv_nsec = UTIME_OMIT };
    int64_t rest_ns = (time_ns % second_ns + second_ns) % second_ns;
    return (struct timespec){ (time_ns - rest_ns) / second_ns, (long) rest_ns };
}

static int set_times (const EddyFilePlace *place, const EddyFileInfo *info)
{
    if (!set_wants (info, EDDY_FILE_INFO_ACCESS_TIME | EDDY_FILE_INFO_MODIFICATION_TIME))
        return 0;
    const struct timespec times[2] = {
        set_time (info, EDDY_FILE_INFO_ACCESS_TIME, info->access_time_ns),
        set_time (info, EDDY_FILE_INFO_MODIFICATION_TIME, info->modification_time_ns),
    };
    return eddy__place_set_times (place, times);
}

/* A symbolic link has no permissions that anybody would look at, and Linux sets none. */
static int set_check_link (EddyFile *file, const EddyFileInfo *info, bool follow)
{
    struct statx stat;
    if (follow || !set_wants (info, EDDY_FILE_INFO_MODE))
        return 0;
    int result = eddy__file_statx (file, /* follow= */ false, STATX_TYPE, &stat);
    return result == 0 && S_ISLNK (stat.stx_mode) ? -EOPNOTSUPP : result;
}

static int set_all (EddyFile *file, const EddyFileInfo *info, bool follow)
{
    EddyFilePath path = { .fd = -1 };
    int result = set_check_link (file, info, follow);
    if (result == 0)
        result = eddy__file_path (file, follow, &path);
    if (result == 0) {
        const EddyFilePlace place = { -1, file->path, path.path, path.follow };
        result = set_owner (&place, info);
        if (result == 0 && set_wants (info, EDDY_FILE_INFO_MODE))
            result = eddy__place_set_mode (&place, info->mode & 07777);
        if (result == 0)
            result = set_times (&place, info);
    }
    eddy__file_path_end (&path);
    return result;
}

bool eddy_file_set_attributes_body (EddyFile *file, EddyFileInfo *info,
                                    EddyFileQueryInfoFlags flags, EddyCancellable *cancellable,
                                    EddyError **error)
{
    EDDY__EXPECT (file != NULL && info != NULL, false);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    int result = set_all (file, info, (flags & EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS) == 0);
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", file->path);
    return result == 0;
}
