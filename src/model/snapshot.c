/* Snapshots. The line table is made with the snapshot, so that nothing in it changes after but the
 * count of references: readers on any thread need no lock. */
#include "model/snapshot.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/vec.h"

struct snapshot {
    atomic_uint refs;
    char *text;
    size_t n;
    int64_t version;
    VEC(size_t) starts; // offset of each line; the first is 0
};

static void
find_lines(struct snapshot *s)
{
    *vec_push(&s->starts) = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->text[i] != '\n' && s->text[i] != '\r')
            continue;
        if (s->text[i] == '\r' && i + 1 < s->n && s->text[i + 1] == '\n')
            i++;
        *vec_push(&s->starts) = i + 1;
    }
}

struct snapshot *
snapshot_create(char *text, size_t n, int64_t version)
{
    struct snapshot *s = xnew(struct snapshot);
    atomic_init(&s->refs, 1);
    s->text = text;
    s->n = n;
    s->version = version;
    find_lines(s);
    return s;
}

struct snapshot *
snapshot_ref(struct snapshot *s)
{
    if (s)
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void
snapshot_unref(struct snapshot *s)
{
    /* Release and acquire: the last one frees after all that the others did with it. */
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    free(s->text);
    vec_finish(&s->starts);
    free(s);
}

struct str
snapshot_text(const struct snapshot *s)
{
    return str_slice(s->text, s->n);
}

int64_t
snapshot_version(const struct snapshot *s)
{
    return s->version;
}

uint32_t
snapshot_line_count(const struct snapshot *s)
{
    return (uint32_t)s->starts.n;
}

size_t
snapshot_line_offset(const struct snapshot *s, uint32_t line)
{
    return line < s->starts.n ? s->starts.v[line] : s->n;
}

struct str
snapshot_line(const struct snapshot *s, uint32_t line)
{
    size_t begin = snapshot_line_offset(s, line);
    size_t end = line < s->starts.n ? snapshot_line_offset(s, line + 1) : begin;
    /* What ends a line is two bytes at the most, and "\n\r" is two ends. */
    if (end > begin && line + 1 < s->starts.n) {
        end--;
        if (end > begin && s->text[end] == '\n' && s->text[end - 1] == '\r')
            end--;
    }
    return str_slice(s->text ? s->text + begin : NULL, end - begin);
}
