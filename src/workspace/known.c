/* Files by path, and the folders that hold them as a tree. It exists because a checkout takes away a thousand
 * folders at once, and looking through every file for each of them takes longer than the checkout.
 * Invariant: a folder other than the root is in `folders` exactly while a file or a folder is in it; a file is in
 * `files` and in its folder's list. */
#include "workspace/known.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"

struct known_folder {
    struct known_folder *above; // NULL: the root
    struct list link;           // of above->folders
    struct list files;
    struct list folders;
    struct str path;
};

struct known_files {
    struct map *files;
    struct map *folders;
    struct known_folder root;
};

static void
folder_init(struct known_folder *f)
{
    list_init(&f->link);
    list_init(&f->files);
    list_init(&f->folders);
}

struct known_files *
known_create(void)
{
    struct known_files *k = xnew(struct known_files);

    k->files = map_create();
    k->folders = map_create();
    folder_init(&k->root);
    k->root.path = STR("");
    return k;
}

void
known_destroy(struct known_files *k)
{
    struct str path;
    size_t iter = 0;
    void *value;

    if (!k)
        return;
    while (map_next(k->files, &iter, &path, &value))
        free(value);
    for (iter = 0; map_next(k->folders, &iter, &path, &value); free(value))
        free((char *)((struct known_folder *)value)->path.p);
    map_destroy(k->files);
    map_destroy(k->folders);
    free(k);
}

/* "" for what lies in the root itself. */
static struct str
folder_path_of(struct str path)
{
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

    return str_slice(path.p, slash ? (size_t)(slash - path.p) : 0);
}

/* The nearest folder that is there first, then those below it, so that depth costs no stack. */
static struct known_folder *
make_folder(struct known_files *k, struct str path)
{
    struct known_folder *f = &k->root;
    struct str at = path;

    while (at.n > 0) {
        struct known_folder *found = map_get(k->folders, at);
        if (found) {
            f = found;
            break;
        }
        at = folder_path_of(at);
    }
    while (at.n < path.n) {
        size_t from = at.n ? at.n + 1 : 0;
        const char *slash = memchr(path.p + from, '/', path.n - from);
        struct known_folder *next = xnew(struct known_folder);

        at = str_slice(path.p, slash ? (size_t)(slash - path.p) : path.n);
        folder_init(next);
        next->above = f;
        next->path = str_slice(str_dup(at), at.n);
        list_add(&f->folders, &next->link);
        map_put(k->folders, at, next);
        f = next;
    }
    return f;
}

static void
drop_empty(struct known_files *k, struct known_folder *f)
{
    while (f->above && list_is_empty(&f->files) && list_is_empty(&f->folders)) {
        struct known_folder *above = f->above;
        list_remove(&f->link);
        map_remove(k->folders, f->path);
        free((char *)f->path.p);
        free(f);
        f = above;
    }
}

struct known_file *
known_find(const struct known_files *k, struct str path)
{
    return map_get(k->files, path);
}

struct known_file *
known_add(struct known_files *k, struct str path)
{
    struct known_file *file = map_get(k->files, path);
    struct str name = path_basename(path);

    if (file)
        return file;
    file = xcalloc(1, sizeof(*file) + name.n + 1);
    memcpy(file->name, name.p, name.n);
    list_init(&file->link);
    file->folder = make_folder(k, folder_path_of(path));
    list_add(&file->folder->files, &file->link);
    map_put(k->files, path, file);
    return file;
}

void
known_remove(struct known_files *k, struct str path)
{
    struct known_file *file = map_remove(k->files, path);

    if (!file)
        return;
    list_remove(&file->link);
    drop_empty(k, file->folder);
    free(file);
}

bool
known_next(const struct known_files *k, size_t *iter, struct str *ret_path,
           struct known_file **ret_file)
{
    void *value;

    if (!map_next(k->files, iter, ret_path, &value))
        return false;
    *ret_file = value;
    return true;
}

/* The folder that follows in the order of a walk that ends with `top`; NULL: none. */
static const struct known_folder *
next_folder(const struct known_folder *f, const struct known_folder *top)
{
    if (!list_is_empty(&f->folders))
        return list_first(&f->folders, struct known_folder, link);
    for (; f != top; f = f->above)
        if (f->link.next != &f->above->folders)
            return list_entry(f->link.next, struct known_folder, link);
    return NULL;
}

void
known_each_at(const struct known_files *k, struct str path,
              void (*fn)(void *ctx, struct str path, struct known_file *file), void *ctx)
{
    AUTO(buf_finish) struct buf full = {0};
    struct known_file *file = map_get(k->files, path);
    const struct known_folder *top = map_get(k->folders, path);

    if (file)
        fn(ctx, path, file);
    for (const struct known_folder *f = top; f; f = next_folder(f, top)) {
        list_for_each (it, &f->files) {
            file = list_entry(it, struct known_file, link);
            buf_reset(&full);
            buf_printf(&full, "%.*s/%s", STR_ARG(f->path), file->name);
            fn(ctx, buf_str(&full), file);
        }
    }
}
