/* What stands at a name that one indexer found and another did not: reads lines "path TAB line TAB name" on
 * stdin, prints for each the types of the nodes around it, the innermost first. So that
 * misses are told apart by the code's own grammar and not by whom they suit. */
#include <stdio.h>

#include "base/fs.h"
#include "lang/lang.h"

#define FILE_BYTES_MAX (64u << 20)
#define DEPTH_MAX 256

struct where {
    TSParser *parser;
    TSTree *tree;
    struct buf path, text;
};

static void
open_file(struct where *w, const char *path)
{
    struct fs_stat st;
    if (w->path.n > 0 && strcmp(w->path.p, path) == 0)
        return;
    buf_reset(&w->path);
    buf_add_cstr(&w->path, path);
    buf_reset(&w->text);
    ts_tree_delete(w->tree);
    w->tree = NULL;
    if (fs_read_file(path, FILE_BYTES_MAX, &w->text, &st) < 0)
        return;
    const struct lang *l = lang_of_file(str_of(path), buf_str(&w->text));
    if (!l || !ts_parser_set_language(w->parser, l->grammar))
        return;
    w->tree = ts_parser_parse_string(w->parser, NULL, w->text.p, (uint32_t)w->text.n);
}

/* The byte where the name stands in that line, else where the line's first word does. */
static uint32_t
place_of(const struct where *w, unsigned line, const char *name)
{
    const char *p = w->text.p, *end = p + w->text.n;
    for (unsigned i = 1; i < line && p; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    if (!p)
        return 0;
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    size_t n = (size_t)((newline ? newline : end) - p);
    const char *at = memmem(p, n, name, strlen(name));
    while (!at && n > 1 && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    return (uint32_t)((at ? at : p) - w->text.p);
}

static void
print_around(const struct where *w, uint32_t at)
{
    TSNode node = ts_tree_root_node(w->tree);
    const char *types[DEPTH_MAX];
    size_t n = 0;
    for (; !ts_node_is_null(node) && n < DEPTH_MAX;
         node = ts_node_first_child_for_byte(node, at)) {
        if (ts_node_start_byte(node) > at || ts_node_end_byte(node) <= at)
            break;
        if (ts_node_is_named(node))
            types[n++] = ts_node_type(node);
    }
    for (size_t i = n; i-- > 0;)
        fprintf(stdout, "%s%s", types[i], i > 0 ? " " : "");
}

int
main(void)
{
    AUTO(free) char *why = NULL;
    struct where w = {.parser = ts_parser_new()};
    char line[8192];
    if (lang_init(&why) < 0)
        return 1;
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *number = strchr(line, '\t'),
             *name = number ? strchr(number + 1, '\t') : NULL;
        uint64_t at_line = 1;
        if (!name)
            return 1;
        *number++ = *name++ = '\0';
        (void)str_to_u64(str_of(number), &at_line);
        open_file(&w, line);
        if (w.tree)
            print_around(&w, place_of(&w, (unsigned)at_line, name));
        fprintf(stdout, "\n");
    }
    ts_tree_delete(w.tree);
    ts_parser_delete(w.parser);
    buf_finish(&w.path);
    buf_finish(&w.text);
    lang_finish();
    return 0;
}
