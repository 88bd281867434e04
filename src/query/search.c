/* Search by name or text with filters. By name: every name is scored while it streams by, the best
 * are kept in a heap whose worst is on top, and only those rows are read in full. The order is total
 * (score, length, path, place), so the same index gives the same answer. */
#include <fnmatch.h>

#include "base/err.h"
#include "query/internal.h"

struct winner {
    int64_t id;
    double score;
    size_t name_n;
    struct str path; // in the arena, one copy per file
};

struct name_search {
    const struct query_search *search;
    struct arena *a;
    struct winner *heap; // worst first
    size_t n, limit;
    /* Of the file the scan is in. */
    struct buf path;
    struct str kept_path; // in the arena, once a winner needs it
    bool is_path_wanted, is_path_kept;
};

static bool
is_kind_wanted(const struct query_search *s, enum entity_kind kind)
{
    for (size_t i = 0; i < s->n_kinds; i++) {
        if (s->kinds[i] == kind)
            return true;
    }
    return s->n_kinds == 0;
}

static bool
is_path_wanted(const struct query_search *s, struct str path)
{
    if (s->path_glob.n == 0)
        return true;
    char *glob = str_dup(s->path_glob);
    char *text = str_dup(path);
    bool is = fnmatch(glob, text, 0) == 0;
    free(glob);
    free(text);
    return is;
}

/* <0: a comes before b in the answer. */
static int
compare(const struct winner *a, const struct winner *b)
{
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->name_n != b->name_n)
        return a->name_n < b->name_n ? -1 : 1;
    int r = a->path.p == b->path.p ? 0 : str_cmp(a->path, b->path);
    return r != 0 ? r : (a->id > b->id) - (a->id < b->id);
}

static int
by_place_in_answer(const void *a, const void *b)
{
    return compare(a, b);
}

static void
swap(struct winner *a, struct winner *b)
{
    struct winner t = *a;
    *a = *b;
    *b = t;
}

static void
sift_up(struct winner *heap, size_t i)
{
    while (i > 0 && compare(&heap[i], &heap[(i - 1) / 2]) > 0) {
        swap(&heap[i], &heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void
sift_down(struct winner *heap, size_t n)
{
    size_t i = 0;
    for (;;) {
        size_t worst = i;
        for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < n; k++) {
            if (compare(&heap[k], &heap[worst]) > 0)
                worst = k;
        }
        if (worst == i)
            return;
        swap(&heap[i], &heap[worst]);
        i = worst;
    }
}

static void
offer(struct name_search *s, struct winner w)
{
    if (s->n == s->limit && compare(&w, &s->heap[0]) >= 0)
        return;
    if (!s->is_path_kept) {
        s->kept_path = arena_str(s->a, w.path);
        s->is_path_kept = true;
    }
    w.path = s->kept_path;
    if (s->n < s->limit) {
        s->heap[s->n++] = w;
        sift_up(s->heap, s->n - 1);
    } else {
        s->heap[0] = w;
        sift_down(s->heap, s->n);
    }
}

static double
score_of(const struct query_search *s, const struct entity_row *row)
{
    double score = fuzzy_score(s->text, row->e.name);
    if (str_find_char(s->text, '.') >= 0)
        score = MAX(score, fuzzy_score(s->text, row->e.qualified_name));
    return score;
}

static int
on_name(void *ctx, const struct entity_row *row)
{
    struct name_search *s = ctx;
    if (s->path.n == 0 || !str_eq(buf_str(&s->path), row->path)) {
        s->is_path_wanted = is_path_wanted(s->search, row->path);
        s->is_path_kept = false;
        buf_reset(&s->path);
        buf_add_str(&s->path, row->path);
    }
    if (!s->is_path_wanted || !is_kind_wanted(s->search, row->e.kind) ||
        (s->search->lang.n > 0 && !str_eq(s->search->lang, row->lang)))
        return 0;
    double score = score_of(s->search, row);
    if (score > 0)
        offer(s, (struct winner){row->id, score, row->e.name.n, row->path});
    return 0;
}

static int
search_names(struct store_reader *r, const struct query_search *search, struct arena *a,
             struct entity_row **ret_rows, size_t *ret_n)
{
    struct name_search s = {.search = search, .a = a, .limit = search->limit};
    s.heap = arena_alloc(a, search->limit * sizeof(*s.heap));
    int e = store_each_name(r, on_name, &s);
    buf_finish(&s.path);
    if (e < 0)
        return e;
    qsort(s.heap, s.n, sizeof(*s.heap), by_place_in_answer);
    struct entity_row *rows = arena_calloc(a, s.n + 1, sizeof(*rows));
    for (size_t i = 0; i < s.n; i++) {
        e = store_read_entity_id(r, s.heap[i].id, a, &rows[i]);
        if (e < 0)
            return err_trace(e == -ENOENT ? -EBADMSG : e);
        rows[i].score = s.heap[i].score;
    }
    *ret_rows = rows;
    *ret_n = s.n;
    return 0;
}

struct text_search {
    const struct query_search *search;
    struct arena *a;
    struct entity_row *rows;
    size_t n;
};

static int
on_text_row(void *ctx, const struct entity_row *row)
{
    struct text_search *s = ctx;
    if (!is_kind_wanted(s->search, row->e.kind) ||
        !is_path_wanted(s->search, row->path) ||
        (s->search->lang.n > 0 && !str_eq(s->search->lang, row->lang)))
        return 0;
    query_copy_row(s->a, row, &s->rows[s->n++]);
    return s->n == s->search->limit;
}

static int
search_text(struct store_reader *r, const struct query_search *search, struct arena *a,
            struct entity_row **ret_rows, size_t *ret_n)
{
    bool has_filter =
        search->n_kinds > 0 || search->lang.n > 0 || search->path_glob.n > 0;
    struct text_search s = {.search = search, .a = a};
    s.rows = arena_alloc(a, search->limit * sizeof(*s.rows));
    int e = store_search_text(r, search->text, has_filter ? SIZE_MAX : search->limit,
                              on_text_row, &s);
    if (e < 0)
        return e;
    *ret_rows = s.rows;
    *ret_n = s.n;
    return 0;
}

int
query_search_now(struct store_reader *r, const struct query_search *search,
                 struct arena *a, struct entity_row **ret_rows, size_t *ret_n)
{
    struct query_search s = *search;
    s.limit = MAX(MIN(s.limit, (size_t)QUERY_LIMIT_MAX), (size_t)1);
    if (s.text.n > QUERY_TEXT_BYTES_MAX)
        return -E2BIG;
    int e = store_reader_begin(r);
    if (e < 0)
        return err_trace(e);
    e = s.is_text_search ? search_text(r, &s, a, ret_rows, ret_n)
                         : search_names(r, &s, a, ret_rows, ret_n);
    store_reader_end(r);
    return e;
}
