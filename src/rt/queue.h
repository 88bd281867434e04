#pragma once
/* Bounded queue from the loop to one thread. Crossing 2 of 3. Items are intrusive. */
#include "base/base.h"
#include "base/list.h"

struct queue;

struct queue_item {
    struct list link;
};

struct queue *queue_create(size_t capacity) MUST_USE;
void queue_destroy(struct queue *q); // empty and closed
/* Gives the item. The capacity is the number of credits handed out, so a full queue is a bug: asserted.
 * False when closed: the item stays the caller's. urgent: before all that is not urgent. */
bool queue_push(struct queue *q, struct queue_item *item, bool is_urgent) MUST_USE;
/* On the consumer: waits until something is there, deadline_ms (clock_mono_ms; <0: for ever) passed,
 * or the queue is closed; NULL in the two last cases. */
struct queue_item *queue_take(struct queue *q, int64_t deadline_ms);
/* NULL at once when empty. */
struct queue_item *queue_try_take(struct queue *q);
/* One that was pushed as urgent, or as not; NULL at once when there is none. */
struct queue_item *queue_try_take_urgent(struct queue *q);
struct queue_item *queue_try_take_normal(struct queue *q);
bool queue_has_urgent(const struct queue *q);
size_t queue_depth(const struct queue *q);
/* From its next look at the queue on the consumer does without one of our processors, the one that children leave
 * (child.h); or it uses all of them again. */
void queue_leave_processor(struct queue *q, bool is_left);
/* What is in it can still be taken; pushes fail. */
void queue_close(struct queue *q);
bool queue_is_drained(const struct queue *q); // closed and empty

/* A thread that consumes it. The only way outside src/rt to have one. */
struct thread;
struct thread *thread_start(const char *name, void (*main)(void *ctx), void *ctx)
    MUST_USE;
void thread_join(struct thread *t); // and frees
