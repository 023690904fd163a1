#include "json/object_tracker.hpp"

#include <limits>
#include <string>

#include "json/unescape.hpp"

namespace ksr::json {
namespace {

constexpr char kManagedFields[] = "managedFields";

TrackedField object_member(std::string_view key) noexcept {
  switch (key.size()) {
    case 4:
      return key == "kind" ? TrackedField::kind : TrackedField::other;
    case 6:
      return key == "series" ? TrackedField::series : TrackedField::other;
    case 8:
      return key == "metadata" ? TrackedField::metadata : TrackedField::other;
    case 9:
      return key == "eventTime" ? TrackedField::event_time : TrackedField::other;
    case 10:
      return key == "apiVersion" ? TrackedField::api_version : TrackedField::other;
    case 13:
      return key == "lastTimestamp" ? TrackedField::last_timestamp : TrackedField::other;
    default:
      return TrackedField::other;
  }
}

TrackedField metadata_member(std::string_view key) noexcept {
  switch (key.size()) {
    case 3:
      return key == "uid" ? TrackedField::uid : TrackedField::other;
    case 4:
      return key == "name" ? TrackedField::name : TrackedField::other;
    case 9:
      return key == "namespace" ? TrackedField::name_space : TrackedField::other;
    case 15:
      return key == "resourceVersion" ? TrackedField::resource_version : TrackedField::other;
    case 17:
      return key == "creationTimestamp" ? TrackedField::creation_timestamp : TrackedField::other;
    default:
      return TrackedField::other;
  }
}

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

// Passes a document that is one object on to its tracker.
class OneObject {
 public:
  OneObject(ObjectTracker& object, std::uint64_t base) : object_(object), base_(base) {}
  bool on_key(const RawText& key, std::uint64_t at) {
    object_.on_key(key, base_ + at);
    return true;
  }
  bool on_value(ValueKind kind, std::uint64_t at, Interest& interest) {
    if (object_.inside()) {
      object_.on_value(kind, base_ + at, interest);
    } else {
      interest = Interest::enter;
      object_.begin(base_ + at, kNoLimit);
    }
    return true;
  }
  bool on_value_end(std::uint64_t end, const RawText& captured) {
    object_.on_value_end(base_ + end, captured.escaped);
    return true;
  }
  bool on_leave(std::uint64_t end) {
    object_.on_leave(base_ + end);
    return true;
  }
  bool on_comma(std::uint64_t at) {
    object_.on_comma(base_ + at);
    return true;
  }
  bool on_too_deep(std::uint64_t) { return true; }

 private:
  ObjectTracker& object_;
  const std::uint64_t base_;
};

}  // namespace

const char* field_path(TrackedField field) noexcept {
  switch (field) {
    case TrackedField::kind:
      return "kind";
    case TrackedField::api_version:
      return "apiVersion";
    case TrackedField::metadata:
      return "metadata";
    case TrackedField::uid:
      return "metadata.uid";
    case TrackedField::name:
      return "metadata.name";
    case TrackedField::name_space:
      return "metadata.namespace";
    case TrackedField::resource_version:
      return "metadata.resourceVersion";
    case TrackedField::creation_timestamp:
      return "metadata.creationTimestamp";
    case TrackedField::last_timestamp:
      return "lastTimestamp";
    case TrackedField::event_time:
      return "eventTime";
    case TrackedField::series:
      return "series";
    case TrackedField::last_observed_time:
      return "series.lastObservedTime";
    case TrackedField::other:
      break;
  }
  return "";
}

void ObjectTracker::begin(std::uint64_t at, std::uint64_t max_size) {
  place_ = Place::object;
  member_ = TrackedField::other;
  begin_at_ = at;
  tracked_to_ = max_size > kNoLimit - at ? kNoLimit : at + max_size;
  end_at_ = at;
  fields_.fill(FieldValue{});
  removed_.clear();
}

void ObjectTracker::track(std::string_view text, std::uint64_t at) {
  OneObject object(*this, at);
  // How deep it may be has been checked.
  Scanner<OneObject>(object, text.size()).feed(text);
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
      member_ = name == "lastObservedTime" ? TrackedField::last_observed_time : TrackedField::other;
      break;
    case Place::outside:
      break;
  }
}

void ObjectTracker::on_value(ValueKind kind, std::uint64_t at, Interest& interest) {
  if (at >= tracked_to_) {
    member_ = TrackedField::other;
    member_is_cut_ = false;
  }
  if (member_ == TrackedField::other) return;
  FieldValue& value = value_of(member_);
  value = FieldValue{};
  value.present = true;
  value.kind = kind;
  value.begin = at + 1;
  if (member_ == TrackedField::metadata) enter_metadata();
  if (member_ == TrackedField::series) forget(TrackedField::last_observed_time);
  if (kind != ValueKind::object || (member_ != TrackedField::metadata && member_ != TrackedField::series)) return;
  interest = Interest::enter;
  place_ = member_ == TrackedField::metadata ? Place::metadata : Place::series;
  member_ = TrackedField::other;
}

// Of two equal keys the last wins, with all that is in it.
void ObjectTracker::enter_metadata() noexcept {
  for (const TrackedField field : {TrackedField::uid, TrackedField::name, TrackedField::name_space,
                                   TrackedField::resource_version, TrackedField::creation_timestamp}) {
    forget(field);
  }
  metadata_has_member_ = false;
  cut_wants_comma_ = false;
}

void ObjectTracker::on_value_end(std::uint64_t end, bool escaped) {
  if (place_ == Place::metadata) end_metadata_member(end);
  if (member_ == TrackedField::other) return;
  FieldValue& value = value_of(member_);
  value.end = end - 1;
  value.escaped = escaped;
}

void ObjectTracker::end_metadata_member(std::uint64_t end) {
  if (!member_is_cut_) {
    metadata_has_member_ = true;
  } else if (metadata_has_member_) {
    removed_.push_back({comma_at_, end});
  } else {
    removed_.push_back({member_at_, end});
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
  if (cut_wants_comma_) removed_.back().end = at + 1;
  cut_wants_comma_ = false;
}

}  // namespace ksr::json
