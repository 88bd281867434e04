/* gloss search: reads the index file itself, so it works with and without an engine. */
#include "app/commands/commands.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "lang/lang.h"
#include "query/query.h"
#include "store/store.h"

#define SEARCH_LIMIT_DEFAULT 50

static const struct command_option options[] = {
    {"dir", OPTION_TEXT, "DIR", "the workspace (default: the current folder)"},
    {"text", OPTION_FLAG, NULL, "search signatures, docs and hovers instead of names"},
    {"kind", OPTION_TEXT, "KINDS",
     "only these kinds, comma separated: function,struct,…"},
    {"lang", OPTION_TEXT, "LANG",
     "only this language, by name or by the prefix of its keys: python, py"},
    {"path", OPTION_TEXT, "GLOB",
     "only files whose path matches; * and ? stand for / too"},
    {"limit", OPTION_NUMBER, "N", "at most this many, 1 to 1000 (default 50)"},
    {0},
};

static int
parse_kinds(const char *text, enum entity_kind *kinds, size_t *ret_n)
{
    struct str rest = str_of(text), name;

    *ret_n = 0;
    while (str_split(&rest, ',', &name)) {
        if (*ret_n >= ENTITY_KIND_COUNT ||
            entity_kind_parse(str_trim(name), &kinds[*ret_n]) < 0)
            return fail("there is no kind \"%.*s\" (see `gloss search --help`)",
                        STR_ARG(name));
        (*ret_n)++;
    }
    return EXIT_OK;
}

/* Empty when there is none of this name or prefix. */
static struct str
key_prefix_of(struct str text)
{
    for (size_t i = 0; i < lang_count(); i++)
        if (str_eq_c(text, lang_at(i)->name))
            return str_of(lang_at(i)->key_prefix);
    return lang_by_key_prefix(text) ? text : str_of("");
}

static int
fail_lang(const char *text)
{
    AUTO(buf_finish) struct buf names = {0};

    for (size_t i = 0; i < lang_count(); i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", lang_at(i)->name);
    fail("there is no language \"%s\"; there are %s", text, names.p);
    return EXIT_USAGE;
}

/* What a search would take, but never can have been meant. */
static int
check_numbers_and_patterns(const struct command_line *line)
{
    const char *limit = line_text(line, "limit"), *glob = line_text(line, "path");
    const char *fault = glob ? query_glob_fault(str_of(glob)) : NULL;
    uint64_t n = SEARCH_LIMIT_DEFAULT;

    if (limit && (str_to_u64(str_of(limit), &n) < 0 || n < 1 || n > QUERY_LIMIT_MAX)) {
        fail("--limit wants a number from 1 to %d, not %s", QUERY_LIMIT_MAX, limit);
        return EXIT_USAGE;
    }
    if (fault) {
        fail("--path \"%s\": %s", glob, fault);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static void
show(const struct command_line *line, const struct entity_row *rows, size_t n)
{
    AUTO(buf_finish) struct buf name = {0};

    for (size_t i = 0; i < n; i++) {
        struct str path = out_name(&name, rows[i].path);

        if (line->is_json) {
            AUTO(buf_finish) struct buf json = {0};
            codec_add_entity(&json, &rows[i], CODEC_WITH_SCORE);
            out_line("%s", json.p);
        } else {
            out_line(
                "%.*s:%u:%u: %s %.*s", STR_ARG(path), rows[i].e.name_range.start.line + 1,
                rows[i].e.name_range.start.col_byte + 1, entity_kind_name(rows[i].e.kind),
                STR_ARG(rows[i].e.signature.n ? rows[i].e.signature
                                              : rows[i].e.qualified_name));
            if (rows[i].snippet.n > 0)
                out_line("    %.*s", STR_ARG(rows[i].snippet));
        }
    }
}

static int
run(const struct command_line *line)
{
    enum entity_kind kinds[ENTITY_KIND_COUNT];
    struct query_search search = {
        .text = str_of(line->arguments[0]),
        .is_text_search = line_has(line, "text"),
        .kinds = kinds,
        .lang = str_of(line_text(line, "lang")),
        .path_glob = str_of(line_text(line, "path")),
        .limit = (size_t)line_number(line, "limit", SEARCH_LIMIT_DEFAULT),
    };
    AUTO(arena_finish) struct arena arena = {0};
    struct store_reader *reader;
    struct entity_row *rows;
    AUTO(free) char *root = NULL, *why = NULL;
    size_t n;
    int r;

    if (check_numbers_and_patterns(line) != EXIT_OK)
        return EXIT_USAGE;
    if (search.text.n > QUERY_TEXT_BYTES_MAX)
        return fail("the query is longer than %d bytes", QUERY_TEXT_BYTES_MAX);
    if (line_has(line, "kind") &&
        parse_kinds(line_text(line, "kind"), kinds, &search.n_kinds) != EXIT_OK)
        return EXIT_USAGE;
    if (line_has(line, "lang")) {
        if (lang_init(&why) < 0)
            return fail("cannot load the languages: %s", why);
        search.lang = key_prefix_of(search.lang);
        if (search.lang.n == 0)
            return fail_lang(line_text(line, "lang"));
    }
    root = line_root_of(line, line_text(line, "dir"));
    if (!root || !(reader = line_open_index(line, root)))
        return EXIT_FAILED;
    r = query_search_now(reader, &search, &arena, &rows, &n);
    if (r == 0)
        show(line, rows, n);
    if (r == 0 && n == 0)
        note("nothing is found%s",
             search.is_text_search ? ""
                                   : " by this name; --text looks into signatures, docs "
                                     "and hovers");
    store_reader_close(reader);
    return r == 0 ? EXIT_OK : fail("the search failed: %s", err_text(r));
}

const struct command command_search = {
    .name = "search",
    .arguments = "QUERY",
    .summary = "Find entities by name (fuzzy), or by text with --text",
    .details =
        "Best first. --json prints one entity a line, with its score.\n"
        "A name may be qualified: Type::member, module.name. --text takes words and "
        "\"quoted phrases\", and shows\nwhere they stand between **.\n"
        "kinds: module namespace class struct union enum enum_member interface "
        "trait impl function method\n"
        "constructor field property variable constant type_alias macro section key "
        "selector element target\ntable block",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
