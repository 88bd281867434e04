/* SYNTAX '\n' TEXT: whatever is left out, the outline and its places stay within the text. */
#include "base/mem.h"
#include "bodies/bodies.h"
#include "fuzz.h"

static struct bodies *scanner;

void
fuzz_init(void)
{
    scanner = bodies_create();
}

static void
check_places(const struct stretch *v, size_t n, struct str text)
{
    for (size_t i = 0; i < n; i++) {
        fuzz_check(v[i].start < v[i].end && v[i].end <= text.n);
        fuzz_check(i == 0 || v[i - 1].start <= v[i].start);
    }
}

static void
check_items(const struct outline *o, struct str text)
{
    for (size_t i = 0; i < o->n_items; i++) {
        const struct outline_item *item = &o->items[i];
        fuzz_check(item->range.start < item->range.end && item->range.end <= text.n);
        fuzz_check(item->name.start >= item->range.start);
        fuzz_check(item->name.start < item->name.end);
        fuzz_check(item->name.end <= item->range.end);
        fuzz_check(item->body.end <= item->range.end);
        fuzz_check(i == 0 || item[-1].range.start <= item->range.start);
    }
}

static void
scan(const struct bodies_syntax *syntax, struct str input, bool with_items)
{
    struct outline o;
    if (bodies_scan(scanner, syntax, input, with_items, &o) != 0)
        return;
    fuzz_check(o.text.n <= input.n);
    for (size_t i = 0; i < o.n_gaps; i++)
        fuzz_check(o.gaps[i].at <= o.text.n &&
                   o.gaps[i].left_bytes <= input.n - o.text.n &&
                   (i == 0 || (o.gaps[i - 1].at <= o.gaps[i].at &&
                               o.gaps[i - 1].left_bytes <= o.gaps[i].left_bytes)));
    fuzz_check(o.shown.n == input.n);
    for (uint32_t at = 0; at < o.shown.n; at++)
        fuzz_check(o.shown.p[at] == input.p[at] || o.shown.p[at] == ' ');
    for (uint32_t at = 0; at < o.text.n; at++)
        fuzz_check(o.text.p[at] == o.shown.p[outline_to_source(&o, at)]);
    check_places(o.comments, o.n_comments, input);
    check_places(o.calls, o.n_calls, input);
    check_places(o.imports, o.n_imports, input);
    check_items(&o, input);
    fuzz_check(with_items || o.n_items == 0);
}

void
fuzz_one(struct str input)
{
    struct str name = fuzz_part(&input, '\n');
    const struct bodies_syntax *syntax = bodies_syntax_named(name);
    if (!syntax)
        return;
    scan(syntax, input, false);
    scan(syntax, input, true);
}
