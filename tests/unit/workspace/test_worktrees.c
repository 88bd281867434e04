/* Which other worktrees a folder has, as git's files say it, and as files say it that git did not write. */
#include "workspace/siblings.h"
#include "workspace/worktrees.h"

struct repository {
    char *dir; // real
    struct buf told;
    unsigned n_max;
};

static void
repository_init(struct repository *r)
{
    *r = (struct repository){.dir = scratch_make("worktrees"), .n_max = UINT_MAX};
}

static void
repository_finish(struct repository *r)
{
    scratch_remove(r->dir);
    buf_finish(&r->told);
    free(r->dir);
}

/* %s in the text is the repository's folder. */
static void
repository_write(const struct repository *r, const char *name, const char *text)
{
    AUTO(free) char *path = path_join(r->dir, name);
    AUTO(free) char *folder = str_dup(path_dirname(str_of(path)));
    AUTO(buf_finish) struct buf filled = {0};
    const char *mark = strstr(text, "%s");

    assert_int_equal(fs_mkdir_p(folder, 0700), 0);
    if (mark)
        buf_printf(&filled, "%.*s%s%s", (int)(mark - text), text, r->dir, mark + 2);
    else
        buf_add_cstr(&filled, text);
    assert_int_equal(fs_write_atomic(path, buf_str(&filled), 0600), 0);
}

static void
repository_folder(const struct repository *r, const char *name)
{
    AUTO(free) char *path = path_join(r->dir, name);
    assert_int_equal(fs_mkdir_p(path, 0700), 0);
}

static bool
add_told_worktree(void *ctx, const char *path)
{
    struct repository *r = ctx;
    struct str rest = path_below(str_of(r->dir), str_of(path));

    if (rest.p) // not when "/" is named, which is a folder on any machine
        buf_printf(&r->told, "%.*s ", STR_ARG(rest));
    return --r->n_max > 0;
}

/* Of this folder, in their order; those that are linked in any. */
static void
assert_worktrees(struct repository *r, const char *folder, const char *wanted)
{
    AUTO(free) char *root = path_join(r->dir, folder);

    buf_reset(&r->told);
    worktrees_each(root, add_told_worktree, r);
    assert_string_equal(r->told.p ? r->told.p : "", wanted);
}

static void
make_worktrees(struct repository *r)
{
    repository_init(r);
    repository_folder(r, "main/.git");
    repository_write(r, "main/src/a.c", "");
    repository_write(r, "main/.git/worktrees/two/gitdir", "%s/two/.git\n");
    repository_write(r, "main/.git/worktrees/two/commondir", "../..\n");
    repository_write(r, "two/.git", "gitdir: %s/main/.git/worktrees/two\n");
    repository_write(r, "two/src/a.c", "");
}

static void
test_worktrees(void **state UNUSED)
{
    struct repository r;

    make_worktrees(&r);
    assert_worktrees(&r, "main", "two ");
    assert_worktrees(&r, "two", "main ");
    assert_worktrees(&r, "main/src", "two/src "); // the same folder
    repository_folder(&r, "main/only/here");
    assert_worktrees(&r, "main/only/here", "");
    repository_folder(&r, "elsewhere");
    assert_worktrees(&r, "elsewhere", "");
    /* a third one, by names that are relative */
    repository_write(&r, "main/.git/worktrees/three/gitdir", "../../../../three/.git");
    repository_write(&r, "main/.git/worktrees/three/commondir", "../..");
    repository_write(&r, "three/.git", "gitdir: ../main/.git/worktrees/three");
    assert_worktrees(&r, "two", "main three ");
    assert_worktrees(&r, "three", "main two ");
    r.n_max = 1;
    assert_worktrees(&r, "three", "main ");
    r.n_max = UINT_MAX;
    /* one that was taken away without a word to git */
    repository_write(&r, "main/.git/worktrees/gone/gitdir", "%s/gone/.git\n");
    assert_worktrees(&r, "three", "main two ");
    repository_finish(&r);
}

/* A bare repository has no worktree of its own; a submodule's has no list but its own. */
static void
test_worktrees_of_bare(void **state UNUSED)
{
    struct repository r;

    repository_init(&r);
    repository_write(&r, "r.git/worktrees/a/gitdir", "%s/a/.git\n");
    repository_write(&r, "r.git/worktrees/a/commondir", "../..\n");
    repository_write(&r, "r.git/worktrees/b/gitdir", "%s/b/.git\n");
    repository_write(&r, "r.git/worktrees/b/commondir", "../..\n");
    repository_write(&r, "a/.git", "gitdir: %s/r.git/worktrees/a\n");
    repository_write(&r, "b/.git", "gitdir: %s/r.git/worktrees/b\n");
    assert_worktrees(&r, "a", "b ");
    assert_worktrees(&r, "b", "a ");
    repository_folder(&r, "main/.git/modules/sub");
    repository_write(&r, "main/sub/.git", "gitdir: ../.git/modules/sub\n");
    assert_worktrees(&r, "main/sub", "");
    repository_finish(&r);
}

/* Nothing of it leads anywhere but to a folder that is there. */
static void
test_worktrees_hostile(void **state UNUSED)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "gitdir:",
                                        "gitdir: \n\n",
                                        "gitdir: nowhere",
                                        "gitdir: /",
                                        "gitdir: .",
                                        "gitdir: a\nb",
                                        "gitdir: \xff\xfe/..//",
                                        "gitdir:\t",
                                        "gitdir: .git"};
    struct repository r;
    AUTO(buf_finish) struct buf large = {0};

    make_worktrees(&r);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        repository_write(&r, "two/.git", texts[i]);
        assert_worktrees(&r, "two", "");
    }
    while (large.n <= WORKTREES_FILE_BYTES_MAX)
        buf_add_cstr(&large, "gitdir: ../main/.git/worktrees/two");
    repository_write(&r, "two/.git", large.p);
    assert_worktrees(&r, "two", "");
    repository_write(&r, "two/.git", "gitdir: %s/main/.git/worktrees/two\n");
    /* the list: names of nothing, of itself, of no .git, a pipe, a link in a circle */
    repository_write(&r, "main/.git/worktrees/x1/gitdir", "%s/main/.git\n");
    repository_write(&r, "main/.git/worktrees/x2/gitdir", "%s/two\n");
    repository_write(&r, "main/.git/worktrees/x3/gitdir", "/.git");
    repository_write(&r, "main/.git/worktrees/x4/gitdir", "../../../../../../../../.git");
    repository_write(&r, "main/.git/worktrees/x5/gitdir", "%s/main/src/a.c/.git");
    repository_folder(&r, "main/.git/worktrees/x6/gitdir");
    repository_folder(&r, "main/.git/worktrees/x7");
    AUTO(free) char *pipe = path_join(r.dir, "main/.git/worktrees/x7/gitdir");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    repository_folder(&r, "main/.git/worktrees/x8");
    AUTO(free) char *circle = path_join(r.dir, "main/.git/worktrees/x8/gitdir");
    assert_int_equal(symlink(circle, circle), 0);
    assert_worktrees(&r, "main/src", "two/src ");
    /* more of them than are looked at; of "/", which is a folder, none */
    repository_write(&r, "main/.git/worktrees/x3/gitdir", "");
    repository_write(&r, "main/.git/worktrees/x4/gitdir", "");
    for (unsigned i = 0; i < 40; i++) {
        AUTO(free) char *name = xasprintf("main/.git/worktrees/w%u/gitdir", i);
        AUTO(free) char *text = xasprintf("%%s/w%u/.git", i);
        AUTO(free) char *folder = xasprintf("w%u", i);
        repository_write(&r, name, text);
        repository_folder(&r, folder);
    }
    buf_reset(&r.told);
    r.n_max = 1000;
    AUTO(free) char *two = path_join(r.dir, "two");
    worktrees_each(two, add_told_worktree, &r);
    assert_int_equal(1000 - r.n_max, WORKTREES_MAX);
    repository_finish(&r);
}

/* ---- what their indexes know ---- */

#define SIBLINGS_TEXT "int a;"

/* An index of the folder with one known hover, as a sibling would find it. */
static char *
make_sibling_index(const char *root, uint64_t server_key)
{
    char *path = config_index_path(root);
    AUTO(free) char *url = xasprintf("sqlite:%s", path);
    struct store_writer *w = NULL;
    struct store_info info;
    struct event *event = NULL;
    struct batch *b = batch_create(STR("src/a.c"));
    struct hover_batch *h = xnew(struct hover_batch);
    struct entity *e = arena_calloc(&b->arena, 1, sizeof(*e));

    *e = (struct entity){.kind = ENTITY_VARIABLE,
                         .parent = ENTITY_NONE,
                         .ordinal = 1,
                         .name = STR("a"),
                         .qualified_name = STR("a")};
    b->entities = e;
    b->n_entities = 1;
    b->file.lang = STR("c");
    b->file.content = hash128(STR(SIBLINGS_TEXT));
    h->path = STR("src/a.c");
    h->content = b->file.content;
    h->server_key = server_key;
    h->answers = arena_calloc(&h->arena, 1, sizeof(*h->answers));
    h->n_answers = 1;
    h->answers[0].key =
        entity_key(&h->arena, STR("c"), ENTITY_VARIABLE, STR("src/a.c"), STR("a"), 1);
    h->answers[0].hover = (struct hover){
        .state = HOVER_KNOWN, .markdown = STR("an int"), .server = STR("fake")};
    assert_int_equal(store_writer_open(url, root, &w, &info, NULL), 0);
    assert_int_equal(store_begin(w), 0);
    assert_int_equal(store_put_file(w, b, &event), 0);
    event_unref(event);
    assert_int_equal(store_put_hovers(w, h, &event), 0);
    event_unref(event);
    assert_int_equal(store_commit(w), 0);
    store_writer_close(w);
    batch_destroy(b);
    hover_batch_destroy(h);
    return path;
}

static bool
is_known_by_sibling(struct siblings *s, const char *text, uint64_t server_key)
{
    AUTO(arena_finish) struct arena a = {0};
    struct entity e = {.kind = ENTITY_VARIABLE, .ordinal = 1, .qualified_name = STR("a")};
    struct store_told told;
    size_t at = 0;

    siblings_rest(s);
    if (!siblings_next(s, &at, hash128(str_of(text)), STR("c"), server_key, &a, &told))
        return false;
    assert_int_equal(told.n, 1);
    assert_true(told.v[0].place == entity_place(&e));
    assert_true(str_eq_c(told.v[0].hover.markdown, "an int"));
    return true;
}

static void
damage(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "no database at all", 18, 0), 18);
    close(fd);
}

static void
test_siblings(void **state UNUSED)
{
    struct repository r;

    make_worktrees(&r);
    AUTO(free) char *home = path_join(r.dir, "state");
    AUTO(free)
    char *was = getenv("XDG_STATE_HOME") ? xstrdup(getenv("XDG_STATE_HOME")) : NULL;
    assert_int_equal(setenv("XDG_STATE_HOME", home, 1), 0);
    AUTO(free) char *main_root = path_join(r.dir, "main");
    AUTO(free) char *two = path_join(r.dir, "two");
    AUTO(free) char *own = config_index_path(two);
    AUTO(free) char *url = xasprintf("sqlite:%s", own);
    struct siblings *s = siblings_create(two, url);
    assert_false(is_known_by_sibling(s, SIBLINGS_TEXT, 0)); // there is no index
    AUTO(free) char *path = make_sibling_index(main_root, 7);
    assert_true(is_known_by_sibling(s, SIBLINGS_TEXT, 0));
    assert_true(is_known_by_sibling(s, SIBLINGS_TEXT, 7));
    assert_false(is_known_by_sibling(s, SIBLINGS_TEXT, 8)); // another server
    assert_false(is_known_by_sibling(s, "int b;", 0));
    /* somebody links to another place */
    AUTO(free) char *moved = xasprintf("%s.moved", path);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
    assert_false(is_known_by_sibling(s, SIBLINGS_TEXT, 0));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(moved, path), 0);
    assert_true(is_known_by_sibling(s, SIBLINGS_TEXT, 0));
    damage(path);
    assert_false(is_known_by_sibling(s, SIBLINGS_TEXT, 0));
    free(make_sibling_index(two, 8)); // its own
    assert_false(is_known_by_sibling(s, SIBLINGS_TEXT, 7));
    assert_true(is_known_by_sibling(s, SIBLINGS_TEXT, 8));
    siblings_destroy(s);
    if (was)
        setenv("XDG_STATE_HOME", was, 1);
    else
        unsetenv("XDG_STATE_HOME");
    repository_finish(&r);
}
