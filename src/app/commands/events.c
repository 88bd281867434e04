/* gloss events: the change feed as on the wire, one event a line. The past comes from the index file;
 * --follow asks the engine, which replays and goes on without a gap. */
#include "app/commands/commands.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "store/store.h"

#define EVENTS_PAGE 500

static const struct command_option options[] = {
    {"since", OPTION_TEXT, "EPOCH:SEQ",
     "only what came after; the cursor of the last event that was seen"},
    {"follow", OPTION_FLAG, NULL,
     "go on with live events (starts an engine if there is none)"},
    {"dir", OPTION_TEXT, "DIR", "the workspace (default: the current folder)"},
    {0},
};

/* "EPOCH:SEQ", or SEQ alone for the present epoch. */
static int
parse_since(const char *text, struct str *ret_epoch, int64_t *ret_seq)
{
    struct str s = str_of(text);
    ssize_t colon = str_find_char(s, ':');

    *ret_epoch = colon >= 0 ? str_slice(s.p, (size_t)colon) : STR_NONE;
    if (colon >= 0)
        s = str_slice(s.p + colon + 1, s.n - (size_t)colon - 1);
    if (str_to_i64(s, ret_seq) == 0 && *ret_seq >= 0)
        return 0;
    fail("--since wants EPOCH:SEQ, not \"%s\"", text);
    return -EINVAL;
}

/* ---- from the file ---- */

struct page {
    struct store_info info;
    const char *id;
    int64_t last;
    size_t n;
};

static int
on_wire_event(void *ctx, const struct codec_wire_event *event)
{
    const struct page *page = ctx;
    AUTO(buf_finish) struct buf json = {0};

    codec_add_wire_event(&json, event, str_of(page->info.epoch), str_of(page->id),
                         STR_NONE);
    buf_add_char(&json, '\n');
    out_str(buf_str(&json));
    return 0;
}

static int
on_event(void *ctx, const struct event *event)
{
    struct page *page = ctx;

    page->last = event->seq;
    page->n++;
    return codec_event_expand(event, on_wire_event, page);
}

static int
check_cursor(const struct store_info *info, struct str epoch, int64_t seq)
{
    if (epoch.n > 0 && !str_eq_c(epoch, info->epoch))
        return fail("the cursor is of another epoch (%.*s); the index was made anew: "
                    "read it whole (`gloss export`), "
                    "then go on from %s:%" PRId64,
                    STR_ARG(epoch), info->epoch, info->head);
    if (seq > info->head)
        return fail("the cursor %" PRId64 " is ahead of the index, which is at %" PRId64,
                    seq, info->head);
    if (seq < info->first_seq - 1)
        return fail("events before %" PRId64
                    " are gone from the log: read the index whole (`gloss export`), "
                    "then go on from %s:%" PRId64,
                    info->first_seq, info->epoch, info->head);
    return EXIT_OK;
}

static int
from_file(const struct command_line *line, const char *root, struct str epoch,
          int64_t seq)
{
    struct store_reader *reader = line_open_index(line, root);
    struct page page = {.last = seq};
    AUTO(free) char *id = NULL;
    int r;

    if (!reader)
        return EXIT_FAILED;
    page.id = id = line_workspace_id(root);
    r = store_read_info(reader, &page.info);
    if (r == 0 && line_has(line, "since") &&
        check_cursor(&page.info, epoch, seq) != EXIT_OK) {
        store_reader_close(reader);
        return EXIT_FAILED;
    }
    do {
        page.n = 0;
        if (r == 0)
            r = store_each_event(reader, page.last, EVENTS_PAGE, on_event, &page);
    } while (r == 0 && page.n == EVENTS_PAGE);
    store_reader_close(reader);
    return r == 0 ? EXIT_OK : fail("cannot read the event log: %s", err_text(r));
}

/* ---- from the engine ---- */

static int
on_notification(void *ctx UNUSED, const char *method, json_t *params)
{
    AUTO(buf_finish) struct buf json = {0};

    if (strcmp(method, "gloss/event") != 0)
        return 0;
    codec_add_json(&json, params);
    buf_add_char(&json, '\n');
    out_str(buf_str(&json));
    return fflush(stdout) == EOF;
}

static int
follow(const char *root, struct str epoch, int64_t seq, bool has_since)
{
    json_t *params = json_pack("{s:s}", "root", root);
    AUTO(json_decref_) json_t *result = NULL;
    AUTO(free) char *why = NULL, *answer_why = NULL;
    struct control *c = NULL;
    int r;

    if (has_since)
        json_object_set_new(params, "since",
                            json_pack("{s:s%, s:I}", "epoch", epoch.n ? epoch.p : "",
                                      epoch.n, "seq", (json_int_t)seq));
    if (control_open(true, &c, &why) < 0) {
        json_decref(params);
        return fail("%s", why);
    }
    r = control_request(c, "gloss/events", params, on_notification, NULL, &result,
                        &answer_why);
    if (r == 0)
        r = control_listen(c, on_notification, NULL);
    control_close(c);
    if (answer_why)
        return fail("%s", answer_why);
    return r == 0 || r == -ECANCELED
               ? EXIT_OK
               : fail("the engine is gone; run it again with --since of the last event");
}

static int
run(const struct command_line *line)
{
    AUTO(free) char *root = line_root_of(line, line_text(line, "dir"));
    struct str epoch = STR_NONE;
    int64_t seq = 0;

    if (!root)
        return EXIT_FAILED;
    if (line_has(line, "since") &&
        parse_since(line_text(line, "since"), &epoch, &seq) < 0)
        return EXIT_USAGE;
    if (line_has(line, "follow"))
        return follow(root, epoch, seq, line_has(line, "since"));
    return from_file(line, root, epoch, seq);
}

const struct command command_events = {
    .name = "events",
    .arguments = "",
    .summary = "Print the change feed, one JSON event a line",
    .details = "Without --follow: what the log holds, then end. With --follow and "
               "without --since: live events only.",
    .options = options,
    .run = run,
};
