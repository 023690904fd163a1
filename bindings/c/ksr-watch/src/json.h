/* Reads the JSON text that libksr returns. Values are slices of it; nothing is copied until it is shown. */
#ifndef KSR_WATCH_JSON_H
#define KSR_WATCH_JSON_H

#include <stddef.h>

#include "slice.h"
#include "text.h"

/* A walk through the members of an object or the elements of an array. */
struct json_walk {
  slice rest;
};

/* A walk over nothing when `value` is neither an object nor an array. */
struct json_walk json_walk_into(slice value);
int json_next_element(struct json_walk* walk, slice* value);
/* `key` comes as JSON text, with its quotes. */
int json_next_member(struct json_walk* walk, slice* key, slice* value);

/* How many members or elements. */
size_t json_count(slice value);

/* The value of the member that `name`, a name without escapes, names; absent when there is none. */
slice json_member(slice object, const char* name);

/* Text without its quotes, as long as it has no escapes in it: for comparing with words of the API. Absent for anything
 * but a string. */
slice json_word(slice string);

/* Adds the characters of a JSON string; nothing for anything else. A lone surrogate becomes U+FFFD. */
void json_add_string(struct text* out, slice string);

long json_integer(slice number);
int json_is_true(slice value);

/* Adds JSON text as one line that holds no control character: an equal text. */
void json_add_line(struct text* out, slice json);

#endif
