#include "base/text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ksr;

namespace {

const std::string all_bytes = [] {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  return all;
}();

std::size_t count_of(bool (*is)(char)) {
  std::size_t count = 0;
  for (const char c : all_bytes) count += is(c) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("classification and case are ASCII") {
  CHECK(count_of([](char c) { return is_digit(c); }) == 10);
  CHECK(count_of([](char c) { return is_alphanumeric(c); }) == 62);
  CHECK(count_of([](char c) { return is_control(c); }) == 33);
  CHECK(count_of([](char c) { return hex_value(c) >= 0; }) == 22);
  CHECK(hex_value('0') == 0);
  CHECK(hex_value('a') == 10);
  CHECK(hex_value('F') == 15);
  CHECK(lower_case("ÄbC-1") == "Äbc-1");
  CHECK(equal_ignoring_case("Content-Type", "content-TYPE"));
  CHECK_FALSE(equal_ignoring_case("a", "ab"));
  CHECK_FALSE(equal_ignoring_case("[", "{"));
}

TEST_CASE("trimming and splitting") {
  CHECK(trimmed(" \t\r\n a b \v\f") == "a b");
  CHECK(trimmed(" \t a\r\n", kBlanks) == "a\r\n");
  CHECK(trimmed(" \n ") == "");
  CHECK(split("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string_view>{""});
}

TEST_CASE("percent encoding keeps the unreserved characters and nothing else") {
  CHECK(percent_encode(all_bytes).size() == 66 + (256 - 66) * 3);
  CHECK(percent_encode(" /?&=+%~") == "%20%2F%3F%26%3D%2B%25~");
}

TEST_CASE("a string from outside becomes one line without control characters") {
  CHECK(one_line(std::string_view("a\nb\0c", 5)) == "a b?c");
  CHECK(one_line("a\r\n\tb\x1b[31mc\x7f") == "a   b?[31mc?");
  CHECK(one_line(" \n text \r\n") == "text");
  CHECK(one_line("") == "");
  // U+0085, U+2028 and U+2029 break lines too; U+009B is an escape code.
  CHECK(one_line("a\xc2\x85"
                 "b\xe2\x80\xa8"
                 "c\xe2\x80\xa9"
                 "d\xc2\x9b"
                 "e") == "a b c d?e");
  CHECK(one_line("\xe2\x80\xa9 a\xe2\x80\xa8") == "a");
  CHECK(one_line("Grüße, 世界 🚀") == "Grüße, 世界 🚀");
}

TEST_CASE("a string from outside becomes valid UTF-8") {
  CHECK(one_line("a\xff\xfe") == "a??");
  CHECK(one_line("\xc3") == "?");
  CHECK(one_line("\xc0\xaf") == "??");            // overlong
  CHECK(one_line("\xe0\x80\xaf") == "???");       // overlong
  CHECK(one_line("\xed\xa0\x80") == "???");       // a surrogate
  CHECK(one_line("\xf4\x90\x80\x80") == "????");  // beyond U+10FFFF
  CHECK(one_line("\xf0\x9f\x9a") == "???");       // cut
  CHECK(one_line("\xe4\xb8\xff\xe4\xb8\x96") == "???\xe4\xb8\x96");
}

TEST_CASE("a string from outside is cut at a character") {
  CHECK(one_line(std::string(5'000, 'x')) == std::string(497, 'x') + "...");
  CHECK(one_line(std::string(500, 'x')) == std::string(500, 'x'));
  for (std::size_t max_size = 0; max_size < 30; ++max_size) {
    CAPTURE(max_size);
    const std::string line = one_line("äöü世界🚀äöü世界🚀", max_size);
    CHECK(line.size() <= max_size);
    // What is valid already stays as it is.
    CHECK(one_line(line, max_size) == line);
    CHECK(line.find('?') == std::string::npos);
  }
}

TEST_CASE("names stand between quotes") {
  CHECK(in_quotes("pods") == "\"pods\"");
  CHECK(in_quotes(" a\"b\n") == "\" a?b \"");
  CHECK(in_quotes(std::string(100, 'x')) == '"' + std::string(77, 'x') + "...\"");
}
