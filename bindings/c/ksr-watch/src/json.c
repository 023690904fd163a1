#include "json.h"

#include <string.h>

#include "utf8.h"

static slice skip_blanks(slice rest) {
  while (rest.len && (*rest.at == ' ' || *rest.at == '\t' || *rest.at == '\n' || *rest.at == '\r')) {
    rest = slice_after(rest, 1);
  }
  return rest;
}

/* The length of the string that `rest` starts with, quotes included. */
static size_t string_length(slice rest) {
  size_t i = 1;
  while (i < rest.len && rest.at[i] != '"') i += rest.at[i] == '\\' ? 2 : 1;
  return i < rest.len ? i + 1 : rest.len;
}

static size_t nested_length(slice rest) {
  size_t depth = 0, i = 0;
  while (i < rest.len) {
    char byte = rest.at[i];
    if (byte == '"') {
      i += string_length(slice_after(rest, i));
      continue;
    }
    ++i;
    if (byte == '{' || byte == '[') ++depth;
    if ((byte == '}' || byte == ']') && --depth == 0) break;
  }
  return i;
}

static size_t value_length(slice rest) {
  size_t i = 0;
  if (!rest.len) return 0;
  if (*rest.at == '"') return string_length(rest);
  if (*rest.at == '{' || *rest.at == '[') return nested_length(rest);
  while (i < rest.len && !strchr(",]} \t\r\n", rest.at[i])) ++i;
  return i;
}

/* Takes one value off the front; 0 at a closing bracket or the end of the text. */
static int take_value(slice* rest, slice* value) {
  size_t len;
  *rest = skip_blanks(*rest);
  len = value_length(*rest);
  if (!len) return 0;
  value->at = rest->at;
  value->len = len;
  *rest = slice_after(*rest, len);
  return 1;
}

static void skip_mark(slice* rest, char mark) {
  *rest = skip_blanks(*rest);
  if (rest->len && *rest->at == mark) *rest = slice_after(*rest, 1);
}

struct json_walk json_walk_into(slice value) {
  struct json_walk walk = {{NULL, 0}};
  if (value.len && (*value.at == '{' || *value.at == '[')) walk.rest = slice_after(value, 1);
  return walk;
}

int json_next_element(struct json_walk* walk, slice* value) {
  skip_mark(&walk->rest, ',');
  return take_value(&walk->rest, value);
}

int json_next_member(struct json_walk* walk, slice* key, slice* value) {
  skip_mark(&walk->rest, ',');
  if (!take_value(&walk->rest, key)) return 0;
  skip_mark(&walk->rest, ':');
  return take_value(&walk->rest, value);
}

size_t json_count(slice value) {
  struct json_walk walk = json_walk_into(value);
  int is_object = value.len && *value.at == '{';
  size_t count = 0;
  slice key;
  while (is_object ? json_next_member(&walk, &key, &value) : json_next_element(&walk, &value)) ++count;
  return count;
}

slice json_member(slice object, const char* name) {
  struct json_walk walk = json_walk_into(object);
  slice key, value, none = {NULL, 0};
  if (!object.len || *object.at != '{') return none;
  while (json_next_member(&walk, &key, &value)) {
    if (slice_is(json_word(key), name)) return value;
  }
  return none;
}

slice json_word(slice string) {
  slice none = {NULL, 0};
  if (string.len < 2 || *string.at != '"' || string.at[string.len - 1] != '"') return none;
  string.at += 1;
  string.len -= 2;
  return string;
}

static uint32_t hex4(slice digits) {
  uint32_t value = 0;
  size_t i;
  for (i = 0; i < 4; ++i) {
    static const char hex[] = "0123456789abcdef";
    const char* digit = i < digits.len && digits.at[i] ? strchr(hex, digits.at[i] | 0x20) : NULL;
    if (!digit) return UTF8_REPLACEMENT;
    value = value << 4 | (uint32_t)(digit - hex);
  }
  return value;
}

/* `rest` begins after \u. */
static uint32_t take_unicode(slice* rest) {
  uint32_t first = hex4(*rest);
  *rest = slice_after(*rest, 4);
  if (first < 0xD800 || first > 0xDFFF) return first;
  if (first < 0xDC00 && slice_starts(*rest, "\\u")) {
    uint32_t second = hex4(slice_after(*rest, 2));
    if (second >= 0xDC00 && second <= 0xDFFF) {
      *rest = slice_after(*rest, 6);
      return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    }
  }
  return UTF8_REPLACEMENT;
}

/* `rest` begins after the backslash. */
static void add_escaped(struct text* out, slice* rest) {
  static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
  const char* letter;
  if (!rest->len) return;
  letter = *rest->at ? strchr(letters, *rest->at) : NULL;
  if (*rest->at == 'u') {
    *rest = slice_after(*rest, 1);
    utf8_add(out, take_unicode(rest));
    return;
  }
  text_add_char(out, letter ? meanings[letter - letters] : *rest->at);
  *rest = slice_after(*rest, 1);
}

void json_add_string(struct text* out, slice string) {
  slice rest = json_word(string);
  while (rest.len) {
    const char* escape = memchr(rest.at, '\\', rest.len);
    slice plain = {rest.at, escape ? (size_t)(escape - rest.at) : rest.len};
    text_add(out, plain);
    rest = slice_after(rest, plain.len);
    if (!escape) break;
    rest = slice_after(rest, 1);
    add_escaped(out, &rest);
  }
}

long json_integer(slice number) {
  long value = 0;
  size_t i = 0;
  int negative = number.len && *number.at == '-';
  for (i = (size_t)negative; i < number.len && number.at[i] >= '0' && number.at[i] <= '9'; ++i) {
    if (value > 100000000L) break;
    value = value * 10 + (number.at[i] - '0');
  }
  return negative ? -value : value;
}

int json_is_true(slice value) {
  return slice_is(value, "true");
}

void json_add_line(struct text* out, slice json) {
  int in_string = 0;
  size_t i;
  for (i = 0; i < json.len; ++i) {
    unsigned char byte = (unsigned char)json.at[i];
    unsigned char next = i + 1 < json.len ? (unsigned char)json.at[i + 1] : 0;
    int is_c1 = byte == 0xC2 && next >= 0x80 && next <= 0x9F;
    if (is_c1 || byte == 0x7F || (byte < 0x20 && in_string)) {
      text_addf(out, "\\u%04x", (unsigned)(is_c1 ? next : byte));
      i += (size_t)is_c1;
      continue;
    }
    if (byte < 0x20) continue;
    if (byte == '"') in_string = !in_string;
    text_add_char(out, (char)byte);
    if (byte == '\\' && next >= 0x20 && next < 0x7F) text_add_char(out, (char)json.at[++i]);
  }
}
