/* The runtime keeps a scanner's state in a buffer of this many bytes, which scanners know under the
 * same name and some overrun: those of YAML and Python write the two bytes of an indentation when
 * there is room for one. Here it is larger than they believe. */
#include <tree_sitter/api.h>

#include "parser.h"

#undef TREE_SITTER_SERIALIZATION_BUFFER_SIZE
#define TREE_SITTER_SERIALIZATION_BUFFER_SIZE (1024 + 64)

/* The runtime asks whether to go on only after every hundred steps, and in a long list of open errors
 * a hundred steps take seconds. The name below stands in its declaration and in one comparison: as two
 * names, the comparison is always true, so that every step asks; whoever is asked must be quick. */
#define OP_COUNT_PER_PARSER_TIMEOUT_CHECK steps_asked, STEPS_PER_LOOK

/* What a state does with a symbol is looked for in a list, symbol after symbol; the same few hundred
 * pairs are asked for again and again. Those of this thread's last language are kept, each at the one place
 * where it can be. */
#define LOOKUPS_KEPT_BITS 12
#define ts_language_lookup ts_language_lookup_in_list
#include "language.h"
#undef ts_language_lookup

static _Thread_local struct {
    const TSLanguage *language;
    struct {
        uint32_t
            asked; // state and symbol; state 0 has a table of its own and is never kept
        uint16_t found;
    } at[1 << LOOKUPS_KEPT_BITS];
} lookups;

static inline uint16_t
ts_language_lookup(const TSLanguage *self, TSStateId state, TSSymbol symbol)
{
    if (state < self->large_state_count || state == 0)
        return ts_language_lookup_in_list(self, state, symbol);
    if (lookups.language != self) {
        memset(&lookups, 0, sizeof(lookups));
        lookups.language = self;
    }
    uint32_t asked = (uint32_t)state << 16 | symbol;
    uint32_t i = asked * UINT32_C(2654435761) >> (32 - LOOKUPS_KEPT_BITS);
    if (lookups.at[i].asked != asked) {
        lookups.at[i].asked = asked;
        lookups.at[i].found = ts_language_lookup_in_list(self, state, symbol);
    }
    return lookups.at[i].found;
}

/* As lib.c has them, but for the query.c that query.py wrote. */
#include "alloc.c"
#include "get_changed_ranges.c"
#include "language.c"
#include "lexer.c"
#include "node.c"
#include "parser.c"
#include "query_limited.h"
#include "stack.c"
#include "subtree.c"
#include "tree.c"
#include "tree_cursor.c"
#include "wasm_store.c"

#include <tree_sitter/abandon.h>

void
ts_parser_abandon(TSParser *self)
{
    ts_parser__external_scanner_destroy(self);
}
