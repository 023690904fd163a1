// `ObjectDecoder` writes one object in protobuf as the JSON that the server would have sent, byte for byte, in one
// pass; used by ItemReader and status_as_json. Lives on the thread of its reader.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protobuf/schema.hpp"
#include "protobuf/value_writer.hpp"

namespace ksr::protobuf {

struct DecodeOptions {
  bool keep_managed_fields = false;
  // Of the JSON.
  std::size_t max_size = std::size_t{64} << 20;
  std::size_t max_depth = 512;
  // Fields that are not known are left out: for a Status, of which only some members are looked at.
  bool skip_unknown_fields = false;
};

class ObjectDecoder {
 public:
  ObjectDecoder(const Schema& schema, const DecodeOptions& options)
      : schema_(schema), options_(options), values_(options.max_size) {}

  // `bytes`: the message, without its envelope. `prefix`: the first members, each with a comma behind it.
  DecodeOutcome decode(const Message& message, std::string_view prefix, std::string_view bytes);
  // As if nothing had been decoded.
  void clear() noexcept;

  // Of the object that was decoded last, until the next call.
  std::string_view text() const noexcept { return {values_.data(), size_}; }
  struct Noted {
    bool present = false;
    bool escaped = false;
    std::string_view text = {};  // between the quotes, with its escapes; empty for null
  };
  Noted noted(Role role) const noexcept;
  // Why it is none: for people.
  std::string problem() const;

 private:
  // Where the input goes on and where the output does; both are NULL after a failure.
  struct Step {
    const char* p;
    char* out;
  };
  class Places;
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool escaped = false;
  };

  // A tag's number or bytes, and what is behind them; NULL when they are not all there.
  struct Read {
    const char* end;
    Payload payload;
  };

  char* members(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  char* ordered_members(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  char* unordered_members(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  void move_back(std::size_t begin, std::size_t end, std::size_t to);
  const char* skip_unknown(const Message& message, std::uint64_t tag, const char* p, const char* end);
  char* zeros(const Message& message, std::uint64_t which, char* out);
  Step text_run(const Field& field, const char* p, const char* end, char* out);
  Step other_run(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  Step noted_run(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  Step plain_run(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  Step repeated(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  Step map(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  char* map_entry(const Field& field, Payload key, const char* p, const char* end, char* out, std::size_t depth);
  char* value(const Field& field, Payload payload, char* out, std::size_t depth);
  char* object(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  char* schema_choice(const Message& message, std::string_view bytes, char* out, std::size_t depth);

  Read read_payload(std::uint32_t tag, const char* p, const char* end);
  const char* skip_run(std::uint32_t tag, const char* p, const char* end);
  char* put_key(const Field& field, char* out) const noexcept;
  std::nullptr_t fail(DecodeOutcome outcome) noexcept { return values_.fail(outcome); }
  std::nullptr_t not_known(const Message& message, std::uint64_t number) noexcept;

  const Schema& schema_;
  const DecodeOptions options_;
  ValueWriter values_;
  std::size_t size_ = 0;
  std::array<Range, static_cast<std::size_t>(Role::managed_fields)> notes_{};
  // Text that is on its way to its place.
  std::vector<char> moved_;
  const Message* unknown_message_ = nullptr;
  std::uint64_t unknown_number_ = 0;
};

}  // namespace ksr::protobuf
