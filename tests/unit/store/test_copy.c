/* A copy of an index shows what the index shows, whichever backends the two are of. What may differ is said
 * in copy.h; all else is written down and compared as text. */

struct copy_dump {
    struct buf text;
    struct store_reader *r;
    VEC(char *) lines; // of what comes in no order
};

static void
dump_str(struct buf *b, const char *name, struct str s)
{
    buf_printf(b, " %s=%zu:", name, s.n);
    buf_add_str(b, s);
}

static void
dump_position(struct buf *b, struct position p)
{
    buf_printf(b, " %u:%u:%u", p.line, p.col_byte, p.col_utf16);
}

static void
dump_span(struct buf *b, const struct span *s)
{
    dump_position(b, s->start);
    dump_position(b, s->end);
    buf_printf(b, " %u-%u", s->start_byte, s->end_byte);
}

static int
dump_file(void *ctx, const struct file *f)
{
    struct copy_dump *d = ctx;
    struct buf b = {0};
    char hex[HASH_HEX_BYTES];
    hash128_to_hex(f->content, hex);
    dump_str(&b, "file", f->path);
    dump_str(&b, "lang", f->lang);
    buf_printf(&b, " %s %s %" PRIu64 " %" PRId64 " %" PRIu64 " %s %" PRIx64,
               file_state_name(f->state), file_reason_name(f->reason), f->size_bytes,
               f->mtime_ns, f->inode, hex, f->server_key);
    *vec_push(&d->lines) = buf_steal(&b);
    return 0;
}

static void
dump_hover(struct buf *b, const struct hover *h)
{
    buf_printf(b, " %s %s%s", hover_state_name(h->state), hover_reason_name(h->reason),
               h->stale ? " stale" : "");
    dump_str(b, "markdown", h->markdown);
    dump_str(b, "server", h->server);
}

static int
dump_entity(void *ctx, const struct entity_row *row)
{
    struct buf *b = &((struct copy_dump *)ctx)->text;
    dump_str(b, "key", row->key);
    dump_str(b, "parent", row->parent_key);
    dump_str(b, "path", row->path);
    dump_str(b, "lang", row->lang);
    dump_str(b, "name", row->e.name);
    dump_str(b, "qualified", row->e.qualified_name);
    dump_str(b, "signature", row->e.signature);
    dump_str(b, "doc", row->e.doc);
    buf_printf(b, " %d %u %u %" PRIx64, (int)row->e.kind, row->e.parent, row->e.ordinal,
               row->e.hash);
    dump_span(b, &row->e.range);
    dump_span(b, &row->e.name_range);
    dump_hover(b, &row->hover);
    buf_add_char(b, '\n');
    return 0;
}

/* Of a search: what is as good as another comes by ids, which are others. */
static int
dump_found(void *ctx, const struct entity_row *row)
{
    struct copy_dump *d = ctx;
    struct buf b = {0};
    dump_str(&b, "found", row->key);
    dump_str(&b, "as", row->snippet);
    *vec_push(&d->lines) = buf_steal(&b);
    return 0;
}

static int
dump_edge(void *ctx, const struct edge_row *row)
{
    struct buf *b = &((struct copy_dump *)ctx)->text;
    buf_printf(b, "%s", edge_kind_name(row->kind));
    dump_str(b, "from", row->from_key);
    dump_str(b, "path", row->path);
    dump_str(b, "target", row->target);
    dump_position(b, row->at);
    buf_add_char(b, '\n');
    return 0;
}

static int
dump_past(void *ctx, struct hash128 content, struct str lang)
{
    struct copy_dump *d = ctx;
    AUTO(arena_finish) struct arena a = {0};
    struct store_told told;
    char hex[HASH_HEX_BYTES];
    hash128_to_hex(content, hex);
    OK(store_read_told(d->r, content, lang, &a, &told));
    buf_printf(&d->text, "past %s %.*s %" PRIx64, hex, STR_ARG(lang), told.server_key);
    for (size_t i = 0; i < told.n; i++) {
        buf_printf(&d->text, " %" PRIx64, told.v[i].place);
        dump_hover(&d->text, &told.v[i].hover);
    }
    buf_add_char(&d->text, '\n');
    return 0;
}

static int
dump_path(void *ctx, const struct file *f)
{
    dump_str(&((struct copy_dump *)ctx)->text, "unasked", f->path);
    return 0;
}

static void
dump_counts(struct copy_dump *d)
{
    struct store_counts c;
    OK(store_read_counts(d->r, &c));
    buf_printf(&d->text, "\n%" PRIu64 " %" PRIu64 " %" PRIu64, c.entities, c.edges,
               c.stale);
    for (size_t i = 0; i < FILE_STATE_COUNT; i++)
        buf_printf(&d->text, " %" PRIu64, c.files[i]);
    for (size_t i = 0; i < HOVER_STATE_COUNT; i++)
        buf_printf(&d->text, " %" PRIu64, c.hovers[i]);
    for (size_t i = 0; i < HOVER_REASON_COUNT; i++)
        buf_printf(&d->text, " %" PRIu64, c.reasons[i]);
    buf_printf(&d->text, " %" PRIu64 "\n", c.past_contents);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
dump_lines(struct copy_dump *d)
{
    if (d->lines.n > 0)
        qsort(d->lines.v, d->lines.n, sizeof(*d->lines.v), by_text);
    for (size_t i = 0; i < d->lines.n; i++) {
        buf_printf(&d->text, "\n%s", d->lines.v[i]);
        free(d->lines.v[i]);
    }
    d->lines.n = 0;
}

static char *
dump_index(const char *url)
{
    const struct sample s = {.url = (char *)url};
    static const char *const facts[] = {"root", "maker"};
    struct copy_dump d = {.r = sample_read(&s)};
    AUTO(arena_finish) struct arena a = {0};
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct str value = STR_NONE;
        int r = store_read_fact(d.r, facts[i], &a, &value);
        assert_true(r == 0 || r == -ENOENT);
        dump_str(&d.text, facts[i], value);
    }
    OK(store_each_file(d.r, dump_file, &d));
    dump_lines(&d);
    buf_add_char(&d.text, '\n');
    OK(store_each_entity(d.r, STR_NONE, dump_entity, &d));
    OK(store_each_edge(d.r, dump_edge, &d));
    OK(store_each_past(d.r, dump_past, &d));
    OK(store_each_unasked_file(d.r, dump_path, &d));
    dump_counts(&d);
    OK(store_search_text(d.r, STR("says"), 50, dump_found, &d));
    dump_lines(&d);
    vec_finish(&d.lines);
    store_reader_close(d.r);
    return buf_steal(&d.text);
}

/* ---- a source with one of each ---- */

static struct batch *
copy_nested(void)
{
    struct batch *b =
        sample_batch("deep/n.c", "outer:1 inner:2 inner:3 last:4>outer,gone");
    struct entity *e = b->entities;
    e[0].kind = ENTITY_CLASS;
    e[0].range.end = (struct position){5, 9, 7};
    e[0].range.end_byte = 119;
    for (uint32_t i = 1; i < 3; i++) {
        e[i].parent = 0;
        e[i].kind = ENTITY_METHOD;
        e[i].qualified_name = STR("outer.inner");
        e[i].range.start.col_utf16 = 3;
        e[i].range.start.col_byte = 5;
    }
    b->edges[0].from = ENTITY_NONE;
    b->edges[0].kind = EDGE_IMPORTS;
    b->edges[1].at.col_utf16 = 2;
    return b;
}

static void
copy_put_other(struct store_writer *w, const char *path, enum file_state state,
               enum file_reason reason)
{
    struct batch *b = sample_batch(path, "");
    b->file.state = state;
    b->file.reason = reason;
    b->file.content = (struct hash128){0};
    event_unref(sample_put_batch(w, b));
}

static void
copy_fill(struct store_writer *w)
{
    OK(store_set_maker(w, STR("a maker")));
    event_unref(sample_put(w, "a.c", "one:1:says:doc~text two:2:says>one,one three:3"));
    past_put_hovers(w, "a.c", "one:1:says:doc~text two:2:says>one,one three:3",
                    "one=says two- three?", 7);
    event_unref(
        sample_put(w, "twin.c", "one:1:says:doc~text two:2:says>one,one three:3"));
    event_unref(sample_put_batch(w, copy_nested()));
    copy_put_other(w, "bad.c", FILE_FAILED, FILE_REASON_UNREADABLE);
    copy_put_other(w, "big.bin", FILE_SKIPPED, FILE_REASON_TOO_LARGE);
    event_unref(sample_put(w, "empty.c", ""));
    event_unref(sample_put(w, "stale.c", "s:1 t:2 u:3")); // by another text
    past_put_hovers(w, "stale.c", "s:1 t:2 u:3", "s=old t- u=older", 9);
    event_unref(sample_put(w, "stale.c", "s:1x t:2x u:3"));
    past_put_hovers(w, "stale.c", "s:1x t:2x u:3", "s=new", 0);
    event_unref(sample_put(w, "other.c", "x:1 y:2")); // by another server
    past_put_hovers(w, "other.c", "x:1 y:2", "x=old y=same", 9);
    past_put_hovers(w, "other.c", "x:1 y:2", "x=new", 11);
    event_unref(sample_put(w, "gone.c", "p:1 q:2 r:3"));
    past_put_hovers(w, "gone.c", "p:1 q:2 r:3", "p=past q- r?", 9);
    event_unref(sample_delete(w, "gone.c"));
    event_unref(sample_put(w, "gone.c", "p:5"));
    past_put_hovers(w, "gone.c", "p:5", "p=says", 9);
    event_unref(sample_delete(w, "gone.c"));
}

/* All of a file's is stale, and whose it is is known. */
static void
copy_expire(struct store_writer *w)
{
    uint64_t n = 0;
    OK(store_begin(w));
    OK(store_expire_hovers(w, STR("c"), 11, &n));
    OK(store_commit(w));
    assert_true(n > 0);
}

/* ---- copies ---- */

static struct store_copied
copy_to(const char *from, struct store_writer *to)
{
    const struct sample s = {.url = (char *)from};
    struct store_reader *r = sample_read(&s);
    struct store_copied n;
    OK(store_copy(r, to, NULL, NULL, &n));
    store_reader_close(r);
    return n;
}

/* The log begins with the copy, and tells what the rows are. */
static int
check_first(void *ctx, const struct event *e)
{
    assert_int_equal(e->seq, *(int64_t *)ctx);
    assert_int_equal(e->type, EVENT_INDEX_REBUILT);
    assert_true(str_eq_c(e->data, "{\"reason\":\"copied\"}"));
    *(int64_t *)ctx = 0;
    return 0;
}

static void
assert_log_tells(const char *url)
{
    const struct sample s = {.url = (char *)url};
    struct store_reader *r = sample_read(&s);
    json_t *rows = json_object();
    struct store_info info;
    OK(store_read_info(r, &info));
    OK(store_each_event(r, 0, 1, check_first, &info.first_seq));
    assert_int_equal(info.first_seq, 0);
    OK(store_each_event(r, 0, SIZE_MAX, replay, rows));
    OK(store_each_entity(r, STR_NONE, compare_row, rows));
    assert_int_equal(json_object_size(rows), 0);
    json_decref(rows);
    store_reader_close(r);
}

static void
assert_same_text(const char *is, const char *wanted)
{
    size_t at = 0, from = 0;
    for (; is[at] && is[at] == wanted[at]; at++)
        from = is[at] == '\n' ? at + 1 : from;
    if (is[at] || wanted[at])
        fail_msg("the copy shows\n%.600s\nand the source\n%.600s", is + from,
                 wanted + from);
}

/* An index of this backend that is not there yet. */
static struct sample
copy_place(const struct sample *s, const struct sample_backend *backend)
{
    struct sample place = {.backend = backend, .dir = xasprintf("%s/XXXXXX", s->dir)};
    assert_non_null(mkdtemp(place.dir));
    place.path = xasprintf("%s/index.db", place.dir);
    place.url = backend->url(place.dir);
    return place;
}

static void
copy_place_finish(struct sample *place)
{
    if (place->url && place->backend->drop)
        place->backend->drop(place->url);
    free(place->dir);
    free(place->path);
    free(place->url);
}

static int64_t
head_of(const struct sample *s, char ret_epoch[STORE_EPOCH_BYTES])
{
    struct store_reader *r = sample_read(s);
    struct store_info info;
    OK(store_read_info(r, &info));
    store_reader_close(r);
    memcpy(ret_epoch, info.epoch, STORE_EPOCH_BYTES);
    return info.head;
}

/* Into this place, and on into the next one while there is one; the copy is an index like any other. */
static void
assert_copy(const struct sample *from, const char *wanted, struct sample *to,
            struct sample *next)
{
    char epoch[STORE_EPOCH_BYTES], own_epoch[STORE_EPOCH_BYTES];
    struct store_writer *w = sample_open(to, NULL);
    struct store_copied n = copy_to(from->url, w); // while its writer is open
    assert_int_equal(n.files, n.n_files);
    assert_int_equal(n.hover_files, n.n_files);
    AUTO(free) char *is = dump_index(to->url);
    assert_same_text(is, wanted);
    assert_log_tells(to->url);
    head_of(from, epoch);
    int64_t head = head_of(to, own_epoch);
    assert_string_not_equal(epoch, own_epoch);
    if (next)
        assert_copy(to, wanted, next, NULL);
    AUTO(event_unref) struct event *event = sample_put(w, "new.c", "new:1");
    assert_int_equal(event->seq, head + 1);
    if (to->backend->can & SAMPLE_SQL)
        assert_adds_up(to);
    store_writer_close(w);
}

/* Into each backend, and back: once, as what comes back was copied before, and is the other backend's test. */
static void
assert_copies(const struct sample *s, bool and_back)
{
    AUTO(free) char *wanted = dump_index(s->url);
    for (size_t i = 0; i < ARRAY_LEN(sample_backends); i++) {
        struct sample to = copy_place(s, &sample_backends[i]);
        struct sample back = copy_place(s, s->backend);
        if (to.url)
            assert_copy(s, wanted, &to, and_back ? &back : NULL);
        copy_place_finish(&to);
        copy_place_finish(&back);
    }
}

static void
test_copy(void **state)
{
    const struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    assert_copies(s, false); // of nothing
    copy_fill(w);
    assert_copies(s, true);
    copy_expire(w);
    assert_copies(s, false);
    store_writer_close(w);
}

/* What a copy counts is rows: nine entities in a file, as a server takes its time for each file. With their
 * edges and the file itself they are 22. */
#define MANY_HOVERS "a=text b- c? d=text e- f? g=text h- i?"

static char *
many_spec(const char *path, int i)
{
    struct buf b = {0};
    for (char name = 'a'; name < 'i'; name += 3)
        buf_printf(&b, "%c:%d %c:%d>%c,%c %c:%d>%c,%s ", name, i, name + 1, i, name,
                   name + 2, name + 2, i % 3, name + 1, path);
    return buf_steal(&b);
}

/* Many files over many transactions, parents after children in the rows of one. */
static void
test_copy_of_many(void **state)
{
    const struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    char path[32];
    OK(store_begin(w)); // a disk may be slow
    for (int i = 0; i < 200; i++) {
        struct event *event = NULL;
        snprintf(path, sizeof(path), "d%d/f%d.c", i % 7, i);
        AUTO(free) char *spec = many_spec(path, i);
        struct batch *b = sample_batch(path, spec);
        struct hover_batch *h = sample_hovers(path, spec, MANY_HOVERS);
        h->server_key = (uint64_t)i % 4;
        OK(store_put_file(w, b, &event));
        event_unref(event);
        event = NULL;
        if (i % 3 == 0)
            OK(store_put_hovers(w, h, &event));
        event_unref(event);
        event = NULL;
        if (i % 50 == 0)
            OK(store_delete_file(w, str_of(path), &event));
        event_unref(event);
        batch_destroy(b);
        hover_batch_destroy(h);
    }
    OK(store_commit(w));
    assert_copies(s, false);
    store_writer_close(w);
}

static void
test_copy_of_any(void **state)
{
    const struct sample *s = *state;
    struct past_world world = {.seed = 23, .with_keys = true};
    world.w = sample_open(s, NULL);
    for (size_t i = 0; i < PAST_PATHS; i++)
        world.content_of[i] = PAST_NONE;
    for (int i = 0; i < 120; i++) {
        past_step(s, &world);
        if (i % 40 == 39)
            assert_copies(s, false);
    }
    store_writer_close(world.w);
}

/* ---- one that was cut short ---- */

struct copy_stop {
    int n_left; // calls
};

static int
stop_later(void *ctx, const struct store_copied *n UNUSED)
{
    struct copy_stop *stop = ctx;
    return --stop->n_left == 0 ? 7 : 0;
}

static char *
letters_and_jobs_of(const struct sample *s)
{
    struct store_reader *r = sample_read(s);
    struct buf b = {0};
    buf_add_cstr(&b, "letters ");
    OK(store_read_letters(r, collect_letter, &b));
    struct told_jobs told = {.n = 0};
    OK(store_read_jobs(r, collect_job, &told));
    AUTO(free) char *jobs = jobs_text(&told);
    buf_add_cstr(&b, jobs);
    store_reader_close(r);
    return buf_steal(&b);
}

/* To nobody but a copy is it there. In memory its writer stays. */
static void
assert_partial(const struct sample *place, struct store_writer **w)
{
    struct store_reader *r = NULL;
    struct store_info info;
    char *why = NULL;
    assert_int_equal(store_reader_open(place->url, &r, &why), -EPROTONOSUPPORT);
    assert_non_null(strstr(why, "a copy that was not finished"));
    free(steal(why));
    if (!(place->backend->can & SAMPLE_LASTS))
        return;
    store_writer_close(steal(*w));
    assert_int_equal(store_writer_open(place->url, NULL, w, &info, &why),
                     -EPROTONOSUPPORT);
    assert_non_null(strstr(why, "a copy that was not finished"));
    assert_null(*w);
    free(why);
    OK(store_copy_open(place->url, NULL, w, &info, NULL));
    assert_true(info.is_partial);
}

/* False when it was over before. unchanged: what the source shows all the time; NULL: it goes on meanwhile. */
static bool
copy_in_two(const struct sample *s, struct store_writer *source, int n_calls,
            const char *unchanged)
{
    bool with_change = unchanged == NULL;
    struct sample place = copy_place(s, s->backend);
    struct store_writer *w = sample_open(&place, NULL);
    struct store_reader *r = sample_read(s);
    struct copy_stop stop = {n_calls};
    struct store_copied n, whole;
    char spec[32];
    int e = store_copy(r, w, stop_later, &stop, &n);
    assert_true(e == 0 || e == 7);
    if (e == 7 && !n.is_indexing_text && n.letters == 0) {
        assert_partial(&place, &w);
        snprintf(spec, sizeof(spec), "new:%d other:%d", n_calls, n_calls);
        if (with_change) {
            event_unref(sample_put(source, "b.c", spec));
            event_unref(sample_delete(source, "a.c"));
            event_unref(sample_put(source, "a.c", spec));
        }
        OK(store_copy(r, w, NULL, NULL, &whole));
        assert_true(whole.is_resumed == !with_change);
        assert_int_equal(whole.files, whole.n_files);
        assert_int_equal(whole.hover_files, whole.n_files);
        assert_true(whole.entities >= n.entities || with_change);
    }
    AUTO(free) char *changed = with_change ? dump_index(s->url) : NULL;
    AUTO(free) char *is = dump_index(place.url);
    AUTO(free)
    char *letters = letters_and_jobs_of(s), *own_letters = letters_and_jobs_of(&place);
    assert_same_text(is, with_change ? changed : unchanged);
    assert_string_equal(own_letters, letters);
    assert_log_tells(place.url);
    store_writer_close(w); // whole: anybody may open it, and write
    if (s->backend->can & SAMPLE_LASTS) {
        w = sample_open(&place, NULL);
        event_unref(sample_put(w, "new.c", "new:1"));
        store_writer_close(w);
    }
    store_reader_close(r);
    copy_place_finish(&place);
    return e == 7;
}

static void
copy_keep_letters(struct store_writer *w)
{
    for (int i = 1; i < 4; i++) {
        struct dead_letter *l = letter_of(i * 7, i == 2 ? DEAD_PUT_FILE : DEAD_PUT_EVENT,
                                          "a.c", i == 1 ? NULL : "{}");
        keep_letter(w, l);
        dead_letter_destroy(l);
    }
    struct job *job = job_of(JOB_B, JOB_REINDEX, JOB_PENDING);
    job->every_s = 3600;
    keep_job(w, job);
    job_destroy(job);
}

static void
test_copy_cut_short(void **state)
{
    const struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    int n = 1;
    copy_fill(w);
    copy_keep_letters(w);
    AUTO(free) char *wanted = dump_index(s->url);
    while (copy_in_two(s, w, n, wanted))
        n++;
    assert_true(n > 4);
    for (n = 1; copy_in_two(s, w, n, NULL); n++) {
    }
    store_writer_close(w);
}

static void
test_copy_of_many_cut_short(void **state)
{
    const struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    char path[32];
    OK(store_begin(w));
    /* 11,000 rows: three transactions, and at each cut more files than are deleted at once */
    for (int i = 0; i < 500; i++) {
        struct event *event = NULL;
        snprintf(path, sizeof(path), "d%d/f%d.c", i % 7, i);
        AUTO(free) char *spec = many_spec(path, i);
        AUTO(batch_destroy) struct batch *b = sample_batch(path, spec);
        AUTO(hover_batch_destroy)
        struct hover_batch *h = sample_hovers(path, spec, MANY_HOVERS);
        OK(store_put_file(w, b, &event));
        event_unref(event);
        OK(store_put_hovers(w, h, &event));
        event_unref(event);
    }
    OK(store_commit(w));
    AUTO(free) char *wanted = dump_index(s->url);
    assert_true(copy_in_two(s, w, 2, wanted)); // in the files
    assert_true(copy_in_two(s, w, 5, wanted)); // in the hovers
    assert_true(copy_in_two(s, w, 3, NULL));
    store_writer_close(w);
}

static void
test_copy_refused(void **state)
{
    const struct sample *s = *state;
    struct sample copy = copy_place(s, s->backend);
    struct store_writer *w = sample_open(s, NULL), *to = sample_open(&copy, NULL);
    struct store_copied n;
    char epoch[STORE_EPOCH_BYTES];
    copy_fill(w);
    struct store_reader *r = sample_read(s);
    event_unref(sample_put(to, "a.c", "one:1"));
    assert_int_equal(store_copy(r, to, NULL, NULL, &n), -EEXIST);
    assert_int_equal(head_of(&copy, epoch), 1);
    event_unref(sample_put(to, "a.c", "one:2"));
    store_reader_close(r);
    store_writer_close(to);
    store_writer_close(w);
    copy_place_finish(&copy);
}
