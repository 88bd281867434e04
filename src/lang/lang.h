#pragma once
/* Languages: file name → language and its grammar. Constant after lang_init, which comes before the
 * first thread; the rest on any thread. Queries are compiled when a worker first meets a language
 * (lang/query.h): all of them take 0.2 s, and most runs need one. */
#include <tree_sitter/api.h>

#include "base/base.h"
#include "base/str.h"

#define LANG_COUNT_MAX 64

struct grammar;

struct lang {
    const char *name;       // "typescript"
    const char *key_prefix; // "ts": entity keys and the `lang` of files
    const TSLanguage *grammar;
    const struct grammar
        *source;    // its row of grammars/registry.h: query texts, extensions
    unsigned index; // 0 … lang_count()-1
};

/* -EINVAL and *ret_why (heap): a grammar that this runtime cannot load. */
int lang_init(char **ret_why);
void lang_finish(void);
size_t lang_count(void);
const struct lang *lang_at(size_t index);
const struct lang *lang_by_key_prefix(struct str prefix);
/* By whole name, extension, then #! line (`head`: the first bytes of the file, may be empty). NULL: none. */
const struct lang *lang_of_file(struct str path, struct str head);
/* LSP languageId of a file: "typescriptreact" for .tsx, "javascriptreact" for .jsx. */
const char *lang_language_id(const struct lang *l, struct str path);
/* The reverse, for didOpen; NULL: none. */
const struct lang *lang_by_language_id(struct str id);
