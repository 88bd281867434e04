/* gloss doctor: what is there, what is missing, and how to mend it. Nothing but our own folders is made. */
#include <sys/resource.h>
#include <unistd.h>

#include "app/commands/doctor.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "codec/codec.h"
#include "rt/watch.h"
#include "workspace/workspace.h"

#define DOCTOR_WATCHES_MIN 65536 // a large checkout has that many folders

/* Every finding is one row, printed as a line or as an element of the JSON array. */
static void
report(struct doctor *d, bool is_good, const char *what, const char *state,
       const char *mend)
{
    AUTO(buf_finish) struct buf json = {0};

    if (!d->line->is_json) {
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
    codec_add_text(&json, is_good ? NULL : mend);
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

/* The engine's status, if one runs. */
static json_t *
ask_engine(struct doctor *d)
{
    AUTO(free) char *why = NULL, *answer_why = NULL;
    json_t *status = NULL;
    struct control *c = NULL;

    if (control_open(false, &c, &why) < 0)
        return NULL;
    if (control_request(c, "gloss/status", NULL, NULL, NULL, &status, &answer_why) < 0)
        report(d, false, "engine", answer_why, "gloss stop, and look into the log");
    control_close(c);
    return status;
}

/* What the engine could not watch. */
static void
check_watching(struct doctor *d)
{
    const json_t *w;
    size_t i;

    json_array_foreach(codec_array(d->status, "workspaces"), i, w)
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

/* Servers that the user turned off or named are shown with their languages, too. */
static void
check_servers(struct doctor *d, const struct config *config)
{
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
    AUTO(free) char *root = line_root(line, 0);
    AUTO(json_decref_) json_t *status = NULL;
    struct doctor d = {.line = line, .root = root};

    if (!root)
        return EXIT_FAILED;
    if (line_has(line, "settings")) {
        doctor_report_settings(&d);
        return EXIT_OK;
    }
    if (line->is_json)
        out_str(STR("{\"checks\":["));
    report(&d, true, "version", "gloss " GLOSS_VERSION, NULL);
    check_places(&d);
    d.status = status = ask_engine(&d);
    check_watches(&d, line->config);
    check_watching(&d);
    check_files(&d);
    check_servers(&d, line->config);
    check_limits(&d, line->config);
    if (line->is_json)
        out_str(STR("],\"languages\":["));
    d.n = 0;
    doctor_report_languages(&d);
    if (line->is_json)
        out_line("]}");
    return EXIT_OK;
}

static const struct command_option options[] = {
    {"all", OPTION_FLAG, NULL, "every language that is indexed, not only those of DIR"},
    {"settings", OPTION_FLAG, NULL,
     "only the settings: what each is now, what it may be, what it does"},
    {0},
};

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "[DIR]",
    .summary = "What is there and what is missing, each with the way to mend it",
    .details =
        "Places, limits and settings; then a row for each language that DIR's "
        "index has files of (of "
        "all\nlanguages while it has no index): its server, the server's version "
        "if the engine runs "
        "it, its state,\nwhere it was found, or how to install it. Nothing is "
        "started, and nothing but gloss' own\nfolders made. --json "
        "prints one object:\nchecks[what, ok, state, mend], languages[language, "
        "key_prefix, files, server, "
        "version, program,\nfound (PATH, configuration), state (ready, starting, "
        "stopped, backoff, given_up,\nnot_answering, not running, off, missing, none "
        "known), running, why, install].\nExit code 0 "
        "whatever is missing: it is "
        "what was looked for that the rows tell; 1 when DIR is no folder.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
