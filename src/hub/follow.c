/* Why: a plain HTTP client follows the log as a WebSocket does, with one subscription for as long as its answer lasts.
 * Invariant: a follower is its exchange's, which destroys it when the connection ends, and not before. */
#include "hub/follow.h"

#include "base/mem.h"
#include "codec/codec.h"
#include "hub/client.h"
#include "hub/cloudevents.h"
#include "hub/filter.h"
#include "hub/serve.h"

#define TYPES_WRONG "types must be 1 to 32 patterns such as entity.*, with commas between"

/* ---- what is asked for ---- */

/* Comma-separated. NULL, or what is wrong. */
static const char *
read_types(struct exchange *x, struct follow_args *args)
{
    struct str rest, pattern;
    if (!exchange_argument_view(x, "types", &rest) &&
        !exchange_argument_view(x, "events", &rest))
        return NULL;
    if (rest.n == 0)
        return TYPES_WRONG;
    while (str_split(&rest, ',', &pattern)) {
        if (args->sub.n_patterns >= MATCH_PATTERNS_MAX || pattern.n == 0 ||
            pattern.n > MATCH_PATTERN_BYTES_MAX)
            return TYPES_WRONG;
        args->patterns[args->sub.n_patterns++] = pattern;
    }
    args->sub.patterns = args->patterns;
    return NULL;
}

static const char *
read_since(struct exchange *x, struct follow_args *args)
{
    if (args->since.n == 0 && !exchange_argument_view(x, "since", &args->since) &&
        !exchange_argument_view(x, "last_event_id", &args->since))
        return NULL;
    return match_since(args->since, &args->sub.since) < 0
               ? "since must be EPOCH:SEQ, earliest or latest"
               : NULL;
}

static const char *
read_format(struct exchange *x, struct follow_args *args)
{
    struct str name;
    if (!exchange_argument_view(x, "format", &name))
        return NULL;
    return cloudevents_read_format(name, &args->is_cloudevents) < 0
               ? "format must be gloss or cloudevents"
               : NULL;
}

/* Last: what it makes must not be lost. */
static const char *
read_filter(struct exchange *x, struct follow_args *args)
{
    struct str text;
    AUTO(json_decref_) json_t *tree = NULL;
    const char *why;
    if (!exchange_argument_view(x, "filter", &text))
        return NULL;
    if (codec_parse(text, &tree, NULL) < 0)
        return "filter must be JSON";
    return filter_create(tree, &args->sub.filter, &why) < 0 ? why : NULL;
}

bool
follow_read_args(struct exchange *x, struct follow_args *args)
{
    const char *why = read_types(x, args);
    if (!why)
        why = read_since(x, args);
    if (!why)
        why = read_format(x, args);
    if (!why)
        why = read_filter(x, args);
    if (why)
        exchange_problem(x, PROBLEM_BAD_REQUEST, why);
    return !why;
}

/* ---- life ---- */

struct follower *
follower_of_owner(struct sub_owner *owner)
{
    return container_of(owner, struct follower, owner);
}

struct follower *
follower_create(struct exchange *x, size_t size)
{
    struct hub *h = x->hub;
    if (!hub_has_place(h)) {
        exchange_problem(x, PROBLEM_OVERLOADED, "there are too many connections");
        return NULL;
    }
    struct follower *f = xcalloc(1, size);
    f->exchange = x;
    sub_owner_init(&f->owner, h);
    list_add(&h->followers, &f->link);
    h->n_followers++;
    hub_tell_clients(h);
    return f;
}

void
follower_stop(struct follower *f)
{
    list_for_each_safe (it, &f->owner.subs)
        sub_close(sub_of_owner_link(it));
    f->sub = NULL;
}

void
follower_destroy(struct follower *f)
{
    struct hub *h = f->owner.hub;
    follower_stop(f);
    list_remove(&f->link);
    free(f);
    h->n_followers--;
    hub_tell_clients(h);
}

enum sub_next
follower_next(struct follower *f, struct str *ret_event)
{
    struct hub *h = f->owner.hub;
    enum sub_next next = sub_next_frame(f->sub, ret_event);
    if (next != SUB_FRAME)
        return next;
    h->stats.events_sent++;
    if (f->is_cloudevents) {
        buf_reset(&h->view);
        cloudevents_add(&h->view, *ret_event, h->next_view++);
        *ret_event = buf_str(&h->view);
    }
    return SUB_FRAME;
}

void
follower_tick_all(struct hub *h, int64_t now_ms)
{
    list_for_each_safe (it, &h->followers) {
        struct follower *f = list_entry(it, struct follower, link);
        if (f->on_tick)
            f->on_tick(f, now_ms);
    }
}
