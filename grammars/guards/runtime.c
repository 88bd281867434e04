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
