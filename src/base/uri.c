/* file:// URIs, and others without their secrets. It exists because language servers disagree on what may stand bare in
 * a URI; encoding everything but the unreserved set is what all of them read.
 * Invariant: uri_to_path of uri_from_path gives the normalized path, for every byte
 * but NUL. */
#include "base/uri.h"

#include "base/mem.h"
#include "base/path.h"

#include <strings.h>

static bool
is_bare(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
}

char *
uri_from_path(const char *absolute_path)
{
    static const char digits[] = "0123456789ABCDEF";
    struct buf uri = {0};

    buf_add_str(&uri, STR("file://"));
    for (const char *p = absolute_path; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (is_bare(c))
            buf_add_char(&uri, *p);
        else
            buf_add(&uri, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
    return buf_steal(&uri);
}

/* Case does not matter in schemes and hosts. */
static bool
cut_prefix(struct str *s, struct str prefix)
{
    if (s->n < prefix.n || strncasecmp(s->p, prefix.p, prefix.n) != 0)
        return false;
    *s = str_slice(s->p + prefix.n, s->n - prefix.n);
    return true;
}

/* Take scheme and host off: what is left starts with '/'. */
static int
cut_to_path(struct str *uri)
{
    if (uri->n == 0 || !cut_prefix(uri, STR("file:")))
        return -EINVAL;
    if (cut_prefix(uri, STR("//")) && uri->n && uri->p[0] != '/' &&
        !cut_prefix(uri, STR("localhost")))
        return -EINVAL;
    if (uri->n == 0 || uri->p[0] != '/')
        return -EINVAL;
    return 0;
}

static int
decode(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '?' || c == '#')
            return 0;
        if (c == '%') {
            if (text.n - i < 3)
                return -EINVAL;
            int hi = hex_value(text.p[i + 1]);
            int lo = hex_value(text.p[i + 2]);
            if (hi < 0 || lo < 0)
                return -EINVAL;
            c = (char)(hi << 4 | lo);
            i += 2;
        }
        if (c == '\0' || out->n == PATH_BYTES_MAX)
            return -EINVAL;
        buf_add_char(out, c);
    }
    return 0;
}

int
uri_to_path(struct str uri, char **ret_path)
{
    AUTO(buf_finish) struct buf path = {0};

    int r = cut_to_path(&uri);
    if (r < 0)
        return r;
    r = decode(uri, &path);
    if (r < 0)
        return r;
    *ret_path = path_normalize(path.p);
    return 0;
}

/* ---- what may be shown ---- */

static const char hidden[] = "***";

/* Percent-encoded names are not among them, so what they name is hidden. */
static bool
is_harmless(struct str name)
{
    static const char *const names[] = {
        "host",   "hostaddr", "port",    "dbname",           "user",
        "schema", "sslmode",  "options", "application_name", "connect_timeout"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    return false;
}

static void
add_query(struct buf *b, struct str query)
{
    struct str part;
    char before = '?';
    while (str_split(&query, '&', &part)) {
        ssize_t eq = str_find_char(part, '=');
        struct str name = eq < 0 ? part : str_slice(part.p, (size_t)eq);
        buf_add_char(b, before);
        before = '&';
        if (eq >= 0 && is_harmless(name))
            buf_add_str(b, part);
        else
            buf_add_cstr(b, hidden);
    }
}

/* Somebody may have left an '@', '/' or '?' of the password as it is: up to the last '@' all is taken
 * for user and password, and behind a '?' nobody can tell. */
static struct str
add_user(struct buf *b, struct str rest)
{
    size_t end = rest.n, user = 0;
    while (end > 0 && rest.p[end - 1] != '@')
        end--;
    if (end == 0)
        return rest;
    if (memchr(rest.p, '?', end)) {
        buf_add_cstr(b, hidden);
        return STR_NONE;
    }
    while (user < end - 1 && !strchr(":/", rest.p[user]))
        user++;
    buf_add_str(b, str_slice(rest.p, user));
    if (user < end - 1)
        buf_printf(b, ":%s", hidden);
    buf_add_char(b, '@');
    return str_slice(rest.p + end, rest.n - end);
}

char *
uri_public(const char *uri)
{
    struct str rest = str_of(uri);
    struct buf b = {0};
    ssize_t colon = str_find_char(rest, ':');
    if (colon < 0 ||
        !str_starts_with(str_slice(rest.p + colon, rest.n - (size_t)colon), STR("://")))
        return xstrdup(uri);
    buf_add(&b, rest.p, (size_t)colon + 3);
    rest = add_user(&b, str_slice(rest.p + colon + 3, rest.n - (size_t)colon - 3));
    ssize_t mark = str_find_char(rest, '?');
    if (mark < 0) {
        buf_add_str(&b, rest);
    } else {
        buf_add(&b, rest.p, (size_t)mark);
        add_query(&b, str_slice(rest.p + mark + 1, rest.n - (size_t)mark - 1));
    }
    return buf_steal(&b);
}
