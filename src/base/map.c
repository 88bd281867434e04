/* Hash map with an order. Entries lie in an array in order of insertion, and a table
 * of slots, probed linearly, holds their positions: walking is a walk over the array,
 * the same in every run although the seed is not. Invariant: every live entry has
 * exactly one slot; at least one slot in four is empty, so every probe ends; an entry
 * is dead when its key is NULL, and stays in its place until the next rebuild, so that
 * removal disturbs nobody who walks. */
#include "base/map.h"

#include "base/hash.h"
#include "base/mem.h"

#include <sys/random.h>

enum { MAP_SLOTS_MIN = 16 };
#define SLOT_EMPTY UINT32_C(0)
#define SLOT_DEAD UINT32_MAX
#define MAP_SLOTS_MAX ((size_t)1 << 31)

struct map_entry {
    char *key; // NULL when dead
    size_t key_bytes;
    uint64_t hash;
    void *value;
};

struct map {
    struct map_entry *entries;
    uint32_t *slots; // position in entries + 1, or one of the marks
    size_t n_slots;  // a power of two
    size_t n_used;   // entries, dead ones included
    size_t n_live;
    uint64_t seed;
};

static size_t
entries_max(size_t n_slots)
{
    return n_slots / 4 * 3;
}

struct map *
map_create(void)
{
    struct map *m = xnew(struct map);
    /* Up to 256 bytes arrive whole or not at all. */
    if (getrandom(&m->seed, sizeof(m->seed), 0) != sizeof(m->seed))
        abort();
    m->n_slots = MAP_SLOTS_MIN;
    m->slots = xcalloc(m->n_slots, sizeof(*m->slots));
    m->entries = xreallocarray(NULL, entries_max(m->n_slots), sizeof(*m->entries));
    return m;
}

void
map_destroy(struct map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_used; i++)
        free(m->entries[i].key);
    free(m->entries);
    free(m->slots);
    free(m);
}

size_t
map_count(const struct map *m)
{
    return m->n_live;
}

/* The slot that holds the key, or the empty one that ends its probe. */
static uint32_t *
find_slot(const struct map *m, struct str key, uint64_t hash)
{
    for (size_t at = hash & (m->n_slots - 1);; at = (at + 1) & (m->n_slots - 1)) {
        uint32_t slot = m->slots[at];
        if (slot == SLOT_EMPTY)
            return &m->slots[at];
        if (slot == SLOT_DEAD)
            continue;
        const struct map_entry *e = &m->entries[slot - 1];
        if (e->hash == hash && str_eq(str_slice(e->key, e->key_bytes), key))
            return &m->slots[at];
    }
}

/* Drop the dead and make room for as many again as are alive. */
static void
rebuild(struct map *m)
{
    size_t n_slots = MAP_SLOTS_MIN;
    while (entries_max(n_slots) < m->n_live * 2) {
        if (n_slots == MAP_SLOTS_MAX)
            mem_exhausted(SIZE_MAX);
        n_slots *= 2;
    }

    struct map_entry *entries =
        xreallocarray(NULL, entries_max(n_slots), sizeof(*entries));
    uint32_t *slots = xcalloc(n_slots, sizeof(*slots));
    size_t n = 0;
    for (size_t i = 0; i < m->n_used; i++) {
        if (!m->entries[i].key)
            continue;
        entries[n++] = m->entries[i];
        size_t at = m->entries[i].hash & (n_slots - 1);
        while (slots[at] != SLOT_EMPTY)
            at = (at + 1) & (n_slots - 1);
        slots[at] = (uint32_t)n;
    }

    free(m->entries);
    free(m->slots);
    m->entries = entries;
    m->slots = slots;
    m->n_slots = n_slots;
    m->n_used = n;
}

void *
map_get(const struct map *m, struct str key)
{
    uint32_t slot = *find_slot(m, key, hash64_seeded(key, m->seed));
    return slot == SLOT_EMPTY ? NULL : m->entries[slot - 1].value;
}

void *
map_put(struct map *m, struct str key, void *value)
{
    assert(value);
    uint64_t hash = hash64_seeded(key, m->seed);
    uint32_t *slot = find_slot(m, key, hash);
    if (*slot != SLOT_EMPTY) {
        struct map_entry *e = &m->entries[*slot - 1];
        void *before = e->value;
        e->value = value;
        return before;
    }

    char *copy = str_dup(key); // first: the key may be a view of one that is here
    if (m->n_used == entries_max(m->n_slots)) {
        rebuild(m);
        slot = find_slot(m, str_slice(copy, key.n), hash);
    }
    m->entries[m->n_used++] = (struct map_entry){
        .key = copy,
        .key_bytes = key.n,
        .hash = hash,
        .value = value,
    };
    *slot = (uint32_t)m->n_used;
    m->n_live++;
    return NULL;
}

void *
map_remove(struct map *m, struct str key)
{
    uint32_t *slot = find_slot(m, key, hash64_seeded(key, m->seed));
    if (*slot == SLOT_EMPTY)
        return NULL;

    struct map_entry *e = &m->entries[*slot - 1];
    void *before = steal(e->value);
    free(steal(e->key)); // `key` may be a view of it: not read from here on
    *slot = SLOT_DEAD;
    m->n_live--;
    return before;
}

bool
map_next(const struct map *m, size_t *iter, struct str *ret_key, void **ret_value)
{
    while (*iter < m->n_used) {
        const struct map_entry *e = &m->entries[(*iter)++];
        if (!e->key)
            continue;
        *ret_key = str_slice(e->key, e->key_bytes);
        *ret_value = e->value;
        return true;
    }
    return false;
}
