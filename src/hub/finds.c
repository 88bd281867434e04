/* Why: a hundred thousand results are no message. Which entities they are is known at once, as numbers;
 * their rows are read a page at a time, the next while one is on its way, so what is held does not
 * grow with what was found. Invariant: the last line says how it ended; without one it was cut off. */
#include "hub/finds.h"

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/terms.h"
#include "workspace/workspace.h"

#define FINDS_LIMIT_DEFAULT 1000
#define FINDS_PAGE 200               // rows of one read
#define FINDS_PART_BYTES (64u << 10) // of one write

struct finds {
    struct exchange *exchange;
    struct hub *hub;
    struct workspace *workspace;
    json_t *data; // what terms points into; or the exchange's address
    struct terms terms;
    struct ask *ask;
    struct query_result *found; // the numbers
    struct query_result *page;
    size_t next_match, next_row;
    uint64_t n_sent;
    int error;
};

static void
on_gone(void *owner)
{
    struct finds *f = owner;
    ask_abandon(f->ask);
    query_result_destroy(f->found);
    query_result_destroy(f->page);
    json_decref(f->data);
    f->hub->n_finds--;
    free(f);
}

static void
on_late(void *owner)
{
    struct finds *f = owner;
    ask_abandon(steal(f->ask));
    exchange_problem(f->exchange, PROBLEM_OVERLOADED, EXCHANGE_LATE);
}

/* ---- reads ---- */

static void
on_page(struct ask *ask, struct query_result **result)
{
    struct finds *f = ask->owner;
    f->ask = NULL;
    f->error = (*result)->r;
    f->next_row = 0;
    f->page = steal(*result);
    exchange_wake(f->exchange);
}

/* While no page is at hand. */
static void
read_on(struct finds *f)
{
    struct query *q = workspace_query(f->workspace);
    size_t n = MIN((size_t)FINDS_PAGE, f->found->n_matches - f->next_match);
    if (f->ask || f->error < 0)
        return;
    if (!q) {
        f->error = -ECANCELED;
        return;
    }
    f->ask = ask_open(f->hub, f->workspace, (struct asker){0}, on_page, f);
    f->ask->ticket = query_match_rows(
        q, &f->terms.search, f->found->matches + f->next_match, n, ask_on_done, f->ask);
    f->next_match += n;
}

static void
on_found(struct ask *ask, struct query_result **result)
{
    struct finds *f = ask->owner;
    f->ask = NULL;
    if ((*result)->r < 0) {
        exchange_problem(f->exchange, problem_of_error((*result)->r),
                         err_text((*result)->r));
        return;
    }
    f->found = steal(*result);
    exchange_begin(f->exchange, 200, SERVE_LINES);
}

/* ---- lines ---- */

/* id, score and text are what an earlier document calls them. */
static void
add_result(struct buf *lines, const struct entity_row *row)
{
    struct str text = row->snippet.n > 0       ? row->snippet
                      : row->e.signature.n > 0 ? row->e.signature
                                               : row->e.name;
    buf_add_cstr(lines, "{\"type\":\"result\",\"id\":");
    codec_add_string(lines, row->key);
    buf_printf(lines, ",\"score\":%.9g,\"text\":", row->score);
    codec_add_string(lines, text);
    buf_add_cstr(lines, ",\"entity\":");
    codec_add_entity(lines, row, CODEC_WITH_SCORE);
    buf_add_cstr(lines, "}\n");
}

static void
add_rows(struct finds *f, struct buf *part)
{
    size_t end = part->n + FINDS_PART_BYTES;
    for (; f->next_row < f->page->n_rows && part->n < end; f->n_sent++)
        add_result(part, &f->page->rows[f->next_row++]);
    if (f->next_row == f->page->n_rows)
        query_result_destroy(steal(f->page));
}

/* truncated: there may be more of it than was asked for. */
static void
add_last_line(struct finds *f, struct buf *part)
{
    if (f->error < 0) {
        buf_add_cstr(part, "{\"type\":\"error\",\"problem\":");
        problem_add(part, problem_of_error(f->error), err_text(f->error));
        buf_add_cstr(part, "}\n");
        return;
    }
    buf_add_cstr(part, "{\"type\":\"done\",\"workspace\":");
    codec_add_string(part, str_of(workspace_id(f->workspace)));
    buf_printf(part, ",\"count\":%" PRIu64 ",\"truncated\":%s}\n", f->n_sent,
               f->found->n_matches == f->terms.search.limit ? "true" : "false");
}

static bool
next_part(void *owner, struct buf *part)
{
    struct finds *f = owner;
    if (f->page && f->error == 0)
        add_rows(f, part);
    if (f->error == 0 && !f->page && f->next_match < f->found->n_matches)
        read_on(f);
    if (f->error == 0 && (f->page || f->ask))
        return f->page;
    add_last_line(f, part);
    exchange_end(f->exchange);
    return false;
}

/* ---- beginning ---- */

static bool
read_terms(struct finds *f, const char **ret_why)
{
    struct exchange *x = f->exchange;
    f->terms.search.limit = FINDS_LIMIT_DEFAULT;
    if (!f->data)
        return terms_read_address(x, true, QUERY_MATCHES_MAX, &f->terms, ret_why);
    return terms_read_json(f->data, QUERY_MATCHES_MAX, &f->terms, ret_why);
}

void
finds_serve(struct exchange *x)
{
    static const struct exchange_stream stream = {
        .next_part = next_part, .on_late = on_late, .on_gone = on_gone};
    struct workspace *w = hub_find_workspace(x->hub, x->params[0]);
    struct query *q = w ? workspace_query(w) : NULL;
    const char *why;
    if (!w) {
        exchange_problem(x, PROBLEM_NOT_FOUND, "no workspace of this id is open");
        return;
    }
    if (!q) {
        why = workspace_why(w);
        exchange_problem(x, PROBLEM_NOT_READY, why ? why : "the index is being opened");
        return;
    }
    if (x->hub->n_finds >= FINDS_MAX) {
        exchange_problem(x, PROBLEM_OVERLOADED, "too many such searches at once");
        return;
    }
    struct finds *f = xnew(struct finds);
    f->exchange = x;
    f->hub = x->hub;
    f->workspace = w;
    f->hub->n_finds++;
    exchange_set_stream(x, &stream, f);
    f->data = x->body.n > 0 ? exchange_read_object(x) : NULL;
    if (x->is_answered)
        return;
    if (!read_terms(f, &why)) {
        exchange_problem(x, PROBLEM_BAD_REQUEST, why);
        return;
    }
    f->ask = ask_open(f->hub, w, (struct asker){0}, on_found, f);
    f->ask->ticket = query_matches(q, &f->terms.search, ask_on_done, f->ask);
}
