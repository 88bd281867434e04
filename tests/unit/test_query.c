/* Questions to the index: what is found and in which order, more questions than connections, one that
 * is taken back, an index that is not there yet, and the end. Invariant: every question is answered
 * once and the loop closes empty. */
#include "store/sample.h"

#include "query/fuzzy.h"
#include "query/query.h"
#include "query/test_fuzzy.c"
#include "query/test_hands.c"

/* ---- searching without a loop ---- */

static void
fill(struct sample *s)
{
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "src/b.c", "run:1>go,stop runner:2>go"));
    event_unref(sample_put(w, "src/a.c", "run:1::to_start_it arena:2"));
    struct batch *b = sample_batch("lib/x.py", "run:1 brun:2");
    b->file.lang = STR("python");
    b->entities[0].kind = ENTITY_METHOD;
    b->entities[0].qualified_name = STR("App.run");
    event_unref(sample_put_batch(w, b));
    event_unref(
        sample_put_hovers(w, "src/a.c", "run:1::to_start_it arena:2", "run=text"));
    store_writer_close(w);
}

static char *
rows_text(const struct entity_row *rows, size_t n)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%.*s:%.*s", i > 0 ? " " : "", STR_ARG(rows[i].path),
                   STR_ARG(rows[i].e.qualified_name));
    return buf_steal(&b);
}

static void
assert_found(struct store_reader *r, struct query_search search, const char *wanted)
{
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row *rows = NULL;
    size_t n = 0;
    if (search.limit == 0)
        search.limit = 100;
    OK(query_search_now(r, &search, &a, &rows, &n));
    char *is = rows_text(rows, n);
    assert_string_equal(is, wanted);
    free(is);
}

static void
test_search_names(void **state)
{
    static const enum entity_kind methods[] = {ENTITY_CLASS, ENTITY_METHOD};
    struct sample *s = *state;
    fill(s);
    struct store_reader *r = sample_read(s);
#define ALL "lib/x.py:App.run src/a.c:run src/b.c:run src/b.c:runner lib/x.py:brun"
    assert_found(r, (struct query_search){.text = STR("run")}, ALL);
    assert_found(r, (struct query_search){.text = STR("run"), .limit = 2},
                 "lib/x.py:App.run src/a.c:run");
    assert_found(r, (struct query_search){.text = STR("run"), .limit = 1},
                 "lib/x.py:App.run");
    assert_found(r, (struct query_search){.text = STR("app.run")}, "lib/x.py:App.run");
    assert_found(r, (struct query_search){.text = STR("run"), .lang = STR("python")},
                 "lib/x.py:App.run lib/x.py:brun");
    assert_found(
        r, (struct query_search){.text = STR("run"), .kinds = methods, .n_kinds = 2},
        "lib/x.py:App.run");
    assert_found(r, (struct query_search){.text = STR("run"), .path_glob = STR("src/*")},
                 "src/a.c:run src/b.c:run src/b.c:runner");
    assert_found(r, (struct query_search){.text = STR("zzz")}, "");
    assert_found(r, (struct query_search){.text = STR_NONE, .limit = 3},
                 "lib/x.py:App.run src/a.c:run src/b.c:run");
    store_reader_close(r);
}

static void
test_glob_faults(void **state)
{
    static const char *const good[] = {"",     "*",     "src/?.c", "[a-z]*",
                                       "[!x]", "[]]",   "[^]a-]b", "\\[a",
                                       "a]",   "[\\]]", "\\\\",    "[a-\\]"};
    static const char *const bad[] = {"[",      "a[",   "[]", "[!]", "src/[a-z/*",
                                      "[a-z][", "[\\]", "\\", "a*\\"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (query_glob_fault(str_of(good[i])))
            fail_msg("%s: %s", good[i], query_glob_fault(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (!query_glob_fault(str_of(bad[i])))
            fail_msg("%s is a pattern", bad[i]);
    assert_true(strstr(query_glob_fault(STR("[")), "without its ]"));
    assert_true(strstr(query_glob_fault(STR("\\")), "backslash"));
}

static void
test_search_text(void **state)
{
    struct sample *s = *state;
    fill(s);
    struct store_reader *r = sample_read(s);
    struct query_search search = {.text = STR("start"), .is_text_search = true};
    assert_found(r, search, "src/a.c:run");
    search.text = STR("run");
    search.path_glob = STR("*/b.c");
    assert_found(r, search, "src/b.c:run src/b.c:runner");
    search.limit = 1;
    assert_found(r, search, "src/b.c:run");
    store_reader_close(r);
}

static void
assert_text(struct store_reader *r, const char *query, const char *found,
            const char *snippet)
{
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row *rows = NULL;
    struct query_search search = {
        .text = str_of(query), .is_text_search = true, .limit = 10};
    size_t n = 0;
    OK(query_search_now(r, &search, &a, &rows, &n));
    char *is = rows_text(rows, n);
    assert_string_equal(is, found);
    free(is);
    if (!snippet)
        return;
    if (!str_eq_c(rows[0].snippet, snippet))
        fail_msg("%s: %.*s", query, STR_ARG(rows[0].snippet));
}

static void
test_text_snippets(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("a.c", "one:1 two:2 three:3");
    b->entities[0].doc = STR("Runs the event loop\nuntil foo-bar stops.");
    b->entities[1].doc =
        STR("The loop of an event: a long text that goes on and on before it "
            "comes to say \xC3\xA4\xC3\xB6\xC3\xBC what happens in the "
            "kettle when the water is hot and nobody looks at it, ever.");
    event_unref(sample_put_batch(w, b));
    for (int i = 0; i < 2; i++) {
        struct store_reader *r = sample_read(s);
        bool more = true;
        assert_text(r, "\"event loop\"", "a.c:one",
                    "Runs the **event loop** until foo-bar stops.");
        assert_text(r, "foo-bar", "a.c:one",
                    "Runs the event loop until **foo**-**bar** stops.");
        assert_text(r, "kettle", "a.c:two",
                    "… to say \xC3\xA4\xC3\xB6\xC3\xBC what happens in the "
                    "**kettle** when the "
                    "water is hot and nobody looks at it, ever.");
        assert_text(r, "\"foo bar\" event", "a.c:one",
                    "Runs the **event** loop until **foo-bar** stops.");
        assert_text(r, "\"bar foo\"", "", NULL);
        assert_text(r, "\"stops", "a.c:one", NULL);
        assert_text(r, "three", "a.c:three", "int **three**(void)");
        const char *const odd[] = {"\"",     "-",  "\"\"", "NEAR(", "* OR",
                                   "zz AND", ")(", "'",    "col:x"};
        for (size_t k = 0; k < ARRAY_LEN(odd); k++)
            assert_text(r, odd[k], "", NULL);
        store_reader_close(r);
        OK(store_begin(w)); // and once more with the text index filled
        while (more)
            OK(store_index_text(w, 100, &more));
        OK(store_commit(w));
    }
    store_writer_close(w);
}

static void
test_search_limits(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row *rows;
    size_t n;
    fill(s);
    struct store_reader *r = sample_read(s);
    char *text = xcalloc(1, QUERY_TEXT_BYTES_MAX + 2);
    memset(text, 'a', QUERY_TEXT_BYTES_MAX + 1);
    struct query_search search = {.text = str_of(text), .limit = SIZE_MAX};
    assert_int_equal(query_search_now(r, &search, &a, &rows, &n), -E2BIG);
    search.text = STR("run");
    OK(query_search_now(r, &search, &a, &rows, &n));
    assert_int_equal(n, 5);
    free(text);
    store_reader_close(r);
}

/* ---- on the loop ---- */

#define ANSWERS 64

struct scene {
    struct loop loop;
    struct pool *pool;
    struct query *q;
    struct query_result *results[ANSWERS]; // stolen
    size_t n, n_wanted;
    bool is_closed;
};

static void
on_pool_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void
on_query_closed(void *ctx)
{
    struct scene *scene = ctx;
    pool_close(scene->pool, on_pool_closed, &scene->is_closed);
}

static void
on_answer(void *ctx, struct query_result **result)
{
    struct scene *scene = ctx;
    scene->results[scene->n++] = steal(*result);
    if (scene->n == scene->n_wanted)
        query_close(scene->q, on_query_closed, scene);
}

static void
begin(struct scene *scene, const struct sample *s, size_t n_wanted)
{
    *scene = (struct scene){.n_wanted = n_wanted};
    OK(loop_init(&scene->loop));
    scene->pool = pool_create(&scene->loop, 2);
    scene->q = query_open(&scene->loop, scene->pool, s->url);
}

static void
end(struct scene *scene)
{
    loop_run(&scene->loop);
    assert_true(scene->is_closed);
    OK(loop_finish(&scene->loop));
}

static void
drop(struct scene *scene)
{
    for (size_t i = 0; i < scene->n; i++)
        query_result_destroy(scene->results[i]);
}

static const struct query_result *
ask_alone(struct scene *scene)
{
    end(scene);
    assert_int_equal(scene->n, 1);
    return scene->results[0];
}

static void
test_entity(void **state)
{
    struct sample *s = *state;
    struct scene scene;
    fill(s);
    begin(&scene, s, 1);
    query_entity(scene.q, STR("c:fn:src/b.c#run"), true, on_answer, &scene);
    const struct query_result *result = ask_alone(&scene);
    OK(result->r);
    assert_int_equal(result->n_rows, 1);
    assert_true(str_eq_c(result->rows[0].e.signature, "int run(void)"));
    assert_int_equal(result->links.n_callees, 2);
    assert_true(str_eq_c(result->links.callees[1].target, "stop"));
    assert_int_equal(result->links.n_callers, 0);
    drop(&scene);
    begin(&scene, s, 1);
    query_entity(scene.q, STR("c:fn:src/b.c#gone"), true, on_answer, &scene);
    assert_int_equal(ask_alone(&scene)->r, -ENOENT);
    drop(&scene);
}

static void
test_file(void **state)
{
    struct sample *s = *state;
    struct scene scene;
    fill(s);
    begin(&scene, s, 1);
    query_file(scene.q, STR("src/a.c"), POOL_INTERACTIVE, on_answer, &scene);
    const struct query_result *result = ask_alone(&scene);
    OK(result->r);
    assert_true(str_eq_c(result->file.lang, "c"));
    assert_true(str_eq_c(result->file.path, "src/a.c"));
    assert_int_equal(result->n_rows, 2);
    assert_true(str_eq_c(result->rows[0].hover.markdown, "text"));
    assert_true(str_eq_c(result->rows[1].e.name, "arena"));
    drop(&scene);
    begin(&scene, s, 1);
    query_file(scene.q, STR("gone.c"), POOL_INTERACTIVE, on_answer, &scene);
    assert_int_equal(ask_alone(&scene)->r, -ENOENT);
    drop(&scene);
}

static void
test_named_events_counts_unasked(void **state)
{
    struct sample *s = *state;
    struct scene scene;
    fill(s);
    begin(&scene, s, 1);
    query_named(scene.q, STR("run"), on_answer, &scene);
    assert_int_equal(ask_alone(&scene)->n_rows, 3);
    drop(&scene);
    begin(&scene, s, 1);
    query_events(scene.q, 1, 2, on_answer, &scene);
    const struct query_result *result = ask_alone(&scene);
    OK(result->r);
    assert_int_equal(result->n_events, 2);
    assert_int_equal(result->events[0]->seq, 2);
    assert_int_equal(result->info.head, 4);
    drop(&scene);
    begin(&scene, s, 1);
    query_counts(scene.q, POOL_INTERACTIVE, on_answer, &scene);
    result = ask_alone(&scene);
    assert_int_equal(result->counts.entities, 6);
    assert_int_equal(result->counts.hovers[HOVER_KNOWN], 1);
    assert_int_equal(result->info.head, 4);
    drop(&scene);
    begin(&scene, s, 1);
    query_unasked(scene.q, on_answer, &scene);
    result = ask_alone(&scene);
    assert_int_equal(result->n_rows, 3);
    assert_true(str_eq_c(result->rows[0].path, "lib/x.py"));
    assert_true(str_eq_c(result->rows[0].lang, "python"));
    drop(&scene);
}

/* A list at a time, in order; nothing twice and nothing left out. */
static void
assert_paged(const struct sample *s, uint64_t sender, const char *const *paths,
             size_t n_paths)
{
    struct scene scene;
    for (size_t limit = 1; limit <= 4; limit++) {
        char after[32] = "";
        size_t n = 0;
        for (bool is_over = false; !is_over;) {
            begin(&scene, s, 1);
            query_files_after(scene.q, str_of(after), sender, limit, on_answer, &scene);
            const struct query_result *result = ask_alone(&scene);
            OK(result->r);
            for (size_t i = 0; i < result->n_paths; i++) {
                assert_true(n < n_paths);
                assert_true(str_eq_c(result->paths[i], paths[n]));
                snprintf(after, sizeof(after), "%s", paths[n++]);
            }
            is_over = result->n_paths < limit;
            drop(&scene);
        }
        assert_int_equal(n, n_paths);
    }
}

static void
test_files_after(void **state)
{
    static const char *const paths[] = {"lib/x.py", "src/a.c", "src/b.c"};
    struct sample *s = *state;
    fill(s);
    assert_paged(s, 0, paths, ARRAY_LEN(paths));
}

/* The others' are no part of its pages. */
static void
test_files_of_sender(void **state)
{
    static const char *const senders[] = {"one", "two", "one", "two", "one"};
    static const char *const of_one[] = {"0.c", "2.c", "4.c"};
    static const char *const of_two[] = {"1.c", "3.c"};
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        char path[8];
        snprintf(path, sizeof(path), "%zu.c", i);
        struct batch *b = sample_batch(path, "run:1");
        b->file.inode = ingest_sender(str_of(senders[i]));
        event_unref(sample_put_batch(w, b));
    }
    event_unref(sample_put(w, "1b.c", "run:1")); // nobody's
    store_writer_close(w);
    assert_paged(s, ingest_sender(STR("one")), of_one, ARRAY_LEN(of_one));
    assert_paged(s, ingest_sender(STR("two")), of_two, ARRAY_LEN(of_two));
    assert_paged(s, ingest_sender(STR("nobody")), NULL, 0);
}

#include "query/test_links.c"
#include "query/test_near.c"
#include "query/test_pages.c"

/* More questions than connections and than workers. */
static void
test_many_at_once(void **state)
{
    struct sample *s = *state;
    struct scene scene;
    fill(s);
    begin(&scene, s, ANSWERS);
    struct query_search search = {.text = STR("run"), .limit = 10};
    for (size_t i = 0; i < ANSWERS; i++)
        query_search(scene.q, &search, on_answer, &scene);
    end(&scene);
    assert_int_equal(scene.n, ANSWERS);
    for (size_t i = 0; i < ANSWERS; i++) {
        OK(scene.results[i]->r);
        assert_int_equal(scene.results[i]->n_rows, 5);
    }
    drop(&scene);
}

/* ---- the name table ---- */

#define TABLE_ROUNDS 40

/* A scene that lives over several questions. */
struct table_scene {
    struct scene scene;
    struct sample *s;
    size_t step;
    struct buf late; // a path committed, its mail on its way
};

static char *
ask_store(const struct sample *s, const struct query_search *search)
{
    AUTO(arena_finish) struct arena a = {0};
    struct store_reader *r = sample_read(s);
    struct entity_row *rows = NULL;
    size_t n = 0;
    OK(query_search_now(r, search, &a, &rows, &n));
    store_reader_close(r);
    return rows_text(rows, n);
}

static const enum entity_kind only_functions[] = {ENTITY_FUNCTION, ENTITY_STRUCT};

static const struct query_search table_searches[] = {
    {.text = {"a", 1}, .limit = 7},
    {.text = {"", 0}, .limit = 9},
    {.text = {"ps", 2}, .limit = 5},
    {.text = {"GetName", 7}, .limit = 20},
    {.text = {"gn", 2}, .limit = 1000},
    {.text = {"etn", 3}, .limit = 20},
    {.text = {"zzz", 3}, .limit = 20},
    {.text = {"box.get", 7}, .limit = 20},
    {.text = {"Box::", 5}, .limit = 20},
    {.text = {"set", 3}, .limit = 20, .path_glob = {"src/*3.c", 8}},
    {.text = {"s", 1}, .limit = 3, .kinds = only_functions, .n_kinds = 2},
    {.text = {"n", 1}, .limit = 50, .lang = {"py", 2}},
    {.text = {"n", 1}, .limit = 50, .lang = {"nothing", 7}},
};

static void
put_names(struct store_writer *w, size_t file, unsigned seed)
{
    static const char *const words[] = {"get", "set",  "name", "Size", "process",
                                        "run", "Loop", "at",   "uv",   "8"};
    AUTO(free) char *path = xasprintf("src/f%zu.%s", file, file % 3 ? "c" : "py");
    struct batch *b = sample_batch(path, "");
    b->file.lang = file % 3 ? STR("c") : STR("py");
    b->file.content.lo = seed + file;
    b->entities = arena_calloc(&b->arena, 30, sizeof(*b->entities));
    for (uint32_t i = 0; i < 30; i++) {
        struct entity *e = &b->entities[b->n_entities++];
        seed = seed * 1103515245 + 12345;
        e->name = arena_printf(&b->arena, "%s%s%s", words[seed >> 8 & 7],
                               seed >> 20 & 1 ? "_" : "", words[(seed >> 12) % 10]);
        e->kind = (enum entity_kind)(seed >> 16 & 15);
        e->parent = ENTITY_NONE;
        e->qualified_name = seed >> 24 & 1
                                ? arena_printf(&b->arena, "ns.Box.%.*s", STR_ARG(e->name))
                                : e->name;
        e->hash = seed;
        e->ordinal = i + 1;
        e->range = (struct span){.start_byte = i * 20, .end_byte = i * 20 + 10};
        e->name_range = e->range;
    }
    event_unref(sample_put_batch(w, b));
}

static void table_ask(struct table_scene *t);

/* Every answer is what a walk over the index gives, from the table once it is there. */
static void
on_table_answer(void *ctx, struct query_result **result)
{
    struct table_scene *t = ctx;
    const struct query_search *search =
        &table_searches[t->step % ARRAY_LEN(table_searches)];
    OK((*result)->r);
    char *is = rows_text((*result)->rows, (*result)->n_rows);
    char *wanted = ask_store(t->s, search);
    if (t->late.n == 0)
        assert_string_equal(is, wanted);
    else // it may miss what is new, but what it gives is there
        query_committed(t->scene.q, buf_str(&t->late));
    buf_reset(&t->late);
    free(is);
    free(wanted);
    t->step += (*result)->is_from_table; // before: the same again
    if (t->step == TABLE_ROUNDS * ARRAY_LEN(table_searches)) {
        query_close(t->scene.q, on_query_closed, &t->scene);
        return;
    }
    if ((*result)->is_from_table && t->step % 3 == 0) {
        size_t file = t->step / 3 % 12;
        AUTO(free) char *path = xasprintf("src/f%zu.%s", file, file % 3 ? "c" : "py");
        struct store_writer *w = sample_open(t->s, NULL);
        struct event *event = NULL;
        if (t->step % 7 == 0) {
            OK(store_begin(w));
            OK(store_delete_file(w, str_of(path), &event));
            OK(store_commit(w));
            event_unref(event);
        } else {
            put_names(w, file, (unsigned)t->step);
        }
        store_writer_close(w);
        if (t->step % 4 == 0)
            buf_add_cstr(&t->late, path);
        else
            query_committed(t->scene.q, str_of(path));
    }
    table_ask(t);
}

static void
table_ask(struct table_scene *t)
{
    query_search(t->scene.q, &table_searches[t->step % ARRAY_LEN(table_searches)],
                 on_table_answer, t);
}

static void
test_table_follows(void **state)
{
    struct table_scene t = {.s = *state};
    struct store_writer *w = sample_open(t.s, NULL);
    for (size_t i = 0; i < 10; i++)
        put_names(w, i, (unsigned)i * 77);
    store_writer_close(w);
    begin(&t.scene, t.s, SIZE_MAX);
    query_warm(t.scene.q);
    table_ask(&t);
    end(&t.scene);
    buf_finish(&t.late);
    assert_int_equal(t.step, TABLE_ROUNDS * ARRAY_LEN(table_searches));
}

static void
test_no_index_yet(void **state)
{
    struct sample *s = *state;
    struct scene scene;
    begin(&scene, s, 3);
    for (int i = 0; i < 3; i++)
        query_counts(scene.q, POOL_INTERACTIVE, on_answer, &scene);
    end(&scene);
    for (int i = 0; i < 3; i++)
        assert_int_equal(scene.results[i]->r, -ENOENT);
    drop(&scene);
}

/* Taken back while it waits, and one that stays. */
static void
test_cancel(void **state)
{
    struct sample *s = *state;
    struct scene scene;
    fill(s);
    begin(&scene, s, 2);
    struct query_ticket *t = query_counts(scene.q, POOL_INTERACTIVE, on_answer, &scene);
    query_cancel(t);
    query_cancel(t);
    query_named(scene.q, STR("run"), on_answer, &scene);
    end(&scene);
    assert_int_equal(scene.n, 2);
    assert_int_equal(scene.results[0]->r + scene.results[1]->r, -EINTR);
    assert_int_equal(scene.results[0]->n_rows + scene.results[1]->n_rows, 3);
    drop(&scene);
}

struct cancelling {
    struct scene scene;
    struct query_ticket *running;
};

static void
on_first_answer(void *ctx, struct query_result **result UNUSED)
{
    struct cancelling *c = ctx;
    c->scene.n_wanted = 1;
    c->running = query_counts(c->scene.q, POOL_INTERACTIVE, on_answer, &c->scene);
    query_cancel(c->running);
}

/* Given to a worker already: either it was quicker or it is cancelled, but it is answered. */
static void
test_cancel_running(void **state)
{
    struct sample *s = *state;
    struct cancelling c;
    fill(s);
    begin(&c.scene, s, 0);
    query_counts(c.scene.q, POOL_INTERACTIVE, on_first_answer, &c);
    end(&c.scene);
    assert_int_equal(c.scene.n, 1);
    assert_true(c.scene.results[0]->r == -EINTR || c.scene.results[0]->r == 0);
    drop(&c.scene);
}

static void
test_close_with_pending(void **state)
{
    struct sample *s = *state;
    struct scene scene;
    fill(s);
    begin(&scene, s, SIZE_MAX);
    for (int i = 0; i < 20; i++)
        query_counts(scene.q, POOL_INTERACTIVE, on_answer, &scene);
    query_close(scene.q, on_query_closed, &scene);
    end(&scene);
    assert_int_equal(scene.n, 20);
    for (size_t i = 0; i < scene.n; i++)
        assert_int_equal(scene.results[i]->r, -EINTR);
    drop(&scene);
}

/* ---- a server that is started anew ---- */

#define AT_ONCE 3

/* Its connection rests now. */
static void
on_answer_of_server(void *ctx, struct query_result **result)
{
    struct scene *scene = ctx;
    on_answer(ctx, result);
    postgres_stop(SIGINT);
    assert_true(postgres_start());
    for (int i = 0; i < AT_ONCE; i++)
        query_named(scene->q, STR("run"), on_answer, scene);
}

static void
test_server_is_started_anew(void **state)
{
    struct sample s = *(struct sample *)*state;
    struct scene scene;
    s.url = sample_postgres_url(s.dir);
    assert_non_null(s.url);
    fill(&s);
    begin(&scene, &s, 1 + AT_ONCE);
    query_counts(scene.q, POOL_INTERACTIVE, on_answer_of_server, &scene);
    end(&scene);
    for (size_t i = 0; i < scene.n; i++)
        OK(scene.results[i]->r);
    assert_int_equal(scene.results[AT_ONCE]->n_rows, 3);
    drop(&scene);
    free(s.url);
}

/* It is asked twice and not more often: the error is told. */
static void
on_answer_and_stop(void *ctx, struct query_result **result)
{
    struct scene *scene = ctx;
    on_answer(ctx, result);
    postgres_stop(SIGINT);
    query_counts(scene->q, POOL_INTERACTIVE, on_answer, scene);
}

static void
test_server_is_gone(void **state)
{
    struct sample s = *(struct sample *)*state;
    struct scene scene;
    s.url = sample_postgres_url(s.dir);
    assert_non_null(s.url);
    fill(&s);
    begin(&scene, &s, 2);
    query_counts(scene.q, POOL_INTERACTIVE, on_answer_and_stop, &scene);
    end(&scene);
    OK(scene.results[0]->r);
    assert_int_equal(scene.results[1]->r, -ECONNREFUSED);
    drop(&scene);
    free(s.url);
    assert_true(postgres_start());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_setup, sample_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fuzzy_matches),
        cmocka_unit_test(test_glob_faults),
        cmocka_unit_test(test_fuzzy_prefers),
        cmocka_unit_test(test_fuzzy_orders),
        cmocka_unit_test(test_fuzzy_long_names),
        cmocka_unit_test(test_hands_find_the_same),
        TEST(test_search_names),
        TEST(test_search_text),
        TEST(test_text_snippets),
        TEST(test_search_limits),
        TEST(test_entity),
        TEST(test_file),
        TEST(test_named_events_counts_unasked),
        TEST(test_near),
        TEST(test_near_is_remembered),
        TEST(test_near_of_open),
        TEST(test_near_changed_while_read),
        cmocka_unit_test(test_near_next),
        cmocka_unit_test(test_near_keeps_open),
        cmocka_unit_test(test_near_large),
        TEST(test_files_after),
        cmocka_unit_test(test_near_makes_room),
        cmocka_unit_test(test_near_forgets),
        TEST(test_files_of_sender),
        TEST(test_links),
        TEST(test_links_of_classes),
        TEST(test_list),
        TEST(test_list_many_files),
        TEST(test_matches),
        TEST(test_matches_are_looked_at_again),
        TEST(test_many_at_once),
        TEST(test_table_follows),
        TEST(test_no_index_yet),
        TEST(test_cancel),
        TEST(test_cancel_running),
        TEST(test_close_with_pending),
        TEST(test_server_is_started_anew),
        TEST(test_server_is_gone),
    };
    return _cmocka_run_group_tests("query", tests,
                                   postgres_count_tests(ARRAY_LEN(tests), 2), NULL, NULL);
}
