#pragma once
/* What the files of the SQLite backend share. Nobody else includes it. */
#include "store/sqlite_conn.h"
#include "store/sqlite_reader.h"
#include "store/sqlite_rows.h"
#include "store/sqlite_writer.h"
