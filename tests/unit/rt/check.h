#pragma once
/* What every part of the rt test needs. Each test opens a loop and ends by proving that it closes
 * empty. Nothing sleeps: run_until() turns the loop until a callback has set the flag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> // first: it names what base bans

#include "base/base.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "rt/loop.h"

#include "tests/lib/scratch.h"

#define CHECK_LIMIT_MS 60000 // a hang becomes a failure

#define OPEN_LOOP(l)                                                                     \
    struct loop l;                                                                       \
    assert_int_equal(loop_init(&l), 0)
#define FINISH_LOOP(l) assert_int_equal(loop_finish(&l), 0)

static void
check_expired(uv_timer_t *timer)
{
    bool *is_expired = timer->data;
    *is_expired = true;
}

static void
check_let_go(uv_handle_t *handle)
{
    handle->data = NULL;
}

static void
run_until(struct loop *l, const bool *flag)
{
    bool is_expired = false;
    uv_timer_t limit;
    uv_timer_init(&l->uv, &limit);
    limit.data = &is_expired;
    uv_update_time(&l->uv);
    uv_timer_start(&limit, check_expired, CHECK_LIMIT_MS, 0);
    while (!*flag && !is_expired)
        uv_run(&l->uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, check_let_go);
    while (limit.data) // it lies on our stack
        uv_run(&l->uv, UV_RUN_NOWAIT);
    assert_false(is_expired);
}

static void
set_flag(void *ctx)
{
    *(bool *)ctx = true;
}
