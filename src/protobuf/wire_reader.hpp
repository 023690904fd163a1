// `WireReader` reads the fields of one protobuf message out of its bytes; used by the readers of messages. Pure. Any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

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
  explicit WireReader(std::string_view message) : rest_(message) {}

  // The next field; empty at the end, or where the bytes are not protobuf.
  std::optional<WireField> next();
  bool malformed() const noexcept { return malformed_; }

 private:
  std::optional<std::uint64_t> take_varint();
  std::optional<std::uint64_t> take_fixed(std::size_t size);
  std::optional<WireField> fail();

  std::string_view rest_;
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
