/* The contracts of src/model: names that are stored and sent, keys that read back whatever bytes
 * they hold, lives that end once. Run under ASan: a life that ends twice or never is its failure. */
#include <setjmp.h>

#include "base/base.h"

#include <cmocka.h>
#include <pthread.h>

#include "base/mem.h"
#include "model/batch.h"
#include "model/event.h"
#include "model/job.h"
#include "model/snapshot.h"

static void
assert_str(struct str s, const char *expected)
{
    if (!str_eq_c(s, expected))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

/* ---- names ---- */

struct kind_case {
    enum entity_kind kind;
    const char *name, *short_name;
    int lsp;
};

/* Numbers are stored in index files and names are in keys: a change here breaks users' data. */
static const struct kind_case kind_cases[] = {
    {0, "module", "mod", 2},          {1, "namespace", "ns", 3},
    {2, "class", "class", 5},         {3, "struct", "struct", 23},
    {4, "union", "union", 23},        {5, "enum", "enum", 10},
    {6, "enum_member", "member", 22}, {7, "interface", "iface", 11},
    {8, "trait", "trait", 11},        {9, "impl", "impl", 19},
    {10, "function", "fn", 12},       {11, "method", "method", 6},
    {12, "constructor", "ctor", 9},   {13, "field", "field", 8},
    {14, "property", "prop", 7},      {15, "variable", "var", 13},
    {16, "constant", "const", 14},    {17, "type_alias", "type", 5},
    {18, "macro", "macro", 14},       {19, "section", "sec", 15},
    {20, "key", "key", 20},           {21, "selector", "sel", 5},
    {22, "element", "elem", 8},       {23, "target", "target", 12},
    {24, "table", "table", 23},       {25, "block", "block", 19},
};

static void
test_kinds(UNUSED void **state)
{
    enum entity_kind kind = ENTITY_MACRO;
    assert_int_equal(ARRAY_LEN(kind_cases), ENTITY_KIND_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(kind_cases); i++) {
        const struct kind_case *c = &kind_cases[i];
        assert_string_equal(entity_kind_name(c->kind), c->name);
        assert_string_equal(entity_kind_short(c->kind), c->short_name);
        assert_int_equal(entity_kind_lsp(c->kind), c->lsp);
        assert_int_equal(entity_kind_parse(str_of(c->name), &kind), 0);
        assert_int_equal(kind, c->kind);
        assert_int_equal(entity_kind_parse(str_of(c->short_name), &kind), 0);
        assert_int_equal(kind, c->kind);
    }
    kind = ENTITY_IMPL;
    assert_int_equal(entity_kind_parse(STR("func"), &kind), -EINVAL);
    assert_int_equal(entity_kind_parse(STR("Function"), &kind), -EINVAL);
    assert_int_equal(entity_kind_parse(STR("fn\0"), &kind), -EINVAL);
    assert_int_equal(entity_kind_parse(STR_NONE, &kind), -EINVAL);
    assert_int_equal(kind, ENTITY_IMPL);
}

static void
test_other_names(UNUSED void **state)
{
    assert_string_equal(edge_kind_name(EDGE_CALLS), "calls");
    assert_string_equal(edge_kind_name(EDGE_IMPORTS), "imports");
    assert_string_equal(file_state_name(FILE_INDEXED), "indexed");
    assert_string_equal(file_state_name(FILE_SKIPPED), "skipped");
    assert_string_equal(file_state_name(FILE_FAILED), "failed");
    assert_string_equal(file_reason_name(FILE_REASON_NONE), "");
    assert_string_equal(file_reason_name(FILE_REASON_TOO_LARGE), "too_large");
    assert_string_equal(hover_state_name(HOVER_UNKNOWN), "unknown");
    assert_string_equal(hover_state_name(HOVER_EMPTY), "empty");
    assert_string_equal(hover_state_name(HOVER_KNOWN), "known");
    assert_string_equal(hover_reason_name(HOVER_REASON_NONE), "");
    assert_string_equal(hover_reason_name(HOVER_REASON_TIMED_OUT), "timed_out");
    /* No row was forgotten, and no two say the same. */
    for (int i = 1; i < FILE_REASON_COUNT; i++) {
        for (int j = 0; j < i; j++)
            assert_string_not_equal(file_reason_name(i), file_reason_name(j));
    }
    for (int i = 1; i < HOVER_REASON_COUNT; i++) {
        for (int j = 0; j < i; j++)
            assert_string_not_equal(hover_reason_name(i), hover_reason_name(j));
    }
}

/* ---- keys ---- */

static void
assert_round_trip(struct str lang, enum entity_kind kind, struct str path,
                  struct str name, uint32_t ordinal)
{
    AUTO(arena_finish) struct arena a = {0};
    struct entity_key_parts parts = {0};
    struct str key = entity_key(&a, lang, kind, path, name, ordinal);
    assert_int_equal(key.p[key.n], '\0');
    int r = entity_key_parse(key, &parts);
    if (r != 0 || !str_eq(parts.lang, lang) || parts.kind != kind ||
        !str_eq(parts.path, path) || !str_eq(parts.qualified_name, name) ||
        parts.ordinal != ordinal)
        fail_msg("\"%.*s\" reads back (%d) as \"%.*s\" in \"%.*s\" ~%u", STR_ARG(key), r,
                 STR_ARG(parts.qualified_name), STR_ARG(parts.path), parts.ordinal);
}

static void
assert_key(const char *path, const char *name, uint32_t ordinal, const char *expected)
{
    AUTO(arena_finish) struct arena a = {0};
    assert_str(
        entity_key(&a, STR("c"), ENTITY_FUNCTION, str_of(path), str_of(name), ordinal),
        expected);
    assert_round_trip(STR("c"), ENTITY_FUNCTION, str_of(path), str_of(name), ordinal);
}

static void
test_key_forms(UNUSED void **state)
{
    assert_key("src/unix/core.c", "uv_run", 1, "c:fn:src/unix/core.c#uv_run");
    assert_key("src/app.ts", "App.start", 2, "c:fn:src/app.ts#App.start~2");
    assert_key("a", "f", UINT32_MAX, "c:fn:a#f~4294967295");
    /* '#' and ':' in a path, '#' of private members, need no help. */
    assert_key("a#b.c", "main", 1, "c:fn:a#b.c#main");
    assert_key("a#b#c.c", "main", 3, "c:fn:a#b#c.c#main~3");
    assert_key("a:b/c:d.c", "x:y", 1, "c:fn:a:b/c:d.c#x:y");
    assert_key("a.js", "App.#secret", 1, "c:fn:a.js#App.#secret");
    assert_key("a.js", "#secret", 1, "c:fn:a.js##secret");
    assert_key("a#b.js", "A.#x.#y", 2, "c:fn:a#b.js#A.#x.#y~2");
    /* A destructor is no ordinal, and what looks like one gets the real one behind it. */
    assert_key("a.cc", "Foo.~Foo", 1, "c:fn:a.cc#Foo.~Foo");
    assert_key("a.cc", "f~2", 1, "c:fn:a.cc#f~2~1");
    assert_key("a.cc", "f~2", 2, "c:fn:a.cc#f~2~2");
    assert_key("a.cc", "f~2.1", 1, "c:fn:a.cc#f~2.1~1");
    assert_key("a.cc", "f~02", 1, "c:fn:a.cc#f~02");
    assert_key("a.cc", "f~0", 1, "c:fn:a.cc#f~0");
    assert_key("a.cc", "f~4294967296", 1, "c:fn:a.cc#f~4294967296");
    assert_key("a.cc", "f~", 1, "c:fn:a.cc#f~");
    assert_key("a~2", "f", 1, "c:fn:a~2#f");
    /* Where the plain reading would cut wrongly. */
    assert_key("a.", "f", 1, "c:fn:a.#f~1.1");
    assert_key("a#", "f", 1, "c:fn:a##f~1.2");
    assert_key("a.c", "x#y", 1, "c:fn:a.c#x#y~1.1");
    assert_key("#a#.c", "x#y", 4, "c:fn:#a#.c#x#y~4.3");
    assert_key("#", "#", 1, "c:fn:###~1.2");
}

static void
test_key_of_ordinal_0(UNUSED void **state)
{
    AUTO(arena_finish) struct arena a = {0};
    assert_str(entity_key(&a, STR("c"), ENTITY_MACRO, STR("a.h"), STR("M"), 0),
               "c:macro:a.h#M");
}

/* Every path and name of up to three of the bytes that mean something in a key. */
static void
test_key_round_trips(UNUSED void **state)
{
    static const char bytes[] = {'#', '~', '.', ':', '2', 'a'};
    enum { N = ARRAY_LEN(bytes), LENGTH = 3, ALL = N + N * N + N * N * N };
    static const uint32_t ordinals[] = {1, 2, 22};
    static char texts[ALL][LENGTH];
    static size_t lengths[ALL];
    size_t n = 0;
    for (size_t length = 1, of_length = N; length <= LENGTH; length++, of_length *= N) {
        for (size_t i = 0; i < of_length; i++, n++) {
            size_t rest = i;
            for (size_t j = 0; j < length; j++, rest /= N)
                texts[n][j] = bytes[rest % N];
            lengths[n] = length;
        }
    }
    assert_int_equal(n, ALL);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            assert_round_trip(STR("c"), ENTITY_FIELD, str_slice(texts[i], lengths[i]),
                              str_slice(texts[j], lengths[j]), ordinals[(i + j) % 3]);
    }
}

static void
test_key_any_bytes(UNUSED void **state)
{
    assert_round_trip(STR("c"), ENTITY_ENUM, STR("a\0b.c"), STR("x\0~2"), 1);
    assert_round_trip(STR("c"), ENTITY_ENUM, STR("\xFF\xFE"), STR("\xC3#\x80"), 7);
    assert_round_trip(STR("c-sharp"), ENTITY_ENUM, STR("ä b\n"), STR("operator<<"), 1);
}

static void
test_key_refused(UNUSED void **state)
{
    static const char *const keys[] = {
        "",
        "c",
        "c:fn",
        "c:fn:",
        "c:fn:a",
        "c:fn:a#",
        "c:fn:#f",
        ":fn:a#f",
        "c::a#f",
        "c:nope:a#f",
        "c:function:a#f",
        "c:fn:a#~2",
        "c:fn:a#f~1",
        "c:fn:a#f~1.1",
        "c:fn:a#f~2.1",
        "c:fn:a#f~1.2",
        "c:fn:a.#f",

        "c:fn:~2",
        "c:fn:a#b#f~1.2",
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct entity_key_parts parts = {.ordinal = 77};
        if (entity_key_parse(str_of(keys[i]), &parts) != -EINVAL)
            fail_msg("\"%s\" reads as \"%.*s\" in \"%.*s\"", keys[i],
                     STR_ARG(parts.qualified_name), STR_ARG(parts.path));
        assert_int_equal(parts.ordinal, 77);
    }
}

/* ---- batches and events ---- */

static void
test_batch(UNUSED void **state)
{
    char path[] = "src/a.c";
    AUTO(batch_destroy) struct batch *b = batch_create(str_of(path));
    path[0] = 'X';
    assert_str(b->file.path, "src/a.c");
    assert_int_equal(b->file.state, FILE_INDEXED);
    assert_int_equal(b->file.reason, FILE_REASON_NONE);
    assert_int_equal(b->n_entities, 0);
    assert_int_equal(b->n_edges, 0);
    b->entities = arena_calloc(&b->arena, 1000, sizeof(*b->entities));
    batch_destroy(NULL);

    AUTO(hover_batch_destroy) struct hover_batch *h = xnew(struct hover_batch);
    h->path = arena_cstr(&h->arena, "src/a.c");
    hover_batch_destroy(NULL);
}

static void
test_event_types(UNUSED void **state)
{
    static const char *const names[] = {
        "file:completed",  "file:failed",     "file:deleted",     "entity.enriched",
        "index.rebuilt",   "pipeline:online", "pipeline:offline", "file:processing",
        "status:update",   "heartbeat",       "job.submitted",    "job.completed",
        "job.failed",      "job.cancelled",   "job.progress",     "library.created",
        "library.deleted",
    };
    assert_int_equal(ARRAY_LEN(names), EVENT_TYPE_COUNT);
    for (int i = 0; i < EVENT_TYPE_COUNT; i++) {
        assert_string_equal(event_type_name(i), names[i]);
        assert_int_equal(event_type_is_durable(i),
                         strstr("file:processing status:update heartbeat job.progress",
                                names[i]) == NULL);
    }
}

static void
test_jobs(UNUSED void **state)
{
    enum job_kind kind;
    enum job_state job_state;
    struct job *j = job_create(JOB_ENRICH), *copy;
    assert_int_equal(job_kind_parse(STR("retry"), &kind), 0);
    assert_int_equal(kind, JOB_RETRY);
    assert_int_equal(job_kind_parse(STR("retr"), &kind), -ENOENT);
    for (int i = 0; i < JOB_STATE_COUNT; i++) {
        assert_int_equal(job_state_parse(str_of(job_state_name(i)), &job_state), 0);
        assert_int_equal(job_state, i);
        j->state = i;
        assert_int_equal(job_has_ended(j), i >= JOB_COMPLETED);
    }
    assert_true(job_id_is_wellformed(str_of(j->id)));
    assert_false(job_id_is_wellformed(STR("j-0123456789abcde")));
    assert_false(job_id_is_wellformed(STR("j-0123456789abcdeg")));
    assert_false(job_id_is_wellformed(STR("k-0123456789abcdef")));
    job_set_text(&j->request, STR("{}"));
    copy = job_copy(j);
    job_set_text(&j->request, STR_NONE);
    assert_null(j->request);
    assert_string_equal(copy->request, "{}");
    assert_string_equal(copy->id, j->id);
    assert_null(copy->error);
    job_destroy(copy);
    copy = job_create(JOB_ENRICH);
    assert_string_not_equal(copy->id, j->id);
    job_destroy(copy);
    job_destroy(j);
    job_destroy(NULL);
}

static void
test_event_life(UNUSED void **state)
{
    char path[] = "a.c";
    struct event *e =
        event_create(EVENT_FILE_COMPLETED, 7, 1234, str_of(path), STR("{\"a\":\"\0\"}"));
    path[0] = 'X';
    assert_int_equal(e->refs, 1);
    assert_int_equal(e->type, EVENT_FILE_COMPLETED);
    assert_int_equal(e->seq, 7);
    assert_int_equal(e->time_ms, 1234);
    assert_str(e->subject, "a.c");
    assert_int_equal(e->data.n, 9);
    assert_memory_equal(e->data.p, "{\"a\":\"\0\"}", 10);
    assert_ptr_equal(event_ref(e), e);
    event_unref(e);
    assert_int_equal(e->refs, 1);
    event_unref(e);
    event_unref(NULL);
    assert_null(event_ref(NULL));

    AUTO(event_unref)
    struct event *empty = event_create(EVENT_HEARTBEAT, 0, 0, STR_NONE, STR_NONE);
    assert_int_equal(empty->subject.n, 0);
    assert_string_equal(empty->data.p, "");
}

/* ---- snapshots ---- */

static struct snapshot *
snapshot_of(struct str text)
{
    return snapshot_create(str_dup(text), text.n, 3);
}

static void
test_snapshot_lines(UNUSED void **state)
{
    AUTO(snapshot_unref)
    struct snapshot *s = snapshot_of(STR("one\ntwo\r\n\rfour\n\r\nsix\r\r\n"));
    static const char *const lines[] = {"one", "two", "", "four", "", "six", "", ""};
    static const size_t offsets[] = {0, 4, 9, 10, 15, 17, 21, 23};
    assert_int_equal(snapshot_version(s), 3);
    assert_int_equal(snapshot_text(s).n, 23);
    assert_int_equal(snapshot_line_count(s), ARRAY_LEN(lines));
    for (uint32_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_str(snapshot_line(s, i), lines[i]);
        assert_int_equal(snapshot_line_offset(s, i), offsets[i]);
    }
    static const uint32_t past[] = {8, 9, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(past); i++) {
        assert_int_equal(snapshot_line(s, past[i]).n, 0);
        assert_int_equal(snapshot_line_offset(s, past[i]), 23);
    }
}

static void
test_snapshot_edges(UNUSED void **state)
{
    AUTO(snapshot_unref) struct snapshot *empty = snapshot_of(STR(""));
    assert_int_equal(snapshot_line_count(empty), 1);
    assert_int_equal(snapshot_line(empty, 0).n, 0);
    assert_int_equal(snapshot_line_offset(empty, 1), 0);

    AUTO(snapshot_unref) struct snapshot *no_end = snapshot_of(STR("a\0b"));
    assert_int_equal(snapshot_line_count(no_end), 1);
    assert_int_equal(snapshot_line(no_end, 0).n, 3);

    AUTO(snapshot_unref) struct snapshot *mixed = snapshot_of(STR("\n\r\n\n"));
    assert_int_equal(snapshot_line_count(mixed), 4);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(snapshot_line(mixed, i).n, 0);

    AUTO(snapshot_unref) struct snapshot *bare = snapshot_of(STR("x\r"));
    assert_int_equal(snapshot_line_count(bare), 2);
    assert_str(snapshot_line(bare, 0), "x");

    AUTO(snapshot_unref) struct snapshot *none = snapshot_create(NULL, 0, 0);
    assert_int_equal(snapshot_line(none, 0).n, 0);
    snapshot_unref(NULL);
    assert_null(snapshot_ref(NULL));
}

enum { THREADS = 4, TURNS = 20000 };

/* Takes and drops references of its own while it reads, then drops the one it was given. */
static void *
read_in_thread(void *arg)
{
    struct snapshot *given = arg;
    size_t wrong = 0;
    for (uint32_t i = 0; i < TURNS; i++) {
        struct snapshot *mine = snapshot_ref(given);
        wrong += snapshot_line(mine, i % 100).n != i % 100;
        snapshot_unref(mine);
    }
    snapshot_unref(given);
    return (void *)(uintptr_t)wrong;
}

static void
test_snapshot_threads(UNUSED void **state)
{
    struct buf text = {0};
    for (int i = 0; i < 100; i++) {
        for (int j = 0; j < i; j++)
            buf_add_char(&text, 'x');
        buf_add_char(&text, '\n');
    }
    size_t n = text.n;
    struct snapshot *s = snapshot_create(buf_steal(&text), n, 1);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, read_in_thread, snapshot_ref(s)), 0);
    snapshot_unref(s); // the last one out frees it
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),           cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_key_forms),       cmocka_unit_test(test_key_of_ordinal_0),
        cmocka_unit_test(test_key_round_trips), cmocka_unit_test(test_key_any_bytes),
        cmocka_unit_test(test_key_refused),     cmocka_unit_test(test_batch),
        cmocka_unit_test(test_event_types),     cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_event_life),      cmocka_unit_test(test_snapshot_lines),
        cmocka_unit_test(test_snapshot_edges),  cmocka_unit_test(test_snapshot_threads),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
