/* Opening: which workspace of the database, the lock against a second engine that writes it, and
 * connecting again. The address is postgres://…#WORKSPACE; without a name the workspace is called as the
 * tree's root, and a reader takes the only one there is. Invariant: who holds the advisory lock of a
 * workspace is the only one to write its rows; the server lets go of it with the connection. */
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/postgres_reader.h"

#define RECONNECT_MS 30000       // so long is tried
#define RECONNECT_AGAIN_MS 60000 // after that was in vain: once, until so long is over
#define LOCK_MS 2000
#define BACKOFF_MS 25
#define BACKOFF_MAX_MS 1000

static int
explain(char **ret_why, int r, const char *what)
{
    if (ret_why && !*ret_why)
        *ret_why = xasprintf("PostgreSQL: %s", what);
    return r;
}

static void
sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

/* ---- the address ---- */

/* A '#' before the host may be part of a password. */
static void
cut_address(struct postgres_tables *p, const char *rest)
{
    const char *from = strncmp(rest, "//", 2) == 0 ? rest + 2 : rest;
    size_t n = strcspn(from, "/?");
    const char *at = from[n] == '\0' ? strrchr(from, '@') : from + n;
    const char *mark = strchr(at ? at : from, '#');
    if (!mark)
        mark = rest + strlen(rest);
    p->c.conninfo = xasprintf("postgresql:%.*s", (int)(mark - rest), rest);
    p->name = mark[0] != '\0' && mark[1] != '\0' ? xstrdup(mark + 1) : NULL;
}

/* ---- the workspace ---- */

static int
find_workspace(struct postgres_tables *p)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_str(&args, str_of(p->name));
    int r = postgres_query(&p->c, PG_WORKSPACE_FIND, &args, rows);
    if (r < 0)
        return r;
    if (postgres_count(rows) == 0)
        return -ENOENT;
    p->ws = postgres_int(rows, 0, 0);
    return 0;
}

static int
only_workspace(struct postgres_tables *p, char **ret_why)
{
    AUTO_ROWS(rows);
    int r = postgres_query(&p->c, PG_WORKSPACE_ALL, NULL, rows);
    if (r < 0)
        return r;
    if (postgres_count(rows) == 0)
        return -ENOENT;
    if (postgres_count(rows) > 1)
        return explain(
            ret_why, -EPROTONOSUPPORT,
            "there are several workspaces: postgres://...#WORKSPACE says which");
    p->ws = postgres_int(rows, 0, 0);
    return 0;
}

static int
make_workspace(struct postgres_tables *p)
{
    struct postgres_args args = {.n = 0};
    int r = find_workspace(p);
    if (r != -ENOENT)
        return r;
    postgres_arg_str(&args, str_of(p->name));
    r = postgres_send(&p->c, PG_WORKSPACE_ADD, &args);
    return r < 0 ? r : find_workspace(p);
}

static int
take_lock(struct postgres_tables *p)
{
    char text[16];
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    snprintf(text, sizeof(text), "%d", (int)p->ws);
    postgres_arg_str(&args, str_of(text));
    int r = postgres_query(&p->c, PG_WORKSPACE_LOCK, &args, rows);
    if (r < 0)
        return r;
    return postgres_int(rows, 0, 0) == 1 ? 0 : -EWOULDBLOCK;
}

/* An engine that was killed just now holds it until the server has seen that. */
static int
wait_for_lock(struct postgres_tables *p)
{
    int64_t begin_ms = clock_mono_ms();
    int r = take_lock(p);
    while (r == -EWOULDBLOCK && clock_mono_ms() - begin_ms < LOCK_MS) {
        sleep_ms(BACKOFF_MS);
        r = take_lock(p);
    }
    return r;
}

/* Numbers that were committed. *ret_commits: how many transactions that took. */
static int
load_numbers(struct postgres_tables *p, int64_t *ret_commits)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_WORKSPACE_GET, &args, rows);
    if (r < 0)
        return r;
    if (postgres_count(rows) == 0)
        return err_trace(-EBADMSG);
    p->head = p->was_head = postgres_int(rows, 0, 0);
    *ret_commits = postgres_int(rows, 0, 1);
    p->last_file_id = p->was_file_id = postgres_int(rows, 0, 2);
    p->last_past_id = p->was_past_id = postgres_int(rows, 0, 3);
    return 0;
}

/* Which paths there are, and which contents of which something is known. */
static int
load_known(struct postgres_tables *p)
{
    int64_t id = p->ws << POSTGRES_WORKSPACE_SHIFT;
    int64_t last = ((p->ws + 1) << POSTGRES_WORKSPACE_SHIFT) - 1;
    int n = POSTGRES_PAGE;
    postgres_known_reset(&p->paths);
    postgres_known_reset(&p->told);
    while (n == POSTGRES_PAGE) {
        struct postgres_args args = {.n = 0};
        AUTO_ROWS(rows);
        postgres_arg_int(&args, id);
        postgres_arg_int(&args, last);
        postgres_arg_int(&args, POSTGRES_PAGE);
        int r = postgres_query(&p->c, PG_FILE_KNOWN, &args, rows);
        if (r < 0)
            return r;
        n = postgres_count(rows);
        for (int i = 0; i < n; i++) {
            struct hash128 content;
            struct str told = postgres_str(rows, i, 2);
            id = postgres_int(rows, i, 0);
            postgres_known_add(&p->paths, (uint64_t)postgres_int(rows, i, 1));
            if (told.n != sizeof(content))
                continue;
            memcpy(&content, told.p, sizeof(content));
            postgres_known_add(&p->told, content.hi ^ content.lo);
        }
    }
    return 0;
}

static int
load(struct postgres_tables *p)
{
    int64_t n_commits = 0;
    int r = load_numbers(p, &n_commits);
    if (r == 0)
        r = load_known(p);
    p->n_commits = n_commits;
    return r;
}

/* ---- a connection again ---- */

static int
connect_once(struct postgres_tables *p)
{
    int64_t n_commits = 0;
    int r = postgres_connect(&p->c, NULL);
    if (r == 0 && p->is_writer)
        r = take_lock(p);
    if (r == 0 && p->is_writer)
        r = load_numbers(p, &n_commits);
    if (r < 0) {
        postgres_disconnect(&p->c);
        p->c.is_cut = true;
        return r;
    }
    /* One more: the commit whose answer did not come. */
    if (p->is_writer && n_commits != p->n_commits && n_commits != p->n_commits + 1)
        p->is_lost = true;
    p->n_commits = n_commits;
    return 0;
}

/* The server may be about to start, or has not yet seen that our old connection is gone. */
int
postgres_reconnect(struct postgres_tables *p)
{
    int64_t begin_ms = clock_mono_ms(), wait_ms = BACKOFF_MS;
    bool is_once = !p->is_writer ||
                   (p->gave_up_ms != 0 && begin_ms - p->gave_up_ms < RECONNECT_AGAIN_MS);
    int r = connect_once(p);
    while (r < 0 && !is_once && clock_mono_ms() - begin_ms < RECONNECT_MS) {
        sleep_ms(wait_ms);
        wait_ms = MIN(wait_ms * 2, BACKOFF_MAX_MS);
        r = connect_once(p);
    }
    if (r == 0)
        p->gave_up_ms = 0;
    else if (!is_once)
        p->gave_up_ms = clock_mono_ms();
    return r == 0 ? 0 : err_trace(-EBUSY);
}

void
postgres_tables_finish(struct postgres_tables *p)
{
    postgres_conn_finish(&p->c);
    for (size_t i = 0; i < LATE_COUNT; i++)
        buf_finish(&p->late[i].rows);
    postgres_known_reset(&p->paths);
    postgres_known_reset(&p->told);
    free(p->name);
}

/* ---- the writer ---- */

static int
check_root(struct postgres_writer *w, char **ret_why)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str root = STR_NONE;
    if (!w->root)
        return 0;
    int r = w->p.base.reads->meta_get(&w->p.base, "root", &a, &root);
    if (r == -ENOENT || (r == 0 && str_eq_c(root, w->root)))
        return 0;
    if (r < 0)
        return r;
    char *what = xasprintf("the workspace is the index of %.*s; choose another name for "
                           "#WORKSPACE",
                           STR_ARG(root));
    r = explain(ret_why, -EPROTONOSUPPORT, what);
    free(what);
    return r;
}

/* An epoch and whose index it is, in one transaction. */
static int
prepare(struct postgres_writer *w, bool *ret_is_new)
{
    AUTO(arena_finish) struct arena a = {0};
    const struct table_writes *writes = w->w.writes;
    struct tables *t = &w->p.base;
    struct str epoch = STR_NONE;
    int r = t->reads->meta_get(t, "epoch", &a, &epoch);
    *ret_is_new = r == -ENOENT;
    if (r < 0 && r != -ENOENT)
        return r;
    r = writes->begin(t);
    if (r == 0 && *ret_is_new) {
        char *random = random_hex(16);
        r = writes->meta_put(t, "epoch", arena_cstr(&a, random));
        free(random);
    }
    if (r == 0 && w->root)
        r = writes->meta_put(t, "root", str_of(w->root));
    if (r == 0)
        r = writes->commit(t);
    if (r < 0)
        writes->rollback(t);
    return r;
}

static int
open_workspace(struct postgres_writer *w, struct store_info *ret_info, char **ret_why)
{
    struct postgres_tables *p = &w->p;
    bool is_new = false;
    int r = postgres_connect(&p->c, ret_why);
    if (r == 0)
        r = postgres_migrate(&p->c, ret_why);
    if (r == 0)
        r = make_workspace(p);
    if (r == 0)
        r = wait_for_lock(p);
    if (r == -EWOULDBLOCK)
        return explain(ret_why, r, "another engine holds this index");
    if (r == 0)
        r = check_root(w, ret_why);
    if (r == 0)
        r = load(p);
    if (r == 0)
        r = prepare(w, &is_new);
    if (r == 0)
        r = table_writer_load(&w->w, ret_info);
    if (r < 0)
        return explain(ret_why, err_trace(r), err_text(r));
    ret_info->is_new = is_new;
    return 0;
}

static void
writer_free(struct postgres_writer *w)
{
    table_writer_finish(&w->w);
    postgres_tables_finish(&w->p);
    free(w->root);
    free(w);
}

int
postgres_writer_open(const char *rest, const char *root, struct store_writer **ret_writer,
                     struct store_info *ret_info, char **ret_why)
{
    struct postgres_writer *w = xnew(struct postgres_writer);
    struct store_info info = {0};
    char *why = NULL;
    w->p.base.reads = &postgres_reads;
    w->p.is_writer = true;
    table_writer_init(&w->w, &postgres_writer_ops, &postgres_writes, &w->p.base);
    w->root = xstrdup(root);
    cut_address(&w->p, rest);
    if (!w->p.name)
        w->p.name = xstrdup(root ? root : "default");
    int r = open_workspace(w, &info, &why);
    if (r < 0) {
        if (ret_why)
            *ret_why = steal(why);
        free(why);
        writer_free(w);
        return err_trace(r);
    }
    free(why);
    *ret_writer = &w->w.base;
    *ret_info = info;
    return 0;
}

void
postgres_writer_close(struct store_writer *base)
{
    struct postgres_writer *w = container_of(base, struct postgres_writer, w.base);
    if (w->w.is_open)
        store_rollback(base);
    writer_free(w);
}

/* The server does that by itself. */
static int
writer_checkpoint(struct store_writer *base UNUSED, bool is_idle UNUSED)
{
    return 0;
}

const struct store_writer_ops postgres_writer_ops = {
    .close = postgres_writer_close,
    .index_text = postgres_index_text,
    .checkpoint = writer_checkpoint,
    .gauges = postgres_gauges,
    .each_letter = postgres_each_letter,
    .put_letter = postgres_put_letter,
    .drop_letter = postgres_drop_letter,
    .each_job = postgres_each_job,
    .put_job = postgres_put_job,
    .drop_job = postgres_drop_job,
};

/* ---- the reader ---- */

static int
open_view(struct postgres_tables *p, char **ret_why)
{
    AUTO(arena_finish) struct arena a = {0};
    struct str epoch = STR_NONE;
    int64_t version = 0;
    int r = postgres_connect(&p->c, ret_why);
    if (r == 0)
        r = postgres_version(&p->c, &version);
    if (r == 0 && version == 0)
        r = -ENOENT;
    if (r == 0 && version != POSTGRES_SCHEMA_VERSION)
        r = explain(ret_why, -EPROTONOSUPPORT, "was written by another version of gloss");
    if (r == 0)
        r = p->name ? find_workspace(p) : only_workspace(p, ret_why);
    if (r == 0)
        r = p->base.reads->meta_get(&p->base, "epoch", &a, &epoch);
    return r;
}

int
postgres_reader_open(const char *rest, struct store_reader **ret_reader, char **ret_why)
{
    struct postgres_reader *reader = xnew(struct postgres_reader);
    char *why = NULL;
    reader->base.ops = &postgres_reader_ops;
    reader->base.t = &reader->p.base;
    reader->p.base.reads = &postgres_reads;
    reader->p.c.is_reader = true;
    cut_address(&reader->p, rest);
    int r = open_view(&reader->p, &why);
    if (r < 0) {
        explain(&why, r, r == -ENOENT ? "there is no index yet" : err_text(r));
        if (ret_why)
            *ret_why = steal(why);
        free(why);
        postgres_tables_finish(&reader->p);
        free(reader);
        return err_trace(r);
    }
    free(why);
    *ret_reader = &reader->base;
    return 0;
}

const struct store_ops store_postgres_ops = {
    .scheme = "postgres:",
    .can_follow = true,
    .writer_open = postgres_writer_open,
    .reader_open = postgres_reader_open,
};
const struct store_ops store_postgresql_ops = {
    .scheme = "postgresql:",
    .can_follow = true,
    .writer_open = postgres_writer_open,
    .reader_open = postgres_reader_open,
};
