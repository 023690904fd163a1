/* A borrowed piece of text: where it starts and how long it is. Absent text has at == NULL. */
#ifndef KSR_WATCH_SLICE_H
#define KSR_WATCH_SLICE_H

#include <stddef.h>

typedef struct {
  const char* at;
  size_t len;
} slice;

slice slice_of(const char* text);
int slice_is(slice text, const char* other);
int slice_same(slice a, slice b);
int slice_starts(slice text, const char* prefix);
slice slice_after(slice text, size_t skipped);

#endif
