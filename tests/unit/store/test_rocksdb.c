/* What is about the RocksDB backend's folder: who may have it, damage, readers of this process and of
 * another one, and a database that takes no more until it is opened anew. */

/* Of a child: 1 for each of the numbers of files it is to have put, then it waits to be killed. */
static pid_t
write_in_child(const struct sample *s, const int *n_files, size_t n, int *ret_fd)
{
    int to[2], from[2];
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct store_writer *w = sample_open(s, NULL);
        int i_file = 0;
        close(to[1]);
        for (size_t i = 0; i < n; i++) {
            char c = '1', path[32];
            for (; i_file < n_files[i]; i_file++) {
                snprintf(path, sizeof(path), "f%d.c", i_file);
                event_unref(sample_put(w, path, "one:1 two:2"));
            }
            if (write(from[1], &c, 1) != 1 || read(to[0], &c, 1) < 0)
                _exit(1);
        }
        _exit(0);
    }
    close(to[0]);
    close(from[1]);
    ret_fd[0] = from[0];
    ret_fd[1] = to[1];
    return pid;
}

static void
wait_for_child(const int *fd)
{
    char c = '0';
    assert_int_equal(read(fd[0], &c, 1), 1);
    assert_int_equal(c, '1');
}

static void
tell_child(const int *fd)
{
    assert_int_equal(write(fd[1], "1", 1), 1);
}

static int
count_entities(struct store_reader *r)
{
    struct store_counts c;
    OK(store_read_counts(r, &c));
    return (int)c.entities;
}

static void
test_rocks_beside_another_process(void **state)
{
    struct sample *s = *state;
    static const int steps[] = {3, 5};
    int fd[2], status = -1;
    pid_t pid = write_in_child(s, steps, ARRAY_LEN(steps), fd);
    wait_for_child(fd);
    assert_refused(s->url, -EWOULDBLOCK);
    struct store_reader *r = sample_read(s);
    OK(store_reader_begin(r));
    assert_int_equal(count_entities(r), 6);
    tell_child(fd);
    wait_for_child(fd);
    assert_int_equal(count_entities(r), 6); // one view
    store_reader_end(r);
    assert_int_equal(count_entities(r), 10);
    tell_child(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(fd[0]);
    close(fd[1]);
    /* From now on this process writes, and its reader is at it at once. */
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "more.c", "one:1"));
    assert_int_equal(count_entities(r), 11);
    assert_int_equal(assert_whole_log(r, 1), 6);
    store_writer_close(w);
    assert_int_equal(count_entities(r), 11);
    store_reader_close(r);
}

static void
test_rocks_view_outlives_writer(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    struct store_reader *r = sample_read(s);
    OK(store_reader_begin(r));
    event_unref(sample_delete(w, "a.c"));
    store_writer_close(w);
    w = sample_open(s, NULL); // the same database: the view has it
    event_unref(sample_put(w, "b.c", "one:1"));
    assert_int_equal(count_entities(r), 2);
    store_reader_end(r);
    assert_int_equal(count_entities(r), 1);
    store_reader_close(r);
    store_writer_close(w);
}

/* ---- strangers and damage ---- */

static void
test_rocks_strangers(void **state)
{
    struct sample *s = *state;
    struct store_reader *r = NULL;
    AUTO(free) char *folder = xasprintf("%s/index", s->dir);
    AUTO(free) char *file = xasprintf("%s/mine", folder);
    AUTO(free) char *lock = xasprintf("%s.lock", folder);
    int fd = open(folder, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_refused_for(s->url, NULL, -ENOTDIR, "/index: is no folder");
    assert_int_equal(unlink(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    fd = open(file, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_refused_for(s->url, NULL, -EPROTONOSUPPORT, "is a folder of something else");
    assert_false(fs_exists(lock));
    assert_true(fs_exists(file));
    assert_int_equal(store_reader_open(s->url, &r, NULL), -ENOENT);
    assert_int_equal(unlink(file), 0);
    store_writer_close(open_for(s, "/w", &(struct store_info){.head = 0}));
    assert_refused_for(s->url, "/w2", -EPROTONOSUPPORT,
                       "/index: is the index of /w; choose another --db");
    assert_int_equal(unlink(lock), 0); // without it the answer is the same
    assert_refused_for(s->url, "/w2", -EPROTONOSUPPORT, "choose another --db");
    store_writer_close(open_for(s, "/w", &(struct store_info){.head = 0}));
}

/* Of the files in the index with this ending, how many; what is to be done to each. */
static int
each_table(const struct sample *s, const char *ending, void (*fn)(const char *path))
{
    AUTO(free) char *folder = xasprintf("%s/index", s->dir);
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (e->d_name[0] == '.' || !strstr(e->d_name, ending))
            continue;
        AUTO(free) char *path = xasprintf("%s/%s", folder, e->d_name);
        fn(path);
        n++;
    }
    closedir(d);
    return n;
}

static void
spoil(const char *path)
{
    overwrite(path, 0, 64);
}

static int
count_set_aside(const struct sample *s)
{
    int n = 0;
    DIR *d = opendir(s->dir);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        n += strstr(e->d_name, "index.damaged-") != NULL;
    closedir(d);
    return n;
}

static void
assert_set_aside(const struct sample *s, const char *epoch_was, int n)
{
    struct store_info info;
    struct store_writer *w = sample_open(s, &info);
    assert_true(info.was_damaged);
    assert_true(info.is_new);
    assert_int_equal(info.head, 0);
    assert_string_not_equal(info.epoch, epoch_was);
    assert_int_equal(count_set_aside(s), n);
    event_unref(sample_put(w, "a.c", "one:1"));
    store_writer_close(w);
}

static void
test_rocks_damaged(void **state)
{
    struct sample *s = *state;
    struct store_info info;
    write_and_die(s);
    store_writer_close(sample_open(s, &info)); // the log becomes tables
    assert_int_equal(info.head, 200);
    write_and_die(s);
    assert_true(each_table(s, ".sst", spoil) > 0);
    assert_set_aside(s, info.epoch, 1);
    store_writer_close(sample_open(s, &info));
    assert_int_equal(info.head, 1);
    assert_int_equal(each_table(s, "MANIFEST-", spoil), 1);
    assert_set_aside(s, info.epoch, 2);
}

/* ---- a user who may only read ---- */

static void
let_read(const char *path)
{
    assert_int_equal(chmod(path, 0444), 0);
}

static void
test_rocks_readonly_folder(void **state)
{
    struct sample *s = *state;
    AUTO(free) char *folder = xasprintf("%s/index", s->dir);
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    assert_int_equal(chmod(s->dir, 0555), 0);
    assert_true(each_table(s, "", let_read) > 2);
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(read_as_nobody(s), 2); // beside a running engine
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chmod(s->dir, 0755), 0);
    store_writer_close(w);
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(chmod(s->dir, 0555), 0);
    assert_int_equal(read_as_nobody(s), 2); // the engine has gone
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chmod(s->dir, 0755), 0);
}

static int
reader_errno(const struct sample *s)
{
    struct store_reader *r = NULL;
    int e = store_reader_open(s->url, &r, NULL);
    store_reader_close(r);
    return -e;
}

/* It is told, and not taken for one that changes all the time. */
static void
test_rocks_unlisted_folder(void **state)
{
    struct sample *s = *state;
    AUTO(free) char *folder = xasprintf("%s/index", s->dir);
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    store_writer_close(w);
    assert_int_equal(chmod(s->dir, 0755), 0);
    assert_int_equal(chmod(folder, 0311), 0);
    assert_int_equal(as_nobody(s, reader_errno), EACCES);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(as_nobody(s, reader_errno), 0);
}

/* ---- RocksDB's own log ---- */

static int
count_places(const char *base)
{
    int n = 0;
    DIR *d = opendir(base);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        n += strstr(e->d_name, "gloss-") != NULL;
    closedir(d);
    return n;
}

/* A child that opens the index, and comes as far as to the question which database it is: its log is begun. */
static pid_t
open_in_child(const struct sample *s, const char *identity, int *ret_fd)
{
    assert_int_equal(unlink(identity), 0);
    assert_int_equal(mkfifo(identity, 0600), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct store_writer *w = NULL;
        struct store_info info;
        _exit(store_writer_open(s->url, NULL, &w, &info, NULL) < 0);
    }
    *ret_fd = open(identity, O_WRONLY | O_CLOEXEC); // when it reads
    assert_true(*ret_fd >= 0);
    return pid;
}

/* What a killed one has in memory is there until the next one comes, and no longer. */
static void
test_rocks_log_of_the_dead(void **state)
{
    struct sample *s = *state;
    AUTO(free) char *memory = mem_base_of_user();
    AUTO(free) char *base = xasprintf("%s/test-log-XXXXXX", memory);
    AUTO(free) char *identity = xasprintf("%s/index/IDENTITY", s->dir);
    AUTO(free) char *url = xasprintf("rocksdb:%s/other", s->dir);
    AUTO(free)
    char *was = getenv("XDG_RUNTIME_DIR") ? xstrdup(getenv("XDG_RUNTIME_DIR")) : NULL;
    const struct sample other = {.url = url};
    int fd = -1, status = 0;
    assert_non_null(memory);
    assert_non_null(mkdtemp(base));
    setenv("XDG_RUNTIME_DIR", base, 1);
    store_writer_close(sample_open(s, NULL));
    assert_int_equal(count_places(base), 0);
    pid_t pid = open_in_child(s, identity, &fd);
    assert_int_equal(count_places(base), 1);
    store_writer_close(sample_open(&other, NULL)); // leaves the living one alone
    assert_int_equal(count_places(base), 1);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    close(fd);
    assert_int_equal(unlink(identity), 0); // RocksDB makes it anew
    assert_int_equal(count_places(base), 1);
    store_writer_close(sample_open(&other, NULL));
    assert_int_equal(count_places(base), 0);
    store_writer_close(sample_open(s, NULL));
    if (was)
        setenv("XDG_RUNTIME_DIR", was, 1);
    else
        unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(rmdir(base), 0);
}

/* ---- no room ---- */

#define MUCH 20000

static char *
much(void)
{
    struct buf spec = {0};
    for (int i = 0; i < MUCH; i++)
        buf_printf(&spec, "fn%d:%d ", i, i);
    return buf_steal(&spec);
}

/* -errno of a commit of more than a file may hold. */
static int
commit_without_room(struct store_writer *w, const struct batch *b)
{
    struct event *e = NULL;
    struct rlimit was, limit;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    limit = was;
    limit.rlim_cur = 400000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int r = store_begin(w);
    if (r == 0)
        r = store_put_file(w, b, &e);
    if (r == 0)
        r = store_commit(w);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, handler);
    event_unref(e);
    store_rollback(w);
    return r;
}

/* The commit that does not fit fails alone. RocksDB takes no more then until it is opened anew, which it
 * cannot be while a view holds it. */
static void
test_rocks_no_room(void **state)
{
    struct sample *s = *state;
    AUTO(free) char *spec = much();
    struct batch *b = sample_batch("big.c", spec);
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = NULL;
    event_unref(sample_put(w, "small.c", "one:1"));
    struct store_reader *r = sample_read(s);
    OK(store_reader_begin(r));
    int error = commit_without_room(w, b);
    assert_true(error == -EFBIG || error == -ENOSPC || error == -EIO);
    assert_int_equal(store_begin(w), -EBUSY);
    assert_int_equal(count_entities(r), 1);
    store_reader_end(r);
    OK(store_begin(w));
    OK(store_put_file(w, b, &e));
    OK(store_commit(w));
    assert_int_equal(e->seq, 2);
    event_unref(e);
    assert_int_equal(count_entities(r), MUCH + 1);
    assert_int_equal(assert_whole_log(r, 1), 2);
    store_writer_close(w);
    assert_int_equal(assert_whole_log(r, 1), 2);
    store_reader_close(r);
    batch_destroy(b);
}

/* ---- the text index ---- */

/* Too many dead rows: it is emptied and filled anew, and finds the same. */
static void
test_rocks_text_starts_over(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct store_reader *r = sample_read(s);
    AUTO(free) char *spec = much();
    put_searched(w);
    for (int i = 0; i < 4; i++) {
        AUTO(free) char *text = xasprintf("%s last:%d", spec, i);
        event_unref(sample_put(w, "big.c", text));
        index_all(w);
        AUTO(free) char *last = find(r, "last");
        assert_string_equal(last, "last");
        AUTO(free) char *loop = find(r, "loop");
        assert_string_equal(loop, "runLoop run_loop");
        AUTO(free) char *one = find(r, "fn17");
        assert_true(str_starts_with(str_of(one), STR("fn17")));
    }
    store_reader_close(r);
    store_writer_close(w);
}

/* ---- threads ---- */

#define COMMITS 150

struct reading {
    const struct sample *s;
    int64_t head; // of the last view
    int n_views;
    const char *wrong; // what was, if anything
};

static int
count_row(void *ctx, const struct entity_row *row)
{
    int64_t *n = ctx;
    *n += row->e.name.n > 0;
    return 0;
}

/* In each view: as many files as events, and two entities of each. */
static void
read_views(void *ctx)
{
    struct reading *reading = ctx;
    struct store_reader *r = NULL;
    while (reading->head < COMMITS && !reading->wrong) {
        struct store_info info = {.head = 0};
        int64_t n = 0;
        if (!r && store_reader_open(reading->s->url, &r, NULL) < 0)
            reading->wrong = "cannot be opened";
        if (reading->wrong || store_reader_begin(r) < 0)
            break;
        if (store_read_info(r, &info) < 0 || store_each_name(r, count_row, &n) < 0)
            reading->wrong = "cannot be read";
        else if (n != 2 * info.head || info.head < reading->head)
            reading->wrong = "is of no one moment";
        store_reader_end(r);
        reading->head = info.head;
        if (reading->n_views++ % 7 == 0) {
            store_reader_close(r);
            r = NULL;
        }
    }
    store_reader_close(r);
}

static void
test_rocks_threads(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct reading readings[2] = {{.s = s}, {.s = s}};
    struct thread *threads[2];
    event_unref(sample_put(w, "f0.c", "one:1 two:2"));
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = thread_start("reader", read_views, &readings[i]);
    for (int i = 1; i < COMMITS; i++) {
        char path[32];
        snprintf(path, sizeof(path), "f%d.c", i);
        event_unref(sample_put(w, path, "one:1 two:2"));
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        thread_join(threads[i]);
        if (readings[i].wrong)
            fail_msg("%s", readings[i].wrong);
        assert_int_equal(readings[i].head, COMMITS);
    }
    store_writer_close(w);
}
