/* PATTERNS '\0' PATH: rules of an ignore file and a path asked of them, inside a folder and above it. */
#include "fuzz.h"
#include "scan/rules.h"
#include "scan/scan.h"

void
fuzz_init(void)
{
}

void
fuzz_one(struct str input)
{
    struct str patterns = fuzz_part(&input, '\0');
    if (input.n == 0)
        return;
    struct ignore *i = ignore_parse(NULL, STR("src"), patterns);
    i = ignore_parse_outside(i, STR("a/b"), patterns);
    i = ignore_parse(i, STR(""), patterns);
    enum verdict own = ignore_verdict(i, input, false);
    bool is_ignored = ignore_matches(i, input, false);
    fuzz_check(own != VERDICT_IGNORED || is_ignored);
    ignore_matches(i, input, true);
    ignore_unref(i);
}
