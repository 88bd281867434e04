/* What servers said of a content, for the next file that has it: of a file that is there, or of one
 * that was. Invariant: a past row holds one reference to each text it names; when
 * a file takes the content the row goes, and its references are the entities'. Its bytes are its own
 * and those of the texts that the file let go, though another one may show them as well. */
#include "base/clock.h"
#include "base/err.h"
#include "store/logic.h"

#define PRUNE_HOVERS 20000 // of the rows that one step lets go

/* As in the row's bytes. */
struct past_hover {
    uint64_t place;
    int64_t hover_id; // 0: empty
};

/* ---- what is known of a content ---- */

static int
by_place(const void *a, const void *b)
{
    uint64_t x = ((const struct recall_entry *)a)->place;
    uint64_t y = ((const struct recall_entry *)b)->place;
    return (x > y) - (x < y);
}

struct recall_entry *
recall_find(const struct recall *recall, uint64_t place)
{
    struct recall_entry wanted = {.place = place};
    if (recall->n == 0)
        return NULL;
    return bsearch(&wanted, recall->v, recall->n, sizeof(wanted), by_place);
}

static int
read_past(const struct past_row *row, struct arena *a, struct recall *ret_recall)
{
    size_t n = row->hovers.n / sizeof(struct past_hover);
    if (row->hovers.n % sizeof(struct past_hover) != 0 || n > ENTITY_PER_FILE_MAX)
        return err_trace(-EBADMSG);
    *ret_recall = (struct recall){
        .v = arena_calloc(a, n + 1, sizeof(*ret_recall->v)),
        .n = n,
        .past_id = row->id,
        .server_key = row->server_key,
        .bytes = row->bytes,
    };
    for (size_t i = 0; i < n; i++) {
        struct past_hover h;
        memcpy(&h, row->hovers.p + i * sizeof(h), sizeof(h));
        ret_recall->v[i] = (struct recall_entry){
            .place = h.place,
            .hover_id = h.hover_id,
            .state = h.hover_id ? HOVER_KNOWN : HOVER_EMPTY,
        };
    }
    return 0;
}

static int
load_past(struct tables *t, const struct file *file, struct arena *a,
          struct recall *ret_recall)
{
    struct past_row row;
    int r = t->reads->past_get(t, file->content, file->lang, a, &row);
    return r > 0 ? read_past(&row, a, ret_recall) : r;
}

/* Those of a file's entities of which something is known. */
static void
add_told(const struct file_stored *f, const struct entity_list *list, bool with_stale,
         struct arena *a, struct recall *recall)
{
    recall->v = arena_calloc(a, list->n + 1, sizeof(*recall->v));
    recall->server_key = f->f.server_key;
    for (size_t i = 0; i < list->n; i++) {
        const struct entity_stored *s = &list->v[i];
        bool is_stale = s->hover_gen != f->content_gen;
        if (s->hover_state == HOVER_UNKNOWN || (is_stale && !with_stale))
            continue;
        recall->v[recall->n++] = (struct recall_entry){
            .place = entity_place(&s->e),
            .hover_id = s->hover_id,
            .state = s->hover_state,
            .is_stale = is_stale,
        };
    }
    qsort(recall->v, recall->n, sizeof(*recall->v), by_place);
}

int
recall_load(struct tables *t, const struct file *file, int64_t own_id, bool with_past,
            struct arena *a, struct recall *ret_recall)
{
    struct file_stored twin;
    struct entity_list list = {0};
    int64_t n_fresh = 0;
    *ret_recall = (struct recall){0};
    int r = with_past ? load_past(t, file, a, ret_recall) : 0;
    if (r < 0 || ret_recall->past_id)
        return err_trace(r);
    r = t->reads->file_twin(t, file, own_id, a, &twin, &n_fresh);
    if (r <= 0)
        return err_trace(r);
    r = t->reads->entities(t, &twin, a, &list);
    if (r == 0)
        add_told(&twin, &list, true, a, ret_recall);
    return err_trace(r);
}

/* A text that is not there any more is not known. */
static int
add_told_text(struct tables *t, const struct recall_entry *entry, struct arena *a,
              struct store_told *told)
{
    struct store_told_hover *to = &told->v[told->n];
    int r = 1;
    *to = (struct store_told_hover){.place = entry->place,
                                    .hover = {.state = entry->state}};
    if (entry->hover_id)
        r = t->reads->hover_get(t, entry->hover_id, a, &to->hover.markdown,
                                &to->hover.server);
    told->n += r > 0;
    return MIN(r, 0);
}

int
recall_told(struct tables *t, struct hash128 content, struct str lang, struct arena *a,
            struct store_told *ret_told)
{
    struct file file = {.content = content, .lang = lang};
    struct recall recall = {0};
    int r = recall_load(t, &file, 0, true, a, &recall);
    *ret_told = (struct store_told){
        .server_key = recall.server_key,
        .v = arena_alloc(a, (recall.n + 1) * sizeof(*ret_told->v)),
    };
    for (size_t i = 0; i < recall.n && r == 0; i++) {
        if (!recall.v[i].is_stale)
            r = add_told_text(t, &recall.v[i], a, ret_told);
    }
    if (r == 0 && ret_told->n == 0)
        return -ENOENT;
    return err_trace(r);
}

/* ---- a content leaves ---- */

int
table_past_hold(struct table_writer *w, const struct file_stored *f,
                const struct entity_list *list, struct recall *ret_kept)
{
    struct file_stored twin;
    int64_t n_fresh = 0;
    *ret_kept = (struct recall){0};
    add_told(f, list, false, &w->scratch, ret_kept);
    if (ret_kept->n == 0)
        return 0;
    int r = w->t->reads->file_twin(w->t, &f->f, f->id, &w->scratch, &twin, &n_fresh);
    if (r > 0 && n_fresh >= (int64_t)ret_kept->n)
        ret_kept->n = 0; // it has them
    for (size_t i = 0; i < ret_kept->n && r >= 0; i++)
        r = table_hover_share(w, ret_kept->v[i].hover_id);
    return err_trace(MIN(r, 0));
}

static int
release(struct table_writer *w, const struct recall *recall)
{
    int r = 0;
    for (size_t i = 0; i < recall->n && r == 0; i++) {
        if (!recall->v[i].is_taken)
            r = table_hover_unref(w, recall->v[i].hover_id);
    }
    return r;
}

static int
remove_past(struct table_writer *w, const struct recall *past)
{
    int r = release(w, past);
    if (r < 0)
        return err_trace(r);
    w->now.past_rows = MAX(w->now.past_rows - 1, 0);
    w->now.past_bytes = MAX(w->now.past_bytes - past->bytes, 0);
    return w->writes->past_delete(w->t, past->past_id);
}

static int
add_past(struct table_writer *w, const struct file *file, const struct recall *kept,
         int64_t text_bytes)
{
    struct past_hover *hovers = arena_calloc(&w->scratch, kept->n, sizeof(*hovers));
    size_t size_bytes = kept->n * sizeof(*hovers);
    for (size_t i = 0; i < kept->n; i++)
        hovers[i] = (struct past_hover){kept->v[i].place, kept->v[i].hover_id};
    struct past_row row = {
        .content = file->content,
        .lang = file->lang,
        .server_key = kept->server_key,
        .bytes = (int64_t)size_bytes + text_bytes,
        .used_ms = clock_wall_ms(),
        .hovers = str_slice((const char *)hovers, size_bytes),
    };
    w->now.past_rows++;
    w->now.past_bytes += row.bytes;
    return w->writes->past_add(w->t, &row);
}

int
table_past_put(struct table_writer *w, const struct file *file, const struct recall *kept,
               int64_t text_bytes)
{
    struct recall there = {0};
    if (kept->n == 0)
        return 0;
    int r = w->now.past_rows > 0 ? load_past(w->t, file, &w->scratch, &there) : 0;
    if (r < 0)
        return r;
    if (there.past_id && there.n >= kept->n)
        return release(w, kept);
    if (there.past_id)
        r = remove_past(w, &there);
    return r < 0 ? r : add_past(w, file, kept, text_bytes);
}

/* ---- a copy of another index says what it was ---- */

int
store_put_past(struct store_writer *base, const struct store_past *past)
{
    struct table_writer *w = table_writer_of(base);
    const struct store_told *told = past->told;
    struct file file = {.content = past->content, .lang = past->lang};
    int64_t text_bytes = 0;
    int r = 0;
    assert(w->is_open);
    arena_reset(&w->scratch);
    struct recall kept = {
        .v = arena_calloc(&w->scratch, told->n + 1, sizeof(*kept.v)),
        .server_key = told->server_key,
    };
    for (; kept.n < told->n && r == 0; kept.n++) {
        const struct hover *h = &told->v[kept.n].hover;
        struct recall_entry *to = &kept.v[kept.n];
        *to = (struct recall_entry){.place = told->v[kept.n].place, .state = h->state};
        if (h->state == HOVER_KNOWN)
            r = table_hover_ref(w, h->markdown, h->server, &to->hover_id);
        text_bytes += (int64_t)h->markdown.n;
    }
    return r < 0 ? err_trace(r) : table_past_put(w, &file, &kept, text_bytes);
}

/* ---- it comes back, or is forgotten ---- */

int
table_past_end(struct table_writer *w, const struct recall *recall)
{
    return recall->past_id ? remove_past(w, recall) : 0;
}

/* 1 the one used longest ago, 0 there is none. */
static int
oldest_past(struct table_writer *w, struct recall *ret_past)
{
    struct past_row row;
    int r = w->writes->past_oldest(w->t, &w->scratch, &row);
    if (r > 0) {
        r = read_past(&row, &w->scratch, ret_past);
        r = r < 0 ? r : 1;
    }
    return r;
}

int
table_past_prune(struct table_writer *w, int64_t rows_max, int64_t bytes_max,
                 bool *ret_more)
{
    size_t n = 0;
    *ret_more = false;
    while (w->now.past_rows > rows_max || w->now.past_bytes > bytes_max) {
        struct recall past;
        *ret_more = n >= PRUNE_HOVERS;
        if (*ret_more)
            break;
        arena_reset(&w->scratch);
        int r = oldest_past(w, &past);
        if (r == 0)
            w->now.past_rows = w->now.past_bytes = 0;
        if (r > 0)
            r = remove_past(w, &past);
        if (r < 0)
            return err_trace(r);
        n += past.n + 1;
    }
    return 0;
}
