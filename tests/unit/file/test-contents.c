/* SPDX-License-Identifier: MIT */
/*
 * Contents that have holes, and sources that change while they are copied.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "files.h"

/* ---- Holes ----------------------------------------------------------------------------------- */

static void sparse_write (const char *name, int64_t offset, const char *text)
{
    int fd = open (eddy_test_path (name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (pwrite (fd, text, strlen (text), offset), (ssize_t) strlen (text));
    close (fd);
}

static void sparse_assert (const char *name, int64_t offset, const char *text)
{
    char found[64] = "";
    int fd = open (eddy_test_path (name), O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq (pread (fd, found, strlen (text), offset), (ssize_t) strlen (text));
    ck_assert_str_eq (found, text);
    close (fd);
}

EDDY_TEST (sparse_file_of_5_gib_stays_sparse)
{
    const int64_t size = INT64_C (5) << 30;

    sparse_write ("from", 0, "first");
    sparse_write ("from", (INT64_C (3) << 30) + 12345, "middle");
    sparse_write ("from", size - 1000000, "last");
    ck_assert_int_eq (truncate (eddy_test_path ("from"), size), 0);
    files_copy ("from", "to", FILES_KEEP_ALL);
    struct stat from = files_stat ("from"), to = files_stat ("to");
    ck_assert_int_eq (to.st_size, size);
    ck_assert_int_le (to.st_blocks, from.st_blocks + 64);
    sparse_assert ("to", 0, "first");
    sparse_assert ("to", (INT64_C (3) << 30) + 12345, "middle");
    sparse_assert ("to", size - 1000000, "last");
}

EDDY_TEST (sparse_files_are_copied_byte_by_byte)
{
    const int64_t step = 1 << 16;
    unsigned state = 12345;

    for (int round = 0; round < 20; round++) {
        char name[32];
        snprintf (name, sizeof name, "from %d", round);
        for (int i = 0; i < 8; i++) {
            state = state * 1103515245 + 12345;
            sparse_write (name, (int64_t) (state >> 16) % 40 * step + round, "some data");
        }
        if (round % 2 == 0)
            ck_assert_int_eq (truncate (eddy_test_path (name), 41 * step), 0);
        files_copy (name, "to", EDDY_FILE_COPY_OVERWRITE);
        files_assert_same (name, "to");
    }
}

EDDY_TEST (sparse_file_without_any_data)
{
    files_write ("from", "", 0);
    ck_assert_int_eq (truncate (eddy_test_path ("from"), 10000000), 0);
    files_copy ("from", "to", 0);
    ck_assert_int_eq (files_stat ("to").st_size, 10000000);
    ck_assert_int_eq (files_stat ("to").st_blocks, 0);
}

/* ---- Sources that change --------------------------------------------------------------------- */

typedef struct Changer {
    char path[4096];
    int64_t size; /* to which it is cut or extended */
    atomic_bool is_done;
    bool grows;
} Changer;

/* Appends whole lines, or cuts the file and lets it be. */
static void *changer_run (void *data)
{
    static const char line[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
    Changer *changer = data;
    int fd = open (changer->path, O_WRONLY | O_APPEND | O_CLOEXEC);

    while (!atomic_load (&changer->is_done)) {
        if (!changer->grows && ftruncate (fd, changer->size) != 0)
            break;
        if (changer->grows && write (fd, line, sizeof line - 1) < 0)
            break;
    }
    close (fd);
    return NULL;
}

static void copy_while_it_changes (Changer *changer, const char *to)
{
    pthread_t thread;

    snprintf (changer->path, sizeof changer->path, "%s", eddy_test_path ("from"));
    atomic_init (&changer->is_done, false);
    ck_assert_int_eq (pthread_create (&thread, NULL, changer_run, changer), 0);
    files_copy ("from", to, EDDY_FILE_COPY_OVERWRITE);
    atomic_store (&changer->is_done, true);
    pthread_join (thread, NULL);
}

EDDY_TEST (source_that_grows_is_copied_to_an_end_it_had)
{
    for (int round = 0; round < 20; round++) {
        Changer changer = { .grows = true };
        size_t len = (size_t) 64 * 4000;
        char *lines = malloc (len);
        for (size_t i = 0; i < len; i++)
            lines[i] = i % 64 == 63 ? '\n' : "0123456789abcdef"[i % 16];
        files_write ("from", lines, len);
        free (lines);
        copy_while_it_changes (&changer, "to");
        struct stat from = files_stat ("from"), to = files_stat ("to");
        ck_assert_int_ge (to.st_size, (off_t) len);
        ck_assert_int_le (to.st_size, from.st_size);
        ck_assert_int_eq (truncate (eddy_test_path ("from"), to.st_size), 0);
        files_assert_same ("from", "to");
    }
}

EDDY_TEST (source_that_shrinks_is_copied_to_an_end_it_had)
{
    for (int round = 0; round < 20; round++) {
        Changer changer = { .size = 100 + round };
        files_write_pattern ("from", 4 << 20);
        files_write_pattern ("whole", 4 << 20);
        copy_while_it_changes (&changer, "to");
        struct stat to = files_stat ("to");
        ck_assert_int_ge (to.st_size, changer.size);
        ck_assert_int_eq (truncate (eddy_test_path ("whole"), to.st_size), 0);
        files_assert_same ("whole", "to");
    }
}

/* By faults of the door the changes come exactly where they hurt. */
static struct {
    EddySysCall call;
    unsigned nth;
    unsigned seen;
    void (*change) (void);
} moment;

static int moment_ask (EddySysCall call, void *data)
{
    (void) data;
    if (call == moment.call && ++moment.seen == moment.nth)
        moment.change ();
    return 0;
}

/* Whether there was such a call. */
static bool copy_with_change_at (EddySysCall call, unsigned nth, void (*change) (void))
{
    moment.call = call;
    moment.nth = nth;
    moment.seen = 0;
    moment.change = change;
    eddy__sys_set_fault (moment_ask, NULL);
    files_copy ("from", "to", EDDY_FILE_COPY_OVERWRITE);
    eddy__sys_set_fault (NULL, NULL);
    return moment.seen >= nth;
}

static void change_to_nothing (void)
{
    ck_assert_int_eq (truncate (eddy_test_path ("from"), 0), 0);
}

static void change_append (void)
{
    files_append ("from", "more", 4);
}

EDDY_TEST (source_changes_between_two_reads)
{
    files_write_pattern ("from", 300000);
    ck_assert (copy_with_change_at (EDDY_SYS_READ, 2, change_to_nothing));
    ck_assert_int_eq (files_stat ("to").st_size, 128 * 1024);
    files_write_pattern ("from", 300000);
    ck_assert (copy_with_change_at (EDDY_SYS_READ, 1, change_append));
    files_assert_same ("from", "to");
    ck_assert_int_eq (files_stat ("to").st_size, 300004);
}

EDDY_TEST (sparse_source_changes_between_any_two_calls)
{
    void (*const changes[]) (void) = { change_to_nothing, change_append };
    unsigned n_changed = 0;

    for (unsigned nth = 1; nth <= 12; nth++)
        for (int i = 0; i < 2; i++) {
            files_write_pattern ("from", 5000);
            ck_assert_int_eq (truncate (eddy_test_path ("from"), 4 << 20), 0);
            sparse_write ("from", 4 << 20, "the end");
            int64_t before = files_stat ("from").st_size;
            if (!copy_with_change_at (EDDY_SYS_LSEEK, nth, changes[i]))
                continue;
            n_changed++;
            int64_t after = files_stat ("to").st_size;
            ck_assert_int_le (after, before + (changes[i] == change_append ? 4 : 0));
            /* What was appended is in the copy or is not, but is no hole in it. */
            if (changes[i] == change_append) {
                ck_assert_int_eq (truncate (eddy_test_path ("from"), after), 0);
                files_assert_same ("from", "to");
            }
        }
    ck_assert_uint_ge (n_changed, 12);
}
