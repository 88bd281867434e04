/* gloss doctor: which language server each language has. Programs are looked for as the
 * engine looks for them, none is run: what only a running server can tell, its version
 * and its state, is the engine's to say. */
#include <stdlib.h>

#include "app/commands/answer.h"
#include "app/commands/doctor.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "lang/lang.h"
#include "lsp/client/client.h"
#include "store/store.h"

/* Of one language. */
struct finding {
    const struct lang *lang;
    uint64_t n_files;
    struct client_candidate server; // that is used, else that would be the first
    bool is_known;                  // there is any
    struct buf passed_over; // servers of the user's that come before and cannot be run
    const json_t *running;  // the engine's row of it, the one that is worst off; or NULL
    size_t n_running;
};

/* ---- what is in the index ---- */

static int
count_file(void *ctx, const struct file *file)
{
    uint64_t *counts = ctx;
    const struct lang *lang = lang_by_key_prefix(file->lang);

    if (lang)
        counts[lang->index]++;
    return 0;
}

/* False when there is no index that can be read. */
static bool
count_files(const struct doctor *d, uint64_t counts[LANG_COUNT_MAX])
{
    AUTO(free) char *url = line_index_url(d->line, d->root), *why = NULL;
    struct store_reader *reader = NULL;

    if (store_reader_open(url, &reader, &why) < 0)
        return false;
    int r = store_each_file(reader, count_file, counts);
    store_reader_close(reader);
    return r == 0;
}

/* ---- what the engine runs ---- */

static const json_t *
workspace_of(const struct doctor *d)
{
    const json_t *w;
    size_t i;

    json_array_foreach(codec_array(d->status, "workspaces"), i, w)
    {
        if (strcmp(answer_text(w, "root"), d->root) == 0)
            return w;
    }
    return NULL;
}

/* By how much it is amiss: from BACKOFF on it is. */
#define BACKOFF 4

static int
badness(const json_t *server)
{
    static const char *const states[] = {
        "stopped",  "stopping",     "ready", "starting", [BACKOFF] = "backoff",
        "given_up", "not_answering"};

    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (strcmp(answer_text(server, "state"), states[i]) == 0)
            return (int)i;
    }
    return -1;
}

static void
find_running(const struct doctor *d, struct finding *f)
{
    const json_t *server;
    size_t i;

    json_array_foreach(codec_array(workspace_of(d), "servers"), i, server)
    {
        if (strcmp(answer_text(server, "name"), f->server.spec.name) != 0)
            continue;
        f->n_running++;
        if (!f->running || badness(server) > badness(f->running))
            f->running = server;
    }
}

/* ---- one language ---- */

static void
find_server(const struct doctor *d, struct finding *f)
{
    struct str lang = str_of(f->lang->key_prefix);
    struct client_candidate c;

    for (size_t i = 0; client_candidate_at(d->line->config, d->root, lang, i, &c); i++) {
        if (!c.program && c.is_users && !c.is_off)
            buf_printf(&f->passed_over, "%s%s: %s", f->passed_over.n > 0 ? "; " : "",
                       c.spec.name, c.why);
        if (f->is_known && !c.program) {
            client_candidate_finish(&c);
            continue;
        }
        client_candidate_finish(&f->server);
        f->server = c;
        f->is_known = true;
        if (c.program)
            break;
    }
    if (f->is_known && f->server.program)
        find_running(d, f);
}

static const char *
state_of(const struct finding *f)
{
    if (!f->is_known)
        return "none known";
    if (!f->server.program)
        return f->server.is_off ? "off" : "missing";
    return f->running ? answer_text(f->running, "state") : "not running";
}

/* Heap, or NULL: nothing is amiss. */
static char *
why_of(const struct finding *f)
{
    if (!f->is_known)
        return xstrdup(
            "no server is known for it; name one in the configuration (servers)");
    const char *why = f->server.program ? answer_text(f->running, "why")
                                        : (f->server.why ? f->server.why : "");
    bool is_said = !f->server.program && f->server.is_users; // passed over, too
    if (f->passed_over.n == 0 || is_said)
        return why[0] ? xstrdup(why) : NULL;
    return xasprintf("%s%s%s", why, why[0] ? "; " : "", f->passed_over.p);
}

static const char *
hint_of(const struct finding *f)
{
    return f->server.program || f->server.is_off ? NULL : f->server.install_hint;
}

/* Nothing is to be mended. */
static bool
is_good(const struct finding *f)
{
    if (!f->is_known || f->server.is_off)
        return true;
    return f->server.program && f->passed_over.n == 0 && badness(f->running) < BACKOFF;
}

/* ---- printing ---- */

static void
add_text(struct buf *json, const char *key, const char *value)
{
    buf_printf(json, ",\"%s\":", key);
    codec_add_text(json, value && value[0] ? value : NULL);
}

static void
print_json(struct doctor *d, const struct finding *f, const char *why)
{
    AUTO(buf_finish) struct buf json = {0};
    const char *program = f->server.program;

    buf_add_cstr(&json, d->n++ ? ",{\"language\":" : "{\"language\":");
    codec_add_string(&json, str_of(f->lang->name));
    add_text(&json, "key_prefix", f->lang->key_prefix);
    buf_printf(&json, ",\"files\":%" PRIu64, f->n_files);
    add_text(&json, "server", f->is_known ? f->server.spec.name : NULL);
    add_text(&json, "version", answer_text(f->running, "version"));
    add_text(&json, "program", program);
    add_text(&json, "found",
             !program ? NULL : (f->server.is_users ? "configuration" : "PATH"));
    add_text(&json, "state", state_of(f));
    buf_printf(&json, ",\"running\":%zu", f->n_running);
    add_text(&json, "why", why);
    add_text(&json, "install", hint_of(f));
    buf_add_char(&json, '}');
    out_str(buf_str(&json));
}

static void
print_line(struct doctor *d, const struct finding *f, const char *why)
{
    AUTO(buf_finish) struct buf server = {0}, rest = {0};
    const char *hint = hint_of(f);

    if (d->n++ == 0)
        out_line("%-4s %-15s %7s  %-36s %-11s %s", "", "language", "files",
                 "server, version", "state", "where, or why not");
    if (f->is_known)
        buf_printf(&server, "%s %s", f->server.spec.name,
                   answer_text(f->running, "version"));
    if (f->server.program)
        buf_printf(&rest, "%s (%s)", f->server.program,
                   f->server.is_users ? "configuration" : "PATH");
    if (why)
        buf_printf(&rest, "%s%s", rest.n > 0 ? "; " : "", why);
    if (hint)
        buf_printf(&rest, "; %s", hint);
    out_line("%-4s %-15s %7" PRIu64 "  %-36s %-11s %s", is_good(f) ? "ok" : "miss",
             f->lang->name, f->n_files, server.p ? server.p : "-", state_of(f),
             rest.p ? rest.p : "");
}

void
doctor_report_languages(struct doctor *d)
{
    AUTO(free) char *why = NULL;
    uint64_t counts[LANG_COUNT_MAX] = {0};

    if (lang_init(&why) < 0) {
        fail("%s", why);
        return;
    }
    bool is_all = !count_files(d, counts) || line_has(d->line, "all");
    for (size_t i = 0; i < lang_count(); i++) {
        struct finding f = {.lang = lang_at(i), .n_files = counts[i]};
        if (f.n_files == 0 && !is_all)
            continue;
        find_server(d, &f);
        AUTO(free) char *reason = why_of(&f);
        if (d->line->is_json)
            print_json(d, &f, reason);
        else
            print_line(d, &f, reason);
        client_candidate_finish(&f.server);
        buf_finish(&f.passed_over);
    }
    lang_finish();
}
