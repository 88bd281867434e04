#pragma once
/* What a request must show before anything else is looked at. Private to the hub; loop thread. */
#include "hub/internal.h"

#include "hub/body.h"

#define DOOR_HEADER_BYTES_MAX 512 // of one that we look at

/* Why a request is refused; detail NULL: it is not. */
struct refusal {
    enum problem problem;
    const char *detail;
};

static inline struct refusal
refusal(enum problem p, const char *detail)
{
    return (struct refusal){.problem = p, .detail = detail};
}

/* Empty when there is none; false: it is too long. */
bool door_copy_header(struct lws *wsi, enum lws_token_indexes token, char *text,
                      struct str *ret_value);
/* *ret_origin: heap; NULL when there is none. */
struct refusal door_check_place(struct hub *h, struct lws *wsi, char **ret_origin);
struct refusal door_check_framing(struct lws *wsi, struct body_frame *frame);
/* token: the one of the subprotocol, if no Authorization says another. */
struct refusal door_check_token(struct hub *h, struct lws *wsi, struct str token);
/* A request that did not show the token, whatever becomes of it: `why`, or that there are too many of these. */
struct refusal door_count_stranger(struct hub *h, struct refusal why);
bool door_has_nul(const char *uri, size_t uri_size);
