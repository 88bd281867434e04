/* A language server that does as it is told: fake_ls SCENARIO.json LOG
 *
 * LOG: lines "life" and "pid N" for each start, "pid N" for a child it leaves, then each message it
 * receives, one JSON text a line.
 * SCENARIO: {"lives": [life, …]}; the n-th start takes the n-th life, the last one stays. A life:
 *   "stdout": text            written raw before anything else
 *   "stderr": text            written at start
 *   "die": status             at start, after the two above
 *   "leaves_child": true      forks a child that would survive everything but SIGKILL
 *   "header": name            written so in place of Content-Length
 *   "header_bytes": n         as many of another header before it, in every frame
 *   "before_initialize": [message, …]    sent before initialize is answered; a strict life waits for the answers
 *   "initialize": {"result": …} | {"error": {…}} | {"silent": true}; without it: hover, version "1.0"
 *   "encoding": "utf-8"       added to the default result as positionEncoding
 *   "after_initialized": [message, …]   sent in this order
 *   "is_deaf": true           from then on it reads nothing
 *   "is_strict": true         no hover is answered before every request of ours and didChangeConfiguration
 *                             came, and one of a file that is not open is refused (-32602)
 *   "hover": [rule, …]        the first rule that fits decides; none: markdown "hover LINE:CHARACTER"
 *   "shutdown": "silent" | "error" | "answers"   not answered; refused; what is held is answered first
 *   "is_stubborn": true       exit, end of input and SIGTERM do not end it
 * A message: {"request"|"notify": method, "params": …}, {"message": any JSON as it is}, {"raw": text} without
 * a frame; with "repeat": n as often (not raw).
 * A rule:
 *   "line": n, "path": suffix   fits only these
 *   "times": n                  fits only so often
 *   "result": …, "error": {…}   in place of the default answer
 *   "literal": text             the markdown between its quotes, byte by byte; \xNN is a byte
 *   "text_bytes": n, "text_unit": text   markdown of so many, made of units
 *   "no_result": true           the answer has its id and nothing else
 *   "is_twice": true, "is_batch": true   the answer is sent two times; in an array
 *   "silent": true              no answer
 *   "delay_ms": n               the answer comes so much later; the others go on
 *   "work_ms": n                nothing else is done for so long before the answer
 *   "hold": n                   answers are kept until there are n, then leave last first
 *   "die": status, "die_mid": status   instead of the answer; in its middle
 *   "is_mute": true             closes its stdout and lives
 *   "grow_bytes": n             takes as much memory
 *   "garbage": text             raw bytes instead of the answer
 *   "stderr": text              written when it fits
 *   "before", "then": [message, …]   sent before and after the answer
 */
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "fake_say.h"

#define SCENARIO_BYTES_MAX (16u << 20)

struct answer {
    int64_t due_ms;
    json_t *message;
    const json_t *rule; // borrowed from the scenario; may be NULL
};

struct server {
    json_t *life;
    int log_fd;
    struct buf in;
    VEC(struct answer) delayed;
    VEC(struct answer) held;
    VEC(json_t *) waiting; // hovers of a strict life
    struct map *open;      // URIs
    json_t *initialize;    // not answered yet
    size_t n_unanswered;   // requests of ours
    bool is_configured, is_over, is_deaf;
};

static void
send_message(const struct server *s, json_t *message)
{
    say_message(s->life, message);
}

static void
send_list(struct server *s, const json_t *list)
{
    say_list(s->life, list, &s->n_unanswered);
}

static void
send_answer(struct server *s, const struct answer *a)
{
    send_list(s, json_object_get(a->rule, "before"));
    say_answer(s->life, a->rule, a->message);
    send_list(s, json_object_get(a->rule, "then"));
}

static json_t *
reply_to(const json_t *request, const char *key, json_t *value)
{
    return json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id",
                     json_object_get(request, "id"), key, value);
}

/* ---- hover ---- */

static const char *
uri_of(const json_t *message)
{
    const json_t *params = json_object_get(message, "params");
    return json_string_value(
        json_object_get(json_object_get(params, "textDocument"), "uri"));
}

static bool
fits(json_t *rule, const char *uri, json_int_t line)
{
    json_t *times = json_object_get(rule, "times");
    const json_t *wanted = json_object_get(rule, "line");
    const char *path = json_string_value(json_object_get(rule, "path"));
    if (wanted && json_integer_value(wanted) != line)
        return false;
    if (path && !str_ends_with(str_of(uri), str_of(path)))
        return false;
    if (!times)
        return true;
    if (json_integer_value(times) == 0)
        return false;
    json_integer_set(times, json_integer_value(times) - 1);
    return true;
}

static const json_t *
find_rule(struct server *s, const char *uri, json_int_t line)
{
    size_t i;
    json_t *rule;
    json_array_foreach(json_object_get(s->life, "hover"), i, rule)
    {
        if (fits(rule, uri, line))
            return rule;
    }
    return NULL;
}

static json_t *
answer_of(const json_t *request, const json_t *rule, json_int_t line,
          json_int_t character)
{
    json_t *error = json_object_get(rule, "error");
    json_t *result = json_object_get(rule, "result");
    if (error)
        return reply_to(request, "error", json_incref(error));
    if (result)
        return reply_to(request, "result", json_incref(result));
    json_t *text = json_sprintf("hover %d:%d", (int)line, (int)character);
    return reply_to(
        request, "result",
        json_pack("{s:{s:s, s:o}}", "contents", "kind", "markdown", "value", text));
}

static void
release_held(struct server *s)
{
    while (s->held.n > 0)
        send_answer(s, &s->held.v[--s->held.n]);
}

static void
work(const json_t *work_ms)
{
    int64_t end_ms = clock_mono_ms() + json_integer_value(work_ms);
    while (json_integer_value(work_ms) > 0 && clock_mono_ms() < end_ms)
        poll(NULL, 0, (int)(end_ms - clock_mono_ms()));
}

static void
grow(const json_t *n_bytes)
{
    static char *volatile grown; // stays
    size_t n = (size_t)json_integer_value(n_bytes);
    if (n == 0)
        return;
    grown = xmalloc(n);
    memset(grown, 1, n);
}

static void
obey(struct server *s, const json_t *rule, struct answer a)
{
    const json_t *die = json_object_get(rule, "die"),
                 *die_mid = json_object_get(rule, "die_mid");
    const json_t *delay = json_object_get(rule, "delay_ms"),
                 *hold = json_object_get(rule, "hold");
    say_text(STDERR_FILENO, json_object_get(rule, "stderr"));
    work(json_object_get(rule, "work_ms"));
    if (die)
        _exit((int)json_integer_value(die));
    grow(json_object_get(rule, "grow_bytes"));
    if (die_mid) {
        char *body = json_dumps(a.message, JSON_COMPACT);
        struct buf b = say_frame_of(s->life, body, strlen(body));
        say_bytes(STDOUT_FILENO, b.p, b.n - b.n / 3);
        _exit((int)json_integer_value(die_mid));
    }
    if (json_is_true(json_object_get(rule, "is_mute")))
        say_no_more();
    if (json_object_get(rule, "garbage")) {
        say_text(STDOUT_FILENO, json_object_get(rule, "garbage"));
    } else if (json_is_true(json_object_get(rule, "silent"))) {
        json_decref(a.message);
    } else if (delay) {
        a.due_ms = clock_mono_ms() + json_integer_value(delay);
        *vec_push(&s->delayed) = a;
    } else if (hold) {
        *vec_push(&s->held) = a;
        if (s->held.n >= (size_t)json_integer_value(hold))
            release_held(s);
    } else {
        send_answer(s, &a);
    }
}

static void
on_hover(struct server *s, json_t *request)
{
    const json_t *position =
        json_object_get(json_object_get(request, "params"), "position");
    json_int_t line = json_integer_value(json_object_get(position, "line"));
    json_int_t character = json_integer_value(json_object_get(position, "character"));
    const char *uri = uri_of(request);
    bool is_strict = json_is_true(json_object_get(s->life, "is_strict"));
    if (is_strict && (s->n_unanswered > 0 || !s->is_configured)) {
        *vec_push(&s->waiting) = json_incref(request);
        return;
    }
    if (is_strict && !map_get(s->open, str_of(uri))) {
        send_message(
            s, reply_to(request, "error",
                        json_pack("{s:i, s:s}", "code", -32602, "message", "not open")));
        return;
    }
    const json_t *rule = find_rule(s, uri, line);
    obey(s, rule,
         (struct answer){.message = answer_of(request, rule, line, character),
                         .rule = rule});
}

static void
release_waiting(struct server *s)
{
    for (size_t i = 0; s->n_unanswered == 0 && s->is_configured && i < s->waiting.n;
         i++) {
        on_hover(s, s->waiting.v[i]);
        json_decref(s->waiting.v[i]);
        if (i + 1 == s->waiting.n)
            s->waiting.n = 0;
    }
}

/* ---- the rest ---- */

static void
answer_initialize(struct server *s, const json_t *request)
{
    const json_t *how = json_object_get(s->life, "initialize");
    if (json_object_get(how, "error")) {
        send_message(
            s, reply_to(request, "error", json_incref(json_object_get(how, "error"))));
        return;
    }
    if (json_object_get(how, "result")) {
        send_message(
            s, reply_to(request, "result", json_incref(json_object_get(how, "result"))));
        return;
    }
    json_t *caps = json_pack("{s:b, s:i}", "hoverProvider", 1, "textDocumentSync", 1);
    if (json_object_get(s->life, "encoding"))
        json_object_set(caps, "positionEncoding", json_object_get(s->life, "encoding"));
    send_message(s, reply_to(request, "result",
                             json_pack("{s:o, s:{s:s, s:s}}", "capabilities", caps,
                                       "serverInfo", "name", "fake", "version", "1.0")));
}

static void
on_initialize(struct server *s, json_t *request)
{
    send_list(s, json_object_get(s->life, "before_initialize"));
    if (json_is_true(json_object_get(json_object_get(s->life, "initialize"), "silent")))
        return;
    if (s->n_unanswered > 0 && json_is_true(json_object_get(s->life, "is_strict")))
        s->initialize = json_incref(request);
    else
        answer_initialize(s, request);
}

static void
on_shutdown(struct server *s, const json_t *request)
{
    const char *how = json_string_value(json_object_get(s->life, "shutdown"));
    if (how && strcmp(how, "answers") == 0)
        release_held(s);
    if (how && strcmp(how, "error") == 0)
        send_message(s, reply_to(request, "error",
                                 json_pack("{s:i, s:s}", "code", -32600, "message",
                                           "I will not")));
    else if (!how || strcmp(how, "silent") != 0)
        send_message(s, reply_to(request, "result", json_null()));
}

static bool
is_stubborn(const struct server *s)
{
    return json_is_true(json_object_get(s->life, "is_stubborn"));
}

static void
take_message(struct server *s, json_t *message)
{
    const char *method = json_string_value(json_object_get(message, "method"));
    if (!method) {
        if (s->n_unanswered > 0 && json_is_string(json_object_get(message, "id")))
            s->n_unanswered--;
        if (s->n_unanswered == 0 && s->initialize) {
            answer_initialize(s, s->initialize);
            json_decref(steal(s->initialize));
        }
        release_waiting(s);
    } else if (strcmp(method, "initialize") == 0) {
        on_initialize(s, message);
    } else if (strcmp(method, "initialized") == 0) {
        send_list(s, json_object_get(s->life, "after_initialized"));
        s->is_deaf = json_is_true(json_object_get(s->life, "is_deaf"));
    } else if (strcmp(method, "workspace/didChangeConfiguration") == 0) {
        s->is_configured = true;
        release_waiting(s);
    } else if (strcmp(method, "textDocument/didOpen") == 0) {
        map_put(s->open, str_of(uri_of(message)), s);
    } else if (strcmp(method, "textDocument/didClose") == 0) {
        map_remove(s->open, str_of(uri_of(message)));
    } else if (strcmp(method, "textDocument/hover") == 0) {
        on_hover(s, message);
    } else if (strcmp(method, "shutdown") == 0) {
        on_shutdown(s, message);
    } else if (strcmp(method, "exit") == 0) {
        s->is_over = !is_stubborn(s);
    }
}

/* The body's length of the frame at the start, and where it begins; false: not whole. */
static bool
next_frame(const struct buf *in, size_t *ret_start, size_t *ret_n)
{
    ssize_t end = str_find(buf_str(in), STR("\r\n\r\n"));
    uint64_t n;
    if (end < 0)
        return false;
    struct str header = str_slice(in->p, (size_t)end);
    ssize_t colon = str_find_char(header, ':');
    if (str_to_u64(
            str_trim(str_slice(header.p + colon + 1, header.n - (size_t)colon - 1)), &n) <
        0)
        _exit(97);
    *ret_start = (size_t)end + 4;
    *ret_n = (size_t)n;
    return in->n >= *ret_start + *ret_n;
}

static void
take_input(struct server *s)
{
    size_t start, n;
    while (!s->is_over && !s->is_deaf && next_frame(&s->in, &start, &n)) {
        json_t *message = json_loadb(s->in.p + start, n, JSON_ALLOW_NUL, NULL);
        if (!message)
            _exit(98);
        char *line = json_dumps(message, JSON_COMPACT);
        AUTO(buf_finish) struct buf b = {0};
        buf_printf(&b, "%s\n", line);
        say_bytes(s->log_fd, b.p, b.n);
        free(line);
        buf_consume(&s->in, start + n);
        take_message(s, message);
        json_decref(message);
    }
}

/* Sends what is due; how long to wait for the next, -1 for ever. */
static int
send_due(struct server *s)
{
    int64_t now_ms = clock_mono_ms();
    int wait_ms = -1;
    for (size_t i = 0; i < s->delayed.n;) {
        struct answer a = s->delayed.v[i];
        if (a.due_ms <= now_ms) {
            memmove(s->delayed.v + i, s->delayed.v + i + 1,
                    (--s->delayed.n - i) * sizeof(*s->delayed.v));
            send_answer(s, &a);
            continue;
        }
        int left_ms = (int)(a.due_ms - now_ms);
        wait_ms = wait_ms < 0 ? left_ms : MIN(wait_ms, left_ms);
        i++;
    }
    return wait_ms;
}

static void
serve(struct server *s)
{
    struct pollfd pfd = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!s->is_over) {
        int wait_ms = send_due(s);
        if (s->is_deaf)
            pfd.fd = -1;
        int r = poll(&pfd, 1, wait_ms);
        if (r < 0 && errno != EINTR)
            return;
        if (r <= 0)
            continue;
        buf_reserve(&s->in, 65536);
        ssize_t n = read(STDIN_FILENO, s->in.p + s->in.n, 65536);
        if (n <= 0) {
            if (!is_stubborn(s))
                return;
            pfd.fd = -1; // stays until it is killed
            continue;
        }
        s->in.n += (size_t)n;
        take_input(s);
    }
}

static size_t
count_lives(const char *log)
{
    AUTO(buf_finish) struct buf text = {0};
    size_t n = 0;
    if (fs_read_file(log, SCENARIO_BYTES_MAX, &text, NULL) < 0)
        return 0;
    struct str rest = buf_str(&text), line;
    while (str_split(&rest, '\n', &line))
        n += str_eq_c(line, "life");
    return n;
}

static void
note_pid(const struct server *s)
{
    AUTO(buf_finish) struct buf b = {0};
    buf_printf(&b, "pid %d\n", (int)getpid());
    say_bytes(s->log_fd, b.p, b.n);
}

/* A grandchild in a session of its own, deaf to SIGTERM, with our pipes open. */
static void
leave_child(const struct server *s)
{
    int fds[2];
    char is_there;
    if (pipe(fds) < 0)
        _exit(93);
    pid_t pid = fork();
    if (pid > 0) {
        waitpid(pid, NULL, 0);
        ssize_t n UNUSED = read(fds[0], &is_there, 1);
        close(fds[0]);
        close(fds[1]);
        return;
    }
    setsid();
    if (fork() > 0)
        _exit(0);
    setsid();
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    note_pid(s);
    ssize_t n UNUSED = write(fds[1], "x", 1);
    for (;;)
        pause();
}

int
main(int argc, char **argv)
{
    struct server s = {0};
    if (argc != 3)
        return 96;
    json_t *scenario = json_load_file(argv[1], 0, NULL);
    const json_t *lives = json_object_get(scenario, "lives");
    size_t n = count_lives(argv[2]);
    if (json_array_size(lives) == 0)
        return 95;
    s.life = json_array_get(lives, MIN(n, json_array_size(lives) - 1));
    s.log_fd = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (s.log_fd < 0)
        return 94;
    say_bytes(s.log_fd, "life\n", 5);
    note_pid(&s);
    s.open = map_create();
    if (is_stubborn(&s))
        signal(SIGTERM, SIG_IGN);
    if (json_is_true(json_object_get(s.life, "leaves_child")))
        leave_child(&s);

    say_text(STDOUT_FILENO, json_object_get(s.life, "stdout"));
    say_text(STDERR_FILENO, json_object_get(s.life, "stderr"));
    if (json_object_get(s.life, "die"))
        _exit((int)json_integer_value(json_object_get(s.life, "die"))); // as a crash does
    serve(&s);

    for (size_t i = 0; i < s.delayed.n; i++)
        json_decref(s.delayed.v[i].message);
    for (size_t i = 0; i < s.held.n; i++)
        json_decref(s.held.v[i].message);
    for (size_t i = 0; i < s.waiting.n; i++)
        json_decref(s.waiting.v[i]);
    vec_finish(&s.delayed);
    vec_finish(&s.held);
    vec_finish(&s.waiting);
    buf_finish(&s.in);
    map_destroy(s.open);
    json_decref(scenario);
    close(s.log_fd);
    return 0;
}
