#include "utf8.h"

struct range {
  uint32_t first;
  uint32_t last;
};

/* After Unicode's general categories Mn, Me and Cf, for the scripts that messages are written in. */
static const struct range zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x05BF, 0x05BF}, {0x05C1, 0x05C2}, {0x05C4, 0x05C5},
    {0x0610, 0x061A}, {0x064B, 0x065F}, {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8},
    {0x06EA, 0x06ED}, {0x0900, 0x0902}, {0x093A, 0x093A}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D},
    {0x20D0, 0x20F0}, {0x302A, 0x302D}, {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF},
};

/* After Unicode's East_Asian_Width W and F. */
static const struct range double_width[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0},
    {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267F, 0x267F},
    {0x2693, 0x2693},   {0x26A1, 0x26A1},   {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},
    {0x26CE, 0x26CE},   {0x26D4, 0x26D4},   {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},
    {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},
    {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27B0, 0x27B0},   {0x27BF, 0x27BF},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},
    {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},
    {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18AFF}, {0x1B000, 0x1B2FF}, {0x1F004, 0x1F004},
    {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1F335},
    {0x1F337, 0x1F37C}, {0x1F37E, 0x1F393}, {0x1F3A0, 0x1F3CA}, {0x1F3CF, 0x1F3D3}, {0x1F3E0, 0x1F3F0},
    {0x1F3F4, 0x1F3F4}, {0x1F3F8, 0x1F43E}, {0x1F440, 0x1F440}, {0x1F442, 0x1F4FC}, {0x1F4FF, 0x1F53D},
    {0x1F54B, 0x1F54E}, {0x1F550, 0x1F567}, {0x1F57A, 0x1F57A}, {0x1F595, 0x1F596}, {0x1F5A4, 0x1F5A4},
    {0x1F5FB, 0x1F64F}, {0x1F680, 0x1F6C5}, {0x1F6CC, 0x1F6CC}, {0x1F6D0, 0x1F6D2}, {0x1F6D5, 0x1F6DF},
    {0x1F6EB, 0x1F6EC}, {0x1F6F4, 0x1F6FC}, {0x1F7E0, 0x1F7F0}, {0x1F90C, 0x1F93A}, {0x1F93C, 0x1F945},
    {0x1F947, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
};

/* Marks that turn the direction of text or break a line, and the invisible tags: they make a line read as another. */
static const struct range unshown[] = {
    {0x0080, 0x009F}, {0x00AD, 0x00AD}, {0x061C, 0x061C}, {0x200E, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF},
};

static int is_in(uint32_t character, const struct range* ranges, size_t count) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (character > ranges[middle].last) {
      low = middle + 1;
    } else if (character < ranges[middle].first) {
      high = middle;
    } else {
      return 1;
    }
  }
  return 0;
}

#define IS_IN(character, ranges) is_in((character), (ranges), sizeof(ranges) / sizeof((ranges)[0]))

/* How many bytes follow a leading byte, or -1 when it cannot lead. */
static int bytes_after(unsigned char lead) {
  if (lead < 0x80) return 0;
  if (lead >= 0xC2 && lead <= 0xDF) return 1;
  if (lead >= 0xE0 && lead <= 0xEF) return 2;
  if (lead >= 0xF0 && lead <= 0xF4) return 3;
  return -1;
}

static int is_scalar_of(uint32_t character, int following) {
  static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
  return character >= smallest[following] && character <= 0x10FFFF && (character < 0xD800 || character > 0xDFFF);
}

uint32_t utf8_next(slice* rest) {
  const unsigned char* bytes = (const unsigned char*)rest->at;
  int following = bytes_after(bytes[0]);
  size_t taken = 1;
  uint32_t character = UTF8_REPLACEMENT;
  if (following == 0) character = bytes[0];
  if (following > 0 && rest->len > (size_t)following) {
    uint32_t gathered = bytes[0] & (0x3Fu >> following);
    int i;
    for (i = 1; i <= following && (bytes[i] & 0xC0u) == 0x80u; ++i) gathered = gathered << 6 | (bytes[i] & 0x3Fu);
    if (i > following && is_scalar_of(gathered, following)) {
      character = gathered;
      taken = (size_t)following + 1;
    }
  }
  *rest = slice_after(*rest, taken);
  return character;
}

size_t utf8_width_of(uint32_t character) {
  if (character < 0x300) return 1;
  if (IS_IN(character, zero_width)) return 0;
  return IS_IN(character, double_width) ? 2 : 1;
}

size_t utf8_width(slice text) {
  size_t width = 0;
  while (text.len) width += utf8_width_of(utf8_next(&text));
  return width;
}

int utf8_is_harmless(uint32_t character) {
  if (character < 0x7F) return character >= 0x20;
  return character != 0x7F && !IS_IN(character, unshown);
}

void utf8_add_shown(struct text* out, slice text) {
  while (text.len) {
    slice bytes = text;
    uint32_t character = utf8_next(&text);
    bytes.len -= text.len;
    if (character == '\n' || character == '\r' || character == '\t') {
      text_add_char(out, ' ');
    } else if (character < 0x20 || character == 0x7F) {
      text_add_char(out, '^');
      text_add_char(out, (char)(character ^ 0x40u));
    } else if (character == UTF8_REPLACEMENT || !utf8_is_harmless(character)) {
      text_add(out, slice_of("\xEF\xBF\xBD"));
    } else {
      text_add(out, bytes);
    }
  }
}

slice utf8_front(slice text, size_t width) {
  slice rest = text;
  size_t used = 0;
  while (rest.len) {
    slice before = rest;
    used += utf8_width_of(utf8_next(&rest));
    if (used > width) {
      text.len -= before.len;
      return text;
    }
  }
  return text;
}

void utf8_add_fitted(struct text* out, slice shown, size_t width) {
  if (utf8_width(shown) <= width) {
    text_add(out, shown);
  } else if (width) {
    text_add(out, utf8_front(shown, width - 1));
    text_add(out, slice_of("\xE2\x80\xA6"));
  }
}
