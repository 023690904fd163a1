// `WireReader` reads the fields of one protobuf message out of its bytes; used by the readers of messages. Pure. Any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protobuf/varint.hpp"

namespace ksr::protobuf {

// protobuf.dev/programming-guides/encoding. Groups are not read: Kubernetes has none.
struct WireField {
  enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint32_t number = 0;
  Type type = Type::varint;
  std::uint64_t number_value = 0;  // of a varint or fixed value
  std::string_view bytes = {};     // a slice of the message
};

class WireReader {
 public:
  explicit WireReader(std::string_view message) : p_(message.data()), end_(message.data() + message.size()) {}

  // The next field; empty at the end, or where the bytes are not protobuf.
  std::optional<WireField> next() {
    if (p_ == end_) return std::nullopt;
    const Varint tag = read_short_varint(p_, end_);
    p_ = tag.end;
    if (p_ == nullptr || tag.value >> 3 == 0 || tag.value > UINT32_MAX) return fail();
    WireField field;
    field.number = static_cast<std::uint32_t>(tag.value >> 3);
    field.type = static_cast<WireField::Type>(tag.value & 7U);
    switch (field.type) {
      case WireField::Type::bytes: {
        const Varint size = read_short_varint(p_, end_);
        p_ = size.end;
        if (p_ == nullptr || size.value > static_cast<std::size_t>(end_ - p_)) return fail();
        field.bytes = {p_, static_cast<std::size_t>(size.value)};
        p_ += size.value;
        return field;
      }
      case WireField::Type::varint: {
        const Varint number = read_varint(p_, end_);
        p_ = number.end;
        field.number_value = number.value;
        return p_ != nullptr ? std::optional(field) : fail();
      }
      case WireField::Type::fixed64:
        return fixed(field, 8);
      case WireField::Type::fixed32:
        return fixed(field, 4);
    }
    return fail();
  }
  bool malformed() const noexcept { return malformed_; }

 private:
  std::optional<WireField> fixed(WireField& field, std::size_t size);
  std::optional<WireField> fail() {
    malformed_ = true;
    p_ = end_;
    return std::nullopt;
  }

  const char* p_;
  const char* end_;
  bool malformed_ = false;
};

// "k8s\0" and a runtime.Unknown around an object (apimachinery pkg/runtime/serializer/protobuf).
struct Envelope {
  std::string_view api_version = {};
  std::string_view kind = {};
  std::string_view raw = {};
};

enum class EnvelopeOutcome : std::uint8_t {
  done,
  unknown,  // a field that is not known, or its object in another encoding
  malformed,
};

bool has_envelope(std::string_view body);
EnvelopeOutcome read_envelope(std::string_view body, Envelope& envelope);
// Its typeMeta alone, the field 1.
EnvelopeOutcome read_type_meta(std::string_view message, Envelope& envelope);
// Whether that field of an envelope, contentEncoding or contentType, leaves its object as it is.
bool is_plain_encoding(std::uint32_t number, std::string_view value);

// Of runtime.Unknown (apimachinery pkg/runtime/generated.proto).
inline constexpr std::uint32_t kUnknownTypeMeta = 1;
inline constexpr std::uint32_t kUnknownRaw = 2;
inline constexpr std::uint32_t kUnknownContentEncoding = 3;
inline constexpr std::uint32_t kUnknownContentType = 4;
inline constexpr std::string_view kMagic("k8s\0", 4);

}  // namespace ksr::protobuf
