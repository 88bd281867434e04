/* Lines of a scanner: what is taken is within its limits, has keys that read back, and is read the same again. */
#include "base/utf.h"
#include "codec/codec.h"
#include "fuzz.h"

void
fuzz_init(void)
{
}

static void
check_text(struct str s, size_t max)
{
    fuzz_check(s.n <= max && utf8_is_valid(s));
    fuzz_check(s.n == 0 || !memchr(s.p, '\0', s.n));
}

static void
check_entity(const struct ingest_item *item, const struct ingest_entity *in)
{
    AUTO(arena_finish) struct arena a = {0};
    const struct entity *e = &in->e;
    struct entity_key_parts parts;
    struct str key =
        entity_key(&a, item->lang, e->kind, item->path, e->qualified_name, e->ordinal);
    fuzz_check((unsigned)e->kind < ENTITY_KIND_COUNT && e->ordinal > 0);
    fuzz_check(e->name.n > 0 && e->range.start_byte <= e->range.end_byte);
    check_text(e->name, ENTITY_NAME_BYTES_MAX);
    check_text(e->signature, ENTITY_SIGNATURE_BYTES_MAX);
    check_text(e->doc, ENTITY_DOC_BYTES_MAX);
    check_text(in->hover.markdown, HOVER_BYTES_MAX);
    fuzz_check(in->n_edges <= INGEST_EDGES_MAX);
    fuzz_check(entity_key_parse(key, &parts) == 0);
    fuzz_check(str_eq(parts.path, item->path) && parts.ordinal == e->ordinal);
    fuzz_check(str_eq(parts.qualified_name, e->qualified_name));
}

void
fuzz_one(struct str input)
{
    AUTO(ingest_batch_destroy) struct ingest_batch *batch = ingest_batch_create();
    struct str line;
    while (str_split(&input, '\n', &line)) {
        AUTO(json_decref_) json_t *json = NULL;
        struct ingest_item *item = ingest_batch_add(batch);
        item->line = batch->n;
        if (codec_parse(line, &json, NULL) != 0)
            continue;
        const char *fault = codec_read_ingest(json, batch, item);
        fuzz_check(item->line == batch->n && fault == item->fault);
        fuzz_check((fault != NULL) == (item->op == INGEST_BAD));
        if (fault)
            continue;
        check_text(item->path, INGEST_PATH_BYTES_MAX * 4);
        check_text(item->once, INGEST_KEY_BYTES_MAX);
        fuzz_check(item->path.n > 0);
        for (size_t i = 0; i < item->n_entities; i++)
            check_entity(item, &item->entities[i]);
    }
}
