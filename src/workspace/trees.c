/* Parsing from the last version's tree. It exists because a whole parse runs at a few MB/s, so that a large file
 * would be told of late after each save.
 * Invariant: an entry's tree is that of its text, without errors; texts of all entries together stay below
 * TREES_ALL_TEXT_BYTES_MAX; `recent` goes from the latest to the oldest. */
#include "workspace/trees.h"

#include "base/deadline.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "workspace/edits.h"

struct kept_tree {
    struct list link; // of trees.recent
    char *path;       // of its entry, while it is with the cache
    const struct lang *lang;
    TSTree *tree;
    char *text;
    size_t text_n;
};

struct trees {
    struct map *by_path;
    struct list recent;
    size_t text_bytes;
};

void
kept_tree_destroy(struct kept_tree *k)
{
    if (!k)
        return;
    ts_tree_delete(k->tree);
    free(k->text);
    free(k->path);
    free(k);
}

struct trees *
trees_create(void)
{
    struct trees *t = xnew(struct trees);

    t->by_path = map_create();
    list_init(&t->recent);
    return t;
}

static struct kept_tree *
take_out(struct trees *t, struct kept_tree *k)
{
    map_remove(t->by_path, str_of(k->path));
    list_remove(&k->link);
    t->text_bytes -= k->text_n;
    return k;
}

void
trees_destroy(struct trees *t)
{
    if (!t)
        return;
    while (!list_is_empty(&t->recent))
        kept_tree_destroy(take_out(t, list_first(&t->recent, struct kept_tree, link)));
    map_destroy(t->by_path);
    free(t);
}

struct kept_tree *
trees_take(struct trees *t, struct str path)
{
    struct kept_tree *k = map_get(t->by_path, path);

    return k ? take_out(t, k) : NULL;
}

void
trees_keep(struct trees *t, struct str path, struct kept_tree *k)
{
    kept_tree_destroy(trees_take(t, path));
    if (!k)
        return;
    free(k->path);
    k->path = str_dup(path);
    map_put(t->by_path, path, k);
    list_add_first(&t->recent, &k->link);
    t->text_bytes += k->text_n;
    while (t->text_bytes > TREES_ALL_TEXT_BYTES_MAX)
        kept_tree_destroy(
            take_out(t, list_entry(t->recent.prev, struct kept_tree, link)));
}

/* ---- what was changed ---- */

/* Of `offset`, counted on from a point before it. */
static TSPoint
point_at(const char *text, size_t from, TSPoint point, size_t offset)
{
    const char *p = text + from, *end = text + offset, *newline;

    while ((newline = memchr(p, '\n', (size_t)(end - p)))) {
        point = (TSPoint){.row = point.row + 1};
        p = newline + 1;
    }
    point.column += (uint32_t)(end - p);
    return point;
}

/* Widens a first edit that lies before the first leaf (comments do not count) until that leaf's first byte is in it;
 * returns how many edits are left. It exists because the parser takes nothing of a node that the external scanner
 * came to in another state, and then steps over the whole of it. Before the first leaf the scanner had no state at
 * all, and the node that begins there is nearly the whole file; but into a node that begins before the place where
 * the parser is, it steps. */
static size_t
widen_to_first_leaf(const struct kept_tree *k, struct text_edit *edits, size_t n)
{
    TSNode root = ts_tree_root_node(k->tree), leaf = {0};
    size_t end;

    for (uint32_t i = 0; i < ts_node_child_count(root); i++) {
        leaf = ts_node_child(root, i);
        if (!ts_node_is_extra(leaf))
            break;
    }
    end = ts_node_is_null(leaf) ? 0 : (size_t)ts_node_start_byte(leaf) + 1;
    if (edits[0].old_start >= end || end > k->text_n)
        return n;
    while (n > 1 && edits[1].old_start < end) {
        edits[1].old_start = edits[0].old_start;
        edits[1].new_start = edits[0].new_start;
        memmove(edits, edits + 1, --n * sizeof(*edits));
    }
    if (edits[0].old_end < end) {
        edits[0].new_end += end - edits[0].old_end;
        edits[0].old_end = end;
    }
    return n;
}

/* From the last edit to the first, so that the tree is in the old text's places before each of them. */
static void
tell_changes(struct kept_tree *k, struct str text)
{
    struct text_edit edits[EDITS_MAX];
    size_t n = edits_between(str_slice(k->text, k->text_n), text, edits);
    TSPoint starts[EDITS_MAX];

    n = widen_to_first_leaf(k, edits, n);
    for (size_t i = 0; i < n; i++) {
        size_t from = i ? edits[i - 1].old_start : 0;

        starts[i] =
            point_at(k->text, from, i ? starts[i - 1] : (TSPoint){0}, edits[i].old_start);
    }
    for (size_t i = n; i-- > 0;) {
        const struct text_edit *e = &edits[i];
        size_t n_new = e->new_end - e->new_start;
        TSInputEdit edit = {
            .start_byte = (uint32_t)e->old_start,
            .old_end_byte = (uint32_t)e->old_end,
            .new_end_byte = (uint32_t)(e->old_start + n_new),
            .start_point = starts[i],
            .old_end_point = point_at(k->text, e->old_start, starts[i], e->old_end),
            .new_end_point = point_at(text.p, e->new_start, starts[i], e->new_end),
        };

        ts_tree_edit(k->tree, &edit);
    }
}

static struct kept_tree *
keep(const struct lang *lang, struct str text, const TSTree *tree)
{
    struct kept_tree *k;

    if (text.n < TREES_TEXT_BYTES_MIN || text.n > TREES_TEXT_BYTES_MAX)
        return NULL;
    k = xnew(struct kept_tree);
    list_init(&k->link);
    k->lang = lang;
    k->tree = ts_tree_copy(tree);
    k->text = str_dup(text);
    k->text_n = text.n;
    return k;
}

int
kept_tree_parse(struct kept_tree **kept, struct parser *parser, const struct lang *lang,
                struct str text, uint64_t deadline_ms, TSTree **ret_tree)
{
    struct kept_tree *old = steal(*kept);
    struct deadline deadline = deadline_after(deadline_ms);
    TSTree *tree = NULL;
    bool is_clean = false;
    int r = 0;

    /* Of a text with masks parse_text makes nothing of an old tree. */
    if (old && old->lang == lang && !lang->has_masks) {
        tell_changes(old, text);
        r = parse_text(parser, lang, text, old->tree, deadline_ms, &tree);
        is_clean = r == 0 && !ts_node_has_error(ts_tree_root_node(tree));
        if (r == 0 && !is_clean)
            ts_tree_delete(steal(tree));
    }
    kept_tree_destroy(old);
    if (r == 0 && !tree) {
        r = parse_text(parser, lang, text, NULL, deadline_left_ms(&deadline), &tree);
        is_clean = r == 0 && !ts_node_has_error(ts_tree_root_node(tree));
    }
    if (r != 0)
        return r;
    if (is_clean && !lang->has_masks)
        *kept = keep(lang, text, tree);
    *ret_tree = tree;
    return 0;
}
