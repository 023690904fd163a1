#include "json_line.h"

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
