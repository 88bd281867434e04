/* Search by name or text with filters. By name: in the name table when there is one, else every name
 * is laid out while it streams by; only the winners' rows are read in full. Both ways give the same
 * answer. A winner whose row is not what the table said was committed a moment ago, before the loop
 * heard of it: then its file is read again in this view and the search repeated. */
#include "base/err.h"
#include "query/internal.h"

#define SEARCH_TRIES 3 // one view of the index: the second look cannot be behind

/* ---- by name, over the index ---- */

struct name_scan {
    const struct query_search *search;
    const struct fuzzy_query *q;
    struct glob glob;
    struct winners *winners;
    struct arena *a;
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

bool
query_is_wanted(const struct query_search *s, const struct entity_row *row)
{
    return is_kind_wanted(s, row->e.kind) &&
           (s->lang.n == 0 || str_eq(s->lang, row->lang));
}

static int
cost_of(const struct fuzzy_query *q, const struct entity_row *row)
{
    int cost = fuzzy_cost(&q->whole, row->e.name);
    if (q->is_qualified) {
        struct str container = row->e.qualified_name;
        bool has = container.n > row->e.name.n && str_ends_with(container, row->e.name);
        container.n = has ? container.n - row->e.name.n - 1 : 0;
        int last = fuzzy_cost(&q->last, row->e.name);
        int outside =
            last == FUZZY_NEVER ? FUZZY_NEVER : fuzzy_container_cost(q, container);
        if (outside != FUZZY_NEVER)
            cost = MIN(cost, last + outside);
    }
    return cost == FUZZY_NEVER ? cost : cost + fuzzy_kind_cost(row->e.kind);
}

static void
enter_file(struct name_scan *s, struct str path)
{
    if (s->path.n > 0 && str_eq(buf_str(&s->path), path))
        return;
    s->is_path_wanted = s->glob.pattern.n == 0 || glob_fits(&s->glob, path);
    s->is_path_kept = false;
    buf_reset(&s->path);
    buf_add_str(&s->path, path);
}

static int
on_name(void *ctx, const struct entity_row *row)
{
    struct name_scan *s = ctx;
    enter_file(s, row->path);
    if (!s->is_path_wanted || !query_is_wanted(s->search, row))
        return 0;
    struct winner w = {.id = row->id,
                       .kind = row->e.kind,
                       .name = row->e.name,
                       .path = row->path,
                       .cost = cost_of(s->q, row)};
    if (w.cost == FUZZY_NEVER || w.cost > winners_worst(s->winners))
        return 0;
    if (!s->is_path_kept) {
        s->kept_path = arena_str(s->a, row->path);
        s->is_path_kept = true;
    }
    w.path = s->kept_path;
    w.name = arena_str(s->a, row->e.name);
    winners_offer(s->winners, &w);
    return 0;
}

/* ---- winners' rows ---- */

static double
score_of(int cost)
{
    return MAX(FUZZY_SCORE_MAX - cost, 1);
}

static bool
is_same(const struct entity_row *row, const struct winner *w)
{
    return row->e.kind == w->kind && str_eq(row->e.name, w->name) &&
           str_eq(row->path, w->path);
}

struct paths {
    VEC(struct str) all;
};

/* What is not as the winner says goes into `stale`. */
static int
read_rows(struct store_reader *r, struct winners *w, struct arena *a,
          struct entity_row **ret_rows, struct paths *stale)
{
    struct entity_row *rows = arena_calloc(a, w->n + 1, sizeof(*rows));
    winners_sort(w);
    for (size_t i = 0; i < w->n; i++) {
        int e = store_read_entity_id(r, w->heap[i].id, a, &rows[i]);
        if (e < 0 && e != -ENOENT)
            return err_trace(e);
        if (e < 0 || !is_same(&rows[i], &w->heap[i]))
            *vec_push(&stale->all) = arena_str(a, w->heap[i].path);
        rows[i].score = score_of(w->heap[i].cost);
    }
    *ret_rows = rows;
    return 0;
}

/* w: with a heap for its limit; what it points to lives in the arena. */
static int
scan_winners(struct store_reader *r, const struct query_search *search, struct arena *a,
             struct winners *w)
{
    struct fuzzy_query q;
    struct name_scan s = {.search = search, .a = a, .q = &q, .winners = w};
    fuzzy_query_init(&q, search->text);
    glob_init(&s.glob, search->path_glob);
    int e = store_each_name(r, on_name, &s);
    buf_finish(&s.path);
    return err_trace(e);
}

static int
scan_names(struct store_reader *r, const struct query_search *search, struct arena *a,
           struct entity_row **ret_rows, size_t *ret_n)
{
    struct winners w = {.limit = search->limit};
    struct paths stale = {{0}};
    w.heap = arena_alloc(a, search->limit * sizeof(*w.heap));
    int e = scan_winners(r, search, a, &w);
    if (e == 0)
        e = read_rows(r, &w, a, ret_rows, &stale);
    if (e == 0 && stale.all.n > 0)
        e = -EBADMSG;
    vec_finish(&stale.all);
    *ret_n = w.n;
    return err_trace(e);
}

/* ---- by name, in the table ---- */

static int
on_row(void *ctx, const struct entity_row *row)
{
    return names_add(ctx, row);
}

static int
read_files(struct store_reader *r, const struct str *paths, size_t n,
           struct names_segment **ret_segment)
{
    struct names_builder b = {.file = 0};
    int e = 0;
    for (size_t i = 0; i < n && e == 0; i++) {
        e = store_each_entity(r, paths[i], on_row, &b);
        if (e == 0)
            e = names_add_file(&b, paths[i], STR_NONE);
    }
    if (e == 0)
        *ret_segment = names_build(&b);
    names_builder_finish(&b);
    return err_trace(e);
}

/* The loan's view with all paths committed since on top; none: the view as it is. */
static int
refresh(struct store_reader *r, struct table_loan *loan, const struct paths *more)
{
    AUTO(arena_finish) struct arena a = {0};
    struct names_segment *segment = NULL;
    size_t n = loan->n_paths + more->all.n;
    struct str *paths = arena_calloc(&a, n + 1, sizeof(*paths));
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        paths[i] = i < loan->n_paths ? loan->paths[i] : more->all.v[i - loan->n_paths];
    int e = read_files(r, paths, n, &segment);
    if (e < 0)
        return e;
    names_view_drop(loan->fresh, loan->view);
    loan->fresh = names_view_with(loan->view, segment);
    return 0;
}

static int
search_table(struct store_reader *r, const struct query_search *search,
             struct query_ticket *t)
{
    struct table_loan *loan = &t->loan;
    struct query_result *result = t->result;
    struct fuzzy_query q;
    struct winners w = {.limit = search->limit};
    struct paths stale = {{0}};
    size_t n_known = 0;
    int e = refresh(r, loan, &stale);
    fuzzy_query_init(&q, search->text);
    w.heap = arena_alloc(&result->arena, search->limit * sizeof(*w.heap));
    for (int i = 0; i < SEARCH_TRIES && e == 0; i++) {
        w.n = 0;
        n_known = stale.all.n;
        names_find(loan->fresh ? loan->fresh : loan->view, search, &q, &t->help, &w);
        e = read_rows(r, &w, &result->arena, &result->rows, &stale);
        if (e < 0 || stale.all.n == n_known)
            break;
        e = refresh(r, loan, &stale);
    }
    if (e == 0 && stale.all.n > n_known)
        e = -EBADMSG;
    vec_finish(&stale.all);
    result->n_rows = e == 0 ? w.n : 0;
    return err_trace(e);
}

/* ---- by text ---- */

struct text_search {
    const struct query_search *search;
    struct text_terms terms;
    struct glob glob;
    struct arena *a;
    struct entity_row *rows;
    size_t n;
};

static int
on_text_row(void *ctx, const struct entity_row *row)
{
    struct text_search *s = ctx;
    if (!query_is_wanted(s->search, row) ||
        (s->glob.pattern.n > 0 && !glob_fits(&s->glob, row->path)))
        return 0;
    if (s->terms.has_phrase && !text_has_phrases(&s->terms, row))
        return 0;
    query_copy_row(s->a, row, &s->rows[s->n]);
    s->rows[s->n].snippet = text_snippet(&s->terms, row, s->a);
    s->n++;
    return s->n == s->search->limit;
}

static int
search_text(struct store_reader *r, const struct query_search *search, struct arena *a,
            struct entity_row **ret_rows, size_t *ret_n)
{
    bool has_filter =
        search->n_kinds > 0 || search->lang.n > 0 || search->path_glob.n > 0;
    struct text_search s = {.search = search, .a = a};
    text_terms_init(&s.terms, search->text);
    has_filter |= s.terms.has_phrase;
    glob_init(&s.glob, search->path_glob);
    s.rows = arena_alloc(a, search->limit * sizeof(*s.rows));
    int e = store_search_text(r, search->text, has_filter ? SIZE_MAX : search->limit,
                              on_text_row, &s);
    if (e < 0)
        return err_trace(e);
    *ret_rows = s.rows;
    *ret_n = s.n;
    return 0;
}

/* ---- questions ---- */

static int
check(const struct query_search *search, struct query_search *ret_search)
{
    *ret_search = *search;
    ret_search->limit = MAX(MIN(search->limit, (size_t)QUERY_LIMIT_MAX), (size_t)1);
    return search->text.n > QUERY_TEXT_BYTES_MAX ? -E2BIG : 0;
}

int
query_search_now(struct store_reader *r, const struct query_search *search,
                 struct arena *a, struct entity_row **ret_rows, size_t *ret_n)
{
    struct query_search s;
    int e = check(search, &s);
    if (e < 0)
        return e;
    e = store_reader_begin(r);
    if (e < 0)
        return err_trace(e);
    e = s.is_text_search ? search_text(r, &s, a, ret_rows, ret_n)
                         : scan_names(r, &s, a, ret_rows, ret_n);
    store_reader_end(r);
    return e;
}

void
query_run_search(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct query_search s;
    if (!t->loan.view) {
        result->r = query_search_now(r, &t->search, &result->arena, &result->rows,
                                     &result->n_rows);
        return;
    }
    result->r = check(&t->search, &s);
    if (result->r == 0)
        result->r = store_reader_begin(r);
    if (result->r < 0)
        return;
    result->r = search_table(r, &s, t);
    result->is_from_table = true;
    store_reader_end(r);
}

/* ---- in two steps: which ones, then their rows ---- */

struct match_list {
    const struct query_search *search;
    struct text_terms terms;
    struct glob glob;
    VEC(struct query_match) all;
};

static int
on_text_match(void *ctx, const struct entity_row *row)
{
    struct match_list *l = ctx;
    if (!query_is_wanted(l->search, row) ||
        (l->glob.pattern.n > 0 && !glob_fits(&l->glob, row->path)) ||
        (l->terms.has_phrase && !text_has_phrases(&l->terms, row)))
        return 0;
    *vec_push(&l->all) = (struct query_match){.id = row->id, .score = row->score};
    return l->all.n == l->search->limit;
}

static int
match_text(struct store_reader *r, struct match_list *l)
{
    text_terms_init(&l->terms, l->search->text);
    glob_init(&l->glob, l->search->path_glob);
    int e = store_search_text(r, l->search->text, SIZE_MAX, on_text_match, l);
    return e < 0 ? err_trace(e) : 0;
}

static int
match_names(struct store_reader *r, struct query_ticket *t, struct match_list *l)
{
    struct winners w = {.limit = l->search->limit};
    struct paths none = {{0}};
    struct fuzzy_query q;
    int e;
    w.heap = arena_alloc(&t->arena, w.limit * sizeof(*w.heap));
    if (t->loan.view) {
        e = refresh(r, &t->loan, &none);
        fuzzy_query_init(&q, l->search->text);
        if (e == 0)
            names_find(t->loan.fresh ? t->loan.fresh : t->loan.view, l->search, &q,
                       &t->help, &w);
    } else {
        e = scan_winners(r, l->search, &t->arena, &w);
    }
    winners_sort(&w);
    for (size_t i = 0; i < w.n; i++)
        *vec_push(&l->all) =
            (struct query_match){.id = w.heap[i].id, .score = score_of(w.heap[i].cost)};
    return err_trace(e);
}

void
query_run_matches(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct match_list l = {.search = &t->search};
    t->search.limit = MAX(MIN(t->search.limit, (size_t)QUERY_MATCHES_MAX), (size_t)1);
    result->r = t->search.text.n > QUERY_TEXT_BYTES_MAX ? -E2BIG : store_reader_begin(r);
    if (result->r < 0)
        return;
    result->r = t->search.is_text_search ? match_text(r, &l) : match_names(r, t, &l);
    store_reader_end(r);
    result->matches = arena_calloc(&result->arena, l.all.n + 1, sizeof(*result->matches));
    if (l.all.n > 0)
        memcpy(result->matches, l.all.v, l.all.n * sizeof(*l.all.v));
    result->n_matches = l.all.n;
    vec_finish(&l.all);
}

/* A number may be another entity's by now. */
void
query_run_match_rows(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct text_terms terms;
    struct fuzzy_query q;
    struct glob glob;
    result->r = store_reader_begin(r);
    if (result->r < 0)
        return;
    result->rows = arena_calloc(&result->arena, t->n_matches + 1, sizeof(*result->rows));
    text_terms_init(&terms, t->search.text);
    fuzzy_query_init(&q, t->search.text);
    glob_init(&glob, t->search.path_glob);
    for (size_t i = 0; i < t->n_matches && result->r == 0; i++) {
        struct entity_row *row = &result->rows[result->n_rows];
        int e = store_read_entity_id(r, t->matches[i].id, &result->arena, row);
        if (e < 0 && e != -ENOENT)
            result->r = err_trace(e);
        if (e < 0 || !query_is_wanted(&t->search, row) ||
            (glob.pattern.n > 0 && !glob_fits(&glob, row->path)))
            continue;
        if (t->search.is_text_search)
            row->snippet = text_snippet(&terms, row, &result->arena);
        else if (cost_of(&q, row) == FUZZY_NEVER)
            continue;
        row->score = t->matches[i].score;
        result->n_rows++;
    }
    store_reader_end(r);
}

void
query_run_refresh(struct query_ticket *t, struct store_reader *r)
{
    struct paths none = {{0}};
    if (!t->loan.view)
        return;
    t->result->r = store_reader_begin(r);
    if (t->result->r < 0)
        return;
    t->result->r = refresh(r, &t->loan, &none);
    store_reader_end(r);
}

void
query_run_build(struct query_ticket *t, struct store_reader *r)
{
    struct names_builder b = {.file = 0};
    int e = store_each_name(r, on_row, &b);
    if (e == 0)
        t->loan.fresh = names_view_with(NULL, names_build(&b));
    names_builder_finish(&b);
    t->result->r = err_trace(e);
}
