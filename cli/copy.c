/* SPDX-License-Identifier: MIT */
/* eddy copy: its options, and what they ask of the library. */
#include <stdlib.h>
#include <string.h>

#include "tree-command.h"

static const char copy_help[] =
    "Usage: eddy copy [OPTION]... SOURCE... DESTINATION\n"
    "\n"
    "Copies files; with -r also folders with all that is in them. Where DESTINATION is a folder,\n"
    "copies go into it. Permissions, times, extended attributes, hard links, holes and, where\n"
    "permitted, owners are kept. Symbolic links are copied as links.\n"
    "\n"
    "Options:\n"
    "  -r, --recursive     copy folders too; folders that exist are merged with\n"
    "      --force         replace files that exist; each stays whole until its copy is whole\n"
    "      --no-clobber    pass over files that exist\n"
    "  -q, --quiet         print errors only\n"
    "      --progress=WHEN auto: a bar on a terminal, lines elsewhere; always: a bar; never\n"
    "      --help          print this\n"
    "\n"
    "Ctrl-C cancels: every file of the copy is then whole or absent. The exit status is 0 when\n"
    "all was copied, 1 when something failed, 2 when it was called wrongly, 130 after SIGINT and\n"
    "143 after SIGTERM.\n";

enum { OPTION_FORCE = 1000, OPTION_NO_CLOBBER };

static const struct option copy_table[] = { { "recursive", no_argument, NULL, 'r' },
                                            { "force", no_argument, NULL, OPTION_FORCE },
                                            { "no-clobber", no_argument, NULL, OPTION_NO_CLOBBER },
                                            TREE_OPTIONS };

typedef struct Copy {
    TreeCommand command;
    bool force;
    bool no_clobber;
    EddyFile *into;   /* DESTINATION */
    bool into_folder; /* it is a folder: copies go into it */
} Copy;

/* False after a complaint. */
static bool copy_parse (Copy *copy, int argc, char **argv)
{
    int value;
    while ((value = options_next ("copy", argc, argv, copy_table)) != OPTIONS_END) {
        switch (value) {
        case 'r':
            copy->command.recursive = true;
            break;
        case OPTION_FORCE:
            copy->force = true;
            break;
        case OPTION_NO_CLOBBER:
            copy->no_clobber = true;
            break;
        default:
            if (!tree_command_parse (&copy->command, value))
                return false;
        }
    }
    if (copy->force && copy->no_clobber) {
        options_complain ("copy", "--force and --no-clobber exclude each other");
        return false;
    }
    if (argc - optind < 2) {
        options_complain ("copy", argc == optind ? "what is to be copied?" : "where to?");
        return false;
    }
    return true;
}

/* Finds out what DESTINATION is; false after a complaint. */
static bool copy_open_destination (Copy *copy, const char *path, bool must_be_folder)
{
    EddyError *error = NULL;
    copy->into = eddy_file_new_for_path (path);
    if (copy->into == NULL) {
        tree_command_fail_memory (&copy->command);
        return false;
    }
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (copy->into, EDDY_FILE_QUERY_INFO_NONE, NULL, &error);
    copy->into_folder =
        info != NULL && eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY;
    bool is_absent = eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_FOUND);
    if (info == NULL && (!is_absent || must_be_folder)) {
        tree_command_fail (&copy->command, error);
        return false;
    }
    eddy_unref (error);
    if (must_be_folder && !copy->into_folder) {
        tree_command_fail (&copy->command,
                           eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_DIRECTORY,
                                           "%s: Not a directory", path));
        return false;
    }
    return true;
}

/* The name of a SOURCE's copy: DESTINATION itself, or a name in it. Where the source's last part is
 * no name, what is in it goes into DESTINATION itself, which may be a symbolic link to the folder:
 * that is what the slash behind it says. */
static EddyFile *copy_get_destination (const Copy *copy, EddyFile *source)
{
    if (!copy->into_folder)
        return eddy_ref (copy->into);
    if (tree_command_is_nameless (eddy_file_get_path (source)))
        return eddy_file_get_child (copy->into, "");
    EDDY_AUTO_FREE (char) name = eddy_file_get_basename (source);
    return name == NULL ? NULL : eddy_file_get_child (copy->into, name);
}

static bool copy_add (Copy *copy, const char *path)
{
    EDDY_AUTO (EddyFile) source = eddy_file_new_for_path (path);
    EDDY_AUTO (EddyFile)
    destination = source == NULL ? NULL : copy_get_destination (copy, source);
    return destination != NULL && eddy_tree_work_add_copy (copy->command.work, source, destination);
}

static void copy_run (Copy *copy, char *const *sources, int n_sources, const char *destination)
{
    EddyFileCopyFlags flags = EDDY_FILE_COPY_ALL_METADATA;
    flags |= copy->force ? EDDY_FILE_COPY_OVERWRITE : EDDY_FILE_COPY_NONE;
    EddyTreeFlags tree_flags = copy->command.recursive ? EDDY_TREE_NONE : EDDY_TREE_FILES_ONLY;
    tree_flags |= copy->no_clobber ? EDDY_TREE_PASS_OVER : EDDY_TREE_NONE;
    if (!copy_open_destination (copy, destination, /* must_be_folder= */ n_sources > 1))
        return;
    copy->command.work = eddy_tree_work_new_copy (flags, tree_flags);
    bool added = copy->command.work != NULL;
    for (int i = 0; i < n_sources && added; i++)
        added = copy_add (copy, sources[i]);
    if (added)
        tree_command_run (&copy->command);
    else
        tree_command_fail_memory (&copy->command);
}

/* Runs as the program's main fiber. */
static int copy_main (int argc, char **argv)
{
    Copy copy = { .command.name = "copy", .command.counts_bytes = true };
    if (!copy_parse (&copy, argc, argv))
        return STATUS_USAGE;
    tree_command_begin (&copy.command);
    copy_run (&copy, argv + optind, argc - optind - 1, argv[argc - 1]);
    eddy_clear (&copy.into);
    return tree_command_end (&copy.command);
}

static int copy_command_run (int argc, char **argv)
{
    return eddy_run (copy_main, argc, argv);
}

const Command copy_command = {
    .name = "copy", .summary = "copy files and folders", .help = copy_help, .run = copy_command_run
};
