#include "json/object_tracker.hpp"

#include <string>

#include "json/unescape.hpp"

namespace ksr::json {
namespace {

constexpr char kManagedFields[] = "managedFields";

Field object_member(std::string_view key) noexcept {
  switch (key.size()) {
    case 4:
      return key == "kind" ? Field::kind : Field::other;
    case 6:
      return key == "series" ? Field::series : Field::other;
    case 8:
      return key == "metadata" ? Field::metadata : Field::other;
    case 9:
      return key == "eventTime" ? Field::event_time : Field::other;
    case 10:
      return key == "apiVersion" ? Field::api_version : Field::other;
    case 13:
      return key == "lastTimestamp" ? Field::last_timestamp : Field::other;
    default:
      return Field::other;
  }
}

Field metadata_member(std::string_view key) noexcept {
  switch (key.size()) {
    case 3:
      return key == "uid" ? Field::uid : Field::other;
    case 4:
      return key == "name" ? Field::name : Field::other;
    case 9:
      return key == "namespace" ? Field::name_space : Field::other;
    case 15:
      return key == "resourceVersion" ? Field::resource_version : Field::other;
    case 17:
      return key == "creationTimestamp" ? Field::creation_timestamp : Field::other;
    default:
      return Field::other;
  }
}

}  // namespace

const char* field_path(Field field) noexcept {
  switch (field) {
    case Field::kind:
      return "kind";
    case Field::api_version:
      return "apiVersion";
    case Field::metadata:
      return "metadata";
    case Field::uid:
      return "metadata.uid";
    case Field::name:
      return "metadata.name";
    case Field::name_space:
      return "metadata.namespace";
    case Field::resource_version:
      return "metadata.resourceVersion";
    case Field::creation_timestamp:
      return "metadata.creationTimestamp";
    case Field::last_timestamp:
      return "lastTimestamp";
    case Field::event_time:
      return "eventTime";
    case Field::series:
      return "series";
    case Field::last_observed_time:
      return "series.lastObservedTime";
    case Field::other:
      break;
  }
  return "";
}

void ObjectTracker::begin(std::uint64_t at) {
  place_ = Place::object;
  member_ = Field::other;
  begin_at_ = at;
  end_at_ = at;
  fields_.fill(FieldValue{});
  cuts_.clear();
}

void ObjectTracker::on_key(const RawText& key, std::uint64_t at) {
  std::string plain;
  std::string_view name = key.text;
  if (key.escaped) {
    unescape(key.text, plain);
    name = plain;
  }
  member_at_ = at;
  switch (place_) {
    case Place::object:
      member_ = object_member(name);
      break;
    case Place::metadata:
      member_ = metadata_member(name);
      member_is_cut_ = cut_managed_fields_ && name == kManagedFields;
      break;
    case Place::series:
      member_ = name == "lastObservedTime" ? Field::last_observed_time : Field::other;
      break;
    case Place::outside:
      break;
  }
}

void ObjectTracker::on_value(ValueKind kind, std::uint64_t at, Interest& interest) {
  if (member_ == Field::other) return;
  FieldValue& value = value_of(member_);
  value = FieldValue{};
  value.present = true;
  value.kind = kind;
  value.begin = at + 1;
  if (member_ == Field::metadata) enter_metadata();
  if (member_ == Field::series) forget(Field::last_observed_time);
  if (kind != ValueKind::object || (member_ != Field::metadata && member_ != Field::series)) return;
  interest = Interest::enter;
  place_ = member_ == Field::metadata ? Place::metadata : Place::series;
  member_ = Field::other;
}

// Of two equal keys the last wins, with all that is in it.
void ObjectTracker::enter_metadata() noexcept {
  for (const Field field :
       {Field::uid, Field::name, Field::name_space, Field::resource_version, Field::creation_timestamp}) {
    forget(field);
  }
  metadata_has_member_ = false;
  cut_wants_comma_ = false;
}

void ObjectTracker::on_value_end(std::uint64_t end, bool escaped) {
  if (place_ == Place::metadata) end_metadata_member(end);
  if (member_ == Field::other) return;
  FieldValue& value = value_of(member_);
  value.end = end - 1;
  value.escaped = escaped;
}

void ObjectTracker::end_metadata_member(std::uint64_t end) {
  if (!member_is_cut_) {
    metadata_has_member_ = true;
  } else if (metadata_has_member_) {
    cuts_.push_back({comma_at_, end});
  } else {
    cuts_.push_back({member_at_, end});
    cut_wants_comma_ = true;
  }
}

void ObjectTracker::on_leave(std::uint64_t end) {
  if (place_ == Place::object) {
    place_ = Place::outside;
    end_at_ = end;
  } else {
    place_ = Place::object;
  }
}

void ObjectTracker::on_comma(std::uint64_t at) {
  if (place_ != Place::metadata) return;
  comma_at_ = at;
  if (cut_wants_comma_) cuts_.back().end = at + 1;
  cut_wants_comma_ = false;
}

}  // namespace ksr::json
