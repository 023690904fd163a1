/* Checks that count what failed and go on. */
#ifndef KSR_WATCH_CHECK_H
#define KSR_WATCH_CHECK_H

#include <stdio.h>
#include <string.h>

#include "text.h"

static int check_failures;

#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) {                                              \
      ++check_failures;                                              \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                \
  } while (0)

/* Holds the text against what is expected, and empties it. */
#define CHECK_TEXT(text, expected) check_text(__FILE__, __LINE__, (text), (expected))

static inline void check_text(const char* file, int line, struct text* text, const char* expected) {
  if (strcmp(text_cstr(text), expected) != 0) {
    ++check_failures;
    printf("%s:%d: got \"%s\", expected \"%s\"\n", file, line, text->at, expected);
  }
  text_clear(text);
}

static inline int check_result(void) {
  if (check_failures) printf("%d checks failed\n", check_failures);
  return check_failures ? 1 : 0;
}

#endif
