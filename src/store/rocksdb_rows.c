/* What a row is as bytes: the one place that knows. Invariant: what is written is read as it was, and
 * no bytes at all make anything but a row or -EBADMSG. */
#include "store/rocksdb_rows.h"

#include "base/err.h"

#define VARINT_BYTES 10
#define ENTITY_NUMBERS_BYTES                                                             \
    (32 * VARINT_BYTES) // all but the texts of an entity's row, at most

/* What an entity's row says by a bit. */
#define HAS_SCOPE 1 // the qualified name is another one
#define HAS_PARENT 2
#define HAS_HOVER 4
#define HAS_ODD 8 // places that do not follow from the others
#define ENTITY_FLAGS 16

/* ---- numbers and texts ---- */

static inline char *
put_number(char *p, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *p++ = (char)(value | 0x80);
    *p++ = (char)value;
    return p;
}

static inline char *
put_signed(char *p, int64_t value)
{
    return put_number(p, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static inline char *
put_bytes(char *p, const void *from, size_t n)
{
    if (n > 0)
        memcpy(p, from, n);
    return p + n;
}

static inline char *
put_str(char *p, struct str s)
{
    return put_bytes(put_number(p, s.n), s.p, s.n);
}

/* What was put from b->p + b->n on, into room that was reserved. */
static void
end_at(struct buf *b, char *p)
{
    *p = '\0';
    b->n = (size_t)(p - b->p);
}

void
rocks_pack(struct buf *b, uint64_t value)
{
    if (b->cap - b->n <= VARINT_BYTES)
        buf_reserve(b, VARINT_BYTES);
    end_at(b, put_number(b->p + b->n, value));
}

void
rocks_pack_signed(struct buf *b, int64_t value)
{
    rocks_pack(b, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void
rocks_pack_str(struct buf *b, struct str s)
{
    rocks_pack(b, s.n);
    if (s.n > 0)
        buf_add_str(b, s);
}

static void
pack_bytes(struct buf *b, const void *p, size_t n)
{
    buf_add(b, p, n);
}

uint64_t
rocks_take(struct rocks_unpack *u)
{
    uint64_t value = 0;
    size_t i = 0;
    for (; i < u->rest.n && i < VARINT_BYTES; i++) {
        unsigned char byte = (unsigned char)u->rest.p[i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            u->rest = str_slice(u->rest.p + i + 1, u->rest.n - i - 1);
            return value;
        }
    }
    u->is_bad = true;
    return 0;
}

int64_t
rocks_take_signed(struct rocks_unpack *u)
{
    uint64_t value = rocks_take(u);
    return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

uint32_t
rocks_take_below(struct rocks_unpack *u, uint64_t limit)
{
    uint64_t value = rocks_take(u);
    if (value >= limit || value > UINT32_MAX) {
        u->is_bad = true;
        return 0;
    }
    return (uint32_t)value;
}

static uint32_t
take_u32(struct rocks_unpack *u)
{
    return rocks_take_below(u, (uint64_t)UINT32_MAX + 1);
}

struct str
rocks_take_str(struct rocks_unpack *u)
{
    uint64_t n = rocks_take(u);
    if (u->is_bad || n > u->rest.n) {
        u->is_bad = true;
        return STR_NONE;
    }
    struct str s = str_slice(u->rest.p, n);
    u->rest = str_slice(u->rest.p + n, u->rest.n - n);
    return s;
}

static void
take_bytes(struct rocks_unpack *u, void *to, size_t n)
{
    if (u->is_bad || u->rest.n < n) {
        u->is_bad = true;
        memset(to, 0, n);
        return;
    }
    memcpy(to, u->rest.p, n);
    u->rest = str_slice(u->rest.p + n, u->rest.n - n);
}

/* The end of a row. */
static int
check(const struct rocks_unpack *u)
{
    return u->is_bad || u->rest.n > 0 ? err_trace(-EBADMSG) : 0;
}

/* ---- a file ---- */

void
rocks_file_write(struct buf *b, const struct file_stored *f)
{
    rocks_pack_str(b, f->f.path);
    rocks_pack_str(b, f->f.lang);
    rocks_pack(b, f->f.state);
    rocks_pack(b, f->f.reason);
    rocks_pack(b, f->f.size_bytes);
    rocks_pack_signed(b, f->f.mtime_ns);
    rocks_pack(b, f->f.inode);
    pack_bytes(b, &f->f.content, sizeof(f->f.content));
    pack_bytes(b, &f->f.server_key, sizeof(f->f.server_key));
    rocks_pack_signed(b, f->content_gen);
    rocks_pack_signed(b, f->text_gen);
    rocks_pack(b, f->n_entities);
    rocks_pack(b, f->n_edges);
    rocks_pack_signed(b, f->log_seq);
}

int
rocks_file_read(struct str text, int64_t id, struct file_stored *ret_file)
{
    struct rocks_unpack u = {.rest = text};
    struct file_stored f = {.id = id};
    f.f.path = rocks_take_str(&u);
    f.f.lang = rocks_take_str(&u);
    f.f.state = (enum file_state)rocks_take_below(&u, FILE_STATE_COUNT);
    f.f.reason = (enum file_reason)rocks_take_below(&u, FILE_REASON_COUNT);
    f.f.size_bytes = rocks_take(&u);
    f.f.mtime_ns = rocks_take_signed(&u);
    f.f.inode = rocks_take(&u);
    take_bytes(&u, &f.f.content, sizeof(f.f.content));
    take_bytes(&u, &f.f.server_key, sizeof(f.f.server_key));
    f.content_gen = rocks_take_signed(&u);
    f.text_gen = rocks_take_signed(&u);
    f.n_entities = rocks_take(&u);
    f.n_edges = rocks_take(&u);
    f.log_seq = rocks_take_signed(&u);
    *ret_file = f;
    return check(&u);
}

void
rocks_counts_write(struct buf *b, const struct file_counts *counts)
{
    for (int i = 0; i < HOVER_STATE_COUNT; i++)
        rocks_pack_signed(b, counts->n_state[i]);
    rocks_pack_signed(b, counts->n_stale);
    for (int i = 0; i < HOVER_REASON_COUNT; i++)
        rocks_pack_signed(b, counts->n_reason[i]);
}

/* Reasons are appended: a row may know fewer. */
int
rocks_counts_read(struct str text, struct file_counts *ret_counts)
{
    struct rocks_unpack u = {.rest = text};
    struct file_counts counts = {.n_stale = 0};
    for (int i = 0; i < HOVER_STATE_COUNT; i++)
        counts.n_state[i] = rocks_take_signed(&u);
    counts.n_stale = rocks_take_signed(&u);
    for (int i = 0; i < HOVER_REASON_COUNT && u.rest.n > 0; i++)
        counts.n_reason[i] = rocks_take_signed(&u);
    *ret_counts = counts;
    return check(&u);
}

/* ---- an entity ---- */

#define ODD_NUMBERS 7

/* What follows from the rest when there is nothing odd: UTF-16 columns as bytes, the name, of n bytes, at its place
 * in the source as it is. */
static void
derive(struct span *range, struct span *name, size_t n)
{
    range->start.col_utf16 = range->start.col_byte;
    range->end.col_utf16 = range->end.col_byte;
    name->start.col_utf16 = name->start.col_byte;
    name->end = name->start;
    name->end.col_byte += (uint32_t)n;
    name->end.col_utf16 = name->end.col_byte;
    name->end_byte = name->start_byte + (uint32_t)n;
}

static void
list_odd(struct entity *e, uint32_t *ret_numbers[ODD_NUMBERS])
{
    struct span *range = &e->range, *name = &e->name_range;
    uint32_t *const numbers[ODD_NUMBERS] = {
        &range->start.col_utf16, &range->end.col_utf16, &name->start.col_utf16,
        &name->end.line,         &name->end.col_byte,   &name->end.col_utf16,
        &name->end_byte,
    };
    memcpy(ret_numbers, numbers, sizeof(numbers));
}

static bool
is_odd(const struct entity *e)
{
    struct span range = e->range, name = e->name_range;
    derive(&range, &name, e->name.n);
    return !span_eq(&range, &e->range) || !span_eq(&name, &e->name_range);
}

static char *
put_places(char *p, const struct entity *e, bool has_odd)
{
    const struct span *range = &e->range, *name = &e->name_range;
    p = put_number(p, range->start.line);
    p = put_number(p, range->start.col_byte);
    p = put_number(p, range->start_byte);
    p = put_signed(p, (int64_t)range->end.line - range->start.line);
    p = put_number(p, range->end.col_byte);
    p = put_signed(p, (int64_t)range->end_byte - range->start_byte);
    p = put_signed(p, (int64_t)name->start.line - range->start.line);
    p = put_number(p, name->start.col_byte);
    p = put_signed(p, (int64_t)name->start_byte - range->start_byte);
    if (!has_odd)
        return p;
    uint32_t *odd[ODD_NUMBERS];
    struct entity copy = *e;
    list_odd(&copy, odd);
    for (int i = 0; i < ODD_NUMBERS; i++)
        p = put_number(p, *odd[i]);
    return p;
}

static uint32_t
take_beside(struct rocks_unpack *u, uint32_t at)
{
    int64_t apart = rocks_take_signed(u);
    if (apart < -(int64_t)UINT32_MAX || apart > UINT32_MAX || apart + at < 0 ||
        apart + at > UINT32_MAX) {
        u->is_bad = true;
        return 0;
    }
    return (uint32_t)(apart + at);
}

static void
read_places(struct rocks_unpack *u, struct entity *e, bool has_odd)
{
    struct span *range = &e->range, *name = &e->name_range;
    range->start.line = take_u32(u);
    range->start.col_byte = take_u32(u);
    range->start_byte = take_u32(u);
    range->end.line = take_beside(u, range->start.line);
    range->end.col_byte = take_u32(u);
    range->end_byte = take_beside(u, range->start_byte);
    name->start.line = take_beside(u, range->start.line);
    name->start.col_byte = take_u32(u);
    name->start_byte = take_beside(u, range->start_byte);
    derive(range, name, e->name.n);
    if (!has_odd)
        return;
    uint32_t *odd[ODD_NUMBERS];
    list_odd(e, odd);
    for (int i = 0; i < ODD_NUMBERS; i++)
        *odd[i] = take_u32(u);
}

static bool
has_hover(const struct entity_stored *s)
{
    return s->hover_state != HOVER_UNKNOWN || s->hover_reason != HOVER_REASON_NOT_ASKED ||
           s->hover_gen != 0 || s->hover_id != 0;
}

static char *
put_hover(char *p, const struct entity_stored *s)
{
    p = put_number(p, s->hover_state);
    p = put_number(p, s->hover_reason);
    p = put_signed(p, s->hover_gen);
    return put_bytes(p, &s->hover_id, sizeof(s->hover_id));
}

/* A load writes more of these than of all else: room for all of it is made at once. */
void
rocks_entity_write(struct buf *b, const struct entity_stored *s)
{
    const struct entity *e = &s->e;
    bool has_odd = is_odd(e), has_scope = !str_eq(e->name, e->qualified_name);
    bool has_parent = e->parent != ENTITY_NONE, is_asked = has_hover(s);
    buf_reserve(b, ENTITY_NUMBERS_BYTES + e->name.n + e->qualified_name.n +
                       e->signature.n + e->doc.n);
    char *p = b->p + b->n;
    p = put_number(p, (has_scope ? HAS_SCOPE : 0) | (has_odd ? HAS_ODD : 0) |
                          (has_parent ? HAS_PARENT : 0) | (is_asked ? HAS_HOVER : 0));
    p = put_number(p, e->kind);
    p = put_number(p, e->ordinal);
    p = put_str(p, e->name);
    if (has_scope)
        p = put_str(p, e->qualified_name);
    if (has_parent)
        p = put_number(p, e->parent);
    p = put_bytes(p, &e->hash, sizeof(e->hash));
    p = put_signed(p, s->rev);
    if (is_asked)
        p = put_hover(p, s);
    p = put_places(p, e, has_odd);
    p = put_str(p, e->signature);
    end_at(b, put_str(p, e->doc));
}

static void
read_hover(struct rocks_unpack *u, struct entity_stored *s)
{
    s->hover_state = (enum hover_state)rocks_take_below(u, HOVER_STATE_COUNT);
    s->hover_reason = (enum hover_reason)rocks_take_below(u, HOVER_REASON_COUNT);
    s->hover_gen = rocks_take_signed(u);
    take_bytes(u, &s->hover_id, sizeof(s->hover_id));
}

int
rocks_entity_read(struct str text, int64_t id, struct entity_stored *ret_entity)
{
    struct rocks_unpack u = {.rest = text};
    struct entity_stored s = {.id = id, .hover_reason = HOVER_REASON_NOT_ASKED};
    uint32_t flags = rocks_take_below(&u, ENTITY_FLAGS);
    s.e.kind = (enum entity_kind)rocks_take_below(&u, ENTITY_KIND_COUNT);
    s.e.ordinal = take_u32(&u);
    s.e.name = rocks_take_str(&u);
    s.e.qualified_name = flags & HAS_SCOPE ? rocks_take_str(&u) : s.e.name;
    s.e.parent = ENTITY_NONE;
    if (flags & HAS_PARENT)
        s.e.parent = rocks_take_below(&u, SLOT_MASK + 1);
    take_bytes(&u, &s.e.hash, sizeof(s.e.hash));
    s.rev = rocks_take_signed(&u);
    if (flags & HAS_HOVER)
        read_hover(&u, &s);
    read_places(&u, &s.e, flags & HAS_ODD);
    s.e.signature = rocks_take_str(&u);
    s.e.doc = rocks_take_str(&u);
    *ret_entity = s;
    return check(&u);
}

/* ---- events, past contents ---- */

void
rocks_event_write(struct buf *b, const struct table_event *event)
{
    rocks_pack(b, event->type);
    rocks_pack_signed(b, event->ts_ms);
    rocks_pack_str(b, event->subject);
    rocks_pack_str(b, event->data);
}

int
rocks_event_read(struct str text, int64_t seq, struct table_event *ret_event)
{
    struct rocks_unpack u = {.rest = text};
    struct table_event event = {.seq = seq};
    event.type = (enum event_type)rocks_take_below(&u, EVENT_TYPE_COUNT);
    event.ts_ms = rocks_take_signed(&u);
    event.subject = rocks_take_str(&u);
    event.data = rocks_take_str(&u);
    if (!event_type_is_durable(event.type))
        return err_trace(-EBADMSG);
    *ret_event = event;
    return check(&u);
}

void
rocks_past_write(struct buf *b, const struct past_row *row)
{
    pack_bytes(b, &row->content, sizeof(row->content));
    rocks_pack_str(b, row->lang);
    pack_bytes(b, &row->server_key, sizeof(row->server_key));
    rocks_pack_signed(b, row->bytes);
    rocks_pack_signed(b, row->used_ms);
    rocks_pack_str(b, row->hovers);
}

int
rocks_past_read(struct str text, int64_t id, struct past_row *ret_row)
{
    struct rocks_unpack u = {.rest = text};
    struct past_row row = {.id = id};
    take_bytes(&u, &row.content, sizeof(row.content));
    row.lang = rocks_take_str(&u);
    take_bytes(&u, &row.server_key, sizeof(row.server_key));
    row.bytes = rocks_take_signed(&u);
    row.used_ms = rocks_take_signed(&u);
    row.hovers = rocks_take_str(&u);
    *ret_row = row;
    return check(&u);
}
