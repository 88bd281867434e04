#pragma once
/* What the files of src/app share: the engine, the bridge, the way to a running engine, and what every
 * command gets. Nobody outside includes it. Main thread. */
#include "base/base.h"
#include "base/str.h"
#include "config/config.h"
#include "lsp/wire/wire.h"
#include "rt/loop.h"

#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2

/* ---- engine.c: one per user, in the foreground until told or idle ---- */

struct engine_options {
    const struct config *config;
    const char *db_url;       // --db or NULL
    const char *const *roots; // held from the start; NULL-terminated
    int ready_fd; // "ready\n", or one line of error, is written here, then it is closed; -1: none
    int64_t idle_exit_s; // 0: never
};
/* Returns the exit code. */
int engine_run(const struct engine_options *options);
/* One session over stdio with the engine in this process: `gloss lsp --in-process`. */
int engine_run_in_process(const struct engine_options *options);

/* ---- launch.c: places of the running engine ---- */

char *engine_socket_path(void) MUST_USE;
char *engine_file_path(void) MUST_USE; // engine.json
char *engine_lock_path(void) MUST_USE;
/* A stream to the engine of this user. start: start one (detached) if there is none.
 * -ENOENT: none runs. *ret_why (heap) is one line for the user. */
int engine_connect(struct loop *l, bool start, struct stream **ret_stream,
                   char **ret_why);
/* Our own executable, absolute. */
const char *own_program(void);

/* ---- bridge.c: `gloss lsp` ---- */
int bridge_run(void);

/* ---- control.c: a command asks the engine ---- */

struct control;
/* -ENOENT when no engine runs (and start is false). *ret_why (heap) says what to do. */
int control_open(bool start, struct control **ret_control, char **ret_why);
/* Sends one request and runs the loop until its answer; notifications meanwhile go to on_notification (may be
 * NULL), whose non-zero return ends the wait with -ECANCELED. 0: *ret_result is a reference. On -EPROTO *ret_why is the engine's message. */
typedef int (*control_notification_fn)(void *ctx, const char *method, json_t *params);
int control_request(struct control *c, const char *method, json_t *params,
                    control_notification_fn on_notification, void *ctx,
                    json_t **ret_result, char **ret_why);
/* Runs the loop for notifications until on_notification ends it, a signal comes (0), or the engine is gone (-EPIPE). */
int control_listen(struct control *c, control_notification_fn on_notification, void *ctx);
void control_close(struct control *c);

/* ---- output.c: the only way to stdout ---- */
void out_str(struct str s);
void out_flush(void); // ends the program when it cannot be written
void out_line(const char *fmt, ...) PRINTF_LIKE(1, 2); // with a newline
/* A name as a line may hold it: a newline in it is shown as \n, an escape as \x1b. A view of b. */
struct str out_name(struct buf *b, struct str name);
/* "gloss: …" on stderr, one line; returns EXIT_FAILED. */
int fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same of what is no failure: to a person, nothing when stderr is no terminal. */
void note(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* A line of progress on stderr, replaced by the next; only when it is a terminal that can do so. */
void progress_show(const char *fmt, ...) PRINTF_LIKE(1, 2);
void progress_clear(void);
