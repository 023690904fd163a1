/* Helpers for the cells of every kind: reading values of an object and writing them. Cells write raw text; the table
 * makes it printable. */
#ifndef KSR_WATCH_CELL_H
#define KSR_WATCH_CELL_H

#include <ksr.h>
#include <stdint.h>

#include "slice.h"
#include "text.h"

/* `now` is wall_ms(). */
typedef void (*cell_fn)(const ksr_object* object, int64_t now, struct text* out);

slice object_value(const ksr_object* object, const char* json_pointer);
slice object_field(const ksr_object* object, ksr_field field);

/* The first of them that is a non-empty string; absent when none is. */
slice first_string(slice first, slice second, slice third);
int has_string(slice string);

/* Adds a JSON string, or `fallback` when it is absent or empty. */
void add_string_or(struct text* out, slice string, const char* fallback);
/* Adds `string` after a comma unless `out` is as long as it was at `start`. */
void add_joined(struct text* out, size_t start, slice string);
/* Adds the time since a JSON string with a timestamp, or "<unknown>". */
void add_since(struct text* out, slice timestamp, int64_t now);

void cell_namespace(const ksr_object* object, int64_t now, struct text* out);
void cell_name(const ksr_object* object, int64_t now, struct text* out);
void cell_age(const ksr_object* object, int64_t now, struct text* out);

#endif
