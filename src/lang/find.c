/* What a grammar does not know may still be found in the text of a node: (#set! find "…") in a
 * pattern names an expression whose matches are the definitions. Constant after its creation. */
#include "lang/lang.h"

#include <locale.h>
#include <regex.h>

#include "base/mem.h"

#define GROUPS_MAX 9

struct lang_finder {
    regex_t regex; // its last group is the name, the one before it the scope
};

/* By bytes: an expression of UTF-8 makes regexec turn each text into wide characters of one case first,
 * which took 4 % of an index of Redis. Expressions name no character beyond ASCII. */
static int
compile(struct lang_finder *finder, const char *text)
{
    locale_t bytes = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
    locale_t before = uselocale(bytes);
    int r = regcomp(&finder->regex, text, REG_EXTENDED | REG_ICASE | REG_NEWLINE);
    uselocale(before);
    if (bytes)
        freelocale(bytes);
    return r;
}

int
lang_finder_create(struct str expression, struct lang_finder **ret_finder)
{
    struct lang_finder *finder = xnew(struct lang_finder);
    AUTO(free) char *text = xstrndup(expression.p, expression.n);
    if (compile(finder, text) != 0) {
        free(finder);
        return -EINVAL;
    }
    if (finder->regex.re_nsub == 0 || finder->regex.re_nsub > GROUPS_MAX) {
        lang_finder_destroy(finder);
        return -EINVAL;
    }
    *ret_finder = finder;
    return 0;
}

void
lang_finder_destroy(struct lang_finder *finder)
{
    if (!finder)
        return;
    regfree(&finder->regex);
    free(finder);
}

static void
set_place(struct str text, regmatch_t match, size_t *ret_start, size_t *ret_end)
{
    *ret_start = *ret_end = 0;
    if (match.rm_so < 0)
        return;
    *ret_start = (size_t)match.rm_so;
    *ret_end = MIN((size_t)match.rm_eo, text.n);
}

bool
lang_finder_next(const struct lang_finder *finder, struct str text, size_t from,
                 struct lang_place *ret_place)
{
    regmatch_t found[GROUPS_MAX + 1];
    size_t n = finder->regex.re_nsub;
    if (from >= text.n)
        return false;
    found[0] = (regmatch_t){.rm_so = (regoff_t)from, .rm_eo = (regoff_t)text.n};
    int flags = REG_STARTEND | (from > 0 && text.p[from - 1] != '\n' ? REG_NOTBOL : 0);
    if (regexec(&finder->regex, text.p, n + 1, found, flags) != 0)
        return false;
    set_place(text, found[0], &ret_place->start, &ret_place->end);
    set_place(text, found[n], &ret_place->name_start, &ret_place->name_end);
    set_place(text, found[MAX(n - 1, 1U)], &ret_place->scope_start,
              &ret_place->scope_end);
    if (n == 1)
        ret_place->scope_end = ret_place->scope_start;
    return ret_place->end > from && ret_place->name_end > ret_place->name_start;
}
