/* The event log's rows: a file's delta on the way in, wire events on the way out.
 * Invariant: a row is expanded whole or not at all; it is checked to its end before the first event
 * of it is handed out. */
#include "base/clock.h"
#include "base/err.h"
#include "base/utf.h"
#include "codec/codec.h"
#include "codec/put.h"
#include "codec/slice.h"

/* ---- writing a delta ---- */

void
codec_delta_finish(struct codec_delta *d)
{
    if (!d)
        return;
    buf_finish(&d->added);
    buf_finish(&d->updated);
    buf_finish(&d->deleted);
    buf_finish(&d->enriched);
    *d = (struct codec_delta){0};
}

/* Count one more element of `list` and separate it from the one before. */
static void
begin_element(struct buf *list, size_t *n)
{
    if ((*n)++ > 0)
        buf_add_char(list, ',');
}

void
codec_delta_add(struct codec_delta *d, const struct entity_row *row)
{
    begin_element(&d->added, &d->n_added);
    codec_add_entity(&d->added, row, CODEC_WITH_HOVER);
}

void
codec_delta_update(struct codec_delta *d, const struct entity_row *row)
{
    begin_element(&d->updated, &d->n_updated);
    codec_add_entity(&d->updated, row, CODEC_WITH_HOVER);
}

/* What deleted and enriched elements have in common, without the closing brace. */
static void
put_identity(struct buf *b, const struct entity_row *row)
{
    put_lit(b, "{\"key\":");
    codec_add_string(b, row->key);
    put_lit(b, ",\"lang\":");
    codec_add_string(b, row->lang);
    put_lit(b, ",\"kind\":\"");
    buf_add_cstr(b, entity_kind_name(row->e.kind));
    put_lit(b, "\",\"name\":");
    codec_add_string(b, row->e.name);
    put_lit(b, ",\"path\":");
    codec_add_string(b, row->path);
}

void
codec_delta_delete(struct codec_delta *d, const struct entity_row *row)
{
    begin_element(&d->deleted, &d->n_deleted);
    put_identity(&d->deleted, row);
    buf_add_char(&d->deleted, '}');
}

void
codec_delta_enrich(struct codec_delta *d, const struct entity_row *row)
{
    begin_element(&d->enriched, &d->n_enriched);
    put_identity(&d->enriched, row);
    put_lit(&d->enriched, ",\"hover\":");
    codec_add_hover(&d->enriched, &row->hover);
    put_lit(&d->enriched, ",\"rev\":");
    put_i64(&d->enriched, row->rev);
    buf_add_char(&d->enriched, '}');
}

static void
put_list(struct buf *b, const char *key, const struct buf *elements, size_t n)
{
    if (n == 0)
        return;
    put_lit(b, ",\"");
    buf_add_cstr(b, key);
    put_lit(b, "\":[");
    buf_add_str(b, buf_str(elements));
    buf_add_char(b, ']');
}

void
codec_delta_write(struct buf *b, const struct codec_delta *d, const struct file *file)
{
    put_lit(b, "{\"path\":");
    codec_add_string(b, file->path);
    put_lit(b, ",\"lang\":");
    codec_add_string(b, file->lang);
    put_lit(b, ",\"state\":\"");
    buf_add_cstr(b, file_state_name(file->state));
    buf_add_char(b, '"');
    if (file->reason != FILE_REASON_NONE) {
        put_lit(b, ",\"reason\":\"");
        buf_add_cstr(b, file_reason_name(file->reason));
        buf_add_char(b, '"');
    }
    put_list(b, "added", &d->added, d->n_added);
    put_list(b, "updated", &d->updated, d->n_updated);
    put_list(b, "deleted", &d->deleted, d->n_deleted);
    put_list(b, "enriched", &d->enriched, d->n_enriched);
    buf_add_char(b, '}');
}

/* ---- expanding a row ---- */

/* In the order in which they go out: a name that moved to another key is gone before it is new. */
static const struct list_row {
    const char *key;
    const char *event_type;
} list_rows[CODEC_LIST_COUNT] = {
    [CODEC_DELETED] = {"deleted", "entity.deleted"},
    [CODEC_ADDED] = {"added", "entity.added"},
    [CODEC_UPDATED] = {"updated", "entity.updated"},
    [CODEC_ENRICHED] = {"enriched", "entity.enriched"},
};

/* A row is mostly ASCII and may be megabytes: eight bytes at a time where there is nothing to ask. */
static bool
is_utf8(struct str s)
{
    while (s.n > 0) {
        uint64_t eight = UINT64_MAX;
        size_t n = 8;
        if (s.n >= sizeof(eight))
            memcpy(&eight, s.p, sizeof(eight));
        if (eight & 0x8080808080808080u) {
            uint32_t code_point;
            n = utf8_decode(s, &code_point);
            if (n == 1 && (unsigned char)s.p[0] >= 0x80)
                return false;
        }
        s = str_slice(s.p + n, s.n - n);
    }
    return true;
}

static bool is_delta(enum event_type type);

static int
find_list(const struct codec_row *row, struct str key)
{
    int i = is_delta(row->event->type) ? 0 : CODEC_LIST_COUNT;
    while (i < CODEC_LIST_COUNT && !str_eq_c(key, list_rows[i].key))
        i++;
    return i;
}

/* Of an object's member: a list is entered, another value is taken. */
static int
read_member(struct codec_row *row, struct slice_walk *walk, struct str key)
{
    struct slice_walk inner;
    struct str value;
    int i = find_list(row, key), r;
    if (i < CODEC_LIST_COUNT) {
        if (row->lists[i].n > 0) // twice
            return err_trace(-EINVAL);
        r = slice_enter(walk, &inner);
        row->lists[i].p = walk->rest.p;
        row->list = i;
        row->list_left = inner.rest;
        row->is_list_first = true;
        return r;
    }
    r = slice_value(walk, &value);
    if (r < 0 || !is_utf8(key) || !is_utf8(value))
        return err_trace(-EINVAL);
    if (!is_delta(row->event->type))
        return 0;
    if (row->rest.n > 0)
        buf_add_char(&row->rest, ',');
    buf_add_char(&row->rest, '"');
    buf_add_str(&row->rest, key);
    put_lit(&row->rest, "\":");
    buf_add_str(&row->rest, value);
    return 0;
}

/* On with a list, as long as more than `until` bytes of the row are left. */
static int
read_list(struct codec_row *row, struct slice_walk *walk, size_t until)
{
    struct slice_walk inner = {.rest = row->list_left,
                               .close = ']',
                               .is_first = row->is_list_first,
                               .is_within = true};
    struct str *list = &row->lists[row->list], key, element;
    int r = 0;
    while (r == 0 && (until == 0 || inner.rest.n > until)) {
        r = slice_next(&inner, &key, &element);
        if (r == 0 && (element.p[0] != '{' || !is_utf8(element)))
            return err_trace(-EINVAL);
        row->counts[row->list] += r == 0;
    }
    row->list_left = inner.rest;
    row->is_list_first = inner.is_first;
    if (r != SLICE_E_END)
        return r < 0 ? r : CODEC_E_MORE;
    list->n = (size_t)(inner.rest.p - list->p);
    slice_leave(walk, &inner);
    row->list = CODEC_LIST_COUNT;
    return 0;
}

void
codec_row_init(struct codec_row *row, const struct event *event)
{
    *row = (struct codec_row){
        .event = event, .list = CODEC_LIST_COUNT, .is_first = true, .left = event->data};
}

int
codec_row_read(struct codec_row *row, size_t n_bytes)
{
    struct slice_walk walk = {.rest = row->left, .close = '}', .is_first = row->is_first};
    size_t n_left = row->list < CODEC_LIST_COUNT ? row->list_left.n : row->left.n;
    size_t until = n_left > n_bytes ? n_left - n_bytes : 0;
    struct str key;
    int r = 0;
    if (row->left.p == row->event->data.p)
        r = slice_open(&walk, row->event->data, '{');
    while (r == 0) {
        if (row->list < CODEC_LIST_COUNT)
            r = read_list(row, &walk, until);
        else if (until > 0 && walk.rest.n <= until)
            r = CODEC_E_MORE;
        else if ((r = slice_key(&walk, &key)) == 0)
            r = read_member(row, &walk, key);
    }
    row->left = walk.rest;
    row->is_first = walk.is_first;
    return r == SLICE_E_END ? 0 : r < 0 ? err_trace(r) : r;
}

/* One wire event per element. */
static int
emit_list(struct codec_wire_event *wire, struct str array, struct codec_place *place,
          codec_wire_fn fn, void *ctx)
{
    struct slice_walk walk;
    struct str key;
    int r = 0;
    if (place->is_within)
        walk = (struct slice_walk){.rest = place->before, .close = ']'};
    else
        r = slice_open(&walk, array, '[');
    while (r == 0) {
        place->before = walk.rest;
        place->is_within = !walk.is_first;
        r = slice_next(&walk, &key, &wire->data);
        if (r != 0)
            break;
        int stop = fn(ctx, wire);
        if (stop != 0)
            return stop;
        place->index = ++wire->index;
    }
    return r == SLICE_E_END ? 0 : r;
}

/* The row's other members with counts in place of the arrays. */
static void
put_counts(struct buf *b, const struct codec_row *row)
{
    buf_add_char(b, '{');
    buf_add_str(b, buf_str(&row->rest));
    for (int i = 0; i < CODEC_LIST_COUNT; i++) {
        if (b->n > 1)
            buf_add_char(b, ',');
        buf_add_char(b, '"');
        buf_add_cstr(b, list_rows[i].key);
        put_lit(b, "\":");
        put_u64(b, row->counts[i]);
    }
    buf_add_char(b, '}');
}

static bool
is_delta(enum event_type type)
{
    switch (type) {
    case EVENT_FILE_COMPLETED:
    case EVENT_FILE_FAILED:
    case EVENT_FILE_DELETED:
    case EVENT_ENTITY_ENRICHED: return true;
    case EVENT_INDEX_REBUILT:
    case EVENT_PIPELINE_ONLINE:
    case EVENT_PIPELINE_OFFLINE:
    case EVENT_LIBRARY_CREATED:
    case EVENT_LIBRARY_DELETED:
    case EVENT_FILE_PROCESSING:
    case EVENT_STATUS_UPDATE:
    case EVENT_HEARTBEAT:
    case EVENT_JOB_SUBMITTED:
    case EVENT_JOB_COMPLETED:
    case EVENT_JOB_FAILED:
    case EVENT_JOB_CANCELLED:
    case EVENT_JOB_PROGRESS:
    case EVENT_TYPE_COUNT: break;
    }
    return false;
}

void
codec_row_finish(struct codec_row *row)
{
    if (row)
        buf_finish(&row->rest);
}

/* The event of the row itself, behind its lists. */
static int
emit_own(struct codec_wire_event *wire, const struct codec_row *row, codec_wire_fn fn,
         void *ctx)
{
    AUTO(buf_finish) struct buf counts = {0};
    wire->event_type = event_type_name(row->event->type);
    wire->data = row->event->data;
    if (is_delta(row->event->type)) {
        put_counts(&counts, row);
        wire->data = buf_str(&counts);
    }
    return fn(ctx, wire);
}

int
codec_row_expand(const struct codec_row *row, struct codec_place *place, codec_wire_fn fn,
                 void *ctx)
{
    const struct event *event = row->event;
    struct codec_wire_event wire = {
        .seq = event->seq,
        .index = place->index,
        .time_ms = event->time_ms,
        .subject = event->subject,
    };
    for (; place->list < CODEC_LIST_COUNT; place->list++) {
        wire.event_type = list_rows[place->list].event_type;
        if (row->counts[place->list] == 0)
            continue;
        int r = emit_list(&wire, row->lists[place->list], place, fn, ctx);
        if (r != 0)
            return r;
        place->is_within = false;
    }
    /* Hovers of a file are no change of the file. */
    return event->type == EVENT_ENTITY_ENRICHED ? 0 : emit_own(&wire, row, fn, ctx);
}

int
codec_event_expand(const struct event *event, codec_wire_fn fn, void *ctx)
{
    struct codec_row row;
    struct codec_place place = {0};
    codec_row_init(&row, event);
    int r = codec_row_read(&row, SIZE_MAX);
    if (r == 0)
        r = codec_row_expand(&row, &place, fn, ctx);
    codec_row_finish(&row);
    return r;
}

void
codec_add_wire_event(struct buf *b, const struct codec_wire_event *event,
                     struct str epoch, struct str workspace, struct str sub)
{
    char time[CLOCK_ISO_BYTES];
    clock_iso8601(event->time_ms, time);
    put_lit(b, "{\"type\":\"event\",\"event_type\":\"");
    buf_add_cstr(b, event->event_type);
    buf_add_char(b, '"');
    if (event->seq > 0) {
        put_lit(b, ",\"seq\":");
        put_i64(b, event->seq);
        put_lit(b, ",\"i\":");
        put_u64(b, event->index);
    }
    put_lit(b, ",\"epoch\":");
    codec_add_string(b, epoch);
    put_lit(b, ",\"workspace\":");
    codec_add_string(b, workspace);
    put_lit(b, ",\"library_id\":");
    codec_add_string(b, workspace);
    put_lit(b, ",\"time\":\"");
    buf_add_cstr(b, time);
    put_lit(b, "\",\"subject\":");
    codec_add_string(b, event->subject);
    if (sub.n > 0) {
        put_lit(b, ",\"sub\":");
        buf_add_str(b, sub);
    }
    put_lit(b, ",\"data\":");
    if (event->data.n > 0)
        buf_add_str(b, event->data);
    else
        put_lit(b, "{}");
    buf_add_char(b, '}');
}
