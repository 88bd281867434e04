/* What a disk may do to the folder of RocksDB: the n-th write, sync, opening or read fails, once or from then on; bits
 * flip, sectors become zero, files end early or are gone. Invariant: what was acknowledged is there once the disk
 * is well; what failed is told and leaves nothing, or is told as done; a folder is set aside, name kept, only for damage, and
 * then there is a new epoch; rows are those of a commit, an earlier one only where the log itself is damaged. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "fail_calls.h"
#include "work.h"

#define CALLS_MAX 3000 // of a work that is armed; there are far fewer
#define SESSIONS 3
#define FLUSHED_BYTES (17 << 20) // of a log that an idle writer makes short

static char *
folder_of(const struct sample *s)
{
    return xasprintf("%s/index", s->dir);
}

/* ---- an index as its files are at one moment ---- */

struct part {
    char *name;
    struct buf content;
};

struct picture {
    VEC(struct part) parts;
    VEC(struct hash128) states; // after each commit
    char epoch[STORE_EPOCH_BYTES];
    int64_t head;
};

static void
read_file(const char *folder, const char *name, struct buf *b)
{
    char *path = xasprintf("%s/%s", folder, name), chunk[8192];
    FILE *f = fopen(path, "rb");
    NEED(f);
    for (size_t n = 1; n > 0;) {
        n = fread(chunk, 1, sizeof(chunk), f);
        buf_add(b, chunk, n);
    }
    fclose(f);
    free(path);
}

static void
write_file(const char *folder, const char *name, const struct buf *b)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    NEED(f && (b->n == 0 || fwrite(b->p, b->n, 1, f) == 1));
    NEED(fclose(f) == 0);
    free(path);
}

static void
read_folder(const struct sample *s, struct picture *p)
{
    AUTO(free) char *folder = folder_of(s);
    DIR *d = opendir(folder);
    NEED(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (e->d_name[0] == '.')
            continue;
        struct part *part = vec_push(&p->parts);
        *part = (struct part){.name = xstrdup(e->d_name)};
        read_file(folder, part->name, &part->content);
    }
    closedir(d);
}

/* With the lock of who wrote it. */
static void
write_folder(const struct sample *s, const struct picture *p)
{
    static const struct buf nothing;
    AUTO(free) char *folder = folder_of(s);
    NEED(mkdir(folder, 0700) == 0);
    for (size_t i = 0; i < p->parts.n; i++)
        write_file(folder, p->parts.v[i].name, &p->parts.v[i].content);
    write_file(s->dir, "index.lock", &nothing);
}

/* Tables of several sessions, and a log that is not in them. */
static void
take_picture(struct picture *p, struct dice d, bool is_clean)
{
    struct sample *s = fault_place();
    struct work work = {.s = s, .dice = d, .is_bulky = true};
    *p = (struct picture){.head = 0};
    for (int session = 0; session < SESSIONS; session++) {
        NEED(work_open(&work, NULL) == 0);
        if (session == 0)
            *vec_push(&p->states) = state_of(s);
        for (int i = 0; i < 12; i++) {
            struct tx tx;
            tx_plan(&work, &tx);
            NEED(tx_try(&work, &tx) == 0);
            tx_finish(&tx);
            *vec_push(&p->states) = state_of(s);
        }
        memcpy(p->epoch, work.epoch, sizeof(p->epoch));
        p->head = work.head;
        if (session < SESSIONS - 1 || is_clean)
            store_writer_close(steal(work.w));
    }
    read_folder(s, p);
    NEED(p->parts.n > 4 && p->head > 0);
    work_finish(&work);
    fault_place_end(s);
}

static void
picture_finish(struct picture *p)
{
    for (size_t i = 0; i < p->parts.n; i++) {
        free(p->parts.v[i].name);
        buf_finish(&p->parts.v[i].content);
    }
    vec_finish(&p->parts);
    vec_finish(&p->states);
}

static struct hash128
last_state(const struct picture *p)
{
    return p->states.v[p->states.n - 1];
}

/* ---- calls that fail ---- */

static const struct fault {
    enum calls_kind kind;
    long burst;
    int code;
} faults[] = {
    {CALLS_CHANGE, 1, EIO},  {CALLS_CHANGE, 2, EIO},       {CALLS_CHANGE, 100000, ENOSPC},
    {CALLS_OPEN, 1, EMFILE}, {CALLS_OPEN, 100000, EACCES}, {CALLS_READ, 1, EIO},
};

static void
need_disk_error(int r)
{
    NEED(r == -EIO || r == -ENOSPC || r == -EACCES || r == -EMFILE || r == -EBUSY);
}

/* All that was acknowledged, and it goes on. */
static void
check_well(const struct sample *s, const struct picture *p)
{
    struct work work = {.s = s};
    struct store_info info;
    NEED(work_open(&work, &info) == 0);
    NEED(!info.was_damaged);
    if (p) {
        NEED(!info.is_new && info.head == p->head && strcmp(info.epoch, p->epoch) == 0);
        NEED(hash128_eq(state_of(s), last_state(p)));
    } else {
        NEED(info.head == 0);
    }
    work_steps(&work, 2);
    need_true_log(s, NULL);
    work_finish(&work);
}

/* False when the opening is over before the n-th. */
static bool
open_with_fault(const struct picture *p, const struct fault *fault, long n)
{
    struct sample *s = fault_place();
    AUTO(free) char *folder = folder_of(s);
    struct store_writer *w = NULL;
    struct store_info info = {.head = 0};
    char *why = NULL;
    if (p)
        write_folder(s, p);
    calls_arm(folder, fault->kind, n, fault->burst, fault->code);
    int r = store_writer_open(s->url, NULL, &w, &info, &why);
    need_note("%s: call %ld of kind %d fails with %s: %s (%s)", p ? "opened" : "made", n,
              (int)fault->kind, strerror(fault->code), err_text(r), why ? why : "");
    store_writer_close(w);
    bool has_failed = calls_disarm() > 0;
    NEED(r == 0 || (has_failed && why));
    NEED(!info.was_damaged);
    if (r < 0)
        need_disk_error(r);
    check_well(s, p);
    free(why);
    fault_place_end(s);
    return has_failed;
}

static void
open_with_faults(const struct picture *p)
{
    long stride = fault_count(17 * FAULT_FEWER, 1), n_faults = 0;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        long n = 1 + (long)i % stride;
        while (open_with_fault(p, &faults[i], n)) {
            n += stride;
            n_faults++;
            NEED(n < CALLS_MAX);
        }
    }
    NEED(n_faults > 10 / FAULT_FEWER);
    print_message("# %ld calls that failed: 0 lost\n", n_faults);
}

static void
test_open_error(void **state UNUSED)
{
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        struct picture p;
        take_picture(&p, (struct dice){fault_seed()}, is_clean);
        open_with_faults(&p);
        picture_finish(&p);
    }
    open_with_faults(NULL);
}

/* What the failed one left counts if it is there: then all of it is. */
static void
learn_head(struct work *work, int64_t *n_landed)
{
    struct store_info info;
    NEED(store_begin(work->w) == 0);
    store_rollback(work->w);
    struct store_reader *r = sample_read(work->s);
    NEED(store_read_info(r, &info) == 0);
    store_reader_close(r);
    NEED(info.head >= work->head);
    *n_landed += info.head > work->head;
    work->head = info.head;
}

static bool
work_with_fault(const struct fault *fault, long n, int64_t *n_landed)
{
    struct sample *s = fault_place();
    AUTO(free) char *folder = folder_of(s);
    struct work work = {.s = s, .dice = {fault_seed()}};
    struct store_info info;
    NEED(work_open(&work, NULL) == 0);
    work_steps(&work, 3);
    calls_arm(folder, fault->kind, n, fault->burst, fault->code);
    for (int i = 0; i < 10; i++) {
        struct tx tx;
        need_note("call %ld of kind %d, %ld times, in transaction %d", n,
                  (int)fault->kind, fault->burst, i);
        tx_plan(&work, &tx);
        int r = tx_try(&work, &tx);
        if (r < 0) {
            need_disk_error(r);
            NEED(calls_disarm() > 0);
            learn_head(&work, n_landed);
            NEED(tx_try(&work, &tx) == 0); // the disk is well again
        }
        tx_finish(&tx);
    }
    bool has_failed = calls_disarm() > 0;
    need_true_log(s, NULL);
    struct hash128 is = state_of(s);
    store_writer_close(steal(work.w));
    int64_t head = work.head;
    NEED(work_open(&work, &info) == 0);
    NEED(!info.was_damaged && !info.is_new && info.head == head);
    NEED(hash128_eq(is, state_of(s)));
    work_finish(&work);
    fault_place_end(s);
    return has_failed;
}

static void
test_commit_error(void **state UNUSED)
{
    int64_t n_landed = 0;
    long n_faults = 0;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        int64_t n_landed_before = n_landed;
        long n = 1;
        for (; work_with_fault(&faults[i], n, &n_landed);
             n += fault_count(3 * FAULT_FEWER, 1)) {
            n_faults++;
            NEED(n < CALLS_MAX);
        }
        NEED(n > 10 || faults[i].kind != CALLS_CHANGE);
        NEED(n_landed == n_landed_before || faults[i].burst > 1); // could be told as done
    }
    print_message("# %ld calls that failed, %" PRId64
                  " commits found on the disk all the same: 0 lost\n",
                  n_faults, n_landed);
}

/* What a log became too long for goes into tables: in other threads, and nobody waits for it. */
static void
put_much(struct work *work, const struct batch *much)
{
    AUTO(event_unref) struct event *event = NULL;
    char path[32];
    snprintf(path, sizeof(path), "l%" PRId64 ".c", work->head);
    AUTO(batch_destroy) struct batch *b = batch_create(str_of(path));
    struct str own = b->file.path;
    b->file = much->file;
    b->file.path = own;
    b->file.content.lo += (uint64_t)work->head;
    b->entities = much->entities;
    b->n_entities = much->n_entities;
    NEED(store_begin(work->w) == 0);
    int r = store_put_file(work->w, b, &event);
    NEED(r == 0);
    NEED(store_commit(work->w) == 0);
    work->head++;
}

static int
count_one(void *ctx, const struct entity_row *row UNUSED)
{
    ++*(uint64_t *)ctx;
    return 0;
}

static uint64_t
count_entities(const struct sample *s)
{
    uint64_t n = 0;
    struct store_reader *r = sample_read(s);
    NEED(store_each_entity(r, STR_NONE, count_one, &n) == 0);
    store_reader_close(r);
    return n;
}

static bool
flush_with_fault(const struct fault *fault, long n, const struct batch *much)
{
    struct sample *s = fault_place();
    AUTO(free) char *folder = folder_of(s);
    struct work work = {.s = s, .dice = {fault_seed()}};
    struct store_gauges gauges;
    struct store_info info;
    uint64_t n_much = 0;
    NEED(work_open(&work, NULL) == 0);
    for (gauges.wal_bytes = 0; gauges.wal_bytes < FLUSHED_BYTES;) {
        put_much(&work, much);
        n_much += much->n_entities;
        store_gauges(work.w, &gauges);
    }
    need_note("call %ld, %ld times, of a flush", n, fault->burst);
    calls_arm(folder, fault->kind, n, fault->burst, fault->code);
    int r = store_checkpoint(work.w, true);
    bool has_failed = calls_disarm() > 0;
    NEED(r == 0 || has_failed);
    if (r < 0)
        need_disk_error(r);
    int64_t n_landed = 0;
    for (int i = 0; i < 4; i++) {
        struct tx tx;
        tx_plan(&work, &tx);
        r = tx_try(&work, &tx);
        NEED(r == 0 || has_failed);
        if (r < 0) {
            learn_head(&work, &n_landed);
            NEED(tx_try(&work, &tx) == 0);
        }
        tx_finish(&tx);
    }
    int64_t head = work.head;
    work_finish(&work);
    NEED(work_open(&work, &info) == 0);
    NEED(!info.was_damaged && info.head == head);
    NEED(count_entities(s) >= n_much);
    work_finish(&work);
    fault_place_end(s);
    return has_failed;
}

static void
test_flush_error(void **state UNUSED)
{
    AUTO(buf_finish) struct buf spec = {0};
    long n_faults = 0;
    for (int i = 0; i < 100; i++) {
        buf_printf(&spec, "f%d:%d:int_f%d:", i, i, i);
        for (int n = 0; n < 600; n++)
            buf_printf(&spec, "doc%d,", i * n);
        buf_add_char(&spec, ' ');
    }
    struct batch *much = sample_batch("much.c", spec.p);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        if (faults[i].kind == CALLS_READ)
            continue;
        for (long n = 1; flush_with_fault(&faults[i], n, much); n += fault_count(41, 1)) {
            n_faults++;
            NEED(n < CALLS_MAX);
        }
    }
    batch_destroy(much);
    NEED(n_faults > 0);
    print_message("# %ld calls of a flush that failed: 0 lost\n", n_faults);
}

/* ---- damage ---- */

struct tally {
    long n_true, n_earlier, n_aside, n_aside_later;
};

static bool
is_log(const char *name)
{
    return str_ends_with(str_of(name), STR(".log"));
}

/* Tables and logs rather than what only tells of them. */
static size_t
pick_part(struct dice *d, const struct picture *p)
{
    static const char *const kinds[] = {".sst",      ".sst",    ".log", ".log",
                                        "MANIFEST-", "CURRENT", ""};
    const char *kind = kinds[dice_roll(d, ARRAY_LEN(kinds))];
    for (int i = 0; i < 100; i++) {
        size_t at = dice_roll(d, (uint32_t)p->parts.n);
        if (strstr(p->parts.v[at].name, kind) && p->parts.v[at].content.n > 0)
            return at;
    }
    for (size_t at = 0;; at++)
        if (p->parts.v[at].content.n > 0)
            return at;
}

/* True: the file is gone. */
static bool
do_damage(struct dice *d, struct buf *b, const char *name)
{
    size_t at = dice_roll(d, (uint32_t)b->n), n = 1;
    uint32_t how = dice_roll(d, 11);
    if (dice_roll(d, 6) == 0)
        at = b->n - 1 -
             MIN(at, MIN(b->n - 1, (size_t)200)); // where a table begins to be read
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
    } else if (how < 10) {
        n = 1 + dice_roll(d, 9000);
        for (size_t i = 0; i < n; i++)
            buf_add_char(b, (char)dice_roll(d, 256));
    }
    need_note("damage %u of %s at %zu, %zu bytes, of %zu", how, name, at, n, b->n);
    return how == 10;
}

static size_t
count_aside(const struct sample *s)
{
    size_t n = 0;
    DIR *d = opendir(s->dir);
    NEED(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        n += strncmp(e->d_name, "index.damaged-", 14) == 0;
    closedir(d);
    return n;
}

static void
need_aside(const struct sample *s, const struct picture *p, const struct store_info *info)
{
    NEED(info->is_new && info->was_damaged && info->head == 0);
    NEED(strcmp(info->epoch, p->epoch) != 0);
    NEED(count_aside(s) == 1);
}

static bool
is_a_state(const struct picture *p, struct hash128 is, bool may_be_earlier,
           struct tally *tally)
{
    if (hash128_eq(is, last_state(p))) {
        tally->n_true++;
        return true;
    }
    for (size_t i = 0; i < p->states.n && may_be_earlier; i++) {
        if (hash128_eq(is, p->states.v[i])) {
            tally->n_earlier++;
            return true;
        }
    }
    return false;
}

/* True: somebody met the damage, so the next one sets it aside. */
static bool
check_taken(const struct sample *s, const struct picture *p, const char *name,
            struct tally *tally)
{
    AUTO(buf_finish) struct buf dump = {0};
    struct store_reader *reader = NULL;
    int r = store_reader_open(s->url, &reader, NULL);
    if (r == 0)
        r = state_dump(reader, &dump);
    store_reader_close(reader);
    if (r == 0)
        NEED(is_a_state(p, hash128(buf_str(&dump)), is_log(name), tally));
    NEED(r == 0 || r == -EBADMSG);
    return r < 0;
}

static void
open_damaged(const struct sample *s, const struct picture *p, const char *name,
             bool is_clean, struct tally *tally)
{
    struct work work = {.s = s, .dice = {p->parts.n}};
    struct store_info info;
    char *why = NULL;
    int r = store_writer_open(s->url, NULL, &work.w, &info, &why);
    if (r < 0)
        need_note("%s: %s", name, why);
    NEED(r == 0);
    if (info.was_damaged) {
        need_aside(s, p, &info);
        tally->n_aside++;
        work_steps(&work, 2);
        store_writer_close(steal(work.w));
    } else {
        NEED(!info.is_new && strcmp(info.epoch, p->epoch) == 0);
        bool is_met = check_taken(s, p, name, tally);
        NEED(is_clean || !is_met); // else the look at the start had to find it
        store_writer_close(steal(work.w));
        if (is_met) {
            NEED(store_writer_open(s->url, NULL, &work.w, &info, &why) == 0);
            need_aside(s, p, &info);
            tally->n_aside_later++;
        }
    }
    work_finish(&work);
    free(why);
}

static void
try_damage(const struct picture *p, struct dice *d, struct tally *tally, bool is_clean)
{
    struct sample *s = fault_place();
    AUTO(free) char *folder = folder_of(s);
    struct part *part = &p->parts.v[pick_part(d, p)];
    struct buf damaged = {0};
    write_folder(s, p);
    buf_add(&damaged, part->content.p, part->content.n);
    if (do_damage(d, &damaged, part->name)) {
        AUTO(free) char *path = xasprintf("%s/%s", folder, part->name);
        NEED(unlink(path) == 0);
    } else {
        write_file(folder, part->name, &damaged);
    }
    open_damaged(s, p, part->name, is_clean, tally);
    buf_finish(&damaged);
    fault_place_end(s);
}

static void
damage_many(bool is_clean, long n)
{
    struct dice d = {fault_seed() + is_clean};
    struct picture p = {.head = 0};
    struct tally t = {0};
    for (long i = 0; i < n; i++) {
        if (i % 100 == 0) {
            picture_finish(&p);
            take_picture(&p, d, is_clean);
        }
        try_damage(&p, &d, &t, is_clean);
    }
    picture_finish(&p);
    print_message("# %ld damages: %ld true, %ld of an earlier commit, %ld set aside, %ld "
                  "set aside later, 0 wrong\n",
                  n, t.n_true, t.n_earlier, t.n_aside, t.n_aside_later);
    NEED(t.n_true > 0 && t.n_aside > 0);
}

static void
test_damage_after_kill(void **state UNUSED)
{
    damage_many(false, fault_count(50 / FAULT_FEWER, 3000));
}

static void
test_damage_after_clean_end(void **state UNUSED)
{
    damage_many(true, fault_count(30 / FAULT_FEWER, 1500));
}

int
main(void)
{
    setenv("FAULT_BACKEND", "rocksdb", 1);
    fault_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_error),
        cmocka_unit_test(test_commit_error),
        cmocka_unit_test(test_flush_error),
        cmocka_unit_test(test_damage_after_kill),
        cmocka_unit_test(test_damage_after_clean_end),
    };
    if (getenv("TEST_ONLY"))
        cmocka_set_test_filter(getenv("TEST_ONLY"));
    return cmocka_run_group_tests_name("fault_rocksdb", tests, NULL, NULL);
}
