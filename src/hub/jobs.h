#pragma once
/* Jobs, for whoever asks over WebSocket or HTTP. Private to the hub; loop thread. Each answers the asker once and
 * takes its request_id. Arguments are those of docs/PROTOCOL.md, "Jobs". */
#include <jansson.h>

#include "hub/ask.h"

/* {"kind","request"?,"priority"?,"delay_s"?,"run_at_ms"?,"every_s"?} */
void jobs_submit(struct hub *h, struct workspace *w, const json_t *data,
                 struct asker asker);
/* {"path"?,"force"?,"priority"?…} */
void jobs_reindex(struct hub *h, struct workspace *w, const json_t *data,
                  struct asker asker);
/* {"entities":[…]}, or "documents" */
void jobs_batch(struct hub *h, struct workspace *w, const json_t *data,
                struct asker asker);
void jobs_status(struct hub *h, struct str id, struct asker asker);
void jobs_cancel(struct hub *h, struct str id, struct asker asker);
void jobs_retry(struct hub *h, struct str id, struct asker asker);

#define JOBS_LIST_DEFAULT 100
#define JOBS_LIST_MAX 1000

struct jobs_filter {
    const struct workspace *workspace; // NULL: all
    struct str status, kind;           // empty: any
    size_t limit;
};
void jobs_list(struct hub *h, const struct jobs_filter *filter, struct asker asker);

/* ---- jobs_serve.c: rows of the tables in actions.c and routes.c ---- */

struct request;
void jobs_run_submit(struct request *request);
void jobs_run_reindex(struct request *request);
void jobs_run_status(struct request *request);
void jobs_run_cancel(struct request *request);
void jobs_run_retry(struct request *request);
void jobs_run_list(struct request *request);

void jobs_serve_submit(struct exchange *x);
void jobs_serve_reindex(struct exchange *x);
void jobs_serve_batch(struct exchange *x);
void jobs_serve_status(struct exchange *x);
void jobs_serve_cancel(struct exchange *x);
void jobs_serve_retry(struct exchange *x);
void jobs_serve_list(struct exchange *x);
