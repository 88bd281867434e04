/* gloss stop: returns when the engine is gone, so that what comes next may start another. */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/commands/commands.h"
#include "codec/codec.h"

/* The engine holds its lock until its very end. */
static void
wait_for_its_end(void)
{
    AUTO(free) char *path = engine_lock_path();
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
        ;
    close(fd);
}

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
    control_close(c);
    if (r < 0 && r != -EPIPE)
        return fail("%s", answer_why);
    wait_for_its_end();
    return EXIT_OK;
}

const struct command command_stop = {
    .name = "stop",
    .arguments = "",
    .summary = "End the running engine; editors that use it start another",
    .run = run,
};
