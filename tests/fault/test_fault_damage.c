/* Bits that flip, sectors that become zero, files that end early, at random places of the index, its log
 * and its shared memory, after a kill and after a clean end. Invariant: whoever opens it then gets rows that
 * are true (those of some commit), or the file is set aside, name kept, with a new epoch, and told so, or an
 * error that says damaged; wrong rows only where SQLite itself could not tell. Nothing crashes. */
#include <dirent.h>
#include <unistd.h>

#include "base/fs.h"
#include "work.h"

enum { PART_DB, PART_WAL, PART_SHM, PARTS };
static const char *const parts[PARTS] = {"", "-wal", "-shm"};

/* An index as its files are at one moment. */
struct picture {
    struct buf files[PARTS];
    VEC(struct hash128) states;
    char epoch[STORE_EPOCH_BYTES];
};

struct tally {
    long n_true, n_earlier, n_aside, n_aside_later, n_mended, n_refused, n_told,
        n_unknowable;
};

/* ---- files ---- */

static void
read_part(const struct sample *s, int part, struct buf *b)
{
    char *path = xasprintf("%s%s", s->path, parts[part]), chunk[8192];
    FILE *f = fopen(path, "rb");
    buf_reset(b);
    for (size_t n = 1; f && n > 0;) {
        n = fread(chunk, 1, sizeof(chunk), f);
        buf_add(b, chunk, n);
    }
    if (f)
        fclose(f);
    free(path);
}

static void
write_part(const struct sample *s, int part, const struct buf *b)
{
    char *path = xasprintf("%s%s", s->path, parts[part]);
    unlink(path);
    if (b->n > 0) {
        FILE *f = fopen(path, "wb");
        NEED(f && fwrite(b->p, b->n, 1, f) == 1);
        NEED(fclose(f) == 0);
    }
    free(path);
}

static bool
is_file_of(const char *path, const struct buf *content)
{
    AUTO(buf_finish) struct buf is = {0};
    FILE *f = fopen(path, "rb");
    NEED(f);
    buf_reserve(&is, content->n + 1);
    is.n = fread(is.p, 1, content->n + 1, f);
    fclose(f);
    return str_eq(buf_str(&is), buf_str(content));
}

/* Files set aside as they were; they go. */
static size_t
take_aside(const struct sample *s, const struct buf *content)
{
    size_t n = 0;
    DIR *d = opendir(s->dir);
    NEED(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (!strstr(e->d_name, ".damaged-"))
            continue;
        char *path = xasprintf("%s/%s", s->dir, e->d_name);
        n += content && !str_ends_with(str_of(path), STR("-wal")) &&
             is_file_of(path, content);
        unlink(path);
        free(path);
    }
    closedir(d);
    return n;
}

/* ---- the picture ---- */

static void
take_picture(struct picture *p, struct dice d, bool is_clean)
{
    struct sample *s = NULL;
    OK(sample_setup((void **)&s));
    struct work work = {.s = s, .dice = d, .is_bulky = true};
    NEED(work_open(&work, NULL) == 0);
    memcpy(p->epoch, work.epoch, sizeof(p->epoch));
    *vec_push(&p->states) = state_of(s);
    for (int i = 0; i < 45; i++) {
        struct tx tx;
        tx_plan(&work, &tx);
        NEED(tx_try(&work, &tx) == 0);
        tx_finish(&tx);
        *vec_push(&p->states) = state_of(s);
        if (i < 35)
            NEED(store_checkpoint(work.w, false) == 0);
    }
    if (is_clean)
        store_writer_close(steal(work.w));
    for (int part = 0; part < PARTS; part++)
        read_part(s, part, &p->files[part]);
    NEED(p->files[PART_DB].n > 100000);
    NEED(is_clean == (p->files[PART_WAL].n == 0));
    work_finish(&work);
    void *state_of_one = s;
    OK(sample_teardown(&state_of_one));
}

static void
picture_finish(struct picture *p)
{
    for (int part = 0; part < PARTS; part++)
        buf_finish(&p->files[part]);
    vec_finish(&p->states);
}

/* ---- the damage ---- */

static size_t
damage_place(struct dice *d, size_t n)
{
    return dice_roll(d, 8) == 0 ? dice_roll(d, (uint32_t)MIN(n, 200u))
                                : dice_roll(d, (uint32_t)n);
}

static void
do_damage(struct dice *d, struct buf *b)
{
    size_t at = damage_place(d, b->n), n = 1;
    uint32_t how = dice_roll(d, 10);
    if (how < 4) {
        b->p[at] = (char)(b->p[at] ^ (1 << dice_roll(d, 8)));
    } else if (how < 6) {
        n = 1 + dice_roll(d, 64);
        n = MIN(n, b->n - at);
        for (size_t i = 0; i < n; i++)
            b->p[at + i] = (char)dice_roll(d, 256);
    } else if (how < 8) {
        at -= at % 512;
        n = dice_roll(d, 2) ? 512 : 8192;
        n = MIN(n, b->n - at);
        memset(b->p + at, 0, n);
    } else if (how < 9) {
        b->n = at;
    } else {
        n = 1 + dice_roll(d, 9000);
        for (size_t i = 0; i < n; i++)
            buf_add_char(b, (char)dice_roll(d, 256));
    }
    need_note("damage %u at %zu, %zu bytes, of %zu", how, at, n, b->n);
}

/* Could SQLite have told? Asked of a copy, since asking may change it. */
static bool
could_tell(const struct sample *s, const struct buf files[PARTS])
{
    struct sample copy = {.dir = s->dir, .path = xasprintf("%s/copy.db", s->dir)};
    char *why = NULL, *shm = xasprintf("%s-shm", copy.path);
    write_part(&copy, PART_DB, &files[PART_DB]);
    write_part(&copy, PART_WAL, &files[PART_WAL]);
    unlink(shm);
    bool is = !is_intact(copy.path, &why);
    if (is)
        need_note("SQLite says: %s", why);
    free(why);
    free(shm);
    free(copy.path);
    return is;
}

static bool
is_a_state(const struct picture *p, struct hash128 is, struct tally *tally)
{
    for (size_t i = p->states.n; i-- > 0;) {
        if (!hash128_eq(is, p->states.v[i]))
            continue;
        if (i + 1 == p->states.n)
            tally->n_true++;
        else
            tally->n_earlier++;
        return true;
    }
    return false;
}

static void
need_aside(const struct sample *s, const struct picture *p, const struct work *work,
           const struct store_info *info, const struct buf *content)
{
    NEED(info->is_new && info->was_damaged && info->head == 0);
    NEED(strcmp(info->epoch, p->epoch) != 0);
    NEED(take_aside(s, content) == 1);
    NEED(work->head == 0);
}

/* The writer took it: its rows are true, or a reader finds out (true), or nobody could. */
static bool
check_taken(const struct sample *s, const struct picture *p, struct work *work,
            const struct buf files[PARTS], struct tally *tally, bool is_clean)
{
    AUTO(buf_finish) struct buf dump = {0};
    struct store_reader *reader = NULL;
    NEED(strcmp(work->epoch, p->epoch) == 0);
    int r = store_reader_open(s->url, &reader, NULL);
    if (r == 0)
        r = state_dump(reader, &dump);
    store_reader_close(reader);
    if (r == 0 && is_a_state(p, hash128(buf_str(&dump)), tally))
        return false;
    if (r < 0) {
        NEED(r == -EBADMSG);
        tally->n_told++;
    }
    bool is_knowable = could_tell(s, files);
    if (!is_knowable && r == 0)
        tally->n_unknowable++;
    NEED(is_clean || !is_knowable); // else the check at the start had to find it
    return r < 0;
}

/* What a reader met: the next start has a look at all, and after it nothing is in doubt. */
static void
check_doubted(const struct sample *s, struct work *work, struct tally *tally)
{
    AUTO(buf_finish) struct buf dump = {0};
    struct store_reader *reader = NULL;
    struct store_info info;
    char *why = NULL;
    NEED(store_writer_open(s->url, NULL, &work->w, &info, &why) == 0);
    NEED(info.is_new == info.was_damaged);
    if (info.was_damaged)
        tally->n_aside_later++;
    else
        tally->n_mended++;
    NEED(store_reader_open(s->url, &reader, NULL) == 0);
    NEED(state_dump(reader, &dump) == 0);
    store_reader_close(reader);
}

static void
work_on_damaged(struct work *work)
{
    for (int i = 0; i < 12; i++) {
        struct tx tx;
        tx_plan(work, &tx);
        tx_try(work, &tx); // may fail; must not crash
        tx_finish(&tx);
    }
}

static void
try_damage(const struct sample *s, const struct picture *p, struct dice *d,
           struct tally *tally, bool is_clean)
{
    struct buf files[PARTS] = {{0}};
    struct store_info info;
    struct work work = {.s = s, .dice = *d};
    char *why = NULL, *lock = xasprintf("%s.lock", s->path);
    AUTO(free) char *doubt = xasprintf("%s.doubt", s->path);
    uint32_t what = dice_roll(d, 10);
    int part = is_clean || what < 5 ? PART_DB : what < 9 ? PART_WAL : PART_SHM;
    for (int i = 0; i < PARTS; i++)
        buf_add(&files[i], p->files[i].p ? p->files[i].p : "", p->files[i].n);
    do_damage(d, &files[part]);
    for (int i = 0; i < PARTS; i++)
        write_part(s, i, &files[i]);
    FILE *f = fopen(lock, "wb");
    NEED(f && fclose(f) == 0);
    take_aside(s, NULL);
    unlink(doubt);
    int r = store_writer_open(s->url, NULL, &work.w, &info, &why);
    if (r < 0) {
        NEED(r == -EPROTONOSUPPORT && why &&
             part == PART_DB); // what says whose file it is
        tally->n_refused++;
    } else if (info.was_damaged) {
        need_aside(s, p, &work, &info, &files[PART_DB]);
        tally->n_aside++;
    } else if (info.is_new) {
        NEED(files[PART_DB].n == 0); // of an empty file nobody can say what it was
        tally->n_unknowable++;
    } else {
        memcpy(work.epoch, info.epoch, sizeof(work.epoch));
        work.head = info.head;
        bool is_doubted = check_taken(s, p, &work, files, tally, is_clean);
        NEED(fs_exists(doubt) == is_doubted);
        if (!is_doubted)
            work_on_damaged(&work);
        store_writer_close(steal(work.w));
        if (is_doubted)
            check_doubted(s, &work, tally);
    }
    work_finish(&work);
    *d = (struct dice){d->state + 1};
    for (int i = 0; i < PARTS; i++)
        buf_finish(&files[i]);
    free(why);
    free(lock);
}

static void
damage_many(bool is_clean, long n)
{
    struct dice d = {fault_seed() + is_clean};
    struct picture p = {.epoch = ""};
    struct tally t = {0};
    struct sample *s = NULL;
    for (long i = 0; i < n; i++) {
        if (i % 500 == 0) {
            picture_finish(&p);
            p = (struct picture){.epoch = ""};
            take_picture(&p, d, is_clean);
            s = NULL;
            OK(sample_setup((void **)&s));
        }
        try_damage(s, &p, &d, &t, is_clean);
        if (i % 500 == 499 || i + 1 == n) {
            void *state_of_one = s;
            OK(sample_teardown(&state_of_one));
        }
    }
    picture_finish(&p);
    print_message(
        "# %ld damages: %ld true, %ld of an earlier commit, %ld set aside, %ld refused, "
        "%ld errors of a reader (%ld set aside then, %ld mended), %ld that SQLite cannot "
        "tell, 0 wrong\n",
        n, t.n_true, t.n_earlier, t.n_aside, t.n_refused, t.n_told, t.n_aside_later,
        t.n_mended, t.n_unknowable);
    NEED(t.n_true > 0 && t.n_aside > 0);
}

static void
test_damage_after_kill(void **state UNUSED)
{
    damage_many(false, fault_count(120 / FAULT_FEWER, 3000));
}

static void
test_damage_after_clean_end(void **state UNUSED)
{
    damage_many(true, fault_count(60 / FAULT_FEWER, 1500));
}

int
main(void)
{
    fault_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage_after_kill),
        cmocka_unit_test(test_damage_after_clean_end),
    };
    return cmocka_run_group_tests_name("fault_damage", tests, NULL, NULL);
}
