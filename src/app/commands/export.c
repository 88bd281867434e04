/* gloss export: the whole index, one entity a line. */
#include "app/commands/commands.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "store/store.h"

static const struct command_option options[] = {
    {"format", OPTION_TEXT, "FORMAT", "ndjson (default)"},
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

static int
run(const struct command_line *line)
{
    const char *format = line_text(line, "format");
    AUTO(buf_finish) struct buf json = {0};
    struct store_reader *reader;
    AUTO(free) char *root = NULL;
    int r;

    if (format && strcmp(format, "ndjson") != 0) {
        fail("there is no format \"%s\"; ndjson is", format);
        return EXIT_USAGE;
    }
    root = line_root(line, 0);
    if (!root || !(reader = line_open_index(line, root)))
        return EXIT_FAILED;
    r = store_each_entity(reader, STR_NONE, on_entity, &json);
    store_reader_close(reader);
    return r == 0 ? EXIT_OK : fail("cannot read the index: %s", err_text(r));
}

const struct command command_export = {
    .name = "export",
    .arguments = "[DIR]",
    .summary = "Print the whole index, one JSON object a line",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
