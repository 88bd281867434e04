/* What PostgreSQL is compared with: psql, which copies the same rows into the same tables in one transaction, out of
 * files in the format that gloss uses. Each index is a database of its own, so that all of them number their rows
 * alike. psql says by the server's clock when it began and when COMMIT had returned: its own start is not counted. */
#include <unistd.h>

#include "tests/bench/store.h"

#define SCHEME "postgres:"
#define DATABASE "postgres:///" // then its name, and what else there is to say
#define OUTPUT_BYTES_MAX 4096

static const char *const tables[] = {"entity", "file", "unknown", "edge", "event"};

struct bare_rows {
    char *dir;
};

/* A script of psql's, and what the server answered. */
static void
psql(const char *url, const char *script, char output[OUTPUT_BYTES_MAX])
{
    const char *base = getenv("TMPDIR");
    AUTO(free) char *path = xasprintf("%s/gloss-psql-XXXXXX", base ? base : "/tmp");
    int fd = mkstemp(path);
    must(fd < 0 ? -errno : 0, path);
    must(write(fd, script, strlen(script)) == (ssize_t)strlen(script) ? 0 : -EIO, path);
    close(fd);
    AUTO(free)
    char *command = xasprintf("psql -XAtq -v ON_ERROR_STOP=1 -f '%s' '%s'", path, url);
    FILE *f = popen(command, "r");
    must(f ? 0 : -errno, "psql");
    size_t n = fread(output, 1, OUTPUT_BYTES_MAX - 1, f);
    output[n] = '\0';
    must(pclose(f) == 0 ? 0 : -EIO, "psql");
    unlink(path);
}

/* On the same server, to one that is always there. */
static void
manage(const char *url, const char *format)
{
    char output[OUTPUT_BYTES_MAX];
    const char *name = url + strlen(DATABASE);
    AUTO(free) char *server = xasprintf(DATABASE "postgres%s", name + strcspn(name, "?"));
    AUTO(free)
    char *script =
        xasprintf("%s %.*s%s;\n", format, (int)strcspn(name, "?"), name,
                  str_eq_c(str_of(format), "DROP DATABASE") ? " WITH (FORCE)" : "");
    psql(server, script, output);
}

static void
make_database(const char *url)
{
    must(strncmp(url, DATABASE, strlen(DATABASE)) == 0 ? 0 : -EINVAL, url);
    manage(url, "CREATE DATABASE");
}

static void
remove_database(const char *url)
{
    manage(url, "DROP DATABASE");
}

static struct bare_rows *
read_rows(const char *url)
{
    const char *base = getenv("TMPDIR");
    struct bare_rows *rows = xnew(struct bare_rows);
    AUTO(buf_finish) struct buf script = {0};
    char output[OUTPUT_BYTES_MAX];
    rows->dir = xasprintf("%s/gloss-rows-XXXXXX", base ? base : "/tmp");
    must(mkdtemp(rows->dir) ? 0 : -errno, rows->dir);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        buf_printf(&script, "\\copy gloss.%s to '%s/%s' (format binary)\n", tables[i],
                   rows->dir, tables[i]);
    buf_add_char(&script, '\0');
    psql(url, script.p, output);
    return rows;
}

static void
destroy_rows(struct bare_rows *rows)
{
    if (!rows)
        return;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        AUTO(free) char *path = xasprintf("%s/%s", rows->dir, tables[i]);
        must(unlink(path) < 0 ? -errno : 0, path);
    }
    must(rmdir(rows->dir) < 0 ? -errno : 0, rows->dir);
    free(rows->dir);
    free(rows);
}

/* What the new index has of its own would be there twice: a log, of nothing. */
static int64_t
write_rows(const struct bare_rows *rows, const struct corpus *c UNUSED, const char *url,
           bool only_entities)
{
    static const char stamp[] =
        "SELECT (1000000*extract(epoch FROM clock_timestamp()))::bigint;\n";
    AUTO(buf_finish) struct buf script = {0};
    char output[OUTPUT_BYTES_MAX];
    uint64_t began_us, ended_us;
    buf_printf(&script, "DELETE FROM gloss.event;\n%sBEGIN;\n", stamp);
    for (size_t i = 0; i < (only_entities ? 1 : ARRAY_LEN(tables)); i++)
        buf_printf(&script, "\\copy gloss.%s from '%s/%s' (format binary)\n", tables[i],
                   rows->dir, tables[i]);
    buf_printf(&script, "COMMIT;\n%s", stamp);
    buf_add_char(&script, '\0');
    psql(url, script.p, output);
    char *second = strchr(output, '\n');
    must(second ? 0 : -EBADMSG, "psql's times");
    *second++ = '\0';
    second[strcspn(second, "\n")] = '\0';
    must(str_to_u64(str_of(output), &began_us), output);
    must(str_to_u64(str_of(second), &ended_us), second);
    return (int64_t)(ended_us - began_us) * 1000;
}

const struct bare bare_postgres = {
    .scheme = SCHEME,
    .make = make_database,
    .read = read_rows,
    .destroy = destroy_rows,
    .write = write_rows,
    .remove = remove_database,
};
