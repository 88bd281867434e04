/* An index in memory: the same rows, in a folder that goes with its writer, however that ends. */

struct mem_sample {
    char *name, *url, *dir;
};

static struct mem_sample
mem_sample(void)
{
    struct mem_sample m = {.name = random_hex(16)};
    char *base = mem_base_of_user();
    assert_non_null(base);
    m.url = xasprintf("mem:%s", m.name);
    m.dir = xasprintf("%s/gloss-mem-%u-%s", base, (unsigned)geteuid(), m.name);
    free(base);
    return m;
}

static void
mem_sample_finish(struct mem_sample *m)
{
    free(m->name);
    free(m->url);
    free(m->dir);
}

static struct store_writer *
mem_open(const struct mem_sample *m)
{
    const struct sample s = {.url = m->url};
    struct store_info info;
    struct store_writer *w = sample_open(&s, &info);
    assert_true(info.is_new);
    assert_int_equal(info.head, 0);
    return w;
}

static void
test_mem(UNUSED void **state)
{
    struct mem_sample m = mem_sample(), other = mem_sample();
    const struct sample s = {.url = m.url};
    struct store_reader *r = NULL;
    struct stat st;
    char *why = NULL;
    assert_int_equal(store_reader_open(m.url, &r, NULL), -ENOENT);
    struct store_writer *w = mem_open(&m), *second = NULL;
    struct store_info info;
    assert_int_equal(lstat(m.dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(store_writer_open(m.url, NULL, &second, &info, &why), -EWOULDBLOCK);
    assert_non_null(why);
    free(why);

    event_unref(sample_put(w, "a.c", "one:1 two:2>one"));
    event_unref(sample_put_hovers(w, "a.c", "one:1 two:2>one", "one=text"));
    r = sample_read(&s);
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row row;
    OK(sample_row(r, "a.c", "one", 1, &a, &row));
    assert_true(str_eq_c(row.hover.markdown, "text"));
    event_unref(sample_put(w, "b.c", "three:3"));
    OK(sample_row(r, "b.c", "three", 1, &a, &row));
    OK(store_checkpoint(w, true));

    struct store_reader *nobody = NULL;
    assert_int_equal(store_reader_open(other.url, &nobody, NULL), -ENOENT);
    struct store_writer *of_other = mem_open(&other); // leaves the living one alone
    assert_int_equal(lstat(m.dir, &st), 0);
    store_writer_close(of_other);
    assert_int_equal(lstat(other.dir, &st), -1);

    OK(sample_row(r, "b.c", "three", 1, &a, &row));
    store_reader_close(r);
    store_writer_close(w);
    assert_int_equal(lstat(m.dir, &st), -1);
    assert_int_equal(store_reader_open(m.url, &r, NULL), -ENOENT);
    w = mem_open(&m); // nothing is left of it
    store_writer_close(w);
    mem_sample_finish(&m);
    mem_sample_finish(&other);
}

/* The folder of a killed engine is there until the next one starts. */
static void
test_mem_of_the_dead(UNUSED void **state)
{
    struct mem_sample dead = mem_sample(), next = mem_sample();
    struct stat st;
    int ready[2], status = 0;
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct store_writer *w = NULL;
        struct store_info info;
        if (store_writer_open(dead.url, NULL, &w, &info, NULL) < 0 ||
            write(ready[1], "1", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    struct store_writer *w = mem_open(&next);
    assert_int_equal(lstat(dead.dir, &st), 0); // it lives
    store_writer_close(w);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    w = mem_open(&next); // unless another process' did it first
    assert_int_equal(lstat(dead.dir, &st), -1);
    store_writer_close(w);
    mem_sample_finish(&dead);
    mem_sample_finish(&next);
}

/* A stranger's link in our name is neither followed nor taken. */
static void
test_mem_leaves_links(void **state)
{
    const struct sample *s = *state;
    struct mem_sample link = mem_sample(), m = mem_sample();
    char *file = xasprintf("%s/keep", s->dir);
    struct stat st;
    OK(fs_write_atomic(file, STR("x"), 0600));
    assert_int_equal(symlink(s->dir, link.dir), 0);
    struct store_writer *w = mem_open(&m), *of_link = NULL;
    struct store_info info;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(store_writer_open(link.url, NULL, &of_link, &info, NULL),
                     -EWOULDBLOCK);
    store_writer_close(w);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(unlink(link.dir), 0);
    free(file);
    mem_sample_finish(&link);
    mem_sample_finish(&m);
}

static void
assert_no_store(const char *url, const char *says)
{
    struct store_writer *w = NULL;
    struct store_reader *r = NULL;
    struct store_info info;
    char *why = NULL;
    assert_int_equal(store_writer_open(url, NULL, &w, &info, &why), -EPROTONOSUPPORT);
    if (!why || !strstr(why, says) || strstr(why, "secret"))
        fail_msg("%s: \"%s\" should say \"%s\"", url, why ? why : "", says);
    free(why);
    assert_int_equal(store_reader_open(url, &r, NULL), -EPROTONOSUPPORT);
}

static void
test_urls(UNUSED void **state)
{
    const char *const nowhere[] = {NULL, "", "relative", "/proc", "/nowhere/at/all"};
    char *base = mem_base(nowhere, ARRAY_LEN(nowhere));
    assert_null(base);
    assert_no_store("mem:", "only by the engine that holds it");
    assert_no_store("mem:a/b", "only by the engine that holds it");
    assert_no_store("mem:..", "only by the engine that holds it");
    assert_no_store("mysql://u:secret@h/d", "\"mysql:\" is not the address of an index");
    assert_no_store("/secret", "is not the address of an index");
}
