/* SPDX-License-Identifier: MIT */
/* EddyFileEnumerator: a folder read by jobs, one for each call, between which it stays open.
 *
 * That one operation is under way at a time is decided where the call is made, in the enumerator's
 * thread; so next_files is no job itself, but waits for one. */
#include <eddy/file-enumerator-bodies.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/at-private.h"
#include "file/folder-private.h"
#include "io/stream-private.h"

enum {
    ENUMERATOR_BUFFER = 32 * 1024,
    ENUMERATOR_AHEAD = 64 /* files that a sequence reads at once */
};

struct EddyFileEnumerator {
    EddyStream stream; /* open, pending and closed are a stream's */
    EddyFile *container;
    bool follow;
    EddyFolder folder; /* its buffer is made with the first read */
    EddyError *kept;   /* told by the next call, since this one had files to tell */
};

static void enumerator_dispose (void *object)
{
    EddyFileEnumerator *self = object;
    if (self->folder.fd >= 0)
        eddy__stream_close_fd_later (self->folder.fd, /* may_wait= */ true);
    self->folder.fd = -1;
}

static void enumerator_finalize (void *object)
{
    EddyFileEnumerator *self = object;
    eddy_unref (self->container);
    eddy_unref (self->kept);
    eddy__free (self->folder.records);
}

static const EddyClass enumerator_class = { .name = "EddyFileEnumerator",
                                            .size = sizeof (EddyFileEnumerator),
                                            .dispose = enumerator_dispose,
                                            .finalize = enumerator_finalize };

EddyFileEnumerator *eddy_file_enumerate_children_body (EddyFile *file, EddyFileQueryInfoFlags flags,
                                                       EddyCancellable *cancellable,
                                                       EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    EddyFileEnumerator *self = eddy_object_new (&enumerator_class);
    int fd = self == NULL ? -ENOMEM : eddy__file_open (file, O_RDONLY | O_DIRECTORY, 0);
    if (self != NULL) {
        self->folder.fd = fd;
        self->container = eddy_ref (file);
        self->follow = (flags & EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS) == 0;
    }
    if (fd >= 0)
        return self;
    eddy_error_set_errno (error, -fd, "%s", file->path);
    return eddy_unref (self);
}

/* --- reading on ------------------------------------------------------------------------------- */

typedef struct EnumeratorRead {
    EddyFileEnumerator *enumerator;
    size_t num_files;
} EnumeratorRead;

static int enumerator_list (EddyFileEnumerator *self, size_t num_files, EddyFileInfoList *list,
                            EddyCancellable *cancellable)
{
    if (self->folder.records == NULL) {
        self->folder.records = eddy__alloc (ENUMERATOR_BUFFER);
        self->folder.capacity = ENUMERATOR_BUFFER;
    }
    if (self->folder.records == NULL)
        return -ENOMEM;
    return eddy__folder_list (&self->folder, self->container, self->follow, num_files, list,
                              cancellable);
}

/* On a worker, or in the calling thread. An error comes after the files that were read before it; a
 * cancel after them has done nothing, so nothing is told of it. */
static void enumerator_read (void *data, EddyCancellable *cancellable, EddyValue *value,
                             EddyError **error)
{
    const EnumeratorRead *read = data;
    EddyFileEnumerator *self = read->enumerator;
    EddyError *failure = NULL;
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return;
    EddyFileInfoList *list = eddy__file_info_list_new ();
    int result =
        list == NULL ? -ENOMEM : enumerator_list (self, read->num_files, list, cancellable);
    bool has_files = list != NULL && list->length > 0;
    if (result < 0 && result != -ECANCELED)
        eddy_error_set_errno (&failure, -result, "%s", self->container->path);
    else if (result == -ECANCELED && !has_files)
        eddy_cancellable_set_error_if_cancelled (cancellable, &failure);
    if (failure != NULL && !has_files) {
        eddy_unref (list);
        *error = failure;
        return;
    }
    self->kept = failure;
    eddy__file_info_list_finish (list);
    eddy_value_take_object (value, list);
}

static const EddyForm enumerator_read_form = {
    .name = "eddy_file_enumerator_next_files",
    .kind = EDDY_FORM_JOB,
    .value_kind = EDDY_VALUE_OBJECT,
    .arguments_size = sizeof (EnumeratorRead),
    .progress_offset = SIZE_MAX,
    .run = enumerator_read,
};

EddyFileInfoList *eddy_file_enumerator_next_files_body (EddyFileEnumerator *enumerator,
                                                        size_t num_files,
                                                        EddyCancellable *cancellable,
                                                        EddyError **error)
{
    EDDY__EXPECT (enumerator != NULL, NULL);
    EnumeratorRead read = { enumerator, num_files };
    EddyValue value = EDDY_VALUE_INIT;
    if (!eddy__stream_begin (&enumerator->stream, cancellable, error)) {
        eddy_error_prefix (error, "%s: ", enumerator->container->path);
        return NULL;
    }
    if (enumerator->kept != NULL)
        eddy_error_take (error, EDDY_TAKE (enumerator->kept));
    else
        (void) eddy_form_call (&enumerator_read_form, &read, cancellable, &value, error);
    eddy__stream_end (&enumerator->stream);
    return value.as.pointer;
}

/* --- the end ---------------------------------------------------------------------------------- */

bool eddy_file_enumerator_close_body (EddyFileEnumerator *enumerator, EddyCancellable *cancellable,
                                      EddyError **error)
{
    (void) cancellable;
    EDDY__EXPECT (enumerator != NULL, false);
    int begun = eddy__stream_begin_close (&enumerator->stream, error);
    if (begun < 0)
        eddy_error_prefix (error, "%s: ", enumerator->container->path);
    if (begun != 0)
        return begun > 0;
    int fd = enumerator->folder.fd;
    enumerator->folder.fd = -1;
    bool closed =
        eddy__stream_close_fd (fd, /* may_wait= */ true, enumerator->container->path, error);
    enumerator->stream.closed = true;
    eddy__stream_end (&enumerator->stream);
    return closed;
}

bool eddy_file_enumerator_is_closed (EddyFileEnumerator *enumerator)
{
    EDDY__EXPECT (enumerator != NULL, true);
    return enumerator->stream.closed;
}

bool eddy_file_enumerator_has_pending (EddyFileEnumerator *enumerator)
{
    EDDY__EXPECT (enumerator != NULL, false);
    return enumerator->stream.pending;
}

EddyFile *eddy_file_enumerator_get_container (EddyFileEnumerator *enumerator)
{
    EDDY__EXPECT (enumerator != NULL, NULL);
    return enumerator->container;
}

EddyFile *eddy_file_enumerator_get_child (EddyFileEnumerator *enumerator, const EddyFileInfo *info)
{
    EDDY__EXPECT (enumerator != NULL && info != NULL, NULL);
    return eddy_file_get_child_for_info (enumerator->container, info);
}

/* --- as a sequence ---------------------------------------------------------------------------- */

typedef struct EnumeratorItems {
    EddyFileEnumerator *enumerator;
    EddyFileInfoList *list; /* what was read last; NULL: nothing */
    size_t next;            /* of it */
} EnumeratorItems;

static void *enumerator_items_next (EddySequence *sequence, EddyCancellable *cancellable,
                                    EddyError **error)
{
    EnumeratorItems *self = eddy_sequence_get_data (sequence);
    if (self->list == NULL || self->next == self->list->length) {
        eddy_clear (&self->list);
        self->next = 0;
        self->list = eddy_file_enumerator_next_files (self->enumerator, ENUMERATOR_AHEAD,
                                                      cancellable, error);
    }
    if (self->list == NULL || self->list->length == 0)
        return NULL;
    EddyFileInfo *info = eddy_file_info_dup (&self->list->infos[self->next]);
    if (info == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s", self->enumerator->container->path);
    else
        self->next++;
    return info;
}

static void enumerator_items_dispose (EddySequence *sequence)
{
    EnumeratorItems *self = eddy_sequence_get_data (sequence);
    eddy_clear (&self->list);
    eddy_clear (&self->enumerator);
}

static const EddySequenceFuncs enumerator_items_funcs = { .next = enumerator_items_next,
                                                          .dispose = enumerator_items_dispose };

EddySequence *eddy_file_enumerator_to_sequence (EddyFileEnumerator *enumerator)
{
    EDDY__EXPECT (enumerator != NULL, NULL);
    EddySequence *sequence =
        eddy_sequence_new (&enumerator_items_funcs, sizeof (EnumeratorItems), eddy_destroy);
    if (sequence != NULL) {
        EnumeratorItems *self = eddy_sequence_get_data (sequence);
        self->enumerator = eddy_ref (enumerator);
    }
    return sequence;
}
