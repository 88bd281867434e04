/* What a grammar lacks to read its language, as languages.json has it, in a copy of its table:
 *
 * reserved: in a grammar whose keywords are also identifiers `@A class X` may be an expression of three
 * words. The runtime knows words that are no identifiers, but only grammars of its newest format can
 * say which.
 * empty_before: a token that the grammar's scanner does not see before a byte that ends what it is in, as
 * the end of a member before the brace of its class. It is empty there.
 *
 * Invariant: beside these the copy says what the grammar says. */
#include <stdlib.h>
#include <string.h>

#include <tree_sitter/api.h>

#include "parser.h"
#include "registry.h"

#define FORMAT_WITH_RESERVED_WORDS 15
#define OWN_WORDS 1 // the set of reserved words that states have; 0 is none

static TSLexerMode
lex_mode(const TSLanguage *from, uint32_t state)
{
    if (from->abi_version >= FORMAT_WITH_RESERVED_WORDS)
        return from->lex_modes[state];
    TSLexMode mode = ((const TSLexMode *)from->lex_modes)[state];
    return (TSLexerMode){mode.lex_state, mode.external_lex_state, 0};
}

/* A keyword's token, 0: the grammar has none. */
static TSSymbol
token_of(const TSLanguage *from, const char *word)
{
    for (uint32_t i = 1; i < from->token_count; i++)
        if (!from->symbol_metadata[i].named && strcmp(from->symbol_names[i], word) == 0)
            return (TSSymbol)i;
    return 0;
}

/* Behind this token nothing is reserved. */
static void
free_behind(const TSLanguage *from, TSSymbol token, TSLexerMode *modes)
{
    for (uint32_t i = 0; token != 0 && i < from->state_count; i++) {
        TSStateId next = ts_language_next_state(from, (TSStateId)i, token);
        if (next != 0)
            modes[next].reserved_word_set_id = 0;
    }
}

static void *
allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        abort();
    return p;
}

static void
reserve(const TSLanguage *from, const struct grammar_reserved *words, TSLanguage *to)
{
    uint16_t n_words = 0;
    while (words[n_words].word)
        n_words++;
    TSLexerMode *modes = allocate(from->state_count, sizeof(*modes));
    TSSymbol *symbols = allocate((OWN_WORDS + 1u) * n_words + 1u, sizeof(*symbols));
    for (uint32_t i = 0; i < from->state_count; i++) {
        modes[i] = lex_mode(from, i);
        modes[i].reserved_word_set_id = n_words > 0 ? OWN_WORDS : 0;
    }
    for (uint16_t i = 0; i < n_words; i++) {
        symbols[OWN_WORDS * n_words + i] = token_of(from, words[i].word);
        free_behind(from, token_of(from, words[i].behind), modes);
    }
    to->max_reserved_word_set_size = n_words;
    to->reserved_words = symbols;
    to->lex_modes = modes;
}

const TSLanguage *
grammar_adapt(const TSLanguage *from, struct grammar_adaptation *by)
{
    TSLanguage *to = allocate(1, sizeof(*to));
    memcpy(to, from,
           from->abi_version >= FORMAT_WITH_RESERVED_WORDS ? sizeof(*to)
                                                           : offsetof(TSLanguage, name));
    to->abi_version = FORMAT_WITH_RESERVED_WORDS;
    reserve(from, by->reserved, to);
    by->n_tokens = from->external_token_count;
    by->token = by->n_tokens;
    for (uint32_t i = 0; by->empty_token && i < by->n_tokens; i++)
        if (strcmp(from->symbol_names[from->external_scanner.symbol_map[i]],
                   by->empty_token) == 0)
            by->token = i;
    by->scan = from->external_scanner.scan;
    if (by->token < by->n_tokens)
        to->external_scanner.scan = by->scan_first;
    return to;
}

/* Where all tokens are valid the runtime recovers from an error: then it is the scanner's to say. */
static bool
is_wanted(const struct grammar_adaptation *by, const bool *valid)
{
    bool all = true;
    for (uint32_t i = 0; i < by->n_tokens; i++)
        all = all && valid[i];
    return !all && valid[by->token];
}

bool
grammar_scan(const struct grammar_adaptation *by, void *state, TSLexer *lexer,
             const bool *valid)
{
    if (is_wanted(by, valid)) {
        lexer->mark_end(lexer);
        while (lexer->lookahead == ' ' || lexer->lookahead == '\t')
            lexer->advance(lexer, true);
        if (lexer->lookahead == by->before) {
            lexer->result_symbol = (TSSymbol)by->token;
            return true;
        }
    }
    return by->scan(state, lexer, valid);
}
