/* Remembered rows. Invariant: they are what the index says. A commit makes those of the files that it names unread,
 * or all when it may have changed others; a file is not read again before it was left alone for a moment, so
 * that nothing is read in vain while it is being written.
 * Why: of an editor's hover at rest 0.08 of 0.13 ms were the read and 0.04 the way to a worker and back, and
 * it is that way which sometimes takes a millisecond. */
#include "query/near.h"

#include "base/mem.h"
#include "query/internal.h"

static void
forget(struct near_file *file)
{
    query_result_destroy(steal(file->rows));
    file->state = file->state == NEAR_READING ? NEAR_READING : NEAR_UNREAD;
}

void
near_init(struct near *near)
{
    for (size_t i = 0; i < NEAR_FILES; i++)
        near->files[i].near = near;
}

void
near_finish(struct near *near)
{
    for (size_t i = 0; i < NEAR_FILES; i++) {
        forget(&near->files[i]);
        free(near->files[i].path);
    }
}

bool
near_changed(struct near *near, struct str path, int64_t now_ms)
{
    bool has_open = !near->is_told;
    near->is_told = true;
    if (path.n == 0)
        near->changed_ms = now_ms;
    for (size_t i = 0; i < NEAR_FILES; i++) {
        struct near_file *file = &near->files[i];
        if (path.n > 0 && (!file->path || !str_eq_c(path, file->path)))
            continue;
        forget(file);
        file->changed_ms = now_ms;
        file->is_outdated = true;
        file->is_tried = false;
        has_open |= file->is_open;
    }
    return has_open;
}

static struct near_file *
find(struct near *near, struct str path)
{
    for (size_t i = 0; i < NEAR_FILES; i++) {
        struct near_file *file = &near->files[i];
        if (file->path && str_eq_c(path, file->path)) {
            file->used = ++near->n_uses;
            return file;
        }
    }
    return NULL;
}

static int
by_id(const void *a, const void *b)
{
    const struct entity_row *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

bool
near_find(struct near *near, struct str path, struct str name,
          struct query_result *result)
{
    struct near_file *file = find(near, path);
    size_t n = 0;
    if (!file || file->state != NEAR_READ)
        return false;
    for (size_t i = 0; i < file->rows->n_rows; i++)
        n += str_eq(file->rows->rows[i].e.name, name);
    if (n == 0)
        return false;
    result->rows = arena_calloc(&result->arena, n, sizeof(*result->rows));
    for (size_t i = 0; i < file->rows->n_rows; i++) {
        const struct entity_row *row = &file->rows->rows[i];
        if (str_eq(row->e.name, name))
            query_copy_row(&result->arena, row, &result->rows[result->n_rows++]);
    }
    qsort(result->rows, result->n_rows, sizeof(*result->rows), by_id);
    return true;
}

static bool
is_before(const struct near_file *a, const struct near_file *b)
{
    return a->is_open != b->is_open ? b->is_open : a->used < b->used;
}

/* The one that was used longest ago makes room, of those that are not open if there are any. */
static struct near_file *
replace(struct near *near, struct str path)
{
    struct near_file *oldest = NULL;
    for (size_t i = 0; i < NEAR_FILES; i++) {
        struct near_file *file = &near->files[i];
        if (file->state != NEAR_READING && (!oldest || is_before(file, oldest)))
            oldest = file;
    }
    if (!oldest)
        return NULL;
    forget(oldest);
    free(oldest->path);
    *oldest = (struct near_file){.near = near,
                                 .path = str_dup(path),
                                 .used = ++near->n_uses,
                                 .changed_ms = near->changed_ms};
    return oldest;
}

static int64_t
wait_ms(const struct near_file *file, int64_t now_ms)
{
    int64_t changed_ms = MAX(file->changed_ms, file->near->changed_ms);
    return MAX(changed_ms + NEAR_SETTLE_MS - now_ms, 0);
}

static struct near_file *
begin(struct near_file *file)
{
    file->state = NEAR_READING;
    file->is_outdated = false;
    file->is_tried = true;
    return file;
}

struct near_file *
near_want(struct near *near, struct str path, int64_t now_ms)
{
    if (!near->is_told || now_ms - near->changed_ms < NEAR_SETTLE_MS)
        return NULL;
    struct near_file *file = find(near, path);
    if (!file)
        file = replace(near, path);
    if (!file || file->state != NEAR_UNREAD || wait_ms(file, now_ms) > 0)
        return NULL;
    return begin(file);
}

void
near_open(struct near *near, struct str path, bool is_open)
{
    struct near_file *file = find(near, path);
    if (!file && is_open)
        file = replace(near, path);
    if (!file)
        return;
    file->is_open = is_open;
    file->is_large = false;
    file->is_tried = false;
}

struct near_file *
near_next(struct near *near, int64_t now_ms, int64_t *ret_wait_ms)
{
    *ret_wait_ms = -1;
    for (size_t i = 0; i < NEAR_FILES && near->is_told; i++) {
        struct near_file *file = &near->files[i];
        if (!file->is_open || file->is_large || file->is_tried ||
            file->state != NEAR_UNREAD)
            continue;
        int64_t wait = wait_ms(file, now_ms);
        if (wait == 0)
            return begin(file);
        if (*ret_wait_ms < 0 || wait < *ret_wait_ms)
            *ret_wait_ms = wait;
    }
    return NULL;
}

void
near_take(struct near_file *file, struct query_result **result)
{
    assert(file->state == NEAR_READING);
    file->state = NEAR_UNREAD;
    if (file->is_outdated || (*result)->r < 0)
        return;
    if ((*result)->arena.total_bytes > NEAR_BYTES_MAX) {
        file->state = NEAR_TOO_LARGE;
        file->is_large = true;
        return;
    }
    file->state = NEAR_READ;
    file->rows = steal(*result);
}
