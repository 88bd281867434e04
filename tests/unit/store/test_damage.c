/* Strangers and damage are told apart, and a kill at any moment loses nothing that was acknowledged. */

/* ---- strangers and damage ---- */

static void
test_refused(void **state)
{
    struct sample *s = *state;
    sqlite3 *db = NULL;
    assert_refused("http://x", -EPROTONOSUPPORT);
    assert_refused("sqlite:", -EPROTONOSUPPORT);
    OK(sqlite3_open(s->path, &db));
    OK(sqlite3_exec(db, "CREATE TABLE mine(x)", NULL, NULL, NULL));
    OK(sqlite3_close(db));
    assert_refused(s->url, -EPROTONOSUPPORT);
    struct store_reader *r = NULL;
    assert_int_equal(store_reader_open(s->url, &r, NULL), -EPROTONOSUPPORT);
    assert_int_equal(unlink(s->path), 0);
    store_writer_close(sample_open(s, NULL));
    OK(sqlite3_open(s->path, &db));
    OK(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL));
    OK(sqlite3_close(db));
    assert_refused(s->url, -EPROTONOSUPPORT);
}

static struct store_writer *
open_for(const struct sample *s, const char *root, struct store_info *ret_info)
{
    struct store_writer *w = NULL;
    char *why = NULL;
    if (store_writer_open(s->url, root, &w, ret_info, &why) < 0)
        fail_msg("%s", why ? why : "no reason given");
    return w;
}

/* An index of one tree is not overwritten with another. */
static void
test_other_root_is_refused(void **state)
{
    struct sample *s = *state;
    struct store_info info, first;
    char *why = xasprintf("%s: is the index of /w; choose another --db", s->path);
    char *lock = xasprintf("%s.lock", s->path);
    struct store_writer *w = open_for(s, "/w", &first);
    assert_true(first.is_new);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    store_writer_close(w);
    for (int i = 0; i < 2; i++)
        assert_refused_for(s->url, "/w2", -EPROTONOSUPPORT, why);
    assert_refused_for(s->url, "/", -EPROTONOSUPPORT, why);
    assert_int_equal(unlink(lock), 0); // without it the answer is the same
    assert_refused_for(s->url, "/w/", -EPROTONOSUPPORT, why);
    assert_int_equal(count_rows(s, "entity"), 2);
    w = open_for(s, "/w", &info);
    assert_false(info.is_new);
    assert_string_equal(info.epoch, first.epoch);
    assert_int_equal(info.head, 1);
    store_writer_close(w);
    store_writer_close(open_for(s, NULL, &info)); // not asked
    free(lock);
    free(why);
}

/* One that was written before roots were kept. */
static void
test_root_is_taken(void **state)
{
    struct sample *s = *state;
    struct store_info info;
    store_writer_close(sample_open(s, NULL));
    store_writer_close(open_for(s, "/w", &info));
    assert_false(info.is_new);
    assert_refused_for(s->url, "/w2", -EPROTONOSUPPORT, "/w; choose another --db");
}

static size_t
count_names(const struct sample *s)
{
    size_t n = 0;
    DIR *d = opendir(s->dir);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    closedir(d);
    return n;
}

/* What is no regular file gets no lock, and no folder is made. */
static void
test_no_file_is_left(void **state)
{
    struct sample *s = *state;
    char *slash = xasprintf("%s/deep/", s->url);
    assert_refused_for(slash, NULL, -EISDIR, "/: is a folder");
    assert_int_equal(count_names(s), 0);
    assert_int_equal(mkdir(s->path, 0700), 0);
    assert_refused_for(s->url, NULL, -EISDIR, "index.db: is a folder");
    assert_int_equal(rmdir(s->path), 0);
    assert_int_equal(mkfifo(s->path, 0600), 0);
    assert_refused_for(s->url, NULL, -EPROTONOSUPPORT, "index.db: is no file");
    assert_int_equal(unlink(s->path), 0);
    assert_int_equal(symlink("/dev/null", s->path), 0);
    assert_refused_for(s->url, NULL, -EPROTONOSUPPORT, "index.db: is no file");
    assert_int_equal(count_names(s), 1);
    assert_int_equal(unlink(s->path), 0);
    assert_int_equal(symlink("index.db", s->path), 0);
    assert_refused_for(s->url, NULL, -ELOOP, strerror(ELOOP));
    assert_int_equal(count_names(s), 1);
    free(slash);
}

static size_t
count_damaged(const struct sample *s)
{
    size_t n = 0;
    DIR *d = opendir(s->dir);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        n += strstr(e->d_name, ".damaged-") != NULL;
    closedir(d);
    return n;
}

static void
overwrite(const char *path, long at, size_t n)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(fputc(0xA5, f), 0xA5);
    assert_int_equal(fclose(f), 0);
}

static void
test_damaged_header(void **state)
{
    struct sample *s = *state;
    struct store_info before, after;
    struct store_writer *w = sample_open(s, &before);
    event_unref(sample_put(w, "a.c", "one:1"));
    store_writer_close(w);
    overwrite(s->path, 0, 100);
    w = sample_open(s, &after);
    assert_true(after.is_new);
    assert_string_not_equal(before.epoch, after.epoch);
    assert_int_equal(after.head, 0);
    assert_int_equal(count_damaged(s), 1);
    event_unref(sample_put(w, "a.c", "one:1"));
    store_writer_close(w);
}

/* What --db names by mistake is refused and stays as it is. */
static void
test_foreign_file_is_left(void **state)
{
    struct sample *s = *state;
    char text[64] = {0};
    char *lock = xasprintf("%s.lock", s->path);
    FILE *f = fopen(s->path, "w+");
    assert_non_null(f);
    assert_true(fputs("notes of somebody, longer than a header of SQLite is\n", f) >= 0);
    assert_int_equal(fflush(f), 0);
    for (int i = 0; i < 2; i++)
        assert_refused(s->url, -EPROTONOSUPPORT);
    rewind(f);
    assert_non_null(fgets(text, sizeof(text), f));
    assert_int_equal(strncmp(text, "notes of", 8), 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(count_damaged(s), 0);
    assert_int_equal(access(lock, F_OK), -1);
    free(lock);
}

/* In a child that ends without closing anything. */
static void
write_and_die(const struct sample *s)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct store_writer *w = NULL;
        struct store_info info;
        struct event *e = NULL;
        if (store_writer_open(s->url, NULL, &w, &info, NULL) < 0)
            _exit(1);
        for (int i = 0; i < 200; i++) {
            char path[32];
            snprintf(path, sizeof(path), "src/file%d.c", i);
            struct batch *b =
                sample_batch(path, "one:1 two:2 three:3>one,two four:4 five:5");
            if (store_begin(w) < 0 || store_put_file(w, b, &e) < 0 || store_commit(w) < 0)
                _exit(2);
            batch_destroy(b);
            event_unref(e);
        }
        if (store_checkpoint(w, true) < 0)
            _exit(3);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int
root_page(const struct sample *s, const char *table)
{
    char *what = xasprintf("(SELECT rootpage FROM sqlite_schema WHERE name='%s')", table);
    int page = read_int(s, "rootpage", what);
    free(what);
    assert_true(page > 1);
    return page;
}

/* A page in the middle, after a stop that was not clean: found at the next start. */
static void
test_damaged_page(void **state)
{
    struct sample *s = *state;
    struct store_info info;
    write_and_die(s);
    struct store_writer *w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_int_equal(info.head, 200);
    store_writer_close(w);
    sqlite3 *db = NULL;
    OK(sqlite3_open(s->path, &db));
    OK(sqlite3_exec(db, "UPDATE meta SET v='0' WHERE k='clean_shutdown'", NULL, NULL,
                    NULL));
    OK(sqlite3_close(db));
    overwrite(s->path,
              (root_page(s, "entity") - 1) *
                  (long)read_int(s, "page_size", "pragma_page_size"),
              64);
    w = sample_open(s, &info);
    assert_true(info.is_new);
    assert_int_equal(count_damaged(s), 1);
    store_writer_close(w);
}
