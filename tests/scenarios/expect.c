/* What came of a scenario against what its "expect" says. Of each file: an array with an entry for each
 * target, or {"all": entry, "3": entry of that one}. An entry: true, the fake's own answer for the place;
 * a string, that text; null, empty; {"unknown": reason}; {"starts", "ends", "holds": text, "bytes": [min,
 * max]} of the text; {"provisional": entry} as a client calls it; {"unsaid": true}, no answer came. */
#include "scenario.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/utf.h"

void
wrong(struct scenario *s, const char *format, ...)
{
    va_list args;
    char line[600];
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_add_cstr(&s->wrong, line);
    buf_add_char(&s->wrong, '\n');
}

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- one answer ---- */

static bool
is_text(struct str text, const json_t *entry)
{
    const char *starts = text_of(entry, "starts"), *ends = text_of(entry, "ends"),
               *holds = text_of(entry, "holds");
    const json_t *bytes = json_object_get(entry, "bytes");
    if (json_is_string(entry))
        return str_eq_c(text, json_string_value(entry));
    if (starts && !str_starts_with(text, str_of(starts)))
        return false;
    if (ends && !str_ends_with(text, str_of(ends)))
        return false;
    if (holds && str_find(text, str_of(holds)) < 0)
        return false;
    return !bytes ||
           ((json_int_t)text.n >= json_integer_value(json_array_get(bytes, 0)) &&
            (json_int_t)text.n <= json_integer_value(json_array_get(bytes, 1)));
}

static bool
is_as_expected(const struct said *said, struct position at, const json_t *entry)
{
    const json_t *inner = json_object_get(entry, "provisional");
    const char *reason = text_of(entry, "unknown");
    if (json_object_get(entry, "unsaid"))
        return !said->is_said;
    if (!said->is_said || said->is_provisional != (inner != NULL))
        return false;
    entry = inner ? inner : entry;
    if (json_is_null(entry))
        return said->state == HOVER_EMPTY && said->reason == HOVER_REASON_NONE;
    if (reason)
        return said->state == HOVER_UNKNOWN &&
               strcmp(hover_reason_name(said->reason), reason) == 0;
    if (said->state != HOVER_KNOWN || said->reason != HOVER_REASON_NONE)
        return false;
    if (!json_is_true(entry))
        return is_text(str_of(said->text), entry);
    AUTO(free) char *own = xasprintf("hover %u:%u", at.line, at.col_utf16);
    return strcmp(own, said->text) == 0;
}

/* Whatever the scenario. */
static void
check_answer(struct scenario *s, const struct file *f, size_t i)
{
    const struct said *said = &f->said[i];
    if (!said->is_said)
        return;
    if (strlen(said->text) > HOVER_BYTES_MAX || !utf8_is_valid(str_of(said->text)))
        wrong(s, "%s %zu: text too long or no UTF-8", f->path, i);
    if (said->server[0] && strcmp(said->server, s->server.name) != 0)
        wrong(s, "%s %zu: of server %s", f->path, i, said->server);
    if ((said->state == HOVER_KNOWN) != (said->text[0] != '\0'))
        wrong(s, "%s %zu: known with no text, or text and not known", f->path, i);
}

static void
check_file(struct scenario *s, const struct file *f, const json_t *expected)
{
    if (!expected) {
        wrong(s, "%s: the scenario does not say what is expected of it", f->path);
        return;
    }
    for (size_t i = 0; i < f->n_targets; i++) {
        char key[24];
        snprintf(key, sizeof(key), "%zu", i);
        const json_t *entry = json_is_array(expected) ? json_array_get(expected, i)
                                                      : json_object_get(expected, key);
        if (!entry)
            entry = json_object_get(expected, "all");
        const struct said *said = &f->said[i];
        if (!entry || !is_as_expected(said, f->targets[i], entry))
            wrong(s, "%s %zu: %s%s %s \"%.200s\"", f->path, i,
                  said->is_provisional ? "provisional " : "",
                  said->is_said ? hover_state_name(said->state) : "unsaid",
                  hover_reason_name(said->reason), said->text ? said->text : "");
        check_answer(s, f, i);
    }
    if (s->enrich && (f->n_batches > 1 || (f->n_batches == 0 && !s->is_closing)))
        wrong(s, "%s: %zu batches", f->path, f->n_batches);
}

/* ---- the server ---- */

static bool
is_range(uint64_t value, const json_t *range)
{
    if (json_is_array(range))
        return value >= (uint64_t)json_integer_value(json_array_get(range, 0)) &&
               value <= (uint64_t)json_integer_value(json_array_get(range, 1));
    return value == (uint64_t)json_integer_value(range);
}

static struct enrich_server_status
status_of(struct scenario *s)
{
    struct enrich_server_status status = {.state = "none"};
    if (s->enrich)
        enrich_server_at(s->enrich, 0, &status);
    if (!s->client)
        return status;
    struct client_stats stats = client_stats(s->client);
    return (struct enrich_server_status){.state =
                                             client_state_name(client_state(s->client)),
                                         .why = client_why(s->client),
                                         .requests = stats.requests,
                                         .answers = stats.answers,
                                         .timeouts = stats.timeouts,
                                         .errors = stats.errors,
                                         .restarts = stats.restarts,
                                         .pending = stats.pending};
}

static void
each_of_state(struct scenario *s, bool is_told, bool *ret_all)
{
    const json_t *expected = json_object_get(s->json, "expect");
    struct enrich_server_status status = status_of(s);
    const char *state = text_of(expected, "state");
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"requests", status.requests}, {"answers", status.answers},
                  {"timeouts", status.timeouts}, {"errors", status.errors},
                  {"restarts", status.restarts}, {"pending", status.pending}};
    *ret_all = !state || strcmp(state, status.state) == 0;
    if (!*ret_all && is_told)
        wrong(s, "state: %s", status.state);
    size_t i;
    json_t *part;
    json_array_foreach(json_object_get(expected, "why"), i, part)
    {
        if (status.why && strstr(status.why, json_string_value(part)))
            continue;
        *ret_all = false;
        if (is_told)
            wrong(s, "why has no \"%s\": %s", json_string_value(part),
                  status.why ? status.why : "(none)");
    }
    for (i = 0; i < ARRAY_LEN(counts); i++) {
        const json_t *range = json_object_get(expected, counts[i].name);
        if (!range || is_range(counts[i].value, range))
            continue;
        *ret_all = false;
        if (is_told)
            wrong(s, "%s: %" PRIu64, counts[i].name, counts[i].value);
    }
}

bool
expect_is_settled(struct scenario *s)
{
    bool is_all;
    each_of_state(s, false, &is_all);
    return is_all;
}

void
expect_check_state(struct scenario *s)
{
    bool is_all;
    each_of_state(s, true, &is_all);
}

/* ---- what the server heard, and what is left of it ---- */

static void
check_heard(struct scenario *s, const json_t *expected)
{
    const char *part;
    json_t *range;
    json_object_foreach((json_t *)(uintptr_t)json_object_get(expected, "heard"), part,
                        range)
    {
        size_t n = fake_ls_count(&s->fake, part);
        if (!is_range(n, range))
            wrong(s, "heard %zu times: %s", n, part);
    }
}

static void
check_nothing_left(struct scenario *s)
{
    AUTO(free) char *heard = fake_ls_heard(&s->fake);
    struct str rest = str_of(heard), line, mark = STR("pid ");
    size_t n = 0;
    while (str_split(&rest, '\n', &line)) {
        uint64_t pid = 0;
        if (!str_starts_with(line, mark) ||
            str_to_u64(str_slice(line.p + mark.n, line.n - mark.n), &pid) < 0)
            continue;
        n++;
        if (kill((pid_t)pid, 0) == 0)
            wrong(s, "process %" PRIu64 " is left", pid);
    }
    if (n == 0)
        wrong(s, "no server was started");
}

static uint64_t
memory_grown_bytes(const struct scenario *s)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return ((uint64_t)usage.ru_maxrss << 10) - s->memory_bytes;
}

void
expect_check(struct scenario *s)
{
    const json_t *expected = json_object_get(s->json, "expect");
    for (size_t i = 0; i < s->n_files; i++)
        check_file(s, &s->files[i],
                   json_object_get(json_object_get(expected, "files"), s->files[i].path));
    check_heard(s, expected);
    check_nothing_left(s);
    const json_t *most_ms = json_object_get(expected, "most_ms"),
                 *most_bytes = json_object_get(expected, "most_memory_bytes");
    if (most_ms && s->took_ms > json_integer_value(most_ms))
        wrong(s, "it took %" PRId64 " ms", s->took_ms);
#ifndef __SANITIZE_ADDRESS__ // which keeps what is freed
    if (most_bytes && memory_grown_bytes(s) > (uint64_t)json_integer_value(most_bytes))
        wrong(s, "memory grew by %" PRIu64 " bytes", memory_grown_bytes(s));
#else
    (void)most_bytes;
    (void)memory_grown_bytes;
#endif
}
