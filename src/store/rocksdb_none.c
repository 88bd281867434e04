/* In place of the RocksDB backend where its library was not there to build with: the address is known,
 * and says why it cannot be had. */
#include "base/err.h"
#include "base/mem.h"
#include "store/backend.h"

static int
refuse(char **ret_why)
{
    if (ret_why)
        *ret_why = xstrdup("rocksdb: is not in this build of gloss: it needs "
                           "librocksdb-dev when it is built");
    return err_trace(-EPROTONOSUPPORT);
}

static int
writer_open(const char *rest UNUSED, const char *root UNUSED,
            struct store_writer **ret_writer UNUSED, struct store_info *ret_info UNUSED,
            char **ret_why)
{
    return refuse(ret_why);
}

static int
reader_open(const char *rest UNUSED, struct store_reader **ret_reader UNUSED,
            char **ret_why)
{
    return refuse(ret_why);
}

const struct store_ops store_rocksdb_ops = {
    .scheme = "rocksdb:",
    .writer_open = writer_open,
    .reader_open = reader_open,
};
