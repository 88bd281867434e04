#pragma once
/* The text index: sorted runs of keys, each key with the entities that have it. A key is a folded word,
 * or a mark and the hash of a name. A run is written once and read from then on; runs of one level are
 * merged into one of the next when there are RUNS_MERGED of them. Inside of the SQLite backend.
 * A posting is a file's generation, a slot and a mask: where the entity has the word. In a leaf a key is
 * written as what it does not share with the key before, and may go on in the next leaf. Of its postings
 * each group is one file's: generation << 2 | is absolute << 1 | is single, then the number of slots unless
 * single, then for each slot the distance to the one before << 4 | mask; all numbers are varints. The first
 * group of what one writer wrote has an absolute generation, so postings are joined by copying them. */
#include <endian.h>

#include "base/vec.h"
#include "store/sqlite_conn.h"

#define TEXT_KEY_BYTES 40  // what is longer counts by its beginning
#define TEXT_LEAF_BITS 20  // of text_leaf.id, below the run's
#define TEXT_DIR_BYTES 8   // of text_run.leaves for each leaf: its first key's beginning
#define TEXT_NAME "\x01"   // of a key: entities of this name
#define TEXT_TARGET "\x02" // files with edges to it; slot 0
#define TEXT_HASH_KEY_BYTES 5

/* Of a mask; names and targets have none. */
#define TEXT_IN_NAME 1U
#define TEXT_IN_SIGNATURE 2U
#define TEXT_IN_DOC 4U
#define TEXT_IN_HOVER 8U
#define TEXT_MASKS 16U

/* ---- numbers ---- */

#define VARINT_BYTES 10 // at most
static inline char *
sqlite_put_varint(char *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (char)(v | 0x80);
    *p++ = (char)v;
    return p;
}

bool sqlite_take_varint(struct str *s, uint64_t *ret_value);
/* Ascending, by the bits from this one on, a multiple of eight; those below ascend already where these are
 * equal. Of bytes that are equal in all it costs nothing. */
void sqlite_sort_numbers(uint64_t *v, size_t n, int first_bit);
/* The first bytes as a number that sorts alike. */
static inline uint64_t
sqlite_key_begin(struct str key)
{
    uint64_t v = 0;
    if (key.n >= TEXT_DIR_BYTES)
        memcpy(&v, key.p, TEXT_DIR_BYTES);
    else if (key.n > 0)
        memcpy(&v, key.p, key.n);
    return be64toh(v);
}
void sqlite_hash_key(const char *mark, struct str name,
                     char ret_key[TEXT_HASH_KEY_BYTES]);

/* ---- a run that is being written ---- */

struct text_out {
    int64_t run;
    int64_t n_leaves;
    struct buf leaf, dir;
    struct buf last;          // key before, in this leaf
    struct buf key, postings; // gathered until another key comes
    uint64_t n_bytes;         // taken
};
void sqlite_out_init(struct text_out *out, int64_t run);
void sqlite_out_finish(struct text_out *out);
/* Keys ascend, and so do the generations of one key. */
int sqlite_out_add(struct sqlite_conn *c, struct text_out *out, struct str key,
                   struct str postings);
/* From here on it is found. */
int sqlite_out_publish(struct sqlite_conn *c, struct text_out *out, int64_t level);

/* ---- reading ---- */

struct text_cursor {
    int64_t run, leaf, n_leaves; // leaf: the next one
    struct buf data;             // of the leaf before
    struct str rest, postings;   // views of it
    char key[TEXT_KEY_BYTES];
    size_t key_n;
    uint64_t begin; // of the key
};
void sqlite_cursor_init(struct text_cursor *cur, int64_t run, int64_t n_leaves);
void sqlite_cursor_finish(struct text_cursor *cur);
/* To where the key may be at first; dir: text_run.leaves. */
void sqlite_cursor_seek(struct text_cursor *cur, struct str dir, struct str key);
/* 1 a key and its postings, 0 the end. -EBADMSG. */
int sqlite_cursor_next(struct sqlite_conn *c, struct text_cursor *cur);
/* Right behind a seek: as next() until the key is not less than this one, but quicker. */
int sqlite_cursor_find(struct sqlite_conn *c, struct text_cursor *cur, struct str key);

struct text_posting {
    int64_t gen;
    uint32_t slot;
    unsigned mask;
};
/* A zeroed one with postings set is at the beginning. */
struct text_postings {
    struct str rest;
    int64_t gen;
    uint64_t n_slots; // left of the group
    uint32_t slot;
};
int sqlite_postings_next(struct text_postings *p, struct text_posting *ret_posting);
