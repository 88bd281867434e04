/* Dead letters on the loop: the list that status shows. The index has a copy, brought there by a command
 * of our own (COMMAND_KEEP) when it can be written; until then a letter is only here. Invariant: what
 * is in the index and not here is in `gone`, and goes with the next COMMAND_KEEP. */
#include "writer/internal.h"

#include "base/mem.h"

void
letters_init(struct letters *l)
{
    list_init(&l->all);
}

static void
destroy_all(struct list *list)
{
    list_for_each_safe (it, list) {
        list_remove(it);
        dead_letter_destroy(list_entry(it, struct dead_letter, link));
    }
}

void
letters_finish(struct letters *l)
{
    destroy_all(&l->all);
    vec_finish(&l->gone);
}

struct dead_letter *
letters_find(const struct letters *l, int64_t id)
{
    list_for_each (it, &l->all) {
        struct dead_letter *letter = list_entry(it, struct dead_letter, link);
        if (letter->id == id)
            return letter;
    }
    return NULL;
}

int64_t
letters_of(const struct letters *l, enum dead_what what, struct str path)
{
    list_for_each (it, &l->all) {
        const struct dead_letter *letter = list_entry(it, struct dead_letter, link);
        if (dead_what_is_same(what, letter->what) && str_eq(letter->path, path))
            return letter->id;
    }
    return 0;
}

int64_t
letters_try(struct letters *l, enum dead_what what, struct str path)
{
    int64_t id = letters_of(l, what, path);
    if (id > 0)
        letters_find(l, id)->n_tries++;
    return id;
}

static void
put(struct letters *l, struct dead_letter *letter)
{
    list_add(&l->all, &letter->link);
    l->n++;
    l->n_bytes += dead_letter_bytes(letter);
    l->n_kept += letter->is_kept;
}

static void
take_out(struct letters *l, struct dead_letter *letter)
{
    list_remove(&letter->link);
    l->n--;
    l->n_bytes -= dead_letter_bytes(letter);
    l->n_kept -= letter->is_kept;
    dead_letter_destroy(letter);
}

static void
drop_oldest(struct letters *l)
{
    while (l->n > STORE_LETTERS_MAX || l->n_bytes > STORE_LETTERS_BYTES) {
        struct dead_letter *oldest = list_first(&l->all, struct dead_letter, link);
        if (oldest->is_kept)
            *vec_push(&l->gone) = oldest->id;
        take_out(l, oldest);
        l->n_dropped++;
    }
}

void
letters_open(struct letters *l, struct list *stored)
{
    list_for_each_safe (it, stored) {
        struct dead_letter *letter = list_entry(it, struct dead_letter, link);
        list_remove(it);
        l->last_id = MAX(l->last_id, letter->id);
        put(l, letter);
    }
    drop_oldest(l);
}

/* One that fails again keeps its number and is the newest. */
void
letters_add(struct letters *l, struct dead_letter *letter, int64_t id)
{
    struct dead_letter *was = id > 0 ? letters_find(l, id) : NULL;
    letter->id = was ? id : ++l->last_id;
    letter->n_tries = was ? was->n_tries : 0;
    if (was)
        take_out(l, was);
    put(l, letter);
    drop_oldest(l);
}

void
letters_remove(struct letters *l, int64_t id)
{
    struct dead_letter *letter = letters_find(l, id);
    if (letter)
        take_out(l, letter);
}

void
letters_stay(struct letters *l, int64_t id)
{
    struct dead_letter *letter = letters_find(l, id);
    if (letter && letter->n_tries > 0)
        letter->n_tries--;
}

/* What may be made good before it is kept can wait, or its row would come after that. */
bool
letters_take(struct letters *l, struct command *keep)
{
    if (l->is_keeping || l->is_waiting || l->is_impossible)
        return false;
    list_init(&keep->u.keep.put);
    list_for_each (it, &l->all) {
        struct dead_letter *letter = list_entry(it, struct dead_letter, link);
        if (!letter->is_kept && letter->n_tries == 0)
            list_add(&keep->u.keep.put, &dead_letter_copy(letter)->link);
    }
    for (size_t i = 0; i < l->gone.n; i++)
        *vec_push(&keep->u.keep.drop) = l->gone.v[i];
    l->is_keeping = !list_is_empty(&keep->u.keep.put) || keep->u.keep.drop.n > 0;
    return l->is_keeping;
}

/* Meanwhile one may have failed again (then it is not this one any more) or been made good. */
static void
mark_kept(struct letters *l, const struct dead_letter *copy)
{
    struct dead_letter *letter = letters_find(l, copy->id);
    if (!letter) {
        *vec_push(&l->gone) = copy->id;
    } else if (letter->time_ms == copy->time_ms) {
        l->n_kept += !letter->is_kept;
        letter->is_kept = true;
    }
}

void
letters_kept(struct letters *l, const struct command *keep)
{
    l->is_keeping = false;
    l->is_waiting = keep->r < 0;
    l->is_impossible |= keep->r == -ENOTSUP;
    if (keep->r < 0)
        return;
    size_t n = keep->u.keep.drop.n;
    if (n > 0)
        memmove(l->gone.v, l->gone.v + n, (l->gone.n - n) * sizeof(*l->gone.v));
    l->gone.n -= n;
    list_for_each (it, &keep->u.keep.put)
        mark_kept(l, list_entry(it, struct dead_letter, link));
}
