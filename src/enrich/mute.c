/* A server that says nothing, of file after file and for minutes: neither a hover nor that there is none. Why: each of
 * its files costs deadlines or rounds of nulls, and it may never come to more. So it is called not answering, and asked
 * again seldom, each time after a longer pause. Invariant: what is left out meanwhile is unknown, never empty; open
 * documents are asked about all the same; the first word ends it. */
#include "enrich/internal.h"

#include "base/clock.h"

void
mute_note_vain(struct server *s)
{
    struct mute *m = &s->mute;
    int64_t now_ms = clock_mono_ms();
    if (m->n_vain++ == 0)
        m->since_ms = now_ms;
    if (m->is_on || m->n_vain < ENRICH_VAIN ||
        now_ms - m->since_ms < (int64_t)s->e->vain_ms)
        return;
    m->is_on = true;
    m->wait_ms =
        m->wait_ms ? MIN(2 * m->wait_ms, ENRICH_MUTE_MS_MAX) : ENRICH_MUTE_MS_MIN;
    m->until_ms = now_ms + m->wait_ms;
    s->e->is_server_due = true;
}

void
mute_lift(struct server *s)
{
    if (!s->mute.is_on)
        return;
    s->mute.is_on = false;
    s->e->is_left_due = true;
    s->e->is_server_due = true;
}

void
mute_end(struct server *s)
{
    mute_lift(s);
    s->mute.n_vain = 0;
    s->mute.wait_ms = 0;
}

void
mute_note_word(struct server *s)
{
    if (s->mute.wait_ms && s->n_again < ENRICH_AGAIN) {
        s->n_again++;
        s->e->is_again_due = true;
    }
    mute_end(s);
}

void
mute_step(struct server *s, int64_t now_ms)
{
    if (now_ms >= s->mute.until_ms)
        mute_lift(s);
    for (int priority = 0; s->mute.is_on && priority < ENRICH_PRIORITIES - 1;
         priority++) {
        list_for_each_safe (it, &s->waiting[priority])
            task_leave(list_entry(it, struct task, link));
    }
}

bool
enrich_is_mute(struct enrich *e, const char *lang, const char *path)
{
    const struct server *s = server_of(e, lang, path);
    return s && s->mute.is_on;
}
