#pragma once
/* RocksDB's functions, as far as they are used. The library is loaded when the first such index is opened:
 * linked, it would cost every process of gloss 9 MB and 8 ms. Inside of the RocksDB backend. */
#include <rocksdb/c.h>

#include "base/base.h"

#define ROCKS_FUNCTIONS(X)                                                               \
    X(block_based_options_create)                                                        \
    X(block_based_options_destroy)                                                       \
    X(block_based_options_set_block_cache)                                               \
    X(block_based_options_set_block_size)                                                \
    X(block_based_options_set_filter_policy)                                             \
    X(cache_create_lru)                                                                  \
    X(cache_destroy)                                                                     \
    X(close)                                                                             \
    X(column_family_handle_destroy)                                                      \
    X(create_iterator_cf)                                                                \
    X(create_snapshot)                                                                   \
    X(delete_range_cf)                                                                   \
    X(filterpolicy_create_bloom_full)                                                    \
    X(flush_cf)                                                                          \
    X(flushoptions_create)                                                               \
    X(flushoptions_destroy)                                                              \
    X(flushoptions_set_wait)                                                             \
    X(get_pinned_cf)                                                                     \
    X(iter_destroy)                                                                      \
    X(iter_get_error)                                                                    \
    X(iter_key)                                                                          \
    X(iter_next)                                                                         \
    X(iter_seek)                                                                         \
    X(iter_valid)                                                                        \
    X(iter_value)                                                                        \
    X(list_column_families)                                                              \
    X(list_column_families_destroy)                                                      \
    X(open_column_families)                                                              \
    X(open_for_read_only_column_families)                                                \
    X(options_create)                                                                    \
    X(options_destroy)                                                                   \
    X(options_set_block_based_table_factory)                                             \
    X(options_set_db_log_dir)                                                            \
    X(options_set_compression)                                                           \
    X(options_set_create_if_missing)                                                     \
    X(options_set_create_missing_column_families)                                        \
    X(options_set_db_write_buffer_size)                                                  \
    X(options_set_info_log_level)                                                        \
    X(options_set_keep_log_file_num)                                                     \
    X(options_set_level_compaction_dynamic_level_bytes)                                  \
    X(options_set_max_open_files)                                                        \
    X(options_set_max_total_wal_size)                                                    \
    X(options_set_paranoid_checks)                                                       \
    X(options_set_stats_dump_period_sec)                                                 \
    X(options_set_write_buffer_size)                                                     \
    X(pinnableslice_destroy)                                                             \
    X(pinnableslice_value)                                                               \
    X(readoptions_create)                                                                \
    X(readoptions_destroy)                                                               \
    X(readoptions_set_fill_cache)                                                        \
    X(readoptions_set_snapshot)                                                          \
    X(release_snapshot)                                                                  \
    X(write)                                                                             \
    X(writebatch_clear)                                                                  \
    X(writebatch_count)                                                                  \
    X(writebatch_create)                                                                 \
    X(writebatch_data)                                                                   \
    X(writebatch_delete_cf)                                                              \
    X(writebatch_destroy)                                                                \
    X(writebatch_put_cf)                                                                 \
    X(writebatch_wi_clear)                                                               \
    X(writebatch_wi_create)                                                              \
    X(writebatch_wi_create_iterator_with_base_cf)                                        \
    X(writebatch_wi_delete_cf)                                                           \
    X(writebatch_wi_destroy)                                                             \
    X(writebatch_wi_get_from_batch_and_db_cf)                                            \
    X(writebatch_wi_put_cf)                                                              \
    X(writeoptions_create)                                                               \
    X(writeoptions_destroy)                                                              \
    X(writeoptions_set_sync)

struct rocks_lib {
#define ROCKS_POINTER(name) __typeof__(rocksdb_##name) *name;
    ROCKS_FUNCTIONS(ROCKS_POINTER)
#undef ROCKS_POINTER
};

/* Filled by the first rocks_lib_load(), which every way in calls first, and the same ever after. */
extern struct rocks_lib rocks;

/* -EPROTONOSUPPORT: the library is not there, or another one. */
int rocks_lib_load(char **ret_why);
