/* What servers said of a content, for the next file that has it: of a file that is there, or of one
 * that was (hover_past). Invariant: a row of hover_past holds one reference to each text it names; when
 * a file takes the content the row goes, and its references are the entities'. Its bytes are its own
 * and those of the texts that the file let go, though another one may show them as well. */
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/err.h"

#define PRUNE_HOVERS 20000 // of the rows that one step lets go

/* As in the blob. */
struct past_hover {
    uint64_t place;
    int64_t hover_id; // 0: empty
};

/* ---- what is known of a content ---- */

static int
by_place(const void *a, const void *b)
{
    uint64_t x = ((const struct recall_entry *)a)->place;
    uint64_t y = ((const struct recall_entry *)b)->place;
    return (x > y) - (x < y);
}

struct recall_entry *
sqlite_recall_find(const struct recall *recall, uint64_t place)
{
    struct recall_entry wanted = {.place = place};
    if (recall->n == 0)
        return NULL;
    return bsearch(&wanted, recall->v, recall->n, sizeof(wanted), by_place);
}

/* The row that stmt is at: id, server_key, bytes, hovers. */
static int
read_past(sqlite3_stmt *stmt, struct arena *a, struct recall *ret_recall)
{
    size_t size_bytes = (size_t)sqlite3_column_bytes(stmt, 3);
    size_t n = size_bytes / sizeof(struct past_hover);
    if (size_bytes % sizeof(struct past_hover) != 0 || n > ENTITY_PER_FILE_MAX)
        return err_trace(-EBADMSG);
    *ret_recall = (struct recall){
        .v = arena_calloc(a, n + 1, sizeof(*ret_recall->v)),
        .n = n,
        .past_id = sqlite3_column_int64(stmt, 0),
        .server_key = (uint64_t)sqlite3_column_int64(stmt, 1),
        .bytes = sqlite3_column_int64(stmt, 2),
    };
    const char *from = sqlite3_column_blob(stmt, 3);
    for (size_t i = 0; i < n; i++) {
        struct past_hover h;
        memcpy(&h, from + i * sizeof(h), sizeof(h));
        ret_recall->v[i] = (struct recall_entry){
            .place = h.place,
            .hover_id = h.hover_id,
            .state = h.hover_id ? HOVER_KNOWN : HOVER_EMPTY,
        };
    }
    return 0;
}

static int
load_past(struct sqlite_conn *c, const struct file *file, struct arena *a,
          struct recall *ret_recall)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_PAST_GET, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_blob(stmt, 1, &file->content, sizeof(file->content), SQLITE_STATIC);
    sqlite_bind_str(stmt, 2, file->lang);
    r = sqlite_step(c, stmt);
    if (r > 0)
        r = read_past(stmt, a, ret_recall);
    sqlite_put(c, SQL_PAST_GET, stmt);
    return r;
}

/* Another file of this content of which something is known: 1, and how many hovers that are not stale
 * it has; 0 when there is none. */
static int
find_twin(struct sqlite_conn *c, const struct file *file, int64_t own_id, struct arena *a,
          struct file_stored *ret_twin, int64_t *ret_n_fresh)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_TWIN, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_blob(stmt, 1, &file->content, sizeof(file->content), SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, own_id);
    sqlite_bind_str(stmt, 3, file->lang);
    r = sqlite_step(c, stmt);
    if (r > 0) {
        *ret_n_fresh = sqlite3_column_int64(stmt, FILE_COLUMN_COUNT);
        r = sqlite_file_read(stmt, a, ret_twin);
        r = r < 0 ? r : 1;
    }
    sqlite_put(c, SQL_FILE_TWIN, stmt);
    return r;
}

/* Those of a file's entities of which something is known. */
static void
add_told(const struct file_stored *f, const struct entity_list *list, bool with_stale,
         struct arena *a, struct recall *recall)
{
    recall->v = arena_calloc(a, list->n + 1, sizeof(*recall->v));
    recall->server_key = f->f.server_key;
    for (size_t i = 0; i < list->n; i++) {
        const struct entity_stored *s = &list->v[i];
        bool is_stale = s->hover_gen != f->content_gen;
        if (s->hover_state == HOVER_UNKNOWN || (is_stale && !with_stale))
            continue;
        recall->v[recall->n++] = (struct recall_entry){
            .place = entity_place(&s->e),
            .hover_id = s->hover_id,
            .state = s->hover_state,
            .is_stale = is_stale,
        };
    }
    qsort(recall->v, recall->n, sizeof(*recall->v), by_place);
}

int
sqlite_recall_load(struct sqlite_conn *c, const struct file *file, int64_t own_id,
                   bool with_past, struct arena *a, struct recall *ret_recall)
{
    struct file_stored twin;
    struct entity_list list = {0};
    int64_t n_fresh = 0;
    *ret_recall = (struct recall){0};
    int r = with_past ? load_past(c, file, a, ret_recall) : 0;
    if (r < 0 || ret_recall->past_id)
        return err_trace(r);
    r = find_twin(c, file, own_id, a, &twin, &n_fresh);
    if (r <= 0)
        return err_trace(r);
    r = sqlite_entities_of_file(c, &twin, a, &list);
    if (r == 0)
        add_told(&twin, &list, true, a, ret_recall);
    return err_trace(r);
}

int
sqlite_hover_text(struct sqlite_conn *c, int64_t id, struct arena *a,
                  struct str *ret_markdown, struct str *ret_server)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_HOVER_GET, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    r = sqlite_step(c, stmt);
    if (r > 0) {
        *ret_server = arena_str(a, sqlite_column_str(stmt, 1));
        *ret_markdown = arena_str(a, sqlite_column_str(stmt, 2));
    }
    sqlite_put(c, SQL_HOVER_GET, stmt);
    return r;
}

/* A text that is not there any more is not known. */
static int
add_told_text(struct sqlite_conn *c, const struct recall_entry *entry, struct arena *a,
              struct store_told *told)
{
    struct store_told_hover *to = &told->v[told->n];
    int r = 1;
    *to = (struct store_told_hover){.place = entry->place,
                                    .hover = {.state = entry->state}};
    if (entry->hover_id)
        r = sqlite_hover_text(c, entry->hover_id, a, &to->hover.markdown,
                              &to->hover.server);
    told->n += r > 0;
    return MIN(r, 0);
}

int
sqlite_read_told(struct store_reader *reader, struct hash128 content, struct str lang,
                 struct arena *a, struct store_told *ret_told)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    struct file file = {.content = content, .lang = lang};
    struct recall recall = {0};
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = sqlite_recall_load(c, &file, 0, true, a, &recall);
    *ret_told = (struct store_told){
        .server_key = recall.server_key,
        .v = arena_alloc(a, (recall.n + 1) * sizeof(*ret_told->v)),
    };
    for (size_t i = 0; i < recall.n && r == 0; i++) {
        if (!recall.v[i].is_stale)
            r = add_told_text(c, &recall.v[i], a, ret_told);
    }
    sqlite_view_end(c, is_mine);
    if (r == 0 && ret_told->n == 0)
        return -ENOENT;
    return err_trace(r);
}

/* ---- a content leaves ---- */

int
sqlite_past_hold(struct sqlite_writer *w, const struct file_stored *f,
                 const struct entity_list *list, struct recall *ret_kept)
{
    struct file_stored twin;
    int64_t n_fresh = 0;
    *ret_kept = (struct recall){0};
    add_told(f, list, false, &w->scratch, ret_kept);
    if (ret_kept->n == 0)
        return 0;
    int r = find_twin(&w->c, &f->f, f->id, &w->scratch, &twin, &n_fresh);
    if (r > 0 && n_fresh >= (int64_t)ret_kept->n)
        ret_kept->n = 0; // it has them
    for (size_t i = 0; i < ret_kept->n && r >= 0; i++)
        r = sqlite_hover_share(w, ret_kept->v[i].hover_id);
    return err_trace(MIN(r, 0));
}

static int
release(struct sqlite_writer *w, const struct recall *recall)
{
    int r = 0;
    for (size_t i = 0; i < recall->n && r == 0; i++) {
        if (!recall->v[i].is_taken)
            r = sqlite_hover_unref(w, recall->v[i].hover_id);
    }
    return r;
}

static int
remove_past(struct sqlite_writer *w, const struct recall *past)
{
    sqlite3_stmt *stmt = NULL;
    int r = release(w, past);
    if (r == 0)
        r = sqlite_get(&w->c, SQL_PAST_DELETE, &stmt);
    if (r < 0)
        return err_trace(r);
    sqlite3_bind_int64(stmt, 1, past->past_id);
    w->now.past_rows = MAX(w->now.past_rows - 1, 0);
    w->now.past_bytes = MAX(w->now.past_bytes - past->bytes, 0);
    return sqlite_run(&w->c, SQL_PAST_DELETE, stmt);
}

static int
add_past(struct sqlite_writer *w, const struct file *file, const struct recall *kept,
         int64_t text_bytes)
{
    struct past_hover *hovers = arena_calloc(&w->scratch, kept->n, sizeof(*hovers));
    size_t size_bytes = kept->n * sizeof(*hovers);
    int64_t bytes = (int64_t)size_bytes + text_bytes;
    sqlite3_stmt *stmt = NULL;
    for (size_t i = 0; i < kept->n; i++)
        hovers[i] = (struct past_hover){kept->v[i].place, kept->v[i].hover_id};
    int r = sqlite_get(&w->c, SQL_PAST_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_blob(stmt, 1, &file->content, sizeof(file->content), SQLITE_STATIC);
    sqlite_bind_str(stmt, 2, file->lang);
    sqlite3_bind_int64(stmt, 3, (int64_t)kept->server_key);
    sqlite3_bind_int64(stmt, 4, bytes);
    sqlite3_bind_int64(stmt, 5, clock_wall_ms());
    sqlite3_bind_blob(stmt, 6, hovers, (int)size_bytes, SQLITE_STATIC);
    w->now.past_rows++;
    w->now.past_bytes += bytes;
    return sqlite_run(&w->c, SQL_PAST_ADD, stmt);
}

int
sqlite_past_put(struct sqlite_writer *w, const struct file *file,
                const struct recall *kept, int64_t text_bytes)
{
    struct recall there = {0};
    if (kept->n == 0)
        return 0;
    int r = w->now.past_rows > 0 ? load_past(&w->c, file, &w->scratch, &there) : 0;
    if (r < 0)
        return r;
    if (there.past_id && there.n >= kept->n)
        return release(w, kept);
    if (there.past_id)
        r = remove_past(w, &there);
    return r < 0 ? r : add_past(w, file, kept, text_bytes);
}

/* ---- it comes back, or is forgotten ---- */

int
sqlite_past_end(struct sqlite_writer *w, const struct recall *recall)
{
    return recall->past_id ? remove_past(w, recall) : 0;
}

/* 1 the one used longest ago, 0 there is none. */
static int
oldest_past(struct sqlite_writer *w, struct recall *ret_past)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_PAST_OLDEST, &stmt);
    if (r < 0)
        return r;
    r = sqlite_step(&w->c, stmt);
    if (r > 0) {
        r = read_past(stmt, &w->scratch, ret_past);
        r = r < 0 ? r : 1;
    }
    sqlite_put(&w->c, SQL_PAST_OLDEST, stmt);
    return r;
}

int
sqlite_past_prune(struct sqlite_writer *w, bool *ret_more)
{
    size_t n = 0;
    *ret_more = false;
    while (w->now.past_rows > STORE_PAST_ROWS || w->now.past_bytes > STORE_PAST_BYTES) {
        struct recall past;
        *ret_more = n >= PRUNE_HOVERS;
        if (*ret_more)
            break;
        arena_reset(&w->scratch);
        int r = oldest_past(w, &past);
        if (r == 0)
            w->now.past_rows = w->now.past_bytes = 0;
        if (r > 0)
            r = remove_past(w, &past);
        if (r < 0)
            return err_trace(r);
        n += past.n + 1;
    }
    return 0;
}
