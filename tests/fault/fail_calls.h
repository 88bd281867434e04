#pragma once
/* The C library's calls that fail on demand, for whoever is in this process, RocksDB and its threads, too: of
 * those on files below one folder the n-th change (write, sync, truncate, rename, removal), opening or read from now on,
 * and a number of those that follow. */
enum calls_kind { CALLS_CHANGE, CALLS_OPEN, CALLS_READ };

/* folder: as it is given to open(). code: errno. */
void calls_arm(const char *folder, enum calls_kind kind, long n, long burst, int code);
/* How many failed. */
long calls_disarm(void);
