#pragma once
/* Files and entities in the columns of their tables. Inside of the SQLite backend; whoever holds the
 * handle. */
#include "store/sqlite_conn.h"

#define FILE_COLUMN_COUNT 15 // of sqlite_file_read()
#define ENTITY_COLUMNS 15    // of a row, behind its id

/* Strings go into the arena; with NULL they are views until the next step. -EBADMSG. */
int sqlite_file_read(sqlite3_stmt *stmt, struct arena *a, struct file_stored *ret_file);
int sqlite_entity_read(sqlite3_stmt *stmt, struct arena *a,
                       struct entity_stored *ret_entity);
/* All columns but the id, in the order of SQL_ENTITY_ADD, to parameter i and those behind it. */
void sqlite_entity_bind(sqlite3_stmt *stmt, int i, const struct entity_stored *s);
void sqlite_hover_bind(sqlite3_stmt *stmt, int first, const struct entity_stored *s);
/* The row that a statement stands on: id, server_key, bytes, hovers. */
void sqlite_past_read(sqlite3_stmt *stmt, struct arena *a, struct past_row *ret_row);

extern const struct table_reads sqlite_table_reads;
