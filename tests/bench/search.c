/* How long a name search takes over many names: bench_search TREE [--names N] [--rounds N] [--tags FILE]
 * An index is made in a folder of its own, of names combined from the words of TREE's sources; then
 * questions of each class are asked one after the other, as an editor does, on the loop. Prints one
 * JSON object a line: class, filter, n, p50_us, p99_us, max_us (wall clock),
 * cpu_p50_us, cpu_p99_us (of the process), found; at the end one for all together. Needs no engine. */
#include "base/base.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "query/query.h"
#include "store/store.h"

#define NAMES_DEFAULT 1000000
#define ROUNDS_DEFAULT 200
#define NAMES_PER_FILE 40
#define FILES_PER_COMMIT 500
#define SOURCE_BYTES_MAX (4u << 20)
#define WORDS_MAX 20000
#define WORDS_PER_NAME_MAX 4
#define SAMPLE_NAMES 4096 // kept to make questions from
#define LIMIT 100

/* ---- the same numbers each time ---- */

static uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);

static size_t
pick(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % n);
}

/* ---- words of a tree ---- */

static struct map *seen;
static VEC(char *) words;

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
add_word(const char *p, size_t n)
{
    char word[16];
    if (n < 2 || n > 12 || words.n >= WORDS_MAX)
        return;
    for (size_t i = 0; i < n; i++)
        word[i] = (char)(p[i] | 0x20);
    if (map_put(seen, str_slice(word, n), seen))
        return;
    *vec_push(&words) = str_dup(str_slice(word, n));
}

static int
on_source(const char *path, const struct stat *st, int type, struct FTW *at UNUSED)
{
    struct str name = str_of(path);
    if (type != FTW_F || st->st_size > SOURCE_BYTES_MAX || words.n >= WORDS_MAX ||
        !(str_ends_with(name, STR(".c")) || str_ends_with(name, STR(".h")) ||
          str_ends_with(name, STR(".py")) || str_ends_with(name, STR(".ts"))))
        return 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    char *text = xmalloc((size_t)st->st_size + 1);
    size_t n = fread(text, 1, (size_t)st->st_size, f), begin = 0;
    fclose(f);
    for (size_t i = 0; i <= n; i++) {
        bool is_hump = i < n && i > begin && text[i] >= 'A' && text[i] <= 'Z' &&
                       !(text[i - 1] >= 'A' && text[i - 1] <= 'Z');
        if (i < n && is_letter(text[i]) && !is_hump)
            continue;
        add_word(text + begin, i - begin);
        begin = is_hump ? i : i + 1;
    }
    free(text);
    return 0;
}

/* ---- names and their files ---- */

/* One to four words, snake_case or camelCase or PascalCase, now and then a digit behind. */
static void
make_name(struct buf *b)
{
    size_t n = 1 + pick(WORDS_PER_NAME_MAX), style = pick(4);
    buf_reset(b);
    for (size_t i = 0; i < n; i++) {
        size_t at = b->n;
        if (i > 0 && style < 2)
            buf_add_char(b, '_');
        buf_add_cstr(b, words.v[MIN(pick(words.n), pick(words.n))]); // some are common
        if (style == 3 || (style == 2 && i > 0))
            b->p[at] = (char)(b->p[at] - 32);
    }
    if (pick(16) == 0)
        buf_printf(b, "%zu", pick(10));
}

static struct entity
make_entity(struct arena *a, struct str name, uint32_t line)
{
    static const enum entity_kind kinds[] = {
        ENTITY_FUNCTION, ENTITY_FUNCTION, ENTITY_FIELD, ENTITY_METHOD,
        ENTITY_VARIABLE, ENTITY_STRUCT,   ENTITY_CLASS, ENTITY_MACRO};
    struct entity e = {.kind = kinds[pick(ARRAY_LEN(kinds))],
                       .parent = ENTITY_NONE,
                       .ordinal = 1,
                       .name = arena_str(a, name)};
    e.qualified_name =
        e.kind == ENTITY_METHOD || e.kind == ENTITY_FIELD
            ? arena_printf(a, "%s.%.*s", words.v[pick(MIN(words.n, (size_t)500))],
                           STR_ARG(name))
            : e.name;
    e.range = (struct span){.start = {line, 0, 0},
                            .end = {line, 10, 10},
                            .start_byte = line * 20,
                            .end_byte = line * 20 + 10};
    e.name_range = e.range;
    e.hash = hash64(name) + line;
    return e;
}

struct made {
    size_t n_names;
    char *names[SAMPLE_NAMES];
    FILE *tags;
};

static struct batch *
make_file(struct made *made, size_t number)
{
    static const char *const langs[] = {"c", "c", "py", "ts"};
    AUTO(buf_finish) struct buf name = {0};
    const char *lang = langs[number % ARRAY_LEN(langs)];
    AUTO(free)
    char *path = xasprintf("src/%s/%s_%zu.%s", words.v[number % 200],
                           words.v[number * 7 % words.n], number, lang);
    struct batch *b = batch_create(str_of(path));
    b->file.lang = arena_cstr(&b->arena, lang);
    b->file.content = hash128(str_of(path));
    b->file.size_bytes = 1;
    b->entities = arena_calloc(&b->arena, NAMES_PER_FILE, sizeof(*b->entities));
    for (uint32_t i = 0; i < NAMES_PER_FILE; i++) {
        make_name(&name);
        struct entity e = make_entity(&b->arena, buf_str(&name), i);
        for (uint32_t k = 0; k < b->n_entities; k++)
            e.ordinal += b->entities[k].kind == e.kind &&
                         str_eq(b->entities[k].qualified_name, e.qualified_name);
        b->entities[b->n_entities++] = e;
        if (made->n_names < SAMPLE_NAMES && pick(8) == 0)
            made->names[made->n_names++] = xstrdup(name.p);
        if (made->tags)
            fprintf(made->tags, "%s\t%s\t%u\n", name.p, path, i + 1);
    }
    return b;
}

static void
must(int r, const char *what)
{
    if (r >= 0)
        return;
    fprintf(stderr, "bench_search: %s: %s\n", what, strerror(-r));
    exit(EXIT_FAILURE);
}

static void
fill(struct made *made, const char *url, size_t n_names)
{
    struct store_writer *w = NULL;
    struct store_info info;
    bool more = true;
    must(store_writer_open(url, NULL, &w, &info, NULL), "open");
    for (size_t i = 0; i < n_names / NAMES_PER_FILE; i++) {
        AUTO(batch_destroy) struct batch *b = make_file(made, i);
        struct event *event = NULL;
        if (i % FILES_PER_COMMIT == 0)
            must(store_begin(w), "begin");
        must(store_put_file(w, b, &event), "put");
        event_unref(event);
        if (i % FILES_PER_COMMIT == FILES_PER_COMMIT - 1 ||
            i + 1 == n_names / NAMES_PER_FILE)
            must(store_commit(w), "commit");
    }
    must(store_begin(w), "begin");
    while (more)
        must(store_prune(w, clock_wall_ms(), &more), "prune");
    must(store_commit(w), "commit");
    store_writer_close(w);
}

/* ---- questions ---- */

static char
low(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void
ask_letters(struct buf *b, const char *name UNUSED, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_char(b, (char)('a' + pick(26)));
}

static void
ask_prefix(struct buf *b, const char *name, size_t n)
{
    for (size_t i = 0; i < n && name[i]; i++)
        buf_add_char(b, low(name[i]));
}

static void
ask_humps(struct buf *b, const char *name, size_t n UNUSED)
{
    for (size_t i = 0; name[i]; i++) {
        if (i == 0 || name[i - 1] == '_' || (name[i] >= 'A' && name[i] <= 'Z'))
            buf_add_char(b, low(name[i]));
    }
}

/* Every other letter or so. */
static void
ask_scattered(struct buf *b, const char *name, size_t n)
{
    for (size_t i = 0; name[i] && b->n < n; i++) {
        if (name[i] != '_' && (b->n == 0 || pick(2) == 0))
            buf_add_char(b, low(name[i]));
    }
}

static void
ask_infix(struct buf *b, const char *name, size_t n)
{
    size_t length = strlen(name), at = length > n ? 1 + pick(length - n) : 0;
    for (size_t i = at; i < length && b->n < n; i++)
        buf_add_char(b, low(name[i]));
}

/* The whole name with one wrong letter. */
static void
ask_typo(struct buf *b, const char *name, size_t n UNUSED)
{
    size_t length = strlen(name);
    ask_prefix(b, name, length);
    b->p[pick(length)] = (char)('a' + pick(26));
}

static void
ask_nothing(struct buf *b, const char *name, size_t n UNUSED)
{
    buf_printf(b, "%sqjxzvkq", name);
}

static void
ask_qualified(struct buf *b, const char *name, size_t n)
{
    buf_printf(b, "%s::", words.v[pick(MIN(words.n, (size_t)500))]);
    ask_prefix(b, name, n);
}

static const struct class
{
    const char *name;
    void (*make)(struct buf *b, const char *name, size_t n);
    size_t n;
} classes[] = {
    {"one letter", ask_letters, 1},    {"two letters", ask_letters, 2},
    {"three letters", ask_letters, 3}, {"beginning", ask_prefix, 5},
    {"first letters", ask_humps, 0},   {"inside", ask_infix, 4},
    {"scattered", ask_scattered, 6},   {"whole name", ask_prefix, 200},
    {"qualified", ask_qualified, 4},   {"no match", ask_nothing, 0},
    {"one wrong letter", ask_typo, 0},
};

static const enum entity_kind class_only[] = {ENTITY_CLASS};

static const struct filter {
    const char *name;
    struct query_search search;
} filters[] = {
    {"none", {.limit = LIMIT}},
    {"kind", {.limit = LIMIT, .kinds = class_only, .n_kinds = 1}},
    {"lang", {.limit = LIMIT, .lang = {"py", 2}}},
    {"path", {.limit = LIMIT, .path_glob = {"src/*_1*7.c", 11}}},
};

struct bench {
    struct loop loop;
    struct pool *pool;
    struct query *q;
    const struct made *made;
    size_t rounds, round, class, filter, found, found_in_all;
    bool is_warm;
    struct buf text;
    int64_t began_ns, opened_ns;
    int64_t began_cpu_ns;
    int64_t *took_ns, *cpu_ns; // wall clock, and processor of all threads; class by class
};

static void ask(struct bench *b);

static void
on_pool_closed(void *ctx UNUSED)
{
}

static void
on_query_closed(void *ctx)
{
    struct bench *b = ctx;
    pool_close(b->pool, on_pool_closed, b);
}

static int
by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* On a machine that does other things too, this tells what the search itself takes. */
static int64_t
cpu_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
print_times(const char *class, const char *filter, int64_t *took_ns, int64_t *cpu_ns,
            size_t n, size_t found)
{
    qsort(took_ns, n, sizeof(*took_ns), by_time);
    qsort(cpu_ns, n, sizeof(*cpu_ns), by_time);
    fprintf(
        stdout,
        "{\"class\":\"%s\",\"filter\":\"%s\",\"n\":%zu,\"p50_us\":%lld,\"p99_us\":%lld,"
        "\"max_us\":%lld,\"cpu_p50_us\":%lld,\"cpu_p99_us\":%lld,\"found\":%zu}\n",
        class, filter, n, (long long)took_ns[n / 2] / 1000,
        (long long)took_ns[n - 1 - n / 100] / 1000, (long long)took_ns[n - 1] / 1000,
        (long long)cpu_ns[n / 2] / 1000, (long long)cpu_ns[n - 1 - n / 100] / 1000,
        found / n);
    fflush(stdout);
}

static void
report(struct bench *b)
{
    size_t n = b->rounds, done = (b->filter * ARRAY_LEN(classes) + b->class + 1) * n;
    print_times(classes[b->class].name, filters[b->filter].name, b->took_ns + done - n,
                b->cpu_ns + done - n, n, b->found);
    b->found_in_all += b->found;
    b->found = b->round = 0;
    b->class = (b->class + 1) % ARRAY_LEN(classes);
    b->filter += b->class == 0;
    if (b->filter == ARRAY_LEN(filters))
        print_times("all", "all", b->took_ns, b->cpu_ns, done, b->found_in_all);
}

static void
on_answer(void *ctx, struct query_result **result)
{
    struct bench *b = ctx;
    must((*result)->r, "search");
    if (b->is_warm) {
        size_t at = (b->filter * ARRAY_LEN(classes) + b->class) * b->rounds + b->round++;
        b->cpu_ns[at] = cpu_now_ns() - b->began_cpu_ns;
        b->took_ns[at] = clock_mono_ns() - b->began_ns;
        b->found += (*result)->n_rows;
        if (b->round == b->rounds)
            report(b);
    } else if ((*result)->is_from_table) {
        b->is_warm = true;
        fprintf(stdout, "{\"class\":\"table\",\"filter\":\"none\",\"ready_ms\":%lld}\n",
                (long long)(clock_mono_ns() - b->opened_ns) / 1000000);
    }
    if (b->filter == ARRAY_LEN(filters))
        query_close(b->q, on_query_closed, b);
    else
        ask(b);
}

static void
ask(struct bench *b)
{
    struct query_search search = filters[b->filter].search;
    const struct class *class = &classes[b->class];
    buf_reset(&b->text);
    class->make(&b->text, b->made->names[pick(b->made->n_names)], class->n);
    search.text = buf_str(&b->text);
    b->began_cpu_ns = cpu_now_ns();
    b->began_ns = clock_mono_ns();
    query_search(b->q, &search, on_answer, b);
}

static void
run(const struct made *made, const char *url, size_t rounds)
{
    struct bench b = {.made = made, .rounds = rounds};
    must(loop_init(&b.loop), "loop");
    size_t n_all = ARRAY_LEN(filters) * ARRAY_LEN(classes) * rounds;
    b.took_ns = xcalloc(n_all, sizeof(*b.took_ns));
    b.cpu_ns = xcalloc(n_all, sizeof(*b.cpu_ns));
    b.pool = pool_create(&b.loop, MAX(loop_cpu_count(), 2u));
    b.q = query_open(&b.loop, b.pool, url);
    b.opened_ns = clock_mono_ns();
    query_warm(b.q);
    ask(&b);
    loop_run(&b.loop);
    must(loop_finish(&b.loop), "the loop is not empty");
    buf_finish(&b.text);
    free(b.took_ns);
    free(b.cpu_ns);
}

/* ---- main ---- */

static int
remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
           struct FTW *at UNUSED)
{
    return remove(path);
}

static uint64_t
option(int argc, char **argv, const char *name, uint64_t value)
{
    for (int i = 2; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            must(str_to_u64(str_of(argv[i + 1]), &value), name);
    }
    return value;
}

int
main(int argc, char **argv)
{
    const char *base = getenv("TMPDIR");
    AUTO(free) char *dir = xasprintf("%s/gloss-bench-XXXXXX", base ? base : "/tmp");
    AUTO(free) char *url = NULL;
    struct made made = {0};
    if (argc < 2 || !mkdtemp(dir))
        must(-EINVAL, "usage: bench_search TREE [--names N] [--rounds N] [--tags FILE]");
    for (int i = 2; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--tags") == 0 && !(made.tags = fopen(argv[i + 1], "we")))
            must(-errno, argv[i + 1]);
    }
    url = xasprintf("sqlite:%s/index.db", dir);
    seen = map_create();
    nftw(argv[1], on_source, 16, FTW_PHYS);
    if (words.n < 100)
        must(-ENOENT, "too few words in TREE");
    fill(&made, url, option(argc, argv, "--names", NAMES_DEFAULT));
    if (made.tags)
        fclose(made.tags);
    run(&made, url, MAX(option(argc, argv, "--rounds", ROUNDS_DEFAULT), UINT64_C(1)));
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < made.n_names; i++)
        free(made.names[i]);
    for (size_t i = 0; i < words.n; i++)
        free(words.v[i]);
    vec_finish(&words);
    map_destroy(seen);
    return EXIT_SUCCESS;
}
