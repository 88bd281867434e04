/* Invariants: MIN(WINDOW_MIN, max) <= size <= max, whatever comes; one step per epoch, an
 * epoch being as many answers as the window is wide, so that a step is judged by answers
 * to what was asked after it; a window that held nothing back does not grow.
 *
 * The mean of an epoch is compared, not one answer: in a burst the first answer waits for
 * one and the last for all. The best is measured with WINDOW_MIN in flight, not taken from
 * the smallest latency seen: under a full window of a serial server that is the queue's own,
 * and the window would chase it upward. */
#include "enrich/window.h"

#define INCREASE_MIN 4
#define BEST_WEIGHT 8 // of the old mean against one sample

static void
begin_epoch(struct window *w)
{
    w->n_left = w->size;
    w->n_sampled = 0;
    w->sum_us = 0;
    w->is_full = w->is_cut = false;
}

static void
resize(struct window *w, uint32_t size)
{
    w->size = MIN(MAX(size, (uint32_t)WINDOW_MIN), w->max);
}

void
window_init(struct window *w, uint32_t max)
{
    *w = (struct window){.max = MAX(max, 1u)};
    resize(w, WINDOW_START);
    begin_epoch(w);
}

uint32_t
window_size(const struct window *w)
{
    return w->n_probes > 0 ? MIN(w->size, (uint32_t)WINDOW_MIN) : w->size;
}

void
window_on_full(struct window *w)
{
    w->is_full = true;
}

static void
judge(struct window *w)
{
    if (++w->n_epochs >= WINDOW_PROBE_EPOCHS || w->best_us == 0) {
        w->n_probes = WINDOW_MIN;
        w->n_epochs = 0;
    }
    if (w->is_cut || w->best_us == 0)
        return;
    uint64_t mean_us = w->sum_us / w->n_sampled;
    uint64_t ok_us =
        MAX(w->best_us * WINDOW_LATENCY_FACTOR, (uint64_t)WINDOW_LATENCY_OK_US);
    if (mean_us > ok_us)
        resize(w, w->size - w->size / 4);
    else if (w->is_full)
        resize(w, w->size + MAX(w->size / 8, (uint32_t)INCREASE_MIN));
}

static void
note_best(struct window *w, uint64_t waited_us)
{
    if (w->best_us == 0)
        w->best_us = waited_us;
    else
        w->best_us = (w->best_us * (BEST_WEIGHT - 1) + waited_us) / BEST_WEIGHT;
    w->best_us = MAX(w->best_us, (uint64_t)1);
    if (w->n_probes > 0 && --w->n_probes == 0)
        begin_epoch(w);
}

void
window_on_answer(struct window *w, uint64_t waited_us, bool is_alone)
{
    waited_us = MIN(waited_us, (uint64_t)UINT32_MAX);
    if (is_alone)
        note_best(w, waited_us);
    if (w->n_probes > 0)
        return; // what was asked before the look began
    w->sum_us += waited_us;
    w->n_sampled++;
    if (--w->n_left > 0)
        return;
    judge(w);
    begin_epoch(w);
}

void
window_on_drop(struct window *w)
{
    if (w->is_cut)
        return;
    resize(w, w->size / 2);
    begin_epoch(w);
    w->is_cut = true;
}
