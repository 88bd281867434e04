#pragma once
/* The filter of a subscription: a tree of comparisons over an event's data. It saves traffic and is no access
 * control. Pure. Private to the hub; any thread. */
#include "codec/codec.h"

#define FILTER_NODES_MAX 32
#define FILTER_DEPTH_MAX 4
#define FILTER_VALUES_MAX 64       // of "in" and "nin", of one filter
#define FILTER_TEXT_BYTES_MAX 1024 // of a key or a value

struct filter;

/* {"and":[…]}, {"or":[…]}, {"not":{…}} or {"key":"lang","cmp":"eq","val":"c"}; cmp is eq, neq, sw (starts with), ew
 * (ends with), ct (contains), or with "vals":[…] in, nin. A value is text, an integer or a boolean; sw, ew and ct take
 * text. A key names a member of data; "hover.state" one of an object in it.
 * -EINVAL: *ret_why is a sentence that says what is wrong, static. */
int filter_create(const json_t *tree, struct filter **ret_filter, const char **ret_why);
/* NULL is allowed. */
void filter_destroy(struct filter *f);
/* As JSON; filters with the same text accept the same. */
const char *filter_text(const struct filter *f);
/* `data` is a JSON object. What is not there equals nothing: only neq, nin and not let it pass. */
bool filter_accepts(const struct filter *f, struct str data);
