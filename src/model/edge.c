/* Names of edge kinds, as in JSON and queries. */
#include "model/edge.h"

static const char *const kinds[EDGE_KIND_COUNT] = {
    [EDGE_CALLS] = "calls",
    [EDGE_IMPORTS] = "imports",
    [EDGE_INHERITS] = "inherits",
    [EDGE_IMPLEMENTS] = "implements",
};

const char *
edge_kind_name(enum edge_kind kind)
{
    assert((unsigned)kind < EDGE_KIND_COUNT);
    return kinds[kind];
}

static const char *const confidences[EDGE_CONFIDENCE_COUNT] = {
    [EDGE_CONFIDENCE_NONE] = "none",
    [EDGE_CONFIDENCE_NAME] = "name",
    [EDGE_CONFIDENCE_LEXICAL] = "lexical",
};

const char *
edge_confidence_name(enum edge_confidence confidence)
{
    return confidences[confidence];
}
