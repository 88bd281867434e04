#pragma once
/* What leads from one version of a text to the next. Pure, any thread. */
#include "base/str.h"

#define EDITS_MAX 16

/* Byte ranges: this part of the old text is that part of the new one. */
struct text_edit {
    size_t old_start, old_end;
    size_t new_start, new_end;
};

/* In order, apart from each other; what is between, before and behind them is the same in both texts. At least one,
 * also for equal texts. Not the fewest: small common parts belong to the edits around them. */
size_t edits_between(struct str old_text, struct str new_text,
                     struct text_edit ret_edits[EDITS_MAX]);
