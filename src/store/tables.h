#pragma once
/* What a backend gives so that the writer's logic is written once. Inside of src/store.
 * THE BACKEND'S: rows in and out, by id; its transaction; which id a new file gets; its indexes (twins
 * by content, waiting files, names …); opening, locks, damage, checkpoints, the text index.
 * SHARED: which row changes and how (put.c), hovers and their references (hover.c), past contents
 * (past.c), a file's edges as one text (edge.c), seqs, counters, pruning (event.c); reading (reader.h).
 * Counters live in struct table_writer and come to meta with the commit that changed them.
 * Invariant: a backend never decides what is told, the shared code never knows how a row lies.
 * Rules: reads see what this transaction wrote. Strings are borrowed for the call; what is read lies in
 * the arena. A write that returns nothing may be deferred, then its error is the next read's or
 * commit's. Errors as in store.h; a row that makes no sense is -EBADMSG. "1/0": found or not. */
#include "store/backend.h"
#include "store/rows.h"

struct table_event {
    int64_t seq, ts_ms;
    enum event_type type;
    struct str subject;
    struct str data; // empty: the rows of file `subject` tell it (rows_first_data())
};

typedef int (*table_age_fn)(void *ctx, int64_t seq, int64_t ts_ms, int64_t size_bytes);

/* For the writer's logic; and for a reader, within its view. */
struct table_reads {
    int (*meta_get)(struct tables *t, const char *key, struct arena *a,
                    struct str *ret_value); // -ENOENT
    int (*log_ends)(struct tables *t, int64_t *ret_first,
                    int64_t *ret_head); // seqs, see store_info
    int (*file_find)(struct tables *t, struct str path, struct arena *a,
                     struct file_stored *ret_file); // -ENOENT
    int (*file_by_id)(struct tables *t, int64_t id, struct arena *a,
                      struct file_stored *ret_file); // -ENOENT
    /* 1/0: the file of this content and lang, indexed and not own_id, of which most hovers are known or
     * empty and not stale (their number in *ret_n_fresh); one that has only stale ones counts too. */
    int (*file_twin)(struct tables *t, const struct file *file, int64_t own_id,
                     struct arena *a, struct file_stored *ret_twin, int64_t *ret_n_fresh);
    /* Sets v and n: in order (rows_sort()), with the texts of their hovers. */
    int (*entities)(struct tables *t, const struct file_stored *f, struct arena *a,
                    struct entity_list *ret_list);
    /* One, alike. -ENOENT. */
    int (*entity_by_id)(struct tables *t, int64_t id, struct arena *a,
                        struct entity_stored *ret_entity);
    int (*entity_find)(struct tables *t, const struct file_stored *f,
                       const struct entity_key_parts *parts, struct arena *a,
                       struct entity_stored *ret_entity);
    int (*hover_get)(struct tables *t, int64_t id, struct arena *a,
                     struct str *ret_markdown, struct str *ret_server); // 1/0
    int (*past_get)(struct tables *t, struct hash128 content, struct str lang,
                    struct arena *a, struct past_row *ret_row); // 1/0
    int (*edges_get)(struct tables *t, int64_t file_id, struct arena *a,
                     struct str *ret_text);                              // 1/0
    int (*once_get)(struct tables *t, struct str key, int64_t *ret_seq); // 1/0
};

/* Within the writer's transaction. A file or an entity is handed over whole, whichever part of it
 * changed: what has rows writes the row, what has columns writes those. */
struct table_writes {
    int (*begin)(struct tables *t);
    int (*commit)(struct tables *t);
    void (*rollback)(struct tables *t);
    int (*meta_put)(struct tables *t, const char *key, struct str value);

    int (*file_add)(struct tables *t, struct file_stored *f);       // gives f->id
    int (*file_put)(struct tables *t, const struct file_stored *f); // all but server_key
    int (*file_touch)(struct tables *t,
                      const struct file_stored *f); // size, mtime, inode
    int (*file_server_put)(struct tables *t,
                           const struct file_stored *f); // and content_gen
    int (*file_text_put)(struct tables *t, const struct file_stored *f); // text_gen
    int (*file_delete)(struct tables *t, const struct file_stored *f);   // and its counts
    /* Of one that was just added nothing is there yet. */
    int (*counts_put)(struct tables *t, const struct file_stored *f,
                      const struct file_counts *counts, bool is_added);
    /* Of a lang, told under another server_key than this one and than 0, with hovers that are not
     * stale: a content_gen more, and all that are known or empty are stale. */
    int (*files_expire)(struct tables *t, struct str lang, uint64_t server_key,
                        uint64_t *ret_n_files);
    int (*files_all_old)(struct tables *t); // mtime: FILE_MTIME_OTHER_MAKER

    /* is_added: the file was, in this transaction; its slots come without a gap from 0. */
    int (*entities_add)(struct tables *t, const struct entity_stored *v, size_t n,
                        bool is_added);
    int (*entity_put)(struct tables *t, const struct entity_stored *s,
                      const struct entity_stored *was);
    int (*entity_hover_put)(struct tables *t, const struct entity_stored *s); // and rev
    int (*entity_delete)(struct tables *t, const struct entity_stored *was);

    int (*hover_add)(struct tables *t, int64_t id, struct str markdown,
                     struct str server);                         // refs: 1
    int (*hover_refs)(struct tables *t, int64_t id, int change); // at 0 the text goes
    int (*past_add)(struct tables *t, const struct past_row *row);
    int (*past_oldest)(struct tables *t, struct arena *a,
                       struct past_row *ret_row); // 1/0
    int (*past_delete)(struct tables *t, int64_t id);
    int (*edges_put)(struct tables *t, const struct file_stored *f, struct str text);
    int (*edges_delete)(struct tables *t, const struct file_stored *f);

    /* Idempotency keys; the key is not there yet. */
    int (*once_add)(struct tables *t, struct str key, int64_t seq, int64_t ts_ms);
    /* Of those before `ts_ms` the oldest, so many and the others of the last one's time: what has one time goes
     * at once. *ret_n: how many. */
    int (*once_prune)(struct tables *t, int64_t ts_ms, size_t n_wanted, size_t *ret_n);

    int (*event_add)(struct tables *t, const struct table_event *event);
    int (*event_fill)(struct tables *t, int64_t seq,
                      struct str data); // 1/0: its data was empty
    int (*events_oldest)(struct tables *t, size_t limit, table_age_fn fn, void *ctx);
    int (*events_delete)(struct tables *t, int64_t up_to_seq);
};

/* A backend's connection begins with it, or holds it. */
struct tables {
    const struct table_reads *reads;
};
