#pragma once
/* file:// URIs as LSP wants them (RFC 3986): every byte outside the unreserved set and '/' is
 * percent-encoded, so [ ] ^ | # % and non-ASCII survive every server. */
#include "base/base.h"
#include "base/str.h"

char *uri_from_path(const char *absolute_path) MUST_USE;
/* -EINVAL: not a file URI, a foreign host, a bad escape, an embedded NUL, longer than PATH_BYTES_MAX.
 * A query or fragment is left off. Result is normalized, heap. */
int uri_to_path(struct str uri, char **ret_path);
