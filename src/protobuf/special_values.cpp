#include "protobuf/special_values.hpp"

#include <cstdint>
#include <cstring>

#include "base/civil_time.hpp"
#include "protobuf/json_text.hpp"
#include "protobuf/wire_reader.hpp"

namespace ksr::protobuf {
namespace {

constexpr std::int64_t kYear1 = -62135596800;  // time.Time's zero
constexpr std::size_t kMaxQuantity = 100;

char* put_text(std::string_view text, char* out) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace

// time_proto.go: the seconds alone count, no matter what the nanoseconds are; micro_time_proto.go cuts them.
char* write_time(std::string_view message, bool with_microseconds, char* out) noexcept {
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  if (message.empty()) return put_text("null", out);
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->type != WireField::Type::varint || field->number > 2) return nullptr;
    if (field->number == 1) seconds = static_cast<std::int64_t>(field->number_value);
    if (field->number == 2) nanoseconds = static_cast<std::int32_t>(field->number_value);
  }
  if (reader.malformed() || !has_four_digit_year(seconds)) return nullptr;
  if (nanoseconds < 0 || nanoseconds >= 1'000'000'000) return nullptr;
  const auto microseconds = with_microseconds ? static_cast<std::uint32_t>(nanoseconds) / 1000 : 0;
  if (seconds == kYear1 && microseconds == 0) return put_text("null", out);
  *out++ = '"';
  write_rfc3339(seconds, out);
  out += kRfc3339Size;
  if (with_microseconds) {
    out[-1] = '.';
    for (std::uint32_t unit = 100'000; unit != 0; unit /= 10) {
      *out++ = static_cast<char>('0' + microseconds / unit % 10);
    }
    *out++ = 'Z';
  }
  *out++ = '"';
  return out;
}

char* write_duration_message(std::string_view message, char* out) noexcept {
  std::int64_t nanoseconds = 0;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->type != WireField::Type::varint || field->number != 1) return nullptr;
    nanoseconds = static_cast<std::int64_t>(field->number_value);
  }
  if (reader.malformed()) return nullptr;
  *out++ = '"';
  out = write_duration(nanoseconds, out);
  *out++ = '"';
  return out;
}

// On the wire it is as it writes itself in JSON, too (quantity_proto.go): digits, a sign, a point, an exponent or a
// suffix.
char* write_quantity(std::string_view message, char* out) noexcept {
  std::string_view text = "0";
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->type != WireField::Type::bytes || field->number != 1) return nullptr;
    text = field->bytes;
  }
  if (reader.malformed() || text.empty() || text.size() > kMaxQuantity) return nullptr;
  if (text.find_first_not_of("0123456789+-.eEinumkKMGTP") != std::string_view::npos) return nullptr;
  *out++ = '"';
  out = put_text(text, out);
  *out++ = '"';
  return out;
}

}  // namespace ksr::protobuf
