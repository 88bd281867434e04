/* gloss/jobs: what runs in the background, for the command line. Submitting is the hub's. */
#include "base/err.h"
#include "lsp/server/methods.h"

#define LIST_BYTES_MAX (1u << 20)

struct listing {
    const struct workspace *w;
    struct buf json;
    size_t n;
    bool is_truncated;
};

static bool
list_one(void *ctx, const struct job *job)
{
    struct listing *l = ctx;

    if (l->json.n > LIST_BYTES_MAX) {
        l->is_truncated = true;
        return false;
    }
    if (l->n++ > 0)
        buf_add_char(&l->json, ',');
    workspace_add_job(&l->json, l->w, job);
    return true;
}

static void
list_all(struct server_session *s, const struct wire_id *id)
{
    struct listing l = {0};

    buf_add_cstr(&l.json, "{\"jobs\":[");
    for (size_t i = 0; !l.is_truncated && (l.w = workspaces_at(s->workspaces, i)); i++)
        workspace_each_job(l.w, list_one, &l);
    buf_printf(&l.json, "],\"truncated\":%s}", l.is_truncated ? "true" : "false");
    wire_reply_text(s->wire, id, buf_str(&l.json));
    buf_finish(&l.json);
}

static void
on_changed(void *ctx, int r, const struct job *job)
{
    struct pending *p = ctx;
    AUTO(buf_finish) struct buf json = {0};

    if (r < 0) {
        pending_error(p, WIRE_REQUEST_FAILED, err_text(r));
    } else {
        workspace_add_job(&json, p->workspace, job);
        pending_reply(p, buf_str(&json));
    }
    pending_destroy(p);
}

static void
change(struct server_session *s, const struct wire_id *id, struct str job_id,
       int (*fn)(struct workspace *w, struct str id, workspace_job_fn done, void *ctx))
{
    struct workspace *w = NULL;
    struct pending *p;
    int r;

    for (size_t i = 0; (w = workspaces_at(s->workspaces, i)); i++)
        if (workspace_find_job(w, job_id))
            break;
    if (!w) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS, "there is no such job");
        return;
    }
    p = pending_create(s, id, w);
    r = fn(w, job_id, on_changed, p);
    if (r < 0) {
        pending_error(p, WIRE_REQUEST_FAILED,
                      r == -EALREADY
                          ? "a job that waits or runs can be cancelled, one that "
                            "failed or was cancelled begun again"
                          : "another engine writes its index, or none does");
        pending_destroy(p);
    }
}

void
jobs_jobs(struct server_session *s, const struct wire_id *id, json_t *params)
{
    struct str job_id;

    if (codec_get_str(params, "cancel", &job_id) == 0)
        change(s, id, job_id, workspace_cancel_job);
    else if (codec_get_str(params, "retry", &job_id) == 0)
        change(s, id, job_id, workspace_retry_job);
    else
        list_all(s, id);
}
