/* Why: those who come back together read the same log, and each page of it is a question to the index, which answers a
 * few at a time. Whoever wants rows of a page that is being read waits for that one, and what was read is at hand for a
 * moment, for whoever comes behind. Invariant: a page has no gap, ends with what was published, and does not change. */
#include "hub/page.h"

#include "base/mem.h"
#include "hub/ask.h"
#include "workspace/workspace.h"

#define PAGE_ROWS_MAX 500
#define PAGE_ROWS_MIN 16

/* A page on its way. */
struct page_read {
    struct list link; // the feed's
    struct pages *all;
    struct ask *ask;
    int64_t from;
    size_t limit;
    struct list waits;
};

/* ---- pages ---- */

struct page *
page_ref(struct page *p)
{
    p->refs++;
    return p;
}

void
page_unref(struct page *p)
{
    if (!p || --p->refs > 0)
        return;
    list_remove(&p->link);
    for (size_t i = 0; i < p->n; i++)
        event_unref(p->events[i]);
    free(p->events);
    free(p);
}

static void
let_go(struct page *p)
{
    p->is_kept = false;
    p->all->kept_bytes -= p->n_bytes;
    page_unref(p);
}

/* The oldest ones make room for it. */
static void
keep(struct pages *all, struct page *p)
{
    p->is_kept = p->is_wanted = true;
    all->kept_bytes += p->n_bytes;
    for (struct list *it = all->pages.prev, *before;
         all->kept_bytes > PAGES_BYTES_MAX && it != &all->pages; it = before) {
        struct page *old = list_entry(it, struct page, link);
        before = it->prev;
        if (old->is_kept && old != p)
            let_go(old);
    }
}

/* What one client may hold up, and at least one row. A commit can be read a moment before it is published: whoever was
 * sent such a row, and came back with it, would be told that there is none. NULL: there is nothing. */
static struct page *
page_create(struct pages *all, int64_t from, const struct query_result *result)
{
    int64_t head = bus_head(workspace_bus(all->workspace));
    size_t n_max = result->n_events, n = 0, n_bytes = 0;
    while (n_max > 0 && result->events[n_max - 1]->seq > head)
        n_max--;
    for (; n < n_max && n_bytes < HUB_FRAME_BYTES_MAX; n++)
        n_bytes += sizeof(struct event) + result->events[n]->subject.n +
                   result->events[n]->data.n;
    all->limit = n < n_max ? MAX(n * 2, (size_t)PAGE_ROWS_MIN) : all->limit * 2;
    all->limit = MIN(all->limit, (size_t)PAGE_ROWS_MAX);
    if (n == 0)
        return NULL;
    struct page *p = xnew(struct page);
    p->all = all;
    p->refs = 1;
    p->from = from;
    p->n = n;
    p->n_bytes = n_bytes;
    p->events = xreallocarray(NULL, n, sizeof(*p->events));
    for (size_t i = 0; i < n; i++)
        p->events[i] = event_ref(result->events[i]);
    list_add_first(&all->pages, &p->link);
    keep(all, p);
    return p;
}

size_t
page_place(const struct page *p, int64_t cursor)
{
    size_t i = 0;
    while (i < p->n && p->events[i]->seq <= cursor)
        i++;
    return i;
}

static bool
has_next(const struct page *p, int64_t cursor)
{
    return p->events[0]->seq <= cursor + 1 && p->events[p->n - 1]->seq > cursor;
}

struct page *
page_find(struct pages *all, int64_t cursor)
{
    list_for_each (it, &all->pages) {
        struct page *p = list_entry(it, struct page, link);
        if (!has_next(p, cursor))
            continue;
        p->is_wanted = true;
        return page_ref(p);
    }
    return NULL;
}

void
pages_trim(struct pages *all)
{
    list_for_each_safe (it, &all->pages) {
        struct page *p = list_entry(it, struct page, link);
        if (p->is_kept && !p->is_wanted)
            let_go(p);
        else
            p->is_wanted = false;
    }
}

/* ---- reads ---- */

static void
read_destroy(struct page_read *read)
{
    list_remove(&read->link);
    free(read);
}

/* What the page has too little of for this one is read anew. */
static void
tell(struct pages *all, struct page_wait *wait, int64_t from, int r, struct page *p)
{
    bool is_enough = wait->cursor == from || (p && has_next(p, wait->cursor));
    list_remove(&wait->link);
    wait->is_on = false;
    if (r == 0 && !is_enough)
        r = page_wait_begin(all, wait, wait->cursor);
    if (!wait->is_on)
        wait->on_page(wait, r, r < 0 ? NULL : p);
}

static void
on_read(struct ask *ask, struct query_result **result)
{
    struct page_read *read = ask->owner;
    struct pages *all = read->all;
    int64_t from = read->from;
    int r = (*result)->r;
    struct page *p = r < 0 ? NULL : page_create(all, from, *result);
    struct list waits;
    list_init(&waits);
    list_splice(&waits, &read->waits);
    list_for_each (it, &waits)
        list_entry(it, struct page_wait, link)->read = NULL;
    read_destroy(read);
    if (p)
        page_ref(p);               // they may be the last to want it
    while (!list_is_empty(&waits)) // each may end the wait of others
        tell(all, list_first(&waits, struct page_wait, link), from, r, p);
    page_unref(p);
}

/* A read that will have the row behind the cursor, unless its rows are large. */
static struct page_read *
find_read(struct pages *all, int64_t cursor)
{
    list_for_each (it, &all->reads) {
        struct page_read *read = list_entry(it, struct page_read, link);
        if (read->from <= cursor && (uint64_t)(cursor - read->from) < read->limit)
            return read;
    }
    return NULL;
}

static struct page_read *
read_begin(struct pages *all, struct query *q, int64_t from)
{
    struct page_read *read = xnew(struct page_read);
    read->all = all;
    read->from = from;
    read->limit = all->limit;
    list_init(&read->waits);
    list_add(&all->reads, &read->link);
    read->ask = ask_open(all->hub, all->workspace, (struct asker){0}, on_read, read);
    read->ask->ticket = query_events(q, from, read->limit, ask_on_done, read->ask);
    return read;
}

int
page_wait_begin(struct pages *all, struct page_wait *wait, int64_t cursor)
{
    struct query *q = workspace_query(all->workspace);
    assert(!wait->is_on);
    if (!q)
        return -ENOTCONN;
    wait->is_on = true;
    wait->cursor = cursor;
    wait->read = find_read(all, cursor);
    if (!wait->read)
        wait->read = read_begin(all, q, cursor);
    list_add(&wait->read->waits, &wait->link);
    return 0;
}

void
page_wait_end(struct page_wait *wait)
{
    if (!wait->is_on)
        return;
    struct page_read *read = steal(wait->read);
    wait->is_on = false;
    list_remove(&wait->link);
    if (!read || !list_is_empty(&read->waits))
        return;
    ask_abandon(read->ask);
    read_destroy(read);
}

/* ---- life ---- */

void
pages_init(struct pages *all, struct hub *h, struct workspace *w)
{
    *all = (struct pages){.hub = h, .workspace = w, .limit = PAGE_ROWS_MAX};
    list_init(&all->pages);
    list_init(&all->reads);
}

void
pages_finish(struct pages *all)
{
    assert(list_is_empty(&all->reads));
    list_for_each_safe (it, &all->pages) {
        struct page *p = list_entry(it, struct page, link);
        assert(p->is_kept);
        let_go(p);
    }
    assert(list_is_empty(&all->pages));
}
