/* SPDX-License-Identifier: MIT */
/*
 * uv-copy-tree SOURCE DESTINATION: copies a tree with libuv, on its pool of four threads.
 *
 * Why it is the fair way: an entry needs several calls (lstat, copyfile, utime, at times chown and
 * attributes). Sent one by one, as uv_fs_ requests with callbacks, each would pay the way to a
 * thread and back. So one uv_queue_work request does all calls of an entry in order, with the
 * uv_fs_ functions in their documented synchronous form (no callback), on the same pool. Requests
 * are queued as soon as their folder is listed: the four threads always have work, and libuv takes
 * finished requests in batches. What `eddy copy` keeps is kept: mode, times (libuv's own are
 * microseconds), owner, hard links, and extended attributes by system calls, as libuv has none.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <uv.h>

#define COPY_THREADS "4"
#define COPY_LINK_BUCKETS 4096
#define COPY_XATTR_MAX 65536

typedef struct CopyItem CopyItem;

struct CopyItem {
    uv_work_t work;
    CopyItem *next; /* among the folders, the later names, or those of a bucket */
    uv_stat_t status;
    uv_fs_t listing; /* of a folder */
    char *source;
    char *destination;
    const char *first_name; /* of a later name: where the file was copied to */
    int result;
    bool is_link; /* has other names: only looked at, the loop decides */
};

static CopyItem *copy_folders;
static CopyItem *copy_later_names;
static CopyItem *copy_links[COPY_LINK_BUCKETS];
static bool copy_failed;
static uid_t copy_user; /* what a new file belongs to anyway */
static gid_t copy_group;

static void copy_entry (char *source, char *destination, bool is_folder);

/* ---- Small helpers, for the pool's threads */

static void *copy_check (void *memory)
{
    if (!memory) {
        fputs ("uv-copy-tree: out of memory\n", stderr);
        exit (1);
    }
    return memory;
}

static int copy_done (uv_fs_t *request, int result)
{
    uv_fs_req_cleanup (request);
    return result;
}

static int copy_xattrs (const char *source, const char *destination)
{
    char names[COPY_XATTR_MAX];
    ssize_t names_len = llistxattr (source, names, sizeof names);
    if (names_len < 0)
        return errno == ENOTSUP ? 0 : -errno;
    for (char *name = names; name < names + names_len; name += strlen (name) + 1) {
        char value[COPY_XATTR_MAX];
        ssize_t value_len = lgetxattr (source, name, value, sizeof value);
        if (value_len < 0 || lsetxattr (destination, name, value, (size_t) value_len, 0))
            return -errno;
    }
    return 0;
}

static double copy_seconds (uv_timespec_t time)
{
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

/* What both files and folders keep, when their contents stand: the times last. */
static int copy_metadata (CopyItem *item)
{
    uv_fs_t request;
    const uv_stat_t *status = &item->status;
    int result = copy_xattrs (item->source, item->destination);
    if (!result && (status->st_uid != copy_user || status->st_gid != copy_group))
        result = copy_done (&request, uv_fs_lchown (NULL, &request, item->destination,
                                                    (uv_uid_t) status->st_uid,
                                                    (uv_gid_t) status->st_gid, NULL));
    if (!result && S_ISDIR (status->st_mode))
        result = copy_done (&request, uv_fs_chmod (NULL, &request, item->destination,
                                                   (int) (status->st_mode & 07777), NULL));
    if (!result)
        result = copy_done (&request, uv_fs_lutime (NULL, &request, item->destination,
                                                    copy_seconds (status->st_atim),
                                                    copy_seconds (status->st_mtim), NULL));
    return result;
}

static int copy_stat (CopyItem *item)
{
    uv_fs_t request;
    int result = uv_fs_lstat (NULL, &request, item->source, NULL);
    item->status = request.statbuf;
    return copy_done (&request, result);
}

static int copy_symlink (CopyItem *item)
{
    uv_fs_t target, request;
    int result = uv_fs_readlink (NULL, &target, item->source, NULL);
    if (!result)
        result = copy_done (&request,
                            uv_fs_symlink (NULL, &request, target.ptr, item->destination, 0, NULL));
    return copy_done (&target, result);
}

/* ---- The pool's work: one whole entry each */

static int copy_contents (CopyItem *item)
{
    uv_fs_t request;
    int result;
    if (S_ISLNK (item->status.st_mode))
        result = copy_symlink (item);
    else
        result =
            copy_done (&request, uv_fs_copyfile (NULL, &request, item->source, item->destination,
                                                 UV_FS_COPYFILE_EXCL, NULL));
    return result ? result : copy_metadata (item);
}

static void copy_file_work (uv_work_t *work)
{
    CopyItem *item = work->data;
    item->result = copy_stat (item);
    item->is_link = !item->result && item->status.st_nlink > 1;
    if (!item->result && !item->is_link)
        item->result = copy_contents (item);
}

static void copy_link_work (uv_work_t *work)
{
    CopyItem *item = work->data;
    item->result = copy_contents (item);
}

static void copy_name_work (uv_work_t *work)
{
    CopyItem *item = work->data;
    uv_fs_t request;
    item->result = copy_done (
        &request, uv_fs_link (NULL, &request, item->first_name, item->destination, NULL));
}

static void copy_folder_work (uv_work_t *work)
{
    CopyItem *item = work->data;
    uv_fs_t request;
    item->result = copy_stat (item);
    if (!item->result)
        item->result =
            copy_done (&request, uv_fs_mkdir (NULL, &request, item->destination, 0700, NULL));
    if (!item->result) {
        int count = uv_fs_scandir (NULL, &item->listing, item->source, 0, NULL);
        item->result = count < 0 ? count : 0;
    }
}

static void copy_metadata_work (uv_work_t *work)
{
    CopyItem *item = work->data;
    item->result = copy_metadata (item);
}

/* ---- The loop: what is known of an entry decides what comes next */

static void copy_item_free (CopyItem *item)
{
    free (item->source);
    free (item->destination);
    free (item);
}

static void copy_queue (CopyItem *item, uv_work_cb work, uv_after_work_cb after)
{
    item->work.data = item;
    if (uv_queue_work (uv_default_loop (), &item->work, work, after))
        copy_failed = true;
}

static bool copy_succeeded (CopyItem *item, int status)
{
    int result = status ? status : item->result;
    if (!result)
        return true;
    fprintf (stderr, "uv-copy-tree: %s: %s\n", item->source, uv_strerror (result));
    copy_failed = true;
    return false;
}

static void copy_plain_done (uv_work_t *work, int status)
{
    CopyItem *item = work->data;
    copy_succeeded (item, status);
    copy_item_free (item);
}

/* Kept to the end: later names are linked to where this one went. */
static void copy_first_name_done (uv_work_t *work, int status)
{
    copy_succeeded (work->data, status);
}

/* A file with several names: the first that comes is copied, the others wait to be linked to it. */
static void copy_link (CopyItem *item)
{
    CopyItem **bucket = &copy_links[item->status.st_ino % COPY_LINK_BUCKETS];
    for (CopyItem *first = *bucket; first; first = first->next) {
        if (first->status.st_ino == item->status.st_ino &&
            first->status.st_dev == item->status.st_dev) {
            item->first_name = first->destination;
            item->next = copy_later_names;
            copy_later_names = item;
            return;
        }
    }
    item->next = *bucket;
    *bucket = item;
    copy_queue (item, copy_link_work, copy_first_name_done);
}

static void copy_file_done (uv_work_t *work, int status)
{
    CopyItem *item = work->data;
    bool succeeded = copy_succeeded (item, status);
    if (succeeded && item->is_link)
        copy_link (item);
    else
        copy_item_free (item);
}

static char *copy_join (const char *folder, const char *name)
{
    size_t folder_len = strlen (folder), name_len = strlen (name);
    char *path = copy_check (malloc (folder_len + name_len + 2));
    memcpy (path, folder, folder_len);
    path[folder_len] = '/';
    memcpy (path + folder_len + 1, name, name_len + 1);
    return path;
}

static void copy_folder_done (uv_work_t *work, int status)
{
    CopyItem *item = work->data;
    if (!copy_succeeded (item, status)) {
        copy_item_free (item);
        return;
    }
    item->next = copy_folders;
    copy_folders = item;
    uv_dirent_t entry;
    while (uv_fs_scandir_next (&item->listing, &entry) != UV_EOF) {
        char *source = copy_join (item->source, entry.name);
        char *destination = copy_join (item->destination, entry.name);
        copy_entry (source, destination, entry.type == UV_DIRENT_DIR);
    }
    uv_fs_req_cleanup (&item->listing);
}

/* Takes both paths. */
static void copy_entry (char *source, char *destination, bool is_folder)
{
    CopyItem *item = copy_check (calloc (1, sizeof *item));
    item->source = source;
    item->destination = destination;
    if (is_folder)
        copy_queue (item, copy_folder_work, copy_folder_done);
    else
        copy_queue (item, copy_file_work, copy_file_done);
}

/* Queues the same work for a whole list, and waits until all of it is done. */
static void copy_finish (CopyItem *list, uv_work_cb work)
{
    while (list) {
        CopyItem *item = list;
        list = item->next;
        copy_queue (item, work, copy_plain_done);
    }
    uv_run (uv_default_loop (), UV_RUN_DEFAULT);
}

int main (int argc, char **argv)
{
    if (argc != 3) {
        fputs ("usage: uv-copy-tree SOURCE DESTINATION\n", stderr);
        return 2;
    }
    /* Read by libuv at the first request. Four is its default too: this holds against the shell. */
    uv_os_setenv ("UV_THREADPOOL_SIZE", COPY_THREADS);
    copy_user = geteuid ();
    copy_group = getegid ();
    copy_entry (copy_check (strdup (argv[1])), copy_check (strdup (argv[2])), true);
    uv_run (uv_default_loop (), UV_RUN_DEFAULT);
    /* Later names need their first one whole; folders are touched by each entry made in them. */
    copy_finish (copy_later_names, copy_name_work);
    copy_finish (copy_folders, copy_metadata_work);
    return copy_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
