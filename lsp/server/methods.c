/* The method table: every method gloss answers, sorted by name. A new one is a row here and a function
 * in its group's file. */
#include "lsp/server/methods.h"

static const struct method methods[] = {
    {"$/cancelRequest", .on_notification = lifecycle_cancel, .before_initialize = true},
    {"$/setTrace", .on_notification = lifecycle_ignore},
    {"callHierarchy/incomingCalls", .on_request = hierarchy_incoming},
    {"callHierarchy/outgoingCalls", .on_request = hierarchy_outgoing},
    {"exit", .on_notification = lifecycle_exit, .before_initialize = true},
    {"gloss/dashboard", .on_request = engine_dashboard, .before_initialize = true},
    {"gloss/events", .on_request = feed_events, .before_initialize = true},
    {"gloss/hold", .on_request = engine_hold, .before_initialize = true},
    {"gloss/hovers", .on_request = handed_hovers},
    {"gloss/index", .on_request = engine_index, .before_initialize = true},
    {"gloss/jobs", .on_request = jobs_jobs, .before_initialize = true},
    {"gloss/outline", .on_request = symbols_outline},
    {"gloss/pause", .on_request = engine_pause},
    {"gloss/reindex", .on_request = engine_reindex},
    {"gloss/resume", .on_request = engine_resume},
    {"gloss/retry", .on_request = engine_retry, .before_initialize = true},
    {"gloss/status", .on_request = engine_status, .before_initialize = true},
    {"gloss/stop", .on_request = engine_stop, .before_initialize = true},
    {"initialize", .on_request = lifecycle_initialize, .before_initialize = true},
    {"initialized", .on_notification = lifecycle_initialized},
    {"shutdown", .on_request = lifecycle_shutdown},
    {"textDocument/definition", .on_request = navigation_definition},
    {"textDocument/didChange", .on_notification = documents_change},
    {"textDocument/didClose", .on_notification = documents_close},
    {"textDocument/didOpen", .on_notification = documents_open},
    {"textDocument/didSave", .on_notification = documents_save},
    {"textDocument/documentSymbol", .on_request = symbols_document},
    {"textDocument/hover", .on_request = navigation_hover},
    {"textDocument/prepareCallHierarchy", .on_request = hierarchy_prepare_calls},
    {"textDocument/prepareTypeHierarchy", .on_request = hierarchy_prepare_types},
    {"textDocument/references", .on_request = hierarchy_references},
    {"typeHierarchy/subtypes", .on_request = hierarchy_subtypes},
    {"typeHierarchy/supertypes", .on_request = hierarchy_supertypes},
    {"window/workDoneProgress/cancel", .on_notification = lifecycle_progress_cancel},
    {"workspace/didChangeConfiguration", .on_notification = lifecycle_configuration},
    {"workspace/didChangeWatchedFiles", .on_notification = lifecycle_ignore},
    {"workspace/didChangeWorkspaceFolders", .on_notification = lifecycle_folders},
    {"workspace/symbol", .on_request = symbols_workspace},
};

static int
compare(const void *name, const void *row)
{
    return strcmp(name, ((const struct method *)row)->name);
}

const struct method *
method_find(const char *name)
{
    return bsearch(name, methods, ARRAY_LEN(methods), sizeof(methods[0]), compare);
}
