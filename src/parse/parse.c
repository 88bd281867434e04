/* Text given to tree-sitter and stopped at its deadline. A parser that was stopped forgets
 * what it had: the next file never resumes the last one's. A tree that is looked at once and never
 * again lives, with a parser of its own, in a memory that is taken back at once. */
#include "parse/parse.h"

#include <setjmp.h>
#include <tree_sitter/abandon.h>

#include "base/deadline.h"
#include "base/err.h"
#include "base/mem.h"
#include "parse/tree_memory.h"

#define BINARY_HEAD_BYTES 8192
/* The parser asks after every step, most of which take less than looking at a clock; one may take a
 * millisecond where thousands of brackets are open. */
#define STEPS_PER_LOOK 16

/* A tree takes some 20 to 60 times its text; what takes more is no source somebody wrote. */
#define MEMORY_BYTES_MIN ((size_t)64 * 1024 * 1024)
#define MEMORY_PER_TEXT 128

struct parser {
    TSParser *ts;
    const struct lang *lang;    // of ts's last text
    struct tree_memory *memory; // of the last tree of parse_text_once
    struct buf masked;          // text as the grammar is shown it
};

/* The text is handed out in pieces, so that whoever reads on and on asks for the next one: some scanners
 * look at the whole rest of a line, or of the text, for each character of it. */
#define PIECE_BYTES 4096

struct input {
    struct str text;
    struct deadline deadline;
    size_t heap_bytes_max; // of a tree that is kept; 0: none, it has a memory of its own
    unsigned steps;        // since the last look at the clock
    bool is_over;          // the text ends here and now
    uint32_t piece_start, piece_end; // handed out last
};

struct parser *
parser_create(void)
{
    struct parser *p = xnew(struct parser);
    p->memory = tree_memory_create();
    p->ts = ts_parser_new();
    return p;
}

void
parser_destroy(struct parser *p)
{
    if (!p)
        return;
    ts_parser_delete(p->ts);
    tree_memory_destroy(p->memory);
    buf_finish(&p->masked);
    free(p);
}

static size_t
memory_bytes_max(struct str text)
{
    return MEMORY_BYTES_MIN + text.n * MEMORY_PER_TEXT;
}

static const char *
on_read(void *payload, uint32_t byte_index, TSPoint position, uint32_t *ret_bytes_read)
{
    (void)position;
    struct input *input = payload;
    input->is_over = input->is_over || deadline_is_over(&input->deadline);
    /* Asked again from within the last piece, for the rest of a character, it has to get something. */
    bool is_again = byte_index >= input->piece_start && byte_index < input->piece_end;
    if (byte_index >= input->text.n || (input->is_over && !is_again)) {
        *ret_bytes_read = 0;
        return "";
    }
    *ret_bytes_read = MIN((uint32_t)input->text.n - byte_index, (uint32_t)PIECE_BYTES);
    input->piece_start = byte_index;
    input->piece_end = byte_index + *ret_bytes_read;
    return input->text.p + byte_index;
}

/* True stops the parser. */
static bool
on_progress(TSParseState *state)
{
    struct input *input = state->payload;
    if (input->heap_bytes_max && tree_memory_heap_bytes() > input->heap_bytes_max)
        input->is_over = true;
    if (++input->steps >= STEPS_PER_LOOK) {
        input->steps = 0;
        input->is_over = input->is_over || deadline_is_over(&input->deadline);
    }
    return input->is_over;
}

static TSTree *
parse(TSParser *ts, struct input *input, const TSTree *old_tree)
{
    TSInput source = {.payload = input, .read = on_read, .encoding = TSInputEncodingUTF8};
    TSParseOptions options = {.payload = input, .progress_callback = on_progress};
    return ts_parser_parse_with_options(ts, old_tree, source, options);
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
    struct input input = {
        .text = lang_mask(lang, text, &p->masked),
        .deadline = deadline_after(deadline_ms),
        .heap_bytes_max = memory_bytes_max(text),
    };
    tree_memory_count_heap();
    /* A mask may reach beyond what was edited: the old tree would be of another text. */
    TSTree *tree = parse(p->ts, &input, lang->has_masks ? NULL : old_tree);
    if (!tree) {
        ts_parser_reset(p->ts);
        return PARSE_E_TIMED_OUT;
    }
    *ret_tree = tree;
    return 0;
}

static void
on_over(void *ctx)
{
    longjmp(*(jmp_buf *)ctx, 1);
}

/* What a grammar's own scanner allocates is the heap's, so that is freed; all else is the memory's. */
static int
parse_in_memory(struct tree_memory *memory, const struct lang *lang, struct input *input,
                const TSTree **ret_tree)
{
    TSParser *volatile ts = NULL; // set between setjmp and longjmp
    jmp_buf over;
    if (setjmp(over) != 0) {
        ts_parser_abandon(ts);
        return PARSE_E_TIMED_OUT;
    }
    tree_memory_enter(memory, memory_bytes_max(input->text), &input->deadline, on_over,
                      &over);
    ts = ts_parser_new();
    bool is_known = ts_parser_set_language(ts, lang->grammar);
    const TSTree *tree = is_known ? parse(ts, input, NULL) : NULL;
    ts_parser_abandon(ts);
    if (tree)
        *ret_tree = tree;
    return tree ? 0 : is_known ? PARSE_E_TIMED_OUT : err_trace(-EINVAL);
}

int
parse_text_once(struct parser *p, const struct lang *lang, struct str text,
                uint64_t deadline_ms, const TSTree **ret_tree)
{
    if (text.n > UINT32_MAX - 1)
        return err_trace(-EFBIG);
    struct input input = {
        .text = lang_mask(lang, text, &p->masked),
        .deadline = deadline_after(deadline_ms),
    };
    tree_memory_reset(p->memory);
    int r = parse_in_memory(p->memory, lang, &input, ret_tree);
    tree_memory_leave();
    return r;
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
