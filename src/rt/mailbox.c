/* Why: the one way from any thread to the loop.
 * Invariant: `posted` belongs to the lock, `inbox` to the loop; a mail is in one of them or the
 * receiver's. The wake-up is sent behind the lock, or the loop would wait for a sender that lost its processor
 * meanwhile; a sender whose last mail makes the loop close the mailbox has a reference of its own. */
#include "rt/mailbox.h"

#include <pthread.h>

#include "base/mem.h"
#include "rt/wake.h"

struct mailbox {
    struct wake *wake;
    pthread_mutex_t lock;
    struct list posted;
    struct list inbox;
    void (*on_mail)(void *ctx, struct mail *mail);
    void *ctx;
};

static void
deliver(void *ctx)
{
    struct mailbox *mb = ctx;
    pthread_mutex_lock(&mb->lock);
    list_splice(&mb->inbox, &mb->posted);
    pthread_mutex_unlock(&mb->lock);
    while (!list_is_empty(&mb->inbox)) {
        struct mail *mail = list_first(&mb->inbox, struct mail, link);
        list_remove(&mail->link);
        mb->on_mail(mb->ctx, mail);
    }
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
    mb->wake = wake_open(l, deliver, mb);
    return mb;
}

void
mailbox_post(struct mailbox *mb, struct mail *mail)
{
    pthread_mutex_lock(&mb->lock);
    struct wake *wake = list_is_empty(&mb->posted) ? wake_ref(mb->wake) : NULL;
    list_add(&mb->posted, &mail->link);
    pthread_mutex_unlock(&mb->lock);
    if (!wake)
        return; // who posted the first one tells of both: it has one sender, the writer, who tells in order
    wake_send(wake);
    wake_unref(wake);
}

static void
on_mailbox_closed(void *ctx)
{
    struct mailbox *mb = ctx;
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
    wake_close(mb->wake, on_mailbox_closed);
}
