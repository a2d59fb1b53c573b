/* SPDX-License-Identifier: MIT */
/* Bodies for the operations of sample.h, and calls in each form with what must come of them. Ends
 * with status 0 when all of it came, else says which line did not. */
#include "sample.h"

#include "runtime.h"
#include "sample-bodies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct SampleFile {
    StubObject object;
    int number;
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf (stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                       \
            exit (1);                                                                              \
        }                                                                                          \
    } while (0)

/* What the bodies saw. */
static const void *seen_pointer;
static bool body_fails;
static bool body_ends;
static int bodies;
static int told;

bool sample_file_copy_body (SampleFile *source, SampleFile *destination, SampleCopyFlags flags,
                            EddyCancellable *cancellable,
                            EddyFileProgressCallback progress_callback,
                            void *progress_callback_data, EddyError **error)
{
    bodies++;
    seen_pointer = cancellable;
    CHECK (source->number == 1 && (destination == NULL || destination->number == 2));
    CHECK (flags == SAMPLE_COPY_OVERWRITE);
    if (progress_callback != NULL)
        progress_callback (3, 4, progress_callback_data);
    if (body_fails)
        stub_fail (error, 7);
    return !body_fails;
}

void sample_fd_read_prepare (EddyOp *op, int fd, void *buffer, size_t size, int64_t offset)
{
    CHECK (fd == 5 && size == 6 && offset == 7);
    seen_pointer = buffer;
    op->request = 1;
}

ssize_t sample_fd_read_result (const EddyOp *op, EddyError **error)
{
    CHECK (op->request == 1);
    if (op->answer < 0)
        stub_fail (error, (int) -op->answer);
    return op->answer < 0 ? -1 : (ssize_t) op->answer;
}

void sample_path_write_prepare (EddyOp *op, SampleFile *folder, const char *path, const void *data,
                                size_t size)
{
    CHECK (folder->number == 1 && data != NULL && size == 9);
    seen_pointer = path;
    op->request = 2;
}

bool sample_path_write_result (const EddyOp *op, SampleFile *folder, const char *path,
                               const void *data, size_t size, size_t *bytes_written,
                               EddyError **error)
{
    CHECK (folder->number == 1 && path == seen_pointer && data != NULL && size == 9);
    CHECK (bytes_written != NULL);
    *bytes_written = 8;
    if (op->answer < 0)
        stub_fail (error, 9);
    return op->answer >= 0;
}

void sample_path_open_prepare (EddyOp *op, const char *path, unsigned int flags, mode_t mode)
{
    CHECK ((path == NULL || strcmp (path, "name") == 0) && flags == 1 && mode == 0600);
    seen_pointer = path;
    op->request = 3;
}

int sample_path_open_result (const EddyOp *op, const char *path, unsigned int flags, mode_t mode,
                             EddyError **error)
{
    CHECK (path == seen_pointer && flags == 1 && mode == 0600);
    if (op->answer == -1)
        stub_fail (error, 1);
    return (int) op->answer;
}

int sample_words_count_body (const char *const *words, const char *const *more,
                             EddyCancellable *cancellable, EddyError **error)
{
    CHECK (cancellable == NULL && error != NULL);
    seen_pointer = words;
    int count = 0;
    for (; words != NULL && words[count] != NULL; count++) {
    }
    for (int i = 0; more != NULL && more[i] != NULL; i++)
        count++;
    return count;
}

EddyContext *sample_file_get_context (SampleFile *file)
{
    return (EddyContext *) file;
}

SampleFile *sample_file_clone_body (SampleFile *file, EddyCancellable *cancellable,
                                    EddyError **error)
{
    CHECK (cancellable == NULL);
    if (body_fails)
        stub_fail (error, 2);
    return body_fails ? NULL : eddy_ref (file);
}

char *sample_name_lookup_body (const char *name, bool value, double future, size_t *arguments,
                               enum sample_answer *done, EddyCancellable *cancellable,
                               EddyError **error)
{
    CHECK (value && future > 1.0 && cancellable == NULL);
    if (arguments != NULL)
        *arguments = 11;
    if (done != NULL)
        *done = SAMPLE_ANSWER_FOUND;
    if (body_fails)
        stub_fail (error, 3);
    return body_fails || body_ends ? NULL : eddy_strdup (name);
}

int64_t sample_file_measure_disk_usage_of_everything_body (SampleFile *file, SampleCopyFlags flags,
                                                           EddyCancellable *cancellable,
                                                           EddyFileProgressCallback progress,
                                                           void *progress_data, EddyError **error)
{
    (void) cancellable;
    (void) error;
    CHECK (flags == SAMPLE_COPY_NONE && progress == NULL && progress_data == NULL);
    return body_ends ? -1 : file == NULL ? -2 : INT64_MAX;
}

bool my_wait_body (EddyCancellable *cancellable, EddyError **error)
{
    (void) error;
    seen_pointer = cancellable;
    return true;
}

void sample_nothing_prepare (EddyOp *op)
{
    op->request = 4;
}

bool sample_nothing_result (const EddyOp *op, EddyError **error)
{
    (void) error;
    return op->request == 4;
}

static void count (int64_t current_num_bytes, int64_t total_num_bytes, void *data)
{
    CHECK (current_num_bytes == 3 && total_num_bytes == 4 && data == &told);
    told++;
}

static SampleFile first = { { 1 }, 1 };
static SampleFile second = { { 1 }, 2 };
static EddyCancellable *const token = (EddyCancellable *) &bodies;

static void copied (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    CHECK (source_object == &first && first.object.references == 3 &&
           second.object.references == 2);
    CHECK (sample_file_copy_finish (&first, result, &error) == !body_fails);
    CHECK (body_fails ? error->code == 7 : error == NULL);
    *(int *) user_data += 1;
}

static void check_copy (void)
{
    int ran = 0;
    stub_in_place = true;
    CHECK (sample_file_copy (&first, NULL, SAMPLE_COPY_OVERWRITE, NULL, count, &told, NULL));
    CHECK (bodies == 1 && told == 1 && stub_calls == 0 && seen_pointer == NULL);
    stub_in_place = false;
    CHECK (sample_file_copy (&first, &second, SAMPLE_COPY_OVERWRITE, token, count, &told, NULL));
    CHECK (sample_file_copy (&first, &second, SAMPLE_COPY_OVERWRITE, token, NULL, NULL, NULL));
    CHECK (bodies == 3 && told == 2 && stub_calls == 2 && seen_pointer == token);
    for (int pass = 0; pass < 2; pass++) {
        body_fails = pass == 1;
        sample_file_copy_async (&first, &second, SAMPLE_COPY_OVERWRITE, -5, token, count, &told,
                                copied, &ran);
        CHECK (ran == pass + 1 && told == pass + 3 && stub_io_priority == -5);
    }
    EddyError *error = NULL;
    CHECK (!sample_file_copy (&first, &second, SAMPLE_COPY_OVERWRITE, NULL, NULL, NULL, &error));
    CHECK (error->code == 7);
    body_fails = false;
    EddyFuture *future =
        sample_file_copy_future (&first, NULL, SAMPLE_COPY_OVERWRITE, 1, token, NULL, NULL);
    CHECK (stub_future_value (future).as.boolean);
    stub_future_free (future);
    CHECK (first.object.references == 1 && second.object.references == 1);
}

static void has_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    CHECK (source_object == NULL);
    *(ssize_t *) user_data = sample_fd_read_finish (result, NULL);
}

static void has_written (void *source_object, EddyAsyncResult *result, void *user_data)
{
    CHECK (strcmp (seen_pointer, "path") == 0 && seen_pointer != user_data && stub_strings == 1);
    CHECK (sample_path_write_finish (source_object, result, user_data, NULL) == (stub_answer >= 0));
    CHECK (!sample_path_write_finish (&second, result, NULL, NULL));
}

static void check_primitives (void)
{
    char buffer[6];
    ssize_t count_read = 0;
    size_t written = 0;
    for (stub_answer = -4; stub_answer <= 4; stub_answer += 4) {
        CHECK (sample_fd_read (5, buffer, 6, 7, NULL, NULL) ==
               (stub_answer < 0 ? -1 : stub_answer));
        CHECK (seen_pointer == buffer);
        sample_fd_read_async (5, buffer, 6, 7, 0, NULL, has_read, &count_read);
        CHECK (count_read == (stub_answer < 0 ? -1 : stub_answer));
        CHECK (sample_path_write (&first, "path", "", 9, &written, NULL, NULL) ==
               (stub_answer >= 0));
        CHECK (written == 8);
        CHECK (sample_path_write (&first, "path", "", 9, NULL, NULL, NULL) == (stub_answer >= 0));
        written = 0;
        sample_path_write_async (&first, "path", "", 9, 0, NULL, has_written, &written);
        CHECK (written == 8 && stub_strings == 0 && first.object.references == 1);
    }
    stub_answer = 12;
    CHECK (sample_path_open ("name", 1, 0600, NULL, NULL) == 12);
    EddyFuture *future = sample_path_open_future ("name", 1, 0600, 0, NULL);
    CHECK (stub_future_value (future).as.integer == 12 && stub_strings == 1);
    stub_future_free (future);
    future = sample_path_open_future (NULL, 1, 0600, 0, NULL);
    stub_future_free (future);
    sample_path_open_async ("name", 1, 0600, 0, NULL, NULL, NULL);
    CHECK (stub_strings == 0);
    const char *words[] = { "one", "two", NULL };
    EddyError *error = NULL;
    CHECK (sample_words_count (words, NULL, NULL, &error) == 2);
    CHECK (seen_pointer == words && stub_strings == 0);
    future = sample_words_count_future (words, words, 0, NULL);
    CHECK (stub_future_value (future).as.integer == 4 && seen_pointer != words &&
           stub_strings == 2);
    stub_future_free (future);
    CHECK (stub_strings == 0);
    stub_answer = -1;
    CHECK (sample_path_open ("name", 1, 0600, NULL, NULL) == -1);
    CHECK (sample_nothing (NULL, NULL));
    future = sample_nothing_future (0, NULL);
    CHECK (stub_future_value (future).kind == EDDY_VALUE_BOOLEAN);
    stub_future_free (future);
}

static void has_cloned (void *source_object, EddyAsyncResult *result, void *user_data)
{
    *(SampleFile **) user_data = sample_file_clone_finish (source_object, result, NULL);
}

static void has_looked_up (void *source_object, EddyAsyncResult *result, void *user_data)
{
    size_t length = 0;
    enum sample_answer answer = SAMPLE_ANSWER_NONE;
    *(char **) user_data = sample_name_lookup_finish (result, &length, &answer, NULL);
    CHECK (source_object == NULL && length == 11 && answer == SAMPLE_ANSWER_FOUND);
}

/* No string, and no number, is an answer, too, where there is no error: the end of something. */
static void check_ends (void)
{
    EddyError *error = NULL;
    body_ends = true;
    CHECK (sample_name_lookup ("x", true, 1.5, NULL, NULL, NULL, &error) == NULL && error == NULL);
    EddyFuture *future = sample_name_lookup_future ("x", true, 1.5, 0, NULL);
    CHECK (stub_future_value (future).kind == EDDY_VALUE_POINTER);
    CHECK (stub_future_value (future).as.pointer == NULL);
    stub_future_free (future);
    CHECK (sample_file_measure_disk_usage_of_everything (NULL, SAMPLE_COPY_NONE, NULL, NULL, NULL,
                                                         &error) == -1);
    CHECK (error == NULL);
    body_ends = false;
}

static void check_values (void)
{
    SampleFile *clone = NULL;
    size_t length = 0;
    enum sample_answer answer = SAMPLE_ANSWER_NONE;
    char *name = NULL;
    for (int pass = 0; pass < 2; pass++) {
        body_fails = pass == 1;
        CHECK (sample_file_clone (&first, NULL, NULL) == (body_fails ? NULL : &first));
        CHECK (stub_context == (const void *) &first);
        sample_file_clone_async (&first, 0, NULL, has_cloned, &clone);
        CHECK (clone == (body_fails ? NULL : &first) && first.object.references == 3);
        name = sample_name_lookup ("x", true, 1.5, &length, &answer, NULL, NULL);
        CHECK ((name == NULL) == body_fails && length == 11 && answer == SAMPLE_ANSWER_FOUND);
        eddy_free (name);
        sample_name_lookup_async ("x", true, 1.5, 0, NULL, has_looked_up, &name);
        CHECK ((name == NULL) == body_fails && stub_strings == !body_fails);
        eddy_free (name);
    }
    body_fails = false;
    stub_future_free (sample_name_lookup_future ("x", true, 1.5, 0, NULL));
    CHECK (stub_strings == 0);
    CHECK (sample_file_measure_disk_usage_of_everything (&first, SAMPLE_COPY_NONE, NULL, NULL, NULL,
                                                         NULL) == INT64_MAX);
    CHECK (sample_file_measure_disk_usage_of_everything (NULL, SAMPLE_COPY_NONE, NULL, NULL, NULL,
                                                         NULL) == -2);
    CHECK (my_wait (token, NULL) && seen_pointer == token);
    my_wait_async (0, NULL, NULL, NULL);
    CHECK (seen_pointer == NULL);
}

int main (void)
{
    check_copy ();
    check_primitives ();
    check_values ();
    check_ends ();
    return 0;
}
