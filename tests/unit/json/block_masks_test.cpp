// What the vector registers find, against the definitions byte by byte.
#include "json/block_masks.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "json/bytes.hpp"

namespace {

#ifdef KSR_JSON_SIMD
using ksr::json::BlockMasks;

template <class Is>
std::uint64_t mask_of(const std::string& block, Is is) {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 64; ++i) mask |= std::uint64_t{is(block[i])} << i;
  return mask;
}

std::uint64_t mask_of(const std::string& block, char wanted) {
  return mask_of(block, [wanted](char c) { return c == wanted; });
}

void check_block(const std::string& block) {
  CAPTURE(block);
  const BlockMasks masks(block.data());
  CHECK(masks.quote == mask_of(block, '"'));
  CHECK(masks.backslash == mask_of(block, '\\'));
  CHECK(masks.open == mask_of(block, [](char c) { return c == '{' || c == '['; }));
  CHECK(masks.close == mask_of(block, [](char c) { return c == '}' || c == ']'; }));
  // Of brackets only.
  CHECK((masks.curly & (masks.open | masks.close)) == mask_of(block, [](char c) { return c == '{' || c == '}'; }));
  CHECK(masks.comma == mask_of(block, ','));
  CHECK(masks.colon == mask_of(block, ':'));
  CHECK(masks.space == mask_of(block, ' '));
  CHECK(masks.low == mask_of(block, [](unsigned char c) { return c < 0x20 || c >= 0x80; }));
  CHECK(ksr::json::control_space(block.data()) ==
        mask_of(block, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }));
}

TEST_CASE("the masks of a block are right for each byte at each place") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 64; ++at) {
      std::string block(64, 'x');
      block[at] = static_cast<char>(byte);
      check_block(block);
    }
  }
}

TEST_CASE("the masks of a block are right for random text") {
  std::mt19937 random(4);
  const std::string alphabet = "{}[]\",:\\ \t\n\r0ax;Z\x7f\x80\xff\x01\x1f\x5b\x3a";
  for (int i = 0; i < 2000; ++i) {
    std::string block(64, ' ');
    for (char& c : block) c = alphabet[random() % alphabet.size()];
    check_block(block);
  }
}

TEST_CASE("prefix_xor is the exclusive or of all lower bits") {
  std::mt19937_64 random(5);
  std::array<std::uint64_t, 4> special{0, 1, ~std::uint64_t{0}, std::uint64_t{1} << 63};
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t mask = i < 4 ? special[static_cast<std::size_t>(i)] : random() & random();
    std::uint64_t expected = 0;
    bool inside = false;
    for (unsigned bit = 0; bit < 64; ++bit) {
      inside ^= (mask >> bit & 1) != 0;
      expected |= std::uint64_t{inside} << bit;
    }
    CHECK(ksr::json::prefix_xor(mask) == expected);
  }
}
#endif

TEST_CASE("find_special_in_string stops at each special byte, wherever it stands") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 40; ++at) {
      std::string text(40, 'x');
      text[at] = static_cast<char>(byte);
      const bool special = byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
      const char* const found = ksr::json::find_special_in_string(text.data(), text.data() + text.size());
      CHECK(found - text.data() == (special ? static_cast<std::ptrdiff_t>(at) : 40));
    }
  }
}

TEST_CASE("skip_space stops at the first byte that is no whitespace, wherever it stands") {
  for (const std::string fill : {" ", "\n", "\t ", "\n  "}) {
    for (std::size_t size = 0; size < 70; ++size) {
      std::string text;
      while (text.size() < size) text += fill;
      text.resize(size);
      CHECK(ksr::json::skip_space(text.data(), text.data() + size) == text.data() + size);
      const std::string more = text + "x  ";
      CHECK(ksr::json::skip_space(more.data(), more.data() + more.size()) == more.data() + size);
    }
  }
}

}  // namespace
