/* Order among the matches of the text index. It keeps no positions and no lengths, so bm25() has
 * nothing to go by; the columns a word is found in are known, and enough to choose the candidates
 * whose rows are then looked at closely (sqlite_find.c). Only readers have the function. */
#include "store/sqlite.h"

#include "base/err.h"

/* ident is for exact names only. */
static const int weights[] = {0, WEIGHT_NAME, WEIGHT_SIGNATURE, WEIGHT_DOC, WEIGHT_HOVER};

static void
rank(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *out,
     int n_args UNUSED, sqlite3_value **args UNUSED)
{
    int sum = 0, n = api->xPhraseCount(fts);
    for (int i = 0; i < n; i++) {
        Fts5PhraseIter it;
        int best = 0, column = -1;
        int rc = api->xPhraseFirstColumn(fts, i, &it, &column);
        if (rc != SQLITE_OK) {
            sqlite3_result_error_code(out, rc);
            return;
        }
        for (; column >= 0; api->xPhraseNextColumn(fts, &it, &column)) {
            if ((size_t)column < ARRAY_LEN(weights))
                best = MAX(best, weights[column]);
        }
        sum += best;
    }
    sqlite3_result_int(out, sum);
}

int
sqlite_rank_add(struct sqlite_conn *c)
{
    fts5_api *api = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, "SELECT fts5(?1)", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_pointer(stmt, 1, &api, "fts5_api_ptr", NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    if (rc == SQLITE_ROW)
        rc = api ? api->xCreateFunction(api, "gloss_rank", NULL, rank, NULL)
                 : SQLITE_ERROR;
    return err_trace(sqlite_errno(c, rc));
}
