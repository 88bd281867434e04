#pragma once
/* JSON: checked reading of what comes from outside, and the one encoding of each noun that LSP,
 * HTTP, WebSocket, CLI and the event log share. Writing goes straight into a buf; jansson reads.
 * Text that is not UTF-8 is written with U+FFFD. Pure, any thread. */
#include <jansson.h>

#include "base/base.h"
#include "base/str.h"
#include "codec/ingest.h"
#include "codec/wire.h"
#include "model/edge.h"
#include "model/entity.h"
#include "model/event.h"
#include "model/file.h"

#define CODEC_DEPTH_MAX 64

/* ---- reading ---- */

/* One JSON value, nothing behind it, at most CODEC_DEPTH_MAX deep, no duplicate keys. -EINVAL, and
 * *ret_why (heap; ret_why may be NULL) says where. A string may hold NUL (\u0000): mind its length. */
int codec_parse(struct str text, json_t **ret_value, char **ret_why);
/* How many values it would make of the text if that is JSON: what a tree of it takes, found without making
 * it. Keys are none. Stops behind `max`. */
size_t codec_count_values(struct str text, size_t max);
/* Members of an object. 0; -ENOENT absent or null; -EINVAL of another type or out of range. */
int codec_get_str(const json_t *object, const char *key,
                  struct str *ret_value); // borrowed
int codec_get_int(const json_t *object, const char *key, int64_t min, int64_t max,
                  int64_t *ret_value);
int codec_get_bool(const json_t *object, const char *key, bool *ret_value);
/* Borrowed; NULL when absent or of another type. `value` may be NULL. */
json_t *codec_object(const json_t *value, const char *key);
json_t *codec_array(const json_t *value, const char *key);
json_t *codec_member(const json_t *value, const char *key);

/* Of an object as text, without a tree: the text of a member's value, its key being without escapes. -ENOENT,
 * -EINVAL (no JSON as far as it was looked at). */
int codec_slice_member(struct str object, struct str key, struct str *ret_value);

/* The four shapes of a hover's contents as markdown of at most HOVER_BYTES_MAX. *ret_text is emptied
 * first; stays empty when nothing is said. -EPROTO: another shape. */
int codec_read_hover(const json_t *hover, struct buf *ret_text);

static inline void
json_decref_(json_t *j)
{
    json_decref(j);
}
DEFINE_AUTO(json_decref_, json_t *)

/* ---- writing ---- */

void codec_add_string(struct buf *b, struct str s);      // quoted and escaped
void codec_add_text(struct buf *b, const char *text);    // the same, or null
void codec_add_json(struct buf *b, const json_t *value); // compact
/* {"start":{"line":0,"character":0},"end":{…}}, zero-based, UTF-16 */
void codec_add_range(struct buf *b, const struct span *span);

enum codec_with { CODEC_WITH_HOVER = 1, CODEC_WITH_SCORE = 2 };
/* The object of docs/PROTOCOL.md "entity": key, lang, kind, name, qualified_name, path, range,
 * name_range, signature, doc, [hover], parent (key or null), rev, [score]. `with` is a set of codec_with. */
void codec_add_entity(struct buf *b, const struct entity_row *row, unsigned with);
/* {"state":"known","markdown":…} · {"state":"empty"} · {"state":"unknown","reason":…}, "stale":true when it is, "server" when known */
void codec_add_hover(struct buf *b, const struct hover *hover);
/* {"kind":"calls","from":key or null,"path","line","character","target",["to":key or null,"confidence"]} */
void codec_add_edge(struct buf *b, const struct edge_row *edge);

/* ---- the event log's data, written by the store in the row's own transaction ---- */

/* A file's delta under construction; a zeroed one is empty. */
struct codec_delta {
    struct buf added, updated, deleted, enriched; // JSON array elements, comma separated
    size_t n_added, n_updated, n_deleted, n_enriched;
};

void codec_delta_finish(struct codec_delta *d);
/* Whole entities with their hover: the log alone rebuilds the rows. Set row->rev first. */
void codec_delta_add(struct codec_delta *d, const struct entity_row *row);
void codec_delta_update(struct codec_delta *d, const struct entity_row *row);
/* Only key, kind, name, path, lang of the row are used. */
void codec_delta_delete(struct codec_delta *d, const struct entity_row *row);
/* key, kind, name, path, lang, hover, rev */
void codec_delta_enrich(struct codec_delta *d, const struct entity_row *row);
/* {"path","lang","state","reason"?,"added":[…],"updated":[…],"deleted":[…],"enriched":[…]}; empty arrays are left out. */
void codec_delta_write(struct buf *b, const struct codec_delta *d,
                       const struct file *file);
