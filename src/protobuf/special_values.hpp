// `write_time`, `write_duration_message` and `write_quantity` write the messages of apimachinery that encode
// themselves; used by ObjectDecoder. NULL: not a value that Kubernetes writes. Pure. Any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace ksr::protobuf {

// Of any of them.
inline constexpr std::size_t kMaxSpecialValue = 128;

// meta.v1 Time and MicroTime, {1 seconds, 2 nanoseconds}; null for the zero time.
char* write_time(std::string_view message, bool with_microseconds, char* out) noexcept;
// meta.v1 Duration, {1 nanoseconds}.
char* write_duration_message(std::string_view message, char* out) noexcept;
// resource.Quantity, {1 string}.
char* write_quantity(std::string_view message, char* out) noexcept;

}  // namespace ksr::protobuf
