#include <optional>
#include <string_view>

#include "abi/guard.hpp"
#include "json/json_pointer.hpp"

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

const char* nothing(size_t* len) noexcept {
  if (len != nullptr) *len = 0;
  return nullptr;
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

}  // extern "C"
