#include "protobuf/object_decoder.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/base64.hpp"
#include "protobuf/json_text.hpp"
#include "protobuf/raw_json.hpp"
#include "protobuf/special_values.hpp"
#include "protobuf/varint.hpp"
#include "protobuf/wire_reader.hpp"

namespace ksr::protobuf {
namespace {

using WireType = WireField::Type;

// What each member may write without asking for more room: a key, a value of fixed size or a text of up to kShortText
// bytes, brackets and blocks that go beyond.
constexpr std::size_t kRoom = 640;
constexpr std::size_t kShortText = 32;
// Longer ones are written in parts.
constexpr std::size_t kLongText = 4096;
static_assert(kRoom > kMaxSpecialValue + 255 + kMaxEscape * kShortText + 3 * kBlock);
// Memory for larger objects is freed after them.
constexpr std::size_t kOrdinarySize = std::size_t{256} << 10;

constexpr WireType wire_type(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean:
    case Kind::int32:
    case Kind::int64:
      return WireType::varint;
    case Kind::real:
      return WireType::fixed64;
    default:
      return WireType::bytes;
  }
}

constexpr std::uint32_t tag_of(std::uint32_t number, WireType type) noexcept {
  return number << 3 | static_cast<std::uint32_t>(type);
}

// The tag at `p`, before `end`. NULL: it is none, or that of a field beyond any table.
inline const char* read_tag(const char* p, const char* end, std::uint32_t& tag) noexcept {
  const auto byte = static_cast<unsigned char>(*p);
  if (byte < 0x80) {
    tag = byte;
    return p + 1;
  }
  std::uint64_t value = 0;
  p = read_varint(p, end, value);
  if (value > UINT32_MAX) return nullptr;
  tag = static_cast<std::uint32_t>(value);
  return p;
}

// How deep in the object the member is.
constexpr std::size_t level_of(Role role) noexcept {
  return role == Role::last_timestamp || role == Role::event_time ? 1 : 2;
}

// At most `size`, between characters.
std::size_t part_size(std::string_view text, std::size_t size) noexcept {
  if (text.size() <= size) return text.size();
  for (std::size_t back = 0; back < 4; ++back) {
    if ((static_cast<unsigned char>(text[size - back]) & 0xC0) != 0x80) return size - back;
  }
  return size;  // no UTF-8 there
}

}  // namespace

void ObjectDecoder::clear() noexcept {
  outcome_ = DecodeOutcome::done;
  unknown_message_ = nullptr;
  size_ = 0;
  notes_.fill({});
  slots_.clear();
}

DecodeOutcome ObjectDecoder::decode(const Message& message, std::string_view prefix, std::string_view bytes) {
  clear();
  if (static_cast<std::size_t>(limit_ - buffer_.get()) > kOrdinarySize) {
    buffer_.reset();
    limit_ = nullptr;
    std::string().swap(compacted_);
  }
  readable_end_ = bytes.data() + bytes.size();
  char* out = room(buffer_.get(), prefix.size() + bytes.size() + bytes.size() / 2 + kRoom);
  if (out == nullptr) return outcome_;
  *out++ = '{';
  out = put(prefix, out);
  if (out != nullptr) out = members(message, bytes, out, 1);
  if (out == nullptr) return outcome_;
  // A comma behind the last member becomes the bracket.
  if (out[-1] == ',') --out;
  *out++ = '}';
  size_ = static_cast<std::size_t>(out - buffer_.get());
  if (size_ <= options_.max_size) return outcome_;
  size_ = 0;
  return outcome_ = DecodeOutcome::too_large;
}

ObjectDecoder::Noted ObjectDecoder::noted(Role role) const noexcept {
  const Range range = notes_[static_cast<std::size_t>(role)];
  if (range.end == 0) return {};
  const std::string_view written(buffer_.get() + range.begin, range.end - range.begin);
  if (written.front() != '"') return {true, {}};
  return {true, written.substr(1, written.size() - 2)};
}

std::string ObjectDecoder::problem() const {
  switch (outcome_) {
    case DecodeOutcome::done:
      return {};
    case DecodeOutcome::malformed:
      return "it is not valid protobuf";
    case DecodeOutcome::too_deep:
      return "nested deeper than " + std::to_string(options_.max_depth);
    case DecodeOutcome::too_large:
      return "its JSON is larger than max_object_size (" + std::to_string(options_.max_size) + " bytes)";
    case DecodeOutcome::unknown:
      break;
  }
  if (unknown_message_ == nullptr) return "a value in it is not known";
  return "field " + std::to_string(unknown_number_) + " of message " +
         std::to_string(unknown_message_ - schema_.messages) + " is not known, or not as Kubernetes writes it";
}

std::nullptr_t ObjectDecoder::fail(DecodeOutcome outcome) noexcept {
  outcome_ = outcome;
  return nullptr;
}

std::nullptr_t ObjectDecoder::not_known(const Message& message, std::uint64_t number) noexcept {
  unknown_message_ = &message;
  unknown_number_ = number;
  return fail(DecodeOutcome::unknown);
}

char* ObjectDecoder::room(char* out, std::size_t size) {
  return static_cast<std::size_t>(limit_ - out) >= size ? out : grow(out, size);
}

// Twice as much, but not beyond what may be needed of the largest object.
char* ObjectDecoder::grow(char* out, std::size_t size) {
  const auto used = static_cast<std::size_t>(out - buffer_.get());
  if (used > options_.max_size) return fail(DecodeOutcome::too_large);
  const std::size_t capacity = std::max(used + size, std::min(2 * used, options_.max_size + kRoom)) + kRoom;
  std::unique_ptr<char[]> larger(new char[capacity]);
  if (used != 0) std::memcpy(larger.get(), buffer_.get(), used);
  buffer_ = std::move(larger);
  limit_ = buffer_.get() + capacity;
  return buffer_.get() + used;
}

char* ObjectDecoder::put(std::string_view text, char* out) {
  out = room(out, text.size() + kRoom);
  if (out == nullptr) return nullptr;
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

inline char* ObjectDecoder::put_key(const Field& field, char* out) const noexcept {
  return copy_blocks(schema_.texts + field.key, field.key_size, out);
}

inline const char* ObjectDecoder::read_payload(std::uint32_t tag, const char* p, const char* end, Payload& payload) {
  switch (static_cast<WireType>(tag & 7U)) {
    case WireType::bytes:
      p = read_varint(p, end, payload.number);
      if (p == nullptr || payload.number > static_cast<std::size_t>(end - p)) return fail(DecodeOutcome::malformed);
      payload.data = p;
      return p + payload.number;
    case WireType::varint:
      p = read_varint(p, end, payload.number);
      return p != nullptr ? p : fail(DecodeOutcome::malformed);
    case WireType::fixed64:
    case WireType::fixed32: {
      const std::size_t size = static_cast<WireType>(tag & 7U) == WireType::fixed64 ? 8 : 4;
      if (static_cast<std::size_t>(end - p) < size) return fail(DecodeOutcome::malformed);
      payload.number = 0;
      for (std::size_t i = 0; i < size; ++i) {
        payload.number |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
      }
      return p + size;
    }
  }
  return fail(DecodeOutcome::malformed);
}

// Past all fields with this tag, the first of which is read up to `p`.
const char* ObjectDecoder::skip_run(std::uint32_t tag, const char* p, const char* end) {
  for (;;) {
    Payload payload{};
    p = read_payload(tag, p, end, payload);
    if (p == nullptr || p == end) return p;
    std::uint32_t next = 0;
    const char* const after = read_tag(p, end, next);
    if (after == nullptr || next != tag) return p;
    p = after;
  }
}

char* ObjectDecoder::members(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  return message.ordered ? ordered_members(message, bytes, out, depth) : sorted_members(message, bytes, out, depth);
}

// The order on the wire is that of JSON.
char* ObjectDecoder::ordered_members(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  const Field* const fields = schema_.fields + message.first_field;
  const std::uint8_t* const numbers = schema_.numbers + message.numbers;
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  // The fields that have not come and are written nevertheless.
  std::uint64_t missing = message.zero_mask;
  unsigned next = 0;
  while (p != end) {
    std::uint32_t tag = 0;
    p = read_tag(p, end, tag);
    if (p == nullptr) return fail(DecodeOutcome::malformed);
    const std::uint32_t number = tag >> 3;
    const unsigned index = number <= message.max_number ? numbers[number] : 0U;
    if (index == 0 || index <= next) {
      if (index != 0 || number == 0 || !options_.skip_unknown_fields) return not_known(message, number);
      p = skip_run(tag, p, end);
      if (p == nullptr) return nullptr;
      continue;
    }
    next = index;
    if (missing != 0) {
      const std::uint64_t before = (std::uint64_t{1} << (index - 1)) - 1;
      if ((missing & before) != 0) {
        out = zeros(message, missing & before, out);
        if (out == nullptr) return nullptr;
      }
      missing &= ~(before << 1 | 1);
    }
    const Field& field = fields[index - 1];
    if (tag != field.tag) return not_known(message, number);
    const Step step = run(field, p, end, out, depth);
    if (step.p == nullptr) return nullptr;
    p = step.p;
    out = step.out;
  }
  return missing == 0 ? out : zeros(message, missing, out);
}

// First where each field is, then in the order of JSON.
char* ObjectDecoder::sorted_members(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  const std::size_t base = slots_.size();
  slots_.resize(base + message.field_count);
  std::uint64_t present = 0;
  if (!find_slots(message, bytes, base, present)) return nullptr;
  const Field* const fields = schema_.fields + message.first_field;
  for (std::uint64_t left = present | message.zero_mask; left != 0; left &= left - 1) {
    const auto index = static_cast<unsigned>(__builtin_ctzll(left));
    if ((present >> index & 1) == 0) {
      out = zeros(message, std::uint64_t{1} << index, out);
      if (out == nullptr) return nullptr;
      continue;
    }
    const Slot slot = slots_[base + index];
    const Step step = run(fields[index], slot.begin, slot.end, out, depth);
    if (step.p == nullptr) return nullptr;
    out = step.out;
  }
  slots_.resize(base);
  return out;
}

bool ObjectDecoder::find_slots(const Message& message, std::string_view bytes, std::size_t base,
                               std::uint64_t& present) {
  const Field* const fields = schema_.fields + message.first_field;
  const std::uint8_t* const numbers = schema_.numbers + message.numbers;
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  while (p != end) {
    std::uint32_t tag = 0;
    p = read_tag(p, end, tag);
    if (p == nullptr) return fail(DecodeOutcome::malformed) != nullptr;
    const char* const begin = p;
    const std::uint32_t number = tag >> 3;
    const unsigned index = number <= message.max_number ? numbers[number] : 0U;
    p = skip_run(tag, p, end);
    if (p == nullptr) return false;
    if (index == 0 && number != 0 && options_.skip_unknown_fields) continue;
    const std::uint64_t bit = index == 0 ? 0 : std::uint64_t{1} << (index - 1);
    if (index == 0 || (present & bit) != 0 || tag != fields[index - 1].tag) {
      return not_known(message, number) != nullptr;
    }
    present |= bit;
    slots_[base + index - 1] = {begin, p};
  }
  return true;
}

// The zeros of the fields in the mask `which`.
char* ObjectDecoder::zeros(const Message& message, std::uint64_t which, char* out) {
  for (; which != 0; which &= which - 1) {
    const Field& field = schema_.fields[message.first_field + static_cast<unsigned>(__builtin_ctzll(which))];
    const TextRow zero = schema_.zeros[field.zero];
    out = room(out, kRoom + zero.size);
    if (out == nullptr) return nullptr;
    out = put_key(field, out);
    std::memcpy(out, schema_.zero_texts + zero.begin, zero.size);
    out += zero.size;
    *out++ = ',';
  }
  return out;
}

// The field whose tag ends at `p`, and what follows of it when it is repeated.
inline ObjectDecoder::Step ObjectDecoder::run(const Field& field, const char* p, const char* end, char* out,
                                              std::size_t depth) {
  out = room(out, kRoom);
  if (out == nullptr) return {};
  if (field.role != Role::none && depth == level_of(field.role)) return noted_run(field, p, end, out, depth);
  return plain_run(field, p, end, out, depth);
}

ObjectDecoder::Step ObjectDecoder::noted_run(const Field& field, const char* p, const char* end, char* out,
                                             std::size_t depth) {
  if (field.role == Role::managed_fields) {
    if (options_.keep_managed_fields) return plain_run(field, p, end, out, depth);
    p = skip_run(field.tag, p, end);
    return p == nullptr ? Step{} : Step{p, out};
  }
  // An offset, since the buffer may be another one afterwards.
  const auto begin = static_cast<std::size_t>(out - buffer_.get());
  const Step step = plain_run(field, p, end, out, depth);
  if (step.p == nullptr) return step;
  const auto after = static_cast<std::size_t>(step.out - buffer_.get());
  if (after != begin) notes_[static_cast<std::size_t>(field.role)] = {begin + field.key_size, after - 1};
  return step;
}

ObjectDecoder::Step ObjectDecoder::plain_run(const Field& field, const char* p, const char* end, char* out,
                                             std::size_t depth) {
  if ((field.flags & (kRepeated | kMap)) != 0) {
    out = put_key(field, out);
    Step step = (field.flags & kMap) != 0 ? map(field, p, end, out, depth) : repeated(field, p, end, out, depth);
    if (step.p != nullptr) *step.out++ = ',';
    return step;
  }
  Payload payload{};
  p = read_payload(field.tag, p, end, payload);
  if (p == nullptr) return {};
  if (payload.number == 0 && (field.flags & kOmitZero) != 0) return {p, out};
  if (field.kind == Kind::inline_message) {
    out =
        members(schema_.messages[field.message], {payload.data, static_cast<std::size_t>(payload.number)}, out, depth);
    return out == nullptr ? Step{} : Step{p, out};
  }
  out = value(field, payload, put_key(field, out), depth);
  if (out == nullptr) return {};
  *out++ = ',';
  return {p, out};
}

// An array, without its key.
ObjectDecoder::Step ObjectDecoder::repeated(const Field& field, const char* p, const char* end, char* out,
                                            std::size_t depth) {
  if (depth >= options_.max_depth) return {fail(DecodeOutcome::too_deep), nullptr};
  *out++ = '[';
  for (;;) {
    Payload payload{};
    p = read_payload(field.tag, p, end, payload);
    if (p == nullptr) return {};
    out = room(out, kRoom);
    if (out == nullptr) return {};
    out = value(field, payload, out, depth + 1);
    if (out == nullptr) return {};
    if (p == end) break;
    std::uint32_t next = 0;
    const char* const after = read_tag(p, end, next);
    if (after == nullptr || next != field.tag) break;
    *out++ = ',';
    p = after;
  }
  *out++ = ']';
  return {p, out};
}

// An object with a map's keys, without its own key.
ObjectDecoder::Step ObjectDecoder::map(const Field& field, const char* p, const char* end, char* out,
                                       std::size_t depth) {
  if (depth >= options_.max_depth) return {fail(DecodeOutcome::too_deep), nullptr};
  *out++ = '{';
  std::string_view last_key;
  for (bool first = true;; first = false) {
    Payload payload{};
    p = read_payload(field.tag, p, end, payload);
    if (p == nullptr) return {};
    out = map_entry(field, {payload.data, static_cast<std::size_t>(payload.number)}, last_key, first, out, depth + 1);
    if (out == nullptr) return {};
    if (p == end) break;
    std::uint32_t next = 0;
    const char* const after = read_tag(p, end, next);
    if (after == nullptr || next != field.tag) break;
    *out++ = ',';
    p = after;
  }
  *out++ = '}';
  return {p, out};
}

// {1 key, 2 value}, in ascending order of the keys: what Go decodes of anything else depends on the order.
char* ObjectDecoder::map_entry(const Field& field, std::string_view entry, std::string_view& last_key, bool first,
                               char* out, std::size_t depth) {
  const char* p = entry.data();
  const char* const end = p + entry.size();
  Payload key{};
  if (p == end || *p != static_cast<char>(tag_of(1, WireType::bytes))) return fail(DecodeOutcome::unknown);
  p = read_payload(tag_of(1, WireType::bytes), p + 1, end, key);
  if (p == nullptr) return nullptr;
  const std::string_view name(key.data, static_cast<std::size_t>(key.number));
  if (!first && name <= last_key) return fail(DecodeOutcome::unknown);
  last_key = name;
  Payload payload{};
  if (p == end) {
    // Bytes that are nil are not written, and are read as empty ones.
    if (field.kind != Kind::bytes) return fail(DecodeOutcome::unknown);
    payload.data = p;
  } else {
    const std::uint32_t tag = tag_of(2, wire_type(field.kind));
    if (*p != static_cast<char>(tag)) return fail(DecodeOutcome::unknown);
    p = read_payload(tag, p + 1, end, payload);
    if (p == nullptr) return nullptr;
    if (p != end) return fail(DecodeOutcome::unknown);
  }
  out = room(out, kRoom);
  if (out == nullptr) return nullptr;
  out = text_value(name, out);
  if (out == nullptr) return nullptr;
  *out++ = ':';
  out = room(out, kRoom);
  if (out == nullptr) return nullptr;
  return value(field, payload, out, depth);
}

// Room for what follows a value (brackets, commas) is always left.
char* ObjectDecoder::value(const Field& field, Payload payload, char* out, std::size_t depth) {
  const auto bytes = [payload] { return std::string_view(payload.data, static_cast<std::size_t>(payload.number)); };
  switch (field.kind) {
    case Kind::text:
      return text_value(bytes(), out);
    case Kind::message:
      return object(schema_.messages[field.message], bytes(), out, depth);
    case Kind::boolean:
      std::memcpy(out, payload.number != 0 ? "true " : "false", 5);
      return out + (payload.number != 0 ? 4 : 5);
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
      return checked(write_time(bytes(), false, out));
    case Kind::micro_time:
      return checked(write_time(bytes(), true, out));
    case Kind::duration:
      return checked(write_duration_message(bytes(), out));
    case Kind::quantity:
      return checked(write_quantity(bytes(), out));
    case Kind::int_or_string:
      return int_or_string_value(bytes(), out);
    case Kind::bytes:
      return bytes_value(bytes(), out);
    case Kind::texts:
      return texts(bytes(), out, depth);
    case Kind::json:
    case Kind::json_or_null:
      return json_value(bytes(), field.kind == Kind::json_or_null, out, depth);
    case Kind::inline_message:
      break;
  }
  return fail(DecodeOutcome::unknown);
}

char* ObjectDecoder::object(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  if (depth >= options_.max_depth) return fail(DecodeOutcome::too_deep);
  if (message.shape != Shape::object) return schema_choice(message, bytes, out, depth);
  *out++ = '{';
  out = members(message, bytes, out, depth + 1);
  if (out == nullptr) return nullptr;
  if (out[-1] == ',') --out;
  *out++ = '}';
  return room(out, kRoom);
}

// `out` of what writes a value of limited size; NULL when the value has no JSON that is known.
char* ObjectDecoder::checked(char* out) noexcept {
  return out != nullptr ? out : fail(DecodeOutcome::unknown);
}

char* ObjectDecoder::text_value(std::string_view text, char* out) {
  if (text.size() <= kShortText) return write_string(text, readable_end_, out);
  *out++ = '"';
  do {
    const std::size_t size = part_size(text, kLongText);
    out = room(out, kMaxEscape * size + kRoom);
    if (out == nullptr) return nullptr;
    out = write_text(text.substr(0, size), readable_end_, out);
    text.remove_prefix(size);
  } while (!text.empty());
  *out++ = '"';
  return room(out, kRoom);
}

char* ObjectDecoder::bytes_value(std::string_view bytes, char* out) {
  const std::size_t size = base64_size(bytes.size());
  out = room(out, size + kRoom);
  if (out == nullptr) return nullptr;
  *out++ = '"';
  base64_encode(bytes, out);
  out += size;
  *out++ = '"';
  return out;
}

char* ObjectDecoder::texts(std::string_view bytes, char* out, std::size_t depth) {
  if (depth >= options_.max_depth) return fail(DecodeOutcome::too_deep);
  *out++ = '[';
  if (bytes.empty()) ++out;  // over which the bracket is written below
  WireReader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number != 1 || field->type != WireType::bytes) return fail(DecodeOutcome::unknown);
    out = text_value(field->bytes, out);
    if (out == nullptr) return nullptr;
    *out++ = ',';
    out = room(out, kRoom);
    if (out == nullptr) return nullptr;
  }
  if (reader.malformed()) return fail(DecodeOutcome::malformed);
  out[-1] = ']';
  return out;
}

// intstr.IntOrString {1 type, 2 the number, 3 the text}.
char* ObjectDecoder::int_or_string_value(std::string_view bytes, char* out) {
  std::uint64_t type = 0;
  std::uint64_t number = 0;
  std::string_view text;
  WireReader reader(bytes);
  while (const auto field = reader.next()) {
    const WireType expected = field->number == 3 ? WireType::bytes : WireType::varint;
    if (field->number > 3 || field->type != expected) return fail(DecodeOutcome::unknown);
    if (field->number == 1) type = field->number_value;
    if (field->number == 2) number = field->number_value;
    if (field->number == 3) text = field->bytes;
  }
  if (reader.malformed()) return fail(DecodeOutcome::malformed);
  if (type == 0) return write_number(std::int64_t{static_cast<std::int32_t>(number)}, out);
  return type == 1 ? text_value(text, out) : fail(DecodeOutcome::unknown);
}

// Messages whose field 1 is JSON. An object in protobuf within them would have to be looked up: no server sends one.
char* ObjectDecoder::json_value(std::string_view bytes, bool null_if_empty, char* out, std::size_t depth) {
  std::optional<std::string_view> raw;
  WireReader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number != 1 || field->type != WireType::bytes || raw) return fail(DecodeOutcome::unknown);
    raw = field->bytes;
  }
  if (reader.malformed()) return fail(DecodeOutcome::malformed);
  if (!raw || (raw->empty() && null_if_empty)) return put("null", out);
  compacted_.clear();
  if (!compact_json(*raw, options_.max_depth - depth, compacted_)) return fail(DecodeOutcome::unknown);
  return put(compacted_, out);
}

// JSONSchemaPropsOrBool, …OrArray, …OrStringArray (apiextensions/v1/marshal.go): which member is there decides.
char* ObjectDecoder::schema_choice(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  const Field* const fields = schema_.fields + message.first_field;
  const bool boolean = message.shape == Shape::schema_or_bool;
  const Field& schema = fields[boolean ? 1 : 0];
  const Field& other = fields[boolean ? 0 : 1];
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  std::optional<Payload> found;
  bool allows = false;
  const char* others = nullptr;
  while (p != end) {
    std::uint32_t tag = 0;
    p = read_tag(p, end, tag);
    if (p == nullptr) return fail(DecodeOutcome::malformed);
    if (tag != schema.tag && tag != other.tag) return not_known(message, tag >> 3);
    if (tag == other.tag && !boolean) {
      if (others != nullptr) return not_known(message, tag >> 3);
      others = p;
      p = skip_run(tag, p, end);
      if (p == nullptr) return nullptr;
      continue;
    }
    Payload payload{};
    p = read_payload(tag, p, end, payload);
    if (p == nullptr) return nullptr;
    if (tag == other.tag) {
      allows = payload.number != 0;
    } else if (found) {
      return not_known(message, tag >> 3);
    } else {
      found = payload;
    }
  }
  if (others != nullptr) return repeated(other, others, end, out, depth).out;
  if (found) return value(schema, *found, out, depth);
  return put(!boolean ? "null" : allows ? "true" : "false", out);
}

}  // namespace ksr::protobuf
