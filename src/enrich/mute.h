#pragma once
/* Inside src/enrich: of a server that says nothing. Loop thread. */
#include "base/base.h"

#define ENRICH_SILENT 4 // files in a row without any answer: it hangs, if it spoke before
#define ENRICH_VAIN 8   // files in a row of which nothing was said,
#define ENRICH_VAIN_MS 180000    // so long after the first of them: it does not answer,
#define ENRICH_MUTE_MS_MIN 60000 // and is left alone; doubled each time
#define ENRICH_MUTE_MS_MAX 960000

struct server;

struct mute {
    unsigned n_vain;  // files in a row of which it said nothing
    int64_t since_ms; // end of the first of them
    bool is_on;       // so many and for so long that it is not asked now
    int64_t until_ms;
    int64_t wait_ms; // the last; 0: there was none, or it spoke since
};

void mute_note_vain(struct server *s); // a file ended, and nothing was said of it
void mute_note_word(struct server *s); // a hover, that there is none, or an error
void mute_lift(struct server *s);      // what was left out may be asked for
void mute_end(struct server *s);       // the same, and all is as at the beginning
void mute_step(struct server *s, int64_t now_ms);
