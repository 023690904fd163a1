#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void) {
  fputs("ksr-watch: out of memory\n", stderr);
  exit(1);
}

void* resize(void* memory, size_t count, size_t size) {
  void* result;
  if (count > SIZE_MAX / size) out_of_memory();
  result = realloc(memory, count * size);
  if (!result) out_of_memory();
  return result;
}

static void reserve(struct text* text, size_t more) {
  size_t needed = text->len + more + 1;
  size_t capacity = text->capacity ? text->capacity : 64;
  if (needed <= text->capacity) return;
  if (needed <= text->len) out_of_memory();
  while (capacity < needed) capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
  text->at = resize(text->at, capacity, 1);
  text->capacity = capacity;
}

void text_add(struct text* text, slice bytes) {
  if (!bytes.len) return;
  reserve(text, bytes.len);
  memcpy(text->at + text->len, bytes.at, bytes.len);
  text->len += bytes.len;
}

void text_add_char(struct text* text, char byte) {
  reserve(text, 1);
  text->at[text->len++] = byte;
}

void text_add_spaces(struct text* text, size_t count) {
  if (!count) return;
  reserve(text, count);
  memset(text->at + text->len, ' ', count);
  text->len += count;
}

void text_addf(struct text* text, const char* format, ...) {
  va_list arguments;
  int needed;
  va_start(arguments, format);
  needed = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (needed <= 0) return;
  reserve(text, (size_t)needed);
  va_start(arguments, format);
  vsnprintf(text->at + text->len, (size_t)needed + 1, format, arguments);
  va_end(arguments);
  text->len += (size_t)needed;
}

void text_clear(struct text* text) {
  text->len = 0;
}

void text_free(struct text* text) {
  free(text->at);
  memset(text, 0, sizeof *text);
}

slice text_slice(const struct text* text) {
  slice result = {text->at, text->len};
  return result;
}

const char* text_cstr(struct text* text) {
  reserve(text, 0);
  text->at[text->len] = '\0';
  return text->at;
}
