#pragma once
/* The texts that people read, made from the source: signature and doc comment. */
#include "extract/found.h"

/* One line, white space folded, body and comments left out, at most ENTITY_SIGNATURE_BYTES_MAX. */
void text_add_signature(struct buf *b, const struct finds *f, const struct found *d);
/* The comments directly above, or the string that opens the body, or the comment behind a member;
 * widens d->extent by the comments used. At most ENTITY_DOC_BYTES_MAX. */
void text_add_doc(struct buf *b, const struct finds *f, struct found *d);
/* Letters, digits and _ only: text_add_name would change nothing. */
bool text_is_word(struct str s);
/* Appends with white space folded, quotes and < > around it taken off, at most ENTITY_NAME_BYTES_MAX. */
void text_add_name(struct buf *b, struct str name);
/* A name in pieces: add:to:. */
void text_add_pieces(struct buf *b, const struct finds *f, struct pieces pieces);
/* The scope of a name as parents' names are written, joined by '.': a::b<T> gives a.b, data "x" data.x. */
void text_add_scope(struct buf *b, struct str scope);
/* Appends at most max_bytes of valid UTF-8, never half a character. */
void text_add_limited(struct buf *b, struct str s, size_t max_bytes);
