/* gloss outline: the file's entities as a tree, from the index. */
#include "app/commands/commands.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "store/store.h"

static const struct command_option options[] = {
    {"dir", OPTION_TEXT, "DIR",
     "the workspace (default: the nearest folder above the file that has an index)"},
    {0},
};

struct outline {
    const struct command_line *line;
    VEC(uint32_t) depths; // by row
    size_t n;
};

static int
on_entity(void *ctx, const struct entity_row *row)
{
    struct outline *o = ctx;
    uint32_t depth = row->e.parent != ENTITY_NONE && row->e.parent < o->depths.n
                         ? o->depths.v[row->e.parent] + 1
                         : 0;

    *vec_push(&o->depths) = depth;
    o->n++;
    if (o->line->is_json) {
        AUTO(buf_finish) struct buf json = {0};
        codec_add_entity(&json, row, CODEC_WITH_HOVER);
        out_line("%s", json.p);
    } else {
        out_line("%*s%s %.*s  %u", (int)(2 * MIN(depth, 40u)), "",
                 entity_kind_name(row->e.kind), STR_ARG(row->e.name),
                 row->e.name_range.start.line + 1);
    }
    return 0;
}

static int
run(const struct command_line *line)
{
    struct outline o = {.line = line};
    AUTO(free) char *root = NULL, *relative = NULL;
    struct store_reader *reader;
    int r;

    r = line_file(line, line->arguments[0], line_text(line, "dir"), &root, &relative);
    if (r != EXIT_OK || !(reader = line_open_index(line, root)))
        return EXIT_FAILED;
    r = store_each_entity(reader, str_of(relative), on_entity, &o);
    store_reader_close(reader);
    vec_finish(&o.depths);
    if (r < 0)
        return fail("cannot read the index: %s", err_text(r));
    return o.n > 0 ? EXIT_OK
                   : fail("%s has no entities in the index of %s", relative, root);
}

const struct command command_outline = {
    .name = "outline",
    .arguments = "FILE",
    .summary = "Print a file's entities as a tree",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
