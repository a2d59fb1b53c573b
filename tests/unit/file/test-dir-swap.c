/* SPDX-License-Identifier: MIT */
/*
 * Somebody changes the names while an operation is under way: between any two of its system calls,
 * one after the other, each way of changing them. Whatever is then found is the folder's own.
 */
#include <dirent.h>
#include <eddy/dir.h>
#include <eddy/file-handle.h>

#include "files.h"

/* ---- What is swapped ------------------------------------------------------------------------- */

/* The open folder is "root"; every name in it has its double in "outside", with other contents. */
typedef struct Swap {
    const char *moved; /* is renamed … */
    const char *to;
    const char *target; /* … and this link takes its name */
} Swap;

static const Swap swaps[] = {
    { "root/a", "root/z", "../outside/a" },
    { "root/a/b", "root/a/z", "../../outside/a/b" },
    { "root/a/b/file", "root/a/b/z", "../../../outside/a/b/file" },
    { "root/a/b", "root/z", "/tmp" },
    { "root/a", "root/z", ".." },
    { "root", "moved", "outside" },
    { "root/a/b", "outside/b", "../../outside/a/b" },
};
enum { N_SWAPS = sizeof swaps / sizeof *swaps };

static EddyDir *root;

/* The hook: swaps before the nth system call, and has no openat2 where that is asked for. */
static const Swap *swap_next;
static int swap_at, swap_calls;
static bool swap_denies;

static int swap_hook (EddySysCall call, void *data)
{
    (void) data;
    /* What the operation has removed is left alone. */
    if (++swap_calls == swap_at &&
        rename (eddy_test_path (swap_next->moved), eddy_test_path (swap_next->to)) == 0)
        ck_assert_int_eq (symlink (swap_next->target, eddy_test_path (swap_next->moved)), 0);
    return swap_denies && call == EDDY_SYS_OPENAT2 ? -ENOSYS : 0;
}

static void tree_make (const char *top, const char *text)
{
    char name[64];
    static const char *const folders[] = { "", "/a", "/a/b" };

    for (int i = 0; i < 3; i++) {
        snprintf (name, sizeof name, "%s%s", top, folders[i]);
        ck_assert_int_eq (mkdir (eddy_test_path (name), 0700), 0);
    }
    snprintf (name, sizeof name, "%s/a/b/file", top);
    files_write (name, text, strlen (text));
}

static void remove_all (const char *path)
{
    DIR *directory = opendir (path);
    struct dirent *entry;
    char name[4096];

    ck_assert_ptr_nonnull (directory);
    while ((entry = readdir (directory)) != NULL) {
        if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
            continue;
        snprintf (name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_all (name);
        else
            ck_assert_int_eq (unlink (name), 0);
        if (entry->d_type == DT_DIR)
            ck_assert_int_eq (rmdir (name), 0);
    }
    closedir (directory);
}

/* ---- What must not change -------------------------------------------------------------------- */

static const char *const outside_names[] = { "outside/a", "outside/a/b", "outside/a/b/file" };
static struct stat outside_before[3];

static void outside_assert_same (const char *what)
{
    for (int i = 0; i < 3; i++) {
        struct stat now = files_stat (outside_names[i]);
        ck_assert_msg (now.st_ctim.tv_sec == outside_before[i].st_ctim.tv_sec &&
                           now.st_ctim.tv_nsec == outside_before[i].st_ctim.tv_nsec,
                       "%s changed %s, swap %td before call %d", what, outside_names[i],
                       swap_next - swaps, swap_at);
    }
}

static void bytes_assert_inside (EddyBytes *bytes)
{
    if (bytes != NULL)
        ck_assert_mem_eq (eddy_bytes_get_data (bytes), "inside", 6);
    eddy_unref (bytes);
}

/* ---- The operations -------------------------------------------------------------------------- */

static EddyFile *swap_file (const char *name)
{
    EddyFile *file = eddy_dir_get_file (root, name);

    ck_assert_ptr_nonnull (file);
    return file;
}

static void load (EddyFile *file, EddyError **error)
{
    bytes_assert_inside (eddy_file_load_contents (file, NULL, error));
}

static void load_file (EddyError **error)
{
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/file");

    load (file, error);
}

static void load_up_and_down (EddyError **error)
{
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/../../a/b/file");

    load (file, error);
}

static void query (EddyError **error)
{
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/file");
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NONE, NULL, error);
    EddyError *other = NULL;
    EDDY_AUTO (EddyFileInfo)
    link = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, &other);

    eddy_clear_error (&other);
    if (info != NULL)
        ck_assert_uint_ne (eddy_file_info_get_inode (info), outside_before[2].st_ino);
    if (link != NULL)
        ck_assert_uint_ne (eddy_file_info_get_inode (link), outside_before[2].st_ino);
}

static void list (EddyError **error)
{
    EDDY_AUTO (EddyFile) folder = swap_file ("a/b");
    EDDY_AUTO (EddyFileInfoList) infos = eddy_file_list_children (folder, NULL, error);

    for (size_t i = 0; infos != NULL && i < eddy_file_info_list_get_length (infos); i++) {
        const EddyFileInfo *info = eddy_file_info_list_get (infos, i);
        EDDY_AUTO (EddyFile) child = eddy_file_get_child_for_info (folder, info);
        EddyError *other = NULL;
        ck_assert_ptr_nonnull (child);
        ck_assert_uint_ne (eddy_file_info_get_inode (info), outside_before[2].st_ino);
        load (child, &other);
        eddy_clear_error (&other);
    }
}

static void open_and_load (EddyError **error)
{
    EDDY_AUTO (EddyFile) folder = swap_file ("a/b");
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (folder, NULL, error);
    EDDY_AUTO (EddyFile) file = dir == NULL ? NULL : eddy_dir_get_file (dir, "file");

    ck_assert_int_eq (file != NULL, dir != NULL);
    if (file != NULL)
        load (file, error);
}

static void copy_out (EddyError **error)
{
    EDDY_AUTO (EddyFile) from = swap_file ("a/b/file");
    EDDY_AUTO (EddyFile) to = files_new ("copy");

    if (eddy_file_copy (from, to, EDDY_FILE_COPY_ALL_METADATA, NULL, NULL, NULL, error))
        files_assert_contents ("copy", "inside", 6);
}

static void copy_to (const char *name, EddyFileCopyFlags flags, EddyError **error)
{
    EDDY_AUTO (EddyFile) from = files_new ("source");
    EDDY_AUTO (EddyFile) to = swap_file (name);
    bool is_done = eddy_file_copy (from, to, flags, NULL, NULL, NULL, error);

    ck_assert_int_eq (is_done, *error == NULL);
}

static void copy_in (EddyError **error)
{
    copy_to ("a/b/new", EDDY_FILE_COPY_NONE, error);
}

static void copy_over (EddyError **error)
{
    copy_to ("a/b/file", EDDY_FILE_COPY_OVERWRITE, error);
}

static void give_attributes (EddyError **error)
{
    EDDY_AUTO (EddyFile) from = files_new ("source");
    EDDY_AUTO (EddyFile) to = swap_file ("a/b/file");
    bool is_done = eddy_file_copy_attributes (from, to, EDDY_FILE_COPY_ALL_METADATA, NULL, error);

    ck_assert_int_eq (is_done, *error == NULL);
}

static void make_names (EddyError **error)
{
    EDDY_AUTO (EddyFile) folder = swap_file ("a/b/made");
    EDDY_AUTO (EddyFile) link = swap_file ("a/b/link");
    EDDY_AUTO (EddyFile) hard = swap_file ("a/b/hard");
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/file");
    EddyError *other = NULL;
    bool is_done = eddy_file_make_directory (folder, NULL, error);

    ck_assert_int_eq (is_done, *error == NULL);
    is_done = eddy_file_make_symbolic_link (link, "x", NULL, &other);
    eddy_clear_error (&other);
    is_done = eddy_file_make_hard_link (file, hard, NULL, &other);
    eddy_clear_error (&other);
}

static void delete (EddyError **error)
{
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/file");
    bool is_done = eddy_file_delete (file, NULL, error);

    ck_assert_int_eq (is_done, *error == NULL);
}

static void replace (EddyError **error)
{
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/file");
    bool is_done =
        eddy_file_replace_contents (file, "inside, new", 11, NULL, /* make_backup= */ true,
                                    EDDY_FILE_CREATE_NONE, NULL, NULL, error);

    ck_assert_int_eq (is_done, *error == NULL);
}

static void write_over (EddyError **error)
{
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/file");
    const EddyFileOpenFlags flags =
        EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_CREATE | EDDY_FILE_OPEN_TRUNCATE;
    EDDY_AUTO (EddyFileHandle) handle = eddy_file_open (file, flags, NULL, error);

    if (handle != NULL && eddy_file_handle_write_at (handle, "inside", 6, 0, NULL, error) == 6)
        eddy_file_handle_close (handle, NULL, error);
}

static void move (EddyError **error)
{
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/file");
    EDDY_AUTO (EddyFile) to = swap_file ("a/moved");
    EDDY_AUTO (EddyFile) deep = swap_file ("a/b/x/y");
    EddyError *other = NULL;
    bool is_done = eddy_file_move (file, to, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error);

    ck_assert_int_eq (is_done, *error == NULL);
    is_done = eddy_file_make_directory_with_parents (deep, NULL, &other);
    ck_assert_int_eq (is_done, other == NULL);
    eddy_clear_error (&other);
}

static void set_attributes (EddyError **error)
{
    EDDY_AUTO (EddyFile) file = swap_file ("a/b/file");
    EDDY_AUTO (EddyFileInfo) info = eddy_file_info_new ();

    ck_assert_ptr_nonnull (info);
    eddy_file_info_set_mode (info, 0755);
    eddy_file_info_set_modification_time_ns (info, 1000000007);
    bool is_done = eddy_file_set_attributes (file, info, EDDY_FILE_QUERY_INFO_NONE, NULL, error);
    ck_assert_int_eq (is_done, *error == NULL);
}

/* ---- Every swap before every call ------------------------------------------------------------ */

/* Whether the operation ended before the swap's turn came. */
static bool swap_once (void (*operation) (EddyError **error), const char *what)
{
    EDDY_AUTO (EddyFile) folder = files_new ("root");
    EddyError *error = NULL;

    tree_make ("root", "inside");
    tree_make ("outside", "secret");
    files_write ("source", "inside too", 10);
    for (int i = 0; i < 3; i++)
        outside_before[i] = files_stat (outside_names[i]);
    root = eddy_dir_open (folder, NULL, &error);
    ck_assert_ptr_nonnull (root);
    swap_calls = 0;
    eddy__sys_set_fault (swap_hook, NULL);
    operation (&error);
    eddy__sys_set_fault (NULL, NULL);
    outside_assert_same (what);
    eddy_clear_error (&error);
    eddy_clear (&root);
    remove_all (eddy_test_directory ());
    return swap_calls < swap_at;
}

static void swap_everywhere (void (*operation) (EddyError **error), const char *what, int n_swaps)
{
    for (int denied = 0; denied < 2; denied++) {
        swap_denies = denied != 0;
        for (int i = 0; i < n_swaps; i++) {
            swap_next = &swaps[i];
            for (swap_at = 1; !swap_once (operation, what); swap_at++)
                ck_assert_int_lt (swap_at, 200);
            ck_assert_int_gt (swap_at, denied ? 3 : 1);
        }
    }
}

#define SWAP_TEST(operation) SWAP_TEST_FEW (operation, N_SWAPS)
#define SWAP_TEST_FEW(operation, n_swaps)                                                          \
    EDDY_TEST_TIMEOUT (dir_swapped_while_##operation, 60)                                          \
    {                                                                                              \
        swap_everywhere (operation, #operation, n_swaps);                                          \
    }

SWAP_TEST (load_file)
SWAP_TEST (load_up_and_down)
SWAP_TEST (query)
SWAP_TEST (list)
SWAP_TEST (open_and_load)
SWAP_TEST (copy_out)
SWAP_TEST (copy_in)
SWAP_TEST (copy_over)
SWAP_TEST (give_attributes)
SWAP_TEST (make_names)
SWAP_TEST (delete)
/* Each waits for the disk. */
SWAP_TEST_FEW (replace, 2)
SWAP_TEST (write_over)
SWAP_TEST (move)
SWAP_TEST (set_attributes)
