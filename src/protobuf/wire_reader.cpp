#include "protobuf/wire_reader.hpp"

#include "protobuf/media_type.hpp"

namespace ksr::protobuf {
namespace {

// runtime.TypeMeta
constexpr std::uint32_t kApiVersion = 1;
constexpr std::uint32_t kKind = 2;

}  // namespace

std::optional<WireField> WireReader::fixed(WireField& field, std::size_t size) {
  if (static_cast<std::size_t>(end_ - p_) < size) return fail();
  for (std::size_t i = 0; i < size; ++i) {
    field.number_value |= std::uint64_t{static_cast<unsigned char>(p_[i])} << (8 * i);
  }
  p_ += size;
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
  return number == kUnknownContentType && value == kMediaType;
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
