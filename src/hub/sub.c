/* Why: a subscription is a cursor, nothing else waits for a slow reader. Rows behind the cursor come
 * from the store a page at a time while the ring of the bus does not reach back that far, then from
 * the ring; being live is to find nothing behind the cursor. Invariant: the cursor moves only when the
 * last message of a row was handed out, and always to the next row of the log, so that nothing is
 * skipped and nothing sent twice. */
#include "hub/sub.h"

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/feed.h"
#include "hub/filter.h"
#include "hub/page.h"
#include "hub/parcel.h"
#include "hub/snapshot.h"
#include "workspace/workspace.h"

#define LOG_MODULE "hub"
#include "base/log.h"

/* What is looked at without being sent, in units of some 50 ns: one turn takes less than a millisecond of the loop. */
#define SUB_LOOK_MAX 10000
#define SUB_LOOK_PART 1
#define SUB_LOOK_FILTER 40 // and one for each SUB_LOOK_BYTES of an event
#define SUB_LOOK_BYTES 8
#define SUB_LOOK_ROW 50
#define SUB_LOOK_WINDOW 4000 // HUB_FRAME_BYTES_MAX are copied

enum sub_state {
    SUB_OPENING, // the workspace is not open yet
    SUB_PROVING, // does the log still reach back to the cursor?
    SUB_RUNNING,
};

struct sub {
    struct list link;      // the owner's
    struct list feed_link; // the feed's
    struct sub_owner *owner;
    struct feed *feed;
    enum sub_state state;
    char id[16];
    char id_json[24]; // ["s1"]
    char *request_id; // NULL: nobody waits
    struct since since;
    char *since_epoch; // what since.epoch points at
    VEC(char *) patterns;
    struct filter *filter; // NULL: none
    enum sub_snapshot wants_snapshot;
    struct snapshot *snapshot; // comes before anything else
    struct sub_position at;
    struct parcel_kind *kind; // NULL: it was not looked for yet
    struct sub_place place;
    struct page *page; // that it reads from; NULL: none
    size_t page_at;
    struct page_wait wait;
    bool is_lost;
};

/* ---- replies ---- */

static bool is_of_pattern(const struct sub *s, const char *event_type);

/* With the rows of the index, and then behind what they surely contain. */
static void
begin_with_rows(struct sub *s)
{
    struct workspace *w = feed_workspace(s->feed);
    s->at.cursor = bus_head(workspace_bus(w));
    page_unref(steal(s->page));
    s->snapshot = snapshot_open(
        s->owner->client, w,
        &(struct snapshot_options){.sub = s->id_json,
                                   .head = s->at.cursor,
                                   .has_rows = is_of_pattern(s, "entity.added"),
                                   .filter = s->filter});
}

/* It begins behind the cursor. */
static void
begin(struct sub *s, const char *reason)
{
    struct bus *bus = workspace_bus(feed_workspace(s->feed));
    bool is_needed = reason || s->since.from == SINCE_NOW;
    s->state = SUB_RUNNING;
    if (s->wants_snapshot == SUB_SNAPSHOT_ALWAYS ||
        (s->wants_snapshot == SUB_SNAPSHOT_IF_NEEDED && is_needed))
        begin_with_rows(s);
    s->at.ephemeral = feed_ephemeral_end(s->feed);
    s->at.skip = reason || s->snapshot ? 0 : s->since.n_parts;
    s->owner->on_begin(s->owner, s,
                       &(struct sub_begin){.request_id = s->request_id,
                                           .reason = reason,
                                           .from = s->at.cursor + 1,
                                           .head = bus_head(bus),
                                           .n_parts = s->at.skip,
                                           .has_snapshot = s->snapshot != NULL});
    free(steal(s->request_id));
    s->owner->wake(s->owner);
}

static void
begin_at_head(struct sub *s, const char *reason)
{
    s->at.cursor = bus_head(workspace_bus(feed_workspace(s->feed)));
    begin(s, reason);
}

/* It never begins. */
static void
give_up(struct sub *s, enum problem p, const char *detail)
{
    s->owner->on_refused(s->owner, s->request_id, p, detail);
    sub_close(s);
}

/* ---- pages from the store ---- */

static void
take_page(struct sub *s, struct page *page)
{
    s->page = page;
    s->page_at = page_place(page, s->at.cursor);
    s->since.from = SINCE_CURSOR;
}

/* False as soon as something behind the cursor is missing. */
static bool
take_page_read(struct sub *s, struct page *page)
{
    if (!page ||
        (page->events[0]->seq > s->at.cursor + 1 && s->since.from != SINCE_START))
        return false;
    s->at.cursor = MAX(s->at.cursor, page->events[0]->seq - 1);
    take_page(s, page_ref(page));
    return true;
}

static void
on_page(struct page_wait *wait, int r, struct page *page)
{
    struct sub *s = container_of(wait, struct sub, wait);
    if (r < 0) {
        log_warn("the log of %s cannot be read: %s",
                 workspace_root(feed_workspace(s->feed)), err_text(r));
        if (s->state == SUB_PROVING)
            give_up(s, problem_of_error(r), err_text(r));
        else
            s->owner->on_broken(s->owner, "the log cannot be read now");
        return;
    }
    bool is_there = take_page_read(s, page);
    if (s->state == SUB_RUNNING) {
        s->is_lost = !is_there;
        s->owner->wake(s->owner);
    } else if (is_there) {
        begin(s, NULL);
    } else if (s->since.from == SINCE_START) {
        begin_at_head(s, NULL); // an empty log is seen whole
    } else {
        begin_at_head(s, "pruned");
    }
}

/* True: it is there. Else on_page() comes, or it is lost. What is at hand was read a moment ago, and who wants the oldest
 * rows that there are wants those of now. */
static bool
fetch_page(struct sub *s)
{
    struct pages *all = feed_pages(s->feed);
    struct page *page = NULL;
    if (s->wait.is_on)
        return false;
    if (s->since.from != SINCE_START)
        page = page_find(all, s->at.cursor);
    if (page)
        take_page(s, page);
    else if (page_wait_begin(all, &s->wait, s->at.cursor) < 0)
        s->is_lost = s->state == SUB_RUNNING;
    return page;
}

/* ---- where it begins ---- */

static void
prove(struct sub *s)
{
    struct workspace *w = feed_workspace(s->feed);
    struct bus *bus = workspace_bus(w);
    const struct since *since = &s->since;
    if (since->from == SINCE_NOW) {
        begin_at_head(s, NULL);
        return;
    }
    if (since->epoch.n > 0 && !str_eq_c(since->epoch, workspace_epoch(w))) {
        begin_at_head(s, "epoch");
        return;
    }
    if (since->seq > bus_head(bus) ||
        (since->n_parts > 0 && since->seq == bus_head(bus))) {
        begin_at_head(s, "ahead");
        return;
    }
    s->at.cursor = since->seq;
    if (bus_covers(bus, s->at.cursor)) {
        begin(s, NULL);
        return;
    }
    s->state = SUB_PROVING;
    if (fetch_page(s))
        begin(s, NULL);
}

void
sub_on_workspace(struct list *feed_link)
{
    struct sub *s = list_entry(feed_link, struct sub, feed_link);
    struct workspace *w = feed_workspace(s->feed);
    if (s->state != SUB_OPENING)
        return;
    if (workspace_query(w))
        prove(s);
    else if (workspace_state(w) != WORKSPACE_OPENING)
        give_up(s, PROBLEM_NOT_READY,
                workspace_why(w) ? workspace_why(w) : "the workspace is closing");
}

/* The names of an earlier document: what it called a document or a chunk is an entity. */
static char *
copy_pattern(struct str pattern)
{
    static const char *const old_names[] = {"document.", "chunk."};
    for (size_t i = 0; i < ARRAY_LEN(old_names); i++) {
        size_t n = strlen(old_names[i]);
        if (str_starts_with(pattern, str_of(old_names[i])))
            return xasprintf("entity.%.*s",
                             STR_ARG(str_slice(pattern.p + n, pattern.n - n)));
    }
    return str_dup(pattern);
}

void
sub_owner_init(struct sub_owner *o, struct hub *h)
{
    *o = (struct sub_owner){.hub = h, .next_sub = 1};
    list_init(&o->subs);
}

void
sub_open(struct sub_owner *o, struct workspace *w, const struct sub_options *options)
{
    struct sub *s = xnew(struct sub);
    assert(o->client || options->snapshot == SUB_SNAPSHOT_NEVER);
    s->owner = o;
    s->feed = feed_of(o->hub, w);
    s->state = SUB_OPENING;
    snprintf(s->id, sizeof(s->id), "s%" PRIu64, o->next_sub++);
    snprintf(s->id_json, sizeof(s->id_json), "[\"%s\"]", s->id);
    s->request_id = xstrdup(options->request_id);
    s->since = options->since;
    s->since_epoch = str_dup(options->since.epoch);
    s->since.epoch = str_of(s->since_epoch);
    for (size_t i = 0; i < options->n_patterns; i++)
        *vec_push(&s->patterns) = copy_pattern(options->patterns[i]);
    s->filter = options->filter;
    s->wants_snapshot = options->snapshot;
    s->wait.on_page = on_page;
    list_add(&o->subs, &s->link);
    o->n_subs++;
    feed_add(s->feed, &s->feed_link);
    sub_on_workspace(&s->feed_link);
}

void
sub_close(struct sub *s)
{
    page_wait_end(&s->wait);
    snapshot_close(s->snapshot);
    page_unref(s->page);
    sub_position_finish(&s->at);
    parcel_kind_unref(s->kind);
    for (size_t i = 0; i < s->patterns.n; i++)
        free(s->patterns.v[i]);
    vec_finish(&s->patterns);
    filter_destroy(s->filter);
    free(s->request_id);
    free(s->since_epoch);
    list_remove(&s->link);
    list_remove(&s->feed_link);
    s->owner->n_subs--;
    free(s);
}

/* ---- what comes next ---- */

static bool
is_of_pattern(const struct sub *s, const char *event_type)
{
    if (s->patterns.n == 0)
        return true;
    for (size_t i = 0; i < s->patterns.n; i++)
        if (match_pattern(str_of(s->patterns.v[i]), str_of(event_type)))
            return true;
    return false;
}

static bool
is_wanted(struct sub *s, const struct window *w, const struct window_part *part)
{
    s->owner->look_left -= SUB_LOOK_PART;
    if (!part->event_type)
        return true;
    if (!is_of_pattern(s, part->event_type))
        return false;
    if (!s->filter)
        return true;
    s->owner->look_left -= SUB_LOOK_FILTER + (int)(part->data_size / SUB_LOOK_BYTES);
    return filter_accepts(s->filter,
                          str_slice(w->text.p + part->data_offset, part->data_size));
}

/* The window is done with: the row's next one, or none. */
static void
leave_window(struct sub *s)
{
    struct window *w = s->at.window;
    s->at.part = 0;
    if (w->has_more) {
        s->owner->look_left -= SUB_LOOK_WINDOW;
        s->at.window = feed_window_behind(s->feed, w);
    } else {
        s->at.window = NULL;
        s->at.cursor = MAX(s->at.cursor, w->seq);
        event_unref(steal(s->at.row));
    }
    window_unref(w);
}

/* The next wanted message of the row; SUB_QUIET at its end. */
static enum sub_next
next_part(struct sub *s, struct str *ret_frame)
{
    while (s->at.window) {
        struct window *w = s->at.window;
        while (s->at.part < w->parts.n) {
            if (s->owner->look_left <= 0)
                return SUB_BUSY;
            size_t at = s->at.part++;
            const struct window_part *part = &w->parts.v[at];
            if (!is_wanted(s, w, part))
                continue;
            *ret_frame = str_slice(w->text.p + part->offset, part->size);
            s->place =
                (struct sub_place){.event_type = part->event_type,
                                   .seq = w->seq,
                                   .index = w->first + (uint32_t)at,
                                   .is_last = !w->has_more && at + 1 == w->parts.n};
            return SUB_FRAME;
        }
        if (w->has_more && s->owner->look_left <= 0)
            return SUB_BUSY;
        leave_window(s);
    }
    return SUB_QUIET;
}

/* Of the page, which is let go behind its last row. A reference. */
static struct event *
next_of_page(struct sub *s)
{
    struct event *event = event_ref(s->page->events[s->page_at++]);
    if (s->page_at == s->page->n)
        page_unref(steal(s->page));
    return event;
}

/* A reference, or NULL: nothing yet, or lost. */
static struct event *
next_row(struct sub *s)
{
    const struct bus *bus = workspace_bus(feed_workspace(s->feed));
    if (s->page)
        return next_of_page(s);
    struct event *live = feed_ephemeral(s->feed, &s->at.ephemeral, s->at.cursor);
    if (live)
        return event_ref(live);
    if (s->at.cursor >= bus_head(bus))
        return NULL;
    if (bus_covers(bus, s->at.cursor))
        return event_ref(bus_next(bus, s->at.cursor));
    return fetch_page(s) ? next_of_page(s) : NULL;
}

/* At its end it is gone. */
static enum sub_next
next_of_snapshot(struct sub *s, struct str *ret_frame)
{
    const char *why;
    switch (snapshot_next(s->snapshot, ret_frame, &why)) {
    case SNAPSHOT_FRAME: return SUB_FRAME;
    case SNAPSHOT_WAITS: return SUB_QUIET;
    case SNAPSHOT_BUSY: return SUB_BUSY;
    case SNAPSHOT_OVER: snapshot_close(steal(s->snapshot)); return SUB_QUIET;
    case SNAPSHOT_FAILED:
        log_warn("the index of %s cannot be read: %s",
                 workspace_root(feed_workspace(s->feed)), why);
        s->owner->on_broken(s->owner, "the index cannot be read now");
        return SUB_QUIET;
    }
    return SUB_QUIET;
}

enum sub_next
sub_next_frame(struct sub *s, struct str *ret_frame)
{
    if (s->state != SUB_RUNNING)
        return SUB_QUIET;
    s->place = (struct sub_place){0};
    if (s->snapshot) {
        enum sub_next next = next_of_snapshot(s, ret_frame);
        if (s->snapshot)
            return next;
    }
    if (s->owner->look_left <= 0) // a new turn
        s->owner->look_left = SUB_LOOK_MAX;
    for (;;) {
        enum sub_next next = next_part(s, ret_frame);
        if (next != SUB_QUIET)
            return next;
        if (s->is_lost)
            return SUB_LOST;
        if (s->owner->look_left <= 0)
            return SUB_BUSY;
        if (!s->at.row)
            s->at.row = next_row(s);
        if (!s->at.row)
            return s->is_lost ? SUB_LOST : SUB_QUIET;
        s->owner->look_left -= SUB_LOOK_ROW;
        s->at.window = feed_window(s->feed, s->at.row,
                                   s->at.row->seq > 0 ? s->at.skip : 0, s->id_json);
        if (!s->at.window)
            return SUB_BUSY;
        if (s->at.row->seq > 0)
            s->at.skip = 0;
    }
}

/* ---- standing where others stand ---- */

static bool
is_of_same_row(const struct event *a, const struct event *b)
{
    return a == b || (a && b && a->seq > 0 && a->seq == b->seq);
}

bool
sub_position_is(const struct sub_position *a, const struct sub_position *b)
{
    return a->cursor == b->cursor && a->ephemeral == b->ephemeral && a->part == b->part &&
           a->skip == b->skip && is_of_same_row(a->row, b->row) &&
           !a->window == !b->window &&
           (!a->window || a->window->first == b->window->first);
}

void
sub_position_copy(struct sub_position *to, const struct sub_position *from)
{
    *to = *from;
    if (to->row)
        event_ref(to->row);
    if (to->window)
        window_ref(to->window);
}

void
sub_position_finish(struct sub_position *at)
{
    event_unref(steal(at->row));
    window_unref(steal(at->window));
}

/* Behind a row, not at its end: that is the same place. */
const struct sub_position *
sub_position(struct sub *s)
{
    const struct window *w = s->at.window;
    if (w && !w->has_more && s->at.part == w->parts.n)
        leave_window(s);
    return &s->at;
}

void
sub_move(struct sub *s, const struct sub_position *to)
{
    struct sub_position before = s->at;
    sub_position_copy(&s->at, to);
    sub_position_finish(&before);
    int64_t taken = to->row ? MAX(to->row->seq, to->cursor) : to->cursor;
    if (s->page)
        s->page_at = page_place(s->page, taken);
    if (s->page && s->page_at == s->page->n)
        page_unref(steal(s->page));
    s->since.from = SINCE_CURSOR;
    page_wait_end(&s->wait); // for what is behind where it was
}

bool
sub_is_running(const struct sub *s)
{
    return s->state == SUB_RUNNING && !s->snapshot;
}

struct parcel_kind *
sub_kind(struct sub *s, bool has_lines)
{
    AUTO(buf_finish) struct buf text = {0};
    if (s->kind)
        return s->kind;
    buf_printf(&text, "%d%s", has_lines, s->id_json);
    for (size_t i = 0; i < s->patterns.n; i++)
        buf_printf(&text, "%zu:%s", strlen(s->patterns.v[i]), s->patterns.v[i]);
    if (s->filter)
        buf_add_cstr(&text, filter_text(s->filter));
    s->kind = parcel_kind_of(feed_parcels(s->feed), buf_str(&text));
    return s->kind;
}

/* ---- what it is ---- */

const char *
sub_id(const struct sub *s)
{
    return s->id;
}

struct feed *
sub_feed(const struct sub *s)
{
    return s->feed;
}

int64_t
sub_cursor(const struct sub *s)
{
    return s->at.cursor;
}

size_t
sub_memory(const struct sub *s)
{
    size_t bytes = sizeof(*s) + s->patterns.n * sizeof(*s->patterns.v);
    if (s->page && s->page->refs == 1)
        bytes += s->page->n_bytes;
    return bytes + (s->snapshot ? snapshot_memory(s->snapshot) : 0);
}

const struct sub_place *
sub_place(const struct sub *s)
{
    return &s->place;
}

struct sub *
sub_of_owner_link(struct list *link)
{
    return list_entry(link, struct sub, link);
}

void
sub_on_published(struct list *feed_link)
{
    struct sub_owner *o = list_entry(feed_link, struct sub, feed_link)->owner;
    o->wake(o);
}
