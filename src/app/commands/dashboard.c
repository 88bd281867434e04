/* gloss dashboard */
#include <spawn.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "base/fs.h"
#include "codec/codec.h"

static const struct command_option options[] = {
    {"print", OPTION_FLAG, NULL, "only print the address"},
    {"origin", OPTION_TEXT, "ORIGIN",
     "let pages of this origin in as well, http://localhost:8000 say"},
    {0},
};

static void
open_in_browser(char *url)
{
    AUTO(free) char *opener = fs_find_program("xdg-open", NULL);
    char *argv[] = {(char *)"xdg-open", url, NULL};
    pid_t pid;

    if (opener && (getenv("DISPLAY") || getenv("WAYLAND_DISPLAY")))
        posix_spawn(&pid, opener, NULL, NULL, argv, environ);
}

static int
run(const struct command_line *line)
{
    AUTO(free)
    char *why = NULL, *answer_why = NULL, *root = line_root(line, 0), *url = NULL;
    const char *origin = line_text(line, "origin");
    AUTO(json_decref_) json_t *result = NULL, *held = NULL;
    struct control *c = NULL;
    struct str address;
    int r;

    if (!root)
        return EXIT_FAILED;
    if (control_open(true, &c, &why) < 0)
        return fail("%s", why);
    r = control_request(c, "gloss/hold", json_pack("{s:s}", "root", root), NULL, NULL,
                        &held, &answer_why);
    if (r == 0)
        r = control_request(c, "gloss/dashboard",
                            origin ? json_pack("{s:s}", "origin", origin) : NULL, NULL,
                            NULL, &result, &answer_why);
    control_close(c);
    if (r < 0)
        return fail("%s", answer_why);
    if (codec_get_str(result, "url", &address) < 0)
        return fail("the engine has no hub");
    url = str_dup(address);
    if (line->is_json) {
        AUTO(buf_finish) struct buf out = {0};
        codec_add_json(&out, result);
        out_line("%s", out.p);
    } else {
        out_line("%s", url);
    }
    if (!line->is_json && !line_has(line, "print"))
        open_in_browser(url);
    return EXIT_OK;
}

const struct command command_dashboard = {
    .name = "dashboard",
    .arguments = "[DIR]",
    .summary = "Print the dashboard's address with its token, and open it where there is "
               "a desktop",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
