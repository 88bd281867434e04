#pragma once
/* One scenario under way: a file of this folder, what came of it so far, and what was found wrong. */
#include <jansson.h>

#include "enrich/internal.h"
#include "lsp/client/choice.h"
#include "tests/lib/fake_ls.h"

#define SCENARIO_FILES_MAX 32
#define SCENARIO_PATIENCE_MS 100000 // of all waits: a loaded machine, under sanitizers

/* One answer, from a batch or, driven as a client, by itself. */
struct said {
    bool is_said, is_provisional;
    enum hover_state state;
    enum hover_reason reason;
    char *text, *server;
};

struct file {
    const json_t *row; // of the scenario
    const char *path;
    struct position *targets;
    size_t n_targets;
    char *text;
    struct said *said; // as many
    bool is_submitted;
    size_t n_batches;
};

struct scenario {
    const json_t *json;
    struct loop loop;
    struct fake_ls fake;
    struct config config;
    struct config_server server;
    struct enrich *enrich; // one of the two drives
    struct client *client;
    struct client_spec spec;
    struct file files[SCENARIO_FILES_MAX];
    size_t n_files;
    int64_t start_ms, took_ms;
    uint64_t memory_bytes; // peak, at the start
    bool is_closed, is_closing;
    struct buf wrong; // lines
};

void wrong(struct scenario *s, const char *format, ...) PRINTF_LIKE(2, 3);

/* files.c: texts and targets as the scenario says. */
void files_init(struct scenario *s);
void files_finish(struct scenario *s);

/* expect.c */
bool expect_is_settled(struct scenario *s); // the server's state and why are as expected
void expect_check_state(struct scenario *s);
void expect_check(struct scenario *s); // all else, when everything is closed
