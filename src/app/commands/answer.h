#pragma once
/* What an engine's answer says; empty or 0 where it says nothing of the kind. Private to the commands. */
#include "codec/codec.h"

static inline const char *
answer_text(const json_t *object, const char *key)
{
    const char *s = json_string_value(codec_member(object, key));

    return s ? s : "";
}

static inline int64_t
answer_number(const json_t *object, const char *key)
{
    int64_t value = 0;

    return codec_get_int(object, key, INT64_MIN, INT64_MAX, &value) == 0 ? value : 0;
}
