/* The schema as numbered steps, each SQL text: step n leads from user_version n-1 to n. A step is
 * never edited once it was released; the next change is the next step. What the tables mean for
 * those who read the file themselves is in docs/SCHEMA.md. */
#include "store/sqlite.h"

#include "base/err.h"

/* Rows of one file lie together (SLOT_BITS), and no index is on text or its hash: with random order
 * each commit rewrites a page per row. 500,000 entities and 1,000,000 edges with their events, batches
 * of 1,000, RAM disk: 166,000 entities/s as it is, 43,000 with an index on entity.name, 19,000 with
 * one on edge.target as well. Look-ups by name go through the text index, which merges sorted runs. */
static const char step_1[] =
    "CREATE TABLE meta(k TEXT PRIMARY KEY, v TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE file(id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE,"
    " lang TEXT NOT NULL, state INTEGER NOT NULL, reason INTEGER NOT NULL,"
    " size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,"
    " content BLOB, content_gen INTEGER NOT NULL, text_gen INTEGER NOT NULL,"
    " n_entities INTEGER NOT NULL, n_edges INTEGER NOT NULL, n_known INTEGER NOT NULL "
    "DEFAULT 0,"
    " n_empty INTEGER NOT NULL DEFAULT 0, n_stale INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE UNIQUE INDEX file_text_gen ON file(text_gen) WHERE text_gen>0;"
    "CREATE INDEX file_text_waiting ON file(text_gen) WHERE text_gen=0;"
    "CREATE TABLE file_unknown(file_id INTEGER NOT NULL, reason INTEGER NOT NULL,"
    " n INTEGER NOT NULL, PRIMARY KEY(file_id,reason)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE entity(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, ordinal INTEGER "
    "NOT NULL,"
    " name TEXT NOT NULL, qualified TEXT, signature TEXT, doc TEXT, parent INTEGER,"
    " hash INTEGER NOT NULL, rev INTEGER NOT NULL,"
    " start_line INTEGER NOT NULL, start_col INTEGER NOT NULL, start_utf16 INTEGER,"
    " end_line INTEGER NOT NULL, end_col INTEGER NOT NULL, end_utf16 INTEGER,"
    " start_byte INTEGER NOT NULL, end_byte INTEGER NOT NULL,"
    " name_line INTEGER NOT NULL, name_col INTEGER NOT NULL, name_utf16 INTEGER,"
    " name_end_line INTEGER NOT NULL, name_end_col INTEGER NOT NULL, name_end_utf16 "
    "INTEGER,"
    " name_byte INTEGER NOT NULL, name_end_byte INTEGER NOT NULL,"
    " hover_state INTEGER NOT NULL, hover_reason INTEGER NOT NULL, hover_gen INTEGER NOT "
    "NULL,"
    " hover_id INTEGER) STRICT;"
    "CREATE TABLE edge(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, from_slot INTEGER,"
    " target TEXT NOT NULL, line INTEGER NOT NULL, col INTEGER NOT NULL, utf16 INTEGER) "
    "STRICT;"
    "CREATE TABLE hover(id INTEGER PRIMARY KEY, refs INTEGER NOT NULL, server TEXT NOT "
    "NULL,"
    " markdown TEXT NOT NULL) STRICT;"
    "CREATE TABLE event(seq INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER NOT NULL,"
    " ts_ms INTEGER NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL) STRICT;"
    "CREATE TABLE code(domain TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,"
    " short TEXT NOT NULL, PRIMARY KEY(domain,id)) STRICT, WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE entity_text USING "
    "fts5(ident,name,signature,doc,hover,content='',"
    " tokenize='unicode61 remove_diacritics 0');"

    "CREATE VIEW v_file AS SELECT f.id,f.path,f.lang,s.name AS state,r.name AS reason,"
    " f.size_bytes,f.mtime_ns,hex(f.content) AS content,f.n_entities,f.n_edges,f.n_known,"
    " f.n_empty,f.n_stale FROM file f JOIN code s ON s.domain='file_state' AND "
    "s.id=f.state"
    " JOIN code r ON r.domain='file_reason' AND r.id=f.reason;"
    "CREATE VIEW v_entity AS SELECT e.id, f.lang||':'||k.short||':'||f.path||'#'||"
    " ifnull(e.qualified,e.name)||iif(e.ordinal>1,'~'||e.ordinal,'') AS key,"
    " f.path, f.lang, k.name AS kind, e.name, ifnull(e.qualified,e.name) AS "
    "qualified_name,"
    " (e.id & ~1048575)|e.parent AS parent_id, ifnull(e.signature,'') AS signature,"
    " ifnull(e.doc,'') AS doc, e.start_line, ifnull(e.start_utf16,e.start_col) AS "
    "start_character,"
    " e.end_line, ifnull(e.end_utf16,e.end_col) AS end_character, e.name_line,"
    " ifnull(e.name_utf16,e.name_col) AS name_character, s.name AS hover_state,"
    " r.name AS hover_reason, e.hover_state<>0 AND e.hover_gen<>f.content_gen AS "
    "hover_stale,"
    " h.markdown AS hover, h.server AS hover_server, e.rev"
    " FROM entity e JOIN file f ON f.id=e.id>>20"
    " JOIN code k ON k.domain='entity_kind' AND k.id=e.kind"
    " JOIN code s ON s.domain='hover_state' AND s.id=e.hover_state"
    " JOIN code r ON r.domain='hover_reason' AND r.id=e.hover_reason"
    " LEFT JOIN hover h ON h.id=e.hover_id;"
    "CREATE VIEW v_edge AS SELECT k.name AS kind, f.path,"
    " (g.id & ~1048575)|g.from_slot AS from_id, g.target, g.line,"
    " ifnull(g.utf16,g.col) AS character FROM edge g JOIN file f ON f.id=g.id>>20"
    " JOIN code k ON k.domain='edge_kind' AND k.id=g.kind;"
    "CREATE VIEW v_event AS SELECT v.seq, t.name AS type, v.ts_ms, v.subject, v.data"
    " FROM event v JOIN code t ON t.domain='event_type' AND t.id=v.type;";

/* Half the size of the first: a file's first row of the log says nothing that its rows do not say
 * (data ''), places count from the definition's start and what follows from them is left out, and
 * edges of a file to one name share a row. */
static const char step_2_entity[] =
    "DROP VIEW v_entity; DROP VIEW v_edge; DROP VIEW v_event;"
    "ALTER TABLE file ADD COLUMN log_seq INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX file_known ON file(content) WHERE n_known>0;"
    "CREATE TABLE entity_2(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " ordinal INTEGER NOT NULL, name TEXT NOT NULL, scope ANY, signature TEXT, doc TEXT,"
    " parent INTEGER, hash INTEGER NOT NULL, rev INTEGER NOT NULL,"
    " start_line INTEGER NOT NULL, start_col INTEGER NOT NULL, start_byte INTEGER NOT "
    "NULL, n_lines INTEGER NOT NULL, end_col INTEGER NOT NULL, n_bytes INTEGER NOT NULL,"
    " name_down INTEGER NOT NULL, name_col INTEGER NOT NULL, name_at INTEGER, odd TEXT,"
    " hover_state INTEGER NOT NULL, hover_reason INTEGER NOT NULL,"
    " hover_gen INTEGER NOT NULL, hover_id INTEGER) STRICT;"
    "INSERT INTO entity_2 SELECT id,kind,ordinal,name,CASE WHEN qualified IS NULL THEN "
    "NULL WHEN length(qualified)>length(name)+1 AND"
    " substr(qualified,-length(name)-1)='.'||name THEN"
    " substr(qualified,1,length(qualified)-length(name)-1)"
    " ELSE CAST(qualified AS BLOB) END,"
    " signature,doc,parent,hash,rev,start_line,start_col,start_byte,end_line-start_line,"
    " end_col,end_byte-start_byte,name_line-start_line,name_col,"
    " iif(name_line=start_line AND name_byte-start_byte=name_col-start_col,NULL,"
    " name_byte-start_byte),"
    " iif(start_utf16 IS NULL AND end_utf16 IS NULL AND name_utf16 IS NULL AND"
    " name_end_utf16 IS NULL AND name_end_line=name_line AND"
    " name_end_col=name_col+length(CAST(name AS BLOB)) AND"
    " name_end_byte=name_byte+length(CAST(name AS BLOB)),NULL,"
    " json_array(ifnull(start_utf16,start_col),ifnull(end_utf16,end_col),"
    " ifnull(name_utf16,name_col),name_end_line,name_end_col,"
    " ifnull(name_end_utf16,name_end_col),name_end_byte)),"
    " hover_state,hover_reason,hover_gen,hover_id FROM entity;"
    "DROP TABLE entity; ALTER TABLE entity_2 RENAME TO entity;"
    "CREATE VIEW v_entity AS SELECT e.id, f.lang||':'||k.short||':'||f.path||'#'||"
    " CASE typeof(e.scope) WHEN 'text' THEN e.scope||'.'||e.name WHEN 'blob' THEN"
    " CAST(e.scope AS TEXT) ELSE e.name END||iif(e.ordinal>1,'~'||e.ordinal,'') AS key,"
    " f.path, f.lang, k.name AS kind, e.name, CASE typeof(e.scope) WHEN 'text' THEN"
    " e.scope||'.'||e.name WHEN 'blob' THEN CAST(e.scope AS TEXT) ELSE e.name END AS"
    " qualified_name,"
    " (e.id & ~1048575)|e.parent AS parent_id, ifnull(e.signature,'') AS signature,"
    " ifnull(e.doc,'') AS doc, e.start_line,"
    " ifnull(json_extract(e.odd,'$[0]'),e.start_col) AS start_character,"
    " e.start_line+e.n_lines AS end_line,"
    " ifnull(json_extract(e.odd,'$[1]'),e.end_col) AS end_character,"
    " e.start_line+e.name_down AS name_line,"
    " ifnull(json_extract(e.odd,'$[2]'),e.name_col) AS name_character,"
    " s.name AS hover_state,"
    " r.name AS hover_reason, e.hover_state<>0 AND e.hover_gen<>f.content_gen AS "
    "hover_stale,"
    " h.markdown AS hover, h.server AS hover_server, e.rev"
    " FROM entity e JOIN file f ON f.id=e.id>>20"
    " JOIN code k ON k.domain='entity_kind' AND k.id=e.kind"
    " JOIN code s ON s.domain='hover_state' AND s.id=e.hover_state"
    " JOIN code r ON r.domain='hover_reason' AND r.id=e.hover_reason"
    " LEFT JOIN hover h ON h.id=e.hover_id;";

/* places: slot (-1: file scope), line and byte column of each; utf16: their other columns. */
static const char step_2_edge[] =
    "CREATE TABLE edge_2(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " target TEXT NOT NULL, places TEXT NOT NULL, utf16 TEXT) STRICT;"
    "INSERT INTO edge_2 SELECT (first & ~1048575)|(row_number() OVER"
    " (PARTITION BY first>>20 ORDER BY first)-1),kind,target,'['||places||']',"
    " iif(n_utf16>0,'['||utf16||']',NULL) FROM (SELECT id,kind,target,"
    " min(id) OVER same AS first,"
    " group_concat(ifnull(from_slot,-1)||','||line||','||col) OVER same AS places,"
    " group_concat(ifnull(utf16,col)) OVER same AS utf16,"
    " count(utf16) OVER same AS n_utf16 FROM edge WINDOW same AS (PARTITION BY"
    " id>>20,kind,target ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED"
    " FOLLOWING)) WHERE id=first;"
    "DROP TABLE edge; ALTER TABLE edge_2 RENAME TO edge;"
    "CREATE VIEW v_edge AS SELECT k.name AS kind, f.path,"
    " (g.id & ~1048575)|nullif(p.value,-1) AS from_id, g.target,"
    " json_extract(g.places,'$['||(p.key+1)||']') AS line,"
    " ifnull(json_extract(g.utf16,'$['||(p.key/3)||']'),"
    " json_extract(g.places,'$['||(p.key+2)||']')) AS character"
    " FROM edge g JOIN file f ON f.id=g.id>>20"
    " JOIN code k ON k.domain='edge_kind' AND k.id=g.kind"
    " JOIN json_each(g.places) p ON p.key%3=0;";

/* No positions of words: they would be half of the index, and are asked for by nothing. */
static const char step_2_text[] =
    "DROP TABLE entity_text; DELETE FROM meta WHERE k IN ('text_rows','text_dead');"
    "UPDATE file SET text_gen=0 WHERE text_gen>0;"
    "CREATE VIRTUAL TABLE entity_text USING fts5(ident,name,signature,doc,hover,"
    " content='', detail=column, columnsize=0,"
    " tokenize='unicode61 remove_diacritics 0');"
    "CREATE VIEW v_event AS SELECT v.seq, t.name AS type, v.ts_ms, v.subject,"
    " iif(v.data<>'',v.data,(SELECT json_object('path',v.subject,'lang',f.lang,"
    "'state','indexed','added',json_group_array(json_object('key',e.key,'lang',e.lang,"
    "'kind',e.kind,'name',e.name,'qualified_name',e.qualified_name,'path',e.path,"
    "'range',json_object('start',json_object('line',e.start_line,'character',"
    "e.start_character),'end',json_object('line',e.end_line,'character',"
    "e.end_character)),'name_range',json_object('start',json_object('line',e.name_line,"
    "'character',e.name_character),'end',json_object('line',"
    "ifnull(json_extract(i.odd,'$[3]'),e.name_line),'character',"
    "ifnull(json_extract(i.odd,'$[5]'),i.name_col+length(CAST(i.name AS BLOB))))),"
    "'signature',e.signature,'doc',e.doc,"
    "'hover',json_object('state','unknown','reason','not_asked'),"
    "'parent',p.key,'rev',v.seq)))"
    " FROM file f JOIN entity i ON i.id BETWEEN f.id<<20 AND (f.id<<20)+1048575"
    " JOIN v_entity e ON e.id=i.id LEFT JOIN v_entity p ON p.id=e.parent_id"
    " WHERE f.path=v.subject)) AS data"
    " FROM event v JOIN code t ON t.domain='event_type' AND t.id=v.type;";

/* A file's edges in one row: edges is an array of [kind, target, places, utf16?]. */
static const char step_3_edge[] =
    "CREATE TABLE edge_3(file_id INTEGER PRIMARY KEY, edges TEXT NOT NULL) STRICT;"
    "INSERT INTO edge_3 SELECT f.id, (SELECT '['||group_concat("
    "'['||g.kind||','||json_quote(g.target)||','||g.places||"
    "ifnull(','||g.utf16,'')||']')||']' FROM (SELECT * FROM edge"
    " WHERE id BETWEEN f.id<<20 AND (f.id<<20)+1048575 ORDER BY id) g) FROM file f"
    " WHERE EXISTS(SELECT 1 FROM edge"
    " WHERE id BETWEEN f.id<<20 AND (f.id<<20)+1048575);"
    "DROP VIEW v_edge; DROP TABLE edge; ALTER TABLE edge_3 RENAME TO edge;"
    "CREATE VIEW v_edge AS SELECT (SELECT name FROM code WHERE domain='edge_kind' AND"
    " id=json_extract(g.value,'$[0]')) AS kind, f.path,"
    " (f.id<<20)|nullif(p.value,-1) AS from_id, json_extract(g.value,'$[1]') AS target,"
    " json_extract(g.value,'$[2]['||(p.key+1)||']') AS line,"
    " ifnull(json_extract(g.value,'$[3]['||(p.key/3)||']'),"
    " json_extract(g.value,'$[2]['||(p.key+2)||']')) AS character"
    " FROM edge x JOIN file f ON f.id=x.file_id JOIN json_each(x.edges) g"
    " JOIN json_each(g.value,'$[2]') p ON p.key%3=0;";

/* The names of numbers are looked up, not joined: the planner would begin with their table, and read
 * all edges once for each entity. */
static const char step_3_entity[] =
    "DROP VIEW v_entity; CREATE VIEW v_entity AS SELECT e.id,"
    " f.lang||':'||(SELECT short FROM code WHERE domain='entity_kind' AND id=e.kind)||"
    "':'||f.path||'#'||CASE typeof(e.scope) WHEN 'text' THEN e.scope||'.'||e.name"
    " WHEN 'blob' THEN CAST(e.scope AS TEXT) ELSE e.name END||"
    "iif(e.ordinal>1,'~'||e.ordinal,'') AS key, f.path, f.lang,"
    " (SELECT name FROM code WHERE domain='entity_kind' AND id=e.kind) AS kind, e.name,"
    " CASE typeof(e.scope) WHEN 'text' THEN e.scope||'.'||e.name WHEN 'blob' THEN"
    " CAST(e.scope AS TEXT) ELSE e.name END AS qualified_name,"
    " (e.id & ~1048575)|e.parent AS parent_id, ifnull(e.signature,'') AS signature,"
    " ifnull(e.doc,'') AS doc, e.start_line,"
    " ifnull(json_extract(e.odd,'$[0]'),e.start_col) AS start_character,"
    " e.start_line+e.n_lines AS end_line,"
    " ifnull(json_extract(e.odd,'$[1]'),e.end_col) AS end_character,"
    " e.start_line+e.name_down AS name_line,"
    " ifnull(json_extract(e.odd,'$[2]'),e.name_col) AS name_character,"
    " (SELECT name FROM code WHERE domain='hover_state' AND id=e.hover_state)"
    " AS hover_state,"
    " (SELECT name FROM code WHERE domain='hover_reason' AND id=e.hover_reason)"
    " AS hover_reason,"
    " e.hover_state<>0 AND e.hover_gen<>f.content_gen AS hover_stale,"
    " h.markdown AS hover, h.server AS hover_server, e.rev"
    " FROM entity e JOIN file f ON f.id=e.id>>20 LEFT JOIN hover h ON h.id=e.hover_id;";

/* Sixteen columns for twenty-four: writing a row costs by the column. what: ordinal << 8 | kind; start:
 * line << 32 | column << 16 | column of the name; extent: byte << 32 | bytes; tail: lines << 32 |
 * lines to the name << 16 | last column; hover: generation << 8 | reason << 4 | state, NULL when
 * nobody asked. An entity too wide for that has all its places in odd.
 * No types, no NOT NULL: each would be looked at for each value, a tenth of the cost; readers check. */
#define FITS                                                                             \
    "start_line BETWEEN 0 AND 2147483647 AND start_col BETWEEN 0 AND 65535 AND "         \
    "name_col BETWEEN 0 AND 65535 AND start_byte BETWEEN 0 AND 2147483647 AND "          \
    "n_bytes BETWEEN 0 AND 4294967295 AND n_lines BETWEEN 0 AND 2147483647 AND "         \
    "name_down BETWEEN 0 AND 65535 AND end_col BETWEEN 0 AND 65535"
static const char step_4_entity[] =
    "CREATE TABLE entity_4(id INTEGER PRIMARY KEY, what, name, scope, signature, doc,"
    " parent, hash, rev, start, extent, tail, name_at, odd, hover, hover_id);"
    "INSERT INTO entity_4 SELECT "
    "id,(ordinal<<8)|kind,name,scope,signature,doc,parent,hash,"
    "rev,iif(fits,(start_line<<32)|(start_col<<16)|name_col,0),"
    "(min(start_byte,2147483647)<<32)|(n_bytes&4294967295),iif(fits,(n_lines<<32)|(name_"
    "down<<16)|end_col,0),"
    "iif(fits,name_at,NULL),iif(fits,odd,json_array("
    "ifnull(json_extract(odd,'$[0]'),start_col),ifnull(json_extract(odd,'$[1]'),end_col),"
    "ifnull(json_extract(odd,'$[2]'),name_col),"
    "ifnull(json_extract(odd,'$[3]'),start_line+name_down),"
    "ifnull(json_extract(odd,'$[4]'),name_col+length(CAST(name AS BLOB))),"
    "ifnull(json_extract(odd,'$[5]'),name_col+length(CAST(name AS BLOB))),"
    "ifnull(json_extract(odd,'$[6]'),name_byte+length(CAST(name AS BLOB))),"
    "start_line,start_col,start_byte,start_line+n_lines,end_col,start_byte+n_bytes,"
    "start_line+name_down,name_col,name_byte)),"
    "nullif((hover_gen<<8)|(hover_reason<<4)|hover_state,16),hover_id FROM"
    " (SELECT *," FITS " AS fits, start_byte+ifnull(name_at,name_col-start_col)"
    " AS name_byte FROM entity);"
    "DROP VIEW v_event; DROP VIEW v_entity; DROP TABLE entity;"
    "ALTER TABLE entity_4 RENAME TO entity;";

/* The names of numbers are looked up, not joined: the planner would begin with their table, and read
 * all edges once for each entity. */
static const char step_4_view[] =
    "CREATE VIEW v_entity AS SELECT e.id, f.lang||':'||(SELECT short FROM code WHERE"
    " domain='entity_kind' AND id=e.what&255)||':'||f.path||'#'||CASE typeof(e.scope)"
    " WHEN 'text' THEN e.scope||'.'||e.name WHEN 'blob' THEN CAST(e.scope AS TEXT)"
    " ELSE e.name END||iif(e.what>>8>1,'~'||(e.what>>8),'') AS key, f.path, f.lang,"
    " (SELECT name FROM code WHERE domain='entity_kind' AND id=e.what&255) AS kind,"
    " e.name, CASE typeof(e.scope) WHEN 'text' THEN e.scope||'.'||e.name WHEN 'blob' THEN"
    " CAST(e.scope AS TEXT) ELSE e.name END AS qualified_name,"
    " (e.id & ~1048575)|e.parent AS parent_id, ifnull(e.signature,'') AS signature,"
    " ifnull(e.doc,'') AS doc,"
    " ifnull(json_extract(e.odd,'$[7]'),e.start>>32) AS start_line,"
    " ifnull(json_extract(e.odd,'$[0]'),e.start>>16&65535) AS start_character,"
    " ifnull(json_extract(e.odd,'$[10]'),(e.start>>32)+(e.tail>>32)) AS end_line,"
    " ifnull(json_extract(e.odd,'$[1]'),e.tail&65535) AS end_character,"
    " ifnull(json_extract(e.odd,'$[13]'),(e.start>>32)+(e.tail>>16&65535)) AS name_line,"
    " ifnull(json_extract(e.odd,'$[2]'),e.start&65535) AS name_character,"
    " (SELECT name FROM code WHERE domain='hover_state' AND id=ifnull(e.hover,16)&15)"
    " AS hover_state,"
    " (SELECT name FROM code WHERE domain='hover_reason' AND id=ifnull(e.hover,16)>>4&15)"
    " AS hover_reason, e.hover&15 IS NOT NULL AND e.hover&15<>0 AND"
    " e.hover>>8<>f.content_gen AS hover_stale,"
    " h.markdown AS hover, h.server AS hover_server, e.rev"
    " FROM entity e JOIN file f ON f.id=e.id>>20 LEFT JOIN hover h ON h.id=e.hover_id;"
    "CREATE VIEW v_event AS SELECT v.seq, t.name AS type, v.ts_ms, v.subject,"
    " iif(v.data<>'',v.data,(SELECT json_object('path',v.subject,'lang',f.lang,"
    "'state','indexed','added',json_group_array(json_object('key',e.key,'lang',e.lang,"
    "'kind',e.kind,'name',e.name,'qualified_name',e.qualified_name,'path',e.path,"
    "'range',json_object('start',json_object('line',e.start_line,'character',"
    "e.start_character),'end',json_object('line',e.end_line,'character',"
    "e.end_character)),'name_range',json_object('start',json_object('line',e.name_line,"
    "'character',e.name_character),'end',json_object('line',"
    "ifnull(json_extract(i.odd,'$[3]'),e.name_line),'character',"
    "ifnull(json_extract(i.odd,'$[5]'),(i.start&65535)+length(CAST(i.name AS BLOB))))),"
    "'signature',e.signature,'doc',e.doc,"
    "'hover',json_object('state','unknown','reason','not_asked'),"
    "'parent',p.key,'rev',v.seq)))"
    " FROM file f JOIN entity i ON i.id BETWEEN f.id<<20 AND (f.id<<20)+1048575"
    " JOIN v_entity e ON e.id=i.id LEFT JOIN v_entity p ON p.id=e.parent_id"
    " WHERE f.path=v.subject)) AS data"
    " FROM event v JOIN code t ON t.domain='event_type' AND t.id=v.type;";

/* What servers said of contents that no file has any more, so that a branch that is checked out again
 * is not asked about again. hovers: of each entity that was told, by its place in the file
 * (entity_place()), 8 bytes of that and 8 bytes of hover.id, 0 for empty. The newest id is the one
 * used last. */
static const char step_5[] =
    "ALTER TABLE file ADD COLUMN server_key INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX file_known;"
    "CREATE INDEX file_told ON file(content) WHERE n_known+n_empty>0;"
    "CREATE TABLE hover_past(id INTEGER PRIMARY KEY, content BLOB NOT NULL,"
    " lang TEXT NOT NULL, server_key INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " used_ms INTEGER NOT NULL, hovers BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX hover_past_content ON hover_past(content,lang);";

/* What the writer could not do, what was asked for that takes long, and which ingests were answered. A
 * key is of one index, as everything here. */
static const char step_6[] =
    "CREATE TABLE dead_letter(id INTEGER PRIMARY KEY, what TEXT NOT NULL,"
    " path TEXT NOT NULL, error TEXT NOT NULL, time_ms INTEGER NOT NULL,"
    " payload TEXT NOT NULL) STRICT;"
    "CREATE TABLE job(id TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL CHECK"
    "(state IN ('pending','running','completed','failed','cancelled')),"
    " request TEXT NOT NULL, result TEXT, error TEXT, done INTEGER NOT NULL DEFAULT 0,"
    " total INTEGER NOT NULL DEFAULT 0, submitted_ms INTEGER NOT NULL,"
    " started_ms INTEGER, ended_ms INTEGER) STRICT, WITHOUT ROWID;"
    "CREATE INDEX job_open ON job(submitted_ms) WHERE state IN ('pending','running');"
    "CREATE TABLE ingest_key(key TEXT PRIMARY KEY, seq INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX ingest_key_time ON ingest_key(time_ms);"
    "CREATE VIEW v_dead_letter AS SELECT id,what,path,error,time_ms,"
    " length(CAST(payload AS BLOB)) AS bytes FROM dead_letter;";

/* The text index in tables of its own (sqlite_runs.h): FTS5 took four times as long to fill and merge.
 * file.text_gen stays what it was. */
static const char step_7[] =
    "DROP TABLE entity_text; DELETE FROM meta WHERE k IN ('text_rows','text_dead');"
    "UPDATE file SET text_gen=0 WHERE text_gen>0;"
    "CREATE TABLE text_run(id INTEGER PRIMARY KEY, level INTEGER NOT NULL,"
    " leaves BLOB NOT NULL) STRICT;"
    "CREATE TABLE text_leaf(id INTEGER PRIMARY KEY, words BLOB NOT NULL) STRICT;";

/* Jobs have a rank, are tried again, and may be due later or again and again. What is not is 0 or ''. */
static const char step_8[] =
    "ALTER TABLE job ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN runs INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN every_s INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN run_at_ms INTEGER NOT NULL DEFAULT 0;"
    "CREATE VIEW v_job AS SELECT id,kind,state,priority,request,nullif(result,'') AS "
    "result,"
    " nullif(error,'') AS error,done,total,attempts,failures,runs,"
    " nullif(every_s,0) AS every_s,submitted_ms,nullif(run_at_ms,0) AS run_at_ms,"
    " nullif(started_ms,0) AS started_ms,nullif(ended_ms,0) AS ended_ms FROM job;";

/* By version: what leads to it, in parts that a compiler takes as literals. */
static const char *const steps[STORE_SCHEMA_VERSION][4] = {
    {step_1},
    {step_2_entity, step_2_edge, step_2_text},
    {step_3_edge, step_3_entity},
    {step_4_entity, step_4_view},
    {step_5},
    {step_6},
    {step_7},
    {step_8},
};

static const char *
no_short_name(int i UNUSED)
{
    return "";
}

static const char *
kind_name(int i)
{
    return entity_kind_name((enum entity_kind)i);
}

static const char *
kind_short(int i)
{
    return entity_kind_short((enum entity_kind)i);
}

static const char *
edge_name(int i)
{
    return edge_kind_name((enum edge_kind)i);
}

static const char *
state_name(int i)
{
    return file_state_name((enum file_state)i);
}

static const char *
reason_name(int i)
{
    return file_reason_name((enum file_reason)i);
}

static const char *
hover_name(int i)
{
    return hover_state_name((enum hover_state)i);
}

static const char *
hover_why(int i)
{
    return hover_reason_name((enum hover_reason)i);
}

static const char *
event_name(int i)
{
    return event_type_name((enum event_type)i);
}

/* The numbers that rows hold, spelled out for the views. */
static const struct {
    const char *domain;
    int n;
    const char *(*name)(int i);
    const char *(*short_name)(int i);
} codes[] = {
    {"entity_kind", ENTITY_KIND_COUNT, kind_name, kind_short},
    {"edge_kind", EDGE_KIND_COUNT, edge_name, no_short_name},
    {"file_state", FILE_STATE_COUNT, state_name, no_short_name},
    {"file_reason", FILE_REASON_COUNT, reason_name, no_short_name},
    {"hover_state", HOVER_STATE_COUNT, hover_name, no_short_name},
    {"hover_reason", HOVER_REASON_COUNT, hover_why, no_short_name},
    {"event_type", EVENT_TYPE_COUNT, event_name, no_short_name},
};

/* At each open, since kinds are appended without a step of the schema. */
static int
write_codes(struct sqlite_conn *c)
{
    char *text = NULL;
    for (size_t d = 0; d < ARRAY_LEN(codes); d++) {
        for (int i = 0; i < codes[d].n; i++) {
            text = sqlite3_mprintf(
                "INSERT INTO code VALUES(%Q,%d,%Q,%Q) ON CONFLICT DO NOTHING",
                codes[d].domain, i, codes[d].name(i), codes[d].short_name(i));
            if (!text)
                mem_exhausted(1);
            int r = sqlite_exec(c, text);
            sqlite3_free(text);
            if (r < 0)
                return err_trace(r);
        }
    }
    return 0;
}

int
sqlite_migrate(struct sqlite_conn *c, int from_version)
{
    char pragma[64];
    for (int v = from_version; v < STORE_SCHEMA_VERSION; v++) {
        for (size_t i = 0; i < ARRAY_LEN(steps[v]) && steps[v][i]; i++) {
            int r = sqlite_exec(c, steps[v][i]);
            if (r < 0)
                return err_trace(r);
        }
    }
    if (from_version < STORE_SCHEMA_VERSION) {
        snprintf(pragma, sizeof(pragma),
                 "PRAGMA user_version=%d; PRAGMA application_id=%d", STORE_SCHEMA_VERSION,
                 SQLITE_APPLICATION_ID);
        int r = sqlite_exec(c, pragma);
        if (r < 0)
            return err_trace(r);
    }
    return write_codes(c);
}
