/* SPDX-License-Identifier: MIT */
/* EddyValue. */
#include <eddy/value.h>

#include "base/object-private.h"
#include "base/value-private.h"

void eddy_value_clear (EddyValue *value)
{
    if (value->kind == EDDY_VALUE_OBJECT)
        eddy_unref (value->as.pointer);
    else if (value->kind == EDDY_VALUE_POINTER && value->destroy != NULL && value->as.pointer)
        value->destroy (value->as.pointer);
    else if (value->kind == EDDY_VALUE_INT && value->destroy != NULL)
        value->destroy ((void *) (intptr_t) value->as.integer);
    *value = (EddyValue) EDDY_VALUE_INIT;
}

void eddy_value_set_boolean (EddyValue *value, bool boolean)
{
    EDDY__EXPECT (value->kind == EDDY_VALUE_NONE);
    value->kind = EDDY_VALUE_BOOLEAN;
    value->as.boolean = boolean;
}

void eddy_value_set_int (EddyValue *value, int64_t integer)
{
    EDDY__EXPECT (value->kind == EDDY_VALUE_NONE);
    value->kind = EDDY_VALUE_INT;
    value->as.integer = integer;
}

void eddy_value_take_object (EddyValue *value, void *object)
{
    EDDY__EXPECT (value->kind == EDDY_VALUE_NONE);
    value->kind = EDDY_VALUE_OBJECT;
    value->as.pointer = object;
}

void eddy_value_take_pointer (EddyValue *value, void *pointer, void (*destroy) (void *pointer))
{
    EDDY__EXPECT (value->kind == EDDY_VALUE_NONE);
    value->kind = EDDY_VALUE_POINTER;
    value->as.pointer = pointer;
    value->destroy = destroy;
}

void eddy__value_copy_for_taker (EddyValue *from, EddyValue *value)
{
    *value = *from;
    if (from->kind == EDDY_VALUE_OBJECT)
        eddy_ref (value->as.pointer);
    if (from->kind == EDDY_VALUE_INT)
        value->destroy = NULL;
    if (from->kind != EDDY_VALUE_POINTER)
        return;
    from->as.pointer = NULL;
    from->destroy = NULL;
}
