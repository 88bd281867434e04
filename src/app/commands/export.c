/* gloss export: the whole index, one entity or edge a line. */
#include "app/commands/commands.h"
#include "app/commands/tags.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "store/store.h"

static const struct command_option options[] = {
    {"format", OPTION_TEXT, "FORMAT", "ndjson (default) or ctags"},
    {0},
};

static int
on_entity(void *ctx, const struct entity_row *row)
{
    struct buf *json = ctx;

    buf_reset(json);
    codec_add_entity(json, row, CODEC_WITH_HOVER);
    buf_add_char(json, '\n');
    out_str(buf_str(json));
    return 0;
}

/* An entity's line has no type: the lines that came later do. */
static int
on_edge(void *ctx, const struct edge_row *row)
{
    struct buf *json = ctx;
    size_t head;

    buf_reset(json);
    buf_add_cstr(json, "{\"type\":\"edge\"");
    head = json->n;
    codec_add_edge(json, row);
    json->p[head] = ','; // the brace it opens with
    buf_add_char(json, '\n');
    out_str(buf_str(json));
    return 0;
}

/* One view, so that an edge comes out of an entity that was told. */
static int
print_ndjson(struct store_reader *reader)
{
    AUTO(buf_finish) struct buf json = {0};
    int r = store_reader_begin(reader);

    if (r < 0)
        return r;
    r = store_each_entity(reader, STR_NONE, on_entity, &json);
    if (r == 0)
        r = store_each_edge(reader, on_edge, &json);
    store_reader_end(reader);
    return r;
}

static const struct {
    const char *name;
    int (*print)(struct store_reader *reader);
} formats[] = {{"ndjson", print_ndjson}, {"ctags", tags_print}};

static int
run(const struct command_line *line)
{
    const char *format = line_text(line, "format");
    struct store_reader *reader;
    AUTO(free) char *root = NULL;
    size_t at = 0;
    int r;

    while (format && at < ARRAY_LEN(formats) && strcmp(format, formats[at].name) != 0)
        at++;
    if (at == ARRAY_LEN(formats)) {
        fail("there is no format \"%s\"; ndjson and ctags are", format);
        return EXIT_USAGE;
    }
    root = line_root(line, 0);
    if (!root || !(reader = line_open_index(line, root)))
        return EXIT_FAILED;
    r = formats[at].print(reader);
    store_reader_close(reader);
    return r == 0 ? EXIT_OK : fail("cannot read the index: %s", err_text(r));
}

const struct command command_export = {
    .name = "export",
    .arguments = "[DIR]",
    .summary = "Print the whole index: one JSON object a line, or a tags file",
    .details =
        "ndjson: an entity a line, with its hover, by path and place; then a line for "
        "each "
        "edge, the same way:\n"
        "{\"type\":\"edge\",\"kind\":\"calls\",\"from\":KEY or null,\"path\",\"line\","
        "\"character\",\"target\":\"name as written\"}\n"
        "(kinds: calls imports inherits implements; what contains an entity is its "
        "\"parent\"). ctags: a sorted\n"
        "tags file with extended fields, for Vim (`gloss export --format ctags > tags`), "
        "Emacs and readtags.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
