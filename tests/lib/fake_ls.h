#pragma once
/* For tests: a scenario on disk for fake_ls, what it heard, and a loop that runs until something is so. */
#include <poll.h>
#include <uv.h>

#include "base/base.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "rt/loop.h"

#include "tests/lib/scratch.h"

struct fake_ls {
    char *dir; // a new folder, gone at the end
    char *scenario, *log;
    const char *command[4];
};

static inline const char *
fake_ls_env(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        fprintf(stderr, "%s is not set\n", name);
        abort();
    }
    return value;
}

static inline void
fake_ls_write(const struct fake_ls *f, const char *name, const char *text)
{
    AUTO(free) char *path = path_join(f->dir, name);
    if (fs_write_atomic(path, str_of(text), 0600) < 0)
        abort();
}

/* `scenario` with ' for ". */
static inline void
fake_ls_init(struct fake_ls *f, const char *scenario)
{
    f->dir = scratch_make("fake-ls");
    AUTO(free) char *text = xstrdup(scenario);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    fake_ls_write(f, "scenario.json", text);
    f->scenario = path_join(f->dir, "scenario.json");
    f->log = path_join(f->dir, "log");
    f->command[0] = fake_ls_env("TEST_FAKE_LS");
    f->command[1] = f->scenario;
    f->command[2] = f->log;
    f->command[3] = NULL;
}

static inline void
fake_ls_finish(struct fake_ls *f)
{
    scratch_remove(f->dir);
    free(f->dir);
    free(f->scenario);
    free(f->log);
}

/* What it heard so far; heap. */
static inline char *
fake_ls_heard(const struct fake_ls *f)
{
    struct buf text = {0};
    fs_read_file(f->log, 64u << 20, &text, NULL);
    return buf_steal(&text);
}

/* How many lines hold `part` (' for "). */
static inline size_t
fake_ls_count(const struct fake_ls *f, const char *part)
{
    AUTO(free) char *heard = fake_ls_heard(f), *wanted = xstrdup(part);
    size_t n = 0;
    for (char *c = wanted; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    struct str rest = str_of(heard), line;
    while (str_split(&rest, '\n', &line))
        n += str_find(line, str_of(wanted)) >= 0;
    return n;
}

/* One round of the loop; waits for descriptors, not longer than to the next timer. */
static inline void
run_round(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_NOWAIT);
    struct pollfd pfd = {.fd = uv_backend_fd(&l->uv), .events = POLLIN};
    int timeout_ms = uv_backend_timeout(&l->uv);
    poll(&pfd, 1, timeout_ms < 0 || timeout_ms > 10 ? 10 : timeout_ms);
}

#define RUN_UNTIL(loop, condition)                                                       \
    do {                                                                                 \
        while (!(condition))                                                             \
            run_round(loop);                                                             \
    } while (0)
