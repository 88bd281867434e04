#pragma once
/* What rocksdb_text.c writes and rocksdb_find.c reads. Inside of the RocksDB backend. */
#include "store/rocksdb_store.h"

#define ROCKS_WORD_BYTES 48 // what is longer counts by its beginning

/* Where an entity has a word. */
#define ROCKS_IN_NAME 1U
#define ROCKS_IN_SIGNATURE 2U
#define ROCKS_IN_DOC 4U
#define ROCKS_IN_HOVER 8U
#define ROCKS_IN_MASKS 16U

/* Without a generation, and without the NUL that ends the word. false: only of its beginning. */
bool rocks_word_key(struct str word, struct rocks_key *ret_key);
/* 'n': entities of this name; 'c': files with edges to it. */
struct rocks_key rocks_name_key(char mark, struct str name);
