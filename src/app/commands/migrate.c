/* gloss migrate: an index into another place, of another backend or not. What it was told to do is checked
 * before the target is made: an index in memory is nobody else's, and one that has something stays, but for
 * what a migration that was killed left there: that is gone on with. */
#include "app/commands/commands.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/uri.h"
#include "codec/codec.h"
#include "store/store.h"

static const struct command_option options[] = {
    {"from", OPTION_TEXT, "URL", "the index to copy (default: the current folder's)"},
    {"to", OPTION_TEXT, "URL",
     "where to: nothing is there, or a copy that was cut short"},
    {0},
};

struct migration {
    char *from, *to;             // URLs
    char *shown_from, *shown_to; // without passwords
    char *root;                  // of the tree; NULL: the source does not say
    struct store_reader *reader;
    struct store_writer *writer;
    struct store_info info; // of the copy
};

static int
take_url(const char *option, const char *given, char **ret_url)
{
    AUTO(free) char *why = NULL;

    if (config_db_url(given, ret_url, &why) < 0) {
        fail("--%s: %s", option, why);
        return EXIT_USAGE;
    }
    if (strcmp(*ret_url, "mem:") == 0) {
        fail(
            "--%s: an index in memory is seen only by the engine that holds it, and goes "
            "with it",
            option);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int
take_urls(const struct command_line *line, struct migration *m)
{
    const char *from = line_text(line, "from"), *to = line_text(line, "to");
    int code;

    if (!to) {
        fail("--to is missing (see `gloss migrate --help`)");
        return EXIT_USAGE;
    }
    if (from) {
        code = take_url("from", from, &m->from);
    } else {
        AUTO(free) char *root = line_root_of(line, NULL);
        if (!root)
            return EXIT_FAILED;
        m->from = line_index_url(line, root);
        code = EXIT_OK;
    }
    if (code == EXIT_OK)
        code = take_url("to", to, &m->to);
    if (code != EXIT_OK)
        return code;
    m->shown_from = uri_public(m->from);
    return EXIT_OK;
}

static int
open_source(struct migration *m)
{
    AUTO(arena_finish) struct arena a = {0};
    AUTO(free) char *why = NULL;
    struct str root = STR_NONE;
    int r = store_reader_open(m->from, &m->reader, &why);

    if (r == -ENOENT)
        return fail("there is no index at %s: `gloss index DIR` makes one, --from names "
                    "another",
                    m->shown_from);
    if (r < 0)
        return fail("cannot open the index: %s", why ? why : err_text(r));
    r = store_read_fact(m->reader, "root", &a, &root);
    if (r == 0)
        m->root = str_dup(root);
    return r == 0 || r == -ENOENT
               ? EXIT_OK
               : fail("cannot read %s: %s", m->shown_from, err_text(r));
}

static int
open_target(struct migration *m)
{
    AUTO(free) char *why = NULL, *given = steal(m->to);
    int r;

    m->to = m->root ? config_index_url(given, m->root) : xstrdup(given);
    m->shown_to = uri_public(m->to);
    r = store_copy_open(m->to, m->root, &m->writer, &m->info, &why);

    if (r < 0)
        return fail("cannot make the index: %s", why ? why : err_text(r));
    if (m->info.head > 0 && !m->info.is_partial)
        return fail("%s has an index already; remove it first, or choose another place",
                    m->shown_to);
    return EXIT_OK;
}

static int
on_progress(void *ctx UNUSED, const struct store_copied *n)
{
    if (n->is_indexing_text)
        progress_show("indexing the text");
    else if (n->files < n->n_files)
        progress_show("copying: %" PRIu64 " of %" PRIu64 " files", n->files, n->n_files);
    else
        progress_show("copying hovers: %" PRIu64 " of %" PRIu64 " files", n->hover_files,
                      n->n_files);
    return 0;
}

static void
show_copied(const struct command_line *line, const struct migration *m,
            const struct store_copied *n, double seconds)
{
    AUTO(buf_finish) struct buf json = {0};

    if (!line->is_json) {
        out_line("%" PRIu64 " files, %" PRIu64 " entities, %" PRIu64 " edges, %" PRIu64
                 " hovers (%" PRIu64 " stale), %" PRIu64 " contents of the past, %" PRIu64
                 " dead letters in %.2f s: %s",
                 n->files, n->entities, n->edges, n->hovers, n->stale, n->past_contents,
                 n->letters, seconds, m->shown_to);
        return;
    }
    buf_add_cstr(&json, "{\"from\":");
    codec_add_string(&json, str_of(m->shown_from));
    buf_add_cstr(&json, ",\"to\":");
    codec_add_string(&json, str_of(m->shown_to));
    buf_printf(&json,
               ",\"files\":%" PRIu64 ",\"entities\":%" PRIu64 ",\"edges\":%" PRIu64
               ",\"hovers\":%" PRIu64 ",\"stale\":%" PRIu64 ",\"past_contents\":%" PRIu64
               ",\"dead_letters\":%" PRIu64
               ",\"resumed\":%s,\"seconds\":%.3f,\"epoch\":\"%s\",\"seq\":%" PRId64 "}",
               n->files, n->entities, n->edges, n->hovers, n->stale, n->past_contents,
               n->letters, n->is_resumed ? "true" : "false", seconds, m->info.epoch,
               m->info.head);
    out_line("%s", json.p);
}

/* What the copy is now, for who reads on from it. */
static int
read_info(struct migration *m)
{
    struct store_reader *reader = NULL;
    int r = store_reader_open(m->to, &reader, NULL);

    if (r == 0)
        r = store_read_info(reader, &m->info);
    store_reader_close(reader);
    return r;
}

static int
copy(const struct command_line *line, struct migration *m)
{
    struct store_copied n = {0};
    int64_t from_ms = clock_mono_ms();
    int r = store_copy(m->reader, m->writer, on_progress, NULL, &n);

    store_writer_close(steal(m->writer)); // only then all of it is safe
    if (r == 0)
        r = read_info(m);
    progress_clear();
    if (r < 0)
        return fail("cannot copy %s to %s: %s; the same command goes on with it",
                    m->shown_from, m->shown_to, err_text(r));
    show_copied(line, m, &n, (double)(clock_mono_ms() - from_ms) / 1000);
    return EXIT_OK;
}

static int
run(const struct command_line *line)
{
    struct migration m = {0};
    int code = take_urls(line, &m);

    if (code == EXIT_OK)
        code = open_source(&m);
    if (code == EXIT_OK)
        code = open_target(&m);
    if (code == EXIT_OK)
        code = copy(line, &m);
    store_writer_close(m.writer);
    store_reader_close(m.reader);
    free(m.from);
    free(m.to);
    free(m.shown_from);
    free(m.shown_to);
    free(m.root);
    return code;
}

const struct command command_migrate = {
    .name = "migrate",
    .arguments = "",
    .summary = "Copy an index into another place or another kind of store",
    .details =
        "An engine may hold the source: what it had at one moment is copied, and the "
        "source "
        "is left as it is.\n"
        "Nothing may be at the target. The copy has files, entities, edges, hovers, what "
        "was "
        "known of past\n"
        "contents, dead letters; its epoch is new and its log begins with index.rebuilt "
        "and every "
        "file, so "
        "a client of the\n"
        "change feed begins anew. Then start the engine with --db, or set \"db\" in the "
        "configuration. --json\n"
        "prints one object: from, to, files, entities, edges, hovers, stale, "
        "past_contents, "
        "dead_letters,\n"
        "resumed, seconds, epoch, seq.\n"
        "A copy that was cut short is opened by nothing but the same command, which goes "
        "on with it, or begins\n"
        "anew when the source has changed since.",
    .options = options,
    .run = run,
};
