#include "protobuf/special_values.hpp"

#include <cstdint>
#include <cstring>

#include "base/civil_time.hpp"
#include "base/text.hpp"
#include "protobuf/json_text.hpp"
#include "protobuf/varint.hpp"
#include "protobuf/wire_reader.hpp"

namespace ksr::protobuf {
namespace {

constexpr std::int64_t kYear1 = -62135596800;  // time.Time's zero
constexpr char kSecondsTag = 1 << 3;
constexpr char kNanosecondsTag = 2 << 3;
constexpr std::size_t kMaxQuantity = 100;

char* put_text(std::string_view text, char* out) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

bool is_in_quantity(char c) noexcept {
  return is_digit(c) || std::string_view("+-.eEinumkKMGTP").find(c) != std::string_view::npos;
}

}  // namespace

// time_proto.go: the seconds alone count, no matter what the nanoseconds are; micro_time_proto.go cuts them.
char* write_time(std::string_view message, bool with_microseconds, char* out) noexcept {
  if (message.empty()) return put_text("null", out);
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  const char* p = message.data();
  const char* const end = p + message.size();
  while (p != end) {
    const char tag = *p++;
    const Varint number = read_varint(p, end);
    if (number.end == nullptr || (tag != kSecondsTag && tag != kNanosecondsTag)) return nullptr;
    p = number.end;
    if (tag == kSecondsTag) {
      seconds = static_cast<std::int64_t>(number.value);
    } else {
      nanoseconds = static_cast<std::int32_t>(number.value);
    }
  }
  if (!has_four_digit_year(seconds) || nanoseconds < 0 || nanoseconds >= 1'000'000'000) return nullptr;
  const auto microseconds = with_microseconds ? static_cast<std::uint32_t>(nanoseconds) / 1000 : 0;
  // The zero time is written without fields.
  if (seconds == kYear1 && microseconds == 0) return nullptr;
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
  for (const char c : text) {
    if (!is_in_quantity(c)) return nullptr;
  }
  *out++ = '"';
  out = put_text(text, out);
  *out++ = '"';
  return out;
}

}  // namespace ksr::protobuf
