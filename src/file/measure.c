/* SPDX-License-Identifier: MIT */
/* Measuring what all below a folder takes: a job for each folder, several at once; the folders that
 * it finds come on a stack, so that few wait at a time. */
#include <eddy/file-bodies.h>

#include <eddy/group.h>
#include <errno.h>
#include <sys/sysmacros.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/at-private.h"
#include "file/folder-private.h"
#include "sys/clock-private.h"

enum {
    MEASURE_AT_ONCE = 16,
    MEASURE_CANCEL_EVERY = 64,      /* files between two looks at the cancellable */
    MEASURE_TELL_NS = 200 * 1000000 /* between two tellings of the progress */
};

/* A folder to be looked into. */
typedef struct MeasureFolder {
    struct MeasureFolder *next;
    EddyFile *file;
    struct Measure *measure;
} MeasureFolder;

typedef struct MeasureCounts {
    uint64_t disk_usage;
    uint64_t num_dirs;
    uint64_t num_files;
} MeasureCounts;

typedef struct Measure {
    EddyFileMeasureFlags flags;
    EddyCancellable *cancellable;
    const EddyFile *top; /* what is measured … */
    uint64_t device;     /* … and where it is */
    MeasureCounts counts;
    MeasureFolder *folders; /* the stack */
    EddyFileProgressCallback progress_callback;
    void *progress_callback_data;
    int64_t told_ns;
} Measure;

/* --- one folder, on a worker ------------------------------------------------------------------ */

typedef struct MeasureJob {
    const Measure *measure;
    const EddyFile *folder;
    MeasureCounts counts;
    EddyFileInfoList *folders; /* found in it */
    bool may_be_passed_over;   /* it could not be read, for a reason of its own */
} MeasureJob;

static bool measure_reports (const Measure *measure)
{
    return (measure->flags & EDDY_FILE_MEASURE_REPORT_ANY_ERROR) != 0;
}

static void measure_add (const Measure *measure, MeasureCounts *counts, bool is_folder,
                         uint64_t size, uint64_t allocated_size)
{
    bool apparent = (measure->flags & EDDY_FILE_MEASURE_APPARENT_SIZE) != 0;
    counts->disk_usage += apparent ? size : allocated_size;
    counts->num_dirs += is_folder ? 1 : 0;
    counts->num_files += is_folder ? 0 : 1;
}

/* One entry; one that went meanwhile, or is on another file system, does not count. */
static int measure_entry (MeasureJob *job, int fd, const char *name)
{
    const unsigned mask = STATX_TYPE | STATX_SIZE | STATX_BLOCKS;
    const Measure *measure = job->measure;
    struct statx stat;
    int result =
        eddy__sys_statx (fd, name, eddy__file_stat_flags (/* follow= */ false), mask, &stat);
    if (result < 0)
        return result == -ENOENT ? 0 : result;
    if ((measure->flags & EDDY_FILE_MEASURE_NO_XDEV) != 0 &&
        makedev (stat.stx_dev_major, stat.stx_dev_minor) != measure->device)
        return 0;
    bool is_folder = S_ISDIR (stat.stx_mode);
    measure_add (measure, &job->counts, is_folder, stat.stx_size, stat.stx_blocks * 512);
    if (is_folder && eddy__file_info_list_add (job->folders, name) == NULL)
        return -ENOMEM;
    return 0;
}

static int measure_read (MeasureJob *job, EddyFolder *folder, EddyCancellable *cancellable)
{
    const EddySysDirent *entry = NULL;
    for (size_t n_asked = 1;; n_asked++) {
        int result = eddy__folder_next (folder, &entry);
        if (result > 0)
            result = measure_entry (job, folder->fd, entry->name);
        else
            return result;
        if (result == -ENOMEM || (result < 0 && measure_reports (job->measure)))
            return result;
        if (n_asked % MEASURE_CANCEL_EVERY == 0 && eddy_cancellable_is_cancelled (cancellable))
            return -ECANCELED;
    }
}

static void measure_run (void *data, EddyCancellable *cancellable, EddyValue *value,
                         EddyError **error)
{
    MeasureJob *job = data;
    EddyFolder folder = { .records = eddy__file_buffer (), .capacity = EDDY_FILE_BUFFER_SIZE };
    job->folders = eddy__file_info_list_new ();
    int result = -ENOMEM;
    if (job->folders != NULL && folder.records != NULL)
        result = folder.fd = eddy__file_open (job->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (result >= 0) {
        result = measure_read (job, &folder, cancellable);
        eddy__sys_close (folder.fd);
    }
    if (job->folders != NULL)
        eddy__file_info_list_finish (job->folders);
    job->may_be_passed_over = result < 0 && result != -ECANCELED && result != -ENOMEM;
    if (result == 0)
        eddy_value_set_boolean (value, true);
    else if (result != -ECANCELED || !eddy_cancellable_set_error_if_cancelled (cancellable, error))
        eddy_error_set_errno (error, -result, "%s", job->folder->path);
}

static const EddyForm measure_form = {
    .name = "eddy_file_measure_disk_usage",
    .kind = EDDY_FORM_JOB,
    .value_kind = EDDY_VALUE_BOOLEAN,
    .arguments_size = sizeof (MeasureJob),
    .progress_offset = SIZE_MAX,
    .run = measure_run,
};

/* --- all of them, in fibers of one context ---------------------------------------------------- */

static void measure_folder_free (void *data)
{
    MeasureFolder *folder = data;
    eddy_unref (folder->file);
    eddy__block_free (folder, sizeof *folder);
}

/* Takes the file; false when memory is out. */
static bool measure_push (Measure *measure, EddyFile *file)
{
    MeasureFolder *folder = file == NULL ? NULL : eddy__block_alloc (sizeof *folder);
    if (folder == NULL) {
        eddy_unref (file);
        return false;
    }
    *folder = (MeasureFolder){ measure->folders, file, measure };
    measure->folders = folder;
    return true;
}

static void measure_tell (Measure *measure)
{
    int64_t now_ns = eddy__sys_now_ns ();
    int64_t usage = (int64_t) measure->counts.disk_usage;
    if (measure->progress_callback == NULL || now_ns - measure->told_ns < MEASURE_TELL_NS)
        return;
    measure->told_ns = now_ns;
    measure->progress_callback (usage, usage, measure->progress_callback_data);
}

static bool measure_take (Measure *measure, const MeasureJob *job, EddyFile *folder)
{
    measure->counts.disk_usage += job->counts.disk_usage;
    measure->counts.num_dirs += job->counts.num_dirs;
    measure->counts.num_files += job->counts.num_files;
    for (size_t i = 0; job->folders != NULL && i < job->folders->length; i++)
        if (!measure_push (measure, eddy_file_get_child (folder, job->folders->infos[i].name)))
            return false;
    measure_tell (measure);
    return true;
}

/* A fiber of the group: what was counted before an error counts. */
static void *measure_folder (void *data, EddyError **error)
{
    const MeasureFolder *folder = data;
    Measure *measure = folder->measure;
    MeasureJob job = { .measure = measure, .folder = folder->file };
    EddyValue value = EDDY_VALUE_INIT;
    bool is_whole = eddy_form_call (&measure_form, &job, measure->cancellable, &value, error);
    if (!is_whole && job.may_be_passed_over && !measure_reports (measure) &&
        folder->file != measure->top)
        eddy_clear_error (error);
    if (!measure_take (measure, &job, folder->file) && *error == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s", folder->file->path);
    eddy_unref (job.folders);
    return NULL;
}

/* Starts a fiber for each folder, and waits for them whenever there is no further one: they may yet
 * find some. False with the error of a start that failed, be it that one of them has failed. */
static bool measure_start_all (Measure *measure, EddyGroup *group, EddyError **error)
{
    while (measure->folders != NULL) {
        MeasureFolder *folder = measure->folders;
        measure->folders = folder->next;
        if (!eddy_group_spawn (group, measure_folder, folder, measure_folder_free, error))
            return false;
        if (measure->folders == NULL && !eddy_group_wait (group, NULL))
            return true; /* which the last wait says again */
    }
    return true;
}

static bool measure_below (Measure *measure, EddyError **error)
{
    EddyError *unstarted = NULL;
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    if (group == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", measure->top->path);
        return false;
    }
    eddy_group_set_limit (group, MEASURE_AT_ONCE);
    bool all_started = measure_start_all (measure, group, &unstarted);
    bool all_ended = eddy_group_wait (group, error);
    if (all_ended && !all_started)
        eddy_error_take (error, unstarted);
    else
        eddy_unref (unstarted);
    return all_started && all_ended;
}

/* What is named, and the folder that it may be. */
static bool measure_top (Measure *measure, EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, measure->cancellable,
                                 error);
    if (info == NULL)
        return false;
    bool is_folder = S_ISDIR (info->mode);
    measure->device = info->device;
    measure_add (measure, &measure->counts, is_folder, (uint64_t) info->size,
                 (uint64_t) info->allocated_size);
    if (!is_folder || measure_push (measure, eddy_ref (file)))
        return true;
    eddy_error_set_errno (error, ENOMEM, "%s", file->path);
    return false;
}

bool eddy_file_measure_disk_usage_body (EddyFile *file, EddyFileMeasureFlags flags,
                                        EddyCancellable *cancellable,
                                        EddyFileProgressCallback progress_callback,
                                        void *progress_callback_data, uint64_t *disk_usage,
                                        uint64_t *num_dirs, uint64_t *num_files, EddyError **error)
{
    EDDY__EXPECT (file != NULL, false);
    Measure measure = { .flags = flags,
                        .cancellable = cancellable,
                        .top = file,
                        .progress_callback = progress_callback,
                        .progress_callback_data = progress_callback_data,
                        .told_ns = eddy__sys_now_ns () };
    bool is_whole = measure_top (&measure, file, error);
    if (is_whole && measure.folders != NULL)
        is_whole = measure_below (&measure, error);
    while (measure.folders != NULL) {
        MeasureFolder *folder = measure.folders;
        measure.folders = folder->next;
        measure_folder_free (folder);
    }
    measure.told_ns = 0;
    if (is_whole)
        measure_tell (&measure);
    if (disk_usage != NULL)
        *disk_usage = measure.counts.disk_usage;
    if (num_dirs != NULL)
        *num_dirs = measure.counts.num_dirs;
    if (num_files != NULL)
        *num_files = measure.counts.num_files;
    return is_whole;
}
