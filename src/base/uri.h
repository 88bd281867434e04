#pragma once
/* file:// URIs as LSP wants them (RFC 3986): every byte outside the unreserved set and '/' is
 * percent-encoded, so [ ] ^ | # % and non-ASCII survive every server. And what of another URI may be
 * shown. */
#include "base/base.h"
#include "base/str.h"

char *uri_from_path(const char *absolute_path) MUST_USE;
/* -EINVAL: not a file URI, a foreign host, a bad escape, an embedded NUL, longer than PATH_BYTES_MAX.
 * A query or fragment is left off. Result is normalized, heap. */
int uri_to_path(struct str uri, char **ret_path);
/* Of "scheme://…": without passwords, and without what may be one: of the query the values of a few
 * known names are left. Anything else is as it was. Heap. For logs, messages, status. */
char *uri_public(const char *uri) MUST_USE;
