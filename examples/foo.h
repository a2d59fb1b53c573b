/* SPDX-License-Identifier: MIT */
/* Foo: a class of a program's own, with an asynchronous operation of its own. */
#ifndef FOO_H
#define FOO_H

#include <eddy/eddy.h>

/** Something that gets its data from elsewhere. An object. */
typedef struct Foo Foo;

/** Makes a foo of the path of a file that names the place where its data are. NULL when memory is
 * out. */
Foo *foo_new (const char *address);

/**
 * Loads a foo's data: reads the name in its file, opens what it names, and reads up to the end.
 *
 * @foo: a foo, which is kept alive meanwhile
 * @cancellable: a cancellable, or NULL
 * @callback: takes the answer with foo_load_data_finish()
 * @user_data: for @callback
 */
void foo_load_data_async (Foo *foo, EddyCancellable *cancellable, EddyAsyncReadyCallback callback,
                          void *user_data);

/** Takes the answer: the data, or NULL and an error that names the file it is about. */
EddyBytes *foo_load_data_finish (Foo *foo, EddyAsyncResult *result, EddyError **error);

/** The same as a future of an EddyBytes. */
EDDY_MUST_USE EddyFuture *foo_load_data_future (Foo *foo, EddyCancellable *cancellable);

#endif
