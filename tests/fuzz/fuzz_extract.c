/* PATH '\n' TEXT: language by name and content, tree, entities; the way of a file without the file. */
#include "bodies/bodies.h"
#include "extract/extract.h"
#include "fuzz.h"
#include "parse/parse.h"

#define DEADLINE_MS 500

static struct parser *parser;
static struct extractor *extractor;
static struct bodies *scanner;

void
fuzz_init(void)
{
    char *why = NULL;
    parser = parser_create();
    extractor = extractor_create();
    scanner = bodies_create();
    fuzz_check(lang_init(&why) == 0);
}

static void
check_entities(const struct batch *b, struct str text)
{
    for (size_t i = 0; i < b->n_entities; i++) {
        const struct entity *e = &b->entities[i];
        fuzz_check(e->parent == ENTITY_NONE || e->parent < i);
        fuzz_check(e->name.n > 0);
        fuzz_check(e->range.start_byte < e->range.end_byte);
        fuzz_check(e->range.end_byte <= text.n);
        fuzz_check(e->name_range.start_byte >= e->range.start_byte);
        fuzz_check(e->name_range.end_byte <= e->range.end_byte);
    }
    for (size_t i = 0; i < b->n_edges; i++)
        fuzz_check(b->edges[i].from == ENTITY_NONE || b->edges[i].from < b->n_entities);
}

void
fuzz_one(struct str input)
{
    struct str path = fuzz_part(&input, '\n');
    size_t head_n = MIN(input.n, (size_t)LANG_HEAD_BYTES);
    const struct lang *l = lang_of_file(path, str_slice(input.p, head_n));
    const struct bodies_syntax *syntax =
        l && l->outline ? bodies_syntax_named(str_of(l->outline)) : NULL;
    struct outline outline;
    if (parse_is_binary(input) || !l)
        return;
    bool is_short = syntax && bodies_scan(scanner, syntax, input, true, &outline) == 0;
    const TSTree *tree = NULL;
    if (parse_text_once(parser, l, is_short ? outline.text : input, DEADLINE_MS, &tree) !=
        0)
        return;
    struct batch *b = batch_create(path);
    int r = extract_batch(extractor, l, input, is_short ? &outline : NULL, tree,
                          DEADLINE_MS, b);
    fuzz_check(r >= 0);
    check_entities(b, input);
    batch_destroy(b);
}
