/* Why: several engines may share an index, and one of them writes it. The others read, and their hubs send what
 * that one commits: news go to the bus as an own commit's would. When the one that writes has said goodbye, or
 * has been killed, the next that tries takes its place. Invariant: a workspace follows or writes, never both;
 * its own first commit comes behind the last event that was read of the others. */
#include "workspace/following.h"

#include "base/err.h"
#include "base/mem.h"
#include "workspace/internal.h"

#define LOG_MODULE "workspace"
#include "base/log.h"

#define FOLLOWING_TRY_MS 45000
/* Free twice, so long apart: an engine whose connection was cut while it had nothing to write finds that out
 * within a minute, and keeps its workspace. */
#define FOLLOWING_SURE_MS 70000
#define FOLLOWING_GOODBYE_MS 50 // after one: it lets go of the lock a little later

struct following {
    struct workspace *w;
    struct query_follower *follower;
    struct timer *timer;   // the next try to write
    struct writer *taking; // of that try
    bool is_begun, is_lost;
    bool is_free;   // the writer has gone, or was not there at the last try
    bool has_taken; // it may write, and reads up to what was written
    struct store_info taken;
};

static void
on_part_closed(void *ctx)
{
    struct workspace *w = ctx;

    if (w->is_closing)
        workspace_part_closed(w);
    else
        w->n_leftovers--;
}

/* What closes while the workspace goes on. */
static void
leave_writer(struct workspace *w, struct writer *writer)
{
    w->n_leftovers++;
    writer_close(writer, on_part_closed, w);
}

/* ---- to write ---- */

static void
take_place(struct workspace *w)
{
    struct following *f = steal(w->following);

    leave_writer(w, w->writer);
    w->writer = f->taking;
    w->n_leftovers++;
    query_follower_close(f->follower, on_part_closed, w);
    timer_close(f->timer);
    log_info("%s: nobody else writes the index any more; this engine does", w->root);
    workspace_begin_writing(w, &f->taken);
    free(f);
}

static void
on_taking_open(void *ctx, int r, const struct store_info *info, const char *why)
{
    struct workspace *w = ctx;
    struct following *f = w->following;

    if (w->is_closing)
        return;
    if (r < 0) {
        if (r != -EWOULDBLOCK)
            log_warn("%s: cannot write the index: %s", w->root, why ? why : err_text(r));
        f->is_free = false;
        leave_writer(w, steal(f->taking));
        timer_start(f->timer, FOLLOWING_TRY_MS, 0);
        return;
    }
    if (!f->is_free) {
        f->is_free = true;
        leave_writer(w, steal(f->taking));
        timer_start(f->timer, FOLLOWING_SURE_MS, 0);
        return;
    }
    f->has_taken = true;
    f->taken = *info;
    query_follower_look(f->follower);
}

static const struct writer_events taking_events = {.on_open = on_taking_open,
                                                   .on_commit = workspace_on_commit};

static void
on_try(void *ctx)
{
    struct workspace *w = ctx;

    if (!w->following->taking)
        w->following->taking = writer_open(w->all->loop, w->url, w->root,
                                           workspace_maker(w), &taking_events, w);
}

/* ---- news ---- */

static void
begin(struct workspace *w, const struct store_info *info)
{
    w->info = *info;
    bus_set_head(w->bus, info->head);
    w->query = query_open(w->all->loop, w->all->pool, w->url);
    w->following->is_begun = true;
    counts_refresh(w);
    timer_start(w->notify_timer, 0, 0); // requests wait for this
}

static void
try_soon(struct following *f, uint64_t delay_ms)
{
    f->is_free = true;
    if (!f->taking)
        timer_start(f->timer, delay_ms, 0);
}

/* Of an engine that ends; it was its last commit. */
static bool
is_goodbye(const struct query_result *news)
{
    return news->n_events > 0 &&
           news->events[news->n_events - 1]->type == EVENT_PIPELINE_OFFLINE;
}

static void
on_news(void *ctx, struct query_result **result)
{
    struct workspace *w = ctx;
    struct following *f = w->following;
    const struct query_result *news = *result;

    if (w->is_closing)
        return;
    if (f->is_lost != (news->r < 0))
        workspace_changed(w);
    f->is_lost = news->r < 0;
    if (f->is_lost)
        return;
    if (!f->is_begun)
        begin(w, &news->info);
    memcpy(w->info.epoch, news->info.epoch, sizeof(w->info.epoch));
    w->info.first_seq = news->info.first_seq;
    if (news->n_events > 0)
        workspace_on_commit(w, news->events, news->n_events, false);
    if (f->has_taken && news->info.head >= f->taken.head &&
        (news->n_events == 0 || bus_head(w->bus) >= f->taken.head))
        take_place(w);
    else if (is_goodbye(news))
        try_soon(f, FOLLOWING_GOODBYE_MS);
}

void
following_begin(struct workspace *w)
{
    struct following *f = xnew(struct following);

    f->w = w;
    w->following = f;
    jobs_drop_early(w);
    f->timer = timer_open(w->all->loop, on_try, w);
    timer_start(f->timer, FOLLOWING_TRY_MS, 0);
    log_info("%s: another engine writes the index; what it writes is followed", w->root);
    f->follower = query_follow(w->all->loop, w->all->pool, w->url, on_news, w);
    runs_check(w);
    pushed_drop(w, -EROFS);
}

void
following_try(struct workspace *w)
{
    try_soon(w->following, 0);
}

bool
following_is_begun(const struct workspace *w)
{
    return w->following && w->following->is_begun;
}

const char *
following_why(const struct workspace *w)
{
    if (!w->following)
        return NULL;
    return w->following->is_lost
               ? "another engine writes the index; the connection to it is lost, and "
                 "tried "
                 "again"
               : "another engine writes the index; what it writes is followed";
}

void
following_close(struct workspace *w)
{
    struct following *f = steal(w->following);

    if (!f)
        return;
    w->closing_parts++;
    query_follower_close(f->follower, workspace_part_closed, w);
    if (f->taking) {
        w->closing_parts++;
        writer_close(f->taking, workspace_part_closed, w);
    }
    timer_close(f->timer);
    free(f);
}
