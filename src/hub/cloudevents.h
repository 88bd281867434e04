#pragma once
/* The CloudEvents 1.0 view of what the hub sends, one to one. Pure. Private to the hub; any thread. */
#include "base/base.h"
#include "base/str.h"

/* What ?format= says: native when it is "gloss", -EINVAL for what there is not. */
int cloudevents_read_format(struct str name, bool *ret_is_cloudevents);

/* The place of an event in the log, as an id and as what `since` takes: "EPOCH:SEQ" behind the last event of a row,
 * "EPOCH:SEQ.I" behind another one. Nothing but printable ASCII. */
void cloudevents_add_id(struct buf *b, struct str epoch, int64_t seq, uint32_t index,
                        bool is_last);

/* A message as docs/PROTOCOL.md has it; one that is no event stays what it is. An event that has no place in the log
 * is told from others by its time and `number`. */
void cloudevents_add(struct buf *b, struct str message, uint64_t number);
