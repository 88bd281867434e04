/* Every statement of the backend, one table row each. Ids say whose a row is: a file's id is
 * WORKSPACE << 28 | number, an entity's FILE << 20 | slot, so that all of a workspace, and all of a file,
 * is one range of the primary key and rows need no column for it. */
#include "store/postgres_sql.h"

#include "store/jobs.h"

#define FILE_COLUMNS                                                                     \
    "f.id,f.path,f.lang,f.state,f.reason,f.size_bytes,f.mtime_ns,f.inode,f.content,"     \
    "f.content_gen,f.text_gen,f.n_entities,f.n_edges,f.log_seq,f.server_key"

#define ENTITY_SELECT                                                                    \
    "SELECT e.id,e.what,e.name,e.qualified,e.signature,e.doc,e.parent,e.hash,e.rev,"     \
    "e.places,e.hover,e.hover_id,h.markdown,h.server FROM gloss.entity e "               \
    "LEFT JOIN gloss.hover h ON h.ws=(e.id>>48) AND h.id=e.hover_id "

/* Reasons for which a hover that is unknown is asked for again. */
#define UNASKED                                                                          \
    "EXISTS(SELECT 1 FROM gloss.unknown u WHERE u.file_id=f.id AND "                     \
    "u.reason IN (1,3,4,5,6,7))"

#define FILE_ROWS ">=($1::bigint<<20) AND e.id<(($1::bigint+1)<<20)"
#define OF_WORKSPACE(id)                                                                 \
    id ">=($1::bigint<<48) AND " id "<=(($1::bigint<<48)|281474976710655)"

const char *const postgres_sql[PG_STATEMENTS] = {
    [PG_BEGIN] = "BEGIN",
    [PG_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    [PG_COMMIT] = "COMMIT",
    [PG_ROLLBACK] = "ROLLBACK",
    [PG_SIZE] = "SELECT pg_database_size(current_database())",

    [PG_VERSION] = "SELECT max(version)::bigint FROM gloss.version",
    [PG_WORKSPACE_LOCK] =
        "SELECT pg_try_advisory_lock(1196183347,$1::text::integer)::integer",
    [PG_WORKSPACE_ADD] = "INSERT INTO gloss.workspace(name) VALUES($1) "
                         "ON CONFLICT(name) DO NOTHING",
    [PG_WORKSPACE_FIND] = "SELECT id FROM gloss.workspace WHERE name=$1",
    [PG_WORKSPACE_ALL] = "SELECT id,name FROM gloss.workspace ORDER BY id LIMIT 2",
    [PG_WORKSPACE_GET] = "SELECT head,n_commits,last_file_id,last_past_id FROM "
                         "gloss.workspace WHERE id=$1",
    [PG_WORKSPACE_PUT] =
        "UPDATE gloss.workspace SET head=$2,n_commits=$3,last_file_id=$4,"
        "last_past_id=$5 WHERE id=$1",
    [PG_NOTIFY] = "SELECT "
                  "set_config('synchronous_commit','off',true),pg_notify('gloss',$1::"
                  "bigint||' '||$2::bigint)",
    [PG_META_GET] = "SELECT v FROM gloss.meta WHERE ws=$1 AND k=$2",
    [PG_META_PUT] = "INSERT INTO gloss.meta(ws,k,v) VALUES($1,$2,$3) "
                    "ON CONFLICT(ws,k) DO UPDATE SET v=excluded.v",

    [PG_FILE_BY_PATH] = "SELECT " FILE_COLUMNS " FROM gloss.file f WHERE f.ws=$1 AND "
                        "f.path_hash=$2 AND f.path=$3",
    [PG_FILE_BY_ID] = "SELECT " FILE_COLUMNS " FROM gloss.file f WHERE f.id=$1",
    [PG_FILE_IDS] = "SELECT f.id FROM gloss.file f WHERE f.ws=$1 ORDER BY f.path",
    [PG_FILE_PAGE] =
        "SELECT " FILE_COLUMNS " FROM gloss.file f WHERE f.id>$1 AND f.id<=$2 "
        "ORDER BY f.id LIMIT $3",
    [PG_FILE_KNOWN] = "SELECT f.id,f.path_hash,CASE WHEN f.n_known+f.n_empty>0 THEN "
                      "f.content END FROM gloss.file f WHERE f.id>$1 AND f.id<=$2 "
                      "ORDER BY f.id LIMIT $3",
    [PG_FILE_TWIN] =
        "SELECT " FILE_COLUMNS ",f.n_known+f.n_empty-f.n_stale FROM (SELECT * FROM "
        "gloss.file WHERE ws=$1 AND content=$2 AND n_known+n_empty>0 AND id<>$3 AND "
        "lang=$4 AND state=0 LIMIT 8) f ORDER BY f.n_known+f.n_empty-f.n_stale DESC "
        "LIMIT 1",
    [PG_FILE_UNASKED] = "SELECT " FILE_COLUMNS " FROM gloss.file f WHERE f.ws=$1 AND "
                        "(f.n_stale>0 OR " UNASKED ") ORDER BY " UNASKED " DESC,f.path",
    [PG_FILE_ADD] =
        "INSERT INTO "
        "gloss.file(id,ws,path_hash,path,lang,state,reason,size_bytes,mtime_ns,"
        "inode,content,content_gen,text_gen,n_entities,n_edges,log_seq,server_key) "
        "VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)",
    [PG_FILE_PUT] =
        "UPDATE gloss.file SET lang=$2,state=$3,reason=$4,size_bytes=$5,mtime_ns=$6,"
        "inode=$7,content=$8,content_gen=$9,text_gen=$10,n_entities=$11,n_edges=$12,"
        "log_seq=$13 WHERE id=$1",
    [PG_FILE_TOUCH] =
        "UPDATE gloss.file SET size_bytes=$2,mtime_ns=$3,inode=$4 WHERE id=$1",
    [PG_FILE_COUNTS_PUT] =
        "UPDATE gloss.file SET n_known=$2,n_empty=$3,n_stale=$4 WHERE id=$1",
    [PG_FILE_SERVER_PUT] =
        "UPDATE gloss.file SET content_gen=$2,server_key=$3 WHERE id=$1",
    [PG_FILE_EXPIRE] =
        "UPDATE gloss.file SET content_gen=content_gen+1,n_stale=n_known+n_empty WHERE "
        "ws=$1 AND lang=$2 AND server_key<>$3 AND server_key<>0 AND "
        "n_known+n_empty>n_stale",
    [PG_FILE_ALL_OLD] = "UPDATE gloss.file SET mtime_ns=-1 WHERE ws=$1",
    [PG_FILE_DELETE] = "DELETE FROM gloss.file WHERE id=$1",
    [PG_FILE_TEXT_PUT] = "UPDATE gloss.file SET text_gen=$2 WHERE id=$1",
    [PG_FILE_TEXT_WAITING] =
        "SELECT " FILE_COLUMNS " FROM gloss.file f WHERE f.ws=$1 AND "
        "f.text_gen=0 AND f.id>$2 ORDER BY f.id LIMIT $3",
    [PG_UNKNOWN_DELETE] = "DELETE FROM gloss.unknown WHERE file_id=$1",
    [PG_UNKNOWN_ADD] = "INSERT INTO gloss.unknown(file_id,reason,n) VALUES($1,$2,$3)",

    [PG_ENTITY_OF_FILE] = ENTITY_SELECT "WHERE e.id" FILE_ROWS " ORDER BY e.id",
    [PG_ENTITY_BY_ID] = ENTITY_SELECT "WHERE e.id=$1",
    [PG_ENTITY_BY_NAME] = ENTITY_SELECT
    "WHERE e.id" FILE_ROWS " AND e.what=$2 AND coalesce(e.qualified,e.name)=$3",
    [PG_ENTITY_WAITING] =
        "SELECT e.id FROM gloss.file f JOIN gloss.entity e ON e.id>=(f.id<<20) AND "
        "e.id<((f.id+1)<<20) WHERE f.ws=$1 AND f.text_gen=0 AND e.name=$2",
    [PG_ENTITY_NAMES] =
        "SELECT e.id,e.what,e.name,coalesce(e.qualified,e.name),f.path,f.lang FROM "
        "(SELECT "
        "* FROM gloss.entity WHERE id>$1 AND id<=$2 ORDER BY id LIMIT $3) e JOIN "
        "gloss.file f ON f.id=(e.id>>20) ORDER BY e.id",
    [PG_ENTITY_ADD] =
        "INSERT INTO gloss.entity(id,what,name,qualified,signature,doc,parent,hash,rev,"
        "places,hover,hover_id) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
    [PG_ENTITY_PUT] =
        "UPDATE gloss.entity SET what=$2,name=$3,qualified=$4,signature=$5,doc=$6,"
        "parent=$7,hash=$8,rev=$9,places=$10,hover=$11,hover_id=$12 WHERE id=$1",
    [PG_ENTITY_HOVER_PUT] =
        "UPDATE gloss.entity SET rev=$2,hover=$3,hover_id=$4 WHERE id=$1",
    [PG_ENTITY_DELETE] = "DELETE FROM gloss.entity WHERE id=$1",

    [PG_HOVER_GET] = "SELECT markdown,server FROM gloss.hover WHERE ws=$1 AND id=$2",
    [PG_HOVER_ADD] =
        "INSERT INTO gloss.hover(ws,id,refs,server,markdown) VALUES($1,$2,1,$3,$4)",
    [PG_HOVER_REFS] = "UPDATE gloss.hover SET refs=refs+$3 WHERE ws=$1 AND id=$2",
    [PG_HOVER_DELETE] = "DELETE FROM gloss.hover WHERE ws=$1 AND id=$2 AND refs<=0",

    [PG_PAST_GET] = "SELECT id,content,lang,server_key,bytes,used_ms,hovers FROM "
                    "gloss.past WHERE ws=$1 AND content=$2 AND lang=$3",
    [PG_PAST_OLDEST] = "SELECT id,content,lang,server_key,bytes,used_ms,hovers FROM "
                       "gloss.past WHERE ws=$1 ORDER BY id LIMIT 1",
    [PG_PAST_ADD] = "INSERT INTO gloss.past(ws,id,content,lang,server_key,bytes,used_ms,"
                    "hovers) VALUES($1,$2,$3,$4,$5,$6,$7,$8)",
    [PG_PAST_DELETE] = "DELETE FROM gloss.past WHERE ws=$1 AND id=$2",

    [PG_PAST_EACH] = "SELECT content,lang FROM gloss.past WHERE ws=$1 ORDER BY id",

    [PG_LETTER_PUT] =
        "INSERT INTO gloss.dead_letter(ws,id,what,path,error,payload,time_ms) "
        "VALUES($1,$2,$3,$4,$5,$6,$7) ON CONFLICT(ws,id) DO UPDATE SET "
        "what=excluded.what,path=excluded.path,error=excluded.error,"
        "payload=excluded.payload,time_ms=excluded.time_ms",
    [PG_LETTER_EACH] = "SELECT what,path,error,payload,id,time_ms FROM gloss.dead_letter "
                       "WHERE ws=$1 ORDER BY id",
    [PG_LETTER_DELETE] = "DELETE FROM gloss.dead_letter WHERE ws=$1 AND id=$2",

    [PG_JOB_PUT] =
        "INSERT INTO gloss.job(ws," JOB_COLUMNS ") VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,"
        "$11,$12,$13,$14,$15,$16,$17,$18) ON CONFLICT(ws,id) DO UPDATE SET "
        "state=excluded.state,request=excluded.request,result=excluded.result,"
        "error=excluded.error,priority=excluded.priority,attempts=excluded.attempts,"
        "failures=excluded.failures,runs=excluded.runs,done=excluded.done,"
        "total=excluded.total,run_at_ms=excluded.run_at_ms,"
        "started_ms=excluded.started_ms,ended_ms=excluded.ended_ms",
    [PG_JOB_EACH] = "SELECT " JOB_COLUMNS " FROM gloss.job WHERE ws=$1",
    [PG_JOB_DELETE] = "DELETE FROM gloss.job WHERE ws=$1 AND id=$2",

    [PG_EDGE_OF_FILE] = "SELECT edges FROM gloss.edge WHERE file_id=$1",
    [PG_EDGE_ADD] = "INSERT INTO gloss.edge(file_id,edges) VALUES($1,$2)",
    [PG_EDGE_DELETE] = "DELETE FROM gloss.edge WHERE file_id=$1",

    [PG_ONCE_GET] = "SELECT seq FROM gloss.ingest_key WHERE ws=$1 AND k=$2",
    [PG_ONCE_ADD] = "INSERT INTO gloss.ingest_key(ws,k,seq,time_ms) VALUES($1,$2,$3,$4)",
    [PG_ONCE_PRUNE] =
        "DELETE FROM gloss.ingest_key WHERE ws=$1 AND time_ms<$2 AND time_ms<=coalesce("
        "(SELECT time_ms FROM gloss.ingest_key WHERE ws=$1 ORDER BY time_ms LIMIT 1 "
        "OFFSET $3::bigint-1),$2)",

    [PG_EVENT_ADD] = "INSERT INTO gloss.event(ws,seq,type,ts_ms,subject,data) "
                     "VALUES($1,$2,$3,$4,$5,$6)",
    [PG_EVENT_SINCE] = "SELECT seq,type,ts_ms,subject,data FROM gloss.event WHERE ws=$1 "
                       "AND seq>$2 ORDER BY seq LIMIT $3",
    [PG_EVENT_FILL] =
        "UPDATE gloss.event SET data=$3 WHERE ws=$1 AND seq=$2 AND length(data)=0",
    [PG_EVENT_OLDEST] = "SELECT seq,ts_ms,(length(subject)+length(data))::bigint FROM "
                        "gloss.event WHERE ws=$1 ORDER BY seq LIMIT $2",
    [PG_EVENT_DELETE] = "DELETE FROM gloss.event WHERE ws=$1 AND seq<=$2",
    [PG_EVENT_ENDS] = "SELECT (SELECT min(seq) FROM gloss.event WHERE ws=$1),head FROM "
                      "gloss.workspace WHERE id=$1",

    [PG_TEXT_ADD] = "INSERT INTO gloss.text(id,words) VALUES($1,$2::text::tsvector)",
    [PG_TEXT_DELETE] = "DELETE FROM gloss.text e WHERE e.id" FILE_ROWS,
    [PG_TEXT_FIND] =
        "WITH t AS MATERIALIZED (SELECT id,words FROM gloss.text WHERE words @@ "
        "$2::text::tsquery) SELECT t.id,(1000*ts_rank('{0.1,0.2,0.4,1}',t.words,"
        "$2::text::tsquery))::bigint AS score FROM t WHERE " OF_WORKSPACE(
            "t.id") " ORDER BY score DESC,t.id LIMIT $3",
    [PG_TEXT_IDENT] = "WITH t AS MATERIALIZED (SELECT id FROM gloss.text WHERE words @@ "
                      "$2::text::tsquery) SELECT t.id FROM t WHERE " OF_WORKSPACE("t.id"),

    [PG_COUNT_FILES] =
        "SELECT state,count(*),sum(n_entities)::bigint,sum(n_edges)::bigint,"
        "sum(n_known)::bigint,sum(n_empty)::bigint,sum(n_stale)::bigint FROM gloss.file "
        "WHERE ws=$1 GROUP BY state",
    [PG_COUNT_UNKNOWN] = "SELECT u.reason,sum(u.n)::bigint FROM gloss.unknown u WHERE "
                         "u.file_id>=($1::bigint"
                         "<<28) AND u.file_id<(($1::bigint+1)<<28) GROUP BY u.reason",
};
