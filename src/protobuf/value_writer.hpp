// `ValueWriter` writes single values of messages as JSON into a buffer that grows as needed; used by ObjectDecoder.
// Lives on the thread of its decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protobuf/json_text.hpp"
#include "protobuf/schema.hpp"

namespace ksr::protobuf {

enum class DecodeOutcome : std::uint8_t {
  done,
  // A field, a wire type or a value that the schema does not know, or an order in which Kubernetes does not write: what
  // JSON the server would send is not known. Nothing is lost only if JSON is asked for.
  unknown,
  malformed,
  too_deep,
  too_large,
};

// What a tag announces: a number, or the bytes of a text or a message.
struct Payload {
  const char* data = nullptr;
  std::uint64_t number = 0;  // their size, or the value

  std::string_view bytes() const noexcept { return {data, static_cast<std::size_t>(number)}; }
};

// All functions that write take the place where they do and return where it goes on, in a buffer that may be another
// one; NULL after a failure, which outcome() then tells. kRoom is there when they are called, and when they return.
class ValueWriter {
 public:
  // What a member may write without asking for more: a key, a value of fixed size or a text of up to kShortText bytes,
  // brackets, and blocks that go beyond.
  static constexpr std::size_t kRoom = 896;
  static constexpr std::size_t kShortText = 64;

  explicit ValueWriter(std::size_t max_size) : max_size_(max_size) {}

  // Texts come from memory that may be read up to `readable_end`.
  char* begin(std::size_t expected_size, const char* readable_end);
  const char* data() const noexcept { return buffer_.get(); }
  char* data() noexcept { return buffer_.get(); }
  std::size_t offset_of(const char* out) const noexcept { return static_cast<std::size_t>(out - buffer_.get()); }

  DecodeOutcome outcome() const noexcept { return outcome_; }
  void reset_outcome() noexcept { outcome_ = DecodeOutcome::done; }
  std::nullptr_t fail(DecodeOutcome outcome) noexcept {
    outcome_ = outcome;
    return nullptr;
  }

  char* room(char* out, std::size_t size = kRoom) {
    return static_cast<std::size_t>(limit_ - out) >= size ? out : grow(out, size);
  }
  char* put(std::string_view text, char* out);

  char* text(std::string_view text, char* out) {
    return text.size() <= kShortText ? write_string(text, readable_end_, out) : long_text(text, out);
  }
  // Of any kind that has no fields of its own. Arrays and objects in it may be `depth_left` deep.
  char* value(Kind kind, Payload payload, char* out, std::size_t depth_left);

 private:
  char* grow(char* out, std::size_t size);
  char* checked(char* out) noexcept { return out != nullptr ? out : fail(DecodeOutcome::unknown); }
  char* long_text(std::string_view text, char* out);
  char* bytes(std::string_view bytes, char* out);
  char* texts(std::string_view message, char* out, std::size_t depth_left);
  char* int_or_string(std::string_view message, char* out);
  char* json(std::string_view message, bool null_if_empty, char* out, std::size_t depth_left);

  const std::size_t max_size_;
  DecodeOutcome outcome_ = DecodeOutcome::done;
  std::unique_ptr<char[]> buffer_;
  char* limit_ = nullptr;
  const char* readable_end_ = nullptr;
  std::string compacted_;
};

}  // namespace ksr::protobuf
