/* TEXT '\0' GLOB '\0' NAME: what people type to search, in an index that has a little of everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fnmatch.h>

#include "fuzz.h"
#include "query/internal.h"
#include "query/names.h"
#include "unit/store/sample.h"

static void *sample;
static struct store_reader *reader;

static void
end(void)
{
    store_reader_close(reader);
    sample_teardown(&sample);
}

void
fuzz_init(void)
{
    fuzz_check(sample_setup(&sample) == 0);
    struct store_writer *w = sample_open(sample, NULL);
    bool has_more = true;
    event_unref(sample_put(w, "src/a.c", "run:1::to_start_it arena:2>run a::b:3"));
    event_unref(sample_put(w, "src/b[1].c", "runner:1:int_f(x):\"quoted\"_words x.y:2"));
    fuzz_check(store_begin(w) == 0);
    while (has_more)
        fuzz_check(store_index_text(w, 100, &has_more) == 0);
    fuzz_check(store_commit(w) == 0);
    store_writer_close(w);
    reader = sample_read(sample);
    atexit(end);
}

static void
ask(struct str text, struct str glob, bool is_text_search)
{
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row *rows = NULL;
    size_t n = 0;
    struct query_search search = {
        .text = text, .path_glob = glob, .is_text_search = is_text_search, .limit = 10};
    fuzz_check(query_search_now(reader, &search, &a, &rows, &n) == 0);
    fuzz_check(n <= 10);
    for (size_t i = 0; i < n; i++)
        fuzz_check(rows[i].e.name.n > 0 && rows[i].key.n > 0);
}

/* fnmatch(3) is what the documents promise; it stops at a NUL. */
static void
match_glob(struct str pattern, struct str path)
{
    struct glob g;
    glob_init(&g, pattern);
    bool fits = glob_fits(&g, path);
    if (memchr(pattern.p, '[', pattern.n) == NULL && pattern.p[pattern.n] == '\0')
        fuzz_check(fits == (fnmatch(pattern.p, path.p, 0) == 0));
}

void
fuzz_one(struct str input)
{
    struct str text = fuzz_part(&input, '\0'), glob = fuzz_part(&input, '\0');
    text.n = MIN(text.n, (size_t)QUERY_TEXT_BYTES_MAX);
    glob.n = MIN(glob.n, (size_t)QUERY_TEXT_BYTES_MAX);
    double score = fuzzy_score(text, input);
    fuzz_check(score >= 0 && score <= FUZZY_SCORE_MAX);
    ask(text, glob, false);
    ask(text, glob, true);
    if (glob.n < 200 && memchr(input.p, '\0', input.n) == NULL)
        match_glob(glob, input);
}
