#include "json_line.h"

#include "utf8.h"

static void add_escaped(struct text* out, uint32_t character) {
  if (character >= 0x10000) {
    text_addf(out, "\\u%04x", (unsigned)(0xD800 + ((character - 0x10000) >> 10)));
    character = 0xDC00 + ((character - 0x10000) & 0x3FF);
  }
  text_addf(out, "\\u%04x", (unsigned)character);
}

static void add(struct text* out, slice json, int keeps_layout) {
  int in_string = 0;
  while (json.len) {
    slice bytes = json;
    uint32_t character = utf8_next(&json);
    bytes.len -= json.len;
    if (character < 0x20 && !in_string) {
      if (keeps_layout) text_add(out, bytes);
    } else if (!utf8_is_harmless(character)) {
      add_escaped(out, character);
    } else if (character == UTF8_REPLACEMENT) {
      text_add(out, slice_of("\xEF\xBF\xBD"));
    } else {
      if (character == '"') in_string = !in_string;
      text_add(out, bytes);
      /* What a backslash escapes. */
      if (character == '\\' && json.len && *json.at >= 0x20 && *json.at < 0x7F) {
        text_add_char(out, *json.at);
        json = slice_after(json, 1);
      }
    }
  }
}

void json_add_line(struct text* out, slice json) {
  add(out, json, 0);
}

void json_add_shown(struct text* out, slice json) {
  add(out, json, 1);
}
