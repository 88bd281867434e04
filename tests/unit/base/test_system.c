/* Tests of what speaks to the system: err, clock, log, fs. Part of test_base.c. */
#include "check.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/utf.h"
#define LOG_MODULE "te\"st"
#include "base/log.h"

#include "tests/lib/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

static void
assert_ends_well(int status)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* In a child, where cmocka's asserts would report to nobody. */
static void
demand(bool claim)
{
    if (!claim)
        _exit(1);
}

/* err.h */

static void
trace_errors(void)
{
    demand(setenv("GLOSS_TRACE_ERRORS", "1", 1) == 0);
    errno = EBUSY;
    demand(err_trace(-ENOENT) == -ENOENT);
    demand(err_trace(0) == 0 && err_trace(3) == 3);
    demand(err_fold(0) == 0);
    demand(err_fold(3) == -ENOTRECOVERABLE);
    demand(errno == EBUSY);
    demand(unsetenv("GLOSS_TRACE_ERRORS") == 0);
    demand(err_trace(-EIO) == -EIO);
    demand(err_fold(-EIO) == -EIO);
    demand(setenv("GLOSS_TRACE_ERRORS", "1", 1) == 0);
    close(STDERR_FILENO); // then writing fails, which nobody may notice
    errno = EBUSY;
    demand(err_trace(-EIO) == -EIO && errno == EBUSY);
}

static void
test_err(UNUSED void **state)
{
    AUTO(buf_finish) struct buf text = {0};
    size_t writes;
    assert_ends_well(run_in_child(trace_errors, &text, &writes));
    assert_int_equal(writes, 2); // the two errors while tracing was on
    assert_true(str_find(buf_str(&text), STR("test_system.c:")) >= 0);
    assert_true(str_find(buf_str(&text), STR("No such file or directory (-2)\n")) > 0);

    assert_string_equal(err_text(-ENOENT), "No such file or directory");
    assert_string_equal(err_text(0), "Success");
    assert_string_equal(err_text(-123456), "Unknown error");
    assert_string_equal(err_text(INT_MIN), "Unknown error");
}

/* clock.h */

static void
test_clock(UNUSED void **state)
{
    static const struct {
        int64_t wall_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {INT64_C(1795248000123), "2026-11-21T08:00:00.123Z"},
        {INT64_C(1709164799009), "2024-02-28T23:59:59.009Z"},
        {INT64_C(1709164800000), "2024-02-29T00:00:00.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    char text[CLOCK_ISO_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        clock_iso8601(cases[i].wall_ms, text);
        assert_string_equal(text, cases[i].text);
    }

    int64_t before_ms = clock_mono_ms();
    int64_t ns = clock_mono_ns();
    int64_t last = ns;
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono_ns();
        assert_true(now >= last);
        last = now;
    }
    assert_true(before_ms <= ns / 1000000 && clock_mono_ms() >= ns / 1000000);

    int64_t earliest = (int64_t)time(NULL) - 1; // time() may lag by a tick
    int64_t wall_ms = clock_wall_ms();
    assert_true(wall_ms / 1000 >= earliest && wall_ms / 1000 <= (int64_t)time(NULL) + 1);
}

/* deadline.h: what other threads do with the processor is not this one's time. */

static void
test_deadline(UNUSED void **state)
{
    struct deadline never = deadline_after(0), long_one = deadline_after(60000);
    assert_false(deadline_is_over(&never) || deadline_is_over(&(struct deadline){0}));
    assert_int_equal(deadline_left_ms(&never), 0);
    assert_false(deadline_is_over(&long_one));
    assert_in_range(deadline_left_ms(&long_one), 1, 60000);

    int64_t now_ms = clock_mono_ms(), thread_ms = clock_thread_ms();
    struct deadline waited = {now_ms - 1000, thread_ms + 20, INT64_MAX};
    assert_false(deadline_is_over(&waited));
    assert_true(waited.look_ms >= now_ms);
    while (!deadline_is_over(&waited))
        ;
    assert_true(clock_thread_ms() >= thread_ms + 20);
    assert_int_equal(deadline_left_ms(&waited), 1);

    struct deadline starved = {now_ms, INT64_MAX, now_ms};
    assert_true(deadline_is_over(&starved));
}

/* log.h */

static void
log_by_default(void)
{
    int evaluated = 0;
    errno = EBUSY;
    log_debug("debug %d", ++evaluated);
    log_info("info");
    log_warn("warn\nforged \x1b[31m \"\\ \xFFz");
    log_error("error %d", 1);
    demand(errno == EBUSY);
    demand(evaluated == 0);
    close(STDERR_FILENO); // then writing fails, which nobody may notice
    errno = EBUSY;
    log_error("lost");
    demand(errno == EBUSY);
    demand(log_enabled(LOG_WARN) && !log_enabled(LOG_INFO));
}

static void
test_log_text(UNUSED void **state)
{
    AUTO(buf_finish) struct buf text = {0};
    struct str rest, line;
    size_t writes;

    assert_ends_well(run_in_child(log_by_default, &text, &writes));
    assert_int_equal(writes, 2);
    rest = buf_str(&text);
    assert_true(str_split(&rest, '\n', &line));
    assert_int_equal(line.p[CLOCK_ISO_BYTES - 2], 'Z');
    assert_str(str_slice(line.p + CLOCK_ISO_BYTES, line.n - CLOCK_ISO_BYTES),
               "warn  te\"st: warn\\nforged \\u001b[31m \"\\ \xEF\xBF\xBDz");
    assert_true(str_split(&rest, '\n', &line));
    assert_str(str_slice(line.p + CLOCK_ISO_BYTES, line.n - CLOCK_ISO_BYTES),
               "error te\"st: error 1");
    assert_int_equal(rest.n, 0);
}

static void
log_as_json(void)
{
    log_setup(LOG_DEBUG, LOG_JSON);
    log_debug("q\" b\\ n\n r\r t\t a\a d\x7f x\xff \xC3\xA9/");
    log_setup(LOG_ERROR, LOG_JSON);
    log_warn("too little");
    log_error("%s", "");
    log_about(LOG_WARN, (&(struct log_about){"c-1", "7"}), "too little");
    log_about(LOG_ERROR, (&(struct log_about){"c-1", "\"r\\\"1\""}), "%d", 1);
    log_about(LOG_ERROR, (&(struct log_about){0}), "none");
    log_setup(LOG_ERROR, LOG_TEXT);
    log_about(LOG_ERROR, (&(struct log_about){"c-1", "\"r1\""}), "one");
    log_about(LOG_ERROR, (&(struct log_about){.request = "7"}), "two");
    log_about(LOG_ERROR, (&(struct log_about){0}), "none");
}

static void
assert_next_ends(struct str *rest, const char *end)
{
    struct str line;
    assert_true(str_split(rest, '\n', &line));
    if (!str_ends_with(line, str_of(end)))
        fail_msg("%.*s does not end with %s", STR_ARG(line), end);
}

static void
test_log_json(UNUSED void **state)
{
    AUTO(buf_finish) struct buf text = {0};
    struct str rest, line;
    size_t writes;

    assert_ends_well(run_in_child(log_as_json, &text, &writes));
    assert_int_equal(writes, 7);
    rest = buf_str(&text);
    assert_true(str_split(&rest, '\n', &line));
    assert_true(str_starts_with(line, STR("{\"time\":\"")));
    size_t skip = 9 + CLOCK_ISO_BYTES - 1;
    assert_str(
        str_slice(line.p + skip, line.n - skip),
        "\",\"level\":\"debug\",\"module\":\"te\\\"st\",\"message\":\"q\\\" b\\\\ n\\n "
        "r\\r t\\t a\\u0007 d\\u007f x\xEF\xBF\xBD \xC3\xA9/\"}");
    assert_true(str_split(&rest, '\n', &line));
    assert_true(str_ends_with(line, STR("\"level\":\"error\",\"module\":\"te\\\"st\","
                                        "\"message\":\"\"}")));
    assert_next_ends(
        &rest, "\"module\":\"te\\\"st\",\"connection\":\"c-1\",\"request\":\"r\\\"1\","
               "\"message\":\"1\"}");
    assert_next_ends(&rest, "\"module\":\"te\\\"st\",\"message\":\"none\"}");
    assert_next_ends(&rest, "error te\"st: [c-1 \"r1\"] one");
    assert_next_ends(&rest, "error te\"st: [- 7] two");
    assert_next_ends(&rest, "error te\"st: none");
    assert_int_equal(rest.n, 0);
}

static void
log_long(void)
{
    AUTO(buf_finish) struct buf message = {0};
    for (int shift = 0; shift < 3; shift++) {
        buf_reset(&message);
        for (int i = 0; i < shift; i++)
            buf_add_char(&message, '-');
        while (message.n < 20000)
            buf_add_cstr(&message, "\xE2\x82\xAC");
        log_error("%s", message.p);
    }
    log_error("%0*d", 4096, 1);
}

static void
test_log_long(UNUSED void **state)
{
    AUTO(buf_finish) struct buf text = {0};
    struct str rest, line;
    size_t writes;

    assert_ends_well(run_in_child(log_long, &text, &writes));
    assert_int_equal(writes, 4);
    rest = buf_str(&text);
    for (int i = 0; i < 3; i++) {
        assert_true(str_split(&rest, '\n', &line));
        assert_true(line.n > 4096 && line.n < 4200);
        assert_true(str_ends_with(line, STR("\xE2\x82\xAC...")));
        assert_int_equal(str_find(line, STR("\xEF\xBF\xBD")), -1); // no character was cut
        assert_true(utf8_is_valid(line));
    }
    assert_true(str_split(&rest, '\n', &line));
    assert_true(str_ends_with(line, STR("0001"))); // exactly the limit is kept
}

/* fs.h */

struct files {
    char *dir;
    int n_fds;
};

static int
count_entries(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    int n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static int
files_setup(void **state)
{
    struct files *f = xnew(struct files);
    f->dir = scratch_make("base");
    f->n_fds = count_entries("/proc/self/fd");
    *state = f;
    return 0;
}

static int
files_teardown(void **state)
{
    struct files *f = *state;
    int leaked = count_entries("/proc/self/fd") - f->n_fds;
    int r = scratch_remove(f->dir);
    free(f->dir);
    free(f);
    return leaked || r ? -1 : 0;
}

static char *
file_name(void **state, const char *name)
{
    return path_join(((struct files *)*state)->dir, name);
}

static void
test_fs_read(void **state)
{
    AUTO(free) char *path = file_name(state, "file");
    AUTO(buf_finish) struct buf text = {0};
    struct fs_stat st = {0}, other;
    static const char content[] = "one\0two\n";

    assert_int_equal(fs_read_file(path, 100, &text, &st), -ENOENT);
    assert_null(text.p);
    assert_int_equal(fs_write_atomic(path, str_slice(content, 8), 0640), 0);
    assert_int_equal(fs_read_file(path, 7, &text, &st), -EFBIG);
    assert_null(text.p);
    assert_int_equal(fs_read_file(path, 8, &text, &st), 0);
    assert_int_equal(text.n, 8);
    assert_memory_equal(text.p, content, 9);

    struct stat system;
    assert_int_equal(stat(path, &system), 0);
    assert_int_equal(st.size_bytes, 8);
    assert_int_equal(st.mode, S_IFREG | 0640);
    assert_int_equal(st.inode, system.st_ino);
    assert_int_equal(st.device, system.st_dev);
    assert_int_equal(st.mtime_ns, (int64_t)system.st_mtim.tv_sec * 1000000000 +
                                      system.st_mtim.tv_nsec);
    assert_int_equal(fs_stat_file(path, &other), 0);
    assert_memory_equal(&st, &other, offsetof(struct fs_stat, mode) + sizeof(st.mode));

    /* The next read replaces, a failed one keeps. */
    assert_int_equal(fs_write_atomic(path, STR_NONE, 0600), 0);
    assert_int_equal(fs_read_file(path, 0, &text, NULL), 0);
    assert_int_equal(text.n, 0);
    assert_string_equal(text.p, "");
    buf_add_cstr(&text, "kept");
    assert_int_equal(fs_read_file("/proc/self/nothing", 10, &text, NULL), -ENOENT);
    assert_string_equal(text.p, "kept");
}

static void
test_fs_read_odd(void **state)
{
    AUTO(free) char *fifo = file_name(state, "fifo");
    AUTO(free) char *loop = file_name(state, "loop");
    AUTO(free) char *door = file_name(state, "socket");
    AUTO(buf_finish) struct buf text = {0};
    struct fs_stat st;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("loop", loop), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(door) < sizeof(address.sun_path));
    memcpy(address.sun_path, door, strlen(door) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);

    assert_int_equal(fs_read_file(fifo, 100, &text, NULL), -EINVAL); // and does not hang
    assert_int_equal(fs_read_file(door, 100, &text, NULL), -EINVAL);
    assert_int_equal(fs_read_file("/", 100, &text, NULL), -EINVAL);
    assert_int_equal(fs_read_file("/dev/null", 100, &text, NULL), -EINVAL);
    assert_int_equal(fs_read_file(loop, 100, &text, NULL), -ELOOP);
    assert_int_equal(fs_stat_file(loop, &st), -ELOOP);
    assert_int_equal(fs_lstat_file(loop, &st), 0);
    assert_true(S_ISLNK(st.mode));
    assert_false(fs_exists(loop));
    assert_int_equal(fs_lstat_file("/nowhere", &st), -ENOENT);

    /* Files whose size is only known by reading them. */
    assert_int_equal(fs_read_file("/proc/self/status", 1 << 20, &text, &st), 0);
    assert_int_equal(st.size_bytes, 0);
    assert_true(str_find(buf_str(&text), STR("VmRSS")) > 0);
    assert_int_equal(fs_read_file("/proc/self/status", 10, &text, NULL), -EFBIG);
}

static void
test_fs_mkdir(void **state)
{
    AUTO(free) char *deep = file_name(state, "a/b//c/");
    AUTO(free) char *top = file_name(state, "a");
    AUTO(free) char *file = file_name(state, "file");
    AUTO(free) char *below_file = file_name(state, "file/x");
    struct fs_stat st;

    assert_int_equal(fs_mkdir_p(deep, 0700), 0);
    assert_int_equal(fs_stat_file(deep, &st), 0);
    assert_int_equal(st.mode, S_IFDIR | 0700);
    assert_int_equal(fs_stat_file(top, &st), 0);
    assert_int_equal(st.mode, S_IFDIR | 0700);
    assert_int_equal(fs_mkdir_p(deep, 0755), 0);
    assert_int_equal(fs_mkdir_p("/", 0755), 0);

    assert_int_equal(fs_write_atomic(file, STR("x"), 0600), 0);
    assert_int_equal(fs_mkdir_p(file, 0700), -ENOTDIR);
    assert_int_equal(fs_mkdir_p(below_file, 0700), -ENOTDIR);
    assert_int_equal(fs_mkdir_p("", 0700), -ENOENT);
    AUTO(buf_finish) struct buf longest = {0};
    while (longest.n < PATH_BYTES_MAX)
        buf_add_cstr(&longest, "/x");
    assert_int_equal(fs_mkdir_p(longest.p, 0700), -ENAMETOOLONG);
}

static void
assert_content(const char *path, const char *want)
{
    AUTO(buf_finish) struct buf text = {0};
    assert_int_equal(fs_read_file(path, 1 << 20, &text, NULL), 0);
    assert_string_equal(text.p, want);
}

static const char *full_disk_path; // for the child below

static void
write_on_full_disk(void)
{
    AUTO(free) char *big = xcalloc(100000, 1);
    signal(SIGXFSZ, SIG_IGN);
    demand(setrlimit(RLIMIT_FSIZE, &(struct rlimit){5000, 5000}) == 0);
    demand(fs_write_atomic(full_disk_path, str_slice(big, 100000), 0600) == -EFBIG);
}

static void
test_fs_write(void **state)
{
    const char *dir = ((struct files *)*state)->dir;
    AUTO(free) char *path = file_name(state, "file");
    AUTO(free) char *sub = file_name(state, "sub");
    AUTO(free) char *nowhere = file_name(state, "no/file");
    AUTO(buf_finish) struct buf text = {0};
    struct fs_stat st;
    size_t writes;

    mode_t mask = umask(077);
    assert_int_equal(fs_write_atomic(path, STR("old"), 0644), 0);
    umask(mask);
    assert_int_equal(fs_stat_file(path, &st), 0);
    assert_int_equal(st.mode, S_IFREG | 0644); // the mode asked for, whatever the mask
    assert_int_equal(fs_write_atomic(path, STR("new"), 0600), 0);
    assert_content(path, "new");
    assert_int_equal(fs_stat_file(path, &st), 0);
    assert_int_equal(st.mode, S_IFREG | 0600);

    full_disk_path = path;
    assert_ends_well(run_in_child(write_on_full_disk, &text, &writes));
    assert_content(path, "new");
    assert_int_equal(fs_write_atomic(nowhere, STR("x"), 0600), -ENOENT);
    assert_int_equal(fs_mkdir_p(sub, 0700), 0);
    assert_int_equal(fs_write_atomic(sub, STR("x"), 0600), -EISDIR);
    assert_int_equal(count_entries(dir), 2); // no temporary file stayed
}

/* One process writes, another reads: each read sees one whole version. */
static void
test_fs_write_is_atomic(void **state)
{
    enum { BYTES = 200000, ROUNDS = 50 };
    AUTO(free) char *path = file_name(state, "file");
    AUTO(free) char *content = xcalloc(BYTES, 1);
    AUTO(buf_finish) struct buf text = {0};

    assert_int_equal(fs_write_atomic(path, str_slice(content, BYTES), 0600), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 1; i <= ROUNDS; i++) {
            memset(content, i, BYTES);
            demand(fs_write_atomic(path, str_slice(content, BYTES), 0600) == 0);
        }
        _exit(0);
    }

    char last = 0;
    while (last < ROUNDS) {
        assert_int_equal(fs_read_file(path, BYTES, &text, NULL), 0);
        assert_int_equal(text.n, BYTES);
        assert_true(text.p[0] >= last);
        last = text.p[0];
        assert_memory_equal(text.p, text.p + 1, BYTES - 1); // all bytes alike
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid)
            assert_ends_well(status);
    }
    waitpid(pid, NULL, 0);
}

static void
test_fs_names(void **state)
{
    AUTO(free) char *path = file_name(state, "dir/prog");
    AUTO(free) char *dir = file_name(state, "dir");
    AUTO(free) char *link = file_name(state, "link");
    AUTO(free) char *real_dir = NULL;
    AUTO(free) char *real_link = NULL;
    char *none = NULL;

    assert_int_equal(fs_mkdir_p(dir, 0700), 0);
    assert_int_equal(symlink("./dir/../dir", link), 0);
    assert_int_equal(fs_real_path(dir, &real_dir), 0);
    assert_int_equal(fs_real_path(link, &real_link), 0);
    assert_string_equal(real_dir, real_link);
    assert_int_equal(fs_real_path(path, &none), -ENOENT);
    assert_null(none);
    assert_true(fs_exists(link));
    assert_false(fs_exists(path));

    AUTO(free) char *path_var = xasprintf("relative::.:/nowhere:%s:/usr/bin:/bin", dir);
    assert_null(fs_find_program("prog", path_var));
    assert_int_equal(fs_write_atomic(path, STR("x"), 0600), 0);
    assert_null(fs_find_program("prog", path_var)); // not executable
    assert_int_equal(chmod(path, 0700), 0);
    assert_heap(fs_find_program("prog", path_var), path);
    assert_heap(fs_find_program(path, ""), path);
    assert_null(fs_find_program("dir", ((struct files *)*state)->dir)); // a directory
    assert_null(fs_find_program("", path_var));
    assert_null(fs_find_program("prog", ""));
    assert_null(fs_find_program("dir/prog", path_var));
    AUTO(free) char *sh = fs_find_program("sh", NULL);
    assert_non_null(sh);

    int cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(chdir(dir), 0);
    assert_null(fs_find_program("prog", ".::"));
    assert_null(fs_find_program("./prog", "."));
    assert_int_equal(fchdir(cwd), 0);
    close(cwd);
}
