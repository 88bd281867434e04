/* What a worker does with one path: read → outline → parse → extract. It sees the job and its own tools,
 * nothing else, and cannot fail: whatever goes wrong becomes a recorded state of the file. */
#include "base/deadline.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "store/store.h"
#include "workspace/internal.h"

/* One large file must not keep its memory for the rest of the run. */
#define TEXT_KEPT_BYTES_MAX ((size_t)1024 * 1024)

static void
set_state(struct batch *b, enum file_state state, enum file_reason reason)
{
    b->file.state = state;
    b->file.reason = reason;
}

static void
set_stat(struct batch *b, const struct fs_stat *st)
{
    b->file.size_bytes = st->size_bytes;
    b->file.mtime_ns = st->mtime_ns;
    b->file.inode = st->inode;
}

/* A name that says enough to know that no grammar reads it: with an extension, a #! line is not looked for. */
static bool
is_surely_foreign(struct str path)
{
    return path_extension(path).n > 0 && !lang_of_file(path, STR_NONE);
}

/* False when there is no text to parse: the state says why. */
static bool
read_text(struct file_job *job, struct buf *text)
{
    struct batch *b = job->batch;
    struct fs_stat st = {0};
    bool is_foreign = is_surely_foreign(b->file.path);
    int r = is_foreign ? fs_stat_file(job->absolute, &st)
                       : fs_read_file(job->absolute, job->max_file_bytes, text, &st);

    if (r == 0 || fs_stat_file(job->absolute, &st) == 0)
        set_stat(b, &st);
    if (r == 0 && is_foreign)
        set_state(b, FILE_SKIPPED, FILE_REASON_NO_GRAMMAR);
    if (r == 0)
        return !is_foreign;
    if (r == -ENOENT || r == -ENOTDIR)
        job->is_gone = true;
    else if (r == -EFBIG)
        set_state(b, FILE_SKIPPED, FILE_REASON_TOO_LARGE);
    else
        set_state(b, FILE_FAILED, FILE_REASON_UNREADABLE);
    return false;
}

/* NULL: all of the text is to be parsed. */
static const struct outline *
outline_of(const struct file_job *job, struct worker_tools *tools,
           const struct lang *lang, struct str text, struct outline *outline)
{
    const struct bodies_syntax *syntax =
        lang->outline ? bodies_syntax_named(str_of(lang->outline)) : NULL;

    if (!syntax)
        return NULL;
    if (!job->is_parsed_full)
        return bodies_scan(tools->bodies, syntax, text, true, outline) == 0 ? outline
                                                                            : NULL;
    if (bodies_scan_heads(tools->bodies, syntax, text, outline) != 0 ||
        (outline->n_gaps == 0 && outline->text.p == text.p))
        return NULL;
    return outline;
}

static void
parse_and_extract(struct file_job *job, struct worker_tools *tools,
                  const struct lang *lang, struct str text)
{
    struct batch *b = job->batch;
    struct deadline deadline = deadline_after(WORKSPACE_PARSE_DEADLINE_MS);
    struct outline space;
    const struct outline *outline = NULL;
    const TSTree *tree = NULL;
    TSTree *own = NULL; // of a version that is kept
    int r;

    /* The same way for a saved file as in a walk: what the index has must not depend on how it came. */
    outline = outline_of(job, tools, lang, text, &space);
    if (!outline && job->with_kept) {
        r = kept_tree_parse(&job->kept, tools->parser, lang, text,
                            WORKSPACE_PARSE_DEADLINE_MS, &own);
        tree = own;
    } else {
        r = parse_text_once(tools->parser, lang, outline ? outline->text : text,
                            WORKSPACE_PARSE_DEADLINE_MS, &tree);
    }
    if (r != 0) {
        set_state(b, FILE_FAILED,
                  r == PARSE_E_TIMED_OUT ? FILE_REASON_TIMED_OUT
                                         : FILE_REASON_UNREADABLE);
        return;
    }
    r = extract_batch(tools->extractor, lang, text, outline, tree,
                      deadline_left_ms(&deadline), b);
    ts_tree_delete(own);
    if (r == EXTRACT_E_TOO_MANY) {
        b->file.reason = FILE_REASON_TOO_MANY_ENTITIES;
    } else if (r != 0) {
        b->n_entities = b->n_edges = 0;
        set_state(b, FILE_FAILED, FILE_REASON_TIMED_OUT);
    }
    store_prepare(b);
}

void
index_file_work(struct pool_job *pool_job, unsigned worker)
{
    struct file_job *job = container_of(pool_job, struct file_job, pool);
    struct buf *buf = &job->tools[worker].text;
    const struct lang *lang;
    struct str text;

    ASSERT_WORKER();
    if (buf->cap > TEXT_KEPT_BYTES_MAX)
        buf_finish(buf); // of the file before
    job->batch = batch_create(str_of(job->path));
    if (job->text)
        text = snapshot_text(job->text);
    else if (read_text(job, buf))
        text = buf_str(buf);
    else
        return;
    job->batch->file.content = hash128(text);
    if (job->text) {
        job->batch->file.size_bytes = text.n;
        if (job->is_known && hash128_eq(job->batch->file.content, job->known_content)) {
            batch_destroy(steal(job->batch)); // the buffer says what the index has
            return;
        }
    }
    lang = lang_of_file(job->batch->file.path,
                        str_slice(text.p, MIN(text.n, (size_t)LANG_HEAD_BYTES)));
    if (!lang) {
        set_state(job->batch, FILE_SKIPPED, FILE_REASON_NO_GRAMMAR);
        return;
    }
    job->batch->file.lang = arena_cstr(&job->batch->arena, lang->key_prefix);
    if (text.n > job->max_file_bytes)
        set_state(job->batch, FILE_SKIPPED, FILE_REASON_TOO_LARGE);
    else if (parse_is_binary(text))
        set_state(job->batch, FILE_SKIPPED, FILE_REASON_BINARY);
    else
        parse_and_extract(job, &job->tools[worker], lang, text);
}
