#pragma once
/* The files that the index has, or soon will have, by path and by folder: what is below a folder costs its own size
 * and not that of all. All that the index has for as long as it is watched is here, so a file is small: its folder's
 * path is in memory once. Whoever owns it calls; nothing of it is shared. */
#include "base/hash.h"
#include "base/list.h"
#include "base/str.h"
#include "model/file.h"

struct known_files;
struct known_folder;

/* What the store last said of a path, so that an unchanged file costs one look-up. */
struct known_file {
    struct list link; // of its folder
    struct known_folder *folder;
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint64_t inode;
    struct hash128 content;
    struct hash128 asked; // content whose hovers were asked for in this run
    unsigned walk;        // last walk that saw it
    unsigned n_asking;    // hover jobs under way
    enum file_state state : 8;
    enum file_reason reason : 8;
    bool is_stored; // false: seen, not committed yet
    bool
        is_due_again; // once its hover jobs are through: another server came, or another text was there
    char name[]; // in its folder
};

struct known_files *known_create(void) MUST_USE;
void known_destroy(struct known_files *k); // NULL is allowed
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
