/* What any indexer on tree-sitter pays at least: whole files read and parsed, nothing kept, one thread.
 * Reads a list of paths on stdin and prints one JSON object. */
#include <stdio.h>
#include <time.h>

#include "base/fs.h"
#include "lang/lang.h"

#define FILE_BYTES_MAX (64u << 20)

static double
now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(void)
{
    AUTO(free) char *why = NULL;
    AUTO(buf_finish) struct buf text = {0};
    char path[4096];
    size_t n_files = 0, n_bytes = 0;
    double began = now_seconds();
    TSParser *parser = ts_parser_new();
    if (lang_init(&why) < 0)
        return 1;
    while (fgets(path, sizeof(path), stdin)) {
        struct fs_stat st;
        path[strcspn(path, "\n")] = '\0';
        buf_reset(&text);
        if (fs_read_file(path, FILE_BYTES_MAX, &text, &st) < 0)
            continue;
        const struct lang *l = lang_of_file(str_of(path), buf_str(&text));
        if (!l)
            continue;
        ts_parser_set_language(parser, l->grammar);
        TSTree *tree = ts_parser_parse_string(parser, NULL, text.p, (uint32_t)text.n);
        ts_tree_delete(tree);
        n_files++;
        n_bytes += text.n;
    }
    double seconds = now_seconds() - began;
    fprintf(stdout, "{\"files\":%zu,\"bytes\":%zu,\"seconds\":%.3f}\n", n_files, n_bytes,
            seconds);
    ts_parser_delete(parser);
    lang_finish();
    return 0;
}
