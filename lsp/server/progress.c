/* What an editor is told without asking: $/progress while files or hovers are under way, and
 * gloss/status for status lines. Driven by the workspace's listener, which is throttled already. */
#include "base/mem.h"
#include "lsp/server/internal.h"

static void
add_token(struct buf *json, const struct session_root *root)
{
    buf_printf(json, "\"gloss-%s-%u\"", workspace_id(root->workspace),
               root->progress_number);
}

static void
notify_text(struct server_session *s, const char *method, struct buf *params)
{
    json_t *value = NULL;

    if (codec_parse(buf_str(params), &value, NULL) == 0)
        wire_notify(s->wire, method, value);
}

static void
send_progress(struct session_root *root, const char *kind, const char *rest)
{
    AUTO(buf_finish) struct buf json = {0};

    buf_add_cstr(&json, "{\"token\":");
    add_token(&json, root);
    buf_printf(&json, ",\"value\":{\"kind\":\"%s\"%s}}", kind, rest);
    notify_text(root->session, "$/progress", &json);
}

static void
on_created(void *ctx UNUSED, const struct wire_answer *answer UNUSED)
{
}

static void
begin(struct session_root *root)
{
    AUTO(buf_finish) struct buf json = {0};
    json_t *params = NULL;

    root->is_progress_shown = true;
    root->progress_number++;
    buf_add_cstr(&json, "{\"token\":");
    add_token(&json, root);
    buf_add_char(&json, '}');
    if (codec_parse(buf_str(&json), &params, NULL) == 0)
        wire_request(root->session->wire, "window/workDoneProgress/create", params,
                     on_created, NULL);
    send_progress(root, "begin",
                  ",\"title\":\"gloss\",\"cancellable\":true,\"percentage\":0");
}

static unsigned
percentage(uint64_t done, uint64_t total)
{
    return total ? (unsigned)(MIN(done, total) * 100 / total) : 0;
}

static void
report(struct session_root *root, enum workspace_state state)
{
    struct workspace_progress p = workspace_progress(root->workspace);
    AUTO(free) char *rest = NULL;

    if (state == WORKSPACE_ENRICHING)
        rest = xasprintf(",\"message\":\"hovers %" PRIu64 "/%" PRIu64
                         " files\",\"percentage\":%u",
                         p.hover_files_done, p.hover_files_total,
                         percentage(p.hover_files_done, p.hover_files_total));
    else
        rest = xasprintf(
            ",\"message\":\"indexing %" PRIu64 "/%" PRIu64 " files\",\"percentage\":%u",
            p.files_done, p.files_total, percentage(p.files_done, p.files_total));
    send_progress(root, "report", rest);
}

void
progress_end(struct session_root *root)
{
    if (root->is_progress_shown)
        send_progress(root, "end", "");
    root->is_progress_shown = false;
}

static const char *
editor_state(enum workspace_state state)
{
    switch (state) {
    case WORKSPACE_OPENING: return "starting";
    case WORKSPACE_FAILED:
    case WORKSPACE_CLOSING: return "error";
    case WORKSPACE_FOLLOWING: return "ready";
    case WORKSPACE_INDEXING:
    case WORKSPACE_ENRICHING:
    case WORKSPACE_READY:
    case WORKSPACE_PAUSED:
    case WORKSPACE_STATE_COUNT: break;
    }
    return workspace_state_name(state);
}

static void
send_status(struct session_root *root, enum workspace_state state)
{
    AUTO(buf_finish) struct buf json = {0};

    buf_printf(&json, "{\"state\":\"%s\"", editor_state(state));
    workspace_add_brief(&json, root->workspace);
    buf_add_cstr(&json, ",\"root\":");
    codec_add_string(&json, str_of(workspace_root(root->workspace)));
    buf_add_cstr(&json, ",\"message\":");
    codec_add_string(&json, str_of(workspace_why(root->workspace)));
    buf_add_char(&json, '}');
    notify_text(root->session, "gloss/status", &json);
}

void
progress_changed(struct session_root *root)
{
    struct server_session *s = root->session;
    enum workspace_state state = workspace_state(root->workspace);
    bool is_busy = state == WORKSPACE_INDEXING || state == WORKSPACE_ENRICHING;

    if (!s->is_editor || s->state != SESSION_RUNNING || s->is_closing)
        return;
    send_status(root, state);
    if (!s->has_progress)
        return;
    if (is_busy && !root->is_progress_shown)
        begin(root);
    if (is_busy)
        report(root, state);
    else
        progress_end(root);
}
