/* SPDX-License-Identifier: MIT */
/* eddy: one command for each first argument. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <eddy/version.h>

#include "command.h"

static const Command *const commands[] = { &copy_command, &delete_command, &doctor_command };
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const Command *main_find_command (const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp (commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void main_print_help (void)
{
    printf ("Usage: eddy COMMAND [ARGUMENT]...\n"
            "\n"
            "Commands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf ("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf ("  %-10s %s\n", "help", "say how a command is used: eddy help COMMAND");
    printf ("\n"
            "Options:\n"
            "  --help     print this\n"
            "  --version  print the version\n");
}

/* What was printed is the answer: it must have been written. */
static int main_flush (void)
{
    if (fflush (stdout) == 0 && ferror (stdout) == 0)
        return STATUS_FINE;
    perror ("eddy: standard output");
    return STATUS_FAILED;
}

static int main_help (int argc, char **argv)
{
    if (argc < 3) {
        main_print_help ();
        return main_flush ();
    }
    const Command *command = main_find_command (argv[2]);
    if (command == NULL)
        return options_complain ("", "there is no command '%s'", argv[2]);
    fputs (command->help, stdout);
    return main_flush ();
}

/* Whether --help stands among a command's options. */
static bool main_wants_help (int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp (argv[i], "--") != 0; i++)
        if (strcmp (argv[i], "--help") == 0)
            return true;
    return false;
}

static int main_run (const Command *command, int argc, char **argv)
{
    if (main_wants_help (argc, argv)) {
        fputs (command->help, stdout);
        return main_flush ();
    }
    return command->run (argc, argv);
}

int main (int argc, char **argv)
{
    if (argc < 2)
        return options_complain ("", "which command?");
    const char *word = argv[1];
    if (strcmp (word, "--help") == 0 || strcmp (word, "-h") == 0 || strcmp (word, "help") == 0)
        return main_help (argc, argv);
    if (strcmp (word, "--version") == 0 || strcmp (word, "-V") == 0) {
        printf ("eddy %s\n", EDDY_VERSION);
        return main_flush ();
    }
    if (word[0] == '-')
        return options_complain ("", "unknown option %s", word);
    const Command *command = main_find_command (word);
    if (command == NULL)
        return options_complain ("", "there is no command '%s'", word);
    return main_run (command, argc - 1, argv + 1);
}
