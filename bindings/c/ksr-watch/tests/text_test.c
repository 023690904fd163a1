/* JSON text, characters and times. */
#include <stdlib.h>

#include "check.h"
#include "clock.h"
#include "json.h"
#include "utf8.h"

static struct text out;

static void strings_are_unescaped(void) {
  json_add_string(&out, slice_of("\"plain\""));
  CHECK_TEXT(&out, "plain");
  json_add_string(&out, slice_of("\"a\\\"b\\\\c\\/d\\n\\t\\r\\b\\f\""));
  CHECK_TEXT(&out, "a\"b\\c/d\n\t\r\b\f");
  json_add_string(&out, slice_of("\"\\u00e9\\u20AC\\ud83d\\ude00\""));
  CHECK_TEXT(&out, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  json_add_string(&out, slice_of("\"\\ud83d!\\ude00\""));
  CHECK_TEXT(&out, "\xEF\xBF\xBD!\xEF\xBF\xBD");
  json_add_string(&out, slice_of("\"\\ud83d\\u0041\""));
  CHECK_TEXT(&out,
             "\xEF\xBF\xBD"
             "A");
  json_add_string(&out, slice_of("17"));
  CHECK_TEXT(&out, "");
  json_add_string(&out, slice_of("\"nul\\u0000\""));
  CHECK(out.len == 4 && out.at[3] == '\0');
  text_clear(&out);
}

static void broken_strings_end_in_time(void) {
  json_add_string(&out, slice_of("\"\\u12\""));
  CHECK_TEXT(&out, "\xEF\xBF\xBD");
  json_add_string(&out, slice_of("\"open"));
  CHECK_TEXT(&out, "");
  json_add_string(&out, slice_of("\""));
  CHECK_TEXT(&out, "");
}

static void members_are_found(void) {
  slice object = slice_of("{ \"a\" : 1 , \"b}\" : \"x\\\"}\", \"c\":{\"a\":[1,[2],{\"d\":3}]} ,\"last\":true}");
  CHECK(slice_is(json_member(object, "a"), "1"));
  CHECK(slice_is(json_member(object, "b}"), "\"x\\\"}\""));
  CHECK(slice_is(json_member(object, "c"), "{\"a\":[1,[2],{\"d\":3}]}"));
  CHECK(json_is_true(json_member(object, "last")));
  CHECK(!json_member(object, "d").at);
  CHECK(!json_member(slice_of("[1]"), "a").at);
  CHECK(json_count(object) == 4);
  CHECK(json_count(slice_of("[1, \"two\" , [3]]")) == 3);
  CHECK(json_count(slice_of("{}")) == 0 && json_count(slice_of("[ ]")) == 0 && json_count(slice_of("null")) == 0);
}

static void walks_end_in_broken_text(void) {
  CHECK(json_count(slice_of("{\"a\"")) == 0);
  CHECK(json_count(slice_of("{\"a\":")) == 0);
  CHECK(json_count(slice_of("[1,")) == 1);
  CHECK(json_count(slice_of("[\"open")) == 1);
  CHECK(json_count(slice_of("[[[[")) == 1);
  CHECK(json_count(slice_of("[\"\\")) == 1);
}

static void integers_are_read(void) {
  CHECK(json_integer(slice_of("42")) == 42);
  CHECK(json_integer(slice_of("-7")) == -7);
  CHECK(json_integer(slice_of("\"x\"")) == 0);
  CHECK(json_integer(slice_of("99999999999999999999")) > 0);
}

static void json_becomes_one_harmless_line(void) {
  json_add_line(&out, slice_of("{\n  \"a\": \"\\\\\",\r\n\t\"b\": \"\\\"\x7F\xC2\x9B\"\n}"));
  CHECK_TEXT(&out, "{  \"a\": \"\\\\\",\"b\": \"\\\"\\u007f\\u009b\"}");
  json_add_line(&out, slice_of("[\"\x1b[2J\",\"\\u001b\",\"\xC3\xA9\"]"));
  CHECK_TEXT(&out, "[\"\\u001b[2J\",\"\\u001b\",\"\xC3\xA9\"]");
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

static int64_t at(const char* timestamp) {
  int64_t ms = -1;
  return timestamp_read(slice_of(timestamp), &ms) ? ms : -1;
}

static void timestamps_are_read(void) {
  CHECK(at("1970-01-01T00:00:00Z") == 0);
  CHECK(at("2024-02-29T12:34:56Z") == 1709210096000);
  CHECK(at("2000-03-01T00:00:00Z") - at("2000-02-29T00:00:00Z") == 86400000);
  CHECK(at("2026-11-24T08:35:56.123456Z") == at("2026-11-24T08:35:56Z") + 123);
  CHECK(at("2026-11-24T10:35:56+02:00") == at("2026-11-24T08:35:56Z"));
  CHECK(at("2026-11-24T08:35:56") == -1);
  CHECK(at("2026-13-24T08:35:56Z") == -1);
  CHECK(at("2026-11-24 08:35:56Z") == -1);
  CHECK(at("2026-11-24T08:35:56Zjunk") == -1);
  CHECK(at("") == -1);
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
  strings_are_unescaped();
  broken_strings_end_in_time();
  members_are_found();
  walks_end_in_broken_text();
  integers_are_read();
  json_becomes_one_harmless_line();
  nothing_shown_drives_a_terminal();
  invalid_utf8_is_replaced();
  widths_are_those_of_cells();
  what_does_not_fit_ends_in_an_ellipsis();
  timestamps_are_read();
  ages_read_as_kubectl_writes_them();
  text_free(&out);
  return check_result();
}
