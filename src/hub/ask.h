#pragma once
/* Questions to an index, for whoever asked. Private to the hub; loop thread. */
#include "hub/internal.h"
#include "query/query.h"

/* Who waits for an answer: a request of a client, or an exchange. */
struct asker {
    struct hub_client *client;
    struct exchange *exchange;
    char *request_id; // JSON text; of a client. An ask owns it
};

/* `data` is an object as JSON text. */
void asker_data(struct asker *a, struct str data);
/* The question was good, its answer is none. */
void asker_problem(struct asker *a, enum problem p, const char *detail);
/* It was none that can be asked: it counts among a client's bad requests in a row. */
void asker_refuse(struct asker *a, enum problem p, const char *detail);

/* too-many: it came too soon. */
void asker_wait(struct asker *a, const char *detail, int64_t retry_after_ms);

/* "workspaces":[…] in short; the whole object of stats. */
void asker_add_workspaces(struct buf *json, const struct hub *h);
void asker_add_stats(struct buf *json, const struct hub *h);

struct ask {
    struct list link;       // the hub's
    struct list owner_link; // the client's
    struct hub *hub;
    struct workspace *workspace;
    struct query_ticket
        *ticket; // NULL: no query has it, whoever does calls ask_on_done()
    int64_t begin_ns;
    struct asker asker;
    void (*on_result)(struct ask *ask,
                      struct query_result **result); // NULL: nobody waits any more
    void *owner;                                     // of on_result
};

/* A question that is about to be put: set ticket to what the query returned, with done = ask_on_done. */
struct ask *ask_open(struct hub *h, struct workspace *w, struct asker asker,
                     void (*on_result)(struct ask *ask, struct query_result **result),
                     void *owner) MUST_USE;
void ask_on_done(void *ctx, struct query_result **result);
/* Nobody waits any more; it ends by itself. NULL is allowed. */
void ask_abandon(struct ask *ask);

/* Each answers the asker, also when the workspace cannot be asked. The request_id is taken. */
void ask_search(struct hub *h, struct workspace *w, const struct query_search *search,
                struct asker asker);
void ask_list(struct hub *h, struct workspace *w, const struct query_search *filter,
              const struct query_place *from, struct asker asker);
void ask_entity(struct hub *h, struct workspace *w, struct str key, bool with_edges,
                struct asker asker);
