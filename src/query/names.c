/* Segments of the name table. Built once, on a worker, from rows in any order: different names are
 * kept once and sorted, so that a beginning is a range, and the entities that bear one lie together.
 * What fuzzy_bits_of() says of the names is kept by bit, not by name, since a search asks for few of
 * the bits, but of all names. About 16 bytes an entity, 46 and its text a name. Invariant: a built
 * segment is never written again. */
#include "query/names.h"
#include "base/err.h"
#include "base/hash.h"

#define SLOTS_MIN 64

static_assert(ENTITY_KIND_COUNT <= 1 << NAMES_KIND_BITS, "a kind fits its bits");

/* ---- interned strings ---- */

static void
intern_grow(struct intern *in)
{
    size_t n_slots = MAX(in->n_slots * 2, (size_t)SLOTS_MIN);
    uint32_t *slots = xcalloc(n_slots, sizeof(*slots));
    for (size_t i = 0; i < in->at.n; i++) {
        size_t at = hash64(intern_at(in, i)) & (n_slots - 1);
        while (slots[at] != 0)
            at = (at + 1) & (n_slots - 1);
        slots[at] = (uint32_t)i + 1;
    }
    free(in->slots);
    in->slots = slots;
    in->n_slots = n_slots;
}

static int
intern_add(struct intern *in, struct str s, uint32_t *ret_number)
{
    if ((in->at.n + 1) * 2 > in->n_slots)
        intern_grow(in);
    size_t at = hash64(s) & (in->n_slots - 1);
    for (; in->slots[at] != 0; at = (at + 1) & (in->n_slots - 1)) {
        if (str_eq(intern_at(in, in->slots[at] - 1), s)) {
            *ret_number = in->slots[at] - 1;
            return 0;
        }
    }
    if (in->text.n + s.n > NAMES_TEXT_BYTES_MAX || in->at.n >= UINT32_MAX - 1)
        return -E2BIG;
    *vec_push(&in->at) = (uint32_t)in->text.n;
    buf_add_str(&in->text, s);
    in->slots[at] = (uint32_t)in->at.n;
    *ret_number = (uint32_t)in->at.n - 1;
    return 0;
}

static void
intern_finish(struct intern *in)
{
    buf_finish(&in->text);
    vec_finish(&in->at);
    free(in->slots);
    in->slots = NULL;
    in->n_slots = 0;
}

/* Only read from now on. */
static struct intern
intern_close(struct intern *in)
{
    struct intern closed = *in;
    free(closed.slots);
    closed.slots = NULL;
    closed.n_slots = 0;
    *in = (struct intern){.n_slots = 0};
    return closed;
}

/* ---- building ---- */

int
names_add_file(struct names_builder *b, struct str path, struct str lang)
{
    uint32_t number = 0;
    if (b->files.at.n > 0 && str_eq(intern_at(&b->files, b->file), path))
        return 0;
    int r = intern_add(&b->files, path, &b->file);
    if (r == 0 && b->files.at.n > NAMES_FILES_MAX)
        r = -E2BIG;
    if (r == 0 && b->file_langs.n < b->files.at.n) {
        r = intern_add(&b->langs, lang, &number);
        *vec_push(&b->file_langs) = (uint8_t)MIN(number, (uint32_t)UINT8_MAX);
    }
    return err_trace(r);
}

static struct str
container_of_row(const struct entity_row *row)
{
    struct str q = row->e.qualified_name;
    if (q.n <= row->e.name.n || !str_ends_with(q, row->e.name))
        return STR_NONE;
    q.n -= row->e.name.n + 1; // and the dot
    return q;
}

int
names_add(struct names_builder *b, const struct entity_row *row)
{
    struct names_entity e = {.id = row->id};
    uint32_t name = 0;
    int r = names_add_file(b, row->path, row->lang);
    if (r == 0)
        r = intern_add(&b->containers, container_of_row(row), &e.container);
    if (r == 0)
        r = intern_add(&b->names, row->e.name, &name);
    if (r < 0)
        return err_trace(r);
    e.file_kind = b->file << NAMES_FILE_SHIFT | (uint32_t)row->e.kind;
    *vec_push(&b->entities) = e;
    *vec_push(&b->name_of) = name;
    return 0;
}

struct sort_key {
    uint64_t head; // the first eight letters, folded
    uint32_t number;
};

static uint64_t
head_of(struct str s)
{
    uint64_t head = 0;
    for (size_t i = 0; i < sizeof(head); i++)
        head = head << 8 | (i < s.n ? (unsigned char)fuzzy_fold(s.p[i]) : 0);
    return head;
}

static int
by_name(const void *a, const void *b, void *ctx)
{
    const struct sort_key *x = a, *y = b;
    const struct intern *names = ctx;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    return fuzzy_compare(intern_at(names, x->number), intern_at(names, y->number));
}

static int
by_bytes(const void *a, const void *b, void *ctx)
{
    return str_cmp(intern_at(ctx, *(const uint32_t *)a),
                   intern_at(ctx, *(const uint32_t *)b));
}

/* Names in their order, with text and letters; rank: a name's number → its place. */
static void
lay_names(struct names_segment *s, const struct intern *names, uint32_t *rank)
{
    size_t n = names->at.n;
    struct sort_key *keys = xcalloc(n + 1, sizeof(*keys));
    for (size_t i = 0; i < n; i++)
        keys[i] = (struct sort_key){head_of(intern_at(names, i)), (uint32_t)i};
    qsort_r(keys, n, sizeof(*keys), by_name, (void *)names);
    s->n_names = n;
    s->text = xmalloc(names->text.n + 1);
    s->entries = xcalloc(n + 2, sizeof(*s->entries));
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        struct str name = intern_at(names, keys[i].number);
        memcpy(s->text + at, name.n > 0 ? name.p : "", name.n);
        s->entries[i].text = at;
        rank[keys[i].number] = (uint32_t)i;
        at += (uint32_t)name.n;
    }
    s->entries[n].text = at;
    free(keys);
}

/* Bit k of word i becomes bit i of word k. */
static void
turn_square(uint64_t words[64])
{
    uint64_t mask = UINT32_MAX;
    for (unsigned n = 32; n > 0; n /= 2, mask ^= mask << n) {
        for (unsigned i = 0; i < 64; i = (i + n + 1) & ~n) {
            uint64_t other = ((words[i] >> n) ^ words[i + n]) & mask;
            words[i] ^= other << n;
            words[i + n] ^= other;
        }
    }
}

/* By 64 names, which are a word of each column. */
static void
lay_columns(struct names_segment *s)
{
    size_t step = 64 * NAMES_COLUMN_STEP;
    s->n_words = (s->n_names + step - 1) / step * NAMES_COLUMN_STEP;
    s->columns = xcalloc(FUZZY_BITS * s->n_words + 1, sizeof(*s->columns));
    s->lengths = xcalloc(s->n_names + 1, 1);
    for (size_t at = 0; at * 64 < s->n_names; at++) {
        uint64_t squares[FUZZY_WORDS][64] = {{0}};
        for (size_t i = at * 64; i < MIN((at + 1) * 64, s->n_names); i++) {
            struct fuzzy_bits bits;
            fuzzy_bits_of(names_at(s, i), &bits);
            s->lengths[i] = (uint8_t)MIN(names_at(s, i).n, (size_t)UINT8_MAX);
            for (size_t k = 0; k < FUZZY_WORDS; k++)
                squares[k][i % 64] = bits.words[k];
        }
        for (size_t k = 0; k < FUZZY_WORDS; k++)
            turn_square(squares[k]);
        for (size_t bit = 0; bit < FUZZY_BITS; bit++)
            s->columns[bit * s->n_words + at] = squares[bit / 64][bit % 64];
    }
}

/* Entities grouped by name: counted, then placed. */
static void
lay_entities(struct names_segment *s, const struct names_builder *b, const uint32_t *rank)
{
    size_t n = b->entities.n;
    uint32_t *first = xcalloc(s->n_names + 1, sizeof(*first));
    s->n_entities = n;
    s->ids = xcalloc(n + 1, sizeof(*s->ids));
    s->file_kinds = xcalloc(n + 1, sizeof(*s->file_kinds));
    s->entity_containers = xcalloc(n + 1, sizeof(*s->entity_containers));
    for (size_t i = 0; i < n; i++)
        first[rank[b->name_of.v[i]] + 1]++;
    for (size_t i = 1; i <= s->n_names; i++)
        first[i] += first[i - 1];
    for (size_t i = 0; i <= s->n_names; i++)
        s->entries[i].first = first[i];
    for (size_t i = 0; i < n; i++) {
        uint32_t at = first[rank[b->name_of.v[i]]]++;
        s->ids[at] = b->entities.v[i].id;
        s->file_kinds[at] = b->entities.v[i].file_kind;
        s->entity_containers[at] = b->entities.v[i].container;
    }
    for (size_t i = 1; i <= s->n_names; i++)
        s->file_kinds[s->entries[i].first - 1] |= NAMES_LAST;
    free(first);
}

struct names_segment *
names_build(struct names_builder *b)
{
    struct names_segment *s = xnew(struct names_segment);
    uint32_t *rank = xcalloc(b->names.at.n + 1, sizeof(*rank));
    lay_names(s, &b->names, rank);
    intern_finish(&b->names);
    lay_entities(s, b, rank);
    free(rank);
    lay_columns(s);
    s->by_path = xcalloc(b->files.at.n + 1, sizeof(*s->by_path));
    for (size_t i = 0; i < b->files.at.n; i++)
        s->by_path[i] = (uint32_t)i;
    qsort_r(s->by_path, b->files.at.n, sizeof(*s->by_path), by_bytes, &b->files);
    s->files = intern_close(&b->files);
    s->containers = intern_close(&b->containers);
    s->langs = intern_close(&b->langs);
    s->file_langs = steal(b->file_langs.v);
    names_builder_finish(b);
    return s;
}

void
names_builder_finish(struct names_builder *b)
{
    intern_finish(&b->names);
    intern_finish(&b->files);
    intern_finish(&b->containers);
    intern_finish(&b->langs);
    vec_finish(&b->entities);
    vec_finish(&b->name_of);
    vec_finish(&b->file_langs);
    *b = (struct names_builder){.file = 0};
}

void
names_segment_destroy(struct names_segment *s)
{
    if (!s)
        return;
    intern_finish(&s->files);
    intern_finish(&s->containers);
    intern_finish(&s->langs);
    free(s->text);
    free(s->columns);
    free(s->lengths);
    free(s->entries);
    free(s->ids);
    free(s->file_kinds);
    free(s->entity_containers);
    free(s->file_langs);
    free(s->by_path);
    free(s);
}
