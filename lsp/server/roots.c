/* The workspaces a session looks at: what it named in initialize, and what is added later. */
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "lsp/server/internal.h"

static void
on_change(void *ctx)
{
    struct session_root *root = ctx;

    pending_check(root->session);
    progress_changed(root);
}

int
session_add_root(struct server_session *s, const char *path,
                 struct workspace **ret_workspace)
{
    struct session_root *root;
    struct workspace *w;
    size_t n = 0;
    int r = workspaces_acquire(s->workspaces, path, s->is_trusted, &w);

    if (r < 0)
        return r;
    list_for_each (it, &s->roots) {
        n++;
        if (list_entry(it, struct session_root, link)->workspace == w) {
            *ret_workspace = w;
            return 0;
        }
    }
    if (n >= SERVER_ROOTS_MAX)
        return -EMFILE;
    root = xnew(struct session_root);
    root->session = s;
    root->workspace = w;
    root->listener = workspace_listen(w, on_change, root);
    list_add(&s->roots, &root->link);
    *ret_workspace = w;
    return 0;
}

void
session_drop_roots(struct server_session *s)
{
    list_for_each_safe (it, &s->roots) {
        struct session_root *root = list_entry(it, struct session_root, link);

        list_remove(&root->link);
        workspace_unlisten(root->listener);
        free(root);
    }
}

/* The innermost root that holds the path. */
struct workspace *
session_workspace_of(struct server_session *s, const char *absolute, struct str *ret_path)
{
    struct workspace *best = NULL;

    list_for_each (it, &s->roots) {
        struct workspace *w = list_entry(it, struct session_root, link)->workspace;
        struct str below = workspace_relative(w, absolute);

        if (below.p && below.n > 0 && (!best || below.n < ret_path->n)) {
            best = w;
            *ret_path = below;
        }
    }
    return best;
}
