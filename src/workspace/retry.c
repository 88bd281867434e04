/* Dead letters, tried again. A file is looked at anew, as if it had just changed, and its letter goes in
 * the transaction that stores it; what is no file is done again by the writer. Invariant: fn is called
 * once, after everything that was begun here is committed or has failed again. */
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "workspace/internal.h"

struct retry {
    struct workspace *w;
    VEC(int64_t) ids;
    workspace_retry_fn fn;
    void *ctx;
};

static bool
is_chosen(int64_t id, const int64_t *ids, size_t n_ids)
{
    for (size_t i = 0; i < n_ids; i++)
        if (ids[i] == id)
            return true;
    return n_ids == 0;
}

static const struct dead_letter *
find(const struct workspace *w, int64_t id)
{
    const struct dead_letter *l;

    for (size_t i = 0; (l = writer_letter_at(w->writer, i)); i++)
        if (l->id == id)
            return l;
    return NULL;
}

/* The index is a file that others can write. */
bool
retry_is_inside(struct str path)
{
    AUTO(free) char *text = str_dup(path);
    AUTO(free) char *normal = path_normalize(text);

    return path.n > 0 && path.n < PATH_BYTES_MAX && normal[0] != '/' &&
           strncmp(normal, "..", 2) != 0 && strcmp(normal, text) == 0 &&
           strlen(text) == path.n;
}

/* Read, though nothing may have changed: the transaction that stores it takes the letter along. */
void
retry_look_again(struct workspace *w, struct str path)
{
    AUTO(free) char *text = str_dup(path);
    struct known_file *known = known_find(w->known, str_of(text));

    if (known)
        known->is_stored = false;
    pipeline_touch(w, str_of(text), JOB_INDEX, false);
}

static void
try_one(struct workspace *w, const struct dead_letter *l)
{
    if (dead_what_is_file(l->what) && retry_is_inside(l->path)) {
        retry_look_again(w, l->path);
        return;
    }
    if (l->what == DEAD_PUT_HOVERS && l->payload.n == 0)
        asking_forget(w); // too much to be kept: asked for anew
    writer_replay(w->writer, l->id, NULL, NULL);
}

static void
on_run(void *ctx, const struct workspace_summary *summary)
{
    struct retry *retry = ctx;
    const struct dead_letter *l = NULL;
    size_t n_left = 0;

    for (size_t i = 0; i < retry->ids.n && retry->w->writer; i++) {
        const struct dead_letter *left = find(retry->w, retry->ids.v[i]);

        l = left ? left : l;
        n_left += left != NULL;
    }
    retry->fn(retry->ctx, retry->ids.n, n_left,
              n_left == 0 ? NULL
              : l         ? l->error.p
                          : summary->why);
    vec_finish(&retry->ids);
    free(retry);
}

int
workspace_retry(struct workspace *w, const int64_t *ids, size_t n_ids,
                workspace_retry_fn fn, void *ctx)
{
    const struct dead_letter *l;
    struct retry *retry;

    ASSERT_LOOP();
    if (!w->is_open || !w->scan || w->why || w->is_closing)
        return -EAGAIN;
    retry = xnew(struct retry);
    retry->w = w;
    retry->fn = fn;
    retry->ctx = ctx;
    for (size_t i = 0; (l = writer_letter_at(w->writer, i)); i++)
        if (is_chosen(l->id, ids, n_ids))
            *vec_push(&retry->ids) = l->id;
    for (size_t i = 0; i < retry->ids.n; i++)
        if ((l = find(w, retry->ids.v[i])))
            try_one(w, l);
    runs_wait(w, on_run, retry);
    return 0;
}
