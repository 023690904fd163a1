// What all fuzzers share: a check that stays in every build, and the input as a sequence of decisions. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ksr::fuzz {

// Ends the program when a property does not hold; libFuzzer and the replay then show the input.
inline void require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}

// An input read from its front. At the end all numbers are 0 and all texts empty.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  // Below `limit`, which is at most 256.
  std::size_t below(std::size_t limit) noexcept { return byte() % limit; }
  // Up to the next line end, which is taken too.
  std::string_view line() noexcept {
    const std::size_t end = rest_.find('\n');
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return text;
  }
  std::string_view piece(std::size_t size) noexcept {
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(text.size());
    return text;
  }
  std::string_view rest() noexcept { return piece(rest_.size()); }

 private:
  std::string_view rest_;
};

}  // namespace ksr::fuzz
