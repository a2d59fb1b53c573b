/* SPDX-License-Identifier: MIT */
/* Stands for <eddy/eddy.h>: as little of it as operations and their forms name. */
#pragma once

#include <eddy/object.h>

EDDY_BEGIN_DECLS

typedef struct EddyAsyncResult EddyAsyncResult;
typedef struct EddyCancellable EddyCancellable;
typedef struct EddyContext EddyContext;
typedef struct EddyError EddyError;
typedef struct EddyFuture EddyFuture;
typedef void (*EddyAsyncReadyCallback) (void *source_object, EddyAsyncResult *result,
                                        void *user_data);
typedef void (*EddyFileProgressCallback) (int64_t current_num_bytes, int64_t total_num_bytes,
                                          void *data);

typedef enum {
    EDDY_VALUE_NONE,
    EDDY_VALUE_BOOLEAN,
    EDDY_VALUE_INT,
    EDDY_VALUE_OBJECT,
    EDDY_VALUE_POINTER
} EddyValueKind;

typedef struct {
    EddyValueKind kind;
    union {
        bool boolean;
        int64_t integer;
        void *pointer;
    } as;
    void (*destroy) (void *pointer);
} EddyValue;

#define EDDY_VALUE_INIT                                                                            \
    {                                                                                              \
        EDDY_VALUE_NONE, { 0 }, NULL                                                               \
    }

void eddy_value_set_boolean (EddyValue *value, bool boolean);
void eddy_value_set_int (EddyValue *value, int64_t integer);
void eddy_value_take_object (EddyValue *value, void *object);
void eddy_value_take_pointer (EddyValue *value, void *pointer, void (*destroy) (void *pointer));

EDDY_END_DECLS
