#pragma once
/* The folders that are not ignored. Loop thread, but for what says worker. */
#include "base/list.h"
#include "base/map.h"
#include "scan/rules.h"

struct walk_job;

enum dir_state { DIR_IDLE, DIR_QUEUED, DIR_READING };
/* Why a folder is read; a stronger reason takes the place of a weaker one. */
enum dir_reading {
    READ_NONE,
    READ_POLL, // unwatched: report what differs from the last time
    READ_DIFF, // its ignore rules changed: report what they decide otherwise now
    READ_ALL,  // report every file
};

/* What was last seen of a file in an unwatched folder. */
struct known {
    struct fs_stat stat;
    unsigned serial;
};

struct dir {
    struct dir *parent; // NULL: the root
    struct list sibling;
    struct list children;
    struct list queued;    // scan.queue while DIR_QUEUED
    struct list unwatched; // scan.unwatched while it could not be watched
    struct list waiting;   // changes below it, until it is idle
    struct walk_job *job;  // while DIR_READING
    char *path;            // relative to the root
    size_t path_n;
    struct ignore *ignore;  // the rules in force inside; NULL until read
    struct map *known;      // of struct known by name, while unwatched
    uint64_t device, inode; // 0 until read
    enum dir_state state;
    enum dir_reading reading; // of now; when DIR_IDLE of the last time
    enum dir_reading again;   // asked for while reading
    unsigned serial;          // of this reading
    unsigned named_serial;    // of the parent's reading that last named it
    bool is_watched;
    bool is_watch_lost; // it is another folder now, or none
    bool has_failed;
    bool has_cargo; // "target" is Cargo's
};

struct dir *dir_find(const struct scan *s, struct str path);
/* The folder of that path that is known and nearest to it: the parent, when all are. */
struct dir *dir_find_above(const struct scan *s, struct str path);
struct dir *dir_add(struct scan *s, struct dir *parent, struct str path);
/* With all below; the watches too. Says nothing to the user. */
void dir_drop(struct scan *s, struct dir *d);
/* As on_removed. Nothing happens to NULL and the root. */
void dir_drop_and_tell(struct scan *s, struct dir *d);
void dir_set_id(struct scan *s, struct dir *d, uint64_t device, uint64_t inode);
struct dir *dir_find_id(const struct scan *s, uint64_t device, uint64_t inode);
void dir_queue(struct scan *s, struct dir *d, enum dir_reading reading);
struct str dir_path(const struct dir *d);
/* Watches it, or counts it as unwatched. */
void dir_watch(struct scan *s, struct dir *d);
void dir_unwatch(struct scan *s, struct dir *d);      // no longer counted either way
void dir_forget_files(struct scan *s, struct dir *d); // it is not unwatched any more
/* The rules in force in it, or those above while it was not read. */
const struct ignore *dir_rules(const struct scan *s, const struct dir *d);
/* It was read, or cannot be, and what that brought is delivered. */
bool dir_is_settled(const struct dir *d);
bool dir_ignores(const struct ignore *fixed, const struct ignore *ignore, struct str path,
                 bool is_dir); // any thread
/* `name` below `dir`, relative to the root, NUL-terminated in the buf. */
struct str path_below_dir(struct str dir, struct str name, struct buf *space);
