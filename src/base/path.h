#pragma once
/* Paths as text, '/' separated; nothing here asks the file system. Results are heap strings. */
#include "base/base.h"
#include "base/str.h"

#define PATH_BYTES_MAX 4096

char *path_join(const char *dir, const char *rest) MUST_USE; // `rest` wins when absolute
/* Remove ".", "..", double and trailing slashes. */
char *path_normalize(const char *path) MUST_USE;
struct str path_basename(struct str path);
struct str path_dirname(struct str path); // "." when there is none
struct str path_extension(
    struct str path); // without the dot; empty for ".profile" and "Makefile"
/* `path` below `root` ("" when equal), as a view into path; p is NULL when it is not below. Both normalized. */
struct str path_below(struct str root, struct str path);
