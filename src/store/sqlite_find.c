/* What the text index finds: names and targets through the column ident, words through the others. What is
 * of a file that changed since is of a text_gen that no file has. */
#include "base/err.h"
#include "base/utf.h"
#include "store/sqlite.h"

/* ---- exact names, through the column ident ---- */

static int
add_found(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt,
          struct found_list *list)
{
    int r = 0;
    while (list->n < FOUND_MAX && (r = sqlite_step(c, stmt)) > 0)
        *vec_push(list) = (struct found){.id = sqlite3_column_int64(stmt, 0)};
    sqlite_put(c, which, stmt);
    return MIN(r, 0);
}

static int
find_ident(struct sqlite_conn *c, char mark, struct str name, struct found_list *list)
{
    char match[32], ident[IDENT_BYTES];
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_TEXT_FILES, &stmt);
    if (r < 0)
        return r;
    words_ident(mark, name, ident);
    snprintf(match, sizeof(match), "ident : \"%s\"", ident);
    sqlite_bind_str(stmt, 1, str_of(match));
    return add_found(c, SQL_TEXT_FILES, stmt, list);
}

int
sqlite_find_named(struct store_reader *r, struct str name, struct found_list *list)
{
    struct sqlite_conn *c = &sqlite_reader_of(r)->c;
    sqlite3_stmt *stmt = NULL;
    int e = find_ident(c, 'n', name, list);
    if (e == 0)
        e = sqlite_get(c, SQL_ENTITY_WAITING, &stmt);
    if (e < 0)
        return e;
    sqlite_bind_str(stmt, 1, name);
    return add_found(c, SQL_ENTITY_WAITING, stmt, list);
}

int
sqlite_find_callers(struct store_reader *r, struct str name, struct found_list *list)
{
    return find_ident(&sqlite_reader_of(r)->c, 'c', name, list);
}

/* ---- words ---- */

/* Letters and digits of scripts that write without marks of their own kind between the letters. */
static bool
is_sure(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x24F},    {0x388, 0x3CE},
        {0x400, 0x481},   {0x48A, 0x527},   {0x5D0, 0x5EA},   {0x620, 0x64A},
        {0x3041, 0x3096}, {0x30A1, 0x30FA}, {0x3400, 0x4DB5}, {0x4E00, 0x9FA5},
        {0xAC00, 0xD7A3},
    };
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return c != 0x38B && c != 0x38D && c != 0x3A2;
    return false;
}

/* Its beginning, perhaps empty, that surely is one word to the text index, too: what that cuts in two is a
 * phrase, which an index without places refuses. */
static struct str
sure_part(struct str word)
{
    size_t at = 0, n;
    for (uint32_t c = 0; at < word.n; at += n) {
        n = utf8_decode(str_slice(word.p + at, word.n - at), &c);
        if (!is_sure(c))
            break;
    }
    return str_slice(word.p, at);
}

/* {name signature doc hover} : ("run"* AND "loop"*), or nothing when no word is sure. */
static void
write_match(struct buf *b, const struct words *words, bool *ret_is_all)
{
    size_t n = 0;
    *ret_is_all = true;
    for (size_t i = 0; i < words->n; i++) {
        struct str sure = sure_part(words->v[i]);
        *ret_is_all = *ret_is_all && sure.n == words->v[i].n;
        bool is_letter = sure.n == 1 && words->v[i].n == 1; // stands for itself
        if (sure.n > 0)
            buf_printf(b, "%s\"%.*s\"%s",
                       n++ > 0 ? " AND " : "{name signature doc hover} : (",
                       STR_ARG(sure), is_letter ? "" : "*");
    }
    if (n > 0)
        buf_add_char(b, ')');
}

int
sqlite_find_words(struct store_reader *r, const struct words *words, size_t limit,
                  struct found_list *list, bool *ret_is_sure)
{
    struct sqlite_conn *c = &sqlite_reader_of(r)->c;
    AUTO(buf_finish) struct buf match = {0};
    sqlite3_stmt *stmt = NULL;
    write_match(&match, words, ret_is_sure);
    if (match.n == 0)
        return 0;
    int e = sqlite_get(c, SQL_TEXT_FIND, &stmt);
    if (e < 0)
        return e;
    sqlite_bind_str(stmt, 1, buf_str(&match));
    limit = MIN(MAX(limit, (size_t)CANDIDATES_MAX), (size_t)FOUND_MAX);
    sqlite3_bind_int64(stmt, 2, (int64_t)limit);
    while ((e = sqlite_step(c, stmt)) > 0)
        *vec_push(list) = (struct found){.id = sqlite3_column_int64(stmt, 0),
                                         .score = sqlite3_column_double(stmt, 1)};
    sqlite_put(c, SQL_TEXT_FIND, stmt);
    return e;
}
