/* Hashes, random tokens and their comparison. It exists so that one file knows
 * libxxhash and one knows the kernel's random source. Invariant: a hash of the same
 * bytes is the same on every machine and in every run; it is stored. */
#define XXH_INLINE_ALL
#include <xxhash.h> // before base/base.h, which bans the allocator it names

#include "base/hash.h"
#include "base/mem.h"

#include <sys/random.h>

static const char hex_digits[] = "0123456789abcdef";

uint64_t
hash64_seeded(struct str s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.n ? s.p : "", s.n, seed);
}

uint64_t
hash64(struct str s)
{
    return XXH3_64bits(s.n ? s.p : "", s.n);
}

struct hash128
hash128(struct str s)
{
    XXH128_hash_t h = XXH3_128bits(s.n ? s.p : "", s.n);
    return (struct hash128){.hi = h.high64, .lo = h.low64};
}

bool
hash128_eq(struct hash128 a, struct hash128 b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

void
hash128_to_hex(struct hash128 h, char ret_hex[HASH_HEX_BYTES])
{
    for (int i = 0; i < 16; i++) {
        int shift = 60 - 4 * i;
        ret_hex[i] = hex_digits[h.hi >> shift & 15];
        ret_hex[16 + i] = hex_digits[h.lo >> shift & 15];
    }
    ret_hex[32] = '\0';
}

int
hash128_from_hex(struct str hex, struct hash128 *ret_hash)
{
    struct hash128 h = {0};
    if (hex.n != HASH_HEX_BYTES - 1)
        return -EINVAL;
    for (size_t i = 0; i < hex.n; i++) {
        int value = hex_value(hex.p[i]);
        if (value < 0)
            return -EINVAL;
        uint64_t *half = i < 16 ? &h.hi : &h.lo;
        *half = *half << 4 | (uint64_t)value;
    }
    *ret_hash = h;
    return 0;
}

static void
random_fill(void *p, size_t n)
{
    unsigned char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            abort(); // a guessable token is worse than none
        }
        at += got;
        n -= (size_t)got;
    }
}

char *
random_hex(size_t n_bytes)
{
    char *hex = xreallocarray(NULL, n_bytes + 1, 2);
    /* The bytes wait in the second half and are used up before the digits reach them. */
    unsigned char *bytes = (unsigned char *)hex + n_bytes;

    random_fill(bytes, n_bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char c = bytes[i];
        hex[2 * i] = hex_digits[c >> 4];
        hex[2 * i + 1] = hex_digits[c & 15];
    }
    hex[2 * n_bytes] = '\0';
    return hex;
}

bool
secret_eq(struct str a, struct str b)
{
    size_t n = MAX(a.n, b.n);
    volatile unsigned char differ = a.n != b.n; // volatile: the loop must not end early

    for (size_t i = 0; i < n; i++) {
        unsigned char x = i < a.n ? (unsigned char)a.p[i] : 0;
        unsigned char y = i < b.n ? (unsigned char)b.p[i] : 0;
        differ = (unsigned char)(differ | (x ^ y));
    }
    return differ == 0;
}
