/* What the store costs on top of a backend's own library, and what readers and editors feel of a bulk load.
 * bench_store TREE URL [--rounds N] [--text-rounds N] [--reads N] [--read-rounds N] [--changes N]: a % in the URL is
 * replaced by a number, each naming an index that is not there yet; what has 0 is left out. Prints one JSON object.
 * All of a round is loaded from the same batches, which are made before the first clock starts; contestants take
 * turns. Reads are timed on one thread alone, while another one writes as the writer does, and while another one only
 * keeps a processor busy; and beside the writer also what only looks at the clock, for as long as a read takes: what
 * that costs is the machine's. Commits of changes are timed through the writer itself, all while a load runs. */
#include "tests/bench/store.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/mem.h"
#include "lang/lang.h"
#include "rt/queue.h"
#include "rt/timer.h"
#include "writer/writer.h"

#define ROUNDS_DEFAULT 7
#define TEXT_ROUNDS_DEFAULT 7
#define READS_DEFAULT 50000
#define READ_ROUNDS_DEFAULT 5
#define READ_ROUNDS_MAX 99
#define CHANGES_DEFAULT 300
#define READS_WARM 200
#define EXIT_SKIPPED 77   // this gloss was built without the backend
#define QUEUED_FILES 1024 // so many wait for the writer while there are more
#define CHANGED_FILE_ENTITIES 100
#define CHANGES_PER_LOAD 50 // then the load begins anew, or the index would fill the disk
#define PAUSE_MS_MAX 30     // of a person between two changes, at a rate no person has

static const struct bare *const bares[] = {&bare_sqlite, &bare_rocksdb, &bare_postgres};

struct bench {
    struct corpus corpus;
    const struct bare *bare; // NULL: the backend has none
    const char *url;
    unsigned n_urls;
};

void
must(int r, const char *what)
{
    if (r >= 0)
        return;
    fprintf(stderr, "bench_store: %s: %s\n", what, strerror(-r));
    exit(EXIT_FAILURE);
}

/* The same numbers each time. */
static size_t
pick(size_t n)
{
    static uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % n);
}

static char *
new_url(struct bench *b)
{
    const char *at = strchr(b->url, '%');
    if (!at)
        must(-EINVAL, "no % in the URL");
    char *url = xasprintf("%.*s%u%s", (int)(at - b->url), b->url, ++b->n_urls, at + 1);
    if (b->bare && b->bare->make)
        b->bare->make(url);
    return url;
}

static void
drop(struct bench *b, char *url)
{
    if (b->bare)
        b->bare->remove(url);
    free(url);
    sync(); // or the next one pays for what the disk has not taken yet
}

static struct store_writer *
open_writer(const char *url)
{
    struct store_writer *w = NULL;
    struct store_info info;
    char *why = NULL;
    int r = store_writer_open(url, NULL, &w, &info, &why);
    must(r, why ? why : url);
    free(why);
    return w;
}

/* ---- loads ---- */

/* One file as the writer's thread takes it. */
static void
put(struct store_writer *w, const struct corpus *c, size_t i, const struct batch *batch)
{
    struct event *event = NULL;
    if (i == 0 || c->ends_commit[i - 1])
        must(store_begin(w), "begin");
    must(store_put_file(w, batch, &event), "put");
    event_unref(event);
    if (c->ends_commit[i]) {
        must(store_commit(w), "commit");
        must(store_checkpoint(w, false), "checkpoint");
    }
}

static void
index_text(struct store_writer *w)
{
    size_t n = WRITER_TEXT_STEP_ENTITIES;
    for (bool more = true; more;) {
        int64_t began_ns = clock_mono_ns();
        must(store_begin(w), "begin");
        must(store_index_text(w, n, &more), "text index");
        n = writer_text_step(n, clock_mono_ns() - began_ns);
        must(store_commit(w), "commit");
        must(store_checkpoint(w, !more), "checkpoint");
    }
}

static int64_t
load(struct bench *b, const char *url, bool with_text)
{
    struct store_writer *w = open_writer(url);
    int64_t began_ns = clock_mono_ns();
    for (size_t i = 0; i < b->corpus.files.n; i++) {
        store_be_brief(w, i >= WRITER_BULK_FILES);
        put(w, &b->corpus, i, b->corpus.files.v[i]);
    }
    if (with_text)
        index_text(w);
    store_writer_close(w);
    return clock_mono_ns() - began_ns;
}

static struct store_counts
counts_of(const char *url)
{
    struct store_reader *r = NULL;
    struct store_counts counts;
    must(store_reader_open(url, &r, NULL), "open for reading");
    must(store_read_counts(r, &counts), "counts");
    store_reader_close(r);
    return counts;
}

static int64_t
load_bare(struct bench *b, const struct bare_rows *rows, bool only_entities)
{
    char *url = new_url(b);
    store_writer_close(open_writer(url));
    int64_t ns = b->bare->write(rows, &b->corpus, url, only_entities);
    struct store_counts counts = counts_of(url);
    if (!only_entities &&
        (counts.entities != b->corpus.n_entities || counts.edges != b->corpus.n_edges))
        must(-EBADMSG, "the bare loop wrote other rows");
    drop(b, url);
    return ns;
}

static int64_t
load_once(struct bench *b, bool with_text)
{
    char *url = new_url(b);
    int64_t ns = load(b, url, with_text);
    drop(b, url);
    return ns;
}

/* A contestant and what it is held against. Names are those of their times. */
struct pair {
    const char *name, *bare_name;
    bool with_text; // the text index is filled as well; then bare are the entities alone
};

static const struct pair pairs[] = {
    {"load_s", "bare_s", false},
    {"load_text_s", "bare_entities_s", true},
};

static void
print_list(const char *name, const int64_t *ns, size_t n)
{
    fprintf(stdout, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++)
        fprintf(stdout, "%s%.6f", i ? "," : "", (double)ns[i] / 1e9);
    fprintf(stdout, "]");
}

/* The two run next to each other and take turns in who is first: whatever the disk or the machine is at, both have
 * it. The first round is not counted. */
static void
compare(struct bench *b, const struct pair *pair, const struct bare_rows *rows,
        size_t n_rounds)
{
    int64_t *ns = xcalloc(n_rounds + 1, sizeof(*ns));
    int64_t *bare_ns = xcalloc(n_rounds + 1, sizeof(*bare_ns));
    for (size_t i = 0; i <= n_rounds; i++) {
        if (rows && i % 2 == 0)
            bare_ns[i] = load_bare(b, rows, pair->with_text);
        ns[i] = load_once(b, pair->with_text);
        if (rows && i % 2 == 1)
            bare_ns[i] = load_bare(b, rows, pair->with_text);
    }
    print_list(pair->name, ns + 1, n_rounds);
    if (rows)
        print_list(pair->bare_name, bare_ns + 1, n_rounds);
    free(ns);
    free(bare_ns);
}

static void
compare_loads(struct bench *b, size_t n_rounds, size_t n_text_rounds)
{
    char *url = new_url(b);
    struct bare_rows *rows = NULL;
    load(b, url, false);
    if (b->bare)
        rows = b->bare->read(url);
    drop(b, url);
    if (n_rounds > 0)
        compare(b, &pairs[0], rows, n_rounds);
    if (n_text_rounds > 0)
        compare(b, &pairs[1], rows, n_text_rounds);
    if (rows)
        b->bare->destroy(rows);
}

/* ---- times of many ---- */

static int
by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void
print_times(const char *name, int64_t *ns, size_t n)
{
    qsort(ns, n, sizeof(*ns), by_time);
    fprintf(stdout, ",\"%s\":{\"n\":%zu,\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f}",
            name, n, (double)ns[n / 2] / 1e6, (double)ns[n - 1 - n / 100] / 1e6,
            (double)ns[n - 1] / 1e6);
}

/* What rounds of the same printed; the slowest of a round says more of the machine in that second than of us. */
struct rounds {
    size_t n_of_each, n;
    int64_t p50_ns[READ_ROUNDS_MAX], p99_ns[READ_ROUNDS_MAX], max_ns[READ_ROUNDS_MAX];
    int64_t own_ns[READ_ROUNDS_MAX]; // the longest, without what the machine took
};

static void
add_round(struct rounds *r, int64_t *ns, size_t n, int64_t own_ns)
{
    qsort(ns, n, sizeof(*ns), by_time);
    r->n_of_each = n;
    r->p50_ns[r->n] = ns[n / 2];
    r->p99_ns[r->n] = ns[n - 1 - n / 100];
    r->own_ns[r->n] = own_ns;
    r->max_ns[r->n++] = ns[n - 1];
}

/* Leaves them in order. */
static double
median_ms(int64_t *ns, size_t n)
{
    qsort(ns, n, sizeof(*ns), by_time);
    return (double)ns[n / 2] / 1e6;
}

static void
print_rounds(const char *name, struct rounds *r)
{
    fprintf(stdout,
            ",\"%s\":{\"n\":%zu,\"rounds\":%zu,\"p50_ms\":%.4f,\"p99_ms\":%.4f,"
            "\"max_ms\":%.4f",
            name, r->n_of_each, r->n, median_ms(r->p50_ns, r->n),
            median_ms(r->p99_ns, r->n), median_ms(r->max_ns, r->n));
    fprintf(stdout, ",\"max_least_ms\":%.4f,\"max_most_ms\":%.4f,\"own_ms\":%.4f}",
            (double)r->max_ns[0] / 1e6, (double)r->max_ns[r->n - 1] / 1e6,
            median_ms(r->own_ns, r->n));
}

/* ---- reads ---- */

struct keys {
    struct arena arena;
    VEC(struct str) v;
};

static void
make_keys(const struct corpus *c, struct keys *keys)
{
    for (size_t i = 0; i < c->files.n; i++) {
        const struct batch *b = c->files.v[i];
        for (size_t k = 0; k < b->n_entities; k++) {
            const struct entity *e = &b->entities[k];
            *vec_push(&keys->v) = entity_key(&keys->arena, b->file.lang, e->kind,
                                             b->file.path, e->qualified_name, e->ordinal);
        }
    }
}

/* What a thread's time was before something. */
struct lap {
    int64_t began_ns, cpu_ns;
    long n_waits; // it let go of its processor: for a lock, for a disk
};

static int64_t
thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static long
thread_waits(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static struct lap
lap_begin(void)
{
    struct lap lap;
    lap.n_waits = thread_waits();
    lap.cpu_ns = thread_cpu_ns();
    lap.began_ns = clock_mono_ns(); // last: what is above is not timed
    return lap;
}

/* Its time on the clock. What is its own: all of it when it waited for anything, else what it was on a processor, which
 * does not count while others are, nor while the host runs another machine (Linux counts stolen time apart). */
static int64_t
lap_end(const struct lap *lap, int64_t *own_ns)
{
    int64_t took_ns = clock_mono_ns() - lap->began_ns;
    int64_t cpu_ns = thread_cpu_ns() - lap->cpu_ns;
    *own_ns = MAX(*own_ns, thread_waits() > lap->n_waits ? took_ns : cpu_ns);
    return took_ns;
}

/* Each a view of its own, of an entity that may be anywhere. */
static void
read_keys(const char *url, const struct keys *keys, int64_t *took_ns, size_t n,
          int64_t *own_ns)
{
    struct store_reader *r = NULL;
    struct arena a = {0};
    must(store_reader_open(url, &r, NULL), "open for reading");
    for (size_t i = 0; i < n + READS_WARM; i++) {
        struct entity_row row;
        struct str key = keys->v.v[pick(keys->v.n)];
        int64_t cold_ns = 0;
        arena_reset(&a);
        struct lap lap = lap_begin();
        must(store_read_entity(r, key, &a, &row), "read");
        int64_t ns = lap_end(&lap, i < READS_WARM ? &cold_ns : own_ns);
        if (i >= READS_WARM)
            took_ns[i - READS_WARM] = ns;
    }
    store_reader_close(r);
    arena_finish(&a);
}

/* The writer's thread while there is always more to write: the same files again, under other names. */
struct saturation {
    const struct corpus *corpus;
    const char *url;
    struct queue *until; // closed
    size_t n_entities;
    int64_t took_ns;
};

static void
saturate(void *ctx)
{
    struct saturation *s = ctx;
    struct store_writer *w = open_writer(s->url);
    struct arena a = {0};
    int64_t began_ns = clock_mono_ns();
    store_be_brief(w, true);
    for (size_t pass = 0; !queue_is_drained(s->until); pass++) {
        arena_reset(&a);
        for (size_t i = 0; i < s->corpus->files.n; i++) {
            struct batch again = *s->corpus->files.v[i];
            again.file.path =
                arena_printf(&a, "again%zu/%.*s", pass, STR_ARG(again.file.path));
            put(w, s->corpus, i, &again);
            s->n_entities += again.n_entities;
            if (s->corpus->ends_commit[i] && queue_is_drained(s->until))
                break;
        }
    }
    s->took_ns = clock_mono_ns() - began_ns;
    store_writer_close(w);
    arena_finish(&a);
}

/* What two busy threads cost a third one, whatever they do. */
static void
spin(void *ctx)
{
    while (!queue_is_drained(ctx))
        for (volatile unsigned i = 0; i < 100000; i++) {
        }
}

/* Of the thread that reads: what it does n times, each taking took_ns. Without keys it only looks at the clock, until
 * each_ns have gone by. */
struct asking {
    const char *url;
    const struct keys *keys;
    int64_t *took_ns, each_ns;
    size_t n;
};

static int64_t
sum_of(const int64_t *ns, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ns[i];
    return sum;
}

/* What a processor that is taken away costs whoever runs: nothing is read, locked or allocated. */
static void
watch_clock(const struct asking *a)
{
    for (size_t i = 0; i < a->n; i++) {
        int64_t began_ns = clock_mono_ns();
        do
            a->took_ns[i] = clock_mono_ns() - began_ns;
        while (a->took_ns[i] < a->each_ns);
    }
}

/* While `busy` runs, which ends when the queue is closed. */
static void
ask_beside(struct rounds *rounds, const struct asking *a, void (*busy)(void *ctx),
           void *ctx, struct queue *until)
{
    struct thread *thread = thread_start("busy", busy, ctx);
    int64_t own_ns = 0;
    if (a->keys)
        read_keys(a->url, a->keys, a->took_ns, a->n, &own_ns);
    else
        watch_clock(a);
    queue_close(until);
    thread_join(thread);
    queue_destroy(until);
    add_round(rounds, a->took_ns, a->n, own_ns);
}

/* What was written meanwhile, entities/s. */
static int64_t
ask_saturated(struct bench *b, struct rounds *rounds, const struct asking *a)
{
    struct saturation s = {.corpus = &b->corpus, .url = a->url, .until = queue_create(1)};
    ask_beside(rounds, a, saturate, &s, s.until);
    return (int64_t)((double)s.n_entities * 1e9 / (double)s.took_ns);
}

struct all_reads {
    struct rounds alone, beside, saturated, clock;
    int64_t written_per_s[READ_ROUNDS_MAX];
};

/* In an index of its own: no round finds what another one has written. */
static void
read_round(struct bench *b, const struct keys *keys, size_t n_reads,
           struct all_reads *all)
{
    struct queue *until = queue_create(1);
    char *url = new_url(b);
    struct asking a = {.url = url,
                       .keys = keys,
                       .took_ns = xcalloc(n_reads, sizeof(*a.took_ns)),
                       .n = n_reads};
    int64_t own_ns = 0;
    load(b, url, true);
    read_keys(url, keys, a.took_ns, n_reads, &own_ns);
    add_round(&all->alone, a.took_ns, n_reads, own_ns);
    ask_beside(&all->beside, &a, spin, until, until);
    int64_t written_per_s = ask_saturated(b, &all->saturated, &a);
    all->written_per_s[all->saturated.n - 1] = written_per_s;
    a.keys = NULL;
    a.each_ns = MAX(a.took_ns[n_reads / 2], (int64_t)1);        // in order by now
    a.n = (size_t)(sum_of(a.took_ns, n_reads) / a.each_ns) + 1; // as long in all
    free(steal(a.took_ns));
    a.took_ns = xcalloc(a.n, sizeof(*a.took_ns));
    ask_saturated(b, &all->clock, &a);
    drop(b, url);
    free(a.took_ns);
}

static void
time_reads(struct bench *b, size_t n_reads, size_t n_rounds)
{
    struct keys keys = {.v = {0}};
    struct all_reads *all = xnew(struct all_reads);
    make_keys(&b->corpus, &keys);
    for (size_t i = 0; i < MIN(n_rounds, (size_t)READ_ROUNDS_MAX); i++)
        read_round(b, &keys, n_reads, all);
    print_rounds("read_alone", &all->alone);
    print_rounds("read_beside", &all->beside);
    print_rounds("read", &all->saturated);
    print_rounds("clock", &all->clock);
    qsort(all->written_per_s, all->saturated.n, sizeof(all->written_per_s[0]), by_time);
    fprintf(stdout, ",\"written_per_s\":%" PRId64,
            all->written_per_s[all->saturated.n / 2]);
    free(all);
    arena_finish(&keys.arena);
    vec_finish(&keys.v);
}

/* ---- commits of changes ---- */

/* One bulk load through the writer, and the document that somebody types in meanwhile. The load begins the tree
 * again, under other names, until enough was typed: a small tree would be loaded before the first change. */
struct session {
    struct bench *bench;
    struct loop loop;
    struct writer *writer;
    struct timer *timer;
    const struct batch *document;
    size_t next, n_queued; // files, of all passes over the tree
    int64_t *took_ns, began_ns;
    size_t n_changes, n_enough; // of all sessions; then the load of this one may end
    bool is_changing, is_opened, is_feeding;
};

/* Strings stay the corpus', which outlives the writer. */
static struct batch *
copy_of(const struct batch *from, const char *folder)
{
    AUTO(free) char *path = xasprintf("%s%.*s", folder, STR_ARG(from->file.path));
    struct batch *b = batch_create(str_of(path));
    struct str own_path = b->file.path;
    b->file = from->file;
    b->file.path = own_path;
    b->n_entities = from->n_entities;
    b->n_edges = from->n_edges;
    b->entities = arena_calloc(&b->arena, b->n_entities + 1, sizeof(*b->entities));
    b->edges = arena_calloc(&b->arena, b->n_edges + 1, sizeof(*b->edges));
    if (b->n_entities > 0)
        memcpy(b->entities, from->entities, b->n_entities * sizeof(*b->entities));
    if (b->n_edges > 0)
        memcpy(b->edges, from->edges, b->n_edges * sizeof(*b->edges));
    return b;
}

static void
on_closed(void *ctx UNUSED)
{
}

static bool
has_more(const struct session *s)
{
    return s->next < s->bench->corpus.files.n || s->n_changes < s->n_enough;
}

static bool
is_loading(const struct session *s)
{
    return s->n_queued > 0 || has_more(s);
}

static void
end_if_over(struct session *s)
{
    if (is_loading(s) || s->is_changing || !s->writer)
        return;
    timer_close(steal(s->timer));
    writer_close(steal(s->writer), on_closed, s);
}

static void feed(void *ctx);

/* Behind all completions of the commit: a change is not to wait for copies. */
static void
on_file(void *ctx, int r, struct event *event UNUSED)
{
    struct session *s = ctx;
    must(r, "a file of the load");
    s->n_queued--;
    if (!s->is_feeding && has_more(s)) {
        s->is_feeding = true;
        loop_defer(&s->loop, feed, s);
    }
    end_if_over(s);
}

static void
feed(void *ctx)
{
    struct session *s = ctx;
    const struct corpus *c = &s->bench->corpus;
    s->is_feeding = false;
    for (; s->n_queued < QUEUED_FILES && has_more(s); s->next++, s->n_queued++) {
        AUTO(free) char *folder = xasprintf("pass%zu/", s->next / c->files.n);
        writer_put_file(s->writer, copy_of(c->files.v[s->next % c->files.n], folder),
                        false, on_file, s);
    }
}

/* The load goes on for as long as they are not enough. */
static void
on_change(void *ctx, int r, struct event *event)
{
    struct session *s = ctx;
    must(r, "a change");
    if (!event)
        must(-EBADMSG, "a change without an event");
    s->is_changing = false;
    if (!s->is_opened) {
        s->is_opened = true;
        feed(s);
    } else if (s->n_changes < s->n_enough) {
        s->took_ns[s->n_changes++] = clock_mono_ns() - s->began_ns;
    }
    if (is_loading(s))
        timer_start(s->timer, 1 + pick(PAUSE_MS_MAX), 0);
    end_if_over(s);
}

/* One definition of the document has another text. */
static void
change(void *ctx)
{
    static uint64_t n;
    struct session *s = ctx;
    struct batch *b = copy_of(s->document, "open/");
    b->file.content.lo += ++n;
    b->entities[pick(b->n_entities)].hash += n;
    s->is_changing = true;
    s->began_ns = clock_mono_ns();
    writer_put_file(s->writer, b, true, on_change, s);
}

static void
on_open(void *ctx, int r, const struct store_info *info UNUSED, const char *why)
{
    must(r, why ? why : "open");
    change(ctx);
}

static const struct batch *
choose_document(const struct corpus *c)
{
    const struct batch *best = c->files.v[0];
    for (size_t i = 1; i < c->files.n; i++) {
        const struct batch *b = c->files.v[i];
        if (llabs((long long)b->n_entities - CHANGED_FILE_ENTITIES) <
            llabs((long long)best->n_entities - CHANGED_FILE_ENTITIES))
            best = b;
    }
    return best;
}

static void
time_changes(struct bench *b, size_t n_changes)
{
    static const struct writer_events events = {.on_open = on_open};
    struct session s = {.bench = b,
                        .document = choose_document(&b->corpus),
                        .took_ns = xcalloc(n_changes, sizeof(*s.took_ns))};
    must(loop_init(&s.loop), "loop");
    while (s.n_changes < n_changes) {
        char *url = new_url(b);
        s.next = 0;
        s.is_opened = false;
        s.n_enough = MIN(s.n_changes + CHANGES_PER_LOAD, n_changes);
        s.timer = timer_open(&s.loop, change, &s);
        s.writer = writer_open(&s.loop, url, NULL, NULL, &events, &s);
        loop_run(&s.loop);
        drop(b, url);
    }
    must(loop_finish(&s.loop), "the loop is not empty");
    print_times("commit", s.took_ns, n_changes);
    free(s.took_ns);
}

/* ---- main ---- */

static size_t
option(int argc, char **argv, const char *name, uint64_t value)
{
    for (int i = 3; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            must(str_to_u64(str_of(argv[i + 1]), &value), name);
    }
    return (size_t)value;
}

int
main(int argc, char **argv)
{
    struct bench b = {.n_urls = 0};
    char *why = NULL;
    if (argc < 3)
        must(-EINVAL,
             "usage: bench_store TREE URL [--rounds N] [--text-rounds N] [--reads N] "
             "[--read-rounds N] [--changes N]");
    must(lang_init(&why), why ? why : "languages");
    b.url = argv[2];
    for (size_t i = 0; i < ARRAY_LEN(bares); i++) {
        if (bares[i]->read && str_starts_with(str_of(b.url), str_of(bares[i]->scheme)))
            b.bare = bares[i];
    }
    corpus_init(&b.corpus, argv[1]);
    fprintf(stdout, "{\"files\":%zu,\"entities\":%zu,\"edges\":%zu", b.corpus.files.n,
            b.corpus.n_entities, b.corpus.n_edges);
    compare_loads(&b, option(argc, argv, "--rounds", ROUNDS_DEFAULT),
                  option(argc, argv, "--text-rounds", TEXT_ROUNDS_DEFAULT));
    size_t n_reads = option(argc, argv, "--reads", READS_DEFAULT);
    size_t n_read_rounds = option(argc, argv, "--read-rounds", READ_ROUNDS_DEFAULT);
    size_t n_changes = option(argc, argv, "--changes", CHANGES_DEFAULT);
    if (n_reads > 0 && n_read_rounds > 0)
        time_reads(&b, n_reads, n_read_rounds);
    if (n_changes > 0)
        time_changes(&b, n_changes);
    fprintf(stdout, "}\n");
    corpus_finish(&b.corpus);
    lang_finish();
    return EXIT_SUCCESS;
}
