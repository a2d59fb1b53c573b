/* SPDX-License-Identifier: MIT */
/* What the system's files say of names: the hosts file, resolv.conf, nsswitch.conf. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/alloc-private.h"
#include "net/number-private.h"
#include "net/resolver-channel-private.h"
#include "net/resolver-private.h"
#include "sys/clock-private.h"
#include "sys/file-private.h"
#include "sys/resolve-private.h"

enum {
    CONFIG_MOST_SIZE = 256 << 20, /* a larger file is no hosts file */
    CONFIG_N_FILES = 3,
    /* More than these is not taken from resolv.conf: see resolv.conf(5). */
    CONFIG_MOST_TIMEOUT_S = 30,
    CONFIG_MOST_ATTEMPTS = 5
};

/* A file that changes twice within this may show it once only. */
static const int64_t CONFIG_YOUNG_NS = 20000000;
static const int64_t CONFIG_NS_PER_SECOND = 1000000000;

/* --- settings --------------------------------------------------------------------------------- */

static void settings_finalize (void *object)
{
    EddyNameSettings *self = object;
    eddy__free (self->hosts);
    eddy__free (self->resolv_conf);
    eddy__free (self->nsswitch);
    eddy__free (self->servers);
}

static const EddyClass settings_class = { .name = "EddyNameSettings",
                                          .size = sizeof (EddyNameSettings),
                                          .finalize = settings_finalize };

EddyNameSettings *eddy__name_settings_new (const char *hosts, const char *resolv_conf,
                                           const char *nsswitch, const char *servers, uint16_t port)
{
    EDDY_AUTO (EddyNameSettings) self = eddy_object_new (&settings_class);
    if (self == NULL || (self->hosts = eddy__strdup (hosts)) == NULL ||
        (self->resolv_conf = eddy__strdup (resolv_conf)) == NULL ||
        (self->nsswitch = eddy__strdup (nsswitch)) == NULL ||
        (servers != NULL && (self->servers = eddy__strdup (servers)) == NULL))
        return NULL;
    self->port = port;
    return EDDY_TAKE (self);
}

static void config_finalize (void *object)
{
    EddyNameConfig *self = object;
    eddy_unref (self->settings);
    eddy__name_hosts_free (self->hosts);
    eddy_unref (self->servers);
}

static const EddyClass config_class = { .name = "EddyNameConfig",
                                        .size = sizeof (EddyNameConfig),
                                        .finalize = config_finalize };

/* --- files ------------------------------------------------------------------------------------ */

static EddyNameStamp config_stamp (const char *path)
{
    struct statx answer;
    if (eddy__sys_statx (AT_FDCWD, path, 0, STATX_INO | STATX_SIZE | STATX_CTIME, &answer) < 0)
        return (EddyNameStamp){ .changed_ns = -1 };
    return (EddyNameStamp){ answer.stx_ino, answer.stx_size,
                            answer.stx_ctime.tv_sec * CONFIG_NS_PER_SECOND +
                                answer.stx_ctime.tv_nsec };
}

static bool config_stamps_equal (const EddyNameStamp *one, const EddyNameStamp *other)
{
    return one->inode == other->inode && one->size == other->size &&
           one->changed_ns == other->changed_ns;
}

/* The files in the order of the stamps; NULL: not asked. */
static void config_list_files (const EddyNameSettings *settings, const char *paths[CONFIG_N_FILES])
{
    bool is_system = settings->servers == NULL;
    paths[0] = settings->hosts;
    paths[1] = is_system ? settings->resolv_conf : NULL;
    paths[2] = is_system ? settings->nsswitch : NULL;
}

static void config_stamp_files (EddyNameConfig *self)
{
    const char *paths[CONFIG_N_FILES];
    int64_t now_ns = eddy__sys_realtime_ns ();
    config_list_files (self->settings, paths);
    for (int i = 0; i < CONFIG_N_FILES; i++) {
        if (paths[i] == NULL)
            continue;
        self->stamps[i] = config_stamp (paths[i]);
        int64_t age_ns = now_ns - self->stamps[i].changed_ns;
        if (age_ns > -CONFIG_YOUNG_NS && age_ns < CONFIG_YOUNG_NS)
            self->is_young = true;
    }
}

bool eddy__name_config_is_current (const EddyNameConfig *self)
{
    const char *paths[CONFIG_N_FILES];
    config_list_files (self->settings, paths);
    if (self->is_young)
        return false;
    for (int i = 0; i < CONFIG_N_FILES; i++) {
        if (paths[i] == NULL)
            continue;
        EddyNameStamp stamp = config_stamp (paths[i]);
        if (!config_stamps_equal (&stamp, &self->stamps[i]))
            return false;
    }
    return true;
}

/* Fills `*text`, grown as needed, from an fd up to its end. */
static ssize_t config_read_fd (int fd, char **text)
{
    size_t length = 0, capacity = 0;
    for (;;) {
        if (length + 1 >= capacity) {
            capacity = capacity == 0 ? 4096 : 2 * capacity;
            char *grown = eddy__realloc (*text, capacity);
            if (grown == NULL)
                return -ENOMEM;
            *text = grown;
        }
        ssize_t count = eddy__sys_read (fd, *text + length, capacity - length - 1);
        if (count == -EINTR)
            continue;
        if (count < 0 || length > CONFIG_MOST_SIZE)
            return count < 0 ? count : -EFBIG;
        if (count == 0)
            break;
        length += (size_t) count;
    }
    (*text)[length] = '\0';
    return (ssize_t) length;
}

static bool config_is_missing (ssize_t result)
{
    return result == -ENOENT || result == -ENOTDIR || result == -EISDIR || result == -EACCES;
}

/* The text of a file, with a NUL behind it; an empty one for a file that is not there, since a
 * system without these files is one that says nothing. NULL, with the error, for one that could not
 * be read: to look elsewhere would be to find something else. */
static char *config_read (const char *path, size_t *length, EddyError **error)
{
    char *text = NULL;
    int fd = eddy__sys_openat (AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
    ssize_t count = fd < 0 ? fd : config_read_fd (fd, &text);
    if (fd >= 0)
        eddy__sys_close (fd);
    if (count >= 0) {
        *length = (size_t) count;
        return text;
    }
    eddy__free (text);
    *length = 0;
    text = config_is_missing (count) ? eddy__alloc0 (1) : NULL;
    if (text == NULL)
        eddy_error_set_errno (error, config_is_missing (count) ? ENOMEM : (int) -count, "%s", path);
    return text;
}

/* --- nsswitch.conf ---------------------------------------------------------------------------- */

/* What is behind "hosts:", in `text`, ended; or what glibc takes for it. */
static char *config_find_hosts_line (char *text, char *fallback)
{
    for (char *line = text; *line != '\0';) {
        size_t length = strcspn (line, "\n");
        char *next = line + length + (line[length] == '\n');
        line[length] = '\0';
        line[strcspn (line, "#")] = '\0';
        line += strspn (line, " \t");
        if (strncasecmp (line, "hosts:", 6) == 0)
            return line + 6;
        line = next;
    }
    return fallback;
}

static void config_add_service (EddyNameConfig *self, const char *service)
{
    if (strcmp (service, "files") == 0) {
        self->asks_hosts = true;
    } else if (strcmp (service, "dns") == 0) {
        self->servers_first = !self->asks_hosts;
        self->asks_servers = true;
    } else if (strncmp (service, "mdns", 4) == 0) {
        self->system_for_local = true;
    } else if (strcmp (service, "myhostname") == 0) {
        self->system_for_own = true;
    } else if (strcmp (service, "resolve") == 0 &&
               eddy__name_servers_have_resolved (self->servers)) {
        self->asks_servers = true; /* the same one by another way */
        self->system_for_local = self->system_for_own = self->system_for_undotted = true;
    } else {
        self->system_for_all = true;
    }
}

/* Services, and what is to be done when one has an answer or none: "[NOTFOUND=return]". Between
 * what is asked here that is nobody's habit, and left to the system; behind a module of the
 * system's it is the system's. */
static void config_read_services (EddyNameConfig *self, char *line)
{
    bool was_ours = false;
    for (char *rest = line;;) {
        rest += strspn (rest, " \t");
        if (*rest == '\0')
            break;
        if (*rest == '[') {
            self->system_for_all = self->system_for_all || was_ours;
            rest += strcspn (rest, "]");
            rest += *rest == ']';
            continue;
        }
        char *service = rest;
        rest += strcspn (rest, " \t[");
        char end = *rest;
        *rest = '\0';
        config_add_service (self, service);
        was_ours = strcmp (service, "files") == 0 || strcmp (service, "dns") == 0;
        *rest = end;
    }
}

static bool config_read_nsswitch (EddyNameConfig *self, EddyError **error)
{
    if (self->settings->servers != NULL) { /* nobody else is to be asked */
        self->asks_hosts = self->asks_servers = true;
        return true;
    }
    size_t length;
    char *text = config_read (self->settings->nsswitch, &length, error);
    if (text == NULL)
        return false;
    char fallback[] = "files dns";
    config_read_services (self, config_find_hosts_line (text, fallback));
    eddy__free (text);
    return true;
}

bool eddy__name_config_leaves_name (const EddyNameConfig *self, const char *name)
{
    if (self->system_for_all || (self->system_for_local && eddy__name_is_in (name, "local")) ||
        (self->system_for_own && name[0] == '_') ||
        (self->system_for_undotted && strchr (name, '.') == NULL))
        return true;
    char own[256] = "";
    return self->system_for_own && eddy__sys_host_name (own, sizeof own) == 0 &&
           strcasecmp (own, name) == 0;
}

bool eddy__name_config_leaves_address (const EddyNameConfig *self, const EddyInetAddress *address)
{
    return self->system_for_all ||
           (self->system_for_local && eddy_inet_address_get_is_link_local (address));
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool config_read_hosts (EddyNameConfig *self, EddyError **error)
{
    size_t length;
    char *text = config_read (self->settings->hosts, &length, error);
    if (text == NULL)
        return false;
    self->hosts = eddy__name_hosts_new (text, length);
    if (self->hosts == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s", self->settings->hosts);
    return self->hosts != NULL;
}

/* The options of a line behind "options", which is taken to pieces. */
static void config_read_options (char *line, EddyNameOptions *options)
{
    char *rest;
    for (char *word = strtok_r (line, " \t\r", &rest); word != NULL;
         word = strtok_r (NULL, " \t\r", &rest)) {
        uint32_t number;
        const char *colon = strchr (word, ':');
        if (colon == NULL || !eddy__read_number (colon + 1, strlen (colon + 1), 1000, &number))
            continue;
        if (strncmp (word, "timeout:", 8) == 0 && number > 0)
            options->timeout_s = number < CONFIG_MOST_TIMEOUT_S ? number : CONFIG_MOST_TIMEOUT_S;
        else if (strncmp (word, "attempts:", 9) == 0 && number > 0)
            options->attempts = number < CONFIG_MOST_ATTEMPTS ? number : CONFIG_MOST_ATTEMPTS;
    }
}

static bool config_read_resolv_conf (EddyNameConfig *self, EddyNameOptions *options,
                                     EddyError **error)
{
    if (self->settings->servers != NULL)
        return true;
    size_t length;
    char *rest, *text = config_read (self->settings->resolv_conf, &length, error);
    if (text == NULL)
        return false;
    for (char *line = strtok_r (text, "\n", &rest); line != NULL;
         line = strtok_r (NULL, "\n", &rest))
        if (strncmp (line, "options", 7) == 0)
            config_read_options (line + 7, options);
    eddy__free (text);
    return true;
}

static bool config_read_servers (EddyNameConfig *self, EddyError **error)
{
    EddyNameOptions options = { .timeout_s = 0 };
    if (!config_read_resolv_conf (self, &options, error))
        return false;
    int status;
    self->servers = eddy__name_servers_new (self->settings, &options, &status);
    if (self->servers == NULL)
        eddy_error_set (error, EDDY_IO_ERROR,
                        status == ARES_ENOMEM ? EDDY_IO_ERROR_NO_MEMORY : EDDY_IO_ERROR_FAILED,
                        "%s: %s", self->settings->resolv_conf, ares_strerror (status));
    return self->servers != NULL;
}

EddyNameConfig *eddy__name_config_new (EddyNameSettings *settings, EddyError **error)
{
    EddyNameConfig *self = eddy_object_new (&config_class);
    if (self == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", settings->resolv_conf);
        return NULL;
    }
    self->settings = eddy_ref (settings);
    config_stamp_files (self); /* before: what changes meanwhile is read again */
    if (config_read_hosts (self, error) && config_read_servers (self, error) &&
        config_read_nsswitch (self, error))
        return self;
    eddy_unref (self);
    return NULL;
}
