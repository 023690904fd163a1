#include "protobuf/watch_reader.hpp"

#include <optional>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "json/json_pointer.hpp"
#include "json/unescape.hpp"
#include "protobuf/api_status.hpp"
#include "protobuf/item_reader.hpp"
#include "protobuf/pieces.hpp"

namespace ksr::protobuf {
namespace {

constexpr std::size_t kFrameHead = 4;
// Larger is no frame: text that is read as a length begins with such numbers.
constexpr std::uint64_t kMaxFrame = std::uint64_t{1} << 29;
// meta.v1.WatchEvent {1 type, 2 object}, runtime.RawExtension {1 raw}.
constexpr std::uint32_t kEventType = 1;
constexpr std::uint32_t kEventObject = 2;
constexpr std::uint32_t kExtensionRaw = 1;
constexpr std::uint64_t kMaxEventType = std::uint64_t{64} << 10;
// What an object in an event has around it, at most: heads, a kind and an apiVersion.
constexpr std::uint64_t kMaxWrapping = std::uint64_t{64} << 10;

// Every object's metadata is field 1, its uid field 5 of that (k8s.io/apimachinery/pkg/apis/meta/v1, generated.proto).
// Empty: not found.
std::string_view uid_in(std::string_view object) noexcept {
  WireReader fields(object);
  const auto metadata = fields.next();
  if (!metadata || metadata->number != 1) return {};
  WireReader members(metadata->bytes);
  while (const auto member = members.next()) {
    if (member->number >= 5) return member->number == 5 ? member->bytes : std::string_view();
  }
  return {};
}

std::uint32_t big_endian(std::string_view bytes) noexcept {
  std::uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

class WatchReader::Impl {
 public:
  Impl(const json::ReaderOptions& options, Framing framing, json::WatchObserver& observer, const Schema& schema)
      : options_(options), framing_(framing), observer_(observer), schema_(schema), items_(schema, options) {}

  Expected<void> feed(std::string_view bytes);
  Expected<void> end_message();
  bool at_boundary() const noexcept { return place_ == Place::frame && pieces_.between_parts(); }

 private:
  // Before an event, between its fields, in the bytes of one of them, past them, or past what is left of the event.
  enum class Place : std::uint8_t { frame, event, type, object, skip, rest };

  // False: wait for more bytes, or there is an error.
  bool step();
  bool begin_frame();
  void begin_event(std::uint64_t at);
  bool event_field();
  void end_event();
  bool on_object(std::string_view extension);
  bool dispatch(std::string_view extension);
  bool report(std::string_view extension);
  bool open(std::string_view extension);
  bool not_opened(const std::string& problem);
  bool deliver_item(json::EventType type, std::string_view extension);
  bool deliver_bookmark(std::string_view extension);
  void deliver_error(std::string_view extension, std::string_view without_status);
  bool report_too_large();

  // An object of this error: dropped, or the end of the reader.
  bool refuse(const Error& error);
  bool drop(Status status, const std::string& problem, const std::string& label = {});
  bool drop_rest(const std::string& problem);
  bool fail(Status status, const std::string& problem);

  const json::ReaderOptions options_;
  const Framing framing_;
  json::WatchObserver& observer_;
  const Schema& schema_;
  ItemReader items_;
  Pieces pieces_;
  Place place_ = Place::frame;
  std::uint64_t left_ = 0;  // of the bytes of a field
  std::uint64_t event_number_ = 0;
  std::uint64_t event_at_ = 0;
  std::optional<std::string> type_;
  // An object that came before its event's type.
  std::optional<std::string> waiting_;
  // The event has been reported, in one way or another.
  bool reported_ = false;
  // Its object is, and its type has not come yet.
  bool too_large_ = false;
  Envelope envelope_;
  std::optional<Error> error_;
};

Expected<void> WatchReader::Impl::feed(std::string_view bytes) {
  if (error_) return *error_;
  pieces_.give(bytes);
  while (step()) {
  }
  pieces_.release();
  if (error_) return *error_;
  return {};
}

bool WatchReader::Impl::step() {
  switch (place_) {
    case Place::frame:
      return begin_frame();
    case Place::event:
      return event_field();
    case Place::type: {
      std::string_view bytes;
      if (!pieces_.take(static_cast<std::size_t>(left_), bytes)) return false;
      place_ = Place::event;
      type_ = bytes;
      return true;
    }
    case Place::object: {
      std::string_view bytes;
      if (!pieces_.take(static_cast<std::size_t>(left_), bytes)) return false;
      place_ = Place::event;
      return on_object(bytes);
    }
    case Place::skip:
      if (!pieces_.skip(left_)) return false;
      place_ = Place::event;
      return true;
    case Place::rest:
      if (!pieces_.skip_to_end()) return false;
      place_ = Place::frame;
      return true;
  }
  return false;
}

bool WatchReader::Impl::begin_frame() {
  if (pieces_.empty()) return false;
  pieces_.set_no_end();
  if (framing_ == Framing::messages) {
    begin_event(pieces_.offset());
    return true;
  }
  std::string_view bytes;
  if (!pieces_.take(kFrameHead, bytes)) return false;
  const std::uint32_t size = big_endian(bytes);
  begin_event(pieces_.offset() - kFrameHead);
  if (size > kMaxFrame) {
    return fail(Status::protocol, "expected the length of a watch event in protobuf, got " + std::to_string(size));
  }
  pieces_.set_end(pieces_.offset() + size);
  return true;
}

void WatchReader::Impl::begin_event(std::uint64_t at) {
  ++event_number_;
  event_at_ = at;
  type_.reset();
  waiting_.reset();
  reported_ = false;
  too_large_ = false;
  place_ = Place::event;
}

// As of an event in JSON, members that are not known do not matter.
bool WatchReader::Impl::event_field() {
  if (pieces_.at_end()) {
    end_event();
    return !error_;
  }
  FieldHead field;
  const Progress progress = pieces_.take_head(field);
  if (progress == Progress::malformed) return drop_rest("it is not valid protobuf");
  if (progress == Progress::more) return false;
  left_ = field.size;
  place_ = Place::skip;
  if (field.number != kEventType && field.number != kEventObject) return true;
  if (field.type != WireField::Type::bytes) return drop_rest("it is not a watch event");
  if (field.number == kEventType) {
    if (field.size > kMaxEventType) return drop_rest("type is longer than 64 KiB");
    place_ = Place::type;
    return true;
  }
  if (field.size <= options_.max_object_size + kMaxWrapping) {
    place_ = Place::object;
    return true;
  }
  too_large_ = true;
  // The type, which says what it means, may come after the object.
  return !type_ || report_too_large();
}

bool WatchReader::Impl::report_too_large() {
  too_large_ = false;
  reported_ = true;
  if (type_ == "ERROR") {
    deliver_error({}, json::kErrorTooLarge);
    return true;
  }
  return drop(Status::too_large,
              "object is larger than max_object_size (" + std::to_string(options_.max_object_size) + " bytes)");
}

void WatchReader::Impl::end_event() {
  place_ = Place::frame;
  if (reported_) return;
  if (too_large_) {
    report_too_large();
  } else if (!type_) {
    drop(Status::protocol, "type is missing");
  } else if (waiting_) {
    const std::string object = *std::exchange(waiting_, std::nullopt);
    dispatch(object);
  } else {
    dispatch({});
  }
}

bool WatchReader::Impl::on_object(std::string_view extension) {
  if (reported_) return true;
  // Kubernetes writes the type first, so that the object need not be kept.
  if (type_ && !waiting_) return dispatch(extension);
  if (waiting_) return drop(Status::protocol, "object is duplicated");
  waiting_ = extension;
  return true;
}

bool WatchReader::Impl::dispatch(std::string_view extension) {
  const bool going_on = report(extension);
  items_.release();
  return going_on;
}

bool WatchReader::Impl::report(std::string_view extension) {
  reported_ = true;
  if (*type_ == "ADDED") return deliver_item(json::EventType::added, extension);
  if (*type_ == "MODIFIED") return deliver_item(json::EventType::modified, extension);
  if (*type_ == "DELETED") return deliver_item(json::EventType::deleted, extension);
  if (*type_ == "BOOKMARK") return deliver_bookmark(extension);
  if (*type_ == "ERROR") {
    deliver_error(extension, json::kErrorWithoutStatus);
  } else {
    observer_.on_unknown_event(*type_);
  }
  return true;
}

// The envelope in the extension, its type set. False: the event has been dropped, or the reader has failed.
bool WatchReader::Impl::open(std::string_view extension) {
  std::string_view body;
  WireReader reader(extension);
  while (const auto field = reader.next()) {
    if (field->number != kExtensionRaw || field->type != WireField::Type::bytes) {
      return fail(Status::unsupported, "its object is wrapped in a way that is not known");
    }
    body = field->bytes;
  }
  if (reader.malformed()) return not_opened("object is not valid protobuf");
  if (body.empty()) return not_opened("object is missing");
  envelope_ = {};
  const EnvelopeOutcome outcome = read_envelope(body, envelope_);
  if (!has_envelope(body) || outcome == EnvelopeOutcome::unknown) {
    return fail(Status::unsupported, "its object has an encoding that is not known");
  }
  if (outcome == EnvelopeOutcome::malformed) return not_opened("object is not valid protobuf");
  if (items_.has_type(envelope_.api_version, envelope_.kind)) return true;
  const KindRow* const row = schema_.find(envelope_.api_version, envelope_.kind);
  if (row == nullptr || row->list != 0) {
    return fail(Status::unsupported, "objects of kind " + in_quotes(envelope_.kind) + " of " +
                                         in_quotes(envelope_.api_version) + " are not known");
  }
  items_.set_type(*row, envelope_.api_version, envelope_.kind);
  return true;
}

bool WatchReader::Impl::not_opened(const std::string& problem) {
  drop(Status::protocol, problem);
  return false;
}

bool WatchReader::Impl::deliver_item(json::EventType type, std::string_view extension) {
  if (!open(extension)) return !error_;
  const std::string_view uid = uid_in(envelope_.raw);
  observer_.on_uid(uid);
  json::Item item;
  std::optional<Error> error = items_.read(envelope_.raw, json::Uid::required, item);
  // Of what is deleted the text is not kept.
  const bool keys_suffice = items_.too_deep() && type == json::EventType::deleted;
  if (error && keys_suffice) error = items_.read_decoded(json::Uid::required, item);
  if (error) return refuse(*error);
  observer_.on_event(type, item);
  return true;
}

// A bookmark is an empty object with a resourceVersion: no uid, no name.
bool WatchReader::Impl::deliver_bookmark(std::string_view extension) {
  if (!open(extension)) return !error_;
  if (const auto error = items_.decode(envelope_.raw)) return refuse(*error);
  std::string scratch;
  const std::string_view version = items_.noted(Role::resource_version, scratch);
  if (version.find('\0') != std::string_view::npos) {
    return drop(Status::protocol, "metadata.resourceVersion contains a NUL character");
  }
  // k8s.io/apimachinery/pkg/apis/meta/v1, InitialEventsAnnotationKey.
  const auto annotation = json::find_pointer(items_.text(), "/metadata/annotations/k8s.io~1initial-events-end");
  observer_.on_bookmark(version, annotation && *annotation == "\"true\"");
  return true;
}

// An ERROR ends the watch, so it is reported whatever its object looks like.
void WatchReader::Impl::deliver_error(std::string_view extension, std::string_view without_status) {
  std::string_view body;
  WireReader reader(extension);
  while (const auto field = reader.next()) {
    if (field->number == kExtensionRaw) body = field->bytes;
  }
  const auto text = status_as_json(body);
  std::optional<json::ApiStatus> status = json::parse_api_status(text ? std::string_view(*text) : body);
  if (!status) {
    status.emplace();
    status->message = without_status;
  }
  observer_.on_error_event(*status);
}

Expected<void> WatchReader::Impl::end_message() {
  if (error_) return *error_;
  if (framing_ == Framing::messages && place_ == Place::event && pieces_.between_parts()) end_event();
  if (framing_ == Framing::messages && place_ == Place::rest) place_ = Place::frame;
  if (!error_ && !at_boundary()) fail(Status::protocol, "the message ends in the middle of it");
  if (error_) return *error_;
  return {};
}

bool WatchReader::Impl::refuse(const Error& error) {
  if (error.status == Status::unsupported) return fail(error.status, error.message);
  return drop(error.status, error.message, items_.label());
}

bool WatchReader::Impl::drop(Status status, const std::string& problem, const std::string& label) {
  reported_ = true;
  observer_.on_bad_event(
      Error{status, "event " + std::to_string(event_number_) + (label.empty() ? "" : " (" + label + ")") + " at byte " +
                        std::to_string(event_at_) + ": " + problem},
      // The type may come after the object.
      {!type_ || *type_ == "DELETED", status == Status::too_large || type_.has_value()});
  return true;
}

// Where the event ends is known nevertheless.
bool WatchReader::Impl::drop_rest(const std::string& problem) {
  pieces_.drop_part();
  place_ = Place::rest;
  return reported_ || drop(Status::protocol, problem);
}

bool WatchReader::Impl::fail(Status status, const std::string& problem) {
  error_ = Error{status,
                 "event " + std::to_string(event_number_) + " at byte " + std::to_string(event_at_) + ": " + problem};
  return false;
}

WatchReader::WatchReader(const json::ReaderOptions& options, Framing framing, json::WatchObserver& observer,
                         const Schema& schema)
    : impl_(std::make_unique<Impl>(options, framing, observer, schema)) {}
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

}  // namespace ksr::protobuf
