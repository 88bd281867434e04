#pragma once
/* A version of an editor's document: immutable text, shared by the session and the jobs that read
 * it. References may be taken and dropped on any thread (the only atomic counter outside src/rt). */
#include "base/base.h"
#include "base/str.h"

struct snapshot;

/* Takes the heap string (NUL behind its n bytes). */
struct snapshot *snapshot_create(char *text, size_t n, int64_t version) MUST_USE;
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);
struct str snapshot_text(const struct snapshot *s);
int64_t snapshot_version(const struct snapshot *s);
/* Line n (zero-based) without its end (\n, \r\n or \r); empty past the end. O(log lines) after the
 * first call, which is on the creating thread. */
struct str snapshot_line(const struct snapshot *s, uint32_t line);
uint32_t snapshot_line_count(const struct snapshot *s);
/* Byte offset of a line's start; the text's length past the end. */
size_t snapshot_line_offset(const struct snapshot *s, uint32_t line);
DEFINE_AUTO(snapshot_unref, struct snapshot *)
