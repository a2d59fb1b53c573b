/* SPDX-License-Identifier: MIT */
/* What the generated forms of operations call. Programs that run eddy-forms on operations of their
 * own include this through what it writes; nobody calls it by hand. */
#ifndef EDDY_FORMS_H
#define EDDY_FORMS_H

#include <eddy/future.h>

EDDY_BEGIN_DECLS

/** One request to the engine. */
typedef struct EddyOp EddyOp;

/** Told how far an operation has come, in bytes; @total_num_bytes may change as it becomes known.
 * Runs where the operation's callback runs; a blocking call calls it in place. */
typedef void (*EddyFileProgressCallback) (int64_t current_num_bytes, int64_t total_num_bytes,
                                          void *user_data);

/** Where an operation's body runs. */
typedef enum EddyFormKind {
    /** One request to the engine: no body. */
    EDDY_FORM_PRIMITIVE,
    /** As DIRECT, or one request where one can do it. */
    EDDY_FORM_STREAM,
    /** In a fiber or a plain thread where it was called, else on a fiber. */
    EDDY_FORM_DIRECT,
    /** On a fiber. */
    EDDY_FORM_FIBER,
    /** On a worker. */
    EDDY_FORM_JOB,
    /** As JOB, for what takes a moment: in a loop that has nothing else to wait for, on its own
     * thread. */
    EDDY_FORM_BRIEF
} EddyFormKind;

/** The latest progress of an operation on a worker, on its way to its context. */
typedef struct EddyFormProgress {
    /** The caller's; NULL: nobody asked. */
    EddyFileProgressCallback callback;
    /** For @callback. */
    void *callback_data;
    /* The rest is the library's. */
    int64_t current_num_bytes;
    int64_t total_num_bytes;
    uint32_t posted;
    void *context;
    void *entry[3];
} EddyFormProgress;

/** An operation, as the generator describes it. */
typedef struct EddyForm {
    /** The operation's name. */
    const char *name;
    /** Where its body runs. */
    EddyFormKind kind;
    /** What it returns. */
    EddyValueKind value_kind;
    /** JOB: it may take long, so no other one is to wait behind it. */
    bool is_long;
    /** JOB: it mostly waits for a disk, which does more when asked for more at once. */
    bool waits;
    /** Bytes of its arguments. */
    size_t arguments_size;
    /** Whether they are needed until it has ended; a request may say all without them. */
    bool keeps_arguments;
    /** Of the EddyFormProgress among the arguments; SIZE_MAX: there is none. */
    size_t progress_offset;
    /** All but PRIMITIVE: calls the body with the arguments. */
    void (*run) (void *arguments, EddyCancellable *cancellable, EddyValue *value,
                 EddyError **error);
    /** PRIMITIVE: fills in the request. */
    void (*prepare) (void *arguments, EddyOp *op);
    /** STREAM: fills in the request, which may be ready already, and begins it; false with an
     * error: it cannot be now; false without: there is none. */
    bool (*request) (void *arguments, EddyOp *op, EddyError **error);
    /** PRIMITIVE and STREAM: makes the value or the error of the completed request. */
    void (*result) (void *arguments, const EddyOp *op, EddyValue *value, EddyError **error);
    /** Makes the arguments own what they point to, or returns false when memory is out; NULL:
     * nothing to own. */
    bool (*keep) (void *arguments);
    /** Gives up what the arguments own; NULL: nothing. */
    void (*clear) (void *arguments);
    /** FIBER: the context that the body needs, not a reference; NULL: any. */
    EddyContext *(*get_context) (const void *arguments);
} EddyForm;

/** An EddyFileProgressCallback whose data is an EddyFormProgress. Thread: the body's. Since: 0.1 */
EDDY_API void eddy_form_progress (int64_t current_num_bytes, int64_t total_num_bytes,
                                  void *progress);

/** Whether the body of an operation of this kind runs where the caller stands.
 * Thread: any. Since: 0.1 */
EDDY_API bool eddy_form_in_place (EddyFormKind kind);

/** Runs an operation to its end, suspending the fiber or blocking the thread.
 * Returns: whether there is a value. Thread: any. Since: 0.1 */
EDDY_API bool eddy_form_call (const EddyForm *form, void *arguments, EddyCancellable *cancellable,
                              EddyValue *value, EddyError **error);

/** Makes the future of an operation, with arguments of its own. Never NULL: when memory is out, it
 * fails with NO_MEMORY. Thread: any. Since: 0.1 */
EDDY_API EddyFuture *eddy_form_begin (const EddyForm *form, void *source_object, void *arguments,
                                      int io_priority, EddyCancellable *cancellable);

/** A copy of a string, or NULL; false in `*kept` when memory is out. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_form_keep_string (const char *string, bool *kept);

/** A copy of strings up to a NULL, in one block, or NULL; false in `*kept` when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API const char *const *eddy_form_keep_strings (const char *const *strings, bool *kept);

/** Starts an operation with a callback, taking its future. Thread: any. Since: 0.1 */
EDDY_API void eddy_form_start_async (EddyFuture *future, EddyAsyncReadyCallback callback,
                                     void *user_data);

/** Starts an operation, and returns its future. Thread: any. Since: 0.1 */
EDDY_API EddyFuture *eddy_form_start (EddyFuture *future) EDDY_MUST_USE;

/** Takes the result of an operation. Returns: whether there is a value. Thread: any. Since: 0.1 */
EDDY_API bool eddy_form_finish (const EddyForm *form, void *source_object, EddyAsyncResult *result,
                                EddyValue *value, EddyError **error);

/** The arguments of an operation that has completed; NULL after misuse. Thread: any. Since: 0.1 */
EDDY_API void *eddy_form_finish_arguments (const EddyForm *form, EddyAsyncResult *result);

EDDY_END_DECLS

#endif
