#pragma once
/* What makes the index of version_5.h one of the sixth version, with its text in FTS5. */

static const char version_6[] =
    "PRAGMA user_version=6;"
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
    " length(CAST(payload AS BLOB)) AS bytes FROM dead_letter;"

    "INSERT INTO job(id,kind,state,request,submitted_ms)"
    " VALUES('j-00000000000000aa','reindex','pending','{}',5);"
    "INSERT INTO dead_letter VALUES(7,'put_file','b.c','no room',9,'{}');"
    "UPDATE file SET text_gen=41;"
    "INSERT INTO meta VALUES('text_gen','41'),('text_rows','4'),('text_dead','1');"
    "INSERT INTO entity_text(rowid,ident,name,signature,doc,hover) VALUES"
    "(42991616,'n00000001','one','int one(void)','','says one'),"
    "(42991617,'n00000002','two','int two(void)','',''),"
    "(42991618,'n00000003','three','int three(void)','','');";
