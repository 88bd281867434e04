/* Why: whoever wants all entities gets them in pages, and between two pages the index goes on. Invariant:
 * a page is one view of the index, and its place says by path where it ended, so that what does not
 * change meanwhile comes once. The files of an index come in no order: those of a page are chosen
 * from all in one walk, which costs less than to sort them. */
#include "base/err.h"
#include "query/internal.h"

#define LIST_FILES 256 // chosen in one walk
#define LIST_WALKS 8   // of one page, if few of their entities are wanted

struct lister {
    const struct query_search *filter;
    struct glob glob;
    struct arena *a;
    /* Files: the smallest paths behind `after`, in a heap whose largest is on top. */
    struct str after;
    struct str files[LIST_FILES];
    size_t n_files;
    /* Rows of the file at hand. */
    struct str path;
    uint64_t offset, skip;
    size_t size_bytes;
    VEC(struct entity_row) rows;
    struct query_place next;
};

/* ---- files ---- */

static void
sift_down(struct str *heap, size_t n)
{
    for (size_t i = 0;;) {
        size_t largest = i;
        for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < n; k++)
            if (str_cmp(heap[k], heap[largest]) > 0)
                largest = k;
        if (largest == i)
            return;
        struct str t = heap[i];
        heap[i] = heap[largest];
        heap[largest] = t;
        i = largest;
    }
}

static void
sift_up(struct str *heap, size_t i)
{
    for (; i > 0 && str_cmp(heap[i], heap[(i - 1) / 2]) > 0; i = (i - 1) / 2) {
        struct str t = heap[i];
        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = t;
    }
}

static int
on_file(void *ctx, const struct file *file)
{
    struct lister *l = ctx;
    bool is_full = l->n_files == LIST_FILES;
    if ((l->after.n > 0 && str_cmp(file->path, l->after) <= 0) ||
        (is_full && str_cmp(file->path, l->files[0]) >= 0) ||
        (l->filter->lang.n > 0 && !str_eq(l->filter->lang, file->lang)) ||
        (l->glob.pattern.n > 0 && !glob_fits(&l->glob, file->path)))
        return 0;
    struct str path = arena_str(l->a, file->path);
    if (is_full) {
        l->files[0] = path;
        sift_down(l->files, LIST_FILES);
    } else {
        l->files[l->n_files] = path;
        sift_up(l->files, l->n_files++);
    }
    return 0;
}

static int
by_path(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* ---- rows ---- */

static size_t
text_bytes(const struct entity_row *row)
{
    return row->e.signature.n + row->e.doc.n + row->e.qualified_name.n + 2 * row->key.n +
           row->path.n;
}

/* 1: the page is full. */
static int
on_row(void *ctx, const struct entity_row *row)
{
    struct lister *l = ctx;
    if (l->offset++ < l->skip || !query_is_wanted(l->filter, row))
        return 0;
    if (l->rows.n > 0 && (l->rows.n >= l->filter->limit ||
                          l->size_bytes + text_bytes(row) > QUERY_LIST_BYTES_MAX)) {
        l->next = (struct query_place){.path = l->path, .offset = l->offset - 1};
        return 1;
    }
    l->size_bytes += text_bytes(row);
    query_copy_row(l->a, row, vec_push(&l->rows));
    return 0;
}

static int
list_file(struct lister *l, struct store_reader *r, struct str path, uint64_t skip)
{
    l->path = path;
    l->offset = 0;
    l->skip = skip;
    return store_each_entity(r, path, on_row, l);
}

static int
list_files(struct lister *l, struct store_reader *r)
{
    for (int i = 0; i < LIST_WALKS; i++) {
        l->n_files = 0;
        int e = store_each_file(r, on_file, l);
        qsort(l->files, l->n_files, sizeof(*l->files), by_path);
        for (size_t k = 0; k < l->n_files && e == 0; k++)
            e = list_file(l, r, l->after = l->files[k], 0);
        if (e != 0 || l->n_files < LIST_FILES)
            return e;
    }
    l->next = (struct query_place){.path = l->after, .offset = UINT64_MAX};
    return 0;
}

static int
list(struct lister *l, struct store_reader *r, const struct query_place *from)
{
    bool is_one = l->glob.pattern.n > 0 && !strpbrk(l->glob.pattern.p, "*?[\\");
    int e = 0;
    if (from->path.n > 0 && (l->glob.pattern.n == 0 || glob_fits(&l->glob, from->path)))
        e = list_file(l, r, from->path, from->offset);
    else if (is_one && from->path.n == 0)
        e = list_file(l, r, l->glob.pattern, 0);
    if (e == 0 && !is_one) {
        l->after = from->path;
        e = list_files(l, r);
    }
    return e == 1 ? 0 : e;
}

void
query_run_list(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct lister l = {.filter = &t->search, .a = &result->arena};
    int e = store_reader_begin(r);
    if (e < 0) {
        result->r = e;
        return;
    }
    glob_init(&l.glob, t->search.path_glob);
    e = list(&l, r, &t->place);
    store_reader_end(r);
    result->rows = arena_calloc(&result->arena, l.rows.n + 1, sizeof(*result->rows));
    if (l.rows.n > 0)
        memcpy(result->rows, l.rows.v, l.rows.n * sizeof(*result->rows));
    result->n_rows = l.rows.n;
    result->next.path = arena_str(&result->arena, l.next.path);
    result->next.offset = l.next.offset;
    vec_finish(&l.rows);
    result->r = err_trace(e);
}
