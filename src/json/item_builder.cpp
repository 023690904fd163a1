#include "json/item_builder.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "json/unescape.hpp"

namespace ksr::json {
namespace {

constexpr std::size_t kMaxNameLength = 253;
constexpr Field kTextFields[] = {Field::uid,  Field::name,        Field::resource_version,  Field::name_space,
                                 Field::kind, Field::api_version, Field::creation_timestamp};
constexpr Field kRecencyFields[] = {Field::last_timestamp, Field::last_observed_time, Field::event_time,
                                    Field::creation_timestamp};

bool required(Field field) noexcept {
  return field == Field::uid || field == Field::name || field == Field::resource_version;
}

// Servers write null for what is not set (creationTimestamp in old bookmarks, eventTime in core/v1 events).
bool may_be_null(Field field) noexcept {
  return field == Field::name_space || field == Field::creation_timestamp;
}

std::string_view raw_text(const ObjectTracker& object, std::string_view text, const FieldValue& value) noexcept {
  if (!value.present || value.kind != ValueKind::string) return {};
  const std::uint64_t end = value.end - object.begin_at();
  if (value.end < value.begin || end > text.size()) return {};
  return text.substr(static_cast<std::size_t>(value.begin - object.begin_at()),
                     static_cast<std::size_t>(value.end - value.begin));
}

bool has_nul(std::string_view raw, bool escaped) {
  if (!escaped) return false;
  std::string plain;
  unescape(raw, plain);
  return plain.find('\0') != std::string::npos;
}

std::optional<std::string> field_problem(const ObjectTracker& object, std::string_view text, Field field) {
  const FieldValue& value = object[field];
  const auto problem = [field](const std::string& what) { return std::optional(field_path(field) + what); };
  if (!value.present) return required(field) ? problem(" is missing") : std::nullopt;
  if (value.kind == ValueKind::null && may_be_null(field)) return std::nullopt;
  if (value.kind != ValueKind::string)
    return problem(std::string(" is ") + kind_name(value.kind) + ", expected a string");
  if (value.begin == value.end && required(field)) return problem(" is empty");
  if (has_nul(raw_text(object, text, value), value.escaped)) return problem(" contains a NUL character");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> item_problem(const ObjectTracker& object, std::string_view text) {
  const FieldValue& metadata = object[Field::metadata];
  if (!metadata.present) return "metadata is missing";
  if (metadata.kind != ValueKind::object) {
    return std::string("metadata is ") + kind_name(metadata.kind) + ", expected an object";
  }
  for (const Field field : kTextFields) {
    if (auto problem = field_problem(object, text, field)) return problem;
  }
  return std::nullopt;
}

std::optional<std::string> bookmark_problem(const ObjectTracker& object, std::string_view text) {
  const FieldValue& version = object[Field::resource_version];
  if (!version.present || version.kind == ValueKind::null || version.begin == version.end) return std::nullopt;
  return field_problem(object, text, Field::resource_version);
}

std::string item_label(const ObjectTracker& object, std::string_view text) {
  std::string scratch;
  std::string label;
  label += one_line(field_text(object, text, Field::name_space, scratch), kMaxNameLength);
  if (!label.empty()) label += '/';
  scratch.clear();
  const std::string_view name = field_text(object, text, Field::name, scratch);
  if (name.empty()) return {};
  label += one_line(name, kMaxNameLength);
  return label;
}

std::string_view field_text(const ObjectTracker& object, std::string_view text, Field field, std::string& scratch) {
  const FieldValue& value = object[field];
  const std::string_view raw = raw_text(object, text, value);
  if (!value.escaped) return raw;
  const std::size_t begin = scratch.size();
  unescape(raw, scratch);
  return std::string_view(scratch).substr(begin);
}

void ItemBuilder::set_type(ItemType type) {
  type_ = std::move(type);
  kind_member_ = "\"kind\":";
  append_json_string(type_.kind, kind_member_);
  kind_member_ += ',';
  api_version_member_ = "\"apiVersion\":";
  append_json_string(type_.api_version, api_version_member_);
  api_version_member_ += ',';
  both_members_ = kind_member_ + api_version_member_;
}

Item ItemBuilder::build(const ObjectTracker& object, std::string_view text) {
  Item item;
  fill_fields(object, text, item);
  fill_text(object, text, item);
  return item;
}

void ItemBuilder::fill_fields(const ObjectTracker& object, std::string_view text, Item& item) {
  unescaped_.clear();
  std::size_t room = 0;
  for (const Field field : kTextFields)
    room += object[field].escaped ? raw_text(object, text, object[field]).size() : 0;
  for (const Field field : kRecencyFields) {
    room += object[field].escaped ? raw_text(object, text, object[field]).size() : 0;
  }
  // Never moved below: views into it are being handed out.
  unescaped_.reserve(room);
  const auto take = [&](Field field) { return field_text(object, text, field, unescaped_); };
  item.uid = take(Field::uid);
  item.name_space = take(Field::name_space);
  item.name = take(Field::name);
  item.resource_version = take(Field::resource_version);
  item.kind = object[Field::kind].present ? take(Field::kind) : type_.kind;
  item.api_version = object[Field::api_version].present ? take(Field::api_version) : type_.api_version;
  item.creation_timestamp = take(Field::creation_timestamp);
  for (const Field field : kRecencyFields) {
    item.recency = field == Field::creation_timestamp ? item.creation_timestamp : take(field);
    if (!item.recency.empty()) break;
  }
}

void ItemBuilder::fill_text(const ObjectTracker& object, std::string_view text, Item& item) {
  const std::string_view missing = missing_members(object);
  std::size_t rest = 0;
  std::size_t piece = 0;
  if (!missing.empty()) {
    item.text[piece++] = text.substr(0, 1);
    item.text[piece++] = missing;
    rest = 1;
  }
  const auto within = [&](std::uint64_t at) { return static_cast<std::size_t>(at - object.begin_at()); };
  // Nobody writes managedFields twice, but whoever does must not bring the first one back.
  if (object.cuts().size() > 1) {
    joined_.clear();
    for (const Cut& cut : object.cuts()) {
      joined_.append(text.substr(rest, within(cut.begin) - rest));
      rest = within(cut.end);
    }
    item.text[piece++] = joined_;
  } else if (object.cuts().size() == 1) {
    const Cut& cut = object.cuts().front();
    item.text[piece++] = text.substr(rest, within(cut.begin) - rest);
    rest = within(cut.end);
  }
  item.text[piece] = text.substr(rest);
}

std::string_view ItemBuilder::missing_members(const ObjectTracker& object) const noexcept {
  const bool kind = object[Field::kind].present;
  const bool api_version = object[Field::api_version].present;
  if (kind && api_version) return {};
  if (kind) return api_version_member_;
  return api_version ? kind_member_ : both_members_;
}

}  // namespace ksr::json
