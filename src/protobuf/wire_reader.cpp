#include "protobuf/wire_reader.hpp"

#include "protobuf/varint.hpp"

namespace ksr::protobuf {
namespace {

constexpr std::uint32_t kTypeBits = 3;

// runtime.TypeMeta
constexpr std::uint32_t kApiVersion = 1;
constexpr std::uint32_t kKind = 2;

}  // namespace

std::optional<WireField> WireReader::fail() {
  malformed_ = true;
  rest_ = {};
  return std::nullopt;
}

std::optional<std::uint64_t> WireReader::take_varint() {
  std::uint64_t value = 0;
  const char* const end = read_varint(rest_.data(), rest_.data() + rest_.size(), value);
  if (end == nullptr) return std::nullopt;
  rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
  return value;
}

std::optional<std::uint64_t> WireReader::take_fixed(std::size_t size) {
  if (rest_.size() < size) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
  }
  rest_.remove_prefix(size);
  return value;
}

std::optional<WireField> WireReader::next() {
  if (rest_.empty()) return std::nullopt;
  const auto tag = take_varint();
  if (!tag || *tag >> kTypeBits == 0 || *tag > UINT32_MAX) return fail();
  WireField field;
  field.number = static_cast<std::uint32_t>(*tag >> kTypeBits);
  field.type = static_cast<WireField::Type>(*tag & 7U);
  std::optional<std::uint64_t> value;
  switch (field.type) {
    case WireField::Type::varint:
      value = take_varint();
      break;
    case WireField::Type::fixed64:
      value = take_fixed(8);
      break;
    case WireField::Type::fixed32:
      value = take_fixed(4);
      break;
    case WireField::Type::bytes:
      value = take_varint();
      if (!value || *value > rest_.size()) return fail();
      field.bytes = rest_.substr(0, static_cast<std::size_t>(*value));
      rest_.remove_prefix(static_cast<std::size_t>(*value));
      return field;
  }
  if (!value) return fail();
  field.number_value = *value;
  return field;
}

bool has_envelope(std::string_view body) {
  return body.substr(0, kMagic.size()) == kMagic;
}

EnvelopeOutcome read_type_meta(std::string_view message, Envelope& envelope) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->type != WireField::Type::bytes || field->number > kKind) return EnvelopeOutcome::unknown;
    (field->number == kApiVersion ? envelope.api_version : envelope.kind) = field->bytes;
  }
  return reader.malformed() ? EnvelopeOutcome::malformed : EnvelopeOutcome::done;
}

bool is_plain_encoding(std::uint32_t number, std::string_view value) {
  if (value.empty()) return number == kUnknownContentEncoding || number == kUnknownContentType;
  return number == kUnknownContentType && value == "application/vnd.kubernetes.protobuf";
}

EnvelopeOutcome read_envelope(std::string_view body, Envelope& envelope) {
  if (!has_envelope(body)) return EnvelopeOutcome::malformed;
  // Always written, even when it is empty.
  bool has_raw = false;
  WireReader reader(body.substr(kMagic.size()));
  while (const auto field = reader.next()) {
    if (field->type != WireField::Type::bytes) return EnvelopeOutcome::unknown;
    if (field->number == kUnknownTypeMeta) {
      if (const auto outcome = read_type_meta(field->bytes, envelope); outcome != EnvelopeOutcome::done) return outcome;
    } else if (field->number == kUnknownRaw) {
      envelope.raw = field->bytes;
      has_raw = true;
    } else if (!is_plain_encoding(field->number, field->bytes)) {
      return EnvelopeOutcome::unknown;
    }
  }
  return reader.malformed() || !has_raw ? EnvelopeOutcome::malformed : EnvelopeOutcome::done;
}

}  // namespace ksr::protobuf
