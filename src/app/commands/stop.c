/* gloss stop */
#include "app/commands/commands.h"
#include "codec/codec.h"

static int
run(const struct command_line *line UNUSED)
{
    AUTO(free) char *why = NULL, *answer_why = NULL;
    AUTO(json_decref_) json_t *result = NULL;
    struct control *c = NULL;
    int r = control_open(false, &c, &why);

    if (r == -ENOENT)
        return EXIT_OK; // what was asked for is so
    if (r < 0)
        return fail("%s", why);
    r = control_request(c, "gloss/stop", NULL, NULL, NULL, &result, &answer_why);
    if (r == 0)
        control_listen(c, NULL, NULL); // until it is gone
    control_close(c);
    return r == 0 || r == -EPIPE ? EXIT_OK : fail("%s", answer_why);
}

const struct command command_stop = {
    .name = "stop",
    .arguments = "",
    .summary = "End the running engine; editors that use it start another",
    .run = run,
};
