/* The queue of files to ask about. A file is in one list: of its rank, or, in the rest, of its folder; a
 * folder is in the list of its language as long as it has one. So each step costs the same however long
 * the queue is. */
#include "workspace/asks.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"

struct ask_folder {
    struct list link; // of queue.folders
    struct list asks;
    char *key;
};

struct queue {
    struct list ranked[ASK_OPEN + 1]; // that of ASK_REST stays empty
    struct list folders;
};

struct asks {
    struct map *by_path;   // struct ask
    struct map *by_folder; // language and folder → struct ask_folder
    struct queue queues[ASKS_LANGS];
};

struct asks *
asks_create(void)
{
    struct asks *a = xnew(struct asks);

    a->by_path = map_create();
    a->by_folder = map_create();
    for (size_t lang = 0; lang < ASKS_LANGS; lang++) {
        for (size_t rank = 0; rank <= ASK_OPEN; rank++)
            list_init(&a->queues[lang].ranked[rank]);
        list_init(&a->queues[lang].folders);
    }
    return a;
}

void
asks_destroy(struct asks *a)
{
    struct ask *ask;

    if (!a)
        return;
    for (size_t lang = 0; lang < ASKS_LANGS; lang++)
        while ((ask = asks_first(a, lang)))
            asks_remove(a, ask);
    map_destroy(a->by_path);
    map_destroy(a->by_folder);
    free(a);
}

size_t
asks_count(const struct asks *a)
{
    return map_count(a->by_path);
}

/* ---- folders of the rest ---- */

static char *
folder_key(size_t lang, struct str path)
{
    return xasprintf("%zu:%.*s", lang, STR_ARG(path_dirname(path)));
}

static struct ask_folder *
folder_of(struct asks *a, size_t lang, struct str path)
{
    AUTO(free) char *key = folder_key(lang, path);
    struct ask_folder *folder = map_get(a->by_folder, str_of(key));

    if (folder)
        return folder;
    folder = xnew(struct ask_folder);
    list_init(&folder->asks);
    list_init(&folder->link);
    list_add(&a->queues[lang].folders, &folder->link);
    folder->key = steal(key);
    map_put(a->by_folder, str_of(folder->key), folder);
    return folder;
}

static void
leave_folder(struct asks *a, struct ask *ask)
{
    struct ask_folder *folder = steal(ask->folder);

    if (!folder || !list_is_empty(&folder->asks))
        return;
    map_remove(a->by_folder, str_of(folder->key));
    list_remove(&folder->link);
    free(folder->key);
    free(folder);
}

/* ---- files ---- */

static void
rank_as(struct asks *a, struct ask *ask, enum ask_rank rank)
{
    list_remove(&ask->link);
    leave_folder(a, ask);
    ask->rank = rank;
    if (rank == ASK_REST) {
        ask->folder = folder_of(a, ask->lang, str_of(ask->path));
        list_add(&ask->folder->asks, &ask->link);
    } else {
        list_add_first(&a->queues[ask->lang].ranked[rank], &ask->link);
    }
}

bool
asks_put(struct asks *a, struct str path, size_t lang, enum ask_rank rank)
{
    struct ask *ask = map_get(a->by_path, path);

    if (ask) {
        if (rank != ASK_REST)
            rank_as(a, ask, MAX(rank, ask->rank));
        return false;
    }
    ask = xcalloc(1, sizeof(*ask) + path.n + 1);
    memcpy(ask->path, path.p, path.n);
    ask->lang = lang;
    list_init(&ask->link);
    map_put(a->by_path, path, ask);
    rank_as(a, ask, rank);
    return true;
}

void
asks_open(struct asks *a, struct str path)
{
    struct ask *ask = map_get(a->by_path, path);

    for (size_t lang = 0; lang < ASKS_LANGS; lang++) {
        AUTO(free) char *key = NULL;
        struct ask_folder *folder;

        if (list_is_empty(&a->queues[lang].folders))
            continue;
        key = folder_key(lang, path);
        folder = map_get(a->by_folder, str_of(key));
        if (!folder)
            continue;
        list_remove(&folder->link);
        list_add_first(&a->queues[lang].folders, &folder->link);
    }
    if (ask)
        rank_as(a, ask, ASK_OPEN);
}

void
asks_remove(struct asks *a, struct ask *ask)
{
    map_remove(a->by_path, str_of(ask->path));
    list_remove(&ask->link);
    leave_folder(a, ask);
    free(ask);
}

/* ---- in order ---- */

static struct ask *
first_of_rest(const struct list *folders, const struct list *folder)
{
    if (folder == folders)
        return NULL;
    return list_first(&list_entry(folder, struct ask_folder, link)->asks, struct ask,
                      link);
}

/* Of this rank or a lower one. */
static struct ask *
first_from(const struct queue *q, enum ask_rank rank)
{
    for (; rank != ASK_REST; rank--)
        if (!list_is_empty(&q->ranked[rank]))
            return list_first(&q->ranked[rank], struct ask, link);
    return first_of_rest(&q->folders, q->folders.next);
}

struct ask *
asks_first(const struct asks *a, size_t lang)
{
    return first_from(&a->queues[lang], ASK_OPEN);
}

struct ask *
asks_after(const struct asks *a, const struct ask *ask)
{
    const struct queue *q = &a->queues[ask->lang];
    const struct list *list = ask->folder ? &ask->folder->asks : &q->ranked[ask->rank];

    if (ask->link.next != list)
        return list_entry(ask->link.next, struct ask, link);
    return ask->folder ? first_of_rest(&q->folders, ask->folder->link.next)
                       : first_from(q, ask->rank - 1);
}
