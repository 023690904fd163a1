#include <optional>
#include <string_view>

#include "abi/guard.hpp"
#include "json/json_pointer.hpp"
#include "json/values.hpp"

using ksr::abi::nothing;
using ksr::abi::object_of;
using ksr::abi::text_out;
using ksr::store::Field;

namespace {

std::optional<Field> field_of(ksr_field field) noexcept {
  switch (field) {
    case KSR_FIELD_JSON:
      return Field::json;
    case KSR_FIELD_UID:
      return Field::uid;
    case KSR_FIELD_NAMESPACE:
      return Field::name_space;
    case KSR_FIELD_NAME:
      return Field::name;
    case KSR_FIELD_RESOURCE_VERSION:
      return Field::resource_version;
    case KSR_FIELD_KIND:
      return Field::kind;
    case KSR_FIELD_API_VERSION:
      return Field::api_version;
    case KSR_FIELD_CREATION_TIMESTAMP:
      return Field::creation_timestamp;
    default:
      return std::nullopt;
  }
}

// Empty: nothing is there.
std::string_view value_at(const ksr_object* object, const char* json_pointer) noexcept {
  if (object == nullptr || json_pointer == nullptr) return {};
  return ksr::json::find_pointer(object_of(object)->field(Field::json), json_pointer).value_or(std::string_view());
}

template <class Value, class Found>
int give(const std::optional<Found>& found, Value* value) noexcept {
  if (!found || value == nullptr) return 0;
  *value = *found;
  return 1;
}

int64_t give_string(std::string_view value, char* to, size_t size) noexcept {
  const auto length = ksr::json::copy_string(value, to, to == nullptr ? 0 : size);
  return length ? static_cast<int64_t>(*length) : -1;
}

}  // namespace

extern "C" {

const ksr_object* ksr_object_retain(const ksr_object* object) {
  if (object != nullptr) object_of(object)->retain();
  return object;
}

void ksr_object_release(const ksr_object* object) {
  if (object != nullptr) object_of(object)->release();
}

const char* ksr_object_field(const ksr_object* object, ksr_field field, size_t* len) {
  const std::optional<Field> wanted = field_of(field);
  if (object == nullptr || !wanted) return nothing(len);
  return text_out(object_of(object)->field(*wanted), len);
}

const char* ksr_object_get(const ksr_object* object, const char* json_pointer, size_t* len) {
  if (object == nullptr || json_pointer == nullptr) return nothing(len);
  const auto found = ksr::abi::guard_value_also_forked<std::optional<std::string_view>>(
      std::nullopt, [&] { return ksr::json::find_pointer(object_of(object)->field(Field::json), json_pointer); });
  return found ? text_out(*found, len) : nothing(len);
}

int64_t ksr_object_get_string(const ksr_object* object, const char* json_pointer, char* to, size_t size) {
  return give_string(value_at(object, json_pointer), to, size);
}

int ksr_object_get_int64(const ksr_object* object, const char* json_pointer, int64_t* value) {
  return give(ksr::json::integer_of(value_at(object, json_pointer)), value);
}

int ksr_object_get_double(const ksr_object* object, const char* json_pointer, double* value) {
  return give(ksr::json::double_of(value_at(object, json_pointer)), value);
}

int ksr_object_get_bool(const ksr_object* object, const char* json_pointer, int* value) {
  const auto found = ksr::json::boolean_of(value_at(object, json_pointer));
  return give(found ? std::optional<int>(*found ? 1 : 0) : std::nullopt, value);
}

int ksr_object_get_time(const ksr_object* object, const char* json_pointer, int64_t* unix_ms) {
  return give(ksr::json::unix_milliseconds_of(value_at(object, json_pointer)), unix_ms);
}

int64_t ksr_object_size(const ksr_object* object, const char* json_pointer) {
  const auto size = ksr::json::size_of(value_at(object, json_pointer));
  return size ? static_cast<int64_t>(*size) : -1;
}

int64_t ksr_object_key(const ksr_object* object, const char* json_pointer, size_t i, char* to, size_t size) {
  const auto key = ksr::json::key_of(value_at(object, json_pointer), i);
  return key ? give_string(*key, to, size) : -1;
}

const char* ksr_object_column(const ksr_object* object, size_t column, size_t* len) {
  if (object == nullptr || column >= object_of(object)->column_count()) return nothing(len);
  return text_out(object_of(object)->column(column), len);
}

}  // extern "C"
