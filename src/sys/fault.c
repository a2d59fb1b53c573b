/* SPDX-License-Identifier: MIT */
/*
 * The fault door's other side: the hooks, and the names of the calls.
 */
#include "sys/fault-private.h"

atomic_bool eddy__sys_hooked;

static struct {
    _Atomic (EddySysFault) fault;
    _Atomic (EddySysShort) limit;
    void *_Atomic fault_data;
    void *_Atomic limit_data;
} hooks;

static const char *const call_names[] = {
#define EDDY_SYS_CALL_NAME(constant, name) [EDDY_SYS_##constant] = #name,
    EDDY_SYS_CALLS (EDDY_SYS_CALL_NAME)
#undef EDDY_SYS_CALL_NAME
};

static void fault_update_hooked (void)
{
    atomic_store (&eddy__sys_hooked,
                  atomic_load (&hooks.fault) != NULL || atomic_load (&hooks.limit) != NULL);
}

void eddy__sys_set_fault (EddySysFault fault, void *data)
{
    /* Data first: a thread that sees the new hook sees its data. */
    atomic_store (&hooks.fault_data, data);
    atomic_store (&hooks.fault, fault);
    fault_update_hooked ();
}

void eddy__sys_set_short (EddySysShort limit, void *data)
{
    atomic_store (&hooks.limit_data, data);
    atomic_store (&hooks.limit, limit);
    fault_update_hooked ();
}

int eddy__sys_fault_ask (EddySysCall call)
{
    EddySysFault fault = atomic_load (&hooks.fault);
    int answer = fault != NULL ? fault (call, atomic_load (&hooks.fault_data)) : 0;

    /* A positive answer would look like an fd or a count that nobody made. */
    return answer < 0 ? answer : 0;
}

size_t eddy__sys_short_ask (EddySysCall call, size_t len)
{
    EddySysShort limit = atomic_load (&hooks.limit);
    size_t answer = limit != NULL ? limit (call, len, atomic_load (&hooks.limit_data)) : len;

    /* Never 0: that would be told as the end of a file. */
    return answer > 0 && answer < len ? answer : len;
}

const char *eddy__sys_call_name (EddySysCall call)
{
    return (unsigned) call < EDDY_SYS_N_CALLS ? call_names[call] : "?";
}
