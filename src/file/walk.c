/* SPDX-License-Identifier: MIT */
/* Walking a tree: a stack of the folders on the way to where the walk is. Each is read in parts, by
 * jobs, and stays open only while there is more of it. Folders that will come soon are read ahead:
 * they hang on the one that holds them until the walk gets there. */
#include <eddy/file-walk.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "base/object-private.h"
#include "file/at-private.h"
#include "file/folder-private.h"
#include "sequence/sequence-private.h"

enum {
    WALK_PART = 1000,        /* files of a folder that are in memory */
    WALK_AHEAD = 8,          /* folders that are read before the walk gets there; … */
    WALK_AHEAD_EACH = 4,     /* … and of those, in one folder */
    WALK_RECORDS = 32 * 1024 /* of getdents64 */
};

struct EddyFileWalkEntry {
    EddyObject object;
    EddyFile *file;
    EddyFileInfo *info;
    EddyError *error;
    unsigned depth;
    bool skips;
};

/* A folder of the walk. Shared with the job that reads it, which alone touches `reader` and
 * `fresh` while it is under way. */
typedef struct WalkFolder WalkFolder;
struct WalkFolder {
    EddyObject object;
    WalkFolder *holder; /* what it is in */
    WalkFolder *ahead;  /* folders in it that are read ahead: the first; and … */
    WalkFolder *after;  /* … the next one of those in its holder */
    size_t index;       /* of its info in its holder's part: ahead only */
    EddyFile *file;
    EddyFileInfo *info;
    unsigned depth;
    unsigned n_ahead;
    EddyFuture *reading; /* NULL: no job */
    EddyFileInfoList *part;
    size_t next;        /* of the part: what comes next */
    size_t scout;       /* of the part: as far as it was looked for folders to read ahead */
    bool is_done;       /* nothing more is to be read */
    EddyError *failure; /* why; told behind the part */
    EddyFolder reader;
    EddyFileInfoList *fresh;
};

typedef struct Walk {
    EddyFile *file; /* what is walked; NULL: it has come */
    EddyFileWalkFlags flags;
    EddyCancellable *life; /* of its jobs: what ends who asks does not end them */
    uint64_t device;
    WalkFolder *top;         /* where the walk is; NULL: nowhere */
    EddyFileWalkEntry *last; /* the folder that came last, and may yet be skipped; or NULL */
    size_t last_index;
    unsigned n_ahead;
} Walk;

/* --- entries ---------------------------------------------------------------------------------- */

static void entry_finalize (void *object)
{
    EddyFileWalkEntry *entry = object;
    eddy_unref (entry->file);
    eddy_unref (entry->info);
    eddy_unref (entry->error);
}

static const EddyClass entry_class = { .name = "EddyFileWalkEntry",
                                       .size = sizeof (EddyFileWalkEntry),
                                       .finalize = entry_finalize };

/* Takes the references; NULL when one of them is, or memory is out. */
static EddyFileWalkEntry *entry_new (EddyFile *file, EddyFileInfo *info, unsigned depth)
{
    EddyFileWalkEntry *entry = file == NULL || info == NULL ? NULL : eddy_object_new (&entry_class);
    if (entry == NULL) {
        eddy_unref (file);
        eddy_unref (info);
        return NULL;
    }
    entry->file = file;
    entry->info = info;
    entry->depth = depth;
    return entry;
}

EddyFile *eddy_file_walk_entry_get_file (EddyFileWalkEntry *entry)
{
    EDDY__EXPECT (entry != NULL, NULL);
    return entry->file;
}

const EddyFileInfo *eddy_file_walk_entry_get_info (EddyFileWalkEntry *entry)
{
    EDDY__EXPECT (entry != NULL, NULL);
    return entry->info;
}

unsigned eddy_file_walk_entry_get_depth (EddyFileWalkEntry *entry)
{
    EDDY__EXPECT (entry != NULL, 0);
    return entry->depth;
}

const EddyError *eddy_file_walk_entry_get_error (EddyFileWalkEntry *entry)
{
    EDDY__EXPECT (entry != NULL, NULL);
    return entry->error;
}

void eddy_file_walk_entry_skip (EddyFileWalkEntry *entry)
{
    EDDY__EXPECT (entry != NULL);
    entry->skips = true;
}

/* --- reading folders -------------------------------------------------------------------------- */

static void folder_finalize (void *object)
{
    WalkFolder *folder = object;
    eddy_unref (folder->file);
    eddy_unref (folder->info);
    eddy_unref (folder->part);
    eddy_unref (folder->fresh);
    eddy_unref (folder->failure);
    if (folder->reader.fd >= 0)
        eddy__sys_close (folder->reader.fd);
    eddy__free (folder->reader.records);
}

static const EddyClass folder_class = { .name = "EddyFileWalk",
                                        .size = sizeof (WalkFolder),
                                        .finalize = folder_finalize };

/* Takes the references; NULL when one of them is, or memory is out. */
static WalkFolder *folder_new (EddyFile *file, EddyFileInfo *info, unsigned depth)
{
    WalkFolder *folder = file == NULL || info == NULL ? NULL : eddy_object_new (&folder_class);
    if (folder == NULL) {
        eddy_unref (file);
        eddy_unref (info);
        return NULL;
    }
    folder->file = file;
    folder->info = info;
    folder->depth = depth;
    folder->reader.fd = -1;
    return folder;
}

/* The next part, on a worker; 0 or -errno. */
static int folder_read (WalkFolder *folder, EddyCancellable *cancellable)
{
    EddyFolder *reader = &folder->reader;
    folder->fresh = eddy__file_info_list_new ();
    if (reader->records == NULL)
        reader->records = eddy__alloc (WALK_RECORDS);
    if (reader->records == NULL || folder->fresh == NULL)
        return -ENOMEM;
    reader->capacity = WALK_RECORDS;
    if (reader->fd < 0)
        reader->fd = eddy__file_open (folder->file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return reader->fd < 0 ? reader->fd
                          : eddy__folder_list (reader, folder->file, /* follow= */ false, WALK_PART,
                                               folder->fresh, cancellable);
}

static void folder_run (void *arguments, EddyCancellable *cancellable, EddyValue *value,
                        EddyError **error)
{
    WalkFolder *folder = *(WalkFolder **) arguments;
    int result = folder_read (folder, cancellable);
    if (folder->fresh != NULL)
        eddy__file_info_list_finish (folder->fresh);
    bool is_part = result == 0 && folder->fresh->length == WALK_PART;
    if (!is_part && folder->reader.fd >= 0) {
        eddy__sys_close (folder->reader.fd);
        folder->reader.fd = -1;
    }
    if (!is_part) {
        eddy__free (folder->reader.records);
        folder->reader.records = NULL;
    }
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", folder->file->path);
    else
        eddy_value_set_boolean (value, is_part);
}

static bool folder_keep (void *arguments)
{
    eddy_ref (*(WalkFolder **) arguments);
    return true;
}

static void folder_clear (void *arguments)
{
    eddy_unref (*(WalkFolder **) arguments);
}

static const EddyForm folder_form = { .name = "eddy_file_walk",
                                      .kind = EDDY_FORM_JOB,
                                      .value_kind = EDDY_VALUE_BOOLEAN,
                                      .arguments_size = sizeof (WalkFolder *),
                                      .keeps_arguments = true,
                                      .progress_offset = SIZE_MAX,
                                      .run = folder_run,
                                      .keep = folder_keep,
                                      .clear = folder_clear };

static void walk_begin_reading (const Walk *walk, WalkFolder *folder)
{
    folder->reading = eddy_form_start (eddy_form_begin (
        &folder_form, NULL, &folder, eddy__fiber_current ()->future.entry.priority, walk->life));
}

/* The read that was under way has ended: its part is what comes now. */
static void folder_end_reading (WalkFolder *folder)
{
    EddyValue value = EDDY_VALUE_INIT;
    bool has_more =
        eddy_future_take (folder->reading, &value, &folder->failure) && value.as.boolean;
    eddy_clear (&folder->reading);
    eddy_unref (folder->part);
    folder->part = EDDY_TAKE (folder->fresh);
    folder->next = folder->scout = 0;
    folder->is_done = !has_more;
}

/* Lets go of a folder, whose job, if any, ends unseen. */
static void folder_drop (Walk *walk, WalkFolder *folder)
{
    while (folder->ahead != NULL) {
        WalkFolder *ahead = folder->ahead;
        folder->ahead = ahead->after;
        walk->n_ahead--;
        folder_drop (walk, ahead);
    }
    eddy_clear (&folder->reading);
    eddy_unref (folder);
}

/* --- the walk --------------------------------------------------------------------------------- */

static bool walk_may_enter (const Walk *walk, const EddyFileInfo *info)
{
    return eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY &&
           ((walk->flags & EDDY_FILE_WALK_ONE_FILE_SYSTEM) == 0 ||
            eddy_file_info_get_device (info) == walk->device);
}

/* Begins to read folders that will come soon. Where that cannot be, they are read in their turn. */
static void walk_look_ahead (Walk *walk, WalkFolder *folder)
{
    WalkFolder **end = &folder->ahead;
    while (*end != NULL)
        end = &(*end)->after;
    folder->scout = folder->scout < folder->next ? folder->next : folder->scout;
    while (walk->n_ahead < WALK_AHEAD && folder->n_ahead < WALK_AHEAD_EACH &&
           folder->scout < folder->part->length) {
        size_t index = folder->scout++;
        const EddyFileInfo *info = &folder->part->infos[index];
        if (!walk_may_enter (walk, info))
            continue;
        WalkFolder *ahead = folder_new (eddy_file_get_child_for_info (folder->file, info),
                                        eddy_file_info_dup (info), folder->depth + 1);
        if (ahead == NULL)
            return;
        ahead->index = index;
        walk_begin_reading (walk, ahead);
        *end = ahead;
        end = &ahead->after;
        walk->n_ahead++;
        folder->n_ahead++;
    }
}

/* Takes the folder with this index, which is the first, if it was read ahead. */
static WalkFolder *walk_take_ahead (Walk *walk, WalkFolder *holder, size_t index)
{
    WalkFolder *ahead = holder == NULL ? NULL : holder->ahead;
    if (ahead == NULL || ahead->index != index)
        return NULL;
    holder->ahead = EDDY_TAKE (ahead->after);
    holder->n_ahead--;
    walk->n_ahead--;
    return ahead;
}

/* Goes into the folder that came last, unless it was skipped; false when memory is out. */
static bool walk_enter (Walk *walk)
{
    EDDY_AUTO (EddyFileWalkEntry) entry = EDDY_TAKE (walk->last);
    if (entry == NULL)
        return true;
    WalkFolder *folder = walk_take_ahead (walk, walk->top, walk->last_index);
    if (entry->skips) {
        if (folder != NULL)
            folder_drop (walk, folder);
        return true;
    }
    if (folder == NULL)
        folder = folder_new (eddy_ref (entry->file), eddy_ref (entry->info), entry->depth);
    if (folder == NULL)
        return false;
    folder->holder = walk->top;
    walk->top = folder;
    return true;
}

/* An entry is about to be told. */
static EddyFileWalkEntry *walk_note (Walk *walk, EddyFileWalkEntry *entry, size_t index)
{
    if (walk_may_enter (walk, entry->info)) {
        walk->last = eddy_ref (entry);
        walk->last_index = index;
    }
    return entry;
}

/* What is walked comes first. */
static EddyFileWalkEntry *walk_begin (Walk *walk, EddyCancellable *cancellable, EddyError **error)
{
    EddyFileInfo *info = eddy_file_query_info (walk->file, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS,
                                               cancellable, error);
    if (info == NULL)
        return NULL;
    walk->device = eddy_file_info_get_device (info);
    EddyFileWalkEntry *entry = entry_new (eddy_ref (walk->file), info, /* depth= */ 0);
    if (entry == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", walk->file->path);
        return NULL;
    }
    eddy_clear (&walk->file);
    return walk_note (walk, entry, 0);
}

/* The next file of a folder's part. */
static EddyFileWalkEntry *walk_take (Walk *walk, WalkFolder *folder, EddyError **error)
{
    size_t index = folder->next;
    const EddyFileInfo *info = &folder->part->infos[index];
    EddyFileWalkEntry *entry = entry_new (eddy_file_get_child_for_info (folder->file, info),
                                          eddy_file_info_dup (info), folder->depth + 1);
    if (entry == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", folder->file->path);
        return NULL;
    }
    folder->next++;
    walk_look_ahead (walk, folder);
    return walk_note (walk, entry, index);
}

/* A folder comes a second time: it could not be read, or not to its end. */
static EddyFileWalkEntry *walk_tell_failure (WalkFolder *folder, EddyError **error)
{
    EddyFileWalkEntry *entry =
        entry_new (eddy_ref (folder->file), eddy_ref (folder->info), folder->depth);
    if (entry == NULL)
        eddy_error_take (error, EDDY_TAKE (folder->failure));
    else
        entry->error = EDDY_TAKE (folder->failure);
    return entry;
}

static void *walk_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Walk *walk = eddy_sequence_get_data (sequence);
    if (walk->file != NULL)
        return walk_begin (walk, cancellable, error);
    if (!walk_enter (walk))
        return eddy__sequence_fail_wait (sequence, -ENOMEM, cancellable, error);
    while (walk->top != NULL) {
        WalkFolder *folder = walk->top;
        if (folder->reading != NULL) {
            int answer = eddy__sequence_wait_for (sequence, folder->reading, cancellable);
            if (answer < 0)
                return eddy__sequence_fail_wait (sequence, answer, cancellable, error);
            folder_end_reading (folder);
        }
        if (folder->part != NULL && folder->next < folder->part->length)
            return walk_take (walk, folder, error);
        if (folder->failure != NULL)
            return walk_tell_failure (folder, error);
        if (folder->is_done) {
            walk->top = folder->holder;
            folder_drop (walk, folder);
        } else {
            walk_begin_reading (walk, folder);
        }
    }
    return NULL;
}

static void walk_dispose (EddySequence *sequence)
{
    Walk *walk = eddy_sequence_get_data (sequence);
    while (walk->top != NULL) {
        WalkFolder *folder = walk->top;
        walk->top = folder->holder;
        folder_drop (walk, folder);
    }
    eddy_clear (&walk->last);
    eddy_clear (&walk->file);
    eddy_clear (&walk->life);
}

static const EddySequenceFuncs walk_funcs = { .next = walk_next, .dispose = walk_dispose };

EddySequence *eddy_file_walk (EddyFile *file, EddyFileWalkFlags flags)
{
    EDDY__EXPECT (file != NULL, NULL);
    EddyCancellable *life = eddy_cancellable_new ();
    EddySequence *sequence =
        life == NULL ? NULL : eddy_sequence_new (&walk_funcs, sizeof (Walk), eddy_destroy);
    if (sequence == NULL) {
        eddy_unref (life);
        return NULL;
    }
    *(Walk *) eddy_sequence_get_data (sequence) =
        (Walk){ .file = eddy_ref (file), .flags = flags, .life = life };
    return sequence;
}
