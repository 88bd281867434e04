/* Dead letters: names, and life. A letter and its strings are one block of memory. */
#include "model/dead_letter.h"

#include "base/mem.h"

static const char *const names[DEAD_WHAT_COUNT] = {
    [DEAD_PUT_FILE] = "put_file",     [DEAD_DELETE_FILE] = "delete_file",
    [DEAD_PUT_HOVERS] = "put_hovers", [DEAD_EXPIRE_HOVERS] = "expire_hovers",
    [DEAD_PUT_EVENT] = "put_event",
};

const char *
dead_what_name(enum dead_what what)
{
    assert((unsigned)what < DEAD_WHAT_COUNT);
    return names[what];
}

int
dead_what_parse(struct str name, enum dead_what *ret_what)
{
    for (int i = 0; i < DEAD_WHAT_COUNT; i++) {
        if (str_eq_c(name, names[i])) {
            *ret_what = (enum dead_what)i;
            return 0;
        }
    }
    return -ENOENT;
}

bool
dead_what_is_file(enum dead_what what)
{
    return what == DEAD_PUT_FILE || what == DEAD_DELETE_FILE;
}

/* Answers come in parts, and events are each their own. */
bool
dead_what_is_same(enum dead_what a, enum dead_what b)
{
    if (dead_what_is_file(a))
        return dead_what_is_file(b);
    return a == DEAD_EXPIRE_HOVERS && b == a;
}

/* Copy s to *at, with a NUL behind it, and go on. */
static struct str
place(char **at, struct str s)
{
    char *p = *at;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    *at += s.n + 1;
    return str_slice(p, s.n);
}

struct dead_letter *
dead_letter_create(enum dead_what what, struct str path, struct str error,
                   struct str payload)
{
    struct dead_letter *l = xmalloc(sizeof(*l) + path.n + error.n + payload.n + 3);
    char *at = (char *)(l + 1);
    *l = (struct dead_letter){.what = what};
    l->path = place(&at, path);
    l->error = place(&at, error);
    l->payload = place(&at, payload);
    list_init(&l->link);
    return l;
}

struct dead_letter *
dead_letter_copy(const struct dead_letter *l)
{
    struct dead_letter *copy = dead_letter_create(l->what, l->path, l->error, l->payload);
    copy->id = l->id;
    copy->time_ms = l->time_ms;
    copy->is_kept = l->is_kept;
    return copy;
}

void
dead_letter_destroy(struct dead_letter *l)
{
    free(l);
}

size_t
dead_letter_bytes(const struct dead_letter *l)
{
    return sizeof(*l) + l->path.n + l->error.n + l->payload.n;
}
