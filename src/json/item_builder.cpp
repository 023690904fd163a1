#include "json/item_builder.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "json/unescape.hpp"

namespace ksr::json {
namespace {

constexpr std::size_t kMaxNameLength = 253;
constexpr TrackedField kTextFields[] = {
    TrackedField::uid,  TrackedField::name,        TrackedField::resource_version,  TrackedField::name_space,
    TrackedField::kind, TrackedField::api_version, TrackedField::creation_timestamp};
constexpr TrackedField kRecencyFields[] = {TrackedField::last_timestamp, TrackedField::last_observed_time,
                                           TrackedField::event_time, TrackedField::creation_timestamp};

bool required(TrackedField field) noexcept {
  return field == TrackedField::uid || field == TrackedField::name;
}

// Servers write null for what is not set (creationTimestamp in old bookmarks, eventTime in core/v1 events).
bool may_be_null(TrackedField field) noexcept {
  return field == TrackedField::name_space || field == TrackedField::creation_timestamp ||
         field == TrackedField::resource_version;
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

std::optional<std::string> field_problem(const ObjectTracker& object, std::string_view text, TrackedField field) {
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

std::optional<std::string> item_problem(const ObjectTracker& object, std::string_view text, Uid uid) {
  const FieldValue& metadata = object[TrackedField::metadata];
  if (!metadata.present) return "metadata is missing";
  if (metadata.kind != ValueKind::object) {
    return std::string("metadata is ") + kind_name(metadata.kind) + ", expected an object";
  }
  for (const TrackedField field : kTextFields) {
    const bool computed = !object[TrackedField::uid].present && !object[TrackedField::resource_version].present;
    if (field == TrackedField::uid && uid == Uid::optional && computed) continue;
    if (auto problem = field_problem(object, text, field)) return problem;
  }
  return std::nullopt;
}

std::optional<std::string> bookmark_problem(const ObjectTracker& object, std::string_view text) {
  const FieldValue& version = object[TrackedField::resource_version];
  if (!version.present || version.kind == ValueKind::null || version.begin == version.end) return std::nullopt;
  return field_problem(object, text, TrackedField::resource_version);
}

std::string item_label(const ObjectTracker& object, std::string_view text) {
  std::string scratch;
  std::string label;
  label += one_line(field_text(object, text, TrackedField::name_space, scratch), kMaxNameLength);
  if (!label.empty()) label += '/';
  scratch.clear();
  const std::string_view name = field_text(object, text, TrackedField::name, scratch);
  if (name.empty()) return {};
  label += one_line(name, kMaxNameLength);
  return label;
}

std::string_view field_text(const ObjectTracker& object, std::string_view text, TrackedField field,
                            std::string& scratch) {
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
  std::size_t needed = 0;
  for (const TrackedField field : kTextFields)
    needed += object[field].escaped ? raw_text(object, text, object[field]).size() : 0;
  for (const TrackedField field : kRecencyFields) {
    needed += object[field].escaped ? raw_text(object, text, object[field]).size() : 0;
  }
  const bool has_uid = object[TrackedField::uid].present;
  if (!has_uid) {
    needed += raw_text(object, text, object[TrackedField::name_space]).size() + 1 +
              raw_text(object, text, object[TrackedField::name]).size();
  }
  // Not reallocated below, since the item has views into it.
  unescaped_.reserve(needed);
  const auto take = [&](TrackedField field) { return field_text(object, text, field, unescaped_); };
  item.uid = take(TrackedField::uid);
  item.name_space = take(TrackedField::name_space);
  item.name = take(TrackedField::name);
  item.resource_version = take(TrackedField::resource_version);
  if (!has_uid) {
    const std::size_t begin = unescaped_.size();
    unescaped_.append(item.name_space).append(1, '/').append(item.name);
    item.uid = std::string_view(unescaped_).substr(begin);
  }
  item.kind = object[TrackedField::kind].present ? take(TrackedField::kind) : type_.kind;
  item.api_version = object[TrackedField::api_version].present ? take(TrackedField::api_version) : type_.api_version;
  item.creation_timestamp = take(TrackedField::creation_timestamp);
  for (const TrackedField field : kRecencyFields) {
    item.recency = field == TrackedField::creation_timestamp ? item.creation_timestamp : take(field);
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
  // Should an object have managedFields twice, both are left out.
  if (object.removed().size() > 1) {
    joined_.clear();
    for (const RemovedRange& cut : object.removed()) {
      joined_.append(text.substr(rest, within(cut.begin) - rest));
      rest = within(cut.end);
    }
    item.text[piece++] = joined_;
  } else if (object.removed().size() == 1) {
    const RemovedRange& cut = object.removed().front();
    item.text[piece++] = text.substr(rest, within(cut.begin) - rest);
    rest = within(cut.end);
  }
  item.text[piece] = text.substr(rest);
}

std::string_view ItemBuilder::missing_members(const ObjectTracker& object) const noexcept {
  const bool kind = object[TrackedField::kind].present;
  const bool api_version = object[TrackedField::api_version].present;
  if (kind && api_version) return {};
  if (kind) return api_version_member_;
  return api_version ? kind_member_ : both_members_;
}

}  // namespace ksr::json
