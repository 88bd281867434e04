/* One search by several hands. Invariant: however many walk and whoever has time, the answer is that
 * of a look at every entity, one after the other. */
#include "query/find.h"

#define HANDS_NAMES 60000 // several pieces of the table for each hand
#define HANDS_FILES 300
#define HANDS_ROUNDS 60

struct hands_case {
    struct pool_job job;
    struct pool *pool;
    struct names_view *view;
    bool is_closed;
};

static unsigned
hands_pick(unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 8) % n;
}

static const char *
hands_word(unsigned *seed)
{
    static const char *const words[] = {"get", "set",  "Name", "size", "Process", "run",
                                        "at",  "Loop", "uv",   "8",    "_",       "err"};
    return words[hands_pick(seed, ARRAY_LEN(words))];
}

static struct names_segment *
hands_segment(size_t n_files, size_t n_names, int64_t id, unsigned seed)
{
    struct names_builder b = {.file = 0};
    AUTO(buf_finish) struct buf name = {0};
    for (size_t i = 0; i < n_names; i++) {
        AUTO(free) char *path = xasprintf("src/%zu.c", i * n_files / n_names);
        struct entity_row row = {.id = id + (int64_t)i, .path = str_of(path)};
        buf_reset(&name);
        for (unsigned k = 1 + hands_pick(&seed, 4); k > 0; k--)
            buf_add_cstr(&name, hands_word(&seed));
        buf_printf(&name, "%x", hands_pick(&seed, 1u << 12));
        row.e.name = buf_str(&name);
        row.e.kind = (enum entity_kind)hands_pick(&seed, ENTITY_KIND_COUNT);
        AUTO(free) char *qualified = xasprintf("%s.%s", hands_word(&seed), name.p);
        row.e.qualified_name = i % 3 ? row.e.name : str_of(qualified);
        row.lang = i * n_files / n_names % 3 ? STR("c") : STR("py");
        OK(names_add(&b, &row));
    }
    return names_build(&b);
}

static bool
hands_is_hidden(const struct names_part *p, uint32_t file)
{
    return p->hidden && (p->hidden[file / 8] & 1u << file % 8);
}

static int
hands_cost(const struct names_segment *s, const struct names_entity *e, struct str name,
           const struct fuzzy_query *q)
{
    int cost = fuzzy_cost(&q->whole, name);
    int last = q->is_qualified ? fuzzy_cost(&q->last, name) : FUZZY_NEVER;
    if (last != FUZZY_NEVER) {
        int outside = fuzzy_container_cost(q, intern_at(&s->containers, e->container));
        if (outside != FUZZY_NEVER)
            cost = MIN(cost, last + outside);
    }
    return cost;
}

/* Each entity, one after the other. */
static void
hands_look(const struct names_part *p, const struct query_search *search,
           const struct fuzzy_query *q, struct winners *w)
{
    const struct names_segment *s = p->segment;
    size_t name = 0;
    for (uint32_t i = 0; i < s->n_entities; i++) {
        struct names_entity e = names_entity_at(s, i);
        uint32_t file = e.file_kind >> NAMES_FILE_SHIFT;
        while (s->entries[name + 1].first <= i)
            name++;
        struct winner one = {.id = e.id, .name = names_at(s, name)};
        one.kind = (enum entity_kind)(e.file_kind & ((1u << NAMES_KIND_BITS) - 1));
        one.path = intern_at(&s->files, file);
        one.cost = hands_cost(s, &e, one.name, q);
        if (one.cost == FUZZY_NEVER || hands_is_hidden(p, file) ||
            (search->n_kinds > 0 && search->kinds[0] != one.kind) ||
            (search->lang.n > 0 &&
             !str_eq(search->lang, intern_at(&s->langs, s->file_langs[file]))) ||
            (search->path_glob.n > 0 && !str_ends_with(one.path, STR("7.c"))))
            continue;
        one.cost += fuzzy_kind_cost(one.kind);
        winners_offer(w, &one);
    }
}

static void
hands_make_text(unsigned *seed, struct buf *b)
{
    buf_reset(b);
    if (hands_pick(seed, 5) == 0)
        buf_printf(b, "%s.", hands_word(seed));
    for (unsigned k = hands_pick(seed, 4); k > 0; k--) {
        const char *word = hands_word(seed);
        size_t n = strlen(word), length = 1 + hands_pick(seed, (unsigned)n);
        buf_add_str(b, str_slice(word + n - length, length));
    }
    if (hands_pick(seed, 3) == 0)
        buf_printf(b, "%x", hands_pick(seed, 256));
}

static void
work_hands(struct pool_job *job, unsigned worker UNUSED)
{
    static const enum entity_kind only[] = {ENTITY_FUNCTION};
    struct hands_case *c = container_of(job, struct hands_case, job);
    AUTO(buf_finish) struct buf text = {0};
    unsigned seed = 1;
    for (size_t round = 0; round < HANDS_ROUNDS; round++) {
        struct query_search search = {.limit = round % 4 ? 30 : 500};
        struct fuzzy_query q;
        hands_make_text(&seed, &text);
        search.kinds = only;
        search.n_kinds = round % 5 == 1;
        search.lang = round % 5 == 2 ? STR("py") : STR_NONE;
        search.path_glob = round % 5 == 3 ? STR("src/*7.c") : STR_NONE;
        fuzzy_query_init(&q, buf_str(&text));
        struct winners wanted = {.limit = search.limit};
        wanted.heap = xcalloc(search.limit, sizeof(*wanted.heap));
        for (size_t i = 0; i < c->view->n_parts; i++)
            hands_look(&c->view->parts[i], &search, &q, &wanted);
        winners_sort(&wanted);
        for (unsigned n = 1; n <= NAMES_HANDS_MAX; n++) {
            struct names_help help = {c->pool, n};
            struct winners is = {.limit = search.limit};
            is.heap = xcalloc(search.limit, sizeof(*is.heap));
            names_find(c->view, &search, &q, &help, &is);
            winners_sort(&is);
            assert_int_equal(is.n, wanted.n);
            for (size_t i = 0; i < is.n; i++) {
                assert_int_equal(is.heap[i].id, wanted.heap[i].id);
                assert_int_equal(is.heap[i].cost, wanted.heap[i].cost);
            }
            free(is.heap);
        }
        free(wanted.heap);
    }
}

static void
on_hands_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void
on_hands_done(struct pool_job *job, bool is_cancelled)
{
    struct hands_case *c = container_of(job, struct hands_case, job);
    assert_false(is_cancelled);
    pool_close(c->pool, on_hands_closed, &c->is_closed);
}

static void
test_hands_find_the_same(void **state UNUSED)
{
    struct loop loop;
    struct hands_case c = {.is_closed = false};
    struct names_view *base =
        names_view_with(NULL, hands_segment(HANDS_FILES, HANDS_NAMES, 1, 7));
    names_view_adopt(base);
    c.view = names_view_with(base, hands_segment(20, 2000, HANDS_NAMES + 1, 9));
    names_view_adopt(c.view);
    OK(loop_init(&loop));
    c.pool = pool_create(&loop, NAMES_HANDS_MAX);
    pool_submit(c.pool, POOL_INTERACTIVE, &c.job, work_hands, on_hands_done);
    loop_run(&loop);
    assert_true(c.is_closed);
    OK(loop_finish(&loop));
    names_view_unref(c.view);
    names_view_unref(base);
}
