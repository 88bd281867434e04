/* What the text index finds. A file with text_gen above 0 has all its rows in it and they are of what it is
 * now, see postgres_text.c, so nothing that is found has to be looked at for that. */
#include "store/postgres_reader.h"

#define RANKS_OF_A_WEIGHT 1000.0 // a rank is a whole number

static int
find_ids(struct postgres_tables *p, enum postgres_sql which, struct str second,
         struct found_list *list)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, second);
    int r = postgres_query(&p->c, which, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows) && list->n < FOUND_MAX; i++)
        *vec_push(list) = (struct found){.id = postgres_int(rows, i, 0)};
    return r;
}

static int
find_ident(struct postgres_tables *p, char mark, struct str name, struct found_list *list)
{
    AUTO(buf_finish) struct buf query = {0};
    postgres_ident(&query, mark, name);
    return find_ids(p, PG_TEXT_IDENT, buf_str(&query), list);
}

int
postgres_find_named(struct store_reader *r, struct str name, struct found_list *list)
{
    struct postgres_tables *p = &postgres_reader_of(r)->p;
    int e = find_ident(p, 'n', name, list);
    return e < 0 ? e : find_ids(p, PG_ENTITY_WAITING, name, list);
}

int
postgres_find_callers(struct store_reader *r, struct str name, struct found_list *list)
{
    return find_ident(&postgres_reader_of(r)->p, 'c', name, list);
}

/* 'run':* & 'loop':*, or nothing when no word can be asked for. */
static void
write_query(struct buf *b, const struct words *words, bool *ret_is_all)
{
    *ret_is_all = true;
    for (size_t i = 0; i < words->n; i++) {
        struct str word = postgres_lexeme(words->v[i]);
        *ret_is_all = *ret_is_all && word.n == words->v[i].n;
        if (word.n == 0)
            continue;
        buf_add_cstr(b, b->n > 0 ? " & '" : "'");
        words_fold(b, word);
        buf_add_cstr(b, words->v[i].n == 1 ? "'" : "':*"); // a letter stands for itself
    }
}

int
postgres_find_words(struct store_reader *r, const struct words *words, size_t limit,
                    struct found_list *list, bool *ret_is_sure)
{
    struct postgres_tables *p = &postgres_reader_of(r)->p;
    AUTO(buf_finish) struct buf query = {0};
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    write_query(&query, words, ret_is_sure);
    if (query.n == 0)
        return 0;
    limit = MIN(MAX(limit, (size_t)CANDIDATES_MAX), (size_t)FOUND_MAX);
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, buf_str(&query));
    postgres_arg_int(&args, (int64_t)limit);
    int e = postgres_query(&p->c, PG_TEXT_FIND, &args, rows);
    for (int i = 0; e == 0 && i < postgres_count(rows); i++) {
        double rank = (double)postgres_int(rows, i, 1) + 1;
        *vec_push(list) =
            (struct found){postgres_int(rows, i, 0), rank / RANKS_OF_A_WEIGHT};
    }
    return e;
}
