/* gloss doctor: what is there, what is missing, and how to mend it. Nothing is changed. */
#include <sys/resource.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "codec/codec.h"
#include "lsp/client/client.h"
#include "rt/watch.h"
#include "workspace/workspace.h"

#define DOCTOR_WATCHES_MIN 65536 // a large checkout has that many folders

/* Every finding is one row, printed as a line or as an element of the JSON array. */
struct doctor {
    bool is_json;
    size_t n, n_bad;
};

static void
report(struct doctor *d, bool is_good, const char *what, const char *state,
       const char *mend)
{
    AUTO(buf_finish) struct buf json = {0};

    d->n_bad += !is_good;
    if (!d->is_json) {
        out_line("%s %-12s %s%s%s", is_good ? "ok  " : "miss", what, state,
                 is_good || !mend ? "" : "; ", is_good || !mend ? "" : mend);
        return;
    }
    buf_add_cstr(&json, d->n++ ? ",{\"ok\":" : "{\"ok\":");
    buf_add_cstr(&json, is_good ? "true,\"what\":" : "false,\"what\":");
    codec_add_string(&json, str_of(what));
    buf_add_cstr(&json, ",\"state\":");
    codec_add_string(&json, str_of(state));
    buf_add_cstr(&json, ",\"mend\":");
    if (is_good || !mend)
        buf_add_cstr(&json, "null");
    else
        codec_add_string(&json, str_of(mend));
    buf_add_char(&json, '}');
    out_str(buf_str(&json));
}

static void
check_folder(struct doctor *d, const char *what, const char *path)
{
    AUTO(free) char *state = NULL;
    int r = fs_mkdir_p(path, 0700);

    if (r == 0 && access(path, W_OK) < 0)
        r = -errno;
    state = r == 0 ? xstrdup(path) : xasprintf("%s: %s", path, strerror(-r));
    report(d, r == 0, what, state,
           "make it writable for you, or set XDG_STATE_HOME / XDG_RUNTIME_DIR");
}

static void
check_places(struct doctor *d)
{
    AUTO(free)
    char *state_dir = config_state_dir(), *runtime = config_runtime_dir(),
         *file = config_file_path();
    AUTO(free) char *engine = engine_file_path(), *log = path_join(runtime, "engine.log");

    check_folder(d, "state", state_dir);
    check_folder(d, "runtime", runtime);
    report(d, true, "settings",
           fs_exists(file) ? file : "defaults (there is no configuration file)", NULL);
    report(d, true, "engine", fs_exists(engine) ? engine : "none is running", NULL);
    report(d, true, "log", fs_exists(log) ? log : "none yet", NULL);
}

static void
check_watches(struct doctor *d, const struct config *config)
{
    AUTO(free) char *own = NULL, *state = NULL;
    size_t n = watch_user_max();

    if (config->max_watches)
        own = xasprintf(", gloss watches at most %" PRIu64 " (index.max_watches)",
                        config->max_watches);
    state = xasprintf("%zu folders can be watched%s", n, own ? own : "");
    report(d, n >= DOCTOR_WATCHES_MIN, "watches", state,
           "sysctl fs.inotify.max_user_watches=524288; until then the rest is looked at "
           "every few seconds");
}

/* What the engine, if one runs, could not watch. */
static void
check_watching(struct doctor *d)
{
    AUTO(free) char *why = NULL, *answer_why = NULL;
    AUTO(json_decref_) json_t *status = NULL;
    struct control *c = NULL;
    const json_t *w;
    size_t i;

    if (control_open(false, &c, &why) < 0)
        return;
    if (control_request(c, "gloss/status", NULL, NULL, NULL, &status, &answer_why) < 0)
        report(d, false, "engine", answer_why, "gloss stop, and look into the log");
    control_close(c);
    json_array_foreach(codec_array(status, "workspaces"), i, w)
    {
        AUTO(free) char *state = NULL;
        int64_t watched = 0, unwatched = 0;
        struct str root = STR_NONE;

        (void)codec_get_str(w, "root", &root);
        (void)codec_get_int(w, "watched", 0, INT64_MAX, &watched);
        (void)codec_get_int(w, "unwatched", 0, INT64_MAX, &unwatched);
        state = xasprintf("%.*s: %" PRId64 " folders are watched, %" PRId64
                          " are read again every few seconds",
                          STR_ARG(root), watched, unwatched);
        report(d, unwatched == 0, "watching", state,
               "raise fs.inotify.max_user_watches, or index.max_watches if it is set; or "
               "ignore folders that nobody edits");
    }
}

static void
check_files(struct doctor *d)
{
    struct rlimit limit = {0};
    AUTO(free) char *state = NULL;

    getrlimit(RLIMIT_NOFILE, &limit);
    state = xasprintf("%" PRIu64 " open files", (uint64_t)limit.rlim_cur);
    report(d, limit.rlim_cur >= 1024, "descriptors", state, "ulimit -n 4096");
}

static void
check_servers(struct doctor *d, const struct config *config)
{
    const struct client_spec *spec;
    const char *hint;

    for (size_t i = 0; (spec = client_spec_at(i, &hint)); i++) {
        AUTO(free) char *program = fs_find_program(spec->command[0], NULL), *state = NULL;
        AUTO(buf_finish) struct buf languages = {0};

        for (const char *const *l = spec->languages; *l; l++)
            buf_printf(&languages, "%s%s", l == spec->languages ? "" : " ", *l);
        state = xasprintf("%s for %s", program ? program : "not on PATH",
                          languages.p ? languages.p : "");
        report(d, program != NULL, spec->name, state, hint);
    }
    for (size_t i = 0; i < config->n_servers; i++)
        report(d, true, config->servers[i].name,
               config->servers[i].enabled ? "configured by you" : "turned off by you",
               NULL);
}

static void
check_limits(struct doctor *d, const struct config *config)
{
    const struct config_setting *s;

    for (size_t i = 0; (s = config_setting_at(i)); i++) {
        AUTO(buf_finish) struct buf value = {0};
        AUTO(free) char *state = NULL;

        if (s->type == CONFIG_SERVERS)
            continue;
        config_setting_show(config, s, &value);
        state = xasprintf("%s = %s", s->name, value.p ? value.p : "");
        report(d, true, "setting", state, NULL);
    }
}

static int
run(const struct command_line *line)
{
    struct doctor d = {.is_json = line->is_json};

    if (line->is_json)
        out_str(STR("{\"checks\":["));
    report(&d, true, "version", "gloss " GLOSS_VERSION, NULL);
    check_places(&d);
    check_watches(&d, line->config);
    check_watching(&d);
    check_files(&d);
    check_servers(&d, line->config);
    check_limits(&d, line->config);
    if (line->is_json)
        out_line("]}");
    return EXIT_OK;
}

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "What is there and what is missing, each with the way to mend it",
    .run = run,
};
