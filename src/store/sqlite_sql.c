/* Every statement of the backend, one table row each, so that what the database is asked can be read
 * in one place. Parameters of one kind keep their numbers over statements: an entity's columns are
 * ?1 to ?16 in SQL_ENTITY_ADD and SQL_ENTITY_PUT, a file's ?1 to ?14. */
#include "store/sqlite.h"

#define FILE_COLUMNS                                                                     \
    "f.id,f.path,f.lang,f.state,f.reason,f.size_bytes,f.mtime_ns,f.inode,f.content,"     \
    "f.content_gen,f.text_gen,f.n_entities,f.n_edges,f.log_seq,f.server_key"

/* scope NULL: the name itself; text: what stands before ".name"; blob: the whole, as it is. */
#define QUALIFIED                                                                        \
    "CASE typeof(e.scope) WHEN 'text' THEN e.scope||'.'||e.name "                        \
    "WHEN 'blob' THEN CAST(e.scope AS TEXT) ELSE e.name END"

#define ENTITY_SELECT                                                                    \
    "SELECT e.id,e.what,e.name," QUALIFIED ",e.signature,e.doc,e.parent,e.hash,e.rev,"   \
    "e.start,e.extent,e.tail,e.name_at,e.odd,e.hover,e.hover_id,h.markdown,h.server "    \
    "FROM entity e LEFT JOIN hover h ON h.id=e.hover_id "

#define ENTITY_COLUMN_NAMES                                                              \
    "what,name,scope,signature,doc,parent,hash,rev,start,extent,tail,name_at,odd,hover," \
    "hover_id) VALUES"
#define ENTITY_NEXT "INSERT INTO entity(" ENTITY_COLUMN_NAMES
#define ENTITY_ROW "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
#define ENTITY_4_ROWS ENTITY_ROW "," ENTITY_ROW "," ENTITY_ROW "," ENTITY_ROW

#define FILE_ROWS "BETWEEN (?1<<20) AND (?1<<20)+1048575"

/* Reasons for which a hover that is unknown is asked for again. */
#define UNASKED                                                                          \
    "SELECT 1 FROM file_unknown u WHERE u.file_id=f.id AND u.reason IN (1,3,4,5,6,7)"

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
    [SQL_FILE_EACH] = "SELECT " FILE_COLUMNS " FROM file f",
    [SQL_FILE_TWIN] = "SELECT " FILE_COLUMNS
                      ",f.n_known+f.n_empty-f.n_stale FROM file f INDEXED BY file_told "
                      "WHERE f.content=?1 AND f.n_known+f.n_empty>0 AND f.id<>?2 AND "
                      "f.lang=?3 AND f.state=0 "
                      "LIMIT 8",
    [SQL_FILE_UNASKED] = "SELECT " FILE_COLUMNS " FROM file f WHERE f.n_stale>0 OR "
                         "EXISTS(" UNASKED ") ORDER BY EXISTS(" UNASKED ") DESC,f.path",
    [SQL_FILE_ADD] =
        "INSERT INTO file(path,lang,state,reason,size_bytes,mtime_ns,inode,content,"
        "content_gen,text_gen,n_entities,n_edges,log_seq) "
        "VALUES(?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    [SQL_FILE_PUT] =
        "UPDATE file SET lang=?3,state=?4,reason=?5,size_bytes=?6,mtime_ns=?7,inode=?8,"
        "content=?9,content_gen=?10,text_gen=?11,n_entities=?12,n_edges=?13,"
        "log_seq=?14 WHERE id=?1",
    [SQL_FILE_TOUCH] = "UPDATE file SET size_bytes=?6,mtime_ns=?7,inode=?8 WHERE id=?1",
    [SQL_FILE_COUNTS_PUT] =
        "UPDATE file SET n_known=?2,n_empty=?3,n_stale=?4 WHERE id=?1",
    [SQL_FILE_SERVER_PUT] = "UPDATE file SET content_gen=?2,server_key=?3 WHERE id=?1",
    [SQL_FILE_EXPIRE] =
        "UPDATE file SET content_gen=content_gen+1,n_stale=n_known+n_empty WHERE "
        "lang=?1 AND server_key<>?2 AND server_key<>0 AND n_known+n_empty>n_stale",
    [SQL_FILE_ALL_OLD] = "UPDATE file SET mtime_ns=-1", // FILE_MTIME_OTHER_MAKER
    [SQL_FILE_DELETE] = "DELETE FROM file WHERE id=?1",
    [SQL_FILE_TEXT_PUT] = "UPDATE file SET text_gen=?2 WHERE id=?1",
    [SQL_FILE_TEXT_WAITING] =
        "SELECT " FILE_COLUMNS
        " FROM file f INDEXED BY file_text_waiting WHERE f.text_gen=0",
    [SQL_UNKNOWN_DELETE] = "DELETE FROM file_unknown WHERE file_id=?1",
    [SQL_UNKNOWN_ADD] = "INSERT INTO file_unknown(file_id,reason,n) VALUES(?1,?2,?3)",

    [SQL_ENTITY_OF_FILE] = ENTITY_SELECT
    "WHERE e.id " FILE_ROWS " ORDER BY e.extent>>32,e.extent&4294967295 DESC,e.id",
    [SQL_ENTITY_BY_ID] = ENTITY_SELECT "WHERE e.id=?1",
    [SQL_ENTITY_BY_NAME] =
        ENTITY_SELECT "WHERE e.id " FILE_ROWS " AND e.what=?2 AND " QUALIFIED "=?3",
    [SQL_ENTITY_WAITING] =
        "SELECT e.id FROM file f INDEXED BY file_text_waiting CROSS JOIN "
        "entity e ON e.id BETWEEN (f.id<<20) AND (f.id<<20)+1048575 "
        "WHERE f.text_gen=0 AND e.name=?1",
    [SQL_ENTITY_NAMES] =
        "SELECT e.id,e.what&255,e.name," QUALIFIED " FROM entity e ORDER BY e.id",
    [SQL_ENTITY_ADD] = "INSERT INTO entity(id," ENTITY_COLUMN_NAMES
                       "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
    [SQL_ENTITY_ADD_NEXT] = ENTITY_NEXT ENTITY_ROW,
    [SQL_ENTITY_ADD_NEXT_4] = ENTITY_NEXT ENTITY_4_ROWS,
    [SQL_ENTITY_ADD_NEXT_16] =
        ENTITY_NEXT ENTITY_4_ROWS "," ENTITY_4_ROWS "," ENTITY_4_ROWS "," ENTITY_4_ROWS,
    [SQL_ENTITY_PUT] =
        "UPDATE entity SET what=?2,name=?3,scope=?4,signature=?5,doc=?6,parent=?7,"
        "hash=?8,rev=?9,start=?10,extent=?11,tail=?12,name_at=?13,odd=?14,hover=?15,"
        "hover_id=?16 WHERE id=?1",
    [SQL_ENTITY_HOVER_PUT] = "UPDATE entity SET rev=?2,hover=?3,hover_id=?4 WHERE id=?1",
    [SQL_ENTITY_DELETE] = "DELETE FROM entity WHERE id=?1",

    [SQL_HOVER_GET] = "SELECT server,markdown FROM hover WHERE id=?1",
    [SQL_HOVER_ADD] = "INSERT INTO hover(id,refs,server,markdown) VALUES(?1,1,?2,?3)",
    [SQL_HOVER_REFS] = "UPDATE hover SET refs=refs+?2 WHERE id=?1 RETURNING refs",
    [SQL_HOVER_DELETE] = "DELETE FROM hover WHERE id=?1",

    [SQL_PAST_GET] = "SELECT id,server_key,bytes,hovers FROM hover_past WHERE "
                     "content=?1 AND lang=?2",
    [SQL_PAST_OLDEST] = "SELECT id,server_key,bytes,hovers FROM hover_past ORDER BY id "
                        "LIMIT 1",
    [SQL_PAST_EACH] = "SELECT content,lang FROM hover_past ORDER BY id",
    [SQL_PAST_ADD] = "INSERT INTO hover_past(content,lang,server_key,bytes,used_ms,"
                     "hovers) VALUES(?1,?2,?3,?4,?5,?6)",
    [SQL_PAST_DELETE] = "DELETE FROM hover_past WHERE id=?1",

    [SQL_EDGE_OF_FILE] = "SELECT edges FROM edge WHERE file_id=?1",
    [SQL_EDGE_PUT] = "INSERT OR REPLACE INTO edge(file_id,edges) VALUES(?1,?2)",
    [SQL_EDGE_DELETE] = "DELETE FROM edge WHERE file_id=?1",

    [SQL_ONCE_GET] = "SELECT seq FROM ingest_key WHERE key=?1",
    [SQL_ONCE_ADD] = "INSERT INTO ingest_key(key,seq,time_ms) VALUES(?1,?2,?3)",
    [SQL_ONCE_PRUNE] =
        "DELETE FROM ingest_key WHERE time_ms<?1 AND time_ms<=coalesce((SELECT time_ms "
        "FROM ingest_key ORDER BY time_ms LIMIT 1 OFFSET ?2-1),?1)",

    [SQL_EVENT_ADD] =
        "INSERT INTO event(seq,type,ts_ms,subject,data) VALUES(?1,?2,?3,?4,?5)",
    [SQL_EVENT_SINCE] = "SELECT seq,type,ts_ms,subject,data FROM event WHERE seq>?1 "
                        "ORDER BY seq LIMIT ?2",
    [SQL_EVENT_FILL] = "UPDATE event SET data=?2 WHERE seq=?1 AND data=''",
    [SQL_EVENT_OLDEST] = "SELECT seq,ts_ms,length(CAST(subject AS BLOB))+"
                         "length(CAST(data AS BLOB)) FROM event ORDER BY seq LIMIT ?1",
    [SQL_EVENT_DELETE] = "DELETE FROM event WHERE seq<=?1",
    [SQL_EVENT_FIRST] = "SELECT min(seq) FROM event",
    [SQL_EVENT_HEAD] = "SELECT seq FROM sqlite_sequence WHERE name='event'",

    [SQL_TEXT_OF_FILE] = "SELECT id,name,scope,signature,doc,hover_id FROM entity WHERE "
                         "id " FILE_ROWS " ORDER BY id",
    [SQL_TEXT_WAITING] = "SELECT id,n_entities,n_edges FROM file INDEXED BY "
                         "file_text_waiting WHERE text_gen=0 ORDER BY id",
    [SQL_TEXT_CLEAR_FILES] = "UPDATE file SET text_gen=0 WHERE text_gen>0",
    [SQL_FILE_OF_TEXT] = "SELECT id FROM file INDEXED BY file_text_gen WHERE "
                         "text_gen>0 AND text_gen=?1",
    [SQL_RUN_ADD] = "INSERT INTO text_run(id,level,leaves) VALUES(?1,?2,?3)",
    [SQL_RUN_LAST] = "SELECT max(ifnull((SELECT max(id) FROM text_run),0),"
                     "ifnull((SELECT max(id) FROM text_leaf),0)>>20)",
    [SQL_RUN_IS] = "SELECT 1 FROM text_run WHERE id=?1",
    [SQL_RUN_ALL] = "SELECT id,leaves FROM text_run ORDER BY id",
    [SQL_RUN_OF_LEVEL] =
        "SELECT id,length(leaves) FROM text_run WHERE level=?1 ORDER BY id",
    [SQL_RUN_FULL_LEVEL] = "SELECT level FROM text_run GROUP BY level "
                           "HAVING count(*)>=?1 ORDER BY level LIMIT 1",
    [SQL_RUN_DELETE] = "DELETE FROM text_run WHERE id=?1",
    [SQL_RUN_CLEAR] = "DELETE FROM text_run",
    [SQL_LEAF_ADD] = "INSERT INTO text_leaf(id,words) VALUES(?1,?2)",
    [SQL_LEAF_GET] = "SELECT words FROM text_leaf WHERE id=?1",
    [SQL_LEAF_NEXT] = "SELECT id FROM text_leaf WHERE id>=?1 ORDER BY id LIMIT 1",
    [SQL_LEAF_DELETE] = "DELETE FROM text_leaf WHERE id BETWEEN ?1 AND ?2",
    [SQL_LEAF_CLEAR] = "DELETE FROM text_leaf",

    [SQL_COUNT_FILES] = "SELECT state,count(*),sum(n_entities),sum(n_edges),sum(n_known),"
                        "sum(n_empty),sum(n_stale) FROM file GROUP BY state",
    [SQL_COUNT_UNKNOWN] = "SELECT reason,sum(n) FROM file_unknown GROUP BY reason",
};
