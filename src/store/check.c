/* All that an index has, read as whoever asks would read it. The database below keeps its own structure
 * whole and cannot know what a row has to say: that is checked here, when somebody met a row that makes no
 * sense. Invariant: what this lets pass no read calls damaged, but for the text index, which is made anew. */
#include "base/err.h"
#include "store/reader.h"

static int
pass_entity(void *ctx UNUSED, const struct entity_row *row UNUSED)
{
    return 0;
}

static int
pass_edge(void *ctx UNUSED, const struct edge_row *row UNUSED)
{
    return 0;
}

static int
pass_event(void *ctx UNUSED, const struct event *event UNUSED)
{
    return 0;
}

static int
pass_letter(void *ctx UNUSED, struct dead_letter *letter)
{
    dead_letter_destroy(letter);
    return 0;
}

static int
pass_job(void *ctx UNUSED, struct job *job)
{
    job_destroy(job);
    return 0;
}

static int
recall(void *ctx, struct hash128 content, struct str lang)
{
    AUTO(arena_finish) struct arena a = {0};
    struct store_told told;
    int r = store_read_told(ctx, content, lang, &a, &told);
    return r == -ENOENT ? 0 : r;
}

int
reader_check(struct store_reader *r)
{
    int e = store_each_entity(r, STR_NONE, pass_entity, NULL);
    if (e == 0)
        e = store_each_name(r, pass_entity, NULL);
    if (e == 0)
        e = store_each_edge(r, pass_edge, NULL);
    if (e == 0)
        e = store_each_event(r, 0, SIZE_MAX, pass_event, NULL);
    if (e == 0)
        e = store_each_past(r, recall, r);
    if (e == 0)
        e = store_read_letters(r, pass_letter, NULL);
    if (e == 0)
        e = store_read_jobs(r, pass_job, NULL);
    return err_trace(e);
}
