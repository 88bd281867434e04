/* Views: which segments are searched together, and which files of the older ones no longer count. Made
 * on a worker from one that is borrowed; only the loop counts references, when it takes the new one.
 * Invariant: a view that is in use is never written. */
#include "query/names.h"

static bool
is_hidden(const struct names_part *p, uint32_t file)
{
    return p->hidden && (p->hidden[file / 8] & 1u << file % 8);
}

static ssize_t
find_file(const struct names_segment *s, struct str path)
{
    size_t low = 0, high = s->files.at.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int r = str_cmp(intern_at(&s->files, s->by_path[middle]), path);
        if (r == 0)
            return (ssize_t)s->by_path[middle];
        if (r < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* What the newer segment speaks for, the part no longer does. */
static void
hide(struct names_part *p, const struct names_segment *newer)
{
    for (size_t i = 0; i < newer->files.at.n; i++) {
        ssize_t file = find_file(p->segment, intern_at(&newer->files, i));
        if (file < 0)
            continue;
        if (!p->hidden)
            p->hidden = xcalloc(p->segment->files.at.n / 8 + 1, 1);
        p->hidden[file / 8] |= (uint8_t)(1u << file % 8);
    }
}

/* The same entities as rows again; what the table leaves out stays out. */
static void
add_part(struct names_builder *b, const struct names_part *p)
{
    const struct names_segment *s = p->segment;
    AUTO(buf_finish) struct buf qualified = {0};
    for (uint32_t f = 0; f < s->files.at.n; f++) {
        if (!is_hidden(p, f))
            (void)names_add_file(b, intern_at(&s->files, f),
                                 intern_at(&s->langs, s->file_langs[f]));
    }
    for (size_t i = 0; i < s->n_names; i++) {
        for (uint32_t k = s->entries[i].first; k < s->entries[i + 1].first; k++) {
            struct names_entity e = names_entity_at(s, k);
            uint32_t file = e.file_kind >> NAMES_FILE_SHIFT;
            struct str container = intern_at(&s->containers, e.container);
            struct entity_row row = {.id = e.id, .path = intern_at(&s->files, file)};
            if (is_hidden(p, file))
                continue;
            buf_reset(&qualified);
            buf_add_str(&qualified, container);
            if (container.n > 0)
                buf_add_char(&qualified, '.');
            buf_add_str(&qualified, names_at(s, i));
            row.e.kind = (enum entity_kind)(e.file_kind & ((1u << NAMES_KIND_BITS) - 1));
            row.e.name = names_at(s, i);
            row.e.qualified_name = buf_str(&qualified);
            row.lang = intern_at(&s->langs, s->file_langs[file]);
            (void)names_add(b, &row); // smaller than what they came from
        }
    }
}

static struct names_segment *
merge_overlays(struct names_view *v)
{
    struct names_builder b = {.file = 0};
    for (size_t i = 1; i < v->n_parts; i++)
        add_part(&b, &v->parts[i]);
    return names_build(&b);
}

static void
free_parts(struct names_view *v, size_t from)
{
    for (size_t i = from; i < v->n_parts; i++)
        free(v->parts[i].hidden);
    v->n_parts = MIN(v->n_parts, from);
}

struct names_view *
names_view_with(const struct names_view *old, struct names_segment *newest)
{
    struct names_view *v = xnew(struct names_view);
    size_t n_old = old ? old->n_parts : 0;
    v->parts = xcalloc(n_old + 1, sizeof(*v->parts));
    for (size_t i = 0; i < n_old; i++) {
        const struct names_part *was = &old->parts[i];
        struct names_part *p = &v->parts[v->n_parts++];
        p->segment = was->segment;
        if (was->hidden)
            p->hidden = xmemdup(was->hidden, was->segment->files.at.n / 8 + 1);
        hide(p, newest);
    }
    v->parts[v->n_parts++].segment = newest;
    if (v->n_parts > NAMES_PARTS_MAX) {
        struct names_segment *merged = merge_overlays(v);
        names_segment_destroy(newest);
        free_parts(v, 1);
        v->parts[v->n_parts++] = (struct names_part){.segment = merged};
    }
    for (size_t i = 0; i < v->n_parts; i++)
        v->n_entities += v->parts[i].segment->n_entities;
    return v;
}

static void
view_free(struct names_view *v)
{
    free_parts(v, 0);
    free(v->parts);
    free(v);
}

void
names_view_adopt(struct names_view *v)
{
    v->refs = 1;
    for (size_t i = 0; i < v->n_parts; i++)
        v->parts[i].segment->refs++;
}

struct names_view *
names_view_ref(struct names_view *v)
{
    if (v)
        v->refs++;
    return v;
}

void
names_view_unref(struct names_view *v)
{
    if (!v || --v->refs > 0)
        return;
    for (size_t i = 0; i < v->n_parts; i++) {
        if (--v->parts[i].segment->refs == 0)
            names_segment_destroy(v->parts[i].segment);
    }
    view_free(v);
}

void
names_view_drop(struct names_view *v, const struct names_view *old)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->n_parts; i++) {
        bool is_shared = false;
        for (size_t k = 0; old && k < old->n_parts; k++)
            is_shared |= old->parts[k].segment == v->parts[i].segment;
        if (!is_shared)
            names_segment_destroy(v->parts[i].segment);
    }
    view_free(v);
}
