/* How well a typed pattern fits a name. The cheapest way to lay the pattern's letters into the name is
 * searched, since the first way found often misses the starts of words: "pc" in
 * "specialProcessCommand". Only places where a letter of the pattern stands are looked at, so a name
 * costs little more than one pass over it. Pure. */
#include "query/fuzzy.h"
#include "query/query.h"

#define COST_SHORTENED 15 // letters are left out of a word that was begun: cmd, Command
#define COST_WORD 15      // each word that is skipped between two runs
#define COST_NOT_FIRST 5  // the first run is not where the name begins
#define COST_CASE 30      // a capital of the pattern is none in the name
#define COST_CASE_START 2
#define COST_CASE_MAX 30 // of a beginning, so that its band holds
#define COST_PART_PREFIX                                                                 \
    10 // containers: begins so, has these letters, stands further out
#define COST_PART_FUZZY 30
#define COST_PART_SKIPPED 5

#define BIT_DIGIT 26 // and of the bits behind the letters
#define BIT_OTHER 31

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What stands somewhere says with what stands before it whether a word begins there. */
enum sort { MARK, LOWER, UPPER, DIGIT, OTHER, SORT_COUNT };

static const uint8_t sorts[256] = {['a' ... 'z'] = LOWER,
                                   ['A' ... 'Z'] = UPPER,
                                   ['0' ... '9'] = DIGIT,
                                   [0x80 ... 0xff] = OTHER};

/* Marks between words count as starts too: who types one means it. 2: if a small letter follows. */
static const uint8_t starts[SORT_COUNT][SORT_COUNT] = {
    [MARK] = {1, 1, 1, 1, 1},  [LOWER] = {1, 0, 1, 1, 0}, [UPPER] = {1, 0, 2, 1, 0},
    [DIGIT] = {1, 1, 1, 0, 1}, [OTHER] = {1, 0, 1, 1, 0},
};

static enum sort
sort_at(struct str s, size_t i)
{
    return (enum sort)sorts[(unsigned char)s.p[i]];
}

static bool
starts_word(struct str s, size_t i)
{
    unsigned start = starts[i > 0 ? sort_at(s, i - 1) : MARK][sort_at(s, i)];
    return start == 1 || (start == 2 && i + 1 < s.n && sort_at(s, i + 1) == LOWER);
}

static unsigned
bit_of(char folded)
{
    if (folded >= 'a' && folded <= 'z')
        return (unsigned)(folded - 'a');
    if (!is_digit(folded))
        return BIT_OTHER;
    return BIT_DIGIT + (unsigned)(folded - '0') % (BIT_OTHER - BIT_DIGIT);
}

static unsigned
pair_bit(char before, char c)
{
    unsigned hash = (unsigned char)before * 0x9E5u + (unsigned char)c * 0x1B7u;
    return FUZZY_AT_PAIRS + (hash >> 4 & (FUZZY_BITS_PAIRS - 1));
}

static unsigned
class_of(char folded)
{
    static const char classes[] = "cijkajlldjmilfglmehbkmmmmm"; // of a, b, c …
    if (folded >= 'a' && folded <= 'z')
        return (unsigned)(classes[folded - 'a'] - 'a');
    return FUZZY_CLASSES - 1;
}

static void
add_bit(struct fuzzy_bits *bits, unsigned bit)
{
    bits->words[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Of each class, which classes were seen when one of it came. */
static void
add_order(struct str name, struct fuzzy_bits *bits)
{
    uint32_t before[FUZZY_CLASSES] = {0}, seen = 0;
    for (size_t i = 0; i < name.n; i++) {
        unsigned class = class_of(fuzzy_fold(name.p[i]));
        before[class] |= seen;
        seen |= 1u << class;
    }
    for (unsigned i = 0; i < FUZZY_CLASSES; i++) {
        unsigned at = FUZZY_AT_ORDER + i * FUZZY_CLASSES;
        bits->words[at / 64] |= (uint64_t)before[i] << at % 64;
        if (at % 64 + FUZZY_CLASSES > 64)
            bits->words[at / 64 + 1] |= (uint64_t)before[i] >> (64 - at % 64);
    }
}

void
fuzzy_bits_of(struct str name, struct fuzzy_bits *ret_bits)
{
    memset(ret_bits, 0, sizeof(*ret_bits));
    name.n = MIN(name.n, (size_t)FUZZY_NAME_MAX);
    for (size_t i = 0; i < name.n; i++) {
        char folded = fuzzy_fold(name.p[i]);
        unsigned bit = bit_of(folded);
        add_bit(ret_bits, bit);
        if (bit < FUZZY_BITS_STARTS && starts_word(name, i))
            add_bit(ret_bits, FUZZY_AT_STARTS + bit);
        if (i > 0)
            add_bit(ret_bits, pair_bit(fuzzy_fold(name.p[i - 1]), folded));
    }
    add_order(name, ret_bits);
}

/* What a name has in which the pattern's letters stand in their order. */
static void
ask_bits(struct fuzzy_pattern *p)
{
    struct fuzzy_bits bits;
    fuzzy_bits_of(p->text, &bits);
    for (unsigned bit = 0; bit < FUZZY_BITS; bit++) {
        bool is_asked = bit < FUZZY_AT_STARTS || bit >= FUZZY_AT_ORDER;
        if (is_asked && (bits.words[bit / 64] >> bit % 64 & 1))
            p->asked[p->n_asked++] = (uint16_t)bit;
    }
}

/* A capital among small letters stands for a start; and what begins with a single letter and goes on
 * inside of its word is scattered, not shortened. */
static bool
may_shorten(const struct fuzzy_pattern *p, size_t k)
{
    return k > 1 && !(p->has_lower && is_upper(p->typed[k]));
}

void
fuzzy_pattern_init(struct fuzzy_pattern *p, struct str text)
{
    memset(p, 0, sizeof(*p));
    p->text.p = p->typed;
    for (size_t i = 0; i < text.n && p->text.n < sizeof(p->typed); i++) {
        char c = text.p[i], folded = fuzzy_fold(c);
        if (c == ' ')
            continue;
        p->has_upper |= is_upper(c);
        p->has_lower |= c >= 'a' && c <= 'z';
        p->letters[(unsigned char)folded] |= UINT64_C(1) << p->text.n;
        if (bit_of(folded) < FUZZY_BITS_STARTS) {
            p->letters[(unsigned char)(folded - 32)] |= UINT64_C(1) << p->text.n;
            p->starts[p->text.n] = (uint16_t)(FUZZY_AT_STARTS + bit_of(folded));
        }
        if (p->text.n > 0)
            p->pairs[p->text.n] = (uint16_t)pair_bit(p->folded[p->text.n - 1], folded);
        p->folded[p->text.n] = folded;
        p->typed[p->text.n++] = c;
    }
    ask_bits(p);
    for (size_t k = 1; k < p->text.n; k++)
        p->inside[k] = p->starts[k] == 0   ? 0
                       : may_shorten(p, k) ? COST_SHORTENED - FUZZY_COST_RUN
                                           : FUZZY_COST_BAD_START;
}

/* Length of the separator at i, or 0. */
static size_t
separator_at(struct str s, size_t i)
{
    if (s.p[i] == '.' || s.p[i] == '#')
        return 1;
    return s.p[i] == ':' && i + 1 < s.n && s.p[i + 1] == ':' ? 2 : 0;
}

void
fuzzy_query_init(struct fuzzy_query *q, struct str text)
{
    size_t begin = 0;
    memset(q, 0, sizeof(*q));
    fuzzy_pattern_init(&q->whole, text);
    for (size_t i = 0; i < text.n; i++) {
        size_t n = separator_at(text, i);
        if (n == 0)
            continue;
        q->is_qualified = true;
        if (i > begin && q->n_parts < FUZZY_PARTS_MAX)
            fuzzy_pattern_init(&q->parts[q->n_parts++],
                               str_slice(text.p + begin, i - begin));
        begin = i + n;
        i += n - 1;
    }
    fuzzy_pattern_init(&q->last, str_slice(text.p + begin, text.n - begin));
}

int
fuzzy_compare(struct str a, struct str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        unsigned char x = (unsigned char)fuzzy_fold(a.p[i]);
        unsigned char y = (unsigned char)fuzzy_fold(b.p[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.n != b.n ? (a.n < b.n ? -1 : 1) : str_cmp(a, b);
}

bool
fuzzy_is_prefix(const struct fuzzy_pattern *p, struct str name)
{
    if (name.n < p->text.n)
        return false;
    for (size_t i = 0; i < p->text.n; i++) {
        if (p->folded[i] != fuzzy_fold(name.p[i]))
            return false;
    }
    return true;
}

/* A capital typed for the start of a word is as good as right in snake_case. */
static int
case_cost(const struct fuzzy_pattern *p, size_t k, char c, bool is_start)
{
    if (!p->has_upper || !is_upper(p->typed[k]) || p->typed[k] == c)
        return 0;
    return is_start ? COST_CASE_START : COST_CASE;
}

static int
prefix_cost(const struct fuzzy_pattern *p, struct str name)
{
    int in_case = 0;
    for (size_t i = 0; i < p->text.n; i++)
        in_case += case_cost(p, i, name.p[i], false);
    if (name.n == p->text.n)
        return str_eq(name, p->text) ? 0 : FUZZY_COST_CASE_WHOLE;
    return FUZZY_COST_PREFIX + fuzzy_length_cost(p, name.n) + MIN(in_case, COST_CASE_MAX);
}

/* Places of the name where a letter of the pattern stands. */
struct place {
    uint16_t at, word; // words are counted; the mark before one belongs to it
    char folded, is;
    bool is_start;
};

bool
fuzzy_has_letters(const struct fuzzy_pattern *p, struct str name)
{
    uint64_t found = 0; // a bit for each beginning of the pattern; no jumps
    name.n = MIN(name.n, (size_t)FUZZY_NAME_MAX);
    for (size_t i = 0; i < name.n; i++)
        found |= (found << 1 | 1) & p->letters[(unsigned char)name.p[i]];
    return p->text.n == 0 || (found >> (p->text.n - 1) & 1);
}

static size_t
find_places(const struct fuzzy_pattern *p, struct str name, struct place *places)
{
    size_t n = 0;
    uint16_t word = 0;
    enum sort before = MARK, is = name.n > 0 ? sort_at(name, 0) : MARK;
    for (size_t i = 0; i < name.n; i++) { // nearly no jumps
        enum sort behind = i + 1 < name.n ? sort_at(name, i + 1) : MARK;
        unsigned start = starts[before][is];
        bool is_start = (start & 1) | ((start == 2) & (behind == LOWER));
        word += is_start & ((i == 0) | (before != MARK));
        places[n] = (struct place){.at = (uint16_t)i,
                                   .word = word,
                                   .folded = fuzzy_fold(name.p[i]),
                                   .is = name.p[i],
                                   .is_start = is_start};
        n += p->letters[(unsigned char)name.p[i]] != 0;
        before = is;
        is = behind;
    }
    return n;
}

/* The least costs of all ways so far whose last letter stands at a place. */
struct ways {
    int anchored; // the run's word was entered at its start
    int loose;
};

static int
least_of(const struct ways *w)
{
    return MIN(w->anchored, w->loose);
}

static int
plus(int cost, int more)
{
    return cost == FUZZY_NEVER ? FUZZY_NEVER : cost + more;
}

/* Of the ways to the letter before that end further left: the least, the least when the words that are
 * skipped count, and the least of those that are anchored in the word we are in. */
struct far {
    int any, by_word, in_word;
    unsigned word;
};

static void
pass(struct far *far, const struct place *place, const struct ways *w)
{
    int least = least_of(w);
    if (far->word != place->word) {
        far->word = place->word;
        far->in_word = FUZZY_NEVER;
    }
    far->any = MIN(far->any, least);
    far->by_word = MIN(far->by_word, plus(least, -COST_WORD * place->word));
    far->in_word = MIN(far->in_word, w->anchored);
}

static struct ways
jump(const struct fuzzy_pattern *p, size_t k, const struct far *far,
     const struct place *place)
{
    struct ways w = {FUZZY_NEVER, FUZZY_NEVER};
    if (far->any == FUZZY_NEVER)
        return w;
    if (place->is_start) {
        int skipped = far->by_word + COST_WORD * (place->word - 1);
        w.anchored = FUZZY_COST_RUN + MAX(far->any, skipped);
        return w;
    }
    w.loose = FUZZY_COST_RUN + FUZZY_COST_BAD_START + far->any;
    if (far->word == place->word && may_shorten(p, k))
        w.anchored = plus(far->in_word, COST_SHORTENED);
    return w;
}

static struct ways
first_letter(const struct fuzzy_pattern *p, const struct place *place)
{
    struct ways w = {FUZZY_NEVER, FUZZY_NEVER};
    int cost = (place->at > 0 ? COST_NOT_FIRST : 0) +
               case_cost(p, 0, place->is, place->is_start);
    if (place->is_start)
        w.anchored = cost;
    else
        w.loose = cost + FUZZY_COST_BAD_START;
    return w;
}

static struct ways
next_letter(const struct fuzzy_pattern *p, size_t k, const struct place *place,
            const struct ways *beside, const struct far *far)
{
    struct ways w = jump(p, k, far, place);
    int in_case = case_cost(p, k, place->is, place->is_start);
    if (place->is_start) {
        w.anchored = MIN(w.anchored, least_of(beside));
    } else {
        w.anchored = MIN(w.anchored, beside->anchored);
        w.loose = MIN(w.loose, beside->loose);
    }
    return (struct ways){plus(w.anchored, in_case), plus(w.loose, in_case)};
}

/* Where in the places a letter may stand so that those before and behind it have theirs. */
struct window {
    uint16_t first, last;
};

static void
find_windows(const struct fuzzy_pattern *p, const struct place *places, size_t n,
             struct window *windows)
{
    for (size_t k = 0, i = 0; k < p->text.n; k++, i++) {
        while (places[i].folded != p->folded[k])
            i++;
        windows[k].first = (uint16_t)i;
    }
    for (size_t k = p->text.n, i = n; k-- > 0;) {
        while (places[--i].folded != p->folded[k])
            continue;
        windows[k].last = (uint16_t)i;
    }
}

/* A row of ways for each letter, made from the row of the letter before it. The name has the letters in
 * their order. FUZZY_NEVER: more than `most`; a way never gets cheaper. */
static int
least_layout(const struct fuzzy_pattern *p, const struct place *places, size_t n,
             int most)
{
    static const struct ways none = {FUZZY_NEVER, FUZZY_NEVER};
    struct window windows[FUZZY_PATTERN_MAX];
    struct ways row[FUZZY_NAME_MAX]; // each overwrites the one before
    int least = FUZZY_NEVER;
    find_windows(p, places, n, windows);
    for (size_t i = 0; i <= windows[0].last; i++) {
        row[i] = none;
        if (places[i].folded == p->folded[0])
            row[i] = first_letter(p, &places[i]);
        least = MIN(least, least_of(&row[i]));
    }
    for (size_t k = 1; k < p->text.n && least <= most; k++) {
        struct far far = {FUZZY_NEVER, FUZZY_NEVER, FUZZY_NEVER, 0};
        size_t first = windows[k - 1].first, last = windows[k - 1].last;
        struct ways before = none; // what stood in the row at i - 1
        least = FUZZY_NEVER;
        for (size_t i = first; i <= windows[k].last; i++) {
            struct ways was = i <= last ? row[i] : none;
            bool is_beside = i > first && places[i - 1].at + 1 == places[i].at;
            row[i] = none;
            if (places[i].folded == p->folded[k])
                row[i] = next_letter(p, k, &places[i], is_beside ? &before : &none, &far);
            least = MIN(least, least_of(&row[i]));
            if (least_of(&was) != FUZZY_NEVER)
                pass(&far, &places[i], &was);
            before = was;
        }
    }
    return least <= most ? least : FUZZY_NEVER;
}

int
fuzzy_cost_inside(const struct fuzzy_pattern *p, struct str name, int most)
{
    struct place places[FUZZY_NAME_MAX];
    struct str head = str_slice(name.p, MIN(name.n, (size_t)FUZZY_NAME_MAX));
    int cost = FUZZY_COST_INSIDE + fuzzy_length_cost(p, name.n);
    if (p->text.n == 0 || cost > most)
        return cost <= most ? cost : FUZZY_NEVER;
    size_t n = find_places(p, head, places);
    return plus(least_layout(p, places, n, most - cost), cost);
}

int
fuzzy_cost(const struct fuzzy_pattern *p, struct str name)
{
    if (p->text.n > 0 && fuzzy_is_prefix(p, name))
        return prefix_cost(p, name);
    if (!fuzzy_has_letters(p, name))
        return FUZZY_NEVER;
    return fuzzy_cost_inside(p, name, FUZZY_NEVER);
}

/* ---- containers ---- */

static int
part_cost(const struct fuzzy_pattern *p, struct str part)
{
    int cost = fuzzy_cost(p, part);
    if (cost == FUZZY_NEVER)
        return FUZZY_NEVER;
    return cost == 0                       ? 0
           : cost <= FUZZY_COST_CASE_WHOLE ? 1
           : cost < FUZZY_COST_INSIDE      ? COST_PART_PREFIX
                                           : COST_PART_FUZZY;
}

int
fuzzy_container_cost(const struct fuzzy_query *q, struct str container)
{
    int sum = 0;
    size_t k = q->n_parts;
    while (k > 0 && container.n > 0) {
        size_t begin = container.n;
        while (begin > 0 && container.p[begin - 1] != '.')
            begin--;
        struct str part = str_slice(container.p + begin, container.n - begin);
        int cost = part_cost(&q->parts[k - 1], part);
        if (cost == FUZZY_NEVER) {
            sum += COST_PART_SKIPPED;
        } else {
            sum += cost;
            k--;
        }
        container.n = begin > 0 ? begin - 1 : 0;
    }
    return k > 0 ? FUZZY_NEVER : sum;
}

int
fuzzy_kind_cost(enum entity_kind kind)
{
    switch (kind) {
    case ENTITY_CLASS:
    case ENTITY_INTERFACE:
    case ENTITY_TRAIT:
    case ENTITY_FUNCTION:
    case ENTITY_METHOD: return 0;
    case ENTITY_STRUCT:
    case ENTITY_UNION:
    case ENTITY_ENUM:
    case ENTITY_TYPE_ALIAS:
    case ENTITY_TABLE:
    case ENTITY_CONSTRUCTOR: return 2;
    case ENTITY_MODULE:
    case ENTITY_NAMESPACE:
    case ENTITY_IMPL:
    case ENTITY_SECTION:
    case ENTITY_TARGET:
    case ENTITY_BLOCK:
    case ENTITY_MACRO: return 4;
    case ENTITY_VARIABLE:
    case ENTITY_CONSTANT:
    case ENTITY_SELECTOR:
    case ENTITY_ELEMENT:
    case ENTITY_ENUM_MEMBER: return 7;
    case ENTITY_FIELD:
    case ENTITY_PROPERTY:
    case ENTITY_KEY:
    case ENTITY_KIND_COUNT: return FUZZY_COST_KIND_MAX;
    }
    return FUZZY_COST_KIND_MAX;
}

double
fuzzy_score(struct str pattern, struct str name)
{
    struct fuzzy_pattern p;
    fuzzy_pattern_init(&p, pattern);
    int cost = fuzzy_cost(&p, name);
    return cost == FUZZY_NEVER ? 0 : MAX(FUZZY_SCORE_MAX - cost, 1);
}
