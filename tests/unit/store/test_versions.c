/* An index that an earlier version of the SQLite schema holds. */

static void
plant_version(const struct sample *s, const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    OK(sqlite3_open(s->path, &db));
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    OK(sqlite3_close(db));
}

static int
collect_link(void *ctx, const struct edge_row *e)
{
    buf_printf(ctx, "%.*s>%.*s@%u:%u:%u ", STR_ARG(e->from_key), STR_ARG(e->target),
               e->line, e->at.col_byte, e->at.col_utf16);
    return 0;
}

static void
assert_version_1_rows(struct store_reader *r)
{
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row row;
    OK(store_read_entity(r, STR("c:class:a.c#Box"), &a, &row));
    struct span box = {{0, 0, 0}, {9, 1, 1}, 0, 200};
    struct span box_name = {{0, 6, 6}, {0, 9, 9}, 6, 9};
    assert_memory_equal(&row.e.range, &box, sizeof(box));
    assert_memory_equal(&row.e.name_range, &box_name, sizeof(box_name));
    assert_int_equal(row.hover.state, HOVER_KNOWN);
    assert_true(str_eq_c(row.hover.markdown, "a box"));
    OK(store_read_entity(r, STR("c:method:a.c#Box.get"), &a, &row));
    struct span get = {{1, 4, 3}, {3, 5, 5}, 20, 80};
    struct span get_name = {{2, 6, 5}, {2, 9, 8}, 40, 43};
    assert_memory_equal(&row.e.range, &get, sizeof(get));
    assert_memory_equal(&row.e.name_range, &get_name, sizeof(get_name));
    assert_true(str_eq_c(row.parent_key, "c:class:a.c#Box"));
    assert_true(str_eq_c(row.e.doc, "\xc3\xbc"));
    assert_true((int64_t)row.e.hash == -12);
    OK(store_read_entity(r, STR("c:fn:a.c#x::y~2"), &a, &row));
    struct span y = {{5, 4, 4}, {5, 8, 8}, 104, 108};
    assert_memory_equal(&row.e.name_range, &y, sizeof(y));
    assert_true(str_eq_c(row.e.name, "y"));
    OK(store_read_entity(r, STR("c:fn:a.c#wide"), &a, &row));
    struct span wide = {{7, 70000, 69999}, {7, 70100, 70099}, 80000, 80100};
    struct span wide_name = {{7, 70004, 70003}, {7, 70008, 70007}, 80004, 80008};
    assert_memory_equal(&row.e.range, &wide, sizeof(wide));
    assert_memory_equal(&row.e.name_range, &wide_name, sizeof(wide_name));
}

static void
check_version(const struct sample *s)
{
    AUTO(buf_finish) struct buf links = {0};
    struct store_info info;
    bool more = true;
    struct store_writer *w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_string_equal(info.epoch, "00112233445566778899aabbccddeeff");
    assert_int_equal(info.head, 1);
    struct store_reader *r = sample_read(s);
    assert_version_1_rows(r);
    OK(store_each_caller(r, STR("open"), 9, collect_link, &links));
    OK(store_each_callee(r, STR("c:method:a.c#Box.get"), 9, collect_link, &links));
    OK(store_each_caller(r, STR("stdio.h"), 9, collect_link, &links));
    assert_string_equal(links.p, "c:method:a.c#Box.get>open@2:4:4 "
                                 "c:fn:a.c#x::y~2>open@5:20:18 "
                                 "c:method:a.c#Box.get>open@2:4:4 "
                                 "c:method:a.c#Box.get>close@2:9:9 >stdio.h@0:10:10 ");
    assert_int_equal(read_int(s, "sum(line*100+character)", "v_edge"), 941);
    assert_int_equal(read_int(s, "sum(start_line*1000000+start_character)", "v_entity"),
                     13000000 + 3 + 69999);
    while (more) {
        OK(store_begin(w));
        OK(store_index_text(w, 100, &more));
        OK(store_commit(w));
    }
    assert_version_1_rows(r);
    AUTO(free) char *found = find(r, "box");
    assert_string_equal(found, "Box get");
    assert_int_equal(read_int(s, "count(*)",
                              "v_event WHERE json_extract(data,'$.added[0].key')="
                              "'c:class:a.c#Box'"),
                     1);
    struct event *e = sample_delete(w, "a.c");
    assert_int_equal(e->seq, 2);
    event_unref(e);
    assert_int_equal(count_rows(s, "v_edge"), 0);
    assert_int_equal(count_rows(s, "hover_past"), 1);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_version_1(void **state)
{
    plant_version(*state, version_1);
    check_version(*state);
}

static void
test_version_2(void **state)
{
    plant_version(*state, version_2_3);
    plant_version(*state, version_2);
    check_version(*state);
}

static void
test_version_3(void **state)
{
    plant_version(*state, version_2_3);
    plant_version(*state, version_3);
    check_version(*state);
}

static void
test_version_4(void **state)
{
    struct sample *s = *state;
    const char *const spec = PAST_A;
    struct hash128 content = hash128(str_of(spec));
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char *why = NULL;
    struct store_info info;
    OK(sqlite3_open(s->path, &db));
    if (sqlite3_exec(db, version_4, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    OK(sqlite3_prepare_v2(db, "UPDATE file SET content=?1", -1, &stmt, NULL));
    sqlite3_bind_blob(stmt, 1, &content, sizeof(content), SQLITE_STATIC);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    OK(sqlite3_close(db));
    struct store_reader *r = NULL;
    assert_int_equal(store_reader_open(s->url, &r, NULL), -EPROTONOSUPPORT);
    struct store_writer *w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_string_equal(info.epoch, "00112233445566778899aabbccddeeff");
    assert_int_equal(read_int(s, "user_version", "pragma_user_version"),
                     STORE_SCHEMA_VERSION);
    assert_int_equal(read_int(s, "server_key", "file"), 0);
    assert_told(s, spec, "c", 0, "one=says one/clangd two-/ ");
    store_writer_close(w);
}

static void
test_version_5(void **state)
{
    struct sample *s = *state;
    plant_version(s, version_4);
    plant_version(s, version_5);
    struct store_writer *w = sample_open(s, NULL);
    struct dead_letter *l = letter_of(1, DEAD_PUT_FILE, "a.c", "{}");
    assert_int_equal(read_int(s, "user_version", "pragma_user_version"),
                     STORE_SCHEMA_VERSION);
    assert_int_equal(read_int(s, "server_key", "file"), 17);
    assert_int_equal(count_rows(s, "hover_past"), 1);
    assert_int_equal(count_rows(s, "job") + count_rows(s, "ingest_key"), 0);
    assert_letters(w, "");
    keep_letter(w, l);
    assert_letters(w, "1:put_file:a.c:no room:1001:{} ");
    dead_letter_destroy(l);
    store_writer_close(w);
}

/* Its text index is another one: all of it waits, and is found as before. */
static void
test_version_6(void **state)
{
    struct sample *s = *state;
    plant_version(s, version_4);
    plant_version(s, version_5);
    plant_version(s, version_6);
    struct store_writer *w = sample_open(s, NULL);
    assert_int_equal(read_int(s, "user_version", "pragma_user_version"),
                     STORE_SCHEMA_VERSION);
    assert_int_equal(count_rows(s, "sqlite_schema WHERE name LIKE 'entity_text%'"), 0);
    assert_int_equal(count_rows(s, "file WHERE text_gen=0"), 1);
    assert_letters(w, "7:put_file:b.c:no room:9:{} ");
    assert_jobs(s, w, "j-" JOB_A ":reindex:pending:0:0:0:0:0/0:0:5,0,0,0:{}:-:- ");
    struct store_reader *r = sample_read(s);
    for (int is_indexed = 0; is_indexed < 2; is_indexed++) {
        AUTO(free) char *says = find(r, "says"), *all = find(r, "int");
        assert_string_equal(says, "one");
        assert_string_equal(all, "one three two");
        assert_int_equal(count_rows(s, "text_run"), is_indexed);
        index_all(w);
    }
    /* generations go on: what was given before is not given again */
    assert_int_equal(count_rows(s, "file WHERE text_gen=42"), 1);
    store_reader_close(r);
    store_writer_close(w);
}
