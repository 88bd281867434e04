/* The scanner of SQL forgets the tag of a dollar quotation without freeing it when it is set back. */
#define tree_sitter_sql_external_scanner_deserialize set_back
#include "scanner.c"
#undef tree_sitter_sql_external_scanner_deserialize

void
tree_sitter_sql_external_scanner_deserialize(void *payload, const char *buffer,
                                             unsigned length)
{
    LexerState *state = payload;
    free(state->start_tag);
    state->start_tag = NULL;
    set_back(payload, buffer, length);
}
