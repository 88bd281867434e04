#pragma once
/* The index on disk, behind one contract for all backends. A writer and a reader are different
 * types, so a read path cannot write. No threads, no loop, no log: a handle is used by one thread at
 * a time. URLs: "sqlite:PATH"; "rocksdb:FOLDER"; "mem:NAME" (nobody else's), until its writer closes. Errors:
 * -ENOSPC, -EIO, -EBUSY (retry), -EROFS, -EBADMSG (damaged), -EPROTONOSUPPORT (newer gloss, no such backend). */
#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"
#include "model/batch.h"
#include "model/event.h"
#include "model/hover.h"
#include "store/copy.h"
#include "store/facts.h"
#include "store/ingest.h"
#include "store/news.h"
#include "store/upkeep.h"

struct store_writer;
struct store_reader;

/* ---- writing: one connection in the whole system; writer thread only ---- */

/* Creates, migrates, locks against a second engine: -EWOULDBLOCK when another process holds it. root: the
 * real path of its tree; -EPROTONOSUPPORT when it is another's. NULL: neither looked at nor written. What is no regular file is left alone: -EISDIR, -EPROTONOSUPPORT.
 * A damaged file is set aside as PATH.damaged-<time> and a new one is made: ret_info->is_new.
 * *ret_why (heap, may be NULL) explains an error. */
int store_writer_open(const char *url, const char *root, struct store_writer **ret_writer,
                      struct store_info *ret_info, char **ret_why);
/* Checkpoints and marks a clean stop. NULL is allowed. */
void store_writer_close(struct store_writer *w);
/* Outside a transaction. maker: what makes entities of files; after another one all have FILE_MTIME_OTHER_MAKER. */
int store_set_maker(struct store_writer *w, struct str maker);
int store_begin(struct store_writer *w);
int store_commit(struct store_writer *w);
void store_rollback(struct store_writer *w);
/* Until told otherwise, store_put_file() may leave the data of an event empty where the log has it anyway. */
void store_be_brief(struct store_writer *w, bool is_brief);

/* Makes what it can of its rows before the put, into its arena; the batch must not change after. Any thread; optional. */
void store_prepare(struct batch *batch);
/* Each within a transaction. *ret_event is the log row, seq given, or NULL when nothing changed.
 * The file's rows become the batch's: entities are diffed by key and hash; a moved one (same hash)
 * gets its new place without an event; an unchanged one keeps its hover, marked stale when the file's
 * content changed. A content of which hovers are known, because a file has it or had it (they are
 * kept when it leaves), has them again, not stale, and the server_key they were told under.
 * The same content again updates only size, mtime and inode. */
int store_put_file(struct store_writer *w, const struct batch *batch,
                   struct event **ret_event);
int store_delete_file(struct store_writer *w, struct str path, struct event **ret_event);
/* Answers for another content, or for keys that are gone, are dropped. When one of them tells something
 * and the batch's server_key is not the file's (neither being 0), it becomes the file's, and what the
 * batch does not confirm is stale. Handed ones replace nothing that another source told of this content;
 * copied ones are put as they are, stale or not, and their server_key is the file's in any case. */
int store_put_hovers(struct store_writer *w, const struct hover_batch *hovers,
                     struct event **ret_event);
/* Hovers in files of this language under another server_key than this one, and not 0, become stale. */
int store_expire_hovers(struct store_writer *w, struct str lang, uint64_t server_key,
                        uint64_t *ret_n_files);
/* A durable event without rows: pipeline:online … */
int store_put_event(struct store_writer *w, enum event_type type, struct str subject,
                    struct str data, struct event **ret_event);
/* Oldest events and past contents beyond the limits, some at a time; ret_more: call again. */
int store_prune(struct store_writer *w, int64_t now_ms, bool *ret_more);
/* Brings the text index up to date for about n_entities at most; ret_more: call again. Reads are right
 * without it, only slower over the files that wait: a bulk load need not pay for it. */
int store_index_text(struct store_writer *w, size_t n_entities, bool *ret_more);
/* Outside a transaction. PASSIVE when is_idle is false, else TRUNCATE if the log is large. */
int store_checkpoint(struct store_writer *w, bool is_idle);

/* ---- reading: read-only, sees committed data; any thread, one at a time ---- */
/* -ENOENT: there is no index yet. */
int store_reader_open(const char *url, struct store_reader **ret_reader, char **ret_why);
void store_reader_close(struct store_reader *r);
/* Another thread may call it: the running read ends with -EINTR. */
void store_reader_interrupt(struct store_reader *r);
/* One view of the index for several reads; short, or the log cannot be cut. */
int store_reader_begin(struct store_reader *r);
void store_reader_end(struct store_reader *r);
int store_read_info(struct store_reader *r, struct store_info *ret_info);
int store_read_counts(struct store_reader *r, struct store_counts *ret_counts);
/* Callbacks return 0 to go on; another value stops and is returned. Views end with the call. */
typedef int (*store_file_fn)(void *ctx, const struct file *file);
typedef int (*store_entity_fn)(void *ctx, const struct entity_row *row);
typedef int (*store_event_fn)(void *ctx, const struct event *event);
typedef int (*store_edge_fn)(void *ctx, const struct edge_row *edge);

/* In no order: sorting 50,000 costs eight times as much as reading them. */
int store_each_file(struct store_reader *r, store_file_fn fn, void *ctx);
/* -ENOENT when the file is not in the index. */
int store_read_file(struct store_reader *r, struct str path, struct arena *a,
                    struct file *ret_file);
/* All entities, by path then place. path empty: the whole index. */
int store_each_entity(struct store_reader *r, struct str path, store_entity_fn fn,
                      void *ctx);
/* Names only, fast: id, e.kind, e.name, e.qualified_name, path, lang are set. */
int store_each_name(struct store_reader *r, store_entity_fn fn, void *ctx);
/* -ENOENT. Strings live in the arena. */
int store_read_entity(struct store_reader *r, struct str key, struct arena *a,
                      struct entity_row *ret_row);
int store_read_entity_id(struct store_reader *r, int64_t id, struct arena *a,
                         struct entity_row *ret_row);
int store_each_named(struct store_reader *r, struct str name, store_entity_fn fn,
                     void *ctx);
/* Full text over signature, doc and hover, best first. */
int store_search_text(struct store_reader *r, struct str query, size_t limit,
                      store_entity_fn fn, void *ctx);
/* Edges, by path then place: all; into a name; out of an entity. */
int store_each_edge(struct store_reader *r, store_edge_fn fn, void *ctx);
int store_each_caller(struct store_reader *r, struct str name, size_t limit,
                      store_edge_fn fn, void *ctx);
int store_each_callee(struct store_reader *r, struct str key, size_t limit,
                      store_edge_fn fn, void *ctx);
/* Files that have an entity whose hover is unknown(not_asked, starting, timed_out, crashed, busy, cancelled), then those with stale ones only. */
int store_each_unasked_file(struct store_reader *r, store_file_fn fn, void *ctx);
/* What is known of a content: -ENOENT when nothing is. Strings live in the arena. */
int store_read_told(struct store_reader *r, struct hash128 content, struct str lang,
                    struct arena *a, struct store_told *ret_told);
/* seq > since, ascending, at most limit. Whole rows. */
int store_each_event(struct store_reader *r, int64_t since, size_t limit,
                     store_event_fn fn, void *ctx);
