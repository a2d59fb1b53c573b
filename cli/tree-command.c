/* SPDX-License-Identifier: MIT */
/* The course of a command that works on trees. */
#include "tree-command.h"

#include <string.h>

/* --- options ---------------------------------------------------------------------------------- */

static bool tree_parse_progress (TreeCommand *command, const char *word)
{
    static const char *const words[] = { "auto", "always", "never" };
    for (int i = 0; i < 3; i++) {
        if (strcmp (word, words[i]) == 0) {
            command->mode = (ProgressMode) i;
            return true;
        }
    }
    options_complain (command->name, "--progress is auto, always or never, not '%s'", word);
    return false;
}

bool tree_command_parse (TreeCommand *command, int value)
{
    switch (value) {
    case 'q':
        command->quiet = true;
        return true;
    case TREE_OPTION_PROGRESS:
        return tree_parse_progress (command, optarg);
    default:
        return false;
    }
}

bool tree_command_is_nameless (const char *path)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (path);
    EDDY_AUTO_FREE (char) basename = file == NULL ? NULL : eddy_file_get_basename (file);
    if (basename == NULL || *basename == '\0')
        return false;
    return strcmp (basename, ".") == 0 || strcmp (basename, "..") == 0 ||
           strspn (basename, "/") == strlen (basename);
}

/* --- failures --------------------------------------------------------------------------------- */

/* Whether to go on: each further file would only fail likewise where there is no space. */
static bool tree_say_failure (TreeCommand *command, const EddyError *error)
{
    bool needs_r = !command->recursive &&
                   eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_RECURSE);
    progress_say (&command->progress, "%s%s", eddy_error_get_message (error),
                  needs_r ? " (use -r)" : "");
    if (!eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE))
        return true;
    if (!command->disk_full)
        progress_say (&command->progress, "no further file is begun, since there is no space");
    command->disk_full = true;
    return false;
}

static bool tree_failed (EddyTreeWork *work, const EddyError *error, void *data)
{
    TreeCommand *command = data;
    (void) work;
    command->failed = true;
    return tree_say_failure (command, error);
}

void tree_command_fail (TreeCommand *command, EddyError *error)
{
    if (!eddy_error_is_cancelled (error)) {
        command->failed = true;
        tree_say_failure (command, error);
    }
    eddy_unref (error);
}

void tree_command_fail_memory (TreeCommand *command)
{
    command->failed = true;
    progress_say (&command->progress, "a file: Cannot allocate memory");
}

/* --- the course ------------------------------------------------------------------------------- */

void tree_command_begin (TreeCommand *command)
{
    /* The whole work is a batch of jobs: this thread does its share of them. */
    eddy_context_set_helps (NULL, true);
    progress_begin (&command->progress, command->name, command->mode, command->quiet,
                    command->counts_bytes);
}

void tree_command_run (TreeCommand *command)
{
    EddyError *error = NULL;
    command->progress.work = command->work;
    eddy_tree_work_set_failure_func (command->work, tree_failed, command);
    if (eddy_tree_work_run (command->work, NULL, &error))
        return;
    if (eddy_tree_work_get_n_failures (command->work) == 0)
        tree_command_fail (command, error);
    else
        eddy_unref (error);
}

int tree_command_end (TreeCommand *command)
{
    progress_end (&command->progress);
    bool cancelled = eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ());
    progress_summarize (&command->progress, cancelled);
    eddy_context_set_helps (NULL, false);
    eddy_clear (&command->work);
    /* After a signal eddy_run() turns 0 into the signal's status, whatever else has failed. */
    return command->failed && !cancelled ? STATUS_FAILED : STATUS_FINE;
}
