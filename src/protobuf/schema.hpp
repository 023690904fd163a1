// `Schema` says how each message of Kubernetes' built-in types is written as JSON, `knows` which types it has; used by
// ObjectDecoder, the readers, and by stream to choose an encoding. Constant data. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace ksr::protobuf {

// How one value is written.
enum class Kind : std::uint8_t {
  text,
  boolean,
  int32,
  int64,
  real,
  bytes,           // base64
  message,         // an object
  inline_message,  // its members are those of the object around it
  texts,           // a message with a repeated string, in a map: an array of strings
  time,
  micro_time,
  duration,
  quantity,
  int_or_string,
  json,          // RawExtension: null when there is none
  json_or_null,  // FieldsV1, apiextensions JSON: null when it is empty, too
};

// What json::Item has of an object, and what may be left out of one.
enum class Role : std::uint8_t {
  none,
  uid,
  name_space,
  name,
  resource_version,
  creation_timestamp,
  last_timestamp,
  event_time,
  last_observed_time,
  managed_fields
};

inline constexpr std::uint8_t kRepeated = 1;
inline constexpr std::uint8_t kMap = 2;
// `omitempty` of what is on the wire although it is empty.
inline constexpr std::uint8_t kOmitZero = 4;

struct Field {
  std::uint32_t key = 0;  // "name": with its quotes and the colon, in Schema::texts
  std::uint8_t key_size = 0;
  std::uint16_t tag = 0;  // the number and the type on the wire; 0: not on the wire, always its zero
  Kind kind = Kind::text;
  std::uint8_t flags = 0;
  std::uint16_t zero = 0;  // what is written when it is absent, in Schema::zeros; 0: nothing
  std::uint16_t message = 0;
  Role role = Role::none;

  constexpr unsigned number() const noexcept { return tag >> 3U; }
};

// The three of apiextensions whose JSON is that of one of their members.
enum class Shape : std::uint8_t { object, schema_or_bool, schema_or_array, schema_or_texts };

// Of a field by its number.
struct NumberRow {
  std::uint16_t tag = 0;   // 0: there is none
  std::uint8_t index = 0;  // in its message, from 1
  std::uint8_t flags = 0;  // of Field, and kPlainText
};
// A text that is neither repeated nor has a role.
inline constexpr std::uint8_t kPlainText = 8;

struct Message {
  std::uint64_t zero_mask = 0;  // which fields have a zero
  std::uint32_t first_field = 0;
  std::uint32_t numbers = 0;  // of field N: Schema::numbers[numbers + N]
  std::uint8_t field_count = 0;
  std::uint8_t max_number = 0;
  Shape shape = Shape::object;
  // The fields' numbers ascend in the order in which JSON has them.
  bool ordered = true;
};

struct TextRow {
  std::uint32_t begin;
  std::uint32_t size;
};

struct KindRow {
  std::uint32_t text;  // "apps/v1 Deployment", in Schema::texts
  std::uint32_t size;
  std::uint16_t message;  // of the object; of a list's items
  std::uint8_t list;
};

struct Schema {
  const Field* fields;  // of all messages, each in the order of JSON
  const Message* messages;
  const NumberRow* numbers;
  const char* texts;  // 32 bytes may be read from the begin of any key
  const TextRow* zeros;
  const char* zero_texts;
  const KindRow* kinds;  // sorted
  std::uint32_t field_count;
  std::uint32_t message_count;
  std::uint32_t number_count;
  std::uint32_t kind_count;

  // NULL: not known. `api_version` as in objects: "apps/v1".
  const KindRow* find(std::string_view api_version, std::string_view kind) const noexcept;
};

const Schema& built_in_schema() noexcept;

// Whether objects of that kind, or lists (kind "PodList"), are read from protobuf. PartialObjectMetadata of
// meta.k8s.io/v1 is known, whatever the objects are that it is asked of.
bool knows(std::string_view api_version, std::string_view kind) noexcept;
// Whether any kind of that version is.
bool knows_version(std::string_view api_version) noexcept;

}  // namespace ksr::protobuf
