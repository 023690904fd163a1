/* Bytes that grow. A zeroed struct text is empty and ready. Running out of memory ends the program with a line. */
#ifndef KSR_WATCH_TEXT_H
#define KSR_WATCH_TEXT_H

#include <stddef.h>

#include "slice.h"

struct text {
  char* at;
  size_t len;
  size_t capacity;
};

#if defined(__GNUC__)
#define TEXT_PRINTF __attribute__((format(printf, 2, 3)))
#else
#define TEXT_PRINTF
#endif

void text_add(struct text* text, slice bytes);
void text_add_char(struct text* text, char byte);
void text_add_spaces(struct text* text, size_t count);
void text_addf(struct text* text, const char* format, ...) TEXT_PRINTF;
void text_clear(struct text* text);
void text_free(struct text* text);
slice text_slice(const struct text* text);

/* A NUL-terminated view that lives until the next change. */
const char* text_cstr(struct text* text);

/* realloc that does not return without memory. */
void* resize(void* memory, size_t count, size_t size);

#endif
