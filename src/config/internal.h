#pragma once
/* What the files of this folder share. Nobody else includes it. */
#include <jansson.h>

#include "config/config.h"

/* By its name or its flag; NULL if there is none. */
const struct config_setting *setting_find(struct str name);
/* Does some setting's name begin with "<name>."? */
bool setting_is_group(struct str name);

/* Set from text (flag, variable, default) or from a member of a JSON object. -EINVAL, and *ret_what
 * (heap) continues "<where>: ": "must be a number from 0 to 256". A null member changes nothing.
 * With `is_more`, patterns are added to those there are. */
int setting_set_text(struct config *c, const struct config_setting *s, struct str text,
                     char **ret_what);
int setting_set_json(struct config *c, const struct config_setting *s,
                     const json_t *object, const char *key, bool is_more,
                     char **ret_what);
/* The "servers" of a file. */
int servers_read(struct config *c, const json_t *list, char **ret_what);
