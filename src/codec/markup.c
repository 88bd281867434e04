/* Hover contents in the four shapes that servers send: MarkupContent, a bare string,
 * {language, value}, and an array of the last two. The result is markdown, cut to its
 * limit on the border of a code point with a mark that says so. Pure. */
#include "codec/codec.h"
#include "model/hover.h"

#define CUT_MARK "\n\n*(cut: the text is longer)*"

static struct str
string_of(const json_t *value)
{
    return str_slice(json_string_value(value), json_string_length(value));
}

/* A fence longer than any run of backticks inside. */
static void
add_fenced(struct buf *b, struct str language, struct str text)
{
    size_t fence = 3, run = 0;
    for (size_t i = 0; i < text.n; i++) {
        run = text.p[i] == '`' ? run + 1 : 0;
        fence = MAX(fence, run + 1);
    }
    for (size_t i = 0; i < fence; i++)
        buf_add_char(b, '`');
    buf_add_str(b, language);
    buf_add_char(b, '\n');
    buf_add_str(b, text);
    buf_add_char(b, '\n');
    for (size_t i = 0; i < fence; i++)
        buf_add_char(b, '`');
}

/* Nothing longer than the limit is worth copying whole. */
static struct str
bounded(struct str text)
{
    return str_slice(text.p, MIN(text.n, (size_t)HOVER_BYTES_MAX + 4));
}

static int
add_piece(struct buf *b, const json_t *piece)
{
    if (json_is_null(piece))
        return 0;
    struct str text, language = STR_NONE;
    bool is_fenced = false;
    if (json_is_string(piece)) {
        text = string_of(piece);
    } else {
        if (codec_get_str(piece, "value", &text) < 0)
            return json_is_object(piece) && !json_object_get(piece, "value") ? 0
                                                                             : -EPROTO;
        struct str kind;
        if (codec_get_str(piece, "language", &language) == 0)
            is_fenced = true;
        else if (codec_get_str(piece, "kind", &kind) == 0)
            is_fenced = str_eq_c(kind, "plaintext");
    }
    text = bounded(str_trim(text));
    if (text.n == 0 || b->n > HOVER_BYTES_MAX)
        return 0;
    if (b->n > 0)
        buf_add_str(b, STR("\n\n"));
    if (is_fenced)
        add_fenced(b, language, text);
    else
        buf_add_str(b, text);
    return 0;
}

static void
cut(struct buf *b)
{
    if (b->n <= HOVER_BYTES_MAX)
        return;
    size_t n = HOVER_BYTES_MAX - (sizeof(CUT_MARK) - 1);
    while (n > 0 && ((unsigned char)b->p[n] & 0xc0) == 0x80)
        n--;
    b->n = n;
    buf_add_str(b, STR(CUT_MARK));
}

int
codec_read_hover(const json_t *hover, struct buf *ret_text)
{
    buf_reset(ret_text);
    if (json_is_null(hover))
        return 0;
    if (!json_is_object(hover))
        return -EPROTO;
    const json_t *contents = json_object_get(hover, "contents");
    if (!json_is_array(contents)) {
        if (!contents)
            return 0;
        int r = add_piece(ret_text, contents);
        cut(ret_text);
        return r;
    }
    size_t i;
    json_t *piece;
    json_array_foreach(contents, i, piece)
    {
        int r = add_piece(ret_text, piece);
        if (r < 0)
            return r;
    }
    cut(ret_text);
    return 0;
}
