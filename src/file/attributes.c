/* SPDX-License-Identifier: MIT */
/* Attributes of a file given to another: owner, extended attributes, permissions and times, in the
 * one order that works. A new owner takes set-id bits and capabilities away, so it comes first;
 * "user." attributes want a file that its owner may write, so they come before the permissions;
 * everything before changes the times. */
#include <eddy/file-bodies.h>

#include <errno.h>
#include <string.h>

#include "base/object-private.h"
#include "file/at-private.h"
#include "sys/file-private.h"

/* Linux lets neither a list of names nor a value be longer, so the thread's buffer has room for
 * one of each, and nothing has to be asked for its size first. */
enum { ATTRIBUTE_MOST = 65536 };
_Static_assert(2 * ATTRIBUTE_MOST <= EDDY_FILE_BUFFER_SIZE, "names and a value fit the buffer");

/* --- of a place: its fd, else its path -------------------------------------------------------- */

static ssize_t place_list_xattr (const EddyFilePlace *place, char *names)
{
    return place->fd >= 0 ? eddy__sys_flistxattr (place->fd, names, ATTRIBUTE_MOST)
                          : eddy__sys_listxattr (place->path, place->follow, names, ATTRIBUTE_MOST);
}

static ssize_t place_get_xattr (const EddyFilePlace *place, const char *name, char *value)
{
    return place->fd >= 0
               ? eddy__sys_fgetxattr (place->fd, name, value, ATTRIBUTE_MOST)
               : eddy__sys_getxattr (place->path, place->follow, name, value, ATTRIBUTE_MOST);
}

static int place_set_xattr (const EddyFilePlace *place, const char *name, const char *value,
                            size_t len)
{
    return place->fd >= 0 ? eddy__sys_fsetxattr (place->fd, name, value, len, 0)
                          : eddy__sys_setxattr (place->path, place->follow, name, value, len, 0);
}

int eddy__place_set_owner (const EddyFilePlace *place, uid_t owner, gid_t group)
{
    int flags = place->follow ? 0 : AT_SYMLINK_NOFOLLOW;
    return place->fd >= 0 ? eddy__sys_fchown (place->fd, owner, group)
                          : eddy__sys_fchownat (AT_FDCWD, place->path, owner, group, flags);
}

int eddy__place_set_times (const EddyFilePlace *place, const struct timespec times[2])
{
    int flags = place->follow ? 0 : AT_SYMLINK_NOFOLLOW;
    return place->fd >= 0 ? eddy__sys_futimens (place->fd, times)
                          : eddy__sys_utimensat (AT_FDCWD, place->path, times, flags);
}

/* The C library changes the mode of a name without following it by way of /proc, and where that is
 * missing says EOPNOTSUPP; it says so, too, of a symbolic link, which has no mode to change. */
static int place_set_mode_by_path (const EddyFilePlace *place, mode_t mode)
{
    int flags = place->follow ? 0 : AT_SYMLINK_NOFOLLOW;
    int result = eddy__sys_fchmodat (AT_FDCWD, place->path, mode, flags);
    if (result != -EOPNOTSUPP)
        return result;
    struct statx info;
    result = eddy__sys_statx (AT_FDCWD, place->path, eddy__file_stat_flags (place->follow),
                              STATX_TYPE, &info);
    if (result < 0 || S_ISLNK (info.stx_mode))
        return result;
    return eddy__sys_fchmodat (AT_FDCWD, place->path, mode, 0);
}

int eddy__place_set_mode (const EddyFilePlace *place, mode_t mode)
{
    return place->fd >= 0 ? eddy__sys_fchmod (place->fd, mode)
                          : place_set_mode_by_path (place, mode);
}

/* --- extended attributes ---------------------------------------------------------------------- */

/* Whether a failure with this attribute only means that it is not ours to read or to give. */
static bool xattr_is_privileged (const char *name, int result)
{
    return (result == -EPERM || result == -EACCES) &&
           (strncmp (name, "security.", 9) == 0 || strncmp (name, "trusted.", 8) == 0);
}

/* One attribute. ENODATA: it went since it was listed. EOPNOTSUPP: the file system of the copy
 * knows no such attributes, as it may know no owners. */
static int xattr_give (const EddyFilePlace *from, const EddyFilePlace *to, const char *name,
                       char *value, const char **failed)
{
    *failed = from->name;
    ssize_t len = place_get_xattr (from, name, value);
    if (len < 0)
        return len == -ENODATA || len == -EOPNOTSUPP || xattr_is_privileged (name, (int) len)
                   ? 0
                   : (int) len;
    *failed = to->name;
    int result = place_set_xattr (to, name, value, (size_t) len);
    return result == -EOPNOTSUPP || xattr_is_privileged (name, result) ? 0 : result;
}

/* What was given to these contents and to no others: rights, hashes, signatures. The kernel, too,
 * takes the rights away from a file that is written to. */
static bool xattr_is_of_contents (const char *name)
{
    return strcmp (name, "security.capability") == 0 || strcmp (name, "security.ima") == 0 ||
           strcmp (name, "security.evm") == 0;
}

static int xattr_give_all (const EddyFilePlace *from, const EddyFilePlace *to, bool same_contents,
                           const char **failed)
{
    *failed = from->name;
    char *names = eddy__file_buffer ();
    if (names == NULL)
        return -ENOMEM;
    ssize_t length = place_list_xattr (from, names);
    if (length < 0)
        return length == -EOPNOTSUPP || length == -ENOSYS ? 0 : (int) length;
    char *value = names + ATTRIBUTE_MOST;
    for (const char *name = names; name < names + length; name += strlen (name) + 1) {
        int result = 0;
        if (same_contents || !xattr_is_of_contents (name))
            result = xattr_give (from, to, name, value, failed);
        if (result < 0)
            return result;
    }
    return 0;
}

/* --- owner, and all of them ------------------------------------------------------------------- */

/* Only root may give files away: others' copies are their own, and so are files on a file system
 * without owners and owners that a user namespace does not know. */
static bool owner_is_denied (int result)
{
    return result == -EPERM || result == -EINVAL || result == -EOPNOTSUPP || result == -ENOSYS;
}

/* 0, -errno, or 1 where it may not be: a member of the group may still give that. */
static int owner_give (const EddyFilePlace *to, const struct statx *info)
{
    int result = eddy__place_set_owner (to, info->stx_uid, info->stx_gid);
    if (!owner_is_denied (result))
        return result;
    result = eddy__place_set_owner (to, (uid_t) -1, info->stx_gid);
    return result == 0 || owner_is_denied (result) ? 1 : result;
}

static int times_give (const EddyFilePlace *to, const struct statx *info)
{
    const struct timespec times[2] = {
        { .tv_sec = info->stx_atime.tv_sec, .tv_nsec = info->stx_atime.tv_nsec },
        { .tv_sec = info->stx_mtime.tv_sec, .tv_nsec = info->stx_mtime.tv_nsec },
    };
    return eddy__place_set_times (to, times);
}

/* What the copy has already. A new file mostly has the right owner and mode, and to see that costs
 * a third of setting them, on file systems with a journal far less. */
static int place_ask (const EddyFilePlace *to, struct statx *has)
{
    has->stx_mask = 0;
    return to->fd < 0 ? 0 : eddy__sys_fstatx (to->fd, STATX_MODE | STATX_UID | STATX_GID, has);
}

static bool owner_is_right (const struct statx *has, const struct statx *info)
{
    return (has->stx_mask & STATX_UID) != 0 && (has->stx_mask & STATX_GID) != 0 &&
           has->stx_uid == info->stx_uid && has->stx_gid == info->stx_gid;
}

static bool mode_is_right (const struct statx *has, mode_t mode)
{
    return (has->stx_mask & STATX_MODE) != 0 && (has->stx_mode & 07777) == mode;
}

int eddy__file_give_attributes (const EddyFilePlace *from, const EddyFilePlace *to,
                                const struct statx *info, bool all, const char **failed)
{
    mode_t mode = info->stx_mode & 07777;
    struct statx has;
    *failed = to->name;
    int result = place_ask (to, &has);
    if (result < 0)
        return result;
    result = 1;
    if (all) {
        result = owner_is_right (&has, info) ? 0 : owner_give (to, info);
        if (result >= 0) {
            int xattr_result = xattr_give_all (from, to, /* same_contents= */ true, failed);
            result = xattr_result < 0 ? xattr_result : result;
        }
        if (result < 0)
            return result;
    }
    /* Set-id bits say "as the owner", so they do not go to a copy with another one. */
    if (result == 1)
        mode &= (mode_t) ~(S_ISUID | S_ISGID);
    *failed = to->name;
    bool needs_mode = !S_ISLNK (info->stx_mode) && !mode_is_right (&has, mode);
    result = needs_mode ? eddy__place_set_mode (to, mode) : 0;
    if (result == 0 && all)
        result = times_give (to, info);
    return result;
}

/* Without the group, its rights would go to another one; that gets no more than everybody. */
static mode_t mode_for_other_owner (const EddyFilePlace *to, const struct statx *info, mode_t mode)
{
    struct statx has;
    mode &= (mode_t) ~(S_ISUID | S_ISGID);
    bool has_group = place_ask (to, &has) == 0 && has.stx_gid == info->stx_gid;
    return has_group ? mode : (mode & (mode_t) ~0070) | (mode & 0070 & (mode_t) ((mode & 07) << 3));
}

int eddy__file_keep_attributes (const EddyFilePlace *from, const EddyFilePlace *to,
                                const struct statx *info, const char **failed)
{
    mode_t mode = info->stx_mode & 07777;
    struct statx has;
    *failed = to->name;
    int result = place_ask (to, &has);
    if (result == 0)
        result = owner_is_right (&has, info) ? 0 : owner_give (to, info);
    if (result < 0)
        return result;
    if (result == 1)
        mode = mode_for_other_owner (to, info, mode);
    result = from == NULL ? 0 : xattr_give_all (from, to, /* same_contents= */ false, failed);
    if (result < 0)
        return result;
    *failed = to->name;
    /* An access list that was given has changed it, so it is not asked whether it is right. */
    return eddy__place_set_mode (to, mode);
}

/* `failed` is told the name that the failing call was about. */
static int attributes_copy (EddyFile *source, EddyFile *destination, EddyFileCopyFlags flags,
                            const char **failed)
{
    bool follow = (flags & EDDY_FILE_COPY_NOFOLLOW_SYMLINKS) == 0;
    bool all = (flags & EDDY_FILE_COPY_ALL_METADATA) != 0;
    EddyFilePath from, to = { .fd = -1 };
    struct statx info;
    *failed = eddy_file_get_path (source);
    int result = eddy__file_path (source, follow, &from);
    if (result == 0)
        result = eddy__sys_statx (AT_FDCWD, from.path, eddy__file_stat_flags (from.follow),
                                  STATX_BASIC_STATS, &info);
    if (result == 0) {
        *failed = eddy_file_get_path (destination);
        result = eddy__file_path (destination, follow, &to);
    }
    if (result == 0) {
        EddyFilePlace give = { -1, eddy_file_get_path (source), from.path, from.follow };
        EddyFilePlace take = { -1, eddy_file_get_path (destination), to.path, to.follow };
        result = eddy__file_give_attributes (&give, &take, &info, all, failed);
    }
    eddy__file_path_end (&from);
    eddy__file_path_end (&to);
    return result;
}

bool eddy_file_copy_attributes_body (EddyFile *source, EddyFile *destination,
                                     EddyFileCopyFlags flags, EddyCancellable *cancellable,
                                     EddyError **error)
{
    EDDY__EXPECT (source != NULL && destination != NULL, false);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    const char *failed;
    int result = attributes_copy (source, destination, flags, &failed);
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", failed);
    return result == 0;
}
