/* Why: a hundred subscribers in the same place of a feed are sent the same bytes. To look for them, copy them and give
 * each message to libwebsockets by itself was most of the loop's work; here it is done for the first of them, and a
 * connection's turn is one call. From a file of memory the kernel sends without a copy for each socket, and what waits
 * in all of them is the same pages. Whoever reads at another pace finds a parcel where an earlier one ended. What it
 * comes to `./dev bench hub` prints.
 * Invariant: a parcel is what sub_next_frame() gave from `from` on, and leads to `to`; neither changes. */
#include "hub/parcel.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

#include "base/mem.h"
#include "hub/feed.h"

#define PARCEL_BYTES_MAX (128u << 10) // but for the last message
#define PARCEL_MESSAGES_MAX 256
#define PARCELS_MAX 64               // of a kind, and
#define PARCELS_BYTES_MAX (4u << 20) // of a feed
#define PARCEL_FRAME_HEAD_MAX 10
/* A file costs a copy and three calls; below these a send to each costs less. */
#define PARCEL_FILE_BYTES_MIN (16u << 10)
#define PARCEL_FILE_TAKERS_MIN 4
#define PARCEL_FILES_MAX 64 // of a feed

struct parcel_kind {
    struct list link;
    struct parcels *all;
    unsigned refs;
    char *text;
    struct list parcels;
    size_t n_parcels;
};

/* ---- life ---- */

void
parcels_init(struct parcels *all)
{
    *all = (struct parcels){0};
    list_init(&all->kinds);
}

void
parcels_finish(struct parcels *all)
{
    assert(list_is_empty(&all->kinds));
    assert(all->n_bytes == 0);
}

static void
destroy(struct parcel_kind *kind, struct parcel *p)
{
    kind->all->n_bytes -= p->bytes.cap;
    if (p->file >= 0) {
        close(p->file);
        kind->all->n_files--;
    }
    kind->n_parcels--;
    list_remove(&p->link);
    sub_position_finish(&p->from);
    sub_position_finish(&p->to);
    buf_finish(&p->bytes);
    free(p);
}

struct parcel_kind *
parcel_kind_of(struct parcels *all, struct str text)
{
    list_for_each (it, &all->kinds) {
        struct parcel_kind *kind = list_entry(it, struct parcel_kind, link);
        if (str_eq_c(text, kind->text)) {
            kind->refs++;
            return kind;
        }
    }
    struct parcel_kind *kind = xnew(struct parcel_kind);
    kind->all = all;
    kind->refs = 1;
    kind->text = str_dup(text);
    list_init(&kind->parcels);
    list_add(&all->kinds, &kind->link);
    return kind;
}

void
parcel_kind_unref(struct parcel_kind *kind)
{
    if (!kind || --kind->refs > 0)
        return;
    list_for_each_safe (it, &kind->parcels)
        destroy(kind, list_entry(it, struct parcel, link));
    list_remove(&kind->link);
    free(kind->text);
    free(kind);
}

void
parcels_trim(struct parcels *all)
{
    list_for_each (at, &all->kinds) {
        struct parcel_kind *kind = list_entry(at, struct parcel_kind, link);
        list_for_each_safe (it, &kind->parcels) {
            struct parcel *p = list_entry(it, struct parcel, link);
            if (!p->is_wanted)
                destroy(kind, p);
            else
                p->is_wanted = false;
        }
    }
}

static void
add(struct parcel_kind *kind, struct parcel *p)
{
    list_add_first(&kind->parcels, &p->link);
    kind->all->n_bytes += p->bytes.cap;
    kind->n_parcels++;
    if (kind->n_parcels > (kind->refs > 1 ? PARCELS_MAX : 1))
        destroy(kind, list_entry(kind->parcels.prev, struct parcel, link));
}

/* The oldest of each kind go, but for the one that is being given. */
static void
make_room(struct parcels *all, const struct parcel *stays)
{
    while (all->n_bytes > PARCELS_BYTES_MAX) {
        size_t before = all->n_bytes;
        list_for_each (at, &all->kinds) {
            struct parcel_kind *kind = list_entry(at, struct parcel_kind, link);
            struct parcel *last = list_entry(kind->parcels.prev, struct parcel, link);
            if (!list_is_empty(&kind->parcels) && last != stays)
                destroy(kind, last);
        }
        if (all->n_bytes == before)
            return;
    }
}

/* ---- frames ---- */

/* Of a whole text message, right before it. */
static size_t
put_head(char *payload, size_t n)
{
    uint8_t head[PARCEL_FRAME_HEAD_MAX] = {0x81};
    size_t size = n < 126 ? 2 : n < 65536 ? 4 : PARCEL_FRAME_HEAD_MAX;
    head[1] = (uint8_t)(size == 2 ? n : size == 4 ? 126 : 127);
    for (size_t i = size; i > 2; i--, n >>= 8)
        head[i - 1] = (uint8_t)n;
    memcpy(payload - size, head, size);
    return size;
}

static void
add_frame(struct buf *b, struct str message)
{
    static const char room[PARCEL_FRAME_HEAD_MAX];
    buf_add(b, room, message.n < 126 ? 2 : message.n < 65536 ? 4 : PARCEL_FRAME_HEAD_MAX);
    buf_add_str(b, message);
    put_head(b->p + b->n - message.n, message.n);
}

static void
add_line(struct buf *b, struct str message)
{
    static const char room[PARCEL_FRAME_HEAD_MAX];
    if (b->n == 0)
        buf_add(b, room, sizeof(room));
    else
        buf_add_char(b, '\n');
    buf_add_str(b, message);
}

/* ---- making ---- */

static struct parcel *
find(const struct parcel_kind *kind, const struct sub_position *from)
{
    list_for_each (it, &kind->parcels) {
        struct parcel *p = list_entry(it, struct parcel, link);
        if (sub_position_is(&p->from, from))
            return p;
    }
    return NULL;
}

/* Up to where another one begins, so that both go on together. */
static enum sub_next
fill(struct parcel *p, struct sub *s, const struct parcel_kind *kind, bool has_lines)
{
    enum sub_next next = SUB_FRAME;
    while (p->bytes.n < PARCEL_BYTES_MAX && p->n_messages < PARCEL_MESSAGES_MAX) {
        struct str message;
        const struct sub_position *at = sub_position(s);
        if (p->n_messages > 0 && !at->row && find(kind, at))
            break;
        next = sub_next_frame(s, &message);
        if (next != SUB_FRAME)
            break;
        if (p->n_messages++ == 0)
            p->seq = sub_place(s)->seq;
        if (has_lines)
            add_line(&p->bytes, message);
        else
            add_frame(&p->bytes, message);
    }
    if (has_lines && p->n_messages > 0)
        p->offset = PARCEL_FRAME_HEAD_MAX - put_head(p->bytes.p + PARCEL_FRAME_HEAD_MAX,
                                                     p->bytes.n - PARCEL_FRAME_HEAD_MAX);
    return next;
}

/* NULL: nothing is there, *ret_next says why. One without messages says that there are none on the way. */
static struct parcel *
make(struct sub *s, struct parcel_kind *kind, bool has_lines, enum sub_next *ret_next)
{
    struct parcel *p = xnew(struct parcel);
    p->file = -1;
    p->all = kind->all;
    sub_position_copy(&p->from, sub_position(s));
    *ret_next = fill(p, s, kind, has_lines);
    if ((*ret_next == SUB_LOST && p->n_messages == 0) ||
        sub_position_is(&p->from, sub_position(s))) {
        sub_position_finish(&p->from);
        buf_finish(&p->bytes);
        free(p);
        return NULL;
    }
    sub_position_copy(&p->to, sub_position(s));
    add(kind, p);
    make_room(kind->all, p);
    return p;
}

enum sub_next
parcel_next(struct sub *s, bool has_lines, struct parcel **ret_parcel)
{
    struct parcel_kind *kind = sub_kind(s, has_lines);
    enum sub_next next = SUB_FRAME;
    if (!sub_is_running(s))
        return SUB_QUIET;
    struct parcel *p = find(kind, sub_position(s));
    if (p)
        sub_move(s, &p->to);
    else
        p = make(s, kind, has_lines, &next);
    if (!p)
        return next;
    p->n_taken++;
    p->is_wanted = true;
    *ret_parcel = p;
    return p->n_messages > 0 ? SUB_FRAME : SUB_BUSY;
}

struct str
parcel_bytes(const struct parcel *p)
{
    return str_slice(p->bytes.p + p->offset, p->bytes.n - p->offset);
}

static int
make_file(struct parcel *p)
{
    struct str bytes = parcel_bytes(p);
    int fd = memfd_create("parcel", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n) {
        close(fd);
        fd = -1;
    }
    p->all->n_files += fd >= 0;
    return fd;
}

/* The pages of the file themselves are what waits in all the sockets, also when the file is closed. */
size_t
parcel_send(struct parcel *p, int socket)
{
    size_t size = parcel_bytes(p).n;
    if (p->n_taken == PARCEL_FILE_TAKERS_MIN && size >= PARCEL_FILE_BYTES_MIN &&
        p->all->n_files < PARCEL_FILES_MAX)
        p->file = make_file(p);
    if (p->file < 0)
        return 0;
    off_t at = 0;
    ssize_t n = sendfile(socket, p->file, &at, size);
    return n > 0 ? (size_t)n : 0;
}
