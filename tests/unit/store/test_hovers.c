/* Hovers: three states, stale ones, shared texts, and what there is to ask. */

static struct entity_row
hover_row(struct store_reader *r, struct arena *a, const char *name)
{
    struct entity_row row;
    OK(sample_row(r, "a.c", name, 1, a, &row));
    return row;
}

static void
test_hover_known(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2 three:3"));
    struct event *e =
        sample_put_hovers(w, "a.c", "one:1 two:2 three:3", "one=**int** two- three?");
    assert_int_equal(e->type, EVENT_ENTITY_ENRICHED);
    sample_assert_names(e, "enriched", "one two three");
    struct store_reader *r = sample_read(s);
    struct entity_row row = hover_row(r, &a, "one");
    assert_int_equal(row.hover.state, HOVER_KNOWN);
    assert_true(str_eq_c(row.hover.markdown, "**int**"));
    assert_true(str_eq_c(row.hover.server, "clangd"));
    assert_false(row.hover.stale);
    assert_int_equal(row.rev, 2);
    assert_int_equal(hover_row(r, &a, "two").hover.state, HOVER_EMPTY);
    assert_int_equal(hover_row(r, &a, "three").hover.reason, HOVER_REASON_TIMED_OUT);
    assert_null(
        sample_put_hovers(w, "a.c", "one:1 two:2 three:3", "one=**int** two- three?"));
    struct store_counts c;
    OK(store_read_counts(r, &c));
    assert_int_equal(c.hovers[HOVER_KNOWN], 1);
    assert_int_equal(c.hovers[HOVER_EMPTY], 1);
    assert_int_equal(c.hovers[HOVER_UNKNOWN], 1);
    assert_int_equal(c.reasons[HOVER_REASON_TIMED_OUT], 1);
    assert_int_equal(c.stale, 0);
    store_reader_close(r);
    store_writer_close(w);
}

/* For another content, of another file, of an entity that is gone. */
static void
test_hover_dropped(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    assert_null(sample_put_hovers(w, "a.c", "one:0", "one=old"));
    assert_null(sample_put_hovers(w, "b.c", "one:1", "one=other"));
    assert_null(sample_put_hovers(w, "a.c", "one:1", "gone=text"));
    struct store_reader *r = sample_read(s);
    assert_int_equal(hover_row(r, &a, "one").hover.state, HOVER_UNKNOWN);
    assert_rows(s, "hover", 0);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_hover_stale(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2 three:3"));
    event_unref(
        sample_put_hovers(w, "a.c", "one:1 two:2 three:3", "one=o two=t three=h"));
    /* one stays, two changes its body, three its signature */
    event_unref(sample_put(w, "a.c", "one:1 two:2x three:3:long"));
    struct store_reader *r = sample_read(s);
    struct entity_row one = hover_row(r, &a, "one");
    assert_int_equal(one.hover.state, HOVER_KNOWN);
    assert_true(one.hover.stale);
    assert_int_equal(one.rev, 2);
    assert_true(hover_row(r, &a, "two").hover.stale);
    assert_int_equal(hover_row(r, &a, "three").hover.state, HOVER_UNKNOWN);
    assert_int_equal(hover_row(r, &a, "three").hover.reason, HOVER_REASON_NOT_ASKED);
    assert_rows(s, "hover", 3); // the text of three is the old content's
    struct store_counts c;
    OK(store_read_counts(r, &c));
    assert_int_equal(c.stale, 2);
    assert_int_equal(c.hovers[HOVER_KNOWN], 2);
    /* told the same of the new content: fresh, without an event; an "unknown" changes nothing */
    assert_null(sample_put_hovers(w, "a.c", "one:1 two:2x three:3:long", "one=o two?"));
    assert_false(hover_row(r, &a, "one").hover.stale);
    assert_int_equal(hover_row(r, &a, "one").rev, 2);
    assert_true(hover_row(r, &a, "two").hover.stale);
    assert_true(str_eq_c(hover_row(r, &a, "two").hover.markdown, "t"));
    sample_assert_names(
        sample_put_hovers(w, "a.c", "one:1 two:2x three:3:long", "two=new three=h"),
        "enriched", "two three");
    OK(store_read_counts(r, &c));
    assert_int_equal(c.stale, 0);
    store_reader_close(r);
    store_writer_close(w);
}

/* An editor's: what somebody else told of this content stays, unless it is stale or empty. */
static void
test_hover_handed(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    const char *was = "one:1 two:2 three:3 four:4", *is = "one:1x two:2 three:3 four:4";
    struct hover_batch *h = sample_hovers("a.c", was, "one=E two=E three=E four=E");
    struct event *event = NULL;
    h->is_handed = true;
    for (size_t i = 0; i < h->n_answers; i++)
        h->answers[i].hover.server = STR("clangd (editor)");
    event_unref(sample_put(w, "a.c", was));
    event_unref(sample_put_hovers(w, "a.c", was, "one=ours two- three?"));
    OK(store_begin(w));
    OK(store_put_hovers(w, h, &event));
    OK(store_commit(w));
    sample_assert_names(steal(event), "enriched", "two three four");
    struct store_reader *r = sample_read(s);
    assert_true(str_eq_c(hover_row(r, &a, "one").hover.markdown, "ours"));
    assert_true(str_eq_c(hover_row(r, &a, "two").hover.server, "clangd (editor)"));
    /* the same source may say another thing, and of a new content anything */
    h->answers[1].hover.markdown = STR("F");
    OK(store_begin(w));
    OK(store_put_hovers(w, h, &event));
    OK(store_commit(w));
    sample_assert_names(steal(event), "enriched", "two");
    event_unref(sample_put(w, "a.c", is));
    assert_true(hover_row(r, &a, "one").hover.stale);
    struct hover_batch *later = sample_hovers("a.c", is, "one=new");
    later->is_handed = true;
    later->answers[0].hover.server = STR("clangd (editor)");
    OK(store_begin(w));
    OK(store_put_hovers(w, later, &event));
    OK(store_commit(w));
    sample_assert_names(steal(event), "enriched", "one");
    assert_true(str_eq_c(hover_row(r, &a, "one").hover.markdown, "new"));
    assert_false(hover_row(r, &a, "one").hover.stale);
    /* ours replaces an editor's */
    sample_assert_names(sample_put_hovers(w, "a.c", is, "one=ours"), "enriched", "one");
    hover_batch_destroy(h);
    hover_batch_destroy(later);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_hover_texts_are_shared(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    event_unref(sample_put(w, "b.c", "one:1"));
    event_unref(sample_put_hovers(w, "a.c", "one:1 two:2", "one=same two=same"));
    event_unref(sample_put_hovers(w, "b.c", "one:1", "one=same"));
    assert_rows(s, "hover", 1);
    assert_value(s, "refs", "hover", 3);
    event_unref(sample_put_hovers(w, "b.c", "one:1", "one=other"));
    assert_rows(s, "hover", 2);
    event_unref(sample_put_hovers(w, "b.c", "one:1", "one-"));
    assert_rows(s, "hover", 1);
    event_unref(sample_put_hovers(w, "a.c", "one:1 two:2", "one- two-"));
    assert_rows(s, "hover", 0);
    store_writer_close(w);
}

/* Under a new path while the old row is there, then that one goes. */
static void
test_rename_keeps_hovers(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row row;
    struct store_counts c;
    const char *const text = "one:1 two:2 three:3";
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", text));
    event_unref(sample_put_hovers(w, "a.c", text, "one=text two- three?"));
    struct event *e = sample_put(w, "sub/b.c", text);
    assert_true(str_find(e->data, STR("\"markdown\":\"text\"")) > 0);
    event_unref(e);
    assert_value(s, "refs", "hover", 2);
    event_unref(sample_delete(w, "a.c"));
    struct store_reader *r = sample_read(s);
    OK(sample_row(r, "sub/b.c", "one", 1, &a, &row));
    assert_int_equal(row.hover.state, HOVER_KNOWN);
    assert_true(str_eq_c(row.hover.markdown, "text"));
    assert_false(row.hover.stale);
    OK(sample_row(r, "sub/b.c", "two", 1, &a, &row));
    assert_int_equal(row.hover.state, HOVER_EMPTY);
    OK(sample_row(r, "sub/b.c", "three", 1, &a, &row));
    assert_int_equal(row.hover.reason, HOVER_REASON_NOT_ASKED);
    OK(store_read_counts(r, &c));
    assert_int_equal(c.hovers[HOVER_KNOWN], 1);
    assert_int_equal(c.hovers[HOVER_EMPTY], 1);
    assert_int_equal(c.reasons[HOVER_REASON_NOT_ASKED], 1);
    assert_value(s, "refs", "hover", 1);
    /* another content is another file; what was stale stays so */
    event_unref(sample_put(w, "other.c", "one:1 two:2 three:4"));
    OK(sample_row(r, "other.c", "one", 1, &a, &row));
    assert_int_equal(row.hover.state, HOVER_UNKNOWN);
    event_unref(sample_put(w, "sub/b.c", "one:9 two:2 three:3"));
    event_unref(sample_put(w, "c.c", "one:9 two:2 three:3"));
    OK(sample_row(r, "c.c", "one", 1, &a, &row));
    assert_int_equal(row.hover.state, HOVER_KNOWN);
    assert_true(row.hover.stale);
    event_unref(sample_delete(w, "c.c"));
    event_unref(sample_delete(w, "sub/b.c"));
    assert_value(s, "refs", "hover", 1); // of the content before
    store_reader_close(r);
    store_writer_close(w);
}

static int
collect_path(void *ctx, const struct file *f)
{
    buf_printf(ctx, "%.*s ", STR_ARG(f->path));
    return 0;
}

static void
test_unasked(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf paths = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    event_unref(sample_put(w, "b.c", "one:1"));
    event_unref(sample_put(w, "c.c", "one:1"));
    event_unref(sample_put(w, "empty.c", ""));
    event_unref(sample_put_hovers(w, "a.c", "one:1", "one=x"));
    event_unref(sample_put_hovers(w, "b.c", "one:1", "one?"));
    struct store_reader *r = sample_read(s);
    OK(store_each_unasked_file(r, collect_path, &paths));
    assert_string_equal(paths.p, "b.c c.c ");
    assert_null(sample_put(w, "a.c", "+1 one:1"));
    buf_reset(&paths);
    OK(store_each_unasked_file(r, collect_path, &paths));
    assert_string_equal(paths.p, "b.c c.c a.c "); // stale is not as bad as unknown
    buf_reset(&paths);
    OK(store_each_file(r, collect_path, &paths));
    assert_string_equal(paths.p, "a.c b.c c.c empty.c ");
    store_reader_close(r);
    store_writer_close(w);
}
