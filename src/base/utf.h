#pragma once
/* Columns between UTF-8 bytes, UTF-16 units and UTF-32 code points. Invalid bytes count as one
 * unit each and stay in place, so that every file has positions. Pure, any thread. */
#include "base/base.h"
#include "base/str.h"

/* Length of the sequence at s (1–4), 0 when s is empty; an invalid byte is a sequence of 1 with
 * code point 0xFFFD. */
size_t utf8_decode(struct str s, uint32_t *ret_code_point);
bool utf8_is_valid(struct str s);
/* UTF-16 units in these bytes. */
size_t utf8_utf16_len(struct str s);
/* Byte offset of a UTF-16 / UTF-32 column in a line; past the end gives the end; inside a pair, its start. */
size_t utf8_offset_of_utf16(struct str line, size_t col_utf16);
size_t utf8_offset_of_utf32(struct str line, size_t col_utf32);
size_t utf8_utf32_len(struct str s);
/* Append with invalid sequences replaced by U+FFFD. */
void utf8_add_valid(struct buf *b, struct str s);
