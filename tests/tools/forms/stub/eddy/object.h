/* SPDX-License-Identifier: MIT */
/* Stands for <eddy/object.h> where generated forms are compiled without Eddy. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
#define EDDY_BEGIN_DECLS extern "C" {
#define EDDY_END_DECLS }
#else
#define EDDY_BEGIN_DECLS
#define EDDY_END_DECLS
#endif

#define EDDY_API __attribute__ ((visibility ("default")))
#define EDDY_MUST_USE __attribute__ ((warn_unused_result))
#define EDDY_OPERATION(KIND) EDDY_API
#define EDDY_OPERATION_LOCAL(KIND)
#define EDDY_BORROWED
#define EDDY_COPIED
#define EDDY_REF
#define EDDY_HOME
#define EDDY_OUT
#define EDDY_OUT_LEN
#define EDDY_CALLBACK

EDDY_BEGIN_DECLS
void *eddy_ref (void *object);
void *eddy_unref (void *object);
char *eddy_strdup (const char *string);
void eddy_free (void *memory);
EDDY_END_DECLS
