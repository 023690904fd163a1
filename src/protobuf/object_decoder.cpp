#include "protobuf/object_decoder.hpp"

#include <cstring>
#include <optional>

#include "protobuf/json_text.hpp"
#include "protobuf/varint.hpp"
#include "protobuf/wire_reader.hpp"

namespace ksr::protobuf {
namespace {

using WireType = WireField::Type;

constexpr std::uint8_t kSeveral = kRepeated | kMap;

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

// Where the field with the same tag that follows at `p` has its value; NULL when none does.
inline const char* same_tag(std::uint32_t tag, const char* p, const char* end) noexcept {
  if (p == end) return nullptr;
  const Varint next = read_short_varint(p, end);
  return next.end != nullptr && next.value == tag ? next.end : nullptr;
}

// How deep in the object the member is.
constexpr std::size_t level_of(Role role) noexcept {
  return role == Role::last_timestamp || role == Role::event_time ? 1 : 2;
}

// An empty text, zero, false: what `omitempty` leaves out. All are a single byte behind the tag.
inline bool is_left_out(std::uint8_t flags, const char* p, const char* end) noexcept {
  return (flags & kOmitZero) != 0 && p != end && *p == 0;
}

// The lowest bit of a mask that is not empty.
inline unsigned first_of(std::uint64_t mask) noexcept {
  return static_cast<unsigned>(__builtin_ctzll(mask));
}

inline bool is_above(std::string_view key, std::string_view last) noexcept {
  if (!key.empty() && !last.empty() && key.front() != last.front()) {
    return static_cast<unsigned char>(key.front()) > static_cast<unsigned char>(last.front());
  }
  return key > last;
}

}  // namespace

void ObjectDecoder::clear() noexcept {
  values_.reset_outcome();
  unknown_message_ = nullptr;
  size_ = 0;
  notes_.fill({});
}

DecodeOutcome ObjectDecoder::decode(const Message& message, std::string_view prefix, std::string_view bytes) {
  clear();
  char* out = values_.begin(prefix.size() + bytes.size() + bytes.size() / 2, bytes.data() + bytes.size());
  if (out == nullptr) return values_.outcome();
  *out++ = '{';
  out = values_.put(prefix, out);
  if (out != nullptr) out = members(message, bytes, out, 1);
  if (out == nullptr) return values_.outcome();
  // A comma behind the last member becomes the bracket.
  if (out[-1] == ',') --out;
  *out++ = '}';
  size_ = values_.offset_of(out);
  if (size_ <= options_.max_size) return DecodeOutcome::done;
  size_ = 0;
  fail(DecodeOutcome::too_large);
  return DecodeOutcome::too_large;
}

std::string ObjectDecoder::problem() const {
  switch (values_.outcome()) {
    case DecodeOutcome::done:
      return {};
    case DecodeOutcome::malformed:
      return "it is not valid protobuf";
    case DecodeOutcome::too_deep:
      return "is nested deeper than " + std::to_string(options_.max_depth) + " levels";
    case DecodeOutcome::too_large:
      return "its JSON is larger than max_object_size (" + std::to_string(options_.max_size) + " bytes)";
    case DecodeOutcome::unknown:
      break;
  }
  if (unknown_message_ == nullptr) return "a value in it is not known";
  return "field " + std::to_string(unknown_number_) + " of message " +
         std::to_string(unknown_message_ - schema_.messages) + " is not known, or not as Kubernetes writes it";
}

std::nullptr_t ObjectDecoder::not_known(const Message& message, std::uint64_t number) noexcept {
  unknown_message_ = &message;
  unknown_number_ = number;
  return fail(DecodeOutcome::unknown);
}

inline char* ObjectDecoder::put_key(const Field& field, char* out) const noexcept {
  return copy_blocks(schema_.texts + field.key, field.key_size, out);
}

inline ObjectDecoder::Read ObjectDecoder::read_payload(std::uint32_t tag, const char* p, const char* end) {
  const auto type = static_cast<WireType>(tag & 7U);
  if (type == WireType::bytes) {
    const Varint size = read_short_varint(p, end);
    if (size.end != nullptr && size.value <= static_cast<std::size_t>(end - size.end)) {
      return {size.end + size.value, {size.end, size.value}};
    }
  } else if (type == WireType::varint) {
    const Varint number = read_varint(p, end);
    if (number.end != nullptr) return {number.end, {nullptr, number.value}};
  } else {
    const std::size_t size = type == WireType::fixed64 ? 8 : type == WireType::fixed32 ? 4 : 0;
    if (size != 0 && static_cast<std::size_t>(end - p) >= size) {
      std::uint64_t number = 0;
      for (std::size_t i = 0; i < size; ++i) number |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
      return {p + size, {nullptr, number}};
    }
  }
  return {fail(DecodeOutcome::malformed), {}};
}

// Past all fields with this tag, the first of which is read up to `p`.
const char* ObjectDecoder::skip_run(std::uint32_t tag, const char* p, const char* end) {
  while (p != nullptr) {
    const char* const after = read_payload(tag, p, end).end;
    if (after == nullptr) return nullptr;
    p = same_tag(tag, after, end);
    if (p == nullptr) return after;
  }
  return nullptr;
}

// Past a field whose tag is not one of the message's, or has come before.
const char* ObjectDecoder::skip_unknown(const Message& message, std::uint64_t tag, const char* p, const char* end) {
  if (p == nullptr) return fail(DecodeOutcome::malformed);
  const std::uint64_t number = tag >> 3;
  const bool known = number <= message.max_number && schema_.numbers[message.numbers + number].tag != 0;
  if (known || number == 0 || tag > UINT32_MAX || !options_.skip_unknown_fields) return not_known(message, number);
  return read_payload(static_cast<std::uint32_t>(tag), p, end).end;
}

inline char* ObjectDecoder::members(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  return message.ordered ? ordered_members(message, bytes, out, depth) : unordered_members(message, bytes, out, depth);
}

// The order on the wire, which is that of the numbers, is that of JSON.
char* ObjectDecoder::ordered_members(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  const Field* const fields = schema_.fields + message.first_field;
  const NumberRow* const numbers = schema_.numbers + message.numbers;
  const std::uint64_t max_tag = std::uint64_t{message.max_number} << 3 | 7;
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  // The fields that have not come and are written nevertheless.
  std::uint64_t missing = message.zero_mask;
  std::uint64_t last_tag = 0;
  while (p != end) {
    const Varint tag = read_short_varint(p, end);
    p = tag.end;
    const NumberRow row = p != nullptr && tag.value <= max_tag ? numbers[tag.value >> 3] : NumberRow{};
    if (row.index == 0 || row.tag != tag.value || tag.value <= last_tag) {
      p = skip_unknown(message, tag.value, p, end);
      if (p == nullptr) return nullptr;
      continue;
    }
    last_tag = tag.value;
    if (is_left_out(row.flags, p, end)) {
      ++p;
      continue;
    }
    const unsigned index = row.index - 1U;
    if (missing != 0) {
      const std::uint64_t before = (std::uint64_t{1} << index) - 1;
      if ((missing & before) != 0) {
        out = zeros(message, missing & before, out);
        if (out == nullptr) return nullptr;
      }
      missing &= ~(before << 1 | 1);
    }
    out = values_.room(out);
    if (out == nullptr) return nullptr;
    const Field& field = fields[index];
    const Step step =
        (row.flags & kPlainText) != 0 ? text_run(field, p, end, out) : other_run(field, p, end, out, depth);
    if (step.p == nullptr) return nullptr;
    p = step.p;
    out = step.out;
  }
  return missing == 0 ? out : zeros(message, missing, out);
}

// Where the members of a message begin in the output, by their index.
class ObjectDecoder::Places {
 public:
  std::uint64_t written() const noexcept { return written_; }
  // Notes a member whose text ends the output, and returns where it belongs: in front of those that come after it.
  std::size_t add(unsigned index, std::size_t begin, std::size_t end) noexcept {
    const std::uint64_t later = written_ & (~std::uint64_t{0} << index);
    written_ |= std::uint64_t{1} << index;
    begin_[index] = later == 0 ? begin : begin_[first_of(later)];
    for (std::uint64_t left = later; left != 0; left &= left - 1) begin_[first_of(left)] += end - begin;
    return begin_[index];
  }

 private:
  std::uint64_t written_ = 0;
  std::array<std::size_t, 64> begin_;
};

// What JSON has earlier than the wire is moved to its place. That is cheap: few fields are late, most of them are
// short, and most messages end soon after them.
char* ObjectDecoder::unordered_members(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  const Field* const fields = schema_.fields + message.first_field;
  const NumberRow* const numbers = schema_.numbers + message.numbers;
  const std::uint64_t max_tag = std::uint64_t{message.max_number} << 3 | 7;
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  Places places;
  const auto place = [&](unsigned index, std::size_t begin) {
    const std::size_t after = values_.offset_of(out);
    if (after == begin) return;
    if (const std::size_t to = places.add(index, begin, after); to != begin) move_back(begin, after, to);
  };
  std::uint64_t missing = message.zero_mask;
  std::uint64_t last_tag = 0;
  while (p != end) {
    const Varint tag = read_short_varint(p, end);
    p = tag.end;
    const NumberRow row = p != nullptr && tag.value <= max_tag ? numbers[tag.value >> 3] : NumberRow{};
    if (row.index == 0 || row.tag != tag.value || tag.value <= last_tag) {
      p = skip_unknown(message, tag.value, p, end);
      if (p == nullptr) return nullptr;
      continue;
    }
    last_tag = tag.value;
    if (is_left_out(row.flags, p, end)) {
      ++p;
      continue;
    }
    const unsigned index = row.index - 1U;
    missing &= ~(std::uint64_t{1} << index);
    out = values_.room(out);
    if (out == nullptr) return nullptr;
    const std::size_t begin = values_.offset_of(out);
    const Step step = (row.flags & kPlainText) != 0 ? text_run(fields[index], p, end, out)
                                                    : other_run(fields[index], p, end, out, depth);
    if (step.p == nullptr) return nullptr;
    p = step.p;
    out = step.out;
    place(index, begin);
  }
  for (; missing != 0; missing &= missing - 1) {
    const unsigned index = first_of(missing);
    const std::size_t begin = values_.offset_of(out);
    out = zeros(message, std::uint64_t{1} << index, out);
    if (out == nullptr) return nullptr;
    place(index, begin);
  }
  return out;
}

// The end of the output, from `begin` on, to an earlier place; with what is noted of it.
void ObjectDecoder::move_back(std::size_t begin, std::size_t end, std::size_t to) {
  char* const data = values_.data();
  const std::size_t size = end - begin;
  moved_.assign(data + begin, data + end);
  std::memmove(data + to + size, data + to, begin - to);
  std::memcpy(data + to, moved_.data(), size);
  for (Range& note : notes_) {
    if (note.end == 0 || note.begin < to) continue;
    const std::size_t shift = note.begin < begin ? size : to - begin;
    note.begin += shift;
    note.end += shift;
  }
}

// The zeros of the fields in the mask `which`.
char* ObjectDecoder::zeros(const Message& message, std::uint64_t which, char* out) {
  for (; which != 0; which &= which - 1) {
    const Field& field = schema_.fields[message.first_field + first_of(which)];
    const TextRow zero = schema_.zeros[field.zero];
    out = values_.room(out);
    if (out == nullptr) return nullptr;
    out = values_.put({schema_.zero_texts + zero.begin, zero.size}, put_key(field, out));
    if (out == nullptr) return nullptr;
    *out++ = ',';
  }
  return out;
}

// A text that is not repeated, whose tag ends at `p`. Most fields are such.
inline ObjectDecoder::Step ObjectDecoder::text_run(const Field& field, const char* p, const char* end, char* out) {
  const Varint size = read_short_varint(p, end);
  if (size.end == nullptr || size.value > static_cast<std::size_t>(end - size.end)) {
    return {fail(DecodeOutcome::malformed), nullptr};
  }
  out = values_.text({size.end, static_cast<std::size_t>(size.value)}, put_key(field, out));
  if (out == nullptr) return {};
  *out++ = ',';
  return {size.end + size.value, out};
}

// Any field whose tag ends at `p`, and what follows of it when it is repeated.
ObjectDecoder::Step ObjectDecoder::other_run(const Field& field, const char* p, const char* end, char* out,
                                             std::size_t depth) {
  if (field.role != Role::none && depth == level_of(field.role)) return noted_run(field, p, end, out, depth);
  return plain_run(field, p, end, out, depth);
}

ObjectDecoder::Step ObjectDecoder::noted_run(const Field& field, const char* p, const char* end, char* out,
                                             std::size_t depth) {
  if (field.role == Role::managed_fields && !options_.keep_managed_fields) {
    p = skip_run(field.tag, p, end);
    return p == nullptr ? Step{} : Step{p, out};
  }
  // An offset, since the buffer may be another one afterwards.
  const std::size_t begin = values_.offset_of(out);
  const Step step = plain_run(field, p, end, out, depth);
  if (step.p == nullptr || field.role == Role::managed_fields) return step;
  const std::size_t after = values_.offset_of(step.out);
  if (after == begin) return step;
  const std::size_t size = after - 1 - begin - field.key_size;
  const bool escaped = std::memchr(step.out - 1 - size, '\\', size) != nullptr;
  notes_[static_cast<std::size_t>(field.role)] = {after - 1 - size, after - 1, escaped};
  return step;
}

inline ObjectDecoder::Step ObjectDecoder::plain_run(const Field& field, const char* p, const char* end, char* out,
                                                    std::size_t depth) {
  if ((field.flags & kSeveral) != 0) {
    out = put_key(field, out);
    Step step = (field.flags & kMap) != 0 ? map(field, p, end, out, depth) : repeated(field, p, end, out, depth);
    if (step.p != nullptr) *step.out++ = ',';
    return step;
  }
  const Read read = read_payload(field.tag, p, end);
  if (read.end == nullptr) return {};
  if (read.payload.number == 0 && (field.flags & kOmitZero) != 0) return {read.end, out};
  if (field.kind == Kind::inline_message) {
    out = members(schema_.messages[field.message], read.payload.bytes(), out, depth);
    return out == nullptr ? Step{} : Step{read.end, out};
  }
  out = value(field, read.payload, put_key(field, out), depth);
  if (out == nullptr) return {};
  *out++ = ',';
  return {read.end, out};
}

// An array, without its key.
ObjectDecoder::Step ObjectDecoder::repeated(const Field& field, const char* p, const char* end, char* out,
                                            std::size_t depth) {
  if (depth >= options_.max_depth) return {fail(DecodeOutcome::too_deep), nullptr};
  *out++ = '[';
  for (;;) {
    const Read read = read_payload(field.tag, p, end);
    if (read.end == nullptr) return {};
    out = value(field, read.payload, out, depth + 1);
    if (out == nullptr) return {};
    p = same_tag(field.tag, read.end, end);
    if (p == nullptr) {
      *out++ = ']';
      return {read.end, out};
    }
    *out++ = ',';
    out = values_.room(out);
    if (out == nullptr) return {};
  }
}

// An object with a map's keys, without its own key: entries {1 key, 2 value} in ascending order of the keys. What Go
// decodes of anything else depends on the order.
ObjectDecoder::Step ObjectDecoder::map(const Field& field, const char* p, const char* end, char* out,
                                       std::size_t depth) {
  if (depth >= options_.max_depth) return {fail(DecodeOutcome::too_deep), nullptr};
  *out++ = '{';
  std::string_view last_key;
  for (bool first = true;; first = false) {
    const Read entry = read_payload(field.tag, p, end);
    if (entry.end == nullptr) return {};
    const char* const begin = entry.payload.data;
    constexpr std::uint32_t kKeyTag = tag_of(1, WireType::bytes);
    if (begin == entry.end || *begin != static_cast<char>(kKeyTag)) return {fail(DecodeOutcome::unknown), nullptr};
    const Read key = read_payload(kKeyTag, begin + 1, entry.end);
    if (key.end == nullptr) return {};
    if (!first && !is_above(key.payload.bytes(), last_key)) return {fail(DecodeOutcome::unknown), nullptr};
    last_key = key.payload.bytes();
    out = map_entry(field, key.payload, key.end, entry.end, out, depth + 1);
    if (out == nullptr) return {};
    p = same_tag(field.tag, entry.end, end);
    if (p == nullptr) {
      *out++ = '}';
      return {entry.end, out};
    }
    *out++ = ',';
    out = values_.room(out);
    if (out == nullptr) return {};
  }
}

// The value is from `p` to `end`.
inline char* ObjectDecoder::map_entry(const Field& field, Payload key, const char* p, const char* end, char* out,
                                      std::size_t depth) {
  Read read{p, {p, 0}};
  if (p != end) {
    const std::uint32_t tag = tag_of(2, wire_type(field.kind));
    if (*p != static_cast<char>(tag)) return fail(DecodeOutcome::unknown);
    read = read_payload(tag, p + 1, end);
    if (read.end == nullptr) return nullptr;
    if (read.end != end) return fail(DecodeOutcome::unknown);
  } else if (field.kind != Kind::bytes) {
    // Only bytes that are nil are not written; they are read as empty ones.
    return fail(DecodeOutcome::unknown);
  }
  out = values_.text(key.bytes(), out);
  if (out == nullptr) return nullptr;
  *out++ = ':';
  out = values_.room(out);
  return out == nullptr ? nullptr : value(field, read.payload, out, depth);
}

inline char* ObjectDecoder::value(const Field& field, Payload payload, char* out, std::size_t depth) {
  if (field.kind == Kind::message) return object(schema_.messages[field.message], payload.bytes(), out, depth);
  if (field.kind == Kind::text) return values_.text(payload.bytes(), out);
  return values_.value(field.kind, payload, out, options_.max_depth - depth);
}

inline char* ObjectDecoder::object(const Message& message, std::string_view bytes, char* out, std::size_t depth) {
  if (depth >= options_.max_depth) return fail(DecodeOutcome::too_deep);
  if (message.shape != Shape::object) return schema_choice(message, bytes, out, depth);
  *out++ = '{';
  out = members(message, bytes, out, depth + 1);
  if (out == nullptr) return nullptr;
  if (out[-1] == ',') --out;
  *out++ = '}';
  return values_.room(out);
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
    const Varint tag = read_short_varint(p, end);
    if (tag.end == nullptr) return fail(DecodeOutcome::malformed);
    if (tag.value != schema.tag && tag.value != other.tag) return not_known(message, tag.value >> 3);
    if (tag.value == other.tag && !boolean) {
      if (others != nullptr) return not_known(message, tag.value >> 3);
      others = tag.end;
      p = skip_run(other.tag, tag.end, end);
      if (p == nullptr) return nullptr;
      continue;
    }
    const Read read = read_payload(static_cast<std::uint32_t>(tag.value), tag.end, end);
    if (read.end == nullptr) return nullptr;
    p = read.end;
    if (tag.value == other.tag) {
      allows = read.payload.number != 0;
    } else if (found) {
      return not_known(message, tag.value >> 3);
    } else {
      found = read.payload;
    }
  }
  if (others != nullptr) return repeated(other, others, end, out, depth).out;
  if (found) return value(schema, *found, out, depth);
  return values_.put(!boolean ? "null" : allows ? "true" : "false", out);
}

}  // namespace ksr::protobuf
