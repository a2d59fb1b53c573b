/* SPDX-License-Identifier: MIT */
/* The switch between two stacks: what it keeps, where a flow begins and ends, on either
 * implementation and every processor. Needs no Check library, so that it runs under qemu-user. */
#include <execinfo.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "flow.h"
#include "tap.h"

#define STACK_SIZE ((size_t) 128 * 1024)

static Flow thread_flow;

/* --- there and back --------------------------------------------------------------------------- */

typedef struct {
    Flow flow;
    int n_wanted;
    int n_done;
    bool order_kept;
    int *clock; /* counts the switches of both sides */
} Rally;

static void rally_entry (void *argument)
{
    Rally *rally = argument;

    flow_begin (&rally->flow);
    while (rally->n_done < rally->n_wanted) {
        rally->order_kept &= *rally->clock == 2 * rally->n_done;
        ++*rally->clock;
        rally->n_done++;
        if (rally->n_done < rally->n_wanted)
            flow_switch (&rally->flow, &thread_flow);
    }
    flow_end (&rally->flow, &thread_flow);
}

static void test_round_trips (void)
{
    int clock = 0;
    Rally rally = { .n_wanted = 100000, .order_kept = true, .clock = &clock };
    void *stack = malloc (STACK_SIZE);

    flow_init (&rally.flow, stack, STACK_SIZE, rally_entry, &rally);
    for (int i = 0; i < rally.n_wanted; i++) {
        flow_switch (&thread_flow, &rally.flow);
        clock++;
    }
    tap_ok (rally.n_done == rally.n_wanted, "%d of %d round trips", rally.n_done, rally.n_wanted);
    tap_ok (rally.order_kept, "each side runs in its turn");
    tap_ok (clock == 2 * rally.n_wanted, "%d half trips, expected %d", clock, 2 * rally.n_wanted);
    flow_clear (&rally.flow);
    free (stack);
}

/* --- many flows, each with locals of its own -------------------------------------------------- */

#define N_RING 500
#define RING_ROUNDS 20

typedef struct {
    Flow flow;
    void *stack;
    uint64_t seed;
    bool intact;
} RingFlow;

static void ring_entry (void *argument)
{
    RingFlow *self = argument;
    volatile uint64_t locals[32];

    flow_begin (&self->flow);
    for (size_t i = 0; i < 32; i++)
        locals[i] = self->seed * 1000 + i;
    for (int round = 1; round < RING_ROUNDS; round++) {
        flow_switch (&self->flow, &thread_flow);
        for (size_t i = 0; i < 32; i++)
            self->intact &= locals[i] == self->seed * 1000 + i;
    }
    flow_end (&self->flow, &thread_flow);
}

static void test_many_flows (void)
{
    RingFlow *ring = calloc (N_RING, sizeof *ring);
    size_t size = 32 * 1024;
    int n_intact = 0;

    for (size_t i = 0; i < N_RING; i++) {
        ring[i].stack = malloc (size);
        ring[i].seed = i;
        ring[i].intact = true;
        /* Odd tops: the flow aligns its stack itself. */
        flow_init (&ring[i].flow, ring[i].stack, size - i % 16, ring_entry, &ring[i]);
    }
    for (int round = 0; round < RING_ROUNDS; round++) {
        for (size_t i = 0; i < N_RING; i++)
            flow_switch (&thread_flow, &ring[i].flow);
    }
    for (size_t i = 0; i < N_RING; i++) {
        n_intact += ring[i].intact;
        flow_clear (&ring[i].flow);
        free (ring[i].stack);
    }
    tap_ok (n_intact == N_RING, "%d of %d flows found their locals untouched", n_intact, N_RING);
    free (ring);
}

/* --- callee-saved registers ------------------------------------------------------------------- */

/*
 * uint64_t registers_across (EddyFlow *from, EddyFlow *to, uint64_t seed);
 *
 * Puts seed+1, seed+2, … into all registers that a function keeps, switches, and returns the bits
 * in which any of them has changed. In assembly, since a compiler would not use them all.
 */
uint64_t registers_across (EddyFlow *from, EddyFlow *to, uint64_t seed);
void registers_switch_function (EddyFlow *from, EddyFlow *to);

#if defined __x86_64__
#define N_REGISTERS 6
/* clang-format off */
__asm__ (
    ".text\n"
    ".type registers_across, @function\n"
    "registers_across:\n"
    "   pushq %rbp\n   pushq %rbx\n   pushq %r12\n   pushq %r13\n   pushq %r14\n   pushq %r15\n"
    "   subq  $24, %rsp\n"
    "   movq  %rdx, (%rsp)\n"
    "   leaq  1(%rdx), %rbx\n   leaq  2(%rdx), %rbp\n   leaq  3(%rdx), %r12\n"
    "   leaq  4(%rdx), %r13\n   leaq  5(%rdx), %r14\n   leaq  6(%rdx), %r15\n"
    "   call  registers_switch_function\n"
    "   movq  (%rsp), %rdx\n"
    "   leaq  1(%rdx), %rax\n   xorq  %rbx, %rax\n"
    "   leaq  2(%rdx), %rcx\n   xorq  %rbp, %rcx\n   orq   %rcx, %rax\n"
    "   leaq  3(%rdx), %rcx\n   xorq  %r12, %rcx\n   orq   %rcx, %rax\n"
    "   leaq  4(%rdx), %rcx\n   xorq  %r13, %rcx\n   orq   %rcx, %rax\n"
    "   leaq  5(%rdx), %rcx\n   xorq  %r14, %rcx\n   orq   %rcx, %rax\n"
    "   leaq  6(%rdx), %rcx\n   xorq  %r15, %rcx\n   orq   %rcx, %rax\n"
    "   addq  $24, %rsp\n"
    "   popq  %r15\n   popq %r14\n   popq %r13\n   popq %r12\n   popq %rbx\n   popq %rbp\n"
    "   ret\n"
    ".size registers_across, . - registers_across\n");
/* clang-format on */
#elif defined __aarch64__
#define N_REGISTERS 19
/* clang-format off */
#define SET_X(n) "   add   x" #n ", x2, #" #n "\n"
#define SET_D(n) "   add   x9, x2, #(100 + " #n ")\n   fmov  d" #n ", x9\n"
#define COMPARE_X(n) "   add   x9, x2, #" #n "\n   eor   x9, x9, x" #n "\n   orr   x0, x0, x9\n"
#define COMPARE_D(n) "   add   x9, x2, #(100 + " #n ")\n   fmov  x10, d" #n "\n" \
                     "   eor   x9, x9, x10\n   orr   x0, x0, x9\n"
__asm__ (
    ".text\n"
    ".type registers_across, %function\n"
    "registers_across:\n"
    "   sub   sp, sp, #176\n"
    "   stp   x19, x20, [sp, #0]\n   stp   x21, x22, [sp, #16]\n   stp   x23, x24, [sp, #32]\n"
    "   stp   x25, x26, [sp, #48]\n   stp   x27, x28, [sp, #64]\n   stp   x29, x30, [sp, #80]\n"
    "   stp   d8, d9, [sp, #96]\n   stp   d10, d11, [sp, #112]\n"
    "   stp   d12, d13, [sp, #128]\n   stp   d14, d15, [sp, #144]\n"
    "   str   x2, [sp, #160]\n"
    SET_X (19) SET_X (20) SET_X (21) SET_X (22) SET_X (23) SET_X (24) SET_X (25) SET_X (26)
    SET_X (27) SET_X (28) SET_X (29)
    SET_D (8) SET_D (9) SET_D (10) SET_D (11) SET_D (12) SET_D (13) SET_D (14) SET_D (15)
    "   bl    registers_switch_function\n"
    "   ldr   x2, [sp, #160]\n"
    "   mov   x0, #0\n"
    COMPARE_X (19) COMPARE_X (20) COMPARE_X (21) COMPARE_X (22) COMPARE_X (23) COMPARE_X (24)
    COMPARE_X (25) COMPARE_X (26) COMPARE_X (27) COMPARE_X (28) COMPARE_X (29)
    COMPARE_D (8) COMPARE_D (9) COMPARE_D (10) COMPARE_D (11)
    COMPARE_D (12) COMPARE_D (13) COMPARE_D (14) COMPARE_D (15)
    "   ldp   x19, x20, [sp, #0]\n   ldp   x21, x22, [sp, #16]\n   ldp   x23, x24, [sp, #32]\n"
    "   ldp   x25, x26, [sp, #48]\n   ldp   x27, x28, [sp, #64]\n   ldp   x29, x30, [sp, #80]\n"
    "   ldp   d8, d9, [sp, #96]\n   ldp   d10, d11, [sp, #112]\n"
    "   ldp   d12, d13, [sp, #128]\n   ldp   d14, d15, [sp, #144]\n"
    "   add   sp, sp, #176\n"
    "   ret\n"
    ".size registers_across, . - registers_across\n");
/* clang-format on */
#else
#define N_REGISTERS 0
#endif

#define REGISTER_ROUNDS 50

typedef struct {
    Flow flow;
    uint64_t changed;
} RegisterFlow;

#if N_REGISTERS > 0
/* What the switch is inlined in keeps the registers, as the asm says that it changes them. */
__attribute__ ((noinline, no_sanitize_address, no_sanitize_thread)) void registers_switch_function (
    EddyFlow *from, EddyFlow *to)
{
    eddy__switch (from, to);
}

static uint64_t registers_switch (Flow *from, Flow *to, uint64_t seed)
{
    uint64_t changed;

    eddy__sanitizer_before_switch (&from->sanitizer, &to->sanitizer, false);
    changed = registers_across (&from->flow, &to->flow, seed);
    eddy__sanitizer_after_switch (&from->sanitizer);
    return changed;
}

static void registers_entry (void *argument)
{
    RegisterFlow *self = argument;

    flow_begin (&self->flow);
    for (uint64_t round = 1; round < REGISTER_ROUNDS; round++)
        self->changed |= registers_switch (&self->flow, &thread_flow, 0xabcdef0100000000 + round);
    flow_end (&self->flow, &thread_flow);
}

static void test_registers (void)
{
    RegisterFlow other = { .changed = 0 };
    uint64_t changed = 0;
    void *stack = malloc (STACK_SIZE);

    flow_init (&other.flow, stack, STACK_SIZE, registers_entry, &other);
    for (uint64_t round = 0; round < REGISTER_ROUNDS; round++)
        changed |= registers_switch (&thread_flow, &other.flow, 0x1234567800000000 + round);
    tap_ok (changed == 0, "%d registers on the thread's stack, changed bits %#llx", N_REGISTERS,
            (unsigned long long) changed);
    tap_ok (other.changed == 0, "%d registers on the flow's stack, changed bits %#llx", N_REGISTERS,
            (unsigned long long) other.changed);
    flow_clear (&other.flow);
    free (stack);
}
#else
static void test_registers (void)
{
    tap_skip ("callee-saved registers", "no list of them for this processor");
}
#endif

/* --- floating point --------------------------------------------------------------------------- */

#define N_TERMS 2000

typedef struct {
    Flow flow;
    double start;
    double sum;
    bool is_straight; /* never leaves */
} FloatFlow;

/* Enough live values for the compiler to want every register it has. */
static void float_work (FloatFlow *self)
{
    double x = self->start;
    double a = x, b = x * 2, c = x * 3, d = x / 3, e = x / 7, sum = 0;

    for (int i = 1; i <= N_TERMS; i++) {
        a = a * 0.75 + b / i;
        b = b * 0.5 + c / (i + 1);
        c = c * 0.25 + d / (i + 2);
        d = d * 0.125 + e / (i + 3);
        e = e * 0.9 + a / (i + 4);
        if (!self->is_straight && i < N_TERMS)
            flow_switch (&self->flow, &thread_flow);
        sum += sqrt (fabs (a + b - c + d - e));
    }
    self->sum = sum;
}

static void float_entry (void *argument)
{
    FloatFlow *self = argument;

    flow_begin (&self->flow);
    float_work (self);
    flow_end (&self->flow, &thread_flow);
}

static void test_floating_point (void)
{
    FloatFlow flows[3] = { { .start = 1.1 }, { .start = -2.7 }, { .start = 1e10 } };
    void *stacks[3];

    for (int i = 0; i < 3; i++) {
        stacks[i] = malloc (STACK_SIZE);
        flow_init (&flows[i].flow, stacks[i], STACK_SIZE, float_entry, &flows[i]);
    }
    for (int term = 0; term < N_TERMS; term++) {
        for (int i = 0; i < 3; i++)
            flow_switch (&thread_flow, &flows[i].flow);
    }
    for (int i = 0; i < 3; i++) {
        FloatFlow straight = { .start = flows[i].start, .is_straight = true };

        float_work (&straight);
        tap_ok (memcmp (&flows[i].sum, &straight.sum, sizeof (double)) == 0,
                "%d sums in turn: %.17g, in one go %.17g", N_TERMS, flows[i].sum, straight.sum);
        flow_clear (&flows[i].flow);
        free (stacks[i]);
    }
}

/* --- the first and the last frame ------------------------------------------------------------- */

typedef struct {
    Flow flow;
    void *argument_seen;
    uintptr_t misalignment;
    int n_frames;
} StartFlow;

static void start_entry (void *argument)
{
    StartFlow *self = argument;
    _Alignas(16) volatile char aligned[16];
    void *frames[64];

    flow_begin (&self->flow);
    self->argument_seen = argument;
    aligned[0] = 1;
    /* The address of the frame is read behind the compiler's back: it believes in alignment. */
    __asm__("" : "=r"(self->misalignment) : "0"((uintptr_t) &aligned[0]));
    self->misalignment %= 16;
    self->n_frames = backtrace (frames, 64);
    flow_end (&self->flow, &thread_flow);
}

static void test_start (void)
{
    StartFlow self = { .misalignment = 99 };
    char *stack = malloc (STACK_SIZE);

    flow_init (&self.flow, stack, STACK_SIZE - 5, start_entry, &self);
    flow_switch (&thread_flow, &self.flow);
    tap_ok (self.argument_seen == &self, "entry was given %p, expected %p", self.argument_seen,
            (void *) &self);
    tap_ok (self.misalignment == 0, "stack is %d bytes off a multiple of 16",
            (int) self.misalignment);
    /* start_entry, its caller, and what a sanitizer adds: but no walk into the void. */
    tap_ok (self.n_frames >= 1 && self.n_frames <= 5, "backtrace has %d frames, expected 1 to 5",
            self.n_frames);
    flow_clear (&self.flow);
    free (stack);
}

static void returning_entry (EddyFlow *flow)
{
    flow_begin ((Flow *) flow);
}

static void return_from_entry (void)
{
    Flow flow;
    struct rlimit no_core = { 0, 0 };

    setrlimit (RLIMIT_CORE, &no_core);
    signal (SIGILL, SIG_DFL);
    signal (SIGTRAP, SIG_DFL);
    flow_init (&flow, malloc (STACK_SIZE), STACK_SIZE, NULL, NULL);
    eddy__switch_prepare (&flow.flow, flow.flow.sp, returning_entry);
    flow_switch (&thread_flow, &flow);
    _exit (0);
}

static void test_entry_returns (void)
{
    int status = 0;
    pid_t child = fork ();

    if (child == 0)
        return_from_entry ();
    waitpid (child, &status, 0);
    tap_ok (WIFSIGNALED (status) && (WTERMSIG (status) == SIGILL || WTERMSIG (status) == SIGTRAP),
            "an entry that returns traps: wait status %#x", (unsigned) status);
}

int main (void)
{
    tap_begin (/* seconds_at_most= */ 100);
    flow_init_thread (&thread_flow);
    test_round_trips ();
    test_many_flows ();
    test_registers ();
    test_floating_point ();
    test_start ();
    test_entry_returns ();
    return tap_end ();
}
