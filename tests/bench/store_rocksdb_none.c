/* Built without RocksDB: nothing to compare with, and no store either. */
#include "tests/bench/store.h"

const struct bare bare_rocksdb = {.scheme = "rocksdb:"};
