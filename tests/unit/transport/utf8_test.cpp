// The validator that stands in for websocketpp's, against a plain one written from RFC 3629.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <websocketpp/utf8_validator.hpp>

namespace {

using websocketpp::utf8_validator::validator;

bool is_continuation(unsigned char byte) {
  return byte >= 0x80 && byte <= 0xbf;
}

// The size of the character at the front, or 0.
std::size_t first_character(const std::string& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc0 || byte(0) > 0xf7 || text.size() < size) return 0;
  unsigned code = byte(0) & (size == 2 ? 0x1fu : size == 3 ? 0x0fu : 0x07u);
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(byte(i))) return 0;
    code = code << 6 | (byte(i) & 0x3fu);
  }
  const unsigned least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < least || code > 0x10ffff || surrogate ? 0 : size;
}

bool plainly_valid(std::string text) {
  while (!text.empty()) {
    const std::size_t size = first_character(text);
    if (size == 0) return false;
    text.erase(0, size);
  }
  return true;
}

bool valid_in_two_parts(const std::string& text, std::size_t cut) {
  validator check;
  return check.decode(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cut)) &&
         check.decode(text.begin() + static_cast<std::ptrdiff_t>(cut), text.end()) && check.complete();
}

}  // namespace

TEST_CASE("every sequence of one, two and three bytes is judged as the plain validator does") {
  int differences = 0;
  for (unsigned code = 0; code < 0x1000000; ++code) {
    // Three bytes that begin with an ASCII one are as the two that follow it.
    if (code == 0x10000) code = 0x800000;
    std::string text{static_cast<char>(code >> 16), static_cast<char>(code >> 8 & 0xff),
                     static_cast<char>(code & 0xff)};
    if (code < 0x10000) text.erase(0, 1);
    if (code < 0x100) text.erase(0, 1);
    if (websocketpp::utf8_validator::validate(text) != plainly_valid(text)) ++differences;
  }
  CHECK(differences == 0);
}

TEST_CASE("every start of a sequence of four bytes is judged as the plain validator does") {
  int differences = 0;
  for (unsigned code = 0; code < 0x10000; ++code) {
    for (const char* rest : {"\x80\x80", "\xbf\xbf", "\x80", "\x80\x41"}) {
      const std::string text = std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + rest;
      if (websocketpp::utf8_validator::validate(text) != plainly_valid(text)) ++differences;
    }
  }
  CHECK(differences == 0);
}

TEST_CASE("long random texts are judged alike wherever they are cut") {
  std::mt19937 random(20261124);
  const std::string characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                    "0123456789abcdef0123456789abcdef"};
  int differences = 0;
  int invalid = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const auto size = random() % 150;
    while (text.size() < size) text += characters[random() % 5];
    if (round % 2 == 1 && !text.empty()) text[random() % text.size()] = static_cast<char>(random() & 0xff);
    const bool expected = plainly_valid(text);
    if (!expected) ++invalid;
    if (valid_in_two_parts(text, random() % (text.size() + 1)) != expected) ++differences;
  }
  CHECK(differences == 0);
  CHECK(invalid > 1000);
}
