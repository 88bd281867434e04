/* Why: the one way from any thread to the loop.
 * Invariant: `posted` belongs to the lock, `inbox` to the loop; a mail is in one of them or the
 * receiver's. The wake-up is sent under the lock, so that a sender whose last mail makes the loop
 * close the mailbox is out of uv by then. */
#include "rt/mailbox.h"

#include <pthread.h>

#include "base/mem.h"

struct mailbox {
    uv_async_t wake;
    pthread_mutex_t lock;
    struct list posted;
    struct list inbox;
    void (*on_mail)(void *ctx, struct mail *mail);
    void *ctx;
};

static void
deliver(struct mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    list_splice(&mb->inbox, &mb->posted);
    pthread_mutex_unlock(&mb->lock);
    while (!list_is_empty(&mb->inbox)) {
        struct mail *mail = list_first(&mb->inbox, struct mail, link);
        list_remove(&mail->link);
        mb->on_mail(mb->ctx, mail);
    }
}

static void
on_wake(uv_async_t *wake)
{
    deliver(wake->data);
}

struct mailbox *
mailbox_open(struct loop *l, void (*on_mail)(void *ctx, struct mail *mail), void *ctx)
{
    ASSERT_LOOP();
    struct mailbox *mb = xnew(struct mailbox);
    pthread_mutex_init(&mb->lock, NULL);
    list_init(&mb->posted);
    list_init(&mb->inbox);
    mb->on_mail = on_mail;
    mb->ctx = ctx;
    if (uv_async_init(&l->uv, &mb->wake, on_wake) < 0)
        abort(); // no descriptor left at start-up
    mb->wake.data = mb;
    return mb;
}

void
mailbox_post(struct mailbox *mb, struct mail *mail)
{
    pthread_mutex_lock(&mb->lock);
    bool was_empty = list_is_empty(&mb->posted);
    list_add(&mb->posted, &mail->link);
    if (was_empty)
        uv_async_send(&mb->wake);
    pthread_mutex_unlock(&mb->lock);
}

static void
on_mailbox_closed(uv_handle_t *handle)
{
    struct mailbox *mb = handle->data;
    pthread_mutex_destroy(&mb->lock);
    free(mb);
}

void
mailbox_close(struct mailbox *mb)
{
    if (!mb)
        return;
    ASSERT_LOOP();
    deliver(mb);
    uv_close((uv_handle_t *)&mb->wake, on_mailbox_closed);
}
