#include "slice.h"

#include <string.h>

slice slice_of(const char* text) {
  slice result = {text, text ? strlen(text) : 0};
  return result;
}

int slice_same(slice a, slice b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

int slice_is(slice text, const char* other) {
  return slice_same(text, slice_of(other));
}

int slice_starts(slice text, const char* prefix) {
  size_t len = strlen(prefix);
  return text.len >= len && (len == 0 || memcmp(text.at, prefix, len) == 0);
}

slice slice_after(slice text, size_t skipped) {
  if (skipped > text.len) skipped = text.len;
  text.at += skipped;
  text.len -= skipped;
  return text;
}
