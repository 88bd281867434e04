/* Files by path, and the folders that hold them as a tree. It exists because a checkout takes away a thousand
 * folders at once, and looking through every file for each of them takes longer than the checkout.
 * Invariant: a folder other than the root is in `folders` exactly while a file or a folder is in it; a file is in
 * `files` and in its folder's list, and one slot has its place in `files`; one slot in four is empty. */
#include "workspace/known.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "store/store.h"

struct known_folder {
    struct known_folder *above; // NULL: the root
    struct list link;           // of above->folders
    uint32_t first, last;       // of its files, as places; 0: none
    struct list folders;
    struct str path;
};

#define SLOTS_MIN 16
#define SLOT_EMPTY UINT32_C(0)
#define SLOT_DEAD UINT32_MAX

struct known_files {
    struct known_file **files; // at place - 1 each, in the order they came; NULL: removed
    uint32_t *slots;           // a place, or one of the marks
    size_t n_slots;            // a power of two
    size_t n_used;             // of files, removed ones included
    size_t n_live;
    struct map *folders;
    struct known_folder root;
    struct buf *path; // of known_next
};

static void
folder_init(struct known_folder *f)
{
    list_init(&f->link);
    list_init(&f->folders);
}

static size_t
files_max(size_t n_slots)
{
    return n_slots / 4 * 3;
}

struct known_files *
known_create(void)
{
    struct known_files *k = xnew(struct known_files);

    k->n_slots = SLOTS_MIN;
    k->slots = xcalloc(k->n_slots, sizeof(*k->slots));
    k->files = xreallocarray(NULL, files_max(k->n_slots), sizeof(struct known_file *));
    k->folders = map_create();
    k->path = xnew(struct buf);
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
    for (size_t i = 0; i < k->n_used; i++)
        free(k->files[i]);
    for (; map_next(k->folders, &iter, &path, &value); free(value))
        free((char *)((struct known_folder *)value)->path.p);
    map_destroy(k->folders);
    buf_finish(k->path);
    free(k->path);
    free(k->files);
    free(k->slots);
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
    while (f->above && f->first == 0 && list_is_empty(&f->folders)) {
        struct known_folder *above = f->above;
        list_remove(&f->link);
        map_remove(k->folders, f->path);
        free((char *)f->path.p);
        free(f);
        f = above;
    }
}

static const struct known_folder *
folder_of(const struct known_files *k, struct str path)
{
    struct str at = folder_path_of(path);

    return at.n > 0 ? map_get(k->folders, at) : &k->root;
}

/* Its seed is where the folder is in memory, which nobody knows who chooses names. */
static uint64_t
hash_of(const struct known_folder *folder, struct str name)
{
    return hash64_seeded(name, (uint64_t)(uintptr_t)folder);
}

/* The slot of the file, or the empty one that ends its probe. */
static uint32_t *
find_slot(const struct known_files *k, const struct known_folder *folder, struct str name)
{
    size_t at = hash_of(folder, name) & (k->n_slots - 1);

    for (;; at = (at + 1) & (k->n_slots - 1)) {
        uint32_t place = k->slots[at];
        if (place == SLOT_EMPTY)
            break;
        if (place != SLOT_DEAD && k->files[place - 1]->folder == folder &&
            str_eq_c(name, k->files[place - 1]->name))
            break;
    }
    return &k->slots[at];
}

static struct known_file *
file_at(const struct known_files *k, uint32_t place)
{
    return k->files[place - 1];
}

/* As the last of its folder. */
static void
enter_folder(struct known_files *k, uint32_t place)
{
    struct known_file *file = file_at(k, place);
    struct known_folder *folder = file->folder;

    file->before = folder->last;
    file->after = 0;
    *(folder->last ? &file_at(k, folder->last)->after : &folder->first) = place;
    folder->last = place;
}

static void
leave_folder(struct known_files *k, const struct known_file *file)
{
    struct known_folder *folder = file->folder;

    *(file->before ? &file_at(k, file->before)->after : &folder->first) = file->after;
    *(file->after ? &file_at(k, file->after)->before : &folder->last) = file->before;
}

/* Without what was removed, and larger if that is not enough: each has another place then. */
static void
rebuild(struct known_files *k)
{
    size_t n = 0;

    while (files_max(k->n_slots) / 4 * 3 <= k->n_live) {
        if (k->n_slots > UINT32_MAX / 4)
            mem_exhausted(SIZE_MAX);
        k->n_slots *= 2;
    }
    for (size_t i = 0; i < k->n_used; i++)
        if (k->files[i])
            k->files[n++] = k->files[i];
    k->n_used = n;
    k->files =
        xreallocarray(k->files, files_max(k->n_slots), sizeof(struct known_file *));
    free(k->slots);
    k->slots = xcalloc(k->n_slots, sizeof(*k->slots));
    for (size_t i = 0; i < n; i++)
        k->files[i]->folder->first = k->files[i]->folder->last = 0;
    for (size_t i = 0; i < n; i++) {
        const struct known_file *file = k->files[i];
        size_t at = hash_of(file->folder, str_of(file->name)) & (k->n_slots - 1);
        while (k->slots[at] != SLOT_EMPTY)
            at = (at + 1) & (k->n_slots - 1);
        k->slots[at] = (uint32_t)(i + 1);
        enter_folder(k, (uint32_t)(i + 1));
    }
}

struct known_file *
known_find(const struct known_files *k, struct str path)
{
    const struct known_folder *folder = folder_of(k, path);
    uint32_t slot = folder ? *find_slot(k, folder, path_basename(path)) : SLOT_EMPTY;

    return slot == SLOT_EMPTY ? NULL : k->files[slot - 1];
}

struct known_file *
known_add(struct known_files *k, struct str path)
{
    struct known_file *file = known_find(k, path);
    struct str name = path_basename(path);

    if (file)
        return file;
    if (k->n_used == files_max(k->n_slots))
        rebuild(k);
    file = xcalloc(1, MAX(sizeof(*file), offsetof(struct known_file, name) + name.n + 1));
    memcpy(file->name, name.p, name.n);
    file->folder = make_folder(k, folder_path_of(path));
    k->files[k->n_used++] = file;
    *find_slot(k, file->folder, name) = (uint32_t)k->n_used;
    enter_folder(k, (uint32_t)k->n_used);
    k->n_live++;
    return file;
}

void
known_remove(struct known_files *k, struct str path)
{
    const struct known_folder *folder = folder_of(k, path);
    uint32_t *slot = folder ? find_slot(k, folder, path_basename(path)) : NULL;
    struct known_file *file;

    if (!slot || *slot == SLOT_EMPTY)
        return;
    file = steal(k->files[*slot - 1]);
    *slot = SLOT_DEAD;
    k->n_live--;
    leave_folder(k, file);
    drop_empty(k, file->folder);
    free(file);
}

static struct str
path_of(const struct known_file *file, struct buf *space)
{
    buf_reset(space);
    if (file->folder->path.n > 0)
        buf_printf(space, "%.*s/", STR_ARG(file->folder->path));
    buf_add_cstr(space, file->name);
    return buf_str(space);
}

bool
known_next(const struct known_files *k, size_t *iter, struct str *ret_path,
           struct known_file **ret_file)
{
    while (*iter < k->n_used) {
        struct known_file *file = k->files[(*iter)++];
        if (!file)
            continue;
        *ret_path = path_of(file, k->path);
        *ret_file = file;
        return true;
    }
    return false;
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
    struct known_file *file = known_find(k, path);
    const struct known_folder *top = map_get(k->folders, path);

    if (file)
        fn(ctx, path, file);
    for (const struct known_folder *f = top; f; f = next_folder(f, top)) {
        for (uint32_t place = f->first; place; place = file->after) {
            file = file_at(k, place);
            fn(ctx, path_of(file, &full), file);
        }
    }
}

/* ---- of an index ---- */

static int
add_known(void *ctx, const struct file *file)
{
    struct known_file *k = known_add(ctx, file->path);

    k->size_bytes = file->size_bytes;
    k->mtime_ns = file->mtime_ns;
    k->inode = file->inode;
    k->content = file->content;
    k->state = file->state;
    k->reason = file->reason;
    k->is_stored = true;
    return 0;
}

int
known_read(struct known_files *k, const char *url)
{
    struct store_reader *reader = NULL;
    int r = store_reader_open(url, &reader, NULL);

    if (r == 0)
        r = store_each_file(reader, add_known, k);
    store_reader_close(reader);
    return r;
}
