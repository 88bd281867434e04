#pragma once
/* Batches written in one line, for the tests of store, writer and query, and a folder of their own.
 * A specification is words: NAME:TEXT makes a function whose text (and so its hash) is TEXT; TEXT may
 * end in :SIGNATURE, :SIGNATURE:DOC, and >callee,callee; +N leaves N lines empty. */
#include "base/base.h"

#include <setjmp.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "store/mem.h"
#include "store/store.h"

#include "tests/lib/scratch.h"

#include "postgres_server.h"

#define OK(call) assert_int_equal((call), 0)

/* What a test may ask of a backend. */
enum sample_can {
    SAMPLE_SQL = 1,      // its rows are looked at with SQL, in sample.path
    SAMPLE_LASTS = 2,    // the index is there again after it was closed
    SAMPLE_OUTLIVES = 4, // what was committed outlives a kill of who wrote it
    SAMPLE_TEXT = 8,     // full text search knows marks, beginnings and ranks
    SAMPLE_MEMORY = 16,  // it is the one in memory
    SAMPLE_ROCKS = 32,   // its folder is looked at
    SAMPLE_SERVER =
        64, // another process writes: it may commit what a killed one had sent
    SAMPLE_LETTERS = 128, // it keeps dead letters, and lasts
};

/* One line for each backend: where its tests find an index that is not there yet. */
struct sample_backend {
    const char *name;
    unsigned can;
    /* The address of one, in a folder of the test's own (or with its name in it): heap. NULL: this
     * build or machine has no such backend. */
    char *(*url)(const char *dir);
    void (*drop)(const char *url); // what lies elsewhere; NULL: nothing does
};

static UNUSED char *
sample_sqlite_url(const char *dir)
{
    return xasprintf("sqlite:%s/index.db", dir);
}

static UNUSED char *
sample_mem_url(const char *dir UNUSED)
{
    AUTO(free) char *base = mem_base_of_user(), *name = random_hex(16);
    return base ? xasprintf("mem:%s", name) : NULL;
}

static UNUSED char *
sample_rocksdb_url(const char *dir)
{
    struct store_reader *r = NULL;
    char *url = xasprintf("rocksdb:%s/index", dir);
    if (store_reader_open(url, &r, NULL) == -ENOENT)
        return url;
    free(url); // built without
    return NULL;
}

static UNUSED const struct sample_backend sample_backends[] = {
    {"sqlite", SAMPLE_SQL | SAMPLE_LASTS | SAMPLE_OUTLIVES | SAMPLE_TEXT | SAMPLE_LETTERS,
     sample_sqlite_url, NULL},
    {"mem", SAMPLE_TEXT | SAMPLE_MEMORY, sample_mem_url, NULL},
    {"rocksdb",
     SAMPLE_LASTS | SAMPLE_OUTLIVES | SAMPLE_TEXT | SAMPLE_ROCKS | SAMPLE_LETTERS,
     sample_rocksdb_url, NULL},
    {"postgres", SAMPLE_LASTS | SAMPLE_OUTLIVES | SAMPLE_TEXT | SAMPLE_SERVER,
     sample_postgres_url, NULL},
};

struct sample {
    const struct sample_backend *backend;
    char *dir, *path, *url; // path: of the SQLite file
};

/* *state: of this backend; NULL: of the first one. */
static UNUSED int
sample_setup(void **state)
{
    struct sample *s = xnew(struct sample);
    s->backend = *state ? *state : &sample_backends[0];
    s->dir = scratch_make("store");
    s->path = xasprintf("%s/index.db", s->dir);
    s->url = s->backend->url(s->dir);
    *state = s;
    return 0;
}

static UNUSED int
sample_teardown(void **state)
{
    struct sample *s = *state;
    if (s->backend->drop)
        s->backend->drop(s->url);
    int r = scratch_remove(s->dir);
    free(s->dir);
    free(s->path);
    free(s->url);
    free(s);
    return r;
}

/* The next field of a word. */
static struct str
sample_field(struct str *rest)
{
    struct str part = STR_NONE;
    str_split(rest, ':', &part);
    return part;
}

static void
sample_edges(struct batch *b, struct edge *edges, struct str callees, uint32_t line)
{
    struct str callee;
    while (str_split(&callees, ',', &callee)) {
        edges[b->n_edges++] = (struct edge){.kind = EDGE_CALLS,
                                            .from = (uint32_t)b->n_entities - 1,
                                            .target = arena_str(&b->arena, callee),
                                            .at = {line + 1, 4, 4}};
    }
}

/* How many of this name there are with this one. */
static uint32_t
sample_ordinal(struct map *names, struct str name)
{
    uintptr_t n = (uintptr_t)map_get(names, name) + 1;
    map_put(names, name, (void *)n);
    return (uint32_t)n;
}

static void
sample_entity(struct batch *b, struct map *names, struct edge *edges, struct str word,
              uint32_t line)
{
    struct str callees = word, rest = STR_NONE;
    str_split(&callees, '>', &rest);
    struct str name = sample_field(&rest), text = sample_field(&rest);
    struct str signature = sample_field(&rest), doc = sample_field(&rest);
    struct entity *e = &b->entities[b->n_entities];
    uint32_t at = line * 20;
    *e = (struct entity){
        .kind = ENTITY_FUNCTION,
        .parent = ENTITY_NONE,
        .ordinal = sample_ordinal(names, name),
        .name = arena_str(&b->arena, name),
        .qualified_name = arena_str(&b->arena, name),
        .signature = signature.n > 0
                         ? arena_str(&b->arena, signature)
                         : arena_printf(&b->arena, "int %.*s(void)", STR_ARG(name)),
        .doc = arena_str(&b->arena, doc),
        .range = {{line, 0, 0}, {line + 1, 1, 1}, at, at + 19},
        .name_range = {{line, 4, 4},
                       {line, 4 + (uint32_t)name.n, 4 + (uint32_t)name.n},
                       at + 4,
                       at + 4 + (uint32_t)name.n},
        .hash = hash64(text),
    };
    b->n_entities++;
    sample_edges(b, edges, callees, line);
}

static UNUSED struct batch *
sample_batch(const char *path, const char *spec)
{
    struct batch *b = batch_create(str_of(path));
    AUTO(map_destroy) struct map *names = map_create();
    struct str rest = str_of(spec), word;
    uint32_t line = 0;
    size_t n_words = 1, n_callees = 0;
    for (const char *c = spec; *c; c++) {
        n_words += *c == ' ';
        n_callees += *c == '>' || *c == ',';
    }
    struct edge *edges = arena_calloc(&b->arena, n_callees, sizeof(*edges));
    b->entities = arena_calloc(&b->arena, n_words, sizeof(*b->entities));
    b->edges = edges;
    while (str_split(&rest, ' ', &word)) {
        uint64_t skip = 0;
        if (word.n > 0 && word.p[0] == '+') {
            OK(str_to_u64(str_slice(word.p + 1, word.n - 1), &skip));
            line += (uint32_t)skip;
            continue;
        }
        if (word.n > 0)
            sample_entity(b, names, edges, word, line);
        line += 2;
    }
    b->file.lang = STR("c");
    b->file.size_bytes = 100 + strlen(spec);
    b->file.mtime_ns = 1000;
    b->file.inode = 7;
    b->file.content = hash128(str_of(spec));
    return b;
}

/* One answer of "known" per "NAME=markdown" word, "NAME?" is unknown(timed_out), "NAME-" is empty;
 * for the content of `spec`. */
static UNUSED struct hover_batch *
sample_hovers(const char *path, const char *spec, const char *answers)
{
    struct hover_batch *h = xnew(struct hover_batch);
    struct str rest = str_of(answers), word;
    h->path = arena_cstr(&h->arena, path);
    h->content = hash128(str_of(spec));
    h->answers = arena_calloc(&h->arena, strlen(answers) + 1, sizeof(*h->answers));
    while (str_split(&rest, ' ', &word)) {
        struct hover_answer *a = &h->answers[h->n_answers++];
        ssize_t cut = str_find_char(word, '=');
        size_t name_n = cut >= 0 ? (size_t)cut : word.n - 1;
        struct str name = str_slice(word.p, name_n);
        char mark = word.p[name_n];
        a->key = entity_key(&h->arena, STR("c"), ENTITY_FUNCTION, h->path, name, 1);
        a->hover.state = mark == '='   ? HOVER_KNOWN
                         : mark == '?' ? HOVER_UNKNOWN
                                       : HOVER_EMPTY;
        a->hover.reason = mark == '?' ? HOVER_REASON_TIMED_OUT : HOVER_REASON_NONE;
        if (mark != '=')
            continue;
        a->hover.markdown =
            arena_str(&h->arena, str_slice(word.p + name_n + 1, word.n - name_n - 1));
        a->hover.server = STR("clangd");
    }
    return h;
}

static UNUSED struct store_writer *
sample_open(const struct sample *s, struct store_info *ret_info)
{
    struct store_writer *w = NULL;
    struct store_info info;
    char *why = NULL;
    int r = store_writer_open(s->url, NULL, &w, &info, &why);
    if (r < 0)
        fail_msg("%s", why ? why : "no reason given");
    if (ret_info)
        *ret_info = info;
    return w;
}

static UNUSED struct store_reader *
sample_read(const struct sample *s)
{
    struct store_reader *r = NULL;
    char *why = NULL;
    if (store_reader_open(s->url, &r, &why) < 0)
        fail_msg("%s", why ? why : "no reason given");
    return r;
}

/* One transaction. */
static UNUSED struct event *
sample_put_batch(struct store_writer *w, struct batch *b)
{
    struct event *event = NULL;
    OK(store_begin(w));
    OK(store_put_file(w, b, &event));
    OK(store_commit(w));
    batch_destroy(b);
    return event;
}

static UNUSED struct event *
sample_put(struct store_writer *w, const char *path, const char *spec)
{
    return sample_put_batch(w, sample_batch(path, spec));
}

static UNUSED struct event *
sample_put_hovers(struct store_writer *w, const char *path, const char *spec,
                  const char *answers)
{
    struct hover_batch *h = sample_hovers(path, spec, answers);
    struct event *event = NULL;
    OK(store_begin(w));
    OK(store_put_hovers(w, h, &event));
    OK(store_commit(w));
    hover_batch_destroy(h);
    return event;
}

static UNUSED struct event *
sample_delete(struct store_writer *w, const char *path)
{
    struct event *event = NULL;
    OK(store_begin(w));
    OK(store_delete_file(w, str_of(path), &event));
    OK(store_commit(w));
    return event;
}

/* Names of one list of an event's delta, "a b"; the event is dropped. */
static UNUSED char *
sample_names(struct event *event, const char *list)
{
    struct buf b = {0};
    json_t *data = NULL, *item;
    size_t i;
    if (!event)
        return xstrdup("no event");
    OK(codec_parse(event->data, &data, NULL));
    json_array_foreach(json_object_get(data, list), i, item) buf_printf(
        &b, "%s%s", i > 0 ? " " : "", json_string_value(json_object_get(item, "name")));
    json_decref(data);
    event_unref(event);
    return buf_steal(&b);
}

static UNUSED void
sample_assert_names(struct event *event, const char *list, const char *names)
{
    char *is = sample_names(event, list);
    assert_string_equal(is, names);
    free(is);
}

/* An entity in the index by function name. */
static UNUSED int
sample_row(struct store_reader *r, const char *path, const char *name, uint32_t ordinal,
           struct arena *a, struct entity_row *ret_row)
{
    struct str key =
        entity_key(a, STR("c"), ENTITY_FUNCTION, str_of(path), str_of(name), ordinal);
    return store_read_entity(r, key, a, ret_row);
}
