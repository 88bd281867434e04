/* Readers in every state of the file, and a disk without room. */

/* ---- readers ---- */

static void
test_reader_without_index(void **state)
{
    struct sample *s = *state;
    struct store_reader *r = NULL;
    char *why = NULL;
    assert_int_equal(store_reader_open(s->url, &r, &why), -ENOENT);
    assert_non_null(why);
    free(why);
    int fd = open(s->path, O_CREAT | O_WRONLY, 0600); // a writer is about to begin
    close(fd);
    assert_int_equal(store_reader_open(s->url, &r, NULL), -ENOENT);
}

/* As a user who may only read: a child, since root may write everywhere. */
static int
as_nobody(const struct sample *s, int (*fn)(const struct sample *s))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
            _exit(10);
        _exit(fn(s));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int
read_entities(const struct sample *s)
{
    struct store_reader *r = NULL;
    struct store_counts c;
    if (store_reader_open(s->url, &r, NULL) < 0)
        return 11;
    if (store_read_counts(r, &c) < 0)
        return 12;
    store_reader_close(r);
    return (int)c.entities;
}

static int
read_as_nobody(const struct sample *s)
{
    return as_nobody(s, read_entities);
}

static void
test_reader_in_readonly_folder(void **state)
{
    struct sample *s = *state;
    char *shm = xasprintf("%s-shm", s->path), *wal = xasprintf("%s-wal", s->path);
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    assert_int_equal(chmod(s->dir, 0555), 0);
    assert_int_equal(chmod(s->path, 0444), 0);
    assert_int_equal(chmod(shm, 0444), 0);
    assert_int_equal(chmod(wal, 0444), 0);
    assert_int_equal(read_as_nobody(s), 2); // beside a running engine
    store_writer_close(w);
    assert_false(fs_exists(wal));
    assert_int_equal(read_as_nobody(s), 2); // the engine has gone
    assert_int_equal(chmod(s->dir, 0755), 0);
    assert_int_equal(chmod(s->path, 0644), 0);
    write_and_die(s);
    assert_int_equal(chmod(shm, 0444), 0);
    assert_int_equal(chmod(wal, 0444), 0);
    assert_int_equal(chmod(s->dir, 0555), 0);
    assert_int_equal(read_as_nobody(s), 1002 % 256); // it was killed
    assert_int_equal(chmod(s->dir, 0755), 0);
    free(shm);
    free(wal);
}

static void
test_reader_cannot_write(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    store_writer_close(w);
    struct stat before, after;
    assert_int_equal(stat(s->path, &before), 0);
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    OK(store_read_counts(r, &c));
    assert_int_equal(c.entities, 1);
    assert_int_equal(c.size_bytes, before.st_size);
    store_reader_close(r);
    assert_int_equal(stat(s->path, &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

/* ---- no room ---- */

/* In a child with a limit on the size of its files: the put that does not fit fails alone, and the
 * next one succeeds once there is room. Exit code 0 when all of it held. */
static int
fill_up(const struct sample *s)
{
    struct store_writer *w = NULL;
    struct store_info info;
    struct event *e = NULL;
    struct buf spec = {0};
    signal(SIGXFSZ, SIG_IGN);
    if (store_writer_open(s->url, NULL, &w, &info, NULL) < 0)
        return 20;
    struct batch *small = sample_batch("small.c", "one:1");
    if (store_begin(w) < 0 || store_put_file(w, small, &e) < 0 || store_commit(w) < 0)
        return 21;
    event_unref(steal(e));
    for (int i = 0; i < 4000; i++)
        buf_printf(&spec, "fn%d:%d ", i, i);
    struct batch *big = sample_batch("big.c", spec.p);
    struct rlimit was, limit;
    getrlimit(RLIMIT_FSIZE, &was);
    limit = was;
    limit.rlim_cur = 400000;
    setrlimit(RLIMIT_FSIZE, &limit);
    int r = store_begin(w);
    if (r == 0)
        r = store_put_file(w, big, &e);
    if (r == 0)
        r = store_commit(w);
    if (r != -ENOSPC && r != -EFBIG && r != -EIO)
        return 22;
    store_rollback(w);
    event_unref(steal(e));
    setrlimit(RLIMIT_FSIZE, &was);
    if (store_begin(w) < 0 || store_put_file(w, big, &e) < 0 || store_commit(w) < 0)
        return 23;
    if (e->seq != 2)
        return 24;
    event_unref(steal(e));
    store_writer_close(w);
    batch_destroy(small);
    batch_destroy(big);
    buf_finish(&spec);
    return 0;
}

static void
test_no_room(void **state)
{
    struct sample *s = *state;
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_up(s));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    assert_int_equal(assert_whole_log(r, 1), 2);
    OK(store_read_counts(r, &c));
    assert_int_equal(c.entities, 4001);
    store_reader_close(r);
}
