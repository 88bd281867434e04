#pragma once
/* What the files of gloss doctor share. */
#include <jansson.h>

#include "app/commands/commands.h"

struct doctor {
    const struct command_line *line;
    const char *root; // whose languages; the folder that was named, or the current one
    const json_t *status; // of the engine; NULL: none runs
    size_t n;             // printed so far
};

/* doctor_servers.c: a row for each language: its server, where it is, how it is. */
void doctor_report_languages(struct doctor *d);
/* doctor_settings.c: all settings, each with what it may be and its names. */
void doctor_report_settings(struct doctor *d);
