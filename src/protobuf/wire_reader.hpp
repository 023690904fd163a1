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

bool has_envelope(std::string_view body);
// Empty: it has none, is malformed, or has its object in another encoding.
std::optional<Envelope> open_envelope(std::string_view body);

}  // namespace ksr::protobuf
