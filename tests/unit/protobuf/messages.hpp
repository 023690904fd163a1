// Messages of protobuf, written by the tests.
#pragma once

#include <cstdint>
#include <string>

namespace ksr::protobuf {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string number_field(std::uint32_t number, std::uint64_t value) {
  return varint(std::uint64_t{number} << 3) + varint(value);
}

inline std::string bytes_field(std::uint32_t number, const std::string& bytes) {
  return varint(std::uint64_t{number} << 3 | 2) + varint(bytes.size()) + bytes;
}

// As kube-apiserver sends an object.
inline std::string enveloped(const std::string& api_version, const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + bytes_field(1, bytes_field(1, api_version) + bytes_field(2, kind)) +
         bytes_field(2, raw) + bytes_field(3, "") + bytes_field(4, "");
}

inline std::string map_entry(std::uint32_t number, const std::string& key, const std::string& value) {
  return bytes_field(number, bytes_field(1, key) + bytes_field(2, value));
}

// meta.v1.ObjectMeta, as Kubernetes writes it: what is empty, too.
inline std::string object_meta(const std::string& name, const std::string& version, const std::string& more = {},
                               const std::string& name_space = "ns") {
  return bytes_field(1, bytes_field(1, name) + bytes_field(2, "") + bytes_field(3, name_space) + bytes_field(4, "") +
                            bytes_field(5, name.empty() ? "" : "uid-" + name) + bytes_field(6, version) +
                            number_field(7, 0) + bytes_field(8, number_field(1, 1767323045) + number_field(2, 0)) +
                            more);
}

// What WatchReader and ListReader show of ConfigMaps with `members` behind their metadata.
inline std::string config_map(const std::string& name, const std::string& version, const std::string& members = {}) {
  return object_meta(name, version) + members;
}

// A list's body. `metadata` and `items` are fields of it.
inline std::string list_body(const std::string& fields, const std::string& kind = "ConfigMapList",
                             const std::string& api_version = "v1") {
  return enveloped(api_version, kind, fields);
}
inline std::string list_meta(const std::string& version, const std::string& token = {}) {
  return bytes_field(1, bytes_field(1, "") + bytes_field(2, version) + bytes_field(3, token));
}

// An event of a watch, as a WebSocket message.
inline std::string watch_event(const std::string& type, const std::string& object) {
  return bytes_field(1, type) + bytes_field(2, bytes_field(1, object));
}
// The same over HTTP.
inline std::string framed(const std::string& event) {
  std::string length;
  for (int shift = 24; shift >= 0; shift -= 8) length += static_cast<char>(event.size() >> shift & 0xFF);
  return length + event;
}

}  // namespace ksr::protobuf
