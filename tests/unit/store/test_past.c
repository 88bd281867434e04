/* Hovers of contents: they come back with the content, wherever it is and whatever was there meanwhile,
 * and no text is kept for nobody. */

static int
count_hover(void *ctx, const struct entity_row *row)
{
    struct store_counts *c = ctx;
    c->entities++;
    c->hovers[row->hover.state]++;
    c->stale += row->hover.stale;
    if (row->hover.state == HOVER_UNKNOWN)
        c->reasons[row->hover.reason]++;
    return 0;
}

/* The counts are those of the rows. */
static void
assert_adds_up(const struct sample *s)
{
    struct store_counts is, wanted = {.entities = 0};
    struct store_reader *r = sample_read(s);
    OK(store_each_entity(r, STR_NONE, count_hover, &wanted));
    OK(store_read_counts(r, &is));
    store_reader_close(r);
    assert_int_equal(is.entities, wanted.entities);
    assert_int_equal(is.stale, wanted.stale);
    assert_memory_equal(is.hovers, wanted.hovers, sizeof(is.hovers));
    assert_memory_equal(is.reasons, wanted.reasons, sizeof(is.reasons));
    if (s->backend->can & SAMPLE_SQL)
        assert_rows_add_up(s);
}

static int
write_hover(void *ctx, const struct entity_row *row)
{
    struct buf *b = ctx;
    const struct hover *h = &row->hover;
    char mark = h->state == HOVER_UNKNOWN ? '?'
                : h->stale                ? '~'
                : h->state == HOVER_KNOWN ? '='
                                          : '-';
    buf_printf(b, "%s%.*s%c%.*s", b->n > 0 ? " " : "", STR_ARG(row->e.name), mark,
               STR_ARG(h->markdown));
    return 0;
}

/* "one=text two- three? four~text": known, empty, unknown, stale. */
static void
assert_hovers(const struct sample *s, const char *path, const char *wanted)
{
    AUTO(buf_finish) struct buf is = {0};
    struct store_reader *r = sample_read(s);
    OK(store_each_entity(r, str_of(path), write_hover, &is));
    store_reader_close(r);
    assert_string_equal(is.p ? is.p : "", wanted);
}

static struct store_counts
past_counts(const struct sample *s)
{
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    OK(store_read_counts(r, &c));
    store_reader_close(r);
    return c;
}

static void
past_put_hovers(struct store_writer *w, const char *path, const char *spec,
                const char *answers, uint64_t server_key)
{
    struct hover_batch *h = sample_hovers(path, spec, answers);
    struct event *event = NULL;
    h->server_key = server_key;
    OK(store_begin(w));
    OK(store_put_hovers(w, h, &event));
    OK(store_commit(w));
    hover_batch_destroy(h);
    event_unref(event);
}

#define PAST_A "one:1 two:2 three:3"
#define PAST_B "one:1 two:2x three:3:other four:4"

/* A branch is checked out and the other one again. */
static void
test_content_comes_back(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three-"));
    event_unref(sample_put(w, "a.c", PAST_B));
    assert_hovers(s, "a.c", "one~o two~t three? four?");
    assert_int_equal(past_counts(s).past_contents, 1);
    event_unref(sample_put_hovers(w, "a.c", PAST_B, "one=o2 two=t2 three=h four=f"));
    assert_adds_up(s);
    /* what says something else than before is told, with what it says */
    struct event *e = sample_put(w, "a.c", PAST_A);
    assert_true(str_find(e->data, STR("\"markdown\":\"t\"")) > 0);
    sample_assert_names(event_ref(e), "updated", "one two three");
    sample_assert_names(e, "deleted", "four");
    assert_hovers(s, "a.c", "one=o two=t three-");
    struct store_counts c = past_counts(s);
    assert_int_equal(c.reused, 3);
    assert_int_equal(c.stale + c.hovers[HOVER_UNKNOWN], 0);
    assert_int_equal(c.past_contents, 1);
    assert_true(c.past_bytes > 0);
    event_unref(sample_put(w, "a.c", PAST_B));
    assert_hovers(s, "a.c", "one=o2 two=t2 three=h four=f");
    assert_adds_up(s);
    store_writer_close(w);
}

static void
test_content_comes_back_elsewhere(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two- three?"));
    event_unref(sample_delete(w, "a.c"));
    assert_rows(s, "hover", 1);
    assert_adds_up(s);
    struct event *e = sample_put(w, "sub/b.c", PAST_A);
    assert_true(str_find(e->data, STR("\"markdown\":\"o\"")) > 0);
    event_unref(e);
    assert_hovers(s, "sub/b.c", "one=o two- three?");
    assert_int_equal(past_counts(s).past_contents, 0);
    /* a copy over a file that is there has what is known of its source */
    event_unref(sample_put(w, "c.c", PAST_B));
    event_unref(sample_put(w, "c.c", PAST_A));
    assert_hovers(s, "c.c", "one=o two- three?");
    /* nothing is kept of the first to go, for the other one has it */
    event_unref(sample_delete(w, "c.c"));
    assert_int_equal(past_counts(s).past_contents, 0);
    event_unref(sample_put(w, "sub/b.c", PAST_B));
    assert_int_equal(past_counts(s).past_contents, 1);
    assert_adds_up(s);
    store_writer_close(w);
}

/* Files of one content of which not the same is known: who knows more is heard. */
static void
test_past_of_partial_twin(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put(w, "b.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three=h"));
    event_unref(sample_put_hovers(w, "b.c", PAST_A, "one=o"));
    event_unref(sample_delete(w, "a.c"));
    event_unref(sample_put(w, "c.c", PAST_A));
    assert_hovers(s, "c.c", "one=o two=t three=h");
    assert_adds_up(s);
    event_unref(sample_delete(w, "c.c"));
    event_unref(sample_delete(w, "b.c")); // with less than is kept
    event_unref(sample_put(w, "c.c", PAST_A));
    assert_hovers(s, "c.c", "one=o two=t three=h");
    assert_adds_up(s);
    /* with more */
    event_unref(sample_put(w, "a.c", "one:7"));
    event_unref(sample_put(w, "b.c", PAST_B));
    event_unref(sample_put(w, "c.c", PAST_B));
    event_unref(sample_put_hovers(w, "b.c", PAST_B, "one=o"));
    event_unref(sample_delete(w, "b.c"));
    event_unref(sample_put_hovers(w, "c.c", PAST_B, "one=o two=t three=h four=f"));
    event_unref(sample_delete(w, "c.c"));
    event_unref(sample_put(w, "a.c", PAST_B));
    assert_hovers(s, "a.c", "one=o two=t three=h four=f");
    assert_adds_up(s);
    store_writer_close(w);
}

/* Of several that are there the one of which most is known is heard, be it the first or the last. */
static void
test_freshest_twin(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    static const char *const contents[] = {PAST_A, PAST_B};
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        const char *less = i == 0 ? "a.c" : "c.c", *more = i == 0 ? "c.c" : "a.c";
        event_unref(sample_put(w, "a.c", contents[i]));
        event_unref(sample_put(w, "b.c", contents[i]));
        event_unref(sample_put(w, "c.c", contents[i]));
        event_unref(sample_put_hovers(w, less, contents[i], "one=o"));
        event_unref(sample_put_hovers(w, "b.c", contents[i], "one=o two=t"));
        event_unref(sample_put_hovers(w, more, contents[i], "one=o two=t three=h"));
        event_unref(sample_put(w, "d.c", contents[i]));
        assert_hovers(s, "d.c",
                      i == 0 ? "one=o two=t three=h" : "one=o two=t three=h four?");
        event_unref(sample_delete(w, "d.c"));
    }
    assert_adds_up(s);
    store_writer_close(w);
}

/* Neither is fresh: a file keeps its own. */
static void
test_stale_twin(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    event_unref(sample_put_hovers(w, "a.c", "one:1", "one=theirs"));
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    event_unref(sample_put(w, "b.c", "one:1 three:3"));
    event_unref(sample_put_hovers(w, "b.c", "one:1 three:3", "one=own"));
    event_unref(sample_put(w, "b.c", "one:1 two:2"));
    assert_hovers(s, "a.c", "one~theirs two?");
    assert_hovers(s, "b.c", "one~own two?");
    assert_adds_up(s);
    store_writer_close(w);
}

/* Another gloss makes other entities of the same text; what is known of those that stay is known. */
static void
test_same_content_of_other_maker(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("a.c", "one:1 four:4 three:3:other");
    b->file.content = hash128(STR(PAST_A));
    OK(store_set_maker(w, STR("one")));
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three=h"));
    OK(store_set_maker(w, STR("two")));
    event_unref(sample_put_batch(w, b));
    assert_hovers(s, "a.c", "one=o four? three?");
    assert_int_equal(past_counts(s).past_contents, 0);
    assert_adds_up(s);
    store_writer_close(w);
}

/* What was known of an earlier content only is not known of this one. */
static void
test_stale_is_not_kept(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o"));
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    event_unref(sample_put(w, "a.c", "one:1"));
    assert_hovers(s, "a.c", "one~o");
    assert_int_equal(past_counts(s).past_contents, 1);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    assert_hovers(s, "a.c", "one~o two?");
    /* of another language it is another thing */
    struct batch *b = sample_batch("a.h", PAST_A);
    b->file.lang = STR("cpp");
    event_unref(sample_put_batch(w, b));
    assert_hovers(s, "a.h", "one? two? three?");
    assert_adds_up(s);
    store_writer_close(w);
}

static void
test_rollback_of_past(void **state)
{
    struct sample *s = *state;
    struct event *event = NULL;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three=h"));
    OK(store_begin(w));
    OK(store_delete_file(w, STR("a.c"), &event));
    store_rollback(w);
    event_unref(event);
    assert_hovers(s, "a.c", "one=o two=t three=h");
    event_unref(sample_delete(w, "a.c"));
    assert_int_equal(past_counts(s).past_contents, 1);
    assert_adds_up(s);
    store_writer_close(w);
    w = sample_open(s, NULL); // the counts are of the index
    event_unref(sample_put(w, "a.c", PAST_A));
    assert_hovers(s, "a.c", "one=o two=t three=h");
    assert_adds_up(s);
    store_writer_close(w);
}

/* Another version of the server: what it did not say itself is stale. */
static void
test_server_key(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    past_put_hovers(w, "a.c", PAST_A, "one=o", 0); // an editor's
    past_put_hovers(w, "a.c", PAST_A, "two=t", 11);
    assert_hovers(s, "a.c", "one=o two=t three?");
    past_put_hovers(w, "a.c", PAST_A, "three?", 12); // it says nothing
    assert_hovers(s, "a.c", "one=o two=t three?");
    past_put_hovers(w, "a.c", PAST_A, "two=t three=h", 12);
    assert_hovers(s, "a.c", "one~o two=t three=h");
    past_put_hovers(w, "a.c", PAST_A, "one=o2", 12);
    assert_hovers(s, "a.c", "one=o2 two=t three=h");
    assert_adds_up(s);
    /* it comes back as the word of who said it */
    event_unref(sample_put(w, "a.c", PAST_B));
    past_put_hovers(w, "a.c", PAST_B, "one=o two=t three=h four=f", 13);
    event_unref(sample_put(w, "a.c", PAST_A));
    AUTO(arena_finish) struct arena a = {0};
    struct file file;
    struct store_reader *r = sample_read(s);
    OK(store_read_file(r, STR("a.c"), &a, &file));
    assert_int_equal(file.server_key, 12);
    store_reader_close(r);
    past_put_hovers(w, "a.c", PAST_A, "one=o", 13);
    assert_hovers(s, "a.c", "one=o two~t three~h");
    assert_adds_up(s);
    /* also when nobody knows who that was */
    event_unref(sample_put(w, "b.c", "one:5"));
    past_put_hovers(w, "b.c", "one:5", "one=o", 0);
    event_unref(sample_put(w, "a.c", "one:5"));
    assert_value(s, "server_key", "file WHERE path='a.c'", 0);
    store_writer_close(w);
}

static void
test_expire_hovers(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf paths = {0};
    struct store_writer *w = sample_open(s, NULL);
    const char *const names[] = {"a.c", "b.c", "c.c", "d.c"};
    const char *const specs[] = {"one:1", "one:2", "one:3", "one:4"};
    const uint64_t keys[] = {11, 12, 0, 11};
    uint64_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        event_unref(sample_put(w, names[i], specs[i]));
        past_put_hovers(w, names[i], specs[i], i == 3 ? "one-" : "one=o", keys[i]);
    }
    OK(store_begin(w));
    OK(store_expire_hovers(w, STR("cpp"), 12, &n));
    assert_int_equal(n, 0);
    OK(store_expire_hovers(w, STR("c"), 12, &n));
    assert_int_equal(n, 2);
    OK(store_expire_hovers(w, STR("c"), 12, &n)); // they are already
    assert_int_equal(n, 0);
    OK(store_commit(w));
    assert_hovers(s, "a.c", "one~o");
    assert_hovers(s, "b.c", "one=o");
    assert_hovers(s, "c.c", "one=o"); // nobody knows whose it is
    struct store_reader *r = sample_read(s);
    OK(store_each_unasked_file(r, collect_path, &paths));
    assert_string_equal(paths.p, "a.c d.c ");
    store_reader_close(r);
    assert_adds_up(s);
    past_put_hovers(w, "a.c", specs[0], "one=o", 12);
    assert_hovers(s, "a.c", "one=o");
    OK(store_begin(w));
    OK(store_expire_hovers(w, STR("c"), 12, &n));
    assert_int_equal(n, 0);
    OK(store_commit(w));
    assert_adds_up(s);
    store_writer_close(w);
}

static void
assert_told(const struct sample *s, const char *spec, const char *lang, uint64_t key,
            const char *wanted)
{
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf is = {0};
    struct store_told told;
    struct store_reader *r = sample_read(s);
    struct batch *b = sample_batch("x.c", spec);
    int e = store_read_told(r, hash128(str_of(spec)), str_of(lang), &a, &told);
    if (!wanted) {
        assert_int_equal(e, -ENOENT);
    } else {
        OK(e);
        assert_int_equal(told.server_key, key);
        for (size_t i = 0; i < b->n_entities; i++)
            for (size_t k = 0; k < told.n; k++) {
                const struct hover *h = &told.v[k].hover;
                if (told.v[k].place != entity_place(&b->entities[i]))
                    continue;
                buf_printf(&is, "%.*s%s%.*s/%.*s ", STR_ARG(b->entities[i].name),
                           h->state == HOVER_KNOWN ? "=" : "-", STR_ARG(h->markdown),
                           STR_ARG(h->server));
            }
        assert_string_equal(is.p, wanted);
    }
    batch_destroy(b);
    store_reader_close(r);
}

static void
test_read_told(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    assert_told(s, PAST_A, "c", 0, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    assert_told(s, PAST_A, "c", 0, NULL);
    past_put_hovers(w, "a.c", PAST_A, "one=o two-", 7);
    assert_told(s, PAST_A, "c", 7, "one=o/clangd two-/ ");
    assert_told(s, PAST_A, "cpp", 0, NULL);
    event_unref(sample_put(w, "a.c", PAST_B));
    assert_told(s, PAST_A, "c", 7, "one=o/clangd two-/ ");
    assert_told(s, PAST_B, "c", 0, NULL); // stale
    event_unref(sample_delete(w, "a.c"));
    assert_told(s, PAST_A, "c", 7, "one=o/clangd two-/ ");
    store_writer_close(w);
}

/* ---- whatever happens, in any order ---- */

/* What must be known: each content says of each name that it is of this content. */
static const char *const past_specs[] = {
    "one:1 two:2 three:3", "one:1 two:2 three:4",          "one:9 two:2 three:3 four:1",
    "two:2 +3 one:1",      "one:1:odd two:2:odd three:3 ", "five:5",
};
static const char *const past_names[] = {"one", "two", "three", "four", "five"};

static char *
past_answers(size_t content, uint32_t *seed, bool is_all)
{
    struct buf b = {0};
    for (size_t i = 0; i < ARRAY_LEN(past_names); i++) {
        uint32_t what = is_all ? 0 : next_random(seed) % 4;
        if (what == 0 && i == 1)
            buf_printf(&b, "%s- ", past_names[i]);
        else if (what < 2 && i != 1) // some texts are the same everywhere
            buf_printf(&b, "%s=%s-%zu ", past_names[i], past_names[i],
                       i == 2 ? (size_t)0 : content);
        else if (what == 2)
            buf_printf(&b, "%s? ", past_names[i]);
    }
    buf_add_str(&b, STR(""));
    return b.p ? buf_steal(&b) : xstrdup("one?");
}

static int
check_own_hover(void *ctx, const struct entity_row *row)
{
    const size_t *content = ctx;
    char text[32] = "";
    if (row->hover.state == HOVER_UNKNOWN || row->hover.stale)
        return 0;
    if (!str_eq_c(row->e.name, "two"))
        snprintf(text, sizeof(text), "%.*s-%zu", STR_ARG(row->e.name),
                 str_eq_c(row->e.name, "three") ? (size_t)0 : *content);
    assert_true(str_eq_c(row->hover.markdown, text));
    return 0;
}

/* A hover that is not stale is of the file's own content. */
static void
assert_own_hovers(struct store_reader *r, const char *path, size_t content)
{
    OK(store_each_entity(r, str_of(path), check_own_hover, &content));
}

static int
check_fresh(void *ctx UNUSED, const struct entity_row *row)
{
    assert_true(row->hover.state != HOVER_UNKNOWN && !row->hover.stale);
    return 0;
}

static void
assert_all_fresh(const struct sample *s, const char *path)
{
    struct store_reader *r = sample_read(s);
    OK(store_each_entity(r, str_of(path), check_fresh, NULL));
    store_reader_close(r);
}

#define PAST_PATHS 4
#define PAST_NONE SIZE_MAX

struct past_world {
    struct store_writer *w;
    size_t content_of[PAST_PATHS];
    bool is_full[ARRAY_LEN(past_specs)]; // all of it was known at once
    bool with_keys;
    uint32_t seed;
};

static void
past_step(const struct sample *s, struct past_world *world)
{
    size_t p = next_random(&world->seed) % PAST_PATHS;
    uint32_t what = next_random(&world->seed) % 16;
    char path[8];
    uint64_t n = 0;
    snprintf(path, sizeof(path), "f%zu.c", p);
    store_be_brief(world->w, what % 2 == 0);
    if (what == 0 && world->with_keys) {
        OK(store_begin(world->w));
        OK(store_expire_hovers(world->w, STR("c"), 1 + next_random(&world->seed) % 2,
                               &n));
        OK(store_commit(world->w));
    } else if (what < 4) {
        event_unref(sample_delete(world->w, path));
        world->content_of[p] = PAST_NONE;
    } else if (what < 10) {
        size_t content = next_random(&world->seed) % ARRAY_LEN(past_specs);
        event_unref(sample_put(world->w, path, past_specs[content]));
        world->content_of[p] = content;
        if (world->is_full[content] && !world->with_keys)
            assert_all_fresh(s, path);
    } else if (world->content_of[p] != PAST_NONE) {
        size_t content = world->content_of[p];
        char *answers = past_answers(content, &world->seed, what < 13);
        past_put_hovers(world->w, path, past_specs[content], answers,
                        world->with_keys ? next_random(&world->seed) % 3 : 1);
        world->is_full[content] |= what < 13;
        free(answers);
    }
    struct store_reader *r = sample_read(s);
    for (size_t i = 0; i < PAST_PATHS; i++) {
        snprintf(path, sizeof(path), "f%zu.c", i);
        if (world->content_of[i] != PAST_NONE)
            assert_own_hovers(r, path, world->content_of[i]);
    }
    store_reader_close(r);
}

/* When the past is pruned nothing is left. */
static void
assert_all_is_forgotten(const struct sample *s)
{
    bool more = false;
    run_sql(s, "UPDATE meta SET v=1000000 WHERE k='past_rows'");
    struct store_writer *w = sample_open(s, NULL);
    OK(store_begin(w));
    OK(store_prune(w, clock_wall_ms(), &more));
    OK(store_commit(w));
    assert_int_equal(count_rows(s, "hover_past") + count_rows(s, "hover"), 0);
    store_writer_close(w);
}

static void
test_any_order(void **state)
{
    struct sample *s = *state;
    for (uint32_t round = 0; round < 2; round++) {
        struct past_world world = {.seed = 7 + round, .with_keys = round == 1};
        world.w = sample_open(s, NULL);
        for (size_t i = 0; i < PAST_PATHS; i++)
            world.content_of[i] = PAST_NONE;
        for (int i = 0; i < 150; i++) {
            past_step(s, &world);
            assert_adds_up(s);
        }
        for (size_t i = 0; i < PAST_PATHS; i++) {
            char path[8];
            snprintf(path, sizeof(path), "f%zu.c", i);
            event_unref(sample_delete(world.w, path));
        }
        assert_adds_up(s);
        assert_true(past_counts(s).reused > 0);
        store_writer_close(world.w);
        if (s->backend->can & SAMPLE_SQL)
            assert_all_is_forgotten(s);
    }
}
