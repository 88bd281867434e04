#pragma once
/* What the files of the shared logic say to each other: put.c, hover.c, past.c, edge.c, event.c. No
 * backend includes it. The writer's thread, within its transaction. */
#include "store/shared.h"

/* The row with the next seq. is_bare: the data is left to the rows, see rows_first_data(). */
int table_event_add(struct table_writer *w, enum event_type type, struct str subject,
                    struct str data, bool is_bare, struct event **ret_event);
/* Before the file's rows change the first time: what they were goes into the log, unless that row
 * of it was pruned. Clears f->log_seq, which the caller writes. */
int table_event_fill(struct table_writer *w, struct file_stored *f,
                     const struct entity_list *list);
/* The file's part of the text index is out of date: sets text_gen, which the caller writes. */
void table_text_drop(struct table_writer *w, struct file_stored *f);

void table_counts_add(struct file_counts *counts, const struct file_stored *f,
                      const struct entity_stored *s);

/* slots: of the batch's entities, by index. */
int table_edges_put(struct table_writer *w, const struct file_stored *f,
                    const struct batch *b, const uint32_t *slots, uint64_t n_was);

int table_hover_ref(struct table_writer *w, struct str markdown, struct str server,
                    int64_t *ret_id);
/* One more entity shows it, or one less; 0 is allowed. */
int table_hover_share(struct table_writer *w, int64_t id);
int table_hover_unref(struct table_writer *w, int64_t id);

struct recall_entry *recall_find(const struct recall *recall, uint64_t place);
/* Before the file's content changes or goes: what is known of it and not stale is referenced;
 * nothing when another file has it as well. */
int table_past_hold(struct table_writer *w, const struct file_stored *f,
                    const struct entity_list *list, struct recall *ret_kept);
/* Then the row, which takes over the references; text_bytes of texts that the file let go. */
int table_past_put(struct table_writer *w, const struct file *file,
                   const struct recall *kept, int64_t text_bytes);
/* After its entities took what they could: what is left goes, and the row. */
int table_past_end(struct table_writer *w, const struct recall *recall);
/* Those used longest ago, beyond these limits; ret_more: call again. */
int table_past_prune(struct table_writer *w, int64_t rows_max, int64_t bytes_max,
                     bool *ret_more);
/* Idempotency keys that are too old, or too many. */
int table_once_prune(struct table_writer *w, int64_t now_ms, bool *ret_more);
