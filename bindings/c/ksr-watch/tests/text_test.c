/* JSON as a line, characters and ages. */
#include "check.h"
#include "clock.h"
#include "json_line.h"
#include "utf8.h"

static struct text out;

static void json_becomes_one_harmless_line(void) {
  json_add_line(&out, slice_of("{\n  \"a\": \"\\\\\",\r\n\t\"b\": \"\\\"\x7F\xC2\x9B\"\n}"));
  CHECK_TEXT(&out, "{  \"a\": \"\\\\\",\"b\": \"\\\"\\u007f\\u009b\"}");
  json_add_line(&out, slice_of("[\"\x1b[2J\",\"\\u001b\",\"\xC3\xA9\"]"));
  CHECK_TEXT(&out, "[\"\\u001b[2J\",\"\\u001b\",\"\xC3\xA9\"]");
  json_add_line(&out, slice_of("[\n\"a\xE2\x80\xAE\xF3\xA0\x80\x81\xFF\"\n]\n"));
  CHECK_TEXT(&out, "[\"a\\u202e\\udb40\\udc01\xEF\xBF\xBD\"]");
  json_add_shown(&out, slice_of("[\n  \"\xC2\x9B\\\"\x7F\xE2\x81\xA6\"\n]\n"));
  CHECK_TEXT(&out, "[\n  \"\\u009b\\\"\\u007f\\u2066\"\n]\n");
}

static void nothing_shown_drives_a_terminal(void) {
  utf8_add_shown(&out, slice_of("a\x1b[2Jb\x07\x7F"));
  CHECK_TEXT(&out, "a^[[2Jb^G^?");
  utf8_add_shown(&out, slice_of("one\ntwo\tthree\rfour"));
  CHECK_TEXT(&out, "one two three four");
  utf8_add_shown(&out, slice_of("\xC2\x9B"
                                "31m"));
  CHECK_TEXT(&out,
             "\xEF\xBF\xBD"
             "31m");
  utf8_add_shown(&out, slice_of("evil\xE2\x80\xAEtxt"));
  CHECK_TEXT(&out, "evil\xEF\xBF\xBDtxt");
}

static void invalid_utf8_is_replaced(void) {
  static const char* const invalid[] = {"\xFF", "\x80", "\xC0\x80", "\xE2\x82", "\xED\xA0\x80", "\xF5\x80\x80\x80"};
  static const size_t replaced[] = {1, 1, 2, 2, 3, 4};
  size_t i;
  for (i = 0; i < sizeof invalid / sizeof invalid[0]; ++i) {
    size_t count = 0;
    slice rest;
    utf8_add_shown(&out, slice_of(invalid[i]));
    rest = text_slice(&out);
    while (rest.len) count += utf8_next(&rest) == UTF8_REPLACEMENT;
    CHECK(count == replaced[i]);
    text_clear(&out);
  }
}

static void widths_are_those_of_cells(void) {
  CHECK(utf8_width(slice_of("abc")) == 3);
  CHECK(utf8_width(slice_of("\xC3\xA9t\xC3\xA9")) == 3);
  CHECK(utf8_width(slice_of("e\xCC\x81")) == 1);
  CHECK(utf8_width(slice_of("\xE4\xB8\xAD\xE6\x96\x87")) == 4);
  CHECK(utf8_width(slice_of("\xF0\x9F\x98\x80")) == 2);
  CHECK(utf8_width(slice_of("\xE2\x80\xA6")) == 1);
  CHECK(utf8_front(slice_of("\xE4\xB8\xAD\xE6\x96\x87"), 3).len == 3);
  CHECK(slice_is(utf8_front(slice_of("abc"), 2), "ab"));
  CHECK(slice_is(utf8_front(slice_of("abc"), 9), "abc"));
  CHECK(slice_is(utf8_front(slice_of("e\xCC\x81x"), 1), "e\xCC\x81"));
}

static void what_does_not_fit_ends_in_an_ellipsis(void) {
  utf8_add_fitted(&out, slice_of("abcdef"), 6);
  CHECK_TEXT(&out, "abcdef");
  utf8_add_fitted(&out, slice_of("abcdef"), 4);
  CHECK_TEXT(&out, "abc\xE2\x80\xA6");
  utf8_add_fitted(&out, slice_of("\xE4\xB8\xAD\xE6\x96\x87"), 3);
  CHECK_TEXT(&out, "\xE4\xB8\xAD\xE2\x80\xA6");
  utf8_add_fitted(&out, slice_of("abc"), 1);
  CHECK_TEXT(&out, "\xE2\x80\xA6");
  utf8_add_fitted(&out, slice_of("abc"), 0);
  CHECK_TEXT(&out, "");
}

static void ages_read_as_kubectl_writes_them(void) {
  static const struct {
    int64_t seconds;
    const char* age;
  } ages[] = {{0, "0s"},
              {119, "119s"},
              {120, "2m"},
              {192, "3m12s"},
              {600, "10m"},
              {10799, "179m"},
              {10800, "3h"},
              {11100, "3h5m"},
              {28800, "8h"},
              {172799, "47h"},
              {172800, "2d"},
              {180000, "2d2h"},
              {691200, "8d"},
              {63072000, "2y"},
              {63158400, "2y1d"},
              {252288000, "8y"},
              {-1, "0s"},
              {-5, "<invalid>"},
              {252288000 + 86400, "8y"}};
  size_t i;
  for (i = 0; i < sizeof ages / sizeof ages[0]; ++i) {
    age_add(&out, ages[i].seconds * 1000);
    CHECK_TEXT(&out, ages[i].age);
  }
}

int main(void) {
  json_becomes_one_harmless_line();
  nothing_shown_drives_a_terminal();
  invalid_utf8_is_replaced();
  widths_are_those_of_cells();
  what_does_not_fit_ends_in_an_ellipsis();
  ages_read_as_kubectl_writes_them();
  text_free(&out);
  return check_result();
}
