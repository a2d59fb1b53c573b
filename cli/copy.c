/* SPDX-License-Identifier: MIT */
/* eddy copy: its options, its course, its end. */
#include "copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

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

enum { OPTION_FORCE = 1000, OPTION_NO_CLOBBER, OPTION_PROGRESS };

static const struct option copy_table[] = { { "recursive", no_argument, NULL, 'r' },
                                            { "force", no_argument, NULL, OPTION_FORCE },
                                            { "no-clobber", no_argument, NULL, OPTION_NO_CLOBBER },
                                            { "quiet", no_argument, NULL, 'q' },
                                            { "progress", required_argument, NULL,
                                              OPTION_PROGRESS },
                                            { NULL, 0, NULL, 0 } };

static bool copy_parse_progress (const char *word, ProgressMode *mode)
{
    static const char *const words[] = { "auto", "always", "never" };
    for (int i = 0; i < 3; i++) {
        if (strcmp (word, words[i]) == 0) {
            *mode = (ProgressMode) i;
            return true;
        }
    }
    options_complain ("copy", "--progress is auto, always or never, not '%s'", word);
    return false;
}

/* False after a complaint. */
static bool copy_parse (int argc, char **argv, CopyOptions *options)
{
    int value;
    while ((value = options_next ("copy", argc, argv, copy_table)) != OPTIONS_END) {
        switch (value) {
        case 'r':
            options->recursive = true;
            break;
        case 'q':
            options->quiet = true;
            break;
        case OPTION_FORCE:
            options->force = true;
            break;
        case OPTION_NO_CLOBBER:
            options->no_clobber = true;
            break;
        case OPTION_PROGRESS:
            if (!copy_parse_progress (optarg, &options->progress))
                return false;
            break;
        default:
            return false;
        }
    }
    if (options->force && options->no_clobber) {
        options_complain ("copy", "--force and --no-clobber exclude each other");
        return false;
    }
    if (argc - optind < 2) {
        options_complain ("copy", argc == optind ? "what is to be copied?" : "where to?");
        return false;
    }
    return true;
}

bool copy_is_stopping (const Copy *copy)
{
    return copy->disk_full || eddy_cancellable_is_cancelled (copy->cancellable);
}

void copy_fail (Copy *copy, EddyError *error)
{
    if (!eddy_error_is_cancelled (error)) {
        copy->failed = true;
        progress_say (&copy->progress, "%s", eddy_error_get_message (error));
    }
    if (!copy->disk_full && eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE)) {
        copy->disk_full = true;
        progress_say (&copy->progress, "no further file is begun, since there is no space");
    }
    eddy_unref (error);
}

void copy_fail_memory (Copy *copy, EddyFile *file)
{
    const char *path = file == NULL ? "a file" : eddy_file_get_path (file);
    copy->failed = true;
    progress_say (&copy->progress, "%s: Cannot allocate memory", path);
}

/* The folder that a name is in, as a string of its own; NULL when memory is out. */
static char *copy_dirname (const char *path)
{
    size_t len = strlen (path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (len == 0)
        return strdup (".");
    while (len > 1 && path[len - 1] == '/')
        len--;
    return strndup (path, len);
}

/* Finds out what DESTINATION is; false after a complaint. */
static bool copy_open_destination (Copy *copy, const char *path, bool must_be_folder)
{
    EddyError *error = NULL;
    copy->into = eddy_file_new_for_path (path);
    if (copy->into == NULL) {
        copy_fail_memory (copy, NULL);
        return false;
    }
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (copy->into, EDDY_FILE_QUERY_INFO_NONE, NULL, &error);
    copy->into_folder =
        info != NULL && eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY;
    bool is_absent = eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_FOUND);
    if (info == NULL && (!is_absent || must_be_folder)) {
        copy_fail (copy, error);
        return false;
    }
    eddy_unref (error);
    if (must_be_folder && !copy->into_folder) {
        copy_fail (copy, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_DIRECTORY,
                                         "%s: Not a directory", path));
        return false;
    }
    char *folder = copy->into_folder ? strdup (path) : copy_dirname (path);
    if (folder != NULL && copy->options.recursive)
        copy_read_ancestors (copy, folder);
    free (folder);
    return true;
}

/* Takes the sources up one by one, while fibers copy what was found; then works as one of them. */
static void copy_run (Copy *copy, char *const *sources, int n_sources, const char *destination)
{
    if (!copy_open_destination (copy, destination, /* must_be_folder= */ n_sources > 1))
        return;
    copy->keeps_made = copy->options.force && copy_made_is_needed (sources, n_sources);
    for (int i = 0; i < n_sources && !copy_is_stopping (copy); i++)
        copy_add_source (copy, sources[i]);
    copy->all_added = true;
    copy_rouse (copy);
    copy_work (copy);
    eddy_group_wait (copy->group, NULL);
    /* What a cancelled fiber has left. */
    copy_work (copy);
}

static void copy_clear (Copy *copy)
{
    copy_links_clear (&copy->links);
    copy_made_clear (&copy->made);
    free (copy->ancestors);
    eddy_clear (&copy->into);
    eddy_clear (&copy->group);
}

/* Runs as the program's main fiber. */
static int copy_main (int argc, char **argv)
{
    /* This fiber is one of those that copy. */
    Copy copy = { .cancellable = eddy_fiber_get_cancellable (), .n_fibers = 1 };
    if (!copy_parse (argc, argv, &copy.options))
        return STATUS_USAGE;
    copy.group = eddy_group_new ();
    if (copy.group == NULL) {
        copy_fail_memory (&copy, NULL);
        return STATUS_FAILED;
    }
    /* The whole work is a batch of jobs: this thread does its share of them. */
    eddy_context_set_helps (NULL, true);
    progress_begin (&copy.progress, copy.options.progress, copy.options.quiet);
    copy_run (&copy, argv + optind, argc - optind - 1, argv[argc - 1]);
    progress_end (&copy.progress);
    bool cancelled = eddy_cancellable_is_cancelled (copy.cancellable);
    progress_summarize (&copy.progress, cancelled);
    eddy_context_set_helps (NULL, false);
    copy_clear (&copy);
    /* After a signal eddy_run() turns 0 into the signal's status, whatever else has failed. */
    return copy.failed && !cancelled ? STATUS_FAILED : STATUS_FINE;
}

static int copy_command_run (int argc, char **argv)
{
    return eddy_run (copy_main, argc, argv);
}

const Command copy_command = {
    .name = "copy", .summary = "copy files and folders", .help = copy_help, .run = copy_command_run
};
