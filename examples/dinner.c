/* SPDX-License-Identifier: MIT */
/* Who waits for whom: five philosophers at a round table, five forks, and each needs two to eat.
 *
 *   dinner polite|hasty COURSES
 *
 * A fork is a mutex. Hasty ones take the left one first, all of them, and wait for the right one,
 * which their neighbour has: a deadlock. The waiter notices that nobody eats any more, and has the
 * context say who waits for whom; then he cancels them all. Polite ones take the lower one first,
 * and all of them eat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eddy/eddy.h>

enum { SEATS = 5 };

typedef struct Table {
    EddyMutex *forks[SEATS];
    bool polite;
    int courses;
    int eaten;
} Table;

typedef struct Philosopher {
    Table *table;
    int seat;
} Philosopher;

/* Each with the fork in one hand waits for the other fork; whatever happens, he puts back what he
 * has. */
static bool philosopher_eat (Table *table, EddyMutex *first, EddyMutex *second, EddyError **error)
{
    if (!eddy_mutex_lock (first, NULL, error))
        return false;
    eddy_fiber_yield (); /* a moment of thought */
    bool has_both = eddy_mutex_lock (second, NULL, error);
    if (has_both) {
        table->eaten++;
        eddy_mutex_unlock (second);
    }
    eddy_mutex_unlock (first);
    return has_both;
}

static void *philosopher_dine (void *data, EddyError **error)
{
    Philosopher *self = data;
    Table *table = self->table;
    EddyMutex *first = table->forks[self->seat];
    EddyMutex *second = table->forks[(self->seat + 1) % SEATS];
    if (table->polite && self->seat == SEATS - 1) {
        first = table->forks[0];
        second = table->forks[self->seat];
    }
    for (int i = 0; i < table->courses; i++)
        if (!philosopher_eat (table, first, second, error))
            break;
    return NULL;
}

/* Looks now and then; when nobody has eaten meanwhile, ends the dinner. */
static void *wait_at_table (void *data, EddyError **error)
{
    Table *table = data;
    for (int before = -1; table->eaten < SEATS * table->courses; before = table->eaten) {
        if (table->eaten == before) {
            eddy_context_dump (NULL, STDERR_FILENO, NULL);
            eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "nobody eats any more");
            break;
        }
        if (!eddy_fiber_sleep (50000000, error))
            break;
    }
    return NULL;
}

static void *dine (void *data, EddyError **error)
{
    static const char *const names[SEATS] = { "Hypatia", "Laozi", "Ibn Rushd", "Hume", "Arendt" };
    Table *table = data;
    Philosopher philosophers[SEATS];
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    bool good = true;
    for (int i = 0; i < SEATS && good; i++) {
        EddyFiberOptions options = { .name = names[i] };
        philosophers[i] = (Philosopher){ table, i };
        good = eddy_group_spawn_full (group, philosopher_dine, &philosophers[i], NULL, &options,
                                      EDDY_PLACE, error);
    }
    if (good)
        good = eddy_group_spawn (group, wait_at_table, table, NULL, error);
    eddy_group_wait (group, good ? error : NULL);
    return NULL;
}

static void table_lay (Table *table)
{
    static const char *const names[SEATS] = { "fork 0", "fork 1", "fork 2", "fork 3", "fork 4" };
    for (int i = 0; i < SEATS; i++) {
        table->forks[i] = eddy_mutex_new ();
        eddy_mutex_set_name (table->forks[i], names[i]);
    }
}

int main (int argc, char **argv)
{
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    Table table = { .polite = argc == 3 && strcmp (argv[1], "polite") == 0 };
    table.courses = argc == 3 ? (int) strtol (argv[2], NULL, 10) : 0;
    if (table.courses <= 0 || (!table.polite && strcmp (argv[1], "hasty") != 0)) {
        fputs ("usage: dinner polite|hasty COURSES\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EddyError *error = NULL;
    table_lay (&table);
    EDDY_AUTO (EddyFuture) dinner = eddy_spawn_local (dine, &table, NULL);
    eddy_block_on_complete (NULL, dinner, &error);
    printf ("%d of %d eaten\n", table.eaten, SEATS * table.courses);
    if (error != NULL)
        fprintf (stderr, "dinner: %s\n", eddy_error_get_message (error));
    for (int i = 0; i < SEATS; i++)
        eddy_unref (table.forks[i]);
    int status = error == NULL ? 0 : 1;
    eddy_unref (error);
    return status;
}
