#pragma once
/* The contract of the protocol, as it is served: src/hub/contract, compiled in. Private to the hub; any thread. */
#include "base/base.h"
#include "base/str.h"

struct contract_document {
    const char *name; // "openapi.json", "schema/event.json"
    const char *text;
    size_t size;
};

/* Sorted by name; ends with a row of NULL. */
extern const struct contract_document contract_documents[];
/* NULL: there is none. */
const struct contract_document *contract_find(struct str name);
