#pragma once
/* What makes the index of version_4.h one of the fifth version, with a content that left a file. */

static const char version_5[] =
    "PRAGMA user_version=5;"
    "ALTER TABLE file ADD COLUMN server_key INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX file_known;"
    "CREATE INDEX file_told ON file(content) WHERE n_known+n_empty>0;"
    "CREATE TABLE hover_past(id INTEGER PRIMARY KEY, content BLOB NOT NULL,"
    " lang TEXT NOT NULL, server_key INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " used_ms INTEGER NOT NULL, hovers BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX hover_past_content ON hover_past(content,lang);"
    "INSERT INTO hover_past VALUES(1,x'11111111111111111111111111111111','c',9,40,5,"
    "x'');"
    "UPDATE file SET server_key=17;"
    "INSERT INTO meta VALUES('past_rows','1'),('past_bytes','40');";
