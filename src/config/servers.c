/* The user's language servers. Invariant: a program is named by an absolute path or by a bare name
 * that is looked up on PATH, never relative to a folder somebody else fills. */
#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "config/internal.h"

#define NAME_BYTES_MAX 64
#define WORD_BYTES_MAX 4096

static int
complain(char **ret_what, const char *member, const char *demand)
{
    *ret_what = xasprintf("%s: %s", member, demand);
    return -EINVAL;
}

static bool
is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                    c == '+';
        if (!fits)
            return false;
    }
    return s.n > 0 && s.n <= NAME_BYTES_MAX;
}

/* A member that is a list of words; NULL when it is absent. */
static int
read_words(struct config *c, const json_t *server, const char *member,
           const char *const **ret_words, char **ret_what)
{
    const json_t *list = codec_member(server, member), *item;
    size_t i;
    if (!list || json_is_null(list))
        return 0;
    size_t n = json_array_size(list);
    if (n == 0 || n > CONFIG_SERVER_WORDS_MAX)
        return complain(ret_what, member, "must be a list of words, 1 to 64 of them");
    const char **words = arena_calloc(&c->arena, n + 1, sizeof(*words));
    json_array_foreach(list, i, item)
    {
        struct str word = str_slice(json_string_value(item), json_string_length(item));
        if (word.n == 0 || word.n > WORD_BYTES_MAX || memchr(word.p, '\0', word.n))
            return complain(ret_what, member,
                            "each word must be a string of 1 to 4096 bytes");
        words[i] = arena_str(&c->arena, word).p;
    }
    *ret_words = words;
    return 0;
}

/* A member that is an object, as JSON text; NULL when it is absent. */
static int
read_object(struct config *c, const json_t *server, const char *member,
            const char **ret_text, char **ret_what)
{
    const json_t *value = codec_member(server, member);
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_object(value))
        return complain(ret_what, member, "must be an object");
    AUTO(buf_finish) struct buf text = {0};
    codec_add_json(&text, value);
    *ret_text = arena_str(&c->arena, buf_str(&text)).p;
    return 0;
}

static int
check_members(const json_t *server, char **ret_what)
{
    static const char *const known[] = {"name",      "command",
                                        "languages", "root_markers",
                                        "settings",  "initialization_options",
                                        "enabled"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)server, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            is_known |= strcmp(key, known[i]) == 0;
        if (!is_known)
            return complain(ret_what, key, "there is no such member of a server");
    }
    return 0;
}

static int
read_server(struct config *c, const json_t *server, struct config_server *ret,
            char **ret_what)
{
    struct str name;
    int r;
    *ret = (struct config_server){.enabled = true};
    if (codec_get_str(server, "name", &name) < 0 || !is_name(name))
        return complain(ret_what, "name", "must be 1 to 64 letters, digits or -_.+");
    ret->name = arena_str(&c->arena, name).p;
    if ((r = check_members(server, ret_what)) < 0 ||
        (r = read_words(c, server, "command", &ret->command, ret_what)) < 0 ||
        (r = read_words(c, server, "languages", &ret->languages, ret_what)) < 0 ||
        (r = read_words(c, server, "root_markers", &ret->root_markers, ret_what)) < 0 ||
        (r = read_object(c, server, "settings", &ret->settings, ret_what)) < 0 ||
        (r = read_object(c, server, "initialization_options",
                         &ret->initialization_options, ret_what)) < 0)
        return r;
    if (ret->command && ret->command[0][0] != '/' && strchr(ret->command[0], '/'))
        return complain(ret_what, "command",
                        "the program must be an absolute path or a bare name");
    if (codec_get_bool(server, "enabled", &ret->enabled) == -EINVAL)
        return complain(ret_what, "enabled", "must be true or false");
    return 0;
}

static bool
is_named_before(const struct config_server *servers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(servers[i].name, name) == 0)
            return true;
    }
    return false;
}

int
servers_read(struct config *c, const json_t *list, char **ret_what)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > CONFIG_SERVERS_MAX) {
        *ret_what =
            xasprintf("must be a list of %d servers at the most", CONFIG_SERVERS_MAX);
        return -EINVAL;
    }
    struct config_server *servers = arena_calloc(&c->arena, n + 1, sizeof(*servers));
    for (size_t i = 0; i < n; i++) {
        AUTO(free) char *what = NULL;
        const json_t *server = json_array_get(list, i);
        int r = 0;
        if (!json_is_object(server)) {
            r = -EINVAL;
            what = xstrdup(": must be an object");
        } else if ((r = read_server(c, server, &servers[i], &what)) == 0 &&
                   is_named_before(servers, i, servers[i].name)) {
            r = complain(&what, "name", "two servers have this name");
        }
        if (r < 0) {
            *ret_what = xasprintf("[%zu]%s%s", i, what[0] == ':' ? "" : ".", what);
            return r;
        }
    }
    c->servers = servers;
    c->n_servers = n;
    return 0;
}
