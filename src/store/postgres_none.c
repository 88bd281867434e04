/* Stands in for the PostgreSQL backend where gloss was built without libpq. Nothing of the address is
 * repeated: it may hold a password. */
#include "base/mem.h"
#include "store/backend.h"

static int
refuse(char **ret_why)
{
    if (ret_why)
        *ret_why = xasprintf(
            "postgres: is not in this build of gloss: it needs libpq-dev when it is "
            "built");
    return -EPROTONOSUPPORT;
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

const struct store_ops store_postgres_ops = {
    .scheme = "postgres:",
    .writer_open = writer_open,
    .reader_open = reader_open,
};
const struct store_ops store_postgresql_ops = {
    .scheme = "postgresql:",
    .writer_open = writer_open,
    .reader_open = reader_open,
};
