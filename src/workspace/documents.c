/* Documents open in editors overlay the disk: while one is open its text is what the index holds,
 * stored with mtime 0 so that the file is looked at again when the overlay ends, also after a crash. */
#include "base/clock.h"
#include "base/mem.h"
#include "workspace/internal.h"

void
documents_init(struct workspace *w)
{
    w->docs = map_create();
}

static void
doc_destroy(struct doc *doc)
{
    if (!doc)
        return;
    snapshot_unref(doc->text);
    free(doc->language_id);
    free(doc);
}

void
documents_finish(struct workspace *w)
{
    struct str path;
    size_t iter = 0;
    void *value;

    while (map_next(w->docs, &iter, &path, &value))
        doc_destroy(value);
    map_destroy(w->docs);
}

void
documents_each(struct workspace *w, void (*fn)(struct workspace *w, struct str path))
{
    struct str path;
    size_t iter = 0;
    void *value;

    while (map_next(w->docs, &iter, &path, &value))
        fn(w, path);
}

static void
touch(struct workspace *w, struct str path)
{
    pipeline_touch(w, path, JOB_INDEX, true);
}

void
documents_touch(struct workspace *w)
{
    documents_each(w, touch);
}

struct doc *
documents_find(const struct workspace *w, struct str path)
{
    return map_get(w->docs, path);
}

static void
set_text(struct workspace *w, struct doc *doc, struct str path, struct snapshot *text)
{
    if (doc->text != text) {
        snapshot_unref(doc->text);
        doc->text = snapshot_ref(text);
    }
    pipeline_touch(w, path, JOB_INDEX, true);
}

void
workspace_doc_open(struct workspace *w, struct str path, struct str language_id,
                   struct snapshot *text)
{
    struct doc *doc = documents_find(w, path);

    ASSERT_LOOP();
    if (!doc) {
        doc = xnew(struct doc);
        map_put(w->docs, path, doc);
    }
    free(doc->language_id);
    doc->language_id = str_dup(language_id);
    doc->n_open++;
    doc->changed_ms = 0; // opened, not typed in
    if (w->query)
        query_opened(w->query, path, true);
    asking_opened(w, path);
    set_text(w, doc, path, text);
}

void
workspace_doc_change(struct workspace *w, struct str path, struct snapshot *text)
{
    struct doc *doc = documents_find(w, path);
    AUTO(free) char *name = NULL;

    ASSERT_LOOP();
    if (!doc)
        return;
    doc->changed_ms = clock_mono_ms();
    if (w->enrich) {
        name = str_dup(path);
        enrich_cancel_path(w->enrich, name);
    }
    set_text(w, doc, path, text);
}

void
workspace_doc_save(struct workspace *w, struct str path)
{
    ASSERT_LOOP();
    if (documents_find(w, path))
        pipeline_touch(w, path, JOB_INDEX, true);
}

void
workspace_doc_close(struct workspace *w, struct str path)
{
    struct doc *doc = documents_find(w, path);

    ASSERT_LOOP();
    if (!doc || --doc->n_open > 0)
        return;
    map_remove(w->docs, path);
    doc_destroy(doc);
    if (w->query)
        query_opened(w->query, path, false);
    if (w->scan)
        scan_recheck(w->scan, path);
}
