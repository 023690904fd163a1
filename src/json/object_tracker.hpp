// `ObjectTracker` follows one Kubernetes object while it is scanned: where its key fields are, and which ranges are
// left out; used by ListReader and WatchReader. Lives on the thread of its reader.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "json/scanner.hpp"

namespace ksr::json {

enum class TrackedField : std::uint8_t {
  kind,
  api_version,
  metadata,
  uid,
  name,
  name_space,
  resource_version,
  creation_timestamp,
  last_timestamp,
  event_time,
  series,
  last_observed_time,
  other
};

// "metadata.resourceVersion".
const char* field_path(TrackedField field) noexcept;

struct FieldValue {
  bool present = false;
  bool escaped = false;
  ValueKind kind = ValueKind::null;
  // Of a string: what stands between its quotes. Offsets in the stream.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct RemovedRange {
  std::uint64_t begin;
  std::uint64_t end;
};

// A value type: a copy keeps describing the object it was made at. Lives on the thread of its reader.
class ObjectTracker {
 public:
  explicit ObjectTracker(bool cut_managed_fields) : cut_managed_fields_(cut_managed_fields) {}

  // What begins `max_size` bytes or more after `at` is not tracked, so that it does not matter how much of an object
  // that is too large has arrived.
  void begin(std::uint64_t at, std::uint64_t max_size);
  bool inside() const noexcept { return place_ != Place::outside; }
  // What is being read is left out.
  bool in_cut() const noexcept { return place_ == Place::metadata && member_is_cut_; }

  // The whole of an object's text, in one: what is valid JSON of an object. It begins at `at` in the stream.
  void track(std::string_view text, std::uint64_t at);

  // The scanner's events from the object's first member to its end.
  void on_key(const RawText& key, std::uint64_t at);
  void on_value(ValueKind kind, std::uint64_t at, Interest& interest);
  void on_value_end(std::uint64_t end, bool escaped);
  void on_leave(std::uint64_t end);
  void on_comma(std::uint64_t at);

  // Of the value that has ended last.
  TrackedField member() const noexcept { return member_; }
  std::uint64_t begin_at() const noexcept { return begin_at_; }
  std::uint64_t end_at() const noexcept { return end_at_; }
  const FieldValue& operator[](TrackedField field) const noexcept { return fields_[static_cast<std::size_t>(field)]; }
  // In ascending order, apart from each other; without them the object is still valid JSON.
  const std::vector<RemovedRange>& removed() const noexcept { return removed_; }

 private:
  enum class Place : std::uint8_t { outside, object, metadata, series };

  FieldValue& value_of(TrackedField field) noexcept { return fields_[static_cast<std::size_t>(field)]; }
  void forget(TrackedField field) noexcept { value_of(field) = FieldValue{}; }
  void enter_metadata() noexcept;
  void end_metadata_member(std::uint64_t end);

  bool cut_managed_fields_;
  Place place_ = Place::outside;
  TrackedField member_ = TrackedField::other;
  bool member_is_cut_ = false;
  // Whether metadata has a member so far that stays.
  bool metadata_has_member_ = false;
  // The range removed last includes the comma after it, since there is none before it.
  bool cut_wants_comma_ = false;
  std::uint64_t member_at_ = 0;
  std::uint64_t comma_at_ = 0;
  std::uint64_t begin_at_ = 0;
  std::uint64_t tracked_to_ = 0;
  std::uint64_t end_at_ = 0;
  std::array<FieldValue, static_cast<std::size_t>(TrackedField::other)> fields_;
  std::vector<RemovedRange> removed_;
};

}  // namespace ksr::json
