#pragma once
/* What is ignored: one pattern, one file's rules, and the rules before all files. Any
 * thread, but for references to a struct ignore, which are counted on the loop. */
#include "base/str.h"
#include "scan/scan.h"

#define SCAN_RULES_BYTES_MAX 1048576 // of one ignore file
#define IGNORE_RULES_MAX 65536       // of one ignore file; the rest is left out

enum verdict { VERDICT_NONE, VERDICT_IGNORED, VERDICT_INCLUDED };

/* ---- glob.c, any thread ---- */
bool glob_matches(const char *pattern, struct str text);

/* ---- ignore.c, any thread but for references ---- */
/* A file above the root; root_below is the root relative to the file's folder. */
struct ignore *ignore_parse_outside(struct ignore *above, struct str root_below,
                                    struct str text);
/* Of this path alone, not of the folders it lies in. */
enum verdict ignore_verdict(const struct ignore *i, struct str path, bool is_dir);

/* ---- sources.c: the files outside of the tree that decide, as places to watch ---- */
struct paths {
    char **v;
    size_t n, cap;
};
void paths_add(struct paths *paths, const char *path); // what is not absolute is left out
void paths_finish(struct paths *paths);
/* A change of `name` in `dir` may be a change of a file, or bring the folders it lies in. */
struct source {
    char *dir; // is there; by the name that the scan has for it, else its real path
    char *name;
    bool is_file; // else a folder on the way, of which only coming and going counts
};
struct sources {
    struct source *v;
    size_t n, cap;
};
/* Worker. git_dir may be NULL. */
void sources_find(const struct paths *paths, const char *root, const char *git_dir,
                  struct sources *ret_sources);
void sources_finish(struct sources *sources);
/* name NULL: the folder itself is gone. */
bool sources_have(const struct sources *sources, const char *dir, const char *name);
/* Loop: watches these from now on, not those of before; takes the list. True when a folder is
 * watched that was not: what was read before may be out of date. */
bool sources_watch(struct scan *s, struct sources *fresh);

/* ---- gitconfig.c, worker ---- */
/* The user's own excludes: core.excludesFile, else git's default place; heap, NULL: none. `top`, the
 * folders of the worktree and of the repository are NULL without one. `files`: all that was asked for. */
char *gitconfig_excludes(const char *top, const char *git_dir, const char *common_dir,
                         struct paths *files) MUST_USE;

/* ---- rules.c: the rules that hold before any file in the root is read ---- */
struct base_rules {
    /* in */
    const char *root;
    /* out */
    struct ignore *ignore;
    uint64_t hash;          // of all rules: the same rules have the same
    char *git_dir;          // absolute; NULL: the root is not a repository's top
    struct sources sources; // all files outside of the root that were asked for
    struct paths files;     // the same, by name
    bool is_locked;         // index.lock is there
};
void base_rules_load(struct base_rules *b); // worker
void base_rules_finish(struct base_rules *b);
/* Reads an ignore file: 0, -ENOENT when there is none that counts, -EFBIG… */
int base_rules_read(int dir_fd, const char *name, struct buf *ret_text);
/* The files that hold ignore rules, weakest first. */
#define IGNORE_FILE_COUNT 3
extern const char *const ignore_file_names[IGNORE_FILE_COUNT];
bool is_ignore_file(struct str name);
bool is_vcs_folder(struct str name);
