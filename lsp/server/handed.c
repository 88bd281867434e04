/* gloss/hovers: the editor hands over what its own servers told it, so that nobody asks them twice. What
 * cannot be given to one entity of one text without doubt is dropped, and the answer says how much of it
 * and why. */
#include "base/mem.h"
#include "base/utf.h"
#include "lsp/server/methods.h"

enum drop {
    DROP_DOCUMENT, // not open in this session, or outside of its folders
    DROP_VERSION,  // the editor is at another one
    DROP_TEXT,     // the index has another one, though it is of this version
    DROP_OPENING,  // there is no index yet
    DROP_PLACE,    // not in the name of an entity
    DROP_EMPTY,
    DROP_SHAPE, // not a hover
    DROP_SIZE,  // beyond SERVER_HANDED_BYTES_MAX
    DROP_FAILED,
    DROP_COUNT
};

static const char *const drop_names[DROP_COUNT] = {
    [DROP_DOCUMENT] = "document", [DROP_VERSION] = "version", [DROP_TEXT] = "text",
    [DROP_OPENING] = "opening",   [DROP_PLACE] = "place",     [DROP_EMPTY] = "empty",
    [DROP_SHAPE] = "shape",       [DROP_SIZE] = "size",       [DROP_FAILED] = "failed",
};

struct handing {
    struct pending *p;
    size_t n_dropped[DROP_COUNT];
};

static void
add_result(struct buf *json, size_t n_taken, const size_t n_dropped[DROP_COUNT])
{
    bool is_first = true;

    buf_printf(json, "{\"taken\":%zu,\"dropped\":{", n_taken);
    for (size_t i = 0; i < DROP_COUNT; i++) {
        if (n_dropped[i] == 0)
            continue;
        buf_printf(json, "%s\"%s\":%zu", is_first ? "" : ",", drop_names[i],
                   n_dropped[i]);
        is_first = false;
    }
    buf_add_cstr(json, "}}");
}

static enum drop
drop_of(int r)
{
    if (r == 0)
        return DROP_PLACE;
    if (r == -ESTALE)
        return DROP_TEXT;
    return r == -EAGAIN ? DROP_OPENING : DROP_FAILED;
}

static void
on_handed(void *ctx, const struct handed_hovers *h)
{
    struct handing *job = ctx;
    AUTO(buf_finish) struct buf json = {0};
    size_t n_taken = 0;

    for (size_t i = 0; i < h->n; i++)
        n_taken += h->v[i].is_taken;
    job->n_dropped[drop_of(h->r)] += h->n - n_taken;
    add_result(&json, n_taken, job->n_dropped);
    pending_reply(job->p, buf_str(&json));
    pending_destroy(job->p);
    free(job);
}

/* ---- reading ---- */

/* "clangd (editor)": what hover.server says of it. */
static struct str
source_of(struct arena *a, struct str server)
{
    AUTO(buf_finish) struct buf text = {0};

    for (size_t i = 0; i < server.n; i++)
        buf_add_char(&text, (unsigned char)server.p[i] < 0x20 ? ' ' : server.p[i]);
    buf_add_cstr(&text, server.n ? " (editor)" : "editor");
    return arena_str(a, buf_str(&text));
}

/* `position`, or else the `range` of the hover. */
static bool
read_place(const struct server_session *s, const struct session_doc *doc,
           const json_t *one, struct handed_hover *h)
{
    const json_t *range = codec_object(one, "range");

    if (json_object_get(one, "position")) {
        if (!place_read(s, doc, codec_object(one, "position"), &h->at))
            return false;
        h->end = h->at;
        return true;
    }
    return place_read(s, doc, codec_object(range, "start"), &h->at) &&
           place_read(s, doc, codec_object(range, "end"), &h->end);
}

static void
read_one(const struct server_session *s, const struct session_doc *doc, const json_t *one,
         struct handed_hovers *h, size_t *n_bytes, size_t n_dropped[DROP_COUNT])
{
    AUTO(buf_finish) struct buf text = {0};
    struct handed_hover *hover = &h->v[h->n];

    if (!json_is_object(one) || !read_place(s, doc, one, hover) ||
        codec_read_hover(one, &text) < 0) {
        n_dropped[DROP_SHAPE]++;
    } else if (text.n == 0) {
        n_dropped[DROP_EMPTY]++;
    } else if ((*n_bytes += text.n) > SERVER_HANDED_BYTES_MAX) {
        n_dropped[DROP_SIZE]++;
    } else {
        hover->markdown = arena_str(&h->arena, buf_str(&text));
        h->n++;
    }
}

static struct handed_hovers *
read_hovers(const struct server_session *s, const struct session_doc *doc, json_t *params,
            const json_t *hovers, size_t n_dropped[DROP_COUNT])
{
    struct handed_hovers *h = xnew(struct handed_hovers);
    struct str server = STR_NONE;
    const json_t *one;
    size_t i, n_bytes = 0;

    codec_get_str(params, "server", &server);
    h->text = snapshot_ref(doc->text);
    h->source = source_of(&h->arena, server);
    h->v =
        arena_calloc(&h->arena, MAX(json_array_size(hovers), (size_t)1), sizeof(*h->v));
    json_array_foreach(hovers, i, one) read_one(s, doc, one, h, &n_bytes, n_dropped);
    for (i = 0; i < DROP_COUNT; i++)
        h->n_dropped += n_dropped[i];
    return h;
}

/* Whether the hovers are of the text that the session has. */
static bool
is_of_version(const struct session_doc *doc, json_t *params)
{
    int64_t version;

    return codec_get_int(codec_object(params, "textDocument"), "version", INT32_MIN,
                         INT32_MAX, &version) == 0 &&
           version == snapshot_version(doc->text);
}

void
handed_hovers(struct server_session *s, const struct wire_id *id, json_t *params)
{
    const json_t *hovers = codec_array(params, "hovers");
    struct session_doc *doc = session_find_doc(s, params, NULL);
    struct str server = STR_NONE;
    struct handing *job;

    if (!hovers || json_array_size(hovers) > SERVER_HANDED_MAX ||
        codec_get_str(params, "server", &server) == -EINVAL ||
        server.n > SERVER_HANDED_SOURCE_BYTES_MAX) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS,
                         "hovers are missing or too many, or server is too long");
        return;
    }
    if (!doc || !doc->workspace || !is_of_version(doc, params)) {
        AUTO(buf_finish) struct buf json = {0};
        size_t n_dropped[DROP_COUNT] = {0};

        n_dropped[doc && doc->workspace ? DROP_VERSION : DROP_DOCUMENT] =
            json_array_size(hovers);
        add_result(&json, 0, n_dropped);
        wire_reply_text(s->wire, id, buf_str(&json));
        return;
    }
    job = xnew(struct handing);
    job->p = pending_create(s, id, doc->workspace);
    workspace_doc_hovers(doc->workspace, str_of(doc->path),
                         read_hovers(s, doc, params, hovers, job->n_dropped), on_handed,
                         job);
}
