#pragma once
/* How many hovers one server is asked for at once: additive increase, multiplicative decrease
 * (Chiu and Jain 1989) on the latency of its answers, against the latency it has when hardly
 * anything waits, which is looked up again now and then (as BBR's PROBE_RTT does, Cardwell
 * and others 2016). Pure; times are the caller's. */
#include "base/base.h"

#define WINDOW_START 128 // a file's entities at once: join-all
#define WINDOW_MIN 4     // below, a serial server waits for us between two answers
/* A queue this long in the server delays nobody noticeably: no reason to ask for less. */
#define WINDOW_LATENCY_OK_US 25000
#define WINDOW_LATENCY_FACTOR 2 // of the best
#define WINDOW_PROBE_EPOCHS 16  // from one look at the best to the next

struct window {
    uint32_t size, max;
    uint32_t n_left;    // answers to the end of the epoch: one window's worth
    uint32_t n_sampled; // of this epoch
    uint64_t sum_us;    // of this epoch
    uint64_t best_us;   // 0: not known yet
    uint32_t n_probes;  // answers still wanted to know it; 0: no look under way
    uint32_t n_epochs;  // since the last look
    bool is_full;       // it held something back in this epoch
    bool is_cut;        // halved in this epoch
};

void window_init(struct window *w, uint32_t max);
/* So many may be in flight now. */
uint32_t window_size(const struct window *w);
/* As many are, and more wait. */
void window_on_full(struct window *w);
/* It answered. waited_us: since it was asked, or since the file's first answer if that is
 * later: the time before is the file's loading, and says nothing of a queue. is_alone: it was
 * asked after the file's first answer and with fewer than WINDOW_MIN others in flight. */
void window_on_answer(struct window *w, uint64_t waited_us, bool is_alone);
/* A deadline passed, or it cancelled: half, once per epoch. */
void window_on_drop(struct window *w);
