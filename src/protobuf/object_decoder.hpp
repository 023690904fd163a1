// `ObjectDecoder` writes one object in protobuf as the JSON that the server would have sent, byte for byte, in one
// pass; used by ListReader, WatchReader and status_as_json. Lives on the thread of its reader.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
  ObjectDecoder(const Schema& schema, const DecodeOptions& options) : schema_(schema), options_(options) {}

  // `bytes`: the message, without its envelope. `prefix`: the first members, each with a comma behind it.
  DecodeOutcome decode(const Message& message, std::string_view prefix, std::string_view bytes);

  // As if nothing had been decoded.
  void clear() noexcept;

  // Of the object that was decoded last, until the next call.
  std::string_view text() const noexcept { return {buffer_.get(), size_}; }
  struct Noted {
    bool present = false;
    std::string_view text = {};  // between the quotes, with its escapes; empty for null
  };
  Noted noted(Role role) const noexcept;
  // Which field of which message was not known: for a log.
  std::string problem() const;

 private:
  // Where the input goes on and where the output does; both are NULL after a failure.
  struct Step {
    const char* p;
    char* out;
  };
  // What a tag announces: a number, or the bytes of a message, a text.
  struct Payload {
    const char* data;
    std::uint64_t number;  // their size, or the value
  };
  struct Slot {
    const char* begin;
    const char* end;
  };
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  char* members(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  char* ordered_members(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  char* sorted_members(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  bool find_slots(const Message& message, std::string_view bytes, std::size_t base, std::uint64_t& present);
  char* zeros(const Message& message, std::uint64_t which, char* out);
  Step run(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  Step noted_run(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  Step plain_run(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  Step repeated(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  Step map(const Field& field, const char* p, const char* end, char* out, std::size_t depth);
  char* map_entry(const Field& field, std::string_view entry, std::string_view& last_key, bool first, char* out,
                  std::size_t depth);
  char* value(const Field& field, Payload payload, char* out, std::size_t depth);

  char* object(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  char* schema_choice(const Message& message, std::string_view bytes, char* out, std::size_t depth);
  char* texts(std::string_view bytes, char* out, std::size_t depth);
  char* text_value(std::string_view text, char* out);
  char* bytes_value(std::string_view bytes, char* out);
  char* int_or_string_value(std::string_view bytes, char* out);
  char* json_value(std::string_view bytes, bool null_if_empty, char* out, std::size_t depth);

  const char* read_payload(std::uint32_t tag, const char* p, const char* end, Payload& payload);
  const char* skip_run(std::uint32_t tag, const char* p, const char* end);
  char* put(std::string_view text, char* out);
  char* put_key(const Field& field, char* out) const noexcept;
  char* room(char* out, std::size_t size);
  char* grow(char* out, std::size_t size);
  char* checked(char* out) noexcept;
  std::nullptr_t fail(DecodeOutcome outcome) noexcept;
  std::nullptr_t not_known(const Message& message, std::uint64_t number) noexcept;

  const Schema& schema_;
  const DecodeOptions options_;
  DecodeOutcome outcome_ = DecodeOutcome::done;
  std::unique_ptr<char[]> buffer_;
  char* limit_ = nullptr;  // of the buffer
  std::size_t size_ = 0;
  // Up to where the input of this call may be read.
  const char* readable_end_ = nullptr;
  std::array<Range, static_cast<std::size_t>(Role::managed_fields)> notes_{};
  // Of the messages that are being read, those whose fields have to be sorted.
  std::vector<Slot> slots_;
  std::string compacted_;
  const Message* unknown_message_ = nullptr;
  std::uint64_t unknown_number_ = 0;
};

}  // namespace ksr::protobuf
