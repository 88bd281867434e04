#pragma once
/* The files that the index has, or soon will have, by path and by folder: what is below a folder costs its own size
 * and not that of all. All that the index has for as long as it is watched is here, so a file is small: its folder's
 * path is in memory once. Whoever owns it calls; nothing of it is shared. */
#include "base/hash.h"
#include "base/str.h"
#include "model/file.h"

struct known_files;
struct known_folder;

/* What the store last said of a path, so that an unchanged file costs one look-up. */
struct known_file {
    struct known_folder *folder;
    uint32_t before, after; // of its folder, as places; 0: none
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint64_t inode;
    struct hash128 content;
    uint32_t walk;     // last walk that saw it
    uint16_t n_asking; // hover jobs under way
    enum file_state state : 8;
    enum file_reason reason : 8;
    bool is_stored : 1;    // false: seen, not committed yet
    bool was_asked : 1;    // about this content's hovers, in this run
    bool is_due_again : 1; // after its hover jobs: another server came, or a text
    char name[];           // in its folder
};

struct known_files *known_create(void) MUST_USE;
void known_destroy(struct known_files *k); // NULL is allowed
/* Adds what an index has. Any thread. */
int known_read(struct known_files *k, const char *url);
struct known_file *known_find(const struct known_files *k, struct str path);
struct known_file *known_add(struct known_files *k,
                             struct str path);             // or the one there is
void known_remove(struct known_files *k, struct str path); // nothing happens to none
/* As map_next; the path is good until the next call. */
bool known_next(const struct known_files *k, size_t *iter, struct str *ret_path,
                struct known_file **ret_file);
/* The file of this path, if there is one, and all below the folder of this path. The table must not change
 * meanwhile; the path is of the call. */
void known_each_at(const struct known_files *k, struct str path,
                   void (*fn)(void *ctx, struct str path, struct known_file *file),
                   void *ctx);
