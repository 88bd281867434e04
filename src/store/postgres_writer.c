/* What the writer's logic does to rows, and the transaction. Invariant: a commit that was answered is
 * in the database once; one whose answer was lost is looked up by its number, workspace.n_commits, when
 * there is a connection again; anything else that was cut is -EBUSY, and the writer does it again. */
#include "store/postgres.h"

#include "base/err.h"

/* ---- the transaction ---- */

static struct postgres_writer *
writer_of(struct postgres_tables *p)
{
    return container_of(p, struct postgres_writer, p);
}

/* Another engine had the index while we were cut off: what is remembered of it is old. */
static int
load_again(struct postgres_tables *p)
{
    struct store_info info;
    int r = table_writer_load(&writer_of(p)->w, &info);
    p->is_lost = r < 0;
    return r;
}

static int
begin(struct tables *t)
{
    struct postgres_tables *p = postgres_tables_of(t);
    int r = 0;
    postgres_late_drop(p);
    if (p->c.is_cut)
        r = postgres_reconnect(p);
    if (r == 0 && p->is_lost)
        r = load_again(p);
    if (r == 0)
        r = postgres_send(&p->c, PG_BEGIN, NULL);
    p->is_begun = r == 0;
    return err_trace(r);
}

static void
forget(struct postgres_tables *p)
{
    postgres_late_drop(p);
    p->head = p->was_head;
    p->last_file_id = p->was_file_id;
    p->last_past_id = p->was_past_id;
    p->is_begun = false;
}

/* A connection that cannot even do that is given up, and the server rolls back. */
static void
rollback(struct tables *t)
{
    struct postgres_tables *p = postgres_tables_of(t);
    forget(p);
    if (p->c.is_cut)
        return;
    (void)postgres_wait(&p->c); // what failed was told by then
    if (!p->c.is_cut && postgres_exec(&p->c, "ROLLBACK") < 0)
        p->c.is_cut = true;
}

static int
send_commit(struct postgres_tables *p)
{
    struct postgres_args put = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&put, p->ws);
    postgres_arg_int(&put, p->head);
    postgres_arg_int(&put, p->n_commits + 1);
    postgres_arg_int(&put, p->last_file_id);
    postgres_arg_int(&put, p->last_past_id);
    int r = postgres_send(&p->c, PG_WORKSPACE_PUT, &put);
    if (r == 0)
        r = postgres_query(&p->c, PG_COMMIT, NULL, rows);
    /* Of a transaction that had failed it makes a rollback, without an error. */
    return r == 0 && strcmp(postgres_tag(rows), "COMMIT") != 0 ? -EIO : r;
}

/* A transaction of its own that waits for no disk: all that notify the server lets end one by one, and with
 * the rows each would wait for the others' writes. Whoever misses one reads it with the next, or with
 * its next look: what counts is the log. */
static void
notify(struct postgres_tables *p)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, p->head);
    (void)postgres_query(&p->c, PG_NOTIFY, &args, rows); // a cut is found by the next
}

static int
commit(struct tables *t)
{
    struct postgres_tables *p = postgres_tables_of(t);
    int64_t wanted = p->n_commits + 1;
    int r = postgres_late_flush(p);
    if (r < 0)
        return err_trace(r);
    struct postgres_tables is = *p; // what is to be committed, if the connection is cut
    r = send_commit(p);
    if (r == -EBUSY && p->c.is_cut && postgres_reconnect(p) == 0 && !p->is_lost &&
        p->n_commits == wanted && p->head == is.head) // else it was another engine's
        r = 0;
    if (r < 0)
        return err_trace(r);
    p->n_commits = wanted;
    bool is_told = is.head == is.was_head;
    p->was_head = p->head = is.head;
    p->was_file_id = p->last_file_id = is.last_file_id;
    p->was_past_id = p->last_past_id = is.last_past_id;
    p->is_begun = false;
    if (!is_told)
        notify(p);
    return 0;
}

static int
meta_put(struct tables *t, const char *key, struct str value)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, str_of(key));
    postgres_arg_str(&args, value);
    return postgres_send(&p->c, PG_META_PUT, &args);
}

/* ---- files ---- */

static bool
has_content(const struct file *f)
{
    return f->content.hi != 0 || f->content.lo != 0;
}

/* From lang to log_seq, as in both statements. */
static void
file_args(const struct file_stored *f, struct postgres_args *a)
{
    postgres_arg_str(a, f->f.lang);
    postgres_arg_int(a, f->f.state);
    postgres_arg_int(a, f->f.reason);
    postgres_arg_int(a, (int64_t)f->f.size_bytes);
    postgres_arg_int(a, f->f.mtime_ns);
    postgres_arg_int(a, (int64_t)f->f.inode);
    if (has_content(&f->f))
        postgres_arg_str(a, str_slice((const char *)&f->f.content, sizeof(f->f.content)));
    else
        postgres_arg_null(a);
    postgres_arg_int(a, f->content_gen);
    postgres_arg_int(a, f->text_gen);
    postgres_arg_int(a, (int64_t)f->n_entities);
    postgres_arg_int(a, (int64_t)f->n_edges);
    postgres_arg_int(a, f->log_seq);
}

static int
file_add(struct tables *t, struct file_stored *f)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    uint64_t hash = hash64(f->f.path);
    if (p->last_file_id + 1 >= INT64_C(1) << POSTGRES_WORKSPACE_SHIFT)
        return err_trace(-E2BIG);
    f->id = p->ws << POSTGRES_WORKSPACE_SHIFT | ++p->last_file_id;
    p->added_id = f->id;
    postgres_arg_int(&args, f->id);
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, (int64_t)hash);
    postgres_arg_str(&args, f->f.path);
    file_args(f, &args);
    postgres_arg_int(&args, (int64_t)f->f.server_key);
    postgres_late_add(p, LATE_FILE, &args);
    postgres_known_add(&p->paths, hash);
    return postgres_late_limit(p);
}

/* One statement on rows that may still wait. */
static int
change(struct postgres_tables *p, enum postgres_sql which, const struct postgres_args *a)
{
    int r = postgres_late_flush(p);
    return r < 0 ? r : postgres_send(&p->c, which, a);
}

static int
change_by_id(struct postgres_tables *p, enum postgres_sql which, int64_t id)
{
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, id);
    return change(p, which, &args);
}

/* Its rows in the text index tell what it was. */
static int
drop_text(struct postgres_tables *p, const struct file_stored *f)
{
    return f->text_gen > 0 ? 0 : change_by_id(p, PG_TEXT_DELETE, f->id);
}

static int
file_put(struct tables *t, const struct file_stored *f)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    p->added_id = 0;
    postgres_arg_int(&args, f->id);
    file_args(f, &args);
    int r = change(p, PG_FILE_PUT, &args);
    return r < 0 ? r : drop_text(p, f);
}

static int
file_touch(struct tables *t, const struct file_stored *f)
{
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, f->id);
    postgres_arg_int(&args, (int64_t)f->f.size_bytes);
    postgres_arg_int(&args, f->f.mtime_ns);
    postgres_arg_int(&args, (int64_t)f->f.inode);
    return change(postgres_tables_of(t), PG_FILE_TOUCH, &args);
}

static int
file_server_put(struct tables *t, const struct file_stored *f)
{
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, f->id);
    postgres_arg_int(&args, f->content_gen);
    postgres_arg_int(&args, (int64_t)f->f.server_key);
    return change(postgres_tables_of(t), PG_FILE_SERVER_PUT, &args);
}

static int
file_text_put(struct tables *t, const struct file_stored *f)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, f->id);
    postgres_arg_int(&args, f->text_gen);
    int r = change(p, PG_FILE_TEXT_PUT, &args);
    return r < 0 ? r : drop_text(p, f);
}

static int
file_delete(struct tables *t, const struct file_stored *f)
{
    struct postgres_tables *p = postgres_tables_of(t);
    int r = change_by_id(p, PG_FILE_DELETE, f->id);
    if (r == 0)
        r = change_by_id(p, PG_UNKNOWN_DELETE, f->id);
    return r < 0 ? r : change_by_id(p, PG_TEXT_DELETE, f->id);
}

static int
put_totals(struct postgres_tables *p, const struct file_stored *f,
           const struct file_counts *counts)
{
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, f->id);
    postgres_arg_int(&args, counts->n_state[HOVER_KNOWN]);
    postgres_arg_int(&args, counts->n_state[HOVER_EMPTY]);
    postgres_arg_int(&args, counts->n_stale);
    return change(p, PG_FILE_COUNTS_PUT, &args);
}

static int
counts_put(struct tables *t, const struct file_stored *f,
           const struct file_counts *counts, bool is_added)
{
    struct postgres_tables *p = postgres_tables_of(t);
    bool is_told = counts->n_state[HOVER_KNOWN] + counts->n_state[HOVER_EMPTY] > 0;
    int r = 0;
    if (is_told)
        postgres_known_add(&p->told, f->f.content.hi ^ f->f.content.lo);
    if (!is_added)
        r = change_by_id(p, PG_UNKNOWN_DELETE, f->id);
    if (r == 0 && (is_told || !is_added))
        r = put_totals(p, f, counts);
    for (int i = 0; i < HOVER_REASON_COUNT && r == 0; i++) {
        struct postgres_args args = {.n = 0};
        if (counts->n_reason[i] == 0)
            continue;
        postgres_arg_int(&args, f->id);
        postgres_arg_int(&args, i);
        postgres_arg_int(&args, counts->n_reason[i]);
        postgres_late_add(p, LATE_UNKNOWN, &args);
    }
    return r;
}

static int
files_expire(struct tables *t, struct str lang, uint64_t server_key,
             uint64_t *ret_n_files)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    int r = postgres_late_flush(p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, lang);
    postgres_arg_int(&args, (int64_t)server_key);
    r = postgres_query(&p->c, PG_FILE_EXPIRE, &args, rows);
    return r < 0 ? r : str_to_u64(str_of(postgres_changed(rows)), ret_n_files);
}

static int
files_all_old(struct tables *t)
{
    struct postgres_tables *p = postgres_tables_of(t);
    return change_by_id(p, PG_FILE_ALL_OLD, p->ws);
}

/* ---- entities ---- */

static int
entities_add(struct tables *t, const struct entity_stored *v, size_t n,
             bool is_added UNUSED)
{
    struct postgres_tables *p = postgres_tables_of(t);
    char places[POSTGRES_PLACES_BYTES];
    for (size_t i = 0; i < n; i++) {
        struct postgres_args args = {.n = 0};
        postgres_entity_args(&v[i], places, &args);
        postgres_late_add(p, LATE_ENTITY, &args);
    }
    return postgres_late_limit(p);
}

static int
entity_put(struct tables *t, const struct entity_stored *s,
           const struct entity_stored *was UNUSED)
{
    char places[POSTGRES_PLACES_BYTES];
    struct postgres_args args = {.n = 0};
    postgres_entity_args(s, places, &args);
    return change(postgres_tables_of(t), PG_ENTITY_PUT, &args);
}

static int
entity_hover_put(struct tables *t, const struct entity_stored *s)
{
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, s->id);
    postgres_arg_int(&args, s->rev);
    postgres_hover_args(s, &args);
    return change(postgres_tables_of(t), PG_ENTITY_HOVER_PUT, &args);
}

static int
entity_delete(struct tables *t, const struct entity_stored *was)
{
    return change_by_id(postgres_tables_of(t), PG_ENTITY_DELETE, was->id);
}

/* ---- hovers, and what is past ---- */

static int
hover_add(struct tables *t, int64_t id, struct str markdown, struct str server)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, id);
    postgres_arg_str(&args, server);
    postgres_arg_str(&args, markdown);
    return postgres_send(&p->c, PG_HOVER_ADD, &args);
}

static int
hover_refs(struct tables *t, int64_t id, int difference)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0}, gone = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, id);
    postgres_arg_int(&args, difference);
    int r = postgres_send(&p->c, PG_HOVER_REFS, &args);
    if (r < 0 || difference > 0)
        return r;
    postgres_arg_int(&gone, p->ws);
    postgres_arg_int(&gone, id);
    return postgres_send(&p->c, PG_HOVER_DELETE, &gone);
}

static int
past_add(struct tables *t, const struct past_row *row)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, ++p->last_past_id);
    postgres_arg_str(&args, str_slice((const char *)&row->content, sizeof(row->content)));
    postgres_arg_str(&args, row->lang);
    postgres_arg_int(&args, (int64_t)row->server_key);
    postgres_arg_int(&args, row->bytes);
    postgres_arg_int(&args, row->used_ms);
    postgres_arg_str(&args, row->hovers);
    return postgres_send(&p->c, PG_PAST_ADD, &args);
}

static int
past_oldest(struct tables *t, struct arena *a, struct past_row *ret_row)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_PAST_OLDEST, &args, rows);
    return r < 0 || postgres_count(rows) == 0 ? r : postgres_past_read(rows, a, ret_row);
}

static int
past_delete(struct tables *t, int64_t id)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, id);
    return postgres_send(&p->c, PG_PAST_DELETE, &args);
}

/* ---- edges ---- */

static int
edges_delete(struct tables *t, const struct file_stored *f)
{
    return change_by_id(postgres_tables_of(t), PG_EDGE_DELETE, f->id);
}

/* Of a file that was just added there are none; others' go first. */
static int
edges_put(struct tables *t, const struct file_stored *f, struct str text)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    int r = f->id == p->added_id ? 0 : edges_delete(t, f);
    if (r < 0)
        return r;
    postgres_arg_int(&args, f->id);
    postgres_arg_str(&args, text);
    postgres_late_add(p, LATE_EDGE, &args);
    return postgres_late_limit(p);
}

/* ---- what was sent once ---- */

static int
once_add(struct tables *t, struct str key, int64_t seq, int64_t ts_ms)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, key);
    postgres_arg_int(&args, seq);
    postgres_arg_int(&args, ts_ms);
    return postgres_send(&p->c, PG_ONCE_ADD, &args);
}

static int
once_prune(struct tables *t, int64_t ts_ms, size_t n_wanted, size_t *ret_n)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    uint64_t n = 0;
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, ts_ms);
    postgres_arg_int(&args, (int64_t)n_wanted);
    int r = postgres_query(&p->c, PG_ONCE_PRUNE, &args, rows);
    if (r == 0)
        r = str_to_u64(str_of(postgres_changed(rows)), &n);
    *ret_n = (size_t)n;
    return r;
}

/* ---- the log ---- */

static int
event_add(struct tables *t, const struct table_event *event)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, event->seq);
    postgres_arg_int(&args, event->type);
    postgres_arg_int(&args, event->ts_ms);
    postgres_arg_str(&args, event->subject);
    postgres_arg_str(&args, event->data);
    postgres_late_add(p, LATE_EVENT, &args);
    p->head = event->seq;
    return postgres_late_limit(p);
}

static int
event_fill(struct tables *t, int64_t seq, struct str data)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    int r = postgres_late_flush(p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, seq);
    postgres_arg_str(&args, data);
    r = postgres_query(&p->c, PG_EVENT_FILL, &args, rows);
    return r < 0 ? r : !str_eq_c(str_of(postgres_changed(rows)), "0");
}

static int
events_oldest(struct tables *t, size_t limit, table_age_fn fn, void *ctx)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    int r = postgres_late_flush(p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, (int64_t)limit);
    r = postgres_query(&p->c, PG_EVENT_OLDEST, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++)
        r = fn(ctx, postgres_int(rows, i, 0), postgres_int(rows, i, 1),
               postgres_int(rows, i, 2));
    return r;
}

static int
events_delete(struct tables *t, int64_t up_to_seq)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, up_to_seq);
    return change(p, PG_EVENT_DELETE, &args);
}

const struct table_writes postgres_writes = {
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .meta_put = meta_put,
    .file_add = file_add,
    .file_put = file_put,
    .file_touch = file_touch,
    .file_server_put = file_server_put,
    .file_text_put = file_text_put,
    .file_delete = file_delete,
    .counts_put = counts_put,
    .files_expire = files_expire,
    .files_all_old = files_all_old,
    .entities_add = entities_add,
    .entity_put = entity_put,
    .entity_hover_put = entity_hover_put,
    .entity_delete = entity_delete,
    .hover_add = hover_add,
    .hover_refs = hover_refs,
    .past_add = past_add,
    .past_oldest = past_oldest,
    .past_delete = past_delete,
    .edges_put = edges_put,
    .edges_delete = edges_delete,
    .once_add = once_add,
    .once_prune = once_prune,
    .event_add = event_add,
    .event_fill = event_fill,
    .events_oldest = events_oldest,
    .events_delete = events_delete,
};
