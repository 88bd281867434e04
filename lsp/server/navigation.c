/* hover and definition from the index: the word under the cursor, and the entities of that name, the one
 * at the place itself first, then those of the same file, then the rest. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/uri.h"
#include "lsp/server/methods.h"

#define SERVER_DEFINITIONS_MAX 50

/* 3: the cursor is on its name; 2: same file; 1: elsewhere. */
static int
nearness(const struct pending *p, const struct entity_row *row)
{
    if (!str_eq_c(row->path, p->uri))
        return 1;
    if (p->at.line == row->e.name_range.start.line &&
        p->at.col_byte >= row->e.name_range.start.col_byte &&
        p->at.col_byte <= row->e.name_range.end.col_byte)
        return 3;
    return 2;
}

/* What a bare name most likely means, between equals in nearness. */
static int
weight(enum entity_kind kind)
{
    switch (kind) {
    case ENTITY_FUNCTION:
    case ENTITY_METHOD:
    case ENTITY_CLASS:
    case ENTITY_INTERFACE:
    case ENTITY_TRAIT: return 3;
    case ENTITY_STRUCT:
    case ENTITY_UNION:
    case ENTITY_ENUM:
    case ENTITY_TYPE_ALIAS:
    case ENTITY_MACRO:
    case ENTITY_TABLE:
    case ENTITY_TARGET:
    case ENTITY_MODULE:
    case ENTITY_NAMESPACE:
    case ENTITY_CONSTRUCTOR:
    case ENTITY_IMPL: return 2;
    case ENTITY_ENUM_MEMBER:
    case ENTITY_FIELD:
    case ENTITY_PROPERTY:
    case ENTITY_VARIABLE:
    case ENTITY_CONSTANT:
    case ENTITY_SECTION:
    case ENTITY_KEY:
    case ENTITY_SELECTOR:
    case ENTITY_ELEMENT:
    case ENTITY_BLOCK:
    case ENTITY_KIND_COUNT: return 1;
    }
    return 0;
}

const struct entity_row *
navigation_best(const struct pending *p, const struct query_result *result,
                bool (*is_wanted)(enum entity_kind kind))
{
    const struct entity_row *best = NULL;
    int best_score = 0;

    for (size_t i = 0; i < result->n_rows; i++) {
        const struct entity_row *row = &result->rows[i];
        int score = nearness(p, row) * 10 + weight(row->e.kind);

        if (score > best_score && (!is_wanted || is_wanted(row->e.kind))) {
            best = row;
            best_score = score;
        }
    }
    return best;
}

/* ---- hover ---- */

static void
add_state(struct buf *text, const struct hover *h)
{
    switch (h->state) {
    case HOVER_KNOWN:
        buf_printf(text, "\n\n---\n*gloss: %.*s%s*",
                   STR_ARG(h->server.n ? h->server : STR("known")),
                   h->stale ? ", of an earlier text" : "");
        return;
    case HOVER_EMPTY:
        buf_add_cstr(text,
                     "\n\n---\n*gloss: the language server has nothing to say of it*");
        return;
    case HOVER_UNKNOWN:
    case HOVER_STATE_COUNT:
        buf_printf(text, "\n\n---\n*gloss: unknown (%s)*", hover_reason_name(h->reason));
        return;
    }
}

static void
add_own_text(struct buf *text, const struct entity_row *row)
{
    buf_printf(text, "```%.*s\n%.*s\n```", STR_ARG(row->lang),
               STR_ARG(row->e.signature.n ? row->e.signature : row->e.name));
    if (row->e.doc.n)
        buf_printf(text, "\n\n%.*s", STR_ARG(row->e.doc));
}

static void
count_hover(const struct pending *p)
{
    if (p->session && p->session->host.hover_us)
        histogram_add(p->session->host.hover_us,
                      (uint64_t)(clock_mono_ns() - p->read_ns) / 1000);
}

static void
on_hover_rows(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    const struct entity_row *row =
        (*result)->r == 0 && p->session ? navigation_best(p, *result, NULL) : NULL;

    p->ticket = NULL;
    if (row) {
        AUTO(buf_finish) struct buf text = {0}, json = {0};

        if (row->hover.state == HOVER_UNKNOWN || row->hover.stale)
            workspace_want_hovers(p->workspace, row->path);
        if (row->hover.state == HOVER_KNOWN && row->hover.markdown.n)
            buf_add_str(&text, row->hover.markdown);
        else
            add_own_text(&text, row);
        add_state(&text, &row->hover);
        buf_add_cstr(&json, "{\"contents\":{\"kind\":\"markdown\",\"value\":");
        codec_add_string(&json, buf_str(&text));
        buf_add_char(&json, '}');
        if (nearness(p, row) == 3) {
            buf_add_cstr(&json, ",\"range\":");
            place_add_range(p->session, &json, &row->e.name_range);
        }
        buf_add_char(&json, '}');
        pending_reply(p, buf_str(&json));
    }
    pending_reply(p, STR("null"));
    count_hover(p);
    pending_destroy(p);
}

/* ---- definition ---- */

static void
on_definition_rows(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    const struct entity_row *best =
        (*result)->r == 0 && p->session ? navigation_best(p, *result, NULL) : NULL;
    AUTO(buf_finish) struct buf json = {0};
    size_t n = 0;

    p->ticket = NULL;
    for (size_t i = 0; best && i < (*result)->n_rows && n < SERVER_DEFINITIONS_MAX; i++) {
        const struct entity_row *row = &(*result)->rows[i];

        if (nearness(p, row) != nearness(p, best) ||
            weight(row->e.kind) < weight(best->e.kind))
            continue;
        buf_add_char(&json, n++ ? ',' : '[');
        place_add_location(p->session, &json, p->workspace, row);
    }
    buf_add_char(&json, ']');
    pending_reply(p, n ? buf_str(&json) : STR("null"));
    pending_destroy(p);
}

/* ---- all of them ---- */

static void
ask(struct pending *p, query_done_fn done, bool is_near)
{
    struct query *q = workspace_query(p->workspace);

    if (!q) {
        pending_reply(p, STR("null"));
        pending_destroy(p);
    } else if (is_near) {
        p->ticket = query_near(q, str_of(p->word), str_of(p->uri), done, p);
    } else {
        p->ticket = query_named(q, str_of(p->word), done, p);
    }
}

void
navigation_named(struct pending *p, query_done_fn done)
{
    ask(p, done, false);
}

/* Those of the document itself go before all others, so of the best none is missing. */
static void
run_hover(struct pending *p)
{
    ask(p, on_hover_rows, true);
}

static void
run_definition(struct pending *p)
{
    ask(p, on_definition_rows, true);
}

void
navigation_ask(struct server_session *s, const struct wire_id *id, json_t *params,
               enum feature f, void (*run)(struct pending *p))
{
    struct session_doc *doc = session_find_doc(s, params, NULL);
    struct position at;
    struct pending *p;
    struct str word;

    if (doc && !place_read(s, doc, codec_object(params, "position"), &at)) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS, "position is missing");
        return;
    }
    word = doc && doc->workspace && feature_is_on(s, f, doc) ? place_word(doc, at)
                                                             : STR_NONE;
    if (word.n == 0 || word.n > ENTITY_NAME_BYTES_MAX) {
        wire_reply(s->wire, id, NULL);
        return;
    }
    p = pending_create(s, id, doc->workspace);
    p->uri = xstrdup(doc->path);
    p->word = str_dup(word);
    p->at = at;
    pending_set_deadline(p, SERVER_HOVER_MS);
    pending_when_open(p, run);
}

void
navigation_hover(struct server_session *s, const struct wire_id *id, json_t *params)
{
    navigation_ask(s, id, params, s->hover, run_hover);
}

void
navigation_definition(struct server_session *s, const struct wire_id *id, json_t *params)
{
    navigation_ask(s, id, params, s->definition, run_definition);
}
