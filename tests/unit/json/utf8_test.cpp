#include <doctest/doctest.h>

#include "json/string_machine.hpp"

#include <initializer_list>
#include <string>

namespace ksr::json::testing {
namespace {

// Decodes one sequence by the definition and asks whether encoding the code point the shortest way gives it back.
bool plainly_valid(const std::string& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const unsigned lead = static_cast<unsigned char>(bytes[at]);
    const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (size == 0 || at + size > bytes.size()) return false;
    unsigned point = size == 1 ? lead : lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
      const unsigned tail = static_cast<unsigned char>(bytes[at + i]);
      if (tail >> 6 != 2) return false;
      point = point << 6 | (tail & 0x3f);
    }
    const std::size_t shortest = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (shortest != size || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    at += size;
  }
  return true;
}

bool accepted(const std::string& bytes) {
  const std::string text = bytes + "\"";
  StringMachine machine;
  machine.begin();
  const char* p = text.data();
  return machine.advance(p, text.data() + text.size()) == Progress::done && !machine.take_ill_formed();
}

bool same(const std::string& bytes) {
  return accepted(bytes) == plainly_valid(bytes);
}

TEST_CASE("UTF-8: every sequence of one, two and three bytes") {
  unsigned wrong = 0;
  for (unsigned a = 0x80; a < 0x100; ++a) {
    wrong += same({static_cast<char>(a)}) ? 0 : 1;
    for (unsigned b = 0x60; b < 0x100; ++b) {
      wrong += same({static_cast<char>(a), static_cast<char>(b)}) ? 0 : 1;
      for (unsigned c = 0x60; c < 0x100; ++c) {
        wrong += same({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)}) ? 0 : 1;
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("UTF-8: four bytes at the edges of every range") {
  const std::initializer_list<unsigned> edges = {0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0};
  unsigned wrong = 0;
  for (unsigned a = 0xec; a < 0x100; ++a) {
    for (const unsigned b : edges) {
      for (const unsigned c : edges) {
        for (const unsigned d : edges) {
          wrong +=
              same({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)}) ? 0 : 1;
        }
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace ksr::json::testing
