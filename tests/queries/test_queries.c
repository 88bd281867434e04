/* Every pattern of every language can match something. */
#include <tree_sitter/api.h>

#include "base/base.h"
#include "base/str.h"
#include "registry.h"

static const char *
error_name(TSQueryError error)
{
    switch (error) {
    case TSQueryErrorNone: return "no error";
    case TSQueryErrorSyntax: return "syntax";
    case TSQueryErrorNodeType: return "no such node";
    case TSQueryErrorField: return "no such field";
    case TSQueryErrorCapture: return "no such capture";
    case TSQueryErrorStructure: return "can never match";
    case TSQueryErrorLanguage: return "no such language";
    }
    return "unknown";
}

int
main(void)
{
    bool is_good = true;
    fprintf(stdout, "1..%zu\n", n_grammars);
    for (size_t i = 0; i < n_grammars; i++) {
        const struct grammar *g = &grammars[i];
        AUTO(buf_finish) struct buf text = {0};
        uint32_t offset = 0;
        TSQueryError error = TSQueryErrorNone;
        buf_add_cstr(&text, g->entities);
        buf_add_cstr(&text, g->calls);
        buf_add_cstr(&text, g->imports);
        TSQuery *q = ts_query_new(g->language(), text.p ? text.p : "", (uint32_t)text.n,
                                  &offset, &error);
        fprintf(stdout, "%s %zu - %s\n", q ? "ok" : "not ok", i + 1, g->name);
        if (!q)
            fprintf(stdout, "# %s at: %.60s\n", error_name(error), text.p + offset);
        is_good = is_good && q;
        if (q)
            ts_query_delete(q);
    }
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
