#include "protobuf/value_writer.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/base64.hpp"
#include "protobuf/raw_json.hpp"
#include "protobuf/special_values.hpp"
#include "protobuf/wire_reader.hpp"

namespace ksr::protobuf {
namespace {

// Longer texts are written in parts.
constexpr std::size_t kLongText = 4096;
// Memory for larger objects is freed after them.
constexpr std::size_t kOrdinarySize = std::size_t{256} << 10;
static_assert(ValueWriter::kRoom > kMaxSpecialValue + 255 + kMaxEscape * ValueWriter::kShortText + 3 * kBlock);

// At most `size`, between characters.
std::size_t part_size(std::string_view text, std::size_t size) noexcept {
  if (text.size() <= size) return text.size();
  for (std::size_t back = 0; back < 4; ++back) {
    if ((static_cast<unsigned char>(text[size - back]) & 0xC0) != 0x80) return size - back;
  }
  return size;  // no UTF-8 there
}

}  // namespace

char* ValueWriter::begin(std::size_t expected_size, const char* readable_end) {
  outcome_ = DecodeOutcome::done;
  readable_end_ = readable_end;
  release();
  return room(buffer_.get(), expected_size + kRoom);
}

void ValueWriter::release() noexcept {
  if (offset_of(limit_) <= kOrdinarySize) return;
  buffer_.reset();
  limit_ = nullptr;
  std::string().swap(compacted_);
}

// Twice as much, but not beyond what may be needed of the largest object.
char* ValueWriter::grow(char* out, std::size_t size) {
  const std::size_t used = offset_of(out);
  if (used > max_size_) return fail(DecodeOutcome::too_large);
  const std::size_t capacity = std::max(used + size, std::min(2 * used, max_size_ + kRoom)) + kRoom;
  std::unique_ptr<char[]> larger(new char[capacity]);
  if (used != 0) std::memcpy(larger.get(), buffer_.get(), used);
  buffer_ = std::move(larger);
  limit_ = buffer_.get() + capacity;
  return buffer_.get() + used;
}

char* ValueWriter::put(std::string_view text, char* out) {
  if (text.size() > max_size_) return fail(DecodeOutcome::too_large);
  out = room(out, text.size() + kRoom);
  if (out == nullptr) return nullptr;
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* ValueWriter::value(Kind kind, Payload payload, char* out, std::size_t depth_left) {
  switch (kind) {
    case Kind::text:
      return text(payload.bytes(), out);
    case Kind::boolean: {
      const std::string_view word = payload.number != 0 ? "true" : "false";
      std::memcpy(out, word.data(), word.size());
      return out + word.size();
    }
    case Kind::int32:
      return write_number(std::int64_t{static_cast<std::int32_t>(payload.number)}, out);
    case Kind::int64:
      return write_number(static_cast<std::int64_t>(payload.number), out);
    case Kind::real: {
      double number = 0;
      std::memcpy(&number, &payload.number, sizeof number);
      return checked(write_double(number, out));
    }
    case Kind::time:
      return checked(write_time(payload.bytes(), false, out));
    case Kind::micro_time:
      return checked(write_time(payload.bytes(), true, out));
    case Kind::duration:
      return checked(write_duration_message(payload.bytes(), out));
    case Kind::quantity:
      return checked(write_quantity(payload.bytes(), out));
    case Kind::int_or_string:
      return int_or_string(payload.bytes(), out);
    case Kind::bytes:
      return bytes(payload.bytes(), out);
    case Kind::texts:
      return texts(payload.bytes(), out, depth_left);
    case Kind::json:
    case Kind::json_or_null:
      return json(payload.bytes(), kind == Kind::json_or_null, out, depth_left);
    case Kind::message:
    case Kind::inline_message:
      break;
  }
  return fail(DecodeOutcome::unknown);
}

char* ValueWriter::long_text(std::string_view text, char* out) {
  *out++ = '"';
  do {
    const std::size_t size = part_size(text, kLongText);
    out = room(out, kMaxEscape * size + kRoom);
    if (out == nullptr) return nullptr;
    out = write_text(text.substr(0, size), readable_end_, out);
    text.remove_prefix(size);
  } while (!text.empty());
  *out++ = '"';
  return room(out);
}

char* ValueWriter::bytes(std::string_view bytes, char* out) {
  const std::size_t size = base64_size(bytes.size());
  if (size > max_size_) return fail(DecodeOutcome::too_large);
  out = room(out, size + kRoom);
  if (out == nullptr) return nullptr;
  *out++ = '"';
  base64_encode(bytes, out);
  out += size;
  *out++ = '"';
  return room(out);
}

char* ValueWriter::texts(std::string_view message, char* out, std::size_t depth_left) {
  if (depth_left == 0) return fail(DecodeOutcome::too_deep);
  *out++ = '[';
  if (message.empty()) ++out;  // over which the bracket is written below
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number != 1 || field->type != WireField::Type::bytes) return fail(DecodeOutcome::unknown);
    out = text(field->bytes, out);
    if (out == nullptr) return nullptr;
    *out++ = ',';
    out = room(out);
    if (out == nullptr) return nullptr;
  }
  if (reader.malformed()) return fail(DecodeOutcome::malformed);
  out[-1] = ']';
  return out;
}

// intstr.IntOrString {1 type, 2 the number, 3 the text}.
char* ValueWriter::int_or_string(std::string_view message, char* out) {
  std::uint64_t type = 0;
  std::uint64_t number = 0;
  std::string_view string;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    const auto expected = field->number == 3 ? WireField::Type::bytes : WireField::Type::varint;
    if (field->number > 3 || field->type != expected) return fail(DecodeOutcome::unknown);
    if (field->number == 1) type = field->number_value;
    if (field->number == 2) number = field->number_value;
    if (field->number == 3) string = field->bytes;
  }
  if (reader.malformed()) return fail(DecodeOutcome::malformed);
  if (type == 0) return write_number(std::int64_t{static_cast<std::int32_t>(number)}, out);
  return type == 1 ? text(string, out) : fail(DecodeOutcome::unknown);
}

// Messages whose field 1 is JSON. An object in protobuf within them would have to be looked up: no server sends one.
char* ValueWriter::json(std::string_view message, bool null_if_empty, char* out, std::size_t depth_left) {
  std::optional<std::string_view> raw;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number != 1 || field->type != WireField::Type::bytes || raw) return fail(DecodeOutcome::unknown);
    raw = field->bytes;
  }
  if (reader.malformed()) return fail(DecodeOutcome::malformed);
  if (!raw || (raw->empty() && null_if_empty)) return put("null", out);
  compacted_.clear();
  switch (compact_json(*raw, depth_left, max_size_, compacted_)) {
    case RawJson::done:
      return put(compacted_, out);
    case RawJson::too_deep:
      return fail(DecodeOutcome::too_deep);
    case RawJson::none:
      break;
  }
  return fail(DecodeOutcome::unknown);
}

}  // namespace ksr::protobuf
