/* Clocks that jump by years, and a reader who does not let go. Invariant: the wall clock names moments and
 * decides what of the log is old, nothing else: rows, seqs and what is set aside do not depend on it; a
 * reader keeps its view for as long as it likes, and once it ends the log is cut. */
#include <dirent.h>
#include <unistd.h>

#include "base/clock.h"
#include "work.h"

#define LARGE_BYTES 400000 // of a file of put_large()
#define YEAR_MS (365LL * 24 * 3600 * 1000)
#define LOG_LARGE (66LL << 20) // above what an idle writer cuts
#define LOG_IDLE (16LL << 20)  // of RocksDB, whose log no reader holds

int64_t __wrap_clock_wall_ms(void); // see meson.build

static int64_t wall_ms = 50 * YEAR_MS;

int64_t
__wrap_clock_wall_ms(void)
{
    return wall_ms;
}

/* Backwards and forwards, to the beginning and to another century. */
static void
jump(struct dice *d)
{
    static const int64_t places_ms[] = {0,
                                        -YEAR_MS,
                                        1000,
                                        50 * YEAR_MS,
                                        56 * YEAR_MS,
                                        200 * YEAR_MS,
                                        INT64_C(253402300799999)};
    if (dice_roll(d, 2))
        wall_ms = places_ms[dice_roll(d, ARRAY_LEN(places_ms))];
    else
        wall_ms +=
            (int64_t)dice_roll(d, 40 * 24) * 3600 * 1000 * (dice_roll(d, 2) ? 1 : -1);
}

static void
prune(struct work *work)
{
    bool more = true;
    while (more) {
        NEED(store_begin(work->w) == 0);
        NEED(store_prune(work->w, wall_ms, &more) == 0);
        NEED(store_commit(work->w) == 0);
    }
}

static int
check_order(void *ctx, const struct event *e)
{
    NEED(e->seq == *(int64_t *)ctx + 1);
    *(int64_t *)ctx = e->seq;
    return 0;
}

/* The log is whole from its first row on, and what is younger than the retention is in it. */
static void
check_log(const struct sample *s, const struct work *work, int64_t young_from)
{
    struct store_reader *r = NULL;
    struct store_info info;
    NEED(store_reader_open(s->url, &r, NULL) == 0);
    NEED(store_read_info(r, &info) == 0);
    int64_t seq = info.first_seq - 1;
    NEED(info.head == work->head && info.first_seq <= young_from);
    NEED(store_each_event(r, 0, SIZE_MAX, check_order, &seq) == 0);
    NEED(seq == info.head);
    store_reader_close(r);
}

static void
test_clock_jumps(void **state UNUSED)
{
    struct dice d = {fault_seed()};
    long n_rounds = fault_count(3, 400), n_jumps = 0;
    for (long round = 0; round < n_rounds; round++) {
        struct sample *s = fault_place();
        wall_ms = 56 * YEAR_MS;
        struct work work = {.s = s, .dice = {d.state + (uint64_t)round}};
        NEED(work_open(&work, NULL) == 0);
        for (int i = 0; i < 25; i++, n_jumps++) {
            need_note("round %ld, jump %d to %" PRId64, round, i, wall_ms);
            jump(&work.dice);
            int64_t young_from = work.head + 1;
            work_steps(&work, dice_roll(&work.dice, 4));
            prune(&work);
            check_log(s, &work, young_from);
            if (dice_roll(&work.dice, 5) == 0) {
                store_writer_close(steal(work.w));
                struct store_info info;
                NEED(work_open(&work, &info) == 0 && !info.is_new);
            }
        }
        work_finish(&work);
        need_sound_index(s);
        fault_place_end(s);
    }
    print_message("# %ld jumps of the clock\n", n_jumps);
}

/* A clock without a battery says the same at each start: no file takes the place of another. */
static void
test_damaged_at_the_same_time(void **state UNUSED)
{
    struct sample *s = fault_place();
    size_t n = 0;
    wall_ms = 0;
    for (int i = 0; i < 4; i++) {
        struct work work = {.s = s};
        struct store_info info;
        NEED(work_open(&work, &info) == 0);
        NEED(info.is_new && info.was_damaged == (i > 0));
        work_finish(&work);
        AUTO(free)
        char *path = s->backend->can & SAMPLE_ROCKS
                         ? xasprintf("%s/index/CURRENT", s->dir)
                         : xstrdup(s->path);
        FILE *f = fopen(path, "r+b");
        NEED(f && fprintf(f, "not an index, the %d", i) > 0 && fclose(f) == 0);
    }
    DIR *dir = opendir(s->dir);
    NEED(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += strstr(e->d_name, ".damaged-") != NULL;
    closedir(dir);
    NEED(n == 3);
    fault_place_end(s);
}

/* ---- a reader who does not let go ---- */

static struct hash128
view_of(struct store_reader *r)
{
    AUTO(buf_finish) struct buf b = {0};
    struct store_info info;
    NEED(store_read_info(r, &info) == 0);
    buf_printf(&b, "%" PRId64 " %" PRId64 "\n", info.first_seq, info.head);
    NEED(state_rows(r, &b) == 0);
    return hash128(buf_str(&b));
}

static int64_t
log_bytes(const struct work *work)
{
    struct store_gauges gauges;
    store_gauges(work->w, &gauges);
    return (int64_t)gauges.wal_bytes;
}

/* A file of a thousand functions, other ones each time. */
static void
put_large(struct work *work, int i)
{
    AUTO(buf_finish) struct buf spec = {0};
    char path[16];
    for (int k = 0; k < 1000; k++) {
        buf_printf(&spec, "f%d_%d:%d:int f%d(int a, int b):", k, i % 3, i, k);
        for (int n = 0; n < 50; n++)
            buf_printf(&spec, "doc%d,", k + n * i);
        buf_add_cstr(&spec, ">g ");
    }
    snprintf(path, sizeof(path), "l%d.c", i % 20);
    event_unref(sample_put(work->w, path, spec.p));
    work->head++;
}

static void
test_pinned_reader(void **state UNUSED)
{
    struct sample *s = fault_place();
    struct store_reader *pinned = NULL;
    bool is_soak = fault_count(0, 1), is_sql = s->backend->can & SAMPLE_SQL;
    int64_t large = is_soak ? 3 * LOG_LARGE : 17LL << 20;
    int64_t end_ms = clock_mono_ms() + (is_soak ? 60000 : 0);
    wall_ms = 56 * YEAR_MS;
    struct work work = {.s = s, .dice = {fault_seed()}};
    NEED(work_open(&work, NULL) == 0);
    work_steps(&work, 20);
    NEED(store_reader_open(s->url, &pinned, NULL) == 0);
    NEED(store_reader_begin(pinned) == 0);
    struct hash128 view = view_of(pinned);
    int64_t head = work.head;
    int64_t n_put = 0; // SQLite: what the reader holds of it
    for (int i = 0; n_put < large || clock_mono_ms() < end_ms; i++) {
        put_large(&work, i);
        n_put = is_sql ? log_bytes(&work) : n_put + LARGE_BYTES;
        NEED(store_checkpoint(work.w, i % 5 == 0) == 0);
        if (i % 16 == 0)
            NEED(hash128_eq(view, view_of(pinned)));
        if (n_put > 4 * large)
            usleep(20000); // it need not fill the disk
    }
    int64_t n_bytes = log_bytes(&work);
    NEED(hash128_eq(view, view_of(pinned)));
    struct store_reader *other = sample_read(s);
    NEED(!hash128_eq(view, view_of(other))); // another one sees what is new
    store_reader_close(other);
    store_reader_end(pinned);
    NEED(!hash128_eq(view, view_of(pinned)));
    put_large(&work, 0);
    NEED(store_checkpoint(work.w, true) == 0);
    int64_t is_bytes = log_bytes(&work);
    NEED(is_sql ? n_bytes < LOG_LARGE || is_bytes < LOG_LARGE : is_bytes <= LOG_IDLE);
    for (int i = 1; i < 6; i++)
        put_large(&work, i); // from the log's beginning again, if it was not cut
    NEED(!is_sql || is_bytes == 0 || log_bytes(&work) <= is_bytes);
    NEED(work.head > head);
    store_reader_close(pinned);
    work_finish(&work);
    need_sound_index(s);
    print_message("# log of %" PRId64 " MiB under a reader, %" PRId64 " KiB after it\n",
                  n_bytes >> 20, is_bytes >> 10);
    fault_place_end(s);
}

int
main(void)
{
    fault_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_jumps),
        cmocka_unit_test(test_damaged_at_the_same_time),
        cmocka_unit_test(test_pinned_reader),
    };
    return cmocka_run_group_tests_name("fault_time", tests, NULL, NULL);
}
