/* Why: an engine that starts again listens on another port and has another token; whoever goes on pushing looks again,
 * by the same rules as at first. Invariant: the token of a file is told to the port that the file names or the
 * user gave, and this user's own to nobody else's engine. */
#include "app/push_where.h"

#include <ctype.h>

#include "app/commands/commands.h"
#include "app/commands/own_run.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "codec/codec.h"
#include "hub/hub.h"

#define PUSH_NAME_BYTES_MAX 64
#define PUSH_ENGINE_BYTES_MAX 65536 // of engine.json

static bool
is_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && (i == 0 || !strchr("._-", name.p[i])))
            return false;
    return name.n > 0 && name.n <= PUSH_NAME_BYTES_MAX;
}

/* ws://127.0.0.1:PORT[/NAME]; http:// is the same. */
static int
read_url(const char *url, uint16_t *ret_port, char **ret_name)
{
    static const char *const begins[] = {
        "ws://127.0.0.1:", "ws://localhost:", "http://127.0.0.1:", "http://localhost:"};
    uint64_t port = 0;
    struct str rest = STR_NONE, number;
    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        if (str_starts_with(str_of(url), str_of(begins[i])))
            rest = str_of(url + strlen(begins[i]));
    if (!str_split(&rest, '/', &number) || str_to_u64(number, &port) < 0 || port == 0 ||
        port > UINT16_MAX)
        return fail("--to must be ws://127.0.0.1:PORT/NAME: a hub listens on this "
                    "machine only; for another one make a tunnel");
    *ret_port = (uint16_t)port;
    if (rest.n > 0) {
        free(*ret_name);
        *ret_name = str_dup(rest);
    }
    return 0;
}

static bool
is_token(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!isxdigit((unsigned char)text.p[i]))
            return false;
    return text.n == HUB_TOKEN_HEX;
}

/* engine.json, or a token alone, without a port. -EINVAL: it is neither. */
static int
read_engine(const char *path, uint16_t *ret_port, char **ret_token)
{
    AUTO(buf_finish) struct buf text = {0};
    AUTO(json_decref_) json_t *engine = NULL;
    struct fs_stat st;
    struct str token;
    int64_t port = 0;
    int r = fs_read_file(path, PUSH_ENGINE_BYTES_MAX, &text, &st);
    if (r < 0)
        return r;
    if (codec_parse(buf_str(&text), &engine, NULL) < 0 || !json_is_object(engine))
        token = str_trim(buf_str(&text));
    else if (codec_get_str(engine, "token", &token) < 0 ||
             codec_get_int(engine, "port", 1, UINT16_MAX, &port) < 0)
        return -EINVAL;
    if (!is_token(token))
        return -EINVAL;
    *ret_token = str_dup(token);
    *ret_port = (uint16_t)port;
    return 0;
}

int
push_where_init(struct push_where *w, const char *to, const char *token_file,
                const char *root)
{
    w->token_file = token_file;
    w->name = str_dup(path_basename(str_of(root)));
    if (to && read_url(to, &w->to_port, &w->name) != 0)
        return EXIT_USAGE;
    if (!is_name(str_of(w->name)))
        return fail("%s cannot be a workspace's name; give another one: --to "
                    "ws://127.0.0.1:PORT/NAME, of letters, digits, '.', '_', '-'",
                    w->name);
    return EXIT_OK;
}

/* What is wrong with the file that says where the engine is. */
static int
fail_of_file(const char *path, int r, bool is_named)
{
    if (r == -EINVAL)
        return fail("%s is no engine.json and no token", path);
    if (is_named)
        return fail("%s: %s", path, err_text(r));
    return fail("no engine runs here (%s: %s); start one with `gloss serve`, or say "
                "where it is with --to and --token-file",
                path, err_text(r));
}

int
push_where_find(struct push_where *w)
{
    AUTO(free) char *path = w->token_file ? xstrdup(w->token_file) : engine_file_path();
    AUTO(free) char *token = NULL;
    const char *given = w->token_file ? NULL : getenv("GLOSS_TOKEN");
    uint16_t found = 0;
    int r = 0;
    if (given && !given[0])
        given = NULL;
    if (given && !is_token(str_of(given)))
        return fail("$GLOSS_TOKEN is no token: it has %d hex digits", HUB_TOKEN_HEX);
    if (!given || w->to_port == 0)
        r = read_engine(path, &found, &token);
    if (r < 0)
        return fail_of_file(path, r, w->token_file != NULL);
    if (w->token_file && w->to_port == 0 && found == 0)
        return fail("%s is a token alone: say with --to where the engine listens", path);
    /* A port that the engine had before is perhaps another user's now. */
    if (!given && !w->token_file && w->to_port != 0 && w->to_port != found)
        return fail("this user's engine listens on port %u, not %u, and nobody else is "
                    "told its token; give the other's: --token-file, or GLOSS_TOKEN",
                    found, w->to_port);
    w->port = w->to_port ? w->to_port : found;
    free(w->token);
    w->token = given ? xstrdup(given) : steal(token);
    return EXIT_OK;
}

void
push_where_finish(struct push_where *w)
{
    free(w->name);
    free(w->token);
}
