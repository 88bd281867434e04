#pragma once
/* An index into another one, of the same backend or not, and the operations that only this needs. Part of
 * store.h, which includes it. Blocking. */
#include "base/arena.h"
#include "store/facts.h"
#include "store/upkeep.h"

struct store_reader;
struct store_writer;

/* What was written of what the source has, before a kill, too. Files are counted twice: with their rows,
 * with their hovers. */
struct store_copied {
    uint64_t files, n_files;
    uint64_t hover_files;
    uint64_t entities, edges, hovers, stale, past_contents, letters, jobs;
    bool is_resumed;       // part of it was there
    bool is_indexing_text; // the rest
};

/* After some rows each time; what is not 0 ends the copy and is returned. */
typedef int (*store_copy_fn)(void *ctx, const struct store_copied *copied);
/* As store_writer_open(), but takes also what a copy was begun in and not finished, which every other way
 * of opening refuses (-EPROTONOSUPPORT): it is never taken for the whole. */
int store_copy_open(const char *url, const char *root, struct store_writer **ret_writer,
                    struct store_info *ret_info, char **ret_why);
/* Of one view of `from`, into `to`, whose head is 0: files, entities, edges, hovers with who told them
 * and whether they are stale, past contents, the maker, dead letters, jobs. The log is not copied: the copy has an epoch of its
 * own, its log begins with index.rebuilt and tells each file, then its hovers, so that replaying it gives
 * the rows; each row's rev is the seq of that. Outside of transactions. When it is cut short, by an error
 * or a kill, `to` is partial: the next copy into it goes on where it was if the source is as it was, else it clears it
 * and begins anew. -EEXIST: `to` has something, and is not partial. */
int store_copy(struct store_reader *from, struct store_writer *to, store_copy_fn fn,
               void *ctx, struct store_copied *ret_copied);

/* "root" or "maker". -ENOENT when it was never said. */
int store_read_fact(struct store_reader *r, const char *key, struct arena *a,
                    struct str *ret_value);
/* Oldest first. */
int store_read_letters(struct store_reader *r, store_letter_fn fn, void *ctx);
/* In no order. */
int store_read_jobs(struct store_reader *r, store_job_fn fn, void *ctx);
/* Contents that no file has and whose hovers are kept, the one used longest ago first; store_read_told()
 * says what they are. */
typedef int (*store_past_fn)(void *ctx, struct hash128 content, struct str lang);
int store_each_past(struct store_reader *r, store_past_fn fn, void *ctx);
/* Within a transaction. told is by place. */
int store_put_past(struct store_writer *w, const struct store_past *past);
