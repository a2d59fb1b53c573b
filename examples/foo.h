/* SPDX-License-Identifier: MIT */
/* Foo: a class of a program's own, with an asynchronous operation of its own. */
#ifndef FOO_H
#define FOO_H

#include <eddy/eddy.h>

/** Something that gets a message from elsewhere. An object. */
typedef struct Foo Foo;

/** Makes a foo of the path of a file with the address of who has its message. NULL when memory is
 * out. */
Foo *foo_new (const char *path);

/**
 * Loads a foo's message: reads the address in its file, connects, and reads up to the end.
 *
 * @foo: a foo, which is kept alive meanwhile
 * @cancellable: a cancellable, or NULL
 * @callback: takes the answer with foo_load_message_finish()
 * @user_data: for @callback
 */
void foo_load_message_async (Foo *foo, EddyCancellable *cancellable,
                             EddyAsyncReadyCallback callback, void *user_data);

/** Takes the answer: the message, or NULL and an error that names what it is about. */
EddyBytes *foo_load_message_finish (Foo *foo, EddyAsyncResult *result, EddyError **error);

/** The same as a future of an EddyBytes. */
EDDY_MUST_USE EddyFuture *foo_load_message_future (Foo *foo, EddyCancellable *cancellable);

#endif
