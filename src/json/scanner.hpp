// `Scanner` checks the grammar of JSON (RFC 8259) on bytes as they arrive and reports events, the same for any split;
// used by ListReader and WatchReader. No recursion, no DOM. Lives on the thread of its reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/block_skip.hpp"
#include "json/bytes.hpp"
#include "json/number_machine.hpp"
#include "json/string_machine.hpp"
#include "json/value_kind.hpp"

namespace ksr::json {

// What a handler wants of a value: only its extent, its members one by one, or (of a string or number) its text.
enum class Interest : std::uint8_t { skip, enter, capture };

// The text of a key or a captured value, without quotes, as written.
struct RawText {
  std::string_view text;
  bool escaped = false;
  // Longer than the scanner keeps; `text` is empty then.
  bool overlong = false;
};

enum class Outcome : std::uint8_t { more, invalid, stopped };

// The handler is called for what lies directly in the containers it has entered, the outermost being the stream itself.
// Offsets count from the first byte ever fed. A false return stops the scanner.
//   bool on_key(const RawText& key, uint64_t at)
//   bool on_value(ValueKind kind, uint64_t at, Interest& interest)   `interest` is skip unless set
//   bool on_value_end(uint64_t end, const RawText& captured)         not for values that were entered
//   bool on_leave(uint64_t end)                                      the end of a value that was entered
//   bool on_comma(uint64_t at)
//   bool on_too_deep(uint64_t at)                                    a container that exceeds `max_depth` begins
//
// Lives on the thread of its reader.
template <class Handler>
class Scanner {
 public:
  Scanner(Handler& handler, std::size_t max_depth) : handler_(handler), max_depth_(max_depth) {}

  // After anything but `more`, the scanner is done with.
  Outcome feed(std::string_view bytes);

  // Before the first byte of a document, or after the last byte of one.
  bool between_documents() const noexcept { return depth_ == 0 && state_ == GrammarState::value; }
  // Of the next byte; after `invalid`, of the byte that does not belong.
  std::uint64_t offset() const noexcept { return base_; }
  const std::string& problem() const noexcept { return problem_; }
  // What has been read since the last call has text that json_as_unicode() has to mend before it is kept.
  bool take_ill_formed() noexcept { return string_.take_ill_formed(); }

 private:
  // What is nested deeper than a handler wants is skipped all the same, as far as Go's decoder, and so an API server,
  // reads it (encoding/json, maxNestingDepth).
  static constexpr std::size_t kMaxSkippedDepth = 10'000;
  static constexpr std::size_t kMaxKey = 256;
  static constexpr std::size_t kMaxCapture = std::size_t{64} * 1024;

  // Runs until the input ends, something is wrong, or the containers entered are left or reached again.
  template <bool Entered>
  const char* run(const char* p, const char* end);
  // Takes what it can in whole blocks.
  const char* skip(const char* p, const char* end);
  template <bool Entered>
  bool begin_value(const char* p);
  bool begin_container(bool object, const char* p);
  void set_level(std::size_t level, bool object);
  bool is_object(std::size_t level) const noexcept { return (levels_[level / 64] >> (level % 64) & 1) != 0; }
  template <bool Entered>
  bool end_container(const char* p);
  template <bool Entered>
  bool end_scalar(const char* p);
  bool advance_literal(const char*& p, const char* end);
  bool take_key(const char* p);

  void begin_text(const char* p);
  RawText end_text(const char* p, std::size_t max, bool quoted);
  void keep_text(const char* end);

  std::uint64_t at(const char* p) const noexcept { return base_ + static_cast<std::uint64_t>(p - begin_); }
  bool fail(std::string problem);
  bool fail_expecting(const char* expected, const char* p);
  bool stop_unless(bool go_on) {
    if (!go_on) outcome_ = Outcome::stopped;
    return go_on;
  }

  Handler& handler_;
  const std::size_t max_depth_;
  GrammarState state_ = GrammarState::value;
  Outcome outcome_ = Outcome::more;
  bool in_object_ = false;
  bool capturing_ = false;
  std::size_t depth_ = 0;
  std::size_t entered_depth_ = 0;
  // One bit a level: set for an object.
  std::vector<std::uint64_t> levels_;
  StringMachine string_;
  NumberMachine number_;
  const char* literal_rest_ = "";

  const char* begin_ = nullptr;
  // Up to where skipping in blocks has been tried.
  const char* skipped_to_ = nullptr;
  std::uint64_t base_ = 0;
  // Of a key or captured value: where it starts in this buffer, and what earlier buffers held of it.
  const char* text_begin_ = nullptr;
  std::uint64_t text_at_ = 0;
  std::string kept_text_;
  std::string problem_;
};

// "'x'" or "byte 0x07".
std::string describe_byte(char c);

}  // namespace ksr::json

#include "json/scanner_run.hpp"
