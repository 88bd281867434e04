/* The workspaces a session looks at: what it named in initialize, and what is added later. */
#include "base/err.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "lsp/server/internal.h"

static void
on_change(void *ctx)
{
    struct session_root *root = ctx;

    if (workspace_state(root->workspace) != WORKSPACE_OPENING)
        pending_run(root->session, root->workspace);
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

static void
drop(struct session_root *root)
{
    list_remove(&root->link);
    workspace_unlisten(root->listener);
    free(root);
}

void
session_drop_roots(struct server_session *s)
{
    list_for_each_safe (it, &s->roots)
        drop(list_entry(it, struct session_root, link));
}

/* Its documents stay open and its workspace stays: others may look at it. What waits for the workspace
 * to be open would not be told any more, and runs now: there is no index, so the answer is null. */
void
session_remove_root(struct server_session *s, const char *path)
{
    AUTO(free) char *real = NULL;

    if (fs_real_path(path, &real) < 0)
        real = xstrdup(path); // removed from the disk as well
    list_for_each_safe (it, &s->roots) {
        struct session_root *root = list_entry(it, struct session_root, link);
        struct workspace *w = root->workspace;

        if (strcmp(workspace_root(w), real) != 0)
            continue;
        progress_end(root);
        drop(root);
        pending_run(s, w);
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
