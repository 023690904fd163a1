#include "keys.h"

#include <string.h>

/* What comes behind ESC [ or ESC O. */
static const struct {
  const char* sequence;
  enum key key;
} sequences[] = {
    {"A", KEY_UP},         {"B", KEY_DOWN}, {"H", KEY_TOP},     {"F", KEY_BOTTOM}, {"5~", KEY_PAGE_UP},
    {"6~", KEY_PAGE_DOWN}, {"1~", KEY_TOP}, {"4~", KEY_BOTTOM}, {"7~", KEY_TOP},   {"8~", KEY_BOTTOM},
};

/* Its end is a letter or ~. */
static size_t sequence_length(slice rest) {
  size_t i = 0;
  while (i < rest.len && strchr("0123456789;", rest.at[i])) ++i;
  return i < rest.len ? i + 1 : i;
}

static enum key take_sequence(slice* bytes) {
  size_t i, len = sequence_length(*bytes);
  slice sequence = {bytes->at, len};
  *bytes = slice_after(*bytes, len);
  for (i = 0; i < sizeof sequences / sizeof sequences[0]; ++i) {
    if (slice_is(sequence, sequences[i].sequence)) return sequences[i].key;
  }
  return KEY_OTHER;
}

enum key keys_next(slice* bytes) {
  char byte = *bytes->at;
  *bytes = slice_after(*bytes, 1);
  if (byte == '\x1b' && bytes->len && (*bytes->at == '[' || *bytes->at == 'O')) {
    *bytes = slice_after(*bytes, 1);
    return take_sequence(bytes);
  }
  switch (byte) {
    case 'q':
    case 'Q':
      return KEY_QUIT;
    case 'k':
    case 'y':
    case '\x19': /* ^Y */
    case '\x0b': /* ^K */
    case '\x10': /* ^P */
      return KEY_UP;
    case 'j':
    case 'e':
    case '\r':
    case '\n':
    case '\x05': /* ^E */
    case '\x0e': /* ^N */
      return KEY_DOWN;
    case 'b':
    case 'w':
    case '\x02': /* ^B */
      return KEY_PAGE_UP;
    case ' ':
    case 'f':
    case 'z':
    case '\x06': /* ^F */
      return KEY_PAGE_DOWN;
    case 'u':
    case '\x15': /* ^U */
      return KEY_HALF_UP;
    case 'd':
    case '\x04': /* ^D */
      return KEY_HALF_DOWN;
    case 'g':
    case '<':
      return KEY_TOP;
    case 'G':
    case '>':
      return KEY_BOTTOM;
    default:
      return KEY_OTHER;
  }
}
