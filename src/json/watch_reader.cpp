#include "json/watch_reader.hpp"

#include <optional>
#include <utility>

#include "base/escapes.hpp"
#include "base/text.hpp"
#include "json/item_builder.hpp"
#include "json/json_pointer.hpp"
#include "json/object_tracker.hpp"
#include "json/partial_text.hpp"
#include "json/scanner.hpp"
#include "json/unescape.hpp"

namespace ksr::json {

class WatchReader::Impl {
 public:
  Impl(const ReaderOptions& options, WatchObserver& observer)
      : options_(options),
        observer_(observer),
        object_(!options.keep_managed_fields),
        text_(options.max_object_size),
        // An object lies in an event.
        scanner_(*this, options.max_depth + 1) {}

  Expected<void> feed(std::string_view bytes);
  Expected<void> end_message();
  bool at_boundary() const noexcept { return scanner_.between_documents(); }

  // The scanner's events.
  bool on_key(const RawText& key, std::uint64_t at);
  bool on_value(ValueKind kind, std::uint64_t at, Interest& interest);
  bool on_value_end(std::uint64_t end, const RawText& captured);
  bool on_leave(std::uint64_t end);
  bool on_comma(std::uint64_t at);
  bool on_too_deep(std::uint64_t at);

 private:
  enum class Member : std::uint8_t { type, object, other };

  bool begin_event(ValueKind kind, std::uint64_t at, Interest& interest);
  void begin_member(ValueKind kind, std::uint64_t at, Interest& interest);
  std::string_view uid_at_hand() const noexcept;
  void end_event();
  void dispatch(std::string_view text);
  void deliver_item(EventType type, std::string_view text);
  void deliver_bookmark(std::string_view text);
  void deliver_error(std::string_view text, std::string_view without_status);
  void after_feed(Outcome outcome);
  void drop_if_too_large(std::uint64_t now);
  void report_too_large();
  void report_too_deep(std::string_view text);
  void drop(const std::string& problem, std::string_view text);
  bool has_known_type() const;
  void report(Status status, const std::string& problem, const std::string& label);
  void fail(std::string message) { error_ = Error{Status::protocol, std::move(message)}; }

  const ReaderOptions options_;
  WatchObserver& observer_;
  Member member_ = Member::other;
  bool in_event_ = false;
  // Reported to the observer already; the rest of the event is skipped.
  bool dropped_ = false;
  // Of an object that is too large, the label.
  std::optional<std::string> too_large_;
  bool too_deep_ = false;
  std::uint64_t event_number_ = 0;
  std::uint64_t event_at_ = 0;
  std::string type_;
  // Why there is no type, or no object; empty when there is one.
  std::string type_problem_;
  std::string object_problem_;
  ObjectTracker object_;
  PartialText text_;
  ItemBuilder builder_;
  // The bytes of this feed(), and the offset of the first one.
  std::string_view buffer_;
  std::uint64_t buffer_base_ = 0;
  std::optional<Error> error_;
  Scanner<Impl> scanner_;
};

Expected<void> WatchReader::Impl::feed(std::string_view bytes) {
  if (error_) return *error_;
  buffer_ = bytes;
  buffer_base_ = scanner_.offset();
  after_feed(scanner_.feed(bytes));
  text_.keep(buffer_, buffer_base_);
  buffer_ = {};
  if (error_) return *error_;
  return {};
}

// The size of the object in progress is checked first, or the error would depend on how the bytes were split.
void WatchReader::Impl::after_feed(Outcome outcome) {
  drop_if_too_large(scanner_.offset());
  if (outcome == Outcome::invalid) {
    const std::string where = in_event_ ? " (in event " + std::to_string(event_number_) + ")" : "";
    fail("byte " + std::to_string(scanner_.offset()) + ": " + scanner_.problem() + where);
  }
  if (error_) text_.release();
}

Expected<void> WatchReader::Impl::end_message() {
  if (error_) return *error_;
  if (at_boundary()) return {};
  fail("the message ends in the middle of event " + std::to_string(event_number_) + ", after byte " +
       std::to_string(scanner_.offset()));
  text_.release();
  return *error_;
}

bool WatchReader::Impl::on_key(const RawText& key, std::uint64_t at) {
  if (object_.inside()) {
    object_.on_key(key, at);
  } else if (stands_for(key.text, key.escaped, "type")) {
    member_ = Member::type;
  } else {
    member_ = stands_for(key.text, key.escaped, "object") ? Member::object : Member::other;
  }
  return true;
}

bool WatchReader::Impl::on_value(ValueKind kind, std::uint64_t at, Interest& interest) {
  if (object_.inside()) {
    object_.on_value(kind, at, interest);
    return true;
  }
  if (!in_event_) return begin_event(kind, at, interest);
  begin_member(kind, at, interest);
  return true;
}

bool WatchReader::Impl::begin_event(ValueKind kind, std::uint64_t at, Interest& interest) {
  ++event_number_;
  if (kind != ValueKind::object) {
    fail("byte " + std::to_string(at) + ": expected a watch event, got " + kind_name(kind));
    return false;
  }
  interest = Interest::enter;
  in_event_ = true;
  dropped_ = false;
  too_large_.reset();
  too_deep_ = false;
  event_at_ = at;
  type_.clear();
  type_problem_ = "type is missing";
  object_problem_ = "object is missing";
  return true;
}

// Of two equal members the last wins.
void WatchReader::Impl::begin_member(ValueKind kind, std::uint64_t at, Interest& interest) {
  if (member_ == Member::type) {
    type_problem_.clear();
    type_.clear();
    interest = Interest::capture;
    if (kind != ValueKind::string) type_problem_ = std::string("type is ") + kind_name(kind) + ", expected a string";
  } else if (member_ == Member::object) {
    object_problem_.clear();
    text_.release();
    if (kind != ValueKind::object) {
      object_problem_ = std::string("object is ") + kind_name(kind) + ", expected an object";
      return;
    }
    interest = Interest::enter;
    object_.begin(at, options_.max_object_size);
    if (!dropped_ && !too_large_) text_.begin(at);
  }
}

bool WatchReader::Impl::on_value_end(std::uint64_t end, const RawText& captured) {
  if (object_.inside()) {
    object_.on_value_end(end, captured.escaped);
    if (object_.member() == TrackedField::uid) observer_.on_uid(uid_at_hand());
  } else if (member_ == Member::type && type_problem_.empty()) {
    if (captured.overlong) type_problem_ = "type is longer than 64 KiB";
    unescape(captured.text, type_);
    if (!is_utf8(type_)) type_ = as_utf8(type_);
  }
  return true;
}

// Empty unless it lies in the bytes at hand, as it is.
std::string_view WatchReader::Impl::uid_at_hand() const noexcept {
  const FieldValue& uid = object_[TrackedField::uid];
  if (uid.kind != ValueKind::string || uid.escaped || uid.begin < buffer_base_) return {};
  return buffer_.substr(static_cast<std::size_t>(uid.begin - buffer_base_),
                        static_cast<std::size_t>(uid.end - uid.begin));
}

bool WatchReader::Impl::on_leave(std::uint64_t end) {
  if (object_.inside()) {
    object_.on_leave(end);
    if (object_.inside()) {
      observer_.on_metadata_end(uid_at_hand());
      return true;
    }
    text_.finish(end);
    drop_if_too_large(end);
    return true;
  }
  end_event();
  return true;
}

bool WatchReader::Impl::on_comma(std::uint64_t at) {
  if (object_.inside()) object_.on_comma(at);
  return true;
}

bool WatchReader::Impl::on_too_deep(std::uint64_t) {
  too_deep_ = too_deep_ || !object_.in_cut();
  return true;
}

void WatchReader::Impl::end_event() {
  in_event_ = false;
  const bool ill_formed = scanner_.take_ill_formed();
  if (dropped_) return;
  if (too_large_) return report_too_large();
  std::string_view text = text_.wanted() ? text_.text(buffer_, buffer_base_) : std::string_view();
  std::string mended;
  if (ill_formed && text_.wanted()) {
    mended = json_as_unicode(text);
    text = mended;
    object_.track(text, object_.begin_at());
  }
  // Of what is deleted the text is not kept.
  if (too_deep_ && type_ != "DELETED") {
    report_too_deep(text);
  } else if (!type_problem_.empty()) {
    drop(type_problem_, text);
  } else {
    dispatch(text);
  }
  text_.release();
}

void WatchReader::Impl::dispatch(std::string_view text) {
  if (type_ == "ADDED") return deliver_item(EventType::added, text);
  if (type_ == "MODIFIED") return deliver_item(EventType::modified, text);
  if (type_ == "DELETED") return deliver_item(EventType::deleted, text);
  if (type_ == "BOOKMARK") return deliver_bookmark(text);
  if (type_ == "ERROR") return deliver_error(text, kErrorWithoutStatus);
  observer_.on_unknown_event(type_);
}

void WatchReader::Impl::deliver_item(EventType type, std::string_view text) {
  if (!object_problem_.empty()) return drop(object_problem_, text);
  if (const auto problem = item_problem(object_, text, Uid::required)) return drop(*problem, text);
  for (const TrackedField field : {TrackedField::kind, TrackedField::api_version}) {
    // Every object of a watch has them; there is no list to take them from.
    if (!object_[field].present) return drop(std::string(field_path(field)) + " is missing", text);
  }
  observer_.on_event(type, builder_.build(object_, text));
}

// A bookmark is an empty object with a resourceVersion: no uid, no name.
void WatchReader::Impl::deliver_bookmark(std::string_view text) {
  if (!object_problem_.empty()) return drop(object_problem_, text);
  if (const auto problem = bookmark_problem(object_, text)) return drop(*problem, text);
  std::string scratch;
  // k8s.io/apimachinery/pkg/apis/meta/v1, InitialEventsAnnotationKey.
  const auto annotation = find_pointer(text, "/metadata/annotations/k8s.io~1initial-events-end");
  const bool initial_events_end = annotation && annotation->size() >= 2 && annotation->front() == '"' &&
                                  stands_for(annotation->substr(1, annotation->size() - 2), true, "true");
  observer_.on_bookmark(field_text(object_, text, TrackedField::resource_version, scratch), initial_events_end);
}

// An ERROR ends the watch, so it is reported whatever its object looks like.
void WatchReader::Impl::deliver_error(std::string_view text, std::string_view without_status) {
  std::optional<ApiStatus> status = parse_api_status(text);
  if (!status) {
    status.emplace();
    status->message = without_status;
  }
  observer_.on_error_event(*status);
}

void WatchReader::Impl::drop_if_too_large(std::uint64_t now) {
  if (!text_.too_large(now)) return;
  too_large_ = item_label(object_, text_.text(buffer_, buffer_base_));
  text_.release();
  // The type, which says what it means, may come after the object.
  if (type_problem_.empty()) report_too_large();
}

void WatchReader::Impl::report_too_large() {
  dropped_ = true;
  const std::string label = *std::exchange(too_large_, std::nullopt);
  if (type_ == "ERROR") return deliver_error({}, kErrorTooLarge);
  report(Status::too_large,
         "object is larger than max_object_size (" + std::to_string(options_.max_object_size) + " bytes)", label);
}

void WatchReader::Impl::report_too_deep(std::string_view text) {
  if (type_ == "ERROR") return deliver_error({}, kErrorWithoutStatus);
  report(Status::too_large, "object is nested deeper than " + std::to_string(options_.max_depth) + " levels",
         item_label(object_, text));
}

void WatchReader::Impl::drop(const std::string& problem, std::string_view text) {
  report(Status::protocol, problem, item_label(object_, text));
}

void WatchReader::Impl::report(Status status, const std::string& problem, const std::string& label) {
  observer_.on_bad_event(
      Error{status, "event " + std::to_string(event_number_) + (label.empty() ? "" : " (" + label + ")") + " at byte " +
                        std::to_string(event_at_) + ": " + problem},
      // The type may come after the object.
      {type_.empty() || type_ == "DELETED",
       status == Status::too_large || (has_known_type() && object_problem_.empty())});
}

bool WatchReader::Impl::has_known_type() const {
  return type_ == "ADDED" || type_ == "MODIFIED" || type_ == "DELETED" || type_ == "BOOKMARK";
}

WatchReader::WatchReader(const ReaderOptions& options, WatchObserver& observer)
    : impl_(std::make_unique<Impl>(options, observer)) {}
WatchReader::~WatchReader() = default;
WatchReader::WatchReader(WatchReader&&) noexcept = default;
WatchReader& WatchReader::operator=(WatchReader&&) noexcept = default;

Expected<void> WatchReader::feed(std::string_view bytes) {
  return impl_->feed(bytes);
}
Expected<void> WatchReader::end_message() {
  return impl_->end_message();
}
bool WatchReader::at_boundary() const noexcept {
  return impl_->at_boundary();
}

}  // namespace ksr::json
