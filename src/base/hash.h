#pragma once
/* Hashes and random bytes. XXH3 (libxxhash, header-only): fast, not cryptographic; good for change
 * detection and tables, not against somebody who wants two contents to collide. Any thread. */
#include "base/base.h"
#include "base/str.h"

struct hash128 {
    uint64_t hi, lo;
};

#define HASH_HEX_BYTES 33 // 32 digits and NUL

uint64_t hash64(struct str s);
uint64_t hash64_seeded(struct str s, uint64_t seed);
struct hash128 hash128(struct str s);
bool hash128_eq(struct hash128 a, struct hash128 b);
void hash128_to_hex(struct hash128 h, char ret_hex[HASH_HEX_BYTES]);
/* -EINVAL unless 32 hex digits. */
int hash128_from_hex(struct str hex, struct hash128 *ret_hash);

/* Hex of n bytes from getrandom(2), heap; aborts if the kernel has none. */
char *random_hex(size_t n_bytes) MUST_USE;
/* Constant time in the length of the longer one. */
bool secret_eq(struct str a, struct str b);
