/* Random work, and the questions that an index must answer rightly whatever befell it. Invariant: a
 * transaction is planned before it is tried, so that it can be tried again, and what the files hold is
 * noted only once it is committed. */
#include "work.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <sqlite3.h>

static bool is_child;
static char note[2000];

/* ---- chance ---- */

uint32_t
dice_roll(struct dice *d, uint32_t n)
{
    d->state += 0x9e3779b97f4a7c15u;
    uint64_t x = d->state;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((x ^ (x >> 31)) % n);
}

static bool
is_long(void)
{
    const char *soak = getenv("GLOSS_SOAK");
    return soak && *soak;
}

void
fault_begin(void)
{
    static const char shm[] = "/dev/shm";
    if (!getenv("TMPDIR") && access(shm, W_OK) == 0)
        setenv("TMPDIR", shm, 1);
}

uint64_t
fault_seed(void)
{
    static uint64_t seed;
    const char *given = getenv("FAULT_SEED");
    if (seed == 0) {
        seed = is_long() ? (uint64_t)time(NULL) : 5;
        if (given && str_to_u64(str_of(given), &seed) < 0)
            fail_msg("FAULT_SEED=%s is no number", given);
        print_message("# FAULT_SEED=%" PRIu64 "\n", seed);
    }
    return seed;
}

struct sample *
fault_place(void)
{
    const char *wanted = getenv("FAULT_BACKEND");
    const struct sample_backend *backend = NULL;
    for (size_t i = 0; i < ARRAY_LEN(sample_backends); i++)
        if (!backend && strcmp(sample_backends[i].name, wanted ? wanted : "sqlite") == 0)
            backend = &sample_backends[i];
    void *state = (void *)backend;
    NEED(backend && sample_setup(&state) == 0);
    struct sample *s = state;
    if (!s->url) {
        fault_place_end(s);
        skip(); // built without
    }
    return s;
}

void
fault_place_end(struct sample *s)
{
    void *state = s;
    NEED(sample_teardown(&state) == 0);
}

long
fault_count(long in_test, long in_soak)
{
    return is_long() ? in_soak : in_test;
}

/* ---- promises ---- */

void
need_note(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(note, sizeof(note), fmt, ap);
    va_end(ap);
}

void
need_failed(const char *file, int line, const char *what)
{
    if (!is_child)
        fail_msg("%s:%d: not so: %s [%s]", file, line, what, note);
    dprintf(STDERR_FILENO, "%s:%d: not so: %s [%s]\n", file, line, what, note);
    _exit(WORK_DIED);
}

pid_t
need_fork(void)
{
    pid_t pid = fork();
    NEED(pid >= 0);
    is_child |= pid == 0;
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL); // of a test that failed, too
    return pid;
}

int
need_wait(pid_t pid)
{
    int status = 0;
    NEED(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void
need_in_child(void (*fn)(void *ctx), void *ctx)
{
    pid_t pid = need_fork();
    if (pid == 0) {
        fn(ctx);
        _exit(0);
    }
    NEED(need_wait(pid) == 0);
}

/* ---- what is put ---- */

static void
path_of(size_t file, char ret_path[16])
{
    snprintf(ret_path, 16, "d/f%zu.c", file);
}

/* A few functions, each of a few texts, signatures and docs, some named alike; now and then hundreds. */
static char *
random_spec(struct dice *d, bool is_bulky)
{
    static const char *const names[] = {"get", "set", "run", "stop", "get", "init"};
    struct buf b = {0};
    uint32_t n = dice_roll(d, 7);
    if (is_bulky && dice_roll(d, 6) == 0)
        n = 100 + dice_roll(d, 300);
    for (uint32_t i = 0; i < n; i++) {
        if (dice_roll(d, 4) == 0)
            buf_printf(&b, "+%u ", 1 + dice_roll(d, 3));
        buf_printf(&b, "%s", names[dice_roll(d, ARRAY_LEN(names))]);
        if (i > 8)
            buf_printf(&b, "_%u", i);
        buf_printf(&b, ":%u:s%u:doc%u>%s,%s ", dice_roll(d, 3), dice_roll(d, 2),
                   dice_roll(d, 2), names[dice_roll(d, 6)], names[dice_roll(d, 6)]);
    }
    return buf_steal(&b);
}

/* Names that begin with s are within the file's first function. */
static struct batch *
batch_of(size_t file, const char *spec)
{
    char path[16];
    path_of(file, path);
    struct batch *b = sample_batch(path, spec);
    for (size_t i = 1; i < b->n_entities; i++) {
        struct entity *e = &b->entities[i];
        if (e->name.p[0] != 's')
            continue;
        e->parent = 0;
        e->qualified_name = arena_printf(&b->arena, "%.*s.%.*s",
                                         STR_ARG(b->entities[0].name), STR_ARG(e->name));
    }
    return b;
}

static struct hover
answer_of(struct dice *d, struct arena *a)
{
    uint32_t what = dice_roll(d, 6);
    if (what == 0)
        return (struct hover){.state = HOVER_EMPTY};
    if (what == 1)
        return (struct hover){.state = HOVER_UNKNOWN, .reason = HOVER_REASON_TIMED_OUT};
    return (struct hover){.state = HOVER_KNOWN,
                          .markdown = arena_printf(a, "says %u", dice_roll(d, 5)),
                          .server = dice_roll(d, 3) ? STR("clangd") : STR("other")};
}

static struct hover_batch *
hovers_of(size_t file, const char *spec, uint64_t seed)
{
    AUTO(batch_destroy) struct batch *b = batch_of(file, spec);
    struct hover_batch *h = xnew(struct hover_batch);
    struct dice d = {seed};
    h->path = arena_str(&h->arena, b->file.path);
    h->content = b->file.content;
    h->server_key = dice_roll(&d, 3);
    h->answers = arena_calloc(&h->arena, b->n_entities + 1, sizeof(*h->answers));
    for (size_t i = 0; i < b->n_entities; i++) {
        const struct entity *e = &b->entities[i];
        if (dice_roll(&d, 3) == 0)
            continue;
        h->answers[h->n_answers++] = (struct hover_answer){
            .key = entity_key(&h->arena, b->file.lang, e->kind, h->path,
                              e->qualified_name, e->ordinal),
            .hover = answer_of(&d, &h->arena)};
    }
    return h;
}

/* ---- transactions ---- */

int
work_open(struct work *work, struct store_info *ret_info)
{
    struct store_info info = {0};
    char *why = NULL;
    int r = store_writer_open(work->s->url, NULL, &work->w, &info, &why);
    NEED(r == 0 || why);
    free(why);
    if (r < 0)
        return r;
    work->head = info.head;
    memcpy(work->epoch, info.epoch, sizeof(work->epoch));
    if (ret_info)
        *ret_info = info;
    return 0;
}

void
work_forget(struct work *work)
{
    for (size_t i = 0; i < WORK_FILES; i++)
        free(steal(work->specs[i]));
}

void
work_finish(struct work *work)
{
    store_writer_close(steal(work->w));
    work_forget(work);
}

/* What the file holds before op n of the transaction. */
static const char *
spec_before(const struct work *work, const struct tx *tx, size_t n, size_t file)
{
    const char *spec = work->specs[file];
    for (size_t i = 0; i < n; i++) {
        if (tx->ops[i].file != file)
            continue;
        if (tx->ops[i].kind == OP_PUT)
            spec = tx->ops[i].spec;
        else if (tx->ops[i].kind == OP_DELETE || tx->ops[i].kind == OP_FAIL)
            spec = NULL;
    }
    return spec;
}

static enum op_kind
random_kind(struct dice *d)
{
    uint32_t what = dice_roll(d, 100);
    if (what < 50)
        return OP_PUT;
    if (what < 75)
        return OP_HOVERS;
    if (what < 85)
        return OP_DELETE;
    if (what < 88)
        return OP_FAIL;
    if (what < 91)
        return OP_EXPIRE;
    return what < 94 ? OP_EVENT : OP_TEXT;
}

void
tx_plan(struct work *work, struct tx *tx)
{
    struct dice *d = &work->dice;
    *tx = (struct tx){.n = 1 + dice_roll(d, WORK_OPS_MAX),
                      .is_brief = dice_roll(d, 3) == 0};
    for (size_t i = 0; i < tx->n; i++) {
        enum op_kind kind = random_kind(d);
        size_t file = dice_roll(d, WORK_FILES);
        const char *is = spec_before(work, tx, i, file);
        const char *other = spec_before(work, tx, i, dice_roll(d, WORK_FILES));
        if (kind == OP_HOVERS && !is)
            kind = OP_PUT;
        tx->ops[i].kind = kind;
        tx->ops[i].file = file;
        tx->ops[i].seed = (uint64_t)dice_roll(d, UINT32_MAX);
        if (kind == OP_PUT)
            tx->ops[i].spec = other && dice_roll(d, 3) == 0
                                  ? xstrdup(other)
                                  : random_spec(d, work->is_bulky);
        else if (kind == OP_HOVERS)
            tx->ops[i].spec = xstrdup(is);
    }
}

void
tx_finish(struct tx *tx)
{
    for (size_t i = 0; i < tx->n; i++)
        free(steal(tx->ops[i].spec));
    tx->n = 0;
}

static int
put_op(struct work *work, const struct tx *tx, size_t i, struct event **ret_event)
{
    size_t file = tx->ops[i].file;
    const char *spec = tx->ops[i].spec;
    char path[16];
    bool more;
    uint64_t n;
    path_of(file, path);
    switch (tx->ops[i].kind) {
    case OP_PUT: {
        AUTO(batch_destroy) struct batch *b = batch_of(file, spec);
        return store_put_file(work->w, b, ret_event);
    }
    case OP_FAIL: {
        AUTO(batch_destroy) struct batch *b = batch_create(str_of(path));
        b->file.lang = STR("c");
        b->file.state = FILE_FAILED;
        b->file.reason = FILE_REASON_TIMED_OUT;
        return store_put_file(work->w, b, ret_event);
    }
    case OP_DELETE: return store_delete_file(work->w, str_of(path), ret_event);
    case OP_HOVERS: {
        AUTO(hover_batch_destroy)
        struct hover_batch *h = hovers_of(file, spec, tx->ops[i].seed);
        return store_put_hovers(work->w, h, ret_event);
    }
    case OP_EXPIRE:
        return store_expire_hovers(work->w, STR("c"), tx->ops[i].seed % 3, &n);
    case OP_EVENT:
        return store_put_event(work->w, EVENT_PIPELINE_ONLINE, STR("x"),
                               STR("{\"server\":\"x\"}"), ret_event);
    case OP_TEXT: break;
    }
    return store_index_text(work->w, 20, &more);
}

static void
note_specs(struct work *work, const struct tx *tx)
{
    for (size_t i = 0; i < tx->n; i++) {
        char **spec = &work->specs[tx->ops[i].file];
        switch (tx->ops[i].kind) {
        case OP_PUT:
            free(*spec);
            *spec = xstrdup(tx->ops[i].spec);
            break;
        case OP_FAIL:
        case OP_DELETE: free(steal(*spec)); break;
        case OP_HOVERS:
        case OP_EXPIRE:
        case OP_EVENT:
        case OP_TEXT: break;
        }
    }
}

int
tx_try(struct work *work, const struct tx *tx)
{
    int64_t head = work->head;
    store_be_brief(work->w, tx->is_brief);
    int r = store_begin(work->w);
    for (size_t i = 0; i < tx->n && r == 0; i++) {
        struct event *event = NULL;
        r = put_op(work, tx, i, &event);
        if (event) {
            NEED(r < 0 || event->seq == head + 1); // given in order, without a hole
            head++;
        }
        event_unref(event);
    }
    if (r == 0)
        r = store_commit(work->w);
    if (r < 0) {
        store_rollback(work->w);
        return r;
    }
    work->head = head;
    note_specs(work, tx);
    return 0;
}

void
work_step(struct work *work)
{
    struct tx tx;
    tx_plan(work, &tx);
    int r = tx_try(work, &tx);
    tx_finish(&tx);
    NEED(r == 0);
    NEED(store_checkpoint(work->w, dice_roll(&work->dice, 2)) == 0);
}

void
work_steps(struct work *work, long n)
{
    for (long i = 0; i < n; i++)
        work_step(work);
}

/* ---- all that there is ---- */

static int
dump_file(void *ctx, const struct file *f)
{
    char hex[HASH_HEX_BYTES];
    hash128_to_hex(f->content, hex);
    buf_printf(ctx,
               "%.*s %.*s %s %s %" PRIu64 " %" PRId64 " %" PRIu64 " %s %" PRIu64 "\n",
               STR_ARG(f->path), STR_ARG(f->lang), file_state_name(f->state),
               file_reason_name(f->reason), f->size_bytes, f->mtime_ns, f->inode, hex,
               f->server_key);
    return 0;
}

static int
dump_entity(void *ctx, const struct entity_row *row)
{
    codec_add_entity(ctx, row, CODEC_WITH_HOVER);
    buf_add_char(ctx, '\n');
    return 0;
}

static int
dump_edge(void *ctx, const struct edge_row *edge)
{
    codec_add_edge(ctx, edge);
    buf_add_char(ctx, '\n');
    return 0;
}

static int
dump_event(void *ctx, const struct event *e)
{
    buf_printf(ctx, "%" PRId64 " %s %" PRId64 " %.*s %.*s\n", e->seq,
               event_type_name(e->type), e->time_ms, STR_ARG(e->subject),
               STR_ARG(e->data));
    return 0;
}

int
state_rows(struct store_reader *reader, struct buf *b)
{
    int r = store_each_file(reader, dump_file, b);
    if (r == 0)
        r = store_each_entity(reader, STR_NONE, dump_entity, b);
    if (r == 0)
        r = store_each_edge(reader, dump_edge, b);
    if (r == 0)
        r = store_each_event(reader, 0, SIZE_MAX, dump_event, b);
    return r;
}

int
state_dump(struct store_reader *reader, struct buf *b)
{
    int r = store_reader_begin(reader);
    if (r < 0)
        return r;
    r = state_rows(reader, b);
    store_reader_end(reader);
    return r;
}

struct hash128
state_of(const struct sample *s)
{
    AUTO(buf_finish) struct buf b = {0};
    struct store_reader *r = NULL;
    NEED(store_reader_open(s->url, &r, NULL) == 0);
    NEED(state_dump(r, &b) == 0);
    store_reader_close(r);
    return hash128(buf_str(&b));
}

/* ---- the log ---- */

struct replay {
    json_t *rows;
    int64_t next; // seq
    bool is_rows; // else only seqs are looked at
};

static json_t *
parse(struct str text)
{
    json_t *value = NULL;
    NEED(codec_parse(text, &value, NULL) == 0);
    return value;
}

static const char *
key_of(const json_t *item)
{
    const char *key = json_string_value(json_object_get(item, "key"));
    NEED(key);
    return key;
}

/* Where an entity is and whether its hover is stale may change without an event. */
static void
strip(json_t *row)
{
    json_object_del(row, "range");
    json_object_del(row, "name_range");
    json_object_del(json_object_get(row, "hover"), "stale");
}

static void
replay_list(json_t *rows, const json_t *data, const char *list)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(data, list), i, item)
    {
        const char *key = key_of(item);
        json_t *row = json_object_get(rows, key);
        NEED(!row == (strcmp(list, "added") == 0));
        if (strcmp(list, "deleted") == 0) {
            json_object_del(rows, key);
        } else if (strcmp(list, "enriched") == 0) {
            json_object_set(row, "rev", json_object_get(item, "rev"));
            json_object_set(row, "hover", json_object_get(item, "hover"));
            strip(row);
        } else {
            strip(item);
            json_object_set(rows, key, item);
        }
    }
}

static int
replay_event(void *ctx, const struct event *e)
{
    struct replay *replay = ctx;
    if (replay->next < 0)
        replay->next = e->seq;
    NEED(e->seq == replay->next);
    replay->next++;
    json_t *data = parse(e->data);
    if (replay->is_rows) {
        replay_list(replay->rows, data, "deleted");
        replay_list(replay->rows, data, "added");
        replay_list(replay->rows, data, "updated");
        replay_list(replay->rows, data, "enriched");
    }
    json_decref(data);
    return 0;
}

static int
compare_row(void *ctx, const struct entity_row *row)
{
    struct replay *replay = ctx;
    AUTO(buf_finish) struct buf text = {0};
    codec_add_entity(&text, row, CODEC_WITH_HOVER);
    json_t *is = parse(buf_str(&text));
    strip(is);
    json_t *told = json_object_get(replay->rows, key_of(is));
    NEED(told);
    if (!json_equal(is, told)) {
        char *was = json_dumps(told, JSON_COMPACT);
        need_note("row %s, told %s", text.p, was);
        free(was);
        NEED(!"the log gives the rows");
    }
    json_object_del(replay->rows, key_of(is));
    json_decref(is);
    return 0;
}

void
need_true_log(const struct sample *s, int64_t *ret_head)
{
    struct store_reader *r = NULL;
    struct store_info info;
    struct replay replay = {.rows = json_object(), .next = -1};
    NEED(store_reader_open(s->url, &r, NULL) == 0);
    NEED(store_reader_begin(r) == 0);
    NEED(store_read_info(r, &info) == 0);
    replay.is_rows = info.first_seq == 1;
    NEED(store_each_event(r, 0, SIZE_MAX, replay_event, &replay) == 0);
    NEED(replay.next < 0 ? info.first_seq == info.head + 1
                         : replay.next == info.head + 1);
    if (replay.is_rows) {
        NEED(store_each_entity(r, STR_NONE, compare_row, &replay) == 0);
        NEED(json_object_size(replay.rows) == 0);
    }
    store_reader_end(r);
    store_reader_close(r);
    json_decref(replay.rows);
    if (ret_head)
        *ret_head = info.head;
}

/* ---- soundness ---- */

static sqlite3 *
open_raw(const char *path)
{
    sqlite3 *db = NULL;
    NEED(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return db;
}

/* Sums are of what a commit keeps in step with the rows: each must be 0. */
static const char *const sums[] = {
    /* every reference on a hover's text is held: by a row, or by a past content */
    "SELECT (SELECT total(refs) FROM hover)-(SELECT count(*) FROM entity WHERE "
    "hover_id>0)"
    "-(WITH RECURSIVE p(b) AS (SELECT hovers FROM hover_past UNION ALL"
    " SELECT substr(b,17) FROM p WHERE length(b)>16)"
    " SELECT count(*) FROM p WHERE substr(b,9,8)<>zeroblob(8))",
    "SELECT count(*) FROM entity WHERE hover_id>0 AND hover_id NOT IN"
    " (SELECT id FROM hover)",
    "SELECT count(*) FROM entity WHERE id>>20 NOT IN (SELECT id FROM file)",
    "SELECT count(*) FROM edge WHERE file_id NOT IN (SELECT id FROM file)",
    "SELECT count(*) FROM file f WHERE n_entities<>(SELECT count(*) FROM entity"
    " WHERE id BETWEEN f.id<<20 AND (f.id<<20)+1048575)",
    "SELECT count(*) FROM file f WHERE n_known<>(SELECT count(*) FROM entity"
    " WHERE id BETWEEN f.id<<20 AND (f.id<<20)+1048575 AND hover&15=2)",
    "SELECT count(*) FROM file f WHERE n_entities-n_known-n_empty<>"
    "(SELECT total(n) FROM file_unknown WHERE file_id=f.id)",
    "SELECT (SELECT count(*) FROM hover_past)-"
    "ifnull((SELECT CAST(v AS INTEGER) FROM meta WHERE k='past_rows'),0)",
    "SELECT (SELECT total(bytes) FROM hover_past)-"
    "ifnull((SELECT CAST(v AS INTEGER) FROM meta WHERE k='past_bytes'),0)",
    "SELECT (SELECT total(length(CAST(subject AS BLOB))+length(CAST(data AS BLOB)))"
    " FROM event)-ifnull((SELECT CAST(v AS INTEGER) FROM meta WHERE k='event_bytes'),0)",
    "SELECT count(*) FROM event WHERE seq>(SELECT seq FROM sqlite_sequence"
    " WHERE name='event')",
};

bool
is_intact(const char *path, char **ret_why)
{
    sqlite3 *db = open_raw(path);
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(3)", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    *ret_why = xstrdup(rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0)
                                        : sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return strcmp(*ret_why, "ok") == 0;
}

void
need_sound(const char *path)
{
    char *why = NULL;
    if (!is_intact(path, &why)) {
        need_note("%s", why);
        NEED(!"integrity_check is ok");
    }
    free(why);
    sqlite3 *db = open_raw(path);
    for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
        sqlite3_stmt *stmt = NULL;
        if (sqlite3_prepare_v2(db, sums[i], -1, &stmt, NULL) != SQLITE_OK)
            need_failed(__FILE__, __LINE__, sqlite3_errmsg(db));
        NEED(sqlite3_step(stmt) == SQLITE_ROW);
        if (sqlite3_column_double(stmt, 0) != 0)
            need_failed(__FILE__, __LINE__, sums[i]);
        sqlite3_finalize(stmt);
    }
    NEED(sqlite3_close(db) == SQLITE_OK);
}

void
need_sound_index(const struct sample *s)
{
    if (s->backend->can & SAMPLE_SQL)
        need_sound(s->path);
    else
        state_of(s); // all of it can be read
}
