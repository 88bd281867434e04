/* The settings, one row each: everything that reads, checks, prints or documents a setting goes by
 * its row. Invariant: a field of struct config holds its default or a value within its row's limits. */
#include "base/err.h"
#include "base/mem.h"
#include "base/uri.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "config/internal.h"

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const parses[] = {"outline", "full", NULL};

#define FIELD(f) .offset = offsetof(struct config, f)

/* Sorted by name. */
static const struct config_setting settings[] = {
    {"db", "db", "GLOSS_DB", CONFIG_URL, FIELD(db),
     .help = "where the index lies: PATH, sqlite:PATH, rocksdb:FOLDER, postgres://… or "
             "mem:; none: a file for each folder"},
    {"engine.idle_exit_s", "idle-exit", "GLOSS_ENGINE_IDLE_EXIT_S", CONFIG_NUMBER,
     FIELD(idle_exit_s), .fallback = "30", .max = 7 * 24 * 3600,
     .help = "seconds without a client after which the engine ends; 0: never"},
    {"enrich.deadline_ms", NULL, "GLOSS_ENRICH_DEADLINE_MS", CONFIG_NUMBER,
     FIELD(enrich_deadline_ms), .fallback = "3000", .min = 10, .max = 10 * 60 * 1000,
     .help = "milliseconds a language server has to answer a hover"},
    {"enrich.enabled", NULL, "GLOSS_ENRICH_ENABLED", CONFIG_BOOL, FIELD(enrich_enabled),
     .fallback = "true", .help = "ask language servers for hovers"},
    {"enrich.files_window", NULL, "GLOSS_ENRICH_FILES_WINDOW", CONFIG_NUMBER,
     FIELD(enrich_files_window), .fallback = "2", .min = 1, .max = 16,
     .help = "files asked about at once, per language server"},
    {"enrich.requests_window", NULL, "GLOSS_ENRICH_REQUESTS_WINDOW", CONFIG_NUMBER,
     FIELD(enrich_requests_window), .fallback = "512", .min = 1, .max = 4096,
     .help = "hovers asked for at once at most, per language server; what it can take is "
             "found out below that"},
    {"enrich.server_idle_s", NULL, "GLOSS_ENRICH_SERVER_IDLE_S", CONFIG_NUMBER,
     FIELD(enrich_server_idle_s), .fallback = "300", .max = 7 * 24 * 3600,
     .help =
         "seconds without a question after which a language server is ended; 0: never"},
    {"enrich.server_memory_bytes", NULL, "GLOSS_ENRICH_SERVER_MEMORY_BYTES",
     CONFIG_NUMBER, FIELD(enrich_server_memory_bytes), .fallback = "4294967296",
     .max = 1024ULL << 30,
     .help = "a language server that grows beyond is started anew; 0: no limit"},
    {"hub.bad_tokens", NULL, "GLOSS_HUB_BAD_TOKENS", CONFIG_NUMBER, FIELD(hub_bad_tokens),
     .fallback = "20", .min = 1, .max = 1000000,
     .help = "wrong tokens a minute of all connections; above that the answer is 429"},
    {"hub.port", "port", "GLOSS_HUB_PORT", CONFIG_NUMBER, FIELD(hub_port),
     .fallback = "0", .max = 65535,
     .help = "port of the hub on 127.0.0.1; 0: any free one"},
    {"hub.strangers", NULL, "GLOSS_HUB_STRANGERS", CONFIG_NUMBER, FIELD(hub_strangers),
     .fallback = "50", .min = 1, .max = 1000000,
     .help = "requests a second without the token, of all connections; above that the "
             "answer is 503"},
    {"index.ignore", NULL, "GLOSS_INDEX_IGNORE", CONFIG_PATTERNS, FIELD(ignore),
     .is_workspace_safe = true,
     .help = "further patterns of files to leave out, as in .gitignore"},
    {"index.jobs", "jobs", "GLOSS_INDEX_JOBS", CONFIG_NUMBER, FIELD(jobs),
     .fallback = "0", .max = 256, .help = "files parsed at once; 0: one per core"},
    {"index.max_file_bytes", NULL, "GLOSS_INDEX_MAX_FILE_BYTES", CONFIG_NUMBER,
     FIELD(max_file_bytes), .is_workspace_safe = true, .fallback = "2097152", .min = 1024,
     .max = 64 * 1024 * 1024,
     .help = "a larger file is skipped, with the reason recorded"},
    {"index.max_watches", NULL, "GLOSS_INDEX_MAX_WATCHES", CONFIG_NUMBER,
     FIELD(max_watches), .fallback = "0", .max = 100000000,
     .help =
         "folders watched at most, the rest is read again every few seconds; 0: three "
         "quarters of what the system allows you"},
    {"index.parse", "parse", "GLOSS_INDEX_PARSE", CONFIG_CHOICE, FIELD(parse),
     .fallback = "outline", .choices = parses,
     .help = "full: parse the insides of functions, too, though no entity is lost there"},
    {"log.format", "log-format", "GLOSS_LOG_FORMAT", CONFIG_CHOICE, FIELD(log_format),
     .fallback = "text", .choices = formats,
     .help = "lines on stderr for people or for programs"},
    {"log.level", "log-level", "GLOSS_LOG_LEVEL", CONFIG_CHOICE, FIELD(log_level),
     .fallback = "warn", .choices = levels,
     .help = "least important line that is written"},
    {"servers", NULL, NULL, CONFIG_SERVERS, FIELD(servers),
     .help = "language servers of your own, before the built-in ones"},
    {"trusted", NULL, "GLOSS_TRUSTED", CONFIG_BOOL, FIELD(trusted), .fallback = "true",
     .help = "false: tree-sitter only, no language server is started"},
};

static const size_t patterns_n_offset = offsetof(struct config, n_ignore);

const struct config_setting *
config_setting_at(size_t index)
{
    return index < ARRAY_LEN(settings) ? &settings[index] : NULL;
}

const struct config_setting *
setting_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (str_eq_c(name, settings[i].name) ||
            (settings[i].flag && str_eq_c(name, settings[i].flag)))
            return &settings[i];
    }
    return NULL;
}

bool
setting_is_group(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        struct str full = str_of(settings[i].name);
        if (full.n > name.n && full.p[name.n] == '.' && str_starts_with(full, name))
            return true;
    }
    return false;
}

static void *
field_at(struct config *c, const struct config_setting *s)
{
    return (char *)c + s->offset;
}

static const void *
field_of(const struct config *c, const struct config_setting *s)
{
    return (const char *)c + s->offset;
}

/* ---- what a wrong value is told ---- */

static int
wrong_number(const struct config_setting *s, char **ret_what)
{
    *ret_what =
        xasprintf("must be a whole number from %" PRIu64 " to %" PRIu64, s->min, s->max);
    return -EINVAL;
}

static int
wrong_bool(char **ret_what)
{
    *ret_what = xstrdup("must be true or false");
    return -EINVAL;
}

static int
wrong_choice(const struct config_setting *s, char **ret_what)
{
    struct buf b = {0};
    buf_add_cstr(&b, "must be one of");
    for (size_t i = 0; s->choices[i]; i++)
        buf_printf(&b, "%s %s", i > 0 ? "," : "", s->choices[i]);
    *ret_what = buf_steal(&b);
    return -EINVAL;
}

/* ---- setting one value ---- */

static int
set_number(struct config *c, const struct config_setting *s, uint64_t value,
           char **ret_what)
{
    if (value < s->min || value > s->max)
        return wrong_number(s, ret_what);
    *(uint64_t *)field_at(c, s) = value;
    return 0;
}

static int
set_choice(struct config *c, const struct config_setting *s, struct str text,
           char **ret_what)
{
    for (unsigned i = 0; s->choices[i]; i++) {
        if (str_eq_c(text, s->choices[i])) {
            memcpy(field_at(c, s), &i, sizeof(i)); // an enum that counts like the choices
            return 0;
        }
    }
    return wrong_choice(s, ret_what);
}

static int
set_url(struct config *c, const struct config_setting *s, struct str text,
        char **ret_what)
{
    AUTO(free) char *given = str_dup(text), *url = NULL;
    if (strlen(given) != text.n) {
        *ret_what = xstrdup("must not hold a NUL");
        return -EINVAL;
    }
    if (config_db_url(given, &url, ret_what) < 0)
        return -EINVAL;
    *(const char **)field_at(c, s) = arena_cstr(&c->arena, url).p;
    return 0;
}

struct patterns {
    VEC(struct str) all;
};

static int
add_pattern(struct patterns *p, struct str pattern, char **ret_what)
{
    if (pattern.n == 0 || pattern.n > CONFIG_IGNORE_BYTES_MAX ||
        memchr(pattern.p, '\n', pattern.n) || memchr(pattern.p, '\0', pattern.n)) {
        *ret_what = xasprintf("a pattern must be one line of 1 to %d bytes",
                              CONFIG_IGNORE_BYTES_MAX);
        return -EINVAL;
    }
    if (p->all.n == CONFIG_IGNORE_MAX) {
        *ret_what = xasprintf("must be %d patterns at the most", CONFIG_IGNORE_MAX);
        return -EINVAL;
    }
    *vec_push(&p->all) = pattern;
    return 0;
}

/* Into the config's own memory, behind those it has already if is_more. */
static int
keep_patterns(struct config *c, const struct config_setting *s, const struct patterns *p,
              bool is_more, char **ret_what)
{
    const struct str **field = field_at(c, s);
    size_t *n_field = (size_t *)(void *)((char *)c + patterns_n_offset);
    size_t old_n = is_more ? *n_field : 0;
    if (old_n + p->all.n > CONFIG_IGNORE_MAX) {
        *ret_what = xasprintf("must be %d patterns at the most, with the user's own",
                              CONFIG_IGNORE_MAX);
        return -EINVAL;
    }
    struct str *kept = arena_calloc(&c->arena, old_n + p->all.n + 1, sizeof(*kept));
    for (size_t i = 0; i < old_n; i++)
        kept[i] = (*field)[i];
    for (size_t i = 0; i < p->all.n; i++)
        kept[old_n + i] = arena_str(&c->arena, p->all.v[i]);
    *field = kept;
    *n_field = old_n + p->all.n;
    return 0;
}

static int
set_patterns_json(struct config *c, const struct config_setting *s, const json_t *list,
                  bool is_more, char **ret_what)
{
    struct patterns p = {0};
    const json_t *item;
    size_t i;
    int r = 0;
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item)) {
            *ret_what = xstrdup("must be a list of patterns");
            r = -EINVAL;
        } else {
            r = add_pattern(&p,
                            str_slice(json_string_value(item), json_string_length(item)),
                            ret_what);
        }
        if (r < 0)
            break;
    }
    if (r == 0)
        r = keep_patterns(c, s, &p, is_more, ret_what);
    vec_finish(&p.all);
    return r;
}

/* a,b,c or a JSON array, for patterns that hold a comma. */
static int
set_patterns_text(struct config *c, const struct config_setting *s, struct str text,
                  char **ret_what)
{
    if (str_starts_with(text, STR("["))) {
        AUTO(json_decref_) json_t *list = NULL;
        AUTO(free) char *why = NULL;
        if (codec_parse(text, &list, &why) < 0) {
            *ret_what = xasprintf(
                "must be a JSON array or patterns separated by commas: %s", why);
            return -EINVAL;
        }
        return set_patterns_json(c, s, list, false, ret_what);
    }
    struct patterns p = {0};
    struct str part;
    int r = 0;
    while (r == 0 && str_split(&text, ',', &part)) {
        part = str_trim(part);
        if (part.n > 0)
            r = add_pattern(&p, part, ret_what);
    }
    if (r == 0)
        r = keep_patterns(c, s, &p, false, ret_what);
    vec_finish(&p.all);
    return r;
}

static int
set_bool_text(struct config *c, const struct config_setting *s, struct str text,
              char **ret_what)
{
    static const char *const yes[] = {"true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_eq_c(text, yes[i]) || str_eq_c(text, no[i])) {
            *(bool *)field_at(c, s) = str_eq_c(text, yes[i]);
            return 0;
        }
    }
    return wrong_bool(ret_what);
}

int
setting_set_text(struct config *c, const struct config_setting *s, struct str text,
                 char **ret_what)
{
    uint64_t number;
    switch (s->type) {
    case CONFIG_NUMBER:
        if (str_to_u64(text, &number) < 0)
            return wrong_number(s, ret_what);
        return set_number(c, s, number, ret_what);
    case CONFIG_BOOL: return set_bool_text(c, s, text, ret_what);
    case CONFIG_CHOICE: return set_choice(c, s, text, ret_what);
    case CONFIG_URL: return set_url(c, s, text, ret_what);
    case CONFIG_PATTERNS: return set_patterns_text(c, s, text, ret_what);
    case CONFIG_SERVERS: break;
    }
    *ret_what = xstrdup("can be set in a file only");
    return -EINVAL;
}

static int
set_string_json(struct config *c, const struct config_setting *s, const json_t *object,
                const char *key, char **ret_what)
{
    struct str text;
    if (codec_get_str(object, key, &text) < 0) {
        if (s->type == CONFIG_CHOICE)
            return wrong_choice(s, ret_what);
        *ret_what = xstrdup("must be a string");
        return -EINVAL;
    }
    if (s->type == CONFIG_CHOICE)
        return set_choice(c, s, text, ret_what);
    /* A file is read from any folder, so a relative path would mean another place each time. */
    static const struct str schemes[] = {{"sqlite:", 7}, {"rocksdb:", 8}};
    struct str path = text;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_starts_with(text, schemes[i]))
            path = str_slice(text.p + schemes[i].n, text.n - schemes[i].n);
    if (path.n > 0 && path.p[0] != '/' && !memchr(path.p, ':', path.n)) {
        *ret_what = xstrdup("must be an absolute path in a file");
        return -EINVAL;
    }
    return set_url(c, s, text, ret_what);
}

int
setting_set_json(struct config *c, const struct config_setting *s, const json_t *object,
                 const char *key, bool is_more, char **ret_what)
{
    const json_t *value = codec_member(object, key);
    int64_t number;
    if (!value || json_is_null(value))
        return 0;
    switch (s->type) {
    case CONFIG_NUMBER:
        if (codec_get_int(object, key, (int64_t)s->min, (int64_t)s->max, &number) < 0)
            return wrong_number(s, ret_what);
        return set_number(c, s, (uint64_t)number, ret_what);
    case CONFIG_BOOL:
        if (codec_get_bool(object, key, (bool *)field_at(c, s)) < 0)
            return wrong_bool(ret_what);
        return 0;
    case CONFIG_CHOICE:
    case CONFIG_URL: return set_string_json(c, s, object, key, ret_what);
    case CONFIG_PATTERNS:
        if (json_is_array(value))
            return set_patterns_json(c, s, value, is_more, ret_what);
        *ret_what = xstrdup("must be a list of patterns");
        return -EINVAL;
    case CONFIG_SERVERS: return servers_read(c, value, ret_what);
    }
    return -EINVAL;
}

/* ---- showing ---- */

void
config_setting_show(const struct config *c, const struct config_setting *s,
                    struct buf *out)
{
    AUTO(free) char *url = NULL;
    unsigned choice;
    switch (s->type) {
    case CONFIG_NUMBER:
        buf_printf(out, "%" PRIu64, *(const uint64_t *)field_of(c, s));
        break;
    case CONFIG_BOOL:
        buf_add_cstr(out, *(const bool *)field_of(c, s) ? "true" : "false");
        break;
    case CONFIG_CHOICE:
        memcpy(&choice, field_of(c, s), sizeof(choice));
        buf_add_cstr(out, s->choices[choice]);
        break;
    case CONFIG_URL:
        if (*(const char *const *)field_of(c, s))
            url = uri_public(*(const char *const *)field_of(c, s));
        buf_add_str(out, str_of(url));
        break;
    case CONFIG_PATTERNS:
        for (size_t i = 0; i < c->n_ignore; i++)
            buf_printf(out, "%s%s", i > 0 ? "," : "", c->ignore[i].p);
        break;
    case CONFIG_SERVERS:
        for (size_t i = 0; i < c->n_servers; i++)
            buf_printf(out, "%s%s", i > 0 ? "," : "", c->servers[i].name);
        break;
    }
}
