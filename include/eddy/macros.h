/* SPDX-License-Identifier: MIT */
/* Small macros that every public header uses: visibility, attributes, and the marks that the
 * generator eddy-forms reads. */
#ifndef EDDY_MACROS_H
#define EDDY_MACROS_H

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

/** Marks a function of the public interface. */
#define EDDY_API __attribute__ ((visibility ("default")))
/** The compiler warns when the result is dropped: a dropped future is a cancelled operation. */
#define EDDY_MUST_USE __attribute__ ((warn_unused_result))
/** Lets the compiler check a format against its arguments. */
#define EDDY_PRINTF(format_index, first_index)                                                     \
    __attribute__ ((format (printf, format_index, first_index)))

/* What the generator reads. All of them mean nothing to the compiler, but that EDDY_OPERATION
 * exports the function. KIND is PRIMITIVE, STREAM, DIRECT, FIBER, JOB or BRIEF: where the
 * operation's body runs. */
#define EDDY_OPERATION(KIND) EDDY_API
/** An operation of a program's own, not exported. */
#define EDDY_OPERATION_LOCAL(KIND)
/** The caller's memory, used until the operation has completed; no future form exists. */
#define EDDY_BORROWED
/** A string that the operation copies when it starts. */
#define EDDY_COPIED
/** An object that the operation holds a reference to. */
#define EDDY_REF
/** An object as EDDY_REF, of a type with `TYPE_get_context()`: called outside a fiber, a FIBER
 * operation runs in that context, rather than in one of its own. */
#define EDDY_HOME
/** A number written at completion, also on failure; or a string or an object that a success gives
 * to the caller. */
#define EDDY_OUT
/** A count of bytes written at completion, also on failure. */
#define EDDY_OUT_LEN
/** A progress callback; or, of a DIRECT or FIBER operation, a function that the body calls for an
 * answer. The parameter after it is its data. */
#define EDDY_CALLBACK

#endif
