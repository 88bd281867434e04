/* Every statement of the backend, one table row each, so that what the database is asked can be read
 * in one place. Parameters of one kind keep their numbers over statements: an entity's columns are
 * ?1 to ?30 in SQL_ENTITY_ADD and SQL_ENTITY_PUT, a file's ?1 to ?13. */
#include "store/sqlite.h"

#define FILE_COLUMNS                                                                     \
    "f.id,f.path,f.lang,f.state,f.reason,f.size_bytes,f.mtime_ns,f.inode,f.content,"     \
    "f.content_gen,f.text_gen,f.n_entities,f.n_edges"

#define PLACE_COLUMNS(t)                                                                 \
    t "start_line," t "start_col," t "start_utf16," t "end_line," t "end_col," t         \
      "end_utf16," t "start_byte," t "end_byte," t "name_line," t "name_col," t          \
      "name_utf16," t "name_end_line," t "name_end_col," t "name_end_utf16," t           \
      "name_byte," t "name_end_byte"

#define ENTITY_COLUMNS(t)                                                                \
    t "id," t "kind," t "ordinal," t "name," t "qualified," t "signature," t "doc," t    \
      "parent," t "hash," t "rev," PLACE_COLUMNS(t) "," t "hover_state," t               \
                                                    "hover_reason," t "hover_gen," t     \
                                                    "hover_id"

#define ENTITY_SELECT                                                                    \
    "SELECT " ENTITY_COLUMNS("e.") ",h.markdown,h.server FROM entity e "                 \
                                   "LEFT JOIN hover h ON h.id=e.hover_id "

#define FILE_ROWS "BETWEEN (?1<<20) AND (?1<<20)+1048575"

#define EDGE_SELECT "SELECT id,kind,from_slot,target,line,col,utf16 FROM edge "

const char *const sqlite_sql[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_META_PUT] = "INSERT INTO meta(k,v) VALUES(?1,?2) "
                     "ON CONFLICT(k) DO UPDATE SET v=excluded.v",
    [SQL_META_GET] = "SELECT v FROM meta WHERE k=?1",

    [SQL_FILE_BY_PATH] = "SELECT " FILE_COLUMNS " FROM file f WHERE f.path=?1",
    [SQL_FILE_BY_ID] = "SELECT " FILE_COLUMNS " FROM file f WHERE f.id=?1",
    [SQL_FILE_ALL] = "SELECT " FILE_COLUMNS " FROM file f ORDER BY f.path",
    [SQL_FILE_UNASKED] =
        "SELECT " FILE_COLUMNS " FROM file f WHERE f.n_stale>0 OR EXISTS(SELECT 1 FROM "
        "file_unknown u WHERE u.file_id=f.id AND u.reason IN (1,3,4,5,6,7)) ORDER BY "
        "f.path",
    [SQL_FILE_ADD] =
        "INSERT INTO file(path,lang,state,reason,size_bytes,mtime_ns,inode,content,"
        "content_gen,text_gen,n_entities,n_edges) "
        "VALUES(?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    [SQL_FILE_PUT] =
        "UPDATE file SET lang=?3,state=?4,reason=?5,size_bytes=?6,mtime_ns=?7,inode=?8,"
        "content=?9,content_gen=?10,text_gen=?11,n_entities=?12,n_edges=?13 WHERE id=?1",
    [SQL_FILE_TOUCH] = "UPDATE file SET size_bytes=?6,mtime_ns=?7,inode=?8 WHERE id=?1",
    [SQL_FILE_COUNTS_PUT] =
        "UPDATE file SET n_known=?2,n_empty=?3,n_stale=?4 WHERE id=?1",
    [SQL_FILE_DELETE] = "DELETE FROM file WHERE id=?1",
    [SQL_FILE_TEXT_PUT] = "UPDATE file SET text_gen=?2 WHERE id=?1",
    [SQL_FILE_TEXT_WAITING] =
        "SELECT " FILE_COLUMNS
        " FROM file f INDEXED BY file_text_waiting WHERE f.text_gen=0",
    [SQL_UNKNOWN_DELETE] = "DELETE FROM file_unknown WHERE file_id=?1",
    [SQL_UNKNOWN_ADD] = "INSERT INTO file_unknown(file_id,reason,n) VALUES(?1,?2,?3)",

    [SQL_ENTITY_OF_FILE] = ENTITY_SELECT "WHERE e.id " FILE_ROWS
                                         " ORDER BY e.start_byte,e.end_byte DESC,e.id",
    [SQL_ENTITY_BY_ID] = ENTITY_SELECT "WHERE e.id=?1",
    [SQL_ENTITY_BY_NAME] =
        ENTITY_SELECT "WHERE e.id " FILE_ROWS " AND e.kind=?2 AND e.ordinal=?3 AND "
                      "ifnull(e.qualified,e.name)=?4",
    [SQL_ENTITY_WAITING] =
        "SELECT e.id FROM file f INDEXED BY file_text_waiting CROSS JOIN "
        "entity e ON e.id BETWEEN (f.id<<20) AND (f.id<<20)+1048575 "
        "WHERE f.text_gen=0 AND e.name=?1",
    [SQL_ENTITY_NAMES] = "SELECT id,kind,name,qualified FROM entity ORDER BY id",
    [SQL_ENTITY_HOVER_COUNTS] = "SELECT hover_state,hover_reason,hover_gen<>?2,count(*) "
                                "FROM entity WHERE id " FILE_ROWS " GROUP BY 1,2,3",
    [SQL_ENTITY_ADD] = "INSERT INTO entity(" ENTITY_COLUMNS(
        "") ") VALUES("
            "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,"
            "?21,?22,?23,?24,?25,?26,?27,?28,?29,?30)",
    [SQL_ENTITY_PUT] =
        "UPDATE entity SET "
        "kind=?2,ordinal=?3,name=?4,qualified=?5,signature=?6,doc=?7,parent=?8,"
        "hash=?9,rev=?10,start_line=?11,start_col=?12,start_utf16=?13,end_line=?14,end_"
        "col=?15,"
        "end_utf16=?16,start_byte=?17,end_byte=?18,name_line=?19,name_col=?20,name_utf16="
        "?21,"
        "name_end_line=?22,name_end_col=?23,name_end_utf16=?24,name_byte=?25,name_end_"
        "byte=?26,"
        "hover_state=?27,hover_reason=?28,hover_gen=?29,hover_id=?30 WHERE id=?1",
    [SQL_ENTITY_HOVER_PUT] = "UPDATE entity SET rev=?2,hover_state=?3,hover_reason=?4,"
                             "hover_gen=?5,hover_id=?6 WHERE id=?1",
    [SQL_ENTITY_DELETE] = "DELETE FROM entity WHERE id=?1",

    [SQL_HOVER_GET] = "SELECT refs,server,markdown FROM hover WHERE id=?1",
    [SQL_HOVER_ADD] = "INSERT INTO hover(id,refs,server,markdown) VALUES(?1,1,?2,?3)",
    [SQL_HOVER_REFS] = "UPDATE hover SET refs=refs+?2 WHERE id=?1 RETURNING refs",
    [SQL_HOVER_DELETE] = "DELETE FROM hover WHERE id=?1",

    [SQL_EDGE_OF_FILE] = EDGE_SELECT "WHERE id " FILE_ROWS " ORDER BY id",
    [SQL_EDGE_OF_ENTITY] =
        EDGE_SELECT "WHERE id " FILE_ROWS " AND from_slot=?2 ORDER BY id LIMIT ?3",
    [SQL_EDGE_TO] =
        EDGE_SELECT "WHERE id " FILE_ROWS " AND target=?2 ORDER BY id LIMIT ?3",
    [SQL_EDGE_PUT] =
        "INSERT OR REPLACE INTO edge(id,kind,from_slot,target,line,col,utf16) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [SQL_EDGE_DELETE_FROM] = "DELETE FROM edge WHERE id BETWEEN ?1 AND ?2",

    [SQL_EVENT_ADD] =
        "INSERT INTO event(seq,type,ts_ms,subject,data) VALUES(?1,?2,?3,?4,?5)",
    [SQL_EVENT_SINCE] = "SELECT seq,type,ts_ms,subject,data FROM event WHERE seq>?1 "
                        "ORDER BY seq LIMIT ?2",
    [SQL_EVENT_OLDEST] = "SELECT seq,ts_ms,data FROM event ORDER BY seq LIMIT ?1",
    [SQL_EVENT_DELETE] = "DELETE FROM event WHERE seq<=?1",
    [SQL_EVENT_FIRST] = "SELECT min(seq) FROM event",
    [SQL_EVENT_HEAD] = "SELECT seq FROM sqlite_sequence WHERE name='event'",

    [SQL_TEXT_ADD] = "INSERT INTO entity_text(rowid,ident,name,signature,doc,hover) "
                     "VALUES(?1,?2,?3,?4,?5,?6)",
    [SQL_TEXT_CLEAR] = "INSERT INTO entity_text(entity_text) VALUES('delete-all')",
    [SQL_TEXT_CLEAR_FILES] = "UPDATE file SET text_gen=0 WHERE text_gen>0",
    [SQL_TEXT_FIND] =
        "SELECT (f.id<<20)|(t.rowid&1048575),bm25(entity_text,0,10,4,2,1) AS score "
        "FROM entity_text t CROSS JOIN file f ON f.text_gen>0 AND "
        "f.text_gen=(t.rowid>>20) "
        "WHERE entity_text MATCH ?1 ORDER BY score LIMIT ?2",
    [SQL_TEXT_FILES] =
        "SELECT (f.id<<20)|(t.rowid&1048575) FROM entity_text t CROSS JOIN file f "
        "ON f.text_gen>0 AND f.text_gen=(t.rowid>>20) WHERE entity_text MATCH ?1",

    [SQL_COUNT_FILES] = "SELECT state,count(*),sum(n_entities),sum(n_edges),sum(n_known),"
                        "sum(n_empty),sum(n_stale) FROM file GROUP BY state",
    [SQL_COUNT_UNKNOWN] = "SELECT reason,sum(n) FROM file_unknown GROUP BY reason",
};
