/* One tree-sitter parser, given text as one chunk and stopped at its deadline. A parser that was
 * stopped forgets what it had: the next file never resumes the last one's. */
#include "parse/parse.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#define BINARY_HEAD_BYTES 8192

struct parser {
    TSParser *ts;
    const struct lang *lang; // of the last text
};

struct input {
    struct str text;
    int64_t until_ms; // clock_mono_ms()
};

struct parser *
parser_create(void)
{
    struct parser *p = xnew(struct parser);
    p->ts = ts_parser_new();
    return p;
}

void
parser_destroy(struct parser *p)
{
    if (!p)
        return;
    ts_parser_delete(p->ts);
    free(p);
}

static const char *
on_read(void *payload, uint32_t byte_index, TSPoint position, uint32_t *ret_bytes_read)
{
    (void)position;
    const struct input *input = payload;
    if (byte_index >= input->text.n) {
        *ret_bytes_read = 0;
        return "";
    }
    *ret_bytes_read = (uint32_t)input->text.n - byte_index;
    return input->text.p + byte_index;
}

/* True stops the parser. */
static bool
on_progress(TSParseState *state)
{
    const struct input *input = state->payload;
    return clock_mono_ms() >= input->until_ms;
}

static int64_t
deadline_until(uint64_t deadline_ms)
{
    return clock_mono_ms() + (int64_t)MIN(deadline_ms, (uint64_t)INT32_MAX);
}

int
parse_text(struct parser *p, const struct lang *lang, struct str text,
           const TSTree *old_tree, uint64_t deadline_ms, TSTree **ret_tree)
{
    if (text.n > UINT32_MAX - 1)
        return err_trace(-EFBIG);
    if (p->lang != lang) {
        if (!ts_parser_set_language(p->ts, lang->grammar))
            return err_trace(-EINVAL);
        p->lang = lang;
    }
    struct input input = {.text = text, .until_ms = deadline_until(deadline_ms)};
    TSInput source = {
        .payload = &input, .read = on_read, .encoding = TSInputEncodingUTF8};
    TSParseOptions options = {.payload = &input, .progress_callback = on_progress};
    TSTree *tree = deadline_ms == 0
                       ? ts_parser_parse(p->ts, old_tree, source)
                       : ts_parser_parse_with_options(p->ts, old_tree, source, options);
    if (!tree) {
        ts_parser_reset(p->ts);
        return PARSE_E_TIMED_OUT;
    }
    *ret_tree = tree;
    return 0;
}

bool
parse_is_binary(struct str text)
{
    static const struct str marks[] = {
        {"\xFF\xFE", 2},     // UTF-16 and UTF-32, little-endian
        {"\xFE\xFF", 2},     // UTF-16, big-endian
        {"\0\0\xFE\xFF", 4}, // UTF-32, big-endian
    };
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (str_starts_with(text, marks[i]))
            return true;
    return text.n > 0 &&
           memchr(text.p, '\0', MIN(text.n, (size_t)BINARY_HEAD_BYTES)) != NULL;
}
