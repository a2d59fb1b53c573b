/* SPDX-License-Identifier: MIT */
/* eddy delete: its options, and what they ask of the library. */
#include "tree-command.h"

static const char delete_help[] =
    "Usage: eddy delete [OPTION]... PATH...\n"
    "\n"
    "Removes files; with -r also folders with all that is in them. Symbolic links are removed, "
    "and\n"
    "never followed. What was removed is gone: there is no way back.\n"
    "\n"
    "Options:\n"
    "  -r, --recursive     remove folders too\n"
    "  -f, --force         pass over what does not exist\n"
    "  -q, --quiet         print errors only\n"
    "      --progress=WHEN auto: a line that is drawn anew on a terminal, lines elsewhere; "
    "always:\n"
    "                      a line that is drawn anew; never\n"
    "      --help          print this\n"
    "\n"
    "Ctrl-C cancels: what is left then was not removed. The exit status is 0 when all was "
    "removed,\n"
    "1 when something failed, 2 when it was called wrongly, 130 after SIGINT and 143 after\n"
    "SIGTERM.\n";

static const struct option delete_table[] = { { "recursive", no_argument, NULL, 'r' },
                                              { "force", no_argument, NULL, 'f' },
                                              TREE_OPTIONS };

typedef struct Delete {
    TreeCommand command;
    bool force;
} Delete;

/* False after a complaint. */
static bool delete_parse (Delete *self, int argc, char **argv)
{
    int value;
    while ((value = options_next ("delete", argc, argv, delete_table)) != OPTIONS_END) {
        switch (value) {
        case 'r':
            self->command.recursive = true;
            break;
        case 'f':
            self->force = true;
            break;
        default:
            if (!tree_command_parse (&self->command, value))
                return false;
        }
    }
    if (optind == argc && !self->force) {
        options_complain ("delete", "what is to be removed?");
        return false;
    }
    return true;
}

/* "/", "." and ".." are refused before anything is removed: where one of them stands among others,
 * the whole line is likely not what was meant. */
static bool delete_check (char *const *paths, int n_paths)
{
    for (int i = 0; i < n_paths; i++) {
        if (tree_command_is_nameless (paths[i])) {
            options_complain ("delete", "'%s' is never removed", paths[i]);
            return false;
        }
    }
    return true;
}

static void delete_run (Delete *self, char *const *paths, int n_paths)
{
    EddyTreeFlags flags = self->command.recursive ? EDDY_TREE_NONE : EDDY_TREE_FILES_ONLY;
    flags |= self->force ? EDDY_TREE_PASS_OVER : EDDY_TREE_NONE;
    self->command.work = eddy_tree_work_new_delete (flags);
    bool added = self->command.work != NULL;
    for (int i = 0; i < n_paths && added; i++) {
        EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (paths[i]);
        added = file != NULL && eddy_tree_work_add_delete (self->command.work, file);
    }
    if (added)
        tree_command_run (&self->command);
    else
        tree_command_fail_memory (&self->command);
}

/* Runs as the program's main fiber. */
static int delete_main (int argc, char **argv)
{
    Delete self = { .command.name = "delete" };
    if (!delete_parse (&self, argc, argv) || !delete_check (argv + optind, argc - optind))
        return STATUS_USAGE;
    tree_command_begin (&self.command);
    delete_run (&self, argv + optind, argc - optind);
    return tree_command_end (&self.command);
}

static int delete_command_run (int argc, char **argv)
{
    return eddy_run (delete_main, argc, argv);
}

const Command delete_command = { .name = "delete",
                                 .summary = "remove files and folders",
                                 .help = delete_help,
                                 .run = delete_command_run };
