/* SPDX-License-Identifier: MIT */
/* The pools of stacks: guards of both kinds, warm reuse, trimming, thousands at once, and what
 * happens when the system says no. Needs no Check library, so that it runs under qemu-user. */
#include "fiber/stack-private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/alloc-private.h"
#include "flow.h"
#include "sys/fault-private.h"
#include "sys/memory-private.h"
#include "tap.h"

static Flow thread_flow;

static bool on_valgrind (void)
{
#ifdef EDDY__HAVE_VALGRIND
    return RUNNING_ON_VALGRIND;
#else
    return false;
#endif
}

static EddyStackCounts counts_now (void)
{
    EddyStackCounts counts;

    eddy__stack_get_counts (&counts);
    return counts;
}

static EddyStack *take (size_t size)
{
    EddyStack *stack = NULL;
    int result = eddy__stack_take (size, &stack);

    if (result < 0) {
        tap_ok (false, "take of %zu bytes: %d", size, result);
        exit (1);
    }
    return stack;
}

/* Closes the pool, so that the next test begins with none; no test may leave a stack out. */
static void start_over (const char *test)
{
    int result = eddy__stack_pool_close ();

    tap_ok (result == 0 && eddy__stack_live_count () == 0,
            "after %s: close gives %d, %zu stacks are live", test, result,
            eddy__stack_live_count ());
}

/* --- in a child: does touching this byte kill? ------------------------------------------------ */

static int touch_in_child (volatile char *place)
{
    int status = 0;
    pid_t child = fork ();

    if (child == 0) {
        struct rlimit no_core = { 0, 0 };

        setrlimit (RLIMIT_CORE, &no_core);
        close (STDERR_FILENO); /* qemu-user and valgrind would tell of the death */
        signal (SIGSEGV, SIG_DFL);
        *place = 1;
        _exit (0);
    }
    waitpid (child, &status, 0);
    return WIFSIGNALED (status) ? WTERMSIG (status) : 0;
}

static const char *guards_name (EddyStackGuards guards)
{
    static const char *names[] = { "auto", "madvise", "mprotect" };

    return names[guards];
}

/* --- shape ------------------------------------------------------------------------------------ */

static void test_shape (void)
{
    EddyStack *usual = take (0);
    EddyStack *asked = take (1000);
    EddyStack *large = take (1024 * 1024 + 1);
    size_t room = (size_t) (usual->top - usual->bottom);

    tap_ok (usual->size == EDDY_STACK_SIZE, "usual size is %zu, expected %zu", usual->size,
            EDDY_STACK_SIZE);
    tap_ok (room <= usual->size && room > usual->size - 2048 && room % 64 == 0,
            "%zu bytes between bottom and top, expected up to %zu", room, usual->size);
    tap_ok (asked->top != usual->top + EDDY_STACK_SLOT_SIZE,
            "tops of neighbours lie in other cache sets: %p, %p", (void *) usual->top,
            (void *) asked->top);
    tap_ok (usual->guard + EDDY_STACK_GUARD_SIZE == usual->bottom, "guard ends at the bottom");
    tap_ok (asked->size == EDDY_STACK_SIZE, "a small stack is a slot: %zu", asked->size);
    tap_ok (large->size >= 1024 * 1024 + 1 && large->size < 1024 * 1024 + 128 * 1024,
            "a large stack has %zu bytes", large->size);
    memset (large->bottom, 7, large->size);
    tap_ok (large->top[-1] == 7, "a large stack can be written from end to end");
    tap_ok (eddy__stack_live_count () == 3, "%zu stacks live, expected 3",
            eddy__stack_live_count ());
    eddy__stack_give (usual);
    eddy__stack_give (asked);
    eddy__stack_give (large);
    eddy__stack_give (NULL);
    start_over ("shapes");
}

/* --- guards ----------------------------------------------------------------------------------- */

static void check_guard (EddyStack *stack, const char *what)
{
    int low = touch_in_child (stack->guard);
    int high = touch_in_child (stack->bottom - 1);
    int bottom = touch_in_child (stack->bottom);
    int top = touch_in_child (stack->top - 1);

    tap_ok (low == SIGSEGV && high == SIGSEGV, "%s: guard's ends give signals %d and %d", what, low,
            high);
    tap_ok (bottom == 0 && top == 0, "%s: stack's ends give signals %d and %d", what, bottom, top);
}

static void test_guards (EddyStackGuards guards)
{
    EddyStack *first, *second, *large;
    char what[64];

    eddy__stack_set_guards (guards);
    first = take (0);
    second = take (0);
    large = take (500000);
    snprintf (what, sizeof what, "asked %s, got %s", guards_name (guards),
              guards_name (eddy__stack_get_guards ()));
    check_guard (first, what);
    check_guard (second, what);
    check_guard (large, what);
    /* What lies above one stack is the next one's guard, in the same slab. */
    tap_ok (second->guard == first->guard + EDDY_STACK_SLOT_SIZE, "%s: slots are neighbours", what);

    memset (first->bottom, 1, first->size);
    eddy__sys_madvise (first->bottom, first->size, MADV_DONTNEED);
    check_guard (first, "guard after the stack's memory was given back");
    eddy__stack_give (first);
    eddy__stack_give (second);
    eddy__stack_give (large);
    start_over (what);
    eddy__stack_set_guards (EDDY_STACK_GUARDS_AUTO);
}

/* --- deep recursion --------------------------------------------------------------------------- */

typedef struct {
    Flow flow;
    EddyStack *stack;
    size_t depth;
    size_t least_left;
} DeepFlow;

/* Down to less than 4 KiB above the guard, then all the way up, checking each frame. */
__attribute__ ((noinline)) static size_t deep_descend (DeepFlow *deep, size_t level)
{
    volatile unsigned char frame[512];
    size_t left = (size_t) ((char *) __builtin_frame_address (0) - deep->stack->bottom);
    size_t below = 0;

    memset ((void *) frame, (int) (level & 0xff), sizeof frame);
    deep->depth++;
    if (left < deep->least_left)
        deep->least_left = left;
    if (left > 4096)
        below = deep_descend (deep, level + 1);
    for (size_t i = 0; i < sizeof frame; i++)
        below += frame[i] != (level & 0xff);
    return below;
}

static size_t deep_damage;

static void deep_entry (void *argument)
{
    DeepFlow *deep = argument;

    flow_begin (&deep->flow);
    deep_damage = deep_descend (deep, 0);
    flow_end (&deep->flow, &thread_flow);
}

static void test_deep_recursion (size_t size)
{
    DeepFlow deep = { .stack = take (size), .least_left = SIZE_MAX };

    deep_damage = 999;
    flow_init (&deep.flow, deep.stack->bottom, (size_t) (deep.stack->top - deep.stack->bottom),
               deep_entry, &deep);
    flow_switch (&thread_flow, &deep.flow);
    tap_ok (deep.depth > 20 && deep.least_left < 8192,
            "%zu frames deep on %zu bytes, %zu bytes were left", deep.depth, deep.stack->size,
            deep.least_left);
    tap_ok (deep_damage == 0, "%zu bytes of the frames were damaged", deep_damage);
    flow_clear (&deep.flow);
    eddy__stack_give (deep.stack);
    start_over ("deep recursion");
}

/* --- reuse and trimming ----------------------------------------------------------------------- */

static void test_warm_reuse (void)
{
    EddyStack *a = take (0);
    EddyStack *b = take (0);
    EddyStack *again;

    a->top[-1] = 42;
    eddy__stack_give (b);
    eddy__stack_give (a);
    tap_ok (counts_now ().warm == 2, "%zu warm stacks, expected 2", counts_now ().warm);
    again = take (0);
    tap_ok (again == a, "the last given is the first taken: %p, expected %p", (void *) again,
            (void *) a);
    tap_ok (again->top[-1] == 42, "its memory is still bound");
    eddy__stack_give (again);

    a = take (1 << 20);
    eddy__stack_give (a);
    again = take ((1 << 20) - 70000);
    tap_ok (again == a, "a large stack is taken again: %p, expected %p", (void *) again,
            (void *) a);
    eddy__stack_give (again);
    for (int i = 0; i < 3; i++) {
        EddyStack *many[6];

        for (size_t k = 0; k < 6; k++)
            many[k] = take (300000);
        for (size_t k = 0; k < 6; k++)
            eddy__stack_give (many[k]);
    }
    tap_ok (counts_now ().large == 4, "%zu large stacks are kept, expected 4", counts_now ().large);
    start_over ("warm reuse");
}

/* Warm: no allocation, no system call. */
static int count_allocation (size_t size, void *data)
{
    (void) size;
    ++*(size_t *) data;
    return 0;
}

static int count_call (EddySysCall call, void *data)
{
    (void) call;
    ++*(size_t *) data;
    return 0;
}

static void test_warm_costs_nothing (void)
{
    size_t n_allocations = 0, n_calls = 0;

    eddy__stack_give (take (0));
    eddy__alloc_set_fault (count_allocation, &n_allocations);
    eddy__sys_set_fault (count_call, &n_calls);
    for (int i = 0; i < 1000; i++)
        eddy__stack_give (take (0));
    eddy__alloc_set_fault (NULL, NULL);
    eddy__sys_set_fault (NULL, NULL);
    tap_ok (n_allocations == 0 && n_calls == 0,
            "1000 warm stacks: %zu allocations, %zu system calls", n_allocations, n_calls);
    start_over ("warm takes");
}

#define N_BURST 200

static void burst (EddyStack **stacks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stacks[i] = take (0);
        stacks[i]->top[-1] = (char) (i | 1);
    }
}

static void give_all (EddyStack **stacks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        eddy__stack_give (stacks[i]);
}

static void test_trim (void)
{
    EddyStack *stacks[N_BURST];
    size_t first, second, third, slabs_before, in_use;

    burst (stacks, N_BURST);
    give_all (stacks, N_BURST);
    slabs_before = counts_now ().slabs;
    first = eddy__stack_trim ();
    tap_ok (first == 0, "the first trim after a burst takes %zu stacks, expected 0", first);
    burst (stacks, 40);
    give_all (stacks, 40);
    second = eddy__stack_trim ();
    tap_ok (second == N_BURST - 40 - 16, "the second leaves what was used since: %zu, expected %d",
            second, N_BURST - 40 - 16);
    third = eddy__stack_trim ();
    tap_ok (third == 40, "the third takes %zu, expected 40", third);
    tap_ok (counts_now ().warm == 16, "%zu stay warm, expected 16", counts_now ().warm);
    tap_ok (slabs_before == 4 && counts_now ().slabs < slabs_before, "%zu slabs before, %zu after",
            slabs_before, counts_now ().slabs);

    /* Cold stacks are good stacks, with memory that is zero again. */
    burst (stacks, N_BURST);
    in_use = counts_now ().live;
    tap_ok (in_use == N_BURST, "%zu stacks live after the trims, expected %d", in_use, N_BURST);
    check_guard (stacks[30], "a stack that was cold");
    give_all (stacks, N_BURST);
    start_over ("trimming");
}

/* A live stack keeps its slab, and the slab's cold stacks lose their memory. */
static void test_trim_around_live (void)
{
    EddyStack *stacks[64];
    EddyStack *again;
    size_t n_cold;
    int n_zero = 0;

    burst (stacks, 64);
    give_all (stacks, 63);
    eddy__stack_trim ();
    n_cold = eddy__stack_trim ();
    tap_ok (n_cold == 47 && counts_now ().slabs == 1, "%zu went cold, expected 47; %zu slabs",
            n_cold, counts_now ().slabs);
    tap_ok (stacks[63]->top[-1] == 63, "the live stack keeps its memory: %d", stacks[63]->top[-1]);
    for (int i = 0; i < 47; i++)
        n_zero += stacks[i]->top[-1] == 0;
    tap_ok (n_zero == 47, "%d of 47 cold stacks are zero", n_zero);
    burst (stacks, 63);
    again = take (0);
    tap_ok (counts_now ().slabs == 2, "65 stacks in %zu slabs, expected 2", counts_now ().slabs);
    eddy__stack_give (again);
    give_all (stacks, 64);
    start_over ("trimming around a live stack");
}

/* --- thousands -------------------------------------------------------------------------------- */

static void test_thousands (EddyStackGuards guards, size_t count)
{
    EddyStack **stacks = calloc (count, sizeof *stacks);
    size_t n_good = 0;
    int result = 0;

    eddy__stack_set_guards (guards);
    for (size_t i = 0; i < count && result == 0; i++) {
        result = eddy__stack_take (0, &stacks[i]);
        if (result == 0)
            memcpy (stacks[i]->top - sizeof i, &i, sizeof i);
    }
    for (size_t i = 0; i < count && stacks[i] != NULL; i++)
        n_good += memcmp (stacks[i]->top - sizeof i, &i, sizeof i) == 0;
    tap_ok (result == 0 && n_good == count, "%s: %zu of %zu stacks (result %d)",
            guards_name (guards), n_good, count, result);
    for (size_t i = 0; i < count; i++)
        eddy__stack_give (stacks[i]);
    start_over ("thousands");
    eddy__stack_set_guards (EDDY_STACK_GUARDS_AUTO);
    free (stacks);
}

/* Guards by mprotect end where the process has its most mappings: cleanly, and it goes on. */
static void test_mapping_limit (void)
{
    size_t count = 40000, n_taken = 0;
    EddyStack **stacks = calloc (count, sizeof *stacks);
    EddyStack *again = NULL;
    int result = 0, after;

    if (EDDY__SANITIZED) {
        tap_skip ("the most mappings", "the sanitizer itself needs mappings, and ends without");
        free (stacks);
        return;
    }
    eddy__stack_set_guards (EDDY_STACK_GUARDS_MPROTECT);
    while (n_taken < count && result == 0) {
        result = eddy__stack_take (0, &stacks[n_taken]);
        if (result == 0)
            n_taken++;
    }
    /* A machine may allow more mappings than the usual 65,530. */
    tap_ok (result == -ENOMEM || n_taken == count, "%zu stacks with mprotect, then %d (ENOMEM %d)",
            n_taken, result, -ENOMEM);
    tap_ok (eddy__stack_live_count () == n_taken, "%zu stacks are live, expected %zu",
            eddy__stack_live_count (), n_taken);
    eddy__stack_give (stacks[--n_taken]);
    after = eddy__stack_take (0, &again);
    tap_ok (after == 0, "one given back can be taken: %d", after);
    eddy__stack_give (again);
    give_all (stacks, n_taken);
    start_over ("the most mappings");
    eddy__stack_set_guards (EDDY_STACK_GUARDS_AUTO);
    free (stacks);
}

/* --- the system says no ----------------------------------------------------------------------- */

typedef struct {
    EddySysCall call;
    int advice_result;
    int n_asked;
} Refusal;

static int refuse (EddySysCall call, void *data)
{
    Refusal *refusal = data;

    if (call != refusal->call)
        return 0;
    refusal->n_asked++;
    return refusal->advice_result;
}

static void check_refused (EddySysCall call, int error, size_t size, const char *what)
{
    Refusal refusal = { .call = call, .advice_result = error };
    EddyStack *untouched = (EddyStack *) &refusal, *stack = untouched;
    int result;

    eddy__sys_set_fault (refuse, &refusal);
    result = eddy__stack_take (size, &stack);
    eddy__sys_set_fault (NULL, NULL);
    tap_ok (result == error && refusal.n_asked > 0, "%s: take gives %d, expected %d", what, result,
            error);
    tap_ok (stack == untouched && eddy__stack_live_count () == 0, "%s: nothing is taken, %zu live",
            what, eddy__stack_live_count ());
    eddy__stack_give (take (size));
    start_over (what);
}

static int refuse_allocation (size_t size, void *data)
{
    (void) size;
    (void) data;
    return 1;
}

static int refuse_advice_and_protection (EddySysCall call, void *data)
{
    (void) data;
    return call == EDDY_SYS_MADVISE ? -EINVAL : call == EDDY_SYS_MPROTECT ? -ENOMEM : 0;
}

static void test_refusals (void)
{
    EddyStack *stack = NULL;
    Refusal no_advice = { .call = EDDY_SYS_MADVISE, .advice_result = -EINVAL };
    int result;

    check_refused (EDDY_SYS_MMAP, -ENOMEM, 0, "mmap of a slab refused");
    check_refused (EDDY_SYS_MMAP, -ENOMEM, 1 << 20, "mmap of a large stack refused");
    result = eddy__stack_take (SIZE_MAX - 100, &stack);
    tap_ok (result == -ENOMEM, "a size beyond all bounds: %d", result);
    result = eddy__stack_take ((size_t) 1 << 50, &stack);
    /* valgrind makes its own answer: -EINVAL. */
    tap_ok (result == -ENOMEM || (on_valgrind () && result < 0),
            "a size beyond the address space: %d", result);

    eddy__alloc_set_fault (refuse_allocation, NULL);
    result = eddy__stack_take (0, &stack);
    eddy__alloc_set_fault (NULL, NULL);
    tap_ok (result == -ENOMEM && stack == NULL, "no memory for records: %d", result);

    /* An old kernel: no guards by madvise. */
    eddy__stack_set_guards (EDDY_STACK_GUARDS_AUTO);
    eddy__sys_set_fault (refuse, &no_advice);
    stack = take (0);
    eddy__sys_set_fault (NULL, NULL);
    tap_ok (eddy__stack_get_guards () == EDDY_STACK_GUARDS_MPROTECT, "advice refused: guards by %s",
            guards_name (eddy__stack_get_guards ()));
    check_guard (stack, "guard when advice is refused");
    eddy__stack_give (stack);
    start_over ("refused advice");

    /* Neither way: no stack without a guard. */
    eddy__stack_set_guards (EDDY_STACK_GUARDS_AUTO);
    eddy__sys_set_fault (refuse_advice_and_protection, NULL);
    result = eddy__stack_take (0, &stack);
    eddy__sys_set_fault (NULL, NULL);
    tap_ok (result == -ENOMEM && eddy__stack_live_count () == 0, "no guard, no stack: %d", result);
    start_over ("refused guards");
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *thread_work (void *data)
{
    EddyStack *stacks[70];
    size_t *n_slabs = data;

    for (int round = 0; round < 20; round++) {
        burst (stacks, 70);
        give_all (stacks, 70);
        eddy__stack_trim ();
    }
    *n_slabs = counts_now ().slabs;
    return NULL;
}

static size_t count_mapped_bytes (void)
{
    FILE *file = fopen ("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (file == NULL || fscanf (file, "%lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose (file);
    return (size_t) pages * (size_t) sysconf (_SC_PAGESIZE);
}

/* A thread's end unmaps its pool: a hundred threads leave no more behind than one. */
static void test_thread_end (void)
{
    size_t n_slabs = 0, before = 0, grown;

    for (int i = 0; i < 100; i++) {
        pthread_t thread;

        pthread_create (&thread, NULL, thread_work, &n_slabs);
        pthread_join (thread, NULL);
        if (i == 10)
            before = count_mapped_bytes ();
    }
    grown = count_mapped_bytes () - before;
    tap_ok (n_slabs == 2, "each thread had %zu slabs, expected 2", n_slabs);
    tap_ok (eddy__stack_live_count () == 0, "%zu stacks live", eddy__stack_live_count ());
    if (EDDY__SANITIZED)
        tap_skip ("mappings after 90 threads", "the sanitizer's own mappings are in the count");
    else
        tap_ok (grown < 90 * EDDY_STACK_SLOT_SIZE * 64 / 2,
                "90 threads later %zu more bytes are mapped", grown);
}

static void *thread_pair_work (void *data)
{
    size_t n_slabs;

    return thread_work (data != NULL ? &n_slabs : &n_slabs);
}

static void test_two_threads (void)
{
    pthread_t threads[2];
    EddyStack *mine = take (0);

    for (size_t i = 0; i < 2; i++)
        pthread_create (&threads[i], NULL, thread_pair_work, NULL);
    for (size_t i = 0; i < 2; i++)
        pthread_join (threads[i], NULL);
    tap_ok (eddy__stack_live_count () == 1, "%zu stacks live, expected this thread's 1",
            eddy__stack_live_count ());
    tap_ok (eddy__stack_pool_close () == -EBUSY, "a pool with a stack out does not close");
    eddy__stack_give (mine);
    start_over ("two threads");
}

int main (void)
{
    tap_begin (/* seconds_at_most= */ 100);
    flow_init_thread (&thread_flow);
    test_shape ();
    test_guards (EDDY_STACK_GUARDS_AUTO);
    test_guards (EDDY_STACK_GUARDS_MPROTECT);
    test_deep_recursion (0);
    test_deep_recursion (2 * 1024 * 1024);
    test_warm_reuse ();
    test_warm_costs_nothing ();
    test_trim ();
    test_trim_around_live ();
    test_refusals ();
    test_thread_end ();
    test_two_threads ();
    if (on_valgrind ()) {
        tap_skip ("thousands of stacks, the most mappings", "too many mappings for valgrind");
    } else {
        test_thousands (EDDY_STACK_GUARDS_AUTO, 20000);
        test_thousands (EDDY_STACK_GUARDS_MPROTECT, 5000);
        test_mapping_limit ();
    }
    return tap_end ();
}
