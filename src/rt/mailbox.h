#pragma once
/* Messages from any thread to the loop. Crossing 3 of 3. Order of posting is kept per sender. */
#include "base/base.h"
#include "base/list.h"
#include "rt/loop.h"

struct mailbox;

struct mail {
    struct list link;
};

/* on_mail owns the mail. Called on the loop. */
struct mailbox *mailbox_open(struct loop *l,
                             void (*on_mail)(void *ctx, struct mail *mail), void *ctx)
    MUST_USE;
/* Any thread. */
void mailbox_post(struct mailbox *mb, struct mail *mail);
/* On the loop, after the last mail of every sender was posted. Delivers what is left first, then frees itself. */
void mailbox_close(struct mailbox *mb);
