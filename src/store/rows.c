/* Rows as the contract shows them, and as the log tells of them: the same whatever they lie in. What
 * comes from a backend may have been written by something else: -EBADMSG. */
#include "store/rows.h"

#include "base/err.h"
#include "codec/codec.h"
#include "store/tables.h"

static int
by_start(const void *a, const void *b)
{
    const struct entity_stored *x = a, *y = b;
    if (x->e.range.start_byte != y->e.range.start_byte)
        return x->e.range.start_byte < y->e.range.start_byte ? -1 : 1;
    if (x->e.range.end_byte != y->e.range.end_byte)
        return x->e.range.end_byte > y->e.range.end_byte ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

void
rows_sort(struct entity_list *list)
{
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), by_start);
}

int64_t
rows_hover(const struct entity_stored *s)
{
    static_assert(HOVER_STATE_COUNT <= 16 && HOVER_REASON_COUNT <= 16, "four bits each");
    return s->hover_gen << 8 | (int64_t)s->hover_reason << 4 | s->hover_state;
}

int
rows_set_hover(struct entity_stored *s, int64_t hover)
{
    if ((hover & 15) >= HOVER_STATE_COUNT || (hover >> 4 & 15) >= HOVER_REASON_COUNT)
        return err_trace(-EBADMSG);
    s->hover_state = (enum hover_state)(hover & 15);
    s->hover_reason = (enum hover_reason)(hover >> 4 & 15);
    s->hover_gen = hover >> 8;
    return 0;
}

void
rows_show(const struct entity_stored *s, const struct file_stored *f, struct arena *a,
          struct entity_row *ret_row)
{
    *ret_row = (struct entity_row){
        .e = s->e,
        .id = s->id,
        .key = entity_key(a, f->f.lang, s->e.kind, f->f.path, s->e.qualified_name,
                          s->e.ordinal),
        .path = f->f.path,
        .lang = f->f.lang,
        .hover = {.state = s->hover_state,
                  .reason = s->hover_reason,
                  .stale =
                      s->hover_state != HOVER_UNKNOWN && s->hover_gen != f->content_gen,
                  .markdown = s->markdown,
                  .server = s->server},
        .rev = s->rev,
    };
    ret_row->e.parent = ENTITY_NONE;
}

struct slot_index {
    uint32_t slot, index;
};

static int
by_slot(const void *a, const void *b)
{
    uint32_t x = ((const struct slot_index *)a)->slot;
    uint32_t y = ((const struct slot_index *)b)->slot;
    return (x > y) - (x < y);
}

int
rows_of_file(struct tables *t, const struct file_stored *f, struct arena *a,
             struct entity_list *ret_list)
{
    int r = t->reads->entities(t, f, a, ret_list);
    if (r < 0 || ret_list->n == 0)
        return r;
    size_t n = ret_list->n;
    ret_list->rows = arena_alloc(a, n * sizeof(*ret_list->rows));
    struct slot_index *slots = arena_alloc(a, n * sizeof(*slots));
    for (size_t i = 0; i < n; i++) {
        slots[i] =
            (struct slot_index){(uint32_t)(ret_list->v[i].id & SLOT_MASK), (uint32_t)i};
        rows_show(&ret_list->v[i], f, a, &ret_list->rows[i]);
    }
    qsort(slots, n, sizeof(*slots), by_slot);
    for (size_t i = 0; i < n; i++) {
        if (ret_list->v[i].e.parent == ENTITY_NONE)
            continue;
        struct slot_index wanted = {ret_list->v[i].e.parent, 0};
        const struct slot_index *at = bsearch(&wanted, slots, n, sizeof(*slots), by_slot);
        if (!at)
            return err_trace(-EBADMSG);
        ret_list->rows[i].e.parent = at->index;
        ret_list->rows[i].parent_key = ret_list->rows[at->index].key;
    }
    return 0;
}

void
rows_first_data(const struct file_stored *f, const struct entity_list *list,
                struct buf *b)
{
    struct codec_delta delta = {0};
    for (size_t i = 0; i < list->n; i++) {
        struct entity_row row = list->rows[i];
        row.rev = f->log_seq;
        row.hover = (struct hover){.reason = HOVER_REASON_NOT_ASKED};
        codec_delta_add(&delta, &row);
    }
    codec_delta_write(b, &delta, &f->f);
    codec_delta_finish(&delta);
}
