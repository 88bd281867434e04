#pragma once
/* Rows as bytes: numbers of seven bits a byte, low ones first, texts behind their length. Inside of the
 * RocksDB backend. What is read is checked as if somebody else had written it: -EBADMSG. */
#include "base/arena.h"
#include "store/rows.h"
#include "store/tables.h"

void rocks_pack(struct buf *b, uint64_t value);
void rocks_pack_signed(struct buf *b, int64_t value);
void rocks_pack_str(struct buf *b, struct str s);
/* Out of the front of *rest; past its end is_bad is set, and what is read is 0. */
struct rocks_unpack {
    struct str rest;
    bool is_bad;
};
uint64_t rocks_take(struct rocks_unpack *u);
int64_t rocks_take_signed(struct rocks_unpack *u);
/* Below a limit, or bad. */
uint32_t rocks_take_below(struct rocks_unpack *u, uint64_t limit);
struct str rocks_take_str(struct rocks_unpack *u); // a view

/* Strings of what is read are views of the text. */
void rocks_file_write(struct buf *b, const struct file_stored *f);
int rocks_file_read(struct str text, int64_t id, struct file_stored *ret_file);
void rocks_counts_write(struct buf *b, const struct file_counts *counts);
int rocks_counts_read(struct str text, struct file_counts *ret_counts);
/* Without the text of its hover. */
void rocks_entity_write(struct buf *b, const struct entity_stored *s);
int rocks_entity_read(struct str text, int64_t id, struct entity_stored *ret_entity);
void rocks_event_write(struct buf *b, const struct table_event *event);
int rocks_event_read(struct str text, int64_t seq, struct table_event *ret_event);
void rocks_past_write(struct buf *b, const struct past_row *row);
int rocks_past_read(struct str text, int64_t id, struct past_row *ret_row);
