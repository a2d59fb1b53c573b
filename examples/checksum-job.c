/* SPDX-License-Identifier: MIT */
/* checksum: the sum of one file is made by a fiber on some thread of the pool; the main fiber
 * begins them in one order, and ends them in the same. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"

enum { CHUNK_SIZE = 256 * 1024 };

/* ---- On the pool: what a read brings is summed at once, for that is what its threads are for. */

static bool job_sum (ChecksumJob *job, EddyInputStream *input, EVP_MD_CTX *sum, char *buffer,
                     EddyError **error)
{
    ssize_t count;
    while ((count = eddy_input_stream_read (input, buffer, CHUNK_SIZE, NULL, error)) > 0) {
        EVP_DigestUpdate (sum, buffer, (size_t) count);
        __atomic_add_fetch (&job->all->n_bytes, (uint64_t) count, __ATOMIC_RELAXED);
    }
    return count == 0;
}

static void *job_run (void *data, EddyError **error)
{
    ChecksumJob *job = data;
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (job->path);
    EDDY_AUTO (EddyFileInputStream) input = eddy_file_read (file, NULL, error);
    if (input == NULL)
        return NULL;
    char *buffer = malloc (CHUNK_SIZE);
    EVP_MD_CTX *sum = EVP_MD_CTX_new ();
    EVP_DigestInit_ex (sum, EVP_sha256 (), NULL);
    if (job_sum (job, EDDY_INPUT_STREAM (input), sum, buffer, error)) {
        unsigned char digest[CHECKSUM_DIGITS / 2];
        EVP_DigestFinal_ex (sum, digest, NULL);
        for (size_t i = 0; i < sizeof digest; i++)
            snprintf (job->digits + 2 * i, 3, "%02x", digest[i]);
    }
    EVP_MD_CTX_free (sum);
    free (buffer);
    return NULL;
}

/* ---- In the main fiber. */

bool checksum_tell (Checksum *all, const EddyError *error)
{
    if (eddy_error_is_cancelled (error)) {
        all->n_cancelled++;
        return false;
    }
    if (error != NULL) {
        all->n_failed++;
        fprintf (stderr, "checksum: %s\n", eddy_error_get_message (error));
    }
    return true;
}

/* When all is cancelled, so is the wait: then the job is asked to end, and waited for. */
static void job_await (ChecksumJob *job, EddyError **error)
{
    if (eddy_await_complete (job->future, NULL))
        return;
    eddy_future_cancel (job->future);
    EDDY_SHIELD (-1)
    {
        eddy_await_complete (job->future, error);
    }
}

void checksum_end_oldest (Checksum *all)
{
    ChecksumJob *job = &all->jobs[all->n_ended++ % CHECKSUM_AT_ONCE];
    EDDY_AUTO (EddyError) error = NULL;
    job_await (job, &error);
    bool is_told = checksum_tell (all, error);
    if (job->expected[0] == '\0') {
        if (error == NULL)
            checksum_print (job->digits, job->path);
    } else if (is_told) {
        bool is_like = error == NULL && strcmp (job->digits, job->expected) == 0;
        all->n_unlike += error == NULL && !is_like;
        const char *failure = error == NULL ? "FAILED" : "FAILED open or read";
        printf ("%s: %s\n", job->path, is_like ? "OK" : failure);
    }
    free (job->path);
    eddy_clear (&job->future);
}

bool checksum_add (Checksum *all, const char *path, const char *expected)
{
    if (all->n_begun - all->n_ended == CHECKSUM_AT_ONCE)
        checksum_end_oldest (all);
    if (eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ()))
        return false;
    ChecksumJob *job = &all->jobs[all->n_begun++ % CHECKSUM_AT_ONCE];
    *job = (ChecksumJob){ .all = all, .path = strdup (path) };
    if (expected != NULL)
        snprintf (job->expected, sizeof job->expected, "%s", expected);
    job->future = eddy_pool_spawn (all->pool, job_run, job, NULL);
    return true;
}
