/* A queue of work: the file's own comment, which documents no definition. */

#include <stdio.h>
#include "queue.h"

/* Longest queue that is allowed. */
#define QUEUE_MAX 1024
#define QUEUE_EMPTY(q) \
    ((q)->head == (q)->tail)
#define QUEUE_ANSWER 42 /* of everything */

/* ------------------------------------------------------------------
 * A job and what to do with it.
 * ------------------------------------------------------------------ */
typedef struct job {
    int id;                      /* counts from 1 */
    const char *name, **aliases; // borrowed
    unsigned urgent : 1, done : 1;
    int (*run)(struct job *self, void *arg); ///< called once
    struct {
        long started, stopped;
    } times;
    union {
        int i;
        double d;
    };
    struct step {
        int n;
    } steps[4];
} job_t, *job_p;

typedef struct {
    job_p head, tail;
} queue_t;

typedef enum { LOW = -1, NORMAL, HIGH = 1 << 3 } priority;
typedef int (*compare_fn)(const void *, const void *);
typedef unsigned long ticket;

enum {
    QUEUE_OPEN = 1,
    QUEUE_SHUT /* no more jobs */,
};

union word {
    int i;
    float f;
};

struct forward;

extern int queue_errors;
int queue_push(queue_t *q, job_p job);
static int queue_count, *queue_last = NULL, queue_sizes[] = {
    1,
    2,
};
static struct { int hits; } stats;
static int (*on_change)(queue_t *q);
const char *const queue_names[] = {"a{", "b;"};

#ifdef QUEUE_DEBUG
/** Print the queue.
 *
 *  @param q the queue
 */
static inline void
queue_print(const queue_t *q /* not NULL */, // the queue
            FILE *out)
{
    int local = 0;
#define LOCAL_MACRO 1
    struct scratch { int x; } s = {0};
    fprintf(out, "%p %d\n", (const void *)q, local + s.x);
}
#else
static int queue_silent = 1;
#endif

// Not directly above: a blank line follows.

int *queue_find(queue_t *q, int id) { return id ? &queue_count : queue_last; }

/* Old style, from the seventies. */
int
queue_old(q, n)
    queue_t *q;
    int n;
{
    return queue_push(q, q->head) + n;
}

int (*queue_handler(int which))(queue_t *)
{
    return which ? on_change : 0;
}

__attribute__((noinline, cold)) void *queue_cold(void)
{
    return NULL;
}

#define API __attribute__((visibility("default")))
API int queue_api(int a[static 3], char (*b)[4]) { return a[0] + b[0][0]; }

int grüße(void) { /* ünïcödé 🎉 */ return 0; } int nach_emoji(void) { return 1; }
