/* SPDX-License-Identifier: MIT */
/* A loop that would sleep looks for mail a little longer, where another thread is at work on what
 * its fibers wait for. To sleep and to be woken takes some 25 us, to hand a message to a thread
 * that looks a tenth of one; a loop that looked in vain does so more and more seldom. */
#include "base/compiler-private.h"
#include "loop/context-private.h"
#include "sys/clock-private.h"
#include "sys/process-private.h"

enum {
    SPIN_NS = 20000,       /* about what a sleep costs */
    SPIN_LOOKS = 16,       /* between two looks at the clock and the engine */
    SPIN_MOST_SKIPPED = 64 /* waits without looking, after it has been in vain often */
};

/* With one processor the other thread could not run meanwhile. */
static bool spin_has_processors (void)
{
    static uint8_t known; /* 1: no, 2: yes */
    uint8_t answer = __atomic_load_n (&known, __ATOMIC_RELAXED);
    if (answer == 0) {
        answer = eddy__sys_cpu_count () > 1 ? 2 : 1;
        __atomic_store_n (&known, answer, __ATOMIC_RELAXED);
    }
    return answer == 2;
}

bool eddy__spin_is_worth_it (EddySpin *spin)
{
    if (spin->skip == 0)
        return spin_has_processors ();
    spin->skip--;
    return false;
}

void eddy__spin_tell (EddySpin *spin, bool in_vain)
{
    unsigned next = spin->in_vain * 2 + 1;
    spin->in_vain = !in_vain ? 0 : next < SPIN_MOST_SKIPPED ? next : SPIN_MOST_SKIPPED;
    spin->skip = spin->in_vain;
}

/* Looks until there is mail; false when it has been long, or the kernel has something. */
static bool spin_for_mail (EddyContext *context)
{
    int64_t end_ns = eddy__sys_now_ns () + SPIN_NS;
    do {
        if (eddy__engine_pending (context->engine))
            return false;
        for (int i = 0; i < SPIN_LOOKS; i++) {
            if (eddy__port_has_mail (context->port))
                return true;
            eddy__relax ();
        }
    } while (eddy__sys_now_ns () < end_ns);
    return false;
}

bool eddy__context_spin (EddyContext *context, int64_t timeout_ns)
{
    if ((timeout_ns >= 0 && timeout_ns < SPIN_NS) || !eddy__spin_is_worth_it (&context->spin))
        return false;
    bool mail = spin_for_mail (context);
    eddy__spin_tell (&context->spin, !mail);
    context->expects_mail = mail;
    return mail;
}
