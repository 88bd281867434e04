/* What the contract does not ask of a backend and PostgreSQL has to stand: its connection is cut, the
 * server stops in mid-transaction, an answer to COMMIT is lost, many engines share a database.
 * Invariant: each test has a workspace of its own, named as its folder. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <libpq-fe.h>

#include "store/sample.h"

static PGconn *
connect_by_hand(void)
{
    AUTO(free)
    char *text = xasprintf("postgres:///postgres?host=%s&user=gloss", postgres_socket());
    PGconn *c = PQconnectdb(text);
    assert_int_equal(PQstatus(c), CONNECTION_OK);
    return c;
}

static void
run(PGconn *c, const char *sql)
{
    PGresult *rows = PQexec(c, sql);
    if (PQresultStatus(rows) != PGRES_TUPLES_OK &&
        PQresultStatus(rows) != PGRES_COMMAND_OK)
        fail_msg("%s", PQresultErrorMessage(rows));
    PQclear(rows);
}

/* Of everybody else. */
static void
cut_connections(void)
{
    PGconn *c = connect_by_hand();
    run(c, "SELECT pg_terminate_backend(pid,5000) FROM pg_stat_activity WHERE "
           "pid<>pg_backend_pid() AND backend_type='client backend'");
    PQfinish(c);
}

struct log {
    int64_t seq;
    size_t n;
};

static int
check_next(void *ctx, const struct event *e)
{
    struct log *log = ctx;
    assert_int_equal(e->seq, log->seq + 1);
    log->seq = e->seq;
    log->n++;
    return 0;
}

/* So many events without a hole, and so many entities. */
static void
assert_whole(const struct sample *s, size_t n_events, uint64_t n_entities)
{
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    struct log log = {0};
    OK(store_each_event(r, 0, 1000, check_next, &log));
    assert_int_equal(log.n, n_events);
    OK(store_read_counts(r, &c));
    assert_int_equal(c.entities, n_entities);
    store_reader_close(r);
}

/* As the writer does it: again after -EBUSY. Returns how often it took that. */
static unsigned
put_with_retries(struct store_writer *w, const char *path, const char *spec)
{
    struct batch *b = sample_batch(path, spec);
    for (unsigned n = 0;; n++) {
        struct event *e = NULL;
        int r = store_begin(w);
        if (r == 0)
            r = store_put_file(w, b, &e);
        if (r == 0)
            r = store_commit(w);
        event_unref(e);
        if (r == 0) {
            batch_destroy(b);
            return n;
        }
        assert_int_equal(r, -EBUSY);
        assert_true(n < 3);
        store_rollback(w);
    }
}

static void
test_cut_in_transaction(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("b.c", "two:2 three:3");
    struct event *e = NULL;
    event_unref(sample_put(w, "a.c", "one:1"));
    OK(store_begin(w));
    OK(store_put_file(w, b, &e));
    event_unref(e);
    cut_connections();
    assert_int_equal(store_commit(w), -EBUSY);
    store_rollback(w);
    assert_whole(s, 1, 1);
    assert_int_equal(put_with_retries(w, "b.c", "two:2 three:3"), 0);
    assert_whole(s, 2, 3);
    store_writer_close(w);
    batch_destroy(b);
}

static void
test_cut_between_transactions(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    cut_connections();
    assert_true(put_with_retries(w, "a.c", "one:1x two:2") <= 1);
    event_unref(sample_put_hovers(w, "a.c", "one:1x two:2", "one=first"));
    assert_whole(s, 3, 2);
    store_writer_close(w);
}

static void
test_server_stops(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("b.c", "two:2");
    struct event *e = NULL;
    event_unref(sample_put(w, "a.c", "one:1"));
    OK(store_begin(w));
    OK(store_put_file(w, b, &e));
    event_unref(e);
    postgres_stop(SIGQUIT); // as a power cut: no checkpoint
    assert_true(postgres_start());
    assert_int_equal(store_commit(w), -EBUSY);
    store_rollback(w);
    assert_int_equal(put_with_retries(w, "b.c", "two:2"), 0);
    assert_whole(s, 2, 2);
    store_writer_close(w);
    batch_destroy(b);
}

/* ---- a proxy that loses the answer to a COMMIT ---- */

static int
listen_at(const char *dir)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static int
reach_server(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", postgres_socket());
    return connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ? fd : -1;
}

/* One connection at a time. While `armed` a part that commits goes to the server, and when this has
 * answered, which it does after the commit, both ends are closed instead: once. */
static void
proxy_one(int client, int *armed)
{
    static char part[1 << 16];
    int server = reach_server();
    bool is_lost = false;
    struct pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (server >= 0 && poll(ends, 2, -1) > 0) {
        if (ends[0].revents) {
            ssize_t n = read(client, part, sizeof(part));
            if (n <= 0 || write(server, part, (size_t)n) != n)
                break;
            static const char mark[] =
                "pg_notify"; // in the Parse of what comes before it
            is_lost |= *armed && memmem(part, (size_t)n, mark, sizeof(mark) - 1);
        }
        if (ends[1].revents) {
            ssize_t n = read(server, part, sizeof(part));
            if (n > 0 && is_lost) {
                *armed = 0;
                break;
            }
            if (n <= 0 || write(client, part, (size_t)n) != n)
                break;
        }
    }
    close(server);
    close(client);
}

static pid_t
start_proxy(int listener)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int armed = 1;
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            _exit(0);
        proxy_one(client, &armed);
    }
}

static void
test_answer_is_lost(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = NULL;
    struct store_info info;
    int status;
    int listener = listen_at(s->dir);
    pid_t proxy = start_proxy(listener);
    AUTO(free)
    char *url = xasprintf("postgres:///postgres?host=%s&user=gloss#%s", s->dir, s->dir);
    OK(store_writer_open(url, NULL, &w, &info, NULL));
    /* Its COMMIT is done and not answered; it is looked up, not done twice. */
    assert_int_equal(put_with_retries(w, "a.c", "one:1 two:2"), 0);
    assert_whole(s, 1, 2);
    struct event *e = sample_put(w, "a.c", "one:1 two:2x");
    assert_int_equal(e->seq, 2);
    event_unref(e);
    assert_whole(s, 2, 2);
    store_writer_close(w);
    close(listener);
    kill(proxy, SIGKILL);
    assert_int_equal(waitpid(proxy, &status, 0), proxy);
}

/* ---- many in one database ---- */

static void
test_workspaces(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL), *other = NULL;
    struct store_info info;
    struct store_reader *r = NULL;
    AUTO(free) char *url = xasprintf("%s-other", s->url);
    OK(store_writer_open(url, "/srv/somewhere/other", &other, &info, NULL));
    assert_true(info.is_new);
    event_unref(sample_put(w, "a.c", "one:1>x"));
    event_unref(sample_put(other, "a.c", "one:2 two:2"));
    event_unref(sample_put_hovers(w, "a.c", "one:1>x", "one=same"));
    event_unref(sample_put_hovers(other, "a.c", "one:2 two:2", "one=same"));
    event_unref(sample_delete(other, "a.c"));
    assert_whole(s, 2, 1);
    bool has_more = true;
    OK(store_begin(w));
    while (has_more)
        OK(store_index_text(w, 10, &has_more));
    OK(store_commit(w));
    OK(store_reader_open(url, &r, NULL));
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row row;
    assert_int_equal(sample_row(r, "a.c", "one", 1, &a, &row), -ENOENT);
    store_reader_close(r);
    store_writer_close(other);
    store_writer_close(w);

    char *why = NULL;
    assert_int_equal(store_writer_open(url, "/srv/else", &other, &info, &why),
                     -EPROTONOSUPPORT);
    assert_non_null(strstr(why, "/srv/somewhere/other"));
    free(steal(why));
    *strchr(url, '#') = '\0';
    assert_int_equal(store_reader_open(url, &r, &why), -EPROTONOSUPPORT);
    assert_non_null(strstr(why, "#WORKSPACE"));
    free(why);
}

#define ENGINES 4
#define FILES 20

static int
run_engine(const char *base, int engine)
{
    AUTO(free) char *url = xasprintf("%s-%d", base, engine);
    struct store_writer *w = NULL;
    struct store_info info;
    if (store_writer_open(url, NULL, &w, &info, NULL) < 0)
        return 1;
    for (int i = 0; i < FILES; i++) {
        struct event *e = NULL;
        char path[32];
        snprintf(path, sizeof(path), "f%d.c", i);
        struct batch *b = sample_batch(path, "one:1>two two:2>one three:3");
        if (store_begin(w) < 0 || store_put_file(w, b, &e) < 0 || store_commit(w) < 0)
            return 2;
        event_unref(e);
        batch_destroy(b);
    }
    store_writer_close(w);
    return 0;
}

/* At once, from the first table on. */
static void
test_four_engines(void **state)
{
    struct sample *s = *state;
    pid_t pids[ENGINES];
    PGconn *c = connect_by_hand();
    run(c, "DROP SCHEMA IF EXISTS gloss CASCADE");
    PQfinish(c);
    for (int i = 0; i < ENGINES; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(run_engine(s->url, i));
    }
    for (int i = 0; i < ENGINES; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
        struct sample one = *s;
        one.url = xasprintf("%s-%d", s->url, i);
        assert_whole(&one, FILES, FILES * 3);
        free(one.url);
    }
}

#define STREAM_FILES                                                                     \
    60 // with a text of 2 KB in each, entities are sent before the commit

static struct batch *
long_batch(int i, char *text)
{
    AUTO(free) char *path = xasprintf("f%d.c", i);
    struct batch *b = sample_batch(path, "one:1>two two:2>one");
    memset(text, 'a' + i % 26, 2048);
    b->entities[0].doc = str_slice(text, 2048);
    return b;
}

static int
put_long(struct store_writer *w, int i)
{
    char text[2048];
    struct event *e = NULL;
    struct batch *b = long_batch(i, text);
    int r = store_put_file(w, b, &e);
    event_unref(e);
    batch_destroy(b);
    return r;
}

/* Rows go to the server while others are made; reads and changes of them in the same transaction come
 * between, and a connection that is cut in the midst takes all of them with it. */
static void
test_rows_stream(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = NULL;
    int r = 0;
    OK(store_begin(w));
    for (int i = 0; i < STREAM_FILES; i++) {
        OK(put_long(w, i));
        if (i % 20 != 19)
            continue;
        struct hover_batch *h =
            sample_hovers("f3.c", "one:1>two two:2>one", "two=second");
        if (i == 19)
            OK(store_put_hovers(w, h, &e));
        else
            OK(store_delete_file(w, i == 39 ? STR("f4.c") : STR("f5.c"), &e));
        event_unref(steal(e));
        hover_batch_destroy(h);
    }
    OK(store_commit(w));
    assert_whole(s, STREAM_FILES + 3, 2 * (STREAM_FILES - 2));
    OK(store_begin(w));
    for (int i = STREAM_FILES; i < 2 * STREAM_FILES && r == 0; i++) {
        if (i == STREAM_FILES + 30)
            cut_connections();
        r = put_long(w, i);
    }
    if (r == 0)
        r = store_commit(w);
    assert_int_equal(r, -EBUSY);
    store_rollback(w);
    assert_whole(s, STREAM_FILES + 3, 2 * (STREAM_FILES - 2));
    OK(store_begin(w));
    for (int i = STREAM_FILES; i < 2 * STREAM_FILES; i++)
        OK(put_long(w, i));
    OK(store_commit(w));
    assert_whole(s, 2 * STREAM_FILES + 3, 2 * (2 * STREAM_FILES - 2));
    store_writer_close(w);
}

static void
test_notices(void **state)
{
    struct sample *s = *state;
    PGconn *c = connect_by_hand();
    run(c, "LISTEN gloss");
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    event_unref(sample_put(w, "a.c", "one:2"));
    assert_null(sample_put(w, "a.c", "+1 one:2")); // only moved: nothing to tell
    store_writer_close(w);
    run(c, "SELECT 1");
    for (int64_t seq = 1; seq <= 2; seq++) {
        PGnotify *n = PQnotifies(c);
        assert_non_null(n);
        const char *cut = strchr(n->extra, ' ');
        int64_t is = 0;
        assert_non_null(cut);
        OK(str_to_i64(str_of(cut + 1), &is));
        assert_int_equal(is, seq);
        PQfreemem(n);
    }
    assert_null(PQnotifies(c));
    PQfinish(c);
}

static bool
is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

#define FAR_MS 30000

/* A reader hears of the commits of its workspace, of no other's, and of the end of its connection. */
static void
test_news(void **state)
{
    struct sample *s = *state, other = *s;
    struct store_reader *r = NULL;
    struct log log = {0};
    int fd = -1;
    struct store_writer *w = sample_open(s, NULL);
    other.url = xasprintf("%s-other", s->url);
    struct store_writer *others = sample_open(&other, NULL);
    assert_true(store_can_follow(s->url));
    assert_false(store_can_follow("sqlite:/x"));
    r = sample_read(s);
    OK(store_reader_listen(r, &fd));
    OK(store_reader_news(r));
    event_unref(sample_put(others, "a.c", "one:1"));
    assert_true(is_readable(fd, FAR_MS));
    OK(store_reader_news(r));
    event_unref(sample_put(w, "a.c", "one:1"));
    assert_true(is_readable(fd, FAR_MS));
    assert_int_equal(store_reader_news(r), 1);
    assert_false(is_readable(fd, 0));
    OK(store_each_event(r, 0, 10, check_next, &log));
    assert_int_equal(log.seq, 1);
    event_unref(sample_put(w, "a.c", "one:2"));
    event_unref(sample_put(w, "a.c", "one:3"));
    OK(store_each_event(r, log.seq, 10, check_next, &log)); // with an answer, it was told
    assert_int_equal(log.seq, 3);
    assert_int_equal(store_reader_news(r), 1);
    OK(store_reader_news(r));
    cut_connections();
    int e = 0;
    while (e == 0 && is_readable(fd, FAR_MS))
        e = store_reader_news(r); // the server's last words come first
    assert_int_equal(e, -EIO);
    store_reader_close(r);
    store_writer_close(w);
    store_writer_close(others);
    free(other.url);
}

/* Whatever is wrong with an address, none of it gets into a message that is logged. */
static void
test_address_is_not_shown(void **state UNUSED)
{
    static const char *const urls[] = {
        "postgres://me:secret@/x?host=/nowhere",
        "postgres://me:secret@[::1/x",
        "postgres://me:secret@host:port/x",
        "postgresql://me:secret@/x?host=/nowhere&no_such=secret",
        "postgresql://%zz:secret@",
        "postgres:secret",
    };
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct store_reader *r = NULL;
        struct store_writer *w = NULL;
        struct store_info info;
        char *why = NULL;
        assert_true(store_reader_open(urls[i], &r, &why) < 0);
        assert_non_null(why);
        assert_null(strstr(why, "secret"));
        free(steal(why));
        assert_true(store_writer_open(urls[i], "/srv", &w, &info, &why) < 0);
        assert_non_null(why);
        assert_null(strstr(why, "secret"));
        free(why);
    }
}

/* Bytes that are no text, and NUL: they come back as they were, and are found. */
static void
test_any_bytes(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("\xff\\'.c", "one:1");
    b->entities[0].doc = str_slice("a\0b\xc3 'quoted'", 14);
    event_unref(sample_put_batch(w, b));
    bool has_more = true;
    OK(store_begin(w));
    while (has_more)
        OK(store_index_text(w, 10, &has_more));
    OK(store_commit(w));
    struct store_reader *r = sample_read(s);
    struct entity_row row;
    OK(sample_row(r, "\xff\\'.c", "one", 1, &a, &row));
    assert_true(str_eq(row.e.doc, str_slice("a\0b\xc3 'quoted'", 14)));
    store_reader_close(r);
    store_writer_close(w);
}

static void
index_all(struct store_writer *w)
{
    bool has_more = true;
    OK(store_begin(w));
    while (has_more)
        OK(store_index_text(w, 10, &has_more));
    OK(store_commit(w));
}

static int
count_entity(void *ctx, const struct entity_row *row UNUSED)
{
    ++*(int *)ctx;
    return 0;
}

/* Words of a text index that an earlier gloss filled are cut anew. */
static void
test_version_3(void **state)
{
    struct sample *s = *state;
    struct store_info before, info;
    int n = 0;
    struct store_writer *w = sample_open(s, &before);
    event_unref(sample_put(w, "a.c", "oneThing:1"));
    index_all(w);
    store_writer_close(w);
    PGconn *c = connect_by_hand();
    run(c, "UPDATE gloss.text SET words='''of'':1A ''old'':1A'");
    run(c, "DELETE FROM gloss.version WHERE version>3");
    PQfinish(c);
    struct store_reader *r = NULL;
    assert_int_equal(store_reader_open(s->url, &r, NULL), -EPROTONOSUPPORT);
    w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_string_equal(info.epoch, before.epoch);
    for (int is_indexed = 0; is_indexed < 2; is_indexed++) {
        r = sample_read(s);
        OK(store_search_text(r, STR("thing"), 10, count_entity, &n));
        assert_int_equal(n, is_indexed + 1);
        OK(store_search_text(r, STR("old"), 10, count_entity, &n));
        assert_int_equal(n, is_indexed + 1);
        store_reader_close(r);
        index_all(w);
    }
    store_writer_close(w);
}

#define TEST(name)                                                                       \
    cmocka_unit_test_prestate_setup_teardown(name, sample_setup, sample_teardown,        \
                                             (void *)(uintptr_t)postgres)

int
main(void)
{
    const struct sample_backend *postgres = NULL;
    for (size_t i = 0; i < ARRAY_LEN(sample_backends); i++)
        if (strcmp(sample_backends[i].name, "postgres") == 0)
            postgres = &sample_backends[i];
    const struct CMUnitTest tests[] = {
        TEST(test_cut_in_transaction),
        TEST(test_cut_between_transactions),
        TEST(test_server_stops),
        TEST(test_answer_is_lost),
        TEST(test_workspaces),
        TEST(test_four_engines),
        TEST(test_rows_stream),
        TEST(test_notices),
        TEST(test_news),
        TEST(test_address_is_not_shown),
        TEST(test_any_bytes),
        TEST(test_version_3),
    };
    return cmocka_run_group_tests_name("store/postgres", tests, NULL, NULL);
}
