#pragma once
/* The methods gloss answers: a row of the table each, and its function in the file of its group. */
#include "lsp/server/internal.h"

typedef void (*request_fn)(struct server_session *s, const struct wire_id *id,
                           json_t *params);
typedef void (*notification_fn)(struct server_session *s, json_t *params);

struct method {
    const char *name;
    request_fn on_request;
    notification_fn on_notification;
    bool before_initialize; // commands of ours do not initialize
};
/* methods.c */
const struct method *method_find(const char *name);

/* the groups of methods */
void lifecycle_initialize(struct server_session *s, const struct wire_id *id,
                          json_t *params);
void lifecycle_initialized(struct server_session *s, json_t *params);
void lifecycle_shutdown(struct server_session *s, const struct wire_id *id,
                        json_t *params);
void lifecycle_exit(struct server_session *s, json_t *params);
void lifecycle_cancel(struct server_session *s, json_t *params);
void lifecycle_progress_cancel(struct server_session *s, json_t *params);
void lifecycle_ignore(struct server_session *s, json_t *params);
void lifecycle_configuration(struct server_session *s, json_t *params);
void lifecycle_folders(struct server_session *s, json_t *params);
void documents_open(struct server_session *s, json_t *params);
void documents_change(struct server_session *s, json_t *params);
void documents_save(struct server_session *s, json_t *params);
void documents_close(struct server_session *s, json_t *params);
void symbols_document(struct server_session *s, const struct wire_id *id, json_t *params);
void symbols_workspace(struct server_session *s, const struct wire_id *id,
                       json_t *params);
void symbols_outline(struct server_session *s, const struct wire_id *id, json_t *params);
void navigation_hover(struct server_session *s, const struct wire_id *id, json_t *params);
void navigation_definition(struct server_session *s, const struct wire_id *id,
                           json_t *params);
void hierarchy_references(struct server_session *s, const struct wire_id *id,
                          json_t *params);
void hierarchy_prepare_calls(struct server_session *s, const struct wire_id *id,
                             json_t *params);
void hierarchy_incoming(struct server_session *s, const struct wire_id *id,
                        json_t *params);
void hierarchy_outgoing(struct server_session *s, const struct wire_id *id,
                        json_t *params);
void hierarchy_prepare_types(struct server_session *s, const struct wire_id *id,
                             json_t *params);
void hierarchy_supertypes(struct server_session *s, const struct wire_id *id,
                          json_t *params);
void hierarchy_subtypes(struct server_session *s, const struct wire_id *id,
                        json_t *params);

/* navigation.c: a request about the word at a place, through to the entities of that name */
void navigation_ask(struct server_session *s, const struct wire_id *id, json_t *params,
                    enum feature f, void (*run)(struct pending *p));
void navigation_named(struct pending *p, query_done_fn done);
/* NULL: none. is_wanted may be NULL: any kind. */
const struct entity_row *navigation_best(const struct pending *p,
                                         const struct query_result *result,
                                         bool (*is_wanted)(enum entity_kind kind));

void engine_status(struct server_session *s, const struct wire_id *id, json_t *params);
void engine_hold(struct server_session *s, const struct wire_id *id, json_t *params);
void engine_index(struct server_session *s, const struct wire_id *id, json_t *params);
void engine_reindex(struct server_session *s, const struct wire_id *id, json_t *params);
void engine_pause(struct server_session *s, const struct wire_id *id, json_t *params);
void engine_resume(struct server_session *s, const struct wire_id *id, json_t *params);
void engine_retry(struct server_session *s, const struct wire_id *id, json_t *params);
void engine_dashboard(struct server_session *s, const struct wire_id *id, json_t *params);
void engine_stop(struct server_session *s, const struct wire_id *id, json_t *params);
void jobs_jobs(struct server_session *s, const struct wire_id *id, json_t *params);
void handed_hovers(struct server_session *s, const struct wire_id *id, json_t *params);
void feed_events(struct server_session *s, const struct wire_id *id, json_t *params);
